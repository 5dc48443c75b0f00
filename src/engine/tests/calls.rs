//! Acknowledgements of one call for attention: each is answered once, and none answers another.

use super::super::alarm::AlarmState;
use super::super::command::{Call, Denied, Outcome};
use super::super::effect::Via;
use super::*;

fn engine() -> (Settings, Engine) {
    let settings = Settings {
        points: vec![PointSettings {
            stale_after: None,
            ..point("P", vec![limit(Level::High, 8.0, 1.0)])
        }],
        ..Settings::default()
    };
    let engine = Engine::start(&settings, &History::default(), moment(0.0));
    (settings, engine)
}

fn raise(engine: &mut Engine, at: f64) {
    read(engine, 0, Sample::measured(5.0), moment(at));
    read(engine, 0, Sample::measured(9.0), moment(at + 0.5));
}

fn answer(alarm: &str, occurrence: u64, annunciation: u64) -> Command {
    Command {
        action: Action::AcknowledgeCall(Call {
            occurrence,
            annunciation,
            via: Via::Link,
        }),
        ..acknowledge(alarm, None)
    }
}

/// The newest call, as it is stored.
fn call(engine: &mut Engine) -> u64 {
    let last = drain(engine).into_iter().filter_map(|event| event.record);
    let record = last.last().expect("something happened");
    record.annunciation.expect("it called")
}

fn for_a_time(span: f64) -> Command {
    Command {
        action: Action::Acknowledge {
            occurrence: None,
            span: Some(seconds(span)),
        },
        ..acknowledge("P/high", None)
    }
}

#[test]
fn a_call_is_answered_once_and_the_record_says_how() {
    let (_, mut engine) = engine();
    raise(&mut engine, 1.0);
    let called = call(&mut engine);
    let answered = engine.command(&answer("P/high", 1, called), moment(3.0));
    assert!(matches!(
        answered,
        Ok(Outcome::Accepted { occurrence: 1, .. })
    ));
    let event = drain(&mut engine).remove(0);
    assert_eq!(event.kind, EventKind::Acknowledged);
    assert_eq!(event.details.via, Some(Via::Link));
    let again = Command {
        by: "anna".to_owned(),
        ..answer("P/high", 1, called)
    };
    let Ok(Outcome::AlreadyDone { first, .. }) = engine.command(&again, moment(4.0)) else {
        unreachable!("it was answered")
    };
    assert_eq!(&*first.by, "li-wei");
    let event = drain(&mut engine).remove(0);
    assert_eq!(event.kind, EventKind::CommandIgnored);
    assert_eq!(event.details.via, Some(Via::Link));
}

/// It ran out, or an overlay ended: whoever answered before answered something else.
#[test]
fn no_answer_is_for_a_later_call() {
    for shelved in [false, true] {
        let (settings, mut engine) = engine();
        raise(&mut engine, 1.0);
        let first = call(&mut engine);
        let command = if shelved {
            shelve("P/high", 60.0, false)
        } else {
            for_a_time(60.0)
        };
        engine.command(&command, moment(3.0)).expect("it fits");
        engine.tick(moment(63.0));
        let state = engine.snapshot().alarms[0].state;
        assert_eq!(state, AlarmState::Unacknowledged, "shelved: {shelved}");
        let events = drain(&mut engine);
        let known = history(&events);
        let record = events
            .into_iter()
            .filter_map(|event| event.record)
            .next_back();
        let second = record.and_then(|record| record.annunciation);
        let second = second.expect("it called again");
        assert!(second > first, "shelved: {shelved}");
        let denied = engine.command(&answer("P/high", 1, first), moment(64.0));
        assert_eq!(denied, Err(Denied::CalledAgain), "shelved: {shelved}");
        // Nor in the next life.
        let mut engine = Engine::start(&settings, &known, moment(70.0));
        let denied = engine.command(&answer("P/high", 1, first), moment(71.0));
        assert_eq!(denied, Err(Denied::CalledAgain), "shelved: {shelved}");
        let answered = engine.command(&answer("P/high", 1, second), moment(72.0));
        assert!(answered.is_ok(), "shelved: {shelved}");
    }
}

/// One that is over stays open beside the next; its link closes it and leaves the newest alone.
#[test]
fn a_call_of_an_older_occurrence_answers_that_one() {
    let (_, mut engine) = engine();
    raise(&mut engine, 1.0);
    let first = call(&mut engine);
    raise(&mut engine, 20.0);
    let second = call(&mut engine);
    let wrong = engine.command(&answer("P/high", 1, second), moment(30.0));
    assert_eq!(wrong, Err(Denied::CalledAgain));
    let wrong = engine.command(&answer("P/high", 2, first), moment(30.0));
    assert_eq!(wrong, Err(Denied::CalledAgain));
    let answered = engine.command(&answer("P/high", 1, first), moment(31.0));
    assert!(matches!(
        answered,
        Ok(Outcome::Accepted { occurrence: 1, .. })
    ));
    assert_eq!(
        engine.snapshot().alarms[0].state,
        AlarmState::Unacknowledged
    );
    let again = engine.command(&answer("P/high", 1, first), moment(32.0));
    assert!(matches!(again, Ok(Outcome::AlreadyDone { .. })));
}

/// No time: the clock steps, and the call stays the one that was told of.
#[test]
fn a_step_of_the_clock_makes_no_other_call() {
    let (_, mut engine) = engine();
    raise(&mut engine, 1.0);
    let called = call(&mut engine);
    let stepped = |t: f64| Moment {
        wall: moment(t).wall + seconds(3_600.0),
        ..moment(t)
    };
    engine.tick(stepped(3.0));
    let answered = engine.command(&answer("P/high", 1, called), stepped(4.0));
    assert!(answered.is_ok(), "{answered:?}");
}

#[test]
fn a_drill_is_answered_as_an_alarm_is() {
    let (_, mut engine) = engine();
    let drill = Command {
        action: Action::Drill(Drilling {
            span: None,
            reason: "monthly".to_owned(),
        }),
        ..acknowledge("P/high", None)
    };
    engine.command(&drill, moment(1.0)).expect("nothing real");
    let called = call(&mut engine);
    let denied = engine.command(&answer("P/high/drill", 1, called + 1), moment(2.0));
    assert_eq!(denied, Err(Denied::CalledAgain));
    let of_the_alarm = engine.command(&answer("P/high", 1, called), moment(2.0));
    assert_eq!(of_the_alarm, Err(Denied::CalledAgain));
    let answered = engine.command(&answer("P/high/drill", 1, called), moment(3.0));
    assert!(answered.is_ok(), "{answered:?}");
}
