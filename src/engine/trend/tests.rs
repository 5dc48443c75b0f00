//! Lines that can be checked by hand, and windows that must stay silent.

use std::time::Duration;

use proptest::prelude::*;

use super::*;

const METHODS: [Method; 2] = [Method::LeastSquares, Method::TheilSen];

/// One minute, ten samples, 36 s, holes of 20 s: the defaults of the standard.
fn settings(method: Method) -> TrendSettings {
    TrendSettings {
        method,
        window: Duration::from_secs(60),
        min_samples: 10,
        min_span: Duration::from_secs(36),
        max_gap: Duration::from_secs(20),
    }
}

fn fill(method: Method, samples: impl IntoIterator<Item = (f64, f64)>) -> Option<Line> {
    let mut trend = Trend::new(settings(method));
    for (seconds, value) in samples {
        trend.learn(
            at(seconds),
            Finite::new(value).expect("tests learn numbers"),
        );
    }
    trend.line
}

fn at(seconds: f64) -> Mono {
    Mono::ZERO + Duration::from_secs_f64(seconds)
}

/// One sample a second from `from` to `to`, along a line.
fn ramp(from: u32, to: u32, per_min: f64) -> impl Iterator<Item = (f64, f64)> {
    (from..=to).map(move |second| (f64::from(second), f64::from(second) * per_min / 60.0))
}

/// Even between -1/2 and 1/2, always the same.
fn noise(n: u32) -> f64 {
    f64::from(n.wrapping_mul(2_654_435_761) >> 16) / 65_536.0 - 0.5
}

#[test]
fn a_straight_line_has_its_slope_and_no_error() {
    for method in METHODS {
        let line = fill(method, ramp(0, 60, 4.0)).expect("a full window");
        assert!((line.slope_per_min() - 4.0).abs() < 1e-9, "{line:?}");
        assert!(line.band.1 - line.band.0 < 1e-6, "{line:?}");
        assert!((line.value - 4.0).abs() < 1e-9, "{line:?}");
        let Course::Ahead(ahead) = line.course(8.0, true, at(60.0)) else {
            panic!("it rises");
        };
        assert!((ahead.seconds - 60.0).abs() < 1e-6, "{ahead:?}");
        assert_eq!(line.course(3.0, true, at(60.0)), Course::Met);
        assert_eq!(line.course(8.0, false, at(60.0)), Course::Away);
        let Course::Ahead(later) = line.course(8.0, true, at(70.0)) else {
            panic!("it rises");
        };
        assert!((later.seconds - 50.0).abs() < 1e-6, "{later:?}");
    }
}

#[test]
fn too_few_too_short_or_broken_windows_say_nothing() {
    let sparse: Vec<_> = (0..5).map(|n| (f64::from(n) * 12.0, 1.0)).collect();
    let with_hole: Vec<_> = ramp(0, 20, 4.0).chain(ramp(41, 60, 4.0)).collect();
    for method in METHODS {
        for (name, samples) in [
            ("nothing", vec![]),
            ("one sample", vec![(0.0, 1.0)]),
            ("fewer than the minimum", sparse.clone()),
            ("a short span", ramp(0, 35, 4.0).collect()),
            ("equal times", (0..30).map(|_| (5.0, 1.0)).collect()),
            ("a hole of 21 s", with_hole.clone()),
        ] {
            assert_eq!(fill(method, samples), None, "{name}");
        }
        assert!(fill(method, ramp(0, 36, 4.0)).is_some(), "just enough");
    }
}

#[test]
fn after_a_hole_the_window_must_fill_again() {
    for method in METHODS {
        let after = |seconds: u32| {
            let samples = ramp(0, 60, 4.0).chain(ramp(90, 90 + seconds, 4.0));
            fill(method, samples)
        };
        assert_eq!(after(35), None);
        assert!(after(36).is_some());
    }
}

#[test]
fn a_line_is_not_drawn_into_a_hole() {
    let mut trend = Trend::new(settings(Method::LeastSquares));
    for (seconds, value) in ramp(0, 60, 4.0) {
        trend.learn(at(seconds), Finite::new(value).expect("a number"));
    }
    assert!(trend.line(at(80.0)).is_some());
    assert!(trend.line(at(80.1)).is_none());
}

/// 6e/(nW) per second, times 60: about 2 units per minute for e = 20, n = 60, W = 60 s.
#[test]
fn a_single_outlier_bends_least_squares_a_little_and_theil_sen_not_at_all() {
    let flat = || (0..60).map(|second| (f64::from(second), 10.0 + noise(second)));
    for (method, most) in [(Method::LeastSquares, 2.5), (Method::TheilSen, 0.2)] {
        let plain = fill(method, flat()).expect("a full window");
        let bent = fill(method, flat().chain([(60.0, 30.0)])).expect("a full window");
        let moved = (bent.slope_per_min() - plain.slope_per_min()).abs();
        assert!(moved < most, "{method:?}: {moved}");
    }
}

/// The breakdown point of Theil-Sen is 1 − √½: 17 of 60 buckets may be anything.
#[test]
fn theil_sen_stands_until_29_percent_are_wrong() {
    let rising = |wrong: u32| {
        ramp(0, 59, 4.0).map(move |(t, value)| {
            let faulty = t > f64::from(59 - wrong);
            (t, if faulty { -1e6 } else { value })
        })
    };
    let good = fill(Method::TheilSen, rising(17)).expect("a full window");
    assert!((good.slope_per_min() - 4.0).abs() < 0.1, "{good:?}");
    let bent = fill(Method::LeastSquares, rising(17)).expect("a full window");
    assert!(bent.slope_per_min() < -1000.0, "{bent:?}");
    let broken = fill(Method::TheilSen, rising(20)).expect("a full window");
    assert!(broken.slope_per_min() < 1.0, "{broken:?}");
}

#[test]
fn noise_is_not_significant_and_a_slope_above_it_is() {
    for method in METHODS {
        let with = |per_min: f64, seed: u32| {
            let samples = ramp(0, 60, per_min).zip(seed..);
            let samples = samples.map(|((t, value), n)| (t, value + noise(n)));
            fill(method, samples).expect("a full window")
        };
        let significant = |per_min: f64| {
            let seeds = (0..200_u32).filter(|seed| with(per_min, seed * 61).is_significant());
            seeds.count()
        };
        // Two standard errors leave about one window of noise in twenty.
        let by_chance = significant(0.0);
        assert!(by_chance < 25, "{method:?}: {by_chance} of 200");
        // σ√12/(W√n) is 0.13 units per minute here.
        assert_eq!(significant(0.8), 200, "{method:?}");
    }
}

/// A contact bouncing, a network that delivers in bursts: times count, never the order in a list.
/// alarm-standards 2.4 and 2.5: two standard errors of the slope, which is that of n - 2 values.
#[test]
fn the_band_of_least_squares_is_two_standard_errors() {
    let samples: Vec<(f64, f64)> = (0..12)
        .map(|n| (f64::from(n) * 5.0, 2.0 * noise(n)))
        .collect();
    let line = fill(Method::LeastSquares, samples.clone()).expect("a full window");
    let count = samples.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| samples.iter().map(of).sum::<f64>() / count;
    let (time, value) = (mean(|sample| sample.0), mean(|sample| sample.1));
    let over: f64 = samples.iter().map(|s| (s.0 - time) * (s.1 - value)).sum();
    let under: f64 = samples.iter().map(|s| (s.0 - time) * (s.0 - time)).sum();
    let slope = over / under;
    let rest = |s: &(f64, f64)| s.1 - value - slope * (s.0 - time);
    let rests: f64 = samples.iter().map(|s| rest(s) * rest(s)).sum();
    let error = (rests / (count - 2.0) / under).sqrt();
    assert!((line.slope - slope).abs() < 1e-12, "{line:?}");
    assert!(
        (line.band.0 - (slope - 2.0 * error)).abs() < 1e-12,
        "{line:?}"
    );
    assert!(
        (line.band.1 - (slope + 2.0 * error)).abs() < 1e-12,
        "{line:?}"
    );
}

#[test]
fn bursts_and_gaps_do_not_bend_a_line() {
    for method in METHODS {
        let times = [
            0.0, 0.1, 0.2, 9.0, 9.1, 15.0, 27.0, 27.0, 40.0, 52.0, 52.3, 60.0,
        ];
        let line = fill(method, times.map(|t| (t, 5.0 - t / 10.0))).expect("enough");
        assert!(
            (line.slope_per_min() + 6.0).abs() < 1e-6,
            "{method:?} {line:?}"
        );
    }
}

/// Report by steps of one unit, once in ten seconds.
#[test]
fn coarse_steps_keep_the_slope() {
    let stairs = || (0..=60).map(|second| (f64::from(second), f64::from(second / 10)));
    let line = fill(Method::LeastSquares, stairs()).expect("a full window");
    assert!((line.slope_per_min() - 6.0).abs() < 0.2, "{line:?}");
    let line = fill(Method::TheilSen, stairs()).expect("a full window");
    assert!((line.slope_per_min() - 6.0).abs() < 0.5, "{line:?}");
}

#[test]
fn a_chatty_sensor_costs_no_memory_and_loses_no_span() {
    for method in METHODS {
        let mut trend = Trend::new(settings(method));
        for n in 0..60_000 {
            let t = f64::from(n) / 1000.0;
            trend.learn(at(t), Finite::new(t * 4.0 / 60.0).expect("a number"));
        }
        let line = trend.line.expect("a full window");
        assert!((line.slope_per_min() - 4.0).abs() < 1e-6, "{line:?}");
    }
}

#[test]
fn numbers_near_the_end_of_floats_give_no_line() {
    for method in METHODS {
        let samples = (0..60).map(|n| (f64::from(n), if n % 2 == 0 { f64::MAX } else { f64::MIN }));
        assert_eq!(fill(method, samples), None, "{method:?}");
    }
}

#[test]
fn the_band_of_a_forecast_is_that_of_the_slope() {
    let line = Line::new(at(0.0), 41.0, 0.02, (0.016, 0.025)).expect("numbers");
    let Course::Ahead(ahead) = line.course(50.0, true, at(0.0)) else {
        panic!("it rises");
    };
    for (found, expected) in [
        (ahead.seconds, 450.0),
        (ahead.earliest, 360.0),
        (ahead.latest, 562.5),
    ] {
        assert!((found - expected).abs() < 1e-9, "{ahead:?}");
    }
    assert!(ahead.is_foretold());
    let Course::Ahead(far) = line.course(80.0, true, at(0.0)) else {
        panic!("it rises");
    };
    assert!(!far.is_foretold(), "{far:?}");
}

/// Medians of all pairs the long way.
fn theil_sen_by_sorting(samples: &[(f64, f64)]) -> f64 {
    let mut slopes: Vec<f64> = Vec::new();
    for (n, (t, v)) in samples.iter().enumerate() {
        let later = samples[n + 1..].iter();
        slopes.extend(later.map(|(later, value)| (value - v) / (later - t)));
    }
    slopes.sort_by(f64::total_cmp);
    let (below, above) = (slopes[(slopes.len() - 1) / 2], slopes[slopes.len() / 2]);
    (below + above) / 2.0
}

/// Irregular times, some values twice, rounded to a step.
fn samples() -> impl Strategy<Value = Vec<(f64, f64)>> {
    // No two of them in one bucket.
    let sample = (0.96..1.9_f64, -400_i32..400, any::<bool>());
    prop::collection::vec(sample, 40..64).prop_map(|samples| {
        let (mut t, mut last) = (0.0, 0.0);
        let one = |(gap, value, again): (f64, i32, bool)| {
            t += gap;
            last = if again { last } else { f64::from(value) / 4.0 };
            (t, last)
        };
        samples.into_iter().map(one).collect()
    })
}

proptest! {
    // All pairs of all windows, without optimization.
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// P19: a slope does not see a constant, and scales with the value; so do its bands.
    #[test]
    fn shift_and_scale(
        samples in samples(), shift in -1000.0..1000.0_f64, factor in 0.1..10.0_f64,
        theil_sen in any::<bool>(),
    ) {
        let method = METHODS[usize::from(theil_sen)];
        let line = |change: &dyn Fn(f64) -> f64| {
            fill(method, samples.iter().map(|(t, v)| (*t, change(*v)))).expect("a full window")
        };
        let plain = line(&|v| v);
        let (moved, scaled) = (line(&|v| v + shift), line(&|v| v * factor));
        let turned = line(&|v| -v);
        for (plain, moved, scaled) in [
            (plain.slope, moved.slope, scaled.slope),
            (plain.band.0, moved.band.0, scaled.band.0),
            (plain.band.1, moved.band.1, scaled.band.1),
        ] {
            prop_assert!((moved - plain).abs() < 1e-6, "{moved} {plain}");
            prop_assert!((scaled - plain * factor).abs() < 1e-6, "{scaled} {plain}");
        }
        prop_assert!((moved.value - shift - plain.value).abs() < 1e-6);
        // Rising and falling are the same to it.
        prop_assert!((turned.slope + plain.slope).abs() < 1e-9);
        prop_assert!((turned.band.0 + plain.band.1).abs() < 1e-9);
    }

    /// Against all pairs, sorted.
    #[test]
    fn theil_sen_agrees_with_sorting(samples in samples()) {
        let inside: Vec<_> = {
            let end = samples.last().map_or(0.0, |(t, _)| *t);
            samples.iter().copied().filter(|(t, _)| *t > end - 60.0).collect()
        };
        let line = fill(Method::TheilSen, samples).expect("a full window");
        let expected = theil_sen_by_sorting(&inside);
        prop_assert!((line.slope - expected).abs() < 1e-9, "{} {expected}", line.slope);
        prop_assert!(line.band.0 <= line.slope && line.slope <= line.band.1);
    }
}
