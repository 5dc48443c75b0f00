//! A process that stands still.

use super::*;
use crate::engine::alarm::AlarmState;
use crate::engine::settings::{AlarmSettings, PointSettings, Priority, Rule};

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
    let bench = Bench::new("pauses");
    let mut evaluation = bench.evaluation(station(&silent_point()));
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
    assert!(bench.end().await);
}
