//! The rules one by one, and what comes of them.

use super::*;

fn percent() -> Expected {
    Expected::between(0.0, 100.0)
}

#[test]
fn each_rule_is_held() {
    use DataType::{Bcd16, Float16, Float32, Float64, Int16, Uint16};
    for (data_type, number, before, verdict) in [
        (Float32, Some(3.2), Some(3.25), Verdict::Plausible),
        (Float32, Some(0.0), None, Verdict::Plausible),
        (Float32, Some(100.0), None, Verdict::Plausible),
        (Uint16, Some(1.0), Some(11.0), Verdict::Plausible),
        (Float32, Some(f64::NAN), None, Verdict::NoNumber),
        (Float32, Some(f64::INFINITY), None, Verdict::NoNumber),
        (Bcd16, None, None, Verdict::NoNumber),
        (Float32, Some(100.001), None, Verdict::Outside),
        (Int16, Some(-1.0), None, Verdict::Outside),
        (Float32, Some(4e-8), None, Verdict::Tiny),
        (Float64, Some(9.9e-5), None, Verdict::Tiny),
        (Float32, Some(1e-40), None, Verdict::Tiny),
        (Float16, Some(2_f64.powi(-15)), None, Verdict::Tiny),
        (Float32, Some(3.2), Some(14.0), Verdict::Unstable),
        (Float32, Some(3.2), Some(f64::NAN), Verdict::Unstable),
        (Uint16, Some(11.0), Some(0.0), Verdict::Unstable),
    ] {
        let judged = judge(data_type, number, before, percent());
        assert_eq!(judged, verdict, "{data_type:?} {number:?} {before:?}");
    }
}

#[test]
fn denormal_floats_are_tiny_in_any_range() {
    let narrow = Expected::between(0.0, 1e-300);
    assert_eq!(
        judge(DataType::Float64, Some(1e-310), None, narrow),
        Verdict::Tiny
    );
}

#[test]
fn units_say_what_to_expect() {
    assert_eq!(of_unit("%LEL"), Some(percent()));
    assert_eq!(of_unit(" mA ").map(|expected| expected.high), Some(24.0));
    assert_eq!(of_unit("°C").map(|expected| expected.low), Some(-273.15));
    assert_eq!(of_unit("furlong"), None);
    for (names, low, high) in UNITS {
        assert!(low < high, "{names:?}");
        for name in names {
            assert_eq!(*name, name.to_lowercase());
        }
    }
}

#[test]
fn what_passes_rarely_is_better_evidence() {
    let of = |data_type, order| evidence(data_type, order, 3.0, percent());
    use ByteOrder::{Abcd, Badc, Cdab, Dcba};
    let ranked = [
        of(DataType::Int32, Abcd),
        of(DataType::Uint16, Abcd),
        of(DataType::Float32, Abcd),
        of(DataType::Float32, Cdab),
        of(DataType::Float32, Badc),
        of(DataType::Float16, Abcd),
    ];
    assert!(ranked.is_sorted_by(|one, other| one > other), "{ranked:?}");
    assert!(of(DataType::Float32, Dcba) > 0.0);
    assert!(
        of(DataType::Float16, Abcd) <= 0.0,
        "nearly everything passes"
    );
    let zero = evidence(DataType::Int32, Abcd, 0.0, percent());
    assert!(zero <= 0.0, "zero is zero in every type: {zero}");
}

#[test]
fn without_a_range_small_whole_numbers_are_evidence() {
    let of = |data_type, number| evidence(data_type, ByteOrder::Abcd, number, Expected::ANY);
    let single = of(DataType::Float32, 3.0);
    assert!(single > 2.0);
    assert!(of(DataType::Uint16, 3.0) > single);
    assert!(of(DataType::Uint16, 52_429.0) <= 0.0);
    // Two small numbers, or one large one of both.
    let two = of(DataType::Uint16, 10.0) + of(DataType::Uint16, 11.0);
    assert!(two > of(DataType::Uint32, 655_371.0));
    assert_eq!(
        judge(DataType::Float32, Some(0.6), None, Expected::ANY),
        Verdict::Plausible
    );
}

#[test]
fn chosen_is_what_has_the_most_evidence_together() {
    let choice = |id, at, width, evidence| Choice {
        at,
        width,
        evidence,
        id,
    };
    for (length, choices, chosen) in [
        (0, vec![], vec![]),
        // Two of four are worth more than one of seven over both.
        (
            4,
            vec![
                choice(0, 0, 4, 7.0),
                choice(1, 0, 2, 4.0),
                choice(2, 2, 2, 4.0),
            ],
            vec![1, 2],
        ),
        (
            4,
            vec![
                choice(0, 0, 4, 9.0),
                choice(1, 0, 2, 4.0),
                choice(2, 2, 2, 4.0),
            ],
            vec![0],
        ),
        // What lies between is left out, and what has no evidence.
        (
            3,
            vec![choice(0, 1, 2, 4.0), choice(1, 0, 1, -1.0)],
            vec![0],
        ),
        // Of equal ones the first; nothing beyond the end.
        (
            2,
            vec![
                choice(5, 0, 1, 1.0),
                choice(6, 0, 1, 1.0),
                choice(7, 1, 2, 9.0),
            ],
            vec![5],
        ),
    ] {
        let ids: Vec<usize> = choose(length, &choices).iter().map(|c| c.id).collect();
        assert_eq!(ids, chosen);
    }
}
