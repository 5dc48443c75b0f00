//! The words of the short notations: what waveforms, points, sensors and faults share.
//!
//! A notation is a line of parts set apart by white space, most of them `key=value`. A mistake names
//! the line, the column, what stands there and what was expected.

use std::fmt;
use std::ops::Range;
use std::time::Duration;

/// What is wrong in a notation, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotationError {
    line: String,
    found: String,
    expected: String,
}

impl NotationError {
    /// `found` stands where `expected` (a phrase) should.
    pub(crate) fn new(found: impl Into<String>, expected: impl Into<String>) -> Self {
        let found = found.into();
        Self {
            line: String::new(),
            found,
            expected: expected.into(),
        }
    }

    /// Sets the line in which the mistake stands, unless a wider one is known already.
    pub(crate) fn within(mut self, line: &str) -> Self {
        line.clone_into(&mut self.line);
        self
    }
}

impl fmt::Display for NotationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let column = self
            .line
            .find(&self.found)
            .map_or(1, |at| self.line[..at].chars().count() + 1);
        write!(
            f,
            "in \"{}\", column {column}: \"{}\" should be {}",
            self.line, self.found, self.expected
        )
    }
}

impl std::error::Error for NotationError {}

/// `key=value` taken apart; a part without `=` has no value.
pub(crate) fn key_value(part: &str) -> (&str, Option<&str>) {
    match part.split_once('=') {
        Some((key, value)) => (key, Some(value)),
        None => (part, None),
    }
}

/// A finite number: `3`, `-0.5`, `+4e2`.
pub(crate) fn number(text: &str) -> Result<f64, NotationError> {
    text.parse::<f64>()
        .ok()
        .filter(|value| value.is_finite())
        .ok_or_else(|| NotationError::new(text, "a number such as 3 or -0.5"))
}

/// A whole number that fits the type asked for, decimal or `0x` hexadecimal.
pub(crate) fn whole<T: TryFrom<i64>>(text: &str, expected: &str) -> Result<T, NotationError> {
    let parsed = match text.strip_prefix("0x") {
        Some(hexadecimal) => i64::from_str_radix(hexadecimal, 16),
        None => text.parse(),
    };
    parsed
        .ok()
        .and_then(|value| T::try_from(value).ok())
        .ok_or_else(|| NotationError::new(text, expected))
}

/// A length of time with its unit: `600ms`, `1.5s`, `2min`, `1h`.
pub(crate) fn duration(text: &str) -> Result<Duration, NotationError> {
    let expected = "a time with its unit, such as 600ms, 1.5s, 2min or 1h";
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let seconds = match &text[digits.len()..] {
        "ms" => 0.001,
        "s" => 1.0,
        "min" => 60.0,
        "h" => 3_600.0,
        _ => return Err(NotationError::new(text, expected)),
    };
    digits
        .parse::<f64>()
        .ok()
        .and_then(|count| Duration::try_from_secs_f64(count * seconds).ok())
        .ok_or_else(|| NotationError::new(text, expected))
}

/// A length of time that is not zero.
pub(crate) fn period(text: &str) -> Result<Duration, NotationError> {
    match duration(text)? {
        Duration::ZERO => Err(NotationError::new(text, "longer than zero")),
        longer => Ok(longer),
    }
}

/// `10s..20s`, from the first up to but not including the second; `10s..` never ends.
pub(crate) fn interval(text: &str) -> Result<Range<Duration>, NotationError> {
    let expected = "an interval such as 10s..20s, its end after its start";
    let (start, end) = text
        .split_once("..")
        .ok_or_else(|| NotationError::new(text, expected))?;
    let start = duration(start)?;
    let end = if end.is_empty() {
        Duration::MAX
    } else {
        duration(end)?
    };
    if start < end {
        Ok(start..end)
    } else {
        Err(NotationError::new(text, expected))
    }
}

/// `WHEN:VALUE` taken apart at its colon.
pub(crate) fn pair<'a>(text: &'a str, expected: &str) -> Result<(&'a str, &'a str), NotationError> {
    text.split_once(':')
        .ok_or_else(|| NotationError::new(text, expected))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_times_with_their_units_only() {
        let cases = [
            ("600ms", Some(600)),
            ("1.5s", Some(1_500)),
            ("2min", Some(120_000)),
            ("1h", Some(3_600_000)),
            ("0s", Some(0)),
            ("5", None),
            ("s", None),
            ("-1s", None),
            ("5d", None),
            ("nans", None),
            ("1e300h", None),
        ];
        for (text, expected) in cases {
            assert_eq!(
                duration(text).ok(),
                expected.map(Duration::from_millis),
                "{text}"
            );
        }
    }

    #[test]
    fn an_interval_goes_forward() {
        assert_eq!(
            interval("4s..16s"),
            Ok(Duration::from_secs(4)..Duration::from_secs(16))
        );
        assert_eq!(interval("4s.."), Ok(Duration::from_secs(4)..Duration::MAX));
        for wrong in ["4s", "16s..4s", "4s..4s", "..4s", "4..16"] {
            assert!(interval(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_mistake_is_shown_in_its_line() {
        let error = NotationError::new("3x", "a number").within("base=3x");
        assert_eq!(
            error.to_string(),
            "in \"base=3x\", column 6: \"3x\" should be a number"
        );
    }

    #[test]
    fn whole_numbers_are_checked_against_their_type() {
        assert_eq!(whole::<u16>("0xFFFF", "a register"), Ok(0xFFFF));
        assert!(whole::<u16>("65536", "a register").is_err());
        assert!(whole::<u8>("-1", "a unit").is_err());
    }
}
