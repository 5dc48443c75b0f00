//! What a replay counted: per point what became of its readings, per outcome the commands. Counts go
//! on over kills and starts, as the input does.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;

use crate::engine::snapshot::{ReadingCounts, Snapshot};

/// Outcome of a command that came between a kill and the next start.
pub(super) const NOT_RUNNING: &str = "not_running";

/// The counts of all lives so far.
#[derive(Debug, Clone)]
pub(super) struct Summary {
    /// Every point of the plant, in the engine's order.
    points: Vec<(Arc<str>, ReadingCounts)>,
    outcomes: BTreeMap<&'static str, u64>,
}

impl Summary {
    /// Nothing counted yet. The gateway's own points are no part of the input and are left out.
    pub(super) fn new(points: impl Iterator<Item = Arc<str>>) -> Self {
        Self {
            points: points
                .filter(|id| !id.starts_with("gateway."))
                .map(|id| (id, ReadingCounts::default()))
                .collect(),
            outcomes: BTreeMap::new(),
        }
    }

    /// Adds what an engine counted from its start to its end.
    pub(super) fn add(&mut self, end: &Snapshot) {
        for (id, sum) in &mut self.points {
            if let Some(point) = end.points.iter().find(|point| point.id == *id) {
                *sum += point.counts;
            }
        }
    }

    pub(super) fn command(&mut self, outcome: &'static str) {
        *self.outcomes.entry(outcome).or_default() += 1;
    }

    /// A JSON line per point, then one per outcome.
    pub(super) fn write(&self, out: &mut impl Write) -> std::io::Result<()> {
        for (id, counts) in &self.points {
            let refused = BTreeMap::from(counts.refused());
            let line = serde_json::json!({
                "summary": &**id,
                "accepted": counts.accepted,
                "duplicate": counts.duplicate,
                "late": counts.late,
                "reordered": counts.reordered,
                "refused": refused,
                "bad": counts.bad(),
            });
            writeln!(out, "{line}")?;
        }
        for (outcome, count) in &self.outcomes {
            let line = serde_json::json!({ "command": outcome, "count": count });
            writeln!(out, "{line}")?;
        }
        Ok(())
    }
}
