//! When a line without transaction ids is quiet enough for the next question. Pure; told the time.
//!
//! An RTU answer says which unit it is from and how long it is, not which question it answers. A late
//! answer that fits the next question would be a wrong value that looks right. So:
//!
//! ```text
//!  question ───── deadline ─────┬──── as long again ────┐
//!  to unit 7                    │ others are asked      │ unit 7 is asked again
//!                               └ a late answer of unit 7 is told by its number ┘
//! ```
//!
//! - Each question leaves its unit *owing* an answer. What owes is not asked again before twice its
//!   deadline has passed: an answer may be as late as that and is heard, and thrown away.
//! - Other units may be asked meanwhile: a late answer is told by the number of its unit.
//! - Bytes that nobody can make sense of may be from anybody. After them *everybody* waits until the line
//!   was silent for the longest time that an answer may take.
//! - Between any two frames there is the gap that the line asks for.
//!
//! A late answer ends no wait: who knows whether the unit's number was right. But it is known not to come
//! any more; a unit that is asked and of which that is not known is *doubted*, see [`rtu`](super).

use std::collections::BTreeMap;
use std::time::Duration;

use crate::engine::time::Mono;

/// What the line still owes us. There is one entry for each unit that owes, 256 at most.
#[derive(Debug)]
pub(super) struct Quiet {
    gap: Duration,
    /// When the line was last heard or spoken to.
    last: Mono,
    /// How long it must have been silent before anybody is asked; never less than the gap.
    silence: Duration,
    owing: BTreeMap<u8, Owed>,
}

/// The answer of a unit that did not come in time.
#[derive(Debug, Clone, Copy)]
struct Owed {
    /// Until when it may come.
    until: Mono,
    /// Has something come that looks like it?
    came: bool,
}

impl Quiet {
    /// A line of which nothing is known: whoever had it before may have asked something, and its
    /// answer takes `worst` at most.
    pub(super) fn new(gap: Duration, worst: Duration, now: Mono) -> Self {
        Self {
            gap,
            last: now,
            silence: worst.max(gap),
            owing: BTreeMap::new(),
        }
    }

    /// When `unit` may be asked, if the line stays silent until then.
    pub(super) fn free(&self, unit: u8) -> Mono {
        let silent = self.last + self.silence;
        let owed = self.owing.get(&unit).copied();
        owed.map_or(silent, |owed| owed.until.max(silent))
    }

    /// The line was silent for as long as somebody had to wait.
    pub(super) fn fell_silent(&mut self) {
        self.silence = self.gap;
    }

    /// A question to `unit` goes out.
    pub(super) fn asked(&mut self, unit: u8, deadline: Duration, now: Mono) {
        self.last = now;
        let until = now + deadline.saturating_mul(2);
        self.owing.insert(unit, Owed { until, came: false });
    }

    /// Bytes came.
    pub(super) fn heard(&mut self, now: Mono) {
        self.last = now;
    }

    /// `unit` has answered in time: it owes nothing.
    pub(super) fn answered(&mut self, unit: u8) {
        self.owing.remove(&unit);
    }

    /// A frame of `unit` came that nobody waited for. Is it an answer that the unit owed?
    pub(super) fn came_late(&mut self, unit: u8) -> bool {
        let owed = self.owing.get_mut(&unit).filter(|owed| !owed.came);
        owed.map(|owed| owed.came = true).is_some()
    }

    /// Does `unit` owe an answer that may still come?
    pub(super) fn doubts(&self, unit: u8) -> bool {
        self.owing.get(&unit).is_some_and(|owed| !owed.came)
    }

    /// Something came that nobody can make sense of; the line must be silent for `worst`.
    pub(super) fn disturbed(&mut self, worst: Duration) {
        self.silence = self.silence.max(worst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn at(ms: u32) -> Mono {
        Mono::ZERO + MS * ms
    }

    /// After whatever may have been asked before.
    fn quiet() -> Quiet {
        let mut quiet = Quiet::new(MS * 4, MS * 500, at(0));
        assert_eq!(quiet.free(1), at(500));
        quiet.fell_silent();
        quiet
    }

    #[test]
    fn an_answer_frees_the_line_after_the_gap() {
        let mut quiet = quiet();
        quiet.asked(7, MS * 200, at(1_000));
        quiet.heard(at(1_030));
        quiet.answered(7);
        assert!(!quiet.doubts(7));
        assert_eq!(quiet.free(7), at(1_034));
        assert_eq!(quiet.free(8), at(1_034));
    }

    #[test]
    fn a_silent_unit_waits_for_its_late_answer_and_the_others_do_not() {
        let mut quiet = quiet();
        quiet.asked(7, MS * 200, at(1_000));
        // The deadline is over at 1,200.
        assert!(quiet.doubts(7));
        assert_eq!(quiet.free(7), at(1_400));
        assert_eq!(quiet.free(8), at(1_004));
        quiet.asked(8, MS * 200, at(1_200));
        quiet.heard(at(1_250));
        assert!(quiet.came_late(7));
        assert!(!quiet.doubts(7));
        assert!(!quiet.came_late(7), "it owed one answer");
        assert!(!quiet.came_late(9), "it owed none");
        assert_eq!(quiet.free(7), at(1_400));
    }

    #[test]
    fn after_a_disturbance_everybody_waits_for_silence() {
        let mut quiet = quiet();
        quiet.heard(at(1_000));
        quiet.disturbed(MS * 500);
        assert_eq!(quiet.free(8), at(1_500));
        quiet.heard(at(1_300));
        assert_eq!(quiet.free(8), at(1_800));
        quiet.fell_silent();
        assert_eq!(quiet.free(8), at(1_304));
    }
}
