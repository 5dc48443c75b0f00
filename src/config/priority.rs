//! `[priority]`: how urgent each kind of alarm is, for the whole site, and what goes without saying.

use std::collections::BTreeMap;

use super::alarm::{self, PRIORITIES};
use super::finding::Log;
use super::group;
use super::keys::{Keys, Vocabulary, joined, kind_names};
use super::tree::Section;
use crate::engine::settings::{AlarmKind, Priority};

const PRIORITY: Vocabulary = Vocabulary {
    what: "`[priority]`",
    keys: &joined::<21>(&[&kind_names(alarm::KINDS), &kind_names(group::KINDS)]),
    later: &[],
};

/// The site-wide priorities.
pub(super) struct Priorities(BTreeMap<&'static str, Priority>);

/// Reads `[priority]`.
pub(super) fn read(root: &Section, log: &mut Log) -> Priorities {
    let mut written = BTreeMap::new();
    let keys = root.get("priority");
    if let Some(keys) = keys.and_then(|entry| Keys::open(entry, &PRIORITY, log)) {
        for key in PRIORITY.keys {
            if let Some(priority) = keys.choice(key, &PRIORITIES, log) {
                written.insert(*key, priority.value);
            }
        }
    }
    Priorities(written)
}

impl Priorities {
    /// Of a kind, site-wide.
    pub(super) fn of(&self, kind: AlarmKind) -> Priority {
        let written = self.0.get(kind.name()).copied();
        written.unwrap_or_else(|| match kind.name() {
            "high_high" | "low_low" | "over_range" | "vote" | "group_fault" => Priority::Critical,
            "high" | "low" => Priority::High,
            "twa" | "frozen" | "clock" | "maintenance" | "discrepancy" | "degraded" => {
                Priority::Low
            }
            _ => Priority::Medium,
        })
    }

    /// Is it written for the whole site?
    pub(super) fn is_written(&self, kind: AlarmKind) -> bool {
        self.0.contains_key(kind.name())
    }
}
