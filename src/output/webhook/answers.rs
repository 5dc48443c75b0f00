//! Receivers that say 200 to everything, and what they mean in the body. Pure.
//!
//! A message that nobody reads and that counts as delivered is the worst that can happen to it. The other way round, one
//! that was delivered and is sent again and again buries a chat room. So a receiver that answers with numbers must give a
//! good one; of one that answers with words only those count against it that are known to, and a page for people where a
//! program is asked: that is the login of something in between.

use serde_json::Value;

use crate::output::http_client::{Answer, Url};
use crate::output::verdict::{BUSY, PROTOCOL, UNWELCOME, Verdict, told};

/// Numbers that a kind of receiver answers with; 0 is good.
#[derive(Debug, PartialEq, Eq)]
pub struct Codes {
    /// Where in the answer the number stands.
    pub field: &'static str,
    /// Busy, or too many in a minute.
    pub later: &'static [i64],
    /// Wrong address, secret, keyword or network: everything is refused.
    pub unwelcome: &'static [i64],
}

/// How a kind of receiver says what became of a message.
#[derive(Debug, PartialEq, Eq)]
pub enum Answers {
    /// With the status, and nothing else counts.
    Status,
    /// With a number in the body.
    Codes(Codes),
    /// With words in the body.
    Words(Words),
}

/// Words that a kind of receiver begins its answer with when it has not taken the message.
#[derive(Debug, PartialEq, Eq)]
pub struct Words {
    /// Busy, or too many in a minute.
    pub later: &'static [&'static str],
    /// Wrong address, or nobody may post there: everything is refused.
    pub unwelcome: &'static [&'static str],
    /// This one.
    pub refused: &'static [&'static str],
}

impl Answers {
    /// What a request with a good status really led to.
    pub fn verdict(&self, answer: &Answer, url: &Url) -> Verdict {
        match self {
            Self::Status => Verdict::Accepted {
                answer: told(answer, url),
            },
            Self::Codes(codes) => codes.verdict(answer, url),
            Self::Words(words) => words.verdict(answer, url),
        }
    }
}

impl Words {
    fn verdict(&self, answer: &Answer, url: &Url) -> Verdict {
        let body = answer.body.trim();
        let why = told(answer, url);
        if body.starts_with('<') {
            let text = format!("a page for people instead of an answer, is it a login? {why}");
            return Verdict::later(PROTOCOL, text);
        }
        // Some say it in JSON: `{"ok":false,"error":"..."}`.
        let json: Option<Value> = serde_json::from_str(body).ok();
        let part = |key: &str| json.as_ref().and_then(|json| json.get(key));
        let denied = ["ok", "success"]
            .iter()
            .any(|key| part(key) == Some(&Value::Bool(false)));
        let word = part("error").and_then(Value::as_str).unwrap_or(body);
        let is_among = |words: &[&str]| words.iter().any(|known| word.starts_with(known));
        if is_among(self.later) {
            Verdict::later(BUSY, why)
        } else if is_among(self.unwelcome) {
            Verdict::later(UNWELCOME, why)
        } else if is_among(self.refused) || denied {
            Verdict::Refused { why }
        } else {
            Verdict::Accepted { answer: why }
        }
    }
}

impl Codes {
    fn verdict(&self, answer: &Answer, url: &Url) -> Verdict {
        let body: Option<Value> = serde_json::from_str(&answer.body).ok();
        let code = body.and_then(|body| body.get(self.field)?.as_i64());
        let why = told(answer, url);
        match code {
            Some(0) => Verdict::Accepted { answer: why },
            Some(code) if self.later.contains(&code) => Verdict::later(BUSY, why),
            Some(code) if self.unwelcome.contains(&code) => Verdict::later(UNWELCOME, why),
            Some(_) => Verdict::Refused { why },
            None => {
                let field = self.field;
                Verdict::later(PROTOCOL, format!("no `{field}` in the answer, {why}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::webhook::presets::find;

    #[test]
    fn a_refusal_with_status_200_is_one() {
        let meaning = |preset: &str, body: &str| {
            let preset = find(preset).expect(preset);
            let answer = Answer {
                status: 200,
                body: body.to_owned(),
                ..Answer::default()
            };
            match preset.answers.verdict(&answer, &Url::default()) {
                Verdict::Accepted { .. } => "accepted",
                Verdict::Refused { .. } => "this one",
                Verdict::Parted(_) => "some",
                Verdict::Later { reason, .. } => reason,
            }
        };
        for (preset, body, expected) in [
            ("wecom", r#"{"errcode":0,"errmsg":"ok"}"#, "accepted"),
            (
                "wecom",
                r#"{"errcode":45009,"errmsg":"api freq out of limit"}"#,
                BUSY,
            ),
            (
                "wecom",
                r#"{"errcode":93000,"errmsg":"invalid webhook url"}"#,
                UNWELCOME,
            ),
            (
                "wecom",
                r#"{"errcode":40058,"errmsg":"content exceed max length"}"#,
                "this one",
            ),
            (
                "dingtalk",
                r#"{"errcode":310000,"errmsg":"sign not match"}"#,
                UNWELCOME,
            ),
            (
                "dingtalk",
                r#"{"errcode":130101,"errmsg":"send too fast"}"#,
                BUSY,
            ),
            (
                "feishu",
                r#"{"code":0,"msg":"success","data":{}}"#,
                "accepted",
            ),
            (
                "feishu",
                r#"{"code":19021,"msg":"sign match fail"}"#,
                UNWELCOME,
            ),
            ("feishu", "<html>login</html>", PROTOCOL),
            ("feishu", "", PROTOCOL),
            ("slack", "ok", "accepted"),
            ("slack", "", "accepted"),
            ("slack", r#"{"success":true}"#, "accepted"),
            ("slack", "invalid_payload", "this one"),
            ("slack", r#"{"ok":false,"error":"no_text"}"#, "this one"),
            ("slack", r#"{"success":false}"#, "this one"),
            ("slack", "channel_is_archived", UNWELCOME),
            ("slack", r#"{"ok":false,"error":"ratelimited"}"#, BUSY),
            ("slack", " <!DOCTYPE html><title>Log in</title>", PROTOCOL),
            ("teams", "1", "accepted"),
            ("teams", "", "accepted"),
            (
                "teams",
                "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429",
                BUSY,
            ),
            ("ntfy", r#"{"id":"a","event":"message"}"#, "accepted"),
            ("ntfy", "<html>", PROTOCOL),
            ("pagerduty", r#"{"status":"success"}"#, "accepted"),
            ("json", "<html>whatever</html>", "accepted"),
        ] {
            assert_eq!(meaning(preset, body), expected, "{preset} {body}");
        }
    }
}
