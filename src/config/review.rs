//! What an experienced reviewer would object to: each setting works, and the plant is worse off for it.
//!
//! - Set points of gas detectors above the levels of GB/T 50493-2019, 5.5.2 (alarm-standards 2.17) are
//!   mistakes unless the alarm says why: `justification = "..."`.
//! - An alarm that is told when the time to act is over helps nobody.
//! - A limit on the slope, or a deadband, within the noise of the sensor raises what is not there.

use std::time::Duration;

use super::alarm::RawAlarm;
use super::check::Checked;
use super::defaults::Measure;
use super::detection;
use super::finding::{Kind, Log};
use super::place::{At, Place};
use super::point::RawPoint;
use super::scalar::{show_duration, show_number};
use crate::engine::settings::{LimitRule, Rule, TrendSettings};

/// Everything about one point.
pub(super) fn point(point: &Checked<'_>, log: &mut Log) {
    set_points(point.raw, log);
    let noise = noise(point.raw);
    let alarms = point.raw.alarms.iter().zip(&point.settings.alarms);
    for (written, decided) in alarms {
        too_late(point, written, detection::of(point, decided), log);
        match (noise, decided.rule) {
            (Some(noise), Rule::Rate(rule)) => {
                if let Some(trend) = point.settings.trends.get(rule.trend) {
                    rate_in_noise(written, trend, noise, point.poll, log);
                }
            }
            (Some(noise), Rule::Limit(rule)) => deadband_in_noise(point, written, rule, noise, log),
            _ => {}
        }
    }
}

/// The highest first and second set point of a gas, in the point's unit, and what they are measured by.
struct Levels {
    first: f64,
    second: f64,
    basis: String,
}

/// How a gas is counted.
#[derive(PartialEq, Eq)]
enum Count {
    /// Share of the lower explosive limit.
    Explosive,
    /// The same along an open path.
    OpenPath,
    /// Amount in air.
    Toxic,
    /// None that we know.
    Unknown,
}

fn count(unit: &str) -> Count {
    let plain: String = unit
        .chars()
        .filter(|c| c.is_alphanumeric() || *c == '%')
        .collect();
    match plain.to_ascii_lowercase().as_str() {
        "%lel" | "lel%" => Count::Explosive,
        "lelm" => Count::OpenPath,
        "ppm" | "ppb" | "mgm3" | "mgm³" | "µgm3" | "µgm³" | "ugm3" => Count::Toxic,
        _ => Count::Unknown,
    }
}

fn set_points(raw: &RawPoint, log: &mut Log) {
    match raw.measures {
        Measure::Oxygen => oxygen(raw, log),
        Measure::Gas => {
            if let Some(levels) = levels(raw, log) {
                above(raw, "high", levels.first, &levels.basis, log);
                above(raw, "high_high", levels.second, &levels.basis, log);
            }
            if let Some(oel) = &raw.oel {
                averages(raw, oel, log);
            }
        }
        Measure::Flow
        | Measure::Level
        | Measure::Pressure
        | Measure::Temperature
        | Measure::Vibration
        | Measure::Other => gas_in_disguise(raw, log),
    }
}

/// Only gas has a lower explosive limit.
fn gas_in_disguise(raw: &RawPoint, log: &mut Log) {
    if matches!(count(&raw.unit), Count::Explosive | Count::OpenPath) {
        let text = format!(
            "`{}` is a unit of gas, but this point does not measure gas: its set points are not checked, \
             and its alarms have not the delays of gas alarms",
            raw.unit
        );
        log.warn(Kind::SetPoint, raw.place(), text)
            .hint("add `measures = \"gas\"`");
    }
}

/// What lasts is allowed less of than what passes.
fn averages(raw: &RawPoint, oel: &At<f64>, log: &mut Log) {
    for kind in ["stel", "twa"] {
        if let Some((written, limit)) = alarm(raw, kind)
            && limit.value > oel.value
            && written.justification.is_none()
        {
            let (value, most) = (show_number(limit.value), show_number(oel.value));
            let text = format!("`{kind}` ({value}) lies above the exposure limit `oel` ({most})");
            log.warn(Kind::SetPoint, limit.place, text)
                .hint(format!(
                    "move it, or say why in the alarm's long form: `justification = \"...\"` in \
                     [point.ID.alarm.{kind}]"
                ))
                .also(oel.place, "the exposure limit");
        }
    }
}

fn levels(raw: &RawPoint, log: &mut Log) -> Option<Levels> {
    let levels = |first, second, basis: &str| {
        Some(Levels {
            first,
            second,
            basis: basis.to_owned(),
        })
    };
    match (count(&raw.unit), &raw.oel) {
        (Count::Explosive, None) => levels(25.0, 50.0, "25 and 50 %LEL"),
        (Count::OpenPath, None) => levels(1.0, 2.0, "1 and 2 LEL.m"),
        (Count::Toxic | Count::Unknown, Some(oel)) => levels(
            oel.value,
            2.0 * oel.value,
            "once and twice the exposure limit `oel`",
        ),
        (Count::Toxic | Count::Unknown, None) => {
            unchecked(raw, log);
            None
        }
        (Count::Explosive | Count::OpenPath, Some(oel)) => {
            let text = "`oel` is an amount in air, but this gas is counted by its explosive limit";
            log.error(Kind::Conflict, oel.place, text);
            None
        }
    }
}

/// Set points that cannot be held against anything.
fn unchecked(raw: &RawPoint, log: &mut Log) {
    if alarm(raw, "high").or(alarm(raw, "high_high")).is_none() {
        return;
    }
    let text = "nobody can tell whether the set points of this gas are low enough";
    let hint = "add its occupational exposure limit in the point's unit, for example `oel = 20`";
    let hint = if count(&raw.unit) == Count::Toxic {
        hint.to_owned()
    } else {
        format!("{hint}, or measure in `%LEL` or `LEL.m` what burns")
    };
    log.warn(Kind::SetPoint, raw.place(), text).hint(hint);
}

/// Too little suffocates, too much feeds a fire.
fn oxygen(raw: &RawPoint, log: &mut Log) {
    const LEAST: f64 = 19.5;
    const MOST: f64 = 23.5;
    let basis = "19.5 and 23.5 %vol";
    above(raw, "high", MOST, basis, log);
    for (kind, what) in [("low", "a lack of oxygen"), ("high", "too much oxygen")] {
        if alarm(raw, kind).is_none() {
            let limit = if kind == "low" { LEAST } else { MOST };
            log.warn(
                Kind::SetPoint,
                raw.place(),
                format!("{what} would raise no alarm"),
            )
            .hint(format!("set `{kind} = {}` or stricter", show_number(limit)));
        }
    }
    if let Some((written, limit)) = alarm(raw, "low")
        && limit.value < LEAST
    {
        object(written, limit, "below 19.5", basis, log);
    }
}

fn above(raw: &RawPoint, kind: &str, most: f64, basis: &str, log: &mut Log) {
    if let Some((written, limit)) = alarm(raw, kind)
        && limit.value > most
    {
        let beyond = format!("above {}", show_number(most));
        object(written, limit, &beyond, basis, log);
    }
}

fn object(written: &RawAlarm, limit: &At<f64>, beyond: &str, basis: &str, log: &mut Log) {
    if written.justification.is_some() {
        return;
    }
    let (kind, value) = (written.kind.name(), show_number(limit.value));
    let text = format!("`{kind}` ({value}) lies {beyond}: GB/T 50493-2019 sets {basis}");
    log.error(Kind::SetPoint, limit.place, text).hint(format!(
        "move it, or say why in the alarm's long form: `justification = \"...\"` in [point.ID.alarm.{kind}]"
    ));
}

fn alarm<'a>(raw: &'a RawPoint, kind: &str) -> Option<(&'a RawAlarm, &'a At<f64>)> {
    let alarm = raw.alarms.iter().find(|alarm| alarm.kind.name() == kind)?;
    Some((alarm, alarm.limit.as_ref()?))
}

/// Whoever is told when the time to act is over can only watch. When that needs other devices to fail at
/// the same time the plant may live with it, and must know.
fn too_late(
    point: &Checked<'_>,
    written: &RawAlarm,
    (worst, held_up): (Duration, Duration),
    log: &mut Log,
) {
    let Some(respond) = written.time_to_respond.as_ref() else {
        return;
    };
    let (kind, there) = (written.kind.name(), show_duration(respond.value));
    let draft = if worst >= respond.value {
        let worst = show_duration(worst);
        let text = format!(
            "`{kind}` may be raised only {worst} after its condition began, but there are {there} to act"
        );
        let draft = log.error(Kind::Timing, respond.place, text);
        draft.hint("poll faster, or shorten `on_delay` or `window`")
    } else if worst + held_up >= respond.value {
        let worst = show_duration(worst + held_up);
        let text = format!(
            "while other devices on its line do not answer, `{kind}` may be raised only {worst} after its \
             condition began, but there are {there} to act"
        );
        let draft = log.warn(Kind::Timing, respond.place, text);
        draft.hint("shorten their `timeout`, or give the device a line of its own")
    } else {
        return;
    };
    if let Some(poll) = &point.poll {
        draft.also(poll.place, "the poll period");
    }
}

/// Standard deviation of a steady reading in the point's unit: as stated, and never less than what
/// the steps of an integer make.
fn noise(raw: &RawPoint) -> Option<f64> {
    let steps = raw.resolution().map(|step| step / 12_f64.sqrt());
    let stated = raw.noise.as_ref().map(|noise| noise.value);
    stated.into_iter().chain(steps).reduce(f64::max)
}

/// A line through n values over W has a slope that is off by about σ·√12/(W·√n) (alarm-standards 2.4).
fn rate_in_noise(
    written: &RawAlarm,
    trend: &TrendSettings,
    noise: f64,
    poll: Option<detection::Poll>,
    log: &mut Log,
) {
    let Some(limit) = &written.limit else { return };
    let window = trend.window.as_secs_f64();
    let least = f64::from(u32::try_from(trend.min_samples).unwrap_or(u32::MAX));
    let values = poll.map_or(least, |poll| {
        (window / poll.period.as_secs_f64()).max(least)
    });
    let slope = noise * 12_f64.sqrt() / (window * values.sqrt()) * 60.0;
    if limit.value >= 3.0 * slope {
        return;
    }
    let text = format!(
        "the noise of the sensor alone makes slopes of up to {} per minute: `{}` would be raised by nothing",
        rounded(3.0 * slope),
        written.kind.name()
    );
    log.warn(Kind::Noise, place(written.trend.window(), written), text)
        .hint("make `window` longer, or the limit higher");
}

/// alarm-standards 2.2: a deadband of about three standard deviations keeps noise from chattering.
fn deadband_in_noise(
    point: &Checked<'_>,
    written: &RawAlarm,
    rule: LimitRule,
    noise: f64,
    log: &mut Log,
) {
    // Steps of an integer do not chatter by themselves.
    if point.raw.noise.is_none() || rule.deadband >= 3.0 * noise {
        return;
    }
    let text = format!(
        "a deadband of {} lies within the noise of the sensor: `{}` would come and go",
        show_number(rule.deadband),
        written.kind.name()
    );
    let deadband = written.deadband.as_ref().or(point.raw.deadband.as_ref());
    log.warn(Kind::Noise, place(deadband, written), text)
        .hint(format!(
            "three times the noise is usual: {}",
            rounded(3.0 * noise)
        ));
}

fn place<T>(at: Option<&At<T>>, written: &RawAlarm) -> Place {
    at.map_or(written.place, |at| at.place)
}

/// Two digits are enough for a rule of thumb.
fn rounded(value: f64) -> String {
    show_number(format!("{value:.1e}").parse().unwrap_or(value))
}
