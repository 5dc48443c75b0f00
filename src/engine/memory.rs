//! What an alarm must know after a restart and what is no event: the exposure that its average was
//! made of (alarm-standards 1.7: "STEL/TWA must survive restart").
//!
//! The engine hands a [`Memory`] to the journal every minute or more rarely, and at the end
//! ([`Effect::Remember`](super::effect::Effect::Remember)); the newest one of each alarm comes back in
//! [`History`](super::snapshot::History). What lies between the last one and a power cut is lost, and
//! the coverage of the average says so. Numbers have six significant digits: a sensor has fewer.

use std::ops::{Add, AddAssign, Mul};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::time::Wall;

/// The memory of one alarm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    /// `POINT/kind`.
    pub alarm: Arc<str>,
    /// Until when it knows.
    pub at: Wall,
    /// The newest value before `at`, in the point's unit; `None` when there was none yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<f64>,
    /// What it knows.
    pub exposure: Exposure,
}

/// What an average was made of. Amounts are in the point's unit times seconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exposure {
    /// A moving window, in spans of equal length.
    Window {
        /// Length of a span, seconds.
        width_s: f64,
        /// How much of the newest span had passed, seconds.
        newest_s: f64,
        /// Oldest first.
        spans: Vec<Amount>,
    },
    /// Everything since the last reset.
    Dose {
        /// When it began.
        since: Wall,
        /// The sum.
        sum: Amount,
    },
}

/// What happened within a time: written as a list of three, for there are many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "[f64; 3]", into = "[f64; 3]")]
pub struct Amount {
    /// What was seen.
    pub seen: f64,
    /// What unseen time would have added if the last value had stayed.
    pub assumed: f64,
    /// For how long it was seen, seconds.
    pub seconds: f64,
}

impl Add for Amount {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            seen: self.seen + other.seen,
            assumed: self.assumed + other.assumed,
            seconds: self.seconds + other.seconds,
        }
    }
}

impl AddAssign for Amount {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

/// A share of it.
impl Mul<f64> for Amount {
    type Output = Self;

    fn mul(self, share: f64) -> Self {
        Self {
            seen: self.seen * share,
            assumed: self.assumed * share,
            seconds: self.seconds * share,
        }
    }
}

impl From<[f64; 3]> for Amount {
    fn from([seen, assumed, seconds]: [f64; 3]) -> Self {
        Self {
            seen,
            assumed,
            seconds,
        }
    }
}

impl From<Amount> for [f64; 3] {
    fn from(amount: Amount) -> Self {
        [amount.seen, amount.assumed, amount.seconds]
    }
}
