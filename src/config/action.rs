//! What to do about an alarm that is about the measuring itself.

use super::point::RawPoint;
use crate::engine::settings::AlarmKind;

/// What to do first when nobody wrote it. The process action ("stop hot work") would be wrong when only the measurement has failed.
pub(super) fn by_default(raw: &RawPoint, kind: AlarmKind) -> String {
    let name = raw.name.as_ref().unwrap_or(&raw.id.value);
    let (what, check) = match kind.name() {
        "bad" => (
            format!("The value of {name} cannot be trusted"),
            "sensor and wiring",
        ),
        "frozen" => (
            format!("The value of {name} does not move"),
            "sensor and impulse line",
        ),
        "discrepancy" => (
            format!("{name} disagrees with the sensors beside it"),
            "which of them is right, and calibrate the other",
        ),
        "degraded" => (
            format!("{name} votes with fewer channels than it has"),
            "the sensors that have no value",
        ),
        "group_fault" => (
            format!("No channel of {name} has a value"),
            "power, sensors and network",
        ),
        "clock" => {
            return format!(
                "The times that {name} sends cannot be right: check its clock and time server"
            );
        }
        _ => (
            format!("Nothing is heard from {name}"),
            "power, sensor and network",
        ),
    };
    format!("{what}: watch the place by other means, check {check}")
}
