//! What the numbers of a point mean: scaling, current loops, markers of devices and what cannot be.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use super::check::Checked;
use super::currents::{self, RawCurrents};
use super::defaults::Measure;
use super::finding::{Kind, Log};
use super::keys::{Keys, joined};
use super::marker;
use super::place::At;
use super::point::RawSource;
use super::register::Register;
use super::scalar::{show_duration, show_number};
use super::shape::{self, RawShape};
use crate::engine::settings::Rule;
use crate::engine::signal::{Bounds, Conversion, CurrentLoop, Curve, Scaling, Signal};

/// Of numbers on a straight line, and of all of them.
const LINEAR: [&str; 12] = [
    "scale",
    "offset",
    "raw_range",
    "clamp",
    "signal",
    "fault_low",
    "fault_high",
    "fault_after",
    "currents",
    "invalid_raw",
    "valid_range",
    "max_step",
];

/// Everything that only numbers have.
pub(super) const KEYS: [&str; 15] = joined(&[&LINEAR, &shape::KEYS]);

const FAULT_LOW: RangeInclusive<f64> = 0.0..=3.9;
const FAULT_HIGH: RangeInclusive<f64> = 20.1..=30.0;
const FAULT_AFTER: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(60);

/// A quantity that cannot be negative is not believed when it is so by more than this share of its
/// range: the sensor has drifted (alarm-standards 2.14).
const ZERO_DRIFT: f64 = 0.05;

/// The numbers of a point, as written.
#[derive(Default)]
pub(super) struct RawSignal {
    scale: Option<f64>,
    offset: Option<f64>,
    raw_range: Option<(f64, f64)>,
    clamp: bool,
    is_loop: bool,
    fault_low: Option<At<f64>>,
    fault_high: Option<At<f64>>,
    fault_after: Option<At<Duration>>,
    currents: RawCurrents,
    invalid_raw: Vec<f64>,
    valid_range: Option<At<(f64, f64)>>,
    max_step: Option<At<f64>>,
    pub(super) shape: RawShape,
}

/// Reads the keys that say what the numbers of `source` mean.
pub(super) fn read(keys: &Keys<'_>, source: Option<&RawSource>, log: &mut Log) -> RawSignal {
    if source.is_some_and(RawSource::is_digital) {
        for key in KEYS {
            keys.refuse(key, "the value is one of two positions", log);
        }
        return RawSignal::default();
    }
    let register = match source {
        Some(RawSource::Register(register)) => Some(register),
        Some(RawSource::Topic(_) | RawSource::Mapped(_)) | None => None,
    };
    let is_loop = keys.choice("signal", &[("4-20mA", ())], log).is_some();
    companions(keys, log);
    RawSignal {
        scale: scale(keys, log),
        offset: keys.number("offset", log).map(|offset| offset.value),
        raw_range: raw_range(keys, log),
        clamp: keys.flag("clamp", log).is_some_and(|clamp| clamp.value),
        is_loop,
        fault_low: current("fault_low", FAULT_LOW, keys, log),
        fault_high: current("fault_high", FAULT_HIGH, keys, log),
        fault_after: keys.duration("fault_after", FAULT_AFTER, log),
        currents: currents::read(keys, log),
        invalid_raw: markers(keys, register, log),
        valid_range: keys.range("valid_range", "[-5, 120]", log),
        max_step: keys.positive("max_step", false, log),
        shape: shape::read(keys, register, log),
    }
}

/// Keys that need or exclude one another.
fn companions(keys: &Keys<'_>, log: &mut Log) {
    if keys.has("signal") {
        keys.refuse("raw_range", "a current loop goes from 4 to 20 mA", log);
    } else {
        for key in ["fault_low", "fault_high", "fault_after", "currents"] {
            keys.refuse(key, "there is no `signal = \"4-20mA\"`", log);
        }
        if keys.has("raw_range") {
            for key in ["scale", "offset"] {
                keys.refuse(key, "`raw_range` says what the numbers mean", log);
            }
        }
    }
    let scaled = if keys.has("signal") {
        ("signal", "the values at 4 and at 20 mA")
    } else {
        ("raw_range", "the values at its two ends")
    };
    for (key, what) in [scaled, ("clamp", "the values it keeps to")] {
        if let (Some(place), false) = (keys.place_of(key), keys.has("range")) {
            log.error(
                Kind::MissingKey,
                place,
                format!("`{key}` needs `range`: {what}"),
            )
            .hint("for example `range = [0, 100]`");
        }
    }
}

fn scale(keys: &Keys<'_>, log: &mut Log) -> Option<f64> {
    let scale = keys.number("scale", log)?;
    if scale.value.abs() > 0.0 {
        return Some(scale.value);
    }
    let text = "`scale` 0 would make every value the same";
    log.error(Kind::OutOfRange, scale.place, text);
    None
}

fn raw_range(keys: &Keys<'_>, log: &mut Log) -> Option<(f64, f64)> {
    let ends = keys.pair("raw_range", "[4000, 20000]", log)?;
    if (ends.value.1 - ends.value.0).abs() > 0.0 {
        return Some(ends.value);
    }
    let text = "`raw_range` starts and ends at the same number";
    log.error(Kind::OutOfRange, ends.place, text);
    None
}

fn current(
    key: &str,
    range: RangeInclusive<f64>,
    keys: &Keys<'_>,
    log: &mut Log,
) -> Option<At<f64>> {
    let current = keys.number(key, log)?;
    if range.contains(&current.value) {
        return Some(current);
    }
    let (low, high) = (show_number(*range.start()), show_number(*range.end()));
    let text = format!("`{key}` is in mA and must be from {low} to {high}");
    log.error(Kind::OutOfRange, current.place, text)
        .hint("leave it out for the currents of NAMUR NE 43: 3.6 and 21 mA");
    None
}

fn markers(keys: &Keys<'_>, register: Option<&Register>, log: &mut Log) -> Vec<f64> {
    let items = keys.list("invalid_raw", log).unwrap_or_default();
    let markers = items
        .iter()
        .filter_map(|item| marker::read(item, register, log));
    markers.collect()
}

impl RawSignal {
    /// Is a raw number the value itself?
    pub(super) fn is_plain(&self) -> bool {
        let is_converted = self.raw_range.is_some() || self.is_loop || !self.shape.is_straight();
        self.scale.is_none() && self.offset.is_none() && !is_converted
    }

    /// How far a value moves with one raw step, in the point's unit.
    pub(super) fn per_step(&self, range: Option<(f64, f64)>) -> f64 {
        let scale = self.scale.unwrap_or(1.0);
        let span = range.map_or(0.0, |(low, high)| high - low);
        let per_step = match self.raw_range {
            _ if self.is_loop => scale * span / 16.0,
            Some((low, high)) => span / (high - low),
            None => scale,
        };
        per_step.abs()
    }

    /// Everything decided.
    pub(super) fn resolve(&self, range: Option<(f64, f64)>, measures: Measure) -> Signal {
        let scaling = Scaling {
            scale: self.scale.unwrap_or(1.0),
            offset: self.offset.unwrap_or(0.0),
        };
        let curve = self.shape.curve();
        let fault = |written: &Option<At<f64>>, usual| {
            let written = written.as_ref();
            written.map_or(usual, |written| written.value)
        };
        let conversion = match (range, self.raw_range) {
            _ if let Some(rows) = &self.shape.table => Conversion::Table(Arc::clone(rows)),
            (Some(range), _) if self.is_loop => Conversion::CurrentLoop(CurrentLoop {
                milliamps: scaling,
                range,
                curve,
                fault_low: fault(&self.fault_low, CurrentLoop::FAULTS.0),
                fault_high: fault(&self.fault_high, CurrentLoop::FAULTS.1),
                special: self.currents.resolve().into(),
            }),
            (Some(value), Some(raw)) => Conversion::Ranges { raw, value, curve },
            (Some(_) | None, _) => Conversion::Scale(scaling),
        };
        let written = self.valid_range.as_ref().map(|valid| Bounds {
            low: valid.value.0,
            high: valid.value.1,
        });
        Signal {
            conversion,
            invalid_raw: self.invalid_raw.as_slice().into(),
            meanings: Arc::clone(&self.shape.meanings),
            valid: written.or_else(|| not_negative(range?, measures)),
            clamp: range
                .filter(|_| self.clamp)
                .map(|(low, high)| Bounds { low, high }),
            max_step: self.max_step.as_ref().map(|step| step.value),
            settle: self
                .fault_after
                .as_ref()
                .map_or(Signal::SETTLE, |after| after.value),
        }
    }
}

/// A range that begins at zero is one of a quantity that cannot be negative; but the zero of a scale
/// of temperature means nothing.
fn not_negative(range: (f64, f64), measures: Measure) -> Option<Bounds> {
    (range.0.abs() <= 0.0 && measures != Measure::Temperature).then_some(Bounds {
        low: -ZERO_DRIFT * range.1,
        high: f64::MAX,
    })
}

/// Settings that are fine by themselves and would deceive together.
pub(super) fn check(point: &Checked<'_>, log: &mut Log) {
    shape::check(point, log);
    let signal = &point.raw.signal;
    if let Some(after) = signal.fault_after.as_ref()
        && after.value < Signal::SETTLE
    {
        let (shown, usual) = (show_duration(after.value), show_duration(Signal::SETTLE));
        let text = format!("a disturbance of {shown} would be taken for a fault");
        log.warn(Kind::Timing, after.place, text).hint(format!(
            "NAMUR NE 43 calls a fault what lasts for {usual} or more"
        ));
    }
    if let Some(fault_low) = signal.fault_low.as_ref().filter(|_| signal.is_loop) {
        currents::check(&signal.currents, fault_low, log);
    }
    let range = point.raw.range.as_ref();
    if let (Some(step), Some(range)) = (&signal.max_step, range)
        && step.value >= range.value.1 - range.value.0
    {
        let text = "no two values in the range differ by more than `max_step`";
        log.warn(Kind::Unused, step.place, text)
            .also(range.place, "the range");
    }
    if let Some(valid) = &signal.valid_range {
        valid_range(point, valid, log);
    }
}

fn valid_range(point: &Checked<'_>, valid: &At<(f64, f64)>, log: &mut Log) {
    let holds = |value: f64| (valid.value.0..=valid.value.1).contains(&value);
    for (written, decided) in point.raw.alarms.iter().zip(&point.settings.alarms) {
        let (Rule::Limit(rule), Some(limit)) = (decided.rule, &written.limit) else {
            continue;
        };
        if !holds(rule.limit) {
            let (kind, value) = (written.kind.name(), show_number(rule.limit));
            let text =
                format!("`{kind}` ({value}) can never be reached: such a value counts as a fault");
            log.error(Kind::OutOfRange, limit.place, text)
                .also(valid.place, "what can be");
        }
    }
    let range = point.raw.range.as_ref();
    if let Some(range) = range.filter(|range| !(holds(range.value.0) && holds(range.value.1))) {
        let text =
            "`valid_range` is narrower than the range: measured values would count as faults";
        log.warn(Kind::OutOfRange, valid.place, text)
            .also(range.place, "the range");
    }
}

fn by(curve: Curve) -> &'static str {
    match curve {
        Curve::Linear => "",
        Curve::SquareRoot => ", by the square root of the way",
    }
}

/// What the numbers of a point mean, in sentences; none when there is nothing to say.
pub(super) fn explain(signal: &Signal, unit: &str) -> Vec<String> {
    let quantity = |value: f64| {
        format!("{} {unit}", show_number(value))
            .trim_end()
            .to_owned()
    };
    let mut text = Vec::new();
    match &signal.conversion {
        Conversion::Scale(scaling) if *scaling == Scaling::IDENTITY => {}
        Conversion::Scale(scaling) => {
            let (scale, offset) = (show_number(scaling.scale), show_number(scaling.offset));
            text.push(format!("Value = raw x {scale} + {offset}."));
        }
        Conversion::Table(rows) => text.push(shape::table_in_words(rows, quantity)),
        Conversion::Ranges { raw, value, curve } => text.push(format!(
            "Raw {} to {} is {} to {}{}.",
            show_number(raw.0),
            show_number(raw.1),
            show_number(value.0),
            quantity(value.1),
            by(*curve)
        )),
        Conversion::CurrentLoop(current) => {
            text.push(format!(
                "Current loop: 4 to 20 mA is {} to {}{}; below {} mA and above {} mA for {} it is a \
                 fault, until then the value before holds. Nothing clears below {} and above {} mA.",
                show_number(current.range.0),
                quantity(current.range.1),
                by(current.curve),
                show_number(current.fault_low),
                show_number(current.fault_high),
                show_duration(signal.settle),
                show_number(CurrentLoop::SPAN.0),
                show_number(CurrentLoop::SPAN.1),
            ));
            text.extend(currents::explain(&current.special));
        }
    }
    if !signal.meanings.is_empty() {
        text.push(shape::code_in_words(&signal.meanings));
    }
    if !signal.invalid_raw.is_empty() {
        let markers: Vec<_> = signal
            .invalid_raw
            .iter()
            .copied()
            .map(show_number)
            .collect();
        text.push(format!("Raw {} is no value.", markers.join(", ")));
    }
    if let Some(valid) = signal.valid {
        let above = if valid.high < f64::MAX {
            format!(" and above {}", quantity(valid.high))
        } else {
            String::new()
        };
        let low = quantity(valid.low);
        text.push(format!("Below {low}{above} the sensor has failed."));
    }
    if let Some(clamp) = signal.clamp {
        let (low, high) = (show_number(clamp.low), quantity(clamp.high));
        text.push(format!("Kept within {low} to {high}."));
    }
    if let Some(step) = signal.max_step {
        text.push(format!(
            "A step of more than {} is believed once the next value confirms it, or nothing else \
             comes for {}.",
            quantity(step),
            show_duration(signal.settle)
        ));
    }
    text
}
