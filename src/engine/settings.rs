//! What the engine is told: points, their alarms and the rules behind them, all defaults resolved.
//! `config` builds this from what a person wrote; `check --explain` prints it.

mod groups;
mod guards;
mod health;
mod kinds;
mod plant_state;
mod reminder;
mod slopes;
mod stillness;
mod suppression;

use std::sync::Arc;
use std::time::Duration;

use super::signal::Signal;
pub use groups::{BadChannel, FirstOutSettings, GroupSettings, MAX_CHANNELS, OnBad};
pub use guards::Guards;
pub use health::HealthRule;
pub use kinds::{AlarmKind, Priority};
pub use plant_state::PlantState;
pub use reminder::Reminder;
pub use slopes::{
    DeviationRule, ForecastRule, MedianRule, Method, RateRule, Reference, TrendSettings,
};
pub use stillness::FrozenRule;
pub use suppression::Suppressor;

/// Everything the engine watches, in configuration order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settings {
    /// Dense: the position is the [`PointIndex`](super::reading::PointIndex).
    pub points: Vec<PointSettings>,
    /// Alarms of which the first is marked.
    pub first_outs: Vec<FirstOutSettings>,
    /// How long alarms may be silenced.
    pub longest: Longest,
    /// What commands must say.
    pub guards: Guards,
    /// Of which points the gateway reminds while they are inhibited; absent without hazard points.
    pub reminder: Option<Reminder>,
}

/// The longest times that commands may silence an alarm for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Longest {
    /// On the shelf; also how long a one-shot shelf lasts that says nothing else.
    pub shelf: Duration,
    /// Out of service.
    pub outage: Duration,
}

impl Default for Longest {
    /// A shift (alarm-standards 1.4), and the week for which a permit may be written.
    fn default() -> Self {
        Self {
            shelf: Duration::from_secs(8 * 3600),
            outage: Duration::from_secs(7 * 86_400),
        }
    }
}

/// One point.
#[derive(Debug, Clone, PartialEq)]
pub struct PointSettings {
    /// The point's id, unique; `gateway.*` for the gateway's own condition.
    pub id: Arc<str>,
    /// Area id, if the point lies in one.
    pub area: Option<Arc<str>>,
    /// Unit as configured, empty for none.
    pub unit: Arc<str>,
    /// Silence after which the point is stale (alarm-standards 2.10). `None`: never, for points
    /// that report only changes, such as the gateway's own.
    pub stale_after: Option<Duration>,
    /// How long a point that was bad must deliver good values before they are evaluated again.
    pub good_confirm: Duration,
    /// How long its sensor warms up after a failure, in which nothing is judged (alarm-standards 2.16). Zero:
    /// not at all.
    pub warm_up: Duration,
    /// What its numbers mean.
    pub signal: Arc<Signal>,
    /// A reading that is older than the newest by no more than this goes to its place among them; one
    /// that is older yet is history (alarm-standards 2.23).
    pub reorder: Duration,
    /// A reading that is delayed by more than this, beyond the usual way of its source, is history
    /// (alarm-standards 2.23).
    pub late: Duration,
    /// Windows that slopes are taken over; rules name them by their position.
    pub trends: Vec<TrendSettings>,
    /// Where its device says how it is; the worst of it counts.
    pub health: Vec<HealthRule>,
    /// What it means to the groups it votes in that it has no value.
    pub on_bad: OnBad,
    /// Alarms in life-cycle order of their kinds; at most one of each kind.
    pub alarms: Vec<AlarmSettings>,
    /// Set for a group: it is not measured, its value is the number of votes.
    pub group: Option<Box<GroupSettings>>,
    /// Where it is read from; for the record of what was changed.
    pub origin: Option<Origin>,
    /// What its codes mean, for the message of its `state` alarm; empty for a point without codes.
    pub meanings: &'static [(u8, &'static str)],
}

/// Where a point is read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// In words: `device plc-2, input:9 uint16`.
    pub words: Arc<str>,
    /// How often it is asked; `None` for one that speaks by itself.
    pub poll: Option<Duration>,
}

impl PointSettings {
    /// A point of which nothing is known but its alarms: numbers are values, silence is no fault, and a
    /// good value is trusted at once.
    pub fn new(id: &str, alarms: Vec<AlarmSettings>) -> Self {
        Self {
            id: id.into(),
            area: None,
            unit: "".into(),
            stale_after: None,
            good_confirm: Duration::ZERO,
            warm_up: Duration::ZERO,
            signal: Signal::plain().into(),
            reorder: Duration::from_secs(10),
            late: Duration::from_secs(10),
            trends: Vec::new(),
            health: Vec::new(),
            on_bad: OnBad::Hold,
            alarms,
            group: None,
            origin: None,
            meanings: &[],
        }
    }
}

/// One alarm: one point, one kind.
#[derive(Debug, Clone, PartialEq)]
pub struct AlarmSettings {
    /// What is watched and with which numbers.
    pub rule: Rule,
    /// Fixed by configuration; a changed severity is another alarm.
    pub priority: Priority,
    /// For alarms about the measuring itself: at a raise, take the highest priority among the
    /// point's process alarms that are active or were pending, if it is above `priority`
    /// (alarm-standards 2.9).
    pub inherit_priority: bool,
    /// The condition must hold this long without a break before the alarm is raised.
    pub on_delay: Duration,
    /// The condition must be gone this long without a break before the alarm clears.
    pub off_delay: Duration,
    /// What a dip does to a running on-delay.
    pub pending_hold: PendingHold,
    /// The condition must become true so often before the alarm is raised.
    pub count: Option<CountRule>,
    /// Stays until a person resets it.
    pub latching: bool,
    /// Must a person acknowledge it? Without, it goes back to normal by itself when it clears.
    pub ack_required: bool,
    /// An acknowledgement of an alarm that is still active after this long has run out
    /// (alarm-standards 1.5.15). `None`: it stands as long as the alarm.
    pub realarm_after: Option<Duration>,
    /// Nobody shelves it alone (alarm-standards 1.4).
    pub highly_managed: bool,
    /// A reset takes a confirmation, and an occurrence that is over waits for one.
    pub confirm_required: bool,
    /// What silences it by design: one of them is enough.
    pub suppressed_by: Vec<Suppressor>,
}

impl AlarmSettings {
    /// An alarm without delays, which must be acknowledged and clears by itself.
    pub const fn new(rule: Rule, priority: Priority) -> Self {
        Self {
            rule,
            priority,
            inherit_priority: false,
            on_delay: Duration::ZERO,
            off_delay: Duration::ZERO,
            pending_hold: PendingHold::Limit,
            count: None,
            latching: false,
            ack_required: true,
            realarm_after: None,
            highly_managed: false,
            confirm_required: false,
            suppressed_by: Vec::new(),
        }
    }

    /// The kind, which with the point's id names the alarm.
    pub const fn kind(&self) -> AlarmKind {
        self.rule.kind()
    }
}

/// How often a condition must become true within which time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CountRule {
    /// So often; at least twice.
    pub times: u8,
    /// Within this time.
    pub within: Duration,
}

/// What counts as a break while an on-delay runs (alarm-standards 2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PendingHold {
    /// A value back inside the limit restarts the delay.
    Limit,
    /// Only a value beyond the deadband restarts it, so that noise cannot starve a hazard alarm.
    Deadband,
}

/// The condition behind an alarm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rule {
    /// A limit on the value.
    Limit(LimitRule),
    /// A limit on the slope.
    Rate(RateRule),
    /// A limit will be reached soon.
    Forecast(ForecastRule),
    /// Too far from a reference.
    Deviation(DeviationRule),
    /// A digital point stands in its alarm position.
    State {
        /// The alarm position: `true` is a value other than zero, `false` a zero, as of a contact
        /// that opens in alarm. The value itself is never turned round: people see what is measured.
        when: bool,
    },
    /// The source says that the value is bad, or it cannot be one.
    Bad,
    /// Nothing new arrives.
    Stale,
    /// The value does not move although it should.
    Frozen(FrozenRule),
    /// The times of the source cannot be right, or are constantly off (alarm-standards 2.23).
    Clock,
    /// The device wants to be looked after (alarm-standards 2.13).
    Maintenance,
    /// A channel disagrees with the others of its group.
    Discrepancy(DiscrepancyRule),
    /// Enough channels of the group are in alarm.
    Vote,
    /// Fewer channels of the group are good than configured.
    Degraded,
    /// No channel of the group is good.
    GroupFault,
    /// A limit on the average exposure.
    Exposure(ExposureRule),
    /// The value is beyond what the sensor can measure.
    OverRange(OverRangeRule),
}

impl Rule {
    /// Position of the window it looks at, for rules about slopes.
    pub const fn trend(&self) -> Option<usize> {
        if let Self::Rate(RateRule { trend, .. }) | Self::Forecast(ForecastRule { trend, .. }) =
            self
        {
            Some(*trend)
        } else {
            None
        }
    }

    /// The alarm kind that this rule makes.
    pub const fn kind(&self) -> AlarmKind {
        match self {
            Self::Limit(limit) => limit.level.kind(),
            Self::Rate(rate) => match rate.direction {
                Direction::Rise => AlarmKind::Rise,
                Direction::Fall => AlarmKind::Fall,
            },
            Self::Forecast(_) => AlarmKind::Forecast,
            Self::Deviation(_) => AlarmKind::Deviation,
            Self::State { .. } => AlarmKind::State,
            Self::Bad => AlarmKind::Bad,
            Self::Stale => AlarmKind::Stale,
            Self::Frozen(_) => AlarmKind::Frozen,
            Self::Clock => AlarmKind::Clock,
            Self::Maintenance => AlarmKind::Maintenance,
            Self::Discrepancy(_) => AlarmKind::Discrepancy,
            Self::Vote => AlarmKind::Vote,
            Self::Degraded => AlarmKind::Degraded,
            Self::GroupFault => AlarmKind::GroupFault,
            Self::Exposure(exposure) => match exposure.average {
                Average::ShortTerm => AlarmKind::Stel,
                Average::Shift | Average::Dose => AlarmKind::Twa,
            },
            Self::OverRange(_) => AlarmKind::OverRange,
        }
    }
}

/// `discrepancy`: distance to the median of the good channels, of two to each other (alarm-standards
/// 2.7).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DiscrepancyRule {
    /// In alarm when the distance is more than this, in the point's unit; at least the sum of both
    /// accuracies.
    pub limit: f64,
    /// Clear only when the distance is less than the limit by this or more, in the point's unit.
    pub deadband: f64,
}

/// `low_low`, `low`, `high` or `high_high` (alarm-standards 2.1).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LimitRule {
    /// Which of the four.
    pub level: Level,
    /// In alarm at this value and beyond, in the point's unit.
    pub limit: f64,
    /// Clear only when the value is inside the limit by more than this, in the point's unit.
    pub deadband: f64,
}

/// The four limit levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Lowest.
    LowLow,
    /// Low.
    Low,
    /// High.
    High,
    /// Highest.
    HighHigh,
}

impl Level {
    /// The kind of alarm at this level.
    pub const fn kind(self) -> AlarmKind {
        match self {
            Self::LowLow => AlarmKind::LowLow,
            Self::Low => AlarmKind::Low,
            Self::High => AlarmKind::High,
            Self::HighHigh => AlarmKind::HighHigh,
        }
    }

    /// Is the alarm above the limit (`true`) or below it?
    pub const fn is_upper(self) -> bool {
        matches!(self, Self::High | Self::HighHigh)
    }
}

/// The two directions of a rate alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Upwards.
    Rise,
    /// Downwards.
    Fall,
}

/// `stel` or `twa`: the time-weighted average concentration (alarm-standards 2.18).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ExposureRule {
    /// Which average.
    pub average: Average,
    /// In alarm at this average and above, in the point's unit.
    pub limit: f64,
    /// Clear only when the average is below the limit by more than this, in the point's unit.
    pub deadband: f64,
}

/// What is averaged over which time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Average {
    /// `stel`: the last 15 minutes.
    ShortTerm,
    /// `twa`, method `window`: the last 8 hours (OSHA).
    Shift,
    /// `twa`, method `dose`: everything since the last reset, divided by 8 hours (ACGIH, EH40).
    Dose,
}

impl Average {
    /// The time it is divided by, and that it looks back on unless it is a dose.
    pub const fn length(self) -> Duration {
        match self {
            Self::ShortTerm => Duration::from_secs(15 * 60),
            Self::Shift | Self::Dose => Duration::from_secs(8 * 3600),
        }
    }

    /// It is looked at this often at least, whether values come or not.
    pub const fn update(self) -> Duration {
        match self {
            Self::ShortTerm => Duration::from_secs(15),
            Self::Shift | Self::Dose => Duration::from_secs(60),
        }
    }
}

/// `over_range` (alarm-standards 2.19).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OverRangeRule {
    /// In alarm at this value and above, in the point's unit: the full scale.
    pub at: f64,
    /// The other end of the range: a value there is not over range, whatever the device says.
    pub bottom: f64,
    /// Clear only when the value is below `at` by more than this; without meaning when latching.
    pub deadband: f64,
    /// Held until a person resets it, with `high` and `high_high` of the point: above 100 %LEL a
    /// catalytic sensor lacks oxygen, and its output falls.
    pub latching: bool,
    /// A reset needs good values below this, in the point's unit.
    pub reset_below: f64,
    /// ... for so long.
    pub reset_after: Duration,
}
