//! `points_csv`: which lists there are, and what their owner says about them.
//!
//! ```toml
//! points_csv = "points.csv"
//! points_csv = ["tank-farm.csv", { file = "kepware.csv", addressing = "modicon", device = "plc-2" }]
//! ```

use super::super::finding::{Kind, Log};
use super::super::keys::{Keys, Vocabulary, mismatch};
use super::super::place::At;
use super::super::tree::{Item, Section, Value};
use super::cell::Decimal;
use super::encoding::{self, Encoding};

/// Lists at most.
const MOST: usize = 100;

const LIST: Vocabulary = Vocabulary {
    what: "a list of points: `{ file = \"points.csv\" }`",
    keys: &["file", "encoding", "decimal", "addressing", "device"],
    later: &[],
};

/// One list.
pub(super) struct Listed {
    /// As written; relative to the file that names it.
    pub(super) file: At<String>,
    pub(super) encoding: Option<Encoding>,
    pub(super) decimal: Option<Decimal>,
    /// Are `30001` and `40001` addresses?
    pub(super) modicon: bool,
    /// For rows with a register and without a device.
    pub(super) device: Option<At<String>>,
}

/// Reads `points_csv`.
pub(super) fn read(root: &Section, log: &mut Log) -> Vec<Listed> {
    let Some(entry) = root.get("points_csv") else {
        return Vec::new();
    };
    let items = match &entry.item.value {
        Value::List(items) => items.as_slice(),
        Value::Text(_) | Value::Table(_) => std::slice::from_ref(&entry.item),
        Value::Integer(_) | Value::Float(_) | Value::Flag(_) | Value::Date => {
            mismatch::<()>("points_csv", "a file or a list of files", &entry.item, log);
            return Vec::new();
        }
    };
    if items.len() > MOST {
        let text = format!("`points_csv` has {} files, more than {MOST}", items.len());
        log.error(Kind::OutOfRange, entry.item.place, text)
            .hint("put the points of several files into one");
        return Vec::new();
    }
    let mut lists: Vec<Listed> = Vec::new();
    for item in items {
        let Some(list) = one(item, log) else {
            continue;
        };
        let same = |known: &&Listed| known.file.value == list.file.value;
        if let Some(first) = lists.iter().find(same) {
            let text = format!("{} is named twice", list.file.value);
            log.error(Kind::Duplicate, list.file.place, text)
                .hint("keep one of the two")
                .also(first.file.place, "first here");
            continue;
        }
        lists.push(list);
    }
    lists
}

fn one(item: &Item, log: &mut Log) -> Option<Listed> {
    if let Value::Text(file) = &item.value {
        if file.trim().is_empty() {
            log.error(Kind::BadValue, item.place, "`points_csv` is empty")
                .hint("leave it out if there is no list");
            return None;
        }
        return Some(Listed {
            file: At {
                value: file.clone(),
                place: item.place,
            },
            encoding: None,
            decimal: None,
            modicon: false,
            device: None,
        });
    }
    let keys = Keys::open_item(item, item.place, &LIST, log)?;
    keys.require("file", "\"points.csv\"", log);
    let file = keys.text("file", log);
    let encoding = keys.choice("encoding", &encoding::WORDS, log);
    let decimal = keys.choice("decimal", &Decimal::WORDS, log);
    let modicon = keys.choice("addressing", &[("modicon", ())], log);
    Some(Listed {
        file: file?,
        encoding: encoding.map(|encoding| encoding.value),
        decimal: decimal.map(|decimal| decimal.value),
        modicon: modicon.is_some(),
        device: keys.text("device", log),
    })
}
