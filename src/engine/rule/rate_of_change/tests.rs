//! Zones of slopes, and the significance gate.

use std::time::Duration;

use super::super::super::reading::Finite;
use super::super::super::settings::{Method, TrendSettings};
use super::super::super::time::Mono;
use super::super::super::trend::Trend;
use super::*;

fn rule(direction: Direction, significant: bool) -> RateRule {
    RateRule {
        direction,
        limit_per_min: 4.0,
        deadband_per_min: 0.8,
        significant,
        trend: 0,
    }
}

/// A minute of values, one a second.
fn trend(value: impl Fn(u32) -> f64) -> Trend {
    let mut trend = Trend::new(TrendSettings {
        method: Method::LeastSquares,
        window: Duration::from_secs(60),
        min_samples: 10,
        min_span: Duration::from_secs(36),
        max_gap: Duration::from_secs(20),
    });
    for second in 0..=60_u32 {
        let time = Mono::ZERO + Duration::from_secs(u64::from(second));
        trend.learn(time, Finite::new(value(second)).expect("a number"));
    }
    trend
}

#[test]
fn zones_of_both_directions() {
    for (direction, slope, expected) in [
        (Direction::Rise, 4.001, Zone::Beyond),
        (Direction::Rise, 3.9, Zone::Margin),
        (Direction::Rise, 3.201, Zone::Margin),
        (Direction::Rise, 3.19, Zone::Inside),
        (Direction::Rise, -9.0, Zone::Inside),
        (Direction::Fall, -4.001, Zone::Beyond),
        (Direction::Fall, -3.5, Zone::Margin),
        (Direction::Fall, 9.0, Zone::Inside),
    ] {
        let trend = trend(|second| f64::from(second) * slope / 60.0);
        let line = trend.line(Mono::ZERO);
        for significant in [false, true] {
            let rule = rule(direction, significant);
            assert_eq!(zone(&rule, line), expected, "{direction:?} {slope}");
        }
    }
    assert_eq!(zone(&rule(Direction::Rise, false), None), Zone::Unknown);
}

/// A mean of 6 units per minute in swings of 40 units: steep enough, and of no weight.
#[test]
fn a_steep_slope_that_could_be_noise_gives_no_verdict() {
    let wild = |second: u32| f64::from(second) * 6.0 / 60.0 - f64::from(second % 2) * 40.0;
    let trend = trend(wild);
    let line = trend.line(Mono::ZERO);
    assert_eq!(zone(&rule(Direction::Rise, false), line), Zone::Beyond);
    assert_eq!(zone(&rule(Direction::Rise, true), line), Zone::Unknown);
    // Of the other direction it says clearly that there is none.
    assert_eq!(zone(&rule(Direction::Fall, true), line), Zone::Inside);
}

/// The deadband's edge belongs to it, as at every limit.
#[test]
fn at_the_edge_of_the_deadband_the_alarm_stays() {
    let trend = trend(|second| f64::from(second) / 30.0);
    let now = Mono::ZERO + Duration::from_secs(60);
    let slope = trend.line(now).expect("a line").slope_per_min();
    let edge = RateRule {
        limit_per_min: 2.0 * slope,
        deadband_per_min: slope,
        ..rule(Direction::Rise, false)
    };
    assert_eq!(zone(&edge, trend.line(now)), Zone::Margin);
}
