//! The words that name alarms and say how urgent they are.

use serde::{Deserialize, Serialize};

/// Kinds of alarm; with the point's id they name it, as in `CH4-101/high`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlarmKind {
    /// Value at or below the lowest limit.
    LowLow,
    /// Value at or below the low limit.
    Low,
    /// Value at or above the high limit.
    High,
    /// Value at or above the highest limit.
    HighHigh,
    /// Rising faster than allowed.
    Rise,
    /// Falling faster than allowed.
    Fall,
    /// Too far from a reference.
    Deviation,
    /// Redundant sensors disagree.
    Discrepancy,
    /// A limit will be reached soon.
    Forecast,
    /// Short-term exposure, 15 minutes.
    Stel,
    /// Time-weighted average exposure, 8 hours.
    Twa,
    /// Beyond the sensor's full scale.
    OverRange,
    /// The source reports a bad value.
    Bad,
    /// Nothing new arrives.
    Stale,
    /// The value does not move although it should.
    Frozen,
    /// Source times cannot be right.
    Clock,
    /// The device wants to be looked after.
    Maintenance,
    /// A digital point is in its alarm position.
    State,
    /// Enough channels of a group agree.
    Vote,
    /// Fewer good channels than configured.
    Degraded,
    /// No good channel is left.
    GroupFault,
}

impl AlarmKind {
    /// The kind as it stands in alarm ids.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LowLow => "low_low",
            Self::Low => "low",
            Self::High => "high",
            Self::HighHigh => "high_high",
            Self::Rise => "rise",
            Self::Fall => "fall",
            Self::Deviation => "deviation",
            Self::Discrepancy => "discrepancy",
            Self::Forecast => "forecast",
            Self::Stel => "stel",
            Self::Twa => "twa",
            Self::OverRange => "over_range",
            Self::Bad => "bad",
            Self::Stale => "stale",
            Self::Frozen => "frozen",
            Self::Clock => "clock",
            Self::Maintenance => "maintenance",
            Self::State => "state",
            Self::Vote => "vote",
            Self::Degraded => "degraded",
            Self::GroupFault => "group_fault",
        }
    }
}

/// How urgent an alarm is; ordered from least to most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// Look at it in the shift.
    Low,
    /// Act within the hour.
    Medium,
    /// Act promptly.
    High,
    /// Act at once.
    Critical,
}

impl Priority {
    /// The word as it stands in events and labels.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}
