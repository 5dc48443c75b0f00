//! A window that moves with time, over a value that holds: how much there was of it.
//!
//! ```text
//!        now − length                                                  now
//!             │                                                         │
//!   ┌─────────┼──────┬────────────────┬─   ─┬────────────────┬──────────┼─────┐
//!   │ oldest span    │                │ ... │                │ newest span    │
//!   └─────────┴──────┴────────────────┴─   ─┴────────────────┴──────────┴─────┘
//!     its share ─────▶│◀───────────── as they are ─────────────────────▶│
//! ```
//!
//! A ring of spans: 15 s for a quarter of an hour, 5 min for eight hours. Of the oldest span, which
//! the window leaves bit by bit, only the sum is known; it counts by the share of it that still lies
//! inside. So the sum is exact whenever a span ends, and in between it is off by a quarter of a
//! span's length at most, times the spread of the values within the oldest span: below half a
//! percent of that spread in the average. Memory and cost do not depend on how often values come.

use std::iter;
use std::time::Duration;

use super::super::super::memory::{self, Amount};
use super::super::super::report::six_digits;
use super::super::super::time::{Nanos, span_nanos};

/// Spans to a window of a quarter of an hour.
const SHORT_SPANS: i64 = 60;
/// Spans to a longer one.
const LONG_SPANS: i64 = 96;
/// The longest window with short spans.
const SHORT: Duration = Duration::from_secs(900);

/// Seconds from one time to a later one; 0 when it is not later.
pub(super) fn seconds(from: Nanos, to: Nanos) -> f64 {
    Duration::from_nanos(to.saturating_sub(from).max(0).unsigned_abs()).as_secs_f64()
}

/// The part of an amount, spread evenly over `of`, that lies within `inside`.
pub(super) fn share(amount: Amount, of: (Nanos, Nanos), inside: (Nanos, Nanos)) -> Amount {
    let whole = seconds(of.0, of.1);
    let part = seconds(of.0.max(inside.0), of.1.min(inside.1));
    if part >= whole {
        return amount;
    }
    amount * (part / whole)
}

/// The ring.
#[derive(Debug, Clone)]
pub(super) struct Window {
    /// Length of a span.
    width: Nanos,
    /// Number of spans to a window; the ring holds one more.
    count: i64,
    spans: Box<[Amount]>,
    /// Number of the newest span, counted from time 0.
    newest: i64,
}

impl Window {
    /// An empty window of this length.
    pub(super) fn new(length: Duration) -> Self {
        let count = if length <= SHORT {
            SHORT_SPANS
        } else {
            LONG_SPANS
        };
        let length = span_nanos(length);
        Self {
            width: length / count,
            count,
            spans: (0..=count).map(|_| Amount::default()).collect(),
            newest: 0,
        }
    }

    /// Where the window begins that ends `now`.
    pub(super) const fn begin(&self, now: Nanos) -> Nanos {
        now.saturating_sub(self.width * self.count)
    }

    /// Adds an amount spread evenly over a time. What lies before the ring is forgotten.
    pub(super) fn add(&mut self, from: Nanos, to: Nanos, amount: Amount) {
        if to <= from {
            return;
        }
        self.reach(self.number(to - 1));
        let oldest = self.newest - self.count;
        let first = self.number(from).max(oldest);
        for number in first..=self.number(to - 1) {
            let span = self.bounds(number);
            let part = share(amount, (from, to), span);
            self.spans[self.place(number)] += part;
        }
    }

    /// What there was within the window that ends `now`, which is not before the newest amount.
    pub(super) fn within(&self, now: Nanos) -> Amount {
        let begin = self.begin(now);
        let first = self.number(begin);
        let whole = (first + 1).max(self.newest - self.count)..=self.newest;
        let whole = whole.map(|number| self.spans[self.place(number)]);
        let whole = whole.fold(Amount::default(), |sum, span| sum + span);
        if !(self.newest - self.count..=self.newest).contains(&first) {
            return whole;
        }
        let (from, to) = self.bounds(first);
        whole + share(self.spans[self.place(first)], (from, to), (begin, to))
    }

    /// The spans as they are remembered at `now`.
    pub(super) fn remember(&self, now: Nanos) -> memory::Exposure {
        // A span that ends now is the newest one, and it is whole.
        let newest = self.number(now - 1);
        let (from, _) = self.bounds(newest);
        let oldest = self.number(self.begin(now));
        let span = |number| {
            if (self.newest - self.count..=self.newest).contains(&number) {
                rounded(self.spans[self.place(number)])
            } else {
                Amount::default()
            }
        };
        memory::Exposure::Window {
            width_s: seconds(0, self.width),
            newest_s: seconds(from, now),
            spans: (oldest..=newest).map(span).collect(),
        }
    }

    /// Fills in spans that were remembered: width of a span, how much of the newest had passed, and
    /// the spans, of which the newest ended at `at`.
    pub(super) fn restore(
        &mut self,
        (width, newest, spans): (f64, f64, &[Amount]),
        at: Nanos,
        now: Nanos,
    ) {
        let length = |seconds| {
            let span = Duration::try_from_secs_f64(seconds).ok()?;
            i64::try_from(span.as_nanos()).ok()
        };
        let (Some(width), Some(newest)) = (length(width), length(newest)) else {
            return;
        };
        if at < self.begin(now) {
            return;
        }
        self.reach(self.number(now));
        let ends = iter::successors(Some(at.saturating_sub(newest)), |end| {
            end.checked_sub(width)
        });
        let starts = ends.clone();
        for ((from, to), amount) in starts
            .zip(iter::once(at).chain(ends))
            .zip(spans.iter().rev())
        {
            self.add(from, to, *amount);
        }
    }

    /// Moves the ring on until `number` is in it.
    fn reach(&mut self, number: i64) {
        if number > self.newest + self.count {
            self.spans.fill(Amount::default());
            self.newest = number;
        }
        while self.newest < number {
            self.newest += 1;
            self.spans[self.place(self.newest)] = Amount::default();
        }
    }

    const fn number(&self, at: Nanos) -> i64 {
        at.div_euclid(self.width)
    }

    const fn bounds(&self, number: i64) -> (Nanos, Nanos) {
        let from = number.saturating_mul(self.width);
        (from, from.saturating_add(self.width))
    }

    fn place(&self, number: i64) -> usize {
        usize::try_from(number.rem_euclid(self.count + 1)).unwrap_or(0)
    }
}

fn rounded(amount: Amount) -> Amount {
    let Amount {
        seen,
        assumed,
        seconds,
    } = amount;
    [seen, assumed, seconds].map(six_digits).into()
}
