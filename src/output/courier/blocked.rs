//! A far end that refuses so much for good that nothing more may be set aside: it may refuse everything, and must not
//! drain the journal so; or only what stands first, and what is behind it must not wait for ever. Pure.
//!
//! ```text
//!   the head is refused ──▶ what follows it ──refused──▶ the head ──refused──▶ what follows that ...
//!                               │ taken
//!                               ▼
//!               the far end takes something: the head may be set aside again
//! ```
//!
//! Every other attempt goes one further, up to the newest event, and begins again there. What is committed meanwhile
//! goes before either.

/// Where the next look is.
#[derive(Debug, Default)]
pub(super) struct Blocked {
    last: Attempt,
    /// Whose turn it is between the other two.
    further: bool,
    /// Refused up to here by attempts that went further.
    passed: u64,
    /// The journal's end when something was refused last.
    seen: Option<u64>,
}

/// What an attempt began with.
#[derive(Debug, Default, PartialEq, Eq)]
enum Attempt {
    #[default]
    Head,
    Further,
    New,
}

impl Blocked {
    /// The event `seq` was refused and not set aside; nothing up to `cursor` is left to send, and the journal ends at
    /// `committed`. What the next attempt passes over, if anything.
    pub(super) fn refused(&mut self, seq: u64, cursor: u64, committed: u64) -> Option<u64> {
        if self.last == Attempt::Further {
            self.passed = self.passed.max(seq);
        }
        if self.passed >= committed {
            self.passed = 0;
        }
        let seen = self.seen.replace(committed);
        if let Some(seen) = seen.filter(|seen| *seen < committed) {
            self.last = Attempt::New;
            return Some(seen);
        }
        self.further = !self.further;
        let until = self.passed.max(cursor + 1);
        if self.further && until < committed {
            self.last = Attempt::Further;
            return Some(until);
        }
        self.last = Attempt::Head;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What each attempt is refused that begins behind what is passed over, or with the head.
    fn attempts(head: u64, committed: u64, count: usize) -> Vec<u64> {
        let mut blocked = Blocked::default();
        let mut next = head;
        let attempt = |_| {
            let refused = next;
            let until = blocked.refused(refused, head - 1, committed);
            next = until.map_or(head, |until| until + 1);
            refused
        };
        (0..count).map(attempt).collect()
    }

    #[test]
    fn every_other_attempt_looks_one_further() {
        assert_eq!(attempts(17, 20, 9), [17, 18, 17, 19, 17, 20, 17, 18, 17]);
    }

    #[test]
    fn what_is_new_goes_first() {
        let mut blocked = Blocked::default();
        assert_eq!(blocked.refused(17, 16, 40), Some(17));
        assert_eq!(blocked.refused(18, 16, 42), Some(40));
        assert_eq!(blocked.refused(41, 16, 42), None, "its turn again");
        assert_eq!(blocked.refused(17, 16, 42), Some(18), "where it was");
    }

    #[test]
    fn where_nothing_follows_there_is_nothing_else_to_try() {
        assert_eq!(attempts(17, 17, 4), [17; 4]);
    }
}
