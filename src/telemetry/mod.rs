//! Telemetry: what was measured, told upstream by exception. For dashboards; nobody is warned by it.
//!
//! Everything here gives way to alarms: nothing waits for it, its disk is the first to be cleared, and an
//! output sends of it only when no event waits.
//!
//! ```text
//!  engine's task                 keeper (a thread)                    output.*
//!  ┌─────────────────────┐ push ┌────────────────┐ read, or ask  ┌─────────────┐
//!  │ Station ─▶ recorder ├─────▶│ memory ─▶ file ├──────────────▶│ live lane   │──▶ broker
//!  └─────────────────────┘      └───────▲────────┘               │ backlog     │
//!                                       └──── arrived (PUBACK) ──└─────────────┘
//! ```
//!
//! 1. The recorder (`recorder.rs`) sees every judged reading and makes records by exception, each with
//!    least, greatest and newest value of its interval.
//! 2. Memory (`memory.rs`) keeps the newest. A short outage costs nothing, and touches no flash.
//! 3. With `max_size` the keeper (`keeper.rs`) writes what no output has confirmed by then to a file of its own
//!    (`store.rs`): as long as everything arrives, it writes **nothing**.
//! 4. An output reads from where it stands. Its cursor moves when the broker has confirmed, and is written with
//!    the next commit: after a crash some records come again, and what was recorded since the last commit is lost.
//!
//! # Bounds
//!
//! | what | bound | when full |
//! |---|---|---|
//! | records of one point | one in `min_interval`, two more when its quality changes | they become one, with min and max |
//! | records that are not in a block | 1024 | a block is made of the oldest |
//! | blocks in memory | 1.5 MiB, some 100,000 records | the oldest goes; what is on no disk is counted: `memory` |
//! | the file with its journal | `max_size` | the oldest blocks go, counted: `full` |
//! | age of what is on disk | `keep` | they go, counted: `age` |
//! | the disk itself | 64 MiB are left free | the file does not grow |
//! | files that are damaged | 1 beside the file | the older one goes; what was in it is counted: `damaged` |
//! | a journal that has no room | | the file is removed, counted: `gave_way` |
//! | pages that outputs wait for | 16 | the oldest is asked for again |
//!
//! Deliberately absent: delayed readings (the present at the time they were taken is past), a query language, and any
//! use of telemetry for alarms.

mod by_hand;
mod keeper;
mod memory;
mod names;
mod record;
mod recorder;
mod shared;
mod store;
mod tap;

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;

use tokio::sync::oneshot;

pub use self::by_hand::ByHand;
use self::keeper::{Journal, Keeper};
use self::memory::Memory;
pub use self::names::Names;
pub use self::record::Record;
pub use self::recorder::{Pace, Recorder};
use self::shared::Shared;
pub use self::shared::{Feed, Next};
use self::store::{Contents, Store, StoreError};
pub use self::store::{DiskSettings, Page};
pub use self::tap::Tap;
use crate::clock;
use crate::engine::time::Moment;
use crate::metrics::Metrics;

/// Memory was full, and the records were on no disk.
const MEMORY: &str = "memory";
/// The file was full.
const FULL: &str = "full";
/// They were older than they are kept.
const AGE: &str = "age";
/// They were in a damaged file.
const DAMAGED: &str = "damaged";
/// The journal needed the room.
const GAVE_WAY: &str = "gave_way";

/// Why records can be dropped, for metrics.
pub const DROP_REASONS: [&str; 5] = [MEMORY, FULL, AGE, DAMAGED, GAVE_WAY];

/// A disk that does not answer holds up the start for no longer.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is recorded, and where it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct TelemetrySettings {
    /// How often.
    pub pace: Pace,
    /// How far each point may move without a record, in its unit, by point index.
    pub deadbands: Vec<f64>,
    /// Where it is kept beside memory, if anywhere.
    pub disk: Option<DiskSettings>,
    /// How often it is written there.
    pub commit_every: Duration,
}

/// How the journal fares, which goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JournalState {
    /// It writes.
    Sound,
    /// It does not.
    Volatile,
    /// It does not because its disk is full.
    DiskFull,
}

/// Running telemetry. Dropping it without [`Telemetry::close`] ends the thread.
#[derive(Debug)]
pub struct Telemetry {
    shared: Arc<Shared>,
    ended: Option<oneshot::Receiver<()>>,
}

/// What the thread says once it has looked at the disk, and where it is given what it works on.
type Opened = (Option<Contents>, SyncSender<Arc<Shared>>);

/// What the thread needs to know.
struct Orders {
    disk: Option<DiskSettings>,
    commit_every: Duration,
    names: Arc<Names>,
    outputs: Vec<Arc<str>>,
    journal: Journal,
}

/// Starts the keeper. Never fails: what the disk does not give memory does. Blocks for 2 s at most.
pub fn start(
    settings: &TelemetrySettings,
    names: Names,
    outputs: &[Arc<str>],
    journal: impl Fn() -> JournalState + Send + 'static,
    metrics: Arc<Metrics>,
) -> (Telemetry, Tap) {
    let names = Arc::new(names);
    let (ready, opened) = sync_channel(1);
    let (done, ended) = oneshot::channel();
    let orders = Orders {
        disk: settings.disk.clone(),
        commit_every: settings.commit_every,
        names: Arc::clone(&names),
        outputs: outputs.to_vec(),
        journal: Box::new(journal),
    };
    let thread = std::thread::Builder::new().name("telemetry".to_owned());
    let spawned = thread.spawn(move || {
        orders.carry_out(&ready);
        let _unheard = done.send(()).is_err();
    });
    if let Err(error) = spawned {
        tracing::error!(%error, "no thread for telemetry");
    }
    let opened: Option<Opened> = opened.recv_timeout(PATIENCE).ok();
    let (contents, give) = opened.unzip();
    let memory = begin(contents.flatten(), outputs, clock::now());
    let shared = Arc::new(Shared::new(memory, names, metrics));
    let given = give.map(|give| give.send(Arc::clone(&shared)));
    if !matches!(given, Some(Ok(()))) {
        tracing::error!("telemetry is kept in memory until a restart: the disk does not answer");
    }
    let deadbands = settings.deadbands.iter().copied();
    let recorder = Recorder::new(settings.pace, deadbands);
    let tap = Tap::new(recorder, Arc::clone(&shared));
    let ended = Some(ended);
    (Telemetry { shared, ended }, tap)
}

impl Orders {
    /// The life of the thread.
    fn carry_out(self, ready: &SyncSender<Opened>) {
        let disk = self.disk.as_ref();
        let found = disk.and_then(|disk| open(disk, &self.names, &self.outputs));
        let (store, contents) = found.unzip();
        let (give, take) = sync_channel(1);
        let gone_on = ready.send((contents, give)).is_err();
        // Whoever waited may have gone on without.
        let Some(shared) = take.recv().ok().filter(|_| !gone_on) else {
            return;
        };
        let keeper = match self.disk {
            Some(disk) => {
                let (parts, now) = ((store, self.journal), clock::now());
                Keeper::of_disk(shared, self.outputs, disk, self.commit_every, parts, now)
            }
            None => Keeper::of_memory(shared),
        };
        keeper.run();
    }
}

/// Memory behind what the disk has.
fn begin(contents: Option<Contents>, outputs: &[Arc<str>], now: Moment) -> Memory {
    let contents = contents.unwrap_or_else(|| {
        // Beyond what an earlier run can have counted, should its file be found later.
        let seconds = now.wall.unix_nanos().unsigned_abs() / 1_000_000_000;
        let last = seconds << 20;
        Contents {
            disk: None,
            last,
            cursors: outputs.iter().map(|id| (Arc::clone(id), last)).collect(),
        }
    });
    let mut memory = Memory::new(contents.last, contents.cursors);
    memory.found_on_disk(contents.disk);
    memory
}

/// Opens the file; one that is no good is set aside, and one that is larger than it may be is begun anew.
fn open(
    disk: &DiskSettings,
    names: &Arc<Names>,
    outputs: &[Arc<str>],
) -> Option<(Store, Contents)> {
    let file = disk.path.display();
    if store::size(&disk.path) > disk.max_size {
        tracing::error!(%file, "stored telemetry is more than `max_size`: it is dropped");
        let _told_below = store::remove(&disk.path).is_err();
    }
    let opened = Store::open(disk, names, outputs).or_else(|error| {
        if !error.is_damage() {
            return Err(error);
        }
        tracing::error!(%file, %error, "the file of telemetry is damaged: it is set aside and begun anew");
        store::set_aside(&disk.path)?;
        Store::open(disk, names, outputs)
    });
    match opened {
        Ok(opened) => Some(opened),
        Err(error) => {
            tell(&error);
            None
        }
    }
}

fn tell(error: &StoreError) {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    tracing::error!(%error, cause, "telemetry is kept in memory for now; alarms are not concerned");
}

impl Telemetry {
    /// For outputs.
    pub fn feed(&self) -> Feed {
        Feed::new(Arc::clone(&self.shared))
    }

    /// Writes what waits, if there is a disk, within `deadline`.
    pub async fn close(mut self, deadline: Duration) {
        self.shared.stop();
        if let Some(ended) = self.ended.take() {
            let _slow_disk = tokio::time::timeout(deadline, ended).await.is_err();
        }
    }
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        self.shared.stop();
    }
}

#[cfg(test)]
mod tests;
