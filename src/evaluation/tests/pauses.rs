//! A process that stands still.

use super::super::*;
use crate::engine::alarm::AlarmState;
use crate::engine::settings::{AlarmSettings, PointSettings, Priority, Rule, Settings};
use crate::engine::snapshot::History;
use crate::journal::JournalSettings;
use crate::notify::settings::NotifySettings;

fn silent_point() -> Settings {
    let stale = AlarmSettings::new(Rule::Stale, Priority::Medium);
    let point = PointSettings {
        stale_after: Some(Duration::from_secs(10)),
        ..PointSettings::new("P", vec![stale])
    };
    Settings {
        points: vec![point],
        ..Settings::default()
    }
}

#[tokio::test(start_paused = true)]
async fn a_stopped_process_takes_no_silence_for_granted() {
    let place = std::env::temp_dir().join(format!("forewarn-pause-{}", std::process::id()));
    std::fs::create_dir_all(&place).expect("a directory for the journal");
    let settings = JournalSettings {
        path: place.join("journal.db"),
        max_size: 16 << 20,
        keep_events: Duration::from_secs(3600),
        first_epoch: Some(1),
    };
    let metrics = Arc::<Metrics>::default();
    let (journal, _restored) =
        crate::journal::start(&settings, "plant", &[], Arc::clone(&metrics)).expect("it opens");
    let mut evaluation = Evaluation {
        station: Station::start(
            &silent_point(),
            NotifySettings::default(),
            &History::default(),
            clock::now(),
        ),
        inbox: journal.inbox(),
        metrics,
        awake: clock::now(),
    };
    let mut after = async |seconds| {
        tokio::time::advance(Duration::from_secs(seconds)).await;
        let now = evaluation.awaken().await;
        evaluation.station.tick(now);
        evaluation.flush(None).await;
        evaluation.station.snapshot().alarms[0].state
    };
    assert_eq!(after(1).await, AlarmState::Normal);
    // Stopped for longer than a silence may last: nobody listened.
    assert_eq!(after(21).await, AlarmState::Normal);
    for _second in 0..8 {
        assert_eq!(after(1).await, AlarmState::Normal);
    }
    assert_eq!(after(2).await, AlarmState::Unacknowledged);
    // The disk is not in virtual time.
    tokio::time::resume();
    assert!(journal.close(Duration::from_secs(20)).await);
    std::fs::remove_dir_all(&place).expect("the directory goes");
}
