//! A second engine, slow and obvious: it goes through time in quarters of a second, keeps every
//! verdict since the last certainty and looks back over all of them, computes slopes and medians from
//! their definitions, goes through everything that was seen for a value that stands still, and has three
//! flags where the engine has a state. What both say of random plants, readings and commands must be the
//! same.
//!
//! `PROPTEST_CASES=12000 cargo test --release engine::tests::reference -- --nocapture` compares over a
//! million readings and commands, and says how many they were.

mod alarm;
mod model;
mod stillness;

use std::cell::Cell;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::super::alarm::AlarmState;
use super::super::reading::{Doubt, Fault, Finite};
use super::super::settings::{
    CountRule, DeviationRule, FrozenRule, MedianRule, PlantState, Reference,
};
use super::*;
use model::model;

/// A quarter of a second; every time and delay is a whole number of them.
type Quarters = u32;

fn span(quarters: Quarters) -> Duration {
    Duration::from_millis(250) * quarters
}

fn at(quarters: Quarters) -> Moment {
    moment(f64::from(quarters) / 4.0)
}

/// What both must agree on: when, which alarm, what, which episode, and how it stands then.
type Told = (Quarters, usize, What, u64, AlarmState);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Raised,
    Cleared,
    Acknowledged,
    Reset,
    NoEffect,
}

/// Everything that happens at one instant: readings, one of the contact, then a command.
#[derive(Debug, Clone)]
struct Instant {
    /// Since the one before.
    gap: Quarters,
    readings: Vec<Sample>,
    /// Of the contact that says whether the value must move.
    gate: Option<Sample>,
    command: Option<(usize, Ask)>,
}

#[derive(Debug, Clone, Copy)]
enum Ask {
    Acknowledge(Option<u64>),
    Reset,
}

fn engine(settings: &PointSettings, trace: &[Instant]) -> Vec<Told> {
    let mut settings = Settings {
        points: vec![settings.clone()],
        ..Settings::default()
    };
    let names = ids(&settings);
    settings.points.push(PointSettings {
        stale_after: None,
        good_confirm: Duration::ZERO,
        ..point("C", Vec::new())
    });
    let mut engine = Engine::start(&settings, &History::default(), moment(0.0));
    let mut events = drain(&mut engine);
    let mut now = 0;
    for instant in trace {
        now += instant.gap;
        for sample in &instant.readings {
            read(&mut engine, 0, *sample, at(now));
        }
        if let Some(gate) = instant.gate {
            read(&mut engine, 1, gate, at(now));
        }
        engine.tick(at(now));
        if let Some((alarm, ask)) = instant.command {
            let command = match ask {
                Ask::Acknowledge(occurrence) => acknowledge(&names[alarm], occurrence),
                Ask::Reset => reset(&names[alarm]),
            };
            let _either = engine.command(&command, at(now)).is_ok();
        }
        events.extend(drain(&mut engine));
    }
    events
        .iter()
        .filter_map(|event| told_of(event, &names))
        .collect()
}

fn told_of(event: &Event, names: &[String]) -> Option<Told> {
    let what = match event.kind.name() {
        "raised" => What::Raised,
        "cleared" => What::Cleared,
        "acknowledged" => What::Acknowledged,
        "reset" => What::Reset,
        "command_rejected" | "command_ignored" => What::NoEffect,
        _ => return None,
    };
    let subject = event.subject.as_ref()?;
    let index = names.iter().position(|name| **name == *subject.alarm)?;
    let quarters = event.at.mono.since(Mono::ZERO).as_millis() / 250;
    let quarters = Quarters::try_from(quarters).expect("a trace is short");
    Some((quarters, index, what, subject.occurrence, subject.state))
}

#[derive(Debug, Clone)]
struct Plan {
    stale_after: Quarters,
    confirm: Quarters,
    /// On-delay of `bad`.
    bad_on: Quarters,
    alarms: Vec<AlarmPlan>,
    frozen: FrozenPlan,
    /// Window of the median.
    window: Quarters,
}

#[derive(Debug, Clone)]
struct AlarmPlan {
    deadband: u8,
    on: Quarters,
    off: Quarters,
    hold: bool,
    latching: bool,
    ack_required: bool,
    /// So often within so long.
    count: Option<(u8, Quarters)>,
}

#[derive(Debug, Clone)]
struct FrozenPlan {
    after: Quarters,
    half_tolerance: u8,
    gated: bool,
}

impl FrozenPlan {
    const fn tolerance(&self) -> f64 {
        self.half_tolerance as f64 / 2.0
    }
}

fn plans() -> impl Strategy<Value = Plan> {
    let delay = || prop_oneof![2 => Just(0_u32), 3 => 1_u32..12];
    let traits = (any::<bool>(), any::<bool>(), prop::bool::weighted(0.8));
    let count = prop::option::weighted(0.3, (2_u8..4, 8_u32..80));
    let alarm = (0_u8..4, delay(), delay(), traits, count).prop_map(
        |(deadband, on, off, traits, count)| AlarmPlan {
            deadband,
            on,
            off,
            hold: traits.0,
            latching: traits.1,
            ack_required: traits.2,
            count,
        },
    );
    let frozen =
        (4_u32..20, 0_u8..4, any::<bool>()).prop_map(|(after, half_tolerance, gated)| FrozenPlan {
            after,
            half_tolerance,
            gated,
        });
    (
        20_u32..50,
        prop_oneof![Just(0_u32), 1_u32..16],
        prop_oneof![Just(0_u32), 1_u32..80],
        prop::collection::vec(alarm, 6),
        frozen,
        24_u32..80,
    )
        .prop_map(
            |(stale_after, confirm, bad_on, alarms, frozen, window)| Plan {
                stale_after,
                confirm,
                bad_on,
                alarms,
                frozen,
                window,
            },
        )
}

impl Plan {
    fn settings(&self) -> PointSettings {
        let gate = PlantState::Position {
            point: PointIndex(1),
            on: true,
        };
        let rules = [
            limit(Level::Low, 3.0, 0.0),
            limit(Level::High, 8.0, 0.0),
            limit(Level::HighHigh, 10.0, 0.0),
            // No slope of half units over quarters comes near it.
            rise(20.000_123),
            alarm(Rule::Frozen(FrozenRule {
                after: span(self.frozen.after),
                tolerance: self.frozen.tolerance(),
                rests_at_zero: false,
                gate: self.frozen.gated.then_some(gate),
            })),
            alarm(Rule::Deviation(DeviationRule {
                from: Reference::Median(MedianRule {
                    window: span(self.window),
                }),
                below: Some(3.0),
                above: Some(2.5),
                deadband: 0.5,
                settle: Duration::ZERO,
            })),
        ];
        let planned = rules.into_iter().zip(&self.alarms).map(AlarmPlan::applied);
        let bad = AlarmSettings {
            on_delay: span(self.bad_on),
            ..alarm(Rule::Bad)
        };
        let quality = [bad, alarm(Rule::Stale)];
        PointSettings {
            stale_after: Some(span(self.stale_after)),
            good_confirm: span(self.confirm),
            ..point("P", planned.chain(quality).collect())
        }
    }
}

impl AlarmPlan {
    fn applied((alarm, plan): (AlarmSettings, &Self)) -> AlarmSettings {
        let (rule, counts) = if let Rule::Limit(rule) = alarm.rule {
            let deadband = f64::from(plan.deadband) / 2.0;
            (Rule::Limit(LimitRule { deadband, ..rule }), true)
        } else {
            (alarm.rule, false)
        };
        let count = plan.count.filter(|_| counts);
        AlarmSettings {
            rule,
            on_delay: span(plan.on),
            off_delay: span(plan.off),
            pending_hold: if plan.hold {
                PendingHold::Deadband
            } else {
                PendingHold::Limit
            },
            latching: plan.latching,
            ack_required: plan.ack_required,
            count: count.map(|(times, within)| CountRule {
                times,
                within: span(within),
            }),
            ..alarm
        }
    }
}

fn traces() -> impl Strategy<Value = Vec<Instant>> {
    let finite = |value| Finite::new(value).expect("a number");
    let value = || (2_u8..24).prop_map(|value| f64::from(value) / 2.0);
    let sample = prop_oneof![
        14 => value().prop_map(Sample::measured),
        1 => value().prop_map(move |v| Sample::Uncertain(finite(v), Doubt::SensorNotAccurate)),
        1 => Just(Sample::Bad(Fault::SensorFailure)),
    ];
    let gap = prop_oneof![16 => 1_u32..4, 3 => 4_u32..20, 1 => 20_u32..80];
    let ask = prop_oneof![
        3 => prop::option::weighted(0.4, 0_u64..5).prop_map(Ask::Acknowledge),
        1 => Just(Ask::Reset),
    ];
    let command = prop::option::weighted(0.25, (0_usize..8, ask));
    let contact = prop_oneof![
        3 => Just(Sample::measured(1.0)),
        1 => Just(Sample::measured(0.0)),
        1 => Just(Sample::Bad(Fault::DeviceFailure)),
    ];
    let instant = (
        gap,
        prop::collection::vec(sample, 0..3),
        prop::option::weighted(0.08, contact),
        command,
    )
        .prop_map(|(gap, readings, gate, command)| Instant {
            gap,
            readings,
            gate,
            command,
        });
    prop::collection::vec((instant, prop::bool::weighted(0.06)), 1..160).prop_map(calmed)
}

/// Values that stand still for a while, between those marked `true`, now and then half a unit off.
fn calmed(trace: Vec<(Instant, bool)>) -> Vec<Instant> {
    let mut calm = None;
    let mut calmed = Vec::new();
    for (mut instant, turns) in trace {
        let first = instant.readings.iter().find_map(|sample| sample.value());
        if turns {
            calm = if calm.is_some() { None } else { first };
        }
        for sample in &mut instant.readings {
            let near = calm.and_then(|calm| {
                let half = if instant.gap == 3 { 0.5 } else { 0.0 };
                Finite::new(calm.get() + half)
            });
            *sample = match (*sample, near) {
                (Sample::Good(_), Some(near)) => Sample::Good(near),
                (Sample::Uncertain(_, doubt), Some(near)) => Sample::Uncertain(near, doubt),
                (sample, _) => sample,
            };
        }
        calmed.push(instant);
    }
    calmed
}

/// In order of time and alarm: what two alarms do at one instant has no order in the standard.
fn ordered(mut told: Vec<Told>) -> Vec<Told> {
    told.sort_by_key(|(t, alarm, ..)| (*t, *alarm));
    told
}

/// Readings and commands.
fn steps(trace: &[Instant]) -> usize {
    let at = |instant: &Instant| {
        let others = [instant.gate.is_some(), instant.command.is_some()];
        instant.readings.len() + others.into_iter().filter(|there| *there).count()
    };
    trace.iter().map(at).sum()
}

#[test]
fn the_engine_says_what_the_definitions_say() {
    let config = ProptestConfig {
        source_file: Some(file!()),
        ..ProptestConfig::default()
    };
    let compared = Cell::new(0);
    let raised = Cell::new([0_u32; 8]);
    let ran = TestRunner::new(config).run(&(plans(), traces()), |(plan, trace)| {
        compared.set(compared.get() + steps(&trace));
        let settings = plan.settings();
        let told = ordered(engine(&settings, &trace));
        let mut counted = raised.get();
        for (_, alarm, what, ..) in &told {
            counted[*alarm] += u32::from(*what == What::Raised);
        }
        raised.set(counted);
        prop_assert_eq!(told, ordered(model(&settings, &plan, &trace)));
        Ok(())
    });
    println!("{} readings and commands compared", compared.get());
    ran.unwrap_or_else(|failure| panic!("{failure}"));
    let raised = raised.get();
    assert!(
        raised.iter().all(|count| *count > 0),
        "an alarm that is never raised compares nothing: {raised:?}"
    );
    println!("{raised:?} times raised");
}
