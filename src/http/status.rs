//! `GET /api/v1/status`: how the gateway is, on one page: what it watches and what it does not see, what
//! is wrong, who gets its events. For `forewarn status` and for whoever looks in from outside.
//!
//! When the engine or the disk does not answer, the page says so and has the rest.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::alarms::present;
use super::inputs::{self, Input};
use super::{App, health};
use crate::clock;
use crate::engine::reading::Quality;
use crate::engine::snapshot::{AlarmView, PointView, Snapshot};
use crate::event::rfc3339;
use crate::journal;
use crate::metrics::{Contact, Metrics, is_clock_synchronized};

/// Blind points that are named at most; how many there are is said.
const NAMED: usize = 100;

#[derive(Serialize)]
struct Status {
    version: &'static str,
    site: String,
    epoch: u64,
    time: String,
    /// What a restart would help against.
    problems: Vec<String>,
    /// What is wrong outside, or inhibited by people.
    degraded: Vec<String>,
    /// `null`: nobody can say.
    clock_synchronized: Option<bool>,
    journal: Journal,
    devices: Vec<Source>,
    brokers: Vec<Source>,
    /// What of their messages became no reading.
    inputs: Vec<Input>,
    outputs: Vec<Output>,
    /// Outputs that are not configured any more, and what they have not delivered. `null`: the disk does not say.
    stranded: Option<Vec<Stranded>>,
    /// `null`: the engine does not answer.
    points: Option<Points>,
    alarms: Option<Alarms>,
}

#[derive(Serialize)]
struct Journal {
    newest: u64,
    durable: bool,
    size_bytes: i64,
    limit_bytes: i64,
}

/// A device or a broker.
#[derive(Serialize)]
struct Source {
    id: String,
    contact: &'static str,
}

#[derive(Serialize)]
struct Output {
    id: String,
    contact: &'static str,
    /// Everything up to this event was accepted.
    accepted: u64,
    waiting: i64,
    aside: i64,
}

/// An output that is not configured any more, and what it has not delivered.
#[derive(Serialize)]
struct Stranded {
    id: String,
    events: u64,
    /// Set aside, or owed to single readers.
    put_by: u64,
    /// When the oldest of `events` happened.
    since: Option<String>,
    /// From then on `events` go; earlier when the journal is full.
    kept_until: Option<String>,
    put_by_until: Option<String>,
    /// What to do.
    message: String,
}

#[derive(Serialize)]
struct Points {
    total: usize,
    good: usize,
    uncertain: usize,
    bad: usize,
    /// Points without a value, the first [`NAMED`].
    blind: Vec<Blind>,
}

#[derive(Serialize)]
struct Blind {
    point: String,
    reason: Option<&'static str>,
    last_reading: Option<String>,
}

#[derive(Default, Serialize)]
struct Alarms {
    total: usize,
    active: usize,
    unacknowledged: usize,
    shelved: usize,
    suppressed: usize,
    out_of_service: usize,
}

/// How the gateway is.
pub(super) async fn status(State(app): State<App>) -> Response {
    let metrics = &app.metrics;
    let mut problems = health::stuck(metrics);
    let left = app.feed.stranded(clock::now());
    let (snapshot, left) = tokio::join!(present(&app), left);
    let snapshot = snapshot.ok();
    if snapshot.is_none() {
        problems.push("the engine does not answer".to_owned());
    }
    let identity = app.feed.identity();
    let (size_bytes, limit_bytes) = metrics.store();
    let status = Status {
        version: env!("CARGO_PKG_VERSION"),
        site: identity.site.to_string(),
        epoch: identity.epoch,
        time: rfc3339::format(clock::now().wall),
        problems,
        degraded: health::degraded(metrics),
        clock_synchronized: is_clock_synchronized(),
        journal: Journal {
            newest: app.feed.committed(),
            durable: metrics.is_journal_durable(),
            size_bytes,
            limit_bytes,
        },
        devices: sources(metrics.devices()),
        brokers: sources(metrics.brokers()),
        inputs: inputs::all(metrics),
        outputs: outputs(&app, metrics),
        stranded: left.ok().map(stranded),
        points: snapshot.as_ref().map(points),
        alarms: snapshot.as_ref().map(alarms),
    };
    Json(status).into_response()
}

fn sources(contacts: Vec<(String, Contact)>) -> Vec<Source> {
    let source = |(id, contact): (String, Contact)| Source {
        id,
        contact: contact.name(),
    };
    contacts.into_iter().map(source).collect()
}

fn outputs(app: &App, metrics: &Metrics) -> Vec<Output> {
    let output = |(id, contact): (String, Contact)| Output {
        contact: contact.name(),
        accepted: app.feed.cursor(&id),
        waiting: metrics.events_waiting(&id),
        aside: metrics.events_aside(&id),
        id,
    };
    metrics.outputs().into_iter().map(output).collect()
}

fn stranded(left: Vec<journal::Stranded>) -> Vec<Stranded> {
    let output = |left: journal::Stranded| Stranded {
        events: left.events,
        put_by: left.put_by,
        since: left.since.map(rfc3339::format),
        kept_until: left.kept_until.map(rfc3339::format),
        put_by_until: left.put_by_until.map(rfc3339::format),
        message: format!(
            "not configured any more: bring it back as [output.{}] and it goes on with them, or let them go",
            left.output
        ),
        id: left.output.to_string(),
    };
    left.into_iter().map(output).collect()
}

fn points(snapshot: &Snapshot) -> Points {
    let plant = snapshot.points.iter();
    let plant: Vec<&PointView> = plant.filter(|point| !is_own(&point.id)).collect();
    let count = |quality| {
        let points = plant.iter();
        points.filter(|point| point.quality == quality).count()
    };
    let blind = plant.iter().filter(|point| point.quality == Quality::Bad);
    let blind = blind.take(NAMED).map(|point| Blind {
        point: point.id.to_string(),
        reason: point.reason,
        last_reading: point.last_reading.map(rfc3339::format),
    });
    Points {
        total: plant.len(),
        good: count(Quality::Good),
        uncertain: count(Quality::Uncertain),
        bad: count(Quality::Bad),
        blind: blind.collect(),
    }
}

fn alarms(snapshot: &Snapshot) -> Alarms {
    let count =
        |is: fn(&AlarmView) -> bool| snapshot.alarms.iter().filter(|alarm| is(alarm)).count();
    Alarms {
        total: snapshot.alarms.len(),
        active: count(|alarm| alarm.state.is_active()),
        unacknowledged: count(|alarm| alarm.state.is_unacknowledged()),
        shelved: count(|alarm| alarm.overlays.shelved),
        suppressed: count(|alarm| alarm.overlays.suppressed),
        out_of_service: count(|alarm| alarm.overlays.out_of_service),
    }
}

/// A point about the gateway itself: what is wrong there, `degraded` says in words.
fn is_own(point: &str) -> bool {
    point.starts_with("gateway.")
}
