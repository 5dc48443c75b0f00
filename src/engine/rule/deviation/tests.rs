//! Both sides of a reference, and steps of it.

use std::time::Duration;

use super::super::super::reading::Doubt;
use super::super::super::settings::{MedianRule, Reference};
use super::*;

fn deviation(below: Option<f64>, above: Option<f64>, settle: u64) -> Deviation {
    Deviation::new(DeviationRule {
        from: Reference::Fixed(50.0),
        below,
        above,
        deadband: 1.0,
        settle: Duration::from_secs(settle),
    })
}

fn at(second: u64) -> Mono {
    Mono::ZERO + Duration::from_secs(second)
}

fn number(value: f64) -> Finite {
    Finite::new(value).expect("a number")
}

#[test]
fn both_sides_and_their_deadbands() {
    let both = (Some(5.0), Some(5.0));
    for ((below, above), value, expected) in [
        (both, 55.0, Zone::Beyond),
        (both, 54.9, Zone::Margin),
        (both, 54.0, Zone::Margin),
        (both, 53.9, Zone::Inside),
        (both, 50.0, Zone::Inside),
        (both, 46.1, Zone::Inside),
        (both, 45.5, Zone::Margin),
        (both, 45.0, Zone::Beyond),
        ((None, Some(5.0)), 0.0, Zone::Inside),
        ((None, Some(5.0)), 60.0, Zone::Beyond),
        ((Some(3.0), None), 47.0, Zone::Beyond),
        ((Some(3.0), None), 90.0, Zone::Inside),
        ((Some(3.0), Some(8.0)), 57.0, Zone::Margin),
    ] {
        let mut deviation = deviation(below, above, 0);
        let zone = deviation.zone(number(value), Some(number(50.0)), at(0));
        assert_eq!(zone, expected, "{below:?} {above:?} {value}");
        assert_eq!(deviation.is_above(), value >= 50.0, "{value}");
        assert!(
            deviation
                .reference()
                .is_some_and(|reference| (reference - 50.0).abs() < 1e-9)
        );
    }
}

#[test]
fn without_a_reference_there_is_no_verdict() {
    let mut deviation = deviation(Some(5.0), Some(5.0), 0);
    assert_eq!(deviation.zone(number(90.0), None, at(0)), Zone::Unknown);
    assert_eq!(deviation.report(true), Some(true));
    assert_eq!(deviation.report(true), None);
    assert_eq!(deviation.report(false), Some(false));
}

#[test]
fn a_step_gives_time_to_follow_and_a_drift_does_not() {
    let mut deviation = deviation(Some(5.0), Some(5.0), 10);
    let mut zone = |value, reference, second| {
        deviation.zone(number(value), Some(number(reference)), at(second))
    };
    assert_eq!(zone(50.0, 50.0, 0), Zone::Inside);
    assert_eq!(zone(50.0, 60.0, 1), Zone::Unknown, "a step");
    assert_eq!(zone(52.0, 60.0, 10), Zone::Unknown);
    assert_eq!(zone(52.0, 60.0, 11), Zone::Beyond, "time is over");
    assert_eq!(
        zone(52.0, 50.0, 12),
        Zone::Inside,
        "not rested: judged at once"
    );
    for second in 13..20_u32 {
        let reference = 50.0 + f64::from(second - 12) * 2.4;
        zone(50.0, reference, u64::from(second));
    }
    assert_eq!(
        zone(50.0, 66.0, 20),
        Zone::Beyond,
        "steps below half of the limit"
    );
}

#[test]
fn a_reference_that_never_rests_hides_nothing() {
    let mut deviation = deviation(Some(5.0), Some(5.0), 10);
    let mut unknown = 0;
    for second in 0..300 {
        let reference = if second % 2 == 0 { 50.0 } else { 70.0 };
        let zone = deviation.zone(number(90.0), Some(number(reference)), at(second));
        unknown += u32::from(zone == Zone::Unknown);
    }
    assert_eq!(unknown, 30, "three times the time to settle, once");
}

#[test]
fn only_good_values_that_were_read_are_usual() {
    let mut deviation = Deviation::new(DeviationRule {
        from: Reference::Median(MedianRule {
            window: Duration::from_secs(20),
        }),
        ..deviation(Some(5.0), Some(5.0), 0).rule
    });
    let five = number(5.0);
    let mut learn = |sample: Sample, second: u64, held: bool, fresh: bool| {
        deviation.learn(&Look {
            taken: fresh.then(|| at(second)),
            now: at(second),
            held,
            ..Look::at(five, sample)
        });
        deviation.median(at(second))
    };
    for second in 0..20 {
        assert_eq!(
            learn(Sample::Good(five), second, false, false),
            None,
            "only holds"
        );
        assert_eq!(learn(Sample::Good(five), second, true, true), None, "held");
        let doubtful = Sample::Uncertain(five, Doubt::SubNormal);
        assert_eq!(learn(doubtful, second, false, true), None, "doubtful");
    }
    for second in 20..32 {
        assert_eq!(
            learn(Sample::Good(five), second, false, true),
            None,
            "{second}"
        );
    }
    assert_eq!(learn(Sample::Good(five), 32, false, true), Some(five));
}

/// Half of the nearer limit is a step; at the end of its time to settle the value is judged.
#[test]
fn the_time_to_settle_ends_at_its_end() {
    for (from, to, settles) in [(50.0, 51.5, true), (50.0, 51.25, false)] {
        let mut deviation = deviation(Some(3.0), Some(5.0), 10);
        assert_eq!(
            deviation.zone(number(50.0), Some(number(from)), at(0)),
            Zone::Inside
        );
        let zone = |deviation: &mut Deviation, second| {
            deviation.zone(number(90.0), Some(number(to)), at(second))
        };
        let during = if settles { Zone::Unknown } else { Zone::Beyond };
        assert_eq!(zone(&mut deviation, 1), during);
        assert_eq!(zone(&mut deviation, 10), during);
        assert_eq!(zone(&mut deviation, 11), Zone::Beyond);
    }
}
