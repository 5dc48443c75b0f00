//! Redundant channels that disagree (alarm-standards 2.7): a maintenance alarm, never a vote.
//!
//! Three and more are compared with their median, which one liar cannot move far. Of two nobody knows
//! which one is right, so both are named. One alone says nothing. Only good values take part: a
//! doubtful one proves nothing about the others.

use super::super::delay::Zone;
use super::super::reading::Finite;
use super::super::settings::DiscrepancyRule;
use super::median::middle;

/// What the good channels of a group say together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in super::super) enum Spread {
    /// The values of two, the lower first.
    Two(f64, f64),
    /// The median of three or more, and how many there are.
    Median(f64, usize),
}

impl Spread {
    /// Of `values`, in any order; they are sorted in place. `None` of fewer than two.
    pub(in super::super) fn of(values: &mut [f64]) -> Option<Self> {
        values.sort_unstable_by(f64::total_cmp);
        match values {
            [] | [_] => None,
            [low, high] => Some(Self::Two(*low, *high)),
            _ => middle(values).map(|median| Self::Median(median, values.len())),
        }
    }

    /// How far `value`, one of them, is from what it is compared with; in the point's unit.
    pub(in super::super) const fn distance(self, value: Finite) -> f64 {
        match self {
            Self::Two(low, high) => high - low,
            Self::Median(median, _) => (value.get() - median).abs(),
        }
    }

    /// What `value`, one of them, is compared with.
    pub(in super::super) const fn reference(self, value: Finite) -> f64 {
        match self {
            Self::Two(low, _) if value.get() > low => low,
            Self::Two(_, high) => high,
            Self::Median(median, _) => median,
        }
    }
}

/// Where a channel lies that is `distance` away.
pub(in super::super) fn zone(rule: &DiscrepancyRule, distance: f64) -> Zone {
    if distance > rule.limit {
        Zone::Beyond
    } else if distance <= rule.limit - rule.deadband {
        Zone::Inside
    } else {
        Zone::Margin
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finite(value: f64) -> Finite {
        Finite::new(value).expect("the table holds numbers")
    }

    #[test]
    fn two_name_each_other_and_more_are_compared_with_the_median() {
        for (values, expected) in [
            (vec![], None),
            (vec![5.0], None),
            (vec![7.0, 5.0], Some(Spread::Two(5.0, 7.0))),
            (vec![9.0, 5.0, 6.0], Some(Spread::Median(6.0, 3))),
            (vec![9.0, 5.0, 6.0, 7.0], Some(Spread::Median(6.5, 4))),
            (
                vec![f64::MAX, f64::MAX, f64::MAX, f64::MAX],
                Some(Spread::Median(f64::MAX, 4)),
            ),
            (vec![-0.0, 0.0, -1.0], Some(Spread::Median(-0.0, 3))),
        ] {
            assert_eq!(Spread::of(&mut values.clone()), expected, "{values:?}");
        }
    }

    #[test]
    fn of_two_both_are_as_far_away_of_more_only_the_liar() {
        let two = Spread::Two(5.0, 7.0);
        for value in [5.0, 7.0] {
            assert!((two.distance(finite(value)) - 2.0).abs() < 1e-12);
        }
        for (value, other) in [(5.0, 7.0), (7.0, 5.0)] {
            assert!((two.reference(finite(value)) - other).abs() < 1e-12);
        }
        let three = Spread::Median(6.0, 3);
        for (value, distance) in [(5.5, 0.5), (6.0, 0.0), (9.0, 3.0)] {
            assert!((three.distance(finite(value)) - distance).abs() < 1e-12);
        }
        assert!((three.reference(finite(9.0)) - 6.0).abs() < 1e-12);
    }

    #[test]
    fn more_than_the_limit_is_beyond_and_the_limit_itself_is_not() {
        let rule = DiscrepancyRule {
            limit: 2.0,
            deadband: 0.5,
        };
        for (distance, expected) in [
            (0.0, Zone::Inside),
            (1.5, Zone::Inside),
            (1.6, Zone::Margin),
            (2.0, Zone::Margin),
            (2.1, Zone::Beyond),
            (f64::INFINITY, Zone::Beyond),
        ] {
            assert_eq!(zone(&rule, distance), expected, "{distance}");
        }
        let exact = DiscrepancyRule {
            limit: 2.0,
            deadband: 0.0,
        };
        assert_eq!(zone(&exact, 2.0), Zone::Inside);
    }
}
