//! Where a point lives in a device: table, address, type, order and scaling.

use super::device::Device;
use super::finding::{Kind, Log};
use super::keys::Keys;
use super::place::{At, Place};
use super::point::one_of;
use crate::input::modbus::{ByteOrder, DataType, Table};

const TABLES: [(&str, Table); 4] = [
    ("coil", Table::Coil),
    ("discrete", Table::Discrete),
    ("holding", Table::Holding),
    ("input", Table::Input),
];

const TYPES: [(&str, DataType); 9] = [
    ("bool", DataType::Bool),
    ("int16", DataType::Int16),
    ("uint16", DataType::Uint16),
    ("int32", DataType::Int32),
    ("uint32", DataType::Uint32),
    ("int64", DataType::Int64),
    ("uint64", DataType::Uint64),
    ("float32", DataType::Float32),
    ("float64", DataType::Float64),
];

const ORDERS: [(&str, ByteOrder); 4] = [
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
}

impl Register {
    /// Has it only two values?
    pub(super) const fn is_digital(&self) -> bool {
        matches!(self.data_type, DataType::Bool)
    }

    /// Least and greatest number of an integer type, and its name. Of 64 bits not: no limit in use comes near.
    pub(super) fn representable(&self) -> Option<(f64, f64, &'static str)> {
        let (low, high) = match self.data_type {
            DataType::Int16 => (f64::from(i16::MIN), f64::from(i16::MAX)),
            DataType::Uint16 => (0.0, f64::from(u16::MAX)),
            DataType::Int32 => (f64::from(i32::MIN), f64::from(i32::MAX)),
            DataType::Uint32 => (0.0, f64::from(u32::MAX)),
            DataType::Bool
            | DataType::Int64
            | DataType::Uint64
            | DataType::Float32
            | DataType::Float64 => return None,
        };
        Some((low, high, type_name(self.data_type)))
    }

    /// Does it hold whole numbers?
    pub(super) const fn is_whole(&self) -> bool {
        match self.data_type {
            DataType::Int16
            | DataType::Uint16
            | DataType::Int32
            | DataType::Uint32
            | DataType::Int64
            | DataType::Uint64 => true,
            DataType::Bool | DataType::Float32 | DataType::Float64 => false,
        }
    }

    /// Addresses it takes.
    pub(super) const fn width(&self) -> u16 {
        width(self.data_type)
    }
}

/// The word for a table, as configured.
pub(super) fn table_name(table: Table) -> &'static str {
    name_of(&TABLES, table)
}

/// The word for a type, as configured.
pub(super) fn type_name(data_type: DataType) -> &'static str {
    name_of(&TYPES, data_type)
}

/// The word for a byte order, as configured.
pub(super) fn order_name(order: ByteOrder) -> &'static str {
    name_of(&ORDERS, order)
}

fn name_of<T: PartialEq>(words: &[(&'static str, T)], wanted: T) -> &'static str {
    let word = words.iter().find(|(_, value)| *value == wanted);
    word.map_or("", |(word, _)| word)
}

/// Addresses a value of this type takes.
pub(super) const fn width(data_type: DataType) -> u16 {
    match data_type {
        DataType::Bool | DataType::Int16 | DataType::Uint16 => 1,
        DataType::Int32 | DataType::Uint32 | DataType::Float32 => 2,
        DataType::Int64 | DataType::Uint64 | DataType::Float64 => 4,
    }
}

/// Reads the Modbus keys of a point.
pub(super) fn read(keys: &Keys<'_>, devices: &[Device], log: &mut Log) -> Option<Register> {
    let ids: Vec<&At<String>> = devices.iter().map(|device| &device.id).collect();
    let device = one_of("device", keys, &ids, log);
    keys.require("register", "\"input:0\"", log);
    let written = keys.text("register", log);
    let location = written.as_ref().and_then(|text| location(text, log));
    let written_type = keys.choice("type", &TYPES, log);
    let order = keys.choice("order", &ORDERS, log);

    let bits = matches!(location, Some((Table::Coil | Table::Discrete, _)));
    let data_type = match (&written_type, bits) {
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
    }
    let register = Register {
        device: device?,
        place: written?.place,
        table: location?.0,
        address: location?.1,
        data_type: data_type?,
        order: order.map_or(ByteOrder::Abcd, |order| order.value),
    };
    fits(&register, &devices[register.device], log).then_some(register)
}

/// `input:0`: one of the four tables and a zero-based address.
fn location(text: &At<String>, log: &mut Log) -> Option<(Table, u16)> {
    let hint = match text.value.split_once(':') {
        Some((table, address)) => {
            let table = TABLES.iter().find(|(word, _)| *word == table);
            let digits = address.chars().all(|c| c.is_ascii_digit());
            let address = address.parse::<u16>().ok().filter(|_| digits);
            if let (Some((_, table)), Some(address)) = (table, address) {
                return Some((*table, address));
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
fn modicon(text: &str) -> String {
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
    let width = register.width();
    let type_name = type_name(register.data_type);
    if register.address.checked_add(width - 1).is_none() {
        let text = format!("{type_name} takes {width} registers and would end beyond 65535");
        log.error(Kind::OutOfRange, register.place, text);
        return false;
    }
    if width > device.max_registers {
        let text = format!("{type_name} takes {width} registers, more than one request may read");
        log.error(Kind::Conflict, register.place, text)
            .hint("raise `max_registers` of the device")
            .also(device.id.place, "this device");
        return false;
    }
    true
}
