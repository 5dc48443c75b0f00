//! Registers and bits to numbers. What a number means is the point's signal, which the engine knows.
//!
//! Every number becomes a 64-bit float. Integers up to 2^53 keep their exact value; a 64-bit integer
//! beyond that becomes the nearest float, which is off by at most one part in 2^53. A register that
//! cannot be a number (NaN, infinity) stays one that the engine takes for bad, and never becomes a zero.
//!
//! Byte orders name the bytes of a 32-bit value as they come over the wire, A being the most
//! significant. Other widths follow the same two switches, words reversed or not and bytes swapped
//! within each word or not:
//!
//! | order | 16 bit | 32 bit | 64 bit |
//! |---|---|---|---|
//! | `ABCD` | `AB` | `ABCD` | `ABCDEFGH` |
//! | `CDAB` | `AB` | `CDAB` | `GHEFCDAB` |
//! | `BADC` | `BA` | `BADC` | `BADCFEHG` |
//! | `DCBA` | `BA` | `DCBA` | `HGFEDCBA` |

use super::{ByteOrder, DataType, RegisterPoint, Table};
use crate::engine::reading::{Fault, Measured, Sample};

/// A complete, length-checked answer of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// From the two bit tables, first address first.
    Bits(Vec<bool>),
    /// From the two register tables, first address first.
    Registers(Vec<u16>),
}

/// How many addresses of `table` a value takes: 1 in the bit tables, 1, 2 or 4 registers else.
pub const fn width(table: Table, data_type: DataType) -> u16 {
    match table {
        Table::Coil | Table::Discrete => 1,
        Table::Holding | Table::Input => match data_type {
            DataType::Bool | DataType::Int16 | DataType::Uint16 => 1,
            DataType::Int32 | DataType::Uint32 | DataType::Float32 => 2,
            DataType::Int64 | DataType::Uint64 | DataType::Float64 => 4,
        },
    }
}

/// The number of `point` in an `answer` that begins at `address`. An answer that does not hold the
/// whole value, or is of the wrong sort, gives [`Fault::ConfigurationError`].
pub fn measured(answer: &Answer, address: u16, point: &RegisterPoint) -> Measured {
    raw(answer, address, point).map_or(
        Measured::Sample(Sample::Bad(Fault::ConfigurationError)),
        Measured::Raw,
    )
}

/// `None` when the answer does not hold the number.
fn raw(answer: &Answer, address: u16, point: &RegisterPoint) -> Option<f64> {
    let start = usize::from(point.address.checked_sub(address)?);
    match answer {
        Answer::Bits(bits) => bits.get(start).map(|&bit| f64::from(u8::from(bit))),
        Answer::Registers(registers) => {
            let end = start + usize::from(width(point.table, point.data_type));
            number(registers.get(start..end)?, point.data_type, point.order)
        }
    }
}

/// The number in `registers`, which must be exactly as many as the type takes; else `None`.
#[expect(
    clippy::cast_precision_loss,
    reason = "64-bit integers beyond 2^53 become the nearest float, as the module says"
)]
pub fn number(registers: &[u16], data_type: DataType, order: ByteOrder) -> Option<f64> {
    Some(match data_type {
        DataType::Bool => f64::from(u8::from(bytes::<2>(registers, order)? != [0; 2])),
        DataType::Int16 => f64::from(i16::from_be_bytes(bytes(registers, order)?)),
        DataType::Uint16 => f64::from(u16::from_be_bytes(bytes(registers, order)?)),
        DataType::Int32 => f64::from(i32::from_be_bytes(bytes(registers, order)?)),
        DataType::Uint32 => f64::from(u32::from_be_bytes(bytes(registers, order)?)),
        DataType::Int64 => i64::from_be_bytes(bytes(registers, order)?) as f64,
        DataType::Uint64 => u64::from_be_bytes(bytes(registers, order)?) as f64,
        DataType::Float32 => f64::from(f32::from_be_bytes(bytes(registers, order)?)),
        DataType::Float64 => f64::from_be_bytes(bytes(registers, order)?),
    })
}

/// The bytes of `registers`, most significant first; `None` unless there are exactly `N`.
fn bytes<const N: usize>(registers: &[u16], order: ByteOrder) -> Option<[u8; N]> {
    let (words_reversed, bytes_swapped) = match order {
        ByteOrder::Abcd => (false, false),
        ByteOrder::Cdab => (true, false),
        ByteOrder::Badc => (false, true),
        ByteOrder::Dcba => (true, true),
    };
    if registers.len() * 2 != N {
        return None;
    }
    let mut bytes = [0; N];
    for (index, pair) in bytes.chunks_exact_mut(2).enumerate() {
        let source = if words_reversed {
            registers.len() - 1 - index
        } else {
            index
        };
        let word = *registers.get(source)?;
        pair.copy_from_slice(&if bytes_swapped {
            word.to_le_bytes()
        } else {
            word.to_be_bytes()
        });
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
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
    ];

    fn point(data_type: DataType, order: ByteOrder) -> RegisterPoint {
        RegisterPoint {
            point: PointIndex(0),
            table: Table::Holding,
            address: 100,
            data_type,
            order,
        }
    }

    #[test]
    fn every_type_in_every_order() {
        for (data_type, wires, expected) in TABLE {
            for (wire, order) in wires.iter().zip(ORDERS) {
                assert_eq!(
                    number(wire, *data_type, order).map(f64::to_bits),
                    Some(expected.to_bits()),
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
            let got = number(&registers, data_type, ByteOrder::Abcd).map(f64::to_bits);
            assert_eq!(got, Some(expected.to_bits()), "{registers:04X?}");
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
}
