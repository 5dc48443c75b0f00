//! Against the real programs of others.

mod mosquitto;
mod mqtt_input;
mod mqtt_output;
mod mqtt_tls;
mod promtool;
