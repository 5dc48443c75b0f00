//! Integration tests.

mod interop;
