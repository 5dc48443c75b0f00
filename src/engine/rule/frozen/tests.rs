//! Runs, gates, and a model that looks back.

use std::time::Duration;

use proptest::prelude::*;

use super::super::super::reading::{Finite, Sample};
use super::*;

const AFTER: u64 = 10;

fn frozen(tolerance: f64, rests_at_zero: bool) -> Frozen {
    Frozen::new(FrozenRule {
        after: Duration::from_secs(AFTER),
        tolerance,
        rests_at_zero,
        gate: None,
    })
}

fn at(second: u64) -> Mono {
    Mono::ZERO + Duration::from_secs(second)
}

/// A value; `fresh`: it was read now, and does not only hold.
fn look(value: f64, second: u64, fresh: bool) -> Look {
    let value = Finite::new(value).expect("a number");
    Look {
        taken: fresh.then(|| at(second)),
        now: at(second),
        ..Look::at(value, Sample::Good(value))
    }
}

/// One value a second with the gate open; the seconds at which it was frozen.
fn frozen_at(frozen: &mut Frozen, values: &[f64]) -> Vec<u64> {
    let mut seconds = Vec::new();
    for (value, second) in values.iter().zip(0..) {
        if frozen.zone(&look(*value, second, true), Some(true)) == Zone::Beyond {
            seconds.push(second);
        }
    }
    seconds
}

#[test]
fn the_tolerance_itself_is_no_movement_and_more_is() {
    for (tolerance, other, moves) in [
        (0.5, 5.5, false),
        (0.5, 5.6, true),
        (0.5, 4.4, true),
        (0.0, 5.0, false),
        (0.0, 5.000_001, true),
    ] {
        let mut frozen = frozen(tolerance, false);
        let mut values = vec![5.0; 9];
        values.extend([other, 5.0, 5.0]);
        let seconds = frozen_at(&mut frozen, &values);
        let expected: &[u64] = if moves { &[] } else { &[10, 11] };
        assert_eq!(seconds, expected, "{tolerance} {other}");
    }
}

#[test]
fn a_creep_moves_as_soon_as_it_is_more_than_the_tolerance() {
    let creep: Vec<f64> = (0..30).map(|second| f64::from(second) * 0.2).collect();
    assert_eq!(
        frozen_at(&mut frozen(1.0, false), &creep),
        Vec::<u64>::new()
    );
    let slower: Vec<f64> = (0..30).map(|second| f64::from(second) * 0.05).collect();
    assert_eq!(
        frozen_at(&mut frozen(1.0, false), &slower),
        (10..=20).collect::<Vec<u64>>()
    );
}

#[test]
fn time_alone_is_not_enough() {
    let mut frozen = frozen(0.0, false);
    for (second, expected) in [
        (0, Zone::Unknown),
        (20, Zone::Unknown),
        (40, Zone::Unknown),
        (60, Zone::Unknown),
        (80, Zone::Beyond),
    ] {
        let zone = frozen.zone(&look(5.0, second, true), Some(true));
        assert_eq!(zone, expected, "{second}");
    }
}

#[test]
fn a_value_that_only_holds_is_no_value_of_the_run() {
    let mut frozen = frozen(0.0, false);
    for second in 0..4 {
        frozen.zone(&look(5.0, second, true), Some(true));
    }
    for second in 4..60 {
        let zone = frozen.zone(&look(5.0, second, false), Some(true));
        assert_eq!(zone, Zone::Unknown, "{second}");
    }
    let zone = frozen.zone(&look(5.0, 60, true), Some(true));
    assert_eq!(zone, Zone::Beyond, "the fifth");
}

#[test]
fn a_closed_gate_and_an_unknown_one_judge_nothing_and_time_begins_anew() {
    for closed in [Some(false), None] {
        let mut frozen = frozen(0.0, false);
        let mut zone = |second, open| frozen.zone(&look(5.0, second, true), open);
        for second in 0..100 {
            assert_eq!(zone(second, closed), Zone::Unknown);
        }
        for second in 100..110 {
            assert_eq!(zone(second, Some(true)), Zone::Unknown, "{second}");
        }
        assert_eq!(zone(110, Some(true)), Zone::Beyond);
        assert_eq!(zone(111, closed), Zone::Unknown, "holds");
        assert_eq!(zone(112, Some(true)), Zone::Unknown, "begins anew");
    }
}

#[test]
fn movement_clears_behind_a_closed_gate_and_not_behind_an_unknown_one() {
    for (open, expected) in [
        (Some(true), Zone::Inside),
        (Some(false), Zone::Inside),
        (None, Zone::Unknown),
    ] {
        let mut frozen = frozen(0.0, false);
        frozen_at(&mut frozen, &[5.0; 12]);
        assert_eq!(
            frozen.zone(&look(6.0, 12, true), open),
            expected,
            "{open:?}"
        );
        assert_eq!(
            frozen.zone(&look(6.0, 13, true), open),
            expected,
            "{open:?}"
        );
    }
}

#[test]
fn a_gate_that_closes_is_no_movement_whatever_moved_before() {
    for moved_before in [false, true] {
        let mut frozen = frozen(0.0, false);
        if moved_before {
            frozen.zone(&look(4.0, 0, true), Some(true));
        }
        for second in 1..=11 {
            frozen.zone(&look(5.0, second, true), Some(true));
        }
        for second in 12..30 {
            let zone = frozen.zone(&look(5.0, second, true), Some(false));
            assert_eq!(zone, Zone::Unknown, "{moved_before} {second}");
        }
        let zone = frozen.zone(&look(6.0, 30, true), Some(false));
        assert_eq!(zone, Zone::Inside, "{moved_before}");
    }
}

#[test]
fn what_was_lost_begins_anew_and_proves_nothing() {
    let mut frozen = frozen(0.0, false);
    frozen_at(&mut frozen, &[5.0; 9]);
    frozen.lose();
    assert_eq!(frozen.due(), None);
    for second in 9..19 {
        let zone = frozen.zone(&look(7.0, second, true), Some(true));
        assert_eq!(zone, Zone::Unknown, "{second}: not moved, only another");
    }
    assert_eq!(frozen.zone(&look(7.0, 19, true), Some(true)), Zone::Beyond);
    let held = Look {
        held: true,
        ..look(100.0, 20, true)
    };
    assert_eq!(frozen.zone(&held, Some(true)), Zone::Unknown);
    assert_eq!(frozen.due(), None, "a value that means nothing is none");
}

#[test]
fn zero_is_the_rest_of_a_gas_detector_and_of_nothing_else() {
    for (rests, value, expected) in [
        (true, 0.0, false),
        (true, 0.5, false),
        (true, -0.5, false),
        (true, 0.6, true),
        (false, 0.0, true),
    ] {
        let mut frozen = frozen(0.5, rests);
        let seconds = frozen_at(&mut frozen, &[value; 12]);
        assert_eq!(!seconds.is_empty(), expected, "{rests} {value}");
    }
    // It was stuck, and has come back to rest.
    let mut frozen = frozen(0.5, true);
    frozen_at(&mut frozen, &[3.0; 12]);
    assert_eq!(frozen.zone(&look(0.0, 12, true), Some(true)), Zone::Inside);
    for second in 13..60 {
        let zone = frozen.zone(&look(0.0, second, true), Some(true));
        assert_eq!(zone, Zone::Inside, "{second}");
    }
}

proptest! {
    /// Frozen exactly when the values since the last movement go back far enough: found by looking back.
    #[test]
    fn agrees_with_looking_back(
        values in prop::collection::vec(0_u8..4, 1..120), tolerance in 0_u8..3,
    ) {
        let values: Vec<f64> = values.into_iter().map(f64::from).collect();
        let tolerance = f64::from(tolerance);
        let mut expected = Vec::new();
        let mut begin = 0;
        for now in 0..values.len() {
            let run = &values[begin..=now];
            let spread = run.iter().fold(f64::MIN, |a, b| a.max(*b))
                - run.iter().fold(f64::MAX, |a, b| a.min(*b));
            if spread > tolerance {
                begin = now;
            }
            if (now - begin) as u64 >= AFTER {
                expected.push(now as u64);
            }
        }
        prop_assert_eq!(frozen_at(&mut frozen(tolerance, false), &values), expected);
    }
}
