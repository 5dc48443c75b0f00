//! How a payload is read, in the words of the configuration: the same keys for a point and for a
//! `[mapping]`.

use std::collections::BTreeMap;

use super::finding::{Kind, Log};
use super::keys::{Keys, mismatch, number};
use super::place::At;
use super::tree::{Entry, Item, Section, Value};
use crate::input::mqtt::mapping::pointer::Pointer;
use crate::input::mqtt::{Payload, QualityWords, TimeFormat};

/// The keys that say so, beside `value`.
pub(super) const KEYS: [&str; 12] = [
    "each",
    "time",
    "time_format",
    "sequence",
    "quality",
    "good",
    "uncertain",
    "unit_at",
    "unit_words",
    "words",
    "text_numbers",
    "absent",
];

/// Words of one kind at most.
const MOST_WORDS: usize = 64;

/// Reads them. `has_value`: does a pointer say where the value stands?
pub(super) fn read(keys: &Keys<'_>, has_value: bool, log: &mut Log) -> Payload {
    if !has_value {
        for key in ["time", "sequence", "quality", "unit_at", "absent"] {
            let other = if key == "time" { "time" } else { "other part" };
            let reason =
                format!("a payload that is a bare number has no {other}; set `value`, too");
            keys.refuse(key, &reason, log);
        }
    }
    if !keys.has("time") {
        keys.refuse("time_format", "there is no `time`", log);
    }
    let formats = [
        ("auto", TimeFormat::Auto),
        ("seconds", TimeFormat::Seconds),
        ("milliseconds", TimeFormat::Milliseconds),
        ("microseconds", TimeFormat::Microseconds),
        ("nanoseconds", TimeFormat::Nanoseconds),
        ("rfc3339", TimeFormat::Rfc3339),
    ];
    let time_format = keys.choice("time_format", &formats, log);
    let absent = keys.choice("absent", &[("bad", false), ("ignore", true)], log);
    Payload {
        each: pointer("each", keys, log),
        time: pointer("time", keys, log),
        time_format: time_format.map_or(TimeFormat::Auto, |format| format.value),
        sequence: pointer("sequence", keys, log),
        quality: quality(keys, log),
        unit: pointer("unit_at", keys, log),
        units: units(keys, log),
        words: words(keys, log),
        text_numbers: keys
            .flag("text_numbers", log)
            .is_some_and(|flag| flag.value),
        may_be_absent: absent.is_some_and(|absent| absent.value),
    }
}

/// A JSON pointer (RFC 6901), if the key is there.
pub(super) fn pointer(key: &str, keys: &Keys<'_>, log: &mut Log) -> Option<Pointer> {
    parse_pointer(key, &keys.text(key, log)?, log)
}

/// The pointer that `text` is.
pub(super) fn parse_pointer(key: &str, text: &At<String>, log: &mut Log) -> Option<Pointer> {
    let pointer = Pointer::parse(&text.value);
    if pointer.is_none() {
        log.error(
            Kind::BadValue,
            text.place,
            format!("`{key}` is not a JSON pointer"),
        )
        .hint("it starts with `/`, as in \"/data/rms\"; a key with `/` in it is written with `~1`");
    }
    pointer
}

fn quality(keys: &Keys<'_>, log: &mut Log) -> Option<QualityWords> {
    if !keys.has("quality") {
        for key in ["good", "uncertain"] {
            keys.refuse(key, "there is no `quality`", log);
        }
        return None;
    }
    if !keys.has("good") {
        let place = keys.place_of("quality")?;
        log.error(
            Kind::MissingKey,
            place,
            "`quality` needs `good`: the words for a good value",
        )
        .hint("for example `good = [\"ok\", 192]`; what is neither good nor uncertain is bad");
    }
    Some(QualityWords {
        at: pointer("quality", keys, log)?,
        good: list_of_words("good", keys, log),
        uncertain: list_of_words("uncertain", keys, log),
    })
}

/// Words as a source writes them; whole numbers, `true` and `false` are words, too.
pub(super) fn list_of_words(key: &str, keys: &Keys<'_>, log: &mut Log) -> Vec<String> {
    let items = keys.list(key, log).unwrap_or_default();
    if items.len() > MOST_WORDS {
        let text = format!(
            "`{key}` has {MOST_WORDS} words at most, not {}",
            items.len()
        );
        log.error(Kind::OutOfRange, items[MOST_WORDS].place, text);
    }
    items
        .iter()
        .filter_map(|item| word(key, item, log))
        .collect()
}

fn word(key: &str, item: &Item, log: &mut Log) -> Option<String> {
    match &item.value {
        Value::Text(text) if !text.is_empty() => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Flag(flag) => Some(flag.to_string()),
        Value::Text(_) | Value::Float(_) | Value::Date | Value::List(_) | Value::Table(_) => {
            mismatch(key, "a list of texts and whole numbers", item, log)
        }
    }
}

fn words(keys: &Keys<'_>, log: &mut Log) -> Vec<(String, f64)> {
    const EXAMPLE: &str = "for example `words = { ON = 1, OFF = 0 }`";
    let Some(section) = table("words", EXAMPLE, keys, log) else {
        return Vec::new();
    };
    let mut words = Vec::new();
    for entry in &section.entries {
        let word = &entry.key.value;
        if word.trim() != word || word.is_empty() || word == "null" || is_number(word) {
            let text = format!("`words`: \"{word}\" is no word that could stand for a number");
            log.error(Kind::BadValue, entry.key.place, text)
                .hint("numbers stand for themselves, and `null` is no value");
            continue;
        }
        let number = number("words", &entry.item, log);
        words.extend(number.map(|number| (word.clone(), number.value)));
    }
    words
}

fn is_number(word: &str) -> bool {
    word.parse::<f64>().is_ok()
}

fn units(keys: &Keys<'_>, log: &mut Log) -> Vec<(String, String)> {
    const EXAMPLE: &str =
        "for example `unit_words = { Cel = \"degC\" }`: the source's word, and the point's";
    let Some(section) = table("unit_words", EXAMPLE, keys, log) else {
        return Vec::new();
    };
    let unit = |entry: &Entry, log: &mut Log| match &entry.item.value {
        Value::Text(text) => Some((entry.key.value.clone(), text.clone())),
        Value::Integer(_)
        | Value::Float(_)
        | Value::Flag(_)
        | Value::Date
        | Value::List(_)
        | Value::Table(_) => mismatch("unit_words", "a table of texts", &entry.item, log),
    };
    let entries = section.entries.iter();
    entries.filter_map(|entry| unit(entry, log)).collect()
}

/// A table with words as keys; an empty or overlong one is reported.
fn table<'k>(
    key: &str,
    example: &'static str,
    keys: &Keys<'k>,
    log: &mut Log,
) -> Option<&'k Section> {
    let entry = keys.entry(key)?;
    let Value::Table(section) = &entry.item.value else {
        let text = format!("`{key}` is a table, not {}", entry.item.value.name());
        log.error(Kind::WrongType, entry.item.place, text)
            .hint(example);
        return None;
    };
    if !(1..=MOST_WORDS).contains(&section.entries.len()) {
        let count = section.entries.len();
        let text = format!("`{key}` has from 1 to {MOST_WORDS} words, not {count}");
        log.error(Kind::BadValue, entry.key.place, text)
            .hint(example);
    }
    Some(section)
}

/// A word that two lists or one list have twice: nobody knows what it means.
pub(super) fn clash<'w>(first: &'w [String], second: &'w [String]) -> Option<&'w String> {
    let mut seen = BTreeMap::new();
    let mut words = first.iter().chain(second);
    words.find(|word| seen.insert(*word, ()).is_some())
}
