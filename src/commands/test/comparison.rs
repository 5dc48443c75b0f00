//! Expected against happened.
//!
//! A pattern fits an event when everything in the pattern stands in the event: words are equal,
//! numbers equal up to a thousandth, lists equal. Three keys are of the pattern alone: `t` (seconds;
//! may differ by `within`, which is 1 ms when left out) and `absent`, a list of fields that the event
//! must not have.
//!
//! Each expected pattern takes the first event that fits and is not taken yet.

use std::fmt::Write;

use serde_json::{Map, Value};

use super::{Scenario, ScenarioError};

/// An event line, as an object.
pub(super) type Happened = Map<String, Value>;

/// How far a time may be off when the pattern does not say, seconds. Events carry milliseconds.
const WITHIN: f64 = 0.001;

/// Events that need not be expected.
const FREE: [&str; 2] = ["started", "monitoring_gap"];

/// Lines of input shown on either side of a difference.
const AROUND: usize = 4;

/// What an event must look like.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    t: Option<f64>,
    within: f64,
    absent: Vec<String>,
    fields: Map<String, Value>,
}

impl Pattern {
    pub(super) fn new(entry: Value) -> Result<Self, ScenarioError> {
        let Value::Object(mut fields) = entry else {
            return Err(ScenarioError::Entry(format!("not a table: {entry}")));
        };
        let mut number = |key: &str| match fields.remove(key) {
            None => Ok(None),
            Some(value) => value.as_f64().map(Some).ok_or_else(|| {
                ScenarioError::Entry(format!("`{key}` is a number of seconds, not {value}"))
            }),
        };
        let (t, within) = (number("t")?, number("within")?);
        let absent = match fields.remove("absent") {
            None => Vec::new(),
            Some(list) => serde_json::from_value(list)?,
        };
        Ok(Self {
            t,
            within: within.unwrap_or(WITHIN),
            absent,
            fields,
        })
    }

    fn fits(&self, event: &Happened) -> bool {
        let in_time = self
            .t
            .is_none_or(|t| time(event).is_some_and(|at| (at - t).abs() <= self.within + 1e-9));
        in_time
            && self.absent.iter().all(|key| !event.contains_key(key))
            && (self.fields.iter())
                .all(|(key, wanted)| event.get(key).is_some_and(|found| same(wanted, found)))
    }

    /// Does it speak of the same thing, though it does not fit?
    fn resembles(&self, event: &Happened) -> bool {
        ["event", "alarm"]
            .iter()
            .all(|key| self.fields.get(*key) == event.get(*key))
    }

    fn told(&self) -> String {
        let mut told = self.t.map_or_else(String::new, |t| format!("t = {t} s "));
        let fields = Value::Object(self.fields.clone());
        let _infallible = write!(told, "{fields}").is_err();
        if !self.absent.is_empty() {
            let _infallible = write!(told, " without {:?}", self.absent).is_err();
        }
        told
    }

    fn point(&self) -> Option<&str> {
        let alarm = self.fields.get("alarm")?.as_str()?;
        alarm.rsplit_once('/').map(|(point, _)| point)
    }
}

/// Differences between what `scenario` expects and what happened, in words.
pub(super) fn compare(scenario: &Scenario, happened: &[Happened]) -> Vec<String> {
    let mut findings = Vec::new();
    let mut taken = vec![false; happened.len()];
    for pattern in &scenario.expect {
        let free = |(index, event): &(usize, &Happened)| !taken[*index] && pattern.fits(event);
        match happened.iter().enumerate().find(free) {
            Some((index, _)) => taken[index] = true,
            None => findings.push(missing(scenario, pattern, happened)),
        }
    }
    for (event, taken) in happened.iter().zip(taken) {
        if let Some(pattern) = scenario.never.iter().find(|never| never.fits(event)) {
            let words = format!("must never come: {}", pattern.told());
            findings.push(came(scenario, event, &words));
        } else if !taken && !is_free(event) && !scenario.ignore.iter().any(|free| free.fits(event))
        {
            findings.push(came(scenario, event, "came, but is not expected"));
        }
    }
    findings
}

fn missing(scenario: &Scenario, pattern: &Pattern, happened: &[Happened]) -> String {
    let mut told = format!("expected, did not come: {}", pattern.told());
    for event in happened.iter().filter(|event| pattern.resembles(event)) {
        let _infallible = write!(told, "\n  came: {}", line(event)).is_err();
    }
    if let Some(t) = pattern.t {
        told.push_str(&around(scenario, t, pattern.point()));
    }
    told
}

fn came(scenario: &Scenario, event: &Happened, words: &str) -> String {
    let point = event.get("point").and_then(Value::as_str);
    let around = around(scenario, time(event).unwrap_or_default(), point);
    format!("{words}\n  event: {}{around}", line(event))
}

/// The input of `point` (or all of it) next to `t`.
fn around(scenario: &Scenario, t: f64, point: Option<&str>) -> String {
    let of_point = |line: &str| point.is_none_or(|point| line.contains(&format!("\"{point}")));
    let lines = scenario.lines.iter().filter(|(_, line)| of_point(line));
    let lines: Vec<_> = lines.collect();
    let next = lines.partition_point(|(at, _)| *at <= t);
    let shown = &lines[next.saturating_sub(AROUND)..lines.len().min(next + AROUND)];
    shown.iter().fold(String::new(), |mut text, (_, line)| {
        text.push_str("\n  input: ");
        text.push_str(line);
        text
    })
}

fn is_free(event: &Happened) -> bool {
    let name = event.get("event").and_then(Value::as_str);
    name.is_some_and(|name| FREE.contains(&name))
}

fn time(event: &Happened) -> Option<f64> {
    event.get("t").and_then(Value::as_f64)
}

fn line(event: &Happened) -> String {
    Value::Object(event.clone()).to_string()
}

fn same(wanted: &Value, found: &Value) -> bool {
    match (wanted.as_f64(), found.as_f64()) {
        (Some(wanted), Some(found)) => (wanted - found).abs() <= 0.001 * wanted.abs().max(1.0),
        _ => wanted == found,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scenario(expect: &str) -> Scenario {
        let text = format!("about = ''\nconfig = ''\nreadings = ['P every 1s: 1x20']\n{expect}");
        Scenario::parse(&text).expect("a good scenario")
    }

    fn findings(expect: &str) -> Vec<String> {
        let happened: Vec<Happened> = [
            r#"{"event":"started","t":0.0}"#,
            r#"{"event":"raised","t":3.0,"alarm":"P/high","point":"P","value":8.0001}"#,
        ]
        .iter()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
        compare(&scenario(expect), &happened)
    }

    #[test]
    fn what_fits_passes() {
        for expect in [
            "expect = [{ t = 3, event = 'raised', alarm = 'P/high', value = 8 }]",
            "expect = [{ t = 5, within = 2, event = 'raised', absent = ['peak'] }]",
            "expect = []\nignore = [{ alarm = 'P/high' }]",
        ] {
            assert_eq!(findings(expect), Vec::<String>::new(), "{expect}");
        }
    }

    #[test]
    fn what_does_not_fit_is_shown_with_what_came_and_the_readings_around() {
        for (expect, count, part) in [
            ("expect = []", 1, "not expected"),
            (
                "expect = [{ t = 4, event = 'raised', alarm = 'P/high' }]",
                2,
                "came: {",
            ),
            (
                "expect = [{ event = 'raised', value = 9 }]",
                2,
                "did not come",
            ),
            (
                "expect = [{ event = 'raised', absent = ['value'] }]",
                2,
                "without",
            ),
            (
                "expect = [{ event = 'raised' }, { event = 'raised' }]",
                1,
                "did not come",
            ),
            (
                "expect = [{ event = 'raised' }]\nnever = [{ alarm = 'P/high' }]",
                1,
                "must never",
            ),
        ] {
            let findings = findings(expect);
            assert_eq!(findings.len(), count, "{expect}: {findings:#?}");
            assert!(findings[0].contains(part), "{expect}: {findings:#?}");
        }
        assert!(findings("expect = []")[0].contains(r#"input: {"point":"P","t":3.0"#));
    }
}
