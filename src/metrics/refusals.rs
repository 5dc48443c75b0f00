//! The last message that was refused for each reason: a counter says that something is wrong, this what.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::Metrics;
use crate::engine::time::Wall;

/// Characters of a topic that are kept at most.
const LONGEST_TOPIC: usize = 128;

/// What was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The topic, cut to 128 characters, without control characters.
    pub topic: String,
    /// The id, word or unit that was met; may be empty.
    pub detail: String,
    /// When, by the gateway's clock.
    pub at: Wall,
}

impl Refusal {
    /// Keeps of `topic` what has room.
    pub fn new(topic: &str, detail: &str, at: Wall) -> Self {
        let shown = topic.chars().take(LONGEST_TOPIC);
        let shown = shown.map(|c| if c.is_control() { '\u{fffd}' } else { c });
        Self {
            topic: shown.collect(),
            detail: detail.to_owned(),
            at,
        }
    }
}

/// How often something was refused for one reason, and the last time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The reason's name.
    pub reason: &'static str,
    /// How often since the start.
    pub count: u64,
    /// The last time.
    pub last: Refusal,
}

/// By source and reason: both come from closed lists, so their number is bounded.
#[derive(Debug, Default)]
pub(super) struct Book(Mutex<BTreeMap<String, BTreeMap<&'static str, Refused>>>);

impl Metrics {
    /// Keeps what `source` sent and was refused for `reason`, in place of the one before.
    pub fn last_refusal(&self, source: &str, reason: &'static str, last: Refusal) {
        let mut book = self
            .refusals
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if !book.contains_key(source) {
            book.insert(source.to_owned(), BTreeMap::new());
        }
        let Some(reasons) = book.get_mut(source) else {
            return;
        };
        let count = reasons.get(reason).map_or(0, |known| known.count) + 1;
        reasons.insert(
            reason,
            Refused {
                reason,
                count,
                last,
            },
        );
    }

    /// What `source` sent and was refused since the start, by reason.
    pub fn refusals(&self, source: &str) -> Vec<Refused> {
        let book = self
            .refusals
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let reasons = book.get(source).into_iter().flat_map(BTreeMap::values);
        reasons.cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_each_reason_is_kept() {
        let metrics = Metrics::default();
        let refusal = |topic: &str| Refusal::new(topic, "x", Wall::from_unix_nanos(5));
        for topic in ["a", "b", &"c\u{7}".repeat(LONGEST_TOPIC)] {
            metrics.last_refusal("plant", "not_json", refusal(topic));
        }
        metrics.last_refusal("plant", "empty", refusal("d"));
        let kept = metrics.refusals("plant");
        let seen: Vec<_> = kept.iter().map(|kept| (kept.reason, kept.count)).collect();
        assert_eq!(seen, [("empty", 1), ("not_json", 3)]);
        let topic = &kept[1].last.topic;
        assert_eq!(topic.chars().count(), LONGEST_TOPIC);
        assert!(topic.starts_with("c\u{fffd}"), "{topic}");
        assert!(metrics.refusals("other").is_empty());
    }
}
