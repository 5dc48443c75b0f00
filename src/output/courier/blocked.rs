//! A far end that refuses so much for good that nothing more may be set aside: it may refuse everything, and must not
//! drain the journal so; or only some of what stands first, and what is behind that must not wait for ever. Pure.
//!
//! ```text
//!   an attempt:   what is new ──▶ what no attempt has reached yet ──▶ the head ──▶ pause, 30 s at most
//!                 16 events at most   16 events at most, then on      refused
//!                       │                from there                      │
//!                       └──────────────────── taken ─────────────────────┘
//!                                               ▼
//!                    the far end takes something: the head may be set aside again
//! ```

/// Events of one part of an attempt.
const AT_ONCE: usize = 16;

/// Where the attempts are.
#[derive(Debug, Default)]
pub(super) struct Blocked {
    part: Part,
    /// Events that this part may still try.
    left: usize,
    /// What this part has passed over.
    past: u64,
    /// The second part goes on behind this; 0: behind the head.
    reached: u64,
}

/// A part of an attempt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Part {
    /// What was committed since the attempt before.
    New,
    /// What was there.
    Old,
    #[default]
    Head,
}

/// What is tried next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Look {
    /// Behind this event; `None`: the head.
    pub(super) past: Option<u64>,
    /// Not at once.
    pub(super) pause: bool,
}

impl Blocked {
    /// Was something refused that could not be set aside?
    pub(super) fn is_on(&self) -> bool {
        self.past > 0
    }

    /// The event `seq` was refused and not set aside; nothing up to `cursor` is left to send, and the journal ends at
    /// `committed`.
    pub(super) fn refused(&mut self, seq: u64, cursor: u64, committed: u64) -> Look {
        // Where nothing that is wanted was behind, it is the head again.
        let was_behind = seq > self.past;
        let goes_on = was_behind && seq < committed && self.left > 0;
        let old = self.reached.max(cursor + 1);
        match self.part {
            Part::New | Part::Old if goes_on => self.look(seq, false),
            Part::New if was_behind || old < committed => {
                self.enter(Part::Old);
                self.look(old, false)
            }
            Part::Old if was_behind => {
                self.enter(Part::Head);
                self.reached = if seq < committed { seq } else { 0 };
                Look {
                    past: None,
                    pause: false,
                }
            }
            part @ (Part::New | Part::Old | Part::Head) => {
                if part == Part::Old {
                    self.reached = 0;
                }
                self.enter(Part::New);
                self.look(committed, true)
            }
        }
    }

    const fn enter(&mut self, part: Part) {
        self.part = part;
        self.left = AT_ONCE;
    }

    fn look(&mut self, past: u64, pause: bool) -> Look {
        self.left = self.left.saturating_sub(1);
        self.past = past;
        Look {
            past: Some(past),
            pause,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs attempts over a journal of refused events behind `head`, to which each pause adds `new`. What each attempt
    /// was refused.
    fn attempts(head: u64, mut committed: u64, new: u64, count: usize) -> Vec<Vec<u64>> {
        let mut blocked = Blocked::default();
        let mut attempts = vec![Vec::new()];
        let mut next = head;
        while attempts.len() <= count {
            let look = blocked.refused(next, head - 1, committed);
            attempts.last_mut().expect("one at least").push(next);
            if look.pause {
                attempts.push(Vec::new());
                committed += new;
            }
            let behind = look.past.map(|past| past + 1);
            next = behind.filter(|seq| *seq <= committed).unwrap_or(head);
        }
        attempts.truncate(count);
        attempts
    }

    #[test]
    fn every_attempt_looks_further_and_ends_with_the_head() {
        let got = attempts(17, 60, 0, 5);
        assert_eq!(got[0], [17], "it was refused");
        let second: Vec<u64> = [17].into_iter().chain(18..34).chain([17]).collect();
        assert_eq!(got[1], second, "nothing is new");
        assert_eq!((got[2][1], got[3][1]), (34, 50));
        assert_eq!(got[3].iter().rev().nth(1), Some(&60), "the last one");
        assert_eq!(got[4][1], 18, "from the beginning");
    }

    /// However much comes in every pause, of that sixteen are tried, and what was there has its turn.
    #[test]
    fn what_is_new_goes_first_and_starves_nobody() {
        let got = attempts(17, 40, 100, 4);
        assert_eq!(got[1][..16], (41..57).collect::<Vec<_>>());
        assert_eq!(got[1][16..32], (18..34).collect::<Vec<_>>());
        assert_eq!(got[1][32..], [17]);
        assert_eq!((got[2][0], got[2][16]), (141, 34));
    }

    #[test]
    fn where_nothing_follows_the_head_is_tried_alone() {
        assert_eq!(attempts(17, 17, 0, 4), [[17]; 4]);
    }
}
