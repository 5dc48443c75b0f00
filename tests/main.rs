//! Integration tests.

mod config_errors;
mod interop;
mod readme;
mod systemd;
mod tidy;
