//! How often the door was heard to open: its alarm may not rise before that is often enough. Upwards only,
//! for when exactly each of the times is certain is the engine's to say; the reference model of
//! `src/engine/tests` knows.

use forewarn::engine::effect::{Event, EventKind};
use forewarn::engine::reading::Measured;

use super::Finding;
use super::plant::COUNTED;

/// A value that was missing is certain again after this, seconds; the longest there is.
const CERTAIN_AFTER: f64 = 10.0;

/// What was heard in this life of the gateway.
#[derive(Default)]
pub(super) struct Tally {
    open: bool,
    /// When it opened, in true time, seconds.
    opened: Vec<f64>,
}

impl Tally {
    /// A reading of the door.
    pub(super) fn read(&mut self, measured: Measured, t: f64) {
        if let Measured::Sample(sample) = measured
            && let Some(value) = sample.value()
        {
            if value.is_set() && !self.open {
                self.opened.push(t);
            }
            self.open = value.is_set();
        }
    }

    /// Nobody watched from `from` to `to`: what was not certain yet is certain later.
    pub(super) fn pauses(&mut self, from: f64, to: f64) {
        for at in &mut self.opened {
            if *at + CERTAIN_AFTER >= from {
                *at = to;
            }
        }
    }

    /// A committed event that happened at true time `t`, seconds.
    pub(super) fn hear(&self, event: &Event, t: f64) -> Finding {
        let subject = event.subject.as_ref();
        if event.kind != EventKind::Raised || subject.is_none_or(|own| &*own.alarm != "DOOR/state")
        {
            return Ok(());
        }
        let (times, within) = COUNTED;
        let near = |at: &&f64| **at <= t && **at > t - within - CERTAIN_AFTER;
        let counted = self.opened.iter().filter(near).count();
        if counted < times {
            return Err(format!("counted {counted} times, and raised: {event:?}"));
        }
        Ok(())
    }
}
