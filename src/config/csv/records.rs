//! A text taken apart into records and cells, every cell with its place.
//!
//! Quoting is strict: what a lenient reader would make of a stray quote is a cell that nobody wrote, or
//! one that swallows the rest of the file.

use csv_core::{ReadFieldResult, Reader, ReaderBuilder};

/// What may stand between cells.
pub(super) const SEPARATORS: [u8; 3] = [b',', b';', b'\t'];

/// One cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cell {
    /// Without quotes and the blanks around it.
    pub(super) text: String,
    /// Bytes of the text that it takes, quotes included.
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Cell {
    /// What is wrong with its quotes in `text`, the whole of it; and what to do.
    pub(super) fn quoting(&self, text: &str) -> Option<(&'static str, &'static str)> {
        let raw = text.get(self.start..self.end)?;
        let Some(inner) = raw.strip_prefix('"') else {
            let spaced = raw.trim_start().starts_with('"');
            return spaced.then_some((
                "there is a space before this quote",
                "quotes stand directly beside the separators",
            ));
        };
        let mut rest = inner;
        while let Some(at) = rest.find('"') {
            rest = &rest[at + 1..];
            match rest.strip_prefix('"') {
                Some(after) => rest = after,
                None if rest.is_empty() => return None,
                None => {
                    return Some((
                        "there is text after the closing quote of this cell",
                        "a quote within a cell is written twice: \"5\"\" pipe\"",
                    ));
                }
            }
        }
        Some((
            "this quote is never closed: the rest of the file is one cell",
            "close it, or write a quote within a cell twice",
        ))
    }
}

/// Records one after another. Lines without anything are none.
pub(super) struct Records<'a> {
    text: &'a str,
    at: usize,
    reader: Reader,
    buffer: Vec<u8>,
}

impl<'a> Records<'a> {
    /// From byte `from` of `text`.
    pub(super) fn new(text: &'a str, from: usize, separator: u8) -> Self {
        Self {
            text,
            at: from,
            reader: ReaderBuilder::new().delimiter(separator).build(),
            buffer: vec![0; 256],
        }
    }

    /// Puts the cells of the next record into `cells`. Is there one?
    pub(super) fn read(&mut self, cells: &mut Vec<Cell>) -> bool {
        cells.clear();
        while self.at < self.text.len() && self.text.as_bytes()[self.at] == b'\n' {
            self.at += 1;
        }
        while let Some((cell, last)) = self.cell() {
            cells.push(cell);
            if last {
                return true;
            }
        }
        !cells.is_empty()
    }

    /// The next cell, and whether it is the last one of its record.
    fn cell(&mut self) -> Option<(Cell, bool)> {
        let start = self.at;
        let mut length = 0;
        loop {
            let input = &self.text.as_bytes()[self.at..];
            let (result, read, written) =
                (self.reader).read_field(input, &mut self.buffer[length..]);
            let is_over = input.is_empty();
            self.at += read;
            length += written;
            match result {
                ReadFieldResult::InputEmpty => {}
                ReadFieldResult::OutputFull => self.buffer.resize(self.buffer.len() * 2, 0),
                ReadFieldResult::End => return None,
                ReadFieldResult::Field { record_end } => {
                    // What ended it, a separator or a line end, was read with it.
                    let end = if is_over { self.at } else { self.at - 1 };
                    let text = String::from_utf8_lossy(&self.buffer[..length]);
                    let cell = Cell {
                        text: text.trim().to_owned(),
                        start,
                        end,
                    };
                    return Some((cell, record_end));
                }
            }
        }
    }
}

/// Where the cells of a text are; for messages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in super::super) struct Grid {
    separator: u8,
    /// Where records begin, and their row in a spreadsheet; the header is the first.
    records: Vec<(usize, usize)>,
    /// What the header says, as it is written.
    names: Vec<String>,
    /// Up to this byte lines were counted.
    counted: usize,
    /// Lines up to there, and how many of them begin within a cell.
    lines: usize,
    within: usize,
}

impl Grid {
    pub(super) fn new(from: usize, separator: u8) -> Self {
        Self {
            separator,
            counted: from,
            ..Self::default()
        }
    }

    /// Adds the header of `text`.
    pub(super) fn add_header(&mut self, text: &str, cells: &[Cell]) {
        self.names = cells.iter().map(|cell| cell.text.clone()).collect();
        self.add(text, cells);
    }

    /// Adds the next record of `text`.
    pub(super) fn add(&mut self, text: &str, cells: &[Cell]) {
        let (Some(first), Some(last)) = (cells.first(), cells.last()) else {
            return;
        };
        let lines = |from: usize, to: usize| {
            let bytes = text.as_bytes().get(from..to).unwrap_or_default();
            bytes.iter().filter(|byte| **byte == b'\n').count()
        };
        self.lines += lines(self.counted, first.start);
        self.records
            .push((first.start, self.lines + 1 - self.within));
        let within = lines(first.start, last.end);
        self.lines += within;
        self.within += within;
        self.counted = last.end;
    }

    /// How many rows there are, without the header.
    pub(super) fn rows(&self) -> usize {
        self.records.len().saturating_sub(1)
    }

    /// The cell at byte `at` of `text`, in line `line`, in words: `column "high"`; and its row in a
    /// spreadsheet, where lines within cells make that another number.
    pub(in super::super) fn cell(&self, text: &str, at: usize, line: usize) -> Option<String> {
        let record = self.records.partition_point(|(start, _)| *start <= at);
        let (start, row) = *self.records.get(record.checked_sub(1)?)?;
        let mut cells = Vec::new();
        Records::new(text, start, self.separator).read(&mut cells);
        let column = cells.iter().position(|cell| at <= cell.end)?;
        let name = self.names.get(column).map_or("", String::as_str);
        let mut shown: String = name.chars().filter(|c| !c.is_control()).take(60).collect();
        if shown.is_empty() {
            shown = (column + 1).to_string();
        }
        let row = if row == line {
            String::new()
        } else {
            format!(", row {row}")
        };
        Some(format!("column \"{shown}\"{row}"))
    }
}

/// How a text is to be taken apart: the separator, and where the header begins. Spreadsheets may write
/// `sep=;` before it. Else it is the separator by which most names in the header are known ones.
pub(super) fn layout(text: &str, is_known: impl Fn(&str) -> bool) -> (u8, usize) {
    let first = text.split('\n').next().unwrap_or_default();
    let told = first.replace('"', "");
    let told = told.strip_prefix("sep=").and_then(|sep| sep.bytes().next());
    if let Some(told) = told.filter(|told| SEPARATORS.contains(told)) {
        return (told, text.len().min(first.len() + 1));
    }
    let mut cells = Vec::new();
    let mut best = (SEPARATORS[0], (0, 0));
    for separator in SEPARATORS {
        Records::new(text, 0, separator).read(&mut cells);
        let known = cells.iter().filter(|cell| is_known(&cell.text)).count();
        if (known, cells.len()) > best.1 {
            best = (separator, (known, cells.len()));
        }
    }
    (best.0, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<Vec<(String, &str)>> {
        let mut records = Records::new(text, 0, b',');
        let mut cells = Vec::new();
        let mut found = Vec::new();
        while records.read(&mut cells) {
            let cells = cells.iter();
            let cells = cells.map(|cell| (cell.text.clone(), &text[cell.start..cell.end]));
            found.push(cells.collect());
        }
        found
    }

    #[test]
    fn every_cell_knows_its_bytes() {
        let owned = |cells: &[(&str, &'static str)]| -> Vec<(String, &'static str)> {
            let cells = cells.iter();
            cells
                .map(|(cell, raw)| ((*cell).to_owned(), *raw))
                .collect()
        };
        let text = "\n\na,, \"b\"\n\n\"x\n,\"\"y\"\"\",名 ,\n\"\",z";
        assert_eq!(
            all(text),
            [
                owned(&[("a", "a"), ("", ""), ("\"b\"", " \"b\"")]),
                owned(&[("x\n,\"y\"", "\"x\n,\"\"y\"\"\""), ("名", "名 "), ("", "")]),
                owned(&[("", "\"\""), ("z", "z")]),
            ]
        );
        assert!(all("").is_empty());
        assert!(all("\n\n").is_empty());
        assert_eq!(all("a,"), [owned(&[("a", "a"), ("", "")])]);
        // Longer than the first buffer.
        let long = "名".repeat(1_000);
        assert_eq!(all(&format!("{long}\n"))[0][0].0, long);
    }

    #[test]
    fn a_stray_quote_is_found() {
        let said = |text: &str| {
            let mut cells = Vec::new();
            Records::new(text, 0, b',').read(&mut cells);
            let said = cells.iter().find_map(|cell| cell.quoting(text));
            said.map_or("", |(what, _)| what)
        };
        for good in ["\"a\"\"b\"", "a\"b", "\"\"", "\"a,\nb\",c", "\"\"\"\""] {
            assert_eq!(said(good), "", "{good}");
        }
        assert!(said("\"5\" pipe\",b").contains("after the closing quote"));
        assert!(said("a, \"b\"").contains("space before"));
        assert!(said("a,\"b\nc,d").contains("never closed"));
        assert!(said("\"").contains("never closed"));
    }

    #[test]
    fn the_header_says_what_separates() {
        let known = |name: &str| ["id", "name", "high"].contains(&name);
        for (text, expected) in [
            ("id,name\n", (b',', 0)),
            ("id;name,x\n", (b';', 0)),
            ("id\tname\n", (b'\t', 0)),
            ("id", (b',', 0)),
            ("a;b;c", (b';', 0)),
            ("\"id;x\",name,high", (b',', 0)),
            ("sep=;\nid;name", (b';', 6)),
            ("sep=,,,\nid,name", (b',', 8)),
            ("\"sep=;\"\nid;name", (b';', 8)),
            ("sep=\t", (b'\t', 5)),
            ("", (b',', 0)),
        ] {
            assert_eq!(layout(text, known), expected, "{text}");
        }
    }
}
