//! The words that go with an alarm: what the person at 03:00 needs. They come from the configuration
//! and never influence a decision, so the engine does not know them.
//!
//! There are tens of thousands of alarms. What those of one point have in common stands once for the
//! point, and what several say alike once for them all.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::sync::Arc;
use std::time::Duration;

use crate::engine::settings::{AlarmKind, Priority};
#[cfg(doc)]
use crate::wording::Readers;

/// Everything fixed about one alarm, for messages and pages.
#[derive(Debug, Clone, PartialEq)]
pub struct Guidance {
    /// What kind.
    pub kind: AlarmKind,
    /// Priority.
    pub priority: Priority,
    /// The limit: the point's unit, or units per minute for rates; none for quality alarms.
    pub limit: Option<f64>,
    /// How far the value comes back before the alarm clears, in the unit of the limit; none where there is no such
    /// thing.
    pub deadband: Option<f64>,
    /// Its point.
    pub point: Arc<PointWords>,
    /// What a person wrote about it.
    pub words: Arc<AlarmWords>,
}

/// What all alarms of one point have in common.
#[derive(Debug, Clone, PartialEq)]
pub struct PointWords {
    /// The point's id.
    pub id: Arc<str>,
    /// Plain name of the point.
    pub name: Arc<str>,
    /// Area id.
    pub area: Option<Arc<str>>,
    /// Plain name of the area.
    pub area_name: Option<Arc<str>>,
    /// Unit as configured, empty for none.
    pub unit: Arc<str>,
    /// Who is responsible for the area, as configured: persons by plain name, rotas by their ids. Who that is at a time
    /// says [`Readers::responsible`].
    pub responsible: Arc<[String]>,
    /// What it measures.
    pub measures: Measure,
}

/// What a point measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// A combustible or toxic gas.
    Gas,
    /// Oxygen.
    Oxygen,
    /// Flow.
    Flow,
    /// Level.
    Level,
    /// Pressure.
    Pressure,
    /// Temperature.
    Temperature,
    /// Vibration.
    Vibration,
    /// Something else, or nothing in the plant.
    Other,
}

/// What a person wrote about an alarm.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct AlarmWords {
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

/// The guidance of every alarm, to be found by its position or its id. There is one for all who ask.
#[derive(Debug, Default)]
pub struct Directory {
    guidance: Box<[Guidance]>,
    /// Positions in the order of alarm ids, of which no list is kept.
    by_id: Box<[usize]>,
}

impl Directory {
    /// Of all alarms, in the engine's order.
    pub fn new(guidance: impl Into<Box<[Guidance]>>) -> Self {
        let guidance = guidance.into();
        let mut by_id: Box<[usize]> = (0..guidance.len()).collect();
        by_id.sort_by_cached_key(|position| guidance[*position].alarm());
        Self { guidance, by_id }
    }

    /// All of it, in the engine's order of alarms.
    pub const fn all(&self) -> &[Guidance] {
        &self.guidance
    }

    /// Where the guidance of this alarm stands; `None`: not configured (any more).
    pub fn position(&self, alarm: &str) -> Option<usize> {
        let found = self
            .by_id
            .binary_search_by(|position| self.guidance[*position].cmp_id(alarm));
        found.ok().map(|at| self.by_id[at])
    }

    /// What is fixed about this alarm; `None`: not configured (any more).
    pub fn find(&self, alarm: &str) -> Option<&Guidance> {
        self.guidance.get(self.position(alarm)?)
    }
}

impl Guidance {
    /// The alarm's id: `POINT/kind`.
    pub fn alarm(&self) -> String {
        format!("{}/{}", self.point.id, self.kind.name())
    }

    /// The order of alarm ids, of which none is kept here.
    pub fn cmp_id(&self, alarm: &str) -> Ordering {
        let point = self.point.id.bytes();
        let own = point.chain(*b"/").chain(self.kind.name().bytes());
        own.cmp(alarm.bytes())
    }

    /// What to do first: as written, or what goes without saying about an alarm that is about the
    /// measuring itself.
    pub fn action(&self) -> Option<Cow<'_, str>> {
        match &self.words.action {
            Some(action) => Some(Cow::Borrowed(action)),
            None => by_default(self.kind, &self.point.name).map(Cow::Owned),
        }
    }
}

/// What to do first about the measuring when nobody wrote it. The process action ("stop hot work") would
/// be wrong when only the measurement has failed.
pub(crate) fn by_default(kind: AlarmKind, name: &str) -> Option<String> {
    let (what, check) = match kind {
        AlarmKind::Bad => (
            format!("The value of {name} cannot be trusted"),
            "sensor and wiring",
        ),
        AlarmKind::Stale => (
            format!("Nothing is heard from {name}"),
            "power, sensor and network",
        ),
        AlarmKind::Frozen => (
            format!("The value of {name} does not move"),
            "sensor and impulse line",
        ),
        AlarmKind::Discrepancy => (
            format!("{name} disagrees with the sensors beside it"),
            "which of them is right, and calibrate the other",
        ),
        AlarmKind::Degraded => (
            format!("{name} votes with fewer channels than it has"),
            "the sensors that have no value",
        ),
        AlarmKind::GroupFault => (
            format!("No channel of {name} has a value"),
            "power, sensors and network",
        ),
        AlarmKind::Clock => {
            return Some(format!(
                "The times that {name} sends cannot be right: check its clock and time server"
            ));
        }
        AlarmKind::Maintenance => {
            return Some(format!(
                "The device of {name} measures, and asks for maintenance: plan it, its display says what for"
            ));
        }
        AlarmKind::LowLow
        | AlarmKind::Low
        | AlarmKind::High
        | AlarmKind::HighHigh
        | AlarmKind::Rise
        | AlarmKind::Fall
        | AlarmKind::Deviation
        | AlarmKind::Forecast
        | AlarmKind::Stel
        | AlarmKind::Twa
        | AlarmKind::OverRange
        | AlarmKind::State
        | AlarmKind::Vote => return None,
    };
    Some(format!(
        "{what}: watch the place by other means, check {check}"
    ))
}
