//! Against programs that others wrote.

mod promtool;
