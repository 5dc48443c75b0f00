//! A value that does not move although it should (alarm-standards 2.11): the sensor may be stuck, or
//! something repeats its last answer.
//!
//! ```text
//!            ╭─╮                                            ╭──▶
//!  value  ──╮│ ╰─╮ ╭────────────── run ────────────────╮    │
//!           ╰╯   ╰─╯ greatest - least <= tolerance     ╰────╯
//!                  ├───── after ─────┤                 moved: a new run
//!                                    └── frozen ───────┘
//! ```
//!
//! A *run* is what was read since the value moved last: its least and its greatest value, and how many
//! there were. Time counts from the beginning of the run, or from the moment from which the value must
//! move: the gate. Only values that are judged as they come belong to a run; one that is repeated,
//! delayed or out of order neither moves it nor counts.
//!
//! | | raises | clears |
//! |---|---|---|
//! | a run as long as `after`, of enough values, gate open all the time | yes | - |
//! | movement by more than the tolerance | - | yes, also while the gate is closed |
//! | the gate is closed, or nobody knows | - | - |
//! | no value, or over-range that is held: the run ends | - | - |
//!
//! So a gauge that is found stuck stays so until it shows that it moves. After a restart a run begins
//! anew.

use super::super::delay::Zone;
use super::super::settings::{FrozenRule, PlantState};
use super::super::time::Mono;
use super::Look;

/// The rule, and the present run.
#[derive(Debug)]
pub(in super::super) struct Frozen {
    pub(in super::super) rule: FrozenRule,
    run: Option<Run>,
    /// From when on its time counts; absent while it need not move.
    since: Option<Mono>,
    /// Values since then, as far as they matter.
    samples: u8,
    /// Is there an entry for the end of `after` in the agenda?
    pub(in super::super) armed: bool,
}

/// Values within the tolerance.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Run {
    least: f64,
    greatest: f64,
    /// Did it begin with a movement, and not with the first value there was, and was not found to be too
    /// long since?
    moved: bool,
}

impl Frozen {
    pub(in super::super) const fn new(rule: FrozenRule) -> Self {
        Self {
            rule,
            run: None,
            since: None,
            samples: 0,
            armed: false,
        }
    }

    /// What must be so elsewhere, and whether it was so far.
    pub(in super::super) fn gate(&self) -> Option<(PlantState, bool)> {
        Some((self.rule.gate?, self.since.is_some()))
    }

    /// When the run will have lasted for long enough.
    pub(in super::super) fn due(&self) -> Option<Mono> {
        self.since.map(|since| since + self.rule.after)
    }

    /// There is no value any more, or nobody looks.
    pub(in super::super) const fn lose(&mut self) {
        self.run = None;
        self.since = None;
        self.samples = 0;
    }

    /// Takes what there is to see. `open`: must the value move? `None`: nobody knows.
    pub(in super::super) fn zone(&mut self, look: &Look, open: Option<bool>) -> Zone {
        if look.held {
            self.lose();
            return Zone::Unknown;
        }
        let value = look.value.get();
        if look.taken.is_some() {
            self.take(value, look.now);
        }
        self.pass_gate(value, open == Some(true), look);
        let (Some(run), Some(_)) = (self.run, open) else {
            return Zone::Unknown;
        };
        if self.has_lasted(look.now) && !self.is_at_rest(value) {
            // What moved before it was found to stand still proves nothing any more.
            self.run = Some(Run {
                moved: false,
                ..run
            });
            Zone::Beyond
        } else if run.moved {
            Zone::Inside
        } else {
            Zone::Unknown
        }
    }

    /// One more value.
    fn take(&mut self, value: f64, now: Mono) {
        if let Some(run) = &mut self.run {
            let (least, greatest) = (run.least.min(value), run.greatest.max(value));
            if greatest - least <= self.rule.tolerance {
                (run.least, run.greatest) = (least, greatest);
                self.samples = self.samples.saturating_add(1);
                return;
            }
        }
        let moved = self.run.is_some();
        self.run = Some(Run::of(value, moved));
        self.since = self.since.map(|_| now);
        self.samples = 1;
    }

    /// The time in which the value must move begins or ends.
    fn pass_gate(&mut self, value: f64, open: bool, look: &Look) {
        match (&mut self.run, self.since) {
            (Some(run), None) if open => {
                *run = Run::of(value, run.moved);
                self.since = Some(look.now);
                self.samples = u8::from(look.taken.is_some());
            }
            (Some(_), Some(_)) if !open => self.since = None,
            (_, _) => {}
        }
    }

    fn has_lasted(&self, now: Mono) -> bool {
        self.samples >= FrozenRule::MIN_SAMPLES && self.due().is_some_and(|due| due <= now)
    }

    fn is_at_rest(&self, value: f64) -> bool {
        self.rule.rests_at_zero && value.abs() <= self.rule.tolerance
    }
}

impl Run {
    const fn of(value: f64, moved: bool) -> Self {
        Self {
            least: value,
            greatest: value,
            moved,
        }
    }
}

#[cfg(test)]
mod tests;
