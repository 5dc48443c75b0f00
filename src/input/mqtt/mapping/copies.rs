//! Messages that a broker passes on once for each subscription that matches (MQTT 3.1.1, 3.3.5 allows
//! it): a message counts once.
//!
//! Only topics that several of our subscriptions match are looked at, and only for [`WITHIN`]: beyond, an
//! equal message is another one. Where a broker passes on one copy, an equal message that follows so soon
//! says nothing new either.

use std::collections::VecDeque;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::time::Duration;

use crate::engine::time::Mono;

/// Copies arrive together.
const WITHIN: Duration = Duration::from_secs(1);

/// Messages remembered at most; the oldest goes, and its copies would count.
const MOST: usize = 64;

/// What has arrived just now.
#[derive(Debug, Default)]
pub(super) struct Copies {
    recent: VecDeque<Message>,
}

#[derive(Debug)]
struct Message {
    fingerprint: u64,
    /// Copies that may still come.
    left: usize,
    arrived: Mono,
}

impl Copies {
    /// Is this message, which may come `times` times, one that was here already? What is retained is no
    /// copy of what is live.
    pub(super) fn is_one(&mut self, message: (&str, &[u8], bool), times: usize, now: Mono) -> bool {
        while let Some(oldest) = self.recent.front() {
            if now.since(oldest.arrived) < WITHIN && self.recent.len() < MOST {
                break;
            }
            self.recent.pop_front();
        }
        let mut hasher = DefaultHasher::new();
        message.hash(&mut hasher);
        let fingerprint = hasher.finish();
        let mut recent = self.recent.iter_mut();
        let known = recent.find(|known| known.fingerprint == fingerprint && known.left > 0);
        if let Some(known) = known {
            known.left -= 1;
            return true;
        }
        self.recent.push_back(Message {
            fingerprint,
            left: times.saturating_sub(1),
            arrived: now,
        });
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_known_while_it_may_come() {
        let mut copies = Copies::default();
        let later = Mono::ZERO + WITHIN;
        let mut seen = |topic, payload: &[u8], now| copies.is_one((topic, payload, false), 2, now);
        assert!(!seen("a", b"1", Mono::ZERO));
        assert!(!seen("a", b"2", Mono::ZERO), "another value");
        assert!(!seen("b", b"1", Mono::ZERO), "another topic");
        assert!(seen("a", b"1", Mono::ZERO));
        assert!(!seen("a", b"1", Mono::ZERO), "both came: this is a new one");
        assert!(seen("a", b"2", Mono::ZERO));
        assert!(!seen("b", b"1", later), "too late for a copy");
        for number in 0..1_000_u32 {
            seen("c", &number.to_le_bytes(), later);
        }
        assert!(copies.recent.len() <= MOST);
        let mut seen = |retained| copies.is_one(("d", b"1", retained), 2, later);
        let arrivals = [true, false, true, false].map(&mut seen);
        assert_eq!(arrivals, [false, false, true, true]);
    }
}
