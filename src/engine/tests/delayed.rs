//! Delayed readings: more of them than are kept to be put in order, and those of an excursion that is known.

use super::*;
use crate::engine::alarm::AlarmState;
use crate::engine::settings::OverRangeRule;

/// A point with one alarm, and no bound to its silence.
fn watched(alarm: AlarmSettings) -> Settings {
    Settings {
        points: vec![PointSettings {
            stale_after: None,
            ..point("P", vec![alarm])
        }],
        ..Settings::default()
    }
}

/// The times of late occurrences found in an hour of readings that come in one second, in order but for those at `swapped`, which change places with the next.
fn found(swapped: &[usize]) -> Vec<(Option<Wall>, Option<Wall>)> {
    let settings = watched(limit(Level::High, 8.0, 0.0));
    let mut engine = Engine::start(&settings, &History::default(), moment(0.0));
    let hour = 3600.0;
    let read = |engine: &mut Engine, taken: f64, value: f64, at: f64| {
        engine.read(Reading {
            source_time: Some(moment(taken).wall),
            ..Reading::live(PointIndex(0), Sample::measured(value), moment(at))
        });
    };
    for second in 0..5 {
        read(&mut engine, f64::from(second), 1.0, f64::from(second));
    }
    read(&mut engine, hour, 1.0, hour);
    let mut seconds: Vec<u32> = (5..3600).collect();
    for place in swapped {
        seconds.swap(*place, *place + 1);
    }
    for (place, second) in seconds.into_iter().enumerate() {
        let over = (300..310).contains(&second) || (2000..2300).contains(&second);
        let value = if over { 9.0 } else { 1.0 };
        let at = hour + 1.0 + place as f64 / 10_000.0;
        read(&mut engine, f64::from(second), value, at);
    }
    engine.tick(moment(hour + 60.0));
    let events = drain(&mut engine).into_iter();
    let late = events.filter(|event| event.kind == EventKind::Raised && event.details.late);
    late.map(|event| (event.details.raised_at, event.details.cleared_at))
        .collect()
}

#[test]
fn a_long_burst_is_judged_whole_whatever_its_order() {
    let wall = |second| Some(moment(second).wall);
    let expected = [(wall(300.0), wall(310.0)), (wall(2000.0), wall(2300.0))];
    assert_eq!(found(&[]), expected);
    assert_eq!(found(&[1]), expected);
}

/// Out of order when the beginning of the excursion has left the buffer: it is told as far as it was seen.
#[test]
fn the_beginning_of_a_long_excursion_is_not_forgotten_with_its_readings() {
    let wall = |second| Some(moment(second).wall);
    let expected = [(wall(300.0), wall(310.0)), (wall(2000.0), wall(2291.0))];
    assert_eq!(found(&[2290 - 5]), expected);
}

fn taken(engine: &mut Engine, source: f64, value: f64, at: f64) {
    engine.read(Reading {
        source_time: Some(moment(source).wall),
        ..Reading::live(PointIndex(0), Sample::measured(value), moment(at))
    });
}

/// So many seconds of calm from 100 s on, then these values; the spans of what is found.
fn behind_calm(calm: u32, shuffled: bool, values: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let settings = watched(limit(Level::High, 8.0, 0.0));
    let mut engine = Engine::start(&settings, &History::default(), moment(0.0));
    for second in [0.0, 1.0, 2.0, 3.0, 4.0, 3_600.0] {
        taken(&mut engine, second, 1.0, second);
    }
    let calm = (100..100 + calm).map(|second| (f64::from(second), 1.0));
    let mut calm: Vec<_> = calm.collect();
    if shuffled {
        calm.swap(0, 1);
    }
    for (place, (source, value)) in (0_u32..).zip(calm.iter().chain(values)) {
        let at = 3_601.0 + f64::from(place) / 1_000.0;
        taken(&mut engine, *source, *value, at);
    }
    engine.tick(moment(3_700.0));
    let mut events = drain(&mut engine);
    events.retain(|event| event.kind == EventKind::Raised);
    spans(&events)
}

/// 256 of them are kept: what is older than all of these is not put in order any more.
#[test]
fn a_full_buffer_takes_what_is_not_older_than_all_in_it() {
    for (source, expected) in [
        (99.5, vec![]),
        (100.0, vec![(100.0, 101.0)]),
        (100.5, vec![(100.5, 101.0)]),
        (355.5, vec![(355.5, 355.5)]),
    ] {
        let found = behind_calm(256, false, &[(source, 9.0)]);
        assert_eq!(found, expected, "{source}");
    }
    let found = behind_calm(256, false, &[(356.0, 1.0), (100.5, 9.0)]);
    assert_eq!(found, [], "the oldest has left");
    let found = behind_calm(256, false, &[(356.0, 1.0), (101.0, 9.0)]);
    assert_eq!(found, [(101.0, 102.0)]);
}

/// Of a buffer that was judged at once the newest stays: what comes behind it is put in order.
#[test]
fn the_newest_stays_when_a_full_buffer_is_emptied() {
    let values = [(355.0, 9.0), (354.5, 1.0), (356.0, 1.0)];
    assert_eq!(behind_calm(255, true, &values), [(355.0, 356.0)]);
}

/// Active from second 10 to second 20 as values come at once, then an hour of calm. Then delayed values.
fn after_a_known_excursion(alarm: AlarmSettings, delayed: &[(f64, f64)]) -> Vec<Event> {
    let settings = watched(alarm);
    let mut engine = Engine::start(&settings, &History::default(), moment(0.0));
    for second in 0..3_600 {
        let second = f64::from(second);
        let value = if (10.0..20.0).contains(&second) {
            9.0
        } else {
            1.0
        };
        taken(&mut engine, second, value, second);
    }
    drain(&mut engine);
    for (place, (source, value)) in (0_u32..).zip(delayed) {
        let at = 3_600.0 + f64::from(place) / 1_000.0;
        taken(&mut engine, *source, *value, at);
    }
    engine.tick(moment(3_700.0));
    let mut events = drain(&mut engine);
    events.retain(|event| event.kind == EventKind::Raised);
    events
}

fn spans(events: &[Event]) -> Vec<(f64, f64)> {
    let second = |time: Option<Wall>| time.expect("told").seconds_since(moment(0.0).wall);
    let span = |event: &Event| {
        let details = &event.details;
        (second(details.raised_at), second(details.cleared_at))
    };
    events.iter().map(span).collect()
}

#[test]
fn only_an_excursion_that_begins_within_the_known_one_is_known() {
    let high = || limit(Level::High, 8.0, 0.0);
    for (from, to, known) in [
        (9.5, 9.8, false),
        (10.5, 11.5, true),
        (19.5, 21.5, true),
        // The value at its end was inside, and this one comes after it.
        (20.0, 21.5, false),
        (25.5, 28.5, false),
    ] {
        let late = after_a_known_excursion(high(), &[(from, 9.5), (to, 1.0)]);
        let expected = if known { vec![] } else { vec![(from, to)] };
        assert_eq!(spans(&late), expected, "{from} to {to}");
    }
}

/// Beyond the limit since second 10, in alarm since second 15: what was taken between is a part of that.
#[test]
fn the_delay_before_a_known_alarm_belongs_to_its_excursion() {
    let delayed = || AlarmSettings {
        on_delay: seconds(5.0),
        ..limit(Level::High, 8.0, 0.0)
    };
    let excursion = |source: f64| {
        let values = [(source, 9.0), (source + 6.0, 9.0), (source + 7.0, 1.0)];
        values.to_vec()
    };
    assert_eq!(
        spans(&after_a_known_excursion(delayed(), &excursion(12.5))),
        []
    );
    let late = after_a_known_excursion(delayed(), &excursion(30.5));
    assert_eq!(spans(&late), [(35.5, 37.5)]);
}

#[test]
fn a_late_occurrence_is_stored_with_its_times_and_values() {
    for ack_required in [true, false] {
        let alarm = AlarmSettings {
            ack_required,
            ..limit(Level::High, 8.0, 0.0)
        };
        let values = [(100.0, 1.0), (101.0, 9.0), (102.0, 11.0), (103.0, 1.0)];
        let late = after_a_known_excursion(alarm, &values);
        let [event] = &late[..] else {
            panic!("one late occurrence: {late:?}");
        };
        let record = event.record.as_ref().expect("it is stored");
        let message = event.details.message.as_deref();
        assert_eq!(message, Some("found in delayed data; it is over"));
        assert_eq!(record.raised_at, Some(moment(101.0).wall));
        assert_eq!(record.cleared_at, Some(moment(103.0).wall));
        assert_eq!((record.value, record.peak), (Some(9.0), Some(11.0)));
        let state = if ack_required {
            AlarmState::ReturnedUnacknowledged
        } else {
            AlarmState::Normal
        };
        assert_eq!(record.state, state);
        let by = record.acknowledged.as_ref().map(|given| &*given.by);
        assert_eq!(by, (!ack_required).then_some("system"));
    }
}

/// Delayed values that lie within a late occurrence that was told of before are nothing new.
#[test]
fn what_was_found_in_delayed_data_is_known_from_then_on() {
    let settings = watched(limit(Level::High, 8.0, 0.0));
    let mut engine = Engine::start(&settings, &History::default(), moment(0.0));
    for second in 0..3_600 {
        let second = f64::from(second);
        taken(&mut engine, second, 1.0, second);
    }
    for (source, value) in [(99.5, 1.0), (100.5, 9.0), (110.5, 1.0)] {
        taken(&mut engine, source, value, 3_600.0);
    }
    engine.tick(moment(3_700.0));
    let late = |events: Vec<Event>| events.iter().filter(|event| event.details.late).count();
    assert_eq!(late(drain(&mut engine)), 1);
    taken(&mut engine, 3_700.0, 1.0, 3_700.0);
    for (source, value) in [(105.5, 9.0), (110.4, 9.0), (111.5, 1.0)] {
        taken(&mut engine, source, value, 3_701.0);
    }
    engine.tick(moment(3_800.0));
    assert_eq!(late(drain(&mut engine)), 0);
}

/// What is over holds nothing: an over-range of the past ends when its values do.
#[test]
fn a_latched_over_range_found_in_delayed_data_ends_with_its_values() {
    let over_range = alarm(Rule::OverRange(OverRangeRule {
        at: 8.0,
        bottom: 0.0,
        deadband: 0.5,
        latching: true,
        reset_below: 2.0,
        reset_after: seconds(5.0),
    }));
    // Ends the excursion that is known.
    let values = [(30.0, 1.0), (100.5, 9.0), (110.5, 1.0), (120.5, 1.0)];
    let late = after_a_known_excursion(over_range, &values);
    assert_eq!(spans(&late), [(100.5, 110.5)]);
}

/// The readings that led to an alarm were taken before it, also when it was raised in the life before.
#[test]
fn what_led_to_a_restored_alarm_is_known() {
    let settings = watched(limit(Level::High, 8.0, 0.0));
    let mut engine = Engine::start(&settings, &History::default(), moment(0.0));
    taken(&mut engine, 100.0, 9.0, 100.0);
    let mut known = history(&drain(&mut engine));
    known.last_alive = Some(moment(101.0).wall);
    let mut engine = Engine::start(&settings, &known, moment(200.0));
    taken(&mut engine, 200.0, 9.0, 200.0);
    for (source, value) in [(95.0, 9.0), (99.0, 1.0)] {
        taken(&mut engine, source, value, 201.0);
    }
    engine.tick(moment(300.0));
    let late = drain(&mut engine).into_iter();
    assert_eq!(late.filter(|event| event.details.late).count(), 0);
}

/// The late occurrences that a plant without a past finds in delayed values; `silence`: when it goes stale.
fn found_in(alarm: AlarmSettings, silence: f64, delayed: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let settings = Settings {
        points: vec![PointSettings {
            stale_after: Some(seconds(silence)),
            ..point("P", vec![alarm])
        }],
        ..Settings::default()
    };
    let mut engine = Engine::start(&settings, &History::default(), moment(0.0));
    taken(&mut engine, 0.0, 1.0, 0.0);
    taken(&mut engine, 3_600.0, 1.0, 3_600.0);
    for (place, (source, value)) in (0_u32..).zip(delayed) {
        let at = 3_600.0 + f64::from(place) / 1_000.0;
        taken(&mut engine, *source, *value, at);
    }
    engine.tick(moment(3_700.0));
    let mut events = drain(&mut engine);
    events.retain(|event| event.details.late);
    spans(&events)
}

/// A value holds until the next one, but not longer than until it is stale; at one instant the value comes
/// first, then the end of a delay.
#[test]
fn delays_in_delayed_data_run_as_they_would_have() {
    let on = |on| AlarmSettings {
        on_delay: seconds(on),
        ..limit(Level::High, 8.0, 0.0)
    };
    for (delay, values, expected) in [
        // Silence for longer than 10 s breaks it, for 10 s does not.
        (20.0, vec![(100.0, 9.0), (200.0, 9.0), (201.0, 1.0)], vec![]),
        (
            15.0,
            vec![(100.0, 9.0), (110.0, 9.0), (120.0, 9.0), (121.0, 1.0)],
            vec![(115.0, 121.0)],
        ),
        (5.0, vec![(100.0, 9.0), (200.0, 1.0)], vec![(105.0, 200.0)]),
        (5.0, vec![(100.0, 9.0), (105.0, 1.0)], vec![]),
        (5.0, vec![(100.0, 9.0), (106.0, 1.0)], vec![(105.0, 106.0)]),
    ] {
        assert_eq!(found_in(on(delay), 10.0, &values), expected, "{values:?}");
    }
}

#[test]
fn an_excursion_without_an_end_lasts_as_long_as_it_was_seen() {
    let high = limit(Level::High, 8.0, 0.0);
    let values = [(100.0, 1.0), (101.0, 9.0), (102.0, 9.0), (103.0, 9.0)];
    assert_eq!(found_in(high, 600.0, &values), [(101.0, 103.0)]);
}

/// Two values of one instant are two values; one that comes twice is one.
#[test]
fn another_value_of_the_same_instant_counts() {
    let high = limit(Level::High, 8.0, 0.0);
    let values = [
        (100.0, 1.0),
        (101.0, 1.0),
        (101.0, 9.0),
        (101.0, 9.0),
        (102.0, 9.0),
        (103.0, 1.0),
    ];
    assert_eq!(found_in(high, 600.0, &values), [(101.0, 103.0)]);
}

/// What comes out of order has all of it judged again, and nothing told again.
#[test]
fn no_excursion_is_told_twice() {
    let high = limit(Level::High, 8.0, 0.0);
    let values = [
        (100.0, 1.0),
        (101.0, 9.0),
        (105.0, 1.0),
        (110.0, 9.0),
        (115.0, 1.0),
        // Older than the newest.
        (102.5, 9.5),
    ];
    let expected = [(101.0, 105.0), (110.0, 115.0)];
    assert_eq!(found_in(high, 600.0, &values), expected);
}

/// It was told when nothing came for a while; what comes soon after it goes on with it.
#[test]
fn delayed_data_that_trickle_in_are_one_excursion() {
    let settings = watched(limit(Level::High, 8.0, 0.0));
    let mut engine = Engine::start(&settings, &History::default(), moment(0.0));
    taken(&mut engine, 0.0, 1.0, 0.0);
    taken(&mut engine, 3_600.0, 1.0, 3_600.0);
    for (source, value, at) in [
        (100.0, 1.0, 3_600.0),
        (101.0, 9.0, 3_600.1),
        (150.0, 9.0, 3_605.0),
        (200.0, 9.0, 3_612.0),
        (250.0, 9.0, 3_614.0),
        (251.0, 1.0, 3_614.1),
    ] {
        taken(&mut engine, source, value, at);
    }
    engine.tick(moment(3_700.0));
    let mut events = drain(&mut engine);
    events.retain(|event| event.details.late);
    assert_eq!(spans(&events), [(101.0, 150.0)]);
}

/// Held up by 4 s, and live all the same: when the condition was true is known by the times of the source.
#[test]
fn what_is_known_of_an_alarm_goes_by_the_times_of_its_source() {
    let settings = watched(limit(Level::High, 8.0, 0.0));
    let mut engine = Engine::start(&settings, &History::default(), moment(0.0));
    for second in 0..120 {
        let second = f64::from(second);
        let (value, way) = match second {
            ..10.0 => (1.0, 0.0),
            ..100.0 => (9.0, 4.0),
            _ => (1.0, 4.0),
        };
        taken(&mut engine, second, value, second + way);
    }
    drain(&mut engine);
    for (source, value) in [(11.5, 9.0), (12.5, 1.0)] {
        taken(&mut engine, source, value, 124.0);
    }
    engine.tick(moment(200.0));
    let late = drain(&mut engine).into_iter();
    assert_eq!(late.filter(|event| event.details.late).count(), 0);
}
