//! What a person needs to see next to a difference: the input around that time, and what the gateway
//! made of it.

use std::fmt::Write;

use serde_json::{Map, Value};

use super::comparison::Happened;

/// Lines shown before the time and after it.
const LINES: usize = 3;

/// The input and the trace of one run.
pub(super) struct Around<'a> {
    given: Vec<(f64, Map<String, Value>)>,
    traced: &'a [Happened],
}

impl<'a> Around<'a> {
    /// `lines` went in; `traced` came out, trace lines and events mixed.
    pub(super) fn new(lines: &[(f64, String)], traced: &'a [Happened]) -> Self {
        let given = lines.iter().filter_map(|(t, line)| {
            let line = serde_json::from_str(line).ok()?;
            Some((*t, line))
        });
        Self {
            given: given.collect(),
            traced,
        }
    }

    /// What was given and seen around `t`, of `point` or of all; nothing without a time to look at.
    pub(super) fn tell(&self, t: Option<f64>, point: Option<&str>) -> String {
        let Some(t) = t else {
            return String::new();
        };
        let mut text = String::new();
        let given = self.given.iter().map(|(at, line)| (*at, line));
        let given = given.filter(|(_, line)| point.is_none_or(|point| concerns(line, point)));
        section(&mut text, "given", t, given, input);
        let seen = self.traced.iter().filter_map(|line| {
            let of = line.get("trace")?.as_str()?;
            let at = line.get("t")?.as_f64()?;
            point.is_none_or(|point| of == point).then_some((at, line))
        });
        section(&mut text, "seen", t, seen, trace);
        text
    }
}

fn section<'m>(
    text: &mut String,
    title: &str,
    t: f64,
    lines: impl Iterator<Item = (f64, &'m Map<String, Value>)>,
    tell: fn(&Map<String, Value>) -> String,
) {
    let lines: Vec<_> = lines.collect();
    let next = lines.partition_point(|(at, _)| *at <= t);
    let shown = next.saturating_sub(LINES)..lines.len().min(next + LINES);
    for (at, line) in &lines[shown] {
        let words = tell(line);
        let _infallible = write!(text, "\n  {title:<5}  t = {at:<8} {words}").is_err();
    }
}

/// Is the input line about `point`, or about the gateway as a whole?
fn concerns(line: &Map<String, Value>, point: &str) -> bool {
    let own = line.get("point").or_else(|| line.get("alarm"));
    let own = own.and_then(Value::as_str);
    own.is_none_or(|own| own == point || own.rsplit_once('/').is_some_and(|(of, _)| of == point))
}

/// `CH4-101 = 12.5`; what is no plain reading, as it was written.
fn input(line: &Map<String, Value>) -> String {
    match (
        line.get("point").and_then(Value::as_str),
        line.get("value"),
        line.len(),
    ) {
        (Some(point), Some(value), 3) => format!("{point} = {value}"),
        _ => Value::Object(line.clone()).to_string(),
    }
}

/// `CH4-101 = 12.5, good, slope_per_min 4`.
fn trace(line: &Map<String, Value>) -> String {
    let point = line
        .get("trace")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let value = line
        .get("value")
        .map_or_else(|| "no value".to_owned(), |value| format!("= {value}"));
    let quality = line
        .get("quality")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let more = line
        .iter()
        .filter(|(key, _)| !["t", "trace", "value", "quality"].contains(&key.as_str()));
    more.fold(
        format!("{point} {value}, {quality}"),
        |mut text, (key, value)| {
            let _infallible = write!(text, ", {key} {value}").is_err();
            text
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn input_and_trace_of_the_point_stand_around_the_time() {
        let lines: Vec<(f64, String)> = (0..10_u8)
            .flat_map(|t| {
                let t = f64::from(t);
                [
                    (t, format!(r#"{{"point":"P","t":{t},"value":5.5}}"#)),
                    (t, format!(r#"{{"point":"Q","t":{t},"quality":"bad"}}"#)),
                ]
            })
            .collect();
        let traced: Vec<Happened> = [
            r#"{"event":"raised","t":3.0,"point":"P"}"#,
            r#"{"t":3.0,"trace":"P","quality":"good","value":5.5,"slope_per_min":2.0}"#,
            r#"{"t":3.0,"trace":"Q","quality":"bad"}"#,
        ]
        .iter()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
        let around = Around::new(&lines, &traced);
        let told = around.tell(Some(3.0), Some("P"));
        assert_eq!(told.matches("given").count(), 6, "{told}");
        assert!(told.contains("t = 3        P = 5.5\n"), "{told}");
        assert!(
            told.ends_with("seen   t = 3        P = 5.5, good, slope_per_min 2.0"),
            "{told}"
        );
        let told = around.tell(Some(3.0), Some("Q"));
        assert!(
            told.contains(r#"{"point":"Q","quality":"bad","t":3}"#),
            "{told}"
        );
        assert!(told.ends_with("Q no value, bad"), "{told}");
        assert_eq!(around.tell(None, Some("P")), "");
    }
}
