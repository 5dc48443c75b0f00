//! A limit on the slope (alarm-standards 2.4). What a slope is, and when there is one: [`trend`].
//!
//! With the significance gate a slope counts only when it is more than twice its standard error above
//! zero. One that is steep enough but could be noise gives no verdict: it raises nothing, and clears
//! nothing either.
//!
//! [`trend`]: super::super::trend

use super::super::delay::Zone;
use super::super::settings::{Direction, RateRule};
use super::super::trend::Line;

/// Where the slope of `line` lies with respect to the rule.
pub(in super::super) fn zone(rule: &RateRule, line: Option<&Line>) -> Zone {
    let Some(line) = line else {
        return Zone::Unknown;
    };
    let steepness = match rule.direction {
        Direction::Rise => line.slope_per_min(),
        Direction::Fall => -line.slope_per_min(),
    };
    if steepness >= rule.limit_per_min {
        if rule.significant && !line.is_significant() {
            return Zone::Unknown;
        }
        Zone::Beyond
    } else if steepness < rule.limit_per_min - rule.deadband_per_min {
        Zone::Inside
    } else {
        Zone::Margin
    }
}

#[cfg(test)]
mod tests;
