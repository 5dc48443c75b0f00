//! Which event goes next: live before a long backlog, from memory what memory has, the rest from disk.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;
use tracing::{error, warn};

use super::{Carrier, Courier, Load, Parcel, Present, SUMMARY};
use crate::clock;
use crate::engine::time::Moment;
use crate::event::{Committed, WireEvent};
use crate::output::delivery::{Place, Progress, Want};
use crate::output::message;
use crate::output::reporting::{POISON, since};

/// A page of the backlog, events.
pub(super) const PAGE: usize = 100;
/// A disk that takes longer holds back nothing else ...
pub(super) const DISK_PATIENCE: Duration = Duration::from_secs(1);
/// ... and is left alone for so long.
pub(super) const DISK_RESTS: Duration = Duration::from_secs(10);
/// Backlog that is older when its turn comes is summed up ...
const OLD: Duration = Duration::from_secs(15 * 60);
/// ... and so is what is live and could not be sent for so long: the far end is too slow for single notices, and
/// the newest, which may be the worst, must not wait behind all of them.
const BEHIND: Duration = Duration::from_secs(3 * 60);
/// Events that may be passed over without a sign of life.
const AT_ONCE: usize = 5_000;

/// What is to be done next.
pub(super) enum Step {
    /// An event that was handed out.
    Event(Parcel),
    /// Several that were handed out.
    Summary(Vec<Parcel>),
    Present(Present),
    /// An event that was set aside.
    Again(Parcel),
    /// What a reader is owed.
    Owed(Arc<str>, Vec<Parcel>),
}

impl Step {
    pub(super) fn load(&self) -> Load<'_> {
        match self {
            Self::Event(parcel) | Self::Again(parcel) => Load::Event(parcel),
            Self::Summary(parcels) => Load::Summary(parcels),
            Self::Present(present) => Load::Present(present),
            Self::Owed(reader, parcels) => Load::Owed { reader, parcels },
        }
    }
}

/// How a lane fared.
enum Found {
    Event(Committed),
    /// It has nothing that could be had.
    Nothing,
    /// Something was passed over or read: look again.
    Again,
    /// The journal was cut in front of it: the first has another place now.
    Cut,
}

impl<C: Carrier> Courier<C> {
    /// What is to be done now; events in it are handed out.
    pub(super) async fn next(&mut self) -> Option<Step> {
        if self.snapshot.is_next() {
            return Some(Step::Present(self.present()));
        }
        // The journal waits then, perhaps for what is behind that.
        if !self.unserved.has_room(1)
            && let Some(step) = self.again(clock::now()).await
        {
            return Some(step);
        }
        for _passed_over in 0..AT_ONCE {
            let Some((event, in_order)) = self.peek().await else {
                return self.again(clock::now()).await;
            };
            let now = clock::now();
            let replayed = self.delivery.replayed(event.seq);
            let parcel = self.parcel(&event, replayed);
            self.hand_out(&event, in_order, parcel.is_some(), now);
            let Some(mut parcel) = parcel else { continue };
            parcel.behind = self.behind(&parcel).await;
            if !self.is_old(&parcel, now) {
                return Some(Step::Event(parcel));
            }
            return Some(self.sum_up(parcel).await);
        }
        None
    }

    /// All old notices that follow, with the first, as far as nothing else comes in between.
    async fn sum_up(&mut self, first: Parcel) -> Step {
        let mut parcels = vec![first];
        for _looked_at in 0..AT_ONCE {
            if parcels.len() >= SUMMARY {
                break;
            }
            let Some((event, in_order)) = self.peek().await else {
                break;
            };
            let now = clock::now();
            let replayed = self.delivery.replayed(event.seq);
            let parcel = self.parcel(&event, replayed);
            if parcel
                .as_ref()
                .is_some_and(|parcel| !self.is_old(parcel, now))
            {
                break;
            }
            self.hand_out(&event, in_order, parcel.is_some(), now);
            let Some(mut parcel) = parcel else { continue };
            parcel.behind = self.behind(&parcel).await;
            parcels.push(parcel);
        }
        match <[Parcel; 1]>::try_from(parcels) {
            Ok([parcel]) => Step::Event(parcel),
            Err(parcels) => Step::Summary(parcels),
        }
    }

    pub(super) fn is_old(&self, parcel: &Parcel, now: Moment) -> bool {
        let age = now.wall.seconds_since(parcel.event.time);
        let most = if parcel.replayed { OLD } else { BEHIND };
        self.carrier.sums_up() && age > most.as_secs_f64()
    }

    /// The event as it is sent, if the output carries it.
    pub(super) fn parcel(&mut self, committed: &Committed, replayed: bool) -> Option<Parcel> {
        let event: WireEvent = match serde_json::from_str(&committed.line) {
            Ok(event) => event,
            Err(error) => {
                let output = &*self.report.id;
                error!(output, seq = committed.seq, %error, "the journal's line cannot be read");
                self.report.lost_events(1, POISON, committed.seq);
                return None;
            }
        };
        let wanted = self.carrier.wants(&event);
        wanted.then(|| Parcel {
            seq: committed.seq,
            line: message::event(&committed.line, replayed, committed.durable),
            event,
            replayed,
            behind: Vec::new(),
        })
    }

    fn hand_out(&mut self, event: &Committed, in_order: bool, wanted: bool, now: Moment) {
        self.report.oldest.handed_out(event, in_order);
        let due = usize::from(wanted);
        let progress = self.delivery.sent(event.seq, due, since(event, now));
        self.report.progress(progress, event.seq, now);
    }

    /// The next event of the first lane that has one, which stays there; and is everything before it through?
    async fn peek(&mut self) -> Option<(Committed, bool)> {
        let mut turn = 0;
        while let Some(want) = self.delivery.want(turn) {
            match self.look(want).await {
                Found::Event(event) => return Some((event, want.place != Place::Newest)),
                Found::Nothing => turn += 1,
                Found::Again => {}
                Found::Cut => turn = 0,
            }
        }
        None
    }

    async fn look(&mut self, want: Want) -> Found {
        if want.room == 0 || want.after >= want.upto.min(self.feed.committed()) {
            return Found::Nothing;
        }
        let from_disk = want.place.is_oldest();
        if from_disk && let Some(event) = self.turn_page(want.after) {
            return self.within(want, event);
        }
        let until = match self.feed.recent(want.after, 1) {
            Ok(found) => {
                let next = found.into_iter().next();
                return next.map_or(Found::Nothing, |event| self.within(want, event));
            }
            Err(until) => until,
        };
        if from_disk && self.read_page(want).await {
            return Found::Again;
        }
        if self.delivery.go_ahead(want.after, until) {
            let output = &*self.report.id;
            warn!(
                output,
                until, "the disk does not give the backlog: newer events go first"
            );
            return Found::Cut;
        }
        Found::Nothing
    }

    /// The next event, unless it lies beyond the lane: then the lane is through.
    fn within(&mut self, want: Want, event: Committed) -> Found {
        if event.seq <= want.upto {
            return Found::Event(event);
        }
        let progress = self.delivery.passed_over(want.after, want.upto);
        self.through(progress, want.upto);
        Found::Again
    }

    fn turn_page(&mut self, after: u64) -> Option<Committed> {
        while self.page.front().is_some_and(|event| event.seq <= after) {
            self.page.pop_front();
        }
        self.page.front().cloned()
    }

    /// Reads what memory does not have. `true`: it is there, or there is nothing.
    async fn read_page(&mut self, want: Want) -> bool {
        let now = clock::monotonic();
        if now < self.disk_rests_until {
            return false;
        }
        let newest = self.feed.committed().min(want.upto);
        match timeout(DISK_PATIENCE, self.feed.after(want.after, PAGE)).await {
            Ok(Ok(found)) if found.is_empty() => {
                let progress = self.delivery.passed_over(want.after, newest);
                self.through(progress, newest);
                true
            }
            Ok(Ok(found)) => {
                self.page = found.into();
                true
            }
            failed => {
                self.disk_rests_until = clock::monotonic() + DISK_RESTS;
                let error = failed.map_or_else(
                    |late| late.to_string(),
                    |failed| failed.map_or_else(|error| error.to_string(), |_found| String::new()),
                );
                if let Some(count) = self.report.sampler.hit("journal", now) {
                    warn!(output = &*self.report.id, error, count, "backlog not read");
                }
                false
            }
        }
    }

    fn through(&mut self, progress: Progress, upto: u64) {
        self.report.progress(progress, upto, clock::now());
    }
}
