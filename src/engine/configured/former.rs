//! What ended because of another configuration and not because of the process: the first good value is judged
//! by what raised the alarm, too, and the record says which of both let it go (alarm-standards 1.5.11).

use std::time::Duration;

use super::super::Engine;
use super::super::delay::Zone;
use super::super::effect::Cause;
use super::super::rule::{Look, Watch};
use super::super::settings::{
    AlarmKind, DeviationRule, ExposureRule, LimitRule, OverRangeRule, RateRule, Rule,
};
use super::super::snapshot::History;
use super::super::time::Moment;
use super::{Before, Difference, inventory};

/// What raised an alarm in the life before.
#[derive(Debug, Clone, Copy)]
pub(in super::super) enum Former {
    /// A rule.
    By(Rule),
    /// Its sensor was over its range, and whatever it showed after that was not believed.
    Held,
}

impl Engine {
    /// Limits that were held because their sensor was over its range are not held by the present settings.
    pub(super) fn let_go(&mut self, (alarms_then, _): Before<'_>, history: &History) {
        for point in 0..self.points.len() {
            let name = format!("{}/{}", self.points[point].id, AlarmKind::OverRange.name());
            let was = alarms_then.get(&*name).and_then(|was| was.others.as_ref());
            let mut records = history.records.iter();
            if self.points[point].held_at.is_some()
                || was.is_none_or(|was| was.get(inventory::HELD).is_none())
                || !records.any(|record| *record.alarm == *name && record.state.is_active())
            {
                continue;
            }
            for alarm in &mut self.alarms[self.points[point].alarms.clone()] {
                let held = alarm.watch.is_held_by_over_range() && alarm.state.is_active();
                if let Some(episode) = alarm.episode.as_mut().filter(|_| held) {
                    episode.former = Some(Former::Held);
                }
            }
        }
    }

    /// The first verdict under another rule than the one that raised the alarm. Says whether that ended
    /// it: when the value has left the alarm by the new rule, and would not have by the old one.
    pub(in super::super) fn end_by_config(
        &mut self,
        index: usize,
        zone: Zone,
        look: &Look,
        now: Moment,
    ) -> bool {
        let episode = self.alarms[index].episode.as_mut();
        let Some(episode) = episode.filter(|_| zone != Zone::Unknown) else {
            return false;
        };
        let Some(former) = episode.former.take() else {
            return false;
        };
        if zone != Zone::Inside {
            return false;
        }
        match self.zone_before(index, former, look) {
            // Where the old rule has no verdict nothing is known to have ended by the change.
            Zone::Inside | Zone::Unknown => return false,
            Zone::Beyond | Zone::Margin => {}
        }
        self.stand_down(index, now);
        self.clear(index, Cause::Config, now);
        true
    }

    /// Where the value lies by what raised the alarm.
    fn zone_before(&self, index: usize, former: Former, look: &Look) -> Zone {
        match (former, &self.alarms[index].watch) {
            (Former::Held, _) => Zone::Beyond,
            // What it is made of is in the present one.
            (Former::By(Rule::Exposure(rule)), Watch::Exposure(exposure)) => {
                exposure.zone_by(&rule, true, look.now)
            }
            (Former::By(rule), _) => {
                let point = self.point_of(index);
                let trends = &self.points[point].trends;
                Watch::new(rule).zone(look, trends, self.company(point, index))
            }
        }
    }
}

impl Difference<'_> {
    /// The rule as it was, if it was another and both can be asked about one value. A count, a slope through
    /// another window, and a deviation from something else cannot.
    pub(super) fn former(&self, watch: &Watch) -> Option<Former> {
        let rule = match watch {
            Watch::Limit(is) => {
                let was = LimitRule {
                    limit: self.limit(is.limit),
                    deadband: self.number(inventory::DEADBAND, is.deadband),
                    ..*is
                };
                (was != *is).then_some(Rule::Limit(was))
            }
            Watch::Rate(is) => {
                let was = RateRule {
                    limit_per_min: self.limit(is.limit_per_min),
                    deadband_per_min: self.number(inventory::DEADBAND, is.deadband_per_min),
                    ..*is
                };
                (was != *is).then_some(Rule::Rate(was))
            }
            Watch::Deviation(deviation) => {
                let is = deviation.rule;
                let side = |name, is: Option<f64>| match self.before(name) {
                    Some(was) => was.parse().ok(),
                    None => is,
                };
                let was = DeviationRule {
                    below: side("below", is.below),
                    above: side("above", is.above),
                    deadband: self.number(inventory::DEADBAND, is.deadband),
                    // One that settles has no verdict.
                    settle: Duration::ZERO,
                    ..is
                };
                let same = self.before(inventory::FROM).is_none();
                let other = (was.below, was.above) != (is.below, is.above)
                    || self.before(inventory::DEADBAND).is_some();
                (same && other).then_some(Rule::Deviation(was))
            }
            Watch::Exposure(exposure) => {
                let is = exposure.rule();
                let was = ExposureRule {
                    limit: self.limit(is.limit),
                    deadband: self.number(inventory::DEADBAND, is.deadband),
                    ..*is
                };
                (was != *is).then_some(Rule::Exposure(was))
            }
            Watch::OverRange(over_range) => {
                let is = over_range.rule;
                let was = OverRangeRule {
                    at: self.limit(is.at),
                    bottom: self.number("bottom", is.bottom),
                    deadband: self.number(inventory::DEADBAND, is.deadband),
                    ..is
                };
                (was != is).then_some(Rule::OverRange(was))
            }
            Watch::State { when } => self
                .before(inventory::WHEN)
                .map(|_| Rule::State { when: !*when }),
            Watch::Forecast(_)
            | Watch::Bad
            | Watch::Stale
            | Watch::Frozen(_)
            | Watch::Clock
            | Watch::Maintenance
            | Watch::Discrepancy(_)
            | Watch::Vote
            | Watch::Degraded
            | Watch::GroupFault => None,
        };
        rule.map(Former::By)
    }

    /// Is what the rule before looked at nothing that the present one can be asked about: another count, a
    /// slope through another window, a forecast of something else, another reference?
    pub(super) fn is_blind(&self, watch: &Watch) -> bool {
        let changed = |name: &&str| self.before(name).is_some();
        let own = match watch {
            Watch::Rate(_) => inventory::LINE.iter().any(changed),
            Watch::Forecast(_) => {
                let mut names = inventory::LINE.iter().chain(&inventory::FORECAST);
                self.was.limit != self.is.limit || names.any(changed)
            }
            Watch::Deviation(_) => changed(&inventory::FROM),
            Watch::Limit(_)
            | Watch::Exposure(_)
            | Watch::OverRange(_)
            | Watch::State { .. }
            | Watch::Bad
            | Watch::Stale
            | Watch::Frozen(_)
            | Watch::Clock
            | Watch::Maintenance
            | Watch::Discrepancy(_)
            | Watch::Vote
            | Watch::Degraded
            | Watch::GroupFault => false,
        };
        own || changed(&inventory::COUNT)
    }

    fn limit(&self, is: f64) -> f64 {
        self.was.limit.unwrap_or(is)
    }

    fn number(&self, name: &str, is: f64) -> f64 {
        let was = self.before(name).and_then(|was| was.parse().ok());
        was.unwrap_or(is)
    }

    /// A setting as it was, if it is another now.
    fn before(&self, name: &str) -> Option<&str> {
        let mut others = self.others.iter();
        let (_, was, _) = others.find(|(key, ..)| *key == name)?;
        Some(was)
    }
}
