//! `discrepancy`: which values are compared, and how far apart they may be. It is written once, at the
//! group, and becomes an alarm of every channel.

use std::time::Duration;

use super::super::alarm::{self, RawAlarm};
use super::super::finding::{Kind, Log};
use super::super::keys::{Keys, Vocabulary};
use super::super::place::{At, Place};
use super::super::point::RawPoint;
use super::RawGroup;
use crate::engine::settings::AlarmKind;

const DISCREPANCY: Vocabulary = Vocabulary {
    what: "a discrepancy: `{ limit = NUMBER, on_delay = DURATION }`",
    keys: &["limit", "on_delay"],
    later: &[],
};

/// As written.
pub(super) struct RawDiscrepancy {
    place: Place,
    limit: Option<At<f64>>,
    on_delay: Option<At<Duration>>,
}

/// Reads `discrepancy` of a group.
pub(super) fn read(keys: &Keys<'_>, log: &mut Log) -> Option<RawDiscrepancy> {
    let entry = keys.entry("discrepancy")?;
    let keys = Keys::open(entry, &DISCREPANCY, log)?;
    keys.require("limit", "5", log);
    Some(RawDiscrepancy {
        place: entry.key.place,
        limit: keys.positive("limit", false, log),
        on_delay: keys.duration("on_delay", alarm::DELAY, log),
    })
}

/// Gives every channel of a group that compares its discrepancy alarm.
pub(super) fn spread(group: &RawGroup, points: &mut [RawPoint], log: &mut Log) {
    let Some(discrepancy) = &group.discrepancy else {
        return;
    };
    let Some(limit) = &discrepancy.limit else {
        return;
    };
    let unit = group
        .of
        .first()
        .map(|first| points[first.value].unit.clone());
    for member in &group.of {
        let point = &mut points[member.value];
        let id = &point.id.value;
        if Some(&point.unit) != unit.as_ref() {
            let text = format!("`{id}` is in another unit than the first channel");
            log.error(Kind::Conflict, member.place, text)
                .hint("values in different units cannot be compared: leave `discrepancy` out")
                .also(discrepancy.place, "the comparison");
            continue;
        }
        if point.is_digital() == Some(true) {
            let text = format!("`{id}` has two positions, which are no values to compare");
            log.error(Kind::Conflict, member.place, text)
                .hint("leave `discrepancy` out")
                .also(discrepancy.place, "the comparison");
            continue;
        }
        let kind = AlarmKind::Discrepancy;
        let at = point.alarms.partition_point(|alarm| alarm.kind < kind);
        if point.alarms.get(at).is_none_or(|alarm| alarm.kind != kind) {
            point.alarms.insert(at, alarm::empty(kind, limit.place));
        }
        let alarm = &mut point.alarms[at];
        if let Some(first) = &alarm.limit {
            let text = format!("`{id}` is compared in two groups");
            log.error(Kind::Duplicate, member.place, text)
                .hint("leave `discrepancy` out in one of them")
                .also(first.place, "the other group");
            continue;
        }
        alarm.limit = Some(limit.clone());
        let short = discrepancy.on_delay.clone();
        alarm.on_delay = alarm.on_delay.take().or(short);
        never_clears(alarm, limit, log);
    }
}

fn never_clears(alarm: &RawAlarm, limit: &At<f64>, log: &mut Log) {
    if let Some(deadband) = alarm
        .deadband
        .as_ref()
        .filter(|deadband| deadband.value >= limit.value)
    {
        log.error(
            Kind::LimitOrder,
            deadband.place,
            "the deadband must be less than the limit of the discrepancy",
        )
        .hint("equal values would not clear the alarm")
        .also(limit.place, "the limit");
    }
}

/// Refuses the long form at a point that no group compares.
pub(super) fn with_nothing(points: &mut [RawPoint], log: &mut Log) {
    for point in points {
        let alarms = point.alarms.iter();
        let mut alone = alarms.filter(|alarm| alarm.kind == AlarmKind::Discrepancy);
        if let Some(alarm) = alone.find(|alarm| alarm.limit.is_none()) {
            let text = format!("`{}` is compared with nothing", point.id.value);
            log.error(Kind::Conflict, alarm.place, text)
                .hint("write `discrepancy = { limit = 5 }` at a group that the point belongs to");
        }
    }
}
