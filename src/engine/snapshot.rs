//! What outlives a call: [`AlarmRecord`] is stored with every event and restored at start;
//! [`Snapshot`] is a copy of the present for the status page, the API and the metrics.

mod counts;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::alarm::AlarmState;
use super::confirm::Confirmation;
use super::drill::Exercise;
use super::effect::Run;
use super::memory::Memory;
use super::notice::{NoticeCounts, NoticeRecord, NoticeView};
use super::overlay::{Cover, Overlays, Term};
use super::reading::{AlarmIndex, Quality};
use super::settings::{AlarmKind, Priority};
use super::time::{Moment, Wall};
pub use counts::ReadingCounts;

/// The durable part of one alarm: what a restart must bring back (alarm-standards 1.7).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlarmRecord {
    /// `POINT/kind`; of a drill with `/drill` behind it.
    pub alarm: Arc<str>,
    /// State of the newest occurrence.
    pub state: AlarmState,
    /// Priority of the newest occurrence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// Newest occurrence; 0 before the first.
    pub occurrence: u64,
    /// When the newest occurrence was raised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raised_at: Option<Wall>,
    /// Its newest call for attention ([`super::annunciation`]); absent before the first, and of what an older
    /// version raised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annunciation: Option<u64>,
    /// When its condition ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cleared_at: Option<Wall>,
    /// Who acknowledged it first, and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<Acknowledgement>,
    /// How far it was seen to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmation: Option<Box<Confirmation>>,
    /// How long the acknowledgement stands while the alarm is active; absent when for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promise: Option<Term>,
    /// Did the newest occurrence come first in its group?
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub first_out: bool,
    /// Who freed its first-out group since it was raised, if anybody did. Then it keeps no other from coming
    /// first any more.
    #[serde(
        default,
        rename = "released_by",
        skip_serializing_if = "Option::is_none"
    )]
    pub released: Option<Acknowledgement>,
    /// Most extreme value so far, in the point's unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak: Option<f64>,
    /// Value at the last event, in the point's unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// Older occurrences that nobody has acknowledged yet, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unacknowledged: Vec<OpenOccurrence>,
    /// Older occurrences of which it is remembered who acknowledged them, in the order of that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recognised: Vec<RecognisedOccurrence>,
    /// What lies over the alarm, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cover: Option<Box<Cover>>,
    /// Who was told, and who is next. Filled in beside the engine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notices: Option<Box<NoticeRecord>>,
    /// The highest number given to an occurrence, where a late one has a higher one than the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub numbered: Option<u64>,
    /// Was it raised three times within the minute before the event (alarm-standards 1.5.12)? For
    /// whoever reads the event; a restart begins to count anew.
    #[serde(default, skip_serializing_if = "is_false")]
    pub chattering: bool,
    /// Of a drill, what kind of exercise it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drill: Option<Box<Exercise>>,
}

impl AlarmRecord {
    /// Of an alarm that never changed.
    pub const fn new(alarm: Arc<str>) -> Self {
        Self {
            alarm,
            state: AlarmState::Normal,
            priority: None,
            occurrence: 0,
            raised_at: None,
            annunciation: None,
            cleared_at: None,
            acknowledged: None,
            confirmation: None,
            promise: None,
            first_out: false,
            released: None,
            peak: None,
            value: None,
            unacknowledged: Vec::new(),
            recognised: Vec::new(),
            cover: None,
            notices: None,
            numbered: None,
            chattering: false,
            drill: None,
        }
    }

    /// What lies over the alarm, as flags.
    pub fn overlays(&self) -> Overlays {
        self.cover
            .as_ref()
            .map_or_else(Overlays::default, |cover| cover.overlays())
    }
}

/// What a start is told: what the journal knows of the life before this one, and what is to stand on
/// record about this one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// Every alarm that ever changed, and every drill.
    pub records: Vec<AlarmRecord>,
    /// What alarms remember beside their state.
    pub memories: Vec<Memory>,
    /// The last sign of life of the run before; `None` on a fresh journal.
    pub last_alive: Option<Wall>,
    /// What people must know about the journal itself (a part is lost, it cannot be used), in
    /// words; told in the message of `started`, so that it reaches whoever reads events.
    pub notes: Vec<String>,
    /// The life that begins.
    pub run: Run,
}

/// Who recognised an occurrence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// The person's id or login.
    pub by: Arc<str>,
    /// When.
    pub at: Wall,
}

/// An older occurrence that is over but was never acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenOccurrence {
    /// Which one.
    pub occurrence: u64,
    /// When it was raised.
    pub raised_at: Wall,
    /// Its last call for attention, as in [`AlarmRecord`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annunciation: Option<u64>,
}

/// An older occurrence that somebody acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecognisedOccurrence {
    /// Which one.
    pub occurrence: u64,
    /// Who was first.
    pub acknowledged: Acknowledgement,
}

/// A copy of the present.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// When it was taken.
    pub at: Moment,
    /// Every point, in configuration order.
    pub points: Vec<PointView>,
    /// Every alarm, in configuration order.
    pub alarms: Vec<AlarmView>,
    /// Drills that run, or that nobody has acknowledged; none of them is among the alarms.
    pub drills: Vec<DrillView>,
    /// Pages that are held back. Filled in beside the engine.
    pub notices: NoticeCounts,
}

/// One drill now.
#[derive(Debug, Clone, PartialEq)]
pub struct DrillView {
    /// Which alarm is exercised.
    pub of: AlarmIndex,
    /// How it stands.
    pub record: AlarmRecord,
    /// Who was told. Filled in beside the engine.
    pub notices: Option<Box<NoticeView>>,
}

/// One point now.
#[derive(Debug, Clone, PartialEq)]
pub struct PointView {
    /// The point's id.
    pub id: Arc<str>,
    /// Its area.
    pub area: Option<Arc<str>>,
    /// Its unit as configured.
    pub unit: Arc<str>,
    /// The last accepted value while the point is not bad; the full scale while over-range is held.
    pub value: Option<f64>,
    /// What to show instead of the value while over-range is held: `at or above 100 %LEL (held)`.
    pub held: Option<String>,
    /// Quality now.
    pub quality: Quality,
    /// Why it is not good.
    pub reason: Option<&'static str>,
    /// When the last fresh reading came; `None` before the first.
    pub last_reading: Option<Wall>,
    /// Slope in units per minute, when a rate rule has a valid one.
    pub slope_per_min: Option<f64>,
    /// Seconds until each limit ahead at this slope.
    pub forecast: Vec<(AlarmKind, f64)>,
    /// Average exposure of 15 minutes, when there is a rule for it and anything was seen.
    pub stel: Option<ExposureView>,
    /// The same of 8 hours.
    pub twa: Option<ExposureView>,
    /// What became of this point's readings.
    pub counts: ReadingCounts,
    /// For a group, how it stands.
    pub group: Option<Box<GroupView>>,
}

/// What is known of one point now, as [`PointView`], without a copy.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shown {
    /// The value that a [`PointView`] has.
    pub value: Option<f64>,
    /// Quality now.
    pub quality: Quality,
    /// Why it is not good.
    pub reason: Option<&'static str>,
    /// Is over-range held? The value is the full scale then.
    pub held: bool,
    /// When the last fresh reading came; `None` before the first, and of a group.
    pub last_reading: Option<Wall>,
    /// Readings judged since start; another number tells a new reading.
    pub accepted: u64,
}

/// How a group stands now.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupView {
    /// M of `MooN`, as configured; N is the number of channels.
    pub configured: u32,
    /// Votes that are enough now.
    pub needed: u32,
    /// Good channels in alarm.
    pub votes: u32,
    /// Good channels.
    pub good: u32,
    /// Every channel, in configuration order.
    pub channels: Vec<ChannelView>,
}

/// One channel of a group now.
#[derive(Debug, Clone, PartialEq)]
pub struct ChannelView {
    /// The point's id.
    pub point: Arc<str>,
    /// The alarm that votes.
    pub alarm: Arc<str>,
    /// Is that alarm active? It may be held.
    pub in_alarm: bool,
    /// Quality of the point now.
    pub quality: Quality,
    /// Why it is not good.
    pub reason: Option<&'static str>,
}

/// An average exposure now; numbers with six digits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ExposureView {
    /// The average with unseen time as 0, in the point's unit.
    pub average: f64,
    /// The average had the last value stayed during unseen time.
    pub upper_bound: f64,
    /// The share of the time that was seen, 0 to 1.
    pub coverage: f64,
    /// Was too little seen?
    pub uncertain: bool,
}

/// One alarm now.
#[derive(Debug, Clone, PartialEq)]
pub struct AlarmView {
    /// `POINT/kind`.
    pub alarm: Arc<str>,
    /// The point's id.
    pub point: Arc<str>,
    /// What kind.
    pub kind: AlarmKind,
    /// The point's area.
    pub area: Option<Arc<str>>,
    /// The point's unit as configured.
    pub unit: Arc<str>,
    /// Priority.
    pub priority: Priority,
    /// State of the newest occurrence.
    pub state: AlarmState,
    /// What lies over it, as flags.
    pub overlays: Overlays,
    /// What lies over it, with who, why and until when.
    pub cover: Option<Box<Cover>>,
    /// Newest occurrence; 0 before the first.
    pub occurrence: u64,
    /// The value now, in the point's unit.
    pub value: Option<f64>,
    /// The limit the rule compares with: the point's unit, or units per minute for rates.
    pub limit: Option<f64>,
    /// Quality of the point now.
    pub quality: Quality,
    /// When the newest occurrence was raised.
    pub raised_at: Option<Wall>,
    /// Who acknowledged it.
    pub acknowledged: Option<Acknowledgement>,
    /// Who confirmed it.
    pub confirmed: Option<Acknowledgement>,
    /// Occurrences that wait for a confirmation, the older one first.
    pub unconfirmed: Vec<u64>,
    /// When the acknowledgement runs out if the alarm is still active then.
    pub acknowledged_until: Option<Wall>,
    /// Did the newest occurrence come first in its group?
    pub first_out: bool,
    /// Most extreme value of the newest occurrence.
    pub peak: Option<f64>,
    /// Was it raised three times within the last minute (alarm-standards 1.5.12)?
    pub chattering: bool,
    /// Must more be seen before there is a verdict, although the value is there? Of slopes, forecasts and
    /// what is usual: after a start, or a hole in the values.
    pub learning: bool,
    /// How many older occurrences nobody has acknowledged.
    pub older_unacknowledged: usize,
    /// Of an average: how it came about.
    pub exposure: Option<ExposureView>,
    /// Who was told; `None` when nobody was to be told. Filled in beside the engine.
    pub notices: Option<Box<NoticeView>>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature serde calls"
)]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Flags are left out while they are not set, and come back as they were.
    #[test]
    fn what_is_set_is_stored_and_what_is_not_takes_no_room() {
        let blank = AlarmRecord::new("P/high".into());
        for set in 0..4 {
            let (first_out, released, chattering) = (set == 1, set == 2, set == 3);
            let record = AlarmRecord {
                first_out,
                released: released.then(|| Acknowledgement {
                    by: "li-wei".into(),
                    at: Wall::default(),
                }),
                chattering,
                ..blank.clone()
            };
            let text = serde_json::to_string(&record).expect("it can be stored");
            assert_eq!(text.contains("first_out"), first_out, "{text}");
            assert_eq!(text.contains("released"), released, "{text}");
            assert_eq!(text.contains("chattering"), chattering, "{text}");
            let read: AlarmRecord = serde_json::from_str(&text).expect("and read");
            assert_eq!(read, record);
        }
    }
}
