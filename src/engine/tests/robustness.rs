//! Readings and times that no plant should send, and memory that must not grow.

use proptest::prelude::*;

use super::super::reading::{Doubt, Finite, Health, Measured};
use super::super::signal::{Bounds, Conversion, CurrentLoop, Curve, Scaling};
use super::*;

fn any_sample() -> impl Strategy<Value = Sample> {
    let extreme = prop_oneof![
        Just(f64::MAX),
        Just(f64::MIN),
        Just(0.0),
        Just(-0.0),
        Just(5e-324),
        Just(f64::NAN),
        Just(f64::INFINITY),
        Just(f64::NEG_INFINITY),
        any::<f64>(),
    ];
    (extreme, any::<bool>()).prop_map(|(value, doubt)| match Finite::new(value) {
        Some(finite) if doubt => Sample::Uncertain(finite, Doubt::SubNormal),
        _ => Sample::measured(value),
    })
}

/// As it comes off the wire, or as a value.
fn any_measured() -> impl Strategy<Value = Measured> {
    let number = prop_oneof![3.0..22.0, Just(f64::NAN), Just(f64::MAX), any::<f64>()];
    prop_oneof![
        number.prop_map(Measured::Raw),
        any_sample().prop_map(Measured::Sample),
    ]
}

/// The plant, with numbers that mean something: a current loop, two ranges, markers and bounds.
fn conditioned() -> Settings {
    let mut settings = plant();
    let signals = [
        Signal {
            conversion: Conversion::CurrentLoop(CurrentLoop {
                milliamps: Scaling::IDENTITY,
                range: (0.0, 12.0),
                curve: Curve::Linear,
                fault_low: CurrentLoop::FAULTS.0,
                fault_high: CurrentLoop::FAULTS.1,
                special: [].into(),
            }),
            max_step: Some(4.0),
            ..Signal::plain()
        },
        Signal {
            conversion: Conversion::Ranges {
                raw: (4.0, 20.0),
                value: (0.0, f64::MAX),
                curve: Curve::SquareRoot,
            },
            clamp: Some(Bounds {
                low: 0.0,
                high: 12.0,
            }),
            ..Signal::plain()
        },
        Signal {
            invalid_raw: [3.0, f64::MAX].into(),
            valid: Some(Bounds {
                low: 0.0,
                high: f64::MAX,
            }),
            ..Signal::plain()
        },
    ];
    for (point, signal) in settings.points.iter_mut().zip(signals) {
        point.signal = signal.into();
        point.alarms.push(alarm(Rule::Clock));
    }
    settings
}

fn any_health() -> impl Strategy<Value = Health> {
    use Health::{Failure, FunctionCheck, Good, Maintenance, OutOfSpecification};
    let all = [
        Good,
        Maintenance,
        OutOfSpecification,
        FunctionCheck,
        Failure,
    ];
    prop_oneof![3 => Just(Good), 1 => prop::sample::select(all.to_vec())]
}

fn any_reading() -> impl Strategy<Value = Reading> {
    let nanos = prop_oneof![0_u64..100_000_000_000, any::<u64>(), Just(u64::MAX)];
    let wall = prop_oneof![Just(1_767_225_600_000_000_000_i64), any::<i64>()];
    (
        (0_u32..4, any_measured(), nanos, wall.clone()),
        (
            prop::option::of(wall),
            prop::option::of(any::<u64>()),
            any::<bool>(),
            any_health(),
        ),
    )
        .prop_map(
            |((point, measured, mono, now), (source, sequence, retained, health))| Reading {
                point: PointIndex(point),
                measured,
                received: Moment {
                    mono: Mono::from_nanos(mono),
                    wall: Wall::from_unix_nanos(now),
                },
                source_time: source.map(Wall::from_unix_nanos),
                sequence,
                retained,
                health,
            },
        )
}

proptest! {
    /// P17, and no panic: NaN, infinities, extreme values, any times in any order.
    #[test]
    fn no_reading_breaks_the_engine(readings in prop::collection::vec(any_reading(), 1..80)) {
        let mut engine = Engine::start(&conditioned(), &History::default(), moment(0.0));
        let mut last = Mono::ZERO;
        for reading in readings {
            engine.read(reading);
            let snapshot = engine.snapshot();
            for point in snapshot.points {
                prop_assert!(point.value.is_none_or(f64::is_finite));
                prop_assert!(point.slope_per_min.is_none_or(f64::is_finite));
                prop_assert!(point.forecast.iter().all(|(_, ahead)| ahead.is_finite()));
            }
            for event in drain(&mut engine) {
                prop_assert!(event.at.mono >= last, "time never goes back");
                last = event.at.mono;
                if let Some(subject) = event.subject {
                    prop_assert!(subject.value.is_none_or(f64::is_finite));
                }
            }
        }
    }

    /// However a value flaps, an alarm and a point have one entry each in the agenda.
    #[test]
    fn the_agenda_does_not_grow(flaps in prop::collection::vec(0_u8..3, 1..400)) {
        let slow = |alarm| AlarmSettings {
            on_delay: seconds(86_400.0),
            off_delay: seconds(86_400.0),
            ..alarm
        };
        let settings = Settings {
            points: vec![point("P", vec![slow(limit(Level::High, 8.0, 1.0)), alarm(Rule::Bad)])], ..Settings::default() };
        let mut engine = Engine::start(&settings, &History::default(), moment(0.0));
        for (tenth, flap) in (0_u32..).zip(flaps) {
            let sample = match flap {
                0 => Sample::measured(9.0),
                1 => Sample::measured(5.0),
                _ => Sample::measured(f64::NAN),
            };
            read(&mut engine, 0, sample, moment(f64::from(tenth) / 10.0));
            prop_assert!(engine.agenda.len() <= 3, "{} entries", engine.agenda.len());
        }
    }

    /// However often people change their minds, an alarm has one entry for the end of its overlays.
    #[test]
    fn the_agenda_does_not_grow_with_commands(spans in prop::collection::vec(1_u16..20_000, 1..200)) {
        let settings = Settings {
            points: vec![point("P", vec![limit(Level::High, 8.0, 1.0)])],
            ..Settings::default()
        };
        let mut engine = Engine::start(&settings, &History::default(), moment(0.0));
        for (second, span) in (0_u32..).zip(spans) {
            let at = moment(f64::from(second));
            engine.command(&shelve("P/high", f64::from(span), false), at).expect("not shelved");
            engine.command(&unshelve("P/high"), at).expect("just shelved");
            // And the silence of the point.
            prop_assert!(engine.agenda.len() <= 2, "{} entries", engine.agenda.len());
        }
    }
}

/// A point, an alarm and a rate rule in the steady state: judging allocates nothing.
#[test]
fn reading_in_the_steady_state_allocates_nothing() {
    let mut engine = Engine::start(&plant(), &History::default(), moment(0.0));
    let value = |tenth: u32| Sample::measured(5.0 + f64::from(tenth % 7) / 10.0);
    // Both windows, the queue of delays and the agenda have their size after this.
    let mut tenth = 0;
    let mut second = |engine: &mut Engine| {
        for _ in 0..10 {
            tenth += 1;
            for point in 0..3 {
                let source_time = Some(moment(f64::from(tenth) / 10.0).wall);
                let at = moment(f64::from(tenth) / 10.0 + 0.05);
                let live = Reading::live(PointIndex(point), value(tenth), at);
                engine.read(Reading {
                    source_time,
                    ..live
                });
            }
        }
    };
    (0..60).for_each(|_| second(&mut engine));
    assert_eq!(drain(&mut engine).len(), 1, "nothing but the start");
    let allocations = allocation_counter::measure(|| {
        (0..600).for_each(|_| second(&mut engine));
    });
    assert_eq!(drain(&mut engine).len(), 0);
    assert_eq!(allocations.count_total, 0, "{allocations:?}");
}

#[test]
fn commands_that_are_refused_again_and_again_do_not_fill_the_journal() {
    let mut engine = Engine::start(&plant(), &History::default(), moment(0.0));
    drain(&mut engine);
    for _again in 0..1000 {
        let answer = engine.command(&acknowledge("NO/high", None), moment(1.0));
        assert!(answer.is_err(), "refused, on record or not");
    }
    assert_eq!(drain(&mut engine).len(), 100);
    assert!(
        engine
            .command(&acknowledge("NO/high", None), moment(40.0))
            .is_err()
    );
    let events = drain(&mut engine);
    let refused = events
        .iter()
        .find(|event| event.kind == EventKind::CommandRejected);
    let message = refused.and_then(|event| event.details.message.as_deref());
    let message = message.expect("on record");
    assert!(message.contains("900 refused before it"), "{message}");
}
