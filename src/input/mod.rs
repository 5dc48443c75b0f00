//! Room one: wire to [`Reading`](crate::engine::reading::Reading). One folder per protocol.

pub mod modbus;
pub mod mqtt;
