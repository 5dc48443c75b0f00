//! Against the real programs of others.

mod alertmanager;
pub(crate) mod bench;
pub(crate) mod certificates;
#[cfg(feature = "demo")]
mod dashboard;
#[cfg(feature = "demo")]
mod metrics_contract;
pub(crate) mod mosquitto;
mod mqtt_input;
mod mqtt_output;
mod mqtt_tls;
#[cfg(feature = "demo")]
mod plant;
mod probe;
mod promtool;
mod pymodbus;
