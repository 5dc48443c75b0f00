//! What is not on a straight line: roots, tables and codes.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::check::Checked;
use super::finding::{Kind, Log};
use super::keys::{Keys, number};
use super::marker;
use super::place::Place;
use super::register::Register;
use super::scalar::show_number;
use super::tree::{Entry, Item, Value};
use crate::engine::settings::Rule;
use crate::engine::signal::{Curve, Meaning};

/// Rows of a table at most, and values of a code.
const MOST: usize = 1_000;

/// The keys that say so.
pub(super) const KEYS: [&str; 3] = ["square_root", "table", "enum"];

/// As written.
#[derive(Default)]
pub(super) struct RawShape {
    root: Option<Place>,
    /// Raw numbers that go up, and values.
    pub(super) table: Option<Arc<[(f64, f64)]>>,
    /// Empty for a quantity.
    pub(super) meanings: Arc<[Meaning]>,
}

/// Reads the keys of a point; `register` is where it lives, if it does in one.
pub(super) fn read(keys: &Keys<'_>, register: Option<&Register>, log: &mut Log) -> RawShape {
    let others: &[&str] = if keys.has("enum") {
        &[
            "scale",
            "offset",
            "raw_range",
            "clamp",
            "signal",
            "square_root",
            "table",
            "valid_range",
            "max_step",
        ]
    } else if keys.has("table") {
        &["scale", "offset", "raw_range", "signal", "square_root"]
    } else {
        &[]
    };
    let winner = if keys.has("enum") { "enum" } else { "table" };
    for key in others {
        keys.refuse(key, &format!("`{winner}` says what the numbers mean"), log);
    }
    let root = keys.flag("square_root", log).filter(|root| root.value);
    if let (Some(root), true) = (&root, others.is_empty())
        && !keys.has("signal")
        && !keys.has("raw_range")
    {
        let text =
            "`square_root` needs `raw_range`, or `signal`: where the difference is none and full";
        log.error(Kind::MissingKey, root.place, text)
            .hint("for example `raw_range = [0, 27648]`");
    }
    RawShape {
        root: root.map(|root| root.place),
        table: table(keys, log),
        meanings: meanings(keys, register, log),
    }
}

fn table(keys: &Keys<'_>, log: &mut Log) -> Option<Arc<[(f64, f64)]>> {
    let items = keys.list("table", log)?;
    let mut rows: Vec<(f64, f64)> = Vec::new();
    let mut is_right = true;
    for item in items {
        let Some(row) = row(item, log) else {
            is_right = false;
            continue;
        };
        if rows.last().is_some_and(|last| row.0 <= last.0) {
            let text = format!("`table`: {} does not go up", show_number(row.0));
            log.error(Kind::OutOfRange, item.place, text)
                .hint("each row starts with a greater raw number than the row before");
            is_right = false;
        }
        rows.push(row);
    }
    if !(2..=MOST).contains(&items.len()) {
        let text = format!("`table` has from 2 to {MOST} rows, not {}", items.len());
        log.error(Kind::BadValue, keys.entry("table")?.item.place, text)
            .hint("for example `table = [[0, 0], [500, 4], [2000, 20]]`: raw number and value");
        return None;
    }
    is_right.then(|| rows.into())
}

fn row(item: &Item, log: &mut Log) -> Option<(f64, f64)> {
    if let Value::List(pair) = &item.value
        && let [raw, value] = pair.as_slice()
    {
        let (raw, value) = (number("table", raw, log), number("table", value, log));
        return Some((raw?.value, value?.value));
    }
    let text = "a row of `table` is a raw number and its value";
    log.error(Kind::BadValue, item.place, text)
        .hint("for example `[500, 4]`");
    None
}

fn meanings(keys: &Keys<'_>, register: Option<&Register>, log: &mut Log) -> Arc<[Meaning]> {
    let Some(entry) = keys.entry("enum") else {
        return [].into();
    };
    let Value::Table(section) = &entry.item.value else {
        let text = format!("`enum` is a table, not {}", entry.item.value.name());
        log.error(Kind::WrongType, entry.item.place, text)
            .hint(EXAMPLE);
        return [].into();
    };
    if !(1..=MOST).contains(&section.entries.len()) {
        let text = format!(
            "`enum` has from 1 to {MOST} values, not {}",
            section.entries.len()
        );
        log.error(Kind::BadValue, entry.key.place, text)
            .hint(EXAMPLE);
    }
    let mut written = BTreeMap::new();
    let mut meanings = Vec::new();
    for entry in &section.entries {
        let Some(meaning) = meaning(entry, register, log) else {
            continue;
        };
        if let Some(first) = written.insert(meaning.value.to_bits(), entry.key.place) {
            let text = format!("`enum`: {} is there twice", show_number(meaning.value));
            log.error(Kind::Duplicate, entry.key.place, text)
                .also(first, "the other one");
        }
        meanings.push(meaning);
    }
    meanings.into()
}

const EXAMPLE: &str = "for example `enum = { 0 = \"stopped\", 1 = \"running\" }`";

fn meaning(entry: &Entry, register: Option<&Register>, log: &mut Log) -> Option<Meaning> {
    let (text, place) = (entry.key.value.as_str(), entry.key.place);
    let number = text.strip_prefix("0x").map_or_else(
        || text.parse::<i32>().ok().map(f64::from),
        |digits| u32::from_str_radix(digits, 16).ok().map(f64::from),
    );
    let Some(number) = number else {
        let text = format!("`enum`: \"{text}\" is no whole number of up to 32 bits");
        log.error(Kind::BadValue, place, text).hint(EXAMPLE);
        return None;
    };
    let value = register.map_or(Some(number), |register| marker::shown(number, register));
    let Some(value) = value else {
        let text = format!("`enum`: the register cannot hold {}", show_number(number));
        log.error(Kind::OutOfRange, place, text);
        return None;
    };
    match &entry.item.value {
        Value::Text(name) if !name.trim().is_empty() => Some(Meaning {
            value,
            name: name.as_str().into(),
        }),
        Value::Text(_)
        | Value::Integer(_)
        | Value::Float(_)
        | Value::Flag(_)
        | Value::Date
        | Value::List(_)
        | Value::Table(_) => {
            let text = format!("`enum`: what {} stands for is a text", show_number(value));
            log.error(Kind::WrongType, entry.item.place, text)
                .hint(EXAMPLE);
            None
        }
    }
}

impl RawShape {
    /// Is a value proportional to its raw number?
    pub(super) fn is_straight(&self) -> bool {
        self.root.is_none() && self.table.is_none() && self.meanings.is_empty()
    }

    pub(super) const fn curve(&self) -> Curve {
        match self.root {
            Some(_) => Curve::SquareRoot,
            None => Curve::Linear,
        }
    }

    /// Least and greatest value, and where that is said.
    pub(super) fn ends(&self) -> Option<(f64, f64, &'static str)> {
        let of_code = self.meanings.iter().map(|meaning| meaning.value);
        let of_table = self.table.iter().flat_map(|rows| rows.iter());
        let values = of_code.chain(of_table.map(|(_, value)| *value));
        let (low, high) = values.fold((f64::MAX, f64::MIN), |(low, high), value| {
            (low.min(value), high.max(value))
        });
        let what = if self.table.is_some() {
            "`table`"
        } else {
            "`enum`"
        };
        (low <= high).then_some((low, high, what))
    }
}

/// Settings that are fine by themselves and would deceive together.
pub(super) fn check(point: &Checked<'_>, log: &mut Log) {
    let shape = &point.raw.signal.shape;
    if let (Some(root), Some(range)) = (shape.root, &point.raw.range)
        && range.value.0.abs() > 0.0
    {
        let text = "no difference is no flow: with `square_root` the range begins at 0";
        log.error(Kind::Conflict, root, text)
            .also(range.place, "the range");
    }
    if shape.meanings.is_empty() {
        return;
    }
    for (written, decided) in point.raw.alarms.iter().zip(&point.settings.alarms) {
        let name = written.kind.name();
        if decided.rule.trend().is_some()
            || matches!(decided.rule, Rule::Exposure(_) | Rule::Deviation(_))
        {
            let text = format!("`{name}` has no meaning here: the numbers of an `enum` are names");
            log.error(Kind::Conflict, written.place, text);
        }
    }
}

/// A code in a sentence: `0 is stopped, 1 is running; any other number is no value.`
pub(super) fn code_in_words(meanings: &[Meaning]) -> String {
    let told = meanings.iter();
    let told = told.map(|meaning| format!("{} is {}", show_number(meaning.value), meaning.name));
    let told = told.collect::<Vec<_>>().join(", ");
    format!("{told}; any other number is no value.")
}

/// A table in a sentence; `quantity` writes a value with its unit.
pub(super) fn table_in_words(rows: &[(f64, f64)], quantity: impl Fn(f64) -> String) -> String {
    let shown = |rows: &[(f64, f64)]| {
        let rows = rows.iter();
        let rows =
            rows.map(|(raw, value)| format!("raw {} is {}", show_number(*raw), quantity(*value)));
        rows.collect::<Vec<_>>().join(", ")
    };
    let told = match rows {
        [first, .., last] if rows.len() > 8 => {
            let (first, last) = (shown(&[*first]), shown(&[*last]));
            format!("{first} to {last}, {} rows", rows.len())
        }
        _ => shown(rows),
    };
    format!("By a table: {told}; between rows on a line, beyond them it is no value.")
}
