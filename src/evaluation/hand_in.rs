//! What the engine said, to the journal.
//!
//! ```text
//!   an effect ──▶ room? ──yes──▶ handed in
//!                   └── no ──▶ the engine waits, which neither reads nor ticks meanwhile
//!                                ├── room, after a commit ─────▶ handed in
//!                                └── 4 s; at the end 250 ms ───▶ handed in: the journal drops its oldest, and counts it
//! ```

use std::time::Duration;

use super::{Evaluation, HEARTBEAT, TASK, ended};
use crate::clock;
use crate::engine::effect::Effect;
use crate::engine::time::Mono;
use crate::journal::{Record, Waiter};

/// The end waits no longer for the disk: for room, and until outputs can see that the gateway stopped. On a slower
/// disk they send it after the next start. The gateway cuts the task off soon after.
pub(super) const END: Duration = Duration::from_millis(250);

/// Heartbeats to wait for the journal's room at most: longer than it takes the journal to find that
/// its disk does not answer.
const ROOM_BEATS: u32 = 4;

/// Events handed to the journal before others get a turn.
const SLICE: usize = 256;

impl Evaluation {
    /// Hands over what the engine said; the waiter goes with the last event. One tick may say more
    /// than the journal holds: the rest stays with the engine, which neither reads nor ticks
    /// meanwhile, until the disk has caught up.
    pub(super) async fn flush(&mut self, mut waiter: Option<Waiter>) {
        let mut handed = 0_usize;
        while let Some(effect) = self.station.poll_effect() {
            let event = match effect {
                Effect::Event(event) => event,
                Effect::Remember(memory) => {
                    self.inbox.remember(*memory);
                    continue;
                }
            };
            if !self.inbox.has_room() {
                self.room().await;
            } else if handed % SLICE == SLICE - 1 {
                // Outputs that run on the same thread take what they can before memory is full.
                tokio::task::yield_now().await;
            }
            handed += 1;
            self.metrics.observe(&event);
            let last = !self.station.has_events();
            let committed = if last { waiter.take() } else { None };
            self.inbox.push(Record { event, committed });
        }
    }

    /// The end begins, unless it has. What it waits for is in time until then.
    pub(super) fn begin_end(&mut self) -> Mono {
        *self.end_by.get_or_insert_with(|| clock::monotonic() + END)
    }

    /// Waits until the journal has room, alive meanwhile. A disk that stands still for so long that
    /// nobody waits for it any more is the journal's to handle; so is one that holds up the end: it counts what it drops.
    async fn room(&mut self) {
        for _beat in 0..ROOM_BEATS {
            // Waiting for the disk is no pause: readings wait, too, and none is missed.
            self.awake = clock::now();
            self.metrics.heartbeat(TASK);
            let left = self.end_by.map(|end| end.since(clock::monotonic()));
            let mut shutdown = self.shutdown.clone();
            tokio::select! {
                biased;
                () = self.inbox.room() => return,
                () = ended(&mut shutdown), if left.is_none() => {
                    self.begin_end();
                }
                () = tokio::time::sleep(left.unwrap_or(HEARTBEAT)) => if left.is_some() {
                    return;
                }
            }
        }
    }
}
