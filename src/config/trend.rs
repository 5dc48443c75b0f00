//! Windows that slopes are taken over, for `rise`, `fall` and `forecast`: what a person may write, what
//! is assumed (alarm-standards 2.4), and what cannot work.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::alarm::RawAlarm;
use super::finding::{Kind, Log};
use super::keys::Keys;
use super::place::{At, Place};
use super::scalar::show_duration;
use crate::engine::settings::{Direction, Method, RateRule, TrendSettings};

const WINDOW: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(86_400);

/// Fewer samples make no slope (alarm-standards 2.4); more than the upper end is a mistake.
const SAMPLES: RangeInclusive<u16> = 5..=1_000;

const METHODS: [(&str, Method); 2] = [
    ("least_squares", Method::LeastSquares),
    ("theil_sen", Method::TheilSen),
];

const DEFAULT_WINDOW: Duration = Duration::from_secs(60);

const DEFAULT_SAMPLES: u16 = 10;

/// A window as written; what is `None` takes its default.
#[derive(Debug, Default)]
pub(super) struct RawTrend {
    method: Option<Method>,
    window: Option<At<Duration>>,
    min_samples: Option<At<u16>>,
    min_span: Option<At<Duration>>,
}

impl RawTrend {
    /// Reads the keys of a window from the long form of an alarm.
    pub(super) fn read(keys: &Keys<'_>, log: &mut Log) -> Self {
        Self {
            method: keys.choice("method", &METHODS, log).map(|at| at.value),
            window: keys.duration("window", WINDOW, log),
            min_samples: keys.whole("min_samples", SAMPLES, log),
            min_span: keys.duration("min_span", WINDOW, log),
        }
    }

    /// Is anything written?
    pub(super) const fn is_written(&self) -> bool {
        self.method.is_some()
            || self.window.is_some()
            || self.min_samples.is_some()
            || self.min_span.is_some()
    }

    /// The length of the window, if it is written.
    pub(super) const fn window(&self) -> Option<&At<Duration>> {
        self.window.as_ref()
    }

    /// With all defaults, for a point that is polled this often.
    pub(super) fn settings(&self, poll: Option<Duration>) -> TrendSettings {
        let written = |at: &Option<At<Duration>>| at.as_ref().map(|at| at.value);
        let samples = self
            .min_samples
            .as_ref()
            .map_or(DEFAULT_SAMPLES, |at| at.value);
        // Half as many again as are needed, so that a lost poll does not blind the rule.
        let needed = poll.map_or(Duration::ZERO, |poll| poll * u32::from(samples) * 3 / 2);
        let window = written(&self.window).unwrap_or(DEFAULT_WINDOW.max(needed));
        TrendSettings {
            method: self.method.unwrap_or(Method::LeastSquares),
            window,
            min_samples: usize::from(samples),
            min_span: written(&self.min_span).unwrap_or(window * 3 / 5),
            max_gap: window / 3,
        }
    }
}

/// Position of `wanted` among the windows of a point, which has each only once.
pub(super) fn share(trends: &mut Vec<TrendSettings>, wanted: TrendSettings) -> usize {
    let known = trends.iter().position(|known| *known == wanted);
    known.unwrap_or_else(|| {
        trends.reserve_exact(1);
        trends.push(wanted);
        trends.len() - 1
    })
}

/// The settings of a rate alarm as far as they are its own.
pub(super) fn rate(written: &RawAlarm, direction: Direction, limit: f64, trend: usize) -> RateRule {
    let deadband = written.deadband.as_ref();
    RateRule {
        direction,
        limit_per_min: limit,
        deadband_per_min: deadband.map_or(limit / 5.0, |deadband| deadband.value),
        significant: written.significant.unwrap_or(false),
        trend,
    }
}

/// How often values come.
#[derive(Debug, Clone, Copy)]
pub(super) enum Pace {
    /// A device is asked this often.
    Polled(Duration),
    /// A topic that may be silent so long before it is stale.
    Silent(Duration),
    /// Nobody knows.
    Unknown,
}

/// Whether the window can ever hold what the rule needs.
pub(super) fn check(written: &RawAlarm, trend: &TrendSettings, pace: Pace, log: &mut Log) {
    if trend.min_span > trend.window {
        let at = written.trend.min_span.as_ref().map(|span| span.place);
        let window = show_duration(trend.window);
        let text = format!("`min_span` is longer than the window of {window}");
        log.error(Kind::Timing, at.unwrap_or(written.place), text);
    }
    let at = written.trend.window.as_ref().map(|window| window.place);
    let at = at.unwrap_or(written.place);
    match pace {
        Pace::Silent(_) if !written.is_complete() => {}
        Pace::Polled(_) | Pace::Silent(_) | Pace::Unknown => {
            fill(trend, pace, ("window", at), log);
        }
    }
}

/// Whether enough values can lie in a window; `written`: by which key and where.
pub(super) fn fill(window: &TrendSettings, pace: Pace, written: (&str, Place), log: &mut Log) {
    match pace {
        Pace::Polled(poll) => polled(window, poll, written, log),
        Pace::Silent(silence) => sparse(window, silence, written, log),
        Pace::Unknown => {}
    }
}

/// How often a topic speaks nobody knows; but a point that may be silent for so long may never fill
/// its window.
fn sparse(trend: &TrendSettings, silence: Duration, (key, at): (&str, Place), log: &mut Log) {
    let samples = u32::try_from(trend.min_samples).unwrap_or(u32::MAX);
    if silence.saturating_mul(samples) <= trend.window {
        return;
    }
    let (window, silence) = (show_duration(trend.window), show_duration(silence));
    let text = format!(
        "the rule needs {samples} values within {window}, but the point may be silent for {silence} \
         before it is stale: it may never see enough values"
    );
    log.warn(Kind::Timing, at, text).hint(format!(
        "set `stale_after` to about three times the period of the sender, or `{key}` longer"
    ));
}

fn polled(trend: &TrendSettings, poll: Duration, (key, at): (&str, Place), log: &mut Log) {
    let holds = trend.window.as_nanos() / poll.as_nanos().max(1);
    let need = trend.min_samples as u128;
    let (window, shown_poll) = (show_duration(trend.window), show_duration(poll));
    if trend.min_span > trend.window {
        return;
    }
    if holds < need {
        let text = format!(
            "a window of {window} holds {holds} values at a poll of {shown_poll}, the rule needs {need}"
        );
        let least = poll * u32::try_from(need * 3 / 2).unwrap_or(u32::MAX);
        let hint = format!("`{key} = \"{}\"` or more", show_duration(least));
        log.error(Kind::Timing, at, text).hint(hint);
    } else if poll * u32::try_from(holds - 1).unwrap_or(u32::MAX) < trend.min_span {
        let text = format!("values every {shown_poll} never span `min_span` within {window}");
        log.error(Kind::Timing, at, text);
    } else if holds == need {
        let text = format!(
            "a window of {window} holds just the {need} values the rule needs; one lost value blinds it"
        );
        log.warn(Kind::Timing, at, text);
    }
}

/// The window in a sentence.
pub(super) fn explain(trend: &TrendSettings) -> String {
    let method = match trend.method {
        Method::LeastSquares => "least squares",
        Method::TheilSen => "Theil-Sen",
    };
    format!(
        "Slope by {method} over {}, from at least {} values that span {} without a hole of more than {}.",
        show_duration(trend.window),
        trend.min_samples,
        show_duration(trend.min_span),
        show_duration(trend.max_gap)
    )
}
