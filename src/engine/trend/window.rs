//! The samples of the last while, in constant time per sample.
//!
//! Samples that arrive closer together than a bucket's share of the window join one bucket, with their
//! number as weight, so a chatty sensor costs no memory and loses no span. All buckets but the newest
//! are *closed*; their sums are kept up to date by adding what comes and taking away what leaves.
//!
//! # Why the sums cannot drift
//!
//! Sums are taken from an anchor in the middle of the data, so that squares stay small. Still, every
//! step rounds, and what is left after a large value has gone is the rounding of the large value. So
//! they are made anew from the buckets, exactly, when either
//!
//! - every bucket that was there at the last time has left: errors of more steps than a window has
//!   buckets never pile up, and the anchor is never more than a window old; or
//! - the spread is less than a 10,000th of the greatest sum it was taken from: of sixteen digits four
//!   may be lost.
//!
//! The first costs one step per step. The second needs a spread that falls by four orders of magnitude
//! each time, which a float can do some 150 times in a row; then it costs what the sums save.

use std::collections::VecDeque;
use std::time::Duration;

use super::super::memory::Sampled;
use super::super::report::six_digits;
use super::super::time::{Mono, Nanos, nanos};
use super::line::Line;

/// A spread below this share of the greatest sum before it is not trusted.
const TRUST: f64 = 1e-4;

/// Samples that count as one.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Bucket {
    /// Mean time, seconds.
    pub(super) time: f64,
    /// Mean value.
    pub(super) value: f64,
    /// How many samples; 0 for a bucket that is not begun.
    weight: f64,
    /// Sum of squared distances of the values from their mean: noise must not vanish in an average.
    scatter: f64,
}

/// The good samples of the last `length`.
#[derive(Debug)]
pub(super) struct Window {
    length: f64,
    /// How long a bucket takes in samples.
    width: Duration,
    /// How many there may be, the open one included.
    most: usize,
    closed: VecDeque<Bucket>,
    /// The newest bucket.
    open: Bucket,
    /// When its first sample came.
    since: Mono,
    /// Time of the newest sample.
    newest: Option<Nanos>,
    sums: Sums,
}

/// Sums over closed buckets, of distances from the anchor.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Sums {
    anchor_time: f64,
    anchor_value: f64,
    weight: f64,
    time: f64,
    value: f64,
    time_time: f64,
    time_value: f64,
    value_value: f64,
    /// The greatest `value_value` since the sums were made.
    greatest: f64,
    /// Buckets that were there then and have not left yet.
    old: usize,
}

/// Sums of distances from the means.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Moments {
    weight: f64,
    mean_time: f64,
    mean_value: f64,
    time_time: f64,
    time_value: f64,
    value_value: f64,
}

impl Bucket {
    const fn one(time: f64, value: f64) -> Self {
        Self {
            time,
            value,
            weight: 1.0,
            scatter: 0.0,
        }
    }

    /// Both as one.
    fn joined(self, other: Self) -> Self {
        let weight = self.weight + other.weight;
        let share = other.weight / weight;
        let distance = other.value - self.value;
        Self {
            time: self.time + (other.time - self.time) * share,
            value: self.value + distance * share,
            weight,
            scatter: self.scatter + other.scatter + distance * distance * self.weight * share,
        }
    }

    fn join(&mut self, time: f64, value: f64) {
        self.weight += 1.0;
        let distance = value - self.value;
        self.time += (time - self.time) / self.weight;
        self.value += distance / self.weight;
        self.scatter += distance * (value - self.value);
    }
}

impl Window {
    /// An empty window of `length` in at most `buckets` buckets.
    pub(super) fn new(length: Duration, buckets: u32) -> Self {
        Self {
            length: length.as_secs_f64(),
            width: width(length, buckets),
            most: buckets as usize,
            closed: VecDeque::new(),
            open: Bucket::default(),
            since: Mono::ZERO,
            newest: None,
            sums: Sums::default(),
        }
    }

    /// Time of the newest sample that was ever pushed.
    pub(super) const fn newest(&self) -> Option<Nanos> {
        self.newest
    }

    /// What is in it at `now`, in at most `most` pieces; nothing while it is empty.
    pub(super) fn remember(&self, now: Mono, most: usize) -> Option<(f64, Vec<Sampled>)> {
        let newest = self.newest.filter(|_| self.samples() > 0.0)?;
        let buckets: Vec<Bucket> = self
            .buckets()
            .filter(|own| own.weight > 0.0)
            .copied()
            .collect();
        let pieces = buckets.chunks(buckets.len().div_ceil(most).max(1));
        let pieces = pieces.filter_map(|piece| piece.iter().copied().reduce(Bucket::joined));
        let now_s = now.as_secs_f64();
        let samples = pieces.map(|piece| Sampled {
            age_s: six_digits(now_s - piece.time),
            value: six_digits(piece.value),
            weight: piece.weight,
            scatter: six_digits(piece.scatter),
        });
        let age = Duration::from_nanos(nanos(now).saturating_sub(newest).max(0).unsigned_abs());
        Some((six_digits(age.as_secs_f64()), samples.collect()))
    }

    /// Takes up what was in it at `at`, on the scale of [`Mono`]. To be called while it is empty.
    pub(super) fn restore(&mut self, newest: Nanos, samples: &[Sampled], at: Nanos, now: Mono) {
        if samples.is_empty() {
            return;
        }
        let gone = Duration::from_nanos(nanos(now).saturating_sub(at).max(0).unsigned_abs());
        let at_s = now.as_secs_f64() - gone.as_secs_f64();
        let sound = samples.iter().filter(|sample| {
            let parts = <[f64; 4]>::from(**sample);
            parts.iter().all(|part| part.is_finite()) && sample.weight >= 1.0 && sample.age_s >= 0.0
        });
        self.closed.extend(sound.map(|sample| Bucket {
            time: at_s - sample.age_s,
            value: sample.value,
            weight: sample.weight,
            scatter: sample.scatter.max(0.0),
        }));
        self.newest = Some(newest);
        self.rebuild();
        self.forget(now.as_secs_f64() - self.length);
    }

    /// Takes one sample. One that is older than the newest goes to its place. Says whether it joined a
    /// bucket that was there.
    pub(super) fn push(&mut self, time: Mono, value: f64) -> bool {
        let seconds = time.as_secs_f64();
        if self.newest.is_some_and(|newest| nanos(time) < newest) {
            return self.insert(time, value);
        }
        self.newest = Some(nanos(time));
        self.forget(seconds - self.length);
        if self.open.weight > 0.0 && time.since(self.since) < self.width {
            self.open.join(seconds, value);
            return true;
        }
        self.close();
        self.since = time;
        self.open = Bucket::one(seconds, value);
        false
    }

    /// Forgets all samples.
    pub(super) fn clear(&mut self) {
        self.closed.clear();
        self.open = Bucket::default();
        self.sums = Sums::default();
    }

    /// How many samples the buckets stand for.
    pub(super) fn samples(&self) -> f64 {
        self.sums.weight + self.open.weight
    }

    /// Time from the first to the last of the buckets, seconds.
    pub(super) fn span(&self) -> f64 {
        let first = self.closed.front().unwrap_or(&self.open);
        self.open.time - first.time
    }

    /// All buckets, the oldest first.
    pub(super) fn buckets(&self) -> impl DoubleEndedIterator<Item = &Bucket> {
        self.closed.iter().chain([&self.open])
    }

    /// The least-squares line through the samples, as of `newest`.
    pub(super) fn least_squares(&mut self, newest: Mono) -> Option<Line> {
        let Moments {
            weight,
            mean_time,
            mean_value,
            time_time,
            time_value,
            value_value,
        } = self.moments();
        // One bucket has no slope; what its sums show is rounding.
        if self.closed.is_empty() || time_time <= 0.0 {
            return None;
        }
        let slope = time_value / time_time;
        let residual = (value_value - slope * time_value).max(0.0);
        let error = (residual / ((weight - 2.0).max(1.0) * time_time)).sqrt();
        let value = mean_value + slope * (newest.as_secs_f64() - mean_time);
        Line::new(
            newest,
            value,
            slope,
            (slope - 2.0 * error, slope + 2.0 * error),
        )
    }

    /// A sample out of order: a bucket of its own, or a part of the one before it when there is no room.
    fn insert(&mut self, time: Mono, value: f64) -> bool {
        let seconds = time.as_secs_f64();
        if time >= self.since {
            self.open.join(seconds, value);
            return true;
        }
        let at = self.closed.partition_point(|bucket| bucket.time <= seconds);
        // Before the first one lies what the window has forgotten, or never saw.
        let Some(before) = at.checked_sub(1) else {
            return true;
        };
        if self.closed.len() + 1 < self.most {
            let bucket = Bucket::one(seconds, value);
            self.closed.insert(at, bucket);
            self.sums = self.sums.with(&bucket);
            return false;
        }
        self.closed[before].join(seconds, value);
        self.rebuild();
        true
    }

    fn moments(&mut self) -> Moments {
        let all = self.sums.with(&self.open);
        let moments = all.moments();
        // Written so that what is no number is not trusted.
        if moments.value_value >= TRUST * all.greatest {
            return moments;
        }
        self.rebuild();
        self.sums.with(&self.open).moments()
    }

    /// The open bucket takes no more samples.
    fn close(&mut self) {
        if self.open.weight > 0.0 {
            if self.closed.is_empty() {
                self.sums = Sums::from(self.open.time, self.open.value);
            }
            self.sums = self.sums.with(&self.open);
            self.closed.push_back(self.open);
        }
    }

    /// Lets go of buckets at or before `oldest`.
    fn forget(&mut self, oldest: f64) {
        while let Some(first) = self.closed.front()
            && first.time <= oldest
        {
            self.sums.remove(first);
            self.closed.pop_front();
            if self.sums.old == 0 {
                self.rebuild();
            }
        }
        if self.closed.is_empty() && self.open.time <= oldest {
            self.open = Bucket::default();
        }
    }

    fn rebuild(&mut self) {
        let mut sums = Sums::default();
        if self.closed.is_empty() {
            self.sums = sums;
            return;
        }
        for bucket in &self.closed {
            sums.weight += bucket.weight;
            sums.time += bucket.weight * bucket.time;
            sums.value += bucket.weight * bucket.value;
        }
        sums = Sums::from(sums.time / sums.weight, sums.value / sums.weight);
        for bucket in &self.closed {
            sums = sums.with(bucket);
        }
        sums.old = self.closed.len();
        self.sums = sums;
    }
}

impl Sums {
    /// Nothing yet, seen from an anchor.
    fn from(anchor_time: f64, anchor_value: f64) -> Self {
        Self {
            anchor_time,
            anchor_value,
            ..Self::default()
        }
    }

    #[must_use]
    fn with(mut self, bucket: &Bucket) -> Self {
        self.weigh(bucket, bucket.weight, bucket.scatter);
        self.greatest = self.greatest.max(self.value_value);
        self
    }

    fn remove(&mut self, bucket: &Bucket) {
        self.weigh(bucket, -bucket.weight, -bucket.scatter);
        self.old = self.old.saturating_sub(1);
    }

    fn weigh(&mut self, bucket: &Bucket, weight: f64, scatter: f64) {
        let time = bucket.time - self.anchor_time;
        let value = bucket.value - self.anchor_value;
        self.weight += weight;
        self.time += weight * time;
        self.value += weight * value;
        self.time_time += weight * time * time;
        self.time_value += weight * time * value;
        self.value_value += weight * value * value + scatter;
    }

    fn moments(&self) -> Moments {
        let (time, value) = (self.time / self.weight, self.value / self.weight);
        Moments {
            weight: self.weight,
            mean_time: self.anchor_time + time,
            mean_value: self.anchor_value + value,
            time_time: self.time_time - self.time * time,
            time_value: self.time_value - self.time * value,
            value_value: self.value_value - self.value * value,
        }
    }
}

/// So wide that no more than `buckets` fit, of which the oldest and the newest may be cut. Rounded up.
fn width(length: Duration, buckets: u32) -> Duration {
    length / (buckets - 1) + Duration::from_nanos(1)
}

#[cfg(test)]
mod tests;
