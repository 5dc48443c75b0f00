//! The words that go with an alarm: what the person at 03:00 needs. They come from the configuration
//! and never influence a decision, so the engine does not know them.
//!
//! What alarms of one point or area have in common they share: there are tens of thousands of them.

use std::sync::Arc;
use std::time::Duration;

use crate::engine::settings::{AlarmKind, Priority};

/// Everything fixed about one alarm, for messages and pages.
#[derive(Debug, Clone, PartialEq)]
pub struct Guidance {
    /// `POINT/kind`.
    pub alarm: Arc<str>,
    /// The point's id.
    pub point: Arc<str>,
    /// What kind.
    pub kind: AlarmKind,
    /// Plain name of the point.
    pub name: Arc<str>,
    /// Area id.
    pub area: Option<Arc<str>>,
    /// Plain name of the area.
    pub area_name: Option<Arc<str>>,
    /// Unit as configured, empty for none.
    pub unit: Arc<str>,
    /// Priority.
    pub priority: Priority,
    /// The limit: the point's unit, or units per minute for rates; none for quality alarms.
    pub limit: Option<f64>,
    /// Plain names of the persons responsible for the area.
    pub responsible: Arc<[String]>,
    /// Likely cause.
    pub cause: Option<Arc<str>>,
    /// What happens if nobody acts.
    pub consequence: Option<Arc<str>>,
    /// What to do first.
    pub action: Option<Arc<str>>,
    /// Emergency plan (a path or link).
    pub plan: Option<Arc<str>>,
    /// How long there is to act.
    pub time_to_respond: Option<Duration>,
}
