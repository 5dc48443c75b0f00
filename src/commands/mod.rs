//! The command line: one file per subcommand. Data goes to standard output, words to standard error.

pub mod alarms;
pub mod check;
pub mod daemon;
#[cfg(feature = "demo")]
pub mod demo;
pub mod journal;
pub mod notify;
pub mod points;
pub mod probe;
pub mod progress;
pub mod replay;
pub mod run;
pub mod scratch;
pub mod status;
pub mod test;
pub mod trouble;

use std::error::Error;
use std::io::Write;

/// Everything as it should be.
pub const GOOD: u8 = 0;
/// Findings, or a negative answer.
pub const FINDINGS: u8 = 1;
/// The command line itself is wrong.
pub const USAGE: u8 = 2;
/// The daemon cannot be reached.
pub const NOT_REACHABLE: u8 = 3;
/// A task of the daemon ended although nobody asked: a fault of ours; the service manager restarts.
pub const INTERNAL: u8 = 70;
/// The configuration has mistakes; starting again will not help.
pub const BAD_CONFIGURATION: u8 = 78;

/// Writes an error with everything behind it to standard error.
pub fn complain(error: &dyn Error) {
    // Without a standard error there is nobody to tell.
    let _nobody = writeln!(std::io::stderr(), "error: {}", chain(error)).is_err();
}

/// An error with everything behind it, in one line.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
