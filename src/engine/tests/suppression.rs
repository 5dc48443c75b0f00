//! Suppression by design in the engine: who silences whom, and what stays true whatever comes.

use proptest::prelude::*;

use super::super::overlay::Overlay;
use super::super::settings::{PlantState, Suppressor};
use super::*;

/// `P/high` is silent while the contact `C` is set, for 5 s at most when `max` says so.
fn silenced(max: Option<f64>) -> Settings {
    let high = AlarmSettings {
        suppressed_by: vec![Suppressor {
            plant: PlantState::Position {
                point: PointIndex(1),
                on: true,
            },
            max: max.map(seconds),
        }],
        ..limit(Level::High, 8.0, 1.0)
    };
    Settings {
        points: vec![
            point("P", vec![high]),
            point("C", vec![alarm(Rule::Bad), alarm(Rule::Stale)]),
        ],
        ..Settings::default()
    }
}

fn suppressed(engine: &Engine) -> bool {
    engine.snapshot().alarms[0]
        .overlays
        .has(Overlay::Suppressed)
}

/// With another configuration there is nothing any more that could end it.
#[test]
fn a_suppression_that_is_no_longer_configured_ends_at_the_start() {
    let mut engine = Engine::start(&silenced(None), &History::default(), moment(0.0));
    read(&mut engine, 1, Sample::measured(1.0), moment(0.0));
    read(&mut engine, 0, Sample::measured(9.0), moment(1.0));
    let known = history(&drain(&mut engine));
    let mut plain = silenced(None);
    plain.points[0].alarms[0].suppressed_by.clear();
    let mut engine = Engine::start(&plain, &known, moment(2.0));
    let events = drain(&mut engine);
    let ended = events
        .iter()
        .find(|event| event.kind == EventKind::Unsuppressed)
        .expect("it is told");
    assert_eq!(ended.details.reason.as_deref(), Some("config_change"));
    assert!(
        ended
            .subject
            .as_ref()
            .is_some_and(|subject| subject.annunciated)
    );
    assert!(!suppressed(&engine));
}

/// A step of the wall clock moves what people read, and not when it ends.
#[test]
fn a_step_of_the_wall_clock_moves_the_end_of_no_run_up() {
    let mut engine = Engine::start(&silenced(Some(5.0)), &History::default(), moment(0.0));
    read(&mut engine, 1, Sample::measured(0.0), moment(0.0));
    read(&mut engine, 1, Sample::measured(1.0), moment(1.0));
    let later = |t: f64| Moment {
        wall: moment(t + 3_600.0).wall,
        ..moment(t)
    };
    engine.tick(later(2.0));
    let events = drain(&mut engine);
    let stepped = events.last().expect("the step is told");
    let stored = stepped.others.first().and_then(|record| {
        let cover = record.cover.as_ref()?;
        cover.suppression.as_ref()?.until()
    });
    assert_eq!(stored, Some(later(6.0).wall), "stored with the step");
    engine.tick(later(5.75));
    assert!(suppressed(&engine));
    engine.tick(later(6.0));
    assert!(!suppressed(&engine));
}

/// What a person who watches the contact knows.
#[derive(Default)]
struct Contact {
    set: bool,
    /// Was it seen not to be set since it began last?
    unset: bool,
    /// When it was seen to begin.
    began: Option<f64>,
}

impl Contact {
    fn watch(&mut self, engine: &Engine, t: f64) {
        let value = engine.snapshot().points[1].value;
        self.set = value.is_some_and(|value| value >= 0.5);
        if self.set && self.unset {
            self.began = Some(t);
            self.unset = false;
        }
        if value.is_some() && !self.set {
            self.unset = true;
            self.began = None;
        }
    }
}

proptest! {
    /// Whatever comes: an alarm is silent only while its contact is known to be set, never longer than
    /// its longest time after the contact was seen to be set; and what it does is told the same with
    /// and without its suppression.
    #[test]
    fn only_good_evidence_silences_and_nothing_of_the_condition_changes(
        trace in prop::collection::vec((0_u8..8, 0_u32..2, prop_oneof![
            6 => (0_u8..12).prop_map(|value| Sample::measured(f64::from(value))),
            1 => Just(Sample::Bad(super::super::reading::Fault::SensorFailure)),
        ]), 1..80),
        max in prop::option::of(1_u8..8),
    ) {
        let settings = silenced(max.map(f64::from));
        let mut plain = silenced(None);
        plain.points[0].alarms[0].suppressed_by.clear();
        let mut with = Engine::start(&settings, &History::default(), moment(0.0));
        let mut without = Engine::start(&plain, &History::default(), moment(0.0));
        let mut t = 0.0;
        let mut contact = Contact::default();
        let (mut events, mut bare) = (Vec::new(), Vec::new());
        for (gap, point, sample) in trace {
            t += f64::from(gap) / 4.0;
            let at = moment(t);
            let steps: [&dyn Fn(&mut Engine); 3] = [
                &|engine| engine.tick(at),
                &|engine| read(engine, point, sample, at),
                &|engine| engine.tick(at),
            ];
            for step in steps {
                step(&mut with);
                step(&mut without);
                contact.watch(&with, t);
                if suppressed(&with) {
                    prop_assert!(contact.set, "silent at {t} without evidence");
                    let most = max.map_or(f64::INFINITY, f64::from);
                    let began = contact.began.filter(|_| max.is_some());
                    prop_assert!(began.is_some() || max.is_none(), "silent at {t}, never begun");
                    prop_assert!(began.is_none_or(|began| t < began + most), "silent at {t}");
                }
            }
            events.extend(drain(&mut with));
            bare.extend(drain(&mut without));
        }
        let essence = |events: &[Event]| -> Vec<_> {
            let of_condition = events.iter().filter(|event| {
                matches!(event.kind, EventKind::Raised | EventKind::Cleared)
            });
            of_condition.map(told).collect()
        };
        prop_assert_eq!(essence(&events), essence(&bare));
    }
}
