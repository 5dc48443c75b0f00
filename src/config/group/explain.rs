//! Groups and their alarms in sentences.

use super::super::explain::{after, delayed, quantity};
use crate::engine::settings::{
    AlarmSettings, BadChannel, DiscrepancyRule, GroupSettings, OnBad, PointSettings,
};

/// What a group is, in words; `points` are all there are.
pub(in super::super) fn explain(group: &GroupSettings, points: &[PointSettings]) -> String {
    let names = group.of.iter().map(|member| {
        let point = points.get(member.0 as usize);
        point.map_or("", |point| &*point.id)
    });
    let names: Vec<&str> = names.collect();
    let channels = group.of.len();
    let needed = |bad: usize| match group.bad {
        BadChannel::Vote => group.votes.saturating_sub(bad).max(1),
        BadChannel::Exclude => group.votes.min(channels - bad).max(1),
    };
    let modes =
        (1..channels).map(|bad| format!("{}oo{} with {bad} bad", needed(bad), channels - bad));
    let modes: Vec<String> = modes.collect();
    let policy = match group.bad {
        BadChannel::Vote => "counts as a vote",
        BadChannel::Exclude => "is left out",
    };
    let members = group.of.iter();
    let trips = members.filter_map(|member| points.get(member.0 as usize));
    let trips = trips.filter(|point| point.on_bad == OnBad::VoteTrip);
    let trips: Vec<&str> = trips.map(|point| &*point.id).collect();
    let trips = if trips.is_empty() {
        String::new()
    } else {
        let names = trips.join(", ");
        format!(
            " But that {names} is bad or stale is a vote by itself, once the alarm about it is active; not \
             while its alarm that votes is out of service."
        )
    };
    format!(
        "Votes {}oo{channels} on `{}` of {}. A channel without a value {policy}: {}.{trips}",
        group.votes,
        group.alarm.name(),
        names.join(", "),
        modes.join(", ")
    )
}

/// When a group's vote rises and when it clears.
pub(in super::super) fn explain_vote(point: &PointSettings, alarm: &AlarmSettings) -> String {
    let (votes, channels) = point
        .group
        .as_ref()
        .map_or((0, 0), |group| (group.votes, group.of.len()));
    let (on, off) = (after(alarm.on_delay), after(alarm.off_delay));
    let are = if votes == 1 { "is" } else { "are" };
    format!(
        "Raised {on} when {votes} of the {channels} channels {are} in alarm; clears {off} when fewer are."
    )
}

/// When a group counts as degraded.
pub(in super::super) fn explain_degraded(alarm: &AlarmSettings) -> String {
    let (on, off) = (delayed(alarm.on_delay), delayed(alarm.off_delay));
    format!("Raised{on} when a channel has no value; clears{off} when every channel has one.")
}

/// When a group has failed.
pub(in super::super) fn explain_group_fault(alarm: &AlarmSettings) -> String {
    let (on, off) = (delayed(alarm.on_delay), delayed(alarm.off_delay));
    format!(
        "Raised{on} when no channel has a value: the vote stays as it was; clears{off} when one has."
    )
}

/// When a channel disagrees with the others.
pub(in super::super) fn explain_discrepancy(
    point: &PointSettings,
    alarm: &AlarmSettings,
    rule: &DiscrepancyRule,
) -> String {
    let (on, off) = (after(alarm.on_delay), after(alarm.off_delay));
    let limit = quantity(rule.limit, &point.unit);
    let clear = quantity(rule.limit - rule.deadband, &point.unit);
    format!(
        "Raised {on} when the value is more than {limit} away from the median of the good channels of \
         its group, of two from the other one; clears {off} at {clear} or less."
    )
}
