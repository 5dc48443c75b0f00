//! `GET /api/v1/points`

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::App;
use super::alarms::present;
use super::reply::Refusal;
use super::view::{self, Point};
use crate::event::rfc3339;

#[derive(Serialize)]
struct Points<'a> {
    time: String,
    points: Vec<Point<'a>>,
}

/// Every point now, in configuration order.
pub(super) async fn list(State(app): State<App>) -> Result<Response, Refusal> {
    let snapshot = present(&app).await?;
    let names = view::names(&app.guidance);
    let points = snapshot.points.iter();
    let points = points.map(|point| Point::new(point, names.get(&*point.id).copied()));
    let points = Points {
        time: rfc3339::format(snapshot.at.wall),
        points: points.collect(),
    };
    Ok(Json(points).into_response())
}
