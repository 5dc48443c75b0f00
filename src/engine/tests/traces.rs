//! Random traces: readings of every quality, every command, and time that passes.

use proptest::prelude::*;

use super::super::drill;
use super::super::reading::{Doubt, Fault, Finite};
use super::*;

/// One thing that happens, and the time that passes before it.
#[derive(Debug, Clone)]
pub(super) enum Happening {
    Reading(u32, Sample),
    Repeated(u32, f64),
    Command(Command),
    Tick,
}

fn sample() -> impl Strategy<Value = Sample> {
    let finite = |value| Finite::new(value).expect("a number");
    prop_oneof![
        8 => (0_i32..24).prop_map(|value| Sample::measured(f64::from(value) / 2.0)),
        1 => (0_i32..24).prop_map(move |value| Sample::Uncertain(
            finite(f64::from(value) / 2.0), Doubt::SensorNotAccurate)),
        1 => prop_oneof![Just(Fault::DeviceFailure), Just(Fault::SensorFailure)]
            .prop_map(Sample::Bad),
    ]
}

/// Anything that anybody may ask of any alarm, for spans of some seconds.
fn command() -> impl Strategy<Value = Command> {
    let names = ids(&plant());
    let span = prop::option::of((0_u8..40).prop_map(|span| seconds(f64::from(span))));
    (
        prop::sample::select(names),
        span,
        prop::option::of(0_u64..4),
        0_u8..20,
    )
        .prop_map(|(alarm, span, occurrence, what)| {
            let action = match what {
                0..4 => Action::Acknowledge { occurrence, span },
                4 | 5 => Action::Reset {
                    occurrence: None,
                    verified_independently: false,
                },
                6 | 7 => Action::Shelve(Shelving {
                    span,
                    one_shot: what == 6,
                    reason: "calibration".to_owned(),
                    approved_by: None,
                }),
                8 => Action::Unshelve,
                9 | 10 => Action::TakeOut(Permit {
                    span,
                    approved_by: "wang-fang".to_owned(),
                    also_approved_by: None,
                    number: "P-2210".to_owned(),
                    compensating_measure: None,
                    reason: None,
                }),
                11 => Action::PutBack,
                12..15 => Action::Drill(Drilling {
                    span,
                    reason: "monthly".to_owned(),
                }),
                15 => Action::EndDrill,
                16 | 17 => Action::Confirm { occurrence },
                _ => {
                    return acknowledge(&drill::name(&alarm), occurrence);
                }
            };
            Command {
                action,
                ..acknowledge(&alarm, None)
            }
        })
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        12 => (0_u32..4, sample()).prop_map(|(point, sample)| Happening::Reading(point, sample)),
        1 => (0_u32..4, 0_u8..24).prop_map(|(p, v)| Happening::Repeated(p, f64::from(v) / 2.0)),
        6 => command().prop_map(Happening::Command),
        1 => Just(Happening::Tick),
    ]
}

/// Times in whole quarters of a second, so that readings and timers meet at one instant.
pub(super) fn trace() -> impl Strategy<Value = Vec<(f64, Happening)>> {
    let gap =
        prop_oneof![6 => 0_u8..6, 1 => 6_u8..60].prop_map(|quarters| f64::from(quarters) / 4.0);
    prop::collection::vec((gap, happening()), 1..150).prop_map(|steps| {
        let mut t = 0.0;
        let at = |(gap, happening)| {
            t += gap;
            (t, happening)
        };
        steps.into_iter().map(at).collect()
    })
}

pub(super) fn apply(engine: &mut Engine, at: Moment, happening: &Happening) {
    match happening {
        Happening::Reading(point, sample) => read(engine, *point, *sample, at),
        Happening::Repeated(point, value) => engine.read(Reading {
            sequence: Some(7),
            ..Reading::live(PointIndex(*point), Sample::measured(*value), at)
        }),
        Happening::Command(command) => {
            let _either = engine.command(command, at).is_ok();
        }
        Happening::Tick => engine.tick(at),
    }
}

/// Runs a trace; `watch` sees every event as it comes, with the engine after it.
pub(super) fn run(
    trace: &[(f64, Happening)],
    mut watch: impl FnMut(&Engine, &Event),
) -> Vec<Event> {
    let settings = plant();
    let mut engine = Engine::start(&settings, &History::default(), moment(0.0));
    let mut events = drain(&mut engine);
    for (t, happening) in trace {
        apply(&mut engine, moment(*t), happening);
        for event in drain(&mut engine) {
            watch(&engine, &event);
            events.push(event);
        }
    }
    events
}
