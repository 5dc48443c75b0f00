//! From the number on the wire to a value (alarm-standards 2.12, 2.14). Pure: what depends on time is
//! seen to where readings are taken in.
//!
//! ```text
//!        ┌─ a marker of the device ───────────────────────────────▶ bad
//!        ├─ outside the rows of a table ──────────────────────────▶ bad
//!  raw ──┼─ scale, two ranges, table ──▶ value ─┬─ outside `valid`, ▶ bad
//!        │                                      │  or no `meanings`
//!        │                                      ├─ outside `clamp` ▶ the end of it, doubtful
//!        └─ current loop ──▶ value              └────────────────▶ good
//!               └─ a fault current ───────────────────────────────▶ not known yet
//! ```
//!
//! What the currents of a loop mean is told in `current_loop`. A current that
//! tells of a fault, or of anything else than a value, is never turned into a value. How long it must last
//! is [`Signal::settle`].
//!
//! A flow that is measured by a pressure difference goes with its square root. At rest the difference
//! swings around zero, and half of the time there is no root to take. Down to where a current loop would be
//! saturated (1.25 % of its span below zero) that is no flow, and good; down to where a zero has drifted
//! (5 %) it is no flow, and doubtful; further down it is a fault.

use std::sync::Arc;
use std::time::Duration;

pub use super::current_loop::{CurrentLoop, CurrentMeaning, Special};
use super::reading::{Doubt, Fault, Finite, Measured, Sample};

/// Of a root: what is no further below zero is rest, as a share of the span. That of 3.8 mA in a loop.
const AT_REST: f64 = 0.0125;

/// Of a root: what is further below zero is the fault of a sensor, as a share of the span.
const DRIFTED: f64 = 0.05;

/// How the numbers of one point are understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Signal {
    /// From a raw number to a value.
    pub conversion: Conversion,
    /// Raw numbers by which the device says that it has no value.
    pub invalid_raw: Arc<[f64]>,
    /// Of a code: the only values it has. Empty for a quantity.
    pub meanings: Arc<[Meaning]>,
    /// A value beyond cannot be: the sensor has failed. In the point's unit.
    pub valid: Option<Bounds>,
    /// A value beyond is set to the end of it and marked. In the point's unit.
    pub clamp: Option<Bounds>,
    /// A value that differs from the one before by more is not believed before it is confirmed. In the
    /// point's unit.
    pub max_step: Option<f64>,
    /// How long a fault current must last to be a fault (NE 43: 4 s), and how long a step that nothing
    /// contradicts must last to be believed.
    pub settle: Duration,
}

/// One value of a code.
#[derive(Debug, Clone, PartialEq)]
pub struct Meaning {
    /// The number.
    pub value: f64,
    /// What it stands for.
    pub name: Arc<str>,
}

/// From a raw number to a value in the point's unit.
#[derive(Debug, Clone, PartialEq)]
pub enum Conversion {
    /// `raw * scale + offset`.
    Scale(Scaling),
    /// One range onto another.
    Ranges {
        /// In raw numbers; the first may be the greater one.
        raw: (f64, f64),
        /// In the point's unit.
        value: (f64, f64),
        /// How the one follows the other.
        curve: Curve,
    },
    /// By rows of raw number and value, on the line between two of them. The raw numbers go up.
    Table(Arc<[(f64, f64)]>),
    /// 4 to 20 mA onto a range.
    CurrentLoop(CurrentLoop),
}

/// How far along its range a value is, by how far along its own the raw number is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Curve {
    /// As far.
    Linear,
    /// As far as the square root says.
    SquareRoot,
}

/// `raw * scale + offset`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scaling {
    /// Units per raw step.
    pub scale: f64,
    /// Units at raw zero.
    pub offset: f64,
}

/// From `low` to `high`, both included.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// Least value.
    pub low: f64,
    /// Greatest value; [`f64::MAX`] for none.
    pub high: f64,
}

/// What a number turned out to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Conditioned {
    /// A value, or none.
    Sample(Sample),
    /// A current that tells why there is no value, if it lasts.
    FaultCurrent(Fault),
}

impl Signal {
    /// How long a fault current must last (NAMUR NE 43).
    pub const SETTLE: Duration = Duration::from_secs(4);

    /// Numbers are values.
    pub fn plain() -> Self {
        Self {
            conversion: Conversion::Scale(Scaling::IDENTITY),
            invalid_raw: [].into(),
            meanings: [].into(),
            valid: None,
            clamp: None,
            max_step: None,
            settle: Self::SETTLE,
        }
    }

    /// The value of a raw number by itself, looking at nothing before it. A current that tells of a fault is
    /// [`Sample::Bad`], however short it was.
    pub fn value(&self, raw: f64) -> Sample {
        match self.condition(Measured::Raw(raw)) {
            Conditioned::Sample(sample) => sample,
            Conditioned::FaultCurrent(fault) => Sample::Bad(fault),
        }
    }

    /// What came from the field as a value.
    pub(super) fn condition(&self, measured: Measured) -> Conditioned {
        let sample = match measured {
            Measured::Sample(sample) => sample,
            Measured::Raw(raw) if self.is_marker(raw) => Sample::Bad(Fault::SensorFailure),
            Measured::Raw(raw) => match &self.conversion {
                Conversion::Scale(scaling) => Sample::measured(scaling.apply(raw)),
                Conversion::Ranges {
                    raw: from,
                    value,
                    curve,
                } => curve.value(*value, (raw - from.0) / (from.1 - from.0)),
                Conversion::Table(rows) => {
                    look_up(rows, raw).map_or(Sample::Bad(Fault::SensorFailure), Sample::measured)
                }
                Conversion::CurrentLoop(current) => match current.read(raw) {
                    Conditioned::Sample(sample) => sample,
                    fault @ Conditioned::FaultCurrent(_) => return fault,
                },
            },
        };
        Conditioned::Sample(self.check(sample))
    }

    /// Is this number one by which the device says that it has no value?
    fn is_marker(&self, raw: f64) -> bool {
        let mut markers = self.invalid_raw.iter();
        markers.any(|marker| (raw - marker).abs() <= 0.0)
    }

    /// Is this value one of those that a code has?
    fn has_meaning(&self, value: Finite) -> bool {
        let mut meanings = self.meanings.iter();
        self.meanings.is_empty()
            || meanings.any(|meaning| (value.get() - meaning.value).abs() <= 0.0)
    }

    fn check(&self, sample: Sample) -> Sample {
        let Some(value) = sample.value() else {
            return sample;
        };
        if self.valid.is_some_and(|valid| !valid.hold(value.get())) || !self.has_meaning(value) {
            return Sample::Bad(Fault::SensorFailure);
        }
        match self.clamp.filter(|clamp| !clamp.hold(value.get())) {
            Some(clamp) => clamped(sample, value.get().clamp(clamp.low, clamp.high)),
            None => sample,
        }
    }
}

impl Curve {
    /// How far the value is, for a raw number that is not too far below its start.
    pub(super) fn bend(self, share: f64) -> f64 {
        match self {
            Self::SquareRoot if share < 0.0 => 0.0,
            Self::SquareRoot => share.sqrt(),
            Self::Linear => share,
        }
    }

    fn value(self, range: (f64, f64), share: f64) -> Sample {
        match self {
            Self::SquareRoot if share < -DRIFTED => Sample::Bad(Fault::SensorFailure),
            Self::SquareRoot if share < -AT_REST => exceeded(range.0),
            Self::SquareRoot | Self::Linear => Sample::measured(along(range, self.bend(share))),
        }
    }
}

impl Scaling {
    /// No conversion.
    pub const IDENTITY: Self = Self {
        scale: 1.0,
        offset: 0.0,
    };

    pub(super) fn apply(self, raw: f64) -> f64 {
        raw.mul_add(self.scale, self.offset)
    }
}

impl Bounds {
    pub(super) fn hold(self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }
}

/// A share of the way from one end to the other; exact at both, so that a limit there is reached.
pub(super) fn along(ends: (f64, f64), share: f64) -> f64 {
    share.mul_add(ends.1, (1.0 - share) * ends.0)
}

/// The value at `raw` on the lines through the rows; `None` beyond their ends.
fn look_up(rows: &[(f64, f64)], raw: f64) -> Option<f64> {
    let next = rows.partition_point(|(at, _)| *at < raw);
    let &(to, above) = rows.get(next)?;
    if (to - raw).abs() <= 0.0 {
        return Some(above);
    }
    let &(from, below) = rows.get(next.checked_sub(1)?)?;
    Some(along((below, above), (raw - from) / (to - from)))
}

pub(super) fn exceeded(value: f64) -> Sample {
    let doubt = Doubt::EngineeringUnitsExceeded;
    Finite::new(value).map_or(Sample::Bad(Fault::SensorFailure), |value| {
        Sample::Uncertain(value, doubt)
    })
}

/// The value that is kept to its bounds. What was doubtful before is so for the same reason.
fn clamped(sample: Sample, value: f64) -> Sample {
    let doubt = match sample {
        Sample::Uncertain(_, doubt) => doubt,
        Sample::Good(_) | Sample::Bad(_) => Doubt::Clamped,
    };
    Finite::new(value).map_or(Sample::Bad(Fault::SensorFailure), |value| {
        Sample::Uncertain(value, doubt)
    })
}

#[cfg(test)]
mod tests;
