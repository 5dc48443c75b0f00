//! The tolerant walk: reads the keys of one table against the closed list of what may stand there,
//! reports everything that does not fit and goes on.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::finding::{Kind, Log, nearest};
use super::place::{At, Place};
use super::scalar::{self, show_duration, show_number};
use super::tree::{Entry, Item, Section, Value};
use crate::engine::settings::AlarmKind;

/// What may stand in a kind of table.
pub(super) struct Vocabulary {
    /// `a device`, for messages.
    pub(super) what: &'static str,
    /// Keys this version reads.
    pub(super) keys: &'static [&'static str],
    /// Keys of the language that this version does not read, and what it therefore does not do.
    pub(super) later: &'static [(&'static str, &'static str)],
}

/// Lists of keys as one, for a table that reads those of several subjects.
pub(super) const fn joined<const N: usize>(lists: &[&[&'static str]]) -> [&'static str; N] {
    let mut all = [""; N];
    let (mut list, mut next) = (0, 0);
    while list < lists.len() {
        let mut key = 0;
        while key < lists[list].len() {
            all[next] = lists[list][key];
            (key, next) = (key + 1, next + 1);
        }
        list += 1;
    }
    assert!(next == N, "as many keys as places");
    all
}

/// The kinds as keys.
pub(super) const fn kind_names<const N: usize>(kinds: [AlarmKind; N]) -> [&'static str; N] {
    let mut names = [""; N];
    let mut at = 0;
    while at < N {
        names[at] = kinds[at].name();
        at += 1;
    }
    names
}

/// One table that is being read.
pub(super) struct Keys<'a> {
    section: &'a Section,
    /// The id or table name: where a missing key is reported.
    pub(super) owner: Place,
    what: &'static str,
}

impl<'a> Keys<'a> {
    /// Opens the table behind `entry` and reports every key that does not belong there.
    pub(super) fn open(entry: &'a Entry, words: &Vocabulary, log: &mut Log) -> Option<Self> {
        Self::open_item(&entry.item, entry.key.place, words, log)
    }

    /// As [`Keys::open`], for a table that has no key of its own.
    pub(super) fn open_item(
        item: &'a Item,
        owner: Place,
        words: &Vocabulary,
        log: &mut Log,
    ) -> Option<Self> {
        let Value::Table(section) = &item.value else {
            let (what, found) = (words.what, item.value.name());
            log.error(
                Kind::WrongType,
                item.place,
                format!("{what} is a table, not {found}"),
            );
            return None;
        };
        Some(Self::of(section, owner, words, log))
    }

    /// As [`Keys::open`], for a section at hand.
    pub(super) fn of(
        section: &'a Section,
        owner: Place,
        words: &Vocabulary,
        log: &mut Log,
    ) -> Self {
        for entry in &section.entries {
            unknown(entry, words, log);
        }
        Self {
            section,
            owner,
            what: words.what,
        }
    }

    /// The entry of `key`.
    pub(super) fn entry(&self, key: &str) -> Option<&'a Entry> {
        self.section.get(key)
    }

    /// Is the key there, whatever its value?
    pub(super) fn has(&self, key: &str) -> bool {
        self.entry(key).is_some()
    }

    /// What the table is about, without its article.
    pub(super) fn noun(&self) -> &'static str {
        self.what.strip_prefix("a ").unwrap_or(self.what)
    }

    /// Where the key is written, if it is.
    pub(super) fn place_of(&self, key: &str) -> Option<Place> {
        self.entry(key).map(|entry| entry.key.place)
    }

    /// Reports a key that must be there and is not.
    pub(super) fn require(&self, key: &str, example: &str, log: &mut Log) {
        if !self.has(key) {
            log.error(
                Kind::MissingKey,
                self.owner,
                format!("{} needs `{key}`", self.what),
            )
            .hint(format!("for example `{key} = {example}`"));
        }
    }

    /// Reports `key`, which makes no sense here.
    pub(super) fn refuse(&self, key: &str, reason: &str, log: &mut Log) {
        if let Some(place) = self.place_of(key) {
            log.error(
                Kind::Conflict,
                place,
                format!("`{key}` has no meaning here: {reason}"),
            );
        }
    }

    /// A text that is not empty.
    pub(super) fn text(&self, key: &str, log: &mut Log) -> Option<At<String>> {
        let item = &self.entry(key)?.item;
        let Value::Text(text) = &item.value else {
            return mismatch(key, "a text", item, log);
        };
        if text.trim().is_empty() {
            log.error(Kind::BadValue, item.place, format!("`{key}` is empty"))
                .hint("leave the key out if there is nothing to say");
            return None;
        }
        Some(At {
            value: text.clone(),
            place: item.place,
        })
    }

    /// A finite number; whole numbers count.
    pub(super) fn number(&self, key: &str, log: &mut Log) -> Option<At<f64>> {
        number(key, &self.entry(key)?.item, log)
    }

    /// A finite number above zero or, with `or_zero`, zero.
    pub(super) fn positive(&self, key: &str, or_zero: bool, log: &mut Log) -> Option<At<f64>> {
        let number = self.number(key, log)?;
        if number.value > 0.0 || (or_zero && number.value >= 0.0) {
            return Some(number);
        }
        let bound = if or_zero { "0 or more" } else { "more than 0" };
        let shown = show_number(number.value);
        log.error(
            Kind::OutOfRange,
            number.place,
            format!("`{key}` must be {bound}, not {shown}"),
        );
        None
    }

    /// A whole number within `range`.
    pub(super) fn whole(
        &self,
        key: &str,
        range: RangeInclusive<u16>,
        log: &mut Log,
    ) -> Option<At<u16>> {
        let item = &self.entry(key)?.item;
        let Value::Integer(number) = item.value else {
            return mismatch(key, "a whole number", item, log);
        };
        let fits = u16::try_from(number).ok().filter(|n| range.contains(n));
        if fits.is_none() {
            let (low, high) = range.into_inner();
            let text = format!("`{key}` must be from {low} to {high}, not {number}");
            log.error(Kind::OutOfRange, item.place, text);
        }
        fits.map(|value| At {
            value,
            place: item.place,
        })
    }

    /// `true` or `false`.
    pub(super) fn flag(&self, key: &str, log: &mut Log) -> Option<At<bool>> {
        let item = &self.entry(key)?.item;
        let Value::Flag(value) = item.value else {
            return mismatch(key, "true or false", item, log);
        };
        Some(At {
            value,
            place: item.place,
        })
    }

    /// A duration within `range`, written with its unit.
    pub(super) fn duration(
        &self,
        key: &str,
        range: RangeInclusive<Duration>,
        log: &mut Log,
    ) -> Option<At<Duration>> {
        duration(key, &self.entry(key)?.item, range, log)
    }

    /// One of a list of words.
    pub(super) fn choice<T: Copy>(
        &self,
        key: &str,
        choices: &[(&'static str, T)],
        log: &mut Log,
    ) -> Option<At<T>> {
        choice(key, &self.entry(key)?.item, choices, log)
    }

    /// Two numbers.
    pub(super) fn pair(&self, key: &str, example: &str, log: &mut Log) -> Option<At<(f64, f64)>> {
        let items = self.list(key, log)?;
        let place = self.entry(key)?.item.place;
        let [first, second] = items else {
            log.error(Kind::BadValue, place, format!("`{key}` has two numbers"))
                .hint(format!("for example `{key} = {example}`"));
            return None;
        };
        let (first, second) = (number(key, first, log)?, number(key, second, log)?);
        Some(At {
            value: (first.value, second.value),
            place,
        })
    }

    /// Two numbers, the lower one first.
    pub(super) fn range(&self, key: &str, example: &str, log: &mut Log) -> Option<At<(f64, f64)>> {
        let ends = self.pair(key, example, log)?;
        if ends.value.0 < ends.value.1 {
            return Some(ends);
        }
        let text = format!("`{key}` starts with the lower number");
        log.error(Kind::OutOfRange, ends.place, text);
        None
    }

    /// A list.
    pub(super) fn list(&self, key: &str, log: &mut Log) -> Option<&'a [Item]> {
        let item = &self.entry(key)?.item;
        let Value::List(items) = &item.value else {
            return mismatch(key, "a list", item, log);
        };
        Some(items)
    }
}

fn unknown(entry: &Entry, words: &Vocabulary, log: &mut Log) {
    let (key, place) = (entry.key.value.as_str(), entry.key.place);
    if words.keys.contains(&key) {
        return;
    }
    if let Some((_, lack)) = words.later.iter().find(|(later, _)| *later == key) {
        let text = format!("`{key}`: this version does not {lack}");
        log.error(Kind::NotSupportedYet, place, text)
            .hint("take it out; a later version will read it");
        return;
    }
    let text = format!("`{key}` is not a key of {}", words.what);
    let later = words.later.iter().map(|(key, _)| *key);
    let hint = nearest(key, words.keys.iter().copied().chain(later)).map_or_else(
        || format!("allowed: {}", words.keys.join(", ")),
        |word| format!("did you mean `{word}`?"),
    );
    log.error(Kind::UnknownKey, place, text).hint(hint);
}

/// Says what was found instead of what belongs there.
pub(super) fn mismatch<T>(key: &str, wanted: &str, item: &Item, log: &mut Log) -> Option<T> {
    let found = item.value.name();
    let draft = log.error(
        Kind::WrongType,
        item.place,
        format!("`{key}` is {wanted}, not {found}"),
    );
    if let (true, Value::Text(text)) = (wanted.contains("number"), &item.value) {
        let (text, first) = (text.trim(), text.split_whitespace().next());
        let first = first.filter(|first| first.parse::<f64>().is_ok());
        match first {
            Some(first) if first == text => draft.hint(format!("write it without quotes: {text}")),
            Some(first) => draft.hint(format!("write the number alone: {first}")),
            None => draft,
        };
    }
    None
}

/// A finite number.
pub(super) fn number(key: &str, item: &Item, log: &mut Log) -> Option<At<f64>> {
    let value = match item.value {
        // Whole numbers up to 2^53 are exact as floats; more is no measurement.
        Value::Integer(number) if number.unsigned_abs() <= 1 << 53 => number as f64,
        Value::Integer(_) => f64::INFINITY,
        Value::Float(number) => number,
        Value::Text(_) | Value::Flag(_) | Value::Date | Value::List(_) | Value::Table(_) => {
            return mismatch(key, "a number", item, log);
        }
    };
    if !value.is_finite() {
        let text = format!("`{key}` must be a number that can be measured");
        log.error(Kind::OutOfRange, item.place, text);
        return None;
    }
    Some(At {
        value,
        place: item.place,
    })
}

/// A duration within `range`, written with its unit.
pub(super) fn duration(
    key: &str,
    item: &Item,
    range: RangeInclusive<Duration>,
    log: &mut Log,
) -> Option<At<Duration>> {
    let Value::Text(text) = &item.value else {
        if let Value::Integer(number) = item.value {
            log.error(
                Kind::BadUnit,
                item.place,
                format!("`{key}` is a duration and needs its unit"),
            )
            .hint(format!("write \"{number}s\" if you mean seconds"));
            return None;
        }
        return mismatch(key, "a duration such as \"10s\"", item, log);
    };
    match scalar::duration(text) {
        Err(hint) => {
            let text = format!("`{key}` is not a duration: \"{text}\"");
            log.error(Kind::BadUnit, item.place, text).hint(hint);
            None
        }
        Ok(value) if range.contains(&value) => Some(At {
            value,
            place: item.place,
        }),
        Ok(_) => {
            let (low, high) = (show_duration(*range.start()), show_duration(*range.end()));
            let text = format!("`{key}` must be from {low} to {high}, not {text}");
            log.error(Kind::OutOfRange, item.place, text);
            None
        }
    }
}

/// One of a list of words.
pub(super) fn choice<T: Copy>(
    key: &str,
    item: &Item,
    choices: &[(&'static str, T)],
    log: &mut Log,
) -> Option<At<T>> {
    let Value::Text(text) = &item.value else {
        return mismatch(key, "a text", item, log);
    };
    if let Some((_, value)) = choices.iter().find(|(word, _)| word == text) {
        return Some(At {
            value: *value,
            place: item.place,
        });
    }
    let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
    let hint = nearest(text, words.iter().copied())
        .or_else(|| {
            words
                .iter()
                .copied()
                .find(|word| word.eq_ignore_ascii_case(text))
        })
        .map_or_else(
            || format!("allowed: {}", words.join(", ")),
            |word| format!("did you mean \"{word}\"? Allowed: {}", words.join(", ")),
        );
    log.error(
        Kind::BadValue,
        item.place,
        format!("`{key}` cannot be \"{text}\""),
    )
    .hint(hint);
    None
}

/// A text for ids: letters and digits of any script, `_`, `.` and `-`; at most 64 characters. Ids
/// stand in MQTT topics, metric labels and file names, so no `/`, `+`, `#`, spaces or controls.
pub(super) fn check_id(what: &str, id: &At<String>, log: &mut Log) -> bool {
    let good = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-');
    let text = &id.value;
    if !text.is_empty() && text.chars().count() <= 64 && text.chars().all(good) {
        return true;
    }
    let shown: String = text
        .chars()
        .take(64)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect();
    log.error(
        Kind::BadValue,
        id.place,
        format!("\"{shown}\" cannot be the id of {what}"),
    )
    .hint(
        "an id is made of up to 64 letters, digits, `_`, `.` and `-`; plain names go into `name`",
    );
    false
}
