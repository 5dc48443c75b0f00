//! `/api/v1/alarms`: the list and one alarm. What people do to them: [`super::commands`].

use std::time::Duration;

use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::App;
use super::reply::Refusal;
use super::view::Alarm;
use crate::engine::command::Denied;
use crate::engine::snapshot::{AlarmView, Snapshot};
use crate::evaluation::DeskError;
use crate::event::rfc3339;

/// The engine answers within this, or we say that it does not.
pub(super) const DEADLINE: Duration = Duration::from_secs(5);

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

/// The engine's present.
pub(super) async fn present(app: &App) -> Result<Snapshot, Refusal> {
    let snapshot = tokio::time::timeout(DEADLINE, app.desk.snapshot()).await;
    let snapshot = snapshot.map_err(|_elapsed| Refusal::silent("ask again"))?;
    Ok(snapshot?)
}

/// The alarm of this name, and its position.
pub(super) fn find<'a>(
    snapshot: &'a Snapshot,
    name: &str,
) -> Result<(usize, &'a AlarmView), Refusal> {
    let mut alarms = snapshot.alarms.iter().enumerate();
    let found = alarms.find(|(_, alarm)| &*alarm.alarm == name);
    found.ok_or_else(|| DeskError::Denied(Denied::UnknownAlarm(name.into())).into())
}

/// `POINT/kind`.
pub(super) fn alarm_name(
    path: Result<Path<(String, String)>, PathRejection>,
) -> Result<String, Refusal> {
    match path {
        Ok(Path((point, kind))) => Ok(format!("{point}/{kind}")),
        Err(_undecodable) => Err(Refusal::bad_request(
            "expected an alarm as POINT/KIND, percent-encoded UTF-8",
        )),
    }
}
