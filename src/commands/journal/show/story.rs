//! What is known of an event, for people and for programs. Pure.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::commands::journal::words;

/// One event and what belongs to it.
#[derive(Debug)]
pub(super) struct Story {
    pub(super) event: Value,
    /// When it came to disk, and how it stands with each output.
    pub(super) account: Value,
    /// Of the same occurrence, oldest first.
    pub(super) earlier: Vec<Value>,
    /// Of the whole occurrence.
    pub(super) notices: Vec<Notice>,
    /// Of the same occurrence, oldest first.
    pub(super) followed: Vec<Value>,
}

/// Somebody was told.
#[derive(Debug)]
pub(super) struct Notice {
    event: Value,
    /// How the notice stands with each output that carries it.
    outputs: Vec<Value>,
}

impl Notice {
    /// `account`: of the notice; `None`: it was not asked for.
    pub(super) fn new(event: Value, account: Option<&Value>) -> Self {
        let outputs = account.and_then(|account| account["outputs"].as_array());
        let carries = |standing: &&Value| {
            let named = event["output"].is_null() || event["output"] == standing["output"];
            named && standing["state"] != "passed"
        };
        let outputs = outputs.into_iter().flatten().filter(carries).cloned();
        Self {
            outputs: outputs.collect(),
            event,
        }
    }

    fn json(&self) -> Value {
        let mut told = picked(
            &self.event,
            &["id", "time", "notice", "step", "to", "output"],
        );
        told["outputs"] = Value::from(self.outputs.clone());
        told
    }
}

impl Story {
    pub(super) fn json(&self) -> Value {
        let acknowledged = self.acknowledgements();
        let acknowledged =
            acknowledged.map(|event| picked(event, &["id", "time", "by", "via", "comment"]));
        let mut story = json!({
            "event": self.event,
            "durable": self.account["durable"],
            "outputs": self.account["outputs"],
            "told": self.notices.iter().map(Notice::json).collect::<Vec<_>>(),
            "acknowledged": acknowledged.collect::<Vec<_>>(),
            "earlier": self.earlier,
            "followed": self.followed,
        });
        if let Some(raised) = self.raised() {
            story["raised"] = picked(raised, &["id", "time"]);
        }
        if !self.account["committed_at"].is_null() {
            story["committed_at"] = self.account["committed_at"].clone();
        }
        story
    }

    pub(super) fn words(&self) -> String {
        let mut text = Text(String::new());
        text.line(&words::line(&self.event));
        for (key, value) in self.event.as_object().into_iter().flatten() {
            text.entry(key, &value.to_string());
        }
        text.line("ledger");
        if let Some(raised) = self.raised() {
            text.entry("raised", &instant(string(&raised["time"])));
        }
        text.entry("committed", &self.committed());
        for standing in list(&self.account["outputs"]) {
            text.entry(string(&standing["output"]), &how(standing));
        }
        text.heading("told", !self.notices.is_empty());
        for notice in &self.notices {
            text.line(&format!("  {}", words::line(&notice.event)));
            for standing in &notice.outputs {
                let (output, how) = (string(&standing["output"]), how(standing));
                text.line(&format!("    {output:<12} {how}"));
            }
        }
        text.heading("acknowledged", self.acknowledgements().next().is_some());
        for event in self.acknowledgements() {
            text.line(&format!("  {}", words::line(event)));
        }
        text.heading("what came before", !self.earlier.is_empty());
        for event in &self.earlier {
            text.line(&format!("  {}", words::line(event)));
        }
        text.heading("what followed", !self.followed.is_empty());
        for event in &self.followed {
            text.line(&format!("  {}", words::line(event)));
        }
        text.0
    }

    /// The whole occurrence, oldest first.
    fn occurrence(&self) -> impl Iterator<Item = &Value> {
        let here = std::iter::once(&self.event);
        self.earlier.iter().chain(here).chain(&self.followed)
    }

    fn raised(&self) -> Option<&Value> {
        self.occurrence().find(|event| event["event"] == "raised")
    }

    fn acknowledgements(&self) -> impl Iterator<Item = &Value> {
        let events = self.occurrence();
        events.filter(|event| event["event"] == "acknowledged")
    }

    fn committed(&self) -> String {
        if self.account["durable"] == false {
            return "not on disk: the disk fails".to_owned();
        }
        match string(&self.account["committed_at"]) {
            "" => "yes; when, nobody noted".to_owned(),
            time => instant(time),
        }
    }
}

/// How an event stands with an output.
fn how(standing: &Value) -> String {
    let at = instant(string(&standing["at"]));
    let sent = match string(&standing["sent_at"]) {
        "" => String::new(),
        time => format!(", sent {}", instant(time)),
    };
    let attempts = match standing["attempts"].as_u64() {
        None => String::new(),
        Some(1) => ", 1 attempt".to_owned(),
        Some(attempts) => format!(", {attempts} attempts"),
    };
    let because = |words: &Value| match string(words) {
        "" => String::new(),
        words => format!(": {words}"),
    };
    let names = |readers: &Value| {
        let readers: Vec<&str> = list(readers).iter().map(string).collect();
        readers.join(", ")
    };
    let owed = names(&standing["owed_to"]);
    let missed = match names(&standing["missed_by"]) {
        missed if missed.is_empty() => missed,
        missed => format!(", never to {missed}"),
    };
    let reason = because(&standing["reason"]);
    match string(&standing["state"]) {
        "accepted" => format!(
            "accepted {at}{missed}{sent}{attempts}{}",
            because(&standing["answer"])
        ),
        "aside" if !owed.is_empty() => {
            format!("owed to {owed} since {at}{missed}{sent}{attempts}{reason}")
        }
        "aside" => format!("set aside {at}, to be tried again{sent}{attempts}{reason}"),
        "lost" => format!("given up {at}{sent}{attempts}{reason}"),
        "waiting" => match standing["before"].as_u64() {
            None | Some(0) => "waiting, next in turn".to_owned(),
            Some(before) => format!("waiting behind {before} others"),
        },
        "passed" => "not for this output, or older than it".to_owned(),
        unknown => unknown.to_owned(),
    }
}

/// `2026-05-04 06:12:31.020`
fn instant(time: &str) -> String {
    time.trim_end_matches('Z').replace('T', " ")
}

fn string(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// These fields of an object, as far as it has them.
fn picked(object: &Value, keys: &[&str]) -> Value {
    let found = keys
        .iter()
        .filter_map(|key| Some(((*key).to_owned(), object.get(*key)?.clone())));
    Value::Object(found.collect())
}

/// Lines in columns.
struct Text(String);

impl Text {
    fn line(&mut self, words: &str) {
        writeln!(self.0, "{words}").expect("writing to a String cannot fail");
    }

    fn entry(&mut self, key: &str, words: &str) {
        self.line(&format!("  {key:<14} {words}"));
    }

    fn heading(&mut self, words: &str, wanted: bool) {
        if wanted {
            self.line(words);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(seq: u64, kind: &str) -> Value {
        json!({"id": format!("n:1:{seq}"), "seq": seq, "time": format!("2026-05-04T06:12:0{seq}.000Z"),
            "event": kind, "alarm": "P/high", "occurrence": 1})
    }

    fn story() -> Story {
        let mut notice = event(2, "notified");
        notice["to"] = json!(["li"]);
        notice["output"] = json!("chat");
        let told = json!({"outputs": [
            {"output": "chat", "state": "aside", "at": "2026-05-04T06:12:03.500Z", "attempts": 3, "reason": "HTTP 400"},
            {"output": "hook", "state": "accepted", "at": "2026-05-04T06:12:03.000Z"},
        ]});
        let mut acknowledged = event(3, "acknowledged");
        acknowledged["by"] = json!("li");
        Story {
            event: event(1, "raised"),
            account: json!({"seq": 1, "durable": true, "committed_at": "2026-05-04T06:12:01.020Z", "outputs": [
                {"output": "chat", "state": "passed"},
                {"output": "hook", "state": "accepted", "at": "2026-05-04T06:12:01.500Z",
                    "sent_at": "2026-05-04T06:12:01.030Z", "attempts": 2, "answer": "HTTP 200"},
                {"output": "mail", "state": "waiting", "before": 4},
                {"output": "next", "state": "waiting", "before": 0},
                {"output": "gone", "state": "lost", "at": "2026-05-04T06:12:02.000Z", "reason": "too long"},
                {"output": "post", "state": "aside", "at": "2026-05-04T06:12:02.000Z", "attempts": 1,
                    "owed_to": ["li@p.test", "anna@p.test"], "reason": "box full"},
                {"output": "room", "state": "accepted", "at": "2026-05-04T06:12:02.000Z", "missed_by": ["eve@p.test"]},
            ]}),
            earlier: Vec::new(),
            notices: vec![Notice::new(notice.clone(), Some(&told))],
            followed: vec![notice, acknowledged],
        }
    }

    #[test]
    fn people_read_what_became_of_it_line_by_line() {
        let words = story().words();
        let ledger = words.split_once("ledger\n").expect(&words).1;
        assert_eq!(
            ledger,
            "  raised         2026-05-04 06:12:01.000\n\
             \x20 committed      2026-05-04 06:12:01.020\n\
             \x20 chat           not for this output, or older than it\n\
             \x20 hook           accepted 2026-05-04 06:12:01.500, sent 2026-05-04 06:12:01.030, 2 attempts: HTTP 200\n\
             \x20 mail           waiting behind 4 others\n\
             \x20 next           waiting, next in turn\n\
             \x20 gone           given up 2026-05-04 06:12:02.000: too long\n\
             \x20 post           owed to li@p.test, anna@p.test since 2026-05-04 06:12:02.000, 1 attempt: box full\n\
             \x20 room           accepted 2026-05-04 06:12:02.000, never to eve@p.test\n\
             told\n\
             \x20 2026-05-04 06:12:02  notified        P/high #1  to li, chat\n\
             \x20   chat         set aside 2026-05-04 06:12:03.500, to be tried again, 3 attempts: HTTP 400\n\
             acknowledged\n\
             \x20 2026-05-04 06:12:03  acknowledged    P/high #1  by li\n\
             what followed\n\
             \x20 2026-05-04 06:12:02  notified        P/high #1  to li, chat\n\
             \x20 2026-05-04 06:12:03  acknowledged    P/high #1  by li\n"
        );
    }

    #[test]
    fn programs_find_every_part_by_name() {
        let json = story().json();
        assert_eq!(json["raised"]["id"], "n:1:1");
        assert_eq!(json["committed_at"], "2026-05-04T06:12:01.020Z");
        assert_eq!(json["outputs"][1]["answer"], "HTTP 200");
        assert_eq!(json["told"][0]["to"], json!(["li"]));
        assert_eq!(json["told"][0]["outputs"].as_array().map(Vec::len), Some(1));
        assert_eq!(json["acknowledged"][0]["by"], "li");
    }

    #[test]
    fn what_is_not_known_is_not_claimed() {
        let mut story = story();
        story.account = json!({"seq": 1, "durable": true, "outputs": []});
        assert!(
            story
                .words()
                .contains("committed      yes; when, nobody noted")
        );
        story.account["durable"] = json!(false);
        assert!(story.words().contains("committed      not on disk"));
    }
}
