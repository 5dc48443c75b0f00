//! Against the real programs of others.

mod alertmanager;
pub(crate) mod bench;
mod brokers;
pub(crate) mod certificates;
mod command_topic;
#[cfg(feature = "demo")]
mod dashboard;
pub(crate) mod email;
#[cfg(feature = "demo")]
mod metrics_contract;
pub(crate) mod mosquitto;
mod mqtt_input;
mod mqtt_output;
mod mqtt_packet;
mod mqtt_tls;
mod nats;
#[cfg(feature = "demo")]
mod plant;
mod probe;
mod promtool;
mod pymodbus;
mod sparkplug;
