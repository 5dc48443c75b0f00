//! Drills: the same machine beside the real alarm, of which nothing real notices anything.

use proptest::prelude::*;

use super::super::alarm::AlarmState;
use super::super::command::{Denied, Outcome};
use super::super::drill::{drilled, name};
use super::super::effect::Subject;
use super::super::overlay::Overlay;
use super::super::settings::FirstOutSettings;
use super::super::snapshot::Snapshot;
use super::traces::{Happening, run, trace};
use super::*;

fn drill(alarm: &str, span: f64) -> Command {
    Command {
        action: Action::Drill(Drilling {
            span: Some(seconds(span)),
            reason: "monthly".to_owned(),
        }),
        ..acknowledge(alarm, None)
    }
}

fn end(alarm: &str) -> Command {
    Command {
        action: Action::EndDrill,
        ..acknowledge(alarm, None)
    }
}

/// The plant with good values in the middle of everything, at 1 s.
fn quiet() -> Engine {
    let mut engine = Engine::start(&plant(), &History::default(), moment(0.0));
    for point in 0..3 {
        read(&mut engine, point, Sample::measured(5.0), moment(1.0));
    }
    drain(&mut engine);
    engine
}

fn kinds(engine: &mut Engine) -> Vec<(EventKind, String)> {
    let events = drain(engine).into_iter();
    let kind = |event: Event| {
        let subject = event.subject.expect("an alarm's");
        (event.kind, subject.alarm.to_string())
    };
    events.map(kind).collect()
}

fn is_about_drill(event: &Event) -> bool {
    event.subject.as_ref().is_some_and(Subject::is_drill)
}

#[test]
fn a_drill_has_a_name_and_numbers_of_its_own() {
    assert_eq!(drilled(&name("A/high")), Some("A/high"));
    assert_eq!(drilled("A/high"), None);
    let mut engine = quiet();
    for occurrence in 1..4 {
        let begun = engine.command(&drill("A/high", 60.0), moment(2.0));
        let at = moment(2.0).wall;
        assert_eq!(begun, Ok(Outcome::Accepted { occurrence, at }));
        assert!(engine.command(&end("A/high"), moment(2.0)).is_ok());
    }
    assert_eq!(engine.snapshot().alarms[1].occurrence, 0, "none of A/high");
}

/// What is stored with the end of a drill of `alarm` that nobody acknowledged.
fn ended(engine: &mut Engine, alarm: &str, stepped: f64) -> AlarmRecord {
    let late = |t: f64| Moment {
        wall: moment(t).wall + seconds(stepped),
        ..moment(t)
    };
    let begun = engine.command(&drill(alarm, 60.0), moment(2.0));
    begun.expect("nothing real");
    engine.tick(late(3.0));
    engine.command(&end(alarm), late(4.0)).expect("it runs");
    let last = drain(engine).pop().and_then(|event| event.record);
    last.expect("the end is stored")
}

/// Latching is for what was real; and nobody has to look at the end of a drill of an alarm that asks nobody.
#[test]
fn a_drill_ends_as_its_alarm_would_but_latches_nothing() {
    let mut engine = quiet();
    for (alarm, state, by) in [
        ("A/high", AlarmState::ReturnedUnacknowledged, None),
        ("B/high", AlarmState::ReturnedUnacknowledged, None),
        ("D/high", AlarmState::Normal, Some("system")),
    ] {
        let record = ended(&mut engine, alarm, 0.0);
        assert_eq!(record.state, state, "{alarm}");
        let given = record.acknowledged.as_ref().map(|given| &*given.by);
        assert_eq!(given, by, "{alarm}");
        assert_eq!(record.priority, Some(Priority::Medium));
    }
}

#[test]
fn the_end_of_a_drill_steps_with_the_clock() {
    let record = ended(&mut quiet(), "A/high", 3_600.0);
    let exercise = record.drill.expect("it was one");
    assert_eq!(exercise.term.until, moment(62.0 + 3_600.0).wall);
}

/// A drill has the priority that is configured, and comes first in nothing.
#[test]
fn nothing_of_the_newest_real_occurrence_is_in_a_drill() {
    let inherits = AlarmSettings {
        inherit_priority: true,
        priority: Priority::Low,
        ..alarm(Rule::Bad)
    };
    let critical = AlarmSettings {
        priority: Priority::Critical,
        ..limit(Level::High, 8.0, 1.0)
    };
    let settings = Settings {
        points: vec![PointSettings {
            stale_after: None,
            good_confirm: Duration::ZERO,
            ..point("P", vec![critical, inherits])
        }],
        first_outs: vec![FirstOutSettings {
            id: "trip".into(),
            members: vec![
                (PointIndex(0), AlarmKind::High),
                (PointIndex(0), AlarmKind::Bad),
            ],
        }],
        ..Settings::default()
    };
    let mut engine = Engine::start(&settings, &History::default(), moment(0.0));
    for (t, value) in [(0.0, 9.0), (1.0, f64::NAN), (2.0, 1.0)] {
        read(&mut engine, 0, Sample::measured(value), moment(t));
    }
    for alarm in ["P/high", "P/bad"] {
        let outcome = engine.command(&acknowledge(alarm, None), moment(3.0));
        outcome.expect("it was raised");
    }
    drain(&mut engine);
    for (alarm, priority) in [("P/high", Priority::Critical), ("P/bad", Priority::Low)] {
        engine
            .command(&drill(alarm, 60.0), moment(4.0))
            .expect("nothing real");
        let begun = drain(&mut engine).pop().and_then(|event| event.subject);
        let subject = begun.expect("an alarm's");
        assert!(!subject.first_out, "{alarm}");
        assert_eq!(subject.priority, priority, "{alarm}");
    }
}

#[test]
fn who_means_the_alarm_does_not_reach_the_drill_and_the_other_way_round() {
    let mut engine = quiet();
    engine
        .command(&drill("A/high_high", 60.0), moment(2.0))
        .expect("nothing real");
    let real = engine.command(&acknowledge("A/high_high", None), moment(3.0));
    assert_eq!(real, Err(Denied::NothingToAcknowledge));
    for (command, denied) in [
        (
            acknowledge("A/high_high/drill", Some(2)),
            Denied::UnknownOccurrence {
                asked: 2,
                newest: 1,
            },
        ),
        (reset("A/high_high/drill"), Denied::IsDrill),
        (shelve("A/high_high/drill", 60.0, false), Denied::IsDrill),
        (unshelve("A/high_high/drill"), Denied::IsDrill),
        (acknowledge("A/high/drill", None), Denied::NoDrill),
        (
            acknowledge("A/other/drill", None),
            Denied::UnknownAlarm("A/other/drill".into()),
        ),
    ] {
        let refused = engine.command(&command, moment(4.0));
        assert_eq!(refused, Err(denied), "{command:?}");
    }
    for event in drain(&mut engine) {
        let real = event.kind == EventKind::CommandRejected && event.at == moment(3.0);
        assert_eq!(is_about_drill(&event), !real, "{event:?}");
    }
    // A value above the limit begins the real alarm, which ends the drill.
    read(&mut engine, 0, Sample::measured(11.0), moment(5.0));
    drain(&mut engine);
    let own = acknowledge("A/high_high/drill", None);
    assert!(engine.command(&own, moment(6.0)).is_ok());
    assert_eq!(
        kinds(&mut engine),
        [(EventKind::Acknowledged, "A/high_high/drill".to_owned())]
    );
    assert_eq!(
        engine.snapshot().alarms[2].state,
        AlarmState::Unacknowledged
    );
    assert!(engine.snapshot().drills.is_empty());
}

#[test]
fn what_is_real_at_the_point_comes_first_and_elsewhere_does_not_matter() {
    let mut engine = quiet();
    for alarm in ["A/low", "A/high", "B/low"] {
        engine
            .command(&drill(alarm, 60.0), moment(2.0))
            .expect("nothing real");
    }
    drain(&mut engine);
    read(&mut engine, 0, Sample::measured(11.0), moment(3.0));
    let (raised, cleared) = (EventKind::Raised, EventKind::Cleared);
    let expected = [
        (raised, "A/high_high"),
        (cleared, "A/low/drill"),
        (cleared, "A/high/drill"),
    ];
    let expected = expected.map(|(kind, alarm)| (kind, alarm.to_owned()));
    assert_eq!(kinds(&mut engine), expected);
    let refused = engine.command(&drill("A/low", 60.0), moment(4.0));
    assert_eq!(refused, Err(Denied::RealAlarm("A/high_high".into())));
}

#[test]
fn what_lies_beneath_an_overlay_is_not_in_sight_until_the_overlay_ends() {
    let mut engine = quiet();
    let shelf = shelve("A/high", 10.0, false);
    engine.command(&shelf, moment(2.0)).expect("not shelved");
    let refused = engine.command(&drill("A/high", 60.0), moment(2.0));
    assert_eq!(refused, Err(Denied::Silenced(Overlay::Shelved)));
    engine
        .command(&drill("A/low", 60.0), moment(2.0))
        .expect("another alarm");
    read(&mut engine, 0, Sample::measured(8.4), moment(3.0));
    engine.tick(moment(10.0));
    assert_eq!(
        engine.snapshot().alarms[1].state,
        AlarmState::Unacknowledged
    );
    let goes_on = drain(&mut engine).into_iter().filter(is_about_drill);
    assert_eq!(
        goes_on.map(|event| event.kind).collect::<Vec<_>>(),
        [EventKind::CommandRejected, EventKind::Raised]
    );
    engine.tick(moment(12.0));
    let mut ended = drain(&mut engine).into_iter().filter(is_about_drill);
    let ended = ended.next().expect("it ends");
    assert_eq!((ended.kind, ended.at), (EventKind::Cleared, moment(12.0)));
}

/// A quarter of an hour unless it says how long, and two hours at most.
#[test]
fn a_drill_lasts_no_longer_than_an_exercise() {
    let mut engine = quiet();
    let mut lasts = |span: Option<f64>| {
        let exercise = Action::Drill(Drilling {
            span: span.map(seconds),
            reason: "monthly".to_owned(),
        });
        let begun = engine.command(
            &Command {
                action: exercise,
                ..drill("A/high", 1.0)
            },
            moment(2.0),
        );
        begun.map(|_| {
            let until = drain(&mut engine)[0].details.until;
            assert!(engine.command(&end("A/high"), moment(2.0)).is_ok());
            drain(&mut engine);
            until.map(|until| until.seconds_since(moment(2.0).wall))
        })
    };
    assert_eq!(lasts(None), Ok(Some(900.0)));
    assert_eq!(lasts(Some(7200.0)), Ok(Some(7200.0)));
    let (asked, most) = (seconds(7201.0), seconds(7200.0));
    assert_eq!(lasts(Some(7201.0)), Err(Denied::TooLong { asked, most }));
}

#[test]
fn only_so_many_run_at_one_time() {
    let mut engine = quiet();
    let alarms = ids(&plant());
    let (most, more) = alarms.split_at(8);
    for alarm in most {
        let begun = engine.command(&drill(alarm, 60.0), moment(2.0));
        assert!(begun.is_ok(), "{alarm}: {begun:?}");
    }
    let refused = |engine: &mut Engine, at| engine.command(&drill(&more[0], 60.0), moment(at));
    let full = Err(Denied::TooManyDrills { most: 8 });
    assert_eq!(refused(&mut engine, 3.0), full);
    assert!(engine.command(&end(&most[0]), moment(3.0)).is_ok());
    assert!(refused(&mut engine, 3.0).is_ok());
    // They are as many after a restart.
    let known = history(&drain(&mut engine));
    let mut engine = Engine::start(&plant(), &known, moment(4.0));
    let again = engine.command(&drill(&most[0], 60.0), moment(5.0));
    assert_eq!(again, full);
    assert!(engine.command(&end(&more[0]), moment(5.0)).is_ok());
    assert!(engine.command(&drill(&most[0], 60.0), moment(5.0)).is_ok());
}

#[test]
fn ended_drills_leave_nothing_in_the_agenda() {
    let mut engine = quiet();
    let entries = engine.agenda.len();
    for _ in 0..100 {
        assert!(engine.command(&drill("A/high", 60.0), moment(2.0)).is_ok());
        assert!(engine.command(&end("A/high"), moment(2.0)).is_ok());
    }
    assert!(engine.agenda.len() <= entries + 1);
    // The last one lasts as long as it says, whatever was to end before.
    engine
        .command(&drill("A/high", 30.0), moment(2.0))
        .expect("nothing real");
    let again = drill("A/high", 7.0);
    assert!(engine.command(&end("A/high"), moment(3.0)).is_ok());
    assert!(engine.command(&again, moment(3.0)).is_ok());
    drain(&mut engine);
    engine.tick(moment(9.75));
    assert_eq!(kinds(&mut engine), []);
    engine.tick(moment(10.0));
    let ended = (EventKind::Cleared, "A/high/drill".to_owned());
    assert_eq!(kinds(&mut engine), [ended]);
}

#[test]
fn refused_drills_take_no_real_refusal_off_the_record() {
    let mut engine = quiet();
    for _ in 0..200 {
        assert!(engine.command(&end("A/high"), moment(2.0)).is_err());
    }
    assert_eq!(drain(&mut engine).len(), 100);
    assert!(engine.command(&unshelve("A/high"), moment(2.0)).is_err());
    assert_eq!(drain(&mut engine).len(), 1);
}

/// Power fails between the raise and the end of the drill that goes with it.
#[test]
fn a_start_that_finds_a_drill_beside_a_real_alarm_ends_it() {
    let mut engine = quiet();
    engine
        .command(&drill("A/low", 60.0), moment(2.0))
        .expect("nothing real");
    read(&mut engine, 0, Sample::measured(11.0), moment(3.0));
    let mut events = drain(&mut engine);
    let ended = events.pop().map(|event| event.kind);
    assert_eq!(ended, Some(EventKind::Cleared));
    let mut engine = Engine::start(&plant(), &history(&events), moment(4.0));
    let events = drain(&mut engine);
    let ended = events
        .iter()
        .find(|event| is_about_drill(event))
        .expect("it ends");
    assert_eq!(ended.details.reason.as_deref(), Some("real_alarm"));
}

#[test]
fn a_drill_of_an_alarm_that_is_configured_no_more_ends_on_the_record() {
    let mut engine = quiet();
    engine
        .command(&drill("B/high", 60.0), moment(2.0))
        .expect("nothing real");
    let known = history(&drain(&mut engine));
    let mut left = plant();
    left.points[1]
        .alarms
        .retain(|alarm| alarm.kind() != AlarmKind::High);
    left.points.truncate(3);
    let mut engine = Engine::start(&left, &known, moment(3.0));
    let events = drain(&mut engine);
    let ended = events.iter().find(|event| event.kind == EventKind::Cleared);
    let subject = ended.and_then(|event| event.subject.as_ref());
    let subject = subject.expect("it ends");
    assert_eq!((&*subject.alarm, &*subject.point), ("B/high/drill", "B"));
    assert!(engine.snapshot().drills.is_empty());
}

/// Is the alarm of a drill that runs silenced, or anything real in sight at its point?
fn obstacle(snapshot: &Snapshot) -> Option<String> {
    let running = snapshot.drills.iter();
    let mut running = running.filter(|drill| drill.record.state.is_active());
    running.find_map(|drill| {
        let own = &snapshot.alarms[drill.of.0 as usize];
        if !own.overlays.is_empty() {
            return Some(format!("{} is silenced", own.alarm));
        }
        let mut alarms = snapshot.alarms.iter();
        let real = alarms.find(|alarm| {
            alarm.point == own.point
                && alarm.state != AlarmState::Normal
                && alarm.overlays.is_empty()
        })?;
        Some(format!("{} beside {}", drill.record.alarm, real.alarm))
    })
}

proptest! {
    /// A run with drills has the same real events as the run without them, to the last field.
    #[test]
    fn nothing_real_looks_at_a_drill(trace in trace()) {
        let without = trace.iter().map(|(t, happening)| {
            let Happening::Command(command) = happening else {
                return (*t, happening.clone());
            };
            let of_drill = matches!(command.action, Action::Drill(_) | Action::EndDrill)
                || drilled(&command.alarm).is_some();
            // Time passes all the same.
            (*t, if of_drill { Happening::Tick } else { happening.clone() })
        });
        let without: Vec<_> = without.collect();
        let mut real = run(&trace, |_, _| {});
        real.retain(|event| !is_about_drill(event));
        prop_assert_eq!(real, run(&without, |_, _| {}));
    }

    /// What is real comes first; a drill has no value, always an end, and says what it is.
    #[test]
    fn a_drill_runs_only_where_the_way_is_open_and_nothing_real_is_in_sight(trace in trace()) {
        let mut faults = Vec::new();
        let events = run(&trace, |engine, _| faults.extend(obstacle(&engine.snapshot())));
        prop_assert_eq!(faults, Vec::<String>::new());
        for event in events.iter().filter(|event| is_about_drill(event)) {
            let subject = event.subject.as_ref().expect("a drill's");
            prop_assert_eq!((subject.value, subject.first_out), (None, false));
            prop_assert!(subject.overlays.is_empty());
            let until = event.details.until;
            prop_assert!(event.kind != EventKind::Raised || until.is_some_and(|until| until > event.at.wall));
        }
    }
}
