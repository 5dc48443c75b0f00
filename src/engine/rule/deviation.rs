//! Too far from a reference (alarm-standards 2.6): a fixed value, another point such as a set point, or
//! what the value itself was like over the last while ([`RollingMedian`]).
//!
//! Without a reference there is no verdict: the alarm holds, and its quality says why. The reference has
//! an alarm of its own about being bad.
//!
//! After a *step* of the reference the process needs time to follow, and is not judged for `settle`. A
//! step is a change from one of its values to the next by half of the limit or more: a reference that
//! drifts, or is as noisy as measured ones are, does not stop the judging. Steps that follow each other
//! stretch the time, to three times `settle` at most; after that the value is judged whatever the
//! reference does, until it has been near it once. So a reference that never rests hides nothing.
//!
//! A median follows its value: what stays where it went is usual after half of the window, and the
//! alarm clears by itself.

use super::super::delay::Zone;
use super::super::reading::{Finite, Sample};
use super::super::settings::{DeviationRule, Reference};
use super::super::time::Mono;
use super::Look;
use super::median::RollingMedian;

/// How often `settle` fits into the longest time without a verdict.
const LONGEST: u32 = 3;

/// The rule, and what it knows of its reference.
#[derive(Debug)]
pub(in super::super) struct Deviation {
    pub(in super::super) rule: DeviationRule,
    /// Of one that is measured from it.
    median: Option<RollingMedian>,
    /// The last one that there was.
    reference: Option<f64>,
    /// Does it lie above the reference?
    above: bool,
    /// The first step of a row, and the end of the time to follow.
    settling: Option<(Mono, Mono)>,
    /// Has it been near the reference since the last row of steps?
    rested: bool,
    /// Is there no reference now?
    lost: bool,
}

impl Deviation {
    pub(in super::super) fn new(rule: DeviationRule) -> Self {
        let median = if let Reference::Median(usual) = rule.from {
            Some(RollingMedian::new(usual))
        } else {
            None
        };
        Self {
            rule,
            median,
            reference: None,
            above: true,
            settling: None,
            rested: true,
            lost: false,
        }
    }

    /// Is, or was, the value above the reference?
    pub(in super::super) const fn is_above(&self) -> bool {
        self.above
    }

    /// The last reference that there was.
    pub(in super::super) const fn reference(&self) -> Option<f64> {
        self.reference
    }

    /// Takes a value into the median. Good ones that were read only: a doubtful one says nothing about
    /// what is usual.
    pub(in super::super) fn learn(&mut self, look: &Look) {
        if let (Some(median), Sample::Good(value), Some(taken), false) =
            (&mut self.median, look.sample, look.taken, look.held)
        {
            median.learn(taken, value.get());
        }
    }

    /// Of one that is measured from it: what is usual.
    pub(in super::super) const fn usual(&self) -> Option<&RollingMedian> {
        self.median.as_ref()
    }

    /// The same, to fill it.
    pub(in super::super) const fn usual_mut(&mut self) -> Option<&mut RollingMedian> {
        self.median.as_mut()
    }

    /// What the value was like up to `now`, if enough was seen.
    pub(in super::super) fn median(&self, now: Mono) -> Option<Finite> {
        self.median.as_ref()?.get(now).and_then(Finite::new)
    }

    /// Says once that the reference is lost (`true`), and once that it is back.
    pub(in super::super) fn report(&mut self, lost: bool) -> Option<bool> {
        (std::mem::replace(&mut self.lost, lost) != lost).then_some(lost)
    }

    /// Where `value` lies.
    pub(in super::super) fn zone(
        &mut self,
        value: Finite,
        reference: Option<Finite>,
        now: Mono,
    ) -> Zone {
        let Some(reference) = reference.map(Finite::get) else {
            return Zone::Unknown;
        };
        if self.is_settling(reference, now) {
            return Zone::Unknown;
        }
        let off = value.get() - reference;
        self.above = off >= 0.0;
        let above = self
            .rule
            .above
            .map_or(f64::NEG_INFINITY, |limit| off - limit);
        let below = self
            .rule
            .below
            .map_or(f64::NEG_INFINITY, |limit| -off - limit);
        let excess = above.max(below);
        if excess >= 0.0 {
            return Zone::Beyond;
        }
        self.rested = true;
        if excess < -self.rule.deadband {
            Zone::Inside
        } else {
            Zone::Margin
        }
    }

    /// Takes note of the reference; says whether the process is still following a step of it.
    fn is_settling(&mut self, reference: f64, now: Mono) -> bool {
        let last = self.reference.replace(reference);
        let step = last.is_some_and(|last| (reference - last).abs() >= self.rule.step());
        let settle = self.rule.settle;
        self.settling = self.settling.filter(|(_, until)| now < *until);
        if step && !settle.is_zero() {
            match self.settling {
                Some((first, _)) => {
                    let latest = first + settle * LONGEST;
                    self.settling = Some((first, latest.min(now + settle)));
                }
                None if self.rested => {
                    self.rested = false;
                    self.settling = Some((now, now + settle));
                }
                None => {}
            }
        }
        self.settling.is_some_and(|(_, until)| now < until)
    }
}

#[cfg(test)]
mod tests;
