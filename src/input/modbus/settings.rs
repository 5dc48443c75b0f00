//! What a bus is told: line, devices and registers, all defaults resolved. `config` builds this.

use std::sync::Arc;
use std::time::Duration;

use super::line::Line;
use super::plan::Rules;
use super::schedule::Class;
use crate::engine::reading::PointIndex;

/// One bus: one connection or serial line, one task, one or more devices on it.
#[derive(Debug, Clone, PartialEq)]
pub struct BusSettings {
    /// What it runs over.
    pub line: Line,
    /// The devices (units) polled over it, in configuration order.
    pub devices: Vec<DeviceSettings>,
    /// When anything waits for longer than this from when it is due until it is read, somebody is told.
    pub cycle_limit: Duration,
    /// The gateway's own point that says whether something does (1) or not (0).
    pub status: PointIndex,
}

/// One unit on a bus.
#[derive(Debug, Clone, PartialEq)]
pub struct DeviceSettings {
    /// The device's id in the configuration.
    pub id: Arc<str>,
    /// Modbus unit id: 0 to 255, on a line of RTU frames 1 to 247.
    pub unit_id: u8,
    /// Poll period of points that have none of their own.
    pub poll: Duration,
    /// Total time for one request, connecting included.
    pub timeout: Duration,
    /// Longest spacing of the questions to it while it does not answer.
    pub slowest_probe: Duration,
    /// The silence after which the first of its points is stale; `None` when none ever is.
    pub stale_after: Option<Duration>,
    /// What requests must keep to.
    pub rules: Rules,
    /// What is read.
    pub points: Vec<RegisterPoint>,
    /// The gateway's own point that says whether this device is fine (0) or why it is lost
    /// ([`Loss`](super::failure::Loss)).
    pub status: PointIndex,
}

impl DeviceSettings {
    /// What is polled together: the points of each period, the shortest first.
    pub fn classes(&self) -> Vec<(Class, Vec<RegisterPoint>)> {
        let class = |(period, points): (Duration, Vec<RegisterPoint>)| {
            let class = Class {
                unit: self.unit_id,
                period,
                hazard: points.iter().any(|point| point.hazard),
                slowest_probe: self.slowest_probe,
            };
            (class, points)
        };
        by_period(&self.points).into_iter().map(class).collect()
    }
}

/// The points of each period, the shortest first.
pub fn by_period(points: &[RegisterPoint]) -> Vec<(Duration, Vec<RegisterPoint>)> {
    let mut periods: Vec<Duration> = points.iter().map(|point| point.poll).collect();
    periods.sort_unstable();
    periods.dedup();
    let of_period = |period| {
        let points = points.iter().filter(|point| point.poll == period);
        (period, points.copied().collect())
    };
    periods.into_iter().map(of_period).collect()
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
    /// From one question to the next.
    pub poll: Duration,
    /// Does it watch for what is dangerous?
    pub hazard: bool,
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
