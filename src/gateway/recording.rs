//! Telemetry meets the journal, which goes first.

use std::sync::Arc;
use std::time::Duration;

use crate::config::Config;
use crate::journal::Journal;
use crate::metrics::Metrics;
use crate::telemetry::{self, JournalState, Names, Tap, Telemetry};

/// Starts what records, if an output carries telemetry.
pub(super) fn start(
    config: &Config,
    journal: &Journal,
    metrics: &Arc<Metrics>,
) -> Option<(Telemetry, Tap)> {
    let settings = config.telemetry.as_ref()?;
    let points = config.engine.points.iter();
    let names = points.map(|point| (Arc::clone(&point.id), Arc::clone(&point.unit)));
    let carriers = config.outputs.iter();
    let carriers = carriers.filter(|output| output.target.carries_telemetry());
    let outputs: Vec<_> = carriers.map(|output| Arc::clone(&output.id)).collect();
    let health = journal.health();
    let state = move || {
        let health = health.borrow();
        match (health.durable, health.reason) {
            (true, _) => JournalState::Sound,
            (false, Some("full")) => JournalState::DiskFull,
            (false, _) => JournalState::Volatile,
        }
    };
    let metrics = Arc::clone(metrics);
    Some(telemetry::start(
        settings,
        Names::new(names),
        &outputs,
        state,
        metrics,
    ))
}

/// Brings to disk what waits, events and telemetry at one time. `true`: every event is there.
pub(super) async fn close(
    journal: Journal,
    telemetry: Option<Telemetry>,
    deadline: Duration,
) -> bool {
    let telemetry = async {
        if let Some(telemetry) = telemetry {
            telemetry.close(deadline).await;
        }
    };
    let (stored, ()) = tokio::join!(journal.close(deadline), telemetry);
    stored
}
