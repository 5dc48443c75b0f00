//! Where a point lives in a device: table, address, type, order, and which of its bits.

use std::time::Duration;

use super::device::{Device, POLL};
use super::finding::{Kind, Log};
use super::keys::Keys;
use super::place::{At, Place};
use super::point::one_of;
use super::tree::Value;
use crate::input::modbus::decode;
use crate::input::modbus::{Bits, ByteOrder, DataType, Table};

pub(super) const TABLES: [(&str, Table); 4] = [
    ("coil", Table::Coil),
    ("discrete", Table::Discrete),
    ("holding", Table::Holding),
    ("input", Table::Input),
];

pub(super) const TYPES: [(&str, DataType); 17] = [
    ("bool", DataType::Bool),
    ("int8_hi", DataType::Int8Hi),
    ("int8_lo", DataType::Int8Lo),
    ("uint8_hi", DataType::Uint8Hi),
    ("uint8_lo", DataType::Uint8Lo),
    ("int16", DataType::Int16),
    ("uint16", DataType::Uint16),
    ("int32", DataType::Int32),
    ("uint32", DataType::Uint32),
    ("int64", DataType::Int64),
    ("uint64", DataType::Uint64),
    ("float16", DataType::Float16),
    ("float32", DataType::Float32),
    ("float64", DataType::Float64),
    ("bcd16", DataType::Bcd16),
    ("bcd32", DataType::Bcd32),
    ("bcd64", DataType::Bcd64),
];

pub(super) const ORDERS: [(&str, ByteOrder); 4] = [
    ("ABCD", ByteOrder::Abcd),
    ("CDAB", ByteOrder::Cdab),
    ("BADC", ByteOrder::Badc),
    ("DCBA", ByteOrder::Dcba),
];

/// A value in a device.
pub(super) struct Register {
    /// Which device.
    pub(super) device: usize,
    pub(super) place: Place,
    pub(super) table: Table,
    pub(super) address: u16,
    pub(super) data_type: DataType,
    pub(super) order: ByteOrder,
    pub(super) bits: Option<Bits>,
    /// From one question to the next, and where it is written: its own, or its device's.
    pub(super) period: Duration,
    pub(super) period_place: Place,
}

impl Register {
    /// Has it only two values?
    pub(super) const fn is_digital(&self) -> bool {
        matches!(self.data_type, DataType::Bool)
    }

    /// Least and greatest number of an integer, and what to call it. Of 64 bits not: no limit in use comes near.
    pub(super) fn representable(&self) -> Option<(f64, f64, &'static str)> {
        if let Some(bits) = self.bits {
            let beyond = u32::BITS.checked_sub(bits.count.into())?;
            let high = u32::MAX.checked_shr(beyond)?;
            return Some((0.0, high.into(), "a field of these bits"));
        }
        let (low, high) = match self.data_type {
            DataType::Int8Hi | DataType::Int8Lo => (i8::MIN.into(), i8::MAX.into()),
            DataType::Uint8Hi | DataType::Uint8Lo => (0.0, u8::MAX.into()),
            DataType::Int16 => (i16::MIN.into(), i16::MAX.into()),
            DataType::Uint16 => (0.0, u16::MAX.into()),
            DataType::Int32 => (i32::MIN.into(), i32::MAX.into()),
            DataType::Uint32 => (0.0, u32::MAX.into()),
            DataType::Bcd16 => (0.0, 9_999.0),
            DataType::Bcd32 => (0.0, 99_999_999.0),
            DataType::Bool
            | DataType::Int64
            | DataType::Uint64
            | DataType::Bcd64
            | DataType::Float16
            | DataType::Float32
            | DataType::Float64 => return None,
        };
        Some((low, high, type_name(self.data_type)))
    }

    /// Does it hold whole numbers?
    pub(super) const fn is_whole(&self) -> bool {
        !matches!(
            self.data_type,
            DataType::Bool | DataType::Float16 | DataType::Float32 | DataType::Float64
        )
    }

    /// The bits of each of its registers that make a difference, first address first.
    pub(super) fn takes(&self) -> Vec<u16> {
        let width = usize::from(self.data_type.registers());
        if self.bits.is_none() && !self.data_type.is_byte() {
            return vec![u16::MAX; width];
        }
        let matters = |at: usize, bit: u16| {
            let mut registers = vec![0; width];
            registers[at] = bit;
            decode::number(&registers, self.data_type, self.order, self.bits) != Ok(0.0)
        };
        let bits = || (0..u16::BITS).map(|bit| 1 << bit);
        let taken = |at| bits().filter(|bit| matters(at, *bit)).sum();
        (0..width).map(taken).collect()
    }
}

/// The bits, as in `bit 3` and `bits 4 to 7`, after a space; nothing for a whole number.
pub(super) fn bits_in_words(bits: Option<Bits>) -> String {
    match bits {
        None => String::new(),
        Some(Bits { lowest, count: 1 }) => format!(" bit {lowest}"),
        Some(Bits { lowest, count }) => format!(" bits {lowest} to {}", lowest + count - 1),
    }
}

/// The word for a table, as configured.
pub(crate) fn table_name(table: Table) -> &'static str {
    name_of(&TABLES, table)
}

/// The table that a word stands for.
pub(super) fn table_named(word: &str) -> Option<Table> {
    let found = TABLES.iter().find(|(known, _)| *known == word);
    found.map(|(_, table)| *table)
}

/// The word for a type, as configured.
pub(crate) fn type_name(data_type: DataType) -> &'static str {
    name_of(&TYPES, data_type)
}

/// The word for a byte order, as configured.
pub(crate) fn order_name(order: ByteOrder) -> &'static str {
    name_of(&ORDERS, order)
}

fn name_of<T: PartialEq>(words: &[(&'static str, T)], wanted: T) -> &'static str {
    let word = words.iter().find(|(_, value)| *value == wanted);
    word.map_or("", |(word, _)| word)
}

/// Reads the Modbus keys of a point.
pub(super) fn read(keys: &Keys<'_>, devices: &[Device], log: &mut Log) -> Option<Register> {
    let ids: Vec<&At<String>> = devices.iter().map(|device| &device.id).collect();
    let device = one_of("device", keys, &ids, log);
    keys.require("register", "\"input:0\"", log);
    let written = keys.text("register", log);
    let location = written.as_ref().and_then(|text| location(text, log));
    let written_type = data_type(keys, log);
    let order = keys.choice("order", &ORDERS, log);

    let poll = keys.duration("poll", POLL, log);

    let is_bit = matches!(location, Some((Table::Coil | Table::Discrete, _)));
    if is_bit {
        for key in ["bit", "bits"] {
            keys.refuse(key, "a coil or discrete input is one bit", log);
        }
    }
    let has_bit = !is_bit && keys.has("bit");
    let data_type = match (&written_type, is_bit || has_bit) {
        (Some(wrong), true) if has_bit && wrong.value != DataType::Bool => {
            log.error(Kind::Conflict, wrong.place, "a single `bit` is a bool")
                .hint("leave `type` out; `bits = [4, 7]` makes a number of some bits");
            None
        }
        (Some(wrong), true) if wrong.value != DataType::Bool => {
            log.error(
                Kind::Conflict,
                wrong.place,
                "a coil or discrete input is one bit",
            )
            .hint("leave `type` out, or name a `holding` or `input` register");
            None
        }
        (_, true) => Some(DataType::Bool),
        (Some(data_type), false) => Some(data_type.value),
        (None, false) => {
            if location.is_some() {
                keys.require("type", "\"uint16\"", log);
            }
            None
        }
    };
    if data_type == Some(DataType::Bool) {
        keys.refuse("order", "the value is one bit", log);
    } else if data_type.is_some_and(DataType::is_byte) {
        keys.refuse("order", "`type` says which byte of the register", log);
    }
    // Not of a bit table, where both are refused.
    let bits = if is_bit {
        None
    } else {
        bits(keys, data_type, log)?
    };
    let register = Register {
        device: device?,
        place: written?.place,
        table: location?.0,
        address: location?.1,
        data_type: data_type?,
        order: order.map_or(ByteOrder::Abcd, |order| order.value),
        bits,
        period: poll.as_ref().map_or(devices[device?].poll, |own| own.value),
        period_place: poll.map_or(devices[device?].poll_place, |own| own.place),
    };
    fits(&register, &devices[register.device], log).then_some(register)
}

/// One of the types. What people look for in vain is explained.
fn data_type(keys: &Keys<'_>, log: &mut Log) -> Option<At<DataType>> {
    let item = &keys.entry("type")?.item;
    let text = if let Value::Text(text) = &item.value {
        text.as_str()
    } else {
        ""
    };
    let hint = match text {
        "string" | "text" | "ascii" | "char" => {
            "a point is a quantity, and a text of a device has none; `forewarn probe` shows texts, and a code of a few \
             numbers is an `enum`"
        }
        "bit" => "write `bit = 3` and no `type`",
        "bcd" => "allowed: bcd16 (4 digits), bcd32 (8 digits), bcd64 (16 digits)",
        "int8" | "uint8" => {
            "a register has two bytes: the more significant one is _hi, the other _lo"
        }
        _ => return keys.choice("type", &TYPES, log),
    };
    let message = format!("`type` cannot be \"{text}\"");
    log.error(Kind::BadValue, item.place, message).hint(hint);
    None
}

/// `bit` of a register, or `bits` of a number. The outer `None`: there is a mistake.
fn bits(keys: &Keys<'_>, data_type: Option<DataType>, log: &mut Log) -> Option<Option<Bits>> {
    if keys.has("bit") {
        keys.refuse("bits", "there is a `bit`", log);
        let bit = keys.whole("bit", 0..=15, log)?;
        let lowest = u8::try_from(bit.value).ok()?;
        return Some(Some(Bits { lowest, count: 1 }));
    }
    if !keys.has("bits") {
        return Some(None);
    }
    let ends = keys.pair("bits", "[4, 7]", log)?;
    // Nothing is known about the bits of a type with a mistake.
    let data_type = data_type?;
    if !matches!(
        data_type,
        DataType::Uint16 | DataType::Uint32 | DataType::Uint64
    ) {
        let type_name = type_name(data_type);
        let text = format!("`bits` are those of an unsigned number, not of {type_name}");
        log.error(Kind::Conflict, ends.place, text).hint(
            "types with bits: uint16, uint32, uint64; a single bit is `bit = 3` without `type`",
        );
        return None;
    }
    let greatest = data_type.registers() * 16 - 1;
    let position = |end: f64| (0..=greatest).find(|bit| (f64::from(*bit) - end).abs() <= 0.0);
    let (first, last) = ends.value;
    if let (Some(first), Some(last)) = (position(first), position(last))
        && first <= last
    {
        let lowest = u8::try_from(first).ok()?;
        let count = u8::try_from(last - first + 1).ok()?;
        return Some(Some(Bits { lowest, count }));
    }
    let text = format!(
        "`bits` are the lowest and the highest, from 0 to {greatest} in {}",
        type_name(data_type)
    );
    log.error(Kind::OutOfRange, ends.place, text)
        .hint("bit 0 is the least significant: `bits = [0, 3]` are the last four");
    None
}

/// `input:0`: one of the four tables and a zero-based address.
fn location(text: &At<String>, log: &mut Log) -> Option<(Table, u16)> {
    let hint = match text.value.split_once(':') {
        Some((table, address)) => {
            let table = table_named(table);
            let digits = address.chars().all(|c| c.is_ascii_digit());
            let address = address.parse::<u16>().ok().filter(|_| digits);
            if let (Some(table), Some(address)) = (table, address) {
                return Some((table, address));
            }
            "the table is coil, discrete, holding or input, the address from 0 to 65535".to_owned()
        }
        None => modicon(&text.value),
    };
    let message = format!("`register` cannot be \"{}\"", text.value);
    log.error(Kind::BadValue, text.place, message).hint(hint);
    None
}

/// Manuals write 30001 or 40001 for the first register; say what that is here.
pub(crate) fn modicon(text: &str) -> String {
    let number = text.parse::<u32>().ok();
    let table = |number: u32| match number {
        1..=9_999 => Some(("coil", 1)),
        10_001..=19_999 => Some(("discrete", 10_001)),
        30_001..=39_999 => Some(("input", 30_001)),
        40_001..=49_999 => Some(("holding", 40_001)),
        _ => None,
    };
    match number.and_then(|number| Some((number, table(number)?))) {
        Some((number, (table, first))) => format!(
            "write table and zero-based address; {number} in a manual is usually \"{table}:{}\"",
            number - first
        ),
        None => "write table and zero-based address, as in \"input:0\"".to_owned(),
    }
}

fn fits(register: &Register, device: &Device, log: &mut Log) -> bool {
    let width = register.data_type.registers();
    let type_name = type_name(register.data_type);
    if register.address.checked_add(width - 1).is_none() {
        let text = format!("{type_name} takes {width} registers and would end beyond 65535");
        log.error(Kind::OutOfRange, register.place, text);
        return false;
    }
    if let Some(place) = in_gap(register, width, device) {
        let table = table_name(register.table);
        let text = format!(
            "{table}:{} is in a gap, which is never read",
            register.address
        );
        log.error(Kind::Conflict, register.place, text)
            .also(place, "the gap");
        return false;
    }
    if width > device.rules.max_registers {
        let text = format!("{type_name} takes {width} registers, more than one request may read");
        log.error(Kind::Conflict, register.place, text)
            .hint("raise `max_registers` of the device")
            .also(device.id.place, "this device");
        return false;
    }
    true
}

/// Where the gap is written that a value reaches into.
fn in_gap(register: &Register, width: u16, device: &Device) -> Option<Place> {
    let last = register.address.saturating_add(width - 1);
    let gaps = device.rules.gaps.iter().zip(&device.gap_places);
    let mut gaps = gaps.filter(|(gap, _)| gap.table == register.table);
    let hit = gaps.find(|(gap, _)| gap.first <= last && register.address <= gap.last);
    hit.map(|(_, place)| *place)
}
