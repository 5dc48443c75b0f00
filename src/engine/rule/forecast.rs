//! A limit will be reached soon (alarm-standards 2.5): advice, which never replaces the limit's own alarm.
//!
//! ```text
//!        0             within        1.5 within             time to the limit
//!   met  │    beyond     │    margin    │   inside: too far, leads away, or noise
//!  ──────┼───────────────┼──────────────┼──────────────────────────────────────▶
//! ```
//!
//! *Beyond* counts only when so many lines in a row said so: one that swings about raises nothing. There is no verdict while the value is not good, while the sensor is over its range
//! (its slope is that of the sensor, not of the plant), and once the limit's own alarm has taken over:
//! the forecast has come true, and stays until that alarm clears.

use super::super::delay::Zone;
use super::super::reading::Quality;
use super::super::settings::ForecastRule;
use super::super::time::Mono;
use super::super::trend::{Course, Line};
use super::{Company, Evidence};

/// How often "soon" was said in a row.
#[derive(Debug)]
pub(in super::super) struct Forecast {
    pub(in super::super) rule: ForecastRule,
    confirmed: u8,
    /// The line that said it last, by its time.
    said: Option<Mono>,
}

impl Forecast {
    pub(in super::super) const fn new(rule: ForecastRule) -> Self {
        Self {
            rule,
            confirmed: 0,
            said: None,
        }
    }

    /// Where the limit lies on the way of `line`.
    pub(in super::super) fn zone(
        &mut self,
        line: Option<&Line>,
        evidence: &Evidence,
        company: Company,
    ) -> Zone {
        let zone = self.look(line, evidence, company);
        if zone != Zone::Beyond {
            self.interrupt();
            return zone;
        }
        let drawn = line.map(Line::time);
        if self.said != drawn {
            self.confirmed = self.confirmed.saturating_add(1);
            self.said = drawn;
        }
        if self.confirmed < self.rule.confirmations {
            return Zone::Margin;
        }
        Zone::Beyond
    }

    /// There is nothing to see: the row ends.
    pub(in super::super) const fn interrupt(&mut self) -> Zone {
        self.confirmed = 0;
        Zone::Unknown
    }

    fn look(&self, line: Option<&Line>, evidence: &Evidence, company: Company) -> Zone {
        if evidence.quality != Quality::Good || company.limit_passed || company.over_range {
            return Zone::Unknown;
        }
        let Some(line) = line else {
            return Zone::Unknown;
        };
        let within = self.rule.within.as_secs_f64();
        let upwards = self.rule.to.is_upper();
        match line.course(self.rule.limit, upwards, evidence.at) {
            Course::Met => Zone::Margin,
            Course::Ahead(ahead) if ahead.seconds <= within => Zone::Beyond,
            Course::Ahead(ahead) if ahead.seconds <= 1.5 * within => Zone::Margin,
            Course::Ahead(_) | Course::Away => Zone::Inside,
        }
    }
}

#[cfg(test)]
mod tests;
