//! Integration tests.

mod config_errors;
mod interop;
mod systemd;
mod tidy;
