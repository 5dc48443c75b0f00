//! Slopes that can be checked by hand, and windows that must stay silent.

use proptest::prelude::*;

use super::*;

/// One minute, ten samples, 36 s, holes of 20 s: the defaults of the standard.
fn rule(direction: Direction) -> RateRule {
    RateRule {
        direction,
        limit_per_min: 4.0,
        deadband_per_min: 0.8,
        window: Duration::from_secs(60),
        min_samples: 10,
        min_span: Duration::from_secs(36),
        max_gap: Duration::from_secs(20),
    }
}

fn fill(rule: &RateRule, samples: impl IntoIterator<Item = (f64, f64)>) -> Window {
    let mut window = Window::default();
    for (seconds, value) in samples {
        let time = Mono::ZERO + Duration::from_secs_f64(seconds);
        window.push(rule, time, Finite::new(value).expect("tests push numbers"));
    }
    window
}

/// One sample a second from `from` to `to`, along a line.
fn ramp(from: u32, to: u32, per_min: f64) -> impl Iterator<Item = (f64, f64)> {
    (from..=to).map(move |second| (f64::from(second), f64::from(second) * per_min / 60.0))
}

#[test]
fn a_straight_line_has_its_slope_and_no_error() {
    let rule = rule(Direction::Rise);
    let fit = fill(&rule, ramp(0, 60, 4.0))
        .fit(&rule)
        .expect("a full window");
    assert!((fit.slope_per_min - 4.0).abs() < 1e-9, "{fit:?}");
    assert!(fit.error_per_min < 1e-6, "{fit:?}");
    assert!(
        (fit.seconds_to(8.0).expect("it rises") - 60.0).abs() < 1e-6,
        "{fit:?}"
    );
    assert_eq!(fit.seconds_to(3.0), None, "already behind");
}

#[test]
fn too_few_too_short_or_broken_windows_say_nothing() {
    let rule = rule(Direction::Rise);
    let sparse: Vec<_> = (0..5).map(|n| (f64::from(n) * 12.0, 1.0)).collect();
    let with_hole: Vec<_> = ramp(0, 20, 4.0).chain(ramp(41, 60, 4.0)).collect();
    for (name, samples) in [
        ("nothing", vec![]),
        ("one sample", vec![(0.0, 1.0)]),
        ("fewer than the minimum", sparse),
        ("a short span", ramp(0, 35, 4.0).collect()),
        ("equal times", (0..30).map(|_| (5.0, 1.0)).collect()),
        ("a hole of 21 s", with_hole),
    ] {
        assert_eq!(fill(&rule, samples).fit(&rule), None, "{name}");
    }
    assert!(
        fill(&rule, ramp(0, 36, 4.0)).fit(&rule).is_some(),
        "just enough"
    );
}

#[test]
fn after_a_hole_the_window_must_fill_again() {
    let rule = rule(Direction::Rise);
    let after = |seconds: u32| {
        let samples = ramp(0, 60, 4.0).chain(ramp(90, 90 + seconds, 4.0));
        fill(&rule, samples).fit(&rule)
    };
    assert_eq!(after(35), None);
    assert!(after(36).is_some());
}

#[test]
fn a_single_spike_moves_the_slope_little() {
    let rule = rule(Direction::Rise);
    let flat = (0..60).map(|second| (f64::from(second), 10.0));
    let spike = fill(&rule, flat.chain([(60.0, 30.0)]))
        .fit(&rule)
        .expect("a full window");
    // 6e/(nW) per second, times 60: about 2 units per minute for e = 20, n = 60, W = 60 s.
    assert!(spike.slope_per_min < 2.5, "{spike:?}");
    assert_eq!(zone(&rule, Some(spike)), Zone::Inside);
}

#[test]
fn a_chatty_sensor_costs_no_memory_and_loses_no_span() {
    let rule = rule(Direction::Rise);
    let samples = (0..60_000).map(|n| (f64::from(n) / 1000.0, f64::from(n) / 1000.0 * 4.0 / 60.0));
    let window = fill(&rule, samples);
    assert!(
        window.buckets.len() <= BUCKETS as usize + 1,
        "{}",
        window.buckets.len()
    );
    let fit = window.fit(&rule).expect("a full window");
    assert!((fit.slope_per_min - 4.0).abs() < 1e-6, "{fit:?}");
}

#[test]
fn zones_of_both_directions() {
    let fit = |slope_per_min| {
        Some(Fit {
            slope_per_min,
            error_per_min: 0.0,
            value: 0.0,
        })
    };
    for (direction, slope, expected) in [
        (Direction::Rise, 4.0, Zone::Beyond),
        (Direction::Rise, 3.9, Zone::Margin),
        (Direction::Rise, 3.2, Zone::Margin),
        (Direction::Rise, 3.19, Zone::Inside),
        (Direction::Rise, -9.0, Zone::Inside),
        (Direction::Fall, -4.0, Zone::Beyond),
        (Direction::Fall, -3.5, Zone::Margin),
        (Direction::Fall, 9.0, Zone::Inside),
    ] {
        assert_eq!(
            zone(&rule(direction), fit(slope)),
            expected,
            "{direction:?} {slope}"
        );
    }
    assert_eq!(zone(&rule(Direction::Rise), None), Zone::Unknown);
}

#[test]
fn numbers_near_the_end_of_floats_give_no_verdict() {
    let rule = rule(Direction::Rise);
    let samples = (0..60).map(|n| (f64::from(n), if n % 2 == 0 { f64::MAX } else { f64::MIN }));
    assert_eq!(fill(&rule, samples).fit(&rule), None);
}

proptest! {
    /// Shifting all values leaves the slope; scaling them scales it.
    #[test]
    fn shift_and_scale(
        values in prop::collection::vec(-100.0..100.0_f64, 40..80),
        shift in -1000.0..1000.0_f64,
        factor in 0.1..10.0_f64,
    ) {
        let rule = rule(Direction::Rise);
        let slope = |change: &dyn Fn(f64) -> f64| {
            let samples = values.iter().enumerate().map(|(n, v)| (n as f64, change(*v)));
            fill(&rule, samples).fit(&rule).expect("a full window").slope_per_min
        };
        let plain = slope(&|v| v);
        prop_assert!((slope(&|v| v + shift) - plain).abs() < 1e-6);
        prop_assert!((slope(&|v| v * factor) - plain * factor).abs() < 1e-6);
    }
}
