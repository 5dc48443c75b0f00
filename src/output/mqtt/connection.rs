//! What ends with a connection.

use super::OUTGOING_LIMIT;
use crate::broker::{Client, Happenings, Sure};
use crate::engine::time::Mono;
use crate::output::finishing::Finishing;
use crate::output::pubacks::PubAcks;
use crate::output::supply::{Answer, Events, Supply};

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
    /// The status once more, to hear whether it is telemetry alone that is not acknowledged.
    Question,
    /// Telemetry: its ticket.
    Readings(u64),
}

impl What {
    /// Is it telemetry, for which nothing else waits?
    pub(super) const fn is_telemetry(&self) -> bool {
        matches!(self, Self::Readings(_))
    }
}

/// The answer of the journal for an event that was set aside.
pub(super) type ReadAgain = (u64, Events);

/// One connection.
pub(super) struct Connection {
    pub(super) client: Client,
    pub(super) happenings: Happenings,
    pub(super) pubacks: PubAcks<What>,
    /// Publishes without their PUBACK, but for telemetry, which has a window of its own.
    pub(super) unacknowledged: usize,
    /// The status, as it was told when the connection was made.
    pub(super) online: String,
    pub(super) supply: Supply,
    /// An event that was set aside is being read.
    pub(super) again: Answer<ReadAgain>,
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
    pub(super) finishing: Finishing,
}

impl Connection {
    pub(super) fn new(client: Client, happenings: Happenings) -> Self {
        Self {
            client,
            happenings,
            pubacks: PubAcks::default(),
            unacknowledged: 0,
            online: String::new(),
            supply: Supply::default(),
            again: None,
            seen: 0,
            noticed: 0,
            up_since: None,
            limit: OUTGOING_LIMIT,
            broken: false,
            finishing: Finishing::default(),
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
        self.unacknowledged += usize::from(!what.is_telemetry());
        let asked = self
            .client
            .publish(topic, payload, retain, Sure::Acknowledged);
        self.broken |= asked.is_err();
    }

    /// A PUBACK came under this packet id: for what.
    pub(super) fn acknowledged(&mut self, id: u16) -> Option<What> {
        let what = self.pubacks.acknowledged(id)?;
        self.unacknowledged -= usize::from(!what.is_telemetry());
        Some(what)
    }
}
