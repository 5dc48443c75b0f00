//! How often the answers of links reach the engine, so that no link takes what others need. Pure.
//!
//! ```text
//!              ┌ waits ──▶ 5 at once of this call, ──▶ 10 at once of all calls, ──▶ engine
//!  the call ───┤           one in 10 s more: or 429    one a second more: or 429
//!              │
//!              └ was answered ──▶ first time of this name, ──▶ 10 such at once, ──▶ engine: on record as ignored
//!                                 or what stands               one a second more, or what stands
//! ```
//!
//! Whoever comes late is on record once. A link that is posted over and over costs a page, and nothing that
//! somebody else waits for: the two ways share no allowance.
//!
//! What is remembered here makes nothing right or wrong: a link is used once because its call is answered once. It
//! only spares the engine and the journal.
//!
//! | bound | when full |
//! |---|---|
//! | 256 calls | the one that was asked for least lately is forgotten; its names may come late once more |
//! | names of one call | the persons of the configuration |

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::ack_links::{AlarmTag, Claim};
use crate::allowance::Allowance;
use crate::engine::time::Mono;

/// Calls that are remembered.
const CALLS: usize = 256;
/// Answers of one call at once: a shared link has several readers ...
const OF_CALL: u32 = 5;
/// ... and one more each time this has passed.
const REFILL_OF_CALL: Duration = Duration::from_secs(10);
/// Answers of all calls at once ...
const OF_ALL: u32 = 10;
/// ... and one more each time this has passed.
const REFILL_OF_ALL: Duration = Duration::from_secs(1);

/// What has come so far.
#[derive(Debug)]
pub(super) struct Turnstile {
    calls: BTreeMap<Call, Asked>,
    waiting: Allowance,
    late: Allowance,
}

/// One call for attention: alarm, drill or not, occurrence, annunciation.
type Call = (AlarmTag, bool, u64, u64);

#[derive(Debug)]
struct Asked {
    last: Mono,
    allowance: Allowance,
    /// Who has come late.
    late: BTreeSet<Box<str>>,
}

impl Default for Turnstile {
    fn default() -> Self {
        Self {
            calls: BTreeMap::new(),
            waiting: Allowance::new(OF_ALL, REFILL_OF_ALL),
            late: Allowance::new(OF_ALL, REFILL_OF_ALL),
        }
    }
}

impl Turnstile {
    /// May an answer to a call that waits reach the engine?
    pub(super) fn waits(&mut self, claim: &Claim, now: Mono) -> bool {
        // Its own first, so that what it has too much takes nothing from the others.
        self.asked(claim, now).allowance.take(now) && self.waiting.take(now)
    }

    /// May the answer of `by` to a call that was answered go on record?
    pub(super) fn comes_late(&mut self, claim: &Claim, by: &str, now: Mono) -> bool {
        let known = self.asked(claim, now).late.contains(by);
        if known || !self.late.take(now) {
            return false;
        }
        self.asked(claim, now).late.insert(by.into())
    }

    fn asked(&mut self, claim: &Claim, now: Mono) -> &mut Asked {
        let call = (
            claim.alarm,
            claim.drill,
            claim.occurrence,
            claim.annunciation,
        );
        if !self.calls.contains_key(&call) && self.calls.len() == CALLS {
            let oldest = self.calls.iter().min_by_key(|(_, asked)| asked.last);
            if let Some(oldest) = oldest.map(|(call, _)| *call) {
                self.calls.remove(&oldest);
            }
        }
        let asked = self.calls.entry(call).or_insert_with(|| Asked {
            last: now,
            allowance: Allowance::new(OF_CALL, REFILL_OF_CALL),
            late: BTreeSet::new(),
        });
        asked.last = now;
        asked
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ack_links::Readers;
    use crate::engine::time::Wall;

    fn call(occurrence: u64) -> Claim {
        Claim {
            alarm: AlarmTag::of("CH4-101/high"),
            drill: false,
            occurrence,
            annunciation: 7,
            expires: Wall::from_unix_nanos(0),
            readers: Readers::Several(Vec::new()),
        }
    }

    fn at(seconds: u64) -> Mono {
        Mono::ZERO + Duration::from_secs(seconds)
    }

    #[test]
    fn one_call_takes_a_part_of_what_there_is_for_all() {
        let mut turnstile = Turnstile::default();
        let passed = (0..200).filter(|_| turnstile.waits(&call(1), at(0)));
        assert_eq!(passed.count(), 5);
        assert!(turnstile.waits(&call(2), at(0)), "another call");
        let passed = (3..200).filter(|number| turnstile.waits(&call(*number), at(0)));
        assert_eq!(passed.count(), 4, "all calls together have a bound, too");
        let passed = (0..200).filter(|_| turnstile.waits(&call(1), at(10)));
        assert_eq!(passed.count(), 1);
    }

    #[test]
    fn who_comes_late_goes_on_record_once_and_takes_nothing_of_those_who_do_not() {
        let mut turnstile = Turnstile::default();
        let mut late = |by: &str| {
            let passed = (0..200).filter(|_| turnstile.comes_late(&call(1), by, at(0)));
            passed.count()
        };
        assert_eq!((late("anna"), late("li-wei"), late("anna")), (1, 1, 0));
        for number in 2..200 {
            turnstile.comes_late(&call(number), "anna", at(0));
        }
        assert!(turnstile.waits(&call(1), at(0)));
        // Nobody is remembered as on record who is not.
        assert!(turnstile.comes_late(&call(199), "anna", at(60)));
    }

    #[test]
    fn no_more_calls_are_remembered_than_there_is_room_for() {
        let mut turnstile = Turnstile::default();
        for number in 1..=1000 {
            turnstile.comes_late(&call(number), "anna", at(number * 60));
            assert!(turnstile.calls.len() <= CALLS);
            // The one that comes again and again stays.
            let again = turnstile.comes_late(&call(1), "anna", at(number * 60));
            assert!(!again, "{number}");
        }
    }
}
