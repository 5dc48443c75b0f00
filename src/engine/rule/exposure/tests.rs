//! Averages against the integral they stand for.

use proptest::prelude::*;

use super::super::super::memory::{Content, Memory};
use super::super::super::time::Wall;
use super::*;

const STEL: Duration = Duration::from_secs(900);

fn secs(t: f64) -> Mono {
    Mono::ZERO + Duration::from_secs_f64(t)
}

fn moment(t: f64) -> Moment {
    Moment {
        mono: secs(t),
        wall: Wall::from_unix_nanos(1_767_225_600_000_000_000) + Duration::from_secs_f64(t),
    }
}

fn exposure(average: Average) -> Exposure {
    let mut exposure = Exposure::new(ExposureRule {
        average,
        limit: 30.0,
        deadband: 2.0,
    });
    exposure.begin(Mono::ZERO);
    exposure
}

/// Values from their times on, each for `hold` seconds unless the next one comes.
fn seen(average: Average, hold: f64, values: &[(f64, f64)]) -> Exposure {
    let mut exposure = exposure(average);
    for (t, value) in values {
        exposure.observe(*value, secs(*t), secs(*t + hold));
    }
    exposure
}

/// The same, added up piece by piece.
fn integral(hold: f64, values: &[(f64, f64)], from: f64, to: f64) -> (f64, f64) {
    let ends = values
        .iter()
        .skip(1)
        .map(|(t, _)| *t)
        .chain([f64::INFINITY]);
    let pieces = values.iter().zip(ends).map(|((t, value), end)| {
        let overlap = end.min(t + hold).min(to) - t.max(from);
        (value.max(0.0) * overlap.max(0.0), overlap.max(0.0))
    });
    pieces.fold((0.0, 0.0), |(sum, time), (more, span)| {
        (sum + more, time + span)
    })
}

fn close(found: f64, expected: f64) {
    let scale = expected.abs().max(1.0);
    assert!(
        (found - expected).abs() <= 1e-9 * scale,
        "{found} instead of {expected}"
    );
}

fn lower(exposure: &Exposure, t: f64) -> f64 {
    exposure
        .average(secs(t))
        .map_or(0.0, |exposed| exposed.lower)
}

fn coverage(exposure: &Exposure, t: f64) -> f64 {
    exposure
        .average(secs(t))
        .map_or(0.0, |exposed| exposed.coverage)
}

#[test]
fn the_divisor_is_fixed_and_time_before_the_start_counts_as_zero() {
    let constant = seen(Average::ShortTerm, f64::MAX.min(1e6), &[(0.0, 40.0)]);
    for (t, average, share) in [
        (90.0, 4.0, 0.1),
        (450.0, 20.0, 0.5),
        (900.0, 40.0, 1.0),
        (4000.0, 40.0, 1.0),
    ] {
        close(lower(&constant, t), average);
        close(coverage(&constant, t), share);
        let exposed = constant.average(secs(t)).expect("something was seen");
        close(exposed.upper, average);
    }
    assert_eq!(exposure(Average::ShortTerm).average(secs(100.0)), None);
}

#[test]
fn a_gap_up_to_the_hold_counts_and_the_rest_of_a_longer_one_is_unseen() {
    let gap = seen(
        Average::ShortTerm,
        10.0,
        &[(0.0, 30.0), (10.0, 30.0), (900.0, 0.0)],
    );
    let exposed = gap.average(secs(900.0)).expect("20 s were seen");
    close(exposed.coverage, 20.0 / 900.0);
    close(exposed.lower, 30.0 * 20.0 / 900.0);
    close(exposed.upper, 30.0);
    assert!(!exposed.is_covered());
}

#[test]
fn negative_values_count_as_zero() {
    let mut values = vec![(0.0, -5.0), (300.0, 30.0), (600.0, -5.0)];
    let with = seen(Average::ShortTerm, 1e6, &values);
    values
        .iter_mut()
        .for_each(|(_, value)| *value = value.max(0.0));
    let without = seen(Average::ShortTerm, 1e6, &values);
    close(lower(&with, 900.0), 10.0);
    assert_eq!(with.average(secs(900.0)), without.average(secs(900.0)));
}

#[test]
fn a_dose_grows_beyond_the_peak_and_a_window_does_not() {
    let values = [(0.0, 20.0)];
    let hours = |h: f64| h * 3600.0;
    let window = seen(Average::Shift, 1e9, &values);
    let mut dose = seen(Average::Dose, 1e9, &values);
    for (h, moving, since) in [(4.0, 10.0, 10.0), (8.0, 20.0, 20.0), (12.0, 20.0, 30.0)] {
        close(lower(&window, hours(h)), moving);
        close(lower(&dose, hours(h)), since);
    }
    close(coverage(&dose, hours(12.0)), 1.0);
    dose.reset(secs(hours(12.0)));
    close(lower(&dose, hours(16.0)), 10.0);
    close(coverage(&dose, hours(16.0)), 1.0);
}

#[test]
fn a_delayed_value_counts_from_when_it_was_taken() {
    let mut late = exposure(Average::ShortTerm);
    late.observe(10.0, secs(0.0), secs(1000.0));
    // Looked at in between, as a timer does.
    close(lower(&late, 105.0), 10.0 * 105.0 / 900.0);
    late.observe(40.0, secs(100.0), secs(1000.0));
    close(lower(&late, 110.0), (10.0 * 100.0 + 40.0 * 10.0) / 900.0);
}

#[test]
fn zones_raise_by_the_lower_bound_and_clear_by_the_upper() {
    let steady = |value| seen(Average::ShortTerm, 1e6, &[(0.0, value)]);
    for (exposure, t, believed, zone) in [
        (steady(30.0), 900.0, true, Zone::Beyond),
        (steady(29.0), 900.0, true, Zone::Margin),
        (steady(27.9), 900.0, true, Zone::Inside),
        // Not without a value that is believed; what was reached was reached.
        (steady(27.9), 900.0, false, Zone::Unknown),
        (steady(30.0), 900.0, false, Zone::Beyond),
        // Little was seen, but enough for a raise.
        (steady(3000.0), 20.0, true, Zone::Beyond),
        (steady(1.0), 674.0, true, Zone::Unknown),
        (steady(1.0), 675.0, true, Zone::Inside),
    ] {
        assert_eq!(exposure.zone(believed, secs(t)), zone, "at {t}");
    }
    // 200 s unseen at 100: the average may be above the limit.
    let gap = seen(Average::ShortTerm, 100.0, &[(0.0, 100.0), (300.0, 1.0)]);
    let mut gap = gap;
    (4..9).for_each(|n| gap.observe(1.0, secs(f64::from(n) * 100.0), secs(1e6)));
    let exposed = gap.average(secs(900.0)).expect("seen");
    assert!(exposed.lower < 28.0 && exposed.upper > 30.0 && exposed.is_covered());
    assert_eq!(gap.zone(true, secs(900.0)), Zone::Margin);
}

#[test]
fn updates_come_at_least_every_minute_and_on_the_grid_of_the_spans() {
    for (average, now, next) in [
        (Average::ShortTerm, 0.0, 15.0),
        (Average::ShortTerm, 14.999, 15.0),
        (Average::ShortTerm, 15.0, 30.0),
        (Average::Shift, 299.0, 300.0),
        (Average::Dose, 61.0, 120.0),
    ] {
        let found = exposure(average).next_update(secs(now));
        assert_eq!(found, secs(next), "{average:?} at {now}");
    }
}

fn over_a_restart(exposure: &mut Exposure, average: Average, kill: f64, start: f64) -> Exposure {
    let (last, known) = exposure.remember(moment(kill));
    let memory = Memory {
        alarm: "CO-12/stel".into(),
        at: moment(kill).wall,
        content: Content::Exposure {
            last,
            exposure: known,
        },
    };
    let mut again = self::exposure(average);
    // The monotonic clock of another process: it begins with the process.
    let now = Moment {
        mono: secs(0.5),
        wall: moment(start).wall,
    };
    again.begin(now.mono);
    again.restore(&memory, now);
    again
}

#[test]
fn a_restart_keeps_what_was_seen_and_tells_what_was_not() {
    for average in [Average::ShortTerm, Average::Shift, Average::Dose] {
        let length = average.length().as_secs_f64();
        let mut before = seen(average, 1e9, &[(0.0, 30.0)]);
        let after = over_a_restart(&mut before, average, length, length + 0.1 * length);
        // The window has moved by a tenth that was not seen; a dose keeps all and its time grew.
        let (lower, share) = match average {
            Average::ShortTerm | Average::Shift => (27.0, 0.9),
            Average::Dose => (30.0, 1.0 / 1.1),
        };
        let exposed = after.average(secs(0.5)).expect("it was seen");
        assert!(
            (exposed.lower - lower).abs() < 1e-4,
            "{average:?}: {exposed:?}"
        );
        assert!(
            (exposed.coverage - share).abs() < 1e-5,
            "{average:?}: {exposed:?}"
        );
        assert!(
            exposed.upper >= 29.999,
            "the last value might have stayed: {exposed:?}"
        );
    }
}

#[test]
fn a_restart_after_longer_than_the_window_leaves_nothing_but_the_upper_bound() {
    let mut before = seen(Average::ShortTerm, 1e9, &[(0.0, 30.0)]);
    let mut after = over_a_restart(&mut before, Average::ShortTerm, 900.0, 2000.0);
    assert_eq!(after.average(secs(0.5)), None);
    after.observe(0.0, secs(0.5), secs(100.0));
    let exposed = after.average(secs(10.5)).expect("10 s were seen");
    close(exposed.lower, 0.0);
    assert!(exposed.upper > 29.0, "{exposed:?}");
}

#[test]
fn a_clock_that_went_back_over_a_restart_keeps_all_that_was_seen() {
    let mut before = seen(Average::ShortTerm, 1e9, &[(0.0, 30.0)]);
    let after = over_a_restart(&mut before, Average::ShortTerm, 900.0, 100.0);
    let exposed = after.average(secs(0.5)).expect("it was seen");
    assert!((exposed.lower - 30.0).abs() < 0.1, "{exposed:?}");
}

#[test]
fn memories_that_make_no_sense_are_passed_over() {
    let spans = vec![Amount::from([1.0, 0.0, 15.0]); 60];
    for (width_s, newest_s) in [(0.0, 0.0), (-15.0, 15.0), (15.0, -1.0), (1e300, 15.0)] {
        let mut exposure = exposure(Average::ShortTerm);
        let memory = Memory {
            alarm: "CO-12/stel".into(),
            at: moment(0.0).wall,
            content: Content::Exposure {
                last: None,
                exposure: memory::Exposure::Window {
                    width_s,
                    newest_s,
                    spans: spans.clone(),
                },
            },
        };
        exposure.restore(&memory, moment(0.0));
        let found = exposure.average(Mono::ZERO);
        assert!(
            found.is_none_or(|exposed| exposed.coverage <= 1.0),
            "{width_s}"
        );
    }
}

/// Values at rising times within 40 minutes, holds, and a time to look.
fn traces() -> impl Strategy<Value = (Vec<(f64, f64)>, f64, u32)> {
    let step = prop_oneof![4 => 0.1_f64..20.0, 1 => 20.0_f64..400.0];
    let values = prop::collection::vec((step, -20.0_f64..500.0), 1..150);
    (values, prop_oneof![Just(10.0_f64), Just(1e6)], 1_u32..160).prop_map(|(steps, hold, looks)| {
        let mut t = 0.0;
        let values = steps.into_iter().map(|(step, value)| {
            t += step;
            // Whole milliseconds, so that both sides mean the same times.
            ((t * 1000.0).round() / 1000.0, value)
        });
        (values.collect(), hold, looks)
    })
}

/// An exposure as it stands at `t`, with the grid of the engine's looks on the way.
fn until(values: &[(f64, f64)], hold: f64, t: f64) -> Exposure {
    let past: Vec<_> = values.iter().copied().filter(|(at, _)| *at <= t).collect();
    seen(Average::ShortTerm, hold, &past)
}

proptest! {
    /// At every update the average is the integral.
    #[test]
    fn on_the_grid_the_average_is_the_integral((values, hold, looks) in traces()) {
        let t = f64::from(looks) * 15.0;
        let (sum, time) = integral(hold, &values, t - 900.0, t);
        let exposure = until(&values, hold, t);
        close(lower(&exposure, t), sum / 900.0);
        close(coverage(&exposure, t), time / 900.0);
    }

    /// Between updates it is off by what the module promises, and never above the largest value.
    #[test]
    fn between_updates_it_is_close((values, hold, looks) in traces(), off in 0.0_f64..15.0) {
        let t = ((f64::from(looks) * 15.0 + off) * 1000.0).round() / 1000.0;
        let (sum, _) = integral(hold, &values, t - 900.0, t);
        let largest = values.iter().map(|(_, value)| *value).fold(0.0, f64::max);
        let found = lower(&until(&values, hold, t), t);
        let most = largest * 15.0 / 4.0 / 900.0;
        prop_assert!((found - sum / 900.0).abs() <= most + 1e-9, "{found} at {t}");
        prop_assert!(found <= largest * (1.0 + 1e-12));
    }

    /// Twice as much gas is twice the exposure, and two gases are the sum of both.
    #[test]
    fn averages_are_linear((values, hold, looks) in traces(), factor in 0.1_f64..10.0) {
        let t = f64::from(looks) * 15.0 + 7.0;
        let positive: Vec<_> = values.iter().map(|(t, value)| (*t, value.abs())).collect();
        let other: Vec<_> = values.iter().map(|(t, value)| (*t, value.abs() * factor + 3.0)).collect();
        let both: Vec<_> = positive.iter().zip(&other).map(|((t, a), (_, b))| (*t, a + b)).collect();
        let at = |values: &[(f64, f64)]| lower(&until(values, hold, t), t);
        close(at(&both), at(&positive) + at(&other));
        let scaled: Vec<_> = positive.iter().map(|(t, value)| (*t, value * factor)).collect();
        close(at(&scaled), at(&positive) * factor);
    }

    /// Bounds enclose, and meet where everything was seen.
    #[test]
    fn the_bounds_enclose_the_truth((values, _, looks) in traces()) {
        let t = f64::from(looks) * 15.0;
        let Some(exposed) = until(&values, 10.0, t).average(secs(t)) else { return Ok(()) };
        let all = until(&values, 1e6, t).average(secs(t)).expect("what holds longer was seen");
        prop_assert!(exposed.lower <= exposed.upper + 1e-9);
        prop_assert!((0.0..=1.0).contains(&exposed.coverage));
        // "The last value stays" is what a hold without end says.
        close(exposed.upper, all.lower);
    }

    /// A restart without a gap changes no more than the digits that are remembered, and what spans say
    /// that lie across the new grid.
    #[test]
    fn a_restart_is_hardly_felt((values, hold, looks) in traces(), off in 0.0_f64..15.0) {
        let t = f64::from(looks) * 15.0 + off;
        let mut before = until(&values, hold, t);
        let Some(expected) = before.average(secs(t)) else { return Ok(()) };
        let after = over_a_restart(&mut before, Average::ShortTerm, t, t);
        let found = after.average(secs(0.5)).expect("as before");
        let largest = values.iter().map(|(_, value)| *value).fold(0.0, f64::max);
        let most = largest * 15.0 / 2.0 / 900.0 + largest * 1e-5;
        prop_assert!((found.lower - expected.lower).abs() <= most);
        prop_assert!((found.coverage - expected.coverage).abs() <= 1e-5 + 3.75 / 900.0);
        prop_assert_eq!(STEL, Average::ShortTerm.length());
    }
}
