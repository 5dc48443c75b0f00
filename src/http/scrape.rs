//! `GET /metrics`. Answers whatever else is broken: when the engine does not, the series of points
//! and alarms are absent and everything else is there.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use tokio::sync::Mutex;

use super::App;
use super::reply::Refusal;
use crate::clock;
use crate::engine::time::Mono;

/// The engine is asked for the present this long.
const ENGINE_DEADLINE: Duration = Duration::from_secs(1);

/// A text this young is given again: many scrapers cost no more than one.
const CACHED_FOR: Duration = Duration::from_secs(1);

/// The text format 0.0.4.
const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The last text. The lock is held while a new one is made, so that scrapers that come together
/// wait for one and the same.
#[derive(Debug, Default)]
pub(super) struct Scrape {
    last: Mutex<Option<(Mono, Bytes)>>,
}

/// Everything in Prometheus' text format.
pub(super) async fn metrics(State(app): State<App>) -> Result<Response, Refusal> {
    let text = text(&app).await?;
    Ok(([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response())
}

async fn text(app: &App) -> Result<Bytes, Refusal> {
    let mut last = app.scrape.last.lock().await;
    if let Some((made, text)) = &*last
        && clock::monotonic().since(*made) < CACHED_FOR
    {
        return Ok(text.clone());
    }
    // With thousands of points a text is megabytes; the old one's room goes to the new one.
    *last = None;
    let snapshot = tokio::time::timeout(ENGINE_DEADLINE, app.desk.snapshot()).await;
    let snapshot = snapshot.ok().and_then(Result::ok);
    let metrics = Arc::clone(&app.metrics);
    // Milliseconds of work with thousands of points, and reads from /proc.
    let text = tokio::task::spawn_blocking(move || metrics.render(snapshot.as_ref())).await;
    let Ok(text) = text else {
        return Err(Refusal::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "no_metrics",
            "the metrics could not be written",
        ));
    };
    let text = Bytes::from(text);
    *last = Some((clock::monotonic(), text.clone()));
    Ok(text)
}
