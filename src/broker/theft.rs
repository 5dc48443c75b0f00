//! Does another client use our client id? Pure.
//!
//! A broker that gets a second client with an id throws out the first, which comes again, and so on for
//! ever: neither of them works, and each sees a broker that drops it at once. A broker of version 5 says
//! why. One of 3.1.1 only closes, as it does for many reasons; but to close connection after connection,
//! each as soon as it stands, has hardly another: but for a message on which the broker closed before, tried again.

use std::time::Duration;

use super::Ending;

/// A connection that is dropped before this is young.
const YOUNG: Duration = Duration::from_secs(2);
/// So many in a row.
const TIMES: u32 = 5;

/// What people are told of it.
pub(crate) const STOLEN: &str = "another client uses this client id";

/// What the connections of one client died of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Theft {
    young: u32,
    told: bool,
}

impl Theft {
    /// A connection ended, `lived` after the broker had accepted it; `None`: it did not.
    pub(crate) fn ended(&mut self, ending: &Ending, lived: Option<Duration>) {
        let young = lived.is_some_and(|lived| lived < YOUNG);
        self.young = if ending.is_abort() && young {
            self.young.saturating_add(1)
        } else {
            0
        };
        self.told = ending.taken_over || (self.told && young);
    }

    /// A connection ended on a message that is known to end them: that says nothing, unless the broker names it.
    pub(crate) fn ended_on_trial(&mut self, ending: &Ending) {
        self.told |= ending.taken_over;
    }

    /// A connection stands for so long.
    pub(crate) fn stands(&mut self, lived: Duration) {
        if lived >= YOUNG {
            *self = Self::default();
        }
    }

    /// Is our id stolen, as far as can be told?
    pub(crate) const fn is_known(self) -> bool {
        self.told || self.young >= TIMES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aborted(taken_over: bool) -> Ending {
        Ending {
            taken_over,
            ..Ending::ours("closed", "")
        }
    }

    #[test]
    fn five_young_ends_in_a_row_are_theft_and_one_word_of_the_broker_is() {
        let (young, old) = (Some(Duration::from_secs(1)), Some(YOUNG));
        let closed = aborted(false);
        let mut theft = Theft::default();
        for _ in 0..4 {
            theft.ended(&closed, young);
            assert!(!theft.is_known());
        }
        theft.ended(&closed, young);
        assert!(theft.is_known());
        theft.stands(Duration::from_secs(1));
        assert!(theft.is_known(), "not proved yet");
        theft.stands(YOUNG);
        assert!(!theft.is_known());

        theft.ended(&aborted(true), young);
        assert!(theft.is_known());
        theft.ended(&closed, young);
        assert!(theft.is_known(), "the other one has not gone");
        theft.ended(&closed, old);
        assert!(!theft.is_known());
    }

    #[test]
    fn what_is_known_to_end_connections_is_no_theft_and_hides_none() {
        let young = Some(Duration::ZERO);
        let closed = aborted(false);
        let mut theft = Theft::default();
        for _ in 0..10 {
            theft.ended_on_trial(&closed);
        }
        assert!(!theft.is_known());
        for _ in 0..4 {
            theft.ended(&closed, young);
            theft.ended_on_trial(&closed);
        }
        theft.ended(&closed, young);
        assert!(theft.is_known());
        let mut theft = Theft::default();
        theft.ended_on_trial(&aborted(true));
        assert!(theft.is_known());
    }

    #[test]
    fn what_ends_otherwise_in_between_is_no_theft() {
        let young = Some(Duration::ZERO);
        let others = [
            (Ending::ours("timeout", ""), young),
            (aborted(false), None),
            (aborted(false), Some(YOUNG)),
        ];
        for (other, lived) in others {
            let mut theft = Theft::default();
            for _ in 0..10 {
                for _ in 0..4 {
                    theft.ended(&aborted(false), young);
                }
                theft.ended(&other, lived);
                assert!(!theft.is_known(), "{other:?}");
            }
        }
    }
}
