//! What the columns of a list are, by its header. A name that is none is a mistake and reported once,
//! where it stands, not in every row.

use std::collections::BTreeMap;

use super::super::alarm;
use super::super::finding::{Kind, Log, nearest};
use super::super::place::Place;
use super::super::point::POINT;
use super::names::{IDLE, NAMES, NOTES, key_of, normal};
use super::records::Cell;

/// Columns at most; what one point can be given is far less.
pub(super) const MOST: usize = 1_000;

/// Keys whose value is a text whatever it looks like.
const TEXTS: [&str; 21] = [
    "name", "area", "measures", "unit", "sensor", "device", "register", "type", "order", "signal",
    "broker", "topic", "value", "time", "action", "plan", "mapping", "each", "sequence", "quality",
    "unit_at",
];

/// The same of `alarm.KIND`.
const ALARM_TEXTS: [&str; 5] = ["action", "cause", "consequence", "plan", "justification"];

/// Deeper than this no key goes.
const DEEPEST: usize = 6;

/// One column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Column {
    /// Nobody reads it: a note, or something that was reported.
    Silent,
    /// Without a name: nothing may stand in it.
    Nameless,
    Id,
    /// A key, and whether its value is a text whatever it looks like.
    Key {
        path: Vec<String>,
        is_text: bool,
    },
    /// One of the two numbers of a key.
    End {
        key: &'static str,
        is_upper: bool,
    },
    /// Kepware's word for the way from raw to engineering values.
    Scaling,
    /// Kepware's two halves of `clamp`.
    Clamp {
        is_upper: bool,
    },
    /// Kepware's change of sign.
    Negate,
}

/// Is this the name of a column?
pub(super) fn is_known(name: &str) -> bool {
    let name = normal(name);
    let key = key_of(&name);
    let first = key.split('.').next().unwrap_or_default();
    let is_ignored = NOTES.contains(&&*name) || IDLE.contains(&&*name);
    is_ignored || kept(key).is_some() || POINT.keys.contains(&first)
}

/// Is the value of this key a text whatever it looks like?
pub(super) fn is_text(path: &[&str]) -> bool {
    match path {
        [key] => TEXTS.contains(key),
        ["alarm", _, key] => ALARM_TEXTS.contains(key),
        _ => false,
    }
}

/// Columns that are no keys.
fn kept(key: &str) -> Option<Column> {
    let end = |key, is_upper| Column::End { key, is_upper };
    Some(match key {
        "id" => Column::Id,
        "range_low" => end("range", false),
        "range_high" => end("range", true),
        "raw_range_low" => end("raw_range", false),
        "raw_range_high" => end("raw_range", true),
        "valid_range_low" => end("valid_range", false),
        "valid_range_high" => end("valid_range", true),
        "scaling" => Column::Scaling,
        "clamp_low" => Column::Clamp { is_upper: false },
        "clamp_high" => Column::Clamp { is_upper: true },
        "negate_value" => Column::Negate,
        _ => return None,
    })
}

/// Reads the header of `text`, which is source number `file`. `None`: it is none, and that was reported.
pub(super) fn read(header: &[Cell], text: &str, file: usize, log: &mut Log) -> Option<Vec<Column>> {
    let place = |cell: &Cell| Place {
        file,
        start: cell.start,
        end: cell.end,
    };
    for cell in header {
        if let Some((what, hint)) = cell.quoting(text) {
            log.error(Kind::Syntax, place(cell), what).hint(hint);
            return None;
        }
    }
    if header.len() > MOST {
        let text = format!("a list has {MOST} columns at most, not {}", header.len());
        log.error(Kind::OutOfRange, place(header.get(MOST)?), text)
            .hint("is this a list of points?");
        return None;
    }
    let mut known: BTreeMap<String, Place> = BTreeMap::new();
    let mut idle: Vec<(&str, Place)> = Vec::new();
    let mut columns = Vec::with_capacity(header.len());
    for cell in header {
        let (name, at) = (normal(&cell.text), place(cell));
        let key = key_of(&name);
        if NOTES.contains(&&*name) || name.starts_with('#') {
            columns.push(Column::Silent);
            continue;
        }
        if IDLE.contains(&&*name) {
            idle.push((&cell.text, at));
            columns.push(Column::Silent);
            continue;
        }
        if name.is_empty() {
            columns.push(Column::Nameless);
            continue;
        }
        if let Some(first) = known.get(key) {
            let text = format!("\"{}\" is the second column for `{key}`", cell.text);
            log.error(Kind::Duplicate, at, text)
                .hint("keep one of the two, or start the name of the other with `#`")
                .also(*first, "the first one");
            columns.push(Column::Silent);
            continue;
        }
        known.insert(key.to_owned(), at);
        let column = kept(key).or_else(|| column(key, &cell.text, at, log));
        columns.push(column.unwrap_or(Column::Silent));
    }
    if let Some((_, first)) = idle.first() {
        let names: Vec<String> = idle.iter().map(|(name, _)| format!("\"{name}\"")).collect();
        let text = format!("nothing is made of {}", names.join(", "));
        log.warn(Kind::Unused, *first, text)
            .hint("how often a device is read stands with the device: `poll`; start a name with `#` to leave its column out without this note");
    }
    if !columns.contains(&Column::Id)
        && let Some(first) = header.first()
    {
        log.error(Kind::Syntax, place(first), "this list has no column `id`")
            .hint("the first line names the columns: id,name,unit,...; `forewarn points export` writes one to begin with");
        return None;
    }
    Some(columns)
}

/// A key, its parts joined by points. Reports one that is none.
fn column(key: &str, written: &str, at: Place, log: &mut Log) -> Option<Column> {
    let path: Vec<String> = key.split('.').map(str::to_owned).collect();
    let parts: Vec<&str> = path.iter().map(String::as_str).collect();
    let (last, before) = parts.split_last()?;
    let words = match before {
        [] => Some(POINT.keys),
        [first, ..] if !POINT.keys.contains(first) => Some(&[][..]),
        before => alarm::words_within(before),
    };
    // What is within something else, such as `enum`, is left to whoever reads that.
    let is_known = words.is_none_or(|words| words.contains(last));
    if is_known && parts.len() <= DEEPEST && !parts.contains(&"") {
        let is_text = is_text(&parts);
        return Some(Column::Key { path, is_text });
    }
    let text = format!("\"{written}\" is no column of a list of points");
    let names = NAMES.iter().map(|names| names.key);
    let near = match before {
        [] => nearest(key, names.chain(POINT.keys.iter().copied())).map(str::to_owned),
        before => {
            let near = words.and_then(|words| nearest(last, words.iter().copied()));
            near.map(|near| format!("{}.{near}", before.join(".")))
        }
    };
    let aside = "a name that starts with `#` leaves its column out";
    let hint = near.map_or_else(
        || format!("columns are named like the keys of a point, and as config/forewarn.toml lists them; {aside}"),
        |near| format!("did you mean `{near}`? Else {aside}"),
    );
    log.error(Kind::UnknownKey, at, text).hint(hint);
    None
}
