//! What a missing value hides: hazards that are active and held, and those whose raise was on its way. And
//! why it is missing, where only the register or a code says what to do.

use super::Engine;
use super::delay::Phase;
use super::reading::Fault;
use super::rule::Watch;
use super::settings::{AlarmKind, Priority};

/// Hazards of a point that its missing value hides.
#[derive(Debug, Clone, Default)]
pub(super) struct Sight {
    /// The highest priority among them.
    pub(super) priority: Option<Priority>,
    /// Active, and held.
    pub(super) held: Vec<AlarmKind>,
    /// On their way, and dropped.
    pub(super) pending: Vec<AlarmKind>,
}

impl Engine {
    /// What a point whose value is lost hides: hazards that are active, and those on their way.
    pub(super) fn hazards_in_sight(&self, point: usize) -> Sight {
        let mut sight = Sight::default();
        for alarm in &self.alarms[self.points[point].alarms.clone()] {
            if !alarm.watch.is_process() {
                continue;
            }
            match alarm.phase {
                Phase::Idle => continue,
                Phase::Pending { .. } => sight.pending.push(alarm.kind),
                Phase::Active | Phase::Clearing { .. } => sight.held.push(alarm.kind),
            }
            sight.priority = sight.priority.max(Some(alarm.priority));
        }
        sight
    }
    /// What the code means that has raised an alarm of state.
    pub(super) fn told_of_code(&self, alarm: usize) -> Option<String> {
        if !matches!(self.alarms[alarm].watch, Watch::State { .. }) {
            return None;
        }
        let point = &self.points[self.point_of(alarm)];
        let value = point.channel.shown()?.value()?.get();
        let mut meanings = point.meanings.iter();
        let meaning = meanings.find(|(code, _)| (value - f64::from(*code)).abs() < 0.5);
        meaning.map(|(_, words)| (*words).to_owned())
    }

    /// Which register the device refuses, for an alarm that the value is bad by it.
    pub(super) fn told_of_refusal(&self, alarm: usize) -> Option<String> {
        if !matches!(self.alarms[alarm].watch, Watch::Bad) {
            return None;
        }
        let point = &self.points[self.point_of(alarm)];
        let (_, reason) = point.channel.quality();
        let refused = |fault: Fault| reason == Some(fault.name());
        let what = if refused(Fault::IllegalAddress) {
            "Modbus exception 2, no such address"
        } else if refused(Fault::IllegalValue) {
            "Modbus exception 3, not to be asked so"
        } else if refused(Fault::Unanswered) {
            "it answers other questions and never this one"
        } else {
            return None;
        };
        let origin = point.origin.as_ref()?;
        Some(format!("{origin} is refused by the device ({what})"))
    }
}
