//! How long an output waits after a failure.

use std::time::Duration;

use crate::broker::Backoff;
use crate::output::verdict::UNWELCOME;

/// Longest pause between two attempts ...
const PAUSE: Duration = Duration::from_secs(30);
/// ... and where everything is refused, which only somebody can put right.
const LONG_PAUSE: Duration = Duration::from_secs(300);

/// How long to wait after a failure.
pub(super) struct Pauses {
    pub(super) short: Backoff,
    long: Backoff,
}

impl Pauses {
    /// What only somebody can put right is not asked for often.
    pub(super) fn after(&mut self, reason: &'static str) -> &mut Backoff {
        if reason == UNWELCOME {
            &mut self.long
        } else {
            &mut self.short
        }
    }
}

impl Default for Pauses {
    fn default() -> Self {
        Self {
            short: Backoff::up_to(PAUSE),
            long: Backoff::up_to(LONG_PAUSE),
        }
    }
}
