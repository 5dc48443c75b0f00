//! How a value becomes registers: types and byte orders.
//!
//! Registers travel big endian. The order names where the bytes A (most significant) to D of a 32-bit
//! value stand in its two registers; 64-bit values follow the same pattern over four, and of 16-bit
//! values only the swap inside the word is left.

use std::str::FromStr;

use crate::notation::NotationError;

/// The type of a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the types")]
pub enum Type {
    Bool,
    Int16,
    Uint16,
    Int32,
    Uint32,
    Int64,
    Uint64,
    Float32,
    Float64,
}

/// Where the bytes of a value stand in its registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Big endian.
    Abcd,
    /// Words swapped.
    Cdab,
    /// Bytes swapped inside words.
    Badc,
    /// Both swapped: little endian.
    Dcba,
}

impl Type {
    /// Registers one value takes.
    pub fn registers(self) -> u16 {
        match self {
            Self::Bool | Self::Int16 | Self::Uint16 => 1,
            Self::Int32 | Self::Uint32 | Self::Float32 => 2,
            Self::Int64 | Self::Uint64 | Self::Float64 => 4,
        }
    }

    /// The registers of a value in an order.
    ///
    /// Integers are rounded and stop at the ends of their scale, as an instrument does. `None`, a sensor
    /// without a value, becomes NaN or the sentinel of SunSpec for the type: the lowest signed or the
    /// highest unsigned number; `bool` knows none and stays 0.
    pub fn encode(self, value: Option<f64>, order: Order) -> Vec<u16> {
        let bytes = match self {
            Self::Bool => vec![0, u8::from(value.is_some_and(is_set))],
            Self::Int16 => integer(value, i16::MIN.into(), i16::MIN.into(), i16::MAX.into(), 2),
            Self::Uint16 => integer(value, u16::MAX.into(), 0, u16::MAX.into(), 2),
            Self::Int32 => integer(value, i32::MIN.into(), i32::MIN.into(), i32::MAX.into(), 4),
            Self::Uint32 => integer(value, u32::MAX.into(), 0, u32::MAX.into(), 4),
            Self::Int64 => integer(value, i64::MIN.into(), i64::MIN.into(), i64::MAX.into(), 8),
            Self::Uint64 => integer(value, u64::MAX.into(), 0, u64::MAX.into(), 8),
            Self::Float32 => single(value.unwrap_or(f64::NAN)).to_be_bytes().to_vec(),
            Self::Float64 => value.unwrap_or(f64::NAN).to_be_bytes().to_vec(),
        };
        let mut words: Vec<u16> = bytes
            .chunks_exact(2)
            .map(|pair| match order {
                Order::Abcd | Order::Cdab => u16::from_be_bytes([pair[0], pair[1]]),
                Order::Badc | Order::Dcba => u16::from_le_bytes([pair[0], pair[1]]),
            })
            .collect();
        if matches!(order, Order::Cdab | Order::Dcba) {
            words.reverse();
        }
        words
    }
}

/// Whether a waveform's value counts as an energized bit.
pub(super) fn is_set(value: f64) -> bool {
    value >= 0.5
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a 32-bit instrument has no more digits; beyond its range it shows infinity"
)]
fn single(value: f64) -> f32 {
    value as f32
}

/// The low `width` bytes of the rounded value, within `min..=max`.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the cast rounds towards the ends of i128, and the clamp follows"
)]
fn integer(value: Option<f64>, sentinel: i128, min: i128, max: i128, width: usize) -> Vec<u8> {
    let number = value.map_or(sentinel, |value| (value.round() as i128).clamp(min, max));
    number.to_be_bytes()[16 - width..].to_vec()
}

impl FromStr for Type {
    type Err = NotationError;

    fn from_str(text: &str) -> Result<Self, NotationError> {
        Ok(match text {
            "bool" => Self::Bool,
            "int16" => Self::Int16,
            "uint16" => Self::Uint16,
            "int32" => Self::Int32,
            "uint32" => Self::Uint32,
            "int64" => Self::Int64,
            "uint64" => Self::Uint64,
            "float32" => Self::Float32,
            "float64" => Self::Float64,
            _ => {
                let expected = "bool, int16, uint16, int32, uint32, int64, uint64, float32, float64, \
                                words or bits";
                return Err(NotationError::new(text, expected));
            }
        })
    }
}

impl FromStr for Order {
    type Err = NotationError;

    fn from_str(text: &str) -> Result<Self, NotationError> {
        Ok(match text {
            "ABCD" => Self::Abcd,
            "CDAB" => Self::Cdab,
            "BADC" => Self::Badc,
            "DCBA" => Self::Dcba,
            _ => return Err(NotationError::new(text, "ABCD, CDAB, BADC or DCBA")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_move_bytes_as_their_names_say() {
        // 0x0A0B0C0D, and 0x0002030405060708, as far as f64 counts.
        let (four, eight) = (168_496_141.0, 566_265_752_454_920.0);
        let cases: [(Type, f64, Order, &[u16]); 10] = [
            (Type::Uint32, four, Order::Abcd, &[0x0A0B, 0x0C0D]),
            (Type::Uint32, four, Order::Cdab, &[0x0C0D, 0x0A0B]),
            (Type::Uint32, four, Order::Badc, &[0x0B0A, 0x0D0C]),
            (Type::Uint32, four, Order::Dcba, &[0x0D0C, 0x0B0A]),
            (
                Type::Uint64,
                eight,
                Order::Abcd,
                &[0x0002, 0x0304, 0x0506, 0x0708],
            ),
            (
                Type::Uint64,
                eight,
                Order::Cdab,
                &[0x0708, 0x0506, 0x0304, 0x0002],
            ),
            (
                Type::Uint64,
                eight,
                Order::Badc,
                &[0x0200, 0x0403, 0x0605, 0x0807],
            ),
            (
                Type::Uint64,
                eight,
                Order::Dcba,
                &[0x0807, 0x0605, 0x0403, 0x0200],
            ),
            (Type::Uint16, 258.0, Order::Abcd, &[0x0102]),
            (Type::Uint16, 258.0, Order::Dcba, &[0x0201]),
        ];
        for (kind, value, order, expected) in cases {
            assert_eq!(
                kind.encode(Some(value), order),
                expected,
                "{kind:?} {order:?}"
            );
        }
    }

    #[test]
    fn types_encode_rounded_and_saturated() {
        let cases: [(Type, Option<f64>, &[u16]); 17] = [
            (Type::Bool, Some(0.5), &[1]),
            (Type::Bool, Some(0.49), &[0]),
            (Type::Bool, None, &[0]),
            (Type::Int16, Some(-1.4), &[0xFFFF]),
            (Type::Int16, Some(40_000.0), &[0x7FFF]),
            (Type::Int16, None, &[0x8000]),
            (Type::Uint16, Some(-3.0), &[0]),
            (Type::Uint16, Some(70_000.0), &[0xFFFF]),
            (Type::Uint16, None, &[0xFFFF]),
            (Type::Int32, Some(-2.0), &[0xFFFF, 0xFFFE]),
            (Type::Int32, None, &[0x8000, 0]),
            (Type::Uint64, Some(f64::MAX), &[0xFFFF; 4]),
            (Type::Int64, Some(-1.0), &[0xFFFF; 4]),
            (Type::Float32, Some(1.0), &[0x3F80, 0]),
            (Type::Float32, None, &[0x7FC0, 0]),
            (Type::Float64, Some(-2.0), &[0xC000, 0, 0, 0]),
            (Type::Float64, None, &[0x7FF8, 0, 0, 0]),
        ];
        for (kind, value, expected) in cases {
            assert_eq!(
                kind.encode(value, Order::Abcd),
                expected,
                "{kind:?} {value:?}"
            );
        }
    }
}
