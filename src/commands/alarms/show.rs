//! `forewarn alarms show`: one alarm, a field a line, in the order in which people ask.

use std::fmt::Write;

use serde_json::Value;

use super::{measured, text};

/// The answer in lines; what does not apply is left out.
pub(super) fn lines(alarm: &Value) -> String {
    let mut lines = Lines(String::new());
    lines.add("alarm", text(alarm, "alarm"));
    lines.add("name", text(alarm, "name"));
    lines.add("area", area(alarm));
    lines.add("priority", text(alarm, "priority"));
    lines.add("state", text(alarm, "state").replace('_', " "));
    lines.add("overlays", list(alarm, "overlays"));
    lines.add("value", measured(alarm, "value"));
    lines.add("quality", text(alarm, "quality"));
    lines.add("limit", measured(alarm, "limit"));
    lines.add("peak", measured(alarm, "peak"));
    lines.add("occurrence", number(alarm, "occurrence"));
    lines.add("raised", text(alarm, "raised_at"));
    for (key, what) in [
        ("acknowledged", "acknowledged"),
        ("confirmed", "confirmed"),
        ("shelved", "shelved"),
        ("suppressed", "suppressed"),
        ("out_of_service", "out of service"),
    ] {
        lines.add(what, deed(alarm.get(key)));
    }
    lines.add("unconfirmed", list(alarm, "unconfirmed"));
    lines.add("cause", text(alarm, "cause"));
    lines.add("consequence", text(alarm, "consequence"));
    lines.add("action", text(alarm, "action"));
    lines.add("plan", text(alarm, "plan"));
    lines.add("responsible", list(alarm, "responsible"));
    lines.add("told", told(alarm));
    lines.0
}

struct Lines(String);

impl Lines {
    fn add(&mut self, what: &str, words: impl AsRef<str>) {
        let words = words.as_ref();
        if !words.is_empty() {
            writeln!(self.0, "{what:<15} {words}").expect("writing to a String cannot fail");
        }
    }
}

fn area(alarm: &Value) -> String {
    match (text(alarm, "area"), text(alarm, "area_name")) {
        (id, name) if name.is_empty() || name == id => id.to_owned(),
        (id, name) => format!("{name} ({id})"),
    }
}

fn number(of: &Value, key: &str) -> String {
    let number = of.get(key).and_then(Value::as_u64);
    number.map(|number| number.to_string()).unwrap_or_default()
}

fn list(of: &Value, key: &str) -> String {
    let items = of.get(key).and_then(Value::as_array);
    let word = |item: &Value| {
        let text = item.as_str().map(|text| text.replace('_', " "));
        text.unwrap_or_else(|| item.to_string())
    };
    let words: Vec<String> = items.into_iter().flatten().map(word).collect();
    words.join(", ")
}

/// Who did it, when, why and until when.
fn deed(deed: Option<&Value>) -> String {
    let Some(deed) = deed.filter(|deed| deed.is_object()) else {
        return String::new();
    };
    let mut words = Vec::new();
    let by = match text(deed, "by") {
        "" => list(deed, "by"),
        by => by.to_owned(),
    };
    words.push(format!("by {by}"));
    for (key, what) in [
        ("at", ""),
        ("since", "since "),
        ("until", "until "),
        ("reason", "because: "),
        ("permit", "permit "),
        ("approved_by", "approved by "),
        ("also_approved_by", "and by "),
        ("compensating_measure", "instead: "),
    ] {
        match text(deed, key) {
            "" => {}
            text => words.push(format!("{what}{text}")),
        }
    }
    words.join(", ")
}

fn told(alarm: &Value) -> String {
    let notices = alarm.get("notices").unwrap_or(&Value::Null);
    let told = notices.get("told").and_then(Value::as_array);
    let line = |told: &Value| {
        let (persons, output) = (list(told, "persons"), text(told, "output"));
        match (persons.is_empty(), output.is_empty()) {
            (false, false) => format!("{persons} over {output}"),
            (false, true) => persons,
            (true, _) => output.to_owned(),
        }
    };
    let mut words: Vec<String> = told.into_iter().flatten().map(line).collect();
    match text(notices, "next_step_at") {
        "" => {}
        at => words.push(format!("next step at {at}")),
    }
    match text(notices, "grouped_under") {
        "" => {}
        other => words.push(format!("{other} speaks for it")),
    }
    words.join("; ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_applies_stands_there_and_nothing_else() {
        let alarm = json!({
            "alarm": "CH4-101/high", "name": "Methane", "area": "farm", "area_name": "Tank farm",
            "priority": "high", "state": "acknowledged", "overlays": ["shelved"], "value": 31.5, "unit": "%LEL",
            "quality": "good", "limit": 25.0, "peak": 40.0, "occurrence": 3, "raised_at": "t1",
            "acknowledged": {"by": "li", "at": "t2", "until": null}, "confirmed": null,
            "shelved": {"by": "li", "reason": "exchange", "approved_by": null, "since": "t3", "until": "t4"},
            "action": "Stop hot work", "plan": null, "responsible": ["Li Wei"], "unconfirmed": [],
            "notices": {"told": [{"output": "chat", "persons": ["li"]}], "next_step_at": "t5", "grouped_under": null},
        });
        assert_eq!(
            lines(&alarm),
            "alarm           CH4-101/high\n\
             name            Methane\n\
             area            Tank farm (farm)\n\
             priority        high\n\
             state           acknowledged\n\
             overlays        shelved\n\
             value           31.5 %LEL\n\
             quality         good\n\
             limit           25 %LEL\n\
             peak            40 %LEL\n\
             occurrence      3\n\
             raised          t1\n\
             acknowledged    by li, t2\n\
             shelved         by li, since t3, until t4, because: exchange\n\
             action          Stop hot work\n\
             responsible     Li Wei\n\
             told            li over chat; next step at t5\n"
        );
    }
}
