//! Which readings are news, and at what time.

use super::super::reading::PointIndex;
use super::super::time::Moment;
use super::*;

fn settings() -> PointSettings {
    PointSettings::new("P", Vec::new())
}

/// 2026-05-04T06:00:00Z plus `seconds`.
fn wall(seconds: f64) -> Wall {
    let base = Wall::from_unix_nanos(1_777_874_400_000_000_000);
    if seconds >= 0.0 {
        base + Duration::from_secs_f64(seconds)
    } else {
        base - Duration::from_secs_f64(-seconds)
    }
}

fn reading(at: f64, value: f64, source: Option<f64>) -> Reading {
    Reading {
        source_time: source.map(wall),
        ..Reading::live(
            PointIndex(0),
            Sample::measured(value),
            Moment {
                mono: Mono::ZERO + Duration::from_secs_f64(at),
                wall: wall(at),
            },
        )
    }
}

fn channel() -> Channel {
    Channel::new(&settings(), None, Mono::ZERO)
}

fn taken(admission: Admission) -> Option<f64> {
    match admission {
        Admission::Live(_, at) => Some((at.as_secs_f64() * 1000.0).round() / 1000.0),
        Admission::Aside | Admission::Reordered(..) | Admission::Late(..) | Admission::Ignored => {
            None
        }
    }
}

#[test]
fn without_source_times_every_arrival_is_news() {
    let mut channel = channel();
    for at in [1.0, 1.0, 2.0] {
        assert_eq!(taken(channel.admit(&reading(at, 5.0, None))), Some(at));
    }
    assert_eq!(channel.counts.accepted, 3);
}

#[test]
fn repetitions_refresh_nothing() {
    let mut channel = channel();
    assert!(taken(channel.admit(&reading(1.0, 5.0, Some(0.9)))).is_some());
    assert_eq!(
        channel.admit(&reading(4.0, 5.0, Some(0.9))),
        Admission::Ignored
    );
    let counted = |at, value, sequence| Reading {
        sequence: Some(sequence),
        ..reading(at, value, None)
    };
    assert!(taken(channel.admit(&counted(5.0, 1.0, 7))).is_some());
    assert_eq!(channel.admit(&counted(6.0, 2.0, 7)), Admission::Ignored);
    assert!(taken(channel.admit(&counted(7.0, 2.0, 8))).is_some());
    assert_eq!(channel.counts.duplicate, 2);
    assert_eq!(channel.last_fresh, Mono::from_nanos(7_000_000_000));
}

/// A broker sends again what was not acknowledged, also while our clock is behind that of the source.
#[test]
fn a_repetition_is_known_whatever_the_clocks_show() {
    for source in [1_000.0, -300_000_000.0] {
        let mut channel = channel();
        for second in 1..4 {
            let at = f64::from(second);
            let news = channel.admit(&reading(at, at, Some(source + at)));
            assert_eq!(taken(news), Some(at));
        }
        for second in 1..4 {
            let at = f64::from(second);
            let again = channel.admit(&reading(4.0 + at, at, Some(source + at)));
            assert_eq!(again, Admission::Ignored, "{source} {second}");
        }
        assert_eq!(channel.counts.duplicate, 3);
    }
}

#[test]
fn equal_times_with_other_values_are_a_burst() {
    let mut channel = channel();
    assert!(taken(channel.admit(&reading(1.0, 5.0, Some(1.0)))).is_some());
    assert!(taken(channel.admit(&reading(1.0, 6.0, Some(1.0)))).is_some());
}

#[test]
fn older_than_the_newest_or_held_back_is_late() {
    let mut channel = channel();
    assert!(taken(channel.admit(&reading(10.0, 5.0, Some(9.9)))).is_some());
    // The usual way takes 0.1 s.
    let late = |source| Admission::Late(Sample::measured(6.0), wall(source));
    assert!(matches!(
        channel.admit(&reading(11.0, 6.0, Some(9.0))),
        Admission::Reordered(..)
    ));
    for (at, source) in [(11.5, -0.5), (60.0, 20.0)] {
        let admission = channel.admit(&reading(at, 6.0, Some(source)));
        assert_eq!(admission, late(source + 0.1));
    }
    assert_eq!(channel.counts.late, 2);
    assert_eq!(channel.last_fresh, Mono::from_nanos(10_000_000_000));
}

#[test]
fn a_skewed_source_is_not_late() {
    let mut channel = channel();
    for second in 0..200 {
        let at = f64::from(second);
        let jitter = f64::from(second % 3);
        let admission = channel.admit(&reading(at + jitter, at, Some(at - 3600.0)));
        assert!(taken(admission).is_some(), "{second}");
    }
    assert_eq!(channel.counts.late, 0);
}

#[test]
fn delay_beyond_the_usual_is_taken_off_the_time() {
    let mut channel = channel();
    assert_eq!(
        taken(channel.admit(&reading(10.0, 1.0, Some(9.5)))),
        Some(10.0)
    );
    assert_eq!(
        taken(channel.admit(&reading(14.0, 2.0, Some(10.5)))),
        Some(11.0)
    );
}

#[test]
fn impossible_clocks_are_doubted_and_move_nothing() {
    let mut channel = channel();
    for wrong in [3600.0, -1_777_874_400.0] {
        let admission = channel.admit(&reading(1.0, 5.0, Some(wrong)));
        let Admission::Live(Sample::Uncertain(_, Doubt::BadClock), at) = admission else {
            unreachable!("{admission:?}");
        };
        assert_eq!(at, Mono::from_nanos(1_000_000_000));
    }
    assert!(taken(channel.admit(&reading(2.0, 5.0, Some(1.9)))).is_some());
    assert_eq!(channel.counts.late, 0);
}

#[test]
fn a_retained_message_is_no_news() {
    let mut channel = channel();
    let retained = Reading {
        retained: true,
        ..reading(1.0, 99.0, Some(1.0))
    };
    assert_eq!(channel.admit(&retained), Admission::Ignored);
    assert_eq!(channel.counts.retained, 1);
    assert_eq!(channel.last_reading, None);
}

/// Whether each `(arrival, source time)` is news.
fn news(channel: &mut Channel, arrivals: impl IntoIterator<Item = (f64, f64)>) -> Vec<bool> {
    let admit = |(at, source)| taken(channel.admit(&reading(at, at, Some(source)))).is_some();
    arrivals.into_iter().map(admit).collect()
}

#[test]
fn a_clock_that_falls_back_is_live_again_after_five_readings() {
    for back in [11.0, 20.0, 3600.0] {
        let mut channel = channel();
        let before = (0..10).map(f64::from).map(|t| (t, t));
        assert_eq!(news(&mut channel, before), [true; 10]);
        let after = (10..17).map(f64::from).map(|t| (t, t - back));
        let seen = news(&mut channel, after);
        assert_eq!(
            seen,
            [false, false, false, false, true, true, true],
            "{back}"
        );
        let counts = channel.counts;
        assert_eq!((counts.late + counts.reordered, counts.reskewed), (4, 1));
    }
}

/// A broker that sends again what it sent before the gateway knew better.
#[test]
fn a_repetition_of_what_told_of_another_clock_is_no_news() {
    let mut channel = channel();
    let before = (0..10).map(f64::from).map(|t| (t, t));
    assert_eq!(news(&mut channel, before), [true; 10]);
    let after = (10..16).map(f64::from).map(|t| (t, t - 20.0));
    let seen = news(&mut channel, after.clone());
    assert_eq!(seen, [false, false, false, false, true, true]);
    let counts = channel.counts;
    for (at, source) in after {
        let again = channel.admit(&reading(16.0, at, Some(source)));
        assert_eq!(again, Admission::Ignored, "{source}");
    }
    assert_eq!(channel.counts.duplicate, counts.duplicate + 6);
    assert_eq!(channel.counts.reordered, 0);
}

/// Its readings lie among those that only came out of order, until it has caught up with what it showed.
#[test]
fn a_clock_that_falls_back_by_little_catches_up_with_itself() {
    let mut channel = channel();
    let before = (0..10).map(f64::from).map(|t| (t, t));
    assert_eq!(news(&mut channel, before), [true; 10]);
    let after = (10..17).map(f64::from).map(|t| (t, t - 6.0));
    let seen = news(&mut channel, after);
    assert_eq!(seen, [false, false, false, false, false, true, true]);
    let counts = channel.counts;
    assert_eq!((counts.reordered, counts.reskewed), (5, 0));
}

#[test]
fn a_fast_source_needs_five_half_seconds() {
    let mut channel = channel();
    assert_eq!(news(&mut channel, [(0.0, 0.0)]), [true]);
    let after = (1..40).map(|n| f64::from(n) * 0.125).map(|t| (t, t - 20.0));
    let first = news(&mut channel, after).iter().position(|live| *live);
    assert_eq!(first, Some(16));
}

#[test]
fn a_backlog_is_never_live() {
    let backlog = |taken_every: f64, arriving_every: f64| {
        let mut channel = channel();
        assert_eq!(news(&mut channel, [(0.0, 0.0)]), [true]);
        let late = (0..60).map(f64::from);
        let late = late.map(|n| (600.0 + n * arriving_every, 1.0 + n * taken_every));
        news(&mut channel, late).contains(&true)
    };
    // In one burst, in a hurry, at twice and at half the pace.
    for (taken_every, arriving_every) in [
        (1.0, 0.0),
        (1.0, 0.01),
        (0.1, 0.01),
        (1.0, 0.5),
        (5.0, 0.6),
        (0.5, 1.0),
    ] {
        assert!(
            !backlog(taken_every, arriving_every),
            "{taken_every} {arriving_every}"
        );
    }
}

#[test]
fn one_live_reading_among_late_ones_keeps_the_skew() {
    let mut channel = channel();
    let mixed = (0..40)
        .map(f64::from)
        .map(|t| (t, if t % 4.0 == 0.0 { t } else { t - 60.0 }));
    let live = news(&mut channel, mixed)
        .iter()
        .filter(|live| **live)
        .count();
    assert_eq!((live, channel.counts.reskewed), (10, 0));
}

#[test]
fn after_a_restart_the_first_reading_may_be_history() {
    let resumed = || Channel::new(&settings(), Some(wall(100.0)), Mono::ZERO);
    // Before the last sign of life; kept by the broker since; fresh.
    assert_eq!(news(&mut resumed(), [(105.0, 99.0)]), [false]);
    assert_eq!(news(&mut resumed(), [(900.0, 300.0)]), [false]);
    assert_eq!(news(&mut resumed(), [(105.0, 104.0)]), [true]);
    // A skewed source is known again after five readings.
    let skewed = (105..111).map(f64::from).map(|t| (t, t - 3600.0));
    let seen = news(&mut resumed(), skewed);
    assert_eq!(seen, [false, false, false, false, true, true]);
}

/// Of a source that had no fault yet: a fault current must last for 2 s, a step is more than 5.
fn doubting() -> Channel {
    let signal = Signal {
        settle: Duration::from_secs(2),
        max_step: Some(5.0),
        ..Signal::plain()
    };
    let settings = PointSettings {
        signal: signal.into(),
        ..settings()
    };
    let mut channel = Channel::new(&settings, None, Mono::ZERO);
    channel.condition = Condition::Present;
    channel.sample = Some(Sample::measured(10.0));
    channel
}

#[test]
fn a_fault_current_must_last_by_itself() {
    let at = |second: f64| Mono::ZERO + Duration::from_secs_f64(second);
    let mut channel = doubting();
    let step = Conditioned::Sample(Sample::measured(16.0));
    assert_eq!(channel.weigh(step, at(0.0), at(0.0)), None);
    for (second, believed) in [(1.0, false), (2.5, false), (3.0, true)] {
        let broken = Conditioned::FaultCurrent(Fault::SensorFailure);
        let found = channel.weigh(broken, at(second), at(second));
        let fault = believed.then_some(Sample::Bad(Fault::SensorFailure));
        assert_eq!(found, fault, "{second}");
    }
    let counts = channel.counts;
    assert_eq!((counts.step, counts.fault_current), (1, 2));
}

#[test]
fn a_step_is_further_than_the_longest_way() {
    let mut channel = doubting();
    for (value, believed) in [(15.0, true), (5.0, true), (15.001, false), (4.999, false)] {
        let sample = Sample::measured(value);
        let found = channel.weigh(Conditioned::Sample(sample), Mono::ZERO, Mono::ZERO);
        assert_eq!(found, believed.then_some(sample), "{value}");
    }
}

#[test]
fn bad_readings_are_counted_by_their_reason_and_those_out_of_order_as_such() {
    let mut channel = channel();
    let bad = |at: f64, fault| Reading {
        measured: Sample::Bad(fault).into(),
        ..reading(at, 0.0, Some(at))
    };
    for at in [1.0, 2.0] {
        channel.admit(&bad(at, Fault::SensorFailure));
    }
    channel.admit(&bad(3.0, Fault::DeviceFailure));
    channel.admit(&reading(4.0, 5.0, Some(4.0)));
    channel.admit(&reading(4.5, 5.0, Some(3.5)));
    let counts = channel.counts;
    assert_eq!(counts.accepted, 5);
    assert_eq!(counts.reordered, 1);
    assert_eq!(counts.bad[Fault::SensorFailure as usize], 2);
    assert_eq!(counts.bad[Fault::DeviceFailure as usize], 1);
    assert_eq!(counts.bad(), 3);
}

/// A value was doubtful until the gateway fell asleep: its being good afterwards proves nothing of the
/// time between.
#[test]
fn a_doubt_lasts_through_a_gap() {
    let second = |second: u64| Mono::ZERO + Duration::from_secs(second);
    let confirm = Duration::from_secs(3);
    let mut channel = doubting();
    let doubtful = Sample::Uncertain(
        super::super::reading::Finite::new(9.0).expect("a number"),
        Doubt::SubNormal,
    );
    assert!(channel.mark(doubtful, second(1), confirm));
    channel.sleep(Duration::from_secs(100), confirm, second(102));
    let good = Sample::measured(9.0);
    assert!(!channel.mark(good, second(103), confirm));
    assert!(channel.is_doubtful());
    assert!(channel.mark(good, second(104), confirm));
    assert!(!channel.is_doubtful());
}

#[test]
fn another_reason_is_told_again_when_its_time_has_come() {
    let mut channel = doubting();
    let mut told = |fault, had_value, now: Mono| {
        channel.condition = Condition::Bad(fault);
        channel.other_reason(had_value, now)
    };
    let start = Mono::ZERO + Duration::from_secs(10);
    let nanos = Duration::from_nanos(1);
    assert!(
        !told(Fault::SensorFailure, true, start),
        "the alarm says it"
    );
    assert!(told(Fault::DeviceFailure, false, start), "the first change");
    assert!(!told(
        Fault::SensorFailure,
        false,
        start + REASON_EVERY - nanos
    ));
    assert!(told(Fault::SensorFailure, false, start + REASON_EVERY));
    assert!(told(Fault::NoCommunication, false, start + REASON_EVERY));
}

#[test]
fn a_fault_current_out_of_order_is_counted_and_proves_nothing() {
    let mut channel = doubting();
    let received = Moment {
        mono: Mono::ZERO + Duration::from_secs(9),
        wall: wall(9.0),
    };
    for expected in [1, 2] {
        let key = Some((wall(5.0), None));
        let found = channel.put_in_order(
            Conditioned::FaultCurrent(Fault::SensorFailure),
            key,
            0.0,
            received,
        );
        assert_eq!(found, Admission::Ignored);
        assert_eq!(channel.counts.fault_current, expected);
    }
}
