//! Receivers that say 200 to everything, and what they mean in the body. Pure.

use serde_json::Value;

use crate::output::http_client::{Answer, Url};
use crate::output::verdict::{PROTOCOL, UNAVAILABLE, UNWELCOME, Verdict, told};

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

impl Codes {
    /// What an accepted request really led to.
    pub fn verdict(&self, answer: &Answer, url: &Url) -> Verdict {
        let body: Option<Value> = serde_json::from_str(&answer.body).ok();
        let code = body.and_then(|body| body.get(self.field)?.as_i64());
        let why = told(answer, url);
        match code {
            Some(0) => Verdict::Accepted { answer: why },
            Some(code) if self.later.contains(&code) => Verdict::later(UNAVAILABLE, why),
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
            let codes = find(preset).and_then(|preset| preset.codes.as_ref());
            let answer = Answer {
                status: 200,
                body: body.to_owned(),
                ..Answer::default()
            };
            match codes.expect(preset).verdict(&answer, &Url::default()) {
                Verdict::Accepted { .. } => "accepted",
                Verdict::Refused { .. } => "refused",
                Verdict::Later { reason, .. } => reason,
            }
        };
        for (preset, body, expected) in [
            ("wecom", r#"{"errcode":0,"errmsg":"ok"}"#, "accepted"),
            (
                "wecom",
                r#"{"errcode":45009,"errmsg":"api freq out of limit"}"#,
                UNAVAILABLE,
            ),
            (
                "wecom",
                r#"{"errcode":93000,"errmsg":"invalid webhook url"}"#,
                UNWELCOME,
            ),
            (
                "wecom",
                r#"{"errcode":40058,"errmsg":"content exceed max length"}"#,
                "refused",
            ),
            (
                "dingtalk",
                r#"{"errcode":310000,"errmsg":"sign not match"}"#,
                UNWELCOME,
            ),
            (
                "dingtalk",
                r#"{"errcode":130101,"errmsg":"send too fast"}"#,
                UNAVAILABLE,
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
        ] {
            assert_eq!(meaning(preset, body), expected, "{preset} {body}");
        }
    }
}
