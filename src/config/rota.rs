//! `[rota]`: whose turn it is to be on call. What a rota is stands in `src/notify/rota.rs`; here its local
//! times become numbers, so that nothing but this file needs to know zones.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::finding::{Kind, Log};
use super::keys::{Keys, Vocabulary, check_id, mismatch};
use super::language;
use super::people::{dangling, entries};
use super::place::{At, Place};
use super::scalar::show_duration;
use super::tree::{Entry, Item, Section, Value};
use crate::engine::time::Wall;
use crate::notify::rota::{LocalSeconds, Offsets, Rota, Swap, Turn};
use crate::wording::Person;

const ROTA: Vocabulary = Vocabulary {
    what: "a rota",
    keys: &["begins", "every", "order", "swaps", "timezone"],
    later: &[],
};

const SWAP: Vocabulary = Vocabulary {
    what: "a swap: `{ from = \"2026-12-24T22:00\", to = \"2026-12-25T06:00\", persons = [\"ID\"] }`",
    keys: &["from", "to", "persons"],
    later: &[],
};

const EVERY: RangeInclusive<Duration> =
    Duration::from_secs(3_600)..=Duration::from_secs(28 * 86_400);

const DAY: u64 = 86_400;
const MOST_TURNS: usize = 64;
const MOST_SWAPS: usize = 366;

/// Changes of a zone that are kept: those of the years to 2100, or so many.
const MOST_CHANGES: usize = 512;

/// How far `check --explain` looks ahead, and how many turns it shows at most.
const AHEAD: Duration = Duration::from_secs(3 * DAY);
const SHOWN: usize = 16;

/// Every rota that is written; `None` for one with a mistake, which may still be named.
pub(super) type Rotas = BTreeMap<String, Option<Rota>>;

/// Reads `[rota]`. `zone`: where the plant is, if that is written.
pub(super) fn read(
    root: &Section,
    persons: &BTreeMap<String, Person>,
    zone: Option<&TimeZone>,
    log: &mut Log,
) -> Rotas {
    let entries = entries(root, "rota", log);
    let read = |entry: &Entry| {
        check_id("a rota", &entry.key, log);
        let rota = rota(entry, persons, zone, log);
        (entry.key.value.clone(), rota)
    };
    entries.iter().map(read).collect()
}

fn rota(
    entry: &Entry,
    persons: &BTreeMap<String, Person>,
    zone: Option<&TimeZone>,
    log: &mut Log,
) -> Option<Rota> {
    let keys = Keys::open(entry, &ROTA, log)?;
    keys.require("begins", "\"2026-11-02T06:00\"", log);
    keys.require("every", "\"8h\"", log);
    keys.require("order", "[[\"ID\", \"ID\"], [\"ID\"]]", log);
    let own = keys.text("timezone", log);
    let own = own.map(|name| language::zone("timezone", &name, log));
    let zone = own.unwrap_or_else(|| zone.cloned());
    if zone.is_none() && !keys.has("timezone") {
        let text = "nobody knows when a turn of this rota begins: the plant has no `timezone`";
        log.error(Kind::MissingKey, keys.owner, text).hint(
            "write it beside `site`: `timezone = \"Asia/Shanghai\"`, or `timezone = \"+08:00\"`",
        );
    }
    let begins = local("begins", &keys, log);
    let every = every(&keys, log);
    let order = order(&keys, persons, log);
    let swaps = swaps(&keys, persons, log);
    Some(Rota {
        begins: begins?.value,
        every: every?,
        order: order?,
        swaps,
        offsets: Arc::new(offsets(&zone?)),
    })
}

/// The same hours every day, or whole days: hand-overs that wander through the night are nobody's wish.
fn every(keys: &Keys<'_>, log: &mut Log) -> Option<Duration> {
    let every = keys.duration("every", EVERY, log)?;
    let seconds = every.value.as_secs();
    if every.value.subsec_nanos() == 0
        && (DAY.is_multiple_of(seconds) || seconds.is_multiple_of(DAY))
    {
        return Some(every.value);
    }
    let shown = show_duration(every.value);
    let text = format!("turns of {shown} would begin at another hour every day");
    log.error(Kind::Timing, every.place, text).hint(
        "hours that a day can be divided by (\"8h\", \"12h\"), or whole days (\"1d\", \"7d\")",
    );
    None
}

/// A time on the clock on the wall.
fn local(key: &str, keys: &Keys<'_>, log: &mut Log) -> Option<At<LocalSeconds>> {
    let text = keys.text(key, log)?;
    let Ok(time) = text.value.parse::<DateTime>() else {
        let words = format!("`{key}` is no date and time: \"{}\"", text.value);
        log.error(Kind::BadValue, text.place, words)
            .hint("local time, as in \"2026-11-02T06:00\"");
        return None;
    };
    let zoned = time.to_zoned(TimeZone::UTC).ok()?;
    Some(At {
        value: zoned.timestamp().as_second(),
        place: text.place,
    })
}

fn order(
    keys: &Keys<'_>,
    persons: &BTreeMap<String, Person>,
    log: &mut Log,
) -> Option<Vec<Vec<Arc<str>>>> {
    let items = keys.list("order", log)?;
    let place = keys.place_of("order").unwrap_or(keys.owner);
    if items.is_empty() {
        log.error(
            Kind::BadValue,
            place,
            "`order` is empty: nobody would be on call",
        )
        .hint("one entry a turn: a person id, or a list of them");
        return None;
    }
    if items.len() > MOST_TURNS {
        let text = format!("a rota has at most {MOST_TURNS} turns");
        log.error(Kind::OutOfRange, place, text);
    }
    let turns: Vec<Vec<Arc<str>>> = items
        .iter()
        .map(|item| {
            let together = if let Value::List(items) = &item.value {
                items.as_slice()
            } else {
                std::slice::from_ref(item)
            };
            those(together, item.place, persons, log).unwrap_or_default()
        })
        .collect();
    turns.iter().all(|turn| !turn.is_empty()).then_some(turns)
}

/// Persons who have a turn together. Nobody is a gap.
fn those(
    items: &[Item],
    place: Place,
    persons: &BTreeMap<String, Person>,
    log: &mut Log,
) -> Option<Vec<Arc<str>>> {
    if items.is_empty() {
        log.error(
            Kind::BadValue,
            place,
            "a gap: in this turn nobody would be on call",
        )
        .hint("name at least one person");
        return None;
    }
    let mut ids: Vec<Arc<str>> = Vec::new();
    for item in items {
        let Value::Text(id) = &item.value else {
            return mismatch("order", "person ids", item, log);
        };
        if !persons.contains_key(id) {
            let id = At {
                value: id.clone(),
                place: item.place,
            };
            dangling("person", &id, persons.keys(), log);
        } else if ids.iter().any(|known| **known == **id) {
            log.error(
                Kind::Duplicate,
                item.place,
                "this turn names the person twice",
            );
        } else {
            ids.push(id.as_str().into());
        }
    }
    (ids.len() == items.len()).then_some(ids)
}

fn swaps(keys: &Keys<'_>, persons: &BTreeMap<String, Person>, log: &mut Log) -> Vec<Swap> {
    let items = keys.list("swaps", log).unwrap_or_default();
    if items.len() > MOST_SWAPS {
        let place = keys.place_of("swaps").unwrap_or(keys.owner);
        let text = format!("a rota has at most {MOST_SWAPS} swaps");
        log.error(Kind::OutOfRange, place, text)
            .hint("take out those that are over");
    }
    let swaps = items.iter().filter_map(|item| {
        let swap = swap(item, persons, log)?;
        Some((swap, item.place))
    });
    let mut swaps: Vec<(Swap, Place)> = swaps.collect();
    swaps.sort_by_key(|(swap, _)| swap.from);
    for pair in swaps.windows(2) {
        let [(first, earlier), (second, later)] = pair else {
            continue;
        };
        if second.from < first.to {
            log.error(
                Kind::Conflict,
                *later,
                "this swap begins before another ends",
            )
            .also(*earlier, "the other one");
        }
    }
    swaps.into_iter().map(|(swap, _)| swap).collect()
}

fn swap(item: &Item, persons: &BTreeMap<String, Person>, log: &mut Log) -> Option<Swap> {
    let keys = Keys::open_item(item, item.place, &SWAP, log)?;
    keys.require("from", "\"2026-12-24T22:00\"", log);
    keys.require("to", "\"2026-12-25T06:00\"", log);
    keys.require("persons", "[\"ID\"]", log);
    let (from, to) = (local("from", &keys, log), local("to", &keys, log));
    let place = keys.place_of("persons").unwrap_or(keys.owner);
    let items = keys.list("persons", log)?;
    let persons = those(items, place, persons, log)?;
    let (from, to) = (from?, to?);
    if to.value <= from.value {
        log.error(Kind::Timing, to.place, "this swap ends before it begins")
            .also(from.place, "the beginning");
        return None;
    }
    Some(Swap {
        from: from.value,
        to: to.value,
        persons,
    })
}

/// The offsets of a zone from 2000 on.
fn offsets(zone: &TimeZone) -> Offsets {
    let start = Timestamp::UNIX_EPOCH + (30 * 365 * 24).hours();
    let end = start + (100 * 365 * 24).hours();
    let changes = zone.following(start);
    let changes = changes.take_while(|change| change.timestamp() < end);
    let changes = changes.map(|change| (change.timestamp().as_second(), change.offset().seconds()));
    Offsets {
        first: zone.to_offset(start).seconds(),
        changes: changes.take(MOST_CHANGES).collect(),
    }
}

/// Who is on call in the next days, a line a turn.
pub(super) fn explain(
    id: &str,
    rota: &Rota,
    persons: &BTreeMap<String, Person>,
    now: Wall,
) -> Vec<String> {
    let ahead = rota.ahead(now, AHEAD, SHOWN);
    let mut lines = vec![format!("On call, {id}:")];
    if ahead.first().is_some_and(|turn| turn.from >= rota.begins) && is_before(rota, now) {
        let begins = shown(rota.begins);
        lines.push(format!("  everybody of it until it begins at {begins}"));
    }
    lines.extend(ahead.iter().map(|turn| line(turn, persons)));
    lines
}

fn is_before(rota: &Rota, now: Wall) -> bool {
    rota.local(now) < rota.begins
}

fn line(turn: &Turn<'_>, persons: &BTreeMap<String, Person>) -> String {
    let name = |id: &Arc<str>| match persons.get(&**id) {
        Some(person) if person.name != **id => format!("{} ({id})", person.name),
        _ => id.to_string(),
    };
    let names: Vec<String> = turn.persons.iter().map(name).collect();
    let (from, to) = (shown(turn.from), shown(turn.to));
    format!("  {from} to {to}: {}", names.join("; "))
}

fn shown(local: LocalSeconds) -> String {
    let time = Timestamp::from_second(local).unwrap_or_default();
    time.strftime("%a %Y-%m-%d %H:%M").to_string()
}
