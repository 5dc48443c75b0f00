//! One line per kind of rule: where the present value of a point lies with respect to it.
//!
//! A rule only answers [`Zone`]; what follows from it (delays, life cycle, events) is the same for
//! every kind. To add one: a file here, a variant and an arm below.

pub(super) mod discrepancy;
pub(super) mod exposure;
pub(super) mod limit;
pub(super) mod over_range;
pub(super) mod rate_of_change;
mod state;
pub(super) mod vote;

use super::delay::Zone;
use super::quality::Condition;
use super::reading::{Finite, Quality, Sample};
use super::settings::{Direction, DiscrepancyRule, LimitRule, OverRangeRule, RateRule, Rule};
use super::time::Mono;
use discrepancy::Spread;
use exposure::Exposure;
use over_range::OverRange;
use rate_of_change::{Fit, Window};

/// What there is to see of a point when its rules are asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    /// What is judged: the value that was read, or the full scale while over-range is held.
    pub(super) value: Finite,
    /// What was read.
    pub(super) sample: Sample,
    /// When it was taken, on the rules' windows; absent for a value that was judged before.
    pub(super) taken: Option<Mono>,
    /// Until when it holds without another one.
    pub(super) until: Mono,
    /// Now.
    pub(super) now: Mono,
    /// Is over-range held, so that the value that was read means nothing?
    pub(super) held: bool,
}

impl Look {
    /// A value of no time.
    #[cfg(test)]
    pub(super) const fn at(value: Finite, sample: Sample) -> Self {
        Self {
            value,
            sample,
            taken: None,
            until: Mono::NEVER,
            now: Mono::ZERO,
            held: false,
        }
    }
}

/// A rule with the memory it needs.
#[derive(Debug)]
pub(super) enum Watch {
    /// A limit on the value.
    Limit(LimitRule),
    /// A limit on the slope, with its window. Boxed: most alarms are limits, and lie together.
    Rate(Box<(RateRule, Window)>),
    /// A digital point.
    State {
        /// The alarm position: other than zero, or zero.
        when: bool,
    },
    /// The source says that the value is bad.
    Bad,
    /// Nothing new arrives.
    Stale,
    /// Times of the source; what they are worth is known where readings are taken in.
    Clock,
    /// A channel disagrees with the others; with what they said last. Boxed as a rate is.
    Discrepancy(Box<(DiscrepancyRule, Option<Spread>)>),
    /// Enough channels of the group are in alarm.
    Vote,
    /// Fewer channels of the group are good than configured.
    Degraded,
    /// No channel of the group is good.
    GroupFault,
    /// A limit on the average exposure, with what was seen.
    Exposure(Box<Exposure>),
    /// Beyond the full scale.
    OverRange(Box<OverRange>),
}

impl Watch {
    pub(super) fn new(rule: Rule) -> Self {
        match rule {
            Rule::Limit(limit) => Self::Limit(limit),
            Rule::Rate(rate) => Self::Rate(Box::new((rate, Window::default()))),
            Rule::State { when } => Self::State { when },
            Rule::Bad => Self::Bad,
            Rule::Stale => Self::Stale,
            Rule::Clock => Self::Clock,
            Rule::Discrepancy(rule) => Self::Discrepancy(Box::new((rule, None))),
            Rule::Vote => Self::Vote,
            Rule::Degraded => Self::Degraded,
            Rule::GroupFault => Self::GroupFault,
            Rule::Exposure(rule) => Self::Exposure(Box::new(Exposure::new(rule))),
            Rule::OverRange(rule) => Self::OverRange(Box::new(OverRange::new(rule))),
        }
    }

    /// The same rule without memory, if it can be judged by the values of its point alone.
    pub(super) fn anew(&self) -> Option<Self> {
        match self {
            Self::Limit(rule) => Some(Self::Limit(*rule)),
            Self::Rate(rate) => Some(Self::new(Rule::Rate(rate.0))),
            Self::State { when } => Some(Self::State { when: *when }),
            // What is over holds nothing.
            Self::OverRange(over_range) => Some(Self::new(Rule::OverRange(OverRangeRule {
                latching: false,
                ..over_range.rule
            }))),
            Self::Bad
            | Self::Stale
            | Self::Clock
            | Self::Discrepancy(_)
            | Self::Vote
            | Self::Degraded
            | Self::GroupFault
            | Self::Exposure(_) => None,
        }
    }

    /// Is the greatest value the worst (`true`), or the least? Absent where none is.
    pub(super) fn rises(&self) -> Option<bool> {
        match self {
            Self::Limit(rule) => Some(rule.level.is_upper()),
            Self::Rate(rate) => Some(rate.0.direction == Direction::Rise),
            Self::State { .. } | Self::Vote | Self::OverRange(_) => Some(true),
            Self::Bad
            | Self::Stale
            | Self::Clock
            | Self::Discrepancy(_)
            | Self::Degraded
            | Self::GroupFault
            | Self::Exposure(_) => None,
        }
    }

    /// Does it watch the measured value, and not the measuring itself?
    pub(super) const fn is_process(&self) -> bool {
        match self {
            Self::Limit(_)
            | Self::Rate(_)
            | Self::State { .. }
            | Self::Vote
            | Self::Exposure(_)
            | Self::OverRange(_) => true,
            Self::Bad
            | Self::Stale
            | Self::Clock
            | Self::Discrepancy(_)
            | Self::Degraded
            | Self::GroupFault => false,
        }
    }

    /// Does it look at a value, so that it holds without one?
    pub(super) const fn needs_value(&self) -> bool {
        self.is_process() || matches!(self, Self::Discrepancy(_))
    }

    /// Is it active as long as over-range is held, whatever is read?
    pub(super) fn is_held_by_over_range(&self) -> bool {
        match self {
            Self::Limit(rule) => rule.level.is_upper(),
            Self::OverRange(_) => true,
            Self::Rate(_)
            | Self::State { .. }
            | Self::Bad
            | Self::Stale
            | Self::Clock
            | Self::Discrepancy(_)
            | Self::Vote
            | Self::Degraded
            | Self::GroupFault
            | Self::Exposure(_) => false,
        }
    }

    /// Is it judged by a group, when one of its channels changes, and not with its own point?
    pub(super) const fn is_judged_by_group(&self) -> bool {
        match self {
            Self::Discrepancy(_) | Self::Vote | Self::Degraded | Self::GroupFault => true,
            Self::Limit(_)
            | Self::Rate(_)
            | Self::State { .. }
            | Self::Bad
            | Self::Stale
            | Self::Clock
            | Self::Exposure(_)
            | Self::OverRange(_) => false,
        }
    }

    /// The limit it compares with: the point's unit, or units per minute for rates.
    pub(super) fn limit(&self) -> Option<f64> {
        match self {
            Self::Limit(rule) => Some(rule.limit),
            Self::Rate(rate) => Some(rate.0.limit_per_min),
            Self::Discrepancy(discrepancy) => Some(discrepancy.0.limit),
            Self::Exposure(exposure) => Some(exposure.rule().limit),
            Self::OverRange(over_range) => Some(over_range.rule.at),
            // What a vote needs changes with the channels that are good: its group knows.
            Self::Vote
            | Self::State { .. }
            | Self::Bad
            | Self::Stale
            | Self::Clock
            | Self::Degraded
            | Self::GroupFault => None,
        }
    }

    /// Takes a value into the rule's memory. Only good samples into that of a rate: a doubtful value may
    /// be shown and compared, but bends no line, and one that was judged before is no sample.
    pub(super) fn learn(&mut self, look: &Look) {
        match self {
            Self::Rate(rate) => {
                let (rule, window) = rate.as_mut();
                if let (Sample::Good(value), Some(taken), false) =
                    (look.sample, look.taken, look.held)
                {
                    window.push(rule, taken, value);
                }
            }
            Self::Exposure(exposure) => {
                exposure.observe(look.value.get(), look.taken.unwrap_or(look.now), look.until);
            }
            Self::OverRange(over_range) => over_range.learn(look),
            Self::Limit(_)
            | Self::State { .. }
            | Self::Bad
            | Self::Stale
            | Self::Clock
            | Self::Discrepancy(_)
            | Self::Vote
            | Self::Degraded
            | Self::GroupFault => {}
        }
    }

    /// From `at` on there is no value, or nobody looks.
    pub(super) fn lose(&mut self, at: Mono) {
        if let Self::Exposure(exposure) = self {
            exposure.lose(at);
        } else if let Self::OverRange(over_range) = self {
            over_range.lose();
        }
    }

    /// The line through the rule's window, for rates; none when the newest sample in it is so old at
    /// `now` that the window has a hole.
    pub(super) fn fit(&self, now: Mono) -> Option<Fit> {
        match self {
            Self::Rate(rate) if rate.1.ends_long_before(&rate.0, now) => None,
            Self::Rate(rate) => rate.1.fit(&rate.0),
            Self::Limit(_)
            | Self::State { .. }
            | Self::Bad
            | Self::Stale
            | Self::Clock
            | Self::Discrepancy(_)
            | Self::Vote
            | Self::Degraded
            | Self::GroupFault
            | Self::Exposure(_)
            | Self::OverRange(_) => None,
        }
    }

    /// Where a value lies. While over-range is held, the upper limits are passed, and about the rest of
    /// what is read there is no verdict.
    pub(super) fn zone(&self, look: &Look) -> Zone {
        match self {
            Self::Limit(_) if look.held && self.is_held_by_over_range() => Zone::Beyond,
            Self::Limit(_) | Self::Rate(_) if look.held => Zone::Unknown,
            Self::Limit(rule) => limit::zone(rule, look.value),
            Self::Rate(_) if look.sample.quality() != Quality::Good => Zone::Unknown,
            Self::Rate(rate) => {
                rate_of_change::zone(&rate.0, self.fit(look.taken.unwrap_or(look.now)))
            }
            Self::State { when } => state::zone(*when, look.value),
            Self::Bad | Self::Stale => Zone::Inside,
            Self::Exposure(exposure) => exposure.zone(true, look.now),
            Self::OverRange(over_range) => over_range.zone(look),
            Self::Clock | Self::Discrepancy(_) | Self::Vote | Self::Degraded | Self::GroupFault => {
                Zone::Unknown
            }
        }
    }

    /// Where a sample of the past lay, as far as the rule can say by the sample alone or by its window
    /// at `now`.
    pub(super) fn zone_then(&self, sample: Sample, now: Mono) -> Zone {
        match (self, sample.value()) {
            (Self::Bad, None) => Zone::Beyond,
            (Self::Limit(rule), Some(value)) => limit::zone(rule, value),
            (Self::State { when }, Some(value)) => state::zone(*when, value),
            (Self::Rate(rate), Some(_)) if sample.quality() == Quality::Good => {
                rate_of_change::zone(&rate.0, self.fit(now))
            }
            (_, _) => Zone::Unknown,
        }
    }

    /// Takes a sample that comes out of order into the window of a rate. What an exposure adds up, and
    /// what holds an over-range, goes by the order of arrival.
    pub(super) fn learn_then(&mut self, taken: Mono, sample: Sample) {
        if let (Self::Rate(rate), Sample::Good(value)) = (self, sample) {
            let (rule, window) = rate.as_mut();
            window.push(rule, taken, value);
        }
    }

    /// Where a point without a usable value lies: process rules have no verdict; the alarm that is
    /// about the missing value is true, and its twin has nothing to say. An exposure has been.
    pub(super) fn zone_without_value(&self, condition: Condition, now: Mono) -> Zone {
        match (self, condition) {
            (Self::Bad, Condition::Bad(_)) | (Self::Stale, Condition::Stale) => Zone::Beyond,
            (Self::Bad, Condition::Stale) | (Self::Stale, Condition::Bad(_)) => Zone::Inside,
            (Self::Exposure(exposure), _) => exposure.zone(false, now),
            (Self::Bad | Self::Stale, Condition::Waiting | Condition::Present)
            | (
                Self::Limit(_)
                | Self::Rate(_)
                | Self::State { .. }
                | Self::Clock
                | Self::Discrepancy(_)
                | Self::Vote
                | Self::Degraded
                | Self::GroupFault
                | Self::OverRange(_),
                _,
            ) => Zone::Unknown,
        }
    }
}
