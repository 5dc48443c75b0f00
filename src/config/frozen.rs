//! `frozen`: what a person may write, what is assumed (alarm-standards 2.11), and what cannot work.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::alarm::RawAlarm;
use super::check::Checked;
use super::defaults::{Measure, Resolved, is_process};
use super::finding::{Kind, Log};
use super::keys::{Keys, Vocabulary};
use super::place::{At, Place};
use super::plant_state::{self, RawPlantState};
use super::point::RawPoint;
use super::scalar::{show_duration, show_number};
use super::tree::Value;
use super::trend::Pace;
use crate::engine::settings::{
    AlarmSettings, FrozenRule, PlantState, PointSettings, Priority, Rule,
};

/// The short form on the point; the long form has these keys, too.
pub(super) const SHORT: Vocabulary = Vocabulary {
    what: "a `frozen` alarm",
    keys: &["after", "tolerance", "while"],
    later: &[],
};

const AFTER: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(7 * 86_400);

/// The share of the noise of a healthy sensor that is no movement.
const NOISE: f64 = 0.1;

/// As written; what is `None` takes its default.
#[derive(Debug, Default)]
pub(super) struct RawFrozen {
    after: Option<At<Duration>>,
    tolerance: Option<At<f64>>,
    gate: Option<RawPlantState>,
}

impl RawFrozen {
    /// Reads the keys that are its own.
    pub(super) fn read(keys: &Keys<'_>, log: &mut Log) -> Self {
        keys.require("after", "\"30min\"", log);
        Self {
            after: keys.duration("after", AFTER, log),
            tolerance: keys.positive("tolerance", true, log),
            gate: gate(keys, log),
        }
    }
}

const WHILE: Vocabulary = Vocabulary {
    what: "a state of the plant: `{ point = \"FT-77\", above = 5 }`",
    keys: &["point", "is", "below", "above", "deadband", "alarm"],
    later: &[],
};

/// `while`: the id of a contact or of an alarm, or a state of the plant.
fn gate(keys: &Keys<'_>, log: &mut Log) -> Option<RawPlantState> {
    let entry = keys.entry("while")?;
    if let Value::Text(_) = entry.item.value {
        return keys.text("while", log).map(RawPlantState::of);
    }
    RawPlantState::read(&Keys::open(entry, &WHILE, log)?, log)
}

impl RawFrozen {
    /// Is it judged only while the plant is in some state?
    pub(super) const fn is_gated(&self) -> bool {
        self.gate.is_some()
    }
}

/// Puts the states of the plant into the settings, and checks them. `raw` are all points and groups in the
/// order of their indices, `resolved` what was decided about them.
pub(super) fn connect(raw: &[&RawPoint], resolved: &mut [Resolved], log: &mut Log) {
    for (position, point) in raw.iter().enumerate() {
        for (order, alarm) in point.alarms.iter().enumerate() {
            let Some(gate) = &alarm.frozen.gate else {
                continue;
            };
            let Some(plant) = gate.resolve(raw, log) else {
                continue;
            };
            independent(plant, position, gate.place(), log);
            let decided = resolved.get_mut(position);
            let decided = decided.and_then(|point| point.settings.alarms.get_mut(order));
            if let Some(Rule::Frozen(rule)) = decided.map(|alarm| &mut alarm.rule) {
                rule.gate = Some(plant);
            }
        }
    }
}

/// It must be of another point, and no alarm that looks at other points itself: that could end up looking
/// at this one.
fn independent(plant: PlantState, own: usize, place: Place, log: &mut Log) {
    if plant.point().0 as usize == own {
        log.error(Kind::Conflict, place, "a point says nothing about itself")
            .hint("name another point, or an alarm of one");
        return;
    }
    if let PlantState::Active { kind, .. } = plant
        && matches!(
            kind.name(),
            "frozen"
                | "deviation"
                | "discrepancy"
                | "vote"
                | "degraded"
                | "group_fault"
                | "maintenance"
        )
    {
        let text = format!("a `{}` alarm depends on other points itself", kind.name());
        log.error(Kind::Conflict, place, text)
            .hint("name an alarm on a value, or the value: { point = \"FT-77\", above = 5 }");
    }
}

/// With all defaults, but for the state of the plant.
pub(super) fn rule(raw: &RawPoint, alarm: &RawAlarm) -> FrozenRule {
    let written = &alarm.frozen;
    let noise = raw.noise.as_ref().map(|noise| noise.value * NOISE);
    let least = raw.resolution().into_iter().chain(noise);
    let after = written.after.as_ref();
    FrozenRule {
        after: after.map_or(*AFTER.end(), |after| after.value),
        tolerance: written
            .tolerance
            .as_ref()
            .map_or_else(|| least.fold(0.0, f64::max), |tolerance| tolerance.value),
        // Of clean air a detector has nothing else to say; oxygen is never at zero.
        rests_at_zero: raw.measures == Measure::Gas,
        gate: None,
    }
}

/// As urgent as the hazard that a value that stands still hides (alarm-standards 2.11): as the most urgent
/// process alarm of its point from high on; `usual` where there is none. `decided` are the alarms before
/// it.
pub(super) fn priority(usual: Priority, decided: &[AlarmSettings]) -> Priority {
    let hazards = decided.iter().filter(|alarm| is_process(alarm.kind()));
    let hazards = hazards.map(|alarm| alarm.priority);
    let worst = hazards.filter(|priority| *priority >= Priority::High).max();
    worst.map_or(usual, |worst| worst.max(usual))
}

/// Enough values must come, and a healthy one must move.
pub(super) fn check(
    point: &Checked<'_>,
    written: &RawAlarm,
    rule: &FrozenRule,
    pace: Pace,
    log: &mut Log,
) {
    let frozen = &written.frozen;
    if let Some(after) = &frozen.after {
        enough(after, pace, log);
    }
    let Some(tolerance) = &frozen.tolerance else {
        return;
    };
    let shown = show_number(rule.tolerance);
    if let Some(range) = &point.raw.range
        && rule.tolerance >= range.value.1 - range.value.0
    {
        let text = format!("a tolerance of {shown} is the whole range: no value ever moves");
        log.error(Kind::OutOfRange, tolerance.place, text)
            .also(range.place, "the range");
    } else if let Some(noise) = &point.raw.noise
        && rule.tolerance > noise.value
    {
        let text = format!(
            "a healthy sensor whose value is steady moves little more than {shown} by its noise: `frozen` \
             would be raised by nothing"
        );
        let usual = show_number(noise.value * NOISE);
        log.warn(Kind::Noise, tolerance.place, text)
            .hint(format!("a tenth of the noise is usual: {usual}"))
            .also(noise.place, "the noise");
    }
}

fn enough(after: &At<Duration>, pace: Pace, log: &mut Log) {
    let need = u32::from(FrozenRule::MIN_SAMPLES);
    let shown = show_duration(after.value);
    match pace {
        Pace::Polled(poll) if poll.saturating_mul(need) > after.value => {
            let poll_shown = show_duration(poll);
            let text = format!(
                "`frozen` needs {need} values, but within {shown} there are fewer at a poll of {poll_shown}"
            );
            let least = show_duration(poll.saturating_mul(need));
            log.error(Kind::Timing, after.place, text)
                .hint(format!("`after = \"{least}\"` or more"));
        }
        // A sensor that reports only changes says nothing while its value stands still.
        Pace::Silent(silence) if silence.saturating_mul(need) > after.value => {
            let silence = show_duration(silence);
            let text = format!(
                "`frozen` needs {need} values within {shown}, but the point may be silent for {silence} before \
                 it is stale: of a sensor that reports only changes it sees none that stand still"
            );
            log.warn(Kind::Timing, after.place, text).hint(
                "let the sensor report at least that often, set `stale_after` to about three times its \
                 period, or `after` longer",
            );
        }
        Pace::Polled(_) | Pace::Silent(_) | Pace::Unknown => {}
    }
}

/// When it rises and when it clears; `tolerance` with its unit, `on` and `off` the delays in words.
pub(super) fn explain(
    rule: &FrozenRule,
    points: &[PointSettings],
    tolerance: &str,
    (on, off): (&str, &str),
) -> String {
    let gate = rule.gate.map_or_else(String::new, |gate| {
        format!(" while {}", plant_state::explain(gate, points))
    });
    let rest = if rule.rests_at_zero {
        " A value within that of zero is at rest."
    } else {
        ""
    };
    format!(
        "Raised {on} when {} or more values in {} did not differ by more than {tolerance}{gate}; clears \
         {off} when they do.{rest} Until then the value is marked as doubtful.",
        FrozenRule::MIN_SAMPLES,
        show_duration(rule.after)
    )
}
