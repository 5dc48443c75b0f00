//! Integration tests.

#![expect(
    clippy::panic,
    reason = "helpers of tests fail as tests do; clippy lets only the tests themselves"
)]

mod allocations;
mod config_errors;
mod daemon;
mod demo;
mod footprint;
mod interop;
mod mappings;
mod point_lists;
mod readme;
mod scenarios;
mod simulation;
mod systemd;
mod tidy;
