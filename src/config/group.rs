//! `[group]`: points that vote.

use super::explain::{after, delayed, quantity};
use crate::engine::settings::{AlarmSettings, DiscrepancyRule, PointSettings};

/// When a group's vote rises and when it clears.
pub(super) fn explain_vote(point: &PointSettings, alarm: &AlarmSettings) -> String {
    let (votes, channels) = point
        .group
        .as_ref()
        .map_or((0, 0), |group| (group.votes, group.of.len()));
    let (on, off) = (after(alarm.on_delay), after(alarm.off_delay));
    format!(
        "Raised {on} when {votes} of the {channels} channels are in alarm; clears {off} when fewer are."
    )
}

/// When a group counts as degraded.
pub(super) fn explain_degraded(alarm: &AlarmSettings) -> String {
    let (on, off) = (delayed(alarm.on_delay), delayed(alarm.off_delay));
    format!("Raised{on} when a channel has no value; clears{off} when every channel has one.")
}

/// When a group has failed.
pub(super) fn explain_group_fault(alarm: &AlarmSettings) -> String {
    let (on, off) = (delayed(alarm.on_delay), delayed(alarm.off_delay));
    format!(
        "Raised{on} when no channel has a value: the vote stays as it was; clears{off} when one has."
    )
}

/// When a channel disagrees with the others.
pub(super) fn explain_discrepancy(
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
