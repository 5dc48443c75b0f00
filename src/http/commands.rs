//! What people do to alarms: `POST /api/v1/alarms/{point}/{kind}/COMMAND`. What they do to drills:
//! [`super::drills`].
//!
//! A command is JSON and nothing else: a form of a stranger's page cannot have that content type
//! without asking first, and we never say yes. Unknown fields are refused: a misspelt `occurrence`
//! would otherwise acknowledge another one than was meant.

use std::marker::PhantomData;
use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::App;
use super::alarms::{DEADLINE, alarm_name};
use super::reply::Refusal;
use crate::engine::command::{Action, Command, Outcome, Permit, Shelving};
use crate::engine::drill;
use crate::evaluation::Answer;
use crate::event::rfc3339;
use crate::scalar;

/// Longest name of a person, bytes.
const NAME_LIMIT: usize = 200;

/// Longest comment or reason, bytes.
pub(super) const WORDS_LIMIT: usize = 4000;

/// A command as a body says it.
pub(super) trait Order: DeserializeOwned {
    /// A good body, for messages.
    const EXAMPLE: &'static str;

    /// Is it about the drill of the alarm, and not about the alarm?
    const OF_DRILL: bool = false;

    /// What is asked, by whom, and what they wrote.
    fn asked(self) -> Result<Asked, Refusal>;
}

/// The parts of a command.
pub(super) struct Asked {
    pub(super) action: Action,
    pub(super) by: String,
    pub(super) comment: Option<String>,
}

/// "I have recognised it."
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Acknowledge {
    by: String,
    comment: Option<String>,
    occurrence: Option<u64>,
    #[serde(rename = "for")]
    span: Option<String>,
}

impl Order for Acknowledge {
    const EXAMPLE: &'static str = r#"{"by":"who","comment":"optional","occurrence":1}; without `occurrence` the newest; with `"for":"20min"` only for so long"#;

    fn asked(self) -> Result<Asked, Refusal> {
        let action = Action::Acknowledge {
            occurrence: self.occurrence,
            span: span(self.span.as_deref())?,
        };
        Ok(Asked {
            action,
            by: self.by,
            comment: self.comment,
        })
    }
}

/// "What it was about was seen to."
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Confirm {
    by: String,
    comment: Option<String>,
    occurrence: Option<u64>,
}

impl Order for Confirm {
    const EXAMPLE: &'static str =
        r#"{"by":"who","comment":"what was done","occurrence":1}; without `occurrence` the newest"#;

    fn asked(self) -> Result<Asked, Refusal> {
        let action = Action::Confirm {
            occurrence: self.occurrence,
        };
        Ok(Asked {
            action,
            by: self.by,
            comment: self.comment,
        })
    }
}

/// Releases a latched alarm.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reset {
    by: String,
    comment: Option<String>,
    occurrence: Option<u64>,
    #[serde(default)]
    verified_independently: bool,
}

impl Order for Reset {
    const EXAMPLE: &'static str = r#"{"by":"who","comment":"optional","occurrence":1,"verified_independently":true}; only `by` is required"#;

    fn asked(self) -> Result<Asked, Refusal> {
        let action = Action::Reset {
            occurrence: self.occurrence,
            verified_independently: self.verified_independently,
        };
        Ok(Asked {
            action,
            by: self.by,
            comment: self.comment,
        })
    }
}

/// Takes an alarm off the list for a time.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Shelve {
    by: String,
    comment: Option<String>,
    #[serde(default)]
    reason: String,
    #[serde(rename = "for")]
    span: Option<String>,
    #[serde(default)]
    one_shot: bool,
    approved_by: Option<String>,
}

impl Order for Shelve {
    const EXAMPLE: &'static str = r#"{"by":"who","reason":"why","for":"2h"}; with `"one_shot":true` it ends when the alarm is no longer active"#;

    fn asked(self) -> Result<Asked, Refusal> {
        check_text("reason", &self.reason, WORDS_LIMIT)?;
        let approver = self.approved_by.as_deref().unwrap_or_default();
        check_text("approved_by", approver, NAME_LIMIT)?;
        let action = Action::Shelve(Shelving {
            span: span(self.span.as_deref())?,
            one_shot: self.one_shot,
            reason: self.reason,
            approved_by: self.approved_by,
        });
        Ok(Asked {
            action,
            by: self.by,
            comment: self.comment,
        })
    }
}

/// Takes an alarm out for maintenance.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OutOfService {
    by: String,
    comment: Option<String>,
    #[serde(default)]
    approved_by: String,
    also_approved_by: Option<String>,
    #[serde(default)]
    permit: String,
    compensating_measure: Option<String>,
    #[serde(rename = "for")]
    span: Option<String>,
    reason: Option<String>,
}

impl Order for OutOfService {
    const EXAMPLE: &'static str = r#"{"by":"who","approved_by":"another person","permit":"P-2210","for":"8h","compensating_measure":"portable detector"}; a second channel of a group needs `"also_approved_by"`, a third person"#;

    fn asked(self) -> Result<Asked, Refusal> {
        check_text("approved_by", &self.approved_by, NAME_LIMIT)?;
        let second = self.also_approved_by.as_deref().unwrap_or_default();
        check_text("also_approved_by", second, NAME_LIMIT)?;
        check_text("permit", &self.permit, NAME_LIMIT)?;
        let measure = self.compensating_measure.as_deref().unwrap_or_default();
        check_text("compensating_measure", measure, WORDS_LIMIT)?;
        let reason = self.reason.as_deref().unwrap_or_default();
        check_text("reason", reason, WORDS_LIMIT)?;
        let action = Action::TakeOut(Permit {
            span: span(self.span.as_deref())?,
            approved_by: self.approved_by,
            also_approved_by: self.also_approved_by,
            number: self.permit,
            compensating_measure: self.compensating_measure,
            reason: self.reason,
        });
        Ok(Asked {
            action,
            by: self.by,
            comment: self.comment,
        })
    }
}

/// A command that says nothing but who gives it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, bound = "")]
pub(super) struct Plain<D> {
    by: String,
    comment: Option<String>,
    #[serde(skip)]
    deed: PhantomData<D>,
}

/// What a [`Plain`] command does.
pub(super) trait Deed {
    const ACTION: Action;
    const OF_DRILL: bool = false;
}

impl<D: Deed> Order for Plain<D> {
    const EXAMPLE: &'static str = r#"{"by":"who","comment":"optional"}"#;
    const OF_DRILL: bool = D::OF_DRILL;

    fn asked(self) -> Result<Asked, Refusal> {
        Ok(Asked {
            action: D::ACTION,
            by: self.by,
            comment: self.comment,
        })
    }
}

/// Puts it back on the list.
#[derive(Debug)]
pub(super) struct Unshelve;

impl Deed for Unshelve {
    const ACTION: Action = Action::Unshelve;
}

/// Puts it back into service.
#[derive(Debug)]
pub(super) struct InService;

impl Deed for InService {
    const ACTION: Action = Action::PutBack;
}

/// Takes one command.
pub(super) async fn give<T: Order>(
    State(app): State<App>,
    path: Result<Path<(String, String)>, PathRejection>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    let mut alarm = alarm_name(path)?;
    if T::OF_DRILL {
        alarm = drill::name(&alarm);
    }
    let asked = parse::<T>(&headers, body, T::EXAMPLE)?.asked()?;
    command(&app, alarm, asked).await
}

#[derive(Serialize)]
struct Done<'a> {
    result: &'static str,
    alarm: &'a str,
    occurrence: u64,
    by: &'a str,
    at: String,
    durable: bool,
}

/// What became of a command about an alarm.
async fn command(app: &App, alarm: String, asked: Asked) -> Result<Response, Refusal> {
    let (answer, command) = ask(app, alarm, asked).await?;
    let (result, occurrence, by, at) = match &answer.outcome {
        Outcome::Accepted { occurrence, at } => ("accepted", *occurrence, &*command.by, *at),
        Outcome::AlreadyDone { occurrence, first } => {
            ("already_done", *occurrence, &*first.by, first.at)
        }
    };
    Ok(Json(Done {
        result,
        alarm: &command.alarm,
        occurrence,
        by,
        at: rfc3339::format(at),
        durable: answer.durable,
    })
    .into_response())
}

/// Asks the engine and waits for the commit. Gives back what was asked.
pub(super) async fn ask(app: &App, of: String, asked: Asked) -> Result<(Answer, Command), Refusal> {
    let Asked {
        action,
        by,
        comment,
    } = asked;
    check_text("by", &by, NAME_LIMIT)?;
    check_text(
        "comment",
        comment.as_deref().unwrap_or_default(),
        WORDS_LIMIT,
    )?;
    let command = Command {
        alarm: of,
        action,
        by,
        comment,
    };
    let answer = tokio::time::timeout(DEADLINE, app.desk.command(command.clone())).await;
    let answer = answer.map_err(|_elapsed| {
        Refusal::silent("the command may still take effect: look at the alarm before you repeat it")
    })??;
    Ok((answer, command))
}

/// A JSON body, or what was expected.
pub(super) fn parse<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
    expected: &str,
) -> Result<T, Refusal> {
    if !is_json(headers) {
        return Err(Refusal::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            format!("expected `Content-Type: application/json` and a body like {expected}"),
        ));
    }
    let body = body.map_err(|rejection| {
        let status = rejection.status();
        if status == StatusCode::PAYLOAD_TOO_LARGE {
            let message = format!("expected a body like {expected}");
            return Refusal::new(status, "too_large", message);
        }
        Refusal::bad_request("the body did not arrive whole")
    })?;
    serde_json::from_slice(&body)
        .map_err(|error| Refusal::bad_request(format!("{error}; expected {expected}")))
}

/// `application/json`, with or without parameters.
fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok());
    content_type.is_some_and(|value| {
        let essence = value.split(';').next().unwrap_or_default();
        essence.trim().eq_ignore_ascii_case("application/json")
    })
}

/// Words that go into the record for ever: bounded, and without control characters that could forge
/// a line in a log or a terminal. Only a comment may have several lines.
pub(super) fn check_text(field: &str, text: &str, limit: usize) -> Result<(), Refusal> {
    if text.len() > limit {
        let message = format!("`{field}` is too long: at most {limit} bytes");
        return Err(Refusal::bad_request(message));
    }
    let forged = |symbol: char| symbol.is_control() && !(field == "comment" && symbol == '\n');
    if text.contains(forged) {
        let message = format!("`{field}` must not contain control characters");
        return Err(Refusal::bad_request(message));
    }
    Ok(())
}

/// How long, if it says so.
pub(super) fn span(text: Option<&str>) -> Result<Option<Duration>, Refusal> {
    let span = text.map(scalar::duration).transpose();
    span.map_err(|hint| Refusal::bad_request(format!("`for` is not a duration: {hint}")))
}
