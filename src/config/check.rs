//! Checks across settings: each is fine by itself, together they would deceive.

use super::alarm::RawAlarm;
use super::defaults::{GAS_STALE, Measure, is_process};
use super::detection::Poll;
use super::deviation;
use super::exposure;
use super::finding::{Kind, Log};
use super::forecast;
use super::frozen;
use super::point::RawPoint;
use super::scalar::{show_duration, show_number};
use super::signal;
use super::trend::{self, Pace};
use crate::engine::settings::{
    AlarmKind, AlarmSettings, LimitRule, PointSettings, Priority, RateRule, Rule,
};
use crate::guidance::Guidance;

/// A point as written and as decided.
pub(super) struct Checked<'a> {
    pub(super) raw: &'a RawPoint,
    /// All of them, in the order of their indices.
    pub(super) points: &'a [RawPoint],
    pub(super) settings: &'a PointSettings,
    pub(super) guidance: &'a [Guidance],
    /// How its device is asked; nothing over MQTT.
    pub(super) poll: Option<Poll>,
}

/// Everything about one point.
pub(super) fn point(point: &Checked<'_>, log: &mut Log) {
    limit_order(point, log);
    limits_in_range(point, log);
    signal::check(point, log);
    stale(point, log);
    exposure::check(point, log);
    rate_without_limit(point.raw, log);
    someone_knows(point, log);
    let pace = match (point.poll, point.settings.stale_after) {
        (Some(poll), _) => Pace::Polled(poll.period),
        (None, Some(stale_after)) => Pace::Silent(stale_after),
        (None, None) => Pace::Unknown,
    };
    for (written, decided) in point.raw.alarms.iter().zip(&point.settings.alarms) {
        delay(written, decided, log);
        if let Rule::Rate(rule) = &decided.rule {
            rate(written, rule, log);
        }
        if let Rule::Deviation(rule) = &decided.rule {
            deviation::check(point, written, rule, pace, log);
        }
        if let Rule::Frozen(rule) = &decided.rule {
            frozen::check(point, written, rule, pace, log);
        }
        if let Some(count) = &written.count {
            count.check(decided, pace, log);
        }
        if let Rule::Forecast(_) = &decided.rule {
            forecast::check(point.raw, written, log);
            // A window that it shares is looked at where it is written.
            if !written.trend.is_written() && has_rate(point.raw) {
                continue;
            }
        }
        let trend = decided.rule.trend();
        if let Some(trend) = trend.and_then(|trend| point.settings.trends.get(trend)) {
            trend::check(written, trend, pace, log);
        }
    }
}

fn has_rate(raw: &RawPoint) -> bool {
    let mut alarms = raw.alarms.iter();
    alarms.any(|alarm| matches!(alarm.kind, AlarmKind::Rise | AlarmKind::Fall))
}

/// alarm-standards 2.0: `HH - db > H`, `H - db > L`, `L + db < H`, `LL + db < L`.
fn limit_order(point: &Checked<'_>, log: &mut Log) {
    let alarms = point.raw.alarms.iter().zip(&point.settings.alarms);
    let limits: Vec<(&RawAlarm, LimitRule)> = alarms
        .filter_map(|(written, decided)| {
            let Rule::Limit(rule) = decided.rule else {
                return None;
            };
            written.limit.as_ref().map(|_| (written, rule))
        })
        .collect();
    for pair in limits.windows(2) {
        let [(lower, below), (upper, above)] = pair else {
            continue;
        };
        let (low, high) = (lower.kind.name(), upper.kind.name());
        let (place, other) = (upper.place, lower.place);
        let numbers = (show_number(above.limit), show_number(below.limit));
        if above.limit <= below.limit {
            let text = format!(
                "`{high}` ({}) must be above `{low}` ({})",
                numbers.0, numbers.1
            );
            log.error(Kind::LimitOrder, place, text)
                .also(other, "the lower limit");
            continue;
        }
        if above.level.is_upper() && above.limit - above.deadband <= below.limit {
            let clears = show_number(above.limit - above.deadband);
            let text = format!(
                "`{high}` would clear below {clears}, at or beyond `{low}` ({})",
                numbers.1
            );
            log.error(Kind::LimitOrder, place, text)
                .hint("make the deadband smaller or the limits further apart")
                .also(other, "the neighbouring limit");
        }
        if !below.level.is_upper() && below.limit + below.deadband >= above.limit {
            let clears = show_number(below.limit + below.deadband);
            let text = format!(
                "`{low}` would clear above {clears}, at or beyond `{high}` ({})",
                numbers.0
            );
            log.error(Kind::LimitOrder, other, text)
                .hint("make the deadband smaller or the limits further apart")
                .also(place, "the neighbouring limit");
        }
    }
}

/// A limit that no value reaches never raises its alarm; one that no value gets away from by more
/// than the deadband never lets it clear.
fn limits_in_range(point: &Checked<'_>, log: &mut Log) {
    for (written, decided) in point.raw.alarms.iter().zip(&point.settings.alarms) {
        let (Rule::Limit(rule), Some(limit)) = (decided.rule, &written.limit) else {
            continue;
        };
        let (kind, value) = (written.kind.name(), show_number(limit.value));
        if let Some((low, high, type_name)) = point.raw.representable()
            && !(low..=high).contains(&limit.value)
        {
            let text = format!(
                "`{kind}` ({value}) can never be reached: {type_name} is from {} to {}",
                show_number(low),
                show_number(high)
            );
            log.error(Kind::OutOfRange, limit.place, text);
            continue;
        }
        let Some(range) = &point.raw.range else {
            continue;
        };
        let (low, high) = range.value;
        if !(low..=high).contains(&limit.value) {
            let text =
                format!("`{kind}` ({value}) lies outside the range and can never be reached");
            log.error(Kind::OutOfRange, limit.place, text)
                .also(range.place, "the range");
            continue;
        }
        let (side, clears, never) = if rule.level.is_upper() {
            let clears = rule.limit - rule.deadband;
            ("below", clears, clears <= low)
        } else {
            let clears = rule.limit + rule.deadband;
            ("above", clears, clears >= high)
        };
        if never {
            let deadband = written.deadband.as_ref().or(point.raw.deadband.as_ref());
            let (at, hint) = deadband.map_or(
                (limit.place, "write a small `deadband`, or move the limit"),
                |deadband| (deadband.place, "make the deadband smaller"),
            );
            let clears = show_number(clears);
            let text = format!(
                "`{kind}` would clear only {side} {clears}, which no value in the range is"
            );
            log.error(Kind::LimitOrder, at, text)
                .hint(hint)
                .also(range.place, "the range");
        }
    }
}

fn stale(point: &Checked<'_>, log: &mut Log) {
    let raw = point.raw;
    let Some(stale_after) = point.settings.stale_after else {
        return;
    };
    let shown = show_duration(stale_after);
    let written = raw.stale_after.as_ref().map(|written| written.place);
    if let Some(poll) = point.poll
        && stale_after <= poll.period
    {
        let period = show_duration(poll.period);
        let text =
            format!("the point would be stale after {shown}, but is read only every {period}");
        log.error(Kind::Timing, written.unwrap_or(raw.place()), text)
            .hint("poll the device at least three times within `stale_after`")
            .also(poll.place, "the poll period");
    }
    if let (true, Some(place)) = (raw.measures.is_gas(), written)
        && stale_after > GAS_STALE
    {
        let text = format!("gas would go unwatched for {shown} before anybody is told");
        log.warn(Kind::Timing, place, text).hint(format!(
            "at most {} is usual for gas",
            show_duration(GAS_STALE)
        ));
    }
}

/// EN 54-5: a detector for the rate alone does not comply, a slow fire would pass it.
fn rate_without_limit(raw: &RawPoint, log: &mut Log) {
    let has = |names: &[&str]| {
        raw.alarms
            .iter()
            .find(|alarm| names.contains(&alarm.kind.name()))
    };
    if let (Measure::Temperature, Some(rise), None) =
        (raw.measures, has(&["rise"]), has(&["high", "high_high"]))
    {
        let text = "a temperature that rises slowly would never raise an alarm";
        log.error(Kind::MissingKey, rise.place, text)
            .hint("set `high` or `high_high`, too");
    }
}

/// A value that stands still must clear a rate alarm.
fn rate(written: &RawAlarm, rule: &RateRule, log: &mut Log) {
    // Of a limit that could not be read nothing is known.
    let limit = written.limit.as_ref();
    if let Some(limit) = limit.filter(|_| rule.deadband_per_min >= rule.limit_per_min) {
        let at = written.deadband.as_ref().map(|deadband| deadband.place);
        let (deadband, shown) = (
            show_number(rule.deadband_per_min),
            show_number(rule.limit_per_min),
        );
        let text = format!(
            "the deadband ({deadband} per minute) must be less than the limit ({shown} per minute)"
        );
        log.error(Kind::LimitOrder, at.unwrap_or(written.place), text)
            .hint("a value that stands still would not clear the alarm")
            .also(limit.place, "the limit");
    }
}

/// alarm-standards 2.2: a delay that eats the time to act is no delay but a loss.
fn delay(written: &RawAlarm, decided: &AlarmSettings, log: &mut Log) {
    let Some(respond) = &written.time_to_respond else {
        return;
    };
    if decided.on_delay > respond.value / 10 {
        let delay = show_duration(decided.on_delay);
        let respond_shown = show_duration(respond.value);
        let text = format!(
            "an on-delay of {delay} takes more than a tenth of the {respond_shown} there are to act"
        );
        let place = written
            .on_delay
            .as_ref()
            .map_or(respond.place, |delay| delay.place);
        log.warn(Kind::Timing, place, text);
    }
}

/// Whoever gets a hazard alarm at night must find what to do and who is in charge. One message for
/// a point and what it lacks, not one for each alarm.
fn someone_knows(point: &Checked<'_>, log: &mut Log) {
    let gas = point.raw.measures.is_gas();
    let alarms = point.raw.alarms.iter().zip(point.guidance);
    let hazards: Vec<(&RawAlarm, &Guidance)> = alarms
        .filter(|(written, _)| is_process(written.kind))
        .filter(|(_, guidance)| gas || guidance.priority >= Priority::High)
        .collect();
    let silent = hazards
        .iter()
        .filter(|(_, guidance)| guidance.words.action.is_none());
    let silent: Vec<_> = silent.copied().collect();
    let hint = "add `action = \"what to do first\"` to the point or to the alarm";
    lacking(
        &silent,
        gas,
        "without anybody being told what to do",
        hint,
        log,
    );
    if point.raw.area_unknown {
        return;
    }
    let orphaned = hazards
        .iter()
        .filter(|(_, guidance)| guidance.point.responsible.is_empty());
    let orphaned: Vec<_> = orphaned.copied().collect();
    let hint = match &point.raw.area {
        Some(area) => format!("add `responsible = [\"PERSON\"]` to `[area.{area}]`"),
        None => "give the point an `area` that has `responsible` persons".to_owned(),
    };
    lacking(
        &orphaned,
        gas,
        "without anybody being responsible",
        &hint,
        log,
    );
}

fn lacking(alarms: &[(&RawAlarm, &Guidance)], gas: bool, lack: &str, hint: &str, log: &mut Log) {
    let Some((first, _)) = alarms.first() else {
        return;
    };
    let highest = alarms.iter().map(|(_, guidance)| guidance.priority).max();
    let highest = highest.unwrap_or(Priority::Low);
    let names = alarms
        .iter()
        .map(|(written, _)| format!("`{}`", written.kind.name()));
    let names = names.collect::<Vec<_>>().join(", ");
    let what = if gas {
        "a gas alarm".to_owned()
    } else {
        format!("an alarm of {} priority", highest.name())
    };
    let text = format!("{names} would raise {what} {lack}");
    if gas || highest == Priority::Critical {
        log.error(Kind::NoGuidance, first.place, text).hint(hint);
    } else {
        log.warn(Kind::NoGuidance, first.place, text).hint(hint);
    }
}
