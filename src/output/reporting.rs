//! What an output tells, whatever it speaks: heartbeat, status point, counters, receipts, log.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;
use tracing::{error, warn};

use super::Wiring;
use super::delivery::{Delivery, Progress};
use super::oldest::Oldest;
use super::tries::Tries;
use super::verdict::{BUSY, UNAVAILABLE, UNWELCOME};
use crate::broker::{ENDINGS, Flow, Link, Sampler, StatusPoint};
use crate::clock;
use crate::engine::reading::PointIndex;
use crate::engine::time::{Moment, Mono, Wall};
use crate::event::{Committed, rfc3339};
use crate::journal::{Audience, Fate, Feed, LeftAside, PutBy, Receipt};
use crate::metrics::Metrics;

/// Why a delivery can fail, for metrics.
pub const FAILURE_REASONS: [&str; 17] = {
    let [a, b, c, d, e, f, g, h, i] = ENDINGS;
    [
        a,
        b,
        c,
        d,
        e,
        f,
        g,
        h,
        i,
        BUSY,
        HOST_OFFLINE,
        NAME,
        NO_PUBACK,
        NO_RECEIPT,
        PUBLISH_REFUSED,
        TEMPLATE,
        UNAVAILABLE,
    ]
};
/// Why an event can be lost for an output, for metrics.
pub const DROP_REASONS: [&str; 3] = [GONE, POISON, TOO_LARGE];

/// The primary host of a Sparkplug node says that it is gone.
pub(super) const HOST_OFFLINE: &str = "host_offline";
/// The receiver's name stands for nothing.
const NAME: &str = "name";
pub(super) const NO_PUBACK: &str = "no_puback";
/// The broker did not answer a question that stands for a receipt.
pub(super) const NO_RECEIPT: &str = "no_receipt";
/// The broker said that it does not take an event (MQTT 5).
pub(super) const PUBLISH_REFUSED: &str = "publish_refused";
/// The body could not be made.
pub(super) const TEMPLATE: &str = "template";
/// The journal had to let go of it before its turn came: pruned, or dropped from full memory.
pub(super) const GONE: &str = "gone";
/// The far end refused it until it was given up.
pub(super) const POISON: &str = "poison";
/// Longer than a message may be.
pub(super) const TOO_LARGE: &str = "too_large";

/// An output whose cursor does not move in this time although something waits is stuck.
const STUCK_AFTER: Duration = Duration::from_secs(60);
/// So long the status point tells of an event that was lost.
const LOST_FOR: Duration = Duration::from_secs(3600);
/// The journal answers from memory at once, from a sound disk within this.
const LOOK_WITHIN: Duration = Duration::from_millis(500);

/// The voice of one output.
pub(super) struct Reporter {
    pub(super) id: Arc<str>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) oldest: Oldest,
    pub(super) sampler: Sampler,
    /// What receipts say of whoever accepts now.
    pub(super) answer: Arc<str>,
    tries: Tries,
    task: String,
    feed: Feed,
    status: StatusPoint,
    /// When the cursor moved last, or nothing waited.
    moved_at: Mono,
    /// When an event was lost for this output last.
    lost_at: Option<Mono>,
    /// Something else is wrong, although events may arrive.
    pub(super) wrong: bool,
}

impl Reporter {
    pub(super) fn new(id: &Arc<str>, status: PointIndex, wiring: &Wiring) -> Self {
        Self {
            id: Arc::clone(id),
            metrics: Arc::clone(&wiring.metrics),
            oldest: Oldest::default(),
            sampler: Sampler::default(),
            answer: "".into(),
            tries: Tries::default(),
            task: format!("output.{id}"),
            feed: wiring.feed.clone(),
            status: StatusPoint::new(status, wiring.readings.clone()),
            moved_at: clock::monotonic(),
            lost_at: None,
            wrong: false,
        }
    }

    /// About twice a second, whatever happens. `waiting`: events that the far end has not confirmed;
    /// `aside`: that are set aside.
    pub(super) fn beat(&mut self, link: Link, waiting: u64, aside: usize, now: Moment) {
        self.metrics.heartbeat(&self.task);
        self.metrics.output_queue(&self.id, waiting);
        self.metrics.output_aside(&self.id, aside);
        self.metrics.output_oldest(&self.id, self.oldest.time());
        if waiting == 0 {
            self.moved_at = now.mono;
        }
        let stuck = now.mono.since(self.moved_at) > STUCK_AFTER;
        let lost = self.lost_at.map(|since| now.mono.since(since));
        let lost = lost.is_some_and(|lost| lost < LOST_FOR);
        let flow = if stuck {
            Flow::Stuck
        } else {
            Flow::troubled(lost || aside > 0 || self.wrong)
        };
        self.status.update(link, flow, now);
    }

    /// Before each attempt to connect: what waits may be from an earlier run, or has come during the
    /// pause. A disk that hangs must not delay the attempt.
    pub(super) async fn look_at_oldest(&mut self, delivery: &Delivery) {
        if delivery.unconfirmed(self.feed.committed()) == 0 || self.oldest.time().is_some() {
            return;
        }
        let first = self.feed.after(delivery.cursor(), 1);
        if let Ok(Ok(first)) = timeout(LOOK_WITHIN, first).await {
            first
                .iter()
                .for_each(|event| self.oldest.handed_out(event, true));
        }
        self.metrics.output_oldest(&self.id, self.oldest.time());
    }

    /// What happened around event `seq`.
    pub(super) fn progress(&mut self, progress: Progress, seq: u64, now: Moment) {
        if let Some(since) = progress.delivered {
            self.metrics
                .output_delivered(&self.id, now.mono.since(since));
            self.accepted(seq, now.wall);
        }
        if let Some(cursor) = progress.cursor {
            self.moved_at = now.mono;
            self.moved(cursor);
        }
        if progress.gone > 0 {
            self.lost_events(progress.gone, GONE, seq);
        }
    }

    /// Event `seq` is handed to the wire.
    pub(super) fn sent(&mut self, seq: u64, now: Wall) {
        self.tries.sent(seq, now);
    }

    /// The far end has event `seq`.
    pub(super) fn accepted(&mut self, seq: u64, at: Wall) {
        let answer = Some(Arc::clone(&self.answer)).filter(|answer| !answer.is_empty());
        self.note(seq, Fate::Accepted, at, answer);
        self.tries.done(seq);
    }

    /// The output goes on without event `seq`, and tries it again later.
    pub(super) fn set_aside(&self, seq: u64, why: &str, at: Wall) {
        self.note(seq, Fate::Aside, at, Some(why.into()));
    }

    /// What an earlier run had set aside, to be tried again. What was given up at the start is told.
    pub(super) fn left_aside(&mut self) -> Vec<PutBy> {
        let LeftAside {
            events,
            given_up,
            missed,
        } = self.feed.left_aside(&self.id);
        if missed > 0 {
            let why = format!("{missed} events that single readers were owed are given up");
            self.not_everybody(UNWELCOME, &why, clock::monotonic());
        }
        if given_up > 0 {
            self.lost_at = Some(clock::monotonic());
            self.metrics.output_dropped(&self.id, POISON, given_up);
            error!(
                output = &*self.id,
                events = given_up,
                "events that an earlier run had set aside are given up: they are too old, or too many"
            );
        }
        events
    }

    /// How event `seq` stands of which readers were or are owed theirs since `since`: set aside while one of them
    /// waits; then accepted if anybody has it, else given up.
    pub(super) fn parted(
        &mut self,
        seq: u64,
        since: Wall,
        audience: Audience,
        words: Arc<str>,
        now: Moment,
    ) {
        let fate = audience.fate();
        let at = if fate == Fate::Aside { since } else { now.wall };
        let words = Some(words).filter(|words| !words.is_empty());
        let audience = Some(audience).filter(|audience| !audience.is_whole());
        self.write(seq, fate, at, words, audience);
        match fate {
            Fate::Aside => {}
            Fate::Accepted => self.tries.done(seq),
            Fate::Lost => self.given_up(1, POISON, seq),
        }
    }

    /// For the ledger.
    fn note(&self, seq: u64, fate: Fate, at: Wall, words: Option<Arc<str>>) {
        self.write(seq, fate, at, words, None);
    }

    fn write(
        &self,
        seq: u64,
        fate: Fate,
        at: Wall,
        words: Option<Arc<str>>,
        audience: Option<Audience>,
    ) {
        let tried = self.tries.of(seq);
        self.feed.note(Receipt {
            seq,
            output: Arc::clone(&self.id),
            at,
            fate,
            sent: tried.map(|tried| tried.first),
            attempts: tried.map(|tried| tried.count),
            words,
            audience,
        });
    }

    /// Everything up to `cursor` is safe.
    pub(super) fn moved(&mut self, cursor: u64) {
        self.oldest.confirmed(cursor);
        self.feed.acknowledge(&self.id, cursor);
    }

    /// A delivery failed and will be tried again; `what` happened, in the log.
    pub(super) fn failed(&mut self, reason: &'static str, detail: &str, now: Mono, what: &str) {
        debug_assert!(FAILURE_REASONS.contains(&reason), "{reason}");
        self.metrics.output_failure(&self.id, reason);
        if let Some(count) = self.sampler.hit(reason, now) {
            warn!(output = &*self.id, reason, detail, count, "{what}");
        }
    }

    /// Some readers do not get what others get. Who is refused for good needs somebody's help: the status point
    /// tells.
    pub(super) fn not_everybody(&mut self, reason: &'static str, why: &str, now: Mono) {
        self.failed(reason, why, now, "not every reader is reached");
        if reason == UNWELCOME {
            self.lost_at = Some(now);
        }
    }

    /// Goes on without events for good, and says so: in the log, in the counter and on the status
    /// point. `seq`: the newest of them, or the one after it.
    pub(super) fn lost_events(&mut self, events: u64, reason: &'static str, seq: u64) {
        // Of what is gone there is nothing left to tell of.
        if reason != GONE {
            let words = (reason == TOO_LARGE).then(|| "longer than a message may be".into());
            self.note(seq, Fate::Lost, clock::now().wall, words);
        }
        self.given_up(events, reason, seq);
    }

    fn given_up(&mut self, events: u64, reason: &'static str, seq: u64) {
        self.lost_at = Some(clock::monotonic());
        self.tries.done(seq);
        self.metrics.output_dropped(&self.id, reason, events);
        let kept = if reason == GONE {
            "events are gone from the journal before this output had them"
        } else {
            "an event is given up for this output (the journal still has it)"
        };
        error!(output = &*self.id, seq, events, reason, "{kept}");
    }
}

/// When an event happened, by the clock of this run; what is older than the run, at its start.
pub(super) fn since(event: &Committed, now: Moment) -> Mono {
    event.at.unwrap_or_else(|| {
        let age = rfc3339::of_line(&event.line).map_or(0.0, |time| now.wall.seconds_since(time));
        now.mono - Duration::try_from_secs_f64(age).unwrap_or_default()
    })
}
