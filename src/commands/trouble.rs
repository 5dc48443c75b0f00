//! Why a command that asks a gateway or reads a journal did not come to its end, and its exit code.

use std::io::{self, Write};

use super::daemon::NoAnswer;
use super::{BAD_CONFIGURATION, FINDINGS, NOT_REACHABLE, USAGE, complain};
use crate::journal::chain::Damage;

/// What went wrong.
#[derive(Debug)]
pub enum Trouble {
    /// The gateway.
    NoAnswer(NoAnswer),
    /// The journal is not as it was written, or cannot be read.
    Damage(Damage),
    /// The command line, in words.
    Usage(String),
    /// What was looked for is not there, in words.
    Nothing(String),
    /// The answer cannot be written.
    Output(io::Error),
}

impl Trouble {
    /// Says so on standard error and gives the exit code.
    pub fn complain(&self) -> u8 {
        match self {
            Self::NoAnswer(error) => {
                complain(error);
                match error {
                    NoAnswer::NotThere { .. } | NoAnswer::Slow | NoAnswer::Broken(_) => {
                        NOT_REACHABLE
                    }
                    NoAnswer::Configuration(_) => BAD_CONFIGURATION,
                    NoAnswer::Address(_) => USAGE,
                    NoAnswer::Refused { .. } => FINDINGS,
                }
            }
            Self::Damage(error) => {
                complain(error);
                FINDINGS
            }
            Self::Output(error) => {
                complain(error);
                FINDINGS
            }
            Self::Usage(words) => say(words, USAGE),
            Self::Nothing(words) => say(words, FINDINGS),
        }
    }
}

fn say(words: &str, code: u8) -> u8 {
    let _nobody = writeln!(io::stderr(), "error: {words}").is_err();
    code
}

impl From<NoAnswer> for Trouble {
    fn from(error: NoAnswer) -> Self {
        Self::NoAnswer(error)
    }
}

impl From<Damage> for Trouble {
    fn from(error: Damage) -> Self {
        Self::Damage(error)
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}
