//! How long an alarm may take at worst, from the moment its condition becomes true.
//!
//! ```text
//!   condition true            read           answered          confirmed
//!  ───────┬────────────────────┬────────────────┬──────────────────┬────▶
//!         └── poll period, ────┴── timeout, ────┴── on-delay ──────┘
//!             others before it     what is read
//!                                  with it
//! ```
//!
//! A limit on the slope adds the part of its window that a ramp must fill before the line through it
//! is steep enough (alarm-standards 2.4: 0.67 of it for a ramp a third steeper than the limit).
//! An average adds the time to its next update, a value that must stand still the time for which it must.
//! How often an MQTT sensor speaks nobody knows; its own period comes on top. So does what other devices on
//! the same line take while they do not answer; it is told apart, for it needs two faults at a time.

use std::time::Duration;

use super::check::Checked;
use super::place::Place;
use super::scalar::show_duration;
use crate::engine::settings::{AlarmSettings, PointSettings, Rule};
use crate::input::modbus::line::Line;

/// Share of its window after which the line through a ramp shows three quarters of its slope.
const FILLED: f64 = 0.674;

/// How a point is asked.
#[derive(Clone, Copy)]
pub(super) struct Poll {
    /// From one question to the next.
    pub(super) period: Duration,
    /// About how long its line may need for what is due before it, while all devices answer.
    pub(super) wait: Duration,
    /// About how long from when it is due until it was read while one other device of its line does not answer.
    pub(super) wait_with_dead: Duration,
    /// About how long the other requests take that are made in one go with its own: what they read goes to the
    /// engine together.
    pub(super) together: Duration,
    /// How long an answer may take.
    pub(super) timeout: Duration,
    /// How much longer it may take while the other devices of the line do not answer.
    pub(super) held_up: Duration,
    /// Where the period is written.
    pub(super) place: Place,
}

impl Poll {
    /// From a change in the plant to the reading that shows it, at worst.
    pub(super) const fn reading(&self) -> Duration {
        let asked = self.period.saturating_add(self.wait);
        let answered = asked.saturating_add(self.timeout);
        answered.saturating_add(self.together)
    }
}

/// The worst case of an alarm of a point that is being checked, and how much longer it may take while the
/// other devices of its line do not answer.
pub(super) fn of(point: &Checked<'_>, alarm: &AlarmSettings) -> (Duration, Duration) {
    let reading = point.poll.map_or(Duration::ZERO, |poll| poll.reading());
    let parts = parts(reading, point.settings, alarm);
    let held_up = point.poll.map_or(Duration::ZERO, |poll| poll.held_up);
    (
        parts.iter().map(|(_, span)| *span).sum(),
        late_by(alarm, held_up),
    )
}

/// One device of a line: its id, whether anything is read from it, and how long it may take to answer.
pub(super) type OnLine<'a> = (&'a str, bool, Duration);

/// How much longer a reading of `own` may take while the other devices of its line do not answer: one line
/// asks one device at a time, and each of them may take its timeout first, and what the line needs after
/// an answer that is no frame.
pub(super) fn held_up<'a>(
    own: &str,
    line: &Line,
    devices: impl Iterator<Item = OnLine<'a>> + Clone,
) -> Duration {
    let worst = devices.clone().map(|(_, _, timeout)| timeout).max();
    let resync = line.resync(worst.unwrap_or_default());
    let others = devices.filter(|(id, asked, _)| *asked && *id != own);
    others.map(|(_, _, timeout)| timeout + resync).sum()
}

/// Silence is counted from the last value, whatever holds up the next one.
const fn late_by(alarm: &AlarmSettings, held_up: Duration) -> Duration {
    if matches!(alarm.rule, Rule::Stale) {
        Duration::ZERO
    } else {
        held_up
    }
}

/// The worst case of an alarm, in a sentence; `asked`: how long a reading over Modbus may take, and how much
/// longer while other devices do not answer.
pub(super) fn sentence(
    point: &PointSettings,
    alarm: &AlarmSettings,
    asked: Option<(Duration, Duration)>,
) -> String {
    let held_up = asked.map_or(Duration::ZERO, |(_, held_up)| late_by(alarm, held_up));
    let more = if held_up.is_zero() {
        String::new()
    } else {
        let span = show_duration(held_up);
        format!(" Up to {span} later while other devices on its line do not answer.")
    };
    let reading = asked.map_or(Duration::ZERO, |(reading, _)| reading);
    let parts = parts(reading, point, alarm);
    let whole = show_duration(parts.iter().map(|(_, span)| *span).sum());
    let told: Vec<String> = parts
        .iter()
        .filter(|(_, span)| !span.is_zero())
        .map(|(what, span)| format!("{what} {}", show_duration(*span)))
        .collect();
    let sender = if asked.is_none() && !matches!(alarm.rule, Rule::Stale) {
        " after the sensor has sent it"
    } else {
        ""
    };
    match told.as_slice() {
        [] => format!("At worst raised at once{sender}.{more}"),
        [_] => format!("At worst raised within {whole}{sender}.{more}"),
        _ => format!(
            "At worst raised within {whole}{sender} ({}).{more}",
            told.join(", ")
        ),
    }
}

/// What the time consists of, in the order in which it passes.
fn parts(
    reading: Duration,
    point: &PointSettings,
    alarm: &AlarmSettings,
) -> [(&'static str, Duration); 3] {
    let delay = ("delay", alarm.on_delay);
    if let Some(trend) = alarm.rule.trend() {
        let window = point.trends.get(trend).map(|trend| trend.window);
        let slope = filled(window.unwrap_or_default());
        [("reading", reading), ("slope", slope), delay]
    } else if let Rule::Exposure(exposure) = alarm.rule {
        [
            ("reading", reading),
            ("update", exposure.average.update()),
            delay,
        ]
    } else if let Rule::Frozen(frozen) = alarm.rule {
        [("reading", reading), ("standstill", frozen.after), delay]
    } else if matches!(alarm.rule, Rule::Stale) {
        // Counted from the last value, whenever the next question is.
        [
            ("", Duration::ZERO),
            ("silence", point.stale_after.unwrap_or_default()),
            delay,
        ]
    } else {
        [("reading", reading), ("", Duration::ZERO), delay]
    }
}

/// It is a rule of thumb: in whole seconds, of a short window in tenths.
fn filled(window: Duration) -> Duration {
    let steps = if window < Duration::from_secs(10) {
        10.0
    } else {
        1.0
    };
    Duration::from_secs_f64((window.as_secs_f64() * FILLED * steps).ceil() / steps)
}
