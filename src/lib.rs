//! forewarn.
