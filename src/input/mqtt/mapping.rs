//! Topic and payload to readings. Pure: what cannot be a value is refused with a reason, never
//! guessed, and never becomes a zero.
//!
//! A payload is a bare JSON number, or JSON with a pointer (RFC 6901) to the value and perhaps one
//! to the source's time. Numbers are strict: `1,5`, `NaN`, `"12"` and `null` are refused, and so are
//! `true` and `false` but for a point that has two positions. What is asked for may stand there only once: of two equal keys nobody knows which is meant.
//! What is not asked for is skipped without being stored, so a deep or wide document costs its
//! bytes and no more.
//!
//! A live payload in which there is no value says that the sensor has none: its points turn bad at
//! once and do not go on with their old value. A retained one says nothing about now, and one whose
//! time alone is wrong nothing about the sensor: they are refused only.
//!
//! What a number means is the point's signal, which the engine knows. Deliberately absent: text to number conversion and decimal commas (the sender is configured
//! wrongly, and a guess would hide it), and judging whether a time is plausible, which needs the
//! gateway's clock and is the engine's.

use serde_json::error::Category;

use super::{TimeFormat, TopicMapping};
use crate::engine::reading::{Fault, Measured, Reading, Sample};
use crate::engine::time::{Moment, Wall};
use crate::evaluation::Batch;

mod pointer;

use pointer::{Found, Number, Pointer};

/// Longest payload that is looked at, bytes.
pub const MAX_PAYLOAD: usize = 256 * 1024;

/// Why a message became no reading. The names are label values and stay what they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Rejection {
    /// Longer than [`MAX_PAYLOAD`].
    #[error("the payload is over {MAX_PAYLOAD} bytes")]
    TooLarge,
    /// No point reads this topic: the broker still holds a subscription of an older configuration.
    #[error("no point reads this topic")]
    UnknownTopic,
    /// Nothing in it. As a retained message that deletes the last one.
    #[error("the payload is empty")]
    Empty,
    /// Not text.
    #[error("the payload is not UTF-8")]
    NotUtf8,
    /// Text, but not one JSON document.
    #[error("the payload is not JSON")]
    NotJson,
    /// No JSON number where the value should be, or none that a double can hold.
    #[error("the value is not a JSON number")]
    NotANumber,
    /// The pointer leads nowhere.
    #[error("there is nothing at the pointer `value`")]
    NoValueAtPointer,
    /// A key on the way to the value or the time stands there twice.
    #[error("a key on the way to the value or the time stands there twice")]
    DuplicateKey,
    /// The pointer to the time leads nowhere.
    #[error("there is nothing at the pointer `time`")]
    NoTimeAtPointer,
    /// No time in the configured format.
    #[error("the time is not in the configured format")]
    BadTime,
    /// A time outside the years 1677 to 2262.
    #[error("the time is outside the years 1677 to 2262")]
    TimeOutOfRange,
}

impl Rejection {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::TooLarge,
        Self::UnknownTopic,
        Self::Empty,
        Self::NotUtf8,
        Self::NotJson,
        Self::NotANumber,
        Self::NoValueAtPointer,
        Self::DuplicateKey,
        Self::NoTimeAtPointer,
        Self::BadTime,
        Self::TimeOutOfRange,
    ];

    /// Does a live message refused for this say that the sensor has no value? Not when only its time
    /// is wrong, or when it holds two of something.
    const fn means_no_value(self) -> bool {
        match self {
            Self::TooLarge
            | Self::Empty
            | Self::NotUtf8
            | Self::NotJson
            | Self::NotANumber
            | Self::NoValueAtPointer => true,
            Self::UnknownTopic
            | Self::DuplicateKey
            | Self::NoTimeAtPointer
            | Self::BadTime
            | Self::TimeOutOfRange => false,
        }
    }

    /// The reason as it stands in metrics and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::UnknownTopic => "unknown_topic",
            Self::Empty => "empty",
            Self::NotUtf8 => "not_utf8",
            Self::NotJson => "not_json",
            Self::NotANumber => "not_a_number",
            Self::NoValueAtPointer => "no_value_at_pointer",
            Self::DuplicateKey => "duplicate_key",
            Self::NoTimeAtPointer => "no_time_at_pointer",
            Self::BadTime => "bad_time",
            Self::TimeOutOfRange => "time_out_of_range",
        }
    }
}

/// The mappings of one broker, ready for look-up by topic.
#[derive(Debug)]
pub struct Mapper {
    /// Sorted by topic; several points may read one topic.
    sources: Vec<Source>,
}

impl Mapper {
    /// Prepares `mappings`.
    pub fn new(mappings: Vec<TopicMapping>) -> Self {
        let mut sources: Vec<Source> = mappings.into_iter().map(Source::new).collect();
        sources.sort_by(|a, b| a.mapping.topic.cmp(&b.mapping.topic));
        Self { sources }
    }

    /// Every topic once.
    pub fn topics(&self) -> impl Iterator<Item = &str> {
        let runs = self
            .sources
            .chunk_by(|a, b| a.mapping.topic == b.mapping.topic);
        runs.filter_map(|run| run.first().map(|source| &*source.mapping.topic))
    }

    /// Reads one message that reached the gateway at `received`: the readings of all points that
    /// read this topic, and why some or all of them got no value. A refused point has a bad reading
    /// when the message says that there is no value, else none.
    pub fn read(
        &self,
        topic: &str,
        payload: &[u8],
        retained: bool,
        received: Moment,
    ) -> (Option<Batch>, Vec<Rejection>) {
        let sources = self.sources(topic);
        if sources.is_empty() {
            return (None, vec![Rejection::UnknownTopic]);
        }
        let (mut batch, mut refused) = (None, Vec::new());
        for source in sources {
            match source.read(payload, retained, received) {
                Ok(reading) => batch = Some(with(batch, reading)),
                Err(rejection) => {
                    refused.push(rejection);
                    if !retained && rejection.means_no_value() {
                        let bad = Sample::Bad(Fault::SensorFailure);
                        batch = Some(with(
                            batch,
                            Reading::live(source.mapping.point, bad, received),
                        ));
                    }
                }
            }
        }
        (batch, refused)
    }

    /// What reads `topic`; empty when nothing does.
    fn sources(&self, topic: &str) -> &[Source] {
        let is_before = |source: &Source| source.mapping.topic.as_str() < topic;
        let from = self.sources.partition_point(is_before);
        let rest = self.sources.get(from..).unwrap_or_default();
        let same = rest
            .iter()
            .take_while(|source| source.mapping.topic == topic);
        rest.get(..same.count()).unwrap_or_default()
    }
}

/// The everyday case, one point per topic, allocates nothing.
fn with(batch: Option<Batch>, reading: Reading) -> Batch {
    match batch {
        None => Batch::One(reading),
        Some(Batch::One(first)) => Batch::Many(vec![first, reading]),
        Some(Batch::Many(mut many)) => {
            many.push(reading);
            Batch::Many(many)
        }
    }
}

/// One point's share of a topic.
#[derive(Debug)]
struct Source {
    mapping: TopicMapping,
    value: Option<Pointer>,
    time: Option<Pointer>,
}

impl Source {
    fn new(mapping: TopicMapping) -> Self {
        Self {
            value: mapping.value.as_deref().map(Pointer::new),
            time: mapping.time.as_deref().map(Pointer::new),
            mapping,
        }
    }

    fn read(&self, payload: &[u8], retained: bool, received: Moment) -> Result<Reading, Rejection> {
        if payload.len() > MAX_PAYLOAD {
            return Err(Rejection::TooLarge);
        }
        if payload.trim_ascii().is_empty() {
            return Err(Rejection::Empty);
        }
        let text = std::str::from_utf8(payload).map_err(|_| Rejection::NotUtf8)?;
        let raw = match &self.value {
            Some(pointer) => self.value_at(pointer, text)?,
            None => self.bare(text)?,
        };
        let source_time = match &self.time {
            Some(pointer) => Some(time_at(pointer, self.mapping.time_format, text)?),
            None => None,
        };
        Ok(Reading {
            source_time,
            retained,
            ..Reading::live(self.mapping.point, Measured::Raw(raw), received)
        })
    }

    /// A payload that is nothing but the value.
    fn bare(&self, text: &str) -> Result<f64, Rejection> {
        match text.trim_ascii() {
            "true" if self.mapping.digital => Ok(1.0),
            "false" if self.mapping.digital => Ok(0.0),
            text => bare_number(text),
        }
    }

    fn value_at(&self, pointer: &Pointer, text: &str) -> Result<f64, Rejection> {
        match pointer.find(text).map_err(|error| refused(&error))? {
            Found::Number(number) => Ok(number.as_f64()),
            Found::Flag(set) if self.mapping.digital => Ok(f64::from(u8::from(set))),
            Found::Missing => Err(Rejection::NoValueAtPointer),
            Found::Duplicate => Err(Rejection::DuplicateKey),
            Found::Text(_) | Found::Flag(_) | Found::Other => Err(Rejection::NotANumber),
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

fn time_at(pointer: &Pointer, format: TimeFormat, text: &str) -> Result<Wall, Rejection> {
    let nanos = match pointer.find(text).map_err(|error| refused(&error))? {
        Found::Missing => return Err(Rejection::NoTimeAtPointer),
        Found::Duplicate => return Err(Rejection::DuplicateKey),
        Found::Flag(_) | Found::Other => return Err(Rejection::BadTime),
        Found::Text(text) => match format {
            TimeFormat::Auto | TimeFormat::Rfc3339 => {
                let time: jiff::Timestamp = text.parse().map_err(|_| Rejection::BadTime)?;
                i64::try_from(time.as_nanosecond()).ok()
            }
            TimeFormat::Seconds | TimeFormat::Milliseconds => return Err(Rejection::BadTime),
        },
        Found::Number(number) => match format {
            TimeFormat::Seconds => number.times(1_000_000_000),
            TimeFormat::Milliseconds => number.times(1_000_000),
            // 1e11 s is the year 5138, 1e11 ms is 1973.
            TimeFormat::Auto if number.as_f64().abs() < 1e11 => number.times(1_000_000_000),
            TimeFormat::Auto => number.times(1_000_000),
            TimeFormat::Rfc3339 => return Err(Rejection::BadTime),
        },
    };
    nanos
        .map(Wall::from_unix_nanos)
        .ok_or(Rejection::TimeOutOfRange)
}

/// JSON that is one, but with a number that no double can hold, is told apart from no JSON.
fn refused(error: &serde_json::Error) -> Rejection {
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
    fn times(self, nanos: i64) -> Option<i64> {
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

#[cfg(test)]
mod tests;
