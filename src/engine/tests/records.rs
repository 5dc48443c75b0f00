//! What events, records and views say of an alarm, where people and programs read it.

use super::*;
use crate::engine::alarm::AlarmState;
use crate::engine::effect::Subject;
use crate::engine::reading::AlarmIndex;
use crate::engine::settings::{Average, ExposureRule, FirstOutSettings};

fn plant_of(alarms: Vec<AlarmSettings>) -> Settings {
    Settings {
        points: vec![PointSettings {
            stale_after: None,
            ..point("P", alarms)
        }],
        ..Settings::default()
    }
}

fn start(settings: &Settings) -> Engine {
    Engine::start(settings, &History::default(), moment(0.0))
}

fn high() -> AlarmSettings {
    limit(Level::High, 8.0, 1.0)
}

fn of_kind(events: &[Event], kind: EventKind) -> &Event {
    let found = events.iter().find(|event| event.kind == kind);
    found.expect("it was told")
}

#[test]
fn alarms_are_found_by_their_names() {
    let engine = start(&plant_of(vec![high(), alarm(Rule::Bad)]));
    assert_eq!(engine.index("P/high"), Some(AlarmIndex(0)));
    assert_eq!(engine.index("P/bad"), Some(AlarmIndex(1)));
    assert_eq!(engine.index("P/low"), None);
}

#[test]
fn rules_about_slopes_say_which_window_they_look_at() {
    let rate = |trend| {
        Rule::Rate(RateRule {
            direction: Direction::Fall,
            limit_per_min: 1.0,
            deadband_per_min: 0.0,
            significant: false,
            trend,
        })
    };
    assert_eq!(rate(0).trend(), Some(0));
    assert_eq!(rate(2).trend(), Some(2));
    assert_eq!(high().rule.trend(), None);
}

#[test]
fn the_record_of_a_refused_command_shows_what_was_asked() {
    let mut engine = start(&plant_of(vec![high()]));
    let asked = Command {
        action: Action::Shelve(Shelving {
            span: Some(seconds(1_000_000.0)),
            one_shot: true,
            reason: "calibration".to_owned(),
            approved_by: Some("wang-fang".to_owned()),
        }),
        ..acknowledge("P/high", None)
    };
    assert!(engine.command(&asked, moment(1.0)).is_err());
    let events = drain(&mut engine);
    let details = &of_kind(&events, EventKind::CommandRejected).details;
    assert!(details.one_shot);
    assert_eq!(details.approved_by.as_deref(), Some("wang-fang"));
    assert_eq!(details.comment.as_deref(), Some("calibration"));
}

#[test]
fn going_out_of_service_says_why() {
    let mut engine = start(&plant_of(vec![high()]));
    let take_out = Command {
        action: Action::TakeOut(Permit {
            span: Some(seconds(1_000.0)),
            approved_by: "wang-fang".to_owned(),
            also_approved_by: None,
            number: "P-1".to_owned(),
            compensating_measure: Some("a portable detector".to_owned()),
            reason: Some("new head".to_owned()),
        }),
        ..acknowledge("P/high", None)
    };
    let outcome = engine.command(&take_out, moment(1.0));
    outcome.expect("it may be taken out");
    let events = drain(&mut engine);
    let details = &of_kind(&events, EventKind::OutOfService).details;
    assert_eq!(details.reason.as_deref(), Some("new head"));
    let measure = Some("a portable detector");
    assert_eq!(details.compensating_measure.as_deref(), measure);
    let record = of_kind(&events, EventKind::OutOfService).record.as_ref();
    let cover = record.and_then(|record| record.cover.as_deref());
    let outage = cover.and_then(|cover| cover.outage.as_ref());
    let stored = outage.and_then(|outage| outage.compensating_measure.as_deref());
    assert_eq!(stored, measure, "a restart brings it back");
}

/// Of two occurrences the older one is reset or acknowledged by its number only.
#[test]
fn a_command_about_an_older_occurrence_is_about_that_one() {
    let latching = AlarmSettings {
        latching: true,
        ..high()
    };
    let mut engine = start(&plant_of(vec![latching]));
    for (t, value) in [(0.0, 9.0), (1.0, 1.0), (2.0, 9.0), (3.0, 1.0)] {
        read(&mut engine, 0, Sample::measured(value), moment(t));
    }
    let outcome = engine.command(&acknowledge("P/high", None), moment(4.0));
    outcome.expect("it waits for that");
    let by_number = |occurrence| Command {
        action: Action::Reset {
            occurrence: Some(occurrence),
            verified_independently: false,
        },
        ..acknowledge("P/high", None)
    };
    assert!(engine.command(&by_number(1), moment(5.0)).is_err());
    assert!(engine.command(&by_number(2), moment(6.0)).is_ok());
}

/// An alarm that is configured no more: its end has a time and the priority that it had.
#[test]
fn the_end_of_a_removed_alarm_is_stored_with_its_time() {
    let critical = AlarmSettings {
        priority: Priority::Critical,
        ..high()
    };
    for (ended, cleared_at) in [(false, 10.0), (true, 1.0)] {
        let mut engine = start(&plant_of(vec![critical.clone()]));
        read(&mut engine, 0, Sample::measured(9.0), moment(0.0));
        if ended {
            read(&mut engine, 0, Sample::measured(1.0), moment(1.0));
        }
        let known = history(&drain(&mut engine));
        let mut engine = Engine::start(&plant_of(vec![]), &known, moment(10.0));
        let events = drain(&mut engine);
        let closing = events.iter().find(|event| event.subject.is_some());
        let closing = closing.expect("it is closed on the record");
        let stored = closing.record.as_ref().expect("and stored");
        assert_eq!(stored.cleared_at, Some(moment(cleared_at).wall));
        let priority = closing.subject.as_ref().map(|own| own.priority);
        assert_eq!(priority, Some(Priority::Critical));
    }
}

/// `first_out` is of the newest occurrence only; an older one that is acknowledged says nothing of it.
#[test]
fn an_older_occurrence_is_acknowledged_without_the_mark_of_the_newest() {
    let mut settings = plant_of(vec![high(), limit(Level::HighHigh, 10.0, 1.0)]);
    settings.first_outs = vec![FirstOutSettings {
        id: "trip".into(),
        members: vec![
            (PointIndex(0), AlarmKind::High),
            (PointIndex(0), AlarmKind::HighHigh),
        ],
    }];
    let mut engine = start(&settings);
    for (t, value) in [(0.0, 9.0), (1.0, 1.0), (2.0, 9.0), (3.0, 1.0)] {
        read(&mut engine, 0, Sample::measured(value), moment(t));
    }
    // The second one; with that the group is normal, and the third comes first in it.
    let outcome = engine.command(&acknowledge("P/high", None), moment(4.0));
    outcome.expect("it waits for that");
    read(&mut engine, 0, Sample::measured(9.0), moment(5.0));
    assert!(engine.snapshot().alarms[0].first_out);
    drain(&mut engine);
    let outcome = engine.command(&acknowledge("P/high", Some(1)), moment(6.0));
    outcome.expect("it waits for that");
    let events = drain(&mut engine);
    let subject = events[0].subject.as_ref().expect("an alarm's");
    assert_eq!(subject.occurrence, 1);
    assert!(!subject.first_out);
}

/// Ours is no step up to a second, which the two clocks of a board may be apart for a moment.
#[test]
fn a_clock_steps_by_more_than_a_second() {
    for (by, steps) in [(1.0, false), (1.001, true)] {
        for sign in [-1.0, 1.0] {
            let mut engine = start(&plant_of(vec![high()]));
            drain(&mut engine);
            let span = seconds(by);
            let at = moment(10.0);
            let wall = if sign < 0.0 {
                at.wall - span
            } else {
                at.wall + span
            };
            engine.tick(Moment { wall, ..at });
            let told = drain(&mut engine);
            assert_eq!(told.len(), usize::from(steps), "{sign} {by}");
        }
    }
}

/// A rise that goes on, a fault of the sensor, and what is left of it: only the value's own alarms have a
/// slope, and nothing of what is passed is still ahead.
#[test]
fn a_limit_that_is_passed_is_not_ahead() {
    let mut engine = start(&plant_of(vec![high(), limit(Level::HighHigh, 20.0, 1.0)]));
    for second in 0..=9 {
        let t = f64::from(second);
        read(&mut engine, 0, Sample::measured(t), moment(t));
    }
    let events = drain(&mut engine);
    let raised = of_kind(&events, EventKind::Raised);
    let message = raised.details.message.as_deref();
    assert_eq!(
        message,
        Some("at this slope high_high is reached in about 12 s")
    );
    let ahead = |engine: &Engine| {
        let snapshot = engine.snapshot();
        let ahead = snapshot.points[0].forecast.iter();
        ahead.map(|(kind, _)| *kind).collect::<Vec<_>>()
    };
    assert_eq!(ahead(&engine), [AlarmKind::HighHigh]);
    let about = |event: &&Event| event.subject.as_ref().map(Subject::is_drill) == Some(false);
    assert_eq!(events.iter().filter(about).count(), 1);
    assert_eq!(
        engine.snapshot().alarms[0].state,
        AlarmState::Unacknowledged
    );
}

/// Ten alarms are named of those that know nothing yet, and the rest is counted.
#[test]
fn the_start_names_some_of_many_alarms_without_a_verdict() {
    for (count, more) in [(10, false), (11, true)] {
        let points = (0..count).map(|number| point(&format!("P{number}"), vec![rise(30.0)]));
        let settings = Settings {
            points: points.collect(),
            ..Settings::default()
        };
        let known = History {
            last_alive: Some(moment(0.0).wall),
            ..History::default()
        };
        let events = drain(&mut Engine::start(&settings, &known, moment(60.0)));
        let gap = of_kind(&events, EventKind::MonitoringGap);
        let message = gap.details.message.as_deref();
        let message = message.expect("the start says so");
        let beginning =
            format!("{count} without a verdict before enough is seen: P0/rise (6 s), P1/rise");
        assert!(message.contains(&beginning), "{message}");
        assert_eq!(message.matches("/rise (6 s)").count(), 10, "{message}");
        assert_eq!(message.contains("(6 s), ..."), more, "{message}");
    }
}

/// A fall is worst where it is least, a rise where it is greatest.
#[test]
fn the_peak_of_a_slope_is_on_the_side_it_goes_to() {
    for (direction, start_at, step, peak) in [
        (Direction::Rise, 0.0, 2.0, 18.0),
        (Direction::Fall, 0.0, -2.0, -18.0),
    ] {
        let Rule::Rate(rule) = rise(30.0).rule else {
            panic!("a rule about a slope");
        };
        let slope = alarm(Rule::Rate(RateRule { direction, ..rule }));
        let mut engine = start(&plant_of(vec![slope]));
        for second in 0..10_u32 {
            let value = start_at + step * f64::from(second);
            let at = moment(f64::from(second));
            read(&mut engine, 0, Sample::measured(value), at);
        }
        let found = engine.snapshot().alarms[0].peak;
        assert_eq!(found, Some(peak), "{direction:?}");
    }
}

/// Stamped by another task a hair before what came already: it counts as if it came now.
#[test]
fn a_reading_that_crosses_another_is_not_older_than_what_came() {
    let stale = PointSettings {
        stale_after: Some(seconds(10.0)),
        ..point("P", vec![alarm(Rule::Stale)])
    };
    let settings = Settings {
        points: vec![stale],
        ..Settings::default()
    };
    let mut engine = start(&settings);
    engine.tick(moment(5.0));
    read(&mut engine, 0, Sample::measured(1.0), moment(4.0));
    engine.tick(moment(20.0));
    let events = drain(&mut engine);
    let raised = of_kind(&events, EventKind::Raised);
    assert_eq!(raised.at.mono, moment(15.0).mono);
}

/// Numbers that were given are kept in mind only when the newest occurrence does not show them.
#[test]
fn a_record_says_once_which_number_comes_next() {
    let mut engine = start(&plant_of(vec![high()]));
    read(&mut engine, 0, Sample::measured(9.0), moment(0.0));
    let events = drain(&mut engine);
    let stored = of_kind(&events, EventKind::Raised).record.as_ref();
    assert_eq!(stored.expect("it is stored").numbered, None);
}

/// An average has another slope than the values that it is made of, and shows none.
#[test]
fn only_alarms_about_the_value_show_its_slope() {
    let average = alarm(Rule::Exposure(ExposureRule {
        average: Average::ShortTerm,
        limit: 0.4,
        deadband: 0.01,
    }));
    let mut engine = start(&plant_of(vec![average, limit(Level::High, 80.0, 1.0)]));
    for second in 0..12_u32 {
        let at = moment(f64::from(second));
        read(
            &mut engine,
            0,
            Sample::measured(10.0 * f64::from(second)),
            at,
        );
    }
    let events = drain(&mut engine);
    let raised: Vec<_> = events
        .iter()
        .filter(|event| event.kind == EventKind::Raised)
        .collect();
    let slopes: Vec<_> = raised
        .iter()
        .map(|event| event.details.slope_per_min.is_some())
        .collect();
    assert_eq!(slopes, [true, false], "high, then the average: {raised:?}");
}

/// Neither what is hours ahead nor what is still active is foretold.
#[test]
fn only_what_comes_soon_and_is_not_there_is_ahead() {
    let ahead = |values: &dyn Fn(f64) -> f64| {
        let mut engine = start(&plant_of(vec![limit(Level::High, 8.0, 3.0)]));
        for second in 0..10_u32 {
            let t = f64::from(second);
            read(&mut engine, 0, Sample::measured(values(t)), moment(t));
        }
        let rising = engine.snapshot().points[0].slope_per_min.is_some();
        assert!(rising, "there is a line");
        !engine.snapshot().points[0].forecast.is_empty()
    };
    assert!(ahead(&|t| 0.5 * t));
    assert!(!ahead(&|t| 0.001 * t), "two hours ahead");
    let mut engine = start(&plant_of(vec![limit(Level::High, 8.0, 3.0)]));
    read(&mut engine, 0, Sample::measured(8.5), moment(0.0));
    // Long enough after the peak that the line rises again, within the deadband.
    for second in 1..25_u32 {
        let t = f64::from(second);
        read(&mut engine, 0, Sample::measured(5.5 + 0.05 * t), moment(t));
    }
    let snapshot = engine.snapshot();
    assert!(snapshot.alarms[0].state.is_active());
    assert!(
        snapshot.points[0]
            .slope_per_min
            .is_some_and(|slope| slope > 2.0)
    );
    assert!(snapshot.points[0].forecast.is_empty());
}
