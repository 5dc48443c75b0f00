//! Events for an output that has many on their way: from memory what memory has, the rest from disk, stretch by
//! stretch ([`delivery`](crate::output::delivery)). One that sends one at a time waits for the disk itself
//! (`courier`).

use std::collections::VecDeque;
use std::pin::Pin;
use std::time::Duration;

use crate::engine::time::Mono;
use crate::event::Committed;
use crate::journal::{Feed, FeedError};
use crate::output::delivery::Want;

/// A disk that takes longer to give the backlog holds back nothing else.
const DISK_PATIENCE: Duration = Duration::from_secs(1);

/// What was asked and is not answered yet.
pub(super) type Answer<T> = Option<Pin<Box<dyn Future<Output = T> + Send>>>;

/// The answer of the journal.
pub(super) type Events = Result<Vec<Committed>, FeedError>;

/// What one connection reads from the journal.
#[derive(Default)]
pub(super) struct Supply {
    /// Read from disk and not sent.
    page: VecDeque<Committed>,
    pub(super) fetch: Answer<Events>,
    asked: Asked,
    /// The disk gave nothing although it should; it is asked again at the next turn.
    pub(super) rest: bool,
}

/// A question to the journal.
#[derive(Debug, Clone, Copy, Default)]
struct Asked {
    /// For events after this one.
    after: u64,
    /// The newest event at that time.
    upto: u64,
    at: Mono,
}

/// What there is for a stretch.
pub(super) enum Supplied {
    /// This event; ask again.
    Next(Committed),
    /// No event is kept up to the end of the stretch; ask again.
    Ends,
    /// These events, and nothing more at present.
    Last(Vec<Committed>),
    /// It waits for the disk, and what comes after it waits, too.
    Waits,
    /// The disk does not give what comes before memory, which begins after this number.
    Unread(u64),
}

impl Supply {
    /// What a stretch gets.
    pub(super) fn serve(&mut self, want: Want, feed: &Feed, now: Mono) -> Supplied {
        if want.room == 0 || want.after >= want.upto {
            return Supplied::Last(Vec::new());
        }
        let from_disk = want.place.is_oldest();
        if from_disk && let Some(next) = self.turn_page(want.after) {
            let fits = next <= want.upto;
            let event = self.page.pop_front_if(|_| fits);
            return event.map_or(Supplied::Ends, Supplied::Next);
        }
        let until = match feed.recent(want.after, want.room) {
            Ok(mut events) => {
                events.retain(|event| event.seq <= want.upto);
                return Supplied::Last(events);
            }
            Err(until) => until,
        };
        if from_disk {
            self.ask(want, feed, now);
            if !self.is_unread(now) {
                return Supplied::Waits;
            }
        }
        Supplied::Unread(until)
    }

    /// The next event read from disk after this number.
    fn turn_page(&mut self, after: u64) -> Option<u64> {
        while self.page.front().is_some_and(|event| event.seq <= after) {
            self.page.pop_front();
        }
        self.page.front().map(|event| event.seq)
    }

    fn ask(&mut self, want: Want, feed: &Feed, now: Mono) {
        if self.fetch.is_some() || self.rest {
            return;
        }
        let feed = feed.clone();
        self.asked = Asked {
            after: want.after,
            upto: feed.committed(),
            at: now,
        };
        self.page.clear();
        self.fetch = Some(Box::pin(
            async move { feed.after(want.after, want.room).await },
        ));
    }

    /// Does the disk fail to give what it was asked for, or take too long?
    pub(super) fn is_unread(&self, now: Mono) -> bool {
        let late = self.fetch.is_some() && now.since(self.asked.at) > DISK_PATIENCE;
        self.rest || late
    }

    /// The journal has answered. `Some`: nothing is kept between these numbers.
    pub(super) fn fetched(&mut self, events: Vec<Committed>) -> Option<(u64, u64)> {
        self.rest = events.is_empty();
        self.page.extend(events);
        self.rest.then_some((self.asked.after, self.asked.upto))
    }

    /// Is nothing read that was not sent?
    pub(super) fn is_empty(&self) -> bool {
        self.page.is_empty()
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
