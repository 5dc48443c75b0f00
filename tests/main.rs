//! Integration tests.

mod interop;
mod tidy;
