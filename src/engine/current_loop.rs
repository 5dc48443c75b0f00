//! A 4 to 20 mA loop after NAMUR NE 43 (alarm-standards 2.12). The bands, in mA:
//!
//! ```text
//!        3.6        3.8      4              20     20.5       21
//!  ───────┼──────────┼───────┴───────────────┴──────┼──────────┼───────
//!   fault │ doubtful │             good             │ doubtful │ fault
//!         │ range[0] │                              │ measured │
//! ```
//!
//! Below the band of measurement the value is the lower end of the range, for there is nothing to be
//! measured; above it the value goes on, for an alarm must see it. Both may raise an alarm and clear none:
//! [`Sample::can_clear`](super::reading::Sample::can_clear).
//!
//! Gas heads say with currents of their own what they are about: 1 mA may be a fault, 2 mA an inhibited
//! head, 22 mA more gas than they can measure. Such [`Special`] currents are looked for first, wherever
//! they lie beyond the band of measurement. All but over-range mean that there is no value, each with its
//! own reason. A current slides through them on its way to another, so they must last as a fault must.
//! Over-range must not wait: gas that is more than can be measured is an alarm now.

use std::sync::Arc;

use super::reading::{Fault, Sample};
use super::signal::{Bounds, Conditioned, Curve, Scaling, along, exceeded};

/// A 4 to 20 mA loop.
#[derive(Debug, Clone, PartialEq)]
pub struct CurrentLoop {
    /// From a raw number to mA.
    pub milliamps: Scaling,
    /// Values at 4 and at 20 mA, in the point's unit.
    pub range: (f64, f64),
    /// How the value follows the current.
    pub curve: Curve,
    /// A lower current is a fault, mA.
    pub fault_low: f64,
    /// A higher current is a fault, mA.
    pub fault_high: f64,
    /// What the maker of the device says with other currents; the first that fits counts.
    pub special: Arc<[Special]>,
}

/// Currents by which a device tells something else than a value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Special {
    /// From and to, mA.
    pub band: Bounds,
    /// What it tells.
    pub means: CurrentMeaning,
}

/// What a device may tell with a special current.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CurrentMeaning {
    /// There is no value, for this reason.
    NoValue(Fault),
    /// There is more than it can measure: at least the upper end of the range.
    OverRange,
}

impl CurrentMeaning {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::NoValue(Fault::DeviceFailure),
        Self::NoValue(Fault::Inhibited),
        Self::NoValue(Fault::OutOfService),
        Self::NoValue(Fault::WarmingUp),
        Self::NoValue(Fault::BeamBlocked),
        Self::OverRange,
    ];

    /// As configured.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoValue(Fault::DeviceFailure) => "fault",
            Self::NoValue(Fault::OutOfService) => "maintenance",
            Self::NoValue(fault) => fault.name(),
            Self::OverRange => "over_range",
        }
    }
}

impl CurrentLoop {
    /// Faults below and above these currents, unless the maker says otherwise (NAMUR NE 43), mA.
    pub const FAULTS: (f64, f64) = (3.6, 21.0);

    /// A loop without a fault measures from the first current to the second, mA.
    pub const SPAN: (f64, f64) = (3.8, 20.5);

    pub(super) fn read(&self, raw: f64) -> Conditioned {
        let current = self.milliamps.apply(raw);
        if !current.is_finite() {
            return Conditioned::Sample(Sample::Bad(Fault::SensorFailure));
        }
        let mut special = self.special.iter();
        if let Some(special) = special.find(|special| special.band.hold(current)) {
            return match special.means {
                CurrentMeaning::NoValue(fault) => Conditioned::FaultCurrent(fault),
                CurrentMeaning::OverRange => Conditioned::Sample(exceeded(self.range.1)),
            };
        }
        if current < self.fault_low || current > self.fault_high {
            return Conditioned::FaultCurrent(Fault::SensorFailure);
        }
        if current < Self::SPAN.0 {
            return Conditioned::Sample(exceeded(self.range.0));
        }
        let value = along(self.range, self.curve.bend((current - 4.0) / 16.0));
        Conditioned::Sample(if current > Self::SPAN.1 {
            exceeded(value)
        } else {
            Sample::measured(value)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 0 to 160 over 4 to 20 mA, by NAMUR NE 43.
    fn current_loop() -> CurrentLoop {
        CurrentLoop {
            milliamps: Scaling::IDENTITY,
            range: (0.0, 160.0),
            curve: Curve::Linear,
            fault_low: CurrentLoop::FAULTS.0,
            fault_high: CurrentLoop::FAULTS.1,
            special: [].into(),
        }
    }

    fn special(low: f64, high: f64, means: CurrentMeaning) -> Special {
        Special {
            band: Bounds { low, high },
            means,
        }
    }

    const FAULT: Conditioned = Conditioned::FaultCurrent(Fault::SensorFailure);

    fn good(value: f64) -> Conditioned {
        Conditioned::Sample(Sample::measured(value))
    }

    fn doubtful(value: f64) -> Conditioned {
        Conditioned::Sample(exceeded(value))
    }

    #[test]
    fn the_bands_of_a_current_loop() {
        let nothing = Conditioned::Sample(Sample::Bad(Fault::SensorFailure));
        for (current, expected) in [
            (-1.0, FAULT),
            (0.0, FAULT),
            (3.599, FAULT),
            (3.6, doubtful(0.0)),
            (3.799, doubtful(0.0)),
            (3.875, good(-1.25)),
            (4.0, good(0.0)),
            (12.0, good(80.0)),
            (20.0, good(160.0)),
            (20.5, good(165.0)),
            (20.75, doubtful(167.5)),
            (21.0, doubtful(170.0)),
            (21.001, FAULT),
            (1e300, FAULT),
            (f64::NAN, nothing),
            (f64::INFINITY, nothing),
        ] {
            assert_eq!(current_loop().read(current), expected, "{current} mA");
        }
        assert!(matches!(
            current_loop().read(3.8),
            Conditioned::Sample(Sample::Good(_))
        ));
    }

    #[test]
    fn a_head_with_its_own_currents() {
        let head = CurrentLoop {
            // The card counts microamps.
            milliamps: Scaling {
                scale: 0.001,
                offset: 0.0,
            },
            special: [
                special(0.5, 1.5, CurrentMeaning::NoValue(Fault::DeviceFailure)),
                special(1.5, 2.5, CurrentMeaning::NoValue(Fault::Inhibited)),
                special(3.625, 3.75, CurrentMeaning::NoValue(Fault::WarmingUp)),
                special(21.5, 22.5, CurrentMeaning::OverRange),
            ]
            .into(),
            ..current_loop()
        };
        let told = |fault| Conditioned::FaultCurrent(fault);
        for (raw, expected) in [
            (400.0, FAULT),
            (1_000.0, told(Fault::DeviceFailure)),
            // Where two bands meet the first one counts.
            (1_500.0, told(Fault::DeviceFailure)),
            (2_000.0, told(Fault::Inhibited)),
            (2_600.0, FAULT),
            (3_610.0, doubtful(0.0)),
            // In the band of NE 43, too, the maker's word counts.
            (3_700.0, told(Fault::WarmingUp)),
            (3_760.0, doubtful(0.0)),
            (4_000.0, good(0.0)),
            (21_100.0, FAULT),
            // Beyond the range there is nothing to be calculated.
            (22_000.0, doubtful(160.0)),
            (22_600.0, FAULT),
        ] {
            assert_eq!(head.read(raw), expected, "{raw}");
        }
    }
}
