//! What happened, in English: whole, and as it stands in a text message.

use crate::engine::effect::EventKind;

pub(super) const fn happened(kind: EventKind) -> &'static str {
    match kind {
        EventKind::Raised => "Alarm",
        EventKind::Cleared => "Condition gone",
        EventKind::Acknowledged => "Acknowledged",
        EventKind::Confirmed => "Seen to",
        EventKind::Reset => "Reset",
        EventKind::Realarmed => "Alarm again",
        EventKind::Shelved => "Shelved",
        EventKind::Unshelved => "No longer shelved",
        EventKind::Suppressed => "Suppressed by the state of the plant",
        EventKind::Unsuppressed => "No longer suppressed",
        EventKind::OutOfService => "Out of service",
        EventKind::InService => "In service again",
        EventKind::FirstOutReset => "First-out group freed",
        EventKind::Notified => "Somebody was told",
        EventKind::AllClear => "All clear",
        EventKind::Changed => "Changed",
        EventKind::CommandRejected => "Command refused",
        EventKind::CommandIgnored => "Command came second",
        EventKind::ClockStepped => "The gateway's clock jumped",
        EventKind::MonitoringGap => "Nobody watched for a time",
        EventKind::ConfigChanged => "Settings changed",
        EventKind::Started => "The gateway began to watch",
        EventKind::Stopped => "The gateway was stopped",
    }
}

pub(super) const fn short_happened(kind: EventKind) -> &'static str {
    match kind {
        EventKind::Raised | EventKind::Notified => "",
        EventKind::Cleared => "CLEARED ",
        EventKind::Acknowledged => "ACKED ",
        EventKind::Confirmed => "SEEN TO ",
        EventKind::Reset => "RESET ",
        EventKind::Realarmed => "AGAIN ",
        EventKind::Shelved => "SHELVED ",
        EventKind::Unshelved => "UNSHELVED ",
        EventKind::Suppressed => "SUPPRESSED ",
        EventKind::Unsuppressed => "UNSUPPRESSED ",
        EventKind::OutOfService => "OUT OF SERVICE ",
        EventKind::InService => "IN SERVICE ",
        EventKind::FirstOutReset => "GROUP FREED ",
        EventKind::AllClear => "ALL CLEAR ",
        EventKind::Changed => "CHANGED ",
        EventKind::CommandRejected => "COMMAND REFUSED ",
        EventKind::CommandIgnored => "COMMAND IGNORED ",
        EventKind::ClockStepped => "CLOCK JUMPED ",
        EventKind::MonitoringGap => "NOT WATCHED ",
        EventKind::ConfigChanged => "SETTINGS CHANGED ",
        EventKind::Started => "GATEWAY STARTED ",
        EventKind::Stopped => "GATEWAY STOPPED ",
    }
}
