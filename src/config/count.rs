//! `count`: how often a condition must become true within which time before its alarm is raised.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::finding::{Kind, Log};
use super::keys::{Keys, Vocabulary};
use super::place::Place;
use super::scalar::show_duration;
use super::trend::Pace;
use crate::engine::settings::{AlarmSettings, CountRule};

const COUNT: Vocabulary = Vocabulary {
    what: "a count: `{ times = NUMBER, within = DURATION }`",
    keys: &["times", "within"],
    later: &[],
};

/// Once is no count; the instants of more would fill memory for every alarm.
const TIMES: RangeInclusive<u16> = 2..=100;

const WITHIN: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(7 * 86_400);

/// As written.
#[derive(Debug)]
pub(super) struct RawCount {
    place: Place,
    rule: Option<CountRule>,
}

impl RawCount {
    /// Reads `count` of an alarm.
    pub(super) fn read(keys: &Keys<'_>, log: &mut Log) -> Option<Self> {
        let entry = keys.entry("count")?;
        let keys = Keys::open(entry, &COUNT, log)?;
        keys.require("times", "3", log);
        keys.require("within", "\"10min\"", log);
        let times = keys.whole("times", TIMES, log);
        let within = keys.duration("within", WITHIN, log);
        let rule = times.zip(within).and_then(|(times, within)| {
            Some(CountRule {
                times: u8::try_from(times.value).ok()?,
                within: within.value,
            })
        });
        Some(Self {
            place: entry.item.place,
            rule,
        })
    }

    /// What was understood.
    pub(super) const fn rule(&self) -> Option<CountRule> {
        self.rule
    }

    /// It must be possible to become true so often within the time.
    pub(super) fn check(&self, decided: &AlarmSettings, pace: Pace, log: &mut Log) {
        let Some(rule) = self.rule else { return };
        // It must be seen beyond the limit and inside it each time, for as long as the delays ask.
        let seen = match pace {
            Pace::Polled(poll) => poll * 2,
            Pace::Silent(_) | Pace::Unknown => Duration::ZERO,
        };
        let cycle = seen.max(decided.on_delay + decided.off_delay);
        let least = cycle.saturating_mul(u32::from(rule.times) - 1);
        if least < rule.within {
            return;
        }
        let (within, least) = (show_duration(rule.within), show_duration(least));
        let text = format!(
            "the condition can never become true {} times within {within}: that takes {least}",
            rule.times
        );
        log.error(Kind::Timing, self.place, text)
            .hint("make `within` longer, the delays shorter, or poll faster");
    }
}

/// The whole in a sentence, behind that of the condition.
pub(super) fn explain(rule: CountRule) -> String {
    let within = show_duration(rule.within);
    format!(
        " Only the {} time within {within} raises it; it clears when fewer lie within {within} and the \
         condition is gone.",
        nth(rule.times)
    )
}

fn nth(number: u8) -> String {
    let ending = match (number % 100, number % 10) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        (_, _) => "th",
    };
    format!("{number}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinals() {
        for (number, expected) in [
            (2, "2nd"),
            (3, "3rd"),
            (4, "4th"),
            (11, "11th"),
            (21, "21st"),
        ] {
            assert_eq!(nth(number), expected);
        }
    }
}
