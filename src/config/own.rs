//! The gateway's own points: its faults are readings like any other, with the same alarms. They
//! come after all others and report only changes, so silence is no fault of theirs.

use std::sync::Arc;

use super::defaults::Resolved;
use crate::engine::settings::{AlarmKind, AlarmSettings, PointSettings, Priority, Rule};
use crate::guidance::{AlarmWords, Guidance, Measure, PointWords};
use crate::input::modbus::failure::Loss;

/// The journal is not on disk.
pub(super) fn journal() -> Resolved {
    own(
        "gateway.journal".into(),
        "Journal on disk".into(),
        Priority::Critical,
        "Events are kept in memory only and are lost with the power, or history was lost: see the message \
         of the `started` event, and the gateway's log if somebody removed the journal while it ran. \
         Check that the disk is not full or read-only, look for disk errors in the system log, replace \
         the card or disk if there are any",
    )
}

/// Hazard points are inhibited.
pub(super) fn inhibited() -> Resolved {
    own(
        "gateway.inhibited".into(),
        "Inhibited hazard points".into(),
        Priority::Low,
        "So many points that guard against gas or another hazard watch nothing, because an alarm of theirs is \
         out of service or the device says that somebody works on it: the gateway's log names them, and \
         `/readyz` says how many. See that the area is watched in another way, and that they return to service \
         when the work is done",
    )
}

/// How urgent it is at least that a device or broker is lost.
pub(super) const LOST: Priority = Priority::High;

/// A device does not answer.
pub(super) fn device(id: &str, priority: Priority) -> Resolved {
    let mut device = own(
        format!("gateway.device.{id}"),
        format!("Connection to device {id}"),
        priority,
        "None of its points is being watched: check power, cable and network of the device, and that \
         no other master uses up its connections",
    );
    device.settings.meanings = &Loss::MEANINGS;
    device
}

/// What is due on a bus is read too late.
pub(super) fn bus(line: &str) -> Resolved {
    // As a device's file has slashes, and ids stand in topics.
    let id = line.replace(|c: char| !c.is_alphanumeric() && c != '.', "-");
    own(
        format!("gateway.bus.{}", id.trim_matches('-')),
        format!("Polling over {line}"),
        Priority::Medium,
        "Points are read later than `forewarn check --explain` promises: look for devices that answer slowly \
         or not at all (metric forewarn_modbus_request_duration_seconds), poll more slowly, or put some \
         devices on another line",
    )
}

/// A broker cannot be reached.
pub(super) fn broker(id: &str, priority: Priority) -> Resolved {
    own(
        format!("gateway.broker.{id}"),
        format!("Connection to broker {id}"),
        priority,
        "None of its points is being watched: check that the broker runs, the network to it, and that \
         login and certificate are still valid; if another client uses this gateway's client id, or the broker \
         refuses a topic, `/readyz` and the log say so",
    )
}

/// An output does not take events, or is in trouble.
pub(super) fn output(id: &str) -> Resolved {
    own(
        format!("gateway.output.{id}"),
        format!("Delivery to output {id}"),
        Priority::Medium,
        "Alarms are raised here but do not arrive there, or some events were refused or lost on the way: \
         look at this gateway itself, check the network and that the receiver runs; the log names what \
         is missing, everything else is sent later",
    )
}

fn own(id: String, name: String, priority: Priority, action: &str) -> Resolved {
    let id: Arc<str> = id.into();
    let guidance = Guidance {
        kind: AlarmKind::State,
        priority,
        limit: None,
        deadband: None,
        point: Arc::new(PointWords {
            id: Arc::clone(&id),
            name: name.into(),
            area: None,
            area_name: None,
            unit: "".into(),
            responsible: [].into(),
            measures: Measure::Other,
        }),
        words: Arc::new(AlarmWords {
            action: Some(action.into()),
            ..AlarmWords::default()
        }),
    };
    let alarm = AlarmSettings::new(Rule::State { when: true }, priority);
    Resolved {
        settings: PointSettings::new(&id, vec![alarm]),
        guidance: vec![guidance],
    }
}
