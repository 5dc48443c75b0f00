//! What was published, held against the journal and the counters.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use forewarn::engine::effect::{Event, EventKind};
use forewarn::engine::notice::Notice;
use forewarn::event::{Committed, WireEvent};
use forewarn::metrics::{Metrics, Names};
use rusqlite::{Connection, OpenFlags};

use super::Finding;

/// Everything that left the gateway.
pub(super) struct Books {
    lines: Vec<Arc<str>>,
    ids: BTreeSet<String>,
    metrics: Metrics,
}

impl Books {
    pub(super) fn new() -> Self {
        Self {
            lines: Vec::new(),
            ids: BTreeSet::new(),
            metrics: Metrics::new(&Names::default()),
        }
    }

    /// One event is shown. P2: numbers rise by one, over restarts and steps of the clock; no id comes
    /// twice.
    pub(super) fn publish(&mut self, event: &Event, shown: &Committed) -> Finding {
        self.metrics.observe(event);
        self.lines.push(Arc::clone(&shown.line));
        if shown.seq != self.lines.len() as u64 {
            return Err(format!(
                "P2: number {} out of turn: {}",
                shown.seq, shown.line
            ));
        }
        let wire: WireEvent = serde_json::from_str(&shown.line).map_err(|e| e.to_string())?;
        if !self.ids.insert(wire.id) {
            return Err(format!("P2: an id came twice: {}", shown.line));
        }
        Ok(())
    }

    /// P1: what was shown is in the journal as it was shown, and nothing else is.
    pub(super) fn are_in(&self, journal: &Path) -> Finding {
        let stored = stored(journal).map_err(|error| format!("the journal: {error}"))?;
        let differs = self.lines.iter().zip(&stored).find(|(a, b)| ***a != **b);
        if differs.is_some() || stored.len() != self.lines.len() {
            return Err(format!(
                "P1: {} events were shown, {} are stored; the first that differ: {differs:?}",
                self.lines.len(),
                stored.len()
            ));
        }
        Ok(())
    }

    /// P20: the counters are what the journal's lines add up to.
    pub(super) fn agree_with_counters(&self) -> Finding {
        let mut counted = BTreeMap::new();
        for line in &self.lines {
            let event: WireEvent = serde_json::from_str(line).map_err(|e| e.to_string())?;
            if let Some(series) = series(&event) {
                *counted.entry(series).or_default() += 1;
            }
        }
        let exported = self.exported()?;
        if counted != exported {
            return Err(format!(
                "P20: the journal says {counted:?}, the counters say {exported:?}"
            ));
        }
        Ok(())
    }

    /// Counters that an event moves, without those at zero.
    fn exported(&self) -> Result<BTreeMap<String, u64>, String> {
        let names = [
            "forewarn_alarm_transitions_total",
            "forewarn_notifications_total",
        ];
        let page = self.metrics.render(None);
        let mut exported = BTreeMap::new();
        for line in page.lines() {
            if !names
                .iter()
                .any(|name| line.starts_with(&format!("{name}{{")))
            {
                continue;
            }
            let (series, count) = line.rsplit_once(' ').ok_or("a series without a value")?;
            let count: u64 = count.parse().map_err(|_| format!("not a count: {line}"))?;
            if count > 0 {
                exported.insert(series.to_owned(), count);
            }
        }
        Ok(exported)
    }

    pub(super) fn into_lines(self) -> Vec<Arc<str>> {
        self.lines
    }
}

/// The counter that an event of the journal belongs to.
fn series(event: &WireEvent) -> Option<String> {
    if event.test {
        return None;
    }
    let all_clear = (event.event == EventKind::AllClear).then_some("all_clear");
    if let Some(notice) = all_clear.or(event.notice.map(Notice::name)) {
        return Some(format!(
            "forewarn_notifications_total{{notice=\"{notice}\"}}"
        ));
    }
    let to = match event.event {
        EventKind::Raised
        | EventKind::Cleared
        | EventKind::Acknowledged
        | EventKind::Reset
        | EventKind::Realarmed => event.state?.name(),
        EventKind::Shelved | EventKind::Suppressed | EventKind::OutOfService => event.event.name(),
        EventKind::Unshelved
        | EventKind::Unsuppressed
        | EventKind::InService
        | EventKind::Notified
        | EventKind::AllClear
        | EventKind::Changed
        | EventKind::CommandRejected
        | EventKind::CommandIgnored
        | EventKind::ClockStepped
        | EventKind::MonitoringGap
        | EventKind::ConfigChanged
        | EventKind::Started
        | EventKind::Stopped => return None,
    };
    let area = event.area.as_deref().unwrap_or_default();
    let priority = event.priority?.name();
    Some(format!(
        "forewarn_alarm_transitions_total{{area=\"{area}\",priority=\"{priority}\",to=\"{to}\"}}"
    ))
}

fn stored(journal: &Path) -> Result<Vec<String>, rusqlite::Error> {
    let reader = Connection::open_with_flags(journal, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut select = reader.prepare("SELECT line FROM event ORDER BY seq")?;
    let rows = select.query_map([], |row| row.get(0))?;
    rows.collect()
}
