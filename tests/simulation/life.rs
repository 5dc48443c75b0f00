//! One life of the gateway, from its start to the next power cut: the pair of engine and notifier, and
//! the journal that it commits to.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use forewarn::config::Config;
use forewarn::engine::effect::{Effect, Event, Run};
use forewarn::engine::snapshot::{History, Snapshot};
use forewarn::engine::time::{Moment, Mono};
use forewarn::event::Committed;
use forewarn::journal::{ByHand, Feed, JournalSettings, Record};
use forewarn::notify::station::Station;

use super::Finding;

/// More timers than this between two happenings are an engine that wants to be woken for ever.
const WAKE_UPS: u32 = 100_000;

pub(super) struct Life {
    station: Station,
    journal: ByHand,
    pub(super) feed: Feed,
    /// Said, and not shown yet.
    pending: VecDeque<Said>,
    /// Number of the newest event that was shown.
    newest_shown: u64,
    /// True time at which the monotonic clock showed zero.
    boot: Duration,
    /// The time of the last call.
    last: Moment,
    /// Did the wall clock tell the true time when it began?
    pub(super) clock_was_right: bool,
    /// When the newest reading of each sensor that was heard in this life was taken, and its number.
    pub(super) newest: Vec<Option<(Duration, u64)>>,
}

/// An event, and when it happened, in true time, seconds.
#[derive(Debug, Clone)]
pub(super) struct Said {
    pub(super) event: Event,
    pub(super) t: f64,
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
        let (journal, restored) =
            ByHand::open(journal, &config.site, &outputs, Arc::default(), now)
                .map_err(|error| format!("the journal does not open: {error}"))?;
        let newest_shown = restored.last_seq;
        if restored.is_history_lost() {
            let notes = restored.notes();
            return Err(format!("P1: a part of the history is lost: {notes:?}"));
        }
        let history = History {
            records: restored.records,
            memories: restored.memories,
            last_alive: restored.last_alive,
            notes: Vec::new(),
            run: Run::default(),
        };
        let station = Station::start(&config.engine, config.notify.clone(), &history, now);
        let present = station.snapshot();
        let life = Self {
            station,
            feed: journal.feed(),
            journal,
            pending: VecDeque::new(),
            newest_shown,
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

    /// Takes what the station said, and hands it to the journal.
    pub(super) fn drain(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(effect) = self.station.poll_effect() {
            match effect {
                Effect::Event(event) => {
                    let t = self.boot + event.at.mono.since(Mono::ZERO);
                    events.push((*event).clone());
                    self.pending.push_back(Said {
                        event: (*event).clone(),
                        t: t.as_secs_f64(),
                    });
                    let committed = None;
                    self.journal.push(Record { event, committed }, self.last);
                }
                Effect::Remember(memory) => self.journal.remember(*memory),
            }
        }
        events
    }

    /// Gives what may be shown now. `disk`: does it answer?
    pub(super) fn show(
        &mut self,
        now: Moment,
        disk: bool,
    ) -> Result<Vec<(Said, Committed)>, String> {
        if disk {
            self.journal.write(now);
        }
        self.journal.tick(now);
        let shown = self.feed.recent(self.newest_shown, usize::MAX);
        let shown = shown.map_err(|until| format!("P1: memory begins after {until} only"))?;
        let mut told = Vec::new();
        for committed in shown {
            self.newest_shown = committed.seq;
            let said = self.pending.pop_front();
            told.push((said.ok_or("P1: shown, but never said")?, committed));
        }
        Ok(told)
    }

    /// How many events the full journal let go although they had not arrived, as it says.
    pub(super) fn let_go(&self) -> u64 {
        self.journal.health().dropped
    }

    /// How many events are not shown yet.
    pub(super) fn waiting(&self) -> usize {
        self.pending.len()
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        self.station.snapshot()
    }
}
