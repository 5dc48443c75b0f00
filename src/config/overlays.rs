//! How alarms may be silenced, and for how long: `[shelving]`, `[out_of_service]`, and what a single
//! alarm says about it.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::finding::Log;
use super::keys::{Keys, Vocabulary};
use super::people::People;
use super::suppression::{self, RawSuppressor};
use super::tree::Section;
use crate::engine::settings::{Guards, Longest};

const SHELVING: Vocabulary = Vocabulary {
    what: "`[shelving]`",
    keys: &["max"],
    later: &[],
};

/// Never over a day (alarm-standards 1.4).
const SHELF: RangeInclusive<Duration> = Duration::from_secs(60)..=Duration::from_secs(24 * 3600);

const OUT_OF_SERVICE: Vocabulary = Vocabulary {
    what: "`[out_of_service]`",
    keys: &["max", "compensating_measure"],
    later: &[],
};

/// Must it be said what is done instead of an alarm that is out of service?
const MEASURE: [(&str, bool); 2] = [("optional", false), ("required", true)];

/// A permit is written anew after a quarter of a year.
const OUTAGE: RangeInclusive<Duration> = Duration::from_secs(60)..=Duration::from_secs(90 * 86_400);

/// An acknowledgement that stands longer than a day needs no end.
const REALARM: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(86_400);

/// Reads what commands may ask for at most, and what they must say.
pub(super) fn commands(root: &Section, people: &People, log: &mut Log) -> (Longest, Guards) {
    let mut longest = Longest::default();
    let mut guards = Guards {
        approvers: people.approvers.clone(),
        persons: people.persons.keys().map(|id| id.as_str().into()).collect(),
        ..Guards::default()
    };
    let shelving = root.get("shelving");
    if let Some(keys) = shelving.and_then(|entry| Keys::open(entry, &SHELVING, log))
        && let Some(max) = keys.duration("max", SHELF, log)
    {
        longest.shelf = max.value;
    }
    let outage = root.get("out_of_service");
    if let Some(keys) = outage.and_then(|entry| Keys::open(entry, &OUT_OF_SERVICE, log)) {
        if let Some(max) = keys.duration("max", OUTAGE, log) {
            longest.outage = max.value;
        }
        if let Some(measure) = keys.choice("compensating_measure", &MEASURE, log) {
            guards.measure_required = measure.value;
        }
    }
    (longest, guards)
}

/// What a single alarm says.
#[derive(Default)]
pub(super) struct Silence {
    pub(super) realarm_after: Option<Duration>,
    pub(super) highly_managed: bool,
    pub(super) suppressed_by: Vec<RawSuppressor>,
}

impl Silence {
    pub(super) fn read(alarm: &Keys<'_>, log: &mut Log) -> Self {
        let realarm_after = alarm.duration("realarm_after", REALARM, log);
        let highly_managed = alarm.flag("highly_managed", log);
        Self {
            realarm_after: realarm_after.map(|span| span.value),
            highly_managed: highly_managed.is_some_and(|flag| flag.value),
            suppressed_by: suppression::read(alarm, log),
        }
    }
}
