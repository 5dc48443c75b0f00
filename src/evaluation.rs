//! The door of the engine: what shells hand in, and how they ask. The task behind it owns the
//! engine; nobody else touches it.
//!
//! ```text
//!  inputs ──Delivery──▶ ┌────────────┐ ──Record──▶ journal
//!                       │ evaluation │
//!  http ───Request────▶ └────────────┘ ──reply───▶ http
//! ```

mod hand_in;
mod reminder;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};

use crate::clock;
use crate::engine::command::{Command, Denied, Outcome};
use crate::engine::reading::Reading;
use crate::engine::snapshot::Snapshot;
use crate::engine::time::{Moment, Mono};
use crate::journal::{CommitOutcome, Inbox};
use crate::metrics::Metrics;
use crate::notify::station::Station;
use crate::telemetry::Tap;
use reminder::Reminder;

/// The task's name in heartbeats.
pub const TASK: &str = "engine";

/// A sign of life at least this often.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// The loop turns once per [`HEARTBEAT`]. When a turn comes later than this, nobody watched meanwhile:
/// the process was stopped, or the board stood still.
const PAUSE: Duration = Duration::from_secs(3);

/// Deliveries taken from the queue at once.
const GULP: usize = 64;

/// Deliveries that wait for the engine at most. When full, a sender waits: Modbus polls late
/// (counted), MQTT stops reading its socket so that the broker holds back.
pub const DELIVERIES: usize = 512;

/// Commands and questions that wait for the engine at most; when full the asker is told at once.
pub const REQUESTS: usize = 16;

/// Both ends of the engine's door.
pub fn door() -> (Readings, Desk, Inlet) {
    let (readings, deliveries) = mpsc::channel(DELIVERIES);
    let (asking, requests) = mpsc::channel(REQUESTS);
    let inlet = Inlet {
        deliveries,
        requests,
    };
    (readings, Desk::new(asking), inlet)
}

/// The engine's side of the door.
#[derive(Debug)]
pub struct Inlet {
    deliveries: mpsc::Receiver<Delivery>,
    requests: mpsc::Receiver<Request>,
}

/// Runs the engine until `shutdown` turns true (or its sender is gone): then judges what has arrived
/// already, records the stop and ends. What it judges `tap` records, if there is one.
pub async fn run(
    station: Station,
    tap: Option<Tap>,
    mut inlet: Inlet,
    inbox: Inbox,
    metrics: Arc<Metrics>,
    mut shutdown: watch::Receiver<bool>,
) {
    let mut evaluation = Evaluation {
        tap,
        ..Evaluation::new(station, inbox, metrics, shutdown.clone())
    };
    evaluation.flush(None).await;
    let mut gulp = Vec::with_capacity(GULP);
    loop {
        evaluation.metrics.heartbeat(TASK);
        evaluation.record();
        evaluation.remind(&mut inlet.deliveries).await;
        // The order is the order of importance: a person's command waits for what is in the queue at most.
        tokio::select! {
            biased;
            () = ended(&mut shutdown) => break,
            Some(request) = inlet.requests.recv() => {
                evaluation.awaken().await;
                if let Request::Command { .. } = request {
                    // What came before it is evidence: time must not pass over it.
                    evaluation.catch_up(&mut inlet.deliveries).await;
                }
                evaluation.answer(request).await;
            }
            _count = inlet.deliveries.recv_many(&mut gulp, GULP) => {
                evaluation.awaken().await;
                for delivery in gulp.drain(..) {
                    evaluation.judge(delivery).await;
                }
            }
            () = tokio::time::sleep(evaluation.idle()) => {
                let now = evaluation.awaken().await;
                evaluation.station.tick(now);
                evaluation.flush(None).await;
            }
        }
    }
    let end_by = evaluation.begin_end();
    evaluation.awaken().await;
    while !inlet.deliveries.is_empty() {
        evaluation.catch_up(&mut inlet.deliveries).await;
    }
    if let Some(tap) = &mut evaluation.tap {
        tap.close(clock::now());
    }
    evaluation.station.stop(clock::now());
    let (shown, told) = oneshot::channel();
    evaluation
        .flush(Some(Box::new(move |_outcome| {
            let _gave_up = shown.send(()).is_err();
        })))
        .await;
    // Outputs end after this task and send what they can see by then.
    let left = end_by.since(clock::monotonic());
    let _slow_disk = tokio::time::timeout(left, told).await.is_err();
}

async fn ended(shutdown: &mut watch::Receiver<bool>) {
    // Whoever could have said so being gone means the same.
    let _sender_gone = shutdown.wait_for(|stop| *stop).await.is_err();
}

/// Engine and notifier, and where their effects go.
struct Evaluation {
    station: Station,
    /// Where telemetry is made, if anybody wants it.
    tap: Option<Tap>,
    inbox: Inbox,
    metrics: Arc<Metrics>,
    /// When the loop last turned.
    awake: Moment,
    /// What people are reminded of.
    reminder: Reminder,
    shutdown: watch::Receiver<bool>,
    /// The end has begun, and waits for the disk until then.
    end_by: Option<Mono>,
}

impl Evaluation {
    fn new(
        station: Station,
        inbox: Inbox,
        metrics: Arc<Metrics>,
        shutdown: watch::Receiver<bool>,
    ) -> Self {
        Self {
            station,
            tap: None,
            inbox,
            metrics,
            awake: clock::now(),
            reminder: Reminder::default(),
            shutdown,
            end_by: None,
        }
    }

    /// The loop turns: tells the engine, before anything else, when it turned too late. Says when it is.
    async fn awaken(&mut self) -> Moment {
        let now = clock::now();
        let from = std::mem::replace(&mut self.awake, now);
        if now.mono.since(from.mono) > PAUSE {
            tracing::warn!(
                seconds = now.mono.since(from.mono).as_secs_f64(),
                "nobody watched: the process stood still"
            );
            self.station.paused(from, now);
            self.flush(None).await;
        }
        now
    }

    async fn judge(&mut self, delivery: Delivery) {
        let began = clock::monotonic();
        match delivery.readings {
            Batch::One(reading) => self.read(reading),
            Batch::Many(readings) => {
                for reading in readings {
                    self.read(reading);
                }
            }
        }
        match (self.station.has_events(), delivery.receipt) {
            // Also when the event is only in memory or lost: holding back acknowledgements would
            // stop the flow of readings while the disk fails, and blind the gateway.
            (true, Some(receipt)) => {
                self.flush(Some(Box::new(move |_outcome| receipt.give())))
                    .await;
            }
            (_, receipt) => {
                self.flush(None).await;
                receipt.into_iter().for_each(Receipt::give);
            }
        }
        self.metrics.evaluation(clock::monotonic().since(began));
    }

    fn read(&mut self, reading: Reading) {
        let (point, received) = (reading.point, reading.received);
        self.station.read(reading);
        if let Some(tap) = &mut self.tap {
            tap.judged(point, self.station.show(point), received);
        }
    }

    /// Time passes for telemetry.
    fn record(&mut self) {
        if let Some(tap) = &mut self.tap {
            let station = &self.station;
            tap.turn(clock::now(), |point| station.show(point));
        }
    }

    /// Judges what waits now; what comes meanwhile waits for its turn.
    async fn catch_up(&mut self, deliveries: &mut mpsc::Receiver<Delivery>) {
        for _waiting in 0..deliveries.len() {
            if let Ok(delivery) = deliveries.try_recv() {
                self.judge(delivery).await;
            }
        }
    }

    async fn answer(&mut self, request: Request) {
        match request {
            Request::Command { command, reply } => {
                let result = self.station.command(&command, clock::now());
                // Answered after the commit: an acknowledgement that a crash could undo is none.
                self.flush(Some(Box::new(move |committed| {
                    let durable =
                        matches!(committed, CommitOutcome::Committed { durable: true, .. });
                    let answer = result.map(|outcome| Answer { outcome, durable });
                    // Whoever asked may have given up.
                    let _gone = reply.send(answer).is_err();
                })))
                .await;
            }
            Request::Snapshot { reply } => {
                let _gone = reply.send(self.station.snapshot()).is_err();
            }
        }
    }

    /// How long nothing is due.
    fn idle(&self) -> Duration {
        let due = self.station.poll_timeout();
        due.map_or(HEARTBEAT, |due| {
            due.since(clock::monotonic()).min(HEARTBEAT)
        })
    }
}

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
        command: Box<Command>,
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
        let command = Box::new(command);
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

#[cfg(test)]
mod tests;
