//! When births are due. Pure.
//!
//! They are wanted when a connection is ready, when a host asks, and when the journal passed over
//! events whose states the host therefore lacks. A birth is the largest message there is, and anybody
//! who may publish commands can ask for one: so there is a pause between two of them. Who asks
//! meanwhile gets his at its end, and one is enough for all.

use std::time::Duration;

use crate::engine::time::Mono;

/// Between two births on a connection at least.
const PAUSE: Duration = Duration::from_secs(5);

/// The births of one connection.
#[derive(Debug, Default)]
pub(super) struct Births {
    wanted: bool,
    last: Option<Mono>,
}

impl Births {
    /// Somebody lacks something.
    pub(super) const fn want(&mut self) {
        self.wanted = true;
    }

    /// Is it time?
    pub(super) fn due(&self, now: Mono) -> bool {
        let rested = self.last.is_none_or(|last| now.since(last) >= PAUSE);
        self.wanted && rested
    }

    /// Everybody knows everything.
    pub(super) const fn made(&mut self, now: Mono) {
        self.wanted = false;
        self.last = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_wishes_are_one_birth_after_a_pause() {
        let at = |second| Mono::ZERO + Duration::from_secs(second);
        let mut births = Births::default();
        assert!(!births.due(at(0)), "nobody wants any");
        births.want();
        assert!(births.due(at(0)));
        births.made(at(0));
        let mut made = Vec::new();
        for second in 1..20 {
            if second <= 12 {
                births.want();
            }
            if births.due(at(second)) {
                births.made(at(second));
                made.push(second);
            }
        }
        assert_eq!(made, [5, 10, 15]);
    }
}
