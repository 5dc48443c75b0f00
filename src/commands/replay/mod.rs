//! `forewarn replay`: recorded readings through the real engine and a real journal, in virtual time.

pub mod connection;
pub mod driver;
pub mod input;
mod plain;
mod summary;
mod watched;

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;

use super::scratch::ScratchFolder;
use super::{BAD_CONFIGURATION, FINDINGS, GOOD, complain};
use crate::config::{self, Source};
use crate::engine::time::Wall;
use driver::{Replay, ReplayError};
use watched::watched;

/// Where a replay begins unless told otherwise: any time will do, as long as it is always the same.
const DEFAULT_START: &str = "2026-01-01T00:00:00Z";

/// The input is read in pieces of this size, bytes.
const PIECE: usize = 256 * 1024;

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
    #[arg(long, value_name = "TIME", default_value = DEFAULT_START, value_parser = start)]
    start: Wall,
    /// Let time pass up to t = SECONDS
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    until: Option<Duration>,
    /// Add a line per point this often, every second unless told otherwise
    #[arg(
        long,
        value_name = "SECONDS",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "1",
        value_parser = period
    )]
    trace: Option<Duration>,
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
    let file = args.input.as_ref().map(open).transpose()?;
    let lines: Box<dyn BufRead> = match &file {
        Some(file) => Box::new(BufReader::with_capacity(PIECE, file)),
        None => Box::new(BufReader::with_capacity(PIECE, std::io::stdin())),
    };
    let (lines, out) = watched(lines, file.as_ref(), out);
    let folder = ScratchFolder::new("replay")?;
    let mut out = BufWriter::new(out);
    let mut replay = Replay::new(config, args.start, folder.path(), args.trace, &mut out)?;
    let ran = replay.run(lines, args.until);
    if ran.is_ok() && args.summary {
        replay.summarize()?;
    }
    // What was committed before a wrong line was shown, and stays shown.
    out.flush().map_err(ReplayError::from)?;
    Ok(ran?)
}

fn open(path: &PathBuf) -> Result<File, ReplayError> {
    File::open(path).map_err(|source| ReplayError::Input {
        path: path.clone(),
        source,
    })
}

fn start(text: &str) -> Result<Wall, String> {
    let time: Timestamp = text
        .parse()
        .map_err(|error: jiff::Error| error.to_string())?;
    input::wall(time)
}

fn seconds(text: &str) -> Result<Duration, String> {
    let number = text.parse().ok();
    number
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| "a number of seconds from 0 is expected".to_owned())
}

fn period(text: &str) -> Result<Duration, String> {
    seconds(text)
        .ok()
        .filter(|every| !every.is_zero())
        .ok_or_else(|| "a number of seconds above 0 is expected".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Program {
        #[command(flatten)]
        args: ReplayArgs,
    }

    fn parse(words: &[&str]) -> Result<ReplayArgs, clap::Error> {
        let words = ["replay", "--config", "c.toml"].iter().chain(words);
        Program::try_parse_from(words).map(|program| program.args)
    }

    #[test]
    fn a_trace_leaves_the_file_alone() {
        let args = parse(&["--trace", "in.jsonl"]).expect("good words");
        assert_eq!(args.trace, Some(Duration::from_secs(1)));
        assert_eq!(args.input, Some("in.jsonl".into()));
        let args = parse(&["--trace=0.5"]).expect("good words");
        assert_eq!(args.trace, Some(Duration::from_millis(500)));
    }

    #[test]
    fn bad_numbers_are_mistakes_of_usage() {
        for word in [
            "--until=-5",
            "--until=nan",
            "--until=1e300",
            "--until=soon",
            "--trace=nan",
            "--trace=0",
            "--start=yesterday",
            "--start=9999-01-01T00:00:00Z",
        ] {
            let error = parse(&[word]).expect_err(word);
            assert_eq!(error.exit_code(), i32::from(super::super::USAGE), "{word}");
        }
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = open(&"/nonexistent.jsonl".into()).err();
        let error = error.map(|error| error.to_string());
        assert_eq!(error.as_deref(), Some("cannot open /nonexistent.jsonl"));
    }
}
