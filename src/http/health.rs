//! `/healthz`: does the process work? A restart would help if not. `/readyz`: does it watch the
//! plant? It does once every source was heard or found silent, and as long as one of them is there; a
//! restart would not help.
//!
//! Neither asks the engine: a page about a stuck engine must not be stuck. What is broken outside
//! (a silent device among others, a full disk, events that were lost), or inhibited by people, is listed as `degraded` and
//! fails neither: the gateway is at work, and an alarm of its own says what is wrong.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::App;
use crate::metrics::{Contact, HEARTBEAT_LIMIT, Metrics};

#[derive(Serialize)]
struct Health {
    status: &'static str,
    problems: Vec<String>,
    degraded: Vec<String>,
}

/// 200 while every task makes progress, else 503.
pub(super) async fn healthz(State(app): State<App>) -> Response {
    answer("ok", "failing", stuck(&app.metrics), &app.metrics)
}

/// 200 once every source was heard or found silent, one at least is there, and every task makes
/// progress, else 503.
pub(super) async fn readyz(State(app): State<App>) -> Response {
    let mut problems = stuck(&app.metrics);
    let unheard = |kind: &str, contacts: Vec<(String, Contact)>, what: &str| {
        let never = contacts
            .into_iter()
            .filter(|(_, contact)| *contact == Contact::Never);
        never
            .map(|(id, _)| format!("{kind} {id}: {what}"))
            .collect::<Vec<String>>()
    };
    let metrics = &app.metrics;
    problems.extend(unheard("device", metrics.devices(), "not polled yet"));
    problems.extend(unheard("broker", metrics.brokers(), "not tried yet"));
    let mut sources = metrics.devices();
    sources.extend(metrics.brokers());
    if !sources.is_empty() && sources.iter().all(|(_, contact)| *contact == Contact::Lost) {
        problems
            .push("no device answers and no broker is connected: nothing is watched".to_owned());
    }
    answer("ready", "not_ready", problems, metrics)
}

fn answer(
    good: &'static str,
    bad: &'static str,
    problems: Vec<String>,
    metrics: &Metrics,
) -> Response {
    let (code, status) = if problems.is_empty() {
        (StatusCode::OK, good)
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, bad)
    };
    let health = Health {
        status,
        problems,
        degraded: degraded(metrics),
    };
    (code, Json(health)).into_response()
}

pub(super) fn stuck(metrics: &Metrics) -> Vec<String> {
    let words = |task: crate::metrics::Heartbeat| {
        let (name, age) = (task.task, task.age.as_secs());
        let limit = HEARTBEAT_LIMIT.as_secs();
        format!("task {name}: no progress for {age} s (limit {limit} s)")
    };
    metrics.stuck_tasks().into_iter().map(words).collect()
}

pub(super) fn degraded(metrics: &Metrics) -> Vec<String> {
    let mut degraded = Vec::new();
    if !metrics.is_journal_durable() {
        degraded.push("journal: events are kept in memory only, the disk fails".to_owned());
    }
    let dropped = metrics.events_dropped();
    if dropped > 0 {
        degraded.push(format!(
            "journal: events lost since start because memory was full: {dropped}"
        ));
    }
    let inhibited = metrics.inhibited();
    if inhibited > 0 {
        degraded.push(format!("hazard points inhibited: {inhibited}"));
    }
    for (kind, contacts, what) in [
        ("device", metrics.devices(), "does not answer"),
        ("broker", metrics.brokers(), "not connected"),
        ("output", metrics.outputs(), "not connected"),
    ] {
        let absent = contacts
            .into_iter()
            .filter(|(_, contact)| *contact != Contact::Up);
        degraded.extend(absent.map(|(id, _)| format!("{kind} {id}: {what}")));
    }
    degraded.extend(metrics.troubles());
    for (id, _) in metrics.outputs() {
        let aside = metrics.events_aside(&id);
        if aside > 0 {
            degraded.push(format!(
                "output {id}: events it refuses, set aside: {aside}"
            ));
        }
    }
    degraded
}
