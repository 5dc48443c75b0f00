//! What telemetry has of the moments before a stop.

use super::*;
use crate::engine::reading::{PointIndex, Sample};
use crate::engine::settings::PointSettings;
use crate::telemetry::{self, JournalState, Names, Next, Pace, TelemetrySettings};

#[tokio::test]
async fn what_was_judged_since_the_last_record_is_recorded_at_the_stop() {
    let bench = Bench::new("last-record");
    let recording = TelemetrySettings {
        pace: Pace {
            shortest: Duration::from_secs(10),
            longest: Duration::from_secs(600),
        },
        deadbands: vec![1.0],
        disk: None,
        commit_every: Duration::from_secs(30),
    };
    let names = Names::new([("PT".into(), "bar".into())].into_iter());
    let sound = || JournalState::Sound;
    let metrics = Arc::clone(&bench.metrics);
    let (telemetry, tap) = telemetry::start(&recording, names, &["up".into()], sound, metrics);
    let feed = telemetry.feed();
    let before = feed.newest();
    let (readings, _desk, inlet) = door();
    for (millis, value) in [(0, 20.0), (1, 95.0), (2, 20.0)] {
        let received = clock::now().after(Duration::from_millis(millis));
        let reading = Reading::live(PointIndex(0), Sample::measured(value), received);
        let delivery = Delivery {
            readings: Batch::One(reading),
            receipt: None,
        };
        readings.send(delivery).await.expect("there is room");
    }
    let settings = Settings {
        points: vec![PointSettings::new("PT", Vec::new())],
        ..Settings::default()
    };
    let (_stop, stopped) = watch::channel(true);
    let (inbox, metrics) = (bench.journal.inbox(), Arc::clone(&bench.metrics));
    run(
        station(&settings),
        Some(tap),
        inlet,
        inbox,
        metrics,
        stopped,
    )
    .await;
    let Next::Page(page) = feed.read(before, u64::MAX, 10) else {
        panic!("memory has it");
    };
    let (_, last) = page.records.last().expect("there is a record");
    assert_eq!((last.value, last.range), (Some(20.0), Some((20.0, 95.0))));
    assert!(bench.end().await);
}
