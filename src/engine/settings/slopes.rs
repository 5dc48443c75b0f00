//! Rules about which way a point goes, and what it is compared with.

use std::time::Duration;

use super::super::reading::PointIndex;
use super::{Direction, Level};

/// `rise` or `fall`: a limit on the slope (alarm-standards 2.4).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateRule {
    /// Which way.
    pub direction: Direction,
    /// In alarm at this slope and steeper, in units per minute, positive for either direction.
    pub limit_per_min: f64,
    /// Clear only when the slope is less than the limit by more than this, in units per minute.
    pub deadband_per_min: f64,
    /// Raise only when the slope is more than twice its standard error.
    pub significant: bool,
    /// Position in [`PointSettings::trends`](super::PointSettings::trends).
    pub trend: usize,
}

/// A window over the good samples of a point, and how a line is drawn through it (alarm-standards 2.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrendSettings {
    /// How.
    pub method: Method,
    /// Length of the window.
    pub window: Duration,
    /// Fewer good samples in the window than this: no line. At least 5.
    pub min_samples: usize,
    /// Less time from the first to the last sample than this: no line.
    pub min_span: Duration,
    /// A hole longer than this between neighbours: no line. A third of the window.
    pub max_gap: Duration,
}

/// How a line is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Ordinary least squares: cheap, and exact for noise without outliers.
    LeastSquares,
    /// The median of the slopes of all pairs: outliers do not bend it; well over a hundred times dearer.
    TheilSen,
}

/// `forecast`: a limit will be reached soon (alarm-standards 2.5).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ForecastRule {
    /// Which limit of the point.
    pub to: Level,
    /// Its value, in the point's unit.
    pub limit: f64,
    /// In alarm when the limit will be reached within this time; clear beyond one and a half of it.
    pub within: Duration,
    /// So many evaluations in a row must say so.
    pub confirmations: u8,
    /// Position in [`PointSettings::trends`](super::PointSettings::trends).
    pub trend: usize,
}

/// `deviation`: too far from a reference (alarm-standards 2.6).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DeviationRule {
    /// What the value is compared with.
    pub from: Reference,
    /// In alarm this far below the reference and further, in the point's unit. One of the two is set.
    pub below: Option<f64>,
    /// In alarm this far above the reference and further, in the point's unit.
    pub above: Option<f64>,
    /// Clear only when the value is nearer to the reference than the limit by more than this.
    pub deadband: f64,
    /// After a step of the reference there is no verdict for this long.
    pub settle: Duration,
}

impl DeviationRule {
    /// The nearer of its limits.
    pub fn limit(&self) -> f64 {
        let sides = [self.below, self.above].into_iter().flatten();
        sides.fold(f64::INFINITY, f64::min)
    }

    /// A change of the reference by this much is a step.
    pub fn step(&self) -> f64 {
        self.limit() / 2.0
    }
}

/// What a deviation is measured from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reference {
    /// A fixed value, in the point's unit.
    Fixed(f64),
    /// The value of another point.
    Point(PointIndex),
    /// What is usual of the value itself.
    Median(MedianRule),
}

/// The median of a point's own good values (alarm-standards 2.6). There is one when enough of the window
/// was seen, as for a slope (alarm-standards 2.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MedianRule {
    /// Of so long.
    pub window: Duration,
}

impl MedianRule {
    /// Fewer values have no middle that means anything.
    pub const MIN_SAMPLES: usize = 10;

    /// Less time from the first to the last value than this: no median.
    pub fn min_span(self) -> Duration {
        self.window * 3 / 5
    }

    /// After a hole longer than this between neighbours it begins anew.
    pub fn max_gap(self) -> Duration {
        self.window / 3
    }
}
