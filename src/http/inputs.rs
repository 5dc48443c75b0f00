//! `GET /api/v1/inputs`: the brokers that are read from, and what of their messages became no reading.
//!
//! Bounded by the configuration: one line for each broker and reason.

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use super::App;
use crate::clock;
use crate::event::rfc3339;
use crate::metrics::{Contact, Metrics, Refused};

#[derive(Serialize)]
pub(super) struct Inputs {
    time: String,
    inputs: Vec<Input>,
}

/// A broker, and what of its messages became no reading.
#[derive(Serialize)]
pub(super) struct Input {
    broker: String,
    /// `null` before the first attempt has ended.
    connected: Option<bool>,
    refused: Vec<Line>,
}

/// One reason, and the last message that was refused for it.
#[derive(Serialize)]
struct Line {
    reason: &'static str,
    count: u64,
    last: Last,
}

#[derive(Serialize)]
struct Last {
    time: String,
    topic: String,
    detail: String,
}

/// Every broker.
pub(super) async fn list(State(app): State<App>) -> Json<Inputs> {
    Json(Inputs {
        time: rfc3339::format(clock::now().wall),
        inputs: all(&app.metrics),
    })
}

/// The same without its time.
pub(super) fn all(metrics: &Metrics) -> Vec<Input> {
    let brokers = metrics.brokers().into_iter();
    let inputs = brokers.map(|(broker, contact)| Input {
        connected: match contact {
            Contact::Never => None,
            Contact::Lost => Some(false),
            Contact::Up => Some(true),
        },
        refused: metrics.refusals(&broker).into_iter().map(line).collect(),
        broker,
    });
    inputs.collect()
}

fn line(refused: Refused) -> Line {
    Line {
        reason: refused.reason,
        count: refused.count,
        last: Last {
            time: rfc3339::format(refused.last.at),
            topic: refused.last.topic,
            detail: refused.last.detail,
        },
    }
}
