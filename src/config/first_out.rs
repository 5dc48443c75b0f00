//! `first_out` of a group: the alarms of which the first is marked (alarm-standards 2.15). `true` means
//! those that vote; a list names any alarms, and such a group need not vote.

use super::alarm_name;
use super::finding::{Kind, Log};
use super::keys::{Keys, Vocabulary, mismatch};
use super::place::{At, Place};
use super::point::RawPoint;
use super::tree::{Entry, Item, Value};
use crate::engine::reading::PointIndex;
use crate::engine::settings::{AlarmKind, FirstOutSettings};

/// A group that does nothing else.
const ALONE: Vocabulary = Vocabulary {
    what: "a group that only marks which alarm came first",
    keys: &["first_out"],
    later: &[],
};

/// What makes a group vote.
const VOTING: [&str; 3] = ["vote", "of", "alarm"];

/// As written.
pub(super) struct RawFirstOut {
    id: String,
    members: Members,
}

enum Members {
    /// The voting alarms of the channels, by position of the point.
    Channels(Vec<(usize, AlarmKind)>, Place),
    /// Alarms by their names.
    Named(Vec<At<String>>),
}

/// Does a group mark which alarm came first, and nothing else?
pub(super) fn is_alone(entry: &Entry) -> bool {
    let Value::Table(section) = &entry.item.value else {
        return false;
    };
    let list = section.get("first_out").map(|entry| &entry.item.value);
    matches!(list, Some(Value::List(_))) && VOTING.iter().all(|key| section.get(key).is_none())
}

/// Reads a group that does nothing else.
pub(super) fn read_alone(entry: &Entry, log: &mut Log) -> Option<RawFirstOut> {
    let keys = Keys::open(entry, &ALONE, log)?;
    read(&entry.key, &keys, Vec::new(), log)
}

/// Reads the key of the group `id`, whose channels vote with the alarms `channels`.
pub(super) fn read(
    id: &At<String>,
    keys: &Keys<'_>,
    channels: Vec<(usize, AlarmKind)>,
    log: &mut Log,
) -> Option<RawFirstOut> {
    let item = &keys.entry("first_out")?.item;
    let members = match &item.value {
        Value::Flag(false) => return None,
        Value::Flag(true) => Members::Channels(channels, item.place),
        Value::List(items) => {
            let names = items.iter().filter_map(|item| name(item, log)).collect();
            if items.len() < 2 {
                let text = "of a single alarm nobody asks whether it came first";
                log.error(Kind::OutOfRange, item.place, text)
                    .hint("name at least two alarms");
            }
            Members::Named(names)
        }
        Value::Text(_) | Value::Integer(_) | Value::Float(_) | Value::Date | Value::Table(_) => {
            return mismatch("first_out", "true, false or a list of alarms", item, log);
        }
    };
    Some(RawFirstOut {
        id: id.value.clone(),
        members,
    })
}

fn name(item: &Item, log: &mut Log) -> Option<At<String>> {
    let Value::Text(name) = &item.value else {
        return mismatch("first_out", "a list of alarms as POINT/kind", item, log);
    };
    Some(At {
        value: name.clone(),
        place: item.place,
    })
}

/// Finds the alarms; `raw` are all points and groups in the order of their indices.
pub(super) fn resolve(
    written: &[RawFirstOut],
    raw: &[&RawPoint],
    log: &mut Log,
) -> Vec<FirstOutSettings> {
    let mut taken: Vec<(usize, AlarmKind, Place)> = Vec::new();
    let groups = written.iter().map(|group| {
        let found: Vec<(usize, AlarmKind, Place)> = match &group.members {
            Members::Channels(channels, place) => {
                let channels = channels.iter();
                channels
                    .map(|(point, kind)| (*point, *kind, *place))
                    .collect()
            }
            Members::Named(names) => {
                let found = names.iter().filter_map(|name| {
                    let (point, kind) = alarm_name::find(name, raw, log)?;
                    Some((point, kind, name.place))
                });
                found.collect()
            }
        };
        let mut members = Vec::new();
        for (point, kind, place) in found {
            let known = taken.iter();
            let first = known.clone().find(|(p, k, _)| (*p, *k) == (point, kind));
            if let Some((_, _, first)) = first {
                let text = format!(
                    "`{}/{}` would come first twice",
                    raw[point].id.value,
                    kind.name()
                );
                log.error(Kind::Duplicate, place, text)
                    .hint("an alarm belongs to one `first_out`")
                    .also(*first, "first here");
                continue;
            }
            taken.push((point, kind, place));
            members.push((index(point), kind));
        }
        FirstOutSettings {
            id: group.id.as_str().into(),
            members,
        }
    });
    groups.collect()
}

fn index(position: usize) -> PointIndex {
    PointIndex(u32::try_from(position).unwrap_or(u32::MAX))
}

/// What a group marks; `name` gives an alarm's.
pub(super) fn explain(
    group: &FirstOutSettings,
    name: impl Fn(PointIndex, AlarmKind) -> String,
) -> String {
    let members = group.members.iter();
    let names: Vec<String> = members.map(|(point, kind)| name(*point, *kind)).collect();
    format!(
        "{}: of {} the first is marked (first-out), until all of them are normal again or a person resets \
         the group.",
        group.id,
        names.join(", ")
    )
}
