//! `forecast`: what a person may write, what is assumed (alarm-standards 2.5), and what cannot be.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::alarm::RawAlarm;
use super::finding::{Kind, Log};
use super::keys::{Keys, Vocabulary};
use super::place::At;
use super::point::RawPoint;
use super::scalar::show_duration;
use super::trend::share;
use crate::engine::settings::{
    AlarmSettings, Direction, ForecastRule, Level, PointSettings, Rule, TrendSettings,
};

/// The short form on the point; the long form has these keys, too.
pub(super) const SHORT: Vocabulary = Vocabulary {
    what: "a forecast",
    keys: &["to", "within", "confirmations"],
    later: &[],
};

/// Further ahead no line is believed.
const WITHIN: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(1_800);

const CONFIRMATIONS: RangeInclusive<u16> = 1..=100;

const DEFAULT_CONFIRMATIONS: u8 = 3;

const LEVELS: [(&str, Level); 4] = [
    ("low_low", Level::LowLow),
    ("low", Level::Low),
    ("high", Level::High),
    ("high_high", Level::HighHigh),
];

/// A forecast as written; what is `None` takes its default.
#[derive(Debug, Default)]
pub(super) struct RawForecast {
    to: Option<At<Level>>,
    within: Option<At<Duration>>,
    confirmations: Option<u8>,
}

impl RawForecast {
    /// Reads the keys that are a forecast's own.
    pub(super) fn read(keys: &Keys<'_>, log: &mut Log) -> Self {
        keys.require("within", "\"10min\"", log);
        let confirmations = keys.whole("confirmations", CONFIRMATIONS, log);
        Self {
            to: keys.choice("to", &LEVELS, log),
            within: keys.duration("within", WITHIN, log),
            confirmations: confirmations.and_then(|count| u8::try_from(count.value).ok()),
        }
    }

    /// Is everything there that has no default?
    pub(super) const fn is_complete(&self) -> bool {
        self.within.is_some()
    }

    /// The limit it looks at and its value: as written, or the outermost one, upper ones first.
    fn target(&self, point: &RawPoint) -> Option<(Level, f64)> {
        let limit = |level: Level| {
            let mut alarms = point.alarms.iter();
            let alarm = alarms.find(|alarm| alarm.kind == level.kind())?;
            Some((level, alarm.limit.as_ref().map_or(0.0, |limit| limit.value)))
        };
        match &self.to {
            Some(to) => limit(to.value),
            None => [Level::HighHigh, Level::High, Level::LowLow, Level::Low]
                .into_iter()
                .find_map(limit),
        }
    }
}

/// With all defaults. `decided` are the alarms of the point before this one: without a window of its own
/// a forecast looks at the same slope as the rate alarm in its direction.
pub(super) fn rule(
    point: &RawPoint,
    alarm: &RawAlarm,
    decided: &[AlarmSettings],
    trends: &mut Vec<TrendSettings>,
    poll: Option<Duration>,
) -> ForecastRule {
    let written = &alarm.forecast;
    let (to, limit) = written.target(point).unwrap_or((Level::HighHigh, 0.0));
    let own = alarm.trend.is_written();
    let shared = (!own).then(|| of_rate_alarm(to, decided)).flatten();
    ForecastRule {
        to,
        limit,
        within: written.within.as_ref().map_or(*WITHIN.end(), |at| at.value),
        confirmations: written.confirmations.unwrap_or(DEFAULT_CONFIRMATIONS),
        trend: shared.unwrap_or_else(|| share(trends, alarm.trend.settings(poll))),
    }
}

/// The window of the rate alarm towards `to`, else of the other one.
fn of_rate_alarm(to: Level, decided: &[AlarmSettings]) -> Option<usize> {
    let towards = if to.is_upper() {
        Direction::Rise
    } else {
        Direction::Fall
    };
    let rates = decided.iter().filter_map(|alarm| {
        if let Rule::Rate(rate) = alarm.rule {
            Some(rate)
        } else {
            None
        }
    });
    let best = rates.max_by_key(|rate| rate.direction == towards);
    best.map(|rate| rate.trend)
}

/// There must be a limit, and time to act before it.
pub(super) fn check(point: &RawPoint, written: &RawAlarm, log: &mut Log) {
    let forecast = &written.forecast;
    let Some((to, _)) = forecast.target(point) else {
        match &forecast.to {
            Some(to) => {
                let kind = to.value.kind().name();
                let text = format!("this point has no `{kind}` that could be foretold");
                log.error(Kind::UnknownReference, to.place, text)
                    .hint(format!("set `{kind}`, or name a limit that is there"));
            }
            None => {
                let text = "this point has no limit that could be foretold";
                log.error(Kind::MissingKey, written.place, text)
                    .hint("set `high`, for example");
            }
        }
        return;
    };
    let target = point.alarms.iter().find(|alarm| alarm.kind == to.kind());
    let respond = target.and_then(|target| target.time_to_respond.as_ref());
    if let (Some(within), Some(respond)) = (&forecast.within, respond)
        && within.value < respond.value
    {
        let (shown, kind) = (show_duration(within.value), to.kind().name());
        let respond_shown = show_duration(respond.value);
        let text = format!(
            "a forecast of {shown} leaves less than the {respond_shown} there are to act on `{kind}`"
        );
        log.warn(Kind::Timing, within.place, text)
            .hint(format!("`within = \"{respond_shown}\"` or more"))
            .also(respond.place, "the time to respond");
    }
}

/// When it rises and when it clears; `limit` with its unit, `on` and `off` the delays in words.
pub(super) fn explain(
    rule: &ForecastRule,
    point: &PointSettings,
    limit: &str,
    (on, off): (&str, &str),
) -> String {
    let kind = rule.to.kind().name();
    let within = show_duration(rule.within);
    let beyond = show_duration(rule.within * 3 / 2);
    let trend = point.trends.get(rule.trend).map(super::trend::explain);
    format!(
        "Raised {on} when {kind} ({limit}) will be reached within {within}, seen {} times in a row; \
         clears {off} when it is more than {beyond} away or the slope does not clearly lead there. {}",
        rule.confirmations,
        trend.unwrap_or_default()
    )
}
