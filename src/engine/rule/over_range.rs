//! Beyond what the sensor can measure (alarm-standards 2.19).
//!
//! Above 100 %LEL a catalytic sensor lacks oxygen and its output *falls*: a reading of 5 % may mean far
//! more gas than burns. So for such a sensor the alarm is **held** from the moment the full scale was
//! reached, with `high` and `high_high` of the point, whatever is read after that:
//!
//! ```text
//!  reading   100 ┤      ╭─╮                           ╭──────────── held: "at or above 100 %LEL"
//!                │     ╱   ╲                          │
//!   high      25 ┤────╱─────╲──────────────           │             reset: acknowledged, good values
//!                │   ╱       ╰─────── 2 %LEL          │             below `reset_below` for
//!              0 ┴──────────────────────────▶         ▼             `reset_after`, and the area checked
//!                       ╰── shown and judged ─────────────────▶     with an independent instrument
//! ```
//!
//! Other sensors saturate, or say that they are beyond their range; there the alarm clears like a
//! limit. A value that the device marks as beyond its units counts as over range, unless it lies at
//! the other end of the range.

use super::super::delay::Zone;
use super::super::reading::{Doubt, Finite, Sample};
use super::super::settings::OverRangeRule;
use super::super::time::Mono;
use super::Look;

/// The rule, and the evidence for a reset.
#[derive(Debug)]
pub(in super::super) struct OverRange {
    pub(in super::super) rule: OverRangeRule,
    /// Since when every value was good and below `reset_below`, without a break.
    below_since: Option<Mono>,
}

impl OverRange {
    pub(in super::super) const fn new(rule: OverRangeRule) -> Self {
        Self {
            rule,
            below_since: None,
        }
    }

    /// Takes a value as evidence for a reset, or against it.
    pub(in super::super) fn learn(&mut self, look: &Look) {
        self.below_since = match look.sample {
            Sample::Good(value) if value.get() < self.rule.reset_below => {
                Some(self.below_since.unwrap_or(look.now))
            }
            Sample::Good(_) | Sample::Uncertain(..) | Sample::Bad(_) => None,
        };
    }

    /// Nobody looked, or there was nothing to see.
    pub(in super::super) const fn lose(&mut self) {
        self.below_since = None;
    }

    /// Since when a reset has evidence.
    pub(in super::super) const fn below_since(&self) -> Option<Mono> {
        self.below_since
    }

    /// Where a value lies.
    pub(in super::super) fn zone(&self, look: &Look) -> Zone {
        if look.held || self.is_beyond(look.sample) {
            Zone::Beyond
        } else if look.value.get() < self.rule.at - self.rule.deadband {
            Zone::Inside
        } else {
            Zone::Margin
        }
    }

    fn is_beyond(&self, sample: Sample) -> bool {
        match sample {
            Sample::Uncertain(value, Doubt::EngineeringUnitsExceeded)
                if value.get() > self.rule.bottom =>
            {
                true
            }
            Sample::Good(value) | Sample::Uncertain(value, _) => value.get() >= self.rule.at,
            Sample::Bad(_) => false,
        }
    }

    /// The value that is shown while it is held; none for a rule that does not hold.
    pub(in super::super) fn holds_at(&self) -> Option<Finite> {
        Finite::new(self.rule.at).filter(|_| self.rule.latching)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(sample: Sample, now: u64) -> Look {
        let value = sample.value().expect("the tables hold values");
        Look {
            now: Mono::from_nanos(now),
            ..Look::at(value, sample)
        }
    }

    fn over_range() -> OverRange {
        OverRange::new(OverRangeRule {
            at: 100.0,
            bottom: 0.0,
            deadband: 2.0,
            latching: false,
            reset_below: 23.0,
            reset_after: std::time::Duration::from_secs(60),
        })
    }

    fn finite(value: f64) -> Finite {
        Finite::new(value).expect("the tables hold numbers")
    }

    #[test]
    fn at_below_and_above_full_scale_and_with_the_flag_of_the_device() {
        let good = |value| Sample::Good(finite(value));
        let flagged = |value| Sample::Uncertain(finite(value), Doubt::EngineeringUnitsExceeded);
        let doubted = |value| Sample::Uncertain(finite(value), Doubt::BadClock);
        for (sample, zone) in [
            (good(99.999), Zone::Margin),
            (good(100.0), Zone::Beyond),
            (good(120.0), Zone::Beyond),
            (good(98.0), Zone::Margin),
            (good(97.999), Zone::Inside),
            (doubted(100.0), Zone::Beyond),
            (doubted(5.0), Zone::Inside),
            // A falling pellistor whose electronics know better.
            (flagged(5.0), Zone::Beyond),
            // Saturated at the lower end.
            (flagged(0.0), Zone::Inside),
            (flagged(-0.5), Zone::Inside),
        ] {
            assert_eq!(over_range().zone(&look(sample, 0)), zone, "{sample:?}");
            let held = Look {
                held: true,
                ..look(sample, 0)
            };
            assert_eq!(over_range().zone(&held), Zone::Beyond, "held: {sample:?}");
        }
    }

    #[test]
    fn evidence_for_a_reset_is_good_values_below_without_a_break() {
        let good = |value| Sample::Good(finite(value));
        let doubtful = Sample::Uncertain(finite(1.0), Doubt::BadClock);
        let mut rule = over_range();
        for (now, sample, since) in [
            (1, good(23.0), None),
            (2, good(22.9), Some(2)),
            (3, good(0.0), Some(2)),
            (4, doubtful, None),
            (5, good(1.0), Some(5)),
            (6, good(40.0), None),
            (7, good(1.0), Some(7)),
        ] {
            rule.learn(&look(sample, now));
            let since = since.map(Mono::from_nanos);
            assert_eq!(rule.below_since(), since, "at {now}");
        }
        rule.lose();
        assert_eq!(rule.below_since(), None);
    }
}
