//! Room three: one transaction writes event and alarm state; only then is the event shown.
//!
//! Guarantees, strongest first:
//!
//! 1. [`Inbox::push`] never waits for the disk, so the engine never does.
//! 2. An event is shown ([`Feed`]) after it is on disk together with the alarm state it led to. The
//!    one exception is a disk that fails or hangs: then it is shown from memory, `durable: false`.
//! 3. An event has one id (`site:epoch:seq`) wherever it is found, and an id is given once, over crashes,
//!    lost files and replaced cards. In one run `seq` counts every event shown, without a gap.
//! 4. What was shown is kept until it is on disk, within 4096 events; what an output has not
//!    delivered is pruned last.
//!
//! # Parts
//!
//! ```text
//!  engine ──push──▶ ┌────────────────────┐ ──group──▶ writer thread ──▶ store ──▶ journal.db
//!                   │ ledger (a mutex)   │ ◀─settle──  (the only one     chain    .lock .epoch
//!  outputs ◀─after──│ ring, tail, states │              that writes)     prune    .head .ballast
//!          ─receipt▶│ cursors            │
//!  supervisor ─tick▶└────────────────────┘
//! ```
//!
//! The writer is a plain thread, the only one beside the runtime's, because a commit blocks. It
//! commits in groups **that start at once and take along whatever came meanwhile**: no timer delays
//! an alarm, and a thousand alarms at one instant cost a few syncs and not a thousand.
//!
//! # Ids
//!
//! **An epoch belongs to one run.** Every start takes one that no start before it took, and has it on
//! disk before it gives the first id (`open.rs`). **In a run an event has its number from its place in
//! the queue**, and with the number its one line (`ledger.rs`).
//!
//! | what becomes of an event that was shown from memory | the event | its number |
//! |---|---|---|
//! | the commit that hung is done after all | on disk, as it was shown | |
//! | the commit failed, was done all the same, or is repeated | on disk, as it was shown | |
//! | the process is killed, and its row is on disk | the next run finds it as it was shown | |
//! | the process is killed, and its row is not on disk | lost | given again, with another epoch |
//!
//! Nobody knows which of the four it will be when the event is shown. So the epoch must not change with
//! the disk's condition, which would give events on their way to the disk a second id; nor may it be
//! kept over a crash, which would give the ids of lost events to others.
//!
//! # When the disk fails or hangs
//!
//! ```text
//!              commit fails; the file is opened anew, and the repetition fails, too    (writer)
//!              or the oldest event waits for more than 2 s                             (tick)
//!   ┌─────────┐ ─────────────────────────────────────────────────────────────▶ ┌──────────┐
//!   │ durable │                                                                │ volatile │
//!   └─────────┘ ◀───────────────────────────────────────────────────────────── └──────────┘
//!              a commit succeeds, and nothing is left that has waited for 1 s          (writer)
//! ```
//!
//! Going volatile needs no writer, which may be stuck inside a sync for ever: whoever notices (the
//! writer on errors, the supervisor's [`Journal::tick`] on silence) shows all that waits from memory,
//! and from then on `push` itself shows each event at once. The writer meanwhile tries again, 100 ms
//! to 5 s apart, each time on a newly opened file, and brings the events to disk as they were shown.
//! The outcome of a failed commit is unknown: the same rows are written again over themselves. A
//! crash in this stretch loses what is not on disk.
//!
//! # When the disk fails already at start
//!
//! The journal is a temporary one, volatile for life, under an epoch that no other journal gives
//! (`temporary.rs`); the way back is a restart. A disk that hangs instead of failing is waited for
//! 20 s.
//!
//! Files that are removed while the gateway runs are made anew (`place.rs`).
//!
//! What opening finds to be lost ([`Restored::notes`]) is told in the message of `started`, which is
//! written to the journal and delivered like any event, and raises the journal's alarm.
//!
//! # Bounds
//!
//! | what | bound | when full |
//! |---|---|---|
//! | events that wait for the disk | 4096 | the engine waits ([`Inbox::room`]); while the disk fails the oldest goes, shown and counted; its alarm state is kept; its number stays a hole |
//! | events in memory for outputs | 1024, and those not on disk | the oldest goes; outputs read the disk |
//! | events in a transaction | 500 | the rest goes into the next |
//! | what alarms remember, on its way to the disk | one for each name, a few an alarm | the newer one replaces the older; only one that is urgent causes a transaction of its own |
//! | the database | `max_size`; a temporary one 8 MiB at most | `prune.rs` |
//! | temporary journals of earlier runs | 2 | the oldest goes |
//! | the write-ahead log | 200 pages, then reused | a reader may hold it up for one page of events |
//! | damaged journals kept aside | 3 | the oldest goes |
//! | threads left behind on disks that hang at start | one a place | the start goes on, or is refused |
//! | receipts that wait for the disk | 4096 (`receipts.rs`) | the oldest is forgotten, what is set aside last |
//! | what an earlier run set aside | 4096 an output (`aside.rs`) | the oldest is given up, counted |
//! | reads from disk at a time | 2, each 5 s | [`FeedError`] |

mod account;
mod aside;
mod audience;
mod by_hand;
pub mod chain;
mod database;
mod digits;
#[cfg(test)]
mod faults;
mod feed;
mod found;
mod inbox;
mod ledger;
mod open;
mod page;
mod place;
mod prune;
mod reader;
mod receipts;
#[cfg(test)]
pub(crate) mod scratch;
mod shared;
mod sidecar;
mod store;
mod stranded;
mod temporary;
mod writer;

pub use account::{Account, Standing, State};
pub use aside::{LeftAside, PutBy};
pub use audience::Audience;
pub use by_hand::ByHand;
pub use feed::{Feed, FeedError, Unreadable};
pub use found::{Known, OpenError, Restored, Temporary};
pub use inbox::Inbox;
pub use page::{Base, Page, PageRow, Pages};
pub use prune::Losses;
pub use receipts::{Fate, Receipt};
pub use store::{CommitError, Entry, Store};
pub use stranded::Stranded;
pub use writer::ALIVE;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{oneshot, watch};

use self::shared::{Shared, assemble};
use crate::engine::effect::Event;
use crate::engine::time::{Moment, Wall};
use crate::metrics::Metrics;

/// Where the journal lives and how large it may grow.
#[derive(Debug, Clone, PartialEq)]
pub struct JournalSettings {
    /// The database file.
    pub path: PathBuf,
    /// The database file is never larger than this, bytes.
    pub max_size: u64,
    /// Events older than this may go once every output has them.
    pub keep_events: Duration,
    /// `None`: every start takes a new epoch, which is never below the Unix time in seconds, so that a
    /// replaced card cannot repeat an event id. Replay sets 1, to repeat itself byte for byte: that is
    /// the epoch of its first journal, and is kept over restarts that find everything as it was left,
    /// for replay shows nothing that is not on disk.
    pub first_epoch: Option<u64>,
}

/// An event for the journal.
pub struct Record {
    /// The event, with the alarm state it carries.
    pub event: Box<Event>,
    /// Told once what became of it.
    pub committed: Option<Waiter>,
}

/// Runs on the thread that learns the outcome; it must not block.
pub type Waiter = Box<dyn FnOnce(CommitOutcome) + Send>;

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitOutcome {
    /// It was shown.
    Committed {
        /// Its number.
        seq: u64,
        /// Is it on disk? False while the disk fails.
        durable: bool,
    },
    /// The disk has failed for so long that memory is full, or the journal is closed: it is lost.
    Dropped,
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("event", &self.event)
            .finish_non_exhaustive()
    }
}

/// The journal's own condition, for the gateway's points and the health page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct JournalHealth {
    /// Is what is shown on disk?
    pub durable: bool,
    /// Why not: the words of [`CommitError::reason`], or `slow` when the disk does not answer. Of a
    /// temporary journal: why the real one could not be opened.
    pub reason: Option<&'static str>,
    /// Events that wait for the disk.
    pub waiting: usize,
    /// Events lost since start: memory full, or pruned before they were delivered.
    pub dropped: u64,
    /// The last commit that succeeded.
    pub last_commit: Option<Wall>,
    /// Size on disk with the write-ahead log, bytes.
    pub size: u64,
    /// The cap of the database, bytes.
    pub limit: u64,
    /// Times since start that the journal's files were removed and made anew: so often history was lost.
    pub begun_anew: u32,
}

/// A running journal. Dropping it without [`Journal::close`] ends the thread after the next commit.
#[derive(Debug)]
pub struct Journal {
    shared: Arc<Shared>,
    ended: Option<oneshot::Receiver<bool>>,
}

/// Opens the journal and starts its thread; when its disk fails or hangs, a temporary one (`temporary.rs`),
/// and [`Restored`] says so. `outputs`: ids of the configured ones. Blocks while the file is checked.
///
/// # Errors
/// In use, of a newer version, another program's; or the disk fails and no temporary place works.
pub fn start(
    settings: &JournalSettings,
    site: &str,
    outputs: &[Arc<str>],
    metrics: Arc<Metrics>,
) -> Result<(Journal, Restored), OpenError> {
    let start = temporary::Start {
        settings,
        site,
        outputs,
        now: crate::clock::now(),
        patience: temporary::PATIENCE,
    };
    let (store, restored) = start.open(&temporary::places())?;
    let journal = run(store, &restored, settings, metrics).map_err(|source| OpenError::File {
        attempt: "start the thread",
        path: settings.path.clone(),
        source,
    })?;
    Ok((journal, restored))
}

fn run(
    store: Store,
    restored: &Restored,
    settings: &JournalSettings,
    metrics: Arc<Metrics>,
) -> std::io::Result<Journal> {
    let now = crate::clock::monotonic();
    let (shared, writer) = assemble(store, restored, settings, metrics, now);
    let (done, ended) = oneshot::channel();
    std::thread::Builder::new()
        .name("journal".to_owned())
        .spawn(move || {
            let stored = writer.run();
            // Nobody waits when the journal was dropped.
            let _unheard = done.send(stored).is_err();
        })?;
    Ok(Journal {
        shared,
        ended: Some(ended),
    })
}

impl Journal {
    /// Where the engine hands in its events.
    pub fn inbox(&self) -> Inbox {
        Inbox {
            shared: Arc::clone(&self.shared),
        }
    }

    /// What is committed, for outputs and pages.
    pub fn feed(&self) -> Feed {
        Feed::new(Arc::clone(&self.shared))
    }

    /// The journal's condition; changes are seen at each commit, failure and [`Journal::tick`].
    pub fn health(&self) -> watch::Receiver<JournalHealth> {
        self.shared.health.subscribe()
    }

    /// To be called about once a second by the supervisor: notices a disk that does not answer.
    pub fn tick(&self, now: Moment) {
        self.shared.tick(now.mono);
    }

    /// Of a temporary journal: resolves with the real place once it works again; the gateway then
    /// returns to it with the next start. Of a real journal: never.
    pub fn real_place_works(&self) -> impl Future<Output = PathBuf> + Send + use<> {
        let place = self.shared.real_place.clone();
        async move {
            let Some(place) = place else {
                return std::future::pending().await;
            };
            temporary::works_again(place.clone()).await;
            place
        }
    }

    /// Commits what waits, empties the write-ahead log, closes the file. `true`: everything that was
    /// handed in is on disk to stay. Waits no longer than `deadline`; a disk that hangs is left behind.
    pub async fn close(mut self, deadline: Duration) -> bool {
        self.shared.stop();
        let Some(ended) = self.ended.take() else {
            return false;
        };
        match tokio::time::timeout(deadline, ended).await {
            Ok(stored) => stored.unwrap_or(false) && self.shared.real_place.is_none(),
            Err(_elapsed) => false,
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.shared.stop();
    }
}

#[cfg(test)]
mod tests;
