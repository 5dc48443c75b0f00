//! A command as a payload says it, and where it goes: to the page that HTTP has for it, so that it is read and
//! answered by the same code. Pure.
//!
//! `{"id":"7","command":"acknowledge","alarm":"CH4-101/high","by":"li-wei", ...}`: what is not named here is the
//! body of the page.

use std::collections::VecDeque;
use std::sync::Arc;

use serde_json::{Map, Value, json};

/// Longest id of a request, bytes.
const ID_LIMIT: usize = 200;

/// Answers that are remembered. A request that comes again later than that is a new one.
const REMEMBERED: usize = 64;

/// Commands, and the ends of their pages.
const COMMANDS: [(&str, &str); 10] = [
    ("acknowledge", "acknowledge"),
    ("confirm", "confirm"),
    ("reset", "reset"),
    ("shelve", "shelve"),
    ("unshelve", "unshelve"),
    ("out_of_service", "out-of-service"),
    ("in_service", "in-service"),
    ("drill", "drill"),
    ("drill_acknowledge", "drill/acknowledge"),
    ("drill_end", "drill/end"),
];

/// The one that is about a group.
const OF_GROUP: &str = "reset_first_out";

/// A command that may be given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    /// The caller's own name for it.
    pub(super) id: String,
    /// The page, percent-encoded.
    pub(super) path: String,
    /// What goes there.
    pub(super) body: String,
}

/// Why it is not given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// Empty when it has none that can be repeated.
    pub(super) id: String,
    error: &'static str,
    message: String,
}

impl Refusal {
    pub(super) fn new(id: &str, error: &'static str, message: impl Into<String>) -> Self {
        Self {
            id: id.to_owned(),
            error,
            message: message.into(),
        }
    }

    /// The answer.
    pub(super) fn payload(&self) -> String {
        let Self { id, error, message } = self;
        json!({"id": id, "error": error, "message": message}).to_string()
    }
}

/// Reads a payload. `persons` may command.
pub(super) fn read(payload: &[u8], persons: &[Arc<str>]) -> Result<Request, Refusal> {
    let example = r#"expected {"id":"7","command":"acknowledge","alarm":"POINT/kind","by":"who"}"#;
    let bad = |id: &str, what: &str| Refusal::new(id, "bad_request", format!("{what}; {example}"));
    let mut fields: Map<String, Value> =
        serde_json::from_slice(payload).map_err(|error| bad("", &error.to_string()))?;
    let id = match fields.remove("id") {
        Some(Value::String(id)) if !id.is_empty() && id.len() <= ID_LIMIT => id,
        Some(_) | None => return Err(bad("", "`id` is a text of 1 to 200 bytes")),
    };
    let mut text = |key: &str| match fields.remove(key) {
        Some(Value::String(text)) => Ok(text),
        Some(_) | None => Err(bad(&id, &format!("`{key}` is a text"))),
    };
    let command = text("command")?;
    let path = if command == OF_GROUP {
        format!(
            "/api/v1/groups/{}/reset-first-out",
            encoded(&text("group")?)
        )
    } else {
        let known = COMMANDS.iter().find(|(name, _)| *name == command);
        let Some((_, page)) = known else {
            let names: Vec<&str> = COMMANDS.iter().map(|(name, _)| *name).collect();
            let known = names.join(", ");
            return Err(bad(
                &id,
                &format!("`command` is one of {known}, {OF_GROUP}"),
            ));
        };
        let alarm = text("alarm")?;
        let Some((point, kind)) = alarm.rsplit_once('/') else {
            return Err(bad(&id, "`alarm` is POINT/kind"));
        };
        format!("/api/v1/alarms/{}/{}/{page}", encoded(point), encoded(kind))
    };
    match fields.get("by") {
        Some(Value::String(by)) if persons.iter().any(|person| **person == **by) => {}
        Some(Value::String(_)) => {
            let message = "`by` is nobody who may command over this output; see its `commands`";
            return Err(Refusal::new(&id, "not_allowed", message));
        }
        Some(_) | None => return Err(bad(&id, "`by` says who commands")),
    }
    let body = Value::Object(fields).to_string();
    Ok(Request { id, path, body })
}

/// The answer of a page, with the id of the request.
pub(super) fn answer(id: &str, page: &[u8]) -> String {
    let mut fields: Map<String, Value> = serde_json::from_slice(page).unwrap_or_default();
    if fields.is_empty() {
        let message = "the gateway gave no answer; look at the alarm before you repeat it";
        return Refusal::new(id, "silent", message).payload();
    }
    fields.insert("id".to_owned(), id.into());
    Value::Object(fields).to_string()
}

/// An answer with something to know beside it.
pub(super) fn noted(answer: String, note: String) -> String {
    match serde_json::from_str::<Map<String, Value>>(&answer) {
        Ok(mut fields) => {
            fields.insert("note".to_owned(), note.into());
            Value::Object(fields).to_string()
        }
        Err(_no_object) => answer,
    }
}

/// One segment of a path (RFC 3986, 2.3).
fn encoded(segment: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_~".contains(&byte);
    let one = |byte: u8| match plain(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    segment.bytes().map(one).collect()
}

/// The answers of the last requests: a request that comes twice is given once. Two that share no more than their id
/// are two: stations that count from 1 must not get each other's answers.
#[derive(Debug, Default)]
pub(super) struct Answered(VecDeque<(Request, String)>);

impl Answered {
    /// What was answered to this very request.
    pub(super) fn get(&self, request: &Request) -> Option<&str> {
        let mut known = self.0.iter();
        known
            .find(|(other, _)| other == request)
            .map(|(_, answer)| &**answer)
    }

    /// Remembers; the oldest is forgotten for it.
    pub(super) fn put(&mut self, request: Request, answer: String) {
        if self.0.len() == REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back((request, answer));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn persons() -> [Arc<str>; 1] {
        ["li-wei".into()]
    }

    fn refused(payload: &str) -> (String, &'static str) {
        let refusal = read(payload.as_bytes(), &persons()).expect_err("refused");
        (refusal.id, refusal.error)
    }

    #[test]
    fn a_command_goes_to_the_page_of_its_name_with_what_is_not_ours() {
        let payload = r#"{"id":"7","command":"out_of_service","alarm":"罐 1/a/high","by":"li-wei","permit":"P-1"}"#;
        let request = read(payload.as_bytes(), &persons()).expect("good");
        let path = "/api/v1/alarms/%E7%BD%90%201%2Fa/high/out-of-service";
        let body = r#"{"by":"li-wei","permit":"P-1"}"#;
        assert_eq!(
            (&*request.id, &*request.path, &*request.body),
            ("7", path, body)
        );
        let payload = r#"{"id":"8","command":"reset_first_out","group":"..","by":"li-wei"}"#;
        let request = read(payload.as_bytes(), &persons()).expect("good");
        assert_eq!(request.path, "/api/v1/groups/%2E%2E/reset-first-out");
    }

    #[test]
    fn nothing_is_given_without_a_person_who_may() {
        for (payload, id, error) in [
            (
                r#"{"id":"1","command":"reset","alarm":"A/high"}"#,
                "1",
                "bad_request",
            ),
            (
                r#"{"id":"1","command":"reset","alarm":"A/high","by":7}"#,
                "1",
                "bad_request",
            ),
            (
                r#"{"id":"1","command":"reset","alarm":"A/high","by":""}"#,
                "1",
                "not_allowed",
            ),
            (
                r#"{"id":"1","command":"reset","alarm":"A/high","by":"li-we"}"#,
                "1",
                "not_allowed",
            ),
            (
                r#"{"command":"reset","alarm":"A/high","by":"li-wei"}"#,
                "",
                "bad_request",
            ),
            (
                r#"{"id":1,"command":"reset","alarm":"A/high","by":"li-wei"}"#,
                "",
                "bad_request",
            ),
            (
                r#"{"id":"1","command":"stop","alarm":"A/high","by":"li-wei"}"#,
                "1",
                "bad_request",
            ),
            (
                r#"{"id":"1","command":"reset","alarm":"A","by":"li-wei"}"#,
                "1",
                "bad_request",
            ),
            (
                r#"{"id":"1","command":"reset","by":"li-wei"}"#,
                "1",
                "bad_request",
            ),
            ("", "", "bad_request"),
            ("[]", "", "bad_request"),
        ] {
            assert_eq!(refused(payload), (id.to_owned(), error), "{payload}");
        }
    }

    #[test]
    fn answers_carry_the_id_and_are_remembered_within_bounds() {
        assert_eq!(
            answer("7", br#"{"result":"accepted"}"#),
            r#"{"id":"7","result":"accepted"}"#
        );
        assert!(answer("7", b"").contains("\"error\":\"silent\""));
        let request = |number: usize, path: &str| Request {
            id: number.to_string(),
            path: path.to_owned(),
            body: "{}".to_owned(),
        };
        let mut answered = Answered::default();
        for number in 0..100 {
            answered.put(request(number, "a"), "a".repeat(number));
        }
        assert_eq!(answered.get(&request(99, "a")).map(str::len), Some(99));
        assert_eq!(answered.get(&request(99, "b")), None, "another order");
        assert_eq!(answered.get(&request(35, "a")), None);
        assert_eq!(answered.0.len(), REMEMBERED);
    }

    proptest! {
        #[test]
        fn no_payload_panics_and_no_path_leaves_its_place(id in ".{0,20}", alarm in ".{0,20}/.{0,9}") {
            let payload = json!({"id": id, "command": "reset", "alarm": alarm, "by": "li-wei"});
            if let Ok(request) = read(payload.to_string().as_bytes(), &persons()) {
                let parts: Vec<&str> = request.path.split('/').collect();
                prop_assert_eq!((parts.len(), parts[6]), (7, "reset"));
                prop_assert!(request.path.is_ascii());
            }
        }
    }
}
