//! What ends with a connection.

use std::collections::VecDeque;
use std::pin::Pin;
use std::time::Duration;

use tokio::sync::mpsc;

use super::{FINISH_WITHIN, OUTGOING_LIMIT};
use crate::broker::{Client, Happening, Sure};
use crate::clock;
use crate::engine::snapshot::Snapshot;
use crate::engine::time::Mono;
use crate::evaluation::DeskError;
use crate::event::Committed;
use crate::journal::FeedError;
use crate::output::delivery::Delivery;
use crate::output::pubacks::PubAcks;

/// A disk that takes longer to give the backlog holds back nothing else.
const DISK_PATIENCE: Duration = Duration::from_secs(1);

/// What a PUBACK is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// An event.
    Event(u64),
    /// The state that goes with an event.
    StateOf(u64),
    /// An event that was set aside, tried again.
    Aside(u64),
    /// A status, or a state that goes by itself.
    State,
}

/// What was asked and is not answered yet.
pub(super) type Answer<T> = Option<Pin<Box<dyn Future<Output = T> + Send>>>;

/// The answer of the journal.
pub(super) type Events = Result<Vec<Committed>, FeedError>;

/// The same for an event that was set aside.
pub(super) type ReadAgain = (u64, Events);

/// One connection.
pub(super) struct Connection {
    pub(super) client: Client,
    pub(super) happenings: mpsc::Receiver<Happening>,
    pub(super) pubacks: PubAcks<What>,
    /// Read from disk and not sent.
    pub(super) page: VecDeque<Committed>,
    pub(super) fetch: Answer<Events>,
    /// What is being read.
    pub(super) asked: Asked,
    /// The disk gave nothing although it should; it is asked again at the next turn.
    pub(super) rest: bool,
    /// An event that was set aside is being read.
    pub(super) again: Answer<ReadAgain>,
    pub(super) snapshot: Answer<Result<Snapshot, DeskError>>,
    /// Telemetry asked for and not written.
    pub(super) telemetry_ahead: usize,
    /// The newest event that there was when everything that could go was handed out.
    pub(super) seen: u64,
    /// The newest event whose state went before the event.
    pub(super) noticed: u64,
    /// When the broker accepted us.
    pub(super) up_since: Option<Mono>,
    /// Longest packet that the broker takes, bytes.
    pub(super) limit: usize,
    /// The library refused a request: the pump has met an error and will tell.
    pub(super) broken: bool,
    pub(super) finishing: Option<Finish>,
}

/// A question to the journal.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Asked {
    /// For events after this one.
    pub(super) after: u64,
    /// The newest event at that time.
    pub(super) upto: u64,
    pub(super) at: Mono,
}

/// What is still to be done before we go.
#[derive(Debug, Clone, Copy)]
pub(super) struct Finish {
    until: u64,
    deadline: Mono,
}

impl Connection {
    pub(super) fn new(client: Client, happenings: mpsc::Receiver<Happening>) -> Self {
        Self {
            client,
            happenings,
            pubacks: PubAcks::default(),
            page: VecDeque::new(),
            fetch: None,
            asked: Asked::default(),
            rest: false,
            again: None,
            snapshot: None,
            telemetry_ahead: 0,
            seen: 0,
            noticed: 0,
            up_since: None,
            limit: OUTGOING_LIMIT,
            broken: false,
            finishing: None,
        }
    }

    /// Publishes at QoS 1. Room was looked at before: a refusal means that the pump has ended.
    pub(super) fn publish(
        &mut self,
        topic: String,
        retain: bool,
        payload: String,
        what: What,
        now: Mono,
    ) {
        // Asked or not, its PUBACK is missed: a refusal that nobody tells of ends in the deadline.
        self.pubacks.asked(what, now);
        let asked = self
            .client
            .publish(topic, payload, retain, Sure::Acknowledged);
        self.broken |= asked.is_err();
    }

    /// Publishes at QoS 0: nobody asks whether it arrived.
    pub(super) fn tell(&mut self, topic: String, payload: String) {
        let asked = self.client.publish(topic, payload, false, Sure::No);
        self.broken |= asked.is_err();
        self.telemetry_ahead += 1;
    }

    /// Does the disk fail to give what it was asked for, or take too long?
    pub(super) fn is_unread(&self, now: Mono) -> bool {
        let late = self.fetch.is_some() && now.since(self.asked.at) > DISK_PATIENCE;
        self.rest || late
    }

    /// The next event read from disk after this number.
    pub(super) fn turn_page(&mut self, after: u64) -> Option<u64> {
        debug_assert!(self.page.is_empty() || self.asked.after <= after);
        while self.page.front().is_some_and(|event| event.seq <= after) {
            self.page.pop_front();
        }
        self.page.front().map(|event| event.seq)
    }

    /// Everything up to `until` is to be delivered before we go, if there is time.
    pub(super) fn finish(&mut self, until: u64) {
        let deadline = clock::monotonic() + FINISH_WITHIN;
        self.finishing = Some(Finish { until, deadline });
    }

    pub(super) fn finished(&self, delivery: &Delivery) -> bool {
        self.finishing.is_some_and(|finish| {
            delivery.unconfirmed(finish.until) == 0 || clock::monotonic() >= finish.deadline
        })
    }
}

/// The answer to what was asked, if anything was; else never.
pub(super) async fn answered<T>(asked: &mut Answer<T>) -> T {
    let Some(answer) = asked else {
        return std::future::pending().await;
    };
    let answer = answer.as_mut().await;
    *asked = None;
    answer
}
