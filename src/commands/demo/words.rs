//! Events in words that a technician understands. Pure.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::engine::drill::drilled;
use crate::engine::snapshot::PointView;
use crate::engine::time::spoken;
use crate::guidance::Guidance;

/// What is known about alarms beyond their events.
#[derive(Debug)]
pub(super) struct Words {
    alarms: BTreeMap<String, Guidance>,
}

impl Words {
    pub(super) fn new(guidance: &[Guidance]) -> Self {
        let alarms = guidance.iter().map(|words| (words.alarm(), words.clone()));
        Self {
            alarms: alarms.collect(),
        }
    }

    /// One event in a line, and for a raise what to do in a second one.
    pub(super) fn event(&self, event: &Value) -> Vec<String> {
        let text = |key: &str| event[key].as_str().unwrap_or_default();
        let time = text("time").get(11..19).unwrap_or_default();
        let what = text("event");
        let alarm = text("alarm");
        let Some(words) = self.alarms.get(drilled(alarm).unwrap_or(alarm)) else {
            let message = text("message");
            return vec![
                format!("{time}  {what:<12} {message}")
                    .trim_end()
                    .to_owned(),
            ];
        };
        let headline = headline(what, alarm, text("priority"));
        let mut lines = vec![format!(
            "{time}  {headline}  {}: {}",
            words.point.name,
            story(event)
        )];
        if what == "raised"
            && let Some(action) = words.action()
        {
            lines.push(format!("          -> {action}"));
        }
        lines
    }
}

/// What happened, to which alarm, how urgent.
fn headline(what: &str, alarm: &str, priority: &str) -> String {
    let kind = alarm.rsplit('/').next().unwrap_or_default();
    match (what, kind) {
        ("raised", "drill") => format!("DRILL {alarm} ({priority})"),
        ("raised", "rise" | "fall" | "forecast") => format!("EARLY WARNING {alarm} ({priority})"),
        ("raised", _) => format!("ALARM {alarm} ({priority})"),
        _ => format!("{what} {alarm}"),
    }
}

/// Value, limit, slope, what comes next, state.
fn story(event: &Value) -> String {
    let text = |key: &str| event[key].as_str();
    let unit = text("unit").unwrap_or_default();
    let mut parts = Vec::new();
    let kind = text("alarm")
        .and_then(|alarm| alarm.rsplit('/').next())
        .unwrap_or_default();
    match (event["value"].as_f64(), text("reason")) {
        // A contact has two positions, and the state below says which.
        (Some(_), _) if kind == "state" => {}
        (Some(value), _) => parts.push(format!("{value:.1} {unit}").trim_end().to_owned()),
        (None, Some(reason)) => parts.push(reason.replace('_', " ")),
        (None, None) => {}
    }
    let rate = matches!(
        text("alarm").and_then(|alarm| alarm.rsplit('/').next()),
        Some("rise" | "fall")
    );
    if let Some(limit) = event["limit"].as_f64() {
        let per = if rate { "/min" } else { "" };
        parts.push(format!("limit {limit} {unit}{per}"));
    }
    if let Some(slope) = event["slope_per_min"].as_f64() {
        parts.push(format!("slope {slope:+.0} {unit}/min"));
    }
    parts.extend(told(event));
    parts.extend(text("message").map(str::to_owned));
    if let Some(seconds) = event["duration_s"].as_f64() {
        parts.push(format!("after {seconds:.0} s"));
    }
    parts.extend(text("by").map(|by| format!("by {by}")));
    parts.extend(text("state").map(|state| format!("now {}", state.replace('_', " "))));
    parts.join(", ")
}

/// Whom a notice went to.
fn told(event: &Value) -> Option<String> {
    let persons = event["to"].as_array()?.iter().filter_map(Value::as_str);
    let persons = persons.collect::<Vec<_>>().join(", ");
    let over = event["output"].as_str().unwrap_or_default();
    Some(match (persons.is_empty(), over.is_empty()) {
        (false, false) => format!("to {persons} over {over}"),
        (false, true) => format!("to {persons}"),
        (true, false) => format!("to output {over}"),
        (true, true) => "to the outputs".to_owned(),
    })
}

/// One point in a few characters.
pub(super) fn point(point: &PointView) -> String {
    let id = &point.id;
    let Some(value) = point.value else {
        return format!(
            "{id} {}",
            point.reason.unwrap_or("no value").replace('_', " ")
        );
    };
    let next = point.forecast.iter().min_by(|a, b| a.1.total_cmp(&b.1));
    let ahead = next.map_or_else(String::new, |(kind, seconds)| {
        format!(
            " ({} in {})",
            kind.name().replace('_', " "),
            spoken(*seconds)
        )
    });
    format!("{id} {value:.1} {}{ahead}", point.unit)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::engine::settings::{AlarmKind, Priority};
    use crate::guidance::{AlarmWords, Measure, PointWords};

    fn words(kind: AlarmKind) -> Words {
        Words::new(&[Guidance {
            kind,
            priority: Priority::Medium,
            limit: Some(10.0),
            deadband: None,
            point: Arc::new(PointWords {
                id: "CH4-101".into(),
                name: "Methane, tank farm north".into(),
                area: None,
                area_name: None,
                unit: "%LEL".into(),
                responsible: [].into(),
                measures: Measure::Other,
            }),
            words: Arc::new(AlarmWords {
                action: Some("Stop hot work".into()),
                ..AlarmWords::default()
            }),
        }])
    }

    #[test]
    fn an_early_warning_says_what_comes_next() {
        let event = json!({
            "time": "2026-05-04T06:12:31.000Z", "event": "raised", "alarm": "CH4-101/rise",
            "state": "unacknowledged", "priority": "medium", "value": 11.84, "limit": 10.0,
            "unit": "%LEL", "slope_per_min": 42.3, "message": "at this slope high is reached in about 18 s",
        });
        assert_eq!(
            words(AlarmKind::Rise).event(&event),
            [
                "06:12:31  EARLY WARNING CH4-101/rise (medium)  Methane, tank farm north: 11.8 %LEL, \
                 limit 10 %LEL/min, slope +42 %LEL/min, at this slope high is reached in about 18 s, \
                 now unacknowledged",
                "          -> Stop hot work",
            ]
        );
    }

    #[test]
    fn a_notice_says_who_was_told() {
        for (to, output, said) in [
            (
                json!(["li-wei", "anna"]),
                "chat",
                "to li-wei, anna over chat",
            ),
            (json!(["li-wei"]), "", "to li-wei"),
            (json!([]), "chat", "to output chat"),
        ] {
            let event = json!({
                "time": "2026-05-04T06:12:31.000Z", "event": "notified", "alarm": "CH4-101/rise",
                "state": "unacknowledged", "to": to, "output": output,
            });
            let lines = words(AlarmKind::Rise).event(&event);
            assert_eq!(
                lines,
                [format!(
                    "06:12:31  notified CH4-101/rise  Methane, tank farm north: {said}, now unacknowledged"
                )]
            );
        }
        // The end of a monitoring gap is a time.
        let gap = json!({ "to": "2026-05-04T06:12:31.000Z" });
        assert_eq!(told(&gap), None);
    }

    #[test]
    fn without_a_value_the_reason_is_said() {
        let event = json!({
            "time": "2026-05-04T06:12:31.000Z", "event": "raised", "alarm": "CH4-101/stale",
            "state": "unacknowledged", "priority": "high", "reason": "no_communication", "unit": "%LEL",
        });
        let lines = words(AlarmKind::Stale).event(&event);
        assert!(
            lines[0].contains("no communication, now unacknowledged"),
            "{lines:?}"
        );
    }
}
