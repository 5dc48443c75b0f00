//! Integration tests.

mod config_errors;
mod interop;
mod scenarios;
mod systemd;
mod tidy;
