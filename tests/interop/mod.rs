//! Against the real programs of others.

pub(crate) mod mosquitto;
mod mqtt_input;
mod promtool;
