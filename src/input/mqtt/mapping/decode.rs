//! One value of a payload: number, quality, unit, time, counter.
//!
//! Numbers are strict: `1,5`, `NaN` and `null` are refused, `"12"` unless it is asked for, and so are
//! `true` and `false` but for a point that has two positions, or as words. What is asked for may stand
//! there only once: of two equal keys nobody knows which is meant.

use serde_json::error::Category;

use super::json::Json;
use super::pointer::{Found, Number, Pointer};
use super::rejection::{Refused, Rejection};
use crate::engine::reading::{Health, Measured, Reading};
use crate::engine::time::{Moment, Wall};
use crate::input::mqtt::{Payload, QualityWords, Target, TimeFormat};

/// Where pointers are followed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Document<'d> {
    /// Over a text: each pointer reads it once, and nothing is stored.
    Text(&'d str),
    /// In memory: the whole, and the part at which pointers begin.
    Part {
        root: &'d Json<'d>,
        here: &'d Json<'d>,
    },
}

impl Document<'_> {
    /// What stands at `pointer`.
    pub(super) fn find(self, pointer: &Pointer) -> Result<Found, Refused> {
        match self {
            Self::Text(text) => pointer.find(text).map_err(|error| not_json(&error).into()),
            Self::Part { root, here } => {
                let from = if pointer.is_from_root() { root } else { here };
                Ok(Found::from(pointer.within(from)?))
            }
        }
    }
}

impl Payload {
    /// The reading of `target` whose value stands at `value`. `None`: the message says nothing of it.
    pub(super) fn read(
        &self,
        value: Option<&Pointer>,
        target: &Target,
        document: Document<'_>,
        retained: bool,
        received: Moment,
    ) -> Result<Option<Reading>, Refused> {
        let found = match (value, document) {
            (Some(pointer), _) => document.find(pointer)?,
            (None, Document::Text(text)) => {
                Found::Number(Number::Float(match bare_number(text.trim_ascii()) {
                    Ok(number) => number,
                    Err(_no_number) => self.bare(text.trim_ascii(), target)?,
                }))
            }
            (None, Document::Part { here, .. }) => Found::from(Some(here)),
        };
        if found == Found::Missing && self.may_be_absent {
            return Ok(None);
        }
        let health = match &self.quality {
            Some(quality) => quality.read(document)?,
            None => Health::Good,
        };
        self.check_unit(target, document)?;
        let number = self.number(found, target)?;
        Ok(Some(Reading {
            source_time: self.time(document)?,
            sequence: self.sequence(document)?,
            retained,
            health,
            ..Reading::live(target.point, Measured::Raw(number), received)
        }))
    }

    /// When the source took the value, if it says so.
    pub(super) fn time(&self, document: Document<'_>) -> Result<Option<Wall>, Refused> {
        let Some(pointer) = &self.time else {
            return Ok(None);
        };
        let time = time(document.find(pointer)?, self.time_format)?;
        Ok(Some(time))
    }

    /// A payload that is nothing but the value, and no number.
    fn bare(&self, text: &str, target: &Target) -> Result<f64, Refused> {
        if let Some(number) = self.word(text) {
            return Ok(number);
        }
        match text {
            "true" if target.digital => Ok(1.0),
            "false" if target.digital => Ok(0.0),
            _ if text.starts_with('"') => match serde_json::from_str::<String>(text) {
                Ok(text) => self.of_text(&text),
                Err(_no_text) => Err(Rejection::NotANumber.into()),
            },
            _ if self.words.is_empty() => Err(Rejection::NotANumber.into()),
            _ => Err(Refused::with(Rejection::UnknownWord, text)),
        }
    }

    /// The number that was found, or that a word or position stands for.
    pub(super) fn number(&self, found: Found, target: &Target) -> Result<f64, Refused> {
        match found {
            Found::Number(number) => Ok(number.as_f64()),
            Found::Flag(set) => match self.word(if set { "true" } else { "false" }) {
                Some(number) => Ok(number),
                None if target.digital => Ok(f64::from(u8::from(set))),
                None => Err(Rejection::NotANumber.into()),
            },
            Found::Text(text) => self.of_text(&text),
            Found::Missing => Err(Rejection::NoValueAtPointer.into()),
            Found::Duplicate => Err(Rejection::DuplicateKey.into()),
            Found::Other => Err(Rejection::NotANumber.into()),
        }
    }

    fn of_text(&self, text: &str) -> Result<f64, Refused> {
        if let Some(number) = self.word(text) {
            return Ok(number);
        }
        if self.text_numbers
            && let Ok(number) = bare_number(text)
        {
            return Ok(number);
        }
        if self.words.is_empty() {
            return Err(Rejection::NotANumber.into());
        }
        Err(Refused::with(Rejection::UnknownWord, text))
    }

    fn word(&self, text: &str) -> Option<f64> {
        let known = self.words.iter().find(|(word, _)| word == text);
        known.map(|(_, number)| *number)
    }

    fn check_unit(&self, target: &Target, document: Document<'_>) -> Result<(), Refused> {
        let Some(pointer) = &self.unit else {
            return Ok(());
        };
        match document.find(pointer)? {
            Found::Text(unit) => self.compare_unit(&unit, target),
            Found::Duplicate => Err(Rejection::DuplicateKey.into()),
            Found::Missing | Found::Number(_) | Found::Flag(_) | Found::Other => {
                Err(Rejection::WrongUnit.into())
            }
        }
    }

    /// Is `unit`, as the source spells it, that of the point?
    pub(super) fn compare_unit(&self, unit: &str, target: &Target) -> Result<(), Refused> {
        let known = self.units.iter().find(|(theirs, _)| theirs == unit);
        let ours = known.map_or(unit, |(_, ours)| ours.as_str());
        if *ours == *target.unit {
            return Ok(());
        }
        Err(Refused::with(Rejection::WrongUnit, unit))
    }

    fn sequence(&self, document: Document<'_>) -> Result<Option<u64>, Refused> {
        let Some(pointer) = &self.sequence else {
            return Ok(None);
        };
        match document.find(pointer)? {
            Found::Number(Number::Integer(number)) => u64::try_from(number)
                .map(Some)
                .map_err(|_negative| Rejection::BadSequence.into()),
            Found::Duplicate => Err(Rejection::DuplicateKey.into()),
            Found::Number(_) | Found::Text(_) | Found::Flag(_) | Found::Other | Found::Missing => {
                Err(Rejection::BadSequence.into())
            }
        }
    }
}

impl QualityWords {
    /// What the source says. Silence about it is not good.
    fn read(&self, document: Document<'_>) -> Result<Health, Refused> {
        let word = match document.find(&self.at)? {
            Found::Text(text) => text,
            Found::Number(Number::Integer(number)) => number.to_string(),
            Found::Number(Number::Float(number)) => number.to_string(),
            Found::Flag(flag) => flag.to_string(),
            Found::Duplicate => return Err(Rejection::DuplicateKey.into()),
            Found::Missing | Found::Other => return Err(Rejection::SourceBad.into()),
        };
        if self.good.contains(&word) {
            Ok(Health::Good)
        } else if self.uncertain.contains(&word) {
            Ok(Health::OutOfSpecification)
        } else {
            Err(Refused::with(Rejection::SourceBad, &word))
        }
    }
}

/// A number and nothing else. It is parsed by the standard library, which rounds correctly, after
/// JSON has said that it is one.
fn bare_number(text: &str) -> Result<f64, Rejection> {
    serde_json::from_str::<f64>(text).map_err(|_| Rejection::NotANumber)?;
    let number: f64 = text.parse().map_err(|_| Rejection::NotANumber)?;
    number
        .is_finite()
        .then_some(number)
        .ok_or(Rejection::NotANumber)
}

fn time(found: Found, format: TimeFormat) -> Result<Wall, Rejection> {
    let nanos = match found {
        Found::Missing => return Err(Rejection::NoTimeAtPointer),
        Found::Duplicate => return Err(Rejection::DuplicateKey),
        Found::Flag(_) | Found::Other => return Err(Rejection::BadTime),
        Found::Text(text) => match format {
            TimeFormat::Auto | TimeFormat::Rfc3339 => {
                let time: jiff::Timestamp = text.parse().map_err(|_| Rejection::BadTime)?;
                i64::try_from(time.as_nanosecond()).ok()
            }
            TimeFormat::Seconds
            | TimeFormat::Milliseconds
            | TimeFormat::Microseconds
            | TimeFormat::Nanoseconds => return Err(Rejection::BadTime),
        },
        Found::Number(number) => number.times(match format {
            TimeFormat::Seconds => SECOND,
            TimeFormat::Milliseconds => SECOND / 1_000,
            TimeFormat::Microseconds => SECOND / 1_000_000,
            TimeFormat::Nanoseconds => 1,
            TimeFormat::Auto => unit_of(number),
            TimeFormat::Rfc3339 => return Err(Rejection::BadTime),
        }),
    };
    nanos
        .map(Wall::from_unix_nanos)
        .ok_or(Rejection::TimeOutOfRange)
}

/// Nanoseconds in a second.
const SECOND: i64 = 1_000_000_000;

/// Nanoseconds that one step of a time of unknown format must have. 1e11 s is the year 5138, 1e11 ms
/// is 1973, and so on a thousandfold.
fn unit_of(number: Number) -> i64 {
    match number.as_f64().abs() {
        size if size < 1e11 => SECOND,
        size if size < 1e14 => SECOND / 1_000,
        size if size < 1e17 => SECOND / 1_000_000,
        _ => 1,
    }
}

/// JSON that is one, but with a number that no double can hold, is told apart from no JSON.
pub(super) fn not_json(error: &serde_json::Error) -> Rejection {
    match error.classify() {
        Category::Syntax if error.to_string().starts_with("number out of range") => {
            Rejection::NotANumber
        }
        Category::Syntax | Category::Eof | Category::Data | Category::Io => Rejection::NotJson,
    }
}

impl Number {
    /// This many units of `nanos` nanoseconds each, when that fits. Fractions are kept to the
    /// microsecond, which is what a double near today's date can tell apart.
    pub(super) fn times(self, nanos: i64) -> Option<i64> {
        match self {
            Self::Integer(units) => units.checked_mul(nanos),
            Self::Float(units) => {
                let size = std::time::Duration::from_nanos(nanos.unsigned_abs()).as_secs_f64();
                let seconds = units * size;
                let magnitude = std::time::Duration::try_from_secs_f64(seconds.abs()).ok()?;
                let micros = (magnitude.as_nanos() + 500) / 1000;
                let magnitude = i64::try_from(micros).ok()?.checked_mul(1000)?;
                Some(if seconds < 0.0 { -magnitude } else { magnitude })
            }
        }
    }
}
