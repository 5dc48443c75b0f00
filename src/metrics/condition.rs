//! The gateway's own condition: signs of life of its tasks, and who answers. Read by the health pages
//! and by the supervisor that feeds the watchdog, so that both judge alike.

use std::path::Path;
use std::time::Duration;

use super::Metrics;
use super::board::Board;
use super::families::EVENT;
use crate::clock;
use crate::engine::time::Mono;

/// A task without a sign of life for this long is stuck. Tasks give one at least every five seconds
/// even when nothing happens, so that two may be late.
pub const HEARTBEAT_LIMIT: Duration = Duration::from_secs(15);

/// How long ago a task made progress.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heartbeat {
    /// The task's name.
    pub task: String,
    /// Time since its last sign of life, or since start if there was none.
    pub age: Duration,
}

/// What is known about a device, broker or output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contact {
    /// Not tried to the end yet.
    Never,
    /// Tried or once connected, and not there now.
    Lost,
    /// There.
    Up,
}

impl Contact {
    /// The number that stands for it on a board; 0 is where everything begins.
    pub(super) const fn code(self) -> u64 {
        match self {
            Self::Never => 0,
            Self::Lost => 1,
            Self::Up => 2,
        }
    }

    /// As programs read it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Never => "not_tried",
            Self::Lost => "lost",
            Self::Up => "up",
        }
    }

    const fn from_code(code: u64) -> Self {
        match code {
            0 => Self::Never,
            1 => Self::Lost,
            _ => Self::Up,
        }
    }
}

/// Has the system clock been set? Asking the kernel needs `unsafe`, so this is known only where
/// systemd-timesyncd keeps time: it marks its first success since boot with a file. `None` elsewhere.
pub fn is_clock_synchronized() -> Option<bool> {
    let folder = Path::new("/run/systemd/timesync");
    folder
        .is_dir()
        .then(|| folder.join("synchronized").exists())
}

impl Metrics {
    /// A task made progress now.
    pub fn heartbeat(&self, task: &str) {
        self.tasks.set(task, clock::monotonic().as_nanos());
    }

    /// When every task last made progress, by task name.
    pub fn heartbeats(&self) -> Vec<Heartbeat> {
        let now = clock::monotonic();
        let heartbeat = |(task, beat)| Heartbeat {
            task,
            age: now.since(Mono::from_nanos(beat)),
        };
        self.tasks.read().into_iter().map(heartbeat).collect()
    }

    /// Tasks without a sign of life for longer than [`HEARTBEAT_LIMIT`]. The watchdog is fed only
    /// while there is none.
    pub fn stuck_tasks(&self) -> Vec<Heartbeat> {
        let mut tasks = self.heartbeats();
        tasks.retain(|task| task.age > HEARTBEAT_LIMIT);
        tasks
    }

    /// Every device and whether it answers. [`Contact::Lost`] means that it was asked.
    pub fn devices(&self) -> Vec<(String, Contact)> {
        self.devices.contacts()
    }

    /// Every broker that is read from. [`Contact::Lost`] means that an attempt ended.
    pub fn brokers(&self) -> Vec<(String, Contact)> {
        self.brokers.contacts()
    }

    /// Every output. [`Contact::Lost`] means that an attempt ended.
    pub fn outputs(&self) -> Vec<(String, Contact)> {
        self.outputs.contacts()
    }

    /// Is what we commit on disk? As last told by [`journal_durable`](Self::journal_durable).
    pub fn is_journal_durable(&self) -> bool {
        self.families.journal_durable.get() != 0
    }

    /// How many hazard points are inhibited? As last told by [`points_inhibited`](Self::points_inhibited).
    pub fn inhibited(&self) -> i64 {
        self.families.points_inhibited.get()
    }

    /// How many events wait for an output at present.
    pub fn events_waiting(&self, output: &str) -> i64 {
        let gauge = &self.families.output_queue;
        gauge.with_label_values(&[output]).get()
    }

    /// Size of the journal on disk and its cap, bytes. As last told by [`store_size`](Self::store_size).
    pub fn store(&self) -> (i64, i64) {
        let families = &self.families;
        (families.store_size.get(), families.store_limit.get())
    }

    /// How many events are set aside for an output at present.
    pub fn events_aside(&self, output: &str) -> i64 {
        let gauge = &self.families.output_aside;
        gauge.with_label_values(&[output]).get()
    }

    /// Events that the journal lost since start.
    pub fn events_dropped(&self) -> u64 {
        let counter = &self.families.records_dropped;
        counter.with_label_values(&[EVENT]).get()
    }
}

impl Board {
    /// A connection stands, or it ended, or it did not come about.
    pub(super) fn connection(&self, id: &str, connected: bool) {
        let contact = if connected {
            Contact::Up
        } else {
            Contact::Lost
        };
        self.set(id, contact.code());
    }

    fn contacts(&self) -> Vec<(String, Contact)> {
        let contact = |(id, code)| (id, Contact::from_code(code));
        self.read().into_iter().map(contact).collect()
    }
}
