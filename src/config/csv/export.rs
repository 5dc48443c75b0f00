//! Points as a list: the way back from the tree.
//!
//! What was written is exported, not what became of it, so that a list says no more than its owner did.
//! Read again it gives the same tree. Tables are taken apart into columns as far as their keys are fixed;
//! what is deeper, and lists, stand in one cell in TOML's notation.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::super::alarm;
use super::super::finding::{Finding, Log, Mistakes};
use super::super::place::Place;
use super::super::point::POINT;
use super::super::source::Source;
use super::super::tree::{self, Entry, Item, Value};
use super::cell::{self, Decimal};
use super::columns::is_text;
use super::names::NAMES;
use super::row::is_formula;

/// Which words the header has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Words {
    /// Keys of the language.
    Keys,
    /// Chinese, where there is a word.
    Chinese,
}

/// Columns of a list to begin with, and a point that shows them. It reads as a mistake where there is no
/// such device or area.
const EXAMPLE: [(&str, &str); 21] = [
    ("id", "CH4-101"),
    ("name", "Methane, tank farm north"),
    ("area", "tank-farm"),
    ("measures", "gas"),
    ("device", "gd-01"),
    ("register", "input:0"),
    ("type", "float32"),
    ("order", "CDAB"),
    ("scale", ""),
    ("offset", ""),
    ("unit", "%LEL"),
    ("range_low", "0"),
    ("range_high", "100"),
    ("low_low", ""),
    ("low", ""),
    ("high", "25"),
    ("high_high", "50"),
    ("rise.by", "10"),
    ("rise.within", "1min"),
    ("delay", ""),
    ("action", "Stop hot work, start fans, call the shift lead"),
];

/// A list to begin with: the header and one line.
pub fn template(words: Words) -> String {
    let header = EXAMPLE.iter().map(|(key, _)| shown_name(key, words));
    let cells = EXAMPLE.iter().map(|(_, cell)| (*cell).to_owned());
    written(&[header.collect(), cells.collect()])
}

/// All points of a configuration as a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// The list.
    pub text: String,
    /// Cells that a spreadsheet takes for formulas: id of the point and column.
    pub formulas: Vec<(String, String)>,
    /// What is doubtful about the configuration.
    pub warnings: Vec<Finding>,
}

/// All points of a configuration as a list; groups and the gateway's own are none.
///
/// # Errors
/// Every mistake in the configuration: a list of it would lose what cannot be read.
pub fn export(source: &Source, words: Words) -> Result<Exported, Mistakes> {
    let (_, warnings) = super::super::load(source)?;
    let mut log = Log::default();
    let (mut sources, _) = source.read(&mut log);
    let mut root = tree::read(&sources, &mut log);
    super::read(&mut root, &mut sources, &mut log);
    let points = match root.get("point").map(|entry| &entry.item.value) {
        Some(Value::Table(points)) => points.entries.as_slice(),
        _ => &[],
    };
    let rows: Vec<Row> = points.iter().map(Row::of).collect();
    let columns = in_order(&rows);
    let mut table = vec![columns.iter().map(|key| shown_name(key, words)).collect()];
    let mut formulas = Vec::new();
    for (row, point) in rows.iter().zip(points) {
        let cells = columns
            .iter()
            .map(|key| row.0.get(key).cloned().unwrap_or_default());
        table.push(cells.collect::<Vec<String>>());
        let found = row
            .0
            .iter()
            .filter(|(key, cell)| is_text_column(key) && is_formula(cell));
        formulas.extend(found.map(|(key, _)| (point.key.value.clone(), key.clone())));
    }
    Ok(Exported {
        text: if points.is_empty() {
            template(words)
        } else {
            written(&table)
        },
        formulas,
        warnings,
    })
}

/// One point: cells by the key of their column.
struct Row(BTreeMap<String, String>);

impl Row {
    fn of(point: &Entry) -> Self {
        let mut row = Self(BTreeMap::new());
        row.0.insert("id".to_owned(), point.key.value.clone());
        if let Value::Table(section) = &point.item.value {
            for entry in &section.entries {
                row.add(&[&entry.key.value], &entry.item);
            }
        }
        row
    }

    fn add(&mut self, path: &[&str], item: &Item) {
        let key = path.join(".");
        // Without keys in it a table still says that the alarm is there.
        if let Value::Table(section) = &item.value
            && !section.entries.is_empty()
            && alarm::words_within(path).is_some()
        {
            for entry in &section.entries {
                let mut path = path.to_vec();
                path.push(&entry.key.value);
                self.add(&path, &entry.item);
            }
            return;
        }
        if let Value::List(items) = &item.value
            && has_two_columns(&key)
            && items.len() == 2
        {
            for (end, item) in ["low", "high"].iter().zip(items) {
                self.0.insert(format!("{key}_{end}"), literal(&item.value));
            }
            return;
        }
        let plain = match &item.value {
            Value::Text(text) => (is_text_column(&key) || is_itself(path, text)).then_some(text),
            Value::Integer(_)
            | Value::Float(_)
            | Value::Flag(_)
            | Value::Date
            | Value::List(_)
            | Value::Table(_) => None,
        };
        let cell = plain.cloned().unwrap_or_else(|| literal(&item.value));
        self.0.insert(key, cell);
    }
}

fn has_two_columns(key: &str) -> bool {
    let low = format!("{key}_low");
    NAMES.iter().any(|names| names.key == low)
}

fn is_text_column(key: &str) -> bool {
    let path: Vec<&str> = key.split('.').collect();
    key == "id" || is_text(&path)
}

/// Would a cell with this text be read as this text?
fn is_itself(path: &[&str], text: &str) -> bool {
    let nowhere = Place {
        file: 0,
        start: 0,
        end: 0,
    };
    let key = path.last().copied().unwrap_or_default();
    let read = cell::value(key, text, Decimal::Point, nowhere);
    matches!(read, Ok(Value::Text(read)) if read == text && text.trim() == text)
}

/// A value in TOML's notation.
fn literal(value: &Value) -> String {
    match value {
        Value::Text(text) => quoted(text),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => format!("{number:?}"),
        Value::Flag(flag) => flag.to_string(),
        Value::List(items) => {
            let items = items.iter().map(|item| literal(&item.value));
            format!("[{}]", items.collect::<Vec<_>>().join(", "))
        }
        Value::Table(section) if section.entries.is_empty() => "{}".to_owned(),
        Value::Table(section) => {
            let entries = section.entries.iter().map(|entry| {
                let (key, value) = (&entry.key.value, literal(&entry.item.value));
                let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
                let is_plain = !key.is_empty() && key.chars().all(plain);
                let key = if is_plain { key.clone() } else { quoted(key) };
                format!("{key} = {value}")
            });
            format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
        }
        // Nothing in a configuration without mistakes is one.
        Value::Date => String::new(),
    }
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => {
                write!(quoted, "\\u{:04X}", u32::from(c)).expect("writing to a String cannot fail");
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// The columns of all rows: those with names of their own first, then in the order of the keys of a point.
fn in_order(rows: &[Row]) -> Vec<String> {
    let keys = rows.iter().flat_map(|row| row.0.keys());
    let keys: std::collections::BTreeSet<&String> = keys.collect();
    let rank = |key: &str| {
        let named = NAMES.iter().position(|names| names.key == key);
        let first = key.split('.').next().unwrap_or_default();
        let known = POINT.keys.iter().position(|known| *known == first);
        (named.unwrap_or(usize::MAX), known.unwrap_or(usize::MAX))
    };
    let mut keys: Vec<String> = keys.into_iter().cloned().collect();
    keys.sort_by_key(|key| rank(key));
    keys
}

fn shown_name(key: &str, words: Words) -> String {
    let names = NAMES.iter().find(|names| names.key == key);
    let chinese = names.and_then(|names| names.chinese.first());
    match (words, chinese) {
        (Words::Chinese, Some(chinese)) => (*chinese).to_owned(),
        (Words::Chinese | Words::Keys, _) => key.to_owned(),
    }
}

/// The file. A spreadsheet takes UTF-8 for UTF-8 only by its mark; where every encoding is the same there
/// is none.
fn written(table: &[Vec<String>]) -> String {
    let mut text = String::new();
    for row in table {
        let cells: Vec<String> = row.iter().map(|cell| separated(cell)).collect();
        text.push_str(&cells.join(","));
        text.push('\n');
    }
    if !text.is_ascii() {
        text.insert(0, '\u{feff}');
    }
    text
}

fn separated(cell: &str) -> String {
    let is_plain = !cell.contains([',', '"', '\n', '\r', ';', '\t']) && cell.trim() == cell;
    if is_plain {
        return cell.to_owned();
    }
    format!("\"{}\"", cell.replace('"', "\"\""))
}
