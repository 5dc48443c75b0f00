//! Markers: numbers by which a device says that it has no value, as its manual writes them.
//!
//! A manual gives the number, or the bits of the register. Where the type cannot hold the number, the
//! bits are meant: 0x8000 of an int16 is -32768. Where it could be either, a text says that it is bits:
//! `"0xC61C4000"` of a float32 is -10000. NaN, infinity and letters in a decimal number never are a
//! value and need no marker.

use super::finding::{Kind, Log};
use super::keys::number;
use super::register::{Register, type_name};
use super::scalar::show_number;
use super::tree::{Item, Value};
use crate::input::modbus::decode;
use crate::input::modbus::{ByteOrder, DataType};

/// One item of `invalid_raw`.
pub(super) fn read(item: &Item, register: Option<&Register>, log: &mut Log) -> Option<f64> {
    if let (Value::Text(text), Some(register)) = (&item.value, register)
        && text.starts_with("0x")
    {
        return bits(text, item, register, log);
    }
    let written = number("invalid_raw", item, log)?;
    let Some(register) = register else {
        return Some(written.value);
    };
    let marker = shown(written.value, register);
    if marker.is_none() {
        let text = format!(
            "`invalid_raw`: {} is no number that {} can hold",
            show_number(written.value),
            name(register)
        );
        log.error(Kind::OutOfRange, written.place, text);
    }
    marker
}

/// What to call the type, or the bits of it.
fn name(register: &Register) -> &'static str {
    match register.representable() {
        Some((_, _, name)) => name,
        None => type_name(register.data_type),
    }
}

/// The number that the bits of `text` show, the most significant one first whatever the order in which
/// they come over the wire.
fn bits(text: &str, item: &Item, register: &Register, log: &mut Log) -> Option<f64> {
    let (whole, wide) = match register.bits {
        Some(bits) => (true, bits.count.into()),
        None if register.data_type.is_byte() => (true, 8),
        None => (false, u32::from(register.data_type.registers()) * 16),
    };
    let digits = text.trim_start_matches("0x").replace('_', "");
    let pattern = u64::from_str_radix(&digits, 16).ok();
    let pattern = pattern.filter(|pattern| pattern.checked_shr(wide).unwrap_or(0) == 0);
    let Some(pattern) = pattern else {
        let text = format!(
            "`invalid_raw`: \"{text}\" are no bits of {}",
            name(register)
        );
        log.error(Kind::OutOfRange, item.place, text).hint(format!(
            "up to {} hexadecimal digits after 0x",
            wide.div_ceil(4)
        ));
        return None;
    };
    if whole {
        // Some bits of a register are a number by themselves; only a signed byte is another one.
        return shown(pattern as f64, register);
    }
    let words = [48, 32, 16, 0].map(|low| u16::try_from(pattern >> low & 0xFFFF).unwrap_or(0));
    let words = &words[4 - usize::from(register.data_type.registers())..];
    let found = decode::number(words, register.data_type, ByteOrder::Abcd, None).ok();
    let found = found.filter(|number| number.is_finite());
    if found.is_none() {
        let text = format!("`invalid_raw`: \"{text}\" is no number, and so never a value");
        log.warn(Kind::Unused, item.place, text)
            .hint("leave it out");
    }
    found
}

/// The number that a register shows for `written`; `None` when it cannot show it.
pub(super) fn shown(written: f64, register: &Register) -> Option<f64> {
    if register.data_type == DataType::Float16 {
        return nearest_half(written);
    }
    if register.data_type == DataType::Float32 {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the register holds the nearest number of this width, too"
        )]
        let narrow = written as f32;
        return Some(f64::from(narrow)).filter(|number| number.is_finite());
    }
    if register.is_whole() && written.fract().abs() > 0.0 {
        return None;
    }
    let Some((low, high, _)) = register.representable() else {
        return Some(written);
    };
    if (low..=high).contains(&written) {
        return Some(written);
    }
    // From the first number below zero to the last one, as bits.
    let is_bits = low < 0.0 && (high + 1.0..=high - low).contains(&written);
    is_bits.then_some(written - (high - low + 1.0))
}

/// The half that a register holds for `written`.
fn nearest_half(written: f64) -> Option<f64> {
    let all = (0..=u16::MAX).map(decode::half);
    let distance = |half: &f64| (half - written).abs();
    all.filter(|half| half.is_finite())
        .min_by(|a, b| distance(a).total_cmp(&distance(b)))
        .filter(|half| distance(half) <= half.abs() / 1024.0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::place::Place;
    use crate::input::modbus::{Bits, Table};

    fn register(data_type: DataType) -> Register {
        let place = Place {
            file: 0,
            start: 0,
            end: 0,
        };
        Register {
            device: 0,
            place,
            table: Table::Input,
            address: 0,
            data_type,
            order: ByteOrder::Cdab,
            bits: None,
            period: Duration::from_secs(1),
            period_place: place,
        }
    }

    fn number_of(value: Value, register: &Register) -> Option<u64> {
        let place = register.place;
        let found = read(&Item { place, value }, Some(register), &mut Log::default());
        found.map(f64::to_bits)
    }

    #[test]
    fn a_marker_is_what_the_register_shows() {
        use DataType::{Bcd16, Float16, Float32, Float64, Int8Hi, Int16, Int32, Uint16, Uint32};
        let narrow = f64::from(-999.9_f32);
        for (data_type, written, expected) in [
            (Int8Hi, 128.0, Some(-128.0)),
            (Int8Hi, 127.0, Some(127.0)),
            (Int8Hi, 256.0, None),
            (Int16, 32_768.0, Some(-32_768.0)),
            (Int16, 65_535.0, Some(-1.0)),
            (Int16, -32_768.0, Some(-32_768.0)),
            (Int16, 32_767.0, Some(32_767.0)),
            (Int16, 65_536.0, None),
            (Int16, 0.5, None),
            (Uint16, 32_768.0, Some(32_768.0)),
            (Uint16, -1.0, None),
            (Int32, 2_147_483_648.0, Some(-2_147_483_648.0)),
            (Uint32, 4_294_967_295.0, Some(4_294_967_295.0)),
            (Uint32, 4_294_967_296.0, None),
            (Bcd16, 9_999.0, Some(9_999.0)),
            (Bcd16, 65_535.0, None),
            (Float16, -999.9, Some(-1_000.0)),
            (Float16, 0.0, Some(0.0)),
            (Float16, 70_000.0, None),
            (Float32, -999.9, Some(narrow)),
            (Float32, 1e300, None),
            (Float64, -999.9, Some(-999.9)),
        ] {
            let found = number_of(Value::Float(written), &register(data_type));
            assert_eq!(found, expected.map(f64::to_bits), "{written} {data_type:?}");
        }
    }

    #[test]
    fn a_text_is_the_bits_most_significant_first() {
        use DataType::{Bcd16, Float16, Float32, Int8Lo, Int16, Int64, Uint64};
        for (data_type, written, expected) in [
            (Int8Lo, "0x80", Some(-128.0)),
            (Int8Lo, "0x100", None),
            (Int16, "0x8000", Some(-32_768.0)),
            (Int16, "0x1_0000", None),
            (
                Int64,
                "0x8000000000000000",
                Some(-9_223_372_036_854_775_808.0),
            ),
            (
                Uint64,
                "0xFFFF_FFFF_FFFF_FFFF",
                Some(18_446_744_073_709_551_616.0),
            ),
            (Float16, "0xE3D0", Some(-1_000.0)),
            (Float32, "0xC61C4000", Some(-10_000.0)),
            (Float32, "0xFFFFFFFF", None),
            (Float32, "0xCafe", Some(f64::from(f32::from_bits(0xCAFE)))),
            (Bcd16, "0x9999", Some(9_999.0)),
            (Bcd16, "0xFFFF", None),
            (Int16, "0x", None),
            (Int16, "-1", None),
        ] {
            let found = number_of(Value::Text(written.to_owned()), &register(data_type));
            assert_eq!(found, expected.map(f64::to_bits), "{written} {data_type:?}");
        }
        let mut field = register(DataType::Uint16);
        field.bits = Some(Bits {
            lowest: 4,
            count: 3,
        });
        for (written, expected) in [("0x7", Some(7.0)), ("0x8", None)] {
            let found = number_of(Value::Text(written.to_owned()), &field);
            assert_eq!(found, expected.map(f64::to_bits), "{written}");
        }
    }
}
