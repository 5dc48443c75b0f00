//! The end of an output that has many events on their way: what there is when the end is asked for is delivered,
//! if there is time. What is left stays in the journal.

use std::time::Duration;

use crate::broker::GOODBYE_WITHIN;
use crate::engine::time::Mono;
use crate::output::delivery::Delivery;

/// How long the end of any output may take; then its task is dropped, and a broker speaks its last will.
pub const END: Duration = Duration::from_millis(2500);
/// For what a busy machine needs between the two.
const SPARE: Duration = Duration::from_millis(300);
/// How long an output goes on to deliver: until there is just time for its farewell.
pub(super) const WITHIN: Duration = END.saturating_sub(GOODBYE_WITHIN).saturating_sub(SPARE);
/// Between two looks at what is being finished.
pub(super) const TURN: Duration = Duration::from_millis(20);

/// Is the end asked for, and what is still to be delivered before it?
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Finishing(Option<Finish>);

#[derive(Debug, Clone, Copy)]
struct Finish {
    until: u64,
    deadline: Mono,
}

impl Finishing {
    /// Everything up to event `until` is to be delivered before we go.
    pub(super) fn begin(&mut self, until: u64, now: Mono) {
        let deadline = now + WITHIN;
        self.0 = Some(Finish { until, deadline });
    }

    /// Was the end asked for?
    pub(super) const fn has_begun(self) -> bool {
        self.0.is_some()
    }

    /// Is all delivered, or the time over?
    pub(super) fn is_over(self, delivery: &Delivery, now: Mono) -> bool {
        self.0
            .is_some_and(|finish| delivery.unconfirmed(finish.until) == 0 || now >= finish.deadline)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_time_for_a_farewell_before_the_end() {
        assert!(WITHIN >= Duration::from_millis(1500));
        assert!(WITHIN + TURN + GOODBYE_WITHIN < END);
    }
}
