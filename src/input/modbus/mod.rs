//! Readings over Modbus TCP, RTU and RTU over TCP (Modbus Application Protocol V1.1b3, Messaging on
//! TCP/IP V1.0b, Modbus over Serial Line V1.02).
//!
//! One task ([`bus::run`]) owns one line: one connection or serial device, one question at a time, any
//! number of units on it. What decides is pure and told the time; what touches the wire is below [`transport`].
//!
//! ```text
//!  schedule ── who is next? ──▶ coverage ── which question? ──▶ transport ──▶ device
//!     ▲                            ▲  (plan, less what the          │
//!     │                            │   device refuses)              ▼
//!     └── answered or silent ──────┴───────────────────── answer or failure
//!                                                                   │
//!                          engine ◀── Reading ◀── decode ◀──────────┘
//! ```
//!
//! # What becomes of a failure
//!
//! | the device | the points of that question | the device's status point |
//! |---|---|---|
//! | does not answer, answers nonsense, cannot be reached | no reading: the stale rule speaks | 1 after three polls in a row |
//! | answers, but never a question for some address | searched by halves, as below: bad `unanswered` | 0: it answers |
//! | says that its unit is not reachable (exceptions 10, 11) | no reading, as above | as above |
//! | refuses addresses (2, 3) | searched by halves; refused ones are bad `illegal_address`, `illegal_value` | 0: it answers |
//! | does not know the function (1) | bad `configuration_error` | 0 |
//! | is busy (5, 6) | no reading, asked again in the next poll | 0 |
//! | says that it failed (4, 8, any other) | bad `device_failure` | 0 |
//!
//! Deliberately absent: writes of any kind. The gateway never changes equipment: a question names a
//! [`Table`], and [`Table::function`] knows functions 1 to 4 only.

pub mod bus;
pub mod coverage;
pub mod cycle;
pub mod decode;
pub mod failure;
pub mod line;
pub mod pace;
pub mod plan;
#[cfg(test)]
mod rogue;
pub mod schedule;
mod settings;
pub mod timing;
pub mod transport;

pub use settings::{
    Bits, BusSettings, ByteOrder, DataType, DeviceSettings, RegisterPoint, Table, by_period,
};
