//! Which times ahead are soon, and what must be so for anybody to be told.

use std::time::Duration;

use super::super::super::reading::Finite;
use super::super::super::settings::{Level, Method, TrendSettings};
use super::super::super::trend::Trend;
use super::*;

const QUIET: Company = Company {
    limit_passed: false,
    over_range: false,
    reference: None,
    must_move: None,
    doubted: false,
};

fn forecast(to: Level, limit: f64) -> Forecast {
    Forecast::new(ForecastRule {
        to,
        limit,
        within: Duration::from_secs(600),
        confirmations: 3,
        trend: 0,
    })
}

/// A minute along a line that ends at `value`.
fn trend(value: f64, per_min: f64) -> Trend {
    let mut trend = Trend::new(TrendSettings {
        method: Method::LeastSquares,
        window: Duration::from_secs(60),
        min_samples: 10,
        min_span: Duration::from_secs(36),
        max_gap: Duration::from_secs(20),
    });
    for second in 0..=60_u32 {
        let value = value + (f64::from(second) - 60.0) * per_min / 60.0;
        trend.learn(at(second), Finite::new(value).expect("a number"));
    }
    trend
}

fn at(second: u32) -> Mono {
    Mono::ZERO + Duration::from_secs(u64::from(second))
}

fn evidence(second: u32) -> Evidence {
    Evidence {
        quality: Quality::Good,
        at: at(second),
    }
}

#[test]
fn how_far_away_the_limit_is() {
    for (name, to, limit, value, per_min, expected) in [
        ("9 min away", Level::HighHigh, 50.0, 41.0, 1.0, Zone::Beyond),
        ("just within", Level::High, 50.0, 40.001, 1.0, Zone::Beyond),
        ("not quite", Level::High, 50.0, 39.9, 1.0, Zone::Margin),
        ("14.9 min", Level::High, 50.0, 35.1, 1.0, Zone::Margin),
        ("15.1 min", Level::High, 50.0, 34.9, 1.0, Zone::Inside),
        ("leads away", Level::High, 50.0, 41.0, -1.0, Zone::Inside),
        ("stands", Level::High, 50.0, 49.9, 0.0, Zone::Inside),
        ("met", Level::High, 50.0, 50.1, 1.0, Zone::Margin),
        (
            "back from beyond",
            Level::High,
            50.0,
            51.0,
            -1.0,
            Zone::Inside,
        ),
        ("downwards", Level::Low, 5.0, 10.0, -1.0, Zone::Beyond),
        (
            "up from a low limit",
            Level::LowLow,
            5.0,
            4.0,
            1.0,
            Zone::Inside,
        ),
    ] {
        let mut forecast = forecast(to, limit);
        forecast.rule.confirmations = 1;
        let trend = trend(value, per_min);
        let zone = forecast.zone(trend.line(at(60)), &evidence(60), QUIET);
        assert_eq!(zone, expected, "{name}");
    }
}

#[test]
fn soon_must_be_said_three_times_in_a_row() {
    let mut forecast = forecast(Level::High, 50.0);
    let mut soon = trend(41.0, 1.0);
    let far = trend(20.0, 1.0);
    let mut said = |trend: Option<&Trend>, second: u32| {
        let line = trend.and_then(|trend| trend.line(at(second)));
        forecast.zone(line, &evidence(second), QUIET)
    };
    assert_eq!(said(Some(&soon), 60), Zone::Margin);
    go_on(&mut soon, 61);
    assert_eq!(said(Some(&soon), 61), Zone::Margin);
    assert_eq!(said(Some(&far), 62), Zone::Inside, "the row ends");
    for second in 63..65 {
        go_on(&mut soon, second);
        assert_eq!(said(Some(&soon), second), Zone::Margin);
    }
    assert_eq!(said(Some(&soon), 64), Zone::Margin, "the same line again");
    go_on(&mut soon, 65);
    assert_eq!(said(Some(&soon), 65), Zone::Beyond);
    go_on(&mut soon, 66);
    assert_eq!(said(Some(&soon), 66), Zone::Beyond);
    assert_eq!(said(None, 67), Zone::Unknown);
    go_on(&mut soon, 68);
    assert_eq!(said(Some(&soon), 68), Zone::Margin, "anew");
}

/// Another second of a line that rises by 1 a minute.
fn go_on(trend: &mut Trend, second: u32) {
    let value = 40.0 + f64::from(second) / 60.0;
    trend.learn(at(second), Finite::new(value).expect("a number"));
}

#[test]
fn without_trust_there_is_no_verdict() {
    let soon = trend(41.0, 1.0);
    let line = soon.line(at(60));
    let uncertain = Evidence {
        quality: Quality::Uncertain,
        ..evidence(60)
    };
    let passed = Company {
        limit_passed: true,
        ..QUIET
    };
    let over = Company {
        over_range: true,
        ..QUIET
    };
    for (evidence, company) in [
        (uncertain, QUIET),
        (evidence(60), passed),
        (evidence(60), over),
    ] {
        let mut forecast = forecast(Level::High, 50.0);
        forecast.rule.confirmations = 1;
        assert_eq!(forecast.zone(line, &evidence, company), Zone::Unknown);
    }
}
