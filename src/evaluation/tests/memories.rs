//! What alarms remember is no event: nobody waits for it.

use super::super::*;
use crate::engine::memory::CONFIGURATION;
use crate::engine::reading::{PointIndex, Sample};
use crate::engine::settings::{
    AlarmSettings, Average, ExposureRule, PointSettings, Priority, Rule, Settings,
};
use crate::engine::snapshot::History;
use crate::journal::{self, JournalSettings};
use crate::notify::settings::NotifySettings;

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
    let folder = std::env::temp_dir().join(format!("forewarn-memories-{}", std::process::id()));
    let settings = JournalSettings {
        path: folder.join("journal.db"),
        max_size: 16 << 20,
        keep_events: Duration::from_secs(3600),
        first_epoch: Some(1),
    };
    let metrics = Arc::<Metrics>::default();
    let started = journal::start(&settings, "plant", &[], Arc::clone(&metrics));
    let (journal, _restored) = started.expect("the temporary folder is writable");
    let began = clock::now();
    let mut evaluation = Evaluation {
        station: Station::start(
            &detector(),
            NotifySettings::default(),
            &History::default(),
            began,
        ),
        inbox: journal.inbox(),
        metrics: Arc::clone(&metrics),
        awake: began,
    };
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
    assert!(journal.close(Duration::from_secs(20)).await);
    let again = journal::start(&settings, "plant", &[], metrics);
    let (journal, restored) = again.expect("it was closed in good order");
    assert!(journal.close(Duration::from_secs(20)).await);
    std::fs::remove_dir_all(folder).expect("it was made here");
    assert_eq!(serials, [1, 2]);
    let names: Vec<&str> = restored
        .memories
        .iter()
        .map(|known| &*known.alarm)
        .collect();
    assert_eq!(names, ["CO/stel", CONFIGURATION]);
}
