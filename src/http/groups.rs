//! First-out groups: `POST /api/v1/groups/{group}/reset-first-out`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::App;
use super::alarms::NAME_LIMIT;
use super::commands::{Asked, WORDS_LIMIT, ask, check_text, parse};
use super::reply::Refusal;
use crate::engine::command::{Action, Outcome};
use crate::event::rfc3339;

/// A good body, for messages.
const EXAMPLE: &str = r#"{"by":"who","reason":"optional","comment":"optional"}"#;

/// "What stands is known": the next alarm of the group comes first again.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reset {
    by: String,
    comment: Option<String>,
    reason: Option<String>,
}

#[derive(Serialize)]
struct Done<'a> {
    result: &'static str,
    group: &'a str,
    by: &'a str,
    at: String,
    durable: bool,
}

/// Frees a group.
pub(super) async fn reset_first_out(
    State(app): State<App>,
    path: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    let group = group_name(path)?;
    let reset: Reset = parse(&headers, body, EXAMPLE)?;
    let reason = reset.reason.as_deref().unwrap_or_default();
    check_text("reason", reason, WORDS_LIMIT)?;
    let asked = Asked {
        action: Action::ResetFirstOut {
            reason: reset.reason,
        },
        by: reset.by,
        comment: reset.comment,
    };
    let (answer, command) = ask(&app, group, asked).await?;
    let (result, by, at) = match &answer.outcome {
        Outcome::Accepted { at, .. } => ("accepted", &*command.by, *at),
        Outcome::AlreadyDone { first, .. } => ("already_done", &*first.by, first.at),
    };
    Ok(Json(Done {
        result,
        group: &command.alarm,
        by,
        at: rfc3339::format(at),
        durable: answer.durable,
    })
    .into_response())
}

/// A name that cannot be one of ours does not reach the engine, which would put it into the journal.
fn group_name(path: Result<Path<String>, PathRejection>) -> Result<String, Refusal> {
    match path {
        Ok(Path(group)) if group.len() < NAME_LIMIT => Ok(group),
        Ok(_too_long) => {
            let message = format!("no group has a name of more than {NAME_LIMIT} bytes");
            let status = StatusCode::NOT_FOUND;
            Err(Refusal::new(status, "unknown_group", message))
        }
        Err(_undecodable) => Err(Refusal::bad_request(
            "expected the id of a group, percent-encoded UTF-8",
        )),
    }
}
