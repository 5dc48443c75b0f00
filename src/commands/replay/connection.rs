//! Lines about a device or a broker: `{"t": 20, "device": "gd-01", "lost": true}`. What `run` finds out by
//! asking, an input line says.

use super::input::Step;
use crate::engine::reading::{Health, PointIndex, Sample};

/// What a line of readings names, by its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named<'a> {
    /// A measured point.
    Point(&'a str),
    /// A device.
    Device(&'a str),
    /// A broker to read from.
    Broker(&'a str),
}

/// It is lost, or there again: 1 or 0 on its own `point`. `valued`: the line has a value as well.
///
/// # Errors
/// What is wrong with the line.
pub(super) fn step(point: PointIndex, lost: Option<bool>, valued: bool) -> Result<Step, String> {
    let lost = lost.ok_or("a device or broker is `lost`: true or false")?;
    if valued {
        return Err("a device or broker has `lost`, and no value".to_owned());
    }
    Ok(Step::Reading {
        point,
        measured: Sample::measured(if lost { 1.0 } else { 0.0 }).into(),
        source_time: None,
        sequence: None,
        retained: false,
        health: Health::Good,
    })
}

#[cfg(test)]
mod tests {
    use super::super::input::parse;
    use super::*;

    fn said(text: &str) -> Result<Step, String> {
        let find = |named: Named<'_>| match named {
            Named::Point("A") => Ok(PointIndex(0)),
            Named::Device("d") => Ok(PointIndex(1)),
            Named::Broker("b") => Ok(PointIndex(2)),
            Named::Point(_) | Named::Device(_) | Named::Broker(_) => {
                Err(format!("{named:?} is unknown"))
            }
        };
        parse(text, find).map(|line| line.step)
    }

    #[test]
    fn a_device_or_broker_that_is_lost_reads_one_and_else_zero() {
        for (line, point, value) in [
            (r#"{"t": 1, "device": "d", "lost": true}"#, 1, 1.0),
            (r#"{"t": 1, "broker": "b", "lost": false}"#, 2, 0.0),
        ] {
            let expected = Step::Reading {
                point: PointIndex(point),
                measured: Sample::measured(value).into(),
                source_time: None,
                sequence: None,
                retained: false,
                health: Health::Good,
            };
            assert_eq!(said(line), Ok(expected), "{line}");
        }
    }

    #[test]
    fn wrong_lines_say_what_is_wrong() {
        for (line, part) in [
            (r#"{"t": 1, "device": "d"}"#, "is `lost`: true or false"),
            (
                r#"{"t": 1, "broker": "b", "lost": true, "value": 1}"#,
                "no value",
            ),
            (
                r#"{"t": 1, "device": "d", "lost": true, "quality": "bad"}"#,
                "no value",
            ),
            (
                r#"{"t": 1, "point": "A", "value": 1, "lost": true}"#,
                "`lost` is said of",
            ),
            (
                r#"{"t": 1, "device": "d", "broker": "b", "lost": true}"#,
                "exactly one of",
            ),
            (r#"{"t": 1, "device": "e", "lost": true}"#, "is unknown"),
        ] {
            let error = said(line).expect_err(line);
            assert!(error.contains(part), "{line}: {error}");
        }
    }
}
