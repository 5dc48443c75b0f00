//! Registers and bits to numbers. What a number means is the point's signal, which the engine knows.
//!
//! Every number becomes a 64-bit float. Integers up to 2^53 keep their exact value; a 64-bit integer
//! beyond that becomes the nearest float, which is off by at most one part in 2^53. A register that
//! cannot be a number never becomes one: NaN and infinity stay what they are, which the engine takes for
//! bad, and a decimal digit beyond 9 is a failure of the sensor, too: its value cannot be one.
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
//!
//! Bits are those of the number, after its bytes were put in order: bit 0 is the least significant.

use super::{Bits, ByteOrder, DataType, RegisterPoint, Table};
use crate::engine::reading::{Fault, Measured, Sample};

/// The answer does not hold the whole value.
const INCOMPLETE: Fault = Fault::ConfigurationError;

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
        Table::Holding | Table::Input => data_type.registers(),
    }
}

/// The number of `point` in an `answer` that begins at `address`. An answer that does not hold the
/// whole value, or is of the wrong sort, gives [`Fault::ConfigurationError`].
pub fn measured(answer: &Answer, address: u16, point: &RegisterPoint) -> Measured {
    match raw(answer, address, point) {
        Ok(number) => Measured::Raw(number),
        Err(fault) => Measured::Sample(Sample::Bad(fault)),
    }
}

fn raw(answer: &Answer, address: u16, point: &RegisterPoint) -> Result<f64, Fault> {
    let start = point.address.checked_sub(address).ok_or(INCOMPLETE)?;
    let start = usize::from(start);
    match answer {
        Answer::Bits(bits) => {
            let bit = bits.get(start).ok_or(INCOMPLETE)?;
            Ok(f64::from(u8::from(*bit)))
        }
        Answer::Registers(registers) => {
            let end = start + usize::from(width(point.table, point.data_type));
            let registers = registers.get(start..end).ok_or(INCOMPLETE)?;
            number(registers, point.data_type, point.order, point.bits)
        }
    }
}

/// The number in `registers`, which must be exactly as many as the type takes. `bits` are looked at for
/// [`DataType::Bool`] and the unsigned types from 16 bits; the others are always whole.
pub fn number(
    registers: &[u16],
    data_type: DataType,
    order: ByteOrder,
    bits: Option<Bits>,
) -> Result<f64, Fault> {
    Ok(match data_type {
        DataType::Bool => {
            let register = u16::from_be_bytes(bytes(registers, order)?);
            f64::from(u8::from(part(register.into(), bits) != 0))
        }
        DataType::Int8Hi => f64::from(i8::from_be_bytes([halves(registers, order)?[0]])),
        DataType::Int8Lo => f64::from(i8::from_be_bytes([halves(registers, order)?[1]])),
        DataType::Uint8Hi => f64::from(halves(registers, order)?[0]),
        DataType::Uint8Lo => f64::from(halves(registers, order)?[1]),
        DataType::Int16 => f64::from(i16::from_be_bytes(bytes(registers, order)?)),
        DataType::Int32 => f64::from(i32::from_be_bytes(bytes(registers, order)?)),
        DataType::Int64 => nearest_signed(i64::from_be_bytes(bytes(registers, order)?)),
        DataType::Uint16 | DataType::Uint32 | DataType::Uint64 => {
            nearest(part(unsigned(registers, data_type, order)?, bits))
        }
        DataType::Bcd16 | DataType::Bcd32 | DataType::Bcd64 => {
            nearest(decimal(unsigned(registers, data_type, order)?)?)
        }
        DataType::Float16 => half(u16::from_be_bytes(bytes(registers, order)?)),
        DataType::Float32 => f64::from(f32::from_be_bytes(bytes(registers, order)?)),
        DataType::Float64 => f64::from_be_bytes(bytes(registers, order)?),
    })
}

/// All bits of one, two or four registers, by what the type takes.
fn unsigned(registers: &[u16], data_type: DataType, order: ByteOrder) -> Result<u64, Fault> {
    Ok(match data_type.registers() {
        1 => u16::from_be_bytes(bytes(registers, order)?).into(),
        2 => u32::from_be_bytes(bytes(registers, order)?).into(),
        _ => u64::from_be_bytes(bytes(registers, order)?),
    })
}

/// The two bytes of a register, the more significant one first.
fn halves(registers: &[u16], order: ByteOrder) -> Result<[u8; 2], Fault> {
    bytes(registers, order)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "beyond 2^53 it becomes the nearest float, as the module says"
)]
const fn nearest(number: u64) -> f64 {
    number as f64
}

#[expect(
    clippy::cast_precision_loss,
    reason = "beyond 2^53 it becomes the nearest float, as the module says"
)]
const fn nearest_signed(number: i64) -> f64 {
    number as f64
}

/// The bits that count, moved down to bit 0. Bits that the number does not have are zero.
fn part(number: u64, bits: Option<Bits>) -> u64 {
    let Some(Bits { lowest, count }) = bits else {
        return number;
    };
    let beyond = u64::BITS.saturating_sub(count.into());
    let mask = u64::MAX.checked_shr(beyond).unwrap_or(0);
    number.checked_shr(lowest.into()).unwrap_or(0) & mask
}

/// A number of decimal digits of four bits each. A digit beyond 9 is none.
fn decimal(digits: u64) -> Result<u64, Fault> {
    let digits = (0..u64::BITS)
        .step_by(4)
        .rev()
        .map(|low| digits >> low & 15);
    digits.into_iter().try_fold(0, |number, digit| {
        if digit > 9 {
            return Err(Fault::SensorFailure);
        }
        // Sixteen digits stay below 10^16.
        Ok(number * 10 + digit)
    })
}

/// An IEEE 754 half: a sign, 5 bits of exponent, 10 of fraction. Each of them is a single, too.
pub fn half(bits: u16) -> f64 {
    let sign = if bits >> 15 == 0 { 1.0 } else { -1.0 };
    let fraction = bits & 0x03FF;
    let magnitude = match bits >> 10 & 0x1F {
        // Below the least exponent: steps of 2^-24.
        0 => f64::from(fraction) / f64::from(1_u32 << 24),
        31 if fraction == 0 => f64::INFINITY,
        31 => f64::NAN,
        exponent => {
            let single = (u32::from(exponent) + 112) << 23 | u32::from(fraction) << 13;
            f64::from(f32::from_bits(single))
        }
    };
    sign * magnitude
}

/// The bytes of `registers`, most significant first, if there are exactly `N`.
fn bytes<const N: usize>(registers: &[u16], order: ByteOrder) -> Result<[u8; N], Fault> {
    let (words_reversed, bytes_swapped) = match order {
        ByteOrder::Abcd => (false, false),
        ByteOrder::Cdab => (true, false),
        ByteOrder::Badc => (false, true),
        ByteOrder::Dcba => (true, true),
    };
    if registers.len() * 2 != N {
        return Err(INCOMPLETE);
    }
    let mut bytes = [0; N];
    for (index, pair) in bytes.chunks_exact_mut(2).enumerate() {
        let source = if words_reversed {
            registers.len() - 1 - index
        } else {
            index
        };
        let word = *registers.get(source).ok_or(INCOMPLETE)?;
        pair.copy_from_slice(&if bytes_swapped {
            word.to_le_bytes()
        } else {
            word.to_be_bytes()
        });
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
