//! Alarms that settings refer to by their names, as in `PT-330/high`.

use super::finding::{Kind, Log, nearest};
use super::place::At;
use super::point::RawPoint;
use crate::engine::settings::AlarmKind;

/// Position of the point or group, and kind; `raw` are all points and groups.
pub(super) fn find(
    alarm: &At<String>,
    raw: &[&RawPoint],
    log: &mut Log,
) -> Option<(usize, AlarmKind)> {
    let (point, kind) = alarm.value.rsplit_once('/').unwrap_or((&alarm.value, ""));
    let Some(position) = raw.iter().position(|known| known.id.value == point) else {
        let text = format!("there is no alarm \"{}\"", alarm.value);
        let known = raw.iter().map(|point| point.id.value.as_str());
        let hint = nearest(point, known).map_or_else(
            || "an alarm is named as POINT/kind, for example \"PT-330/high\"".to_owned(),
            |near| format!("did you mean \"{near}/{kind}\"?"),
        );
        log.error(Kind::UnknownReference, alarm.place, text)
            .hint(hint);
        return None;
    };
    let kinds = || raw[position].alarms.iter().map(|alarm| alarm.kind);
    let found = kinds().find(|known| known.name() == kind);
    if found.is_none() {
        let text = format!("`{point}` has no alarm \"{kind}\"");
        let names: Vec<&str> = kinds().map(AlarmKind::name).collect();
        log.error(Kind::UnknownReference, alarm.place, text)
            .hint(format!("it has: {}", names.join(", ")));
    }
    found.map(|kind| (position, kind))
}
