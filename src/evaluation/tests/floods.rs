//! More at one instant than the journal's memory holds.

use super::*;
use crate::engine::settings::{AlarmSettings, PointSettings, Priority, Rule};

const POINTS: usize = 6000;

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
    let plant = Settings {
        points: (0..POINTS).map(silent).collect(),
        ..Settings::default()
    };
    let station = station(&plant);
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
