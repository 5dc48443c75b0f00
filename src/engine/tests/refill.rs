//! What windows and counts hold over a restart, and what says that they hold nothing.

use super::super::settings::{CountRule, DeviationRule, MedianRule, Origin, Reference};
use super::configured::life;
use super::*;

const MINUTE: f64 = 60.0;
const HOUR: f64 = 3_600.0;

/// `P` has a limit on its slope of 1 per hour over `window` seconds, and must not leave what was usual in it
/// by 5; of its high values three within that time are an alarm.
fn slow(window: f64) -> Settings {
    let alarms = vec![
        AlarmSettings {
            count: Some(CountRule {
                times: 3,
                within: seconds(window),
            }),
            ..limit(Level::High, 100.0, 1.0)
        },
        rise(1.0 / 60.0),
        alarm(Rule::Deviation(DeviationRule {
            from: Reference::Median(MedianRule {
                window: seconds(window),
            }),
            below: None,
            above: Some(5.0),
            deadband: 0.5,
            settle: Duration::ZERO,
        })),
    ];
    let trend = TrendSettings {
        window: seconds(window),
        min_samples: 10,
        min_span: seconds(0.6 * window),
        max_gap: seconds(window / 3.0),
        ..trend(Method::LeastSquares)
    };
    Settings {
        points: vec![PointSettings {
            stale_after: Some(seconds(2.0 * HOUR)),
            trends: vec![trend],
            unit: "Cel".into(),
            ..point("P", alarms)
        }],
        ..Settings::default()
    }
}

/// A value every `step` seconds from `from` to `to`, which rises by `per_hour`.
fn ramp(engine: &mut Engine, (from, to): (f64, f64), step: f64, per_hour: f64) {
    let mut t = from;
    while t <= to {
        read(
            engine,
            0,
            Sample::measured(20.0 + per_hour * t / HOUR),
            moment(t),
        );
        t += step;
    }
}

/// What the journal knows when a life ends at `end`: the newest of each name.
fn known(engine: &mut Engine, end: f64) -> History {
    let (events, memories) = life(engine);
    let newest = memories.iter().map(|memory| (&memory.alarm, memory));
    let newest: std::collections::BTreeMap<_, _> = newest.collect();
    History {
        memories: newest.into_values().cloned().collect(),
        last_alive: Some(moment(end).wall),
        ..history(&events)
    }
}

/// Runs from 0 for `window` seconds, stops in good order or not, and starts `gap` seconds later with a
/// monotonic clock that begins anew: the next life, and when it began.
fn restarted(
    (before, after): (&Settings, &Settings),
    per_hour: f64,
    (window, gap): (f64, f64),
    orderly: bool,
    change: impl FnOnce(&mut History),
) -> (Engine, Vec<Event>, f64) {
    let mut engine = Engine::start(before, &History::default(), moment(0.0));
    ramp(&mut engine, (0.0, window), window / 60.0, per_hour);
    if orderly {
        engine.stop(moment(window));
    }
    let mut known = known(&mut engine, window);
    change(&mut known);
    let now = Moment {
        mono: Mono::ZERO,
        ..moment(window + gap)
    };
    let mut engine = Engine::start(after, &known, now);
    let events = drain(&mut engine);
    (engine, events, window + gap)
}

/// A reading at `t` of the wall clock in a life that began at `start`.
fn read_in_second_life(engine: &mut Engine, value: f64, t: f64, start: f64) {
    let at = Moment {
        mono: moment(t - start).mono,
        ..moment(t)
    };
    read(engine, 0, Sample::measured(value), at);
}

fn is_active(engine: &Engine, kind: AlarmKind) -> bool {
    let snapshot = engine.snapshot();
    let mut alarms = snapshot.alarms.iter();
    let alarm = alarms.find(|alarm| alarm.kind == kind);
    alarm.expect("it is configured").state.is_active()
}

fn learning(engine: &Engine) -> Vec<AlarmKind> {
    let snapshot = engine.snapshot();
    let learning = snapshot.alarms.iter().filter(|alarm| alarm.learning);
    learning.map(|alarm| alarm.kind).collect()
}

fn told(events: &[Event]) -> Option<&str> {
    let mut events = events.iter();
    let gap = events.find(|event| event.kind == EventKind::MonitoringGap);
    gap.expect("there was a gap").details.message.as_deref()
}

/// By the length of the window, the way in which the life before ended, and how long nobody watched.
#[test]
fn what_is_kept_is_what_it_is_worth() {
    use AlarmKind::{Deviation, Rise};
    for (window, orderly, gap, filled) in [
        (2.0 * HOUR, true, MINUTE, true),
        (2.0 * HOUR, false, MINUTE, true),
        // A third of the window is the longest hole, what was not kept yet included.
        (2.0 * HOUR, true, 39.0 * MINUTE, true),
        (2.0 * HOUR, true, 41.0 * MINUTE, false),
        (2.0 * HOUR, false, 24.0 * MINUTE, true),
        (2.0 * HOUR, false, 39.0 * MINUTE, false),
        (20.0 * MINUTE, true, MINUTE, true),
        (20.0 * MINUTE, false, MINUTE, false),
        (10.0 * MINUTE, true, MINUTE, true),
        (MINUTE, true, 2.0, false),
    ] {
        let settings = slow(window);
        let (mut engine, events, start) =
            restarted((&settings, &settings), 0.5, (window, gap), orderly, |_| ());
        let case = format!("{window} {orderly} {gap}");
        assert_eq!(learning(&engine), [], "nothing is heard yet: {case}");
        let usual = 20.0 + 0.5 * start / HOUR;
        read_in_second_life(&mut engine, usual, start, start);
        let expected: &[AlarmKind] = if filled { &[] } else { &[Rise, Deviation] };
        assert_eq!(learning(&engine), expected, "{case}");
        assert!(!is_active(&engine, Rise), "half of the limit: {case}");
        read_in_second_life(&mut engine, usual + 6.0, start + 1.0, start);
        assert_eq!(is_active(&engine, Deviation), filled, "{case}");
        assert_eq!(
            told(&events).is_none(),
            filled,
            "{case}: {:?}",
            told(&events)
        );
    }
}

/// A heap that heats by 1 K an hour: the slope stands on both sides of a restart.
#[test]
fn a_slow_rise_is_seen_over_a_restart() {
    let settings = slow(6.0 * HOUR);
    let window = 5.0 * HOUR;
    let (mut engine, _, start) = restarted(
        (&settings, &settings),
        0.95,
        (window, 2.0 * MINUTE),
        false,
        |_| (),
    );
    let mut t = start;
    while t < start + HOUR {
        read_in_second_life(&mut engine, 20.0 + 0.95 * t / HOUR, t, start);
        assert!(!is_active(&engine, AlarmKind::Rise), "{t}");
        let slope = engine.snapshot().points[0].slope_per_min;
        let slope = slope.map(|slope| slope * 60.0);
        assert!(
            slope.is_some_and(|slope| (slope - 0.95).abs() < 0.01),
            "{t}: {slope:?}"
        );
        t += MINUTE;
    }
    while t < start + 3.0 * HOUR {
        let steeper = 20.0 + 0.95 * t / HOUR + 0.3 * (t - start - HOUR) / HOUR;
        read_in_second_life(&mut engine, steeper, t, start);
        t += MINUTE;
    }
    assert!(is_active(&engine, AlarmKind::Rise));
}

/// Of what nobody can place, or what means something else now, nothing is taken up.
#[test]
fn nothing_is_taken_up_that_may_mean_something_else() {
    let settings = slow(2.0 * HOUR);
    let ends = (2.0 * HOUR, MINUTE);
    let ahead = |known: &mut History| known.last_alive = Some(moment(9.0 * HOUR).wall);
    let (engine, events, _) = restarted((&settings, &settings), 0.5, ends, true, ahead);
    assert!(told(&events).is_some_and(|told| told.starts_with("2 without a verdict")));
    drop(engine);
    let mut other = settings.clone();
    other.points[0].unit = "K".into();
    let (_, events, _) = restarted((&settings, &other), 0.5, ends, true, |_| ());
    assert_eq!(
        told(&events),
        Some("2 without a verdict before enough is seen: P/rise (72 min), P/deviation (72 min)")
    );
    let mut other = settings.clone();
    other.points[0].origin = Some(Origin {
        words: "device d, input:9".into(),
        poll: None,
    });
    let (_, events, _) = restarted((&settings, &other), 0.5, ends, true, |_| ());
    assert!(told(&events).is_some(), "another sensor");
    let mut other = settings.clone();
    other.points[0].stale_after = Some(seconds(HOUR));
    let (_, events, _) = restarted((&settings, &other), 0.5, ends, true, |_| ());
    assert_eq!(told(&events), None, "a number means the same");
}

/// Twice before a restart and once after it are three times; what lasts over it is no second time; and an
/// alarm that counts holds as long as its instants are young.
#[test]
fn a_count_goes_on_over_a_restart() {
    let settings = slow(HOUR);
    for (before, after, active) in [
        (&[200.0, 20.0, 200.0, 20.0][..], &[200.0][..], true),
        (&[200.0, 20.0, 200.0], &[200.0], false),
        (&[200.0, 20.0, 200.0], &[20.0, 200.0], true),
        (&[200.0, 20.0, 200.0, 20.0, 200.0, 20.0], &[20.0], true),
        (&[200.0, 20.0], &[200.0], false),
    ] {
        let mut engine = Engine::start(&settings, &History::default(), moment(0.0));
        for (t, value) in (0_u32..).zip(before) {
            read(
                &mut engine,
                0,
                Sample::measured(*value),
                moment(f64::from(t) * MINUTE),
            );
        }
        let known = known(&mut engine, 300.0);
        let start = 20.0 * MINUTE;
        let now = Moment {
            mono: Mono::ZERO,
            ..moment(start)
        };
        let mut engine = Engine::start(&settings, &known, now);
        let mut t = start;
        for value in after {
            t += MINUTE;
            read_in_second_life(&mut engine, *value, t, start);
        }
        let case = format!("{before:?} {after:?}");
        assert_eq!(is_active(&engine, AlarmKind::High), active, "{case}");
        // The first instant is an hour old, the last one before the restart not quite.
        let at = HOUR + 4.5 * MINUTE;
        read_in_second_life(&mut engine, 20.0, at, start);
        assert!(!is_active(&engine, AlarmKind::High), "{case}");
    }
}

/// A window of any length takes the same room on disk, and none is written more often than it is worth.
#[test]
fn what_is_kept_is_bounded() {
    let settings = slow(24.0 * HOUR);
    let mut engine = Engine::start(&settings, &History::default(), moment(0.0));
    ramp(&mut engine, (0.0, 48.0 * HOUR), 20.0, 0.1);
    let (_, memories) = life(&mut engine);
    for (name, most) in [("P/rise/slope", 4_000), ("P/deviation/usual", 2_000)] {
        let own = memories.iter().filter(|memory| &*memory.alarm == name);
        assert_eq!(own.clone().count(), 16, "{name}: every three hours");
        for memory in own {
            let text = serde_json::to_string(memory).expect("numbers");
            assert!(text.len() < most, "{name}: {}", text.len());
        }
    }
}
