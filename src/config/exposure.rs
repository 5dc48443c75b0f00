//! `stel`, `twa` and `over_range`: how they are written, what is decided, checked and said about them.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::alarm::RawAlarm;
use super::check::Checked;
use super::finding::{Kind, Log};
use super::keys::Keys;
use super::place::{At, Place};
use super::point::RawPoint;
use super::scalar::{show_duration, show_number};
use crate::engine::settings::{
    AlarmKind, AlarmSettings, Average, ExposureRule, LimitRule, OverRangeRule, Rule,
};

/// What a detector is made of, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sensor {
    /// A pellistor: its output falls when there is too much gas.
    Catalytic,
    /// Any other: beyond its range it saturates, or says so.
    Other,
}

impl Sensor {
    /// As configured.
    pub(super) const WORDS: [(&'static str, Self); 8] = [
        ("catalytic", Self::Catalytic),
        ("infrared", Self::Other),
        ("electrochemical", Self::Other),
        ("semiconductor", Self::Other),
        ("photoionisation", Self::Other),
        ("thermal_conductivity", Self::Other),
        ("paramagnetic", Self::Other),
        ("other", Self::Other),
    ];
}

/// A minute of good values, unless written (alarm-standards 2.19).
const RESET_AFTER: Duration = Duration::from_secs(60);
const RESET_AFTER_RANGE: RangeInclusive<Duration> =
    Duration::from_secs(1)..=Duration::from_secs(86_400);

/// Share of the limit that the deadband is, unless written: an average does not chatter.
const DEADBAND: f64 = 0.05;

/// Share of a window that a silent sensor may fill with its last value.
const LONGEST_HOLD: f64 = 0.25;

/// The keys that only these kinds have.
#[derive(Default)]
pub(super) struct Own {
    pub(super) method: Option<At<Average>>,
    pub(super) reset_below: Option<At<f64>>,
    pub(super) reset_after: Option<At<Duration>>,
    /// Where `latching`, `deadband` and `off_delay` are written.
    latching: Option<Place>,
    deadband: Option<Place>,
    off_delay: Option<Place>,
}

/// Reads them from the long form of `kind`.
pub(super) fn own_keys(kind: AlarmKind, keys: &Keys<'_>, log: &mut Log) -> Own {
    let methods = [("window", Average::Shift), ("dose", Average::Dose)];
    let twa = kind == AlarmKind::Twa;
    Own {
        method: twa.then(|| keys.choice("method", &methods, log)).flatten(),
        reset_below: keys.number("reset_below", log),
        reset_after: keys.duration("reset_after", RESET_AFTER_RANGE, log),
        latching: keys.place_of("latching"),
        deadband: keys.place_of("deadband"),
        off_delay: keys.place_of("off_delay"),
    }
}

/// `stel` and `twa`.
pub(super) fn average(alarm: &RawAlarm) -> ExposureRule {
    let limit = alarm.limit.as_ref().map_or(0.0, |limit| limit.value);
    let method = alarm.own.method.as_ref().map(|method| method.value);
    let deadband = alarm.deadband.as_ref().map(|deadband| deadband.value);
    ExposureRule {
        average: if alarm.kind == AlarmKind::Stel {
            Average::ShortTerm
        } else {
            method.unwrap_or(Average::Shift)
        },
        limit,
        deadband: deadband.unwrap_or(limit * DEADBAND),
    }
}

/// `over_range`; `limits` are the point's upper limits.
pub(super) fn over_range(raw: &RawPoint, alarm: &RawAlarm, limits: &[LimitRule]) -> OverRangeRule {
    let range = raw.range.as_ref().map(|range| range.value);
    let (bottom, top) = range.unwrap_or((0.0, 0.0));
    let at = alarm.limit.as_ref().map_or(top, |at| at.value);
    let written = alarm.deadband.as_ref().or(raw.deadband.as_ref());
    let clears = limits.iter().map(|rule| rule.limit - rule.deadband);
    let lowest = clears.reduce(f64::min);
    let reset_below = alarm.own.reset_below.as_ref().map(|below| below.value);
    let reset_after = alarm.own.reset_after.as_ref().map(|after| after.value);
    OverRangeRule {
        at,
        bottom,
        deadband: written.map_or((at - bottom) * 0.02, |deadband| deadband.value),
        latching: is_held(raw, alarm),
        reset_below: reset_below.or(lowest).unwrap_or(at),
        reset_after: reset_after.unwrap_or(RESET_AFTER),
    }
}

/// Does it stay until its reset, as it does for a sensor that cannot be believed afterwards?
fn is_held(raw: &RawPoint, alarm: &RawAlarm) -> bool {
    let written = alarm.latching;
    written.unwrap_or(raw.sensor == Some(Sensor::Catalytic))
}

/// Everything that is wrong with these alarms of one point.
pub(super) fn check(point: &Checked<'_>, log: &mut Log) {
    let alarms = point.raw.alarms.iter().zip(&point.settings.alarms);
    for (written, decided) in alarms {
        if let Rule::Exposure(rule) = &decided.rule {
            exposure(point, written, rule, log);
        } else if let Rule::OverRange(rule) = &decided.rule {
            full_scale(point, written, rule, log);
        }
    }
    short_below_long(point, log);
}

fn exposure(point: &Checked<'_>, written: &RawAlarm, rule: &ExposureRule, log: &mut Log) {
    let raw = point.raw;
    let kind = written.kind.name();
    let Some(limit) = &written.limit else { return };
    if !raw.measures.is_gas() {
        let text = format!("`{kind}` is an exposure to gas, but this point does not measure gas");
        log.warn(Kind::Conflict, written.place, text)
            .hint("if it does, say so: `measures = \"gas\"`");
    }
    if let Some(range) = &raw.range
        && limit.value > range.value.1
    {
        let value = show_number(limit.value);
        let text = format!("`{kind}` ({value}) lies above the range and can never be reached");
        log.error(Kind::OutOfRange, limit.place, text)
            .also(range.place, "the range");
    }
    if rule.average == Average::Dose {
        let nothing = [
            ("latching", written.own.latching),
            ("deadband", written.own.deadband),
            ("off_delay", written.own.off_delay),
        ];
        for (key, place) in nothing {
            if let Some(place) = place {
                let text = format!(
                    "`{key}` has no meaning here: a dose never falls, its alarm lasts until a reset"
                );
                log.error(Kind::Conflict, place, text)
                    .hint("leave it out, or use `method = \"window\"`");
            }
        }
    } else if rule.deadband >= rule.limit {
        let at = written.deadband.as_ref().map_or(limit.place, |db| db.place);
        let (deadband, shown) = (show_number(rule.deadband), show_number(rule.limit));
        let text = format!("the deadband ({deadband}) must be less than the limit ({shown})");
        log.error(Kind::LimitOrder, at, text)
            .hint("clean air would not clear the alarm")
            .also(limit.place, "the limit");
    }
    hold(point, written, rule, log);
}

/// A silent sensor is taken at its last word until it is stale.
fn hold(point: &Checked<'_>, written: &RawAlarm, rule: &ExposureRule, log: &mut Log) {
    let Some(stale_after) = point.settings.stale_after else {
        return;
    };
    let window = rule.average.length();
    if stale_after > window.mul_f64(LONGEST_HOLD) {
        let place = point.raw.stale_after.as_ref().map(|after| after.place);
        let text = format!(
            "a sensor that is silent for {} counts as seen, which is much of the {} of `{}`",
            show_duration(stale_after),
            show_duration(window),
            written.kind.name()
        );
        log.warn(Kind::Timing, place.unwrap_or(written.place), text)
            .hint("shorten `stale_after`");
    }
}

/// More is allowed for a quarter of an hour than for a shift. Lists that swap the two are about.
fn short_below_long(point: &Checked<'_>, log: &mut Log) {
    let of = |kind| point.raw.alarms.iter().find(|alarm| alarm.kind == kind);
    let limit = |kind| of(kind).and_then(|alarm| alarm.limit.as_ref());
    if let (Some(stel), Some(twa)) = (limit(AlarmKind::Stel), limit(AlarmKind::Twa))
        && stel.value < twa.value
    {
        let (short, long) = (show_number(stel.value), show_number(twa.value));
        let text = format!("`stel` ({short}) is below `twa` ({long}): are they swapped?");
        log.warn(Kind::LimitOrder, stel.place, text)
            .hint("the limit of 15 minutes is usually the higher one")
            .also(twa.place, "the limit of 8 hours");
    }
}

fn full_scale(point: &Checked<'_>, written: &RawAlarm, rule: &OverRangeRule, log: &mut Log) {
    let raw = point.raw;
    if written.limit.is_none() && raw.range.is_none() {
        let text = "nobody knows where the range of this sensor ends, so over-range is never seen";
        log.error(Kind::MissingKey, written.place, text)
            .hint("add `range = [0, 100]`, or `at` in [point.ID.alarm.over_range]");
        return;
    }
    let place = written.limit.as_ref().map_or(written.place, |at| at.place);
    let at = show_number(rule.at);
    if let Some(range) = &raw.range
        && !(range.value.0..=range.value.1).contains(&rule.at)
    {
        let text = format!("`at` ({at}) lies outside the range and can never be reached");
        log.error(Kind::OutOfRange, place, text)
            .also(range.place, "the range");
    }
    if let Some((low, high, type_name)) = raw.representable()
        && !(low..=high).contains(&rule.at)
    {
        let text = format!(
            "over-range ({at}) can never be reached: {type_name} is from {} to {}",
            show_number(low),
            show_number(high)
        );
        log.error(Kind::OutOfRange, place, text);
    }
    let limits = upper_limits(point);
    if let Some((highest, limit)) = limits.last()
        && rule.at < limit.limit
    {
        let text = format!(
            "over-range ({at}) lies below `{}` ({})",
            highest.kind.name(),
            show_number(limit.limit)
        );
        log.error(Kind::LimitOrder, place, text)
            .also(highest.place, "the limit");
    }
    if rule.latching {
        held(written, rule, &limits, log);
    } else {
        for key in [
            written.own.reset_below.as_ref().map(|below| below.place),
            written.own.reset_after.as_ref().map(|after| after.place),
        ]
        .into_iter()
        .flatten()
        {
            let text = "this over-range is not held, so there is nothing to reset";
            log.error(Kind::Conflict, key, text)
                .hint("add `latching = true`, or leave it out");
        }
    }
}

fn held(
    written: &RawAlarm,
    rule: &OverRangeRule,
    limits: &[(&RawAlarm, LimitRule)],
    log: &mut Log,
) {
    let below = written.own.reset_below.as_ref();
    let Some((lowest, limit)) = limits.first() else {
        if below.is_none() {
            let text =
                "this over-range is held, but nothing says below which value it may be reset";
            log.error(Kind::MissingKey, written.place, text)
                .hint("add `reset_below` in [point.ID.alarm.over_range], or the limit `high`");
        }
        return;
    };
    if let Some(below) = below
        && (below.value > limit.limit || below.value > rule.at)
    {
        let text = format!(
            "`reset_below` ({}) lies above `{}` ({}): a reset would be possible in an alarm",
            show_number(below.value),
            lowest.kind.name(),
            show_number(limit.limit)
        );
        log.error(Kind::LimitOrder, below.place, text)
            .hint(format!(
                "left out it is {}, where `{}` clears",
                show_number(limit.limit - limit.deadband),
                lowest.kind.name()
            ))
            .also(lowest.place, "the limit");
    }
    if let Some(delay) = &written.on_delay
        && !delay.value.is_zero()
    {
        let text = "with an on-delay a value that falls back again goes unnoticed";
        log.warn(Kind::Timing, delay.place, text)
            .hint("the output of a catalytic sensor falls within seconds; leave it out");
    }
}

/// `high` and `high_high` with their rules, lowest first.
fn upper_limits<'a>(point: &Checked<'a>) -> Vec<(&'a RawAlarm, LimitRule)> {
    let alarms = point.raw.alarms.iter().zip(&point.settings.alarms);
    let limits = alarms.filter_map(|(written, decided)| {
        let Rule::Limit(rule) = decided.rule else {
            return None;
        };
        rule.level.is_upper().then_some((written, rule))
    });
    limits.collect()
}

/// An average in a sentence. `on` and `off` are the delays, `quantity` writes a number with its unit.
pub(super) fn explain_average(
    rule: &ExposureRule,
    alarm: &AlarmSettings,
    [on, off]: [String; 2],
    quantity: impl Fn(f64) -> String,
) -> String {
    let limit = quantity(rule.limit);
    let what = match rule.average {
        Average::ShortTerm => "the average of the last 15min (area exposure)",
        Average::Shift => "the average of the last 8h (area exposure)",
        Average::Dose => "the dose since the last reset, divided by 8h (area exposure),",
    };
    let clears = if rule.average == Average::Dose {
        "lasts until a reset begins a new dose".to_owned()
    } else {
        let clear = quantity(rule.limit - rule.deadband);
        format!("clears {off} below {clear}, unseen time counted at the last value")
    };
    let latched = if alarm.latching {
        ", then waits for its reset"
    } else {
        ""
    };
    format!(
        "Raised {on} when {what} is {limit} or more; {clears}{latched}. Uncertain when less than 75 % of \
         the time was seen."
    )
}

/// Over-range in sentences.
pub(super) fn explain_over_range(
    rule: &OverRangeRule,
    [on, off]: [String; 2],
    quantity: impl Fn(f64) -> String,
) -> String {
    let at = quantity(rule.at);
    if !rule.latching {
        let clear = quantity(rule.at - rule.deadband);
        return format!(
            "Raised {on} at or above {at}, or when the device says so; clears {off} below {clear}."
        );
    }
    format!(
        "Raised {on} at or above {at}, or when the device says so; held from then on with `high` and \
         `high_high`, whatever is read. Its reset needs an acknowledgement, good values below {} for {}, \
         and the statement that the area was checked with an independent instrument.",
        quantity(rule.reset_below),
        show_duration(rule.reset_after)
    )
}
