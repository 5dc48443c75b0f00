//! The Theil-Sen line: the median of the slopes of all pairs of buckets, through the median of what is
//! left. Up to 29 % of the buckets may be anything, and it still stands.
//!
//! The band is Sen's (1968): as many pairs below and above the median as Kendall's statistic strays by
//! two standard deviations when there is no trend. Exact and the same on every machine: each number is
//! one of the slopes, or the mean of the two in the middle.
//!
//! Its weakness are coarse steps: in a value that makes one step within the window half of all pairs are
//! level, and the slope may be 0.

use super::super::time::Mono;
use super::THEIL_SEN_BUCKETS;
use super::line::Line;
use super::window::Bucket;

const MOST: usize = THEIL_SEN_BUCKETS as usize;
const MOST_PAIRS: usize = MOST * (MOST - 1) / 2;

/// Fewer buckets have no majority worth the name, however many samples are in them.
const LEAST: usize = 5;

/// The line through `buckets`, as of `newest`; of more than [`THEIL_SEN_BUCKETS`] through the newest.
pub(super) fn line<'a>(
    buckets: impl DoubleEndedIterator<Item = &'a Bucket>,
    newest: Mono,
) -> Option<Line> {
    let end = newest.as_secs_f64();
    let mut points = [(0.0, 0.0); MOST];
    let mut count = 0;
    for (point, bucket) in points.iter_mut().zip(buckets.rev()) {
        *point = (bucket.time - end, bucket.value);
        count += 1;
    }
    if count < LEAST {
        return None;
    }
    let points = &points[..count];
    let mut slopes = [0.0; MOST_PAIRS];
    let pairs = slopes_of_pairs(points, &mut slopes);
    let (slope, band) = middle(&mut slopes[..pairs], stray(count))?;
    let mut rests = [0.0; MOST];
    for (rest, (time, value)) in rests.iter_mut().zip(points) {
        *rest = value - slope * time;
    }
    let (value, _) = middle(&mut rests[..count], 0)?;
    Line::new(newest, value, slope, band)
}

/// Fills `slopes` and says how many there are.
fn slopes_of_pairs(points: &[(f64, f64)], slopes: &mut [f64]) -> usize {
    let mut pairs = 0;
    for (index, (late, high)) in points.iter().enumerate() {
        for (early, low) in &points[index + 1..] {
            let time = late - early;
            if time > 0.0 {
                slopes[pairs] = (high - low) / time;
                pairs += 1;
            }
        }
    }
    pairs
}

/// One standard deviation of Kendall's statistic for `count` points without a trend, rounded up. The
/// statistic counts pairs that rise less those that fall: two deviations of it are one of either.
const fn stray(count: usize) -> usize {
    (count * (count - 1) * (2 * count + 5) / 18).isqrt() + 1
}

/// The median, and the values `stray` places below and above it.
fn middle(values: &mut [f64], stray: usize) -> Option<(f64, (f64, f64))> {
    let count = values.len();
    let last = count.checked_sub(1)?;
    let mut at = |place: usize| {
        let (_, value, _) = values.select_nth_unstable_by(place, f64::total_cmp);
        *value
    };
    let low = at((count / 2).saturating_sub(stray + 1));
    let high = at((count.div_ceil(2) + stray).min(last));
    let above = at(count / 2);
    let median = if count.is_multiple_of(2) {
        let below = at(count / 2 - 1);
        below + (above - below) / 2.0
    } else {
        above
    };
    Some((median, (low, high)))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::window::Window;
    use super::*;

    #[test]
    fn five_pieces_make_a_line_and_four_do_not() {
        for (pieces, drawn) in [(4, false), (5, true)] {
            let mut window = Window::new(Duration::from_secs(60), 64);
            for second in 0..pieces {
                let time = Mono::ZERO + Duration::from_secs(second);
                window.push(time, second as f64);
            }
            let newest = Mono::ZERO + Duration::from_secs(pieces - 1);
            assert_eq!(line(window.buckets(), newest).is_some(), drawn, "{pieces}");
        }
    }

    /// The square root of `n (n - 1) (2 n + 5) / 18`, rounded up.
    #[test]
    fn the_stray_is_a_deviation_of_kendalls_statistic() {
        for (count, expected) in [(2, 2), (5, 5), (10, 12), (20, 31), (60, 157)] {
            assert_eq!(stray(count), expected, "{count}");
        }
    }
}
