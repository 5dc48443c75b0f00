//! What alarms remember is no event: nobody waits for it.

use super::*;
use crate::engine::memory::CONFIGURATION;
use crate::engine::reading::{PointIndex, Sample};
use crate::engine::settings::{
    AlarmSettings, Average, ExposureRule, PointSettings, Priority, Rule,
};

fn detector() -> Settings {
    let rule = Rule::Exposure(ExposureRule {
        average: Average::ShortTerm,
        limit: 30.0,
        deadband: 2.0,
    });
    let stel = AlarmSettings::new(rule, Priority::Medium);
    let point = PointSettings::new("CO", vec![stel]);
    Settings {
        points: vec![point],
        ..Settings::default()
    }
}

#[tokio::test]
async fn a_reading_that_only_makes_an_alarm_remember_is_acknowledged_and_the_memory_stored() {
    let bench = Bench::new("memories");
    let began = clock::now();
    let mut evaluation = bench.evaluation(station(&detector()));
    evaluation.flush(None).await;
    let (done, mut given) = mpsc::channel(8);
    for (serial, seconds) in [(1, 1), (2, 130)] {
        let received = began.after(Duration::from_secs(seconds));
        let reading = Reading::live(PointIndex(0), Sample::measured(10.0), received);
        evaluation
            .judge(Delivery {
                readings: Batch::One(reading),
                receipt: Some(Receipt::new(done.clone(), serial)),
            })
            .await;
    }
    // The second came after the first memory was due, and nothing else was to be said.
    drop(done);
    let mut serials = Vec::new();
    while let Some(serial) = given.recv().await {
        serials.push(serial);
    }
    let (bench, restored) = bench.restarted().await;
    assert!(bench.end().await);
    assert_eq!(serials, [1, 2]);
    let names: Vec<&str> = restored
        .memories
        .iter()
        .map(|known| &*known.alarm)
        .collect();
    assert_eq!(names, ["CO/stel", CONFIGURATION]);
}
