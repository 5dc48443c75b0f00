//! `[point]`: what a person wrote about one measured quantity, checked by itself.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::alarm::{self, RawAlarm};
use super::broker::Broker;
use super::defaults::Measure;
use super::device::Device;
use super::exposure::Sensor;
use super::finding::{Kind, Log};
use super::health::{self, RawHealth};
use super::keys::{Keys, Vocabulary, check_id, joined};
use super::mapping::Mapping;
use super::people::{People, dangling};
use super::place::{At, Place};
use super::register::{self, Register};
use super::signal::{self, RawSignal};
use super::topic::{self, Mapped, Topic};
use super::tree::Entry;
use crate::engine::settings::{AlarmKind, OnBad};

pub(super) const POINT: Vocabulary = Vocabulary {
    what: "a point",
    keys: &joined::<74>(&[
        &[
            "name",
            "area",
            "measures",
            "unit",
            "range",
            "sensor",
            "oel",
            "noise",
            "stale_after",
            "good_confirm",
            "warm_up",
            "on_bad",
            "health",
            "reorder",
            "late",
            "device",
            "poll",
            "register",
            "type",
            "order",
            "bit",
            "bits",
        ],
        &signal::KEYS,
        &topic::KEYS,
        &[
            "low_low",
            "low",
            "high",
            "high_high",
            "rise",
            "fall",
            "deviation",
            "forecast",
            "stel",
            "twa",
            "over_range",
            "frozen",
            "state",
            "deadband",
            "telemetry_deadband",
            "delay",
            "action",
            "plan",
            "suppressed_by",
            "alarm",
        ],
    ]),
    later: &[],
};

const STALE: RangeInclusive<Duration> =
    Duration::from_millis(100)..=Duration::from_secs(7 * 86_400);
/// So long readings may come out of order, and be on their way (alarm-standards 2.23).
const ORDER: Duration = Duration::from_secs(10);

const REORDER: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(60);
const LATE: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(3_600);
/// Longer than any sensor needs, and as long as a hazard point may be blind by itself.
const WARM_UP: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(600);
const CONFIRM: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(3_600);

/// A point as written.
pub(super) struct RawPoint {
    pub(super) id: At<String>,
    pub(super) name: Option<String>,
    /// The area's id.
    pub(super) area: Option<String>,
    /// An area is written, but there is none.
    pub(super) area_unknown: bool,
    pub(super) measures: Measure,
    pub(super) unit: String,
    pub(super) range: Option<At<(f64, f64)>>,
    /// Occupational exposure limit, in the point's unit.
    pub(super) oel: Option<At<f64>>,
    /// Standard deviation of a steady reading, in the point's unit.
    pub(super) noise: Option<At<f64>>,
    /// What the detector is made of.
    pub(super) sensor: Option<Sensor>,
    pub(super) stale_after: Option<At<Duration>>,
    pub(super) good_confirm: Option<Duration>,
    /// Zero when it does not warm up.
    pub(super) warm_up: Duration,
    /// Where its device says how it is.
    pub(super) health: Vec<RawHealth>,
    /// What it is to its groups without a value.
    pub(super) on_bad: Option<At<OnBad>>,
    pub(super) reorder: Duration,
    pub(super) late: Duration,
    pub(super) source: Option<RawSource>,
    pub(super) signal: RawSignal,
    /// In the point's unit, for all limits.
    pub(super) deadband: Option<At<f64>>,
    /// So far it may move without being recorded anew, in its unit.
    pub(super) telemetry_deadband: Option<f64>,
    /// On-delay of limits and state.
    pub(super) delay: Option<At<Duration>>,
    pub(super) action: Option<String>,
    pub(super) plan: Option<String>,
    /// In life-cycle order of their kinds.
    pub(super) alarms: Vec<RawAlarm>,
}

impl RawPoint {
    /// Of something that has alarms and is not measured.
    pub(super) fn unmeasured(id: At<String>, alarms: Vec<RawAlarm>) -> Self {
        Self {
            id,
            name: None,
            area: None,
            area_unknown: false,
            measures: Measure::Other,
            unit: String::new(),
            range: None,
            oel: None,
            noise: None,
            stale_after: None,
            good_confirm: None,
            warm_up: Duration::ZERO,
            health: Vec::new(),
            on_bad: None,
            source: None,
            reorder: ORDER,
            late: ORDER,
            sensor: None,
            signal: RawSignal::default(),
            deadband: None,
            telemetry_deadband: None,
            delay: None,
            action: None,
            plan: None,
            alarms,
        }
    }

    /// Is it counted, and not measured?
    pub(super) fn is_group(&self) -> bool {
        let mut alarms = self.alarms.iter();
        alarms.any(|alarm| alarm.kind == AlarmKind::Vote)
    }

    /// Does it have only two positions? `None` without a readable source.
    pub(super) fn is_digital(&self) -> Option<bool> {
        self.source.as_ref().map(RawSource::is_digital)
    }

    /// Least and greatest value of an integer that is taken as it is, of a table and of a code, and what
    /// says so.
    pub(super) fn representable(&self) -> Option<(f64, f64, &'static str)> {
        if let Some(ends) = self.signal.shape.ends() {
            return Some(ends);
        }
        match &self.source {
            Some(RawSource::Register(register)) if self.signal.is_plain() => {
                register.representable()
            }
            Some(RawSource::Register(_) | RawSource::Topic(_) | RawSource::Mapped(_)) | None => {
                None
            }
        }
    }

    /// The step from one value to the next of an integer, in the point's unit. On a curve there is none.
    pub(super) fn resolution(&self) -> Option<f64> {
        match &self.source {
            Some(RawSource::Register(register))
                if register.is_whole() && self.signal.shape.is_straight() =>
            {
                let range = self.range.as_ref().map(|range| range.value);
                Some(self.signal.per_step(range))
            }
            Some(RawSource::Register(_) | RawSource::Topic(_) | RawSource::Mapped(_)) | None => {
                None
            }
        }
    }

    /// Where to point at when the point as a whole is meant.
    pub(super) const fn place(&self) -> Place {
        self.id.place
    }
}

/// Where a point's readings come from.
pub(super) enum RawSource {
    Register(Register),
    Topic(Box<Topic>),
    Mapped(Mapped),
}

impl RawSource {
    /// Has it only two positions?
    pub(super) fn is_digital(&self) -> bool {
        match self {
            Self::Register(register) => register.is_digital(),
            Self::Topic(topic) => topic.digital,
            Self::Mapped(mapped) => mapped.digital,
        }
    }
}

/// What points refer to.
pub(super) struct Surroundings<'a> {
    pub(super) people: &'a People,
    pub(super) devices: &'a [Device],
    pub(super) brokers: &'a [Broker],
    pub(super) mappings: &'a [Mapping],
}

/// Reads one point. `None` only when it is no table.
pub(super) fn read(entry: &Entry, around: &Surroundings<'_>, log: &mut Log) -> Option<RawPoint> {
    check_point_id("a point", &entry.key, log);
    let keys = Keys::open(entry, &POINT, log)?;
    let area = area(&keys, around.people, log);
    let measures = keys.choice("measures", &Measure::WORDS, log);
    let mut point = RawPoint {
        id: entry.key.clone(),
        name: keys.text("name", log).map(|name| name.value),
        area_unknown: area.is_none() && keys.has("area"),
        area,
        measures: measures.map_or(Measure::Other, |measures| measures.value),
        unit: keys
            .text("unit", log)
            .map_or_else(String::new, |unit| unit.value),
        range: keys.range("range", "[0, 100]", log),
        oel: keys.positive("oel", false, log),
        noise: keys.positive("noise", false, log),
        sensor: keys
            .choice("sensor", &Sensor::WORDS, log)
            .map(|sensor| sensor.value),
        stale_after: keys.duration("stale_after", STALE, log),
        good_confirm: keys
            .duration("good_confirm", CONFIRM, log)
            .map(|time| time.value),
        warm_up: keys
            .duration("warm_up", WARM_UP, log)
            .map_or(Duration::ZERO, |time| time.value),
        health: health::read(&keys, log),
        on_bad: keys.choice(
            "on_bad",
            &[("hold", OnBad::Hold), ("vote_trip", OnBad::VoteTrip)],
            log,
        ),
        reorder: keys
            .duration("reorder", REORDER, log)
            .map_or(ORDER, |time| time.value),
        late: keys
            .duration("late", LATE, log)
            .map_or(ORDER, |late| late.value),
        source: source(&keys, &entry.key, around, log),
        signal: RawSignal::default(),
        deadband: keys.positive("deadband", true, log),
        telemetry_deadband: keys
            .positive("telemetry_deadband", true, log)
            .map(|band| band.value),
        delay: keys.duration("delay", alarm::DELAY, log),
        action: keys.text("action", log).map(|action| action.value),
        plan: keys.text("plan", log).map(|plan| plan.value),
        alarms: Vec::new(),
    };
    point.signal = signal::read(&keys, point.source.as_ref(), log);
    point.alarms = alarm::read(&keys, point.is_digital(), point.sensor, log);
    Some(point)
}

/// The id of the area, if there is one of that name.
pub(super) fn area(keys: &Keys<'_>, people: &People, log: &mut Log) -> Option<String> {
    let area = keys.text("area", log)?;
    let known = people.areas.contains_key(&area.value);
    if !known {
        dangling("area", &area, people.areas.keys(), log);
    }
    known.then_some(area.value)
}

/// Checks the id of a point, or of a group, which is one.
pub(super) fn check_point_id(what: &str, id: &At<String>, log: &mut Log) {
    if check_id(what, id, log) && (id.value.starts_with("gateway.") || id.value == "gateway") {
        log.error(
            Kind::BadValue,
            id.place,
            "ids that start with `gateway` are the gateway's own",
        )
        .hint("choose another id");
    }
}

fn source(
    keys: &Keys<'_>,
    id: &At<String>,
    around: &Surroundings<'_>,
    log: &mut Log,
) -> Option<RawSource> {
    const MODBUS: [&str; 6] = ["device", "register", "type", "order", "bit", "bits"];
    let first = |names: &[&str]| names.iter().find_map(|name| keys.place_of(name));
    match (first(&MODBUS), first(&topic::KEYS)) {
        (Some(modbus), Some(mqtt)) => {
            log.error(
                Kind::Conflict,
                mqtt,
                "a point has one source: a register or a topic",
            )
            .hint("make two points of it")
            .also(modbus, "the other source");
            None
        }
        (Some(_), None) => register::read(keys, around.devices, log).map(RawSource::Register),
        (None, Some(_)) if keys.has("mapping") => {
            topic::mapped(keys, id, around.mappings, log).map(RawSource::Mapped)
        }
        (None, Some(_)) => topic::read(keys, around.brokers, log)
            .map(Box::new)
            .map(RawSource::Topic),
        (None, None) => {
            log.error(Kind::MissingKey, keys.owner, "this point has no source")
                .hint(
                    "add `register = \"input:0\"` (Modbus) or `topic = \"line2/pressure\"` (MQTT)",
                );
            None
        }
    }
}

/// The index of the device or broker that is named; it may be left out when there is one.
pub(super) fn one_of(
    key: &str,
    keys: &Keys<'_>,
    ids: &[&At<String>],
    log: &mut Log,
) -> Option<usize> {
    if let Some(id) = keys.text(key, log) {
        let found = ids.iter().position(|known| known.value == id.value);
        if found.is_none() {
            dangling(key, &id, ids.iter().map(|id| &id.value), log);
        }
        return found;
    }
    match ids {
        _ if keys.has(key) => None,
        [_] => Some(0),
        [] => {
            let text = format!(
                "there is no {key} that this {} could be read from",
                keys.noun()
            );
            log.error(Kind::MissingKey, keys.owner, text)
                .hint(format!("add a `[{key}.plant]` to the configuration"));
            None
        }
        _ => {
            let known: Vec<&str> = ids.iter().take(8).map(|id| id.value.as_str()).collect();
            let text = format!(
                "this {} needs `{key}`: there are {} to choose from",
                keys.noun(),
                ids.len()
            );
            log.error(Kind::MissingKey, keys.owner, text)
                .hint(format!("known: {}", known.join(", ")));
            None
        }
    }
}
