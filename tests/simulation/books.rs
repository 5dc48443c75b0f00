//! What was shown, held against the journal and the counters.
//!
//! While the disk fails, events are shown from memory, marked as not stored. A power cut may then cost
//! them; it never costs one that was shown as stored.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use forewarn::engine::effect::EventKind;
use forewarn::engine::notice::Notice;
use forewarn::event::{Committed, WireEvent};
use forewarn::metrics::{Metrics, Names};
use rusqlite::{Connection, OpenFlags};

use super::Finding;
use super::life::Said;

/// Everything that was shown.
pub(super) struct Books {
    lines: Vec<Arc<str>>,
    /// What the journal has, or will have once its disk works: all of it but what power cuts have cost.
    kept: Vec<Kept>,
    /// So many of them, the oldest, were no longer there when the journal was looked at last.
    pruned: usize,
    ids: BTreeSet<String>,
    metrics: Metrics,
}

/// One event that was shown.
pub(super) struct Kept {
    pub(super) said: Said,
    pub(super) seq: u64,
    pub(super) line: Arc<str>,
    pub(super) id: String,
    /// Was it shown as stored?
    durable: bool,
}

impl Books {
    pub(super) fn new() -> Self {
        Self {
            lines: Vec::new(),
            kept: Vec::new(),
            pruned: 0,
            ids: BTreeSet::new(),
            metrics: Metrics::new(&Names::default()),
        }
    }

    /// One event is shown. P2: numbers rise by one, over restarts and steps of the clock; no id comes
    /// twice.
    pub(super) fn publish(&mut self, said: Said, shown: &Committed) -> Finding {
        self.metrics.observe(&said.event);
        self.lines.push(Arc::clone(&shown.line));
        let newest = self.kept.last().map_or(0, |newest| newest.seq);
        if shown.seq != newest + 1 {
            return Err(format!(
                "P2: number {} out of turn: {}",
                shown.seq, shown.line
            ));
        }
        let wire: WireEvent = serde_json::from_str(&shown.line).map_err(|e| e.to_string())?;
        if !self.ids.insert(wire.id.clone()) {
            return Err(format!("P2: an id came twice: {}", shown.line));
        }
        self.kept.push(Kept {
            said,
            seq: shown.seq,
            line: Arc::clone(&shown.line),
            id: wire.id,
            durable: shown.durable,
        });
        Ok(())
    }

    /// P1: what the journal has is what was shown, as it was shown, and nothing of what was shown as
    /// stored is missing. Gives what a power cut has cost.
    pub(super) fn after_power_cut(
        &mut self,
        journal: &Path,
        stored_upto: u64,
    ) -> Result<Vec<Kept>, String> {
        let stored = self.compare(journal)?;
        let lost = self.kept.split_off(stored);
        let stored = |kept: &&Kept| kept.durable || kept.seq <= stored_upto;
        match lost.iter().find(stored) {
            Some(kept) => Err(format!("P1: shown as stored, and lost: {}", kept.line)),
            None => Ok(lost),
        }
    }

    /// P1: what was shown is in the journal as it was shown, and nothing else is.
    pub(super) fn are_in(&mut self, journal: &Path) -> Finding {
        let stored = self.compare(journal)?;
        if stored != self.kept.len() {
            return Err(format!(
                "P1: {} events were shown, {stored} are stored",
                self.kept.len()
            ));
        }
        Ok(())
    }

    /// How many of the events have come into the journal, which has no others. The oldest may have had to
    /// make room.
    fn compare(&mut self, journal: &Path) -> Result<usize, String> {
        let stored = stored(journal).map_err(|error| format!("the journal: {error}"))?;
        let first = stored.first().map_or(1, |(seq, _)| *seq);
        self.pruned = self.kept.partition_point(|kept| kept.seq < first);
        let shown = self.kept.iter().skip(self.pruned);
        let shown = shown.map(|kept| (kept.seq, &*kept.line));
        let rows = stored.iter().map(|(seq, line)| (*seq, &**line));
        let differs = shown.zip(rows).find(|(a, b)| a != b);
        let upto = self.pruned + stored.len();
        if differs.is_some() || upto > self.kept.len() {
            return Err(format!(
                "P1: {} events were shown, {upto} are stored; the first that differ: {differs:?}",
                self.kept.len()
            ));
        }
        Ok(upto)
    }

    /// What the journal has or had.
    pub(super) fn kept(&self) -> &[Kept] {
        &self.kept
    }

    /// What had to make room in it.
    pub(super) fn pruned(&self) -> &[Kept] {
        self.kept.get(..self.pruned).unwrap_or_default()
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
        | EventKind::Confirmed
        | EventKind::FirstOutReset
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

fn stored(journal: &Path) -> Result<Vec<(u64, String)>, rusqlite::Error> {
    let reader = Connection::open_with_flags(journal, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut select = reader.prepare("SELECT seq, line FROM event ORDER BY seq")?;
    let rows = select.query_map([], |row| {
        Ok((row.get::<_, i64>(0)?.unsigned_abs(), row.get(1)?))
    })?;
    rows.collect()
}
