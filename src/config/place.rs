//! Where something was written: every value keeps its place until the configuration is built, so
//! that each message can point at it.

use std::path::PathBuf;

use super::csv::Grid;
use super::finding::Location;

/// A stretch of one source text, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// Which text of [`Sources`].
    pub(super) file: usize,
    /// First byte.
    pub(super) start: usize,
    /// First byte after it.
    pub(super) end: usize,
}

/// A value and where it was written.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) place: Place,
}

/// One text that was read: a file, the environment, or a text built into the program.
#[derive(Debug, Clone)]
pub(super) struct SourceText {
    /// As a person would name it.
    pub(super) name: String,
    pub(super) text: String,
    pub(super) format: Format,
    /// What relative paths in it start from.
    pub(super) folder: PathBuf,
}

/// How a source text is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Format {
    Toml,
    /// A list of points.
    Csv(Grid),
    /// `NAME=value` a line.
    Environment,
}

/// All texts that were read, in layering order.
#[derive(Debug, Clone, Default)]
pub(super) struct Sources(pub(super) Vec<SourceText>);

/// Resolves places for printing. The lines are counted once, not for each of many findings.
pub(super) struct Locator<'a> {
    sources: &'a Sources,
    /// Where the lines of each text start.
    lines: Vec<Vec<usize>>,
    /// Stretches that show as asterisks.
    masked: &'a [Place],
}

impl<'a> Locator<'a> {
    /// For all texts; stretches in `masked` (passwords) are hidden.
    pub(super) fn new(sources: &'a Sources, masked: &'a [Place]) -> Self {
        let starts = |source: &SourceText| {
            let ends = source.text.match_indices('\n').map(|(at, _)| at + 1);
            std::iter::once(0).chain(ends).collect()
        };
        Self {
            sources,
            lines: sources.0.iter().map(starts).collect(),
            masked,
        }
    }

    /// Resolves one place.
    pub(super) fn locate(&self, place: Place, note: Option<String>) -> Location {
        let (Some(source), Some(lines)) =
            (self.sources.0.get(place.file), self.lines.get(place.file))
        else {
            return Location::nowhere(note);
        };
        let text = source.text.as_str();
        let start = floor_boundary(text, place.start);
        let line = lines.partition_point(|line_start| *line_start <= start);
        let line_start = lines.get(line - 1).copied().unwrap_or(0);
        let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
        let end = floor_boundary(text, place.end).clamp(start, line_end);
        let content = text[line_start..line_end].trim_end_matches('\r');

        let hidden = |byte: usize| {
            self.masked
                .iter()
                .any(|m| m.file == place.file && (m.start..m.end).contains(&byte))
        };
        let shown: String = content
            .char_indices()
            .map(|(at, c)| match c {
                _ if hidden(line_start + at) => '*',
                '\t' => ' ',
                // A file must not be able to steer the reader's terminal.
                _ if c.is_control() => '\u{fffd}',
                _ => c,
            })
            .collect();
        let cell = match &source.format {
            Format::Csv(grid) => grid.cell(text, start, line),
            Format::Toml | Format::Environment => None,
        };
        let column = text[line_start..start].chars().count();
        let marked = text[start..end].chars().count();
        let quote = Quote::of(&shown, column, marked);
        Location {
            file: source.name.clone(),
            line,
            column: column + 1,
            source: quote.text,
            indent: quote.indent,
            carets: quote.carets,
            cell,
            note,
        }
    }
}

/// What is shown of a line. A line may be as long as the file: only what is around the mistake is
/// quoted.
struct Quote {
    text: String,
    indent: usize,
    carets: usize,
}

impl Quote {
    /// Characters shown before and after the start of what is marked.
    const BEFORE: usize = 60;
    const AFTER: usize = 100;

    /// `marked` characters of `line` from `column` on, counted from 0.
    fn of(line: &str, column: usize, marked: usize) -> Self {
        let length = line.chars().count();
        let whole = length <= Self::BEFORE + Self::AFTER;
        let (from, to) = if whole {
            (0, length)
        } else {
            let to = (column + Self::AFTER).min(length);
            (column.saturating_sub(Self::BEFORE).min(to), to)
        };
        let part = |from: usize, to: usize| {
            let part = line.chars().skip(from).take(to.saturating_sub(from));
            part.collect::<String>()
        };
        let (open, close) = (
            if from > 0 { "..." } else { "" },
            if to < length { "..." } else { "" },
        );
        Self {
            text: format!("{open}{}{close}", part(from, to)),
            indent: open.len() + width(&part(from, column)),
            carets: width(&part(column, (column + marked).min(to))).max(1),
        }
    }
}

/// The nearest character boundary at or below `at`.
fn floor_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Columns a terminal needs: East Asian wide characters take two, so that carets stay under them.
fn width(text: &str) -> usize {
    text.chars()
        .map(|c| match u32::from(c) {
            0x1100..=0x115F
            | 0x2E80..=0xA4CF
            | 0xAC00..=0xD7A3
            | 0xF900..=0xFAFF
            | 0xFE30..=0xFE4F
            | 0xFF00..=0xFF60
            | 0xFFE0..=0xFFE6
            | 0x20000..=0x3FFFD => 2,
            _ => 1,
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(text: &str) -> Sources {
        Sources(vec![SourceText {
            name: "a.toml".into(),
            text: text.into(),
            format: Format::Toml,
            folder: PathBuf::new(),
        }])
    }

    fn located(text: &str, masked: &[Place], place: Place) -> Location {
        Locator::new(&sources(text), masked).locate(place, None)
    }

    fn place(start: usize, end: usize) -> Place {
        Place {
            file: 0,
            start,
            end,
        }
    }

    #[test]
    fn columns_count_characters_and_carets_count_cells() {
        let text = "site = \"x\"\n名 = 1\r\n";
        let key = text.find('名').expect("it is there");
        let at = located(text, &[], place(key, key + '名'.len_utf8()));
        assert_eq!((at.line, at.column, at.indent, at.carets), (2, 1, 0, 2));
        assert_eq!(at.source, "名 = 1");
        let one = text.find('1').expect("it is there");
        let at = located(text, &[], place(one, one + 1));
        assert_eq!((at.column, at.indent), (5, 5));
    }

    #[test]
    fn of_a_long_line_the_part_around_the_mistake_is_shown() {
        let text = format!("{}名名{}", "a".repeat(70_000), "b".repeat(70_000));
        let at = located(&text, &[], place(70_000, 70_003));
        assert_eq!((at.column, at.indent, at.carets), (70_001, 63, 2));
        let expected = format!("...{}名名{}...", "a".repeat(60), "b".repeat(98));
        assert_eq!(at.source, expected);
        assert!(at.to_string().len() < 400);
        // What is marked may itself be longer than what is shown.
        let at = located(&text, &[], place(0, text.len()));
        assert_eq!((at.indent, at.carets), (0, 100));
        let at = located(&text, &[], place(text.len(), text.len()));
        assert_eq!((at.indent, at.carets), (63, 1));
        let short = "x".repeat(160);
        assert_eq!(located(&short, &[], place(3, 4)).source, short);
    }

    #[test]
    fn places_that_cannot_be_are_moved_to_where_they_can() {
        let text = "é";
        for (start, end) in [(0, 9), (1, 1), (9, 3), (2, 2)] {
            let at = located(text, &[], place(start, end));
            assert_eq!(at.line, 1);
            assert!(at.carets >= 1);
        }
    }

    #[test]
    fn secrets_and_control_characters_are_not_shown() {
        let text = "password = \"hunter2\" # \u{1b}[2J";
        let at = located(text, &[place(12, 19)], place(0, 8));
        assert_eq!(at.source, "password = \"*******\" # \u{fffd}[2J");
    }
}
