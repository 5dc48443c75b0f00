//! How often the door was heard to open: its alarm may not rise before that is often enough. Upwards only,
//! for when exactly each of the times is certain is the engine's to say; the reference model of
//! `src/engine/tests` knows.

use forewarn::engine::effect::{Event, EventKind};
use forewarn::engine::reading::Measured;

use super::Finding;
use super::plant::COUNTED;

/// A value that was missing is certain again after this, seconds; the longest there is.
const CERTAIN_AFTER: f64 = 10.0;

/// Nothing that is shorter is silence, seconds.
const SILENCE: f64 = 4.0;

/// What was heard, over restarts: the gateway remembers what it counted.
#[derive(Default)]
pub(super) struct Tally {
    open: bool,
    /// When something was heard last, in true time, seconds.
    heard: f64,
    /// From when until when each opening of it may have become certain, in true time, seconds.
    opened: Vec<(f64, f64)>,
}

impl Tally {
    /// A reading of the door.
    pub(super) fn read(&mut self, measured: Measured, t: f64) {
        let value = match measured {
            Measured::Sample(sample) => sample.value(),
            Measured::Raw(_) => None,
        };
        if value.is_none() || t - self.heard > SILENCE {
            // What it broke into begins to be certain anew.
            self.pauses(self.heard, t);
        }
        self.heard = t;
        if let Some(value) = value {
            if value.is_set() && !self.open {
                self.opened.push((t, t + CERTAIN_AFTER));
            }
            self.open = value.is_set();
        }
    }

    /// Nobody watched from `from` to `to`: what was not certain yet is certain later.
    pub(super) fn pauses(&mut self, from: f64, to: f64) {
        for (_, latest) in &mut self.opened {
            if *latest >= from {
                *latest = to + CERTAIN_AFTER;
            }
        }
    }

    /// The gateway begins anew; whether what it hears first was so before it need not know.
    pub(super) fn restarts(&mut self) {
        self.open = false;
    }

    /// A committed event that happened at true time `t`, seconds.
    pub(super) fn hear(&self, event: &Event, t: f64) -> Finding {
        let subject = event.subject.as_ref();
        if event.kind != EventKind::Raised || subject.is_none_or(|own| &*own.alarm != "DOOR/state")
        {
            return Ok(());
        }
        let (times, within) = COUNTED;
        let near = |(earliest, latest): &&(f64, f64)| *earliest <= t && *latest > t - within;
        let counted = self.opened.iter().filter(near).count();
        if counted < times {
            return Err(format!("counted {counted} times, and raised: {event:?}"));
        }
        Ok(())
    }
}
