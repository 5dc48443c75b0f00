//! What the engine's task, the outputs and the keeper have in common.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::memory::{Found, Memory};
use super::names::Names;
use super::record::Record;
use super::store::Page;
use crate::metrics::Metrics;

/// Outputs that wait for a page from disk at most; the one that waits longest asks again.
const ASKS: usize = 16;

/// See the module docs.
#[derive(Debug)]
pub(super) struct Shared {
    state: Mutex<State>,
    pub(super) wake: Condvar,
    closing: AtomicBool,
    refresh: AtomicBool,
    pub(super) names: Arc<Names>,
    pub(super) metrics: Arc<Metrics>,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) memory: Memory,
    /// Pages that outputs wait for.
    pub(super) asks: VecDeque<Ask>,
}

#[derive(Debug)]
pub(super) struct Ask {
    pub(super) after: u64,
    pub(super) reply: oneshot::Sender<Page>,
}

impl Shared {
    pub(super) fn new(memory: Memory, names: Arc<Names>, metrics: Arc<Metrics>) -> Self {
        Self {
            state: Mutex::new(State {
                memory,
                asks: VecDeque::with_capacity(ASKS),
            }),
            wake: Condvar::new(),
            closing: false.into(),
            refresh: false.into(),
            names,
            metrics,
        }
    }

    /// Never held while the disk is waited for.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // The state is whole between calls; a panic elsewhere is no reason to stop the alarms.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn push(&self, record: Record) {
        let dropped = self.lock().memory.push(record);
        let metrics = self.metrics.telemetry();
        metrics.recorded();
        metrics.dropped(super::MEMORY, dropped);
    }

    pub(super) fn stop(&self) {
        self.closing.store(true, Ordering::Release);
        // Between the keeper's look at the flag and its wait it holds the lock.
        drop(self.lock());
        self.wake.notify_one();
    }

    pub(super) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    /// An output wants the present of every point.
    pub(super) fn want_present(&self) {
        self.refresh.store(true, Ordering::Release);
    }

    pub(super) fn take_wish(&self) -> bool {
        self.refresh.swap(false, Ordering::AcqRel)
    }
}

/// A handle for an output; cheap to clone.
#[derive(Debug, Clone)]
pub struct Feed {
    shared: Arc<Shared>,
}

/// An answer to [`Feed::read`].
#[derive(Debug)]
pub enum Next {
    /// At least one record.
    Page(Page),
    /// The disk has the next ones: resolves with them, or with an error when the disk did not give them.
    OnDisk(oneshot::Receiver<Page>),
    /// There are no newer ones.
    Nothing,
}

impl Feed {
    pub(super) const fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// The output has every record up to this number.
    pub fn cursor(&self, output: &str) -> u64 {
        self.shared.lock().memory.cursor(output)
    }

    /// The output has every record up to `cursor`: its durable cursor moves, soon.
    pub fn arrived(&self, output: &str, cursor: u64) {
        self.shared.lock().memory.arrived(output, cursor);
    }

    /// Number of the newest record.
    pub fn newest(&self) -> u64 {
        self.shared.lock().memory.newest()
    }

    /// Records dropped since the start of the gateway.
    pub fn dropped(&self) -> u64 {
        self.shared.lock().memory.dropped()
    }

    /// Up to `max` records after the number `after`, none newer than `upto`. Never waits; records that were
    /// dropped are passed over.
    pub fn read(&self, after: u64, upto: u64, max: usize) -> Next {
        let mut state = self.shared.lock();
        match state.memory.read(after, upto, max) {
            Found::Here(records) => Next::Page(Page {
                names: Arc::clone(&self.shared.names),
                records,
            }),
            Found::Nothing => Next::Nothing,
            Found::OnDisk => {
                let (reply, page) = oneshot::channel();
                if state.asks.len() == ASKS {
                    state.asks.pop_front();
                }
                state.asks.push_back(Ask { after, reply });
                drop(state);
                self.shared.wake.notify_one();
                Next::OnDisk(page)
            }
        }
    }

    /// Asks for the present of every point, for somebody who was away.
    pub fn want_present(&self) {
        self.shared.want_present();
    }
}
