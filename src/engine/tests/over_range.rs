//! Over-range of a sensor that reads low afterwards: nothing but a reset ends it.

use proptest::prelude::*;

use super::*;
use crate::engine::alarm::AlarmState;
use crate::engine::reading::{Doubt, Fault, Finite};
use crate::engine::settings::OverRangeRule;

fn plant() -> Settings {
    let delayed = |alarm: AlarmSettings, on: f64| AlarmSettings {
        on_delay: seconds(on),
        off_delay: seconds(3.0),
        ..alarm
    };
    let over_range = alarm(Rule::OverRange(OverRangeRule {
        at: 100.0,
        bottom: 0.0,
        deadband: 2.0,
        latching: true,
        reset_below: 23.0,
        reset_after: seconds(20.0),
    }));
    let detector = point(
        "G",
        vec![
            delayed(limit(Level::High, 25.0, 2.0), 5.0),
            delayed(limit(Level::HighHigh, 50.0, 2.0), 0.0),
            rise(30.0),
            over_range,
            alarm(Rule::Bad),
            alarm(Rule::Stale),
        ],
    );
    Settings {
        points: vec![detector],
        ..Settings::default()
    }
}

/// What may happen to a detector; times are seconds since what happened before.
#[derive(Debug, Clone, Copy)]
enum Happening {
    Value(f64),
    Flagged(f64),
    Bad,
    Silence(f64),
    /// So many low values, a second apart.
    Calm(u32),
    Acknowledge,
    /// Whether the area was checked by other means.
    Reset(bool),
    Restart,
    Pause,
}

fn happenings() -> impl Strategy<Value = Vec<Happening>> {
    let happening = prop_oneof![
        12 => (-5.0_f64..40.0).prop_map(Happening::Value),
        2 => (90.0_f64..130.0).prop_map(Happening::Value),
        1 => (-5.0_f64..60.0).prop_map(Happening::Flagged),
        1 => Just(Happening::Bad),
        1 => (5.0_f64..40.0).prop_map(Happening::Silence),
        2 => (1_u32..40).prop_map(Happening::Calm),
        2 => Just(Happening::Acknowledge),
        2 => any::<bool>().prop_map(Happening::Reset),
        1 => Just(Happening::Restart),
        1 => Just(Happening::Pause),
    ];
    prop::collection::vec(happening, 1..120)
}

/// An engine under way.
struct Run {
    settings: Settings,
    engine: Engine,
    events: Vec<Event>,
    t: f64,
}

impl Run {
    fn new() -> Self {
        let settings = plant();
        let engine = Engine::start(&settings, &History::default(), moment(0.0));
        Self {
            settings,
            engine,
            events: Vec::new(),
            t: 0.0,
        }
    }

    /// Lets it happen, a second after what was before. Was a reset allowed?
    fn go(&mut self, happening: Happening) -> bool {
        self.t += 1.0;
        let now = moment(self.t);
        let finite = |value| Finite::new(value).expect("the strategy gives numbers");
        let mut released = false;
        match happening {
            Happening::Value(value) => {
                read(&mut self.engine, 0, Sample::Good(finite(value)), now);
            }
            Happening::Flagged(value) => {
                let sample = Sample::Uncertain(finite(value), Doubt::EngineeringUnitsExceeded);
                read(&mut self.engine, 0, sample, now);
            }
            Happening::Bad => {
                read(&mut self.engine, 0, Sample::Bad(Fault::SensorFailure), now);
            }
            Happening::Silence(span) => {
                self.t += span;
                self.engine.tick(moment(self.t));
            }
            Happening::Calm(values) => {
                for _ in 0..values {
                    read(
                        &mut self.engine,
                        0,
                        Sample::Good(finite(1.0)),
                        moment(self.t),
                    );
                    self.t += 1.0;
                }
                self.t -= 1.0;
            }
            Happening::Acknowledge => {
                let _nothing_to_do = self.engine.command(&acknowledge("G/over_range", None), now);
            }
            Happening::Reset(verified) => {
                let command = Command {
                    action: Action::Reset {
                        occurrence: None,
                        verified_independently: verified,
                    },
                    ..reset("G/over_range")
                };
                released = self.engine.command(&command, now).is_ok();
                assert!(verified || !released, "without a look at the area");
            }
            Happening::Restart => {
                self.engine.tick(now);
                self.events.extend(drain(&mut self.engine));
                let history = history(&self.events);
                self.engine = Engine::start(&self.settings, &history, now);
            }
            Happening::Pause => {
                self.t += 30.0;
                self.engine.paused(now, moment(self.t));
            }
        }
        self.events.extend(drain(&mut self.engine));
        released
    }

    fn state(&self, alarm: &str) -> AlarmState {
        let alarms = self.engine.snapshot().alarms;
        let found = alarms.iter().find(|view| &*view.alarm == alarm);
        found.expect("it is configured").state
    }
}

proptest! {
    /// From the full scale on, `over_range`, `high` and `high_high` are active until a reset, whatever is
    /// read, said or restarted; and a reset is possible only after 20 s of good low values.
    #[test]
    fn only_a_reset_ends_what_is_held(happenings in happenings()) {
        let mut run = Run::new();
        let mut held = false;
        let (mut low_since, mut last) = (None, 0.0);
        for happening in happenings {
            match happening {
                Happening::Value(value) if value < 23.0 => {
                    low_since = low_since.or(Some(run.t + 1.0));
                    last = run.t + 1.0;
                }
                Happening::Calm(values) => {
                    low_since = low_since.or(Some(run.t + 1.0));
                    last = run.t + f64::from(values);
                }
                Happening::Acknowledge | Happening::Reset(_) | Happening::Silence(_) => {}
                Happening::Value(_)
                | Happening::Flagged(_)
                | Happening::Bad
                | Happening::Restart
                | Happening::Pause => low_since = None,
            }
            let released = run.go(happening);
            if released {
                prop_assert!(held);
                let since = low_since.expect("values were low");
                // The engine counts nanoseconds; sums of seconds as floats fall short of them.
                prop_assert!(run.t - since > 20.0 - 1e-6, "only since {since} at {}", run.t);
                held = false;
            }
            if run.t - last >= 10.0 {
                low_since = None;
            }
            if held {
                for alarm in ["G/over_range", "G/high", "G/high_high"] {
                    prop_assert!(run.state(alarm).is_active(), "{alarm} at {}", run.t);
                }
                let point = &run.engine.snapshot().points[0];
                prop_assert!(point.value.is_none_or(|value| (value - 100.0).abs() < 1e-9));
                prop_assert_eq!(point.held.as_deref(), Some("at or above 100 (held)"));
                prop_assert_eq!(point.slope_per_min, None);
            }
            held = held || run.state("G/over_range").is_active();
        }
    }
}

/// What is read while over-range is held is the sensor's own way, not the gas's: no line goes through it.
#[test]
fn what_is_read_while_it_is_held_bends_no_line() {
    let settings = plant();
    let mut engine = Engine::start(&settings, &History::default(), moment(0.0));
    for second in 0..60 {
        let value = if second == 0 { 100.0 } else { 5.0 };
        read(
            &mut engine,
            0,
            Sample::measured(value),
            moment(f64::from(second)),
        );
        assert_eq!(engine.snapshot().points[0].slope_per_min, None, "{second}");
    }
    let at = moment(59.5);
    for alarm in ["G/over_range", "G/high", "G/high_high"] {
        let _either = engine.command(&acknowledge(alarm, None), at).is_ok();
    }
    let verified = Command {
        action: Action::Reset {
            occurrence: None,
            verified_independently: true,
        },
        ..acknowledge("G/over_range", None)
    };
    assert!(engine.command(&verified, at).is_ok());
    for second in 60..66 {
        read(
            &mut engine,
            0,
            Sample::measured(5.0),
            moment(f64::from(second)),
        );
        assert_eq!(engine.snapshot().points[0].slope_per_min, None, "{second}");
    }
}

/// What reads low while over-range is held is no low value: the high limits are passed at once, and a low
/// alarm that is active is not over.
#[test]
fn while_over_range_is_held_high_limits_are_passed_and_low_ones_know_nothing() {
    let mut settings = plant();
    settings.points[0].alarms.push(AlarmSettings {
        off_delay: seconds(3.0),
        ..limit(Level::Low, 2.0, 1.0)
    });
    let mut engine = Engine::start(&settings, &History::default(), moment(0.0));
    for (t, value) in [
        (0.0, 1.0),
        (1.0, 105.0),
        (2.0, 10.0),
        (3.0, 10.0),
        (9.0, 10.0),
    ] {
        read(&mut engine, 0, Sample::measured(value), moment(t));
    }
    let events: Vec<_> = drain(&mut engine).iter().map(told).collect();
    let of = |alarm: &str| {
        let own = events
            .iter()
            .filter(|line| line.1.as_deref() == Some(alarm));
        own.map(|line| (line.0, line.3)).collect::<Vec<_>>()
    };
    assert_eq!(of("G/high"), [(EventKind::Raised, 1.0)]);
    assert_eq!(of("G/low"), [(EventKind::Raised, 0.0)]);
}

/// Of the alarms of a held point only those that are held say so.
#[test]
fn only_what_is_held_is_told_as_held() {
    let mut engine = Engine::start(&plant(), &History::default(), moment(0.0));
    for second in 0..8 {
        let t = f64::from(second);
        read(&mut engine, 0, Sample::measured(3.0 * t), moment(t));
    }
    read(&mut engine, 0, Sample::measured(105.0), moment(8.0));
    for alarm in ["G/rise", "G/high_high"] {
        let outcome = engine.command(&acknowledge(alarm, None), moment(9.0));
        outcome.expect("it is active");
    }
    let held = |alarm: &str, events: &[Event]| {
        let own = events.iter().find(|event| {
            let subject = event.subject.as_ref();
            event.kind == EventKind::Acknowledged && subject.is_some_and(|own| &*own.alarm == alarm)
        });
        own.expect("it was acknowledged").details.held
    };
    let events = drain(&mut engine);
    assert_eq!(held("G/high_high", &events), Some(true));
    assert_eq!(held("G/rise", &events), None);
}
