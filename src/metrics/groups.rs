//! Groups as series: how they vote now, and how many of their channels can.

use super::text::{Family, Kind};
use crate::engine::snapshot::{GroupView, PointView, Snapshot};

/// Appends the families of groups; nothing without a group.
pub(super) fn write(snapshot: &Snapshot, text: &mut String) {
    let points = snapshot.points.iter();
    let groups = points.filter_map(|point| Some((point, point.group.as_deref()?)));
    let groups: Vec<(&PointView, &GroupView)> = groups.collect();
    if groups.is_empty() {
        return;
    }
    let mut each = |name, help, value: fn(&GroupView) -> u32| {
        let mut family = Family::new(text, name, help, Kind::Gauge);
        for (point, group) in &groups {
            let labels = [
                ("area", point.area.as_deref().unwrap_or_default()),
                ("group", &*point.id),
            ];
            family.series(&labels, f64::from(value(group)));
        }
    };
    each(
        "forewarn_group_votes",
        "Good channels of the group in alarm.",
        |group| group.votes,
    );
    each(
        "forewarn_group_votes_needed",
        "Votes that are enough now; fewer good channels may need fewer.",
        |group| group.needed,
    );
    each(
        "forewarn_group_channels_good",
        "Channels of the group with a value.",
        |group| group.good,
    );
    each(
        "forewarn_group_channels",
        "Channels of the group as configured.",
        |group| u32::try_from(group.channels.len()).unwrap_or(u32::MAX),
    );
}
