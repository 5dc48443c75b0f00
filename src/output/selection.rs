//! Which events an output carries. Pure.

use crate::engine::alarm::AlarmState;
use crate::engine::effect::EventKind;
use crate::engine::notice::Notice;
use crate::event::WireEvent;

/// A choice among all events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection {
    /// Every one: for programs.
    Events,
    /// What people are told over this output: `notified` and `all_clear` that name it, or none.
    Notices,
    /// The life of alarms that somebody is alerted of: raised, uncovered or told of, acknowledged, over.
    Lifecycle,
}

impl Selection {
    /// Does the output `id` carry `event`?
    pub fn takes(self, event: &WireEvent, id: &str) -> bool {
        match self {
            Self::Events => true,
            Self::Notices => concerns(event, id),
            Self::Lifecycle => lifecycle(event),
        }
    }
}

/// A notice that names no output goes to each that reaches its persons, as a room does that all of them read.
fn concerns(event: &WireEvent, id: &str) -> bool {
    if event.event == EventKind::Notified {
        return event.output.as_deref().is_none_or(|output| output == id);
    }
    let told = || event.outputs.iter().any(|output| &**output == id);
    event.event == EventKind::AllClear && (event.outputs.is_empty() || told())
}

fn lifecycle(event: &WireEvent) -> bool {
    // What nobody is alerted of calls nobody; that it is over hurts nobody.
    event.alarm.is_some() && (goes_on(event) || begins(event) && event.annunciated == Some(true))
}

/// Somebody is alerted with this event, and may be for the first time.
pub(super) fn begins(event: &WireEvent) -> bool {
    // What was raised beneath an overlay begins for people when that ends ...
    let uncovered = matches!(
        event.event,
        EventKind::Unshelved | EventKind::Unsuppressed | EventKind::InService
    );
    // ... and what was held back, or told of by the alarm of its device, when they are told of it by itself.
    let told = matches!(
        event.notice,
        Some(Notice::Page | Notice::Chatter | Notice::Flood)
    );
    matches!(event.event, EventKind::Raised | EventKind::Realarmed)
        || (uncovered || told) && event.state == Some(AlarmState::Unacknowledged)
}

fn goes_on(event: &WireEvent) -> bool {
    event.event == EventKind::Acknowledged || is_over(event)
}

/// Nothing more is to be done about the occurrence, or nothing that anybody is called for. What is latched is over
/// with its reset; an older occurrence that is, without one, with its acknowledgement.
pub(super) fn is_over(event: &WireEvent) -> bool {
    let latched = matches!(
        event.state,
        Some(AlarmState::LatchedUnacknowledged | AlarmState::LatchedAcknowledged)
    );
    let is = |kind| event.event == kind;
    is(EventKind::Reset)
        || is(EventKind::Cleared) && !latched
        || is(EventKind::Acknowledged) && event.state == Some(AlarmState::Normal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(rest: &str) -> WireEvent {
        let line = format!(
            r#"{{"id":"a:1:1","seq":1,"time":"2026-05-04T06:12:31.000Z","cause":"process",{rest}}}"#
        );
        serde_json::from_str(&line).expect(&line)
    }

    #[test]
    fn each_selection_takes_what_is_its_own() {
        use Selection::{Events, Lifecycle, Notices};
        for (rest, takers) in [
            (r#""event":"started""#, &[Events][..]),
            (
                r#""event":"raised","alarm":"P/high","annunciated":true"#,
                &[Events, Lifecycle],
            ),
            (
                r#""event":"raised","alarm":"P/high","annunciated":false"#,
                &[Events],
            ),
            (
                r#""event":"unshelved","alarm":"P/high","state":"unacknowledged","annunciated":true"#,
                &[Events, Lifecycle],
            ),
            (
                r#""event":"in_service","alarm":"P/high","state":"unacknowledged","annunciated":true"#,
                &[Events, Lifecycle],
            ),
            (
                r#""event":"unsuppressed","alarm":"P/high","state":"acknowledged","annunciated":true"#,
                &[Events],
            ),
            (
                r#""event":"unshelved","alarm":"P/high","state":"normal","annunciated":false"#,
                &[Events],
            ),
            (
                r#""event":"cleared","alarm":"P/high","annunciated":false"#,
                &[Events, Lifecycle],
            ),
            (
                r#""event":"notified","alarm":"P/high","state":"unacknowledged","annunciated":true,"notice":"page","output":"mail""#,
                &[Events, Lifecycle],
            ),
            (
                r#""event":"notified","alarm":"P/high","state":"unacknowledged","annunciated":true,"notice":"chatter","to":["li"]"#,
                &[Events, Notices, Lifecycle],
            ),
            (
                r#""event":"notified","alarm":"P/high","state":"unacknowledged","annunciated":true,"notice":"flood","output":"chat""#,
                &[Events, Notices, Lifecycle],
            ),
            (
                r#""event":"notified","alarm":"P/high","state":"normal","annunciated":true,"notice":"chatter","output":"mail""#,
                &[Events],
            ),
            (
                r#""event":"notified","alarm":"P/high","state":"unacknowledged","annunciated":true,"notice":"reminder","output":"mail""#,
                &[Events],
            ),
            (
                r#""event":"cleared","alarm":"P/high","state":"latched_unacknowledged","annunciated":true"#,
                &[Events],
            ),
            (
                r#""event":"cleared","alarm":"P/high","state":"latched_acknowledged","annunciated":true"#,
                &[Events],
            ),
            (
                r#""event":"reset","alarm":"P/high","state":"normal""#,
                &[Events, Lifecycle],
            ),
            (
                r#""event":"notified","alarm":"P/high","to":["li"]"#,
                &[Events, Notices],
            ),
            (
                r#""event":"notified","alarm":"P/high","output":"chat""#,
                &[Events, Notices],
            ),
            (
                r#""event":"notified","alarm":"P/high","output":"mail""#,
                &[Events],
            ),
            (
                r#""event":"all_clear","alarm":"P/high","to":["li"]"#,
                &[Events, Notices],
            ),
            (
                r#""event":"all_clear","alarm":"P/high","outputs":["mail"]"#,
                &[Events],
            ),
            (
                r#""event":"all_clear","alarm":"P/high","outputs":["mail","chat"]"#,
                &[Events, Notices],
            ),
        ] {
            let event = event(rest);
            for selection in [Events, Notices, Lifecycle] {
                let expected = takers.contains(&selection);
                assert_eq!(
                    selection.takes(&event, "chat"),
                    expected,
                    "{selection:?} {rest}"
                );
            }
        }
    }
}
