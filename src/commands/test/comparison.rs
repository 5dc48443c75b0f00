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

use super::scenario::Scenario;
use crate::config::{self, Config};
use crate::engine::drill::drilled;
use crate::engine::effect::EventKind;
use crate::engine::settings::AlarmSettings;
use crate::event;

/// An event line, as an object.
pub(super) type Happened = Map<String, Value>;

/// How far a time may be off when the pattern does not say, seconds. Events carry milliseconds.
const WITHIN: f64 = 0.001;

/// Events that need not be expected.
const FREE: [&str; 2] = ["started", "monitoring_gap"];

/// Events that tell of other events: free in a scenario that names none of them.
const TELLING: [EventKind; 2] = [EventKind::Notified, EventKind::AllClear];

/// Keys of a pattern that are no fields of an event.
const OWN: [&str; 3] = ["t", "within", "absent"];

/// What an event must look like.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    /// File, line and column.
    pub(super) place: String,
    t: Option<f64>,
    within: f64,
    absent: Vec<String>,
    fields: Map<String, Value>,
}

/// Something that is not as expected.
#[derive(Debug)]
pub(super) struct Difference {
    /// What, in words.
    pub(super) words: String,
    /// When to look, seconds.
    pub(super) t: Option<f64>,
    /// Where to look; everywhere when it is about no point.
    pub(super) point: Option<String>,
}

impl Pattern {
    /// A pattern of the scenario, written at `place`.
    pub(super) fn new(entry: Value, place: String) -> Result<Self, String> {
        let Value::Object(mut fields) = entry else {
            return Err(format!("not a table: {entry}"));
        };
        let known = || event::fields().iter().copied().chain(OWN);
        for key in fields.keys() {
            if !known().any(|field| field == key) {
                let hint = config::nearest(key, known())
                    .map_or_else(String::new, |field| format!("; did you mean `{field}`?"));
                return Err(format!("no event has a field `{key}`{hint}"));
            }
        }
        let mut number = |key: &str| match fields.remove(key) {
            None => Ok(None),
            Some(value) => value
                .as_f64()
                .map(Some)
                .ok_or_else(|| format!("`{key}` is a number of seconds, not {value}")),
        };
        let (t, within) = (number("t")?, number("within")?);
        let absent = match fields.remove("absent") {
            None => Vec::new(),
            Some(list) => serde_json::from_value(list)
                .map_err(|error| format!("`absent` is a list of fields: {error}"))?,
        };
        Ok(Self {
            place,
            t,
            within: within.unwrap_or(WITHIN),
            absent,
            fields,
        })
    }

    /// Does everything that it names exist in `config`?
    pub(super) fn could_fit(&self, config: &Config) -> Result<(), String> {
        if self.text("event") == Some(EventKind::CommandRejected.name()) {
            // Perhaps because there is no such alarm.
            return Ok(());
        }
        let points = &config.engine.points;
        let alarms = || {
            points.iter().flat_map(|point| {
                let kinds = point.alarms.iter().map(AlarmSettings::kind);
                kinds.map(|kind| format!("{}/{}", point.id, kind.name()))
            })
        };
        if let Some(alarm) = self.alarm()
            && !alarms().any(|known| known == alarm)
        {
            let all: Vec<String> = alarms().collect();
            return Err(unknown("alarm", alarm, all.iter().map(String::as_str)));
        }
        if let Some(point) = self.text("point")
            && !points.iter().any(|known| &*known.id == point)
        {
            return Err(unknown(
                "point",
                point,
                points.iter().map(|known| &*known.id),
            ));
        }
        Ok(())
    }

    /// The alarm that it names, or of which it names the drill.
    fn alarm(&self) -> Option<&str> {
        let name = self.text("alarm")?;
        Some(drilled(name).unwrap_or(name))
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.fields.get(key).and_then(Value::as_str)
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

    /// Is it about telling people?
    fn is_about_telling(&self) -> bool {
        let names = |kind: EventKind| self.fields.get("event") == Some(&kind.name().into());
        self.fields.contains_key("notice") || TELLING.into_iter().any(names)
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
        let of_alarm = self.alarm().and_then(|alarm| alarm.rsplit_once('/'));
        of_alarm.map_or_else(|| self.text("point"), |(point, _)| Some(point))
    }
}

fn unknown<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let hint = config::nearest(name, known)
        .map_or_else(String::new, |near| format!("; did you mean \"{near}\"?"));
    format!("no {what} \"{name}\" is configured{hint}")
}

/// Differences between what `scenario` expects and what happened.
pub(super) fn compare(scenario: &Scenario, happened: &[Happened]) -> Vec<Difference> {
    let mut differences = Vec::new();
    let mut taken = vec![false; happened.len()];
    for pattern in &scenario.expect {
        let free = |(index, event): &(usize, &Happened)| !taken[*index] && pattern.fits(event);
        match happened.iter().enumerate().find(free) {
            Some((index, _)) => taken[index] = true,
            None => differences.push(missing(pattern, happened)),
        }
    }
    for (event, taken) in happened.iter().zip(taken) {
        if let Some(pattern) = scenario.never.iter().find(|never| never.fits(event)) {
            let words = format!("{}: must never come: {}", pattern.place, pattern.told());
            differences.push(came(event, &words));
        } else if !taken && !is_free(scenario, event) {
            differences.push(came(event, "came, but is not expected"));
        }
    }
    differences
}

fn missing(pattern: &Pattern, happened: &[Happened]) -> Difference {
    let mut words = format!(
        "{}: expected, did not come: {}",
        pattern.place,
        pattern.told()
    );
    for event in happened.iter().filter(|event| pattern.resembles(event)) {
        let _infallible = write!(words, "\n  came: {}", line(event)).is_err();
    }
    Difference {
        words,
        t: pattern.t,
        point: pattern.point().map(str::to_owned),
    }
}

fn came(event: &Happened, words: &str) -> Difference {
    Difference {
        words: format!("{words}\n  event: {}", line(event)),
        t: time(event),
        point: point(event).map(str::to_owned),
    }
}

fn is_free(scenario: &Scenario, event: &Happened) -> bool {
    let name = event.get("event").and_then(Value::as_str);
    let telling = TELLING.iter().any(|kind| Some(kind.name()) == name);
    let mut patterns = scenario.expect.iter().chain(&scenario.never);
    name.is_some_and(|name| FREE.contains(&name))
        || telling && !patterns.any(Pattern::is_about_telling)
        || !scenario.watches(point(event))
        || scenario.ignore.iter().any(|free| free.fits(event))
}

fn point(event: &Happened) -> Option<&str> {
    event.get("point").and_then(Value::as_str)
}

fn time(event: &Happened) -> Option<f64> {
    event.get("t").and_then(Value::as_f64)
}

/// An event without what no pattern would name: id and number are the journal's, the time is `t`.
fn line(event: &Happened) -> String {
    let telling = event
        .iter()
        .filter(|(key, _)| !["id", "seq", "time"].contains(&key.as_str()));
    let telling = telling.map(|(key, value)| (key.clone(), value.clone()));
    Value::Object(telling.collect()).to_string()
}

fn same(wanted: &Value, found: &Value) -> bool {
    match (wanted.as_f64(), found.as_f64()) {
        (Some(wanted), Some(found)) => (wanted - found).abs() <= 0.001 * wanted.abs().max(1.0),
        _ => wanted == found,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn scenario(expect: &str) -> Scenario {
        let text = format!("about = ''\nconfig = ''\nreadings = ['P every 1s: 1x20']\n{expect}");
        Scenario::parse(Path::new("a.toml"), &text).expect("a good scenario")
    }

    fn findings(expect: &str) -> Vec<String> {
        let happened: Vec<Happened> = [
            r#"{"event":"started","t":0.0}"#,
            r#"{"event":"raised","t":3.0,"alarm":"P/high","point":"P","value":8.0001}"#,
        ]
        .iter()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
        let differences = compare(&scenario(expect), &happened);
        differences
            .into_iter()
            .map(|difference| difference.words)
            .collect()
    }

    #[test]
    fn what_fits_passes() {
        for expect in [
            "expect = [{ t = 3, event = 'raised', alarm = 'P/high', value = 8 }]",
            "expect = [{ t = 5, within = 2, event = 'raised', absent = ['peak'] }]",
            "expect = []\nignore = [{ alarm = 'P/high' }]",
            "expect = []\npoints = ['Q']",
        ] {
            assert_eq!(findings(expect), Vec::<String>::new(), "{expect}");
        }
    }

    #[test]
    fn what_does_not_fit_is_shown_with_what_came() {
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
    }
}
