//! **forewarn**: an early-warning gateway for hazard points in plants.

pub mod broker;
pub mod clock;
pub mod commands;
pub mod config;
#[cfg(feature = "demo")]
pub mod embedded;
pub mod engine;
pub mod evaluation;
pub mod event;
pub mod gateway;
pub mod guidance;
pub mod http;
pub mod input;
pub mod journal;
pub mod metrics;
pub mod output;
pub mod systemd;
