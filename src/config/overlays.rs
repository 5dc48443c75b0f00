//! How long alarms may be silenced: `[shelving]`.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::finding::Log;
use super::keys::{Keys, Vocabulary};
use super::tree::Section;
use crate::engine::settings::Longest;

const SHELVING: Vocabulary = Vocabulary {
    what: "`[shelving]`",
    keys: &["max"],
    later: &[],
};

/// Never over a day (alarm-standards 1.4).
const SHELF: RangeInclusive<Duration> = Duration::from_secs(60)..=Duration::from_secs(24 * 3600);

/// Reads what commands may ask for at most.
pub(super) fn longest(root: &Section, log: &mut Log) -> Longest {
    let mut longest = Longest::default();
    let shelving = root.get("shelving");
    if let Some(keys) = shelving.and_then(|entry| Keys::open(entry, &SHELVING, log))
        && let Some(max) = keys.duration("max", SHELF, log)
    {
        longest.shelf = max.value;
    }
    longest
}
