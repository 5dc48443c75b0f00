//! `health`: where the device of a point says how it is, and which numbers say what (alarm-standards 2.13);
//! and in words how long its sensor warms up.

use super::defaults::Resolved;
use super::finding::{Kind, Log};
use super::keys::{Keys, Vocabulary, mismatch};
use super::people::dangling;
use super::place::{At, Place};
use super::point::RawPoint;
use super::scalar::{show_duration, show_number};
use super::tree::{Item, Value};
use crate::engine::reading::PointIndex;
use crate::engine::settings::{HealthRule, PointSettings};

const HEALTH: Vocabulary = Vocabulary {
    what: "a `health`: `{ from = \"GD-201-STATUS\", failure = [2] }`",
    keys: &[
        "from",
        "good",
        "failure",
        "function_check",
        "out_of_specification",
        "maintenance",
    ],
    later: &[],
};

/// The keys of [`HEALTH`] that hold values, in the order of [`RawHealth::lists`].
const LISTS: [&str; 5] = [
    "good",
    "failure",
    "function_check",
    "out_of_specification",
    "maintenance",
];

/// A status point as written.
pub(super) struct RawHealth {
    from: At<String>,
    lists: [Vec<At<Code>>; 5],
}

/// One value of a status point.
#[derive(Debug, Clone, PartialEq)]
enum Code {
    Number(f64),
    /// What its `enum` calls it.
    Name(String),
}

/// Reads `health`: one status point, or a list of them.
pub(super) fn read(point: &Keys<'_>, log: &mut Log) -> Vec<RawHealth> {
    let Some(entry) = point.entry("health") else {
        return Vec::new();
    };
    let entries = entries(&entry.item).iter();
    entries.filter_map(|item| one(item, log)).collect()
}

/// One entry, or a list of them.
fn entries(item: &Item) -> &[Item] {
    if let Value::List(items) = &item.value {
        items
    } else {
        std::slice::from_ref(item)
    }
}

/// Does a point name values by which its device asks for maintenance?
pub(super) fn tells_of_maintenance(point: &Keys<'_>) -> bool {
    let names = |item: &Item| matches!(&item.value, Value::Table(section) if section.get("maintenance").is_some());
    let entry = point.entry("health");
    entry.is_some_and(|entry| entries(&entry.item).iter().any(names))
}

fn one(item: &Item, log: &mut Log) -> Option<RawHealth> {
    let keys = Keys::open_item(item, item.place, &HEALTH, log)?;
    keys.require("from", "\"GD-201-STATUS\"", log);
    if !LISTS.iter().skip(1).any(|list| keys.has(list)) {
        let text = "it is not said which values of the status point mean that something is wrong";
        log.error(Kind::MissingKey, item.place, text)
            .hint("for example `failure = [2]`, `function_check = [3]`");
    }
    let lists = LISTS.map(|list| codes(list, &keys, log));
    for (position, code) in lists.iter().flatten().enumerate() {
        let earlier = lists.iter().flatten().take(position);
        let earlier = earlier.filter(|first| first.place != keys.owner);
        if let Some(first) = earlier.into_iter().find(|first| first.value == code.value) {
            let text = format!("{} is said twice", code.value.shown());
            log.error(Kind::Duplicate, code.place, text)
                .hint("a value says one thing")
                .also(first.place, "first here");
        }
    }
    Some(RawHealth {
        from: keys.text("from", log)?,
        lists,
    })
}

/// What is fine goes without saying: a register of faults reads 0 then.
fn codes(list: &str, keys: &Keys<'_>, log: &mut Log) -> Vec<At<Code>> {
    if list == "good" && !keys.has(list) {
        let place = keys.owner;
        let value = Code::Number(0.0);
        let taken = LISTS.iter().skip(1).filter_map(|list| keys.entry(list));
        let zero = |item: &Item| matches!(item.value, Value::Integer(0));
        let mut taken = taken.flat_map(|entry| entries(&entry.item));
        if taken.any(zero) {
            let text = "0 is not good here, and it is not said what is";
            log.error(Kind::MissingKey, place, text)
                .hint("for example `good = [1]`");
        }
        return vec![At { value, place }];
    }
    let items = keys.list(list, log).unwrap_or_default();
    let codes = items.iter().filter_map(|item| {
        let value = match &item.value {
            Value::Text(name) => Code::Name(name.clone()),
            Value::Integer(_) | Value::Float(_) => {
                Code::Number(super::keys::number(list, item, log)?.value)
            }
            Value::Flag(_) | Value::Date | Value::List(_) | Value::Table(_) => {
                return mismatch(list, "a list of values of the status point", item, log);
            }
        };
        Some(At {
            value,
            place: item.place,
        })
    });
    codes.collect()
}

impl Code {
    fn shown(&self) -> String {
        match self {
            Self::Number(number) => show_number(*number),
            Self::Name(name) => format!("\"{name}\""),
        }
    }
}

/// Puts the status points into the settings, and checks them. `raw` are all points and groups in the order
/// of their indices, `resolved` what was decided about them.
pub(super) fn connect(raw: &[&RawPoint], resolved: &mut [Resolved], log: &mut Log) {
    for (position, point) in raw.iter().enumerate() {
        let rules = point.health.iter().filter_map(|written| {
            let rule = rule(written, position, raw, log)?;
            Some(rule)
        });
        let rules: Vec<HealthRule> = rules.collect();
        if let Some(decided) = resolved.get_mut(position) {
            decided.settings.health = rules;
        }
    }
}

fn rule(written: &RawHealth, own: usize, raw: &[&RawPoint], log: &mut Log) -> Option<HealthRule> {
    let from = &written.from;
    let found = raw.iter().position(|point| point.id.value == from.value);
    let Some(position) = found else {
        dangling("point", from, raw.iter().map(|point| &point.id.value), log);
        return None;
    };
    let status = raw[position];
    if !is_status(status, position == own, from.place, log) {
        return None;
    }
    let [
        good,
        failure,
        function_check,
        out_of_specification,
        maintenance,
    ] = written.lists.each_ref().map(|list| {
        let values = list.iter().filter_map(|code| value(code, status, log));
        values.collect::<Box<[f64]>>()
    });
    Some(HealthRule {
        from: PointIndex(u32::try_from(position).unwrap_or(u32::MAX)),
        good,
        failure,
        function_check,
        out_of_specification,
        maintenance,
    })
}

/// Whoever says how another is must not look at others itself: that could end up looking at itself.
fn is_status(status: &RawPoint, is_own: bool, place: Place, log: &mut Log) -> bool {
    let id = &status.id.value;
    let text = if is_own {
        "the value of a point is not its status".to_owned()
    } else if status.is_group() {
        format!("`{id}` is a group, and no status of a device")
    } else if !status.health.is_empty() {
        format!("`{id}` has a `health` itself, so it cannot be that of another point")
    } else if status.alarms.iter().any(|alarm| alarm.frozen.is_gated()) {
        format!("`{id}` is judged by other points (`while`), so it cannot be a status")
    } else {
        return true;
    };
    log.error(Kind::Conflict, place, text)
        .hint("name the point of the status register, with nothing but its value");
    false
}

/// The number of a value of `status`.
fn value(code: &At<Code>, status: &RawPoint, log: &mut Log) -> Option<f64> {
    let id = &status.id.value;
    match &code.value {
        Code::Name(name) => {
            let meanings = &status.signal.shape.meanings;
            let found = meanings.iter().find(|meaning| *meaning.name == **name);
            if found.is_none() {
                let names: Vec<&str> = meanings.iter().map(|meaning| &*meaning.name).collect();
                let text = format!("`{id}` has no value that its `enum` calls \"{name}\"");
                let hint = if names.is_empty() {
                    "it has no `enum`: write the number".to_owned()
                } else {
                    format!("known: {}", names.join(", "))
                };
                log.error(Kind::UnknownReference, code.place, text)
                    .hint(hint);
            }
            found.map(|meaning| meaning.value)
        }
        Code::Number(number) => {
            let ends = match status.is_digital() {
                Some(true) => Some((0.0, 1.0, "a contact")),
                Some(false) | None => status.representable(),
            };
            if let Some((low, high, what)) = ends
                && !(low..=high).contains(number)
            {
                let shown = show_number(*number);
                let text = format!("`{id}` never is {shown}: it is {what}");
                let (low, high) = (show_number(low), show_number(high));
                log.error(Kind::OutOfRange, code.place, text)
                    .hint(format!("its values lie from {low} to {high}"));
                return None;
            }
            Some(*number)
        }
    }
}

/// Where the device of a point says how it is, in sentences; `points` are all there are.
pub(super) fn explain(point: &PointSettings, points: &[PointSettings]) -> Vec<String> {
    let rules = point.health.iter().map(|rule| {
        let from = points.get(rule.from.0 as usize);
        let from = from.map_or("", |from| &*from.id);
        let said = [
            (&rule.good, "good"),
            (&rule.maintenance, "good, with an alarm for maintenance"),
            (&rule.out_of_specification, "uncertain (out of specification)"),
            (&rule.function_check, "bad (function check)"),
            (&rule.failure, "bad (failure)"),
        ];
        let said = said.into_iter().filter(|(values, _)| !values.is_empty());
        let said = said.map(|(values, words)| {
            let values: Vec<String> = values.iter().map(|value| show_number(*value)).collect();
            format!("{} {words}", values.join(", "))
        });
        let said: Vec<String> = said.collect();
        format!(
            "As {from} says: {}. Uncertain while it says anything else, or nothing that can be trusted.",
            said.join("; ")
        )
    });
    rules.chain(warm_up(point)).collect()
}

fn warm_up(point: &PointSettings) -> Option<String> {
    let span = Some(point.warm_up).filter(|span| !span.is_zero())?;
    Some(format!(
        "After a failure of the sensor or its device it warms up for {}: what it reads then is bad and judged by \
         nothing, but a value beyond an upper limit is told. Not after mere silence, nor after a restart of the \
         gateway.",
        show_duration(span)
    ))
}

/// Who says that the device wants to be looked after.
pub(super) fn explain_maintenance(point: &PointSettings, points: &[PointSettings]) -> String {
    let rules = point.health.iter();
    let from = rules.filter(|rule| !rule.maintenance.is_empty());
    let from = from.filter_map(|rule| points.get(rule.from.0 as usize));
    let from: Vec<&str> = from.map(|from| &*from.id).collect();
    let from = if from.is_empty() {
        "its readings say".to_owned()
    } else {
        format!("{} says", from.join(" or "))
    };
    format!("{from} that the device wants to be looked after")
}
