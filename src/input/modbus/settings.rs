//! What a bus is told: endpoint, devices and registers, all defaults resolved. `config` builds this.

use std::sync::Arc;
use std::time::Duration;

use crate::engine::reading::PointIndex;

/// One TCP endpoint: one connection, one task, one or more devices behind it.
#[derive(Debug, Clone, PartialEq)]
pub struct BusSettings {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// The devices (units) polled over it, in configuration order.
    pub devices: Vec<DeviceSettings>,
}

/// One unit on a bus.
#[derive(Debug, Clone, PartialEq)]
pub struct DeviceSettings {
    /// The device's id in the configuration.
    pub id: Arc<str>,
    /// Modbus unit id, 0 to 255.
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

/// Numeric types a register or a run of registers may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataType {
    /// A coil or discrete input; also a register that is zero or not.
    Bool,
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
    /// IEEE 754 single, two registers.
    Float32,
    /// IEEE 754 double, four registers.
    Float64,
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
