//! Telemetry over the broker: what goes when nothing else is to be done.
//!
//! It has a window of its own, so that it takes no place from events; an event that comes finds 32 KiB of
//! it before itself at most. Live records go in a message a turn at most, so that they fill it.
//!
//! A broker that acknowledges everything else keeps its connection, for alarms go over it:
//!
//! ```text
//!  on the way ──no PUBACK in ack_timeout──▶ the status goes once more ──no PUBACK──▶ the connection ends: it is the broker
//!      ▲                                          │ PUBACK: it is telemetry
//!      │ one message                              ▼
//!      └───────────────────────────────────── rests, 10 s doubled up to 10 min; told
//! ```
//!
//! What is never acknowledged keeps its packet id. When the ids come round to it (the library has four for each
//! publish that may be on the way) the connection has to end after all: at most once in a pause, that is.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::oneshot;
use tracing::warn;

use super::Forwarder;
use super::connection::{Connection, What};
use super::sending::HEADER;
use crate::clock;
use crate::engine::time::{Moment, Mono};
use crate::output::Form;
use crate::output::message::{self, Line};
use crate::output::shipment::{Load, Shipment, Want};
use crate::telemetry::{Feed, Names, Next, Page, Record};

/// Records that are asked for at once.
const PAGE: usize = 512;
/// Why it rests, when the broker is silent on it alone.
const NOT_ACKNOWLEDGED: &str = "not acknowledged, while all else is";
/// Longest message of many records, bytes; a batch is full a little before.
const BATCH: usize = 8 * 1024;

/// Telemetry of one output.
pub(super) struct Telemetry {
    id: Arc<str>,
    feed: Feed,
    form: Form,
    pub(super) shipment: Shipment,
    /// Pages of the lanes that were read last, and not sent yet.
    pages: VecDeque<Ready>,
    /// A page that the disk was asked for.
    asked: Option<(Want, oneshot::Receiver<Page>)>,
    /// A page that it gave.
    came: Option<(Want, Page)>,
    /// It gave none; it is asked again at the next turn.
    rest: bool,
    /// Live records wait until the next turn.
    live_sent: bool,
    /// Why the far end did not take it last.
    untaken: &'static str,
}

/// Records at hand.
struct Ready {
    lane: u64,
    names: Arc<Names>,
    records: VecDeque<(u64, Record)>,
}

impl Telemetry {
    pub(super) fn new(id: &Arc<str>, feed: Feed, form: Form) -> Self {
        Self {
            id: Arc::clone(id),
            shipment: Shipment::new(feed.cursor(id)),
            feed,
            form,
            pages: VecDeque::new(),
            asked: None,
            came: None,
            rest: false,
            live_sent: false,
            untaken: "",
        }
    }

    pub(super) fn connected(&mut self) {
        self.forget();
        self.shipment.connected(self.feed.newest());
        self.feed.want_present();
    }

    pub(super) fn disconnected(&mut self, by_far_end: bool, now: Moment) {
        self.forget();
        self.shipment.disconnected(by_far_end, now.mono);
    }

    fn turn(&mut self, now: Mono) {
        self.live_sent = false;
        self.rest = false;
        self.shipment.turn(now);
    }

    /// What is wrong with it, if the far end said so and has not thought better of it.
    pub(super) fn trouble(&self) -> Option<String> {
        let known = !self.untaken.is_empty() && self.shipment.is_in_doubt();
        known.then(|| format!("it does not take telemetry: {}", self.untaken))
    }

    fn forget(&mut self) {
        self.pages.clear();
        self.asked = None;
        self.came = None;
    }

    /// The next records, all of one lane; `None`: nothing that could go now.
    fn next(&mut self) -> Option<(Want, Ready)> {
        let newest = self.feed.newest();
        loop {
            let want = self.shipment.next(newest)?;
            let want = if want.replayed || !self.live_sent {
                want
            } else {
                self.shipment.next_missed()?
            };
            if let Some(ready) = self.take_page(want) {
                return Some((want, ready));
            }
            match self.read(want) {
                Some(page) if page.records.is_empty() => {
                    self.shipment.passed_over(want.lane, want.upto);
                    self.arrived();
                }
                Some(page) => {
                    let last = page.records.first().map_or(0, |(number, _)| *number);
                    // Dropped in between, counted where it was dropped.
                    if last > want.upto {
                        self.shipment.passed_over(want.lane, want.upto);
                        self.arrived();
                        continue;
                    }
                    let upto = want.upto;
                    let records = page.records.into_iter();
                    self.pages.retain(|page| page.lane != want.lane);
                    self.pages.push_back(Ready {
                        lane: want.lane,
                        names: page.names,
                        records: records.take_while(|(number, _)| *number <= upto).collect(),
                    });
                }
                None => return None,
            }
        }
    }

    /// The rest of the page of this lane, if it goes on where the lane is.
    fn take_page(&mut self, want: Want) -> Option<Ready> {
        let at = self.pages.iter().position(|page| page.lane == want.lane)?;
        let mut page = self.pages.remove(at)?;
        while page
            .records
            .pop_front_if(|(number, _)| *number <= want.after)
            .is_some()
        {}
        (!page.records.is_empty()).then_some(page)
    }

    /// `None`: the disk is being asked.
    fn read(&mut self, want: Want) -> Option<Page> {
        let is_meant = |asked: &Want| (asked.lane, asked.after) == (want.lane, want.after);
        if let Some((_, page)) = self.came.take_if(|(asked, _)| is_meant(asked)) {
            return Some(page);
        }
        if self.rest || matches!(&self.asked, Some((asked, _)) if is_meant(asked)) {
            return None;
        }
        match self.feed.read(want.after, want.upto, PAGE) {
            Next::Page(page) => Some(page),
            Next::OnDisk(page) => {
                self.asked = Some((want, page));
                None
            }
            Next::Nothing => Some(Page {
                names: Arc::default(),
                records: Vec::new(),
            }),
        }
    }

    /// Tells where the cursor is.
    fn arrived(&self) {
        self.feed.arrived(&self.id, self.shipment.cursor());
    }
}

/// Resolves when the disk has answered; else never.
pub(super) async fn answered(telemetry: &mut Option<Telemetry>) {
    let Some(telemetry) = telemetry else {
        return std::future::pending().await;
    };
    let Some((want, page)) = &mut telemetry.asked else {
        return std::future::pending().await;
    };
    let (want, page) = (*want, page.await);
    telemetry.asked = None;
    match page {
        Ok(page) => telemetry.came = Some((want, page)),
        Err(_gave_none) => telemetry.rest = true,
    }
}

impl Forwarder {
    /// Sends telemetry as far as there is room.
    pub(super) fn publish_telemetry(&mut self, connection: &mut Connection, now: Moment) {
        // Events go alone, so that it is known what the far end did not take.
        let alone = self.aside.is_trying() || self.aside.due(now.mono).is_some();
        if alone || connection.unacknowledged > 0 {
            return;
        }
        let Some(telemetry) = &mut self.telemetry else {
            return;
        };
        let longest = BATCH.min(connection.limit.saturating_sub(HEADER));
        while telemetry.shipment.has_room(now.mono)
            && !connection.broken
            && let Some((want, mut ready)) = telemetry.next()
        {
            let (topic, payload, last, records) = match telemetry.form {
                Form::Points => one(&self.topics, &mut ready, want.replayed),
                Form::Batches => {
                    let dropped = telemetry.feed.dropped();
                    let topic = self.topics.readings();
                    let (payload, last, records) =
                        many(&mut ready, want.replayed, dropped, longest);
                    telemetry.live_sent |= !want.replayed && last >= want.upto;
                    (topic, payload, last, records)
                }
            };
            telemetry.pages.push_back(ready);
            let bytes = payload.len();
            let load = Load {
                last,
                bytes,
                records,
            };
            let ticket = telemetry.shipment.sent(want.lane, load, now.mono);
            let what = What::Readings(ticket);
            connection.publish(topic, false, payload, what, now.mono);
        }
    }

    /// Time passes for telemetry. When its PUBACK is late and that of nothing else is awaited, the status goes once
    /// more: its PUBACK tells whether the broker is to blame or telemetry alone.
    pub(super) fn turn_of_telemetry(&mut self, connection: &mut Connection, now: Mono) {
        if let Some(telemetry) = &mut self.telemetry {
            telemetry.turn(now);
        }
        let undecided = connection.unacknowledged > 0 || connection.broken;
        if self.telemetry_is_late(now) && !undecided {
            let status = connection.online.clone();
            connection.publish(self.topics.status(), true, status, What::Question, now);
        }
    }

    fn telemetry_is_late(&self, now: Mono) -> bool {
        let telemetry = self.telemetry.as_ref();
        let since = telemetry.and_then(|telemetry| telemetry.shipment.waits_since());
        since.is_some_and(|since| now.since(since) > self.target.ack_timeout)
    }

    /// The broker acknowledges, but not telemetry, if that is still so.
    pub(super) fn telemetry_alone_is_late(&mut self) {
        let now = clock::monotonic();
        if self.telemetry_is_late(now) {
            self.telemetry_rests(now);
        }
    }

    /// Is it telemetry that holds this packet id, which is needed again? Then it rests.
    pub(super) fn telemetry_holds(&mut self, connection: &Connection, id: u16) -> bool {
        let holder = connection.pubacks.holder(id);
        let holds = holder.is_some_and(What::is_telemetry);
        if holds {
            self.telemetry_rests(clock::monotonic());
        }
        holds
    }

    /// What is on the way does not get through.
    fn telemetry_rests(&mut self, now: Mono) {
        if let Some(telemetry) = &mut self.telemetry
            && telemetry.shipment.is_late(now)
        {
            self.telemetry_untaken(NOT_ACKNOWLEDGED, now);
        }
    }

    /// A PUBACK of telemetry came.
    pub(super) fn telemetry_arrived(&mut self, ticket: u64) {
        let Some(telemetry) = &mut self.telemetry else {
            return;
        };
        let records = telemetry.shipment.acknowledged(ticket);
        telemetry.arrived();
        self.report.metrics.telemetry().sent(&self.id, records);
    }

    /// The broker said that it does not take it.
    pub(super) fn telemetry_refused(&mut self, ticket: u64, reason: &'static str) {
        let now = clock::monotonic();
        if let Some(telemetry) = &mut self.telemetry {
            telemetry.shipment.refused(ticket, now);
            self.telemetry_untaken(reason, now);
        }
    }

    fn telemetry_untaken(&mut self, reason: &'static str, now: Mono) {
        let Some(telemetry) = &mut self.telemetry else {
            return;
        };
        telemetry.forget();
        telemetry.untaken = reason;
        let trouble = telemetry.trouble();
        self.report.metrics.telemetry().refused(&self.id);
        if let Some(count) = self.report.sampler.hit("telemetry_refused", now) {
            warn!(
                output = &*self.id,
                reason, count, "the broker does not take telemetry; it is sent again later"
            );
        }
        if trouble.is_some() {
            self.tell(trouble);
        }
    }

    /// Messages of telemetry without their PUBACK.
    pub(super) fn telemetry_on_the_way(&self) -> usize {
        let telemetry = self.telemetry.as_ref();
        telemetry.map_or(0, |telemetry| telemetry.shipment.on_the_way())
    }
}

/// A message of one record.
fn one(topics: &message::Topics, ready: &mut Ready, replayed: bool) -> (String, String, u64, u32) {
    let (number, record) = ready
        .records
        .pop_front()
        .expect("a page at hand has a record");
    let (id, unit) = ready.names.get(record.point).unwrap_or(("", ""));
    let payload = message::reading(&record, unit, replayed);
    (topics.reading(id), payload, number, 1)
}

/// A message of as many records as it holds, one at least.
fn many(ready: &mut Ready, replayed: bool, dropped: u64, longest: usize) -> (String, u64, u32) {
    let mut batch = message::Batch::new(replayed, dropped);
    let (mut last, mut count) = (0, 0);
    while let Some((number, record)) = ready.records.front() {
        let (id, unit) = ready.names.get(record.point).unwrap_or(("", ""));
        let line = Line::of(record, unit).at(id);
        if !batch.add(&line, longest) {
            break;
        }
        (last, count) = (*number, count + 1);
        ready.records.pop_front();
    }
    (batch.finish(), last, count)
}
