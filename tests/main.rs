//! Integration tests.

mod config_errors;
mod daemon;
mod interop;
mod systemd;
mod tidy;
