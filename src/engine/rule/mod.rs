//! One line per kind of rule: where the present value of a point lies with respect to it.
//!
//! A rule only answers [`Zone`]; what follows from it (delays, life cycle, events) is the same for
//! every kind. To add one: a file here, a variant and an arm below.

pub(super) mod discrepancy;
pub(super) mod limit;
pub(super) mod rate_of_change;
mod state;
pub(super) mod vote;

use super::delay::Zone;
use super::quality::Condition;
use super::reading::{Finite, Quality, Sample};
use super::settings::{Direction, DiscrepancyRule, LimitRule, RateRule, Rule};
use super::time::Mono;
use discrepancy::Spread;
use rate_of_change::{Fit, Window};

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
        }
    }

    /// The same rule without memory, if it can be judged by the values of its point alone.
    pub(super) fn anew(&self) -> Option<Self> {
        match self {
            Self::Limit(rule) => Some(Self::Limit(*rule)),
            Self::Rate(rate) => Some(Self::new(Rule::Rate(rate.0))),
            Self::State { when } => Some(Self::State { when: *when }),
            Self::Bad
            | Self::Stale
            | Self::Clock
            | Self::Discrepancy(_)
            | Self::Vote
            | Self::Degraded
            | Self::GroupFault => None,
        }
    }

    /// Is the greatest value the worst (`true`), or the least? Absent where none is.
    pub(super) fn rises(&self) -> Option<bool> {
        match self {
            Self::Limit(rule) => Some(rule.level.is_upper()),
            Self::Rate(rate) => Some(rate.0.direction == Direction::Rise),
            Self::State { .. } | Self::Vote => Some(true),
            Self::Bad
            | Self::Stale
            | Self::Clock
            | Self::Discrepancy(_)
            | Self::Degraded
            | Self::GroupFault => None,
        }
    }

    /// Does it watch the measured value, and not the measuring itself?
    pub(super) const fn is_process(&self) -> bool {
        match self {
            Self::Limit(_) | Self::Rate(_) | Self::State { .. } | Self::Vote => true,
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

    /// Is it judged by a group, when one of its channels changes, and not with its own point?
    pub(super) const fn is_judged_by_group(&self) -> bool {
        match self {
            Self::Discrepancy(_) | Self::Vote | Self::Degraded | Self::GroupFault => true,
            Self::Limit(_)
            | Self::Rate(_)
            | Self::State { .. }
            | Self::Bad
            | Self::Stale
            | Self::Clock => false,
        }
    }

    /// The limit it compares with: the point's unit, or units per minute for rates.
    pub(super) const fn limit(&self) -> Option<f64> {
        match self {
            Self::Limit(rule) => Some(rule.limit),
            Self::Rate(rate) => Some(rate.0.limit_per_min),
            Self::Discrepancy(discrepancy) => Some(discrepancy.0.limit),
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

    /// Takes a sample into the rule's memory. Only good ones: a doubtful value may be shown and
    /// compared, but bends no line.
    pub(super) fn learn(&mut self, time: Mono, sample: Sample) {
        if let (Self::Rate(rate), Sample::Good(value)) = (self, sample) {
            let (rule, window) = rate.as_mut();
            window.push(rule, time, value);
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
            | Self::GroupFault => None,
        }
    }

    /// Where a value of `quality` lies. `at` is its time on the rules' windows.
    pub(super) fn zone(&self, value: Finite, quality: Quality, at: Mono) -> Zone {
        match self {
            Self::Limit(rule) => limit::zone(rule, value),
            Self::Rate(_) if quality != Quality::Good => Zone::Unknown,
            Self::Rate(rate) => rate_of_change::zone(&rate.0, self.fit(at)),
            Self::State { when } => state::zone(*when, value),
            Self::Bad | Self::Stale => Zone::Inside,
            Self::Clock | Self::Discrepancy(_) | Self::Vote | Self::Degraded | Self::GroupFault => {
                Zone::Unknown
            }
        }
    }

    /// Where a point without a usable value lies: process rules have no verdict; the alarm that is
    /// about the missing value is true, and its twin has nothing to say.
    pub(super) const fn zone_without_value(&self, condition: Condition) -> Zone {
        match (self, condition) {
            (Self::Bad, Condition::Bad(_)) | (Self::Stale, Condition::Stale) => Zone::Beyond,
            (Self::Bad, Condition::Stale) | (Self::Stale, Condition::Bad(_)) => Zone::Inside,
            (Self::Bad | Self::Stale, Condition::Waiting | Condition::Present)
            | (
                Self::Limit(_)
                | Self::Rate(_)
                | Self::State { .. }
                | Self::Clock
                | Self::Discrepancy(_)
                | Self::Vote
                | Self::Degraded
                | Self::GroupFault,
                _,
            ) => Zone::Unknown,
        }
    }
}
