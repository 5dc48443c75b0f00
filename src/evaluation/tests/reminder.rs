//! The standing reminder of inhibited hazard points.

use super::*;
use crate::engine::command::{Action, Permit};
use crate::engine::reading::{Fault, PointIndex, Sample};
use crate::engine::settings::{self, AlarmSettings, PointSettings, Priority, Rule};
use crate::engine::snapshot::AlarmView;
use crate::engine::time::Mono;

/// Two gas points, one of no hazard, and the gateway's own.
fn plant() -> Settings {
    let point = |id: &str, priority| {
        let alarm = AlarmSettings::new(Rule::State { when: true }, priority);
        PointSettings::new(id, vec![alarm])
    };
    Settings {
        points: vec![
            point("CH4-1", Priority::Critical),
            point("CH4-2", Priority::Critical),
            point("PUMP", Priority::Medium),
            point("gateway.inhibited", Priority::Low),
        ],
        reminder: Some(settings::Reminder {
            point: PointIndex(3),
            hazards: vec![PointIndex(0), PointIndex(1)],
        }),
        ..Settings::default()
    }
}

impl Evaluation {
    /// A second is over: the reminder's alarm then, and what the gauge shows.
    async fn reminded(&mut self) -> (&'static str, Option<f64>, String) {
        let (_open, mut deliveries) = mpsc::channel(1);
        self.reminder.next = Mono::ZERO;
        self.remind(&mut deliveries).await;
        let snapshot = self.station.snapshot();
        let AlarmView {
            state,
            value,
            occurrence,
            ..
        } = &snapshot.alarms[3];
        assert!(*occurrence <= 1, "one reminder, one page");
        let page = self.metrics.render(None);
        let mut lines = page.lines();
        let gauge = lines.find_map(|line| line.strip_prefix("forewarn_points_inhibited "));
        (state.name(), *value, gauge.unwrap_or_default().to_owned())
    }

    async fn hear(&mut self, point: u32, sample: Sample) {
        let reading = Reading::live(PointIndex(point), sample, clock::now());
        self.judge(Delivery {
            readings: Batch::One(reading),
            receipt: None,
        })
        .await;
    }

    async fn ask(&mut self, alarm: &str, action: Action) {
        let command = Command {
            alarm: alarm.to_owned(),
            action,
            by: "li-wei".to_owned(),
            comment: None,
        };
        let done = self.station.command(&command, clock::now());
        done.expect("it is allowed");
        self.flush(None).await;
    }
}

fn permit() -> Action {
    Action::TakeOut(Permit {
        span: Some(Duration::from_secs(3600)),
        approved_by: "wang-fang".to_owned(),
        number: "P-2210".to_owned(),
        ..Permit::default()
    })
}

fn is(state: &'static str, count: u32) -> (&'static str, Option<f64>, String) {
    (state, Some(f64::from(count)), count.to_string())
}

#[tokio::test]
async fn the_reminder_stands_while_a_hazard_point_is_inhibited() {
    let bench = Bench::new("reminder");
    let mut evaluation = bench.evaluation(station(&plant()));
    for point in 0..3 {
        evaluation.hear(point, Sample::measured(0.0)).await;
    }
    assert_eq!(evaluation.reminded().await, is("normal", 0));
    // Of what is no hazard nobody is reminded, nor of a failure, which has an alarm of its own.
    evaluation.ask("PUMP/state", permit()).await;
    evaluation.hear(1, Sample::Bad(Fault::SensorFailure)).await;
    assert_eq!(evaluation.reminded().await, is("normal", 0));

    evaluation.ask("CH4-1/state", permit()).await;
    assert_eq!(evaluation.reminded().await, is("unacknowledged", 1));
    evaluation.hear(1, Sample::Bad(Fault::Inhibited)).await;
    assert_eq!(evaluation.reminded().await, is("unacknowledged", 2));
    evaluation.ask("CH4-1/state", Action::PutBack).await;
    assert_eq!(evaluation.reminded().await, is("unacknowledged", 1));
    evaluation.hear(1, Sample::measured(0.0)).await;
    let over = evaluation.reminded().await;
    assert_eq!(over, is("returned_unacknowledged", 0));
    assert!(bench.end().await);
}

#[tokio::test]
async fn a_restart_keeps_the_reminder_until_it_is_certain_that_nobody_is_inhibited() {
    let bench = Bench::new("reminder-restart");
    let mut evaluation = bench.evaluation(station(&plant()));
    for point in 0..2 {
        evaluation.hear(point, Sample::Bad(Fault::Inhibited)).await;
    }
    assert_eq!(evaluation.reminded().await, is("unacknowledged", 2));
    let (bench, restored) = bench.restarted().await;
    let history = History {
        records: restored.records,
        memories: restored.memories,
        last_alive: restored.last_alive,
        ..History::default()
    };
    let station = Station::start(&plant(), NotifySettings::default(), &history, clock::now());
    let mut evaluation = bench.evaluation(station);
    assert_eq!(evaluation.reminded().await.0, "unacknowledged");
    evaluation.hear(0, Sample::measured(0.0)).await;
    assert_eq!(evaluation.reminded().await.0, "unacknowledged");
    evaluation.hear(1, Sample::Bad(Fault::Inhibited)).await;
    assert_eq!(evaluation.reminded().await, is("unacknowledged", 1));
    evaluation.hear(1, Sample::measured(0.0)).await;
    let over = evaluation.reminded().await;
    assert_eq!(over, is("returned_unacknowledged", 0));
    assert!(bench.end().await);
}
