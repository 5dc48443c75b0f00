//! The engine as a whole, through its three calls only: what must hold for any readings, commands and
//! times. The invariants of alarm-standards 1.8, and what would fail without them:
//!
//! | invariant | property tests | in whole worlds (`tests/simulation`) |
//! |---|---|---|
//! | P1 what is published is stored | `journal::store`, `journal::ledger`, `daemon::kills` | `books` |
//! | P2 numbers rise over restarts and clock steps | `replay::driver`, `journal::open` | `books` |
//! | P3 one raise, clear and first acknowledgement | `stories` | `witness` |
//! | P4 only fresh good values clear | `evidence`, `currents`, `stories`, `groups` | `world`, `witness` |
//! | P5 silence only by a person, an end, an overlay | `stories`, `notify::tests::invariants` | `witness`, `look` |
//! | P6 no overlay without an end | `stories` | `witness`, `look` |
//! | P7 what is true at the end of an overlay calls | `stories` | `witness` |
//! | P8 no reset of what is true | `stories`, `alarm::tests` (every combination) | `witness` |
//! | P9 the same input, the same events | `invariants`, `notify::tests::invariants` | every seed twice |
//! | P10 a restart loses nothing and adds nothing | `invariants`, `replay::driver::tests::kills`, `notify::tests::invariants` | `look`, `witness` |
//! | P11 repetitions change nothing, no order hides | `invariants`, `order` | `world` |
//! | P12 steps of the wall clock change nothing | `invariants`, `clocks`, `replay::driver::tests::steps` (with P10) | `world` |
//! | P13 limits out of reach raise nothing | `agreement` | `look` |
//! | P14 more damping never raises more | `agreement` | |
//! | P15 identical sensors vote as one | `groups` | |
//! | P16 a bad channel removes no vote | `groups`, `rule::vote` | |
//! | P17 what is no number reaches no comparison | `robustness` | `look` |
//! | P18 refusals are on record and change nothing | `stories` | `world`, `witness` |
//! | P19 slopes ignore offsets and follow scales | `agreement`, `trend::tests` | |
//! | P20 counters are what the events add up to | `metrics::tests` (one event) | `books` |
//! | drills change nothing real (1.5.14) | `drills`, `notify::tests::drills` | |
//!
//! P14, P15, P16 and P19 compare two plants, so no single world can show them.
//!
//! `reference` is a second engine that knows only the definitions.

mod agreement;
mod calls;
mod clocks;
mod closing;
mod configured;
mod confirming;
mod counts;
mod currents;
mod delayed;
mod drills;
mod ends;
mod evidence;
mod exposure;
mod former;
mod frozen;
mod groups;
mod health;
mod invariants;
mod inventory;
mod order;
mod over_range;
mod pauses;
mod reasons;
mod records;
mod reference;
mod refill;
mod robustness;
mod set_aside;
mod settling;
mod stories;
mod suppression;
mod traces;

use std::sync::Arc;
use std::time::Duration;

use super::Engine;
use super::command::{Action, Command, Drilling, Permit, Shelving};
use super::effect::{Effect, Event, EventKind};
use super::reading::{PointIndex, Reading, Sample};
use super::settings::{
    AlarmKind, AlarmSettings, BadChannel, Direction, DiscrepancyRule, GroupSettings, HealthRule,
    Level, LimitRule, Method, PendingHold, PointSettings, Priority, RateRule, Rule, Settings,
    TrendSettings,
};
use super::signal::Signal;
use super::snapshot::{AlarmRecord, History};
use super::time::{Moment, Mono, Wall};

/// `t` seconds after the start, with both clocks in step.
fn moment(t: f64) -> Moment {
    let span = Duration::from_secs_f64(t);
    Moment {
        mono: Mono::ZERO + span,
        wall: Wall::from_unix_nanos(1_767_225_600_000_000_000) + span,
    }
}

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

/// An alarm without delays.
fn alarm(rule: Rule) -> AlarmSettings {
    AlarmSettings::new(rule, Priority::Medium)
}

fn limit(level: Level, limit: f64, deadband: f64) -> AlarmSettings {
    alarm(Rule::Limit(LimitRule {
        level,
        limit,
        deadband,
    }))
}

fn rise(limit_per_min: f64) -> AlarmSettings {
    alarm(Rule::Rate(RateRule {
        direction: Direction::Rise,
        limit_per_min,
        deadband_per_min: limit_per_min / 5.0,
        significant: false,
        trend: 0,
    }))
}

fn trend(method: Method) -> TrendSettings {
    TrendSettings {
        method,
        window: seconds(12.0),
        min_samples: 5,
        min_span: seconds(6.0),
        max_gap: seconds(4.0),
    }
}

fn point(id: &str, alarms: Vec<AlarmSettings>) -> PointSettings {
    PointSettings {
        stale_after: Some(seconds(10.0)),
        good_confirm: seconds(3.0),
        trends: vec![trend(Method::LeastSquares)],
        ..PointSettings::new(id, alarms)
    }
}

/// Three points with every kind of alarm, delays, latches and unattended alarms among them, a contact,
/// and a group over the three.
fn plant() -> Settings {
    let quality = |rule| AlarmSettings {
        inherit_priority: true,
        ..alarm(rule)
    };
    let full = |id: &str, on: f64, off: f64, latching: bool, ack_required: bool| {
        let delayed = |alarm| AlarmSettings {
            on_delay: seconds(on),
            off_delay: seconds(off),
            latching,
            ack_required,
            realarm_after: latching.then(|| seconds(20.0)),
            ..alarm
        };
        point(
            id,
            vec![
                delayed(limit(Level::Low, 2.0, 1.0)),
                delayed(limit(Level::High, 8.0, 1.0)),
                AlarmSettings {
                    confirm_required: true,
                    ..limit(Level::HighHigh, 10.0, 0.5)
                },
                delayed(rise(30.0)),
                AlarmSettings {
                    on_delay: seconds(1.5),
                    ..alarm(Rule::Discrepancy(DiscrepancyRule {
                        limit: 4.0,
                        deadband: 1.0,
                    }))
                },
                quality(Rule::Bad),
                quality(Rule::Stale),
            ],
        )
    };
    let contact = point(
        "C",
        vec![alarm(Rule::State { when: true }), quality(Rule::Bad)],
    );
    let mut group = group("G", 2, vec![0, 1, 2], AlarmKind::High, BadChannel::Vote);
    if let Some(settings) = &mut group.group {
        settings.compares = true;
    }
    // Whether the device of the third is well stands in the contact.
    let told = HealthRule {
        from: PointIndex(3),
        good: [0.0].into(),
        failure: [1.0].into(),
        function_check: [].into(),
        out_of_specification: [9.0].into(),
        maintenance: [].into(),
    };
    Settings {
        points: vec![
            full("A", 2.0, 3.0, false, true),
            full("B", 0.0, 0.0, true, true),
            PointSettings {
                health: vec![told],
                ..full("D", 1.0, 0.0, false, false)
            },
            contact,
            group,
        ],
        ..Settings::default()
    }
}

/// A group of `votes` over points that have an alarm of `kind`.
fn group(id: &str, votes: usize, of: Vec<u32>, kind: AlarmKind, bad: BadChannel) -> PointSettings {
    let alarms = [Rule::Vote, Rule::Degraded, Rule::GroupFault].map(alarm);
    PointSettings {
        stale_after: None,
        good_confirm: Duration::ZERO,
        group: Some(Box::new(GroupSettings {
            votes,
            of: of.into_iter().map(PointIndex).collect(),
            alarm: kind,
            bad,
            compares: false,
        })),
        ..point(id, alarms.into())
    }
}

fn ids(settings: &Settings) -> Vec<String> {
    let of_point = |point: &PointSettings| {
        let id = point.id.clone();
        let kinds = point.alarms.iter().map(AlarmSettings::kind);
        kinds
            .map(move |kind| format!("{id}/{}", kind.name()))
            .collect::<Vec<_>>()
    };
    settings.points.iter().flat_map(of_point).collect()
}

fn read(engine: &mut Engine, point: u32, sample: Sample, at: Moment) {
    engine.read(Reading::live(PointIndex(point), sample, at));
}

/// A permit for `span` seconds that one other person has approved.
fn take_out(alarm: &str, span: f64) -> Command {
    Command {
        action: Action::TakeOut(Permit {
            span: Some(seconds(span)),
            approved_by: "wang-fang".to_owned(),
            also_approved_by: None,
            number: "P-2210".to_owned(),
            compensating_measure: None,
            reason: None,
        }),
        ..acknowledge(alarm, None)
    }
}

fn acknowledge(alarm: &str, occurrence: Option<u64>) -> Command {
    Command {
        alarm: alarm.to_owned(),
        action: Action::Acknowledge {
            occurrence,
            span: None,
        },
        by: "li-wei".to_owned(),
        comment: None,
    }
}

fn reset(alarm: &str) -> Command {
    Command {
        action: Action::Reset {
            occurrence: None,
            verified_independently: false,
        },
        ..acknowledge(alarm, None)
    }
}

fn shelve(alarm: &str, span: f64, one_shot: bool) -> Command {
    Command {
        action: Action::Shelve(Shelving {
            span: Some(seconds(span)),
            one_shot,
            reason: "calibration".to_owned(),
            approved_by: None,
        }),
        ..acknowledge(alarm, None)
    }
}

fn unshelve(alarm: &str) -> Command {
    Command {
        action: Action::Unshelve,
        ..acknowledge(alarm, None)
    }
}

fn drain(engine: &mut Engine) -> Vec<Event> {
    let effects = std::iter::from_fn(|| engine.poll_effect());
    let events = effects.filter_map(|effect| match effect {
        Effect::Event(event) => Some(*event),
        Effect::Remember(_) => None,
    });
    events.collect()
}

/// What a journal would know after `events`: the last record of every alarm.
fn history(events: &[Event]) -> History {
    let mut records: Vec<AlarmRecord> = Vec::new();
    let stored = events
        .iter()
        .flat_map(|event| event.record.iter().chain(&event.others));
    for record in stored.cloned() {
        match records.iter_mut().find(|known| known.alarm == record.alarm) {
            Some(known) => *known = record,
            None => records.push(record),
        }
    }
    History {
        records,
        memories: Vec::new(),
        ..History::default()
    }
}

/// Is the alarm about the measuring, so that it needs no value to begin or end?
fn is_about_measuring(alarm: &str) -> bool {
    let kinds = ["/bad", "/stale", "/degraded", "/group_fault"];
    kinds.iter().any(|kind| alarm.ends_with(kind))
}

fn told(event: &Event) -> (EventKind, Option<Arc<str>>, u64, f64) {
    let subject = event.subject.as_ref();
    (
        event.kind,
        subject.map(|subject| Arc::clone(&subject.alarm)),
        subject.map_or(0, |subject| subject.occurrence),
        event.at.mono.as_secs_f64(),
    )
}
