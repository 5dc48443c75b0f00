//! From the number on the wire to a value (alarm-standards 2.12, 2.14). Pure: what depends on time is
//! seen to where readings are taken in.
//!
//! ```text
//!        ┌─ a marker of the device ───────────────────────────────▶ bad
//!  raw ──┼─ scale, or two ranges ──▶ value ─┬─ outside `valid` ───▶ bad
//!        │                                  ├─ outside `clamp` ───▶ the end of it, doubtful
//!        └─ current loop ──▶ value          └─────────────────────▶ good
//!               └─ a fault current ───────────────────────────────▶ not known yet
//! ```
//!
//! The bands of a current loop, in mA, are those of NAMUR NE 43:
//!
//! ```text
//!        3.6        3.8      4              20     20.5       21
//!  ───────┼──────────┼───────┴───────────────┴──────┼──────────┼───────
//!   fault │ doubtful │             good             │ doubtful │ fault
//!         │ range[0] │                              │ measured │
//! ```
//!
//! Below the band of measurement the value is the lower end of the range, for there is nothing to be
//! measured; above it the value goes on, for an alarm must see it. A fault current is never turned into
//! a value. How long it must last is [`Signal::settle`].

use std::sync::Arc;
use std::time::Duration;

use super::reading::{Doubt, Fault, Finite, Measured, Sample};

/// A current loop without a fault stays from here, mA.
const SATURATED_LOW: f64 = 3.8;

/// A current loop without a fault stays up to here, mA.
const SATURATED_HIGH: f64 = 20.5;

/// How the numbers of one point are understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Signal {
    /// From a raw number to a value.
    pub conversion: Conversion,
    /// Raw numbers by which the device says that it has no value.
    pub invalid_raw: Arc<[f64]>,
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

/// From a raw number to a value in the point's unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Conversion {
    /// `raw * scale + offset`.
    Scale(Scaling),
    /// One range onto another.
    Ranges {
        /// In raw numbers; the first may be the greater one.
        raw: (f64, f64),
        /// In the point's unit.
        value: (f64, f64),
    },
    /// 4 to 20 mA onto a range.
    CurrentLoop(CurrentLoop),
}

/// A 4 to 20 mA loop after NAMUR NE 43.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CurrentLoop {
    /// From a raw number to mA.
    pub milliamps: Scaling,
    /// Values at 4 and at 20 mA, in the point's unit.
    pub range: (f64, f64),
    /// A lower current is a fault, mA.
    pub fault_low: f64,
    /// A higher current is a fault, mA.
    pub fault_high: f64,
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
    /// A current that tells of a fault, if it lasts.
    FaultCurrent,
}

impl Signal {
    /// How long a fault current must last (NAMUR NE 43).
    pub const SETTLE: Duration = Duration::from_secs(4);

    /// Numbers are values.
    pub fn plain() -> Self {
        Self {
            conversion: Conversion::Scale(Scaling::IDENTITY),
            invalid_raw: [].into(),
            valid: None,
            clamp: None,
            max_step: None,
            settle: Self::SETTLE,
        }
    }

    /// What came from the field as a value.
    pub(super) fn condition(&self, measured: Measured) -> Conditioned {
        let sample = match measured {
            Measured::Sample(sample) => sample,
            Measured::Raw(raw) if self.is_marker(raw) => Sample::Bad(Fault::SensorFailure),
            Measured::Raw(raw) => match self.conversion {
                Conversion::Scale(scaling) => Sample::measured(scaling.apply(raw)),
                Conversion::Ranges { raw: from, value } => {
                    Sample::measured(along(value, (raw - from.0) / (from.1 - from.0)))
                }
                Conversion::CurrentLoop(current) => match current.read(raw) {
                    Some(sample) => sample,
                    None => return Conditioned::FaultCurrent,
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

    fn check(&self, sample: Sample) -> Sample {
        let Some(value) = sample.value() else {
            return sample;
        };
        if self.valid.is_some_and(|valid| !valid.hold(value.get())) {
            return Sample::Bad(Fault::SensorFailure);
        }
        match self.clamp.filter(|clamp| !clamp.hold(value.get())) {
            Some(clamp) => exceeded(value.get().clamp(clamp.low, clamp.high)),
            None => sample,
        }
    }
}

impl CurrentLoop {
    /// Faults below and above these currents, unless the maker says otherwise (NAMUR NE 43), mA.
    pub const FAULTS: (f64, f64) = (3.6, 21.0);

    /// `None`: a fault current.
    fn read(&self, raw: f64) -> Option<Sample> {
        let current = self.milliamps.apply(raw);
        if !current.is_finite() {
            return Some(Sample::Bad(Fault::SensorFailure));
        }
        if current < self.fault_low || current > self.fault_high {
            return None;
        }
        if current < SATURATED_LOW {
            return Some(exceeded(self.range.0));
        }
        let value = along(self.range, (current - 4.0) / 16.0);
        Some(if current > SATURATED_HIGH {
            exceeded(value)
        } else {
            Sample::measured(value)
        })
    }
}

impl Scaling {
    /// No conversion.
    pub const IDENTITY: Self = Self {
        scale: 1.0,
        offset: 0.0,
    };

    fn apply(self, raw: f64) -> f64 {
        raw.mul_add(self.scale, self.offset)
    }
}

impl Bounds {
    fn hold(self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }
}

/// A share of the way from one end to the other; exact at both, so that a limit there is reached.
fn along(ends: (f64, f64), share: f64) -> f64 {
    share.mul_add(ends.1, (1.0 - share) * ends.0)
}

fn exceeded(value: f64) -> Sample {
    let doubt = Doubt::EngineeringUnitsExceeded;
    Finite::new(value).map_or(Sample::Bad(Fault::SensorFailure), |value| {
        Sample::Uncertain(value, doubt)
    })
}

#[cfg(test)]
mod tests {
    use super::super::reading::Quality;
    use super::*;

    fn told(signal: &Signal, measured: impl Into<Measured>) -> (Quality, Option<f64>) {
        match signal.condition(measured.into()) {
            Conditioned::Sample(sample) => (sample.quality(), sample.value().map(Finite::get)),
            Conditioned::FaultCurrent => (Quality::Bad, Some(f64::INFINITY)),
        }
    }

    #[test]
    fn the_bands_of_a_current_loop() {
        use Quality::{Bad, Good, Uncertain};
        let fault = (Bad, Some(f64::INFINITY));
        let signal = Signal {
            conversion: Conversion::CurrentLoop(CurrentLoop {
                milliamps: Scaling::IDENTITY,
                range: (0.0, 160.0),
                fault_low: CurrentLoop::FAULTS.0,
                fault_high: CurrentLoop::FAULTS.1,
            }),
            ..Signal::plain()
        };
        for (current, expected) in [
            (-1.0, fault),
            (0.0, fault),
            (3.599, fault),
            (3.6, (Uncertain, Some(0.0))),
            (3.799, (Uncertain, Some(0.0))),
            (3.8, (Good, Some(-2.0))),
            (4.0, (Good, Some(0.0))),
            (12.0, (Good, Some(80.0))),
            (20.0, (Good, Some(160.0))),
            (20.5, (Good, Some(165.0))),
            (20.75, (Uncertain, Some(167.5))),
            (21.0, (Uncertain, Some(170.0))),
            (21.001, fault),
            (1e300, fault),
            (f64::NAN, (Bad, None)),
            (f64::INFINITY, (Bad, None)),
        ] {
            let (quality, value) = told(&signal, Measured::Raw(current));
            assert_eq!(quality, expected.0, "{current} mA");
            let near = match (value, expected.1) {
                (Some(value), Some(wanted)) if wanted.is_finite() => (value - wanted).abs() < 1e-9,
                (value, wanted) => value.is_some() == wanted.is_some(),
            };
            assert!(near, "{current} mA: {value:?}");
        }
    }

    #[test]
    fn a_head_with_its_own_codes() {
        // Fault below 1.5 mA, inhibited at 2 mA, over-range at 22 mA; the card counts microamps.
        let signal = Signal {
            conversion: Conversion::CurrentLoop(CurrentLoop {
                milliamps: Scaling {
                    scale: 0.001,
                    offset: 0.0,
                },
                range: (0.0, 100.0),
                fault_low: 1.5,
                fault_high: 22.5,
            }),
            ..Signal::plain()
        };
        assert_eq!(
            signal.condition(Measured::Raw(1400.0)),
            Conditioned::FaultCurrent
        );
        assert_eq!(
            told(&signal, Measured::Raw(2000.0)),
            (Quality::Uncertain, Some(0.0))
        );
        let (quality, value) = told(&signal, Measured::Raw(22_000.0));
        assert_eq!(quality, Quality::Uncertain);
        assert!(value.is_some_and(|value| (value - 112.5).abs() < 1e-9));
    }

    #[test]
    fn two_ranges_meet_at_their_ends() {
        for (raw, value) in [
            ((0.0, 27_648.0), (0.0, 16.0)),
            ((0.1, 0.3), (-0.7, 0.1)),
            ((32_767.0, -32_768.0), (0.3, 100.1)),
        ] {
            let signal = Signal {
                conversion: Conversion::Ranges { raw, value },
                ..Signal::plain()
            };
            for (at, expected) in [(raw.0, value.0), (raw.1, value.1)] {
                let (_, found) = told(&signal, Measured::Raw(at));
                assert_eq!(found.map(f64::to_bits), Some(expected.to_bits()), "{raw:?}");
            }
        }
    }

    #[test]
    fn markers_bounds_and_clamps() {
        let signal = Signal {
            conversion: Conversion::Scale(Scaling {
                scale: 0.1,
                offset: 0.0,
            }),
            invalid_raw: [-32_768.0, 0.0].into(),
            valid: Some(Bounds {
                low: -5.0,
                high: 200.0,
            }),
            clamp: Some(Bounds {
                low: 0.0,
                high: 100.0,
            }),
            ..Signal::plain()
        };
        for (measured, expected) in [
            (Measured::Raw(-32_768.0), (Quality::Bad, None)),
            // A zero has two signs and is one marker.
            (Measured::Raw(-0.0), (Quality::Bad, None)),
            (Measured::Raw(1000.0), (Quality::Good, Some(100.0))),
            (Measured::Raw(1001.0), (Quality::Uncertain, Some(100.0))),
            (Measured::Raw(2001.0), (Quality::Bad, None)),
            (Measured::Raw(-10.0), (Quality::Uncertain, Some(0.0))),
            (Measured::Raw(-51.0), (Quality::Bad, None)),
            (Measured::Raw(f64::NAN), (Quality::Bad, None)),
            (Measured::Raw(f64::MAX), (Quality::Bad, None)),
            // A value in the point's unit has no markers, but must be possible, too.
            (Sample::measured(-32_768.0).into(), (Quality::Bad, None)),
            (Sample::measured(50.0).into(), (Quality::Good, Some(50.0))),
            (
                Sample::Bad(Fault::DeviceFailure).into(),
                (Quality::Bad, None),
            ),
        ] {
            assert_eq!(told(&signal, measured), expected, "{measured:?}");
        }
    }

    #[test]
    fn what_overflows_is_bad() {
        let signal = Signal {
            conversion: Conversion::Scale(Scaling {
                scale: 1e300,
                offset: 0.0,
            }),
            ..Signal::plain()
        };
        assert_eq!(told(&signal, Measured::Raw(1e300)), (Quality::Bad, None));
    }
}
