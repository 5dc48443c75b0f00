//! A limit on the value (alarm-standards 2.1): in alarm *at* the limit, out of alarm only beyond the
//! deadband. The deadband acts only after the limit was passed, which [`Phase`] sees to.
//!
//! [`Phase`]: super::super::delay::Phase

use super::super::delay::Zone;
use super::super::reading::Finite;
use super::super::settings::LimitRule;

/// Where `value` lies.
pub(in super::super) fn zone(rule: &LimitRule, value: Finite) -> Zone {
    // Mirrored for the lower limits, so that one comparison serves all four.
    let sign = if rule.level.is_upper() { 1.0 } else { -1.0 };
    let excess = (value.get() - rule.limit) * sign;
    if excess >= 0.0 {
        Zone::Beyond
    } else if excess < -rule.deadband {
        Zone::Inside
    } else {
        Zone::Margin
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::settings::Level;
    use super::*;

    #[test]
    fn at_below_above_and_at_the_edge_of_the_deadband() {
        let cases = [
            (Level::High, 24.999, Zone::Margin),
            (Level::High, 25.0, Zone::Beyond),
            (Level::High, 25.001, Zone::Beyond),
            (Level::High, 23.0, Zone::Margin),
            (Level::High, 22.999, Zone::Inside),
            (Level::HighHigh, f64::MAX, Zone::Beyond),
            (Level::Low, 25.001, Zone::Margin),
            (Level::Low, 25.0, Zone::Beyond),
            (Level::Low, 24.999, Zone::Beyond),
            (Level::Low, 27.0, Zone::Margin),
            (Level::Low, 27.001, Zone::Inside),
            (Level::LowLow, f64::MIN, Zone::Beyond),
        ];
        for (level, value, expected) in cases {
            let rule = LimitRule {
                level,
                limit: 25.0,
                deadband: 2.0,
            };
            let value = Finite::new(value).expect("the table holds numbers");
            assert_eq!(zone(&rule, value), expected, "{level:?} at {value:?}");
        }
    }

    #[test]
    fn without_a_deadband_there_is_no_margin() {
        let rule = LimitRule {
            level: Level::High,
            limit: 0.0,
            deadband: 0.0,
        };
        for (value, expected) in [
            (-1e-300, Zone::Inside),
            (0.0, Zone::Beyond),
            (-0.0, Zone::Beyond),
        ] {
            let value = Finite::new(value).expect("the table holds numbers");
            assert_eq!(zone(&rule, value), expected);
        }
    }
}
