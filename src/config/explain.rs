//! A configuration in sentences: what `check --explain` prints, after all defaults.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use super::Config;
use super::detection;
use super::escalation;
use super::exposure;
use super::first_out;
use super::group;
use super::health;
use super::links;
use super::origin;
use super::output;
use super::polling;
use super::rota;
use super::scalar::{show_duration, show_number};
use super::signal;
use super::suppression;
use super::telemetry;
use super::{count, deviation, forecast, frozen, trend};
use crate::engine::reading::PointIndex;
use crate::engine::settings::{
    AlarmSettings, Direction, PendingHold, PointSettings, Reference, Rule,
};
use crate::engine::time::Wall;
use crate::guidance::Guidance;

/// One line of numbers: `2 devices, 1 broker, 5 points, 21 alarms, 1 output`. The gateway's own
/// points are not counted.
pub fn summary(config: &Config) -> String {
    let devices = config.buses.iter().map(|bus| bus.devices.len()).sum();
    let points = config.engine.points.iter().filter(|point| !is_own(point));
    let (points, alarms) = points.fold((0, 0), |(points, alarms), point| {
        (points + 1, alarms + point.alarms.len())
    });
    let groups = config.engine.points.iter();
    let groups = groups.filter(|point| point.group.is_some()).count();
    let parts: [(usize, &str); 6] = [
        (devices, "device"),
        (config.subscribers.len(), "broker"),
        (points - groups, "point"),
        (groups, "group"),
        (alarms, "alarm"),
        (config.outputs.len(), "output"),
    ];
    // Few plants have groups; nobody misses them in the line.
    let told = parts.iter().filter(|part| **part != (0, "group"));
    let counted = told.map(|(count, what)| {
        let plural = if *count == 1 { "" } else { "s" };
        format!("{count} {what}{plural}")
    });
    counted.collect::<Vec<_>>().join(", ")
}

/// Who is on call in the days after `now`, by every rota; empty without one.
pub fn on_call(config: &Config, now: Wall) -> String {
    let mut text = String::new();
    for (id, rota) in &config.notify.rotas {
        for sentence in rota::explain(id, rota, &config.readers.persons, now) {
            line(&mut text, format_args!("{sentence}"));
        }
    }
    text
}

/// Every point and every alarm in words, points separated by empty lines.
pub fn explain(config: &Config) -> String {
    let mut text = String::new();
    let readings = readings(config);
    let notify = escalation::rotas_by_name(&config.notify);
    let mut guidance = config.guidance.iter();
    for (position, point) in config.engine.points.iter().enumerate() {
        let index = u32::try_from(position).map_or(PointIndex(u32::MAX), PointIndex);
        let alarms: Vec<(&AlarmSettings, &Guidance)> =
            point.alarms.iter().zip(guidance.by_ref()).collect();
        let gap = if position == 0 { "" } else { "\n" };
        let name = alarms
            .first()
            .map_or("", |(_, guidance)| &*guidance.point.name);
        line(&mut text, format_args!("{gap}{}: {name}", point.id));
        if let Some(origin) = &point.origin {
            let origin = origin::sentence(origin);
            line(&mut text, format_args!("  Read from {origin}."));
        }
        for sentence in signal::explain(&point.signal, &point.unit) {
            line(&mut text, format_args!("  {sentence}"));
        }
        match &point.group {
            Some(settings) => {
                let told = group::explain(settings, &config.engine.points);
                line(&mut text, format_args!("  {told}"));
            }
            None => line(&mut text, format_args!("  {}", quality(point))),
        }
        for sentence in health::explain(point, &config.engine.points) {
            line(&mut text, format_args!("  {sentence}"));
        }
        let area = alarms
            .first()
            .and_then(|(_, guidance)| guidance.point.area_name.as_ref());
        if let Some(area) = area {
            let people = alarms
                .first()
                .map_or(&[][..], |(_, guidance)| &guidance.point.responsible);
            let people = if people.is_empty() {
                "nobody".to_owned()
            } else {
                people.join(", ")
            };
            line(
                &mut text,
                format_args!("  Area: {area}. Responsible: {people}."),
            );
        }
        for (alarm, guidance) in alarms {
            explain_alarm(&mut text, &config.engine.points, point, alarm, guidance);
            let area = notify.area_or_own(point.area.as_ref(), &point.id);
            let area = area.map(|area| &**area);
            let told = escalation::told(&notify, alarm.priority, area);
            line(&mut text, format_args!("    {told}"));
            if !is_own(point) && point.group.is_none() {
                let asked = readings.get(&index).copied();
                let worst = detection::sentence(point, alarm, asked);
                line(&mut text, format_args!("    {worst}"));
            }
        }
    }
    for group in &config.engine.first_outs {
        let told = first_out::explain(group, |point, kind| {
            let point = config.engine.points.get(point.0 as usize);
            format!("{}/{}", point.map_or("", |point| &*point.id), kind.name())
        });
        line(&mut text, format_args!("\n{told}"));
    }
    for bus in &config.buses {
        line(&mut text, format_args!("\n{}", polling::explain(bus)));
    }
    let longest = config.engine.longest;
    let (shelf, outage) = (show_duration(longest.shelf), show_duration(longest.outage));
    let measure = if config.engine.guards.measure_required {
        ", a compensating measure"
    } else {
        ""
    };
    line(
        &mut text,
        format_args!(
            "\nAlarms may be shelved, each with a reason, for {shelf} at most, and be out of service, \
             with a permit{measure} and somebody's approval, for {outage} at most."
        ),
    );
    let approvers: Vec<&str> = config
        .engine
        .guards
        .approvers
        .iter()
        .map(|id| &**id)
        .collect();
    if !approvers.is_empty() {
        let names = approvers.join(", ");
        line(
            &mut text,
            format_args!("Approvals are given by {names} and by nobody else."),
        );
    }
    if let Some(links) = &config.links {
        line(&mut text, format_args!("\n{}", links::explain(links)));
    }
    for output in &config.outputs {
        let (id, what) = (&output.id, output::explain(&output.target));
        line(&mut text, format_args!("\nOutput {id}: {what}."));
    }
    if let Some(settings) = &config.telemetry {
        line(
            &mut text,
            format_args!("\n{}", telemetry::explain(settings)),
        );
    }
    text
}

fn line(text: &mut String, content: std::fmt::Arguments<'_>) {
    writeln!(text, "{content}").expect("writing to a String cannot fail");
}

fn is_own(point: &PointSettings) -> bool {
    point.id.starts_with("gateway.")
}

/// How long a reading of every Modbus point may take, by index, and how long others may hold it up.
fn readings(config: &Config) -> BTreeMap<PointIndex, (Duration, Duration)> {
    let buses = config.buses.iter().flat_map(polling::readings);
    buses.flatten().collect()
}

fn quality(point: &PointSettings) -> String {
    let stale = point.stale_after.map_or_else(
        || "Reports only changes, so it is never stale".to_owned(),
        |after| {
            format!(
                "Stale when nothing new arrives for {}",
                show_duration(after)
            )
        },
    );
    let order = order(point);
    if point.good_confirm.is_zero() {
        return format!("{stale}.{order}");
    }
    let confirm = show_duration(point.good_confirm);
    format!("{stale}; after a fault trusted again once it was good for {confirm}.{order}")
}

/// What becomes of old values, where the source tells how old they are.
fn order(point: &PointSettings) -> String {
    let mut alarms = point.alarms.iter();
    if !alarms.any(|alarm| alarm.rule == Rule::Clock) {
        return String::new();
    }
    format!(
        " A value older than the newest by at most {} may raise an alarm, but clears none; one that is \
         delayed by more than {} is history.",
        show_duration(point.reorder),
        show_duration(point.late)
    )
}

fn explain_alarm(
    text: &mut String,
    points: &[PointSettings],
    point: &PointSettings,
    alarm: &AlarmSettings,
    guidance: &Guidance,
) {
    let priority = alarm.priority.name();
    let inherits = if alarm.inherit_priority {
        ", or that of the worst alarm of the point then active or pending"
    } else {
        ""
    };
    line(
        text,
        format_args!("  {} ({priority}{inherits})", guidance.alarm()),
    );
    let counted = alarm.count.map_or_else(String::new, count::explain);
    line(
        text,
        format_args!("    {}{counted}", condition(points, point, alarm)),
    );
    let mut handling = String::from(match (alarm.latching, alarm.ack_required) {
        (true, true) => "Must be acknowledged, and stays until it is reset.",
        (true, false) => "Stays until it is reset.",
        (false, true) => "Must be acknowledged.",
        (false, false) => "Need not be acknowledged.",
    });
    if alarm.pending_hold == PendingHold::Deadband && !alarm.on_delay.is_zero() {
        handling.push_str(" Dips within the deadband do not restart the delay.");
    }
    if let Some(after) = alarm.realarm_after {
        let after = show_duration(after);
        handling.push_str(&format!(
            " Still active {after} after its acknowledgement, it wants attention again."
        ));
    }
    if alarm.confirm_required {
        handling.push_str(" Must be confirmed as seen to.");
    }
    if alarm.highly_managed {
        handling.push_str(" Nobody shelves it alone.");
    }
    line(text, format_args!("    {handling}"));
    if let Some(silent) = suppression::explain(alarm, points) {
        line(text, format_args!("    {silent}"));
    }
    let words = &guidance.words;
    let action = guidance.action();
    for (what, words) in [
        ("Action", action.as_deref()),
        ("Cause", words.cause.as_deref()),
        ("Consequence", words.consequence.as_deref()),
        ("Plan", words.plan.as_deref()),
    ] {
        if let Some(words) = words {
            line(text, format_args!("    {what}: {words}"));
        }
    }
    if let Some(time) = words.time_to_respond {
        line(
            text,
            format_args!("    Time to respond: {}", show_duration(time)),
        );
    }
}

/// When the alarm rises and when it clears.
fn condition(points: &[PointSettings], point: &PointSettings, alarm: &AlarmSettings) -> String {
    let unit = &*point.unit;
    let (on, off) = (after(alarm.on_delay), after(alarm.off_delay));
    match alarm.rule {
        Rule::Limit(rule) => {
            let upper = rule.level.is_upper();
            let (beyond, inside, clear) = if upper {
                ("above", "below", rule.limit - rule.deadband)
            } else {
                ("below", "above", rule.limit + rule.deadband)
            };
            let (limit, clear) = (quantity(rule.limit, unit), quantity(clear, unit));
            format!("Raised {on} at or {beyond} {limit}; clears {off} {inside} {clear}.")
        }
        Rule::Rate(rule) => {
            let word = match rule.direction {
                Direction::Rise => "rises",
                Direction::Fall => "falls",
            };
            let unit = format!("{unit}/min");
            let limit = quantity(rule.limit_per_min, &unit);
            let clear = quantity(rule.limit_per_min - rule.deadband_per_min, &unit);
            let gate = if rule.significant {
                " Only a slope of more than twice its standard error counts."
            } else {
                ""
            };
            let trend = point.trends.get(rule.trend).map(trend::explain);
            let trend = trend.unwrap_or_default();
            format!(
                "Raised {on} when the value {word} by {limit} or more; clears {off} below {clear}. \
                 {trend}{gate}"
            )
        }
        Rule::Forecast(rule) => {
            let limit = quantity(rule.limit, unit);
            forecast::explain(&rule, point, &limit, (&on, &off))
        }
        Rule::Deviation(rule) => {
            let from = match rule.from {
                Reference::Fixed(value) => quantity(value, unit),
                Reference::Median(usual) => deviation::usual_in_words(usual),
                Reference::Point(index) => {
                    let reference = points.get(index.0 as usize);
                    reference.map_or_else(String::new, |point| point.id.to_string())
                }
            };
            let amount = |value| quantity(value, unit);
            deviation::explain(&rule, &from, amount, (&on, &off))
        }
        Rule::Exposure(rule) => {
            exposure::explain_average(&rule, alarm, [on, off], |value| quantity(value, unit))
        }
        Rule::OverRange(rule) => {
            exposure::explain_over_range(&rule, [on, off], |value| quantity(value, unit))
        }
        Rule::State { when } => {
            let (position, other) = if when { ("not 0", "0") } else { ("0", "not 0") };
            let (on, off) = (delayed(alarm.on_delay), delayed(alarm.off_delay));
            format!("Raised{on} when the value is {position}; clears{off} when it is {other}.")
        }
        Rule::Bad => {
            let on = delayed(alarm.on_delay);
            let clears = clears_when_good(point, alarm);
            format!("Raised{on} when the value cannot be trusted; {clears}.")
        }
        Rule::Stale => {
            let silence = point.stale_after.unwrap_or_default() + alarm.on_delay;
            let silence = show_duration(silence);
            let clears = clears_when_good(point, alarm);
            format!("Raised after {silence} without a new value; {clears}.")
        }
        Rule::Frozen(rule) => {
            frozen::explain(&rule, points, &quantity(rule.tolerance, unit), (&on, &off))
        }
        Rule::Clock => format!(
            "Raised{} when the time that the source sends is more than 5s ahead or before 2020, or is \
             constantly off by more than 5s; clears {} of right times.",
            delayed(alarm.on_delay),
            after(alarm.off_delay)
        ),
        Rule::Maintenance => format!(
            "Raised{} when {}; clears{} when that is over.",
            delayed(alarm.on_delay),
            health::explain_maintenance(point, points),
            delayed(alarm.off_delay)
        ),
        Rule::Discrepancy(rule) => group::explain_discrepancy(point, alarm, &rule),
        Rule::Vote => group::explain_vote(point, alarm),
        Rule::Degraded => group::explain_degraded(alarm),
        Rule::GroupFault => group::explain_group_fault(alarm),
    }
}

/// The end of an alarm about the measuring itself: the value must prove itself before the alarm's
/// own delay begins.
fn clears_when_good(point: &PointSettings, alarm: &AlarmSettings) -> String {
    let proof = point.good_confirm + alarm.off_delay;
    if proof.is_zero() {
        return "clears with the next good value".to_owned();
    }
    format!(
        "clears once the value was good for {}",
        show_duration(proof)
    )
}

/// ` after 5s`, or nothing where there is no delay.
pub(super) fn delayed(delay: Duration) -> String {
    if delay.is_zero() {
        return String::new();
    }
    format!(" {}", after(delay))
}

pub(super) fn after(delay: Duration) -> String {
    if delay.is_zero() {
        return "at once".to_owned();
    }
    format!("after {}", show_duration(delay))
}

pub(super) fn quantity(value: f64, unit: &str) -> String {
    let number = show_number(value);
    if unit.is_empty() || unit.starts_with('/') {
        return format!("{number}{unit}");
    }
    format!("{number} {unit}")
}
