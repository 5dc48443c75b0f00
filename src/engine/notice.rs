//! What is remembered of telling people: who was told of an alarm, which steps of the escalation are
//! done, what is held back.
//!
//! It is a part of the alarm's record, so that it is stored in the transaction of the event that it
//! belongs to, and a restart neither loses nor repeats a step. The engine carries it and never looks
//! at it; `src/notify` decides on it. Spans are kept as wall times of their beginnings, which is what
//! a restart can count on.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::settings::Priority;
use super::time::Wall;

/// Why somebody is told (the `notice` of contract 8.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Notice {
    /// A step of the escalation.
    Page,
    /// Still nobody has acknowledged.
    Reminder,
    /// It was found in delayed data, and is over.
    Late,
    /// An alarm that keeps coming and going: pages are held back, and summed up.
    Chatter,
    /// Pages of an area that were held back in a flood, summed up.
    Flood,
}

impl Notice {
    /// Every kind, in the order of the enum.
    pub const ALL: [Self; 5] = [
        Self::Page,
        Self::Reminder,
        Self::Late,
        Self::Chatter,
        Self::Flood,
    ];

    /// The word as it stands in events and labels.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Reminder => "reminder",
            Self::Late => "late",
            Self::Chatter => "chatter",
            Self::Flood => "flood",
        }
    }
}

/// Persons told over one output.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Told {
    /// The output; absent when none is named: every output that can reach the persons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Arc<str>>,
    /// Person ids, each once. Empty: the output itself is the receiver, as a control room is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub persons: Vec<Arc<str>>,
}

/// What is known about telling people of one alarm; absent in its record while there is nothing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct NoticeRecord {
    /// The escalation of the newest occurrence that was annunciated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ladder: Option<LadderRecord>,
    /// An occurrence that is over, which people are yet to be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<OverRecord>,
    /// The alarm chatters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chatter: Option<ChatterRecord>,
    /// Occurrences found in delayed data, which people are yet to be told of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late: Option<LateRecord>,
    /// The alarm is that of a device or broker, and others are grouped under it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet: Option<QuietRecord>,
}

impl NoticeRecord {
    /// Is there nothing to remember?
    pub const fn is_empty(&self) -> bool {
        self.ladder.is_none()
            && self.over.is_none()
            && self.chatter.is_none()
            && self.late.is_none()
            && self.quiet.is_none()
    }
}

/// An escalation: of one occurrence, from its last annunciation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LadderRecord {
    /// Which episode.
    pub occurrence: u64,
    /// When it was annunciated; the times of the steps count from here.
    pub began_at: Wall,
    /// Whose ladder it is.
    pub priority: Priority,
    /// How many steps are done, counted from the first.
    pub steps: u16,
    /// One of them is told over some of its outputs only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partial: Option<Partial>,
    /// Those of them that wait for the summary of a flood.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<u16>,
    /// Who has been told of this occurrence.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub told: Vec<Told>,
    /// When somebody was told last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_at: Option<Wall>,
    /// The next reminder counts from here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reminded_at: Option<Wall>,
    /// The first step is held back until the summary of a chattering alarm.
    #[serde(default, skip_serializing_if = "is_false")]
    pub muted: bool,
    /// The first step was told in the summary of a flood.
    #[serde(default, skip_serializing_if = "is_false")]
    pub grouped: bool,
    /// It began with the end of an overlay, a re-alarm or a higher severity, and not with a raise.
    #[serde(default, skip_serializing_if = "is_false")]
    pub returned: bool,
    /// It does not run: this alarm, of the device or broker, tells of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub under: Option<Arc<str>>,
    /// How long that alarm had not spoken in all when this one was grouped under it, seconds.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub quiet_s: f64,
}

/// How long an alarm of a device or broker has not spoken for those that are grouped under it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct QuietRecord {
    /// In all, before `since`, seconds.
    pub total_s: f64,
    /// It does not speak since then; absent while it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Wall>,
}

/// A step in the middle of being told: an output takes an event of its own, and power may fail between
/// two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partial {
    /// Which step.
    pub step: u16,
    /// How many of its outputs are done.
    pub outputs: u16,
}

/// An occurrence that people were told of and that is over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OverRecord {
    /// Which episode.
    pub occurrence: u64,
    /// Its priority.
    pub priority: Priority,
    /// Who must be told that it is over.
    pub told: Vec<Told>,
    /// When somebody was told last.
    pub told_at: Wall,
    /// How long it lasted, seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_s: Option<f64>,
    /// Its most extreme value, in the point's unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak: Option<f64>,
}

/// Pages of an alarm that chatters are held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatterRecord {
    /// When the present hold began.
    pub since: Wall,
    /// Pages held back since then.
    pub held: u32,
}

/// Occurrences found in delayed data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LateRecord {
    /// The newest of them.
    pub occurrence: u64,
    /// How many.
    pub count: u32,
}

/// What pages show of telling people of an alarm.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NoticeView {
    /// Who has been told of the newest occurrence.
    pub told: Vec<Told>,
    /// How many steps are done.
    pub steps: u16,
    /// When the next one is told; `None` when there is none, or nobody needs it any more.
    pub next_step_at: Option<Wall>,
    /// A page waits for a summary.
    pub held: bool,
    /// The alarm of the device or broker that it is grouped under: no page of its own.
    pub under: Option<Arc<str>>,
}

/// Pages that are held back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NoticeCounts {
    /// They wait for their summary now.
    pub waiting: u64,
    /// Held back since start because their alarm chatters.
    pub chatter: u64,
    /// Held back since start in a flood.
    pub flood: u64,
    /// Grouped since start under the alarm of their device or broker.
    pub grouped: u64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature serde calls"
)]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature serde calls"
)]
fn is_zero(seconds: &f64) -> bool {
    *seconds <= 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Flags are left out while they are not set, and come back as they were.
    #[test]
    fn what_is_set_is_stored_and_what_is_not_takes_no_room() {
        for set in ["", "muted", "grouped", "returned", "quiet_s"] {
            let record = LadderRecord {
                occurrence: 3,
                began_at: Wall::default(),
                priority: Priority::High,
                steps: 1,
                partial: None,
                held: Vec::new(),
                told: Vec::new(),
                told_at: None,
                reminded_at: None,
                muted: set == "muted",
                grouped: set == "grouped",
                returned: set == "returned",
                under: None,
                quiet_s: if set == "quiet_s" { 1.5 } else { 0.0 },
            };
            let text = serde_json::to_string(&record).expect("it can be stored");
            for flag in ["muted", "grouped", "returned", "quiet_s"] {
                assert_eq!(text.contains(flag), flag == set, "{text}");
            }
            let read: LadderRecord = serde_json::from_str(&text).expect("and read");
            assert_eq!(read, record);
        }
    }

    #[test]
    fn nothing_is_nothing_to_remember() {
        assert!(NoticeRecord::default().is_empty());
        let late = LateRecord {
            occurrence: 1,
            count: 1,
        };
        let record = NoticeRecord {
            late: Some(late),
            ..NoticeRecord::default()
        };
        assert!(!record.is_empty());
    }
}
