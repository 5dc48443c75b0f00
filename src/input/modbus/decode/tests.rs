//! Registers against numbers worked out elsewhere.

use proptest::prelude::*;

use super::*;
use crate::engine::reading::PointIndex;

const ORDERS: [ByteOrder; 4] = [
    ByteOrder::Abcd,
    ByteOrder::Cdab,
    ByteOrder::Badc,
    ByteOrder::Dcba,
];

/// Registers as they come over the wire in the four orders, written by hand; the expected number
/// was worked out outside of Rust (struct.pack of Python).
#[rustfmt::skip]
const TABLE: &[(DataType, [&[u16]; 4], f64)] = &[
    (DataType::Bool,    [&[0x0000], &[0x0000], &[0x0000], &[0x0000]], 0.0),
    (DataType::Bool,    [&[0x0100], &[0x0001], &[0x8000], &[0xFFFF]], 1.0),
    (DataType::Int8Hi,  [&[0x80FE], &[0x80FE], &[0xFE80], &[0xFE80]], -128.0),
    (DataType::Int8Lo,  [&[0x80FE], &[0x80FE], &[0xFE80], &[0xFE80]], -2.0),
    (DataType::Int8Lo,  [&[0xFF7F], &[0xFF7F], &[0x7FFF], &[0x7FFF]], 127.0),
    (DataType::Uint8Hi, [&[0x80FE], &[0x80FE], &[0xFE80], &[0xFE80]], 128.0),
    (DataType::Uint8Lo, [&[0x80FE], &[0x80FE], &[0xFE80], &[0xFE80]], 254.0),
    (DataType::Int16,   [&[0xFFFE], &[0xFFFE], &[0xFEFF], &[0xFEFF]], -2.0),
    (DataType::Int16,   [&[0x8000], &[0x8000], &[0x0080], &[0x0080]], -32_768.0),
    (DataType::Uint16,  [&[0x1234], &[0x1234], &[0x3412], &[0x3412]], 4_660.0),
    (DataType::Uint16,  [&[0xFFFF], &[0xFFFF], &[0xFFFF], &[0xFFFF]], 65_535.0),
    (DataType::Int32,   [&[0xFFFE, 0x1DC0], &[0x1DC0, 0xFFFE], &[0xFEFF, 0xC01D], &[0xC01D, 0xFEFF]], -123_456.0),
    (DataType::Uint32,  [&[0x1234, 0x5678], &[0x5678, 0x1234], &[0x3412, 0x7856], &[0x7856, 0x3412]], 305_419_896.0),
    (DataType::Uint32,  [&[0xFFFF, 0xFFFE], &[0xFFFE, 0xFFFF], &[0xFFFF, 0xFEFF], &[0xFEFF, 0xFFFF]], 4_294_967_294.0),
    (DataType::Float32, [&[0x41C8, 0x0000], &[0x0000, 0x41C8], &[0xC841, 0x0000], &[0x0000, 0xC841]], 25.0),
    (DataType::Float32, [&[0xC2F6, 0xE979], &[0xE979, 0xC2F6], &[0xF6C2, 0x79E9], &[0x79E9, 0xF6C2]], -123.456_001_281_738_28),
    (DataType::Int64,   [&[0xFFFF, 0xFFFF, 0xFFFE, 0x1DC0], &[0x1DC0, 0xFFFE, 0xFFFF, 0xFFFF],
                         &[0xFFFF, 0xFFFF, 0xFEFF, 0xC01D], &[0xC01D, 0xFEFF, 0xFFFF, 0xFFFF]], -123_456.0),
    (DataType::Uint64,  [&[0x0001, 0x0203, 0x0405, 0x0607], &[0x0607, 0x0405, 0x0203, 0x0001],
                         &[0x0100, 0x0302, 0x0504, 0x0706], &[0x0706, 0x0504, 0x0302, 0x0100]], 283_686_952_306_183.0),
    (DataType::Float64, [&[0x4009, 0x21FB, 0x5444, 0x2D18], &[0x2D18, 0x5444, 0x21FB, 0x4009],
                         &[0x0940, 0xFB21, 0x4454, 0x182D], &[0x182D, 0x4454, 0xFB21, 0x0940]], std::f64::consts::PI),
    (DataType::Float16, [&[0x4A40], &[0x4A40], &[0x404A], &[0x404A]], 12.5),
    (DataType::Float16, [&[0xC900], &[0xC900], &[0x00C9], &[0x00C9]], -10.0),
    (DataType::Bcd16,   [&[0x1234], &[0x1234], &[0x3412], &[0x3412]], 1_234.0),
    (DataType::Bcd32,   [&[0x1234, 0x5678], &[0x5678, 0x1234], &[0x3412, 0x7856], &[0x7856, 0x3412]], 12_345_678.0),
    (DataType::Bcd64,   [&[0x1234, 0x5678, 0x9012, 0x3456], &[0x3456, 0x9012, 0x5678, 0x1234],
                         &[0x3412, 0x7856, 0x1290, 0x5634], &[0x5634, 0x1290, 0x7856, 0x3412]], 1_234_567_890_123_456.0),
];

fn point(data_type: DataType, order: ByteOrder) -> RegisterPoint {
    RegisterPoint {
        point: PointIndex(0),
        table: Table::Holding,
        address: 100,
        data_type,
        order,
        bits: None,
        poll: std::time::Duration::from_secs(1),
        hazard: false,
    }
}

#[test]
fn every_type_in_every_order() {
    for (data_type, wires, expected) in TABLE {
        for (wire, order) in wires.iter().zip(ORDERS) {
            assert_eq!(
                number(wire, *data_type, order, None).map(f64::to_bits),
                Ok(expected.to_bits()),
                "{data_type:?} {order:?} {wire:04X?}"
            );
            assert_eq!(
                usize::from(width(Table::Input, *data_type)),
                wire.len(),
                "width of {data_type:?}"
            );
        }
    }
}

#[test]
fn integers_beyond_the_exact_range_become_the_nearest_float() {
    let cases: [(DataType, [u16; 4], f64); 4] = [
        // 2^53 is exact; 2^53 + 1 lies between two floats and goes to the even one.
        (DataType::Uint64, [0x0020, 0, 0, 0], 9_007_199_254_740_992.0),
        (DataType::Uint64, [0x0020, 0, 0, 1], 9_007_199_254_740_992.0),
        (DataType::Uint64, [0xFFFF; 4], 18_446_744_073_709_551_616.0),
        (
            DataType::Int64,
            [0x8000, 0, 0, 0],
            -9_223_372_036_854_775_808.0,
        ),
    ];
    for (data_type, registers, expected) in cases {
        let got = number(&registers, data_type, ByteOrder::Abcd, None).map(f64::to_bits);
        assert_eq!(got, Ok(expected.to_bits()), "{registers:04X?}");
    }
}

#[test]
fn halves_over_their_whole_range() {
    for (bits, expected) in [
        (0x0000, 0.0),
        (0x8000, -0.0),
        // The least number, the greatest below 2^-14, and the least with a full fraction.
        (0x0001, 5.960_464_477_539_063e-8),
        (0x03FF, 6.097_555_160_522_461e-5),
        (0x0400, 6.103_515_625e-5),
        (0x8001, -5.960_464_477_539_063e-8),
        (0x3555, 0.333_251_953_125),
        (0x3C00, 1.0),
        (0x7BFF, 65_504.0),
        (0x7C00, f64::INFINITY),
        (0xFC00, f64::NEG_INFINITY),
    ] {
        assert_eq!(half(bits).to_bits(), f64::to_bits(expected), "{bits:04X}");
    }
    for bits in [0x7C01, 0x7E00, 0x7FFF, 0xFC01, 0xFFFF] {
        assert!(half(bits).is_nan(), "{bits:04X}");
    }
}

#[test]
fn a_digit_beyond_nine_is_no_number() {
    for (registers, data_type) in [
        (&[0x123A][..], DataType::Bcd16),
        (&[0xA000], DataType::Bcd16),
        (&[0xFFFF], DataType::Bcd16),
        (&[0x1234, 0x56F8], DataType::Bcd32),
        (&[0, 0, 0x00B0, 0], DataType::Bcd64),
    ] {
        let found = number(registers, data_type, ByteOrder::Abcd, None);
        assert_eq!(found, Err(Fault::SensorFailure), "{registers:04X?}");
    }
}

#[test]
fn bits_are_those_of_the_number() {
    let take = |registers: &[u16], data_type, order, (lowest, count)| {
        number(registers, data_type, order, Some(Bits { lowest, count }))
    };
    use ByteOrder::{Abcd, Badc, Cdab};
    use DataType::{Bool, Uint16, Uint32, Uint64};
    // 0xA5C3: 1010 0101 1100 0011.
    for (registers, data_type, order, bits, expected) in [
        (&[0xA5C3][..], Bool, Abcd, (0, 1), 1.0),
        (&[0xA5C3], Bool, Abcd, (2, 1), 0.0),
        (&[0xA5C3], Bool, Abcd, (15, 1), 1.0),
        (&[0xA5C3], Uint16, Abcd, (0, 4), 3.0),
        (&[0xA5C3], Uint16, Abcd, (4, 4), 12.0),
        (&[0xA5C3], Uint16, Abcd, (6, 5), 23.0),
        (&[0xA5C3], Uint16, Abcd, (0, 16), 42_435.0),
        (&[0xC3A5], Uint16, Badc, (4, 4), 12.0),
        // A field over the seam between two registers.
        (&[0x0001, 0x8000], Uint32, Abcd, (15, 2), 3.0),
        (&[0x8000, 0x0001], Uint32, Cdab, (15, 2), 3.0),
        (&[0x8000, 0, 0, 0], Uint64, Abcd, (63, 1), 1.0),
        (&[0, 0, 0, 0xFFFF], Uint64, Abcd, (0, 64), 65_535.0),
    ] {
        let found = take(registers, data_type, order, bits);
        assert_eq!(
            found.map(f64::to_bits),
            Ok(f64::to_bits(expected)),
            "{bits:?}"
        );
    }
}

#[test]
fn what_is_no_number_stays_none() {
    let no_number = |answer, point: &RegisterPoint| match measured(&answer, 100, point) {
        Measured::Raw(number) => !number.is_finite(),
        Measured::Sample(_) => false,
    };
    for registers in [[0x7FC0, 0], [0xFFFF, 0xFFFF], [0x7F80, 0], [0xFF80, 0]] {
        let answer = Answer::Registers(registers.to_vec());
        let point = point(DataType::Float32, ByteOrder::Abcd);
        assert!(no_number(answer, &point), "{registers:04X?}");
    }
    let answer = Answer::Registers(vec![0x7FF8, 0, 0, 0]);
    assert!(no_number(
        answer,
        &point(DataType::Float64, ByteOrder::Abcd)
    ));
}

#[test]
fn a_value_that_is_not_wholly_in_the_answer_is_bad() {
    let point = point(DataType::Uint32, ByteOrder::Abcd);
    let bad = Measured::Sample(Sample::Bad(Fault::ConfigurationError));
    let cases = [
        (Answer::Registers(vec![]), 100),
        (Answer::Registers(vec![1]), 100),
        (Answer::Registers(vec![1, 2]), 99),
        (Answer::Registers(vec![1, 2]), 101),
        (Answer::Registers(vec![1, 2]), 0),
        (Answer::Bits(vec![]), 100),
    ];
    for (answer, address) in cases {
        assert_eq!(measured(&answer, address, &point), bad, "{answer:?}");
    }
}

#[test]
fn a_number_is_taken_from_its_place() {
    let mut point = point(DataType::Int16, ByteOrder::Abcd);
    let answer = Answer::Registers(vec![9999, 9999, 250, 9999]);
    assert_eq!(measured(&answer, 98, &point), Measured::Raw(250.0));

    point.table = Table::Discrete;
    point.data_type = DataType::Bool;
    let answer = Answer::Bits(vec![false, true]);
    assert_eq!(measured(&answer, 99, &point), Measured::Raw(1.0));
    assert_eq!(measured(&answer, 100, &point), Measured::Raw(0.0));
    let nothing = Sample::Bad(Fault::ConfigurationError);
    assert_eq!(measured(&answer, 90, &point), nothing.into());
}

const TYPES: [DataType; 17] = [
    DataType::Bool,
    DataType::Int8Hi,
    DataType::Int8Lo,
    DataType::Uint8Hi,
    DataType::Uint8Lo,
    DataType::Int16,
    DataType::Uint16,
    DataType::Int32,
    DataType::Uint32,
    DataType::Int64,
    DataType::Uint64,
    DataType::Float16,
    DataType::Float32,
    DataType::Float64,
    DataType::Bcd16,
    DataType::Bcd32,
    DataType::Bcd64,
];

proptest! {
    /// Whatever a device sends: a number, or a fault, and a number only of as many registers as it takes.
    #[test]
    fn no_content_of_registers_does_harm(
        registers in prop::collection::vec(prop_oneof![any::<u16>(), Just(0xFFFF), Just(0x7F80), Just(0)], 0..6),
        data_type in prop::sample::select(&TYPES[..]),
        order in prop::sample::select(&ORDERS[..]),
        bits in prop::option::of((any::<u8>(), any::<u8>())),
    ) {
        let bits = bits.map(|(lowest, count)| Bits { lowest, count });
        let found = number(&registers, data_type, order, bits);
        let complete = registers.len() == usize::from(data_type.registers());
        prop_assert_eq!(found == Err(Fault::ConfigurationError), !complete);
        let is_float = matches!(data_type, DataType::Float16 | DataType::Float32 | DataType::Float64);
        if let Ok(number) = found {
            prop_assert!(is_float || number.is_finite());
        }
    }

    /// A decimal number is read as its digits are written, and one with a letter in it not at all.
    #[test]
    fn decimals_are_read_as_they_are_written(pattern in any::<u32>()) {
        let registers = [(pattern >> 16) as u16, (pattern & 0xFFFF) as u16];
        let written = format!("{pattern:x}");
        let found = number(&registers, DataType::Bcd32, ByteOrder::Abcd, None);
        prop_assert_eq!(found.ok(), written.parse::<u32>().ok().map(f64::from));
    }
}
