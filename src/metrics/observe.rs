//! An event's log line and its counter, written together so that neither can be forgotten.

use tracing::info;

use super::Metrics;
use super::families::ALL_CLEAR;
use crate::engine::effect::{Event, EventKind};
use crate::engine::notice::Notice;

impl Metrics {
    /// Logs an event and counts the alarm transition it stands for. Drills are logged under their own names
    /// and not counted: what is counted says how the plant's alarms do (alarm-standards 1.5.14).
    ///
    /// Texts that people or devices wrote are logged as fields, which the subscriber quotes: a line
    /// feed in a comment cannot forge a second line.
    pub fn observe(&self, event: &Event) {
        let details = &event.details;
        let Some(subject) = &event.subject else {
            info!(
                event = event.kind.name(),
                by = details.by.as_deref(),
                reason = details.reason.as_deref(),
                text = details.message.as_deref(),
                step_s = details.step_s,
                "event"
            );
            return;
        };
        info!(
            event = event.kind.name(),
            alarm = &*subject.alarm,
            occurrence = subject.occurrence,
            state = subject.state.name(),
            priority = subject.priority.name(),
            value = subject.value,
            limit = subject.limit,
            unit = &*subject.unit,
            quality = subject.quality.name(),
            by = details.by.as_deref(),
            reason = details.reason.as_deref(),
            left_unconfirmed = details.left_unconfirmed,
            notice = details.notice.map(Notice::name),
            to = details.persons.as_ref().map(|persons| persons.join(",")),
            output = details.output.as_deref(),
            "alarm event"
        );
        if subject.is_drill() {
            return;
        }
        let all_clear = (event.kind == EventKind::AllClear).then_some(ALL_CLEAR);
        let notice = all_clear.or(details.notice.map(Notice::name));
        if let Some(notice) = notice {
            let counter = &self.families.notifications;
            counter.with_label_values(&[notice]).inc();
        }
        if details.left_unconfirmed.is_some() {
            self.families.left_unconfirmed.inc();
        }
        if let Some(to) = entered(event.kind, subject.state.name()) {
            let area = subject.area.as_deref().unwrap_or_default();
            let labels = [area, subject.priority.name(), to];
            self.families.transitions.with_label_values(&labels).inc();
        }
    }
}

/// The state or overlay that an event of this kind leads into; `None` when it leads nowhere.
const fn entered(kind: EventKind, state: &'static str) -> Option<&'static str> {
    match kind {
        EventKind::Raised
        | EventKind::Cleared
        | EventKind::Acknowledged
        | EventKind::Reset
        | EventKind::Realarmed => Some(state),
        EventKind::Shelved | EventKind::Suppressed | EventKind::OutOfService => Some(kind.name()),
        EventKind::Unshelved
        | EventKind::Unsuppressed
        | EventKind::InService
        | EventKind::Confirmed
        | EventKind::FirstOutReset
        | EventKind::Notified
        | EventKind::AllClear
        | EventKind::Changed
        | EventKind::CommandRejected
        | EventKind::CommandIgnored
        | EventKind::ClockStepped
        | EventKind::MonitoringGap
        | EventKind::ConfigChanged
        | EventKind::Started
        | EventKind::Stopped => None,
    }
}
