//! One line per kind of rule: where the present value of a point lies with respect to it.
//!
//! A rule only answers [`Zone`]; what follows from it (delays, life cycle, events) is the same for
//! every kind. To add one: a file here, a variant and an arm below.

pub(super) mod deviation;
pub(super) mod discrepancy;
pub(super) mod exposure;
pub(super) mod forecast;
pub(super) mod frozen;
pub(super) mod limit;
mod median;
mod nature;
pub(super) mod over_range;
mod rate_of_change;
pub(super) mod state;
pub(super) mod vote;

use super::delay::Zone;
use super::quality::Condition;
use super::reading::{Finite, Quality, Sample};
use super::settings::{
    Direction, DiscrepancyRule, LimitRule, OverRangeRule, PlantState, RateRule, Reference, Rule,
};
use super::time::Mono;
use super::trend::Trend;
use deviation::Deviation;
use discrepancy::Spread;
use exposure::Exposure;
use forecast::Forecast;
use frozen::Frozen;
pub(super) use median::RollingMedian;
use over_range::OverRange;

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
    /// A limit on the slope.
    Rate(RateRule),
    /// A limit will be reached soon. Boxed: most alarms are limits, and lie together.
    Forecast(Box<Forecast>),
    /// Too far from a reference.
    Deviation(Box<Deviation>),
    /// A digital point.
    State {
        /// The alarm position: other than zero, or zero.
        when: bool,
    },
    /// The source says that the value is bad.
    Bad,
    /// Nothing new arrives.
    Stale,
    /// The value does not move although it should.
    Frozen(Box<Frozen>),
    /// Times of the source; what they are worth is known where readings are taken in.
    Clock,
    /// The device wants to be looked after; it says so where readings are taken in.
    Maintenance,
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

/// What a forecast needs to know of a value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Evidence {
    pub(super) quality: Quality,
    /// When it was taken, on the scale of the trends; the present for one that was judged before.
    pub(super) at: Mono,
}

/// What else goes on, as far as a rule asks.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Company {
    /// Is the limit that is foretold passed, confirmed or not?
    pub(super) limit_passed: bool,
    /// Is the sensor over its range, or held there?
    pub(super) over_range: bool,
    /// What the value is compared with, if there is such a thing now.
    pub(super) reference: Option<Finite>,
    /// Is that no evidence, or the value itself not believed, so that nothing is over by them?
    pub(super) doubted: bool,
    /// Is it so that the value must move? Nobody knows when absent.
    pub(super) must_move: Option<bool>,
}

impl Watch {
    pub(super) fn new(rule: Rule) -> Self {
        match rule {
            Rule::Limit(limit) => Self::Limit(limit),
            Rule::Rate(rate) => Self::Rate(rate),
            Rule::Forecast(rule) => Self::Forecast(Box::new(Forecast::new(rule))),
            Rule::Deviation(rule) => Self::Deviation(Box::new(Deviation::new(rule))),
            Rule::State { when } => Self::State { when },
            Rule::Bad => Self::Bad,
            Rule::Stale => Self::Stale,
            Rule::Frozen(rule) => Self::Frozen(Box::new(Frozen::new(rule))),
            Rule::Clock => Self::Clock,
            Rule::Maintenance => Self::Maintenance,
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
            Self::Rate(rule) => Some(Self::Rate(*rule)),
            Self::State { when } => Some(Self::State { when: *when }),
            // What is over holds nothing.
            Self::OverRange(over_range) => Some(Self::new(Rule::OverRange(OverRangeRule {
                latching: false,
                ..over_range.rule
            }))),
            // Advice about a future that has passed, and what was compared then is not known.
            Self::Forecast(_)
            | Self::Deviation(_)
            | Self::Bad
            | Self::Stale
            | Self::Frozen(_)
            | Self::Clock
            | Self::Maintenance
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
            Self::Rate(rule) => Some(rule.direction == Direction::Rise),
            Self::Forecast(forecast) => Some(forecast.rule.to.is_upper()),
            Self::Deviation(deviation) => Some(deviation.is_above()),
            Self::State { .. } | Self::Vote | Self::OverRange(_) => Some(true),
            Self::Bad
            | Self::Stale
            | Self::Frozen(_)
            | Self::Clock
            | Self::Maintenance
            | Self::Discrepancy(_)
            | Self::Degraded
            | Self::GroupFault
            | Self::Exposure(_) => None,
        }
    }

    /// Is it active as long as over-range is held, whatever is read?
    pub(super) const fn is_held_by_over_range(&self) -> bool {
        if let Self::Limit(rule) = self {
            rule.level.is_upper()
        } else {
            matches!(self, Self::OverRange(_))
        }
    }

    /// What must be so elsewhere for it to be judged, and whether it was so far.
    pub(super) fn gate(&self) -> Option<(PlantState, bool)> {
        if let Self::Frozen(frozen) = self {
            frozen.gate()
        } else {
            None
        }
    }

    /// The point whose value it compares with, by index.
    pub(super) fn reference_point(&self) -> Option<usize> {
        let Self::Deviation(deviation) = self else {
            return None;
        };
        match deviation.rule.from {
            Reference::Point(point) => Some(point.0 as usize),
            Reference::Fixed(_) | Reference::Median(_) => None,
        }
    }

    /// Position of the window it looks through, of a rule about slopes.
    pub(super) fn trend(&self) -> Option<usize> {
        if let Self::Rate(rule) = self {
            Some(rule.trend)
        } else if let Self::Forecast(forecast) = self {
            Some(forecast.rule.trend)
        } else {
            None
        }
    }

    /// Is it time to keep what is usual of its value, if it is measured from that?
    pub(super) fn is_memory_due(&self, now: Mono) -> bool {
        if let Self::Deviation(deviation) = self {
            deviation
                .usual()
                .is_some_and(|usual| usual.is_memory_due(now))
        } else {
            false
        }
    }

    /// The limit it compares with: the point's unit, or units per minute for rates.
    pub(super) fn limit(&self) -> Option<f64> {
        match self {
            Self::Limit(rule) => Some(rule.limit),
            Self::Rate(rule) => Some(rule.limit_per_min),
            Self::Forecast(forecast) => Some(forecast.rule.limit),
            Self::Deviation(deviation) => Some(deviation.rule.limit()),
            Self::Discrepancy(discrepancy) => Some(discrepancy.0.limit),
            Self::Exposure(exposure) => Some(exposure.rule().limit),
            Self::OverRange(over_range) => Some(over_range.rule.at),
            // What a vote needs changes with the channels that are good: its group knows.
            Self::Vote
            | Self::State { .. }
            | Self::Bad
            | Self::Stale
            | Self::Frozen(_)
            | Self::Clock
            | Self::Maintenance
            | Self::Degraded
            | Self::GroupFault => None,
        }
    }

    /// Takes a value into the rule's memory.
    pub(super) fn learn(&mut self, look: &Look) {
        if let Self::Exposure(exposure) = self {
            let at = look.taken.unwrap_or(look.now);
            // The lower end of the range that stands for a current below it was not seen.
            if look.sample.can_clear() || look.value.get() > 0.0 {
                exposure.observe(look.value.get(), at, look.until);
            } else {
                exposure.lose(at);
            }
        } else if let Self::OverRange(over_range) = self {
            over_range.learn(look);
        } else if let Self::Deviation(deviation) = self {
            deviation.learn(look);
        }
    }

    /// From `at` on there is no value, or nobody looks.
    pub(super) fn lose(&mut self, at: Mono) {
        if let Self::Exposure(exposure) = self {
            exposure.lose(at);
        } else if let Self::OverRange(over_range) = self {
            over_range.lose();
        } else if let Self::Frozen(frozen) = self {
            frozen.lose();
        }
    }

    /// Where a value lies. `trends` are those of its point, `company` what else goes on there. While
    /// over-range is held, the upper limits are passed, and about the rest of what is read there is no
    /// verdict. A value beyond what can be measured is never inside: it ends nothing.
    pub(super) fn zone(&mut self, look: &Look, trends: &[Trend], company: Company) -> Zone {
        let proves = look.sample.can_clear() && !company.doubted;
        let zone = self.zone_of(look, trends, company);
        self.only_if(zone, proves)
    }

    /// What may not clear a rule about a value lies at its margin.
    const fn only_if(&self, zone: Zone, proves: bool) -> Zone {
        if matches!(zone, Zone::Inside) && !proves && self.needs_value() {
            Zone::Margin
        } else {
            zone
        }
    }

    fn zone_of(&mut self, look: &Look, trends: &[Trend], company: Company) -> Zone {
        let quality = look.sample.quality();
        let at = look.taken.unwrap_or(look.now);
        let line = |trend: usize| trends.get(trend).and_then(|trend| trend.line(at));
        match self {
            Self::Limit(_) if look.held && self.is_held_by_over_range() => Zone::Beyond,
            Self::Limit(_) | Self::Rate(_) | Self::Deviation(_) if look.held => Zone::Unknown,
            Self::Limit(rule) => limit::zone(rule, look.value),
            Self::Rate(_) if quality != Quality::Good => Zone::Unknown,
            Self::Rate(rule) => rate_of_change::zone(rule, line(rule.trend)),
            Self::Forecast(forecast) => {
                let evidence = Evidence { quality, at };
                let line = line(forecast.rule.trend);
                forecast.zone(line, &evidence, company)
            }
            Self::Deviation(deviation) => deviation.zone(look.value, company.reference, look.now),
            Self::State { when } => state::zone(*when, look.value),
            Self::Bad if !look.sample.ends_loss() => Zone::Margin,
            Self::Bad | Self::Stale => Zone::Inside,
            Self::Frozen(frozen) => {
                let always = frozen.rule.gate.is_none();
                frozen.zone(look, company.must_move.or(always.then_some(true)))
            }
            Self::Exposure(exposure) => exposure.zone(look.sample.can_clear(), look.now),
            Self::OverRange(over_range) => over_range.zone(look),
            Self::Clock
            | Self::Maintenance
            | Self::Discrepancy(_)
            | Self::Vote
            | Self::Degraded
            | Self::GroupFault => Zone::Unknown,
        }
    }

    /// Where a sample of the past lay, as far as the rule can say by the sample alone or by its window
    /// at `now`. What was compared with a reference then is not known, and a forecast of the past is over.
    pub(super) fn zone_then(&self, sample: Sample, trends: &[Trend], now: Mono) -> Zone {
        let zone = match (self, sample.value()) {
            (Self::Bad, None) => Zone::Beyond,
            (Self::Limit(rule), Some(value)) => limit::zone(rule, value),
            (Self::State { when }, Some(value)) => state::zone(*when, value),
            (Self::Rate(rule), Some(_)) if sample.quality() == Quality::Good => {
                let trend = trends.get(rule.trend);
                rate_of_change::zone(rule, trend.and_then(|trend| trend.line(now)))
            }
            (_, _) => Zone::Unknown,
        };
        self.only_if(zone, sample.can_clear())
    }

    /// Where a point without a usable value lies: process rules have no verdict; the alarm that is
    /// about the missing value is true, and its twin has nothing to say. An exposure has been.
    pub(super) fn zone_without_value(&mut self, condition: Condition, now: Mono) -> Zone {
        if let Self::Exposure(exposure) = self {
            return exposure.zone(false, now);
        }
        if let Self::Forecast(forecast) = self {
            return forecast.interrupt();
        }
        let is_it = match condition {
            Condition::Bad(_) => matches!(self, Self::Bad),
            Condition::Stale => matches!(self, Self::Stale),
            Condition::Waiting | Condition::Present => return Zone::Unknown,
        };
        if is_it {
            Zone::Beyond
        } else if self.is_about_loss() {
            Zone::Inside
        } else {
            Zone::Unknown
        }
    }
}
