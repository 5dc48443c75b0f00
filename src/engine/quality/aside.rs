//! Readings that are not believed yet (alarm-standards 2.12): a fault current, and a step that no
//! process makes.
//!
//! ```text
//!               fault current, or a step                    it lasted
//!  ┌──────────┐ ──────────────────────▶ ┌───────┐ ─ fault current ─▶ bad
//!  │ Believed │                         │ Aside │ ─ step ───────────▶ believed
//!  └──────────┘ ◀────────────────────── └───────┘
//!               a value near the last one,
//!               or one that confirms the step
//! ```
//!
//! Meanwhile the value that was believed last holds, marked `last_usable_value`, and nothing clears.
//! So a loop that breaks for a moment, or a single wrong number, raises and clears nothing; a wire
//! that stays broken is a fault after [`settle`](super::super::signal::Signal::settle); and a step that is real costs one reading,
//! or that time when the sensor reports only changes.

use super::super::reading::{Fault, Sample};
use super::super::signal::Conditioned;
use super::super::time::Mono;
use super::Channel;

/// What is not believed yet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in super::super) struct Aside {
    /// When the first such reading came.
    pub(in super::super) since: Mono,
    /// The newest one.
    pub(in super::super) what: Doubtful,
}

/// Why it is not believed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in super::super) enum Doubtful {
    /// A current by which a loop says why there is no value.
    FaultCurrent(Fault),
    /// Too far from the value before it. With its time on the rules' windows.
    Step(Sample, Mono),
}

impl Channel {
    /// Is a reading that came at `now` believed, and as what? `None`: not yet.
    pub(super) fn weigh(
        &mut self,
        conditioned: Conditioned,
        taken: Mono,
        now: Mono,
    ) -> Option<Sample> {
        let what = match conditioned {
            Conditioned::FaultCurrent(fault) => Doubtful::FaultCurrent(fault),
            Conditioned::Sample(sample) => {
                let steps = |from| is_step(from, sample, self.signal.max_step);
                let confirmed = matches!(
                    self.aside,
                    Some(Aside { what: Doubtful::Step(step, _), .. }) if !steps(step)
                );
                if confirmed || !self.shown().is_some_and(steps) {
                    self.aside = None;
                    return Some(sample);
                }
                Doubtful::Step(sample, taken)
            }
        };
        // That there is no value must last by itself, whichever currents say so; steps to and fro are one
        // disturbance.
        let is_fault = |what| matches!(what, Doubtful::FaultCurrent(_));
        let since = match self.aside {
            Some(aside) if is_fault(aside.what) == is_fault(what) => aside.since,
            Some(_) | None => now,
        };
        self.aside = Some(Aside { since, what });
        match what {
            Doubtful::FaultCurrent(fault) if now.since(since) >= self.signal.settle => {
                return Some(Sample::Bad(fault));
            }
            Doubtful::FaultCurrent(_) => self.counts.fault_current += 1,
            Doubtful::Step(..) => self.counts.step += 1,
        }
        None
    }
}

impl Aside {
    /// When it has lasted for long enough.
    pub(in super::super) fn due(self, channel: &Channel) -> Mono {
        self.since + channel.signal.settle
    }
}

/// Is the way from one value to the next too far?
fn is_step(from: Sample, to: Sample, most: Option<f64>) -> bool {
    match (most, from.value(), to.value()) {
        (Some(most), Some(from), Some(to)) => (to.get() - from.get()).abs() > most,
        (_, _, _) => false,
    }
}
