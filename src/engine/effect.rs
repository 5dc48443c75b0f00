//! What the engine wants done: a queue of [`Effect`]s, drained after every call.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::alarm::AlarmState;
use super::drill::drilled;
use super::memory::Memory;
use super::notice::Notice;
use super::occurrence::split_id;
use super::overlay::Overlays;
use super::reading::{AlarmIndex, Quality};
use super::settings::{AlarmKind, Priority};
use super::snapshot::AlarmRecord;
use super::time::{Moment, Wall};

/// One thing for the shells to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Commit this event, with the alarm state it carries, in one transaction; then show it.
    Event(Box<Event>),
    /// Keep this for the next start, in place of the last one of the same alarm. Not urgent: it goes
    /// with the next event, or with the journal's next sign of life.
    Remember(Box<Memory>),
}

/// One line of the journal, before it has an id. The wire form is in `src/event.rs`.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// When it happened.
    pub at: Moment,
    /// What happened.
    pub kind: EventKind,
    /// The alarm it happened to; `None` for the gateway's own life (`started`, `clock_stepped`...).
    pub subject: Option<Subject>,
    /// What brought it about.
    pub cause: Cause,
    /// Fields that only some events have.
    pub details: Details,
    /// The alarm's state after the event, to be stored in the same transaction.
    pub record: Option<AlarmRecord>,
    /// States of other alarms that the event settles, stored with it: a summary tells of many.
    pub others: Vec<AlarmRecord>,
}

/// The alarm an event is about, as it stands after the event.
#[derive(Debug, Clone, PartialEq)]
pub struct Subject {
    /// Index of the alarm; `None` when a command named an alarm that does not exist.
    pub index: Option<AlarmIndex>,
    /// `POINT/kind`; of a drill with `/drill` behind it.
    pub alarm: Arc<str>,
    /// The point's id.
    pub point: Arc<str>,
    /// The point's area.
    pub area: Option<Arc<str>>,
    /// The point's unit as configured.
    pub unit: Arc<str>,
    /// Which episode.
    pub occurrence: u64,
    /// State of that episode.
    pub state: AlarmState,
    /// What lies over the alarm.
    pub overlays: Overlays,
    /// Priority of the alarm.
    pub priority: Priority,
    /// The value that led to the event, in the point's unit; absent when there is none.
    pub value: Option<f64>,
    /// The limit that the rule compares with.
    pub limit: Option<f64>,
    /// Quality of the point.
    pub quality: Quality,
    /// Is anyone to be alerted (`false` beneath an overlay)? An alarm that is unacknowledged when its last
    /// overlay goes (`unshelved`, `unsuppressed`, `in_service`) annunciates as if it were raised then.
    pub annunciated: bool,
    /// Did the occurrence come first in its group?
    pub first_out: bool,
}

impl Subject {
    /// Is it about a drill, and not about anything real?
    pub fn is_drill(&self) -> bool {
        drilled(&self.alarm).is_some()
    }

    /// An alarm that the settings do not know (any more).
    pub fn unconfigured(alarm: &str) -> Self {
        Self {
            index: None,
            alarm: alarm.into(),
            point: split_id(drilled(alarm).unwrap_or(alarm)).0.into(),
            area: None,
            unit: "".into(),
            occurrence: 0,
            state: AlarmState::Normal,
            overlays: Overlays::default(),
            priority: Priority::Low,
            value: None,
            limit: None,
            quality: Quality::Bad,
            annunciated: false,
            first_out: false,
        }
    }
}

/// The `event` of contract 5.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// An alarm's condition was confirmed.
    Raised,
    /// It is gone.
    Cleared,
    /// A person has recognised it.
    Acknowledged,
    /// A person has seen to it.
    Confirmed,
    /// A person has released a latched one.
    Reset,
    /// An acknowledged one wants attention again.
    Realarmed,
    /// Taken off the list for a time.
    Shelved,
    /// Back on the list.
    Unshelved,
    /// Silenced by plant state.
    Suppressed,
    /// No longer silenced by plant state.
    Unsuppressed,
    /// Taken out for maintenance.
    OutOfService,
    /// Back from maintenance.
    InService,
    /// A person has freed a first-out group.
    FirstOutReset,
    /// Someone was told.
    Notified,
    /// Everyone who was told was told that it is over.
    AllClear,
    /// Severity, quality or reason of a running occurrence changed.
    Changed,
    /// A command was refused.
    CommandRejected,
    /// A command came second and changed nothing.
    CommandIgnored,
    /// The wall clock jumped.
    ClockStepped,
    /// Nobody watched in this time.
    MonitoringGap,
    /// Other settings are in force.
    ConfigChanged,
    /// The gateway began to watch.
    Started,
    /// The gateway ended in good order.
    Stopped,
}

impl EventKind {
    /// The word as it stands in events.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Raised => "raised",
            Self::Cleared => "cleared",
            Self::Acknowledged => "acknowledged",
            Self::Confirmed => "confirmed",
            Self::Reset => "reset",
            Self::Realarmed => "realarmed",
            Self::Shelved => "shelved",
            Self::Unshelved => "unshelved",
            Self::Suppressed => "suppressed",
            Self::Unsuppressed => "unsuppressed",
            Self::OutOfService => "out_of_service",
            Self::InService => "in_service",
            Self::FirstOutReset => "first_out_reset",
            Self::Notified => "notified",
            Self::AllClear => "all_clear",
            Self::Changed => "changed",
            Self::CommandRejected => "command_rejected",
            Self::CommandIgnored => "command_ignored",
            Self::ClockStepped => "clock_stepped",
            Self::MonitoringGap => "monitoring_gap",
            Self::ConfigChanged => "config_changed",
            Self::Started => "started",
            Self::Stopped => "stopped",
        }
    }
}

/// What brought an event about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The plant.
    Process,
    /// A person.
    Operator,
    /// The gateway itself: a timer, a restart.
    System,
    /// Other settings.
    Config,
}

/// How a person's command came, where that says more than their name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// A link that was sent to this person alone.
    Link,
    /// A link that several could read: the name was chosen from a list.
    SharedLink,
}

/// Fields that only some events have; absent ones do not appear on the wire.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Details {
    /// Who.
    pub by: Option<String>,
    /// How their command came, where that says more than their name.
    pub via: Option<Via>,
    /// Why; for quality the reason's name, for commands the typed denial.
    pub reason: Option<String>,
    /// What the person wrote.
    pub comment: Option<String>,
    /// What happened, in words for people.
    pub message: Option<String>,
    /// Slope at the event, units per minute.
    pub slope_per_min: Option<f64>,
    /// Seconds until each limit ahead at this slope.
    pub forecast_s: BTreeMap<AlarmKind, f64>,
    /// How long the occurrence was active, seconds.
    pub duration_s: Option<f64>,
    /// Most extreme value of the occurrence, in the point's unit.
    pub peak: Option<f64>,
    /// Is the state held although the condition cannot be seen?
    pub held: Option<bool>,
    /// Found in delayed data.
    pub late: bool,
    /// Of a raise: the older occurrence that was to be confirmed and never was, and that can no longer be,
    /// for too many wait.
    pub left_unconfirmed: Option<u64>,
    /// It is about a missing value that hides a hazard: one that is active, or whose raise was on its
    /// way. Not on the wire, where the message names them.
    pub hides_hazard: bool,
    /// Nobody is told of it but by this alarm, of the device or broker that is lost.
    pub grouped_under: Option<Arc<str>>,
    /// Raised at the same instant as the first of its group.
    pub tie: bool,
    /// The first-out group that is meant.
    pub group: Option<Arc<str>>,
    /// Size of a clock step, seconds, positive when the clock went forward.
    pub step_s: Option<f64>,
    /// Start of a monitoring gap.
    pub from: Option<Wall>,
    /// End of a monitoring gap.
    pub to: Option<Wall>,
    /// Why somebody was told.
    pub notice: Option<Notice>,
    /// Which step of the escalation, counted from 0.
    pub step: Option<u16>,
    /// Of a page: it comes before its time, for whoever was told of the alarm may not have heard.
    pub unheard: bool,
    /// Of a notice: which call for attention it tells of ([`super::annunciation`]).
    pub annunciation: Option<u64>,
    /// Ids of the persons who were told.
    pub persons: Option<Vec<Arc<str>>>,
    /// The output over which they were told.
    pub output: Option<Arc<str>>,
    /// Every output over which an occurrence that is over was told of.
    pub outputs: Vec<Arc<str>>,
    /// Every alarm that one line tells of, when it stands for several.
    pub alarms: Vec<Arc<str>>,
    /// When the overlay, or the acknowledgement, ends at the latest.
    pub until: Option<Wall>,
    /// The shelf ends as soon as the alarm is no longer active.
    pub one_shot: bool,
    /// When the condition of a late occurrence, or of one that is told of, began.
    pub raised_at: Option<Wall>,
    /// When it ended.
    pub cleared_at: Option<Wall>,
    /// Of an average: the share of its time that was seen, 0 to 1.
    pub coverage: Option<f64>,
    /// Of an average of which too little was seen: unseen time counted as 0.
    pub lower_bound: Option<f64>,
    /// The same with unseen time counted as the last value before it.
    pub upper_bound: Option<f64>,
    /// Who approved it.
    pub approved_by: Option<String>,
    /// Who else approved it: a second channel of a group.
    pub also_approved_by: Option<String>,
    /// Number of the permit or work order.
    pub permit: Option<String>,
    /// What is done instead while the alarm is out of service.
    pub compensating_measure: Option<String>,
    /// What was configured before.
    pub was: Option<Box<Was>>,
    /// Of `started`: what holds for every event of the run that begins.
    pub run: Option<Box<Run>>,
}

/// Which way a value goes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outlook {
    /// Units per minute; absent when it cannot be told.
    pub slope_per_min: Option<f64>,
    /// Seconds until each limit ahead at this slope.
    pub forecast_s: BTreeMap<AlarmKind, f64>,
}

/// What every event of one run of the gateway has in common (alarm-standards 1.6). A run has one
/// configuration, one boot and one program, so they are said once, on the `started` event that the
/// epoch in an event's id leads to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Run {
    /// SHA-256 over the effective configuration, 64 hex digits.
    pub config_hash: Option<Arc<str>>,
    /// What the kernel calls this boot of the board. Absent in `replay`, which is to be the same on every
    /// machine.
    pub boot_id: Option<Arc<str>>,
}

/// What was configured of an alarm before; only what is another now.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Was {
    /// What it compared with, in the point's unit, of rates per minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<f64>,
    /// The on-delay, seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_delay_s: Option<f64>,
    /// The off-delay, seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub off_delay_s: Option<f64>,
    /// How urgent it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// Other settings of the alarm and of its point, as a person writes them; `off` where there was none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, String>,
}
