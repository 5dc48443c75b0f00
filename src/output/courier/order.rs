//! Which readers must have something else first: what is new about an alarm does not overtake what a reader is owed about
//! it. An all-clear before its page, or a page of yesterday after today's, misleads.
//!
//! ```text
//!   an event goes out ──▶ is any of its readers owed an earlier event of its alarm?
//!                             ├── no ──▶ they get it now
//!                             └── yes ─▶ behind: it is owed to them, too, untried, and goes after that one
//! ```
//!
//! What is stuck ([`Carrier::is_stuck`]) holds back nothing: that it is late is its own doing.
//!
//! Other readers get it at once, and these readers get at once what other alarms say. What is owed is kept by numbers
//! alone; of which alarms it is, is read from the journal when it is first asked for. A disk that does not give it holds nothing back: a
//! message out of order is better than none.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::time::timeout;

use super::lanes::{DISK_PATIENCE, DISK_RESTS, PAGE};
use super::{Carrier, Courier, Parcel};
use crate::clock;
use crate::event::{Committed, WireEvent};

/// Of which alarms is what is owed? By the number of the event; as many as are owed.
#[derive(Debug, Default)]
pub(super) struct Alarms(BTreeMap<u64, Vec<Arc<str>>>);

impl Alarms {
    fn learn(&mut self, event: &Committed) {
        let understood: Option<WireEvent> = serde_json::from_str(&event.line).ok();
        let alarms = understood.map(|event| names(&event).cloned().collect());
        self.0.insert(event.seq, alarms.unwrap_or_default());
    }

    /// Do both tell of one alarm?
    fn is_same(&self, seq: u64, event: &WireEvent) -> bool {
        let known = self.0.get(&seq).map_or(&[][..], Vec::as_slice);
        names(event).any(|name| known.contains(name))
    }
}

/// The alarms that an event tells of; of a drill they are others.
fn names(event: &WireEvent) -> impl Iterator<Item = &Arc<str>> {
    event.alarm.iter().chain(&event.alarms)
}

impl<C: Carrier> Courier<C> {
    /// Readers of the event who are owed an earlier one of its alarm, which is not stuck.
    pub(super) async fn behind(&mut self, parcel: &Parcel) -> Vec<Arc<str>> {
        if self.owed.before(parcel.seq).next().is_none() {
            return Vec::new();
        }
        self.learn_alarms(parcel.seq).await;
        let mut behind = self.carrier.readers(&parcel.event);
        let earlier = self.owed.before(parcel.seq);
        let earlier = earlier.filter(|(seq, _)| self.alarms.is_same(*seq, &parcel.event));
        let owed: Vec<(u64, &[Arc<str>])> = earlier.collect();
        behind.retain(|reader| {
            let mut mine = owed.iter().filter(|(_, waiting)| waiting.contains(reader));
            mine.any(|(seq, _)| !self.carrier.is_stuck(reader, *seq))
        });
        behind
    }

    /// Reads what is owed before the event `seq` and is not known yet.
    async fn learn_alarms(&mut self, seq: u64) {
        if self.alarms.0.len() > self.owed.len() {
            let owed = &self.owed;
            self.alarms.0.retain(|seq, _| owed.has(*seq));
        }
        let until = clock::monotonic() + DISK_PATIENCE;
        while let Some(first) = self.unknown_before(seq)
            && (self.disk_rests_until..until).contains(&clock::monotonic())
        {
            let found = timeout(DISK_PATIENCE, self.feed.after(first - 1, PAGE)).await;
            let Ok(Ok(found)) = found else {
                self.disk_rests_until = clock::monotonic() + DISK_RESTS;
                return;
            };
            // What the journal has no more is of no alarm.
            self.alarms.0.insert(first, Vec::new());
            for event in found.iter().filter(|event| self.owed.has(event.seq)) {
                self.alarms.learn(event);
            }
        }
    }

    fn unknown_before(&self, seq: u64) -> Option<u64> {
        let mut owed = self.owed.before(seq).map(|(seq, _)| seq);
        owed.find(|seq| !self.alarms.0.contains_key(seq))
    }
}
