//! `/api/v1/alarms`: the list, one alarm, acknowledge and reset.
//!
//! A command is JSON and nothing else: a form of a stranger's page cannot have that content type
//! without asking first, and we never say yes. Unknown fields are refused: a misspelt `occurrence`
//! would otherwise acknowledge another one than was meant.

use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::App;
use super::reply::Refusal;
use super::view::Alarm;
use crate::engine::command::{Action, Command, Denied, Outcome};
use crate::engine::snapshot::{AlarmView, Snapshot};
use crate::evaluation::DeskError;
use crate::event::rfc3339;

/// The engine answers within this, or we say that it does not.
const DEADLINE: Duration = Duration::from_secs(5);

/// Longest name of a person, bytes.
const NAME_LIMIT: usize = 200;

/// Longest comment, bytes.
const COMMENT_LIMIT: usize = 4000;

/// Which alarms a list shows.
#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Shown {
    #[default]
    All,
    /// The condition is true.
    Active,
    /// This occurrence or an older one waits for an acknowledgement.
    Unacknowledged,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Question {
    #[serde(default)]
    state: Shown,
}

#[derive(Serialize)]
struct Alarms<'a> {
    time: String,
    alarms: Vec<Alarm<'a>>,
}

/// Alarms in configuration order.
pub(super) async fn list(
    State(app): State<App>,
    question: Result<Query<Question>, QueryRejection>,
) -> Result<Response, Refusal> {
    let Ok(Query(question)) = question else {
        return Err(Refusal::bad_request(
            "expected `state=all`, `state=active` or `state=unacknowledged`, and nothing else",
        ));
    };
    let snapshot = present(&app).await?;
    let shown = |alarm: &AlarmView| match question.state {
        Shown::All => true,
        Shown::Active => alarm.state.is_active(),
        Shown::Unacknowledged => alarm.state.is_unacknowledged() || alarm.older_unacknowledged > 0,
    };
    let alarms = snapshot.alarms.iter().enumerate();
    let alarms = alarms
        .filter(|(_, alarm)| shown(alarm))
        .map(|(index, alarm)| Alarm::new(alarm, app.guidance.get(index)));
    let alarms = Alarms {
        time: rfc3339::format(snapshot.at.wall),
        alarms: alarms.collect(),
    };
    Ok(Json(alarms).into_response())
}

/// One alarm.
pub(super) async fn one(
    State(app): State<App>,
    path: Result<Path<(String, String)>, PathRejection>,
) -> Result<Response, Refusal> {
    let name = alarm_name(path)?;
    let snapshot = present(&app).await?;
    let (index, alarm) = find(&snapshot, &name)?;
    Ok(Json(Alarm::new(alarm, app.guidance.get(index))).into_response())
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Acknowledge {
    by: String,
    #[serde(default)]
    comment: Option<String>,
    #[serde(default)]
    occurrence: Option<u64>,
}

/// "I have recognised it."
pub(super) async fn acknowledge(
    State(app): State<App>,
    path: Result<Path<(String, String)>, PathRejection>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    let alarm = alarm_name(path)?;
    let expected =
        r#"{"by":"who","comment":"optional","occurrence":1}; without `occurrence` the newest"#;
    let body: Acknowledge = parse(&headers, body, expected)?;
    let action = Action::Acknowledge {
        occurrence: body.occurrence,
    };
    command(&app, alarm, action, body.by, body.comment).await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reset {
    by: String,
    #[serde(default)]
    comment: Option<String>,
    #[serde(default)]
    occurrence: Option<u64>,
    #[serde(default)]
    verified_independently: bool,
}

/// Releases a latched alarm.
pub(super) async fn reset(
    State(app): State<App>,
    path: Result<Path<(String, String)>, PathRejection>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    let alarm = alarm_name(path)?;
    let expected = r#"{"by":"who","comment":"optional","occurrence":1,"verified_independently":true}; only `by` is required"#;
    let body: Reset = parse(&headers, body, expected)?;
    if let Some(asked) = body.occurrence {
        // A reset always means the newest occurrence. A newer one could begin between this look and
        // the reset only unacknowledged, and is then refused by the engine.
        let snapshot = present(&app).await?;
        let newest = find(&snapshot, &alarm)?.1.occurrence;
        if asked != newest {
            return Err(DeskError::Denied(Denied::UnknownOccurrence { asked, newest }).into());
        }
    }
    let action = Action::Reset {
        verified_independently: body.verified_independently,
    };
    command(&app, alarm, action, body.by, body.comment).await
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

/// Asks the engine and waits for the commit.
async fn command(
    app: &App,
    alarm: String,
    action: Action,
    by: String,
    comment: Option<String>,
) -> Result<Response, Refusal> {
    check_words(&by, comment.as_deref())?;
    let command = Command {
        alarm: alarm.clone(),
        action,
        by: by.clone(),
        comment,
    };
    let answer = tokio::time::timeout(DEADLINE, app.desk.command(command)).await;
    let answer = answer.map_err(|_elapsed| {
        Refusal::silent("the command may still take effect: look at the alarm before you repeat it")
    })??;
    let (result, occurrence, by, at) = match &answer.outcome {
        Outcome::Accepted { occurrence, at } => ("accepted", *occurrence, &*by, *at),
        Outcome::AlreadyDone { occurrence, first } => {
            ("already_done", *occurrence, &*first.by, first.at)
        }
    };
    Ok(Json(Done {
        result,
        alarm: &alarm,
        occurrence,
        by,
        at: rfc3339::format(at),
        durable: answer.durable,
    })
    .into_response())
}

/// The engine's present.
pub(super) async fn present(app: &App) -> Result<Snapshot, Refusal> {
    let snapshot = tokio::time::timeout(DEADLINE, app.desk.snapshot()).await;
    let snapshot = snapshot.map_err(|_elapsed| Refusal::silent("ask again"))?;
    Ok(snapshot?)
}

fn find<'a>(snapshot: &'a Snapshot, name: &str) -> Result<(usize, &'a AlarmView), Refusal> {
    let mut alarms = snapshot.alarms.iter().enumerate();
    let found = alarms.find(|(_, alarm)| &*alarm.alarm == name);
    found.ok_or_else(|| DeskError::Denied(Denied::UnknownAlarm(name.into())).into())
}

/// `POINT/kind`.
fn alarm_name(path: Result<Path<(String, String)>, PathRejection>) -> Result<String, Refusal> {
    match path {
        Ok(Path((point, kind))) => Ok(format!("{point}/{kind}")),
        Err(_undecodable) => Err(Refusal::bad_request(
            "expected an alarm as POINT/KIND, percent-encoded UTF-8",
        )),
    }
}

/// A JSON body, or what was expected.
fn parse<T: DeserializeOwned>(
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
/// a line in a log or a terminal.
fn check_words(by: &str, comment: Option<&str>) -> Result<(), Refusal> {
    let comment = comment.unwrap_or_default();
    for (field, text, limit) in [("by", by, NAME_LIMIT), ("comment", comment, COMMENT_LIMIT)] {
        if text.len() > limit {
            let message = format!("`{field}` is too long: at most {limit} bytes");
            return Err(Refusal::bad_request(message));
        }
        let forged = |symbol: char| symbol.is_control() && !(field == "comment" && symbol == '\n');
        if text.contains(forged) {
            let message = format!("`{field}` must not contain control characters");
            return Err(Refusal::bad_request(message));
        }
    }
    if by.trim().is_empty() {
        return Err(DeskError::Denied(Denied::NoName).into());
    }
    Ok(())
}
