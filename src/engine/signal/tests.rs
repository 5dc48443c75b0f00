//! Bands, bounds, curves and codes, at their edges.

use proptest::prelude::*;

use super::*;
use crate::engine::reading::Quality;

fn told(signal: &Signal, measured: impl Into<Measured>) -> (Quality, Option<f64>) {
    match signal.condition(measured.into()) {
        Conditioned::Sample(sample) => (sample.quality(), sample.value().map(Finite::get)),
        Conditioned::FaultCurrent(_) => (Quality::Bad, Some(f64::INFINITY)),
    }
}

#[test]
fn what_a_loop_cannot_measure_stays_so_when_it_is_kept_to_the_range() {
    let signal = Signal {
        conversion: Conversion::CurrentLoop(CurrentLoop {
            milliamps: Scaling::IDENTITY,
            range: (0.0, 160.0),
            curve: Curve::Linear,
            fault_low: CurrentLoop::FAULTS.0,
            fault_high: CurrentLoop::FAULTS.1,
            special: [].into(),
        }),
        clamp: Some(Bounds {
            low: 0.0,
            high: 160.0,
        }),
        ..Signal::plain()
    };
    for (current, value, doubt) in [
        (3.7, 0.0, Doubt::EngineeringUnitsExceeded),
        (3.9, 0.0, Doubt::Clamped),
        (20.4, 160.0, Doubt::Clamped),
        (20.8, 160.0, Doubt::EngineeringUnitsExceeded),
    ] {
        let value = Finite::new(value).expect("the table holds numbers");
        let expected = Conditioned::Sample(Sample::Uncertain(value, doubt));
        let found = signal.condition(Measured::Raw(current));
        assert_eq!(found, expected, "{current} mA");
    }
}

#[test]
fn two_ranges_meet_at_their_ends() {
    for (raw, value) in [
        ((0.0, 27_648.0), (0.0, 16.0)),
        ((0.1, 0.3), (-0.7, 0.1)),
        ((32_767.0, -32_768.0), (0.3, 100.1)),
    ] {
        let signal = Signal {
            conversion: Conversion::Ranges {
                raw,
                value,
                curve: Curve::Linear,
            },
            ..Signal::plain()
        };
        for (at, expected) in [(raw.0, value.0), (raw.1, value.1)] {
            let (_, found) = told(&signal, Measured::Raw(at));
            assert_eq!(found.map(f64::to_bits), Some(expected.to_bits()), "{raw:?}");
        }
    }
}

#[test]
fn markers_bounds_and_clamps() {
    let signal = Signal {
        conversion: Conversion::Scale(Scaling {
            scale: 0.1,
            offset: 0.0,
        }),
        invalid_raw: [-32_768.0, 0.0].into(),
        valid: Some(Bounds {
            low: -5.0,
            high: 200.0,
        }),
        clamp: Some(Bounds {
            low: 0.0,
            high: 100.0,
        }),
        ..Signal::plain()
    };
    for (measured, expected) in [
        (Measured::Raw(-32_768.0), (Quality::Bad, None)),
        // A zero has two signs and is one marker.
        (Measured::Raw(-0.0), (Quality::Bad, None)),
        (Measured::Raw(1000.0), (Quality::Good, Some(100.0))),
        (Measured::Raw(1001.0), (Quality::Uncertain, Some(100.0))),
        (Measured::Raw(2001.0), (Quality::Bad, None)),
        (Measured::Raw(-10.0), (Quality::Uncertain, Some(0.0))),
        (Measured::Raw(-51.0), (Quality::Bad, None)),
        (Measured::Raw(f64::NAN), (Quality::Bad, None)),
        (Measured::Raw(f64::MAX), (Quality::Bad, None)),
        // A value in the point's unit has no markers, but must be possible, too.
        (Sample::measured(-32_768.0).into(), (Quality::Bad, None)),
        (Sample::measured(50.0).into(), (Quality::Good, Some(50.0))),
        (
            Sample::Bad(Fault::DeviceFailure).into(),
            (Quality::Bad, None),
        ),
    ] {
        assert_eq!(told(&signal, measured), expected, "{measured:?}");
    }
}

#[test]
fn what_overflows_is_bad() {
    let signal = Signal {
        conversion: Conversion::Scale(Scaling {
            scale: 1e300,
            offset: 0.0,
        }),
        ..Signal::plain()
    };
    assert_eq!(told(&signal, Measured::Raw(1e300)), (Quality::Bad, None));
}

fn rooted(raw: (f64, f64)) -> Signal {
    Signal {
        conversion: Conversion::Ranges {
            raw,
            value: (0.0, 160.0),
            curve: Curve::SquareRoot,
        },
        ..Signal::plain()
    }
}

#[test]
fn a_flow_is_the_root_of_a_difference() {
    use Quality::{Bad, Good, Uncertain};
    for (raw, expected) in [
        (-10_000.0, (Bad, None)),
        (-501.0, (Bad, None)),
        (-500.0, (Uncertain, Some(0.0))),
        (-126.0, (Uncertain, Some(0.0))),
        (-125.0, (Good, Some(0.0))),
        (-1.0, (Good, Some(0.0))),
        (0.0, (Good, Some(0.0))),
        (1.0, (Good, Some(1.6))),
        (100.0, (Good, Some(16.0))),
        (2_500.0, (Good, Some(80.0))),
        (10_000.0, (Good, Some(160.0))),
        // Beyond its range it goes on, for an alarm must see it.
        (40_000.0, (Good, Some(320.0))),
        (f64::NAN, (Bad, None)),
        (f64::INFINITY, (Bad, None)),
        (f64::NEG_INFINITY, (Bad, None)),
    ] {
        assert_eq!(
            told(&rooted((0.0, 10_000.0)), Measured::Raw(raw)),
            expected,
            "{raw}"
        );
    }
    // A card that counts down.
    let down = rooted((10_000.0, 0.0));
    assert_eq!(told(&down, Measured::Raw(7_500.0)), (Good, Some(80.0)));
}

#[test]
fn a_loop_may_carry_the_difference() {
    use Quality::{Good, Uncertain};
    let signal = Signal {
        conversion: Conversion::CurrentLoop(CurrentLoop {
            milliamps: Scaling::IDENTITY,
            range: (0.0, 160.0),
            curve: Curve::SquareRoot,
            fault_low: CurrentLoop::FAULTS.0,
            fault_high: CurrentLoop::FAULTS.1,
            special: [].into(),
        }),
        ..Signal::plain()
    };
    for (current, expected) in [
        (3.7, (Uncertain, Some(0.0))),
        (3.8, (Good, Some(0.0))),
        (3.9, (Good, Some(0.0))),
        (4.0, (Good, Some(0.0))),
        (8.0, (Good, Some(80.0))),
        (13.0, (Good, Some(120.0))),
        (20.0, (Good, Some(160.0))),
    ] {
        assert_eq!(
            told(&signal, Measured::Raw(current)),
            expected,
            "{current} mA"
        );
    }
    assert_eq!(
        signal.condition(Measured::Raw(3.5)),
        Conditioned::FaultCurrent(Fault::SensorFailure)
    );
}

/// A lying tank: its volume by the height of the liquid, and a thermistor, which falls.
const TANK: [(f64, f64); 4] = [(0.0, 0.0), (500.0, 4.0), (1_500.0, 16.0), (2_000.0, 20.0)];
const THERMISTOR: [(f64, f64); 3] = [(100.0, 150.0), (1_000.0, 75.0), (10_000.0, 25.0)];

fn tabled(rows: &[(f64, f64)]) -> Signal {
    Signal {
        conversion: Conversion::Table(rows.into()),
        ..Signal::plain()
    }
}

#[test]
fn a_table_has_values_between_its_rows_and_none_beyond() {
    use Quality::{Bad, Good};
    for (rows, raw, expected) in [
        (&TANK[..], 0.0, (Good, Some(0.0))),
        (&TANK, 250.0, (Good, Some(2.0))),
        (&TANK, 500.0, (Good, Some(4.0))),
        (&TANK, 1_000.0, (Good, Some(10.0))),
        (&TANK, 2_000.0, (Good, Some(20.0))),
        (&TANK, -0.1, (Bad, None)),
        (&TANK, 2_000.1, (Bad, None)),
        (&TANK, f64::NAN, (Bad, None)),
        (&TANK, f64::INFINITY, (Bad, None)),
        (&TANK, f64::NEG_INFINITY, (Bad, None)),
        (&THERMISTOR, 550.0, (Good, Some(112.5))),
        (&THERMISTOR, 5_500.0, (Good, Some(50.0))),
        (&THERMISTOR, 99.0, (Bad, None)),
        // Nothing is known.
        (&[], 1.0, (Bad, None)),
    ] {
        assert_eq!(told(&tabled(rows), Measured::Raw(raw)), expected, "{raw}");
    }
}

/// The state of a detector.
fn code() -> Signal {
    let meanings = [(0.0, "stopped"), (1.0, "running"), (-1.0, "fault")];
    Signal {
        meanings: meanings
            .map(|(value, name)| Meaning {
                value,
                name: name.into(),
            })
            .into(),
        ..Signal::plain()
    }
}

#[test]
fn a_number_without_a_meaning_is_bad() {
    use Quality::{Bad, Good};
    for (raw, expected) in [
        (0.0, (Good, Some(0.0))),
        (1.0, (Good, Some(1.0))),
        (-1.0, (Good, Some(-1.0))),
        (2.0, (Bad, None)),
        (0.5, (Bad, None)),
        (f64::NAN, (Bad, None)),
    ] {
        assert_eq!(told(&code(), Measured::Raw(raw)), expected, "{raw}");
        let already = Sample::measured(raw);
        assert_eq!(told(&code(), already), expected, "{raw} as a value");
    }
}

fn conditioned(signal: &Signal, raw: f64) -> Option<Sample> {
    match signal.condition(Measured::Raw(raw)) {
        Conditioned::Sample(sample) => Some(sample),
        Conditioned::FaultCurrent(_) => None,
    }
}

proptest! {
    /// Every number there is: nothing panics, a marker never becomes a value, what comes of a table lies
    /// between its values, what comes of a root is never less than nothing, and a code has a meaning.
    #[test]
    fn no_raw_number_does_harm(
        raw in prop_oneof![any::<f64>(), -3_000.0..3_000.0_f64, (-9_i8..9).prop_map(f64::from)],
        which in 0..4_usize,
    ) {
        let signal = [rooted((0.0, 1_000.0)), tabled(&TANK), tabled(&THERMISTOR), code()][which].clone();
        let value = conditioned(&signal, raw).and_then(Sample::value).map(Finite::get);
        if let Some(value) = value {
            let right = match which {
                0 => value >= 0.0,
                1 => (0.0..=20.0).contains(&value),
                2 => (25.0..=150.0).contains(&value),
                _ => [0.0, 1.0, -1.0].contains(&value),
            };
            prop_assert!(right, "{raw} became {value}");
        }
        let marked = Signal {
            invalid_raw: [raw].into(),
            ..signal
        };
        prop_assert_eq!(conditioned(&marked, raw), Some(Sample::Bad(Fault::SensorFailure)));
    }
}

/// Both ends of a table belong to it, wherever they lie.
#[test]
fn a_table_holds_from_its_first_row_to_its_last() {
    let rows = [(4.0, 10.0), (12.0, 14.0), (20.0, 30.0)];
    for (raw, expected) in [
        (3.999, None),
        (4.0, Some(10.0)),
        (8.0, Some(12.0)),
        (12.0, Some(14.0)),
        (20.0, Some(30.0)),
        (20.001, None),
    ] {
        let found = look_up(&rows, raw);
        assert_eq!(found.is_some(), expected.is_some(), "{raw}");
        let off = found.unwrap_or_default() - expected.unwrap_or_default();
        assert!(off.abs() < 1e-9, "{raw}: {found:?}");
    }
}
