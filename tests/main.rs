//! Integration tests.

#![expect(
    clippy::panic,
    reason = "helpers of tests fail as tests do; clippy lets only the tests themselves"
)]

mod config_errors;
mod interop;
mod systemd;
mod tidy;
