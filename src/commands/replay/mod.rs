//! `forewarn replay`: recorded readings through the real engine and a real journal, in virtual time.

pub mod driver;
pub mod input;

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;

use super::scratch::ScratchFolder;
use super::{BAD_CONFIGURATION, FINDINGS, GOOD, complain};
use crate::config::{self, Source};
use driver::{Replay, ReplayError};

/// Where a replay begins unless told otherwise: any time will do, as long as it is always the same.
const DEFAULT_START: &str = "2026-01-01T00:00:00Z";

/// Arguments of `forewarn replay`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: forewarn replay --config forewarn.toml --start 2026-05-04T06:10:00Z readings.jsonl"
)]
pub struct ReplayArgs {
    /// Configuration whose points and rules are tried
    #[arg(long)]
    config: PathBuf,
    /// Wall time at t = 0, RFC 3339
    #[arg(long, default_value = DEFAULT_START)]
    start: Timestamp,
    /// Let time pass up to this many seconds after the last line
    #[arg(long, value_name = "SECONDS")]
    until: Option<f64>,
    /// Add a line per point this often
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "1")]
    trace: Option<f64>,
    /// End with counts per point and per command outcome
    #[arg(long)]
    summary: bool,
    /// Input lines (JSON Lines); standard input when left out
    input: Option<PathBuf>,
}

/// Runs it: event lines on `out`.
pub fn run(args: &ReplayArgs, out: impl Write) -> u8 {
    let config = match config::load(&Source::file(Some(args.config.clone()))) {
        Ok((config, _warnings)) => config,
        Err(mistakes) => {
            complain(&mistakes);
            return BAD_CONFIGURATION;
        }
    };
    match replay(args, &config, out) {
        Ok(()) => GOOD,
        Err(error) => {
            complain(&*error);
            FINDINGS
        }
    }
}

fn replay(
    args: &ReplayArgs,
    config: &config::Config,
    out: impl Write,
) -> Result<(), Box<dyn std::error::Error>> {
    let start = input::wall(args.start)?;
    let span = |seconds: f64| Duration::try_from_secs_f64(seconds);
    let trace = args.trace.map(span).transpose()?;
    let until = args.until.map(span).transpose()?;
    let folder = ScratchFolder::new("replay")?;
    let mut out = BufWriter::new(out);
    let mut replay = Replay::new(config, start, folder.path(), trace, &mut out)?;
    let ran = replay.run(lines(args)?, until);
    if ran.is_ok() && args.summary {
        replay.summarize()?;
    }
    // What was committed before a wrong line was shown, and stays shown.
    out.flush().map_err(ReplayError::from)?;
    Ok(ran?)
}

fn lines(args: &ReplayArgs) -> Result<Box<dyn BufRead>, std::io::Error> {
    Ok(match &args.input {
        Some(path) => Box::new(BufReader::new(File::open(path)?)),
        None => Box::new(BufReader::new(std::io::stdin())),
    })
}
