//! One life of the gateway, from its start to the next power cut: the pair of engine and notifier, and
//! the journal that it commits to.

use std::sync::Arc;
use std::time::Duration;

use forewarn::config::Config;
use forewarn::engine::effect::{Effect, Event};
use forewarn::engine::memory::Memory;
use forewarn::engine::snapshot::{History, Snapshot};
use forewarn::engine::time::{Moment, Mono, Wall};
use forewarn::event::Committed;
use forewarn::journal::{Entry, JournalSettings, Store};
use forewarn::notify::station::Station;

use super::Finding;

/// More timers than this between two happenings are an engine that wants to be woken for ever.
const WAKE_UPS: u32 = 100_000;

pub(super) struct Life {
    station: Station,
    store: Store,
    /// Said, and not committed yet.
    pending: Vec<Entry>,
    memories: Vec<Arc<Memory>>,
    /// True time at which the monotonic clock showed zero.
    boot: Duration,
    /// The time of the last call.
    last: Moment,
    /// Did the wall clock tell the true time when it began?
    pub(super) clock_was_right: bool,
    /// When the newest reading of each sensor that was heard in this life was taken.
    pub(super) newest: Vec<Option<Duration>>,
}

impl Life {
    /// Opens the journal and begins to watch. Gives the present before anybody drained what the start
    /// itself said.
    pub(super) fn begin(
        config: &Config,
        journal: &JournalSettings,
        now: Moment,
        boot: Duration,
    ) -> Result<(Self, Snapshot), String> {
        let outputs: Vec<_> = config
            .outputs
            .iter()
            .map(|output| Arc::clone(&output.id))
            .collect();
        let (store, restored) = Store::open(journal, &config.site, &outputs, now)
            .map_err(|error| format!("the journal does not open: {error}"))?;
        if restored.is_history_lost() {
            let notes = restored.notes();
            return Err(format!("P1: a part of the history is lost: {notes:?}"));
        }
        let history = History {
            records: restored.records,
            memories: restored.memories,
            last_alive: restored.last_alive,
            notes: Vec::new(),
        };
        let station = Station::start(&config.engine, config.notify.clone(), &history, now);
        let present = station.snapshot();
        let life = Self {
            station,
            store,
            pending: Vec::new(),
            memories: Vec::new(),
            boot,
            last: now,
            clock_was_right: false,
            newest: Vec::new(),
        };
        Ok((life, present))
    }

    /// Lets timers fire before `to`, each at its own time.
    pub(super) fn wake(&mut self, to: Mono) -> Finding {
        for _ in 0..WAKE_UPS {
            let Some(due) = self.station.poll_timeout().filter(|due| *due < to) else {
                return Ok(());
            };
            self.last = self.last.at(due.max(self.last.mono));
            self.station.tick(self.last);
            self.drain();
        }
        Err("the engine wants to be woken for ever".to_owned())
    }

    /// One call, whatever is due. What it brought about waits for its commit.
    pub(super) fn act(&mut self, now: Moment, call: impl FnOnce(&mut Station)) -> Vec<Event> {
        self.last = now;
        call(&mut self.station);
        self.drain()
    }

    /// Takes what the station said.
    pub(super) fn drain(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(effect) = self.station.poll_effect() {
            match effect {
                Effect::Event(event) => {
                    let t = self.boot + event.at.mono.since(Mono::ZERO);
                    events.push((*event).clone());
                    self.pending.push(Entry {
                        t: Some(t.as_secs_f64()),
                        event: Arc::from(event),
                    });
                }
                Effect::Remember(memory) => self.memories.push(Arc::new(*memory)),
            }
        }
        events
    }

    /// Brings to disk what waits for it, and gives what may be shown now.
    pub(super) fn commit(&mut self, now: Wall) -> Result<Vec<(Entry, Committed)>, String> {
        if !self.memories.is_empty() {
            let kept = self.store.remember(&self.memories, now);
            kept.map_err(|error| error.to_string())?;
            self.memories.clear();
        }
        if self.pending.is_empty() {
            return Ok(Vec::new());
        }
        let pending = std::mem::take(&mut self.pending);
        let shown = self.store.commit(&pending, now);
        let shown = shown.map_err(|error| error.to_string())?;
        Ok(pending.into_iter().zip(shown).collect())
    }

    /// How many events wait for the disk.
    pub(super) const fn waiting(&self) -> usize {
        self.pending.len()
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        self.station.snapshot()
    }
}
