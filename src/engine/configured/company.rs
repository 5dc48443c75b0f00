//! What a point looks at beyond itself, as it is kept for the next start.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::super::reading::PointIndex;
use super::super::settings::{AlarmKind, BadChannel, GroupSettings, HealthRule, Settings};
use super::inventory::Kept;

/// In which group of causes an alarm is.
pub(super) type FirstOuts<'s> = BTreeMap<(PointIndex, AlarmKind), &'s str>;

/// Of all groups of causes.
pub(super) fn first_outs(settings: &Settings) -> FirstOuts<'_> {
    let groups = settings.first_outs.iter();
    let members = groups.flat_map(|group| {
        let members = group.members.iter();
        members.map(|member| (*member, &*group.id))
    });
    members.collect()
}

impl Kept {
    pub(super) fn health(&mut self, health: &[HealthRule], settings: &Settings) {
        let rules = health.iter().map(|rule| {
            let HealthRule {
                from,
                good,
                failure,
                function_check,
                out_of_specification,
                maintenance,
            } = rule;
            let from = settings.points.get(from.0 as usize);
            let mut words = from.map_or_else(String::new, |point| point.id.to_string());
            for (name, values) in [
                ("good", good),
                ("failure", failure),
                ("function_check", function_check),
                ("out_of_specification", out_of_specification),
                ("maintenance", maintenance),
            ] {
                for value in values {
                    let _infallible = write!(words, " {value} {name}").is_err();
                }
            }
            words
        });
        self.list("health", rules);
    }

    pub(super) fn group(&mut self, group: &GroupSettings, settings: &Settings) {
        let GroupSettings {
            votes,
            of,
            alarm,
            bad,
            compares,
        } = group;
        self.text("vote", format!("{votes}oo{}", of.len()));
        let channels = of.iter();
        let channels = channels.filter_map(|channel| settings.points.get(channel.0 as usize));
        self.list("of", channels.map(|channel| &*channel.id));
        self.text("alarm", alarm.name());
        self.text(
            "bad",
            match bad {
                BadChannel::Vote => "vote",
                BadChannel::Exclude => "exclude",
            },
        );
        self.flag("discrepancy", *compares);
    }
}
