//! Which readings are news, and at what time.

use super::super::reading::PointIndex;
use super::super::time::Moment;
use super::*;

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
    Channel::new(Condition::Waiting, Mono::ZERO)
}

fn taken(admission: Admission) -> Option<f64> {
    match admission {
        Admission::Live(_, at) => Some((at.as_secs_f64() * 1000.0).round() / 1000.0),
        Admission::Ignored => None,
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
    assert_eq!(
        channel.admit(&reading(11.0, 6.0, Some(9.0))),
        Admission::Ignored
    );
    assert_eq!(
        channel.admit(&reading(60.0, 6.0, Some(20.0))),
        Admission::Ignored
    );
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
