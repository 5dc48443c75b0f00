//! What silences an alarm for a time ends at its time: overlays and acknowledgements, also after a restart.

use super::*;
use crate::engine::alarm::AlarmState;

const HOUR: f64 = 3_600.0;

/// An alarm that is active from second 0 on, and stays it.
fn active(alarm: AlarmSettings) -> (Settings, Engine) {
    let settings = Settings {
        points: vec![PointSettings {
            stale_after: None,
            ..point("P", vec![alarm])
        }],
        ..Settings::default()
    };
    let mut engine = Engine::start(&settings, &History::default(), moment(0.0));
    read(&mut engine, 0, Sample::measured(9.0), moment(0.0));
    (settings, engine)
}

fn high() -> AlarmSettings {
    limit(Level::High, 8.0, 1.0)
}

fn order(engine: &mut Engine, command: &Command, at: f64) {
    let outcome = engine.command(command, moment(at));
    outcome.expect("it fits the alarm");
}

/// What a journal knows after `events`, through the text that is stored: no time of the life before means
/// anything in another.
fn stored(events: &[Event]) -> History {
    let mut known = history(events);
    for record in &mut known.records {
        let text = serde_json::to_string(record).expect("it can be stored");
        *record = serde_json::from_str(&text).expect("and read");
    }
    known
}

/// Kinds and times of what happened to the alarm.
fn lines(events: &[Event]) -> Vec<(EventKind, f64)> {
    let own = events.iter().filter(|event| event.subject.is_some());
    own.map(|event| (event.kind, event.at.mono.as_secs_f64()))
        .collect()
}

/// An end that is laid behind a later one comes before it, to the second.
#[test]
fn the_first_end_comes_first_whatever_was_laid_first() {
    let (_, mut engine) = active(high());
    order(&mut engine, &take_out("P/high", 8.0 * HOUR), 10.0);
    order(&mut engine, &shelve("P/high", HOUR, false), 20.0);
    drain(&mut engine);
    engine.tick(moment(HOUR + 19.9));
    assert_eq!(lines(&drain(&mut engine)), []);
    engine.tick(moment(HOUR + 20.0));
    let ended = lines(&drain(&mut engine));
    assert_eq!(ended, [(EventKind::Unshelved, HOUR + 20.0)]);
    // A longer shelf does not put off what comes before its end: the reminder of the permit.
    order(
        &mut engine,
        &shelve("P/high", 6.9 * HOUR, false),
        HOUR + 20.0,
    );
    engine.tick(moment(10.0 * HOUR));
    assert_eq!(
        lines(&drain(&mut engine))[1..],
        [
            (EventKind::Changed, 7.0 * HOUR + 10.0),
            (EventKind::Changed, 8.0 * HOUR - 590.0),
            (EventKind::Unshelved, 7.9 * HOUR + 20.0),
            (EventKind::InService, 8.0 * HOUR + 10.0),
        ]
    );
}

#[test]
fn a_reminder_says_of_which_permit_and_until_when() {
    let (_, mut engine) = active(high());
    order(&mut engine, &take_out("P/high", 2.0 * HOUR), 10.0);
    drain(&mut engine);
    engine.tick(moment(HOUR + 10.0));
    let events = drain(&mut engine);
    let [reminder] = &events[..] else {
        panic!("one line: {events:?}");
    };
    let details = &reminder.details;
    assert_eq!(details.reason.as_deref(), Some("out_of_service_ends"));
    assert_eq!(details.permit.as_deref(), Some("P-2210"));
    assert_eq!(details.until, Some(moment(2.0 * HOUR + 10.0).wall));
    let message = details.message.as_deref();
    assert_eq!(
        message,
        Some("back in service in 1h; was taken out by li-wei, permit P-2210")
    );
}

/// Whoever acknowledged before the end of an overlay did so in another situation, and does not count
/// any more; whoever takes a shelf off looks at the alarm.
#[test]
fn the_end_of_an_overlay_takes_the_acknowledgement_along_and_a_person_leaves_it() {
    for by_time in [true, false] {
        let (_, mut engine) = active(high());
        order(&mut engine, &acknowledge("P/high", None), 1.0);
        order(&mut engine, &shelve("P/high", HOUR, false), 2.0);
        if by_time {
            engine.tick(moment(HOUR + 2.0));
        } else {
            order(&mut engine, &unshelve("P/high"), HOUR);
        }
        let view = &engine.snapshot().alarms[0];
        let expected = if by_time {
            AlarmState::Unacknowledged
        } else {
            AlarmState::Acknowledged
        };
        assert_eq!(view.state, expected, "by time: {by_time}");
        assert_eq!(view.acknowledged.is_none(), by_time);
        let stored = drain(&mut engine).pop().and_then(|event| event.record);
        let stored = stored.expect("the end is stored");
        assert_eq!(stored.acknowledged.is_none(), by_time);
    }
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
fn an_acknowledgement_for_a_time_goes_on_over_a_restart_until_its_end() {
    let (settings, mut engine) = active(high());
    order(&mut engine, &for_a_time(HOUR), 10.0);
    let known = stored(&drain(&mut engine));
    let mut engine = Engine::start(&settings, &known, moment(600.0));
    engine.tick(moment(HOUR + 9.9));
    assert_eq!(lines(&drain(&mut engine)), []);
    engine.tick(moment(HOUR + 10.0));
    let events = drain(&mut engine);
    assert_eq!(lines(&events), [(EventKind::Realarmed, HOUR + 10.0)]);
    let details = &events[0].details;
    assert_eq!(details.reason.as_deref(), Some("expired"));
    let message = details.message.as_deref();
    assert_eq!(message, Some("acknowledged by li-wei, and still active"));
}

/// Both clocks of a board that has no battery: the wall clock shows 1970.
fn no_battery(t: f64) -> Moment {
    Moment {
        wall: Wall::from_unix_nanos(0) + seconds(t),
        ..moment(t)
    }
}

/// How much is left of a shelf is known only while the wall clock goes on from where the life before ended.
#[test]
fn a_shelf_goes_on_only_by_a_clock_that_can_be_trusted() {
    let earlier = |t: f64, by: f64| Moment {
        wall: moment(t).wall - seconds(by),
        ..moment(t)
    };
    for (began, alive, restart, goes_on) in [
        (moment(100.0), moment(7_000.0), moment(7_300.0), true),
        (moment(100.0), moment(7_000.0), moment(7_000.0), true),
        // After the shelf began, but before the last sign of life.
        (
            moment(100.0),
            moment(7_000.0),
            earlier(7_300.0, 301.0),
            false,
        ),
        // Before any time that can be right.
        (
            no_battery(100.0),
            no_battery(7_000.0),
            no_battery(7_300.0),
            false,
        ),
    ] {
        let (settings, mut engine) = active(high());
        let outcome = engine.command(&shelve("P/high", 8.0 * HOUR, false), began);
        outcome.expect("it may be shelved");
        let mut known = stored(&drain(&mut engine));
        known.last_alive = Some(alive.wall);
        let mut engine = Engine::start(&settings, &known, restart);
        let events = drain(&mut engine);
        let unshelved = events
            .iter()
            .find(|event| event.kind == EventKind::Unshelved);
        let reason = unshelved.and_then(|event| event.details.reason.as_deref());
        let expected = (!goes_on).then_some("clock_not_trusted");
        assert_eq!(reason, expected, "{restart:?}");
    }
}

/// How a raise is stored: with the value that led to it, and at the alarm's own priority, unless it takes
/// that of what it hides.
#[test]
fn a_raise_is_stored_with_its_value_and_priority() {
    for inherits in [false, true] {
        let bad = AlarmSettings {
            inherit_priority: inherits,
            priority: Priority::Low,
            ..alarm(Rule::Bad)
        };
        let critical = AlarmSettings {
            priority: Priority::Critical,
            ..high()
        };
        let settings = Settings {
            points: vec![point("P", vec![critical, bad])],
            ..Settings::default()
        };
        let mut engine = Engine::start(&settings, &History::default(), moment(0.0));
        read(&mut engine, 0, Sample::measured(9.5), moment(0.0));
        read(&mut engine, 0, Sample::measured(f64::NAN), moment(1.0));
        let records = history(&drain(&mut engine)).records;
        let [high, bad] = &records[..] else {
            panic!("two are raised: {records:?}");
        };
        assert_eq!((high.value, high.peak), (Some(9.5), Some(9.5)));
        let expected = if inherits {
            Priority::Critical
        } else {
            Priority::Low
        };
        assert_eq!(bad.priority, Some(expected));
    }
}
