//! Checks across settings: each is fine by itself, together they would deceive.

use std::collections::BTreeMap;
use std::time::Duration;

use super::alarm::RawAlarm;
use super::broker::{Broker, Output};
use super::defaults::{GAS_STALE, Measure, is_level, is_process};
use super::device::Device;
use super::finding::{Kind, Log};
use super::place::Place;
use super::point::{RawPoint, RawSource};
use super::register::table_name;
use super::scalar::{show_duration, show_number};
use crate::engine::settings::{AlarmSettings, LimitRule, PointSettings, Priority, RateRule, Rule};
use crate::guidance::Guidance;

/// A point as written and as decided.
pub(super) struct Checked<'a> {
    pub(super) raw: &'a RawPoint,
    pub(super) settings: &'a PointSettings,
    pub(super) guidance: &'a [Guidance],
    /// The period of its device, and where it stands.
    pub(super) poll: Option<(Duration, Place)>,
}

/// Everything about one point.
pub(super) fn point(point: &Checked<'_>, log: &mut Log) {
    limit_order(point, log);
    limits_in_range(point.raw, log);
    stale(point, log);
    rate_without_limit(point.raw, log);
    someone_knows(point, log);
    for (written, decided) in point.raw.alarms.iter().zip(&point.settings.alarms) {
        if let (Rule::Rate(rule), Some((poll, _))) = (&decided.rule, point.poll) {
            window(written, rule, poll, log);
        }
        delay(written, decided, log);
    }
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

fn limits_in_range(raw: &RawPoint, log: &mut Log) {
    let Some(range) = &raw.range else { return };
    let (low, high) = range.value;
    for alarm in raw.alarms.iter().filter(|alarm| is_level(alarm.kind)) {
        let Some(limit) = &alarm.limit else { continue };
        if !(low..=high).contains(&limit.value) {
            let (kind, value) = (alarm.kind.name(), show_number(limit.value));
            let text =
                format!("`{kind}` ({value}) lies outside the range and can never be reached");
            log.error(Kind::OutOfRange, limit.place, text)
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
    if let Some((poll, poll_place)) = point.poll
        && stale_after <= poll
    {
        let poll = show_duration(poll);
        let text = format!("the point would be stale after {shown}, but is read only every {poll}");
        log.error(Kind::Timing, written.unwrap_or(raw.place()), text)
            .hint("poll the device at least three times within `stale_after`")
            .also(poll_place, "the poll period");
    }
    if let (Measure::Gas, Some(place)) = (raw.measures, written)
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

/// Can the window ever hold what the rule needs?
fn window(written: &RawAlarm, rule: &RateRule, poll: Duration, log: &mut Log) {
    let place = |at: Option<Place>| at.unwrap_or(written.place);
    let at_window = place(written.window.as_ref().map(|window| window.place));
    let holds = rule.window.as_nanos() / poll.as_nanos().max(1);
    let need = rule.min_samples as u128;
    let (window, shown_poll) = (show_duration(rule.window), show_duration(poll));
    if rule.min_span > rule.window {
        let at = place(written.min_span.as_ref().map(|span| span.place));
        log.error(
            Kind::Timing,
            at,
            format!("`min_span` is longer than the window of {window}"),
        );
    } else if holds < need {
        let text = format!(
            "a window of {window} holds {holds} values at a poll of {shown_poll}, the rule needs {need}"
        );
        let least = poll * u32::try_from(need * 3 / 2).unwrap_or(u32::MAX);
        let hint = format!("`window = \"{}\"` or more", show_duration(least));
        log.error(Kind::Timing, at_window, text).hint(hint);
    } else if poll * u32::try_from(holds - 1).unwrap_or(u32::MAX) < rule.min_span {
        let text = format!("values every {shown_poll} never span `min_span` within {window}");
        log.error(Kind::Timing, at_window, text);
    } else if holds == need {
        let text = format!(
            "a window of {window} holds just the {need} values the rule needs; one lost value blinds it"
        );
        log.warn(Kind::Timing, at_window, text);
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
    let gas = point.raw.measures == Measure::Gas;
    let alarms = point.raw.alarms.iter().zip(point.guidance);
    let hazards: Vec<(&RawAlarm, &Guidance)> = alarms
        .filter(|(written, _)| is_process(written.kind))
        .filter(|(_, guidance)| gas || guidance.priority >= Priority::High)
        .collect();
    let silent = hazards
        .iter()
        .filter(|(_, guidance)| guidance.action.is_none());
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
        .filter(|(_, guidance)| guidance.responsible.is_empty());
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

/// Two points that would read the same value, and settings that nothing uses.
pub(super) fn sources(
    points: &[RawPoint],
    devices: &[Device],
    brokers: &[Broker],
    outputs: &[Output],
    log: &mut Log,
) {
    registers(points, devices, log);
    topics(points, log);
    let (mut device_used, mut broker_used) =
        (vec![false; devices.len()], vec![false; brokers.len()]);
    for source in points.iter().filter_map(|point| point.source.as_ref()) {
        match source {
            RawSource::Register(register) => device_used[register.device] = true,
            RawSource::Topic(topic) => broker_used[topic.broker] = true,
        }
    }
    let devices = devices
        .iter()
        .map(|device| ("device", &device.id))
        .zip(device_used);
    let broker_ids = brokers
        .iter()
        .map(|broker| ("broker", &broker.id))
        .zip(broker_used);
    // Nothing is known about the source of a point with a mistake.
    let complete = points.iter().all(|point| point.source.is_some());
    for ((what, id), _) in devices
        .chain(broker_ids)
        .filter(|(_, used)| !used && complete)
    {
        let text = format!("no point is read from {what} \"{}\"", id.value);
        log.warn(Kind::Unused, id.place, text);
    }
    clients(brokers, outputs, log);
}

fn registers(points: &[RawPoint], devices: &[Device], log: &mut Log) {
    let mut taken = Vec::new();
    for point in points {
        if let Some(RawSource::Register(register)) = &point.source {
            let device = &devices[register.device];
            // Nothing is known about a device whose address has a mistake.
            if device.endpoint.port == 0 {
                continue;
            }
            let unit = (&device.endpoint, device.unit_id, register.table);
            taken.push((unit, register.address, register.width(), register.place));
        }
    }
    taken.sort();
    // Runs may be longer than one neighbour: remember the one that reaches furthest.
    let mut furthest: Option<((&_, u8, _), u32, Place)> = None;
    for (unit, address, width, place) in taken {
        let end = u32::from(address) + u32::from(width);
        if let Some((other, reach, first)) = furthest
            && other == unit
            && u32::from(address) < reach
        {
            let (place, first) = if place < first {
                (first, place)
            } else {
                (place, first)
            };
            let text = format!(
                "two points read {}:{address} of one device",
                table_name(unit.2)
            );
            log.error(Kind::Duplicate, place, text)
                .hint("check address and type of both; a float32 takes two registers")
                .also(first, "the other point");
            if reach >= end {
                continue;
            }
        }
        furthest = Some((unit, end, place));
    }
}

fn topics(points: &[RawPoint], log: &mut Log) {
    let mut taken = BTreeMap::new();
    for point in points {
        let Some(RawSource::Topic(topic)) = &point.source else {
            continue;
        };
        let key = (topic.broker, &topic.topic.value, &topic.value);
        if let Some(first) = taken.insert(key, topic.topic.place) {
            let text = "two points read the same value of one topic";
            log.error(Kind::Duplicate, topic.topic.place, text)
                .also(first, "the other point");
        }
    }
}

/// A broker throws out the first client when a second one has its id, for ever in turn.
fn clients(brokers: &[Broker], outputs: &[Output], log: &mut Log) {
    let brokers = brokers
        .iter()
        .map(|broker| (&broker.address, broker.url_place));
    let outputs = outputs
        .iter()
        .map(|output| (&output.address, output.url_place));
    let mut taken = BTreeMap::new();
    for (address, place) in brokers
        .chain(outputs)
        .filter(|(address, _)| address.port > 0)
    {
        let key = (&address.host, address.port, &address.client_id);
        if let Some(first) = taken.insert(key, place) {
            let text = format!(
                "two connections to one broker have the client id \"{}\"",
                address.client_id
            );
            log.error(Kind::Duplicate, place, text)
                .hint("choose another `client_id` or other ids")
                .also(first, "the other connection");
        }
    }
}
