//! Values that do not move: which readings count, and what the agenda remembers of them.

use super::super::reading::{Fault, Finite, Quality};
use super::super::settings::{FrozenRule, PlantState};
use super::*;

/// A rate alarm beside one that finds the value frozen after 10 s.
fn gauge(gate: Option<PlantState>) -> PointSettings {
    let frozen = alarm(Rule::Frozen(FrozenRule {
        after: seconds(10.0),
        tolerance: 0.5,
        rests_at_zero: false,
        gate,
    }));
    PointSettings {
        stale_after: Some(seconds(30.0)),
        good_confirm: Duration::ZERO,
        ..point("P", vec![limit(Level::High, 8.0, 1.0), rise(30.0), frozen])
    }
}

fn start(points: Vec<PointSettings>, history: &History) -> Engine {
    let settings = Settings {
        points,
        ..Settings::default()
    };
    let mut engine = Engine::start(&settings, history, moment(0.0));
    drain(&mut engine);
    engine
}

/// The gauge alone, in its first life.
fn alone() -> Engine {
    start(vec![gauge(None)], &History::default())
}

/// The same value every second.
fn stand(engine: &mut Engine, during: std::ops::Range<u32>) {
    for second in during {
        let now = moment(f64::from(second));
        read(engine, 0, Sample::measured(5.0), now);
    }
}

/// A reading taken by the source at `taken` and heard at `at`.
fn heard(engine: &mut Engine, value: f64, taken: f64, at: f64) -> Vec<Event> {
    engine.read(Reading {
        source_time: Some(moment(taken).wall),
        ..Reading::live(PointIndex(0), Sample::measured(value), moment(at))
    });
    drain(engine)
}

/// Seconds at which `P/frozen` was raised, from the events of one value a second.
fn raised(events: &[Event]) -> Vec<f64> {
    let own = events.iter().filter(|event| {
        let subject = event.subject.as_ref();
        event.kind == EventKind::Raised && subject.is_some_and(|own| &*own.alarm == "P/frozen")
    });
    own.map(|event| event.at.mono.as_secs_f64()).collect()
}

#[test]
fn what_is_repeated_or_comes_out_of_order_neither_moves_nor_counts() {
    let mut engine = alone();
    let mut events = Vec::new();
    for second in [0.0, 1.0, 2.0] {
        events.extend(heard(&mut engine, 5.0, second, second));
    }
    for second in 3..40 {
        // The last one again and again, and two between the first ones that differ:
        // out of order at first, history later.
        let now = f64::from(second);
        if second < 25 {
            events.extend(heard(&mut engine, 5.0, 2.0, now));
            events.extend(heard(&mut engine, 7.0, 1.5, now));
            events.extend(heard(&mut engine, 7.5, 0.25, now));
        }
        if second == 26 || second == 27 {
            events.extend(heard(&mut engine, 5.0, now, now));
        }
    }
    assert_eq!(
        raised(&events),
        [27.0],
        "the fifth value, and nothing moved"
    );
}

#[test]
fn nobody_watched_is_no_standstill() {
    let mut engine = alone();
    stand(&mut engine, 0..8);
    engine.paused(moment(7.0), moment(17.0));
    stand(&mut engine, 17..40);
    assert_eq!(raised(&drain(&mut engine)), [27.0]);
}

#[test]
fn a_standstill_is_found_between_two_readings() {
    let mut engine = alone();
    for quarter in 0..5 {
        let t = moment(f64::from(quarter) * 2.25);
        read(&mut engine, 0, Sample::measured(5.0), t);
    }
    engine.tick(moment(9.99));
    assert!(raised(&drain(&mut engine)).is_empty());
    engine.tick(moment(10.0));
    assert_eq!(raised(&drain(&mut engine)), [10.0]);
    let view = &engine.snapshot().points[0];
    assert_eq!(
        (view.quality.name(), view.reason),
        ("uncertain", Some("frozen"))
    );
}

#[test]
fn a_frozen_value_bends_no_line() {
    let mut engine = alone();
    for second in 0..15 {
        read(
            &mut engine,
            0,
            Sample::measured(5.0),
            moment(f64::from(second)),
        );
        let flat = engine.snapshot().points[0].slope_per_min;
        // From t = 10 on nothing is learnt; the line that was is gone when it has a hole.
        assert_eq!(flat.is_some(), (6..=13).contains(&second), "{second}");
    }
}

#[test]
fn a_restored_alarm_is_doubtful_until_it_moves() {
    let mut before = alone();
    stand(&mut before, 0..12);
    let known = history(&drain(&mut before));
    let mut engine = start(vec![gauge(None)], &known);
    read(&mut engine, 0, Sample::measured(5.0), moment(0.0));
    assert_eq!(engine.snapshot().points[0].reason, Some("frozen"));
    read(&mut engine, 0, Sample::measured(6.0), moment(1.0));
    assert_eq!(engine.snapshot().points[0].reason, None);
    let told = drain(&mut engine);
    let kinds: Vec<EventKind> = told.iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [EventKind::Cleared], "and nothing was raised anew");
}

#[test]
fn a_gate_is_asked_when_it_changes_and_the_agenda_does_not_grow() {
    let gate = PlantState::Beyond {
        point: PointIndex(1),
        above: true,
        limit: 5.0,
        deadband: 1.0,
    };
    let flow = PointSettings {
        stale_after: None,
        ..point("F", vec![alarm(Rule::Bad)])
    };
    let mut engine = start(vec![gauge(Some(gate)), flow], &History::default());
    let mut events = Vec::new();
    for second in 0..2_000_u32 {
        let now = moment(f64::from(second));
        // Open for 9 s of 12; for one more it fails.
        let flow = match second % 12 {
            0..9 => Sample::measured(9.0),
            9..11 => Sample::measured(1.0),
            _ => Sample::Bad(Fault::SensorFailure),
        };
        read(&mut engine, 1, flow, now);
        read(&mut engine, 0, Sample::measured(5.0), now);
        events.extend(drain(&mut engine));
        assert!(engine.agenda.len() < 8, "{}", engine.agenda.len());
    }
    assert!(raised(&events).is_empty());
    // Open, and it stays so.
    for second in 2_000..2_020 {
        let now = moment(f64::from(second));
        read(&mut engine, 1, Sample::measured(9.0), now);
        read(&mut engine, 0, Sample::measured(5.0), now);
        events.extend(drain(&mut engine));
    }
    assert_eq!(raised(&events).len(), 1);
}

#[test]
fn a_doubtful_value_stays_as_doubtful_as_its_source_says() {
    let mut engine = alone();
    let five = Finite::new(5.0).expect("a number");
    let doubtful = Sample::Uncertain(five, super::super::reading::Doubt::SubNormal);
    for second in 0..12 {
        read(&mut engine, 0, doubtful, moment(f64::from(second)));
    }
    assert_eq!(raised(&drain(&mut engine)), [10.0]);
    assert_eq!(engine.snapshot().points[0].reason, Some("sub_normal"));
}

#[test]
fn a_value_that_is_believed_again_has_not_moved_by_that() {
    let mut engine = start(
        vec![PointSettings {
            good_confirm: seconds(2.0),
            ..gauge(None)
        }],
        &History::default(),
    );
    stand(&mut engine, 0..12);
    read(
        &mut engine,
        0,
        Sample::Bad(Fault::SensorFailure),
        moment(12.0),
    );
    read(&mut engine, 0, Sample::measured(5.0), moment(13.0));
    engine.tick(moment(15.0));
    assert_eq!(engine.snapshot().points[0].reason, Some("frozen"));
}

#[test]
fn what_is_not_believed_yet_is_no_standstill() {
    let mut gauge = gauge(None);
    let signal = Arc::make_mut(&mut gauge.signal);
    (signal.max_step, signal.settle) = (Some(3.0), seconds(4.0));
    let mut engine = start(vec![gauge], &History::default());
    stand(&mut engine, 0..10);
    for second in 10..19 {
        read(
            &mut engine,
            0,
            Sample::measured(7.9),
            moment(f64::from(second) - 0.9),
        );
    }
    read(&mut engine, 0, Sample::measured(20.0), moment(19.0));
    engine.tick(moment(19.2));
    assert!(raised(&drain(&mut engine)).is_empty(), "it may have moved");
    read(&mut engine, 0, Sample::measured(20.0), moment(19.5));
    engine.tick(moment(29.0));
    assert!(raised(&drain(&mut engine)).is_empty(), "and it has");
}

/// A flow with an alarm that says, after `on` seconds, that the level must move.
fn gated_by_alarm(on: f64) -> Engine {
    let gate = PlantState::Active {
        point: PointIndex(1),
        kind: AlarmKind::High,
    };
    let high = AlarmSettings {
        on_delay: seconds(on),
        ..limit(Level::High, 5.0, 0.0)
    };
    let flow = PointSettings {
        stale_after: None,
        good_confirm: Duration::ZERO,
        ..point("F", vec![high, alarm(Rule::Bad)])
    };
    start(vec![gauge(Some(gate)), flow], &History::default())
}

#[test]
fn time_begins_with_the_alarm_that_opens_the_gate() {
    let mut engine = gated_by_alarm(0.0);
    read(&mut engine, 1, Sample::measured(1.0), moment(0.0));
    for quarter in 0..20 {
        let t = f64::from(quarter);
        read(&mut engine, 0, Sample::measured(5.0), moment(t * 2.5));
        if quarter == 1 {
            read(&mut engine, 1, Sample::measured(9.0), moment(3.0));
        }
    }
    assert_eq!(
        raised(&drain(&mut engine)),
        [15.0],
        "the fifth value after t = 3"
    );
    let mut engine = gated_by_alarm(0.0);
    read(&mut engine, 1, Sample::measured(1.0), moment(0.0));
    read(&mut engine, 0, Sample::measured(5.0), moment(0.0));
    read(&mut engine, 1, Sample::measured(9.0), moment(3.0));
    stand(&mut engine, 4..9);
    engine.tick(moment(20.0));
    assert_eq!(
        raised(&drain(&mut engine)),
        [13.0],
        "10 s after the gate opened"
    );
}

#[test]
fn an_alarm_whose_point_has_no_value_is_a_gate_that_nobody_knows() {
    let mut engine = gated_by_alarm(0.0);
    read(&mut engine, 1, Sample::measured(9.0), moment(0.0));
    stand(&mut engine, 0..12);
    assert_eq!(raised(&drain(&mut engine)), [10.0]);
    read(&mut engine, 1, Sample::measured(1.0), moment(12.0));
    read(
        &mut engine,
        1,
        Sample::Bad(Fault::SensorFailure),
        moment(13.0),
    );
    read(&mut engine, 0, Sample::measured(7.0), moment(14.0));
    assert_eq!(engine.snapshot().points[0].reason, Some("frozen"));
    read(&mut engine, 1, Sample::measured(1.0), moment(15.0));
    assert_eq!(
        engine.snapshot().points[0].reason,
        None,
        "closed, and it moved"
    );
}

#[test]
fn an_alarm_that_is_raised_between_readings_opens_the_gate() {
    let mut engine = gated_by_alarm(2.0);
    read(&mut engine, 1, Sample::measured(9.0), moment(1.0));
    read(&mut engine, 0, Sample::measured(5.0), moment(1.5));
    engine.tick(moment(4.0));
    stand(&mut engine, 4..9);
    engine.tick(moment(20.0));
    assert_eq!(raised(&drain(&mut engine)), [13.0], "raised at t = 3");
}

/// A word of the pump at the very instant at which the value has stood still for long enough: the group that
/// has the point as a channel hears of it in the same call.
#[test]
fn whoever_looks_at_a_point_sees_it_after_its_gate_was_looked_at() {
    let gate = PlantState::Position {
        point: PointIndex(3),
        on: true,
    };
    let mut points = vec![
        gauge(Some(gate)),
        point("Q", vec![limit(Level::High, 8.0, 1.0)]),
        group("G", 1, vec![0, 1], AlarmKind::High, BadChannel::Exclude),
        point("M", vec![alarm(Rule::State { when: true })]),
    ];
    points.iter_mut().for_each(|point| point.stale_after = None);
    let mut engine = start(points, &History::default());
    let quality = |engine: &Engine| engine.snapshot().points[2].quality;
    read(&mut engine, 3, Sample::measured(1.0), moment(0.0));
    read(&mut engine, 1, Sample::measured(1.0), moment(0.0));
    stand(&mut engine, 0..10);
    assert_eq!(quality(&engine), Quality::Good);
    read(&mut engine, 3, Sample::measured(2.0), moment(10.0));
    assert_eq!(quality(&engine), Quality::Uncertain);
}
