//! Lists of points as spreadsheets save them.
//!
//! ```text
//!   bytes --encoding--> text --records--> cells, each with its bytes of the text
//!                        |                  |
//!                        |                  +-- header --columns--> what each column is
//!                        |                  |
//!                        |                  +-- row --row, cell, address--> what [point.ID] would be
//!                        v                                                    |
//!              a source like any TOML file,                                   v
//!              with a grid to name cells by                    the `point` table of the tree
//! ```
//!
//! From there on nobody knows a point of a list from one of a table: the same readers check it, and
//! their messages point at its cells. Only what is about the list itself is judged here: its encoding,
//! its form, its header and what a cell can be.
//!
//! A list is read as a whole or not: a row that is not as long as the header, or a quote that is not
//! closed, says that something was lost or shifted.

mod address;
mod cell;
mod columns;
mod encoding;
pub mod export;
mod listed;
mod names;
mod records;
mod row;

use std::collections::BTreeMap;
use std::path::Path;

pub(super) use records::Grid;

use super::finding::{Kind, Log};
use super::place::{At, Format, Place, SourceText, Sources};
use super::source;
use super::tree::{Entry, Item, Section, Value};
use cell::Decimal;
use encoding::{Decoded, Problem};
use listed::Listed;
use records::{Cell, Records};
use row::Rows;

/// Rows of one list at most. More points are no gateway's.
const MOST_ROWS: usize = 50_000;

/// Reads the lists that `root` names and adds their points to it, and their texts to the sources.
pub(super) fn read(root: &mut Section, sources: &mut Sources, log: &mut Log) {
    let lists = listed::read(root, log);
    let mut points = Points::of(root);
    for list in &lists {
        let file = sources.0.len();
        let Some((mut source, decoded)) = open(list, sources, log) else {
            continue;
        };
        if let Some(problem) = decoded.problem {
            tell(problem, file, &decoded.text, list, log);
        }
        let grid = match decoded.problem {
            None | Some(Problem::Guessed) => read_list(&decoded.text, file, list, &mut points, log),
            // What is missing may stand where nothing could be read.
            Some(_) => {
                log.unread();
                Grid::default()
            }
        };
        source.text = decoded.text;
        source.format = Format::Csv(grid);
        sources.0.push(source);
    }
    points.put(root);
}

/// The points so far.
struct Points {
    /// By id.
    known: BTreeMap<String, Place>,
    more: Vec<Entry>,
}

impl Points {
    fn of(root: &Section) -> Self {
        let mut known = BTreeMap::new();
        if let Some(Value::Table(points)) = root.get("point").map(|entry| &entry.item.value) {
            let ids = points.entries.iter().map(|entry| &entry.key);
            known.extend(ids.map(|id| (id.value.clone(), id.place)));
        }
        Self {
            known,
            more: Vec::new(),
        }
    }

    fn add(&mut self, point: Entry, log: &mut Log) {
        let id = &point.key;
        if let Some(first) = self.known.get(&id.value) {
            let text = format!("the point \"{}\" is there twice", id.value);
            log.error(Kind::Duplicate, id.place, text)
                .hint("a point stands in one place; keep one of the two")
                .also(*first, "first here");
            return;
        }
        self.known.insert(id.value.clone(), id.place);
        self.more.push(point);
    }

    /// Puts them behind the points of `root`.
    fn put(self, root: &mut Section) {
        let Some(first) = self.more.first() else {
            return;
        };
        let place = first.key.place;
        let point = root
            .entries
            .iter_mut()
            .find(|entry| entry.key.value == "point");
        match point {
            None => root.entries.push(Entry {
                key: At {
                    value: "point".to_owned(),
                    place,
                },
                item: Item {
                    place,
                    value: Value::Table(Section { entries: self.more }),
                },
            }),
            Some(entry) => {
                // If it is no table, whoever reads it says so.
                if let Value::Table(points) = &mut entry.item.value {
                    points.entries.extend(self.more);
                }
            }
        }
    }
}

/// The file of a list, still without its text; and that.
fn open(list: &Listed, sources: &Sources, log: &mut Log) -> Option<(SourceText, Decoded)> {
    let named_in = sources.0.get(list.file.place.file);
    let folder = named_in.map_or_else(|| Path::new(""), |source| source.folder.as_path());
    let path = folder.join(&list.file.value);
    let bytes = match source::bytes(&path) {
        Ok(bytes) => bytes,
        Err(error) => {
            let text = format!("cannot read {}: {error}", path.display());
            log.error(Kind::File, list.file.place, text)
                .hint("the path starts from the file that names it; the user that runs forewarn must be able to read it");
            log.unread();
            return None;
        }
    };
    let source = SourceText {
        name: path.display().to_string(),
        text: String::new(),
        format: Format::Toml,
        folder: folder.to_owned(),
    };
    Some((source, encoding::decode(&bytes, list.encoding)))
}

/// Says what is to be said about the encoding of `text`.
fn tell(problem: Problem, file: usize, text: &str, list: &Listed, log: &mut Log) {
    let name = &list.file.value;
    let say =
        |encoding: &str| format!("points_csv = {{ file = \"{name}\", encoding = \"{encoding}\" }}");
    let cell_with = |is_meant: fn(char) -> bool| {
        let start = text.find(is_meant).unwrap_or(0);
        let rest = text.get(start..).unwrap_or_default();
        let length = rest.find([',', ';', '\t', '\n']).unwrap_or(rest.len());
        Place {
            file,
            start,
            end: start + length,
        }
    };
    let broken = cell_with(|c| c == '\u{fffd}');
    match problem {
        Problem::Guessed => {
            let strange = cell_with(|c| !c.is_ascii());
            log.warn(Kind::Encoding, strange, "this list is not UTF-8, and was taken for GB18030")
                .hint(format!(
                    "if what is marked reads rightly, say so: {}; if not, save the list as UTF-8, or say \
                     what it is: {}",
                    say("gb18030"),
                    say("windows-1252")
                ));
        }
        Problem::Malformed(encoding) => {
            log.error(
                Kind::Encoding,
                broken,
                format!("this is no text in {encoding}"),
            )
            .hint("save the list as UTF-8");
        }
        Problem::Unknown => {
            log.error(
                Kind::Encoding,
                broken,
                "this list is neither UTF-8 nor GB18030",
            )
            .hint(format!(
                "save it as UTF-8, or say what it is: {}",
                say("windows-1252")
            ));
        }
        Problem::Unmarked => {
            let text = format!("{name} is UTF-16 and does not begin with its mark");
            log.error(Kind::Encoding, list.file.place, text)
                .hint(format!(
                    "save it as UTF-8, or say what it is: {}",
                    say("utf-16le")
                ));
        }
    }
}

/// Reads the points of `text`.
fn read_list(text: &str, file: usize, list: &Listed, points: &mut Points, log: &mut Log) -> Grid {
    let (separator, from) = records::layout(text, columns::is_known);
    let mut records = Records::new(text, from, separator);
    let mut cells: Vec<Cell> = Vec::new();
    let mut grid = Grid::new(from, separator);
    if !records.read(&mut cells) {
        let text = format!("{} is empty", list.file.value);
        log.error(Kind::Syntax, list.file.place, text).hint(
            "its first line names the columns; `forewarn points export` writes one to begin with",
        );
        return grid;
    }
    grid.add_header(text, &cells);
    let Some(columns) = columns::read(&cells, text, file, log) else {
        log.unread();
        return grid;
    };
    let usual = match separator {
        b';' => Decimal::Comma,
        _ => Decimal::Point,
    };
    let rows = Rows {
        list,
        columns: &columns,
        decimal: list.decimal.unwrap_or(usual),
        file,
        text,
    };
    while records.read(&mut cells) {
        grid.add(text, &cells);
        if is_aside(&cells) {
            continue;
        }
        if grid.rows() > MOST_ROWS {
            let place = rows.whole(&cells);
            let text = format!("a list has {MOST_ROWS} rows at most");
            log.error(Kind::OutOfRange, place, text)
                .hint("more points than that are for another gateway");
            log.unread();
            break;
        }
        if let Some(point) = rows.read(&cells, log) {
            points.add(point, log);
        }
    }
    grid
}

/// Is this a row that nobody reads: an empty one, or one that begins with `#` and a blank? Without the
/// blank it is a tag, which is no id: a point is not left out because of the name that somebody gave it.
fn is_aside(cells: &[Cell]) -> bool {
    let is_note = |cell: &Cell| cell.text == "#" || cell.text.starts_with("# ");
    cells.first().is_some_and(is_note) || cells.iter().all(|cell| cell.text.is_empty())
}
