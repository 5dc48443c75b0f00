//! What people do to alarms: the same commands as over HTTP, answered after the commit.

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use super::text;

/// A command about one alarm.
#[derive(Debug, Subcommand)]
pub(super) enum Order {
    /// "I have recognised it"
    #[command(visible_alias = "acknowledge")]
    Ack {
        #[command(flatten)]
        who: Who,
        /// Which occurrence; the newest if left out
        #[arg(long)]
        occurrence: Option<u64>,
        /// Only for so long, as 20min
        #[arg(long = "for", value_name = "SPAN")]
        span: Option<String>,
    },
    /// "What it was about was seen to"
    Confirm {
        #[command(flatten)]
        who: Who,
        /// Which occurrence; the newest if left out
        #[arg(long)]
        occurrence: Option<u64>,
    },
    /// Release a latched alarm
    Reset {
        #[command(flatten)]
        who: Who,
        /// Which occurrence; the newest if left out
        #[arg(long)]
        occurrence: Option<u64>,
        /// The place was verified by other means (over-range)
        #[arg(long)]
        verified_independently: bool,
    },
    /// Take it off the list for a time
    Shelve {
        #[command(flatten)]
        who: Who,
        /// How long, as 2h
        #[arg(long = "for", value_name = "SPAN")]
        span: String,
        /// Why
        #[arg(long)]
        reason: String,
        /// Ends as soon as the alarm is no longer active
        #[arg(long)]
        one_shot: bool,
        /// Who approved it, where that is needed
        #[arg(long, value_name = "NAME")]
        approved_by: Option<String>,
    },
    /// Put it back on the list
    Unshelve {
        #[command(flatten)]
        who: Who,
    },
    /// Take it out for maintenance
    OutOfService {
        #[command(flatten)]
        who: Who,
        /// How long, as 8h
        #[arg(long = "for", value_name = "SPAN")]
        span: String,
        /// Number of the permit or work order
        #[arg(long)]
        permit: String,
        /// Who approved it
        #[arg(long, value_name = "NAME")]
        approved_by: String,
        /// Who else did, for a second channel of a group
        #[arg(long, value_name = "NAME")]
        also_approved_by: Option<String>,
        /// What is done instead
        #[arg(long, value_name = "WORDS")]
        compensating_measure: Option<String>,
        /// Why
        #[arg(long)]
        reason: Option<String>,
    },
    /// Put it back into service
    InService {
        #[command(flatten)]
        who: Who,
    },
}

/// About which alarm, and who says so.
#[derive(Debug, Args)]
pub(super) struct Who {
    /// POINT/KIND
    alarm: String,
    /// Your name on the record; else that of the login
    #[arg(long = "as", value_name = "NAME")]
    by: Option<String>,
    /// What goes on record with it
    #[arg(long)]
    comment: Option<String>,
}

impl Order {
    pub(super) fn alarm(&self) -> &str {
        &self.who().alarm
    }

    const fn who(&self) -> &Who {
        match self {
            Self::Ack { who, .. }
            | Self::Confirm { who, .. }
            | Self::Reset { who, .. }
            | Self::Shelve { who, .. }
            | Self::Unshelve { who }
            | Self::OutOfService { who, .. }
            | Self::InService { who } => who,
        }
    }

    /// What it is called in the path.
    pub(super) const fn path(&self) -> &'static str {
        match self {
            Self::Ack { .. } => "acknowledge",
            Self::Confirm { .. } => "confirm",
            Self::Reset { .. } => "reset",
            Self::Shelve { .. } => "shelve",
            Self::Unshelve { .. } => "unshelve",
            Self::OutOfService { .. } => "out-of-service",
            Self::InService { .. } => "in-service",
        }
    }

    /// The command as JSON; or what is missing.
    pub(super) fn body(&self) -> Result<Value, String> {
        let who = self.who();
        let by = who.by.clone().or_else(login);
        let by = by.ok_or("nobody knows who you are: write `--as NAME`")?;
        let mut body = Body(Map::new());
        body.put("by", Some(by));
        body.put("comment", who.comment.clone());
        match self {
            Self::Ack {
                occurrence, span, ..
            } => {
                body.put("occurrence", *occurrence);
                body.put("for", span.clone());
            }
            Self::Confirm { occurrence, .. } => body.put("occurrence", *occurrence),
            Self::Reset {
                occurrence,
                verified_independently,
                ..
            } => {
                body.put("occurrence", *occurrence);
                body.put(
                    "verified_independently",
                    verified_independently.then_some(true),
                );
            }
            Self::Shelve {
                span,
                reason,
                one_shot,
                approved_by,
                ..
            } => {
                body.put("for", Some(span.clone()));
                body.put("reason", Some(reason.clone()));
                body.put("one_shot", one_shot.then_some(true));
                body.put("approved_by", approved_by.clone());
            }
            Self::OutOfService {
                span,
                permit,
                approved_by,
                also_approved_by,
                compensating_measure,
                reason,
                ..
            } => {
                body.put("for", Some(span.clone()));
                body.put("permit", Some(permit.clone()));
                body.put("approved_by", Some(approved_by.clone()));
                body.put("also_approved_by", also_approved_by.clone());
                body.put("compensating_measure", compensating_measure.clone());
                body.put("reason", reason.clone());
            }
            Self::Unshelve { .. } | Self::InService { .. } => {}
        }
        Ok(Value::Object(body.0))
    }
}

struct Body(Map<String, Value>);

impl Body {
    /// What is not given is left out: the gateway has its own defaults.
    fn put<T: Into<Value>>(&mut self, key: &str, value: Option<T>) {
        if let Some(value) = value {
            self.0.insert(key.to_owned(), value.into());
        }
    }
}

/// Who is at the terminal. Behind `sudo` it is the one who called it.
fn login() -> Option<String> {
    let names = ["SUDO_USER", "USER", "LOGNAME"];
    let mut names = names.iter().filter_map(|name| std::env::var(name).ok());
    names.find(|name| !name.is_empty())
}

/// What the gateway did, in words.
pub(super) fn said(command: &str, answer: &Value) -> String {
    let (alarm, by, at) = (
        text(answer, "alarm"),
        text(answer, "by"),
        text(answer, "at"),
    );
    let occurrence = answer.get("occurrence").unwrap_or(&json!(0)).to_string();
    let durable = match answer.get("durable") {
        Some(Value::Bool(false)) => " (not on disk: the journal's disk fails)",
        _ => "",
    };
    if text(answer, "result") == "already_done" {
        return format!("{command} {alarm}: {by} was first, at {at}; nothing changed");
    }
    format!("{command} {alarm}, occurrence {occurrence}: done by {by} at {at}{durable}")
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(subcommand)]
        order: Order,
    }

    fn body(line: &str) -> (String, Value) {
        let words = ["x"].into_iter().chain(line.split(' '));
        let line = Line::try_parse_from(words).expect("a good line");
        let body = line.order.body().expect("somebody");
        (
            format!("{} {}", line.order.path(), line.order.alarm()),
            body,
        )
    }

    #[test]
    fn what_is_not_said_is_left_out() {
        for (line, what, expected) in [
            (
                "ack A/high --as li --occurrence 3",
                "acknowledge A/high",
                json!({"by": "li", "occurrence": 3}),
            ),
            (
                "reset A/over_range --as li --verified-independently --comment looked",
                "reset A/over_range",
                json!({"by": "li", "verified_independently": true, "comment": "looked"}),
            ),
            (
                "shelve A/high --as li --for 2h --reason x --one-shot",
                "shelve A/high",
                json!({"by": "li", "for": "2h", "reason": "x", "one_shot": true}),
            ),
            (
                "out-of-service A/high --as li --for 8h --permit P-1 --approved-by wang",
                "out-of-service A/high",
                json!({"by": "li", "for": "8h", "permit": "P-1", "approved_by": "wang"}),
            ),
            (
                "in-service A/high --as li",
                "in-service A/high",
                json!({"by": "li"}),
            ),
        ] {
            assert_eq!(body(line), (what.to_owned(), expected), "{line}");
        }
    }

    #[test]
    fn a_shelf_without_an_end_or_a_reason_is_no_command() {
        for line in ["shelve A/high --as li --for 2h", "shelve A/high --reason x"] {
            let words = ["x"].into_iter().chain(line.split(' '));
            assert!(Line::try_parse_from(words).is_err(), "{line}");
        }
    }

    #[test]
    fn whoever_came_second_learns_who_was_first() {
        let answer = json!({"result": "already_done", "alarm": "A/high", "by": "wang", "at": "t", "durable": true});
        let said = said("acknowledge", &answer);
        assert_eq!(
            said,
            "acknowledge A/high: wang was first, at t; nothing changed"
        );
    }
}
