//! An event in a line, for people who read along.

use serde_json::Value;

/// `2026-05-04 06:12:31  raised  PT-330/high #4  unacknowledged, 8.04 bar (limit 8) ...`
pub(super) fn line(event: &Value) -> String {
    let text = |key: &str| event[key].as_str().unwrap_or_default();
    let time = text("time").get(..19).unwrap_or_default().replace('T', " ");
    let mut head = format!("{time}  {:<16}", text("event").replace('_', " "));
    if !text("alarm").is_empty() {
        head.push_str(text("alarm"));
        if let Some(occurrence) = event["occurrence"].as_u64() {
            head.push_str(&format!(" #{occurrence}"));
        }
        head.push_str("  ");
    }
    let parts = [
        text("state").replace('_', " "),
        value(event),
        said("by ", text("by")),
        said("via ", &text("via").replace('_', " ")),
        told(event),
        said("", &text("reason").replace('_', " ")),
        said("\"", &quoted(text("comment"))),
        text("message").to_owned(),
        marks(event),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    format!("{head}{}", parts.join(", ")).trim_end().to_owned()
}

fn said(before: &str, words: &str) -> String {
    match words {
        "" => String::new(),
        words => format!("{before}{words}"),
    }
}

fn quoted(words: &str) -> String {
    match words {
        "" => String::new(),
        // A comment may have several lines; here it has one.
        words => format!("{}\"", words.replace('\n', " ")),
    }
}

fn value(event: &Value) -> String {
    let unit = event["unit"].as_str().unwrap_or_default();
    let Some(value) = event["value"].as_f64() else {
        return String::new();
    };
    let limit = event["limit"].as_f64();
    let limit = limit
        .map(|limit| format!(" (limit {limit})"))
        .unwrap_or_default();
    format!("{} {unit}", value).trim_end().to_owned() + &limit
}

/// Of a notice, who was told.
fn told(event: &Value) -> String {
    let persons = event["to"].as_array().into_iter().flatten();
    let mut names: Vec<&str> = persons.filter_map(Value::as_str).collect();
    names.extend(event["output"].as_str());
    match (names.is_empty(), event["notice"].as_str()) {
        (false, Some(notice)) => format!("{notice} to {}", names.join(", ")),
        (false, None) => format!("to {}", names.join(", ")),
        (true, _) => String::new(),
    }
}

fn marks(event: &Value) -> String {
    let marks = [
        ("test", "DRILL"),
        ("late", "late"),
        ("first_out", "came first"),
        ("chattering", "chattering"),
    ];
    let set = marks
        .iter()
        .filter(|(key, _)| event[key] == Value::Bool(true));
    let mut words: Vec<&str> = set.map(|(_, word)| *word).collect();
    if event["durable"] == Value::Bool(false) {
        words.push("not on disk");
    }
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_says_in_a_line_what_happened_to_whom() {
        for (event, expected) in [
            (
                json!({"time": "2026-05-04T06:12:31.000Z", "event": "raised", "alarm": "PT-330/high", "occurrence": 4,
                    "state": "unacknowledged", "value": 8.04, "limit": 8.0, "unit": "bar", "first_out": true}),
                "2026-05-04 06:12:31  raised          PT-330/high #4  unacknowledged, 8.04 bar (limit 8), came first",
            ),
            (
                json!({"time": "2026-05-04T06:12:32.000Z", "event": "notified", "alarm": "PT-330/high", "occurrence": 4,
                    "state": "unacknowledged", "notice": "page", "to": ["li", "wang"], "output": "chat"}),
                "2026-05-04 06:12:32  notified        PT-330/high #4  unacknowledged, page to li, wang, chat",
            ),
            (
                json!({"time": "2026-05-04T06:12:33.000Z", "event": "acknowledged", "alarm": "A/low_low", "occurrence": 1,
                    "state": "acknowledged", "by": "li", "via": "shared_link", "comment": "going\nthere", "durable": false}),
                "2026-05-04 06:12:33  acknowledged    A/low_low #1  acknowledged, by li, via shared link, \"going there\", not on disk",
            ),
            (
                json!({"time": "2026-05-04T06:12:34.000Z", "event": "started", "message": "after a power cut"}),
                "2026-05-04 06:12:34  started         after a power cut",
            ),
        ] {
            assert_eq!(line(&event), expected);
        }
    }
}
