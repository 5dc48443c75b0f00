//! A row as what `[point.ID]` would be: the same tree, so that the same readers judge it.

use super::super::finding::{Kind, Log};
use super::super::place::{At, Place};
use super::super::tree::{Entry, Item, Section, Value};
use super::address;
use super::cell::{self, Decimal, Wrong};
use super::columns::Column;
use super::listed::Listed;
use super::names::word_of;
use super::records::Cell;

/// What is the same for all rows of a list.
pub(super) struct Rows<'a> {
    pub(super) list: &'a Listed,
    pub(super) columns: &'a [Column],
    pub(super) decimal: Decimal,
    /// Which of the sources.
    pub(super) file: usize,
    pub(super) text: &'a str,
}

/// A point on its way.
#[derive(Default)]
struct Draft {
    id: Option<At<String>>,
    section: Section,
    /// The two numbers of keys that have two.
    ends: Vec<(&'static str, [Option<Item>; 2])>,
    /// Kepware's word for the way from raw to engineering values.
    scaling: Option<At<String>>,
    clamp: [Option<At<bool>>; 2],
}

impl Rows<'_> {
    /// Reads one row that is not empty. `None`: it is not one, and that was reported.
    pub(super) fn read(&self, cells: &[Cell], log: &mut Log) -> Option<Entry> {
        let whole = self.whole(cells);
        if !self.has_its_form(cells, log) {
            return None;
        }
        let mut draft = Draft::default();
        for (cell, column) in cells.iter().zip(self.columns) {
            if !cell.text.is_empty() {
                self.cell(&mut draft, cell, column, log);
            }
        }
        draft.join_ends(log);
        draft.scale(log);
        draft.join_clamp(log);
        self.take_device(&mut draft);
        let Some(key) = draft.id else {
            if self.columns.contains(&Column::Id) {
                log.error(Kind::MissingKey, whole, "this row has no id")
                    .hint("give the point an id, or start the first cell with `#` to leave the row out");
            }
            return None;
        };
        Some(Entry {
            key,
            item: Item {
                place: whole,
                value: Value::Table(draft.section),
            },
        })
    }

    /// All of a row.
    pub(super) fn whole(&self, cells: &[Cell]) -> Place {
        Place {
            file: self.file,
            start: cells.first().map_or(0, |cell| cell.start),
            end: cells.last().map_or(0, |cell| cell.end),
        }
    }

    fn place(&self, cell: &Cell) -> Place {
        Place {
            file: self.file,
            start: cell.start,
            end: cell.end,
        }
    }

    /// Are there as many cells as columns, rightly quoted? A row with one too few is half a row: what a
    /// limit was may be the next one's.
    fn has_its_form(&self, cells: &[Cell], log: &mut Log) -> bool {
        for cell in cells {
            if let Some((what, hint)) = cell.quoting(self.text) {
                log.error(Kind::Syntax, self.place(cell), what).hint(hint);
                return false;
            }
        }
        let (found, wanted) = (cells.len(), self.columns.len());
        let more = cells.get(wanted..).unwrap_or_default();
        if let Some(cell) = more.iter().find(|cell| !cell.text.is_empty()) {
            let text = format!("this row has {found} cells, and the header {wanted}");
            log.error(Kind::Syntax, self.place(cell), text).hint(
                "a separator within a cell needs quotes around the cell: \"Stop work, start fans\"",
            );
            return false;
        }
        let Some(last) = cells.last().filter(|_| found < wanted) else {
            return true;
        };
        let text = format!("this row ends after {found} cells, and the header has {wanted}");
        log.error(Kind::Syntax, self.place(last), text)
            .hint("an empty cell, which leaves its key out, is written, too: nothing between two separators");
        false
    }

    fn cell(&self, draft: &mut Draft, cell: &Cell, column: &Column, log: &mut Log) {
        let place = self.place(cell);
        let at = |value: String| At { value, place };
        match column {
            Column::Silent => {}
            Column::Nameless => {
                log.error(
                    Kind::UnknownKey,
                    place,
                    "this column has no name in the header",
                )
                .hint("name it; a name that starts with `#` leaves the column out");
            }
            Column::Id => {
                warn_of_formula(&cell.text, place, log);
                draft.id = Some(at(cell.text.clone()));
            }
            Column::Key { path, is_text } => {
                let value = self.value(path, &cell.text, *is_text, place, log);
                draft.section.put(path, Item { place, value }, log);
            }
            Column::End { key, is_upper } => {
                let value = self.value(&[(*key).to_owned()], &cell.text, false, place, log);
                let known = draft.ends.iter().position(|(known, _)| known == key);
                let known = known.unwrap_or_else(|| {
                    draft.ends.push((key, [None, None]));
                    draft.ends.len() - 1
                });
                if let Some((_, ends)) = draft.ends.get_mut(known) {
                    ends[usize::from(*is_upper)] = Some(Item { place, value });
                }
            }
            Column::Scaling => draft.scaling = Some(at(cell.text.clone())),
            Column::Clamp { is_upper } => {
                let flag = switch(&cell.text, place, log);
                draft.clamp[usize::from(*is_upper)] = flag.map(|value| At { value, place });
            }
            Column::Negate => {
                if switch(&cell.text, place, log) == Some(true) {
                    log.error(
                        Kind::NotSupportedYet,
                        place,
                        "the sign of a value is not turned so",
                    )
                    .hint("write the scale with a minus sign, as in -0.1, in a column `scale`");
                }
            }
        }
    }

    /// The value of a cell, or its text after what is wrong with it was reported.
    fn value(
        &self,
        path: &[String],
        text: &str,
        is_text: bool,
        place: Place,
        log: &mut Log,
    ) -> Value {
        let key = path.last().map_or("", String::as_str);
        let top = if path.len() == 1 { key } else { "" };
        let read = if top == "register" {
            let register = address::register(text, self.list.modicon);
            register
                .unwrap_or_else(|| Ok(text.to_owned()))
                .map(Value::Text)
        } else if let Some(word) = word_of(top, text) {
            Ok(Value::Text(word.to_owned()))
        } else if is_text {
            warn_of_formula(text, place, log);
            Ok(Value::Text(text.to_owned()))
        } else {
            cell::value(key, text, self.decimal, place)
        };
        read.unwrap_or_else(|Wrong { what, hint }| {
            log.error(Kind::BadValue, place, what).hint(hint);
            log.settle(place);
            Value::Text(text.to_owned())
        })
    }

    /// The device of the whole list.
    fn take_device(&self, draft: &mut Draft) {
        let section = &mut draft.section;
        if let Some(device) = &self.list.device
            && section.get("device").is_none()
            && section.get("register").is_some()
        {
            let item = Item {
                place: device.place,
                value: Value::Text(device.value.clone()),
            };
            section.entries.push(entry("device", item));
        }
    }
}

/// Does a spreadsheet take this text for a formula? A dash alone it does not.
pub(super) fn is_formula(text: &str) -> bool {
    text.len() > 1 && text.starts_with(['=', '+', '-', '@'])
}

/// Whoever opens the list in a spreadsheet sees the result of a formula, and may save that.
fn warn_of_formula(text: &str, place: Place, log: &mut Log) {
    if is_formula(text) {
        let text = "a spreadsheet takes a text with this beginning for a formula";
        log.warn(Kind::BadValue, place, text)
            .hint("begin it with another character");
    }
}

/// Kepware's 0 and 1.
fn switch(text: &str, place: Place, log: &mut Log) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "0" | "false" | "no" => Some(false),
        "1" | "true" | "yes" => Some(true),
        _ => {
            log.error(
                Kind::BadValue,
                place,
                format!("\"{text}\" is neither 0 nor 1"),
            )
            .hint("1 is yes; leave the cell empty for no");
            None
        }
    }
}

fn entry(key: &str, item: Item) -> Entry {
    Entry {
        key: At {
            value: key.to_owned(),
            place: item.place,
        },
        item,
    }
}

impl Section {
    /// Puts `item` where `path` leads to, through tables that it makes as needed.
    fn put(&mut self, path: &[String], item: Item, log: &mut Log) {
        let Some((key, rest)) = path.split_first() else {
            return;
        };
        let mut known = self.entries.iter_mut();
        let Some(known) = known.find(|entry| entry.key.value == *key) else {
            let item = if rest.is_empty() {
                item
            } else {
                let place = item.place;
                let mut section = Self::default();
                section.put(rest, item, log);
                let value = Value::Table(section);
                Item { place, value }
            };
            self.entries.push(entry(key, item));
            return;
        };
        if let Value::Table(section) = &mut known.item.value
            && !rest.is_empty()
        {
            section.put(rest, item, log);
            return;
        }
        let text = format!("`{key}` is written twice in this row, as a whole and in parts");
        log.error(Kind::Duplicate, item.place, text)
            .hint("keep one of the two")
            .also(known.key.place, "first here");
    }
}

impl Draft {
    /// Two numbers in two columns are one key.
    fn join_ends(&mut self, log: &mut Log) {
        for (key, ends) in std::mem::take(&mut self.ends) {
            match ends {
                [Some(low), Some(high)] => {
                    let place = low.place;
                    let value = Value::List(vec![low, high]);
                    self.section
                        .put(&[key.to_owned()], Item { place, value }, log);
                }
                [Some(one), None] | [None, Some(one)] => {
                    let text = format!("`{key}` has two numbers, and this is one of them");
                    log.error(Kind::MissingKey, one.place, text)
                        .hint("fill both cells or none");
                }
                [None, None] => {}
            }
        }
    }

    /// Kepware's `Scaling`.
    fn scale(&mut self, log: &mut Log) {
        let Some(scaling) = self.scaling.take() else {
            return;
        };
        let raw = self.section.get("raw_range").map(|entry| entry.key.place);
        match (scaling.value.to_lowercase().as_str(), raw) {
            ("none", None) | ("linear", Some(_)) => {}
            ("square root", Some(_)) => {
                let place = scaling.place;
                let value = Value::Flag(true);
                self.section
                    .put(&["square_root".to_owned()], Item { place, value }, log);
            }
            ("none", Some(raw)) => {
                let text = "there is a raw range, and no scaling that would use it";
                log.error(Kind::Conflict, scaling.place, text)
                    .hint("empty the cells of the raw range, or write Linear or Square Root")
                    .also(raw, "the raw range");
            }
            ("linear" | "square root", None) => {
                let text = "scaling needs a raw range and the range of the values";
                log.error(Kind::MissingKey, scaling.place, text)
                    .hint("fill the cells of both, or write None");
            }
            _ => {
                let text = format!("\"{}\" is no scaling", scaling.value);
                log.error(Kind::BadValue, scaling.place, text)
                    .hint("allowed: None, Linear, Square Root");
            }
        }
    }

    /// Both halves or none.
    fn join_clamp(&mut self, log: &mut Log) {
        let [low, high] = std::mem::take(&mut self.clamp);
        let is_set = |half: &Option<At<bool>>| half.as_ref().is_some_and(|half| half.value);
        match (low, high) {
            (low, high) if !is_set(&low) && !is_set(&high) => {}
            (Some(low), Some(high)) if low.value && high.value => {
                let (place, value) = (low.place, Value::Flag(true));
                self.section
                    .put(&["clamp".to_owned()], Item { place, value }, log);
            }
            (low, high) => {
                if let Some(half) = low.filter(|low| low.value).or(high) {
                    log.error(
                        Kind::Conflict,
                        half.place,
                        "values are kept within both ends of the range or none",
                    )
                    .hint("write 1 in both columns, or 0");
                }
            }
        }
    }
}
