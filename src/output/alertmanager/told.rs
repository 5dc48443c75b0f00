//! What one member was told of one alert, and how it is taken back. Pure.

use std::sync::Arc;
use std::time::Duration;

use super::alert::Alert;
use super::batches::Item;
use super::member::Manner;
use super::untouched::Untouched;
use crate::engine::time::Mono;

/// So long an alert that is over is told as over.
pub(super) const REPEAT: Duration = Duration::from_secs(15 * 60);
/// In a pair: beyond two `refresh`, for what is on its way. Two, so that one lost post is no all-clear.
pub(super) const MARGIN: Duration = Duration::from_secs(3);

/// What one member was told of one alert.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) alert: Arc<Alert>,
    /// The version that was taken last.
    pub(super) taken: u64,
    pub(super) over: Option<Over>,
}

/// How an alert is taken back.
#[derive(Debug)]
pub(super) enum Over {
    /// In each round; since when it was taken.
    Plainly(Option<Mono>),
    /// Once, when nobody else means it.
    WhenUntouched(Untouched),
}

impl Told {
    pub(super) fn item(&self) -> Item {
        Item {
            alert: Arc::clone(&self.alert),
            over: self.over.is_some(),
        }
    }

    pub(super) fn is_to_be_told(&self) -> bool {
        match &self.over {
            None | Some(Over::Plainly(_)) => true,
            Some(Over::WhenUntouched(untouched)) => untouched.is_ripe(),
        }
    }

    pub(super) fn waits(&self) -> bool {
        let over = self.over.as_ref();
        over.is_some_and(|over| matches!(over, Over::WhenUntouched(wait) if !wait.is_ripe()))
    }

    pub(super) fn is_done(&self, now: Mono) -> bool {
        match &self.over {
            None => false,
            Some(Over::Plainly(since)) => since.is_some_and(|since| now.since(since) >= REPEAT),
            Some(Over::WhenUntouched(untouched)) => untouched.is_done(),
        }
    }
}

impl Over {
    pub(super) fn begin(manner: &Manner) -> Self {
        if manner.pair {
            Self::WhenUntouched(Untouched::for_at_least(manner.refresh * 2 + MARGIN))
        } else {
            Self::Plainly(None)
        }
    }
}
