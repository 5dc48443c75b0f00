//! What waits in the queue, and a person who asks meanwhile.

use super::super::*;
use crate::engine::command::Action;
use crate::engine::reading::{PointIndex, Sample};
use crate::engine::settings::{AlarmSettings, PointSettings, Priority, Rule, Settings};
use crate::engine::snapshot::History;
use crate::journal::{self, JournalSettings};
use crate::notify::settings::NotifySettings;

#[tokio::test]
async fn what_was_read_before_a_command_is_judged_before_it() {
    let folder = std::env::temp_dir().join(format!("forewarn-order-{}", std::process::id()));
    let settings = JournalSettings {
        path: folder.join("journal.db"),
        max_size: 16 << 20,
        keep_events: Duration::from_secs(3600),
        first_epoch: Some(1),
    };
    let metrics = Arc::<Metrics>::default();
    let started = journal::start(&settings, "north", &[], Arc::clone(&metrics));
    let (journal, _restored) = started.expect("the temporary folder is writable");
    let alarm = AlarmSettings::new(Rule::State { when: true }, Priority::High);
    let plant = Settings {
        points: vec![PointSettings::new("P", vec![alarm])],
        ..Settings::default()
    };
    let station = Station::start(
        &plant,
        NotifySettings::default(),
        &History::default(),
        clock::now(),
    );
    let (readings, desk, inlet) = door();
    let (stop, shutdown) = watch::channel(false);
    // Both wait when the engine first looks: the reading came first.
    let reading = Reading::live(PointIndex(0), Sample::measured(1.0), clock::now());
    let delivery = Delivery {
        readings: Batch::One(reading),
        receipt: None,
    };
    readings.send(delivery).await.expect("room for one");
    let acknowledge = async {
        let answer = desk.command(Command {
            alarm: "P/state".into(),
            action: Action::Acknowledge {
                occurrence: None,
                span: None,
            },
            by: "li-wei".into(),
            comment: None,
        });
        let answer = answer.await;
        stop.send_replace(true);
        answer
    };
    let (answer, ()) = tokio::join!(
        acknowledge,
        run(station, inlet, journal.inbox(), metrics, shutdown)
    );
    assert!(journal.close(Duration::from_secs(20)).await);
    std::fs::remove_dir_all(folder).expect("it was made here");
    assert!(matches!(
        answer.expect("allowed").outcome,
        Outcome::Accepted { occurrence: 1, .. }
    ));
}
