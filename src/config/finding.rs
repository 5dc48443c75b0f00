//! What a person sees when a configuration is wrong: what, where, what was expected, what to do.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::place::{Locator, Place, Sources};

/// Nobody reads more at a time; a generated file may have thousands.
const MOST_SHOWN: usize = 100;

/// Kinds of finding; a closed list, printed as `error[kind]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A file cannot be read.
    File,
    /// Not TOML.
    Syntax,
    /// A key that nothing reads.
    UnknownKey,
    /// A text where a number belongs, and so on.
    WrongType,
    /// A value that is none of the allowed ones.
    BadValue,
    /// A duration or size without its unit, or with an unknown one.
    BadUnit,
    /// A key that is needed is not there.
    MissingKey,
    /// The same thing twice.
    Duplicate,
    /// A name that stands for nothing.
    UnknownReference,
    /// A number beyond what is possible.
    OutOfRange,
    /// Limits that do not follow one another, deadbands included.
    LimitOrder,
    /// Two settings that exclude each other.
    Conflict,
    /// Periods, delays and windows that cannot work together.
    Timing,
    /// An alarm that tells nobody what to do.
    NoGuidance,
    /// A set point beyond what standards ask for.
    SetPoint,
    /// A setting within the noise of the sensor.
    Noise,
    /// A secret in the wrong place.
    Secret,
    /// A certificate or its key cannot be used, or not for long.
    Certificate,
    /// Open to the network without protection.
    Exposed,
    /// Something that is configured and never used.
    Unused,
    /// Part of the configuration language, not of this version.
    NotSupportedYet,
    /// An environment variable that is not one of ours.
    Environment,
    /// How the characters of a file are written as bytes.
    Encoding,
}

impl Kind {
    /// The kind as it is printed.
    pub const fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Syntax => "syntax",
            Self::UnknownKey => "unknown-key",
            Self::WrongType => "wrong-type",
            Self::BadValue => "bad-value",
            Self::BadUnit => "bad-unit",
            Self::MissingKey => "missing-key",
            Self::Duplicate => "duplicate",
            Self::UnknownReference => "unknown-reference",
            Self::OutOfRange => "out-of-range",
            Self::LimitOrder => "limit-order",
            Self::Conflict => "conflict",
            Self::Timing => "timing",
            Self::NoGuidance => "no-guidance",
            Self::SetPoint => "set-point",
            Self::Noise => "noise",
            Self::Secret => "secret",
            Self::Certificate => "certificate",
            Self::Exposed => "exposed",
            Self::Unused => "unused",
            Self::NotSupportedYet => "not-supported-yet",
            Self::Environment => "environment",
            Self::Encoding => "encoding",
        }
    }

    /// Does the finding only say that something was not found? After a syntax error, or when
    /// a file cannot be read, that proves nothing: what is missing may stand in the unread part.
    const fn is_absence(self) -> bool {
        matches!(
            self,
            Self::MissingKey | Self::UnknownReference | Self::NoGuidance | Self::Unused
        )
    }
}

/// Does a finding stop the configuration from being used?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// It does.
    Error,
    /// It does not, but it should be looked at.
    Warning,
}

/// A place in a file, ready to print.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The file as the person named it, or `environment`.
    pub file: String,
    /// Counted from 1; 0 when the file as a whole is meant.
    pub line: usize,
    /// In characters, counted from 1.
    pub column: usize,
    /// The line itself, secrets masked; of a long line only what is around the column.
    pub source: String,
    /// Terminal cells before the carets.
    pub indent: usize,
    /// Terminal cells the carets take.
    pub carets: usize,
    /// In a list of points: which cell, in words.
    pub cell: Option<String>,
    /// What is to be seen here, when there is more than one place.
    pub note: Option<String>,
}

impl Location {
    /// For a place in a text that is not there.
    pub(super) const fn nowhere(note: Option<String>) -> Self {
        Self {
            file: String::new(),
            line: 0,
            column: 0,
            source: String::new(),
            indent: 0,
            carets: 0,
            cell: None,
            note,
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let note = self.note.as_deref();
        let (open, note, close) = note.map_or(("", "", ""), |note| (" (", note, ")"));
        if self.line == 0 {
            return writeln!(f, "  --> {}{open}{note}{close}", self.file);
        }
        let (line, column) = (self.line, self.column);
        let cell = self.cell.as_deref();
        let (comma, cell) = cell.map_or(("", ""), |cell| (", ", cell));
        let at = format_args!("{}:{line}:{column}{comma}{cell}", self.file);
        writeln!(f, "  --> {at}{open}{note}{close}")?;
        writeln!(f, "{line} | {}", self.source)?;
        let gutter = line.to_string().len();
        // Spaces are repeated: a width given to the formatter panics above 65535.
        let (gutter, indent) = (" ".repeat(gutter), " ".repeat(self.indent));
        let carets = "^".repeat(self.carets);
        writeln!(f, "{gutter} | {indent}{carets}")
    }
}

/// One mistake or one warning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Mistake or warning.
    pub severity: Severity,
    /// What kind.
    pub kind: Kind,
    /// What is wrong, in one sentence.
    pub text: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Where; the first is the one to change.
    pub locations: Vec<Location>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        writeln!(f, "{severity}[{}]: {}", self.kind.name(), self.text)?;
        if let Some(hint) = &self.hint {
            writeln!(f, "  hint: {hint}")?;
        }
        self.locations.iter().try_for_each(|at| at.fmt(f))
    }
}

/// A configuration that cannot be used: every mistake that was found, in reading order, and the
/// warnings beside them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Mistakes {
    /// At least one of them is an error.
    pub findings: Vec<Finding>,
}

impl Mistakes {
    /// How many of the findings are errors.
    pub fn errors(&self) -> usize {
        let errors = self.findings.iter();
        errors.filter(|f| f.severity == Severity::Error).count()
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown: Vec<&Finding> = self.findings.iter().collect();
        if shown.len() > MOST_SHOWN {
            // What must be changed comes before what should be.
            shown.sort_by_key(|finding| finding.severity == Severity::Warning);
        }
        for (index, finding) in shown.iter().take(MOST_SHOWN).enumerate() {
            let gap = if index == 0 { "" } else { "\n" };
            write!(f, "{gap}{finding}")?;
        }
        match self.findings.len().saturating_sub(MOST_SHOWN) {
            0 => Ok(()),
            more => writeln!(f, "\nand {more} more"),
        }
    }
}

/// Warnings in words, as many as anybody reads. One text: a start with thousands of them must not wait
/// for as many small writes.
pub fn warnings_in_words(warnings: &[Finding]) -> String {
    let shown = warnings.iter().take(MOST_SHOWN);
    let mut words: String = shown.map(|warning| format!("{warning}\n")).collect();
    if let more @ 1.. = warnings.len().saturating_sub(MOST_SHOWN) {
        words.push_str(&format!("and {more} more\n\n"));
    }
    words
}

/// A finding whose places are not resolved yet.
#[derive(Debug)]
pub(super) struct Draft {
    severity: Severity,
    kind: Kind,
    text: String,
    hint: Option<String>,
    places: Vec<(Place, Option<String>)>,
}

impl Draft {
    /// Says what to do.
    pub(super) fn hint(&mut self, hint: impl Into<String>) -> &mut Self {
        self.hint = Some(hint.into());
        self
    }

    /// Points at another place that belongs to it.
    pub(super) fn also(&mut self, place: Place, note: impl Into<String>) -> &mut Self {
        self.places.push((place, Some(note.into())));
        self
    }
}

/// Collects findings while the configuration is read; nothing stops at the first one.
#[derive(Debug, Default)]
pub(super) struct Log {
    drafts: Vec<Draft>,
    masked: Vec<Place>,
    unread: bool,
    /// Places of which everything was said, and how many findings there were then.
    settled: BTreeMap<Place, usize>,
}

impl Log {
    /// Adds a mistake.
    pub(super) fn error(&mut self, kind: Kind, at: Place, text: impl Into<String>) -> &mut Draft {
        self.add(Severity::Error, kind, at, text.into())
    }

    /// Adds a warning.
    pub(super) fn warn(&mut self, kind: Kind, at: Place, text: impl Into<String>) -> &mut Draft {
        self.add(Severity::Warning, kind, at, text.into())
    }

    /// Hides a stretch of source text (a password) from every message.
    pub(super) fn mask(&mut self, place: Place) {
        self.masked.push(place);
    }

    /// A whole file could not be read: what is missing may stand in it.
    pub(super) const fn unread(&mut self) {
        self.unread = true;
    }

    /// What stands at `place` cannot be read and that was said: whoever stumbles over it later is not heard.
    pub(super) fn settle(&mut self, place: Place) {
        self.settled.entry(place).or_insert(self.drafts.len());
    }

    /// Was there a mistake so far?
    pub(super) fn has_errors(&self) -> bool {
        self.drafts.iter().any(|d| d.severity == Severity::Error)
    }

    /// Resolves all places; reading order.
    pub(super) fn finish(mut self, sources: &Sources) -> Vec<Finding> {
        if self.unread || self.drafts.iter().any(|d| d.kind == Kind::Syntax) {
            self.drafts.retain(|d| !d.kind.is_absence());
        }
        let mut position = 0;
        self.drafts.retain(|draft| {
            position += 1;
            let place = draft.places.first().map(|(place, _)| place);
            let settled = place.and_then(|place| self.settled.get(place));
            settled.is_none_or(|settled| position <= *settled)
        });
        self.drafts
            .sort_by_key(|draft| draft.places.first().map(|(place, _)| *place));
        // Two layers may stumble over the same thing; a person hears it once.
        let mut said = BTreeSet::new();
        self.drafts.retain(|draft| {
            let place = draft.places.first().map(|(place, _)| *place);
            said.insert((place, draft.text.clone()))
        });
        let locator = Locator::new(sources, &self.masked);
        let resolve = |draft: Draft| Finding {
            severity: draft.severity,
            kind: draft.kind,
            text: printable(&draft.text),
            hint: draft.hint.as_deref().map(printable),
            locations: draft
                .places
                .into_iter()
                .map(|(place, note)| locator.locate(place, note))
                .collect(),
        };
        self.drafts.into_iter().map(resolve).collect()
    }

    fn add(&mut self, severity: Severity, kind: Kind, at: Place, text: String) -> &mut Draft {
        self.drafts.push(Draft {
            severity,
            kind,
            text,
            hint: None,
            places: vec![(at, None)],
        });
        let last = self.drafts.len() - 1;
        &mut self.drafts[last]
    }
}

/// What was written may stand in a message; it must not be able to steer the reader's terminal.
fn printable(text: &str) -> String {
    let chars = text.chars();
    chars
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

/// "did you mean": the nearest of `known`, if it is near enough to be a slip of the finger.
pub(crate) fn nearest<'a>(
    written: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    known
        .into_iter()
        .map(|word| (strsim::damerau_levenshtein(written, word), word))
        .filter(|(distance, word)| {
            let length = word.chars().count();
            *distance <= 1 + length.min(12) / 4 && *distance * 2 <= length
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_offered_only_when_it_is_near() {
        let keys = ["high", "high_high", "low", "register", "deadband"];
        assert_eq!(nearest("hihg", keys), Some("high"));
        assert_eq!(nearest("adress", ["address"]), Some("address"));
        assert_eq!(nearest("deadbnad", keys), Some("deadband"));
        assert_eq!(nearest("colour", keys), None);
        assert_eq!(nearest("e", ["d"]), None);
    }
}
