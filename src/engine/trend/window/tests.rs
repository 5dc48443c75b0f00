//! Sums that are kept up to date, against sums that are made each time.

use proptest::prelude::*;

use super::*;

fn window() -> Window {
    Window::new(Duration::from_secs(60), 128)
}

fn at(seconds: f64) -> Mono {
    Mono::ZERO + Duration::from_secs_f64(seconds)
}

fn finite(value: f64) -> f64 {
    assert!(value.is_finite());
    value
}

/// The textbook formula over the buckets of the window, in two passes.
fn direct(window: &Window) -> Moments {
    let buckets: Vec<Bucket> = window.buckets().copied().collect();
    let sum = |of: &dyn Fn(&Bucket) -> f64| buckets.iter().map(of).sum::<f64>();
    let weight = sum(&|bucket| bucket.weight);
    let mean_time = sum(&|bucket| bucket.weight * bucket.time) / weight;
    let mean_value = sum(&|bucket| bucket.weight * bucket.value) / weight;
    let time = |bucket: &Bucket| bucket.time - mean_time;
    let value = |bucket: &Bucket| bucket.value - mean_value;
    Moments {
        weight,
        mean_time,
        mean_value,
        time_time: sum(&|bucket| bucket.weight * time(bucket) * time(bucket)),
        time_value: sum(&|bucket| bucket.weight * time(bucket) * value(bucket)),
        value_value: sum(&|bucket| bucket.weight * value(bucket).powi(2) + bucket.scatter),
    }
}

/// Whether the kept sums agree with the direct ones to eight digits of what they are made of.
fn agree(window: &mut Window) -> Result<(), TestCaseError> {
    if window.closed.is_empty() {
        // Of one bucket there is no line, and nobody asks for its sums.
        return Ok(());
    }
    let (kept, direct) = (window.moments(), direct(window));
    let natural = (direct.time_time * direct.value_value).sqrt();
    for (name, kept, direct, size) in [
        ("weight", kept.weight, direct.weight, direct.weight),
        ("time", kept.mean_time, direct.mean_time, 60.0),
        ("times", kept.time_time, direct.time_time, direct.time_time),
        ("both", kept.time_value, direct.time_value, natural),
        (
            "values",
            kept.value_value,
            direct.value_value,
            direct.value_value,
        ),
        (
            "value",
            kept.mean_value,
            direct.mean_value,
            direct.mean_value.abs() + direct.value_value.sqrt(),
        ),
    ] {
        let off = finite((kept - direct).abs());
        // What the direct formula itself cannot tell from the size of the numbers.
        let floor = 1e-15 * direct_floor(name, window);
        prop_assert!(
            off <= 1e-8 * size + floor,
            "{name}: {kept} instead of {direct}"
        );
    }
    Ok(())
}

/// Rounding of the values themselves, which no formula gets around.
fn direct_floor(name: &str, window: &Window) -> f64 {
    let largest = window
        .buckets()
        .map(|bucket| bucket.value.abs())
        .fold(0.0, f64::max);
    match name {
        "values" => largest * largest * 1e-12,
        "both" => largest * 60.0,
        _ => largest,
    }
}

/// How the next sample comes about.
#[derive(Debug, Clone, Copy)]
enum Next {
    /// Near the last one.
    Step(f64),
    /// The same value again.
    Same,
    /// Far away, and back.
    Spike(f64),
    /// Far away, to stay.
    Jump(f64),
}

fn next() -> impl Strategy<Value = (f64, Next)> {
    let gap = prop_oneof![6 => 0.2..1.5_f64, 2 => Just(0.01), 1 => Just(0.0), 1 => 1.5..19.0_f64,
        // Out of order.
        1 => -15.0..0.0_f64];
    let next = prop_oneof![
        8 => (-1.0..1.0_f64).prop_map(Next::Step),
        3 => Just(Next::Same),
        1 => (-9_i32..13).prop_map(|power| Next::Spike(10_f64.powi(power))),
        1 => (-9_i32..9).prop_map(|power| Next::Jump(10_f64.powi(power))),
    ];
    (gap, next)
}

proptest! {
    /// After every sample of any trace, as if there had been no other before the window.
    #[test]
    fn kept_sums_agree_with_the_direct_formula(trace in prop::collection::vec(next(), 1..400)) {
        let mut window = window();
        let (mut t, mut level) = (0.0, 20.0);
        for (gap, next) in trace {
            t += gap.max(0.0);
            let value = match next {
                Next::Step(step) => { level += step; level }
                Next::Same => level,
                Next::Spike(far) => level + far,
                Next::Jump(far) => { level += far; level }
            };
            window.push(at((t + gap.min(0.0)).max(0.0)), value);
            agree(&mut window)?;
        }
    }

    /// However fast samples come, there are never more buckets than were asked for.
    #[test]
    fn buckets_are_bounded(
        gaps in prop::collection::vec(1_u64..2_000_000_000, 1..600), buckets in 2_u32..130,
        scale in 1_u64..1000,
    ) {
        let mut window = Window::new(Duration::from_secs(60), buckets);
        let mut time = Mono::ZERO;
        for gap in gaps {
            time = time + Duration::from_nanos(gap / scale + 1);
            window.push(time, 1.0);
            prop_assert!(window.buckets().count() <= buckets as usize);
        }
    }
}

/// Days of a noisy ramp, a sample a second: the last verdict is as good as the first.
#[test]
fn sums_do_not_drift() {
    let mut window = window();
    for second in 0..300_000_u32 {
        let noise = f64::from(second.wrapping_mul(2_654_435_761) >> 16) / 65_536.0;
        let t = f64::from(second);
        window.push(at(t), 1e6 + t * 0.01 + noise);
        if second % 9_973 == 100 {
            agree(&mut window).expect("as exact as ever");
        }
    }
}

/// What a spike of fifteen digits leaves behind in a sum is larger than all that is left.
#[test]
fn nothing_is_left_of_a_spike_that_has_gone() {
    let mut window = window();
    for second in 0..200_u32 {
        let t = f64::from(second);
        let value = if second == 70 { 1e15 } else { 20.0 + t / 10.0 };
        window.push(at(t), value);
    }
    let line = window.least_squares(at(199.0)).expect("enough samples");
    assert!((line.slope_per_min() - 6.0).abs() < 1e-9, "{line:?}");
    assert!(line.is_significant());
}

/// Numbers that overflow in the sums are no longer felt when they have left the window.
#[test]
fn infinities_do_not_stay() {
    let mut window = window();
    for second in 0..100_u32 {
        let value = if second < 10 { f64::MAX } else { 1.0 };
        window.push(at(f64::from(second)), value);
        let line = window.least_squares(at(f64::from(second)));
        assert_eq!(
            line.is_some(),
            second >= 69,
            "at {second}: {line:?}; {:?}",
            window.sums
        );
    }
}

/// Averaging must not make noise look smaller: a hundred samples a second of pure noise have the same
/// standard error as the textbook gives for all of them.
#[test]
fn an_average_does_not_hide_the_noise() {
    let mut window = window();
    let samples: Vec<(f64, f64)> = (0..6_000_u32)
        .map(|n| {
            let noise = f64::from(n.wrapping_mul(2_654_435_761) >> 16) / 65_536.0;
            (f64::from(n) / 100.0, noise)
        })
        .collect();
    for (t, value) in &samples {
        window.push(at(*t), *value);
    }
    let line = window.least_squares(at(59.99)).expect("enough samples");
    // σ·√12/(W·√n), with σ = 1/√12 of noise that is even between 0 and 1.
    let error = 1.0 / (60.0 * 6_000_f64.sqrt());
    let found = (line.band.1 - line.band.0) / 4.0;
    assert!((found / error - 1.0).abs() < 0.05, "{found} and {error}");
}

/// What comes out of order goes to its place: the same buckets, and the same line.
#[test]
fn a_sample_out_of_order_goes_to_its_place() {
    let value = |second: u32| f64::from(second % 7) + 0.1 * f64::from(second);
    let fill = |order: &[u32]| {
        let mut window = window();
        for second in order {
            window.push(at(f64::from(*second)), value(*second));
        }
        window
    };
    let seconds: Vec<u32> = (0..50).collect();
    let mut swapped = seconds.clone();
    (1..40)
        .step_by(4)
        .for_each(|place| swapped.swap(place, place + 2));
    assert_ne!(swapped, seconds);
    let (in_order, mut out_of_order) = (fill(&seconds), fill(&swapped));
    let buckets: Vec<_> = in_order.buckets().copied().collect();
    assert_eq!(out_of_order.buckets().copied().collect::<Vec<_>>(), buckets);
    assert!((out_of_order.samples() - 50.0).abs() < 1e-9);
    let (kept, direct) = (out_of_order.moments(), direct(&in_order));
    assert!((kept.time_value - direct.time_value).abs() < 1e-6 * direct.time_value.abs());
}

/// Without room for a bucket of its own it joins the one before it; before all of them it is forgotten.
#[test]
fn a_sample_out_of_order_takes_no_room_that_there_is_not() {
    let mut window = Window::new(Duration::from_secs(60), 8);
    for second in 0..60 {
        window.push(at(f64::from(second)), 1.0);
    }
    let (buckets, samples) = (window.buckets().count(), window.samples());
    assert_eq!(buckets, 7);
    assert!(!window.push(at(30.5), 1.0), "there is room for one");
    assert!(window.push(at(40.5), 1.0), "and for no other");
    assert_eq!(window.buckets().count(), 8);
    assert!((window.samples() - samples - 2.0).abs() < 1e-9);
    assert!(window.push(at(59.25), 1.0), "into the newest");
    assert!((window.samples() - samples - 3.0).abs() < 1e-9);
    let first = window.buckets().next().copied().expect("there are some");
    let before = Mono::ZERO + Duration::from_secs_f64((first.time - 1.0).max(0.0));
    window.push(before, 1.0);
    assert_eq!(window.buckets().next().copied(), Some(first));
}

#[test]
fn nothing_is_left_in_a_window_that_was_cleared() {
    let mut window = window();
    for second in 0..50 {
        window.push(at(f64::from(second)), f64::from(second));
    }
    window.clear();
    assert_eq!(window.buckets().count(), 1, "an empty one");
    assert!(window.samples().abs() < 1e-9);
    window.push(at(100.0), 5.0);
    assert!((window.samples() - 1.0).abs() < 1e-9);
    assert!(window.span().abs() < 1e-9);
}

/// A whole window fits into the buckets, with one of them cut at either end.
#[test]
fn buckets_are_wide_enough() {
    for buckets in [2, 64, 128] {
        let length = Duration::from_secs(60);
        let width = width(length, buckets);
        assert!(width * (buckets - 1) > length, "{buckets}");
        assert!((width - Duration::from_nanos(1)) * (buckets - 1) <= length);
    }
}

/// Two pieces joined are what one piece of all their samples would be.
#[test]
fn joined_pieces_are_as_one() {
    let samples = [(1.0, 3.0), (2.0, 5.0), (4.0, -2.0), (7.0, 11.0), (8.0, 2.5)];
    let piece = |samples: &[(f64, f64)]| {
        let (time, value) = samples[0];
        let mut piece = Bucket::one(time, value);
        samples[1..]
            .iter()
            .for_each(|(time, value)| piece.join(*time, *value));
        piece
    };
    let whole = piece(&samples);
    let mean = samples.iter().map(|(_, value)| value).sum::<f64>() / 5.0;
    let scatter: f64 = samples
        .iter()
        .map(|(_, value)| (value - mean).powi(2))
        .sum();
    assert!((whole.scatter - scatter).abs() < 1e-9);
    for cut in 1..5 {
        let joined = piece(&samples[..cut]).joined(piece(&samples[cut..]));
        for (found, expected) in [
            (joined.time, whole.time),
            (joined.value, whole.value),
            (joined.weight, whole.weight),
            (joined.scatter, whole.scatter),
        ] {
            assert!((found - expected).abs() < 1e-9, "{joined:?}, not {whole:?}");
        }
    }
}

/// A memory may have been written by anybody: what no window can have held is left out.
#[test]
fn a_memory_that_makes_no_sense_is_left_out() {
    let sound = Sampled {
        age_s: 5.0,
        value: 1.0,
        weight: 2.0,
        scatter: 0.5,
    };
    let strange = [
        Sampled {
            value: f64::NAN,
            ..sound
        },
        Sampled {
            scatter: f64::INFINITY,
            ..sound
        },
        Sampled {
            weight: 0.0,
            ..sound
        },
        Sampled {
            age_s: -1.0,
            ..sound
        },
    ];
    let now = at(100.0);
    for (memory, samples) in [(vec![sound], 2.0), (strange.to_vec(), 0.0)] {
        let mut window = window();
        window.restore(nanos(at(95.0)), &memory, nanos(now), now);
        assert!((window.samples() - samples).abs() < 1e-9, "{memory:?}");
    }
}

#[test]
fn nothing_is_remembered_of_nothing() {
    let mut window = window();
    assert_eq!(window.remember(at(100.0), 8), None);
    window.push(at(100.0), 1.0);
    let (age, memory) = window.remember(at(102.0), 8).expect("something is there");
    assert!((age - 2.0).abs() < 1e-9);
    assert_eq!(memory.len(), 1);
    window.clear();
    assert_eq!(window.remember(at(102.0), 8), None);
    window.restore(nanos(at(100.0)), &memory, nanos(at(102.0)), at(102.0));
    let (_, again) = window.remember(at(102.0), 8).expect("the same");
    assert_eq!(again, memory);
}
