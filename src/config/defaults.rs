//! What is not written: the defaults of every alarm, by what the point measures. `check --explain`
//! prints what came out of it.
//!
//! Numbers: alarm-standards 2.2 (deadbands and delays, the widely quoted EEMUA 191 starting values;
//! gas from detector manuals), 2.4 (rates), 2.9 and 2.10 (quality). A default never makes a
//! configuration wrong: a default deadband gives way to a neighbouring limit.

use std::sync::Arc;
use std::time::Duration;

use super::alarm::RawAlarm;
use super::count::RawCount;
use super::exposure;
use super::people::People;
use super::point::RawPoint;
use super::priority::Priorities;
use super::texts::Texts;
use super::{deviation, forecast, frozen, trend};
use crate::engine::settings::{
    AlarmKind, AlarmSettings, Direction, DiscrepancyRule, Level, LimitRule, OnBad, PendingHold,
    PointSettings, Rule,
};
pub(super) use crate::guidance::Measure;
use crate::guidance::{AlarmWords, Guidance, PointWords};

/// Starting values of one kind of signal.
struct Start {
    /// Share of the range.
    deadband: f64,
    on: Duration,
    off: Duration,
}

impl Measure {
    /// As configured.
    pub(super) const WORDS: [(&'static str, Self); 8] = [
        ("gas", Self::Gas),
        ("oxygen", Self::Oxygen),
        ("flow", Self::Flow),
        ("level", Self::Level),
        ("pressure", Self::Pressure),
        ("temperature", Self::Temperature),
        ("vibration", Self::Vibration),
        ("other", Self::Other),
    ];

    /// Does it watch the air that people breathe or that may burn?
    pub(super) const fn is_gas(self) -> bool {
        matches!(self, Self::Gas | Self::Oxygen)
    }

    const fn start(self) -> Start {
        let (percent, on, off) = match self {
            Self::Gas | Self::Oxygen => (2, 2, 10),
            Self::Flow => (5, 15, 15),
            Self::Level => (5, 60, 60),
            Self::Pressure => (2, 15, 15),
            Self::Temperature => (1, 60, 60),
            Self::Vibration => (5, 5, 5),
            // Nothing is known about it, so nothing is held back.
            Self::Other => (1, 0, 0),
        };
        Start {
            deadband: percent as f64 / 100.0,
            on: Duration::from_secs(on),
            off: Duration::from_secs(off),
        }
    }
}

/// Gas is not trusted longer than this without a new value (alarm-standards 2.10).
pub(super) const GAS_STALE: Duration = Duration::from_secs(10);

/// Nobody knows how often an MQTT sensor speaks.
const MQTT_STALE: Duration = Duration::from_secs(30);

const MIN_STALE: Duration = Duration::from_secs(5);

const GOOD_CONFIRM: Duration = Duration::from_secs(5);

/// Redundant sensors lag behind each other for a while.
const DISCREPANCY: Duration = Duration::from_secs(60);

/// A clock must be right for so long.
const CLOCK_OFF: Duration = Duration::from_secs(60);

/// A point with everything decided.
pub(super) struct Resolved {
    pub(super) settings: PointSettings,
    pub(super) guidance: Vec<Guidance>,
}

/// Decides everything about `raw`, one of `points`; `poll` is its device's period, `None` over MQTT.
pub(super) fn resolve(
    raw: &RawPoint,
    points: &[RawPoint],
    poll: Option<Duration>,
    priorities: &Priorities,
    people: &People,
    texts: &mut Texts,
) -> Resolved {
    let stale_after = raw.stale_after.as_ref().map_or_else(
        || default_stale(raw.measures, poll),
        |written| written.value,
    );
    let mut settings = PointSettings {
        id: raw.id.value.as_str().into(),
        area: raw.area.as_deref().map(|area| texts.share(area)),
        unit: texts.share(&raw.unit),
        stale_after: Some(stale_after),
        good_confirm: raw.good_confirm.unwrap_or(GOOD_CONFIRM),
        warm_up: raw.warm_up,
        reorder: raw.reorder,
        late: raw.late,
        signal: {
            let range = raw.range.as_ref().map(|range| range.value);
            texts.signal(raw.signal.resolve(range, raw.measures))
        },
        trends: Vec::new(),
        // Of other points: known when all of them are.
        health: Vec::new(),
        on_bad: raw
            .on_bad
            .as_ref()
            .map_or(OnBad::Hold, |on_bad| on_bad.value),
        alarms: Vec::with_capacity(raw.alarms.len()),
        group: None,
        origin: None,
        meanings: &[],
    };
    let point = Arc::new(words(raw, &settings, people, texts));
    let mut guidance = Vec::with_capacity(raw.alarms.len());
    for alarm in &raw.alarms {
        let rule = rule(raw, alarm, points, &mut settings, poll);
        let mut decided = decide(raw, alarm, rule, priorities);
        let settled = alarm.priority.is_some() || priorities.is_written(alarm.kind);
        if let (Rule::Frozen(_), false) = (rule, settled) {
            decided.priority = frozen::priority(decided.priority, &settings.alarms);
        }
        guidance.push(guide(raw, alarm, &decided, &point, texts));
        settings.alarms.push(decided);
    }
    Resolved { settings, guidance }
}

/// Does the kind watch the process rather than the measurement?
pub(super) const fn is_process(kind: AlarmKind) -> bool {
    !matches!(
        kind,
        AlarmKind::Bad
            | AlarmKind::Stale
            | AlarmKind::Frozen
            | AlarmKind::Clock
            | AlarmKind::Maintenance
            | AlarmKind::Discrepancy
            | AlarmKind::Degraded
            | AlarmKind::GroupFault
    )
}

fn default_stale(measures: Measure, poll: Option<Duration>) -> Duration {
    let usual = poll.map_or(MQTT_STALE, |poll| (poll * 3).max(MIN_STALE));
    if measures.is_gas() {
        usual.min(GAS_STALE)
    } else {
        usual
    }
}

fn decide(raw: &RawPoint, alarm: &RawAlarm, rule: Rule, priorities: &Priorities) -> AlarmSettings {
    let start = raw.measures.start();
    let written = alarm.on_delay.as_ref().map(|delay| delay.value);
    let short = raw.delay.as_ref().map(|delay| delay.value);
    let outermost = matches!(alarm.kind, AlarmKind::HighHigh | AlarmKind::LowLow);
    let gas = raw.measures.is_gas();
    let (on_delay, off_delay) = match rule {
        Rule::Limit(_) if gas && outermost => (short.unwrap_or(Duration::ZERO), start.off),
        Rule::Limit(_) | Rule::Deviation(_) => (short.unwrap_or(start.on), start.off),
        // The window is the delay of a slope.
        Rule::Rate(_) | Rule::Forecast(_) => (Duration::ZERO, start.off),
        Rule::State { .. } => (short.unwrap_or(Duration::ZERO), start.off),
        // The window is the delay of an average; beyond its range a sensor may fall back at once.
        Rule::Exposure(_) => (Duration::ZERO, Duration::ZERO),
        Rule::OverRange(_) => (Duration::ZERO, start.off),
        // The silence is the delay of `stale`; `good_confirm` holds off the end of `bad`.
        Rule::Bad | Rule::Stale => (Duration::ZERO, Duration::ZERO),
        // As long as it must stand still is its delay; a value that moves is not stuck.
        Rule::Frozen(_) => (Duration::ZERO, Duration::ZERO),
        Rule::Maintenance => (Duration::ZERO, Duration::ZERO),
        // A wrong time now and then is one alarm, not many.
        Rule::Clock => (Duration::ZERO, CLOCK_OFF),
        Rule::Discrepancy(_) => (DISCREPANCY, DISCREPANCY),
        // The channels have delays of their own.
        Rule::Vote | Rule::Degraded | Rule::GroupFault => (Duration::ZERO, Duration::ZERO),
    };
    let measured = matches!(rule, Rule::Limit(_) | Rule::Rate(_) | Rule::Deviation(_));
    let hold = if measured && (gas || outermost) {
        PendingHold::Deadband
    } else {
        PendingHold::Limit
    };
    AlarmSettings {
        rule,
        priority: alarm.priority.unwrap_or_else(|| priorities.of(alarm.kind)),
        // alarm-standards 2.9: as urgent as what can no longer be seen, unless a person decided.
        inherit_priority: matches!(rule, Rule::Bad | Rule::Stale)
            && alarm.priority.is_none()
            && !priorities.is_written(alarm.kind),
        on_delay: written.unwrap_or(on_delay),
        off_delay: alarm.off_delay.unwrap_or(off_delay),
        pending_hold: alarm.pending_hold.unwrap_or(hold),
        count: alarm.count.as_ref().and_then(RawCount::rule),
        // Over-range that is held stays active instead, until its reset.
        latching: alarm.latching.unwrap_or(false) && !matches!(rule, Rule::OverRange(_)),
        ack_required: alarm.ack_required.unwrap_or(true),
        realarm_after: alarm.silence.realarm_after,
        highly_managed: alarm.silence.highly_managed,
        confirm_required: alarm.confirm_required,
        // Of other points and alarms: known when all of them are.
        suppressed_by: Vec::new(),
    }
}

/// The condition of `alarm`; `settings` are those of its point so far.
fn rule(
    raw: &RawPoint,
    alarm: &RawAlarm,
    points: &[RawPoint],
    settings: &mut PointSettings,
    poll: Option<Duration>,
) -> Rule {
    let limit = alarm.limit.as_ref().map_or(0.0, |limit| limit.value);
    let trends = &mut settings.trends;
    let mut rate = |direction| {
        let trend = trend::share(trends, alarm.trend.settings(poll));
        Rule::Rate(trend::rate(alarm, direction, limit, trend))
    };
    let level = match alarm.kind.name() {
        "low_low" => Level::LowLow,
        "low" => Level::Low,
        "high" => Level::High,
        "high_high" => Level::HighHigh,
        "rise" => return rate(Direction::Rise),
        "fall" => return rate(Direction::Fall),
        "forecast" => {
            let rule = forecast::rule(raw, alarm, &settings.alarms, trends, poll);
            return Rule::Forecast(rule);
        }
        "deviation" => return Rule::Deviation(deviation::rule(alarm, points)),
        "bad" => return Rule::Bad,
        "stale" => return Rule::Stale,
        "frozen" => return Rule::Frozen(frozen::rule(raw, alarm)),
        "clock" => return Rule::Clock,
        "maintenance" => return Rule::Maintenance,
        "stel" | "twa" => return Rule::Exposure(exposure::average(alarm)),
        "over_range" => {
            // Limits come before it.
            let limits = raw.alarms.iter().zip(&settings.alarms);
            let limits = limits.filter(|(alarm, _)| is_upper(alarm.kind) && alarm.limit.is_some());
            let limits = limits.filter_map(|(_, decided)| {
                let Rule::Limit(limit) = decided.rule else {
                    return None;
                };
                Some(limit)
            });
            let limits: Vec<LimitRule> = limits.collect();
            return Rule::OverRange(exposure::over_range(raw, alarm, &limits));
        }
        "vote" => return Rule::Vote,
        "degraded" => return Rule::Degraded,
        "group_fault" => return Rule::GroupFault,
        "discrepancy" => {
            let deadband = alarm.deadband.as_ref();
            return Rule::Discrepancy(DiscrepancyRule {
                limit,
                deadband: deadband.map_or(limit / 5.0, |deadband| deadband.value),
            });
        }
        _ => {
            return Rule::State {
                when: !alarm.when_zero,
            };
        }
    };
    let written = alarm.deadband.as_ref().or(raw.deadband.as_ref());
    Rule::Limit(LimitRule {
        level,
        limit,
        deadband: written.map_or_else(|| default_deadband(raw, level, limit), |db| db.value),
    })
}

/// A share of the range, or of the span from zero to the outermost limit where no range is given;
/// at most half the way to the next limit on the side where the alarm clears.
fn default_deadband(raw: &RawPoint, level: Level, limit: f64) -> f64 {
    let limits = raw.alarms.iter().filter(|alarm| is_level(alarm.kind));
    let limits = limits.filter_map(|alarm| alarm.limit.as_ref().map(|limit| limit.value));
    let limits: Vec<f64> = limits.collect();
    let (low, high) = raw.range.as_ref().map_or_else(
        || {
            limits.iter().fold((0.0_f64, 0.0_f64), |(low, high), v| {
                (low.min(*v), high.max(*v))
            })
        },
        |range| range.value,
    );
    let share = raw.measures.start().deadband * (high - low);
    let inside = limits.iter().map(|other| {
        if level.is_upper() {
            limit - other
        } else {
            other - limit
        }
    });
    let gap = inside
        .filter(|gap| *gap > 0.0)
        .fold(f64::INFINITY, f64::min);
    share.min(gap / 2.0)
}

/// Is it one of the four limits?
pub(super) const fn is_level(kind: AlarmKind) -> bool {
    matches!(
        kind,
        AlarmKind::LowLow | AlarmKind::Low | AlarmKind::High | AlarmKind::HighHigh
    )
}

/// Is it one of the two upper limits?
const fn is_upper(kind: AlarmKind) -> bool {
    matches!(kind, AlarmKind::High | AlarmKind::HighHigh)
}

/// What all alarms of a point have in common.
fn words(
    raw: &RawPoint,
    settings: &PointSettings,
    people: &People,
    texts: &mut Texts,
) -> PointWords {
    let area = raw.area.as_ref().and_then(|area| people.areas.get(area));
    PointWords {
        id: Arc::clone(&settings.id),
        name: match &raw.name {
            Some(name) => texts.share(name),
            None => Arc::clone(&settings.id),
        },
        area: settings.area.clone(),
        area_name: area.map(|area| Arc::clone(&area.name)),
        unit: Arc::clone(&settings.unit),
        responsible: area.map_or_else(|| [].into(), |area| Arc::clone(&area.responsible)),
        measures: raw.measures,
    }
}

fn guide(
    raw: &RawPoint,
    alarm: &RawAlarm,
    decided: &AlarmSettings,
    point: &Arc<PointWords>,
    texts: &mut Texts,
) -> Guidance {
    // What is written for the process is not said of the measuring.
    let process = is_process(alarm.kind);
    let inherited = |own: &Option<String>, common: &Option<String>| {
        own.clone().or_else(|| common.clone().filter(|_| process))
    };
    let mut own = |text: Option<String>| text.map(|text| texts.share(&text));
    let words = AlarmWords {
        cause: own(alarm.cause.clone()),
        consequence: own(alarm.consequence.clone()),
        action: own(inherited(&alarm.action, &raw.action)),
        plan: own(inherited(&alarm.plan, &raw.plan)),
        time_to_respond: alarm.time_to_respond.as_ref().map(|time| time.value),
    };
    Guidance {
        kind: alarm.kind,
        priority: decided.priority,
        limit: match decided.rule {
            Rule::Limit(limit) => Some(limit.limit),
            Rule::Rate(rate) => Some(rate.limit_per_min),
            Rule::Forecast(forecast) => Some(forecast.limit),
            Rule::Deviation(deviation) => Some(deviation.limit()),
            Rule::Discrepancy(discrepancy) => Some(discrepancy.limit),
            Rule::Exposure(exposure) => Some(exposure.limit),
            Rule::OverRange(over_range) => Some(over_range.at),
            Rule::State { .. }
            | Rule::Bad
            | Rule::Stale
            | Rule::Frozen(_)
            | Rule::Clock
            | Rule::Maintenance
            | Rule::Vote
            | Rule::Degraded
            | Rule::GroupFault => None,
        },
        deadband: match decided.rule {
            Rule::Limit(limit) => Some(limit.deadband),
            Rule::Discrepancy(discrepancy) => Some(discrepancy.deadband),
            Rule::Exposure(exposure) => Some(exposure.deadband),
            Rule::Rate(_)
            | Rule::Forecast(_)
            | Rule::Deviation(_)
            | Rule::OverRange(_)
            | Rule::State { .. }
            | Rule::Bad
            | Rule::Stale
            | Rule::Frozen(_)
            | Rule::Clock
            | Rule::Maintenance
            | Rule::Vote
            | Rule::Degraded
            | Rule::GroupFault => None,
        },
        point: Arc::clone(point),
        words: texts.words(words),
    }
}
