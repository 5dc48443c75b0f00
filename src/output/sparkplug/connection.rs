//! What ends with a connection.

use std::collections::VecDeque;

use super::OUTGOING_LIMIT;
use super::births::Births;
use super::host::PrimaryHost;
use super::node;
use super::receipts::Receipts;
use crate::broker::{Client, Ending, Happenings, Message, Sure};
use crate::engine::snapshot::Snapshot;
use crate::engine::time::Mono;
use crate::evaluation::DeskError;
use crate::output::finishing::Finishing;
use crate::output::supply::{Answer, Supply};

/// Publishes that are asked for and not written yet.
const AHEAD: usize = 64;
/// Everything else that may wait beside them: subscription, question, death, goodbye, and acknowledgements
/// of what a host says, of which a broker sends no more than twenty ahead.
const BESIDE: usize = 32;
/// What topic and header may take of the longest packet, bytes.
const HEADER: usize = 1024;

/// Requests that the client library must have room for.
pub(super) const REQUESTS: usize = AHEAD + BESIDE;

/// One connection.
pub(super) struct Connection {
    pub(super) client: Client,
    pub(super) happenings: Happenings,
    /// When the broker accepted us.
    pub(super) up_since: Option<Mono>,
    /// Since when the answer to our subscription is missing.
    pub(super) subscribing: Option<Mono>,
    pub(super) host: PrimaryHost,
    pub(super) births: Births,
    pub(super) receipts: Receipts,
    pub(super) supply: Supply,
    pub(super) snapshot: Answer<Result<Snapshot, DeskError>>,
    /// The engine had no time; it is asked again at the next turn.
    pub(super) engine_rest: bool,
    /// In the order of their numbers; with the event that a message carries. No more than births of
    /// everything, changes of everything, and a window of events.
    outbox: VecDeque<(node::Message, Option<u64>)>,
    /// Asked for and not written.
    ahead: usize,
    /// The newest event that there was when everything that could go was handed out.
    pub(super) seen: u64,
    /// The newest event whose state went before the event.
    pub(super) noticed: u64,
    /// The library refused a request: the pump has met an error and will tell.
    broken: bool,
    pub(super) finishing: Finishing,
}

impl Connection {
    pub(super) fn new(client: Client, happenings: Happenings) -> Self {
        Self {
            client,
            happenings,
            up_since: None,
            subscribing: None,
            host: PrimaryHost::default(),
            births: Births::default(),
            receipts: Receipts::default(),
            supply: Supply::default(),
            snapshot: None,
            engine_rest: false,
            outbox: VecDeque::new(),
            ahead: 0,
            seen: 0,
            noticed: 0,
            broken: false,
            finishing: Finishing::default(),
        }
    }

    /// Asks for topics at QoS 1.
    pub(super) fn subscribe<'t>(&mut self, topics: impl Iterator<Item = &'t str>, now: Mono) {
        self.subscribing = Some(now);
        self.broken |= self.client.subscribe(topics).is_err();
    }

    /// What a message says was taken notice of.
    pub(super) fn acknowledge(&mut self, message: &Message) {
        let asked = message.id.map(|id| self.client.acknowledge(id));
        self.broken |= asked.is_some_and(|asked| asked.is_err());
    }

    /// Puts a message behind the others.
    pub(super) fn publish(&mut self, message: node::Message, event: Option<u64>) {
        self.outbox.push_back((message, event));
    }

    /// Is nothing waiting to be handed to the library?
    pub(super) fn is_idle(&self) -> bool {
        self.outbox.is_empty() && !self.broken
    }

    /// Hands the library what it has room for, and asks for a receipt behind the last of it.
    ///
    /// # Errors
    /// A message is longer than a packet may be.
    pub(super) fn hand_over(&mut self, question: &str, now: Mono) -> Result<(), Ending> {
        while self.ahead < AHEAD
            && !self.broken
            && let Some((message, event)) = self.outbox.pop_front()
        {
            self.at_once(message)?;
            self.ahead += 1;
            self.receipts.wrote(event);
        }
        if self.is_idle() && self.receipts.ask(now) {
            self.broken |= self.client.unsubscribe(question).is_err();
        }
        Ok(())
    }

    /// Hands the library a message ahead of those that wait.
    ///
    /// # Errors
    /// It is longer than a packet may be.
    pub(super) fn at_once(&mut self, message: node::Message) -> Result<(), Ending> {
        let payload = message.payload.to_bytes();
        if payload.len() + HEADER > OUTGOING_LIMIT {
            let (topic, size) = (message.topic, payload.len());
            let detail = format!(
                "{topic} would be {size} bytes, more than {OUTGOING_LIMIT}: this output cannot tell of so \
                 many points and alarms"
            );
            return Err(Ending::ours("oversize", &detail));
        }
        let asked = self.client.publish(message.topic, payload, false, Sure::No);
        self.broken |= asked.is_err();
        Ok(())
    }

    /// The library wrote a publish.
    pub(super) const fn written(&mut self) {
        self.ahead = self.ahead.saturating_sub(1);
    }
}
