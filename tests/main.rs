//! Integration tests.

mod interop;
mod systemd;
mod tidy;
