//! Telemetry without a thread: its owner says what time it is. The same memory, keeper and file, so that
//! days of it can be run through in a time of their own.

use std::sync::Arc;

use super::keeper::Keeper;
use super::record::Record;
use super::shared::{Feed, Shared};
use super::{DiskSettings, JournalState, Names, TelemetrySettings, begin, open};
use crate::engine::time::Moment;
use crate::metrics::Metrics;

/// See the module docs. Dropping it is a power cut: what is not on disk is lost.
#[derive(Debug)]
pub struct ByHand {
    shared: Arc<Shared>,
    keeper: Keeper,
}

impl ByHand {
    /// Opens what is on disk, as [`start`](super::start). `now` is where its time begins.
    pub fn open(
        settings: &TelemetrySettings,
        names: Names,
        outputs: &[Arc<str>],
        journal: impl Fn() -> JournalState + Send + 'static,
        metrics: Arc<Metrics>,
        now: Moment,
    ) -> Self {
        let names = Arc::new(names);
        let disk = |disk: &DiskSettings| open(disk, &names, outputs);
        let (store, contents) = settings.disk.as_ref().and_then(disk).unzip();
        let memory = begin(contents, outputs, now);
        let shared = Arc::new(Shared::new(memory, names, metrics));
        let keeper = match &settings.disk {
            Some(disk) => {
                let parts = (store, Box::new(journal) as _);
                let (disk, every) = (disk.clone(), settings.commit_every);
                Keeper::of_disk(
                    Arc::clone(&shared),
                    outputs.to_vec(),
                    disk,
                    every,
                    parts,
                    now,
                )
            }
            None => Keeper::of_memory(Arc::clone(&shared)),
        };
        Self { shared, keeper }
    }

    /// Takes a record.
    pub fn push(&self, record: Record) {
        self.shared.push(record);
    }

    /// What the thread does about once a second.
    pub fn turn(&mut self, now: Moment) {
        self.keeper.turn(now, false);
    }

    /// The end in good order.
    pub fn finish(&mut self, now: Moment) {
        self.keeper.turn(now, true);
    }

    /// For outputs; what is on disk comes with [`ByHand::answer`].
    pub fn feed(&self) -> Feed {
        Feed::new(Arc::clone(&self.shared))
    }

    /// Gives outputs the pages that they wait for.
    pub fn answer(&mut self) {
        self.keeper.answer_all();
    }
}
