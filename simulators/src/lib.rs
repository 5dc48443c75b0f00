//! A believable plant for tests and for the demo.
//!
//! | module | is |
//! |---|---|
//! | [`waveform`] | what a sensor sees: seeded values over time, in a notation that a person can write |
//! | [`modbus`] | Modbus devices (TCP, RTU) that can misbehave in every way a field device does |
//! | [`pty`] | a serial line without a wire |
//! | [`mqtt`] | sensors that publish, and a load of thousands of messages a second that is counted |
//! | [`upstream`] | the control room's end: receives events and checks order, loss and duplicates |
//! | [`hook`] | a receiver of webhooks that answers well or badly, as it is told |
//! | [`plant`] | the plant of the demo, as data |
//! | [`program`] | what the three programs share: Ctrl-C, lines from stdin, lines to stdout |
//!
//! Nothing here uses the gateway's code. Encoders, byte orders and checks are written a second time on
//! purpose: they are the independent witness against which the gateway is tested.

mod clock;
pub mod hook;
mod link;
pub mod modbus;
#[cfg(test)]
mod mosquitto;
pub mod mqtt;
mod notation;
pub mod plant;
pub mod program;
pub mod pty;
pub mod upstream;
pub mod waveform;

pub use notation::NotationError;
