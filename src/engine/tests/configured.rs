//! What a start makes of another configuration.

use super::super::alarm::AlarmState;
use super::super::configured::{NAMED, listed};
use super::super::effect::Cause;
use super::super::memory::{Content, Memory};
use super::super::settings::{CountRule, DeviationRule, OverRangeRule, Reference};
use super::*;

/// Events and memories in one: what a journal would know.
pub(super) fn life(engine: &mut Engine) -> (Vec<Event>, Vec<Memory>) {
    let (mut events, mut memories) = (Vec::new(), Vec::new());
    while let Some(effect) = engine.poll_effect() {
        match effect {
            Effect::Event(event) => events.push(*event),
            Effect::Remember(memory) => memories.push(*memory),
        }
    }
    (events, memories)
}

fn plant(high: AlarmSettings) -> Settings {
    Settings {
        points: vec![point("P", vec![high])],
        ..Settings::default()
    }
}

/// The second start with the same settings has nothing to tell and nothing to keep.
#[test]
fn the_same_configuration_is_no_news() {
    let settings = plant(limit(Level::High, 8.0, 1.0));
    let mut engine = Engine::start(&settings, &History::default(), moment(0.0));
    let (_, memories) = life(&mut engine);
    assert!(matches!(memories[0].content, Content::Configuration { .. }));
    let known = History {
        memories,
        ..History::default()
    };
    let (events, memories) = life(&mut Engine::start(&settings, &known, moment(1.0)));
    let kinds: Vec<_> = events.iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [EventKind::Started]);
    assert!(memories.is_empty());
}

/// A journal that never kept a configuration cannot tell a change.
#[test]
fn nothing_is_told_where_nothing_was_kept() {
    let mut engine = Engine::start(
        &plant(limit(Level::High, 8.0, 1.0)),
        &History::default(),
        moment(0.0),
    );
    read(&mut engine, 0, Sample::measured(9.0), moment(0.0));
    let known = history(&drain(&mut engine));
    let settings = plant(limit(Level::High, 12.0, 1.0));
    let (events, memories) = life(&mut Engine::start(&settings, &known, moment(1.0)));
    assert!(events.iter().all(|event| event.kind == EventKind::Started));
    assert_eq!(memories.len(), 1, "but it is from now on");
}

/// Every way in which the priority of an open occurrence may change, by the state it is in.
#[test]
fn only_a_higher_priority_calls_again() {
    use AlarmState as S;
    for (before, after, acknowledged, state) in [
        (Priority::Medium, Priority::High, true, S::Unacknowledged),
        (Priority::Medium, Priority::Low, true, S::Acknowledged),
        (Priority::Medium, Priority::High, false, S::Unacknowledged),
        (Priority::Medium, Priority::Low, false, S::Unacknowledged),
        (Priority::Medium, Priority::Medium, true, S::Acknowledged),
    ] {
        let of = |priority| {
            plant(AlarmSettings {
                priority,
                ..limit(Level::High, 8.0, 1.0)
            })
        };
        let mut engine = Engine::start(&of(before), &History::default(), moment(0.0));
        read(&mut engine, 0, Sample::measured(9.0), moment(0.0));
        if acknowledged {
            let accepted = engine.command(&acknowledge("P/high", None), moment(1.0));
            assert!(accepted.is_ok());
        }
        let (events, memories) = life(&mut engine);
        let known = History {
            memories,
            ..history(&events)
        };
        let mut engine = Engine::start(&of(after), &known, moment(2.0));
        let changed = drain(&mut engine)
            .into_iter()
            .filter(|event| event.kind == EventKind::Changed)
            .count();
        assert_eq!(
            changed,
            usize::from(before != after),
            "{before:?} {after:?}"
        );
        let view = &engine.snapshot().alarms[0];
        let case = format!("{before:?} to {after:?}, acknowledged: {acknowledged}");
        assert_eq!(
            (view.state, view.priority, view.occurrence),
            (state, after, 1),
            "{case}"
        );
    }
}

/// The life after one with `before`, an active alarm and its acknowledgement, with `after`.
fn reconfigured(before: &Settings, after: &Settings, value: f64) -> (Engine, Vec<Event>) {
    let mut engine = Engine::start(before, &History::default(), moment(0.0));
    read(&mut engine, 0, Sample::measured(value), moment(0.0));
    let (events, memories) = life(&mut engine);
    let known = History {
        memories,
        ..history(&events)
    };
    let mut engine = Engine::start(after, &known, moment(2.0));
    let events = drain(&mut engine);
    (engine, events)
}

#[test]
fn a_changed_priority_says_so_in_words_and_only_of_what_is_open() {
    let of = |priority| {
        plant(AlarmSettings {
            priority,
            ..limit(Level::High, 8.0, 1.0)
        })
    };
    let (before, after) = (of(Priority::Medium), of(Priority::High));
    let (_, events) = reconfigured(&before, &after, 9.0);
    let kinds: Vec<_> = events.iter().map(|event| event.kind).collect();
    assert_eq!(
        kinds,
        [
            EventKind::Started,
            EventKind::ConfigChanged,
            EventKind::Changed,
            EventKind::ConfigChanged
        ]
    );
    assert_eq!(events[1].details.reason.as_deref(), Some("config_change"));
    let details = &events[2].details;
    assert_eq!(details.reason.as_deref(), Some("priority_raised"));
    let message = details.message.as_deref();
    assert_eq!(message, Some("priority medium -> high"));
    let (_, events) = reconfigured(&before, &after, 1.0);
    assert!(events.iter().all(|event| event.kind != EventKind::Changed));
}

/// A value that only a wider deadband still held is beyond neither limit: the new deadband ends it.
#[test]
fn a_narrower_deadband_ends_what_only_the_wider_one_held() {
    let of = |deadband| plant(limit(Level::High, 8.0, deadband));
    let (mut engine, _) = reconfigured(&of(3.0), &of(1.0), 9.0);
    read(&mut engine, 0, Sample::measured(6.0), moment(3.0));
    let cleared = drain(&mut engine);
    let causes: Vec<_> = cleared
        .iter()
        .map(|event| (event.kind, event.cause))
        .collect();
    assert_eq!(causes, [(EventKind::Cleared, Cause::Config)]);
}

#[test]
fn of_many_changed_alarms_the_first_are_named() {
    for (alarms, more) in [(NAMED, false), (NAMED + 1, true)] {
        let names: Vec<Arc<str>> = (0..alarms).map(|n| format!("P{n}/high").into()).collect();
        let told = listed("changed", &names);
        assert!(told.starts_with(&format!("{alarms} changed: P0/high, P1/high")));
        assert_eq!(told.ends_with(", ..."), more, "{told}");
    }
}

/// Of rules that can be asked about one value: what is beyond the old one only is over by the configuration,
/// what is inside both by the process.
#[test]
fn what_only_a_new_rule_lets_go_is_over_by_the_configuration() {
    let deviation = |above| {
        alarm(Rule::Deviation(DeviationRule {
            from: Reference::Fixed(5.0),
            below: Some(1.0),
            above: Some(above),
            deadband: 0.5,
            settle: Duration::ZERO,
        }))
    };
    let over_range = |at| {
        alarm(Rule::OverRange(OverRangeRule {
            at,
            bottom: 0.0,
            deadband: 1.0,
            latching: false,
            reset_below: 5.0,
            reset_after: seconds(1.0),
        }))
    };
    for (before, after) in [
        (deviation(2.0), deviation(6.0)),
        (over_range(8.0), over_range(12.0)),
        (limit(Level::High, 8.0, 1.0), limit(Level::High, 12.0, 1.0)),
    ] {
        for (value, cause) in [(9.0, Cause::Config), (5.0, Cause::Process)] {
            let (mut engine, _) = reconfigured(&plant(before.clone()), &plant(after.clone()), 9.0);
            read(&mut engine, 0, Sample::measured(value), moment(3.0));
            let events = drain(&mut engine);
            let mut cleared = events.iter();
            let cleared = cleared.find(|event| event.kind == EventKind::Cleared);
            let case = format!("{:?} {value}", after.rule);
            assert_eq!(cleared.map(|event| event.cause), Some(cause), "{case}");
        }
    }
}

/// How the alarm of a point ended that was raised by `before` with the values up to it, under `after`.
fn ended(before: &AlarmSettings, after: &AlarmSettings, values: [&[f64]; 2]) -> Option<Cause> {
    let see = |engine: &mut Engine, seconds: std::ops::Range<u32>, values: &[f64]| {
        let last = values.last();
        for (value, second) in values.iter().chain(last.into_iter().cycle()).zip(seconds) {
            let at = moment(f64::from(second));
            read(engine, 0, Sample::measured(*value), at);
        }
    };
    let mut engine = Engine::start(&plant(before.clone()), &History::default(), moment(0.0));
    see(&mut engine, 1..5, values[0]);
    let (events, memories) = life(&mut engine);
    assert!(engine.snapshot().alarms[0].state.is_active(), "{before:?}");
    let known = History {
        memories,
        ..history(&events)
    };
    let mut engine = Engine::start(&plant(after.clone()), &known, moment(5.0));
    see(&mut engine, 6..30, values[1]);
    let events = drain(&mut engine);
    let mut cleared = events
        .iter()
        .filter(|event| event.kind == EventKind::Cleared);
    let cause = cleared.next().map(|event| event.cause);
    assert!(cleared.next().is_none(), "once at most");
    cause
}

/// The old rule cannot be asked about what the new one sees: whatever that ends before it has found it true
/// is over by the configuration.
#[test]
fn what_a_new_rule_never_found_true_is_over_by_the_configuration() {
    let (config, process) = (Some(Cause::Config), Some(Cause::Process));
    let plain = limit(Level::High, 8.0, 1.0);
    let counted = |alarm: &AlarmSettings, times, within| AlarmSettings {
        count: Some(CountRule {
            times,
            within: seconds(within),
        }),
        ..alarm.clone()
    };
    let twice = counted(&plain, 2, 12.0);
    let higher = limit(Level::High, 12.0, 1.0);
    let deviation = |from, settle| {
        alarm(Rule::Deviation(DeviationRule {
            from: Reference::Fixed(from),
            below: None,
            above: Some(2.0),
            deadband: 0.5,
            settle: seconds(settle),
        }))
    };
    let raises: &[f64] = &[9.0, 5.0, 9.0, 5.0];
    for (name, before, after, values, cause) in [
        ("not counted", &twice, &plain, [raises, &[5.0]], config),
        ("and true", &twice, &plain, [raises, &[9.0, 5.0]], process),
        (
            "oftener",
            &twice,
            &counted(&plain, 3, 12.0),
            [raises, &[5.0]],
            config,
        ),
        (
            "shorter",
            &twice,
            &counted(&plain, 2, 2.0),
            [raises, &[5.0]],
            config,
        ),
        ("the same", &twice, &twice, [raises, &[5.0]], process),
        ("counted by now", &plain, &twice, [&[9.0], &[5.0]], config),
        (
            "counted and higher",
            &twice,
            &counted(&higher, 3, 12.0),
            [raises, &[5.0]],
            config,
        ),
        (
            "still within",
            &twice,
            &counted(&higher, 2, 12.0),
            [raises, &[5.0]],
            process,
        ),
        (
            "from elsewhere",
            &deviation(5.0, 0.0),
            &deviation(9.0, 0.0),
            [&[9.0], &[9.0]],
            config,
        ),
        (
            "and far from that",
            &deviation(5.0, 0.0),
            &deviation(9.0, 0.0),
            [&[9.0], &[12.0, 9.0]],
            process,
        ),
        (
            "with more time to follow",
            &deviation(5.0, 0.0),
            &deviation(5.0, 3.0),
            [&[9.0], &[5.0]],
            process,
        ),
    ] {
        assert_eq!(ended(before, after, values), cause, "{name}");
    }
}
