//! What may be written about each kind of alarm in its long form.

use super::super::keys::{Vocabulary, kind_names};
use super::{KINDS, RATE_SHORT, STATE_SHORT, deviation, forecast, frozen};

/// What every alarm of a point may be given, in this order in every vocabulary below.
macro_rules! words {
    ($what:literal $(, $key:literal)*) => {
        Vocabulary {
            what: $what,
            keys: &[
                $($key,)* "on_delay", "off_delay", "latching", "ack_required", "priority", "action",
                "cause", "consequence", "plan", "time_to_respond", "justification", "realarm_after", "highly_managed",
                "confirm_required",
                "suppressed_by",
            ],
            later: &[],
        }
    };
}

const LIMIT: Vocabulary = words!(
    "a limit alarm",
    "limit",
    "deadband",
    "pending_hold",
    "count"
);
const RATE: Vocabulary = words!(
    "a rate alarm",
    "limit",
    "deadband",
    "pending_hold",
    "window",
    "min_samples",
    "min_span",
    "method",
    "significant"
);
const FORECAST: Vocabulary = words!(
    "a forecast alarm",
    "to",
    "within",
    "confirmations",
    "window",
    "min_samples",
    "min_span",
    "method"
);
const DEVIATION: Vocabulary = words!(
    "a deviation alarm",
    "from",
    "limit",
    "deadband",
    "settle",
    "pending_hold"
);
const STEL: Vocabulary = words!("a `stel` alarm", "limit", "deadband", "pending_hold");
const TWA: Vocabulary = words!(
    "a `twa` alarm",
    "limit",
    "deadband",
    "pending_hold",
    "method"
);
const OVER_RANGE: Vocabulary = words!(
    "an `over_range` alarm",
    "at",
    "deadband",
    "reset_below",
    "reset_after"
);
const STATE: Vocabulary = words!("a state alarm", "when", "count");
const FROZEN: Vocabulary = words!("a `frozen` alarm", "after", "tolerance", "while");
const QUALITY: Vocabulary = words!("a quality alarm");
const DISCREPANCY: Vocabulary = words!("a discrepancy alarm", "deadband");
/// Of a group: the alarm that its channels raise together.
pub(in super::super) const VOTE: Vocabulary = words!("a vote", "kind");
/// Of a group: the alarms about its channels.
pub(in super::super) const CHANNELS: Vocabulary = words!("an alarm of a group");

/// What may be written about the kind of this name, and what its short form says, too: that is not said
/// twice.
pub(super) fn of(name: &str) -> (&'static Vocabulary, &'static [&'static str]) {
    match name {
        "rise" | "fall" => (&RATE, &["limit"]),
        "forecast" => (&FORECAST, forecast::SHORT.keys),
        "deviation" => (&DEVIATION, deviation::SHORT.keys),
        "state" => (&STATE, &["when"]),
        "frozen" => (&FROZEN, frozen::SHORT.keys),
        "bad" | "stale" | "clock" | "maintenance" => (&QUALITY, &[]),
        "stel" => (&STEL, &["limit"]),
        "twa" => (&TWA, &["limit"]),
        "over_range" => (&OVER_RANGE, &["at"]),
        "discrepancy" => (&DISCREPANCY, &[]),
        _ => (&LIMIT, &["limit"]),
    }
}

/// Keys within a key of a point, as in `alarm.high` and `rise`; `None` where they are no closed list.
pub(in super::super) fn within(path: &[&str]) -> Option<&'static [&'static str]> {
    const KIND_NAMES: [&str; 18] = kind_names(KINDS);
    Some(match path {
        ["alarm"] => &KIND_NAMES,
        ["alarm", kind] if KIND_NAMES.contains(kind) => of(kind).0.keys,
        ["alarm", _] => &[],
        ["rise" | "fall"] => RATE_SHORT.keys,
        ["forecast"] => forecast::SHORT.keys,
        ["deviation"] => deviation::SHORT.keys,
        ["frozen"] => frozen::SHORT.keys,
        ["state"] => STATE_SHORT.keys,
        _ => return None,
    })
}
