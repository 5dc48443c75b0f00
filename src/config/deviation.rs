//! `deviation`: what a person may write, what is assumed (alarm-standards 2.6), and what cannot be.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::alarm::RawAlarm;
use super::check::Checked;
use super::finding::{Kind, Log};
use super::keys::{Keys, Vocabulary, number};
use super::people::dangling;
use super::place::{At, Place};
use super::point::RawPoint;
use super::scalar::{show_duration, show_number};
use super::tree::Value;
use super::trend::{self, Pace};
use crate::engine::reading::PointIndex;
use crate::engine::settings::{DeviationRule, MedianRule, Method, Reference, TrendSettings};

/// The short form on the point; the long form has these keys, too.
pub(super) const SHORT: Vocabulary = Vocabulary {
    what: "a deviation",
    keys: &["from", "limit", "settle"],
    later: &[],
};

const SIDES: Vocabulary = Vocabulary {
    what: "the limits of a deviation",
    keys: &["low", "high"],
    later: &[],
};

const MEDIAN: Vocabulary = Vocabulary {
    what: "what is usual: `{ median = \"10min\" }`",
    keys: &["median"],
    later: &[],
};

/// At most 256 values of it are kept, whatever its length.
const WINDOW: RangeInclusive<Duration> = Duration::from_secs(10)..=Duration::from_secs(86_400);

const SETTLE: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(86_400);

/// A deviation as written; what is `None` takes its default.
#[derive(Debug, Default)]
pub(super) struct RawDeviation {
    from: Option<From>,
    below: Option<f64>,
    above: Option<f64>,
    settle: Option<At<Duration>>,
}

/// What the value is compared with.
#[derive(Debug)]
enum From {
    Fixed(f64),
    /// The id of a point.
    Point(At<String>),
    /// The median of its own values over so long.
    Median(At<Duration>),
}

impl RawDeviation {
    /// Reads the keys that are a deviation's own.
    pub(super) fn read(keys: &Keys<'_>, log: &mut Log) -> Self {
        keys.require("from", "\"SP-330\"", log);
        keys.require("limit", "5", log);
        let (below, above) = limits(keys, log);
        let from = from(keys, log);
        match from {
            Some(From::Fixed(_)) => {
                keys.refuse("settle", "a fixed reference makes no steps", log);
            }
            Some(From::Median(_)) => keys.refuse("settle", "a median makes no steps", log),
            Some(From::Point(_)) | None => {}
        }
        Self {
            from,
            below,
            above,
            settle: keys.duration("settle", SETTLE, log),
        }
    }

    /// Is everything there that has no default?
    pub(super) const fn is_complete(&self) -> bool {
        self.from.is_some() && (self.below.is_some() || self.above.is_some())
    }
}

fn from(keys: &Keys<'_>, log: &mut Log) -> Option<From> {
    let item = &keys.entry("from")?.item;
    match &item.value {
        Value::Text(_) => keys.text("from", log).map(From::Point),
        Value::Integer(_) | Value::Float(_) => keys
            .number("from", log)
            .map(|value| From::Fixed(value.value)),
        Value::Table(_) => {
            let median = Keys::open(keys.entry("from")?, &MEDIAN, log)?;
            median.require("median", "\"10min\"", log);
            median.duration("median", WINDOW, log).map(From::Median)
        }
        Value::Flag(_) | Value::Date | Value::List(_) => {
            let text = format!(
                "`from` is a number, the id of a point or `{{ median = \"10min\" }}`, not {}",
                item.value.name()
            );
            log.error(Kind::WrongType, item.place, text)
                .hint("for example `from = \"SP-330\"`");
            None
        }
    }
}

/// Distances below and above the reference.
fn limits(keys: &Keys<'_>, log: &mut Log) -> (Option<f64>, Option<f64>) {
    let Some(entry) = keys.entry("limit") else {
        return (None, None);
    };
    if !matches!(entry.item.value, Value::Table(_)) {
        let both = keys.positive("limit", false, log).map(|limit| limit.value);
        return (both, both);
    }
    let Some(sides) = Keys::open(entry, &SIDES, log) else {
        return (None, None);
    };
    let mut side = |key: &str, sign: f64, wanted: &str| {
        let limit = number(key, &sides.entry(key)?.item, log)?;
        if limit.value * sign > 0.0 {
            return Some(limit.value * sign);
        }
        let text = format!(
            "`{key}` of a deviation must be {wanted}, not {}",
            show_number(limit.value)
        );
        log.error(Kind::OutOfRange, limit.place, text)
            .hint("it is counted from the reference: `limit = { low = -3, high = 5 }`");
        None
    };
    let limits = (
        side("low", -1.0, "less than 0"),
        side("high", 1.0, "more than 0"),
    );
    if !sides.has("low") && !sides.has("high") {
        sides.require("high", "5", log);
    }
    limits
}

/// With all defaults; `points` are all points, in the order of their indices.
pub(super) fn rule(alarm: &RawAlarm, points: &[RawPoint]) -> DeviationRule {
    let written = &alarm.deviation;
    let from = match &written.from {
        Some(From::Fixed(value)) => Reference::Fixed(*value),
        Some(From::Point(id)) => {
            let found = points.iter().position(|point| point.id.value == id.value);
            let index = found.and_then(|found| u32::try_from(found).ok());
            Reference::Point(PointIndex(index.unwrap_or(0)))
        }
        Some(From::Median(window)) => Reference::Median(MedianRule {
            window: window.value,
        }),
        None => Reference::Fixed(0.0),
    };
    let mut rule = DeviationRule {
        from,
        below: written.below,
        above: written.above,
        deadband: 0.0,
        settle: written
            .settle
            .as_ref()
            .map_or(Duration::ZERO, |settle| settle.value),
    };
    let deadband = alarm.deadband.as_ref();
    rule.deadband = deadband.map_or_else(
        || {
            if written.is_complete() {
                rule.limit() / 5.0
            } else {
                0.0
            }
        },
        |deadband| deadband.value,
    );
    rule
}

/// The reference must be there and comparable, and the deadband inside the limits.
pub(super) fn check(
    point: &Checked<'_>,
    written: &RawAlarm,
    rule: &DeviationRule,
    pace: Pace,
    log: &mut Log,
) {
    match &written.deviation.from {
        Some(From::Point(id)) => reference(point.raw, id, point.points, log),
        Some(From::Median(window)) => {
            let usual = MedianRule {
                window: window.value,
            };
            trend::fill(&needs(usual), pace, ("median", window.place), log);
        }
        Some(From::Fixed(_)) | None => {}
    }
    if written.deviation.is_complete() && rule.deadband >= rule.limit() {
        let at: Option<Place> = written.deadband.as_ref().map(|deadband| deadband.place);
        let (deadband, limit) = (show_number(rule.deadband), show_number(rule.limit()));
        let text = format!("the deadband ({deadband}) must be less than the limit ({limit})");
        log.error(Kind::LimitOrder, at.unwrap_or(written.place), text)
            .hint("a value right at its reference would not clear the alarm");
    }
}

/// The window of a median, as that of a slope.
fn needs(usual: MedianRule) -> TrendSettings {
    TrendSettings {
        method: Method::LeastSquares,
        window: usual.window,
        min_samples: MedianRule::MIN_SAMPLES,
        min_span: usual.min_span(),
        max_gap: usual.max_gap(),
    }
}

/// `the median of its last 10min, of at least ...`.
pub(super) fn usual_in_words(usual: MedianRule) -> String {
    format!(
        "the median of its last {}, of at least {} values that span {} without a hole of more than {}",
        show_duration(usual.window),
        MedianRule::MIN_SAMPLES,
        show_duration(usual.min_span()),
        show_duration(usual.max_gap())
    )
}

fn reference(point: &RawPoint, id: &At<String>, points: &[RawPoint], log: &mut Log) {
    let Some(other) = points.iter().find(|other| other.id.value == id.value) else {
        dangling("point", id, points.iter().map(|point| &point.id.value), log);
        return;
    };
    if other.id.value == point.id.value {
        let text = "a point does not deviate from itself";
        log.error(Kind::Conflict, id.place, text)
            .hint("name another point, or a number");
    } else if other.is_digital() == Some(true) {
        let text = format!("`{}` has two positions and is no reference", id.value);
        log.error(Kind::Conflict, id.place, text)
            .also(other.place(), "the reference");
    } else if !point.unit.is_empty() && !other.unit.is_empty() && point.unit != other.unit {
        let text = format!(
            "this point is in {}, its reference `{}` in {}",
            point.unit, id.value, other.unit
        );
        log.error(Kind::Conflict, id.place, text)
            .also(other.place(), "the reference");
    }
}

/// When it rises and when it clears; `from` and `unit` in words, `on` and `off` the delays.
pub(super) fn explain(
    rule: &DeviationRule,
    from: &str,
    amount: impl Fn(f64) -> String,
    (on, off): (&str, &str),
) -> String {
    let side = |limit: Option<f64>, word: &str| {
        limit.map(|limit| format!("{} or more {word}", amount(limit)))
    };
    let sides: Vec<String> = [side(rule.below, "below"), side(rule.above, "above")]
        .into_iter()
        .flatten()
        .collect();
    let settle = if rule.settle.is_zero() {
        String::new()
    } else {
        format!(
            " Not judged for {} after {from} has changed by {} or more at once.",
            show_duration(rule.settle),
            amount(rule.step())
        )
    };
    format!(
        "Raised {on} when the value is {} {from}; clears {off} when it is nearer than that by more than \
         {}.{settle}",
        sides.join(" or "),
        amount(rule.deadband)
    )
}
