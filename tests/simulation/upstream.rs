//! The way upstream: the delivery of one output, and a far end that goes away, does not acknowledge, and
//! forgets what it was about to acknowledge.
//!
//! ```text
//!   feed ──▶ delivery ──▶ wire ──▶ far end: what it has
//!                ▲                    │
//!                └── receipts ◀───────┘     a broken connection loses what is on both ways
//! ```
//!
//! The window, the stretches and the cursor are the gateway's own. What stands between them and the wire
//! is repeated here as it is done in `output::mqtt`, without its client and its waiting: those have tests
//! with a real broker (`interop::mqtt_output`).

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use fastrand::Rng;
use forewarn::engine::time::Mono;
use forewarn::event::{Committed, WireEvent};
use forewarn::journal::Feed;
use forewarn::output::delivery::{Delivery, Place, Progress, Want};
use tokio::runtime::Runtime;

use super::Finding;
use super::books::Kept;

/// The output's id in the plant.
pub(super) const OUTPUT: &str = "room";

/// Events on the way at most.
const WINDOW: usize = 8;

/// With a longer backlog the far end stays for a while, so that a full journal need not let go what has
/// not arrived: what it does then has tests of its own (`journal::store`).
const BACKLOG: u64 = 100;

/// Rounds in which a far end that works has everything.
const ENOUGH: usize = 2_000;

/// What was sent.
struct Message {
    seq: u64,
    /// Of the two parts of an event, its line and its alarm's state, the first.
    event: Option<Committed>,
    replayed: bool,
}

/// One id at the far end.
struct Arrived {
    line: Arc<str>,
    /// Did it come once as an event that is stored?
    durable: bool,
}

pub(super) struct Upstream {
    runtime: Runtime,
    delivery: Delivery,
    connected: bool,
    wire: VecDeque<Message>,
    /// For these an acknowledgement is on its way back.
    receipts: VecDeque<u64>,
    /// The newest event that was new to the far end in this life of the gateway.
    newest: u64,
    /// The same of those that are no backlog.
    newest_live: u64,
    /// Could the journal always be read in this life?
    in_order: bool,
    /// Were there ever numbers without an event?
    passed_over: bool,
    far_end: BTreeMap<String, Arrived>,
    /// Every arrival, for the comparison of two runs.
    arrivals: Vec<Arc<str>>,
}

impl Upstream {
    pub(super) fn new() -> Result<Self, String> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .map_err(|error| format!("the runtime: {error}"))?;
        Ok(Self {
            runtime,
            delivery: Delivery::new(0, WINDOW, 0),
            connected: false,
            wire: VecDeque::new(),
            receipts: VecDeque::new(),
            newest: 0,
            newest_live: 0,
            in_order: true,
            passed_over: false,
            far_end: BTreeMap::new(),
            arrivals: Vec::new(),
        })
    }

    /// The gateway starts. What it did not store of its receipts it does not know.
    pub(super) fn begin(&mut self, feed: &Feed) {
        let cursor = feed.cursor(OUTPUT);
        self.delivery = Delivery::new(cursor, WINDOW, feed.last_seq_at_start());
        self.connected = false;
        self.wire.clear();
        self.receipts.clear();
        (self.newest, self.newest_live, self.in_order) = (cursor, 0, true);
    }

    /// One round: the connection comes and goes, events leave, some arrive, some receipts come back.
    pub(super) fn beat(&mut self, feed: &Feed, dice: &mut Rng) -> Finding {
        if self.delivery.unconfirmed(feed.committed()) > BACKLOG {
            return self.catch_up(feed);
        }
        match (self.connected, dice.u8(..)) {
            (false, 0..100) => self.connect(feed),
            (true, 0..12) => self.break_off(dice.bool())?,
            _ => {}
        }
        if !self.connected {
            return Ok(());
        }
        self.send(feed);
        // A far end that is busy takes some of it, and answers some.
        for _ in 0..dice.usize(..2 * WINDOW) {
            self.arrive()?;
        }
        for _ in 0..dice.usize(..2 * WINDOW) {
            self.receive(feed);
        }
        Ok(())
    }

    /// Everything that is shown arrives, once nothing is in the way any more.
    pub(super) fn finish(&mut self, feed: &Feed) -> Finding {
        self.catch_up(feed)?;
        match self.delivery.unconfirmed(feed.committed()) {
            0 => Ok(()),
            left => Err(format!("delivery: {left} events never leave")),
        }
    }

    /// Nothing is in the way for a while.
    fn catch_up(&mut self, feed: &Feed) -> Finding {
        if !self.connected {
            self.connect(feed);
        }
        for _ in 0..ENOUGH {
            self.send(feed);
            if self.wire.is_empty() && self.receipts.is_empty() {
                break;
            }
            while !self.wire.is_empty() {
                self.arrive()?;
            }
            while !self.receipts.is_empty() {
                self.receive(feed);
            }
        }
        Ok(())
    }

    /// P1: a power cut has cost events; none of them was sent as one that is stored.
    pub(super) fn loses(&self, lost: &[Kept]) -> Finding {
        let durable = |kept: &&Kept| self.far_end.get(&kept.id).is_some_and(|it| it.durable);
        match lost.iter().find(durable) {
            Some(kept) => Err(format!("P1: sent as stored, and lost: {}", kept.line)),
            None => Ok(()),
        }
    }

    /// At least once: all of what is kept, up to number `upto`, did arrive, but for what a full journal
    /// `let_go` and told of.
    pub(super) fn has(&self, kept: &[Kept], upto: u64, let_go: u64) -> Finding {
        let kept = kept.iter().take_while(|kept| kept.seq <= upto);
        let mut missing = kept.filter(|kept| !self.far_end.contains_key(&kept.id));
        let first = missing.next();
        let count = first.iter().count() + missing.count();
        if count as u64 > let_go || (self.passed_over && let_go == 0) {
            let line = first.map(|kept| &kept.line);
            return Err(format!(
                "delivery: {count} events never arrived, {let_go} were let go; the first: {line:?}"
            ));
        }
        Ok(())
    }

    pub(super) fn into_arrivals(self) -> Vec<Arc<str>> {
        self.arrivals
    }

    fn connect(&mut self, feed: &Feed) {
        self.connected = true;
        self.delivery.connected(feed.committed());
        // Something that is no event was acknowledged.
        self.delivery.proved();
    }

    fn break_off(&mut self, by_far_end: bool) -> Finding {
        self.connected = false;
        self.wire.clear();
        self.receipts.clear();
        match self.delivery.disconnected(by_far_end) {
            None => Ok(()),
            Some(seq) => Err(format!(
                "delivery: {seq} is given up, and nothing is wrong with it"
            )),
        }
    }

    /// Hands out what may go, stretch by stretch.
    fn send(&mut self, feed: &Feed) {
        let mut turn = 0;
        while let Some(want) = self.delivery.want(turn) {
            if want.room == 0 || want.after >= want.upto {
                turn += 1;
                continue;
            }
            let from_disk = matches!(want.place, Place::Only | Place::Oldest);
            match feed.recent(want.after, want.room) {
                Ok(events) => {
                    self.publish(events, want.upto, feed);
                    turn += 1;
                }
                Err(_) if from_disk && self.read(want, feed) => {}
                Err(until)
                    if want.place != Place::Oldest && self.delivery.go_ahead(want.after, until) =>
                {
                    self.in_order = false;
                    turn = 0;
                }
                Err(_) => turn += 1,
            }
        }
    }

    /// Reads from disk what a stretch wants. `false`: the disk does not give it.
    fn read(&mut self, want: Want, feed: &Feed) -> bool {
        let newest = feed.committed();
        let read = feed.after(want.after, want.room);
        let Ok(events) = self.runtime.block_on(read) else {
            return false;
        };
        let first = events.first().map_or(newest, |event| event.seq);
        if events.is_empty() || first > want.upto {
            let progress = self.delivery.passed_over(want.after, newest.min(want.upto));
            self.take(progress, feed);
        }
        self.publish(events, want.upto, feed);
        true
    }

    fn publish(&mut self, events: Vec<Committed>, upto: u64, feed: &Feed) {
        for event in events.into_iter().take_while(|event| event.seq <= upto) {
            let (seq, replayed) = (event.seq, self.delivery.replayed(event.seq));
            let parts = if event.alarm.is_some() { 2 } else { 1 };
            let progress = self.delivery.sent(seq, parts, Mono::ZERO);
            self.take(progress, feed);
            let mut event = Some(event);
            for _ in 0..parts {
                self.wire.push_back(Message {
                    seq,
                    event: event.take(),
                    replayed,
                });
            }
        }
    }

    /// The next message reaches the far end.
    fn arrive(&mut self) -> Finding {
        let Some(message) = self.wire.pop_front() else {
            return Ok(());
        };
        self.receipts.push_back(message.seq);
        let Some(event) = message.event else {
            return Ok(());
        };
        self.arrivals.push(Arc::clone(&event.line));
        let id = id_of(&event.line)?;
        if let Some(known) = self.far_end.get_mut(&id) {
            known.durable |= event.durable;
            return if known.line == event.line {
                Ok(())
            } else {
                Err(format!(
                    "delivery: one id, two events: {} and {}",
                    known.line, event.line
                ))
            };
        }
        if event.seq < self.newest && self.in_order {
            return Err(format!("delivery: out of order: {}", event.line));
        }
        if !message.replayed {
            if event.seq < self.newest_live {
                return Err(format!("delivery: live, and out of order: {}", event.line));
            }
            self.newest_live = event.seq;
        }
        self.newest = event.seq;
        let (line, durable) = (event.line, event.durable);
        self.far_end.insert(id, Arrived { line, durable });
        Ok(())
    }

    /// The next receipt comes back.
    fn receive(&mut self, feed: &Feed) {
        if let Some(seq) = self.receipts.pop_front() {
            let progress = self.delivery.acknowledged(seq);
            self.take(progress, feed);
        }
    }

    fn take(&mut self, progress: Progress, feed: &Feed) {
        self.passed_over |= progress.gone > 0;
        if let Some(cursor) = progress.cursor {
            feed.acknowledge(OUTPUT, cursor);
        }
    }
}

fn id_of(line: &str) -> Result<String, String> {
    let wire: WireEvent = serde_json::from_str(line).map_err(|error| error.to_string())?;
    Ok(wire.id)
}
