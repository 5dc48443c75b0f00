//! More at one instant than the journal's memory holds.

use super::*;
use crate::engine::settings::{AlarmSettings, PointSettings, Priority, Rule};
use crate::evaluation::hand_in::END;
use crate::journal::ByHand;
use crate::journal::scratch::Scratch;

const POINTS: usize = 6000;

fn plant() -> Settings {
    Settings {
        points: (0..POINTS).map(silent).collect(),
        ..Settings::default()
    }
}

fn silent(number: usize) -> PointSettings {
    let stale = AlarmSettings::new(Rule::Stale, Priority::Medium);
    PointSettings {
        stale_after: Some(Duration::from_millis(1)),
        good_confirm: Duration::from_secs(3),
        ..PointSettings::new(&format!("PT-{number}"), vec![stale])
    }
}

#[tokio::test]
async fn a_tick_that_says_more_than_memory_holds_loses_nothing_on_a_sound_disk() {
    let bench = Bench::new("floods");
    let station = station(&plant());
    let (_readings, _desk, inlet) = door();
    let (stop, shutdown) = watch::channel(false);
    let feed = bench.journal.feed();
    let all_raised = async {
        while feed.states().len() < POINTS {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        stop.send_replace(true);
    };
    let both = async {
        tokio::join!(
            run(
                station,
                None,
                inlet,
                bench.journal.inbox(),
                Arc::clone(&bench.metrics),
                shutdown
            ),
            all_raised
        )
    };
    let done = tokio::time::timeout(Duration::from_secs(60), both).await;
    let health = *bench.journal.health().borrow();
    let stored = bench.end().await;
    assert!(done.is_ok(), "some alarm never became visible");
    assert_eq!((health.dropped, health.durable, stored), (0, true, true));
}

/// The end comes while the engine waits for room: it hands in what is left, the stop last, and the journal counts what it
/// has no room for.
#[tokio::test(start_paused = true)]
async fn the_end_does_not_wait_for_a_disk_that_stands_still() {
    let scratch = Scratch::new();
    let opened = ByHand::open(
        &scratch.settings(),
        "north",
        &[],
        Arc::default(),
        clock::now(),
    );
    let (mut journal, _) = opened.expect("it opens");
    let (_readings, _desk, inlet) = door();
    let (stop, shutdown) = watch::channel(false);
    let inbox = journal.inbox();
    let engine = run(
        station(&plant()),
        None,
        inlet,
        inbox.clone(),
        Arc::default(),
        shutdown,
    );
    let full = async {
        while inbox.has_room() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        stop.send_replace(true);
        clock::monotonic()
    };
    let ((), asked) = tokio::join!(engine, full);
    let took = clock::monotonic().since(asked);
    assert!(took <= END + Duration::from_millis(1), "{took:?}");

    journal.write(clock::now());
    assert!(journal.health().dropped > 0, "it has no room for all");
    let feed = journal.feed();
    let last = feed.recent(feed.committed() - 1, 1).expect("in memory");
    assert!(
        last[0].line.contains("\"event\":\"stopped\""),
        "{}",
        last[0].line
    );
}
