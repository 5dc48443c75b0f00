//! Drills: `/api/v1/alarms/{point}/{kind}/drill`. The path is the name of the drill, so that no command
//! meant for it reaches the real alarm, and none meant for that reaches the drill.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::App;
use super::alarms::{alarm_name, find, present};
use super::commands::{Asked, Deed, Order, WORDS_LIMIT, check_text, span};
use super::reply::Refusal;
use super::view;
use crate::engine::command::{Action, Denied, Drilling};
use crate::engine::drill;

/// Exercises an alarm.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Drill {
    by: String,
    comment: Option<String>,
    #[serde(default)]
    reason: String,
    #[serde(rename = "for")]
    span: Option<String>,
}

impl Order for Drill {
    const EXAMPLE: &'static str =
        r#"{"by":"who","reason":"why","for":"10min"}; without `for` a quarter of an hour"#;
    const OF_DRILL: bool = true;

    fn asked(self) -> Result<Asked, Refusal> {
        check_text("reason", &self.reason, WORDS_LIMIT)?;
        let action = Action::Drill(Drilling {
            span: span(self.span.as_deref())?,
            reason: self.reason,
        });
        Ok(Asked {
            action,
            by: self.by,
            comment: self.comment,
        })
    }
}

/// "I have recognised it", of a drill: once and for all.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AcknowledgeDrill {
    by: String,
    comment: Option<String>,
    occurrence: Option<u64>,
}

impl Order for AcknowledgeDrill {
    const EXAMPLE: &'static str = r#"{"by":"who","comment":"optional","occurrence":1}"#;
    const OF_DRILL: bool = true;

    fn asked(self) -> Result<Asked, Refusal> {
        let action = Action::Acknowledge {
            occurrence: self.occurrence,
            span: None,
        };
        Ok(Asked {
            action,
            by: self.by,
            comment: self.comment,
        })
    }
}

/// Ends a drill before its time.
#[derive(Debug)]
pub(super) struct EndDrill;

impl Deed for EndDrill {
    const ACTION: Action = Action::EndDrill;
    const OF_DRILL: bool = true;
}

/// The drill of an alarm, while it runs or waits for an acknowledgement.
pub(super) async fn one(
    State(app): State<App>,
    path: Result<Path<(String, String)>, PathRejection>,
) -> Result<Response, Refusal> {
    let alarm = alarm_name(path)?;
    let snapshot = present(&app).await?;
    let (index, _) = find(&snapshot, &alarm)?;
    let name = drill::name(&alarm);
    let mut drills = snapshot.drills.iter();
    let open = drills.find(|drill| *drill.record.alarm == *name);
    let open = open.ok_or_else(|| {
        let denied = Denied::NoDrill;
        Refusal::new(StatusCode::NOT_FOUND, denied.name(), denied.to_string())
    })?;
    let (guidance, responsible) = app.about(index, snapshot.at.wall);
    Ok(Json(view::Drill::new(open, guidance, responsible)).into_response())
}
