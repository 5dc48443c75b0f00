//! Alarms that are no longer configured, and what a restart finds changed.

use super::super::alarm::AlarmState;
use super::super::effect::Cause;
use super::super::settings::AlarmKind;
use super::*;

/// Two occurrences, the first never recognised; then a restart without the alarm.
#[test]
fn a_removed_rule_closes_every_open_occurrence_once() {
    let with = Settings {
        points: vec![point(
            "P",
            vec![limit(Level::High, 8.0, 1.0), alarm(Rule::Bad)],
        )],
        ..Settings::default()
    };
    let mut engine = Engine::start(&with, &History::default(), moment(0.0));
    for (t, value) in [(0.0, 9.0), (1.0, 5.0), (2.0, 9.0)] {
        read(&mut engine, 0, Sample::measured(value), moment(t));
    }
    let mut events = drain(&mut engine);
    let without = Settings {
        points: vec![point("P", vec![alarm(Rule::Bad)])],
        ..Settings::default()
    };
    let mut engine = Engine::start(&without, &history(&events), moment(3.0));
    let closing = drain(&mut engine);
    let told: Vec<_> = closing[1..]
        .iter()
        .map(|event| (told(event).0, told(event).2))
        .collect();
    assert_eq!(told, [(EventKind::Changed, 1), (EventKind::Cleared, 2)]);
    for event in &closing[1..] {
        assert_eq!(event.cause, Cause::Config);
        assert_eq!(event.details.reason.as_deref(), Some("rule_removed"));
        assert_eq!(
            event.subject.as_ref().map(|subject| subject.state),
            Some(AlarmState::Normal)
        );
    }
    events.extend(closing);
    let mut engine = Engine::start(&without, &history(&events), moment(4.0));
    assert_eq!(drain(&mut engine).len(), 1, "closed once");
}

/// An occurrence that had ended already is not cleared a second time.
#[test]
fn a_removed_rule_clears_nothing_twice() {
    let with = Settings {
        points: vec![point("P", vec![limit(Level::High, 8.0, 1.0)])],
        ..Settings::default()
    };
    let mut engine = Engine::start(&with, &History::default(), moment(0.0));
    for (t, value) in [(0.0, 9.0), (1.0, 5.0)] {
        read(&mut engine, 0, Sample::measured(value), moment(t));
    }
    let events = drain(&mut engine);
    let none = Settings {
        points: vec![point("P", vec![])],
        ..Settings::default()
    };
    let mut engine = Engine::start(&none, &history(&events), moment(3.0));
    let kinds: Vec<_> = drain(&mut engine).iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [EventKind::Started, EventKind::Changed]);
}

/// A normal alarm has the priority that is configured now, not the one it had when it last rose.
#[test]
fn a_changed_priority_counts_from_the_restart_for_normal_alarms() {
    let with = |priority| Settings {
        points: vec![point(
            "P",
            vec![AlarmSettings {
                priority,
                ..limit(Level::High, 8.0, 1.0)
            }],
        )],
        ..Settings::default()
    };
    let mut engine = Engine::start(&with(Priority::Low), &History::default(), moment(0.0));
    for (t, value) in [(0.0, 9.0), (1.0, 5.0)] {
        read(&mut engine, 0, Sample::measured(value), moment(t));
    }
    engine
        .command(&acknowledge("P/high", None), moment(2.0))
        .expect("something to acknowledge");
    let known = history(&drain(&mut engine));
    let engine = Engine::start(&with(Priority::Critical), &known, moment(3.0));
    assert_eq!(engine.snapshot().alarms[0].priority, Priority::Critical);
}

/// A restored `stale` alarm that turns into `bad` still inherits from what it hides.
#[test]
fn a_restored_silence_knows_what_it_hides() {
    let inherits = |rule| AlarmSettings {
        inherit_priority: true,
        ..alarm(rule)
    };
    let high = AlarmSettings {
        priority: Priority::Critical,
        ..limit(Level::High, 8.0, 1.0)
    };
    let settings = Settings {
        points: vec![point(
            "P",
            vec![high, inherits(Rule::Bad), inherits(Rule::Stale)],
        )],
        ..Settings::default()
    };
    let mut engine = Engine::start(&settings, &History::default(), moment(0.0));
    read(&mut engine, 0, Sample::measured(9.0), moment(0.0));
    engine.tick(moment(20.0));
    let known = history(&drain(&mut engine));
    let mut engine = Engine::start(&settings, &known, moment(21.0));
    read(&mut engine, 0, Sample::measured(f64::NAN), moment(22.0));
    let bad = drain(&mut engine).into_iter().find_map(|event| {
        let subject = event.subject?;
        (event.kind == EventKind::Raised).then_some((
            subject.alarm,
            subject.priority,
            event.details.message,
        ))
    });
    let (alarm, priority, message) = bad.expect("bad is raised");
    assert_eq!((&*alarm, priority), ("P/bad", Priority::Critical));
    assert!(message.is_some_and(|message| message.contains(AlarmKind::High.name())));
}
