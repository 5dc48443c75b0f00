//! More at one instant than the journal's memory holds.

use super::super::*;
use crate::engine::settings::{AlarmSettings, PointSettings, Priority, Rule, Settings};
use crate::engine::snapshot::History;
use crate::journal::{self, JournalSettings};
use crate::notify::settings::NotifySettings;

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
    let folder = std::env::temp_dir().join(format!("forewarn-evaluation-{}", std::process::id()));
    let settings = JournalSettings {
        path: folder.join("journal.db"),
        max_size: 64 << 20,
        keep_events: Duration::from_secs(86_400),
        first_epoch: Some(1),
    };
    let metrics = Arc::new(Metrics::default());
    let started = journal::start(&settings, "north", &[], Arc::clone(&metrics));
    let (journal, _restored) = started.expect("the temporary folder is writable");
    let plant = Settings {
        points: (0..POINTS).map(silent).collect(),
        ..Settings::default()
    };
    let station = Station::start(
        &plant,
        NotifySettings::default(),
        &History::default(),
        clock::now(),
    );
    let (_readings, _desk, inlet) = door();
    let (stop, shutdown) = watch::channel(false);
    let feed = journal.feed();
    let all_raised = async {
        while feed.states().len() < POINTS {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        stop.send_replace(true);
    };
    let both = async {
        tokio::join!(
            run(station, inlet, journal.inbox(), metrics, shutdown),
            all_raised
        )
    };
    let done = tokio::time::timeout(Duration::from_secs(60), both).await;
    let health = *journal.health().borrow();
    let stored = journal.close(Duration::from_secs(20)).await;
    std::fs::remove_dir_all(folder).expect("it was made here");
    assert!(done.is_ok(), "some alarm never became visible");
    assert_eq!((health.dropped, health.durable, stored), (0, true, true));
}
