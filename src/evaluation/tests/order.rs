//! What waits in the queue, and a person who asks meanwhile.

use super::*;
use crate::engine::command::Action;
use crate::engine::reading::{PointIndex, Sample};
use crate::engine::settings::{AlarmSettings, PointSettings, Priority, Rule};

#[tokio::test]
async fn what_was_read_before_a_command_is_judged_before_it() {
    let bench = Bench::new("order");
    let alarm = AlarmSettings::new(Rule::State { when: true }, Priority::High);
    let plant = Settings {
        points: vec![PointSettings::new("P", vec![alarm])],
        ..Settings::default()
    };
    let station = station(&plant);
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
        run(
            station,
            None,
            inlet,
            bench.journal.inbox(),
            Arc::clone(&bench.metrics),
            shutdown
        )
    );
    assert!(bench.end().await);
    assert!(matches!(
        answer.expect("allowed").outcome,
        Outcome::Accepted { occurrence: 1, .. }
    ));
}
