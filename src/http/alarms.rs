//! `/api/v1/alarms`: the list and one alarm. What people do to them: [`super::commands`].

use std::time::Duration;

use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::listing::List;
use super::reply::Refusal;
use super::view::{Alarm, Drill};
use super::{App, listing};
use crate::engine::alarm::AlarmState;
use crate::engine::command::Denied;
use crate::engine::snapshot::{AlarmView, Snapshot};
use crate::evaluation::DeskError;

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
    /// An occurrence waits for a confirmation.
    Unconfirmed,
    /// Whatever is not simply normal: any of these, latched, or under an overlay.
    Standing,
}

impl Shown {
    fn shows(self, alarm: &AlarmView) -> bool {
        match self {
            Self::All => true,
            Self::Active => alarm.state.is_active(),
            Self::Unacknowledged => {
                alarm.state.is_unacknowledged() || alarm.older_unacknowledged > 0
            }
            Self::Unconfirmed => !alarm.unconfirmed.is_empty(),
            Self::Standing => {
                alarm.state != AlarmState::Normal
                    || !alarm.overlays.is_empty()
                    || alarm.older_unacknowledged > 0
                    || !alarm.unconfirmed.is_empty()
            }
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Question {
    #[serde(default)]
    state: Shown,
}

/// Alarms in configuration order; drills in a list of their own, whatever alarms are asked for.
pub(super) async fn list(
    State(app): State<App>,
    question: Result<Query<Question>, QueryRejection>,
) -> Result<Response, Refusal> {
    let Ok(Query(question)) = question else {
        return Err(Refusal::bad_request(
            "expected `state=all`, `state=active`, `state=unacknowledged`, `state=unconfirmed` or \
             `state=standing`, and nothing else",
        ));
    };
    let turn = app.lists.take().await?;
    let snapshot = present(&app).await?;
    let time = snapshot.at.wall;
    let mut alarms = snapshot.alarms.into_iter().enumerate();
    let words = app.clone();
    let next_alarm = move |text: &mut Vec<u8>| {
        let Some((index, alarm)) = alarms.find(|(_, alarm)| question.state.shows(alarm)) else {
            return false;
        };
        let (guidance, responsible) = words.about(index, time);
        listing::write(text, &Alarm::new(&alarm, guidance, responsible));
        true
    };
    let mut drills = snapshot.drills.into_iter();
    let next_drill = move |text: &mut Vec<u8>| {
        let Some(drill) = drills.next() else {
            return false;
        };
        let (guidance, responsible) = app.about(drill.of.0 as usize, time);
        listing::write(text, &Drill::new(&drill, guidance, responsible));
        true
    };
    let lists: [List; 2] = [
        ("alarms", Box::new(next_alarm)),
        ("drills", Box::new(next_drill)),
    ];
    Ok(listing::answer(turn, time, lists))
}

/// One alarm.
pub(super) async fn one(
    State(app): State<App>,
    path: Result<Path<(String, String)>, PathRejection>,
) -> Result<Response, Refusal> {
    let name = alarm_name(path)?;
    let snapshot = present(&app).await?;
    let (index, alarm) = find(&snapshot, &name)?;
    let (guidance, responsible) = app.about(index, snapshot.at.wall);
    Ok(Json(Alarm::new(alarm, guidance, responsible)).into_response())
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

/// Longest name of an alarm that is asked for, bytes: longer than any that can be configured.
pub(super) const NAME_LIMIT: usize = 300;

/// `POINT/kind`. A name that cannot be one of ours does not reach the engine, which would put it into the
/// journal.
pub(super) fn alarm_name(
    path: Result<Path<(String, String)>, PathRejection>,
) -> Result<String, Refusal> {
    match path {
        Ok(Path((point, kind))) if point.len() + kind.len() < NAME_LIMIT => {
            Ok(format!("{point}/{kind}"))
        }
        Ok(_too_long) => {
            let message = format!("no alarm has a name of more than {NAME_LIMIT} bytes");
            let status = StatusCode::NOT_FOUND;
            Err(Refusal::new(status, "unknown_alarm", message))
        }
        Err(_undecodable) => Err(Refusal::bad_request(
            "expected an alarm as POINT/KIND, percent-encoded UTF-8",
        )),
    }
}
