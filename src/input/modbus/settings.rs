//! What a bus is told: line, devices and registers, all defaults resolved. `config` builds this.

use std::sync::Arc;
use std::time::Duration;

use super::line::Line;
use crate::engine::reading::PointIndex;

/// One bus: one connection or serial line, one task, one or more devices on it.
#[derive(Debug, Clone, PartialEq)]
pub struct BusSettings {
    /// What it runs over.
    pub line: Line,
    /// The devices (units) polled over it, in configuration order.
    pub devices: Vec<DeviceSettings>,
}

/// One unit on a bus.
#[derive(Debug, Clone, PartialEq)]
pub struct DeviceSettings {
    /// The device's id in the configuration.
    pub id: Arc<str>,
    /// Modbus unit id: 0 to 255, on a line of RTU frames 1 to 247.
    pub unit_id: u8,
    /// Poll period.
    pub poll: Duration,
    /// Total time for one request, connecting included.
    pub timeout: Duration,
    /// Registers in one request at most, 1 to 125.
    pub max_registers: u16,
    /// Bits in one request at most, 1 to 2000.
    pub max_bits: u16,
    /// Addresses nobody asked for that a request may read over to save another request; 0 for
    /// devices that refuse unmapped addresses.
    pub max_gap: u16,
    /// What is read.
    pub points: Vec<RegisterPoint>,
    /// The gateway's own point that says whether this device is lost (1) or fine (0).
    pub status: PointIndex,
}

/// Where one point lives in a device.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RegisterPoint {
    /// The point it feeds.
    pub point: PointIndex,
    /// Which of the four tables.
    pub table: Table,
    /// Zero-based address.
    pub address: u16,
    /// How the bits are read.
    pub data_type: DataType,
    /// In which order the bytes come.
    pub order: ByteOrder,
    /// The only bits that count; `None` for all of them.
    pub bits: Option<Bits>,
}

/// A run of bits within an unsigned number, or within the one register of a [`DataType::Bool`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bits {
    /// The least significant one, counted from 0 at the least significant bit of the number.
    pub lowest: u8,
    /// How many, 1 to 64.
    pub count: u8,
}

/// The four Modbus tables and their function codes (Modbus Application Protocol V1.1b3, 6.1 to 6.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// Function 1.
    Coil,
    /// Function 2.
    Discrete,
    /// Function 3.
    Holding,
    /// Function 4.
    Input,
}

impl Table {
    /// The function that reads it. There is no table whose function writes.
    pub const fn function(self) -> u8 {
        match self {
            Self::Coil => 1,
            Self::Discrete => 2,
            Self::Holding => 3,
            Self::Input => 4,
        }
    }
}

/// Numeric types a register or a run of registers may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataType {
    /// A coil or discrete input; also a register, or a bit of one, that is zero or not.
    Bool,
    /// Signed, the more significant byte of a register.
    Int8Hi,
    /// Signed, the less significant byte of a register.
    Int8Lo,
    /// Unsigned, the more significant byte of a register.
    Uint8Hi,
    /// Unsigned, the less significant byte of a register.
    Uint8Lo,
    /// Signed, one register.
    Int16,
    /// Unsigned, one register.
    Uint16,
    /// Signed, two registers.
    Int32,
    /// Unsigned, two registers.
    Uint32,
    /// Signed, four registers.
    Int64,
    /// Unsigned, four registers.
    Uint64,
    /// IEEE 754 half, one register.
    Float16,
    /// IEEE 754 single, two registers.
    Float32,
    /// IEEE 754 double, four registers.
    Float64,
    /// Four decimal digits of four bits each, one register.
    Bcd16,
    /// Eight decimal digits, two registers.
    Bcd32,
    /// Sixteen decimal digits, four registers.
    Bcd64,
}

impl DataType {
    /// Is it one byte of a register?
    pub const fn is_byte(self) -> bool {
        matches!(
            self,
            Self::Int8Hi | Self::Int8Lo | Self::Uint8Hi | Self::Uint8Lo
        )
    }

    /// How many registers a value takes.
    pub const fn registers(self) -> u16 {
        match self {
            Self::Bool
            | Self::Int8Hi
            | Self::Int8Lo
            | Self::Uint8Hi
            | Self::Uint8Lo
            | Self::Int16
            | Self::Uint16
            | Self::Float16
            | Self::Bcd16 => 1,
            Self::Int32 | Self::Uint32 | Self::Float32 | Self::Bcd32 => 2,
            Self::Int64 | Self::Uint64 | Self::Float64 | Self::Bcd64 => 4,
        }
    }
}

/// Order of the bytes of a value that spans registers: A is the most significant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ByteOrder {
    /// Big endian, as the specification has it.
    #[default]
    Abcd,
    /// Words swapped.
    Cdab,
    /// Bytes swapped within each word.
    Badc,
    /// Little endian.
    Dcba,
}
