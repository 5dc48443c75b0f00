//! Integration tests.

mod config_errors;
mod daemon;
mod demo;
mod interop;
mod readme;
mod scenarios;
mod systemd;
mod tidy;
