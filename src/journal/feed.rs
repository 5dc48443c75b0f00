//! What is committed, for those who send it on or show it; and their receipts.
//!
//! ```text
//!  loop:  feed.advanced(sent).await  ─▶  feed.after(sent, 100).await  ─▶  send  ─▶  feed.acknowledge
//! ```
//!
//! The newest events come from memory; older ones from disk, on a thread that may block, through a
//! connection that only reads. A disk that hangs costs a reader its deadline and nobody else
//! anything. A disk that cannot be read leaves a gap before what memory has; the answer says how far
//! it goes ([`FeedError::GapUnread`]), so that an output need not wait for the disk with what is new.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::watch;
use tokio::time::timeout;

use super::Shared;
use super::account::{self, Account, Traces};
use super::aside::LeftAside;
use super::page::{Page, page};
use super::reader::{events_after, reader};
use super::receipts::{Receipt, together};
use super::stranded::{self, Stranded};
use crate::engine::snapshot::AlarmRecord;
use crate::engine::time::Moment;
use crate::event::{Committed, Identity};

/// Threads that read from disk at a time.
pub(super) const READERS: usize = 2;
/// A read from disk takes no longer.
const DEADLINE: Duration = Duration::from_secs(5);
/// Lines that one answer from disk holds, about, in bytes.
pub(super) const BYTES: usize = 1 << 20;

/// Read access to what is committed, and the outputs' cursors. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Feed {
    shared: Arc<Shared>,
    issued: watch::Receiver<u64>,
}

/// Why there are no events in an answer. Trying again later is always right.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// What comes after the number that was asked for is on disk only, and the disk does not give
    /// it. It is not lost.
    #[error("cannot read events up to number {until} from the journal")]
    GapUnread {
        /// Last number of the gap: memory has what follows ([`Feed::recent`]).
        until: u64,
        /// What the disk does.
        #[source]
        why: Unreadable,
    },
    /// The runtime is ending.
    #[error("the gateway is stopping")]
    Stopping,
}

/// What a disk does that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// It does not answer.
    #[error("the disk gave no answer within {} s", DEADLINE.as_secs())]
    Slow,
    /// SQLite refuses.
    #[error("SQLite cannot read it")]
    Refused(#[source] rusqlite::Error),
}

impl Feed {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let issued = shared.issued.subscribe();
        Self { shared, issued }
    }

    /// Newest number shown.
    pub fn committed(&self) -> u64 {
        *self.issued.borrow()
    }

    /// Returns once an event after number `beyond` is there; at once if it is already. Cancel-safe.
    pub async fn advanced(&mut self, beyond: u64) {
        if self.issued.wait_for(|seq| *seq > beyond).await.is_err() {
            // The other end lives in `shared`, which we hold; but if it were gone: no more events.
            std::future::pending().await
        }
    }

    /// Is everything up to number `seq` on disk, and on the disk that is meant?
    pub fn is_durable(&self, seq: u64) -> bool {
        self.shared.lock().is_durable(seq)
    }

    /// Events after number `seq`, oldest first, at most `limit` (and about 1 MiB from disk): fewer
    /// than there are, but never none while there are some. Numbers that are kept nowhere are passed
    /// over: events that were pruned, or dropped from full memory.
    ///
    /// # Errors
    /// Only for events that are no longer in memory: the disk fails or hangs.
    pub async fn after(&self, seq: u64, limit: usize) -> Result<Vec<Committed>, FeedError> {
        let mut beyond = seq;
        loop {
            let upto = {
                let ledger = self.shared.lock();
                match ledger.after(beyond, limit) {
                    Ok(found) => return Ok(found),
                    // The disk ends before memory begins: nothing is kept in between.
                    Err(upto) if upto <= beyond => return Ok(ledger.in_memory(beyond, limit)),
                    Err(upto) => upto,
                }
            };
            let found = self.read_disk(beyond, upto, limit).await?;
            if !found.is_empty() {
                return Ok(found);
            }
            // Nothing is kept up to there. What came after it may have gone from memory to disk while
            // the disk took its time.
            beyond = upto;
        }
    }

    async fn read_disk(
        &self,
        seq: u64,
        upto: u64,
        limit: usize,
    ) -> Result<Vec<Committed>, FeedError> {
        let read = self.on_disk(move |shared| shared.read(seq, upto, limit));
        read.await?.map_err(|why| self.unread(why))
    }

    /// Rows after number `seq` as they are on disk, at most `limit` (and about 1 MiB): what is only in
    /// memory yet is not among them.
    ///
    /// # Errors
    /// The disk fails or hangs, or the runtime ends.
    pub async fn page(&self, seq: u64, limit: usize) -> Result<Page, FeedError> {
        let read = self.on_disk(move |shared| {
            shared.with_reader(|connection| page(connection, seq, limit, BYTES))
        });
        read.await?.map_err(|why| self.unread(why))
    }

    /// The disk does not give what was asked for.
    fn unread(&self, why: Unreadable) -> FeedError {
        FeedError::GapUnread {
            until: self.shared.lock().memory_begins_after(),
            why,
        }
    }

    /// Reads from disk on a thread that may block.
    async fn on_disk<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Shared) -> Result<T, rusqlite::Error> + Send + 'static,
    ) -> Result<Result<T, Unreadable>, FeedError> {
        let turn = timeout(DEADLINE, Arc::clone(&self.shared.readers).acquire_owned());
        let Ok(permit) = turn.await else {
            return Ok(Err(Unreadable::Slow));
        };
        let permit = permit.map_err(|_closed| FeedError::Stopping)?;
        let shared = Arc::clone(&self.shared);
        let read = tokio::task::spawn_blocking(move || {
            // Held by the thread and not by the waiting task: a hung disk holds two threads, no more.
            let _permit = permit;
            read(&shared)
        });
        match timeout(DEADLINE, read).await {
            Ok(Ok(found)) => Ok(found.map_err(Unreadable::Refused)),
            Ok(Err(_cancelled)) => Err(FeedError::Stopping),
            Err(_elapsed) => Ok(Err(Unreadable::Slow)),
        }
    }

    /// Events after number `seq` from memory alone, oldest first, at most `limit`; none of them is
    /// left out.
    ///
    /// # Errors
    /// The number after which memory begins, when that lies beyond `seq`: what comes before it can
    /// only be read ([`Feed::after`]).
    pub fn recent(&self, seq: u64, limit: usize) -> Result<Vec<Committed>, u64> {
        let ledger = self.shared.lock();
        ledger
            .after(seq, limit)
            .map_err(|_on_disk| ledger.memory_begins_after())
    }

    /// Newest number that `output` has delivered; 0 for an output that is not configured.
    pub fn cursor(&self, output: &str) -> u64 {
        self.shared.lock().cursor(output).unwrap_or(0)
    }

    /// `output` has delivered everything up to `seq`. Reaches the disk with the next group, or
    /// after 200 ms; a crash before that delivers again, with the same ids.
    pub fn acknowledge(&self, output: &str, seq: u64) {
        self.shared.lock().acknowledge(output, seq);
        self.shared.wake.notify_one();
    }

    /// An output is through with an event. Reaches the disk as a cursor does.
    pub fn note(&self, receipt: Receipt) {
        self.shared.lock().receipts.add(receipt);
        self.shared.wake.notify_one();
    }

    /// What an earlier run had set aside for `output`; nothing when it is asked for again.
    pub fn left_aside(&self, output: &str) -> LeftAside {
        let mut ledger = self.shared.lock();
        ledger.aside.remove(output).unwrap_or_default()
    }

    /// What became of the event `seq` at each output: what is on disk in the order of time, then what is on
    /// its way there.
    ///
    /// # Errors
    /// The disk fails or hangs.
    pub async fn receipts(&self, seq: u64) -> Result<Vec<Receipt>, FeedError> {
        Ok(self.traces(seq).await?.receipts)
    }

    /// The account of the event `seq`, which is or was in the journal.
    ///
    /// # Errors
    /// The disk fails or hangs.
    pub async fn account(&self, seq: u64) -> Result<Account, FeedError> {
        // Asked first: where it says that an output is through, the receipt is there.
        let (cursors, durable) = {
            let ledger = self.shared.lock();
            (account::cursors(&ledger), ledger.is_durable(seq))
        };
        let traces = self.traces(seq).await?;
        Ok(Account::new(seq, durable, traces, &cursors))
    }

    async fn traces(&self, seq: u64) -> Result<Traces, FeedError> {
        // Before the disk is read: what gets there meanwhile is found twice, not missed.
        let waiting: Vec<Receipt> = self.shared.lock().receipts.of(seq).cloned().collect();
        let read = self
            .on_disk(move |shared| shared.with_reader(|connection| Traces::read(connection, seq)));
        let mut traces = read.await?.map_err(|why| self.unread(why))?;
        traces.receipts = together(traces.receipts, &waiting);
        Ok(traces)
    }

    /// What outputs left that are not configured any more, as it is at `now`; in the order of their ids.
    ///
    /// # Errors
    /// The disk fails or hangs.
    pub async fn stranded(&self, now: Moment) -> Result<Vec<Stranded>, FeedError> {
        let read = self.on_disk(move |shared| {
            let keep = shared.keep;
            shared.with_reader(|connection| stranded::read(connection, keep, now))
        });
        read.await?.map_err(|why| self.unread(why))
    }

    /// Site and epoch of this run.
    pub fn identity(&self) -> Identity {
        self.shared.lock().identity().clone()
    }

    /// The latest committed state of every alarm that has one, in order of their ids.
    pub fn states(&self) -> Vec<AlarmRecord> {
        self.shared.lock().records()
    }

    /// The same of one alarm, `POINT/kind`, or of a drill.
    pub fn state(&self, alarm: &str) -> Option<AlarmRecord> {
        self.shared.lock().record(alarm)
    }

    /// Newest number when this process started: what comes later is live, the rest is backlog.
    pub fn last_seq_at_start(&self) -> u64 {
        self.shared.last_seq_at_start
    }
}

impl Shared {
    fn read(&self, seq: u64, upto: u64, limit: usize) -> Result<Vec<Committed>, rusqlite::Error> {
        let read =
            |connection: &mut Connection| events_after(connection, (seq, upto), limit, BYTES);
        let mut found = self.with_reader(read)?;
        for event in &mut found {
            event.durable = self.real_place.is_none();
        }
        Ok(found)
    }

    fn with_reader<T>(
        &self,
        read: impl FnOnce(&mut Connection) -> Result<T, rusqlite::Error>,
    ) -> Result<T, rusqlite::Error> {
        let idle = || {
            self.idle_readers
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        let (file, kept) = {
            let mut idle = idle();
            (idle.file, idle.connections.pop())
        };
        let mut connection = match kept {
            Some(connection) => connection,
            None => reader(&self.path)?,
        };
        let found = read(&mut connection)?;
        // After an error the connection is closed instead, and so is one to a file that was removed.
        let mut idle = idle();
        if idle.file == file {
            idle.connections.push(connection);
        }
        Ok(found)
    }

    /// The file is another one now: no reader goes on with the old one.
    pub(super) fn close_readers(&self) {
        let mut idle = self
            .idle_readers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        idle.file += 1;
        idle.connections.clear();
    }
}
