//! Readings of one point in one line:
//!
//! ```text
//! CH4-101 every 1s: 10x60 10+0.2x30 _x20 bad 12? 3
//! ```
//!
//! The point, optionally `from 5s` (else 0 s), `every` and the step, then a value per step:
//!
//! | written | means |
//! |---|---|
//! | `12.5` | a good reading |
//! | `12.5?` | an uncertain one |
//! | `bad`, `bad:device_failure` | a bad one, with its reason |
//! | `_` | no reading at this step |
//! | `5x10`, `_x10`, `badx10` | ten steps of it |
//! | `5+0.5x10`, `5-0.5x10` | ten steps: 5, 5.5, 6 ... |
//!
//! Unlike in promtool the number behind `x` is the number of values, not one less.

use std::time::Duration;

use serde_json::{Value, json};

use crate::scalar;

/// Steps of one line at most: a day of seconds, ten times over.
const MAX_STEPS: usize = 864_000;

/// What is wrong in a line of readings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` in the readings `{line}`: expected {expected}")]
pub struct NotationError {
    line: String,
    found: String,
    expected: &'static str,
}

/// What one step of a series is.
#[derive(Debug, Clone, Copy)]
enum Step<'a> {
    Nothing,
    Value { first: f64, slope: f64, doubt: bool },
    Bad(&'a str),
}

/// Time in seconds and replay input line of every reading that `line` describes.
///
/// # Errors
/// The word that was not understood, and what was expected.
pub fn lines(line: &str) -> Result<Vec<(f64, String)>, NotationError> {
    let wrong = |found: &str, expected| NotationError {
        line: line.to_owned(),
        found: found.to_owned(),
        expected,
    };
    let (head, values) = line
        .split_once(':')
        .ok_or_else(|| wrong(line, "POINT every STEP: VALUES"))?;
    let words: Vec<_> = head.split_whitespace().collect();
    let (point, from, every) = match words.as_slice() {
        [point, "every", every] => (*point, "0s", *every),
        [point, "from", from, "every", every] => (*point, *from, *every),
        _ => return Err(wrong(head, "POINT [from TIME] every STEP")),
    };
    let span =
        |word| scalar::duration(word).map_err(|_| wrong(word, "a time such as 500ms, 1s or 2min"));
    let (mut t, every) = (span(from)?, span(every)?);
    let mut lines = Vec::new();
    for word in values.split_whitespace() {
        let (step, count) =
            steps(word).ok_or_else(|| wrong(word, "a value, `_`, `bad`, `5x10` or `5+0.5x10`"))?;
        if lines.len() + count > MAX_STEPS {
            return Err(wrong(word, "at most 864000 steps"));
        }
        for nth in 0..count {
            if let Some(reading) = reading(point, step, nth, t) {
                lines.push((t.as_secs_f64(), reading.to_string()));
            }
            t += every;
        }
    }
    Ok(lines)
}

fn reading(point: &str, step: Step<'_>, nth: usize, t: Duration) -> Option<Value> {
    let t = t.as_secs_f64();
    let nth = f64::from(u32::try_from(nth).unwrap_or(u32::MAX));
    match step {
        Step::Nothing => None,
        Step::Value {
            first,
            slope,
            doubt: false,
        } => Some(json!({"t": t, "point": point, "value": slope.mul_add(nth, first)})),
        Step::Value { first, slope, .. } => Some(json!({
            "t": t, "point": point, "value": slope.mul_add(nth, first), "quality": "uncertain",
        })),
        Step::Bad(reason) => {
            Some(json!({"t": t, "point": point, "quality": "bad", "reason": reason}))
        }
    }
}

/// One word: what it stands for, and for how many steps.
fn steps(word: &str) -> Option<(Step<'_>, usize)> {
    let (what, count) = match word.rsplit_once('x') {
        Some((what, count)) => (what, count.parse().ok()?),
        None => (word, 1),
    };
    let step = match what {
        "_" => Step::Nothing,
        "bad" => Step::Bad("sensor_failure"),
        _ => match what.strip_prefix("bad:") {
            Some(reason) => Step::Bad(reason),
            None => value(what)?,
        },
    };
    (count > 0).then_some((step, count))
}

fn value(what: &str) -> Option<Step<'_>> {
    let (number, doubt) = what
        .strip_suffix('?')
        .map_or((what, false), |number| (number, true));
    // A sign behind the first character is that of the slope.
    let sign = number
        .char_indices()
        .skip(1)
        .find(|(_, c)| matches!(c, '+' | '-'));
    let (first, slope) = sign.map_or((number, "0"), |(at, _)| number.split_at(at));
    let parse = |text: &str| text.parse().ok().filter(|number: &f64| number.is_finite());
    Some(Step::Value {
        first: parse(first)?,
        slope: parse(slope)?,
        doubt,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(line: &str) -> Vec<String> {
        let lines = lines(line).expect("a good line");
        lines.into_iter().map(|(_, line)| line).collect()
    }

    #[test]
    fn every_word_of_the_notation() {
        assert_eq!(
            told("P from 2s every 500ms: 5x2 _ 1-0.5x3 7? bad bad:device_failure -3"),
            [
                r#"{"point":"P","t":2.0,"value":5.0}"#,
                r#"{"point":"P","t":2.5,"value":5.0}"#,
                r#"{"point":"P","t":3.5,"value":1.0}"#,
                r#"{"point":"P","t":4.0,"value":0.5}"#,
                r#"{"point":"P","t":4.5,"value":0.0}"#,
                r#"{"point":"P","quality":"uncertain","t":5.0,"value":7.0}"#,
                r#"{"point":"P","quality":"bad","reason":"sensor_failure","t":5.5}"#,
                r#"{"point":"P","quality":"bad","reason":"device_failure","t":6.0}"#,
                r#"{"point":"P","t":6.5,"value":-3.0}"#,
            ]
        );
    }

    #[test]
    fn wrong_words_are_named() {
        for (line, found) in [
            ("P every 1s 5", "P every 1s 5"),
            ("P: 5", "P"),
            ("P every 1: 5", "1"),
            ("P every 0.5s: 5", "0.5s"),
            ("P every 1s: 5 five", "five"),
            ("P every 1s: 5x0", "5x0"),
            ("P every 1s: nan", "nan"),
            ("P every 1s: 5x9999999", "5x9999999"),
        ] {
            assert_eq!(lines(line).expect_err(line).found, found);
        }
    }
}
