//! What interrupts a connection's loop: the time to look around, and the end.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Interval, MissedTickBehavior, interval, sleep};

/// A heartbeat is due at least once a second.
const TURN: Duration = Duration::from_millis(500);

/// Turns and the stop signal of one task.
#[derive(Debug)]
pub(crate) struct Signals {
    turns: Interval,
    shutdown: watch::Receiver<bool>,
}

/// See [`Signals::next`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    /// Beat, look at deadlines.
    Turn,
    /// Finish; comes again and again.
    Stop,
}

impl Signals {
    pub(crate) fn new(shutdown: watch::Receiver<bool>) -> Self {
        let mut turns = interval(TURN);
        // After a pause of the process one turn is enough.
        turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { turns, shutdown }
    }

    /// Waits for the next signal. Dropping the future loses nothing.
    pub(crate) async fn next(&mut self) -> Signal {
        tokio::select! {
            biased;
            // A sender that is gone cannot tell us to stop any more: stop.
            _ended = self.shutdown.wait_for(|stop| *stop) => Signal::Stop,
            _now = self.turns.tick() => Signal::Turn,
        }
    }

    /// Waits, calling `turn` at every turn. [`Signal::Stop`] ends the wait early.
    pub(crate) async fn pause(&mut self, wait: Duration, mut turn: impl FnMut()) -> Signal {
        let over = sleep(wait);
        tokio::pin!(over);
        loop {
            tokio::select! {
                signal = self.next() => match signal {
                    Signal::Turn => turn(),
                    Signal::Stop => return Signal::Stop,
                },
                () = &mut over => return Signal::Turn,
            }
        }
    }

    /// Has the stop been signalled?
    pub(crate) fn stopping(&self) -> bool {
        *self.shutdown.borrow() || self.shutdown.has_changed().is_err()
    }
}
