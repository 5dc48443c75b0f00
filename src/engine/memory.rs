//! What must be known after a restart and what is no event: the exposure that an average was made of
//! (alarm-standards 1.7: "STEL/TWA must survive restart"), the values in long windows and the instants
//! that are counted (module `refill`), and what was configured.
//!
//! The engine hands a [`Memory`] to the journal
//! ([`Effect::Remember`](super::effect::Effect::Remember)): an exposure every minute or more rarely, and
//! at the end; a window more rarely yet; the configuration at a start that finds another one. The newest
//! one of each name comes back in [`History`](super::snapshot::History). It reaches the disk with the next
//! transaction, after a minute at the latest, or at once ([`Memory::is_urgent`]). What lies between the last one on disk
//! and a power cut is lost, and the coverage of the average says so. Numbers of exposures and windows have
//! six significant digits: a sensor has fewer.

mod keys;

use std::collections::BTreeMap;
use std::ops::{Add, AddAssign, Mul};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use self::keys::Keys;
use super::settings::Priority;
use super::time::Wall;

/// The name under which the configuration is kept; no alarm has it.
pub const CONFIGURATION: &str = "configuration";

/// What is remembered under one name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Line")]
pub struct Memory {
    /// `POINT/kind` of an exposure; `POINT/kind/what` of what else an alarm needs; or [`CONFIGURATION`].
    pub alarm: Arc<str>,
    /// Until when it knows.
    pub at: Wall,
    /// What.
    #[serde(flatten)]
    pub content: Content,
}

impl Memory {
    /// Must it be on disk at once, as an event must? An average and a window say what they did not see; a
    /// count that lost an instant is just wrong. And each change of a count costs a commit, which is no more
    /// than the same condition costs as an alarm of its own, that does not wait for several times. A
    /// configuration is compared once; one that was lost leaves a change without a record.
    pub const fn is_urgent(&self) -> bool {
        matches!(
            self.content,
            Content::Count { .. } | Content::Configuration { .. }
        )
    }
}

/// What is remembered.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Content {
    /// The exposure of one alarm.
    Exposure {
        /// The newest value before [`Memory::at`], in the point's unit; `None` when there was none yet.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        last: Option<f64>,
        /// What was seen.
        exposure: Exposure,
    },
    /// The good samples that a slope is drawn through.
    Slope {
        /// How old the newest one was at [`Memory::at`], seconds.
        newest_s: f64,
        /// The oldest first.
        samples: Vec<Sampled>,
    },
    /// The good values that a median is taken of.
    Usual {
        /// How old each was at [`Memory::at`], seconds, and what it was; the oldest first.
        usual: Vec<(f64, f64)>,
    },
    /// The instants that are counted.
    Count {
        /// What is known of them.
        counted: Counted,
    },
    /// What was configured: one entry for each alarm, and one for each point.
    Configuration {
        /// By `POINT/kind`.
        configured: BTreeMap<Arc<str>, Configured>,
        /// What its point does with readings, by the point's id. Empty where only alarms were kept.
        points: BTreeMap<Arc<str>, Keys>,
    },
}

/// A [`Memory`] as it is read, with whatever it holds. To find out by trying which [`Content`] it is, all of it
/// would first have to be taken up in a form for anything: a configuration of ten thousand points in 90 MB.
#[derive(Deserialize)]
struct Line {
    alarm: Arc<str>,
    at: Wall,
    last: Option<f64>,
    exposure: Option<Exposure>,
    newest_s: Option<f64>,
    samples: Option<Vec<Sampled>>,
    usual: Option<Vec<(f64, f64)>>,
    counted: Option<Counted>,
    configured: Option<BTreeMap<Arc<str>, Configured>>,
    points: Option<BTreeMap<Arc<str>, Keys>>,
}

impl TryFrom<Line> for Memory {
    type Error = &'static str;

    fn try_from(line: Line) -> Result<Self, Self::Error> {
        let content = if let Some(exposure) = line.exposure {
            let last = line.last;
            Content::Exposure { last, exposure }
        } else if let (Some(newest_s), Some(samples)) = (line.newest_s, line.samples) {
            Content::Slope { newest_s, samples }
        } else if let Some(usual) = line.usual {
            Content::Usual { usual }
        } else if let Some(counted) = line.counted {
            Content::Count { counted }
        } else if let Some(configured) = line.configured {
            let points = line.points.unwrap_or_default();
            Content::Configuration { configured, points }
        } else {
            return Err("nothing that is known is remembered");
        };
        Ok(Self {
            alarm: line.alarm,
            at: line.at,
            content,
        })
    }
}

/// Good samples that count as one. Written as a list of four, for there are many.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(from = "[f64; 4]", into = "[f64; 4]")]
pub struct Sampled {
    /// How old they were at [`Memory::at`] on an average, seconds.
    pub age_s: f64,
    /// Their average, in the point's unit.
    pub value: f64,
    /// How many.
    pub weight: f64,
    /// Sum of the squared distances of the values from their average.
    pub scatter: f64,
}

impl From<[f64; 4]> for Sampled {
    fn from([age_s, value, weight, scatter]: [f64; 4]) -> Self {
        Self {
            age_s,
            value,
            weight,
            scatter,
        }
    }
}

impl From<Sampled> for [f64; 4] {
    fn from(sampled: Sampled) -> Self {
        let Sampled {
            age_s,
            value,
            weight,
            scatter,
        } = sampled;
        [age_s, value, weight, scatter]
    }
}

/// How often a condition became true.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Counted {
    /// Was it true?
    pub lasts: bool,
    /// When it became true, the oldest first; as many as are counted at most.
    pub instants: Vec<Wall>,
}

/// What was configured of one alarm, as far as a change of it is on record. Written as a list, for
/// there are many.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "Row", into = "Row")]
pub struct Configured {
    /// What it compares with, in the point's unit, of rates per minute; `None` where it is no number.
    pub limit: Option<f64>,
    /// The on-delay.
    pub on_delay: Duration,
    /// The off-delay.
    pub off_delay: Duration,
    /// How urgent it is.
    pub priority: Priority,
    /// Everything else; `None` where it was not kept.
    pub others: Option<Keys>,
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

/// Limit, on-delay and off-delay in seconds, priority, everything else.
#[derive(Serialize, Deserialize)]
struct Row(
    Option<f64>,
    f64,
    f64,
    Priority,
    #[serde(default, skip_serializing_if = "Option::is_none")] Option<Keys>,
);

impl From<Row> for Configured {
    fn from(Row(limit, on, off, priority, others): Row) -> Self {
        let span = |seconds| Duration::try_from_secs_f64(seconds).unwrap_or_default();
        Self {
            limit,
            on_delay: span(on),
            off_delay: span(off),
            priority,
            others,
        }
    }
}

impl From<Configured> for Row {
    fn from(configured: Configured) -> Self {
        let Configured {
            limit,
            on_delay,
            off_delay,
            priority,
            others,
        } = configured;
        let (on, off) = (on_delay.as_secs_f64(), off_delay.as_secs_f64());
        Self(limit, on, off, priority, others)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_come_back_in_the_order_they_were_stored_in() {
        let text = |parts: &[f64]| format!("{parts:?}");
        let sampled: [f64; 4] = Sampled::from([1.0, 2.0, 3.0, 4.0]).into();
        assert_eq!(text(&sampled), "[1.0, 2.0, 3.0, 4.0]");
        let amount: [f64; 3] = Amount::from([1.0, 2.0, 3.0]).into();
        assert_eq!(text(&amount), "[1.0, 2.0, 3.0]");
    }
}
