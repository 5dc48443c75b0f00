//! What a person wrote about the alarms of one point: the short forms on the point itself and the
//! long form `[point.P.alarm.KIND]`, which says more and never says the same again.

mod words;

use std::ops::{Deref, DerefMut, RangeInclusive};
use std::sync::LazyLock;
use std::time::Duration;

use super::count::RawCount;
use super::deviation::{self, RawDeviation};
use super::exposure::{self, Sensor};
use super::finding::{Kind, Log, nearest};
use super::forecast::{self, RawForecast};
use super::frozen::{self, RawFrozen};
use super::health;
use super::keys::{Keys, Vocabulary};
use super::overlays::Silence;
use super::place::{At, Place};
use super::suppression;
use super::tree::{Entry, Value};
use super::trend::RawTrend;
use crate::engine::settings::{AlarmKind, PendingHold, Priority};
pub(super) use words::{CHANNELS, VOTE, within as words_within};

/// Longer than a day is no delay.
pub(super) const DELAY: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(86_400);
const RESPOND: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(7 * 86_400);
const WITHIN: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(7 * 86_400);

pub(super) const PRIORITIES: [(&str, Priority); 4] = [
    ("critical", Priority::Critical),
    ("high", Priority::High),
    ("medium", Priority::Medium),
    ("low", Priority::Low),
];

const RATE_SHORT: Vocabulary = Vocabulary {
    what: "a rate: `{ by = NUMBER, within = DURATION }`",
    keys: &["by", "within"],
    later: &[],
};
const STATE_SHORT: Vocabulary = Vocabulary {
    what: "a state: `{ when = 1 }`",
    keys: &["when"],
    later: &[],
};

/// Kinds that a point may have, in life-cycle order.
pub(super) const KINDS: [AlarmKind; 18] = [
    AlarmKind::LowLow,
    AlarmKind::Low,
    AlarmKind::High,
    AlarmKind::HighHigh,
    AlarmKind::Rise,
    AlarmKind::Fall,
    AlarmKind::Deviation,
    AlarmKind::Discrepancy,
    AlarmKind::Forecast,
    AlarmKind::Stel,
    AlarmKind::Twa,
    AlarmKind::OverRange,
    AlarmKind::Bad,
    AlarmKind::Stale,
    AlarmKind::Frozen,
    AlarmKind::Clock,
    AlarmKind::Maintenance,
    AlarmKind::State,
];

/// One alarm as written; what is `None` takes its default.
pub(super) struct RawAlarm {
    pub(super) kind: AlarmKind,
    /// Where to point at when the alarm as a whole is meant.
    pub(super) place: Place,
    /// In the point's unit; for rates, units per minute. Of over-range, `at`.
    pub(super) limit: Option<At<f64>>,
    /// A state alarm whose alarm position is 0.
    pub(super) when_zero: bool,
    /// Everything else, of which most alarms have nothing: there are tens of thousands.
    rest: Option<Box<Rest>>,
}

/// What few alarms say. Read and written as fields of [`RawAlarm`].
#[derive(Default)]
pub(super) struct Rest {
    pub(super) deadband: Option<At<f64>>,
    pub(super) on_delay: Option<At<Duration>>,
    pub(super) off_delay: Option<Duration>,
    pub(super) pending_hold: Option<PendingHold>,
    pub(super) count: Option<RawCount>,
    pub(super) latching: Option<bool>,
    pub(super) ack_required: Option<bool>,
    pub(super) confirm_required: bool,
    pub(super) priority: Option<Priority>,
    pub(super) action: Option<String>,
    pub(super) cause: Option<String>,
    pub(super) consequence: Option<String>,
    pub(super) plan: Option<String>,
    pub(super) time_to_respond: Option<At<Duration>>,
    pub(super) silence: Silence,
    /// Why a set point is beyond what standards ask for.
    pub(super) justification: Option<String>,
    /// Of alarms that look at slopes.
    pub(super) trend: RawTrend,
    /// Must a slope be more than its noise?
    pub(super) significant: Option<bool>,
    pub(super) forecast: RawForecast,
    pub(super) deviation: RawDeviation,
    pub(super) frozen: RawFrozen,
    /// Of averages and over-range.
    pub(super) own: exposure::Own,
}

impl Deref for RawAlarm {
    type Target = Rest;

    fn deref(&self) -> &Rest {
        static NOTHING: LazyLock<Rest> = LazyLock::new(Rest::default);
        self.rest.as_deref().unwrap_or(&NOTHING)
    }
}

impl DerefMut for RawAlarm {
    fn deref_mut(&mut self) -> &mut Rest {
        self.rest.get_or_insert_default()
    }
}

impl RawAlarm {
    /// Is everything there that has no default? Of an alarm that could not be read nothing is known.
    pub(super) fn is_complete(&self) -> bool {
        self.limit.is_some() || self.forecast.is_complete()
    }
}

/// Reads all alarms of a point; `digital`: has it two positions, if that is known. Every point has `bad`
/// and `stale`, written or not, one whose source has a clock `clock`, one whose device asks for it `maintenance`, and one with a catalytic sensor
/// `over_range`.
pub(super) fn read(
    point: &Keys<'_>,
    digital: Option<bool>,
    sensor: Option<Sensor>,
    log: &mut Log,
) -> Vec<RawAlarm> {
    let long = long_forms(point, log);
    let mut alarms = Vec::new();
    for kind in KINDS {
        let long = long.iter().find(|(known, _)| *known == kind);
        let long = long.map(|(_, entry)| *entry);
        let measuring = is_about_measuring(kind);
        // How far is too far stands with the group that compares; only times can be wrong.
        let has_ground = match kind.name() {
            "discrepancy" => false,
            "clock" => point.has("time"),
            "maintenance" => health::tells_of_maintenance(point),
            _ => true,
        };
        let always = measuring && has_ground;
        let short = (!measuring).then(|| point.entry(kind.name())).flatten();
        let Some(place) = short.or(long).map(|entry| entry.key.place) else {
            let implied = kind == AlarmKind::OverRange
                && sensor == Some(Sensor::Catalytic)
                && digital != Some(true);
            if always || implied {
                alarms.push(empty(kind, point.owner));
            }
            continue;
        };
        // Of a point without a readable source nobody knows what it is.
        if let (Some(digital), false) = (digital, measuring)
            && (kind == AlarmKind::State) != digital
        {
            wrong_form(kind, digital, place, log);
            continue;
        }
        let mut alarm = empty(kind, place);
        if let Some(short) = short {
            short_form(&mut alarm, point, short, log);
        }
        if let Some(long) = long {
            long_form(&mut alarm, long, short, log);
        }
        alarms.push(alarm);
    }
    let silenced = suppression::read(point, log);
    for alarm in alarms.iter_mut().filter(|_| !silenced.is_empty()) {
        // What is measured may mean nothing for a time; that it is not measured always does.
        if !is_about_measuring(alarm.kind) && alarm.silence.suppressed_by.is_empty() {
            alarm.silence.suppressed_by.clone_from(&silenced);
        }
    }
    alarms.shrink_to_fit();
    alarms
}

/// Is the kind about the measuring itself, and not about what is measured?
const fn is_about_measuring(kind: AlarmKind) -> bool {
    matches!(
        kind,
        AlarmKind::Bad
            | AlarmKind::Stale
            | AlarmKind::Clock
            | AlarmKind::Maintenance
            | AlarmKind::Discrepancy
    )
}

/// Is a state alarm written, in either form?
pub(super) fn has_state(point: &Keys<'_>) -> bool {
    let name = AlarmKind::State.name();
    let long = point.entry("alarm").map(|entry| &entry.item.value);
    point.has(name) || matches!(long, Some(Value::Table(kinds)) if kinds.get(name).is_some())
}

/// An alarm of which nothing is written but that it is there.
pub(super) fn empty(kind: AlarmKind, place: Place) -> RawAlarm {
    RawAlarm {
        kind,
        place,
        limit: None,
        when_zero: false,
        rest: None,
    }
}

fn long_forms<'a>(point: &Keys<'a>, log: &mut Log) -> Vec<(AlarmKind, &'a Entry)> {
    let Some(entry) = point.entry("alarm") else {
        return Vec::new();
    };
    let Value::Table(section) = &entry.item.value else {
        log.error(
            Kind::WrongType,
            entry.item.place,
            "`alarm` is a table of alarm kinds",
        )
        .hint("write [point.ID.alarm.high] and its settings below it");
        return Vec::new();
    };
    let mut found = Vec::new();
    for entry in &section.entries {
        let name = entry.key.value.as_str();
        if let Some(kind) = KINDS.into_iter().find(|kind| kind.name() == name) {
            found.push((kind, entry));
        } else {
            let kinds = KINDS.map(AlarmKind::name);
            let hint = nearest(name, kinds).map_or_else(
                || format!("allowed: {}", kinds.join(", ")),
                |kind| format!("did you mean `{kind}`?"),
            );
            let text = format!("`{name}` is not a kind of alarm");
            log.error(Kind::UnknownKey, entry.key.place, text)
                .hint(hint);
        }
    }
    found
}

fn wrong_form(kind: AlarmKind, digital: bool, place: Place, log: &mut Log) {
    let kind = kind.name();
    let (text, hint) = if digital {
        (
            format!("`{kind}` watches a number, but this point has two positions"),
            "use `state`",
        )
    } else {
        (
            format!("`{kind}` watches a position, but this point is a number"),
            "use a coil, a discrete input or `type = \"bool\"`, or set limits",
        )
    };
    log.error(Kind::Conflict, place, text).hint(hint);
}

/// `high = 25`, `rise = { by = 10, within = "1min" }`, `state = { when = 1 }`.
fn short_form(alarm: &mut RawAlarm, point: &Keys<'_>, entry: &Entry, log: &mut Log) {
    let place = entry.key.place;
    match alarm.kind.name() {
        name @ ("rise" | "fall") => {
            if let Value::Integer(_) | Value::Float(_) = entry.item.value {
                let text = format!("`{name}` needs to know how much within which time");
                log.error(Kind::WrongType, entry.item.place, text)
                    .hint(format!("write {name} = {{ by = 10, within = \"1min\" }}"));
                return;
            }
            let Some(keys) = Keys::open(entry, &RATE_SHORT, log) else {
                return;
            };
            keys.require("by", "10", log);
            keys.require("within", "\"1min\"", log);
            let by = keys.positive("by", false, log);
            let within = keys.duration("within", WITHIN, log);
            if let (Some(by), Some(within)) = (by, within) {
                let minutes = within.value.as_secs_f64() / 60.0;
                let limit = by.value / minutes;
                alarm.limit = Some(At {
                    value: limit,
                    place,
                });
            }
        }
        "forecast" => {
            if let Some(keys) = Keys::open(entry, &forecast::SHORT, log) {
                alarm.forecast = RawForecast::read(&keys, log);
            }
        }
        "deviation" => {
            if let Some(keys) = Keys::open(entry, &deviation::SHORT, log) {
                alarm.deviation = RawDeviation::read(&keys, log);
            }
        }
        "frozen" => {
            if let Some(keys) = Keys::open(entry, &frozen::SHORT, log) {
                alarm.frozen = RawFrozen::read(&keys, log);
            }
        }
        "state" => {
            if let Some(keys) = Keys::open(entry, &STATE_SHORT, log) {
                keys.require("when", "1", log);
                alarm.when_zero = when(&keys, log).unwrap_or(false);
            }
        }
        name @ ("stel" | "twa") => alarm.limit = point.positive(name, false, log),
        name => alarm.limit = point.number(name, log),
    }
}

/// `Some(true)`: the alarm position is 0.
fn when(keys: &Keys<'_>, log: &mut Log) -> Option<bool> {
    keys.whole("when", 0..=1, log).map(|when| when.value == 0)
}

fn long_form(alarm: &mut RawAlarm, entry: &Entry, short: Option<&Entry>, log: &mut Log) {
    let name = alarm.kind.name();
    let (words, again) = words::of(name);
    let Some(keys) = Keys::open(entry, words, log) else {
        return;
    };
    match (short, again.iter().find_map(|key| keys.place_of(key))) {
        (Some(short), Some(again)) => {
            let text = format!("`{name}` is said twice");
            log.error(Kind::Duplicate, again, text)
                .hint("keep the short form or the long form of this value")
                .also(short.key.place, "first here");
        }
        (Some(_), None) => {}
        (None, _) => condition(alarm, &keys, log),
    }
    alarm.deadband = keys.positive("deadband", true, log);
    if matches!(
        alarm.kind,
        AlarmKind::Rise | AlarmKind::Fall | AlarmKind::Forecast
    ) {
        alarm.trend = RawTrend::read(&keys, log);
    }
    alarm.significant = keys.flag("significant", log).map(|flag| flag.value);
    alarm.own = exposure::own_keys(alarm.kind, &keys, log);
    common(alarm, &keys, log);
}

/// What the short form would say.
fn condition(alarm: &mut RawAlarm, keys: &Keys<'_>, log: &mut Log) {
    match alarm.kind.name() {
        "rise" | "fall" | "stel" | "twa" => {
            keys.require("limit", "25", log);
            alarm.limit = keys.positive("limit", false, log);
        }
        // Without it, the end of the range.
        "over_range" => alarm.limit = alarm.limit.take().or_else(|| keys.number("at", log)),
        "forecast" => alarm.forecast = RawForecast::read(keys, log),
        "deviation" => alarm.deviation = RawDeviation::read(keys, log),
        "frozen" => alarm.frozen = RawFrozen::read(keys, log),
        "state" => {
            keys.require("when", "1", log);
            alarm.when_zero = when(keys, log).unwrap_or(false);
        }
        // What a discrepancy is stands at its group.
        "bad" | "stale" | "clock" | "maintenance" | "discrepancy" => {}
        _ => {
            keys.require("limit", "25", log);
            alarm.limit = keys.number("limit", log);
        }
    }
}

/// What every alarm may be given.
pub(super) fn common(alarm: &mut RawAlarm, keys: &Keys<'_>, log: &mut Log) {
    alarm.on_delay = keys.duration("on_delay", DELAY, log);
    alarm.off_delay = keys
        .duration("off_delay", DELAY, log)
        .map(|delay| delay.value);
    let holds = [
        ("limit", PendingHold::Limit),
        ("deadband", PendingHold::Deadband),
    ];
    alarm.pending_hold = keys
        .choice("pending_hold", &holds, log)
        .map(|hold| hold.value);
    alarm.count = RawCount::read(keys, log);
    alarm.latching = keys.flag("latching", log).map(|flag| flag.value);
    let confirm_required = keys.flag("confirm_required", log);
    alarm.confirm_required = confirm_required.is_some_and(|flag| flag.value);
    alarm.ack_required = keys.flag("ack_required", log).map(|flag| flag.value);
    alarm.priority = keys
        .choice("priority", &PRIORITIES, log)
        .map(|priority| priority.value);
    let texts: &mut Rest = alarm;
    for (key, target) in [
        ("action", &mut texts.action),
        ("cause", &mut texts.cause),
        ("consequence", &mut texts.consequence),
        ("plan", &mut texts.plan),
        ("justification", &mut texts.justification),
    ] {
        *target = keys.text(key, log).map(|text| text.value);
    }
    alarm.time_to_respond = keys.duration("time_to_respond", RESPOND, log);
    alarm.silence = Silence::read(keys, log);
}
