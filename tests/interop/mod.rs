//! Against the real programs of others.

pub(crate) mod bench;
#[cfg(feature = "demo")]
mod dashboard;
#[cfg(feature = "demo")]
mod metrics_contract;
mod mosquitto;
mod mqtt_input;
#[cfg(feature = "demo")]
mod plant;
mod promtool;
mod pymodbus;
