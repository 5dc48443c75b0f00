//! The door of the engine: what shells hand in, and how they ask. The task behind it owns the
//! engine; nobody else touches it.
//!
//! ```text
//!  inputs ──Delivery──▶ ┌────────────┐ ──Record──▶ journal
//!                       │ evaluation │
//!  http ───Request────▶ └────────────┘ ──reply───▶ http
//! ```

use tokio::sync::{mpsc, oneshot};

use crate::engine::command::{Command, Denied, Outcome};
use crate::engine::reading::Reading;
use crate::engine::snapshot::Snapshot;

/// Deliveries that wait for the engine at most. When full, a sender waits: Modbus polls late
/// (counted), MQTT stops reading its socket so that the broker holds back.
pub const DELIVERIES: usize = 512;

/// Commands and questions that wait for the engine at most; when full the asker is told at once.
pub const REQUESTS: usize = 16;

/// Where inputs hand in readings.
pub type Readings = mpsc::Sender<Delivery>;

/// Readings that arrived together.
#[derive(Debug)]
pub struct Delivery {
    /// In order of arrival.
    pub readings: Batch,
    /// Who wants to know when the readings are judged and what they caused is committed.
    pub receipt: Option<Receipt>,
}

/// One reading without an allocation, or several.
#[derive(Debug)]
pub enum Batch {
    /// The everyday case of MQTT.
    One(Reading),
    /// A poll of a device.
    Many(Vec<Reading>),
}

/// A promise to the input: given back once nothing can be lost any more, so that a broker may
/// forget the message. Dropping it without [`Receipt::give`] means "not safe": no acknowledgement.
#[derive(Debug)]
pub struct Receipt {
    done: mpsc::Sender<u64>,
    serial: u64,
}

impl Receipt {
    /// `serial` comes back on `done`. Its capacity must be at least the number of receipts out, so
    /// that giving one never waits.
    pub const fn new(done: mpsc::Sender<u64>, serial: u64) -> Self {
        Self { done, serial }
    }

    /// The readings are safe.
    pub fn give(self) {
        // A closed or full channel belongs to a connection that is gone: the broker sends again.
        let _gone = self.done.try_send(self.serial).is_err();
    }
}

/// What people and pages ask of the engine.
#[derive(Debug)]
pub enum Request {
    /// Do something to an alarm.
    Command {
        /// What.
        command: Command,
        /// Answered after the commit.
        reply: oneshot::Sender<Result<Answer, Denied>>,
    },
    /// Copy the present.
    Snapshot {
        /// The copy.
        reply: oneshot::Sender<Snapshot>,
    },
}

/// The answer to a command that was allowed.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// What it did.
    pub outcome: Outcome,
    /// Is it on disk? False while the disk fails.
    pub durable: bool,
}

/// A handle for asking; cheap to clone.
#[derive(Debug, Clone)]
pub struct Desk {
    requests: mpsc::Sender<Request>,
}

/// Why the engine gave no answer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DeskError {
    /// Too many questions wait already.
    #[error("the gateway is busy: {REQUESTS} requests wait already; try again")]
    Busy,
    /// The gateway is stopping, or its engine is stuck.
    #[error("the gateway's engine does not answer")]
    Silent,
    /// Refused, with the reason.
    #[error(transparent)]
    Denied(#[from] Denied),
}

impl Desk {
    /// A desk that hands its requests to the receiver of `requests`.
    pub const fn new(requests: mpsc::Sender<Request>) -> Self {
        Self { requests }
    }

    /// Gives a command and waits until it is committed.
    ///
    /// # Errors
    /// [`DeskError::Denied`] with the typed reason, or no answer. The caller sets the deadline.
    pub async fn command(&self, command: Command) -> Result<Answer, DeskError> {
        let (reply, answer) = oneshot::channel();
        self.ask(Request::Command { command, reply })?;
        Ok(answer.await.map_err(|_closed| DeskError::Silent)??)
    }

    /// Copies the present.
    ///
    /// # Errors
    /// No answer. The caller sets the deadline.
    pub async fn snapshot(&self) -> Result<Snapshot, DeskError> {
        let (reply, answer) = oneshot::channel();
        self.ask(Request::Snapshot { reply })?;
        answer.await.map_err(|_closed| DeskError::Silent)
    }

    fn ask(&self, request: Request) -> Result<(), DeskError> {
        self.requests
            .try_send(request)
            .map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => DeskError::Busy,
                mpsc::error::TrySendError::Closed(_) => DeskError::Silent,
            })
    }
}
