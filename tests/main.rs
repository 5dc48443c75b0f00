//! Integration tests.

mod config_errors;
mod demo;
mod interop;
mod readme;
mod scenarios;
mod systemd;
mod tidy;
