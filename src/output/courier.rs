//! Outputs where one request carries one event: webhooks, mail, standard output. Whatever they speak, when and in
//! which order they are given events is decided here, and by [`delivery`](super::delivery).
//!
//! ```text
//!              ┌─────────────── accepted: the cursor moves ◀──────────────┐
//!              ▼                                                          ├─ parted: owed to single readers (`owed`)
//!  next of the first lane that has one ──▶ wanted? ──yes──▶ Carrier::carry ┤
//!      ▲  live │ backlog │ put by             │ no: passed over           ├─ refused for good ──3 times──▶ set aside
//!      │                                      ▼                           └─ later ─┐
//!      └──────────────────────────────────────┘                                     │
//!      └── back-off with jitter, or as the far end asks (10 min at most) ◀──────────┘
//! ```
//!
//! - **One at a time, in order.** An alarm's events never overtake one another within a lane.
//! - **After an outage** (a failed attempt) what was committed meanwhile is backlog, marked `replayed`. A
//!   long one goes after what is live. Outputs that can say it ([`Carrier::tells_present`]) first get which
//!   alarms are active now, in one message; where that is not taken, events do not wait for it (`snapshot`).
//! - **Old notices are summed up** ([`Carrier::sums_up`]): whoever could not be reached for hours is not
//!   paged for each of them. What is older than 15 min becomes one message for up to 500 events of the journal; what
//!   is live, after 3 min: a flood that the far end is too slow for does not hold up what comes after it.
//! - **Readers part** where each gets a message of their own: the output goes on, and who was put off is owed theirs,
//!   alone. The ledger says so until the last of them has it. What is new about an alarm goes to them after what they
//!   are owed about it (`order`).
//! - **Restarts** change nothing: the cursor is in the journal, and so is what was put by.
//!
//! | bound | value | then |
//! |---|---|---|
//! | events on their way | 1, or those of one summary | |
//! | what a reader is owed on its way | 10 s, if something new waits and the far end was not given all of it | it gives way, and goes later |
//! | pause after a failure | 0.5 s doubled to 30 s; 5 min where everything is refused | |
//! | events set aside | 16 (`aside`) | the oldest is given up; 16 in a row: the output waits, and what follows is tried (`blocked`) |
//! | events owed to readers | 500 a reader, 4096 (`owed`) | the oldest is given up |
//! | events on end with nobody served | 64 (`health`) | the output waits, and what follows is tried |
//! | a page of the backlog | 100 events, about 1 MiB | the next is read when it is through |
//! | the end | 1.7 s | what is left stays in the journal |
//!
//! Deliberately absent: parallel requests (the order of an alarm is worth more), and a limit of attempts:
//! what nobody refuses is tried until it arrives, or until it has shown that it alone does not (`stubborn`).

mod blocked;
mod carrying;
mod health;
mod lanes;
mod order;
mod outcome;
mod owed;
mod pauses;
mod put_by;
mod snapshot;
mod stubborn;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use tokio::sync::watch;
use tracing::info;

use self::blocked::Blocked;
use self::health::{Health, Unserved};
use self::lanes::Step;
use self::order::Alarms;
use self::outcome::Follow;
use self::owed::Owed;
use self::pauses::Pauses;
use self::put_by::Retry;
pub use self::snapshot::Present;
use self::snapshot::Snapshot;
use self::stubborn::Stubborn;
use super::Wiring;
use super::aside::Aside;
use super::delivery::Delivery;
use super::finishing;
use super::message;
use super::reporting::Reporter;
use super::verdict::Verdict;
use crate::broker::{Signal, Signals};
use crate::clock;
use crate::engine::reading::PointIndex;
use crate::engine::time::{Moment, Mono, Wall};
use crate::event::WireEvent;
use crate::journal::Feed;
use crate::wording::Context;

/// The first success of a run belongs to its start when it comes within this.
const START: Duration = Duration::from_secs(10);
/// Events of the journal that one summary covers at most.
const SUMMARY: usize = 500;

/// What an output could not do for some of its readers: a word of [`FAILURE_REASONS`](super::FAILURE_REASONS), and
/// what happened.
pub type Complaint = (&'static str, String);

/// Takes what is to be sent to one far end. The courier says what and when, and what becomes of it.
pub trait Carrier: Send {
    /// Does the output carry this event?
    fn wants(&self, event: &WireEvent) -> bool;

    /// Are old notices to be summed up ([`Load::Summary`])?
    fn sums_up(&self) -> bool {
        false
    }

    /// Is the present state to be told after an outage ([`Load::Present`])?
    fn tells_present(&self) -> bool {
        false
    }

    /// Who reads this event, where readers get messages of their own and may part ([`Verdict::Parted`]).
    fn readers(&self, _event: &WireEvent) -> Vec<Arc<str>> {
        Vec::new()
    }

    /// May the reader be sent what they are owed now ([`Load::Owed`])? Not for a while after they were put off.
    fn may_try(&self, _reader: &str, _now: Mono) -> bool {
        true
    }

    /// Is it this message alone that the far end puts off for the reader? Then it goes alone, after everything else that
    /// they are owed, and holds back nothing.
    fn is_stuck(&self, _reader: &str, _seq: u64) -> bool {
        false
    }

    /// May one that is stuck be sent now?
    fn may_try_stuck(&self, _reader: &str, _seq: u64, _now: Mono) -> bool {
        true
    }

    /// Events that one message to the reader may tell of at most, as far as that is known.
    fn width(&self, _reader: &str) -> usize {
        usize::MAX
    }

    /// What the reader is owed was not taken since then, and something new goes first.
    fn gave_way(&mut self, _reader: &str, _begun: Mono, _now: Mono) {}

    /// Turns true when [`carry`](Self::carry) begins to give the far end the whole of what it carries, and false when the next
    /// is begun. From then on the far end may have it although nobody hears so: it does not give way any more.
    fn on_its_way(&self) -> Arc<AtomicBool> {
        Arc::default()
    }

    /// How long readers who were put off are still waited for, if any are. Everything behind them waits, too, so the
    /// next attempt comes no later than the end of it.
    fn patience(&self, _now: Mono) -> Option<Duration> {
        None
    }

    /// What went wrong for some, though not for all; each is told once.
    fn complaints(&mut self) -> Vec<Complaint> {
        Vec::new()
    }

    /// Sends it. May be dropped half-way; it then counts as not sent.
    fn carry(&mut self, load: &Load<'_>) -> impl Future<Output = Verdict> + Send;
}

/// What is sent at once.
#[derive(Debug, Clone, Copy)]
pub enum Load<'l> {
    /// One event.
    Event(&'l Parcel),
    /// Notices of an outage, oldest first; two at least.
    Summary(&'l [Parcel]),
    /// What is active now.
    Present(&'l Present),
    /// What one reader is owed, oldest first; one at least.
    Owed {
        /// Who.
        reader: &'l str,
        /// What: several are summed up.
        parcels: &'l [Parcel],
    },
}

/// An event on its way.
#[derive(Debug, Clone, PartialEq)]
pub struct Parcel {
    /// Its number in the journal.
    pub seq: u64,
    /// The line of the journal with the marks of this delivery (contract 5.2), without a line feed.
    pub line: String,
    /// The same, understood.
    pub event: WireEvent,
    /// Is it backlog?
    pub replayed: bool,
    /// Readers who are owed something earlier of its alarm, and get this after it.
    pub behind: Vec<Arc<str>>,
}

/// The mark of an event that is not on disk (`message::event`), which stands at its end.
const NOT_DURABLE: &str = "\"durable\":false}";

impl Parcel {
    /// Is the event in memory only, because the disk fails?
    pub(super) fn is_volatile(&self) -> bool {
        self.line.ends_with(NOT_DURABLE)
    }

    /// Is it no event of the journal, but somebody's attempt whether messages arrive?
    pub(super) const fn is_trial(&self) -> bool {
        self.seq == 0
    }

    /// `event` instead of its own, on the same way and with the same marks.
    pub(super) fn with(&self, event: WireEvent) -> Self {
        let line = serde_json::to_string(&event).expect("it was read from a line");
        Self {
            line: message::event(&line, self.replayed, !self.is_volatile()),
            event,
            ..self.clone()
        }
    }
}

/// Runs one output until `shutdown` turns true; then finishes what is on its way and returns within 2.5 s.
/// Never returns for a fault: what cannot be delivered waits, and `status` says so.
pub(super) async fn run(
    id: Arc<str>,
    status: PointIndex,
    carrier: impl Carrier,
    wiring: Wiring,
    shutdown: watch::Receiver<bool>,
) {
    let report = Reporter::new(&id, status, &wiring);
    let (context, feed) = (wiring.context(), wiring.feed);
    let window = if carrier.sums_up() { SUMMARY } else { 1 };
    let mut courier = Courier {
        delivery: Delivery::new(feed.cursor(&id), window, feed.last_seq_at_start()),
        aside: Aside::default(),
        owed: Owed::default(),
        unserved: Unserved::default(),
        retry: Retry::default(),
        alarms: Alarms::default(),
        report,
        feed,
        carrier,
        context,
        page: VecDeque::new(),
        disk_rests_until: Mono::ZERO,
        pauses: Pauses::default(),
        stubborn: Stubborn::default(),
        probe: None,
        health: Health::Unknown,
        blocked: Blocked::default(),
        snapshot: Snapshot::default(),
        began: clock::monotonic(),
        finish_by: None,
    };
    courier.serve(Signals::new(shutdown)).await;
}

struct Courier<C> {
    report: Reporter,
    feed: Feed,
    delivery: Delivery,
    aside: Aside,
    owed: Owed,
    unserved: Unserved,
    /// When what was put by is tried.
    retry: Retry,
    alarms: Alarms,
    /// The last event of what nobody took, while nothing more may be put by: what follows it is tried.
    probe: Option<u64>,
    carrier: C,
    context: Context,
    /// Read from disk; what goes next is still in it.
    page: VecDeque<crate::event::Committed>,
    /// The disk did not give what it should; it is left alone so long.
    disk_rests_until: Mono,
    pauses: Pauses,
    stubborn: Stubborn,
    health: Health,
    blocked: Blocked,
    snapshot: Snapshot,
    /// When the output started.
    began: Mono,
    /// The end has been asked for; nothing is begun after this.
    finish_by: Option<Mono>,
}

impl<C: Carrier> Courier<C> {
    async fn serve(&mut self, mut signals: Signals) {
        // There is no connection that could be missing.
        self.report.metrics.output_connected(&self.report.id, true);
        self.take_up(clock::now());
        self.report.look_at_oldest(&self.delivery).await;
        self.begin();
        while self.goes_on(&signals) {
            let seen = self.feed.committed();
            self.beat(clock::now());
            let Some(step) = self.next().await else {
                if self.finish_by.is_some() {
                    break;
                }
                self.rest(seen, &mut signals).await;
                continue;
            };
            self.note_attempt(&step, clock::now().wall);
            let Some(verdict) = self.carry(&step, seen, &mut signals).await else {
                break;
            };
            let now = clock::now();
            self.hear_complaints(now.mono);
            let (pause, anew) = match self.judge(&step, verdict, now) {
                Follow::Next => continue,
                Follow::Again(pause) => (pause, false),
                Follow::Anew(pause) => (pause, true),
            };
            let aside = self.held();
            let (report, delivery, feed) = (&mut self.report, &self.delivery, &self.feed);
            let link = self.health.link();
            let beat = || {
                let waiting = delivery.unconfirmed(feed.committed());
                report.beat(link, waiting, aside, clock::now());
            };
            if signals.pause(pause, beat).await == Signal::Stop {
                break;
            }
            if anew {
                self.report.look_at_oldest(&self.delivery).await;
                self.begin();
            }
        }
        self.tell_what_stays();
        info!(output = &*self.report.id, "output stopped");
    }

    /// Notes that the end was asked for, and answers whether there is time for more.
    fn goes_on(&mut self, signals: &Signals) -> bool {
        let now = clock::monotonic();
        if signals.stopping() && self.finish_by.is_none() {
            self.finish_by = Some(now + finishing::WITHIN);
        }
        self.finish_by.is_none_or(|deadline| now < deadline)
    }

    /// Another attempt begins: what was committed before it is backlog.
    fn begin(&mut self) {
        if clock::monotonic().since(self.began) > START {
            self.delivery.missed_the_start();
        }
        self.delivery.connected(self.feed.committed());
        self.delivery.proved();
        self.page.clear();
        let late = self.delivery.unconfirmed(self.delivery.backlog_until()) > 0;
        self.delivery.live_first();
        let probe = self.probe.take();
        if let Some(until) = probe.or(self.stubborn.gives_way(clock::monotonic())) {
            self.delivery.let_pass(until);
        }
        if late && self.carrier.tells_present() {
            self.snapshot.owe(clock::monotonic());
        }
    }

    fn note_attempt(&mut self, step: &Step, now: Wall) {
        let parcels = match step {
            Step::Event(parcel) | Step::Again(parcel) => std::slice::from_ref(parcel),
            Step::Summary(parcels) | Step::Owed(_, parcels) => parcels,
            Step::Present(_) => &[],
        };
        for parcel in parcels {
            self.report.sent(parcel.seq, now);
        }
    }

    fn beat(&mut self, now: Moment) {
        let waiting = self.delivery.unconfirmed(self.feed.committed());
        self.look_at_health(waiting, now.mono);
        let link = self.health.link();
        self.report.beat(link, waiting, self.held(), now);
    }

    /// What no answer changes, but time.
    fn look_at_health(&mut self, waiting: u64, now: Mono) {
        let nothing_is_left = waiting == 0 && self.held() == 0;
        if nothing_is_left && self.health == Health::Failing {
            // It could not be shown that the far end is back.
            self.is(Health::Busy);
        } else if self.health == Health::Busy && self.unserved.is_for_long(now) {
            self.is(Health::Failing);
        }
    }

    /// Events that were put by, for all readers or for some.
    fn held(&self) -> usize {
        self.aside.len() + self.owed.len()
    }

    fn hear_complaints(&mut self, now: Mono) {
        for (reason, why) in self.carrier.complaints() {
            self.report.not_everybody(reason, &why, now);
        }
    }

    /// Waits for an event after number `seen`, or a turn.
    async fn rest(&mut self, seen: u64, signals: &mut Signals) {
        tokio::select! {
            biased;
            _signal = signals.next() => {}
            () = self.feed.advanced(seen) => {}
        }
    }
}
