//! Rate of change by ordinary least squares over a window (alarm-standards 2.4).
//!
//! ```text
//! slope = Σ(tᵢ−t̄)(vᵢ−v̄) / Σ(tᵢ−t̄)² · 60      over the good samples in (t−W, t]
//! ```
//!
//! There is a slope only with enough samples, over enough of the window, without a large hole;
//! otherwise there is *no verdict*, which neither raises nor clears. Of n even samples a single
//! outlier e moves this slope by about 6e/(nW), but an end-point slope by e/W.
//!
//! The window holds at most [`BUCKETS`] entries. Samples that arrive closer together than a bucket's
//! share of the window are averaged into one entry with their number as weight, so a chatty sensor
//! costs no memory and loses no span. Times are those of the source where its clock was accepted,
//! always on the gateway's monotonic scale: a wall-clock step cannot bend a slope.

use std::collections::VecDeque;
use std::time::Duration;

use super::super::delay::Zone;
use super::super::reading::Finite;
use super::super::settings::{Direction, RateRule};
use super::super::time::Mono;

/// Entries of a window at most.
const BUCKETS: u32 = 128;

/// Samples that count as one: their means and their number.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Bucket {
    /// Mean time, seconds.
    time: f64,
    /// Mean value.
    value: f64,
    /// How many samples.
    weight: f64,
}

/// The good samples of the last `window`, and what they say.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) struct Window {
    buckets: VecDeque<Bucket>,
    /// When the first sample of the newest bucket came; later ones join it for a bucket's width.
    bucket_since: Mono,
    /// Time of the newest sample.
    newest: Option<Mono>,
    /// No verdict before this: until then a hole lies in the window.
    whole_from: Mono,
}

/// A line through the window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in super::super) struct Fit {
    /// Units per minute.
    pub(in super::super) slope_per_min: f64,
    /// Standard error of the slope, units per minute.
    pub(in super::super) error_per_min: f64,
    /// The line's value at the newest sample.
    pub(in super::super) value: f64,
}

impl Default for Window {
    fn default() -> Self {
        Self {
            buckets: VecDeque::new(),
            bucket_since: Mono::ZERO,
            newest: None,
            whole_from: Mono::ZERO,
        }
    }
}

impl Window {
    /// Takes one good sample. One that is older than the newest goes to its place.
    pub(in super::super) fn push(&mut self, rule: &RateRule, time: Mono, value: Finite) {
        if self.newest.is_some_and(|newest| time < newest) {
            self.insert(time, value);
            return;
        }
        if let Some(newest) = self.newest
            && time.since(newest) > rule.max_gap
        {
            self.buckets.clear();
            self.whole_from = newest + rule.window;
        }
        self.newest = Some(time);
        self.forget(time, rule.window);
        let width = rule.window / BUCKETS;
        match self.buckets.back_mut() {
            Some(bucket) if time.since(self.bucket_since) < width => {
                bucket.weight += 1.0;
                bucket.time += (time.as_secs_f64() - bucket.time) / bucket.weight;
                bucket.value += (value.get() - bucket.value) / bucket.weight;
            }
            _ => {
                self.bucket_since = time;
                self.buckets.push_back(Bucket {
                    time: time.as_secs_f64(),
                    value: value.get(),
                    weight: 1.0,
                });
            }
        }
    }

    /// A sample out of order: a bucket of its own, or a part of the one before it when there is no room.
    fn insert(&mut self, time: Mono, value: Finite) {
        let time = time.as_secs_f64();
        let at = self.buckets.partition_point(|bucket| bucket.time <= time);
        let full = self.buckets.len() >= BUCKETS as usize;
        match at
            .checked_sub(1)
            .and_then(|before| self.buckets.get_mut(before))
        {
            // Before the first one lies what the window has forgotten, or never saw.
            None => {}
            Some(bucket) if full => {
                bucket.weight += 1.0;
                bucket.time += (time - bucket.time) / bucket.weight;
                bucket.value += (value.get() - bucket.value) / bucket.weight;
            }
            Some(_) => self.buckets.insert(
                at,
                Bucket {
                    time,
                    value: value.get(),
                    weight: 1.0,
                },
            ),
        }
    }

    /// The line through the window, when there is enough to draw one.
    pub(in super::super) fn fit(&self, rule: &RateRule) -> Option<Fit> {
        let newest = self.newest?;
        if newest < self.whole_from {
            return None;
        }
        let (first, last) = (self.buckets.front()?, self.buckets.back()?);
        let count: f64 = self.buckets.iter().map(|bucket| bucket.weight).sum();
        if count < as_f64(rule.min_samples) || last.time - first.time < rule.min_span.as_secs_f64()
        {
            return None;
        }
        self.least_squares(count)
    }

    /// Does the window say nothing about `now`, because too much time lies behind it unseen?
    pub(in super::super) fn ends_long_before(&self, rule: &RateRule, now: Mono) -> bool {
        (self.newest).is_none_or(|newest| now.since(newest) > rule.max_gap)
    }

    fn least_squares(&self, count: f64) -> Option<Fit> {
        let mean = |of: fn(&Bucket) -> f64| {
            self.buckets
                .iter()
                .map(|bucket| of(bucket) * bucket.weight)
                .sum::<f64>()
                / count
        };
        let (time, value) = (mean(|bucket| bucket.time), mean(|bucket| bucket.value));
        let (mut stt, mut stv, mut svv) = (0.0, 0.0, 0.0);
        for bucket in &self.buckets {
            let (dt, dv) = (bucket.time - time, bucket.value - value);
            stt += bucket.weight * dt * dt;
            stv += bucket.weight * dt * dv;
            svv += bucket.weight * dv * dv;
        }
        if stt <= 0.0 {
            return None;
        }
        let slope = stv / stt;
        let residual = slope.mul_add(-stv, svv).max(0.0);
        let error = (residual / (count - 2.0).max(1.0) / stt).sqrt();
        let fit = Fit {
            slope_per_min: slope * 60.0,
            error_per_min: error * 60.0,
            value: slope.mul_add(self.buckets.back()?.time - time, value),
        };
        // Values near the end of what a float holds overflow in the sums: no verdict.
        (fit.slope_per_min.is_finite() && fit.error_per_min.is_finite() && fit.value.is_finite())
            .then_some(fit)
    }

    fn forget(&mut self, time: Mono, window: Duration) {
        let oldest = time.as_secs_f64() - window.as_secs_f64();
        while self
            .buckets
            .front()
            .is_some_and(|bucket| bucket.time <= oldest)
        {
            self.buckets.pop_front();
        }
    }
}

impl Fit {
    /// Is the slope more than its own noise (twice its standard error)?
    pub(in super::super) fn is_significant(&self) -> bool {
        self.slope_per_min.abs() > 2.0 * self.error_per_min
    }

    /// Seconds until the line meets `limit`; `None` when it leads away from it, or is noise.
    pub(in super::super) fn seconds_to(&self, limit: f64) -> Option<f64> {
        let seconds = (limit - self.value) / self.slope_per_min * 60.0;
        (self.is_significant() && seconds.is_finite() && seconds > 0.0).then_some(seconds)
    }
}

/// Where the slope lies with respect to the rule.
pub(in super::super) fn zone(rule: &RateRule, fit: Option<Fit>) -> Zone {
    let Some(fit) = fit else {
        return Zone::Unknown;
    };
    let steepness = match rule.direction {
        Direction::Rise => fit.slope_per_min,
        Direction::Fall => -fit.slope_per_min,
    };
    if steepness >= rule.limit_per_min {
        Zone::Beyond
    } else if steepness < rule.limit_per_min - rule.deadband_per_min {
        Zone::Inside
    } else {
        Zone::Margin
    }
}

/// A sample count as a float; counts are far below 2^52.
fn as_f64(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::INFINITY, f64::from)
}

#[cfg(test)]
mod tests;
