//! The files as one tree in which everything knows its place.
//!
//! `toml` parses with recovery, so that one broken line does not hide the mistakes after it; long files
//! without a mistake in [`parts`]. The trees of all files are merged: a table may be continued in another file, but nothing may be said
//! twice, and what stands under an id stands in one file.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::finding::{Kind, Log};
use super::parts;
use super::place::{At, Format, Place, Sources};

/// A value and its place.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) place: Place,
    pub(super) value: Value,
}

/// What a value is.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Text(String),
    Integer(i64),
    Float(f64),
    Flag(bool),
    /// A date or time; nothing in the configuration is one.
    Date,
    List(Vec<Item>),
    Table(Section),
}

impl Value {
    /// What to call it in a message.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Text(_) => "a text",
            Self::Integer(_) => "a whole number",
            Self::Float(_) => "a number with a fraction",
            Self::Flag(_) => "true or false",
            Self::Date => "a date",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        }
    }
}

/// A table; entries in the order they were written.
#[derive(Debug, Clone, Default)]
pub(super) struct Section {
    pub(super) entries: Vec<Entry>,
}

/// A key and what stands behind it.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) key: At<String>,
    pub(super) item: Item,
}

impl Section {
    /// The entry of `key`.
    pub(super) fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key.value == key)
    }
}

/// Parses every source and merges them in order.
pub(super) fn read(sources: &Sources, log: &mut Log) -> Section {
    let mut whole = Section::default();
    for (file, source) in sources.0.iter().enumerate() {
        if source.format != Format::Toml {
            continue;
        }
        if let Some(section) = parts::read(&source.text, file, log) {
            merge(&mut whole, section, 0, log);
            continue;
        }
        let origin = Origin { file, start: 0 };
        let (document, errors) = DeTable::parse_recoverable(&source.text);
        for error in errors {
            let span = error.span().unwrap_or(0..0);
            let place = origin.place(&span);
            let message = error.message();
            if message.starts_with("duplicate key") {
                let text = "this is written twice in the same table";
                log.error(Kind::Duplicate, place, text)
                    .hint("keep one of the two");
                continue;
            }
            let draft = log.error(Kind::Syntax, place, format!("not TOML: {message}"));
            if message.contains("cannot extend value") {
                draft.hint("above it is a value, here a table: keep one, and write the value into the table");
            } else if message.contains("unquoted key") {
                draft.hint("names with other characters stand in quotes: [point.\"温度-1\"]");
            }
        }
        let section = section(document.into_inner(), origin, log);
        merge(&mut whole, section, 0, log);
    }
    whole
}

/// What is parsed: a file from this byte on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin {
    pub(super) file: usize,
    pub(super) start: usize,
}

impl Origin {
    fn place(self, span: &std::ops::Range<usize>) -> Place {
        Place {
            file: self.file,
            start: self.start + span.start,
            end: self.start + span.end,
        }
    }
}

/// Takes a table apart piece by piece: with thousands of points there is not room for two of it.
pub(super) fn section(table: DeTable<'_>, origin: Origin, log: &mut Log) -> Section {
    let mut entries: Vec<Entry> = Vec::with_capacity(table.len());
    for (key, value) in table {
        let entry = Entry {
            key: At {
                place: origin.place(&key.span()),
                value: key.into_inner().into_owned(),
            },
            item: item(value, origin, log),
        };
        if entry.key.value == "password" {
            log.mask(entry.item.place);
        }
        entries.push(entry);
    }
    // `toml` sorts by name; people expect points in the order they wrote them.
    entries.sort_by_key(|entry| entry.key.place);
    Section { entries }
}

fn item(value: Spanned<DeValue<'_>>, origin: Origin, log: &mut Log) -> Item {
    let at = origin.place(&value.span());
    let value = match value.into_inner() {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Value::Integer(number),
            Err(_) => {
                log.error(Kind::OutOfRange, at, "this number is too large");
                Value::Integer(0)
            }
        },
        // An overflow becomes infinite here and is refused where the number is used.
        DeValue::Float(number) => Value::Float(number.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(flag) => Value::Flag(flag),
        DeValue::Datetime(_) => Value::Date,
        DeValue::Array(items) => {
            let items = items.into_iter();
            Value::List(items.map(|value| item(value, origin, log)).collect())
        }
        DeValue::Table(table) => Value::Table(section(table, origin, log)),
    };
    Item { place: at, value }
}

/// A value in TOML's notation that stands elsewhere than in a TOML file; all of it is at `place`. `Err` is
/// what is wrong with it.
pub(super) fn literal(text: &str, at: Place) -> Result<Value, String> {
    let value = DeValue::parse(text).map_err(|error| error.message().to_owned())?;
    let mut log = Log::default();
    let origin = Origin {
        file: at.file,
        start: 0,
    };
    let mut item = item(value, origin, &mut log);
    if log.has_errors() {
        return Err("a number in it is too large".to_owned());
    }
    move_to(&mut item, at);
    Ok(item.value)
}

fn move_to(item: &mut Item, at: Place) {
    item.place = at;
    match &mut item.value {
        Value::List(items) => items.iter_mut().for_each(|item| move_to(item, at)),
        Value::Table(section) => {
            for entry in &mut section.entries {
                entry.key.place = at;
                move_to(&mut entry.item, at);
            }
        }
        Value::Text(_) | Value::Integer(_) | Value::Float(_) | Value::Flag(_) | Value::Date => {}
    }
}

/// Adds `more` to `whole`. Depth 0 is the root, 1 the tables in it; deeper nothing merges.
fn merge(whole: &mut Section, more: Section, depth: usize, log: &mut Log) {
    let known: BTreeMap<String, usize> = (whole.entries.iter().enumerate())
        .map(|(index, entry)| (entry.key.value.clone(), index))
        .collect();
    for entry in more.entries {
        let Some(index) = known.get(&entry.key.value) else {
            whole.entries.push(entry);
            continue;
        };
        let known = &mut whole.entries[*index];
        match (&mut known.item.value, entry.item.value) {
            (Value::Table(old), Value::Table(new)) if depth == 0 => merge(old, new, 1, log),
            _ => {
                let text = format!("`{}` is written twice", entry.key.value);
                log.error(Kind::Duplicate, entry.key.place, text)
                    .hint("what belongs to one name stands in one file; keep one of the two")
                    .also(known.key.place, "first here");
            }
        }
    }
}
