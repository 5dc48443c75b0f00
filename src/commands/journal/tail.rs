//! `forewarn journal tail`: the newest events of the gateway that runs, and those that come.

use std::io::Write;
use std::time::Duration;

use clap::Args;
use serde_json::Value;

use super::words;
use crate::commands::daemon::{Daemon, NoAnswer, Reach};
use crate::commands::trouble::Trouble;

/// Between two looks.
const LOOK: Duration = Duration::from_millis(500);

/// Events of one answer at most.
const PAGE: u64 = 1000;

/// Arguments of `forewarn journal tail`.
#[derive(Debug, Args)]
pub(super) struct TailArgs {
    #[command(flatten)]
    reach: Reach,
    /// How many of those that are there
    #[arg(short = 'n', long, default_value_t = 20, value_name = "NUMBER")]
    lines: u64,
    /// Go on with those that come, until interrupted
    #[arg(short, long)]
    follow: bool,
    /// Print events as they are stored, one JSON object a line
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &TailArgs, out: &mut impl Write) -> Result<(), Trouble> {
    let daemon = args.reach.find()?;
    let status = daemon.get("/api/v1/status")?;
    let newest = status["journal"]["newest"].as_u64();
    let newest = newest.ok_or_else(|| NoAnswer::Broken("the status names no event".to_owned()))?;
    let mut after = newest.saturating_sub(args.lines);
    loop {
        let (events, next) = events(&daemon, after)?;
        for event in &events {
            if args.json {
                writeln!(out, "{event}")?;
            } else {
                writeln!(out, "{}", words::line(event))?;
            }
        }
        out.flush()?;
        let caught_up = next == after;
        if caught_up && !args.follow {
            return Ok(());
        }
        if caught_up {
            daemon.pause(LOOK);
        }
        after = next;
    }
}

fn events(daemon: &Daemon, after: u64) -> Result<(Vec<Value>, u64), Trouble> {
    let mut answer = daemon.get(&format!("/api/v1/events?after={after}&limit={PAGE}"))?;
    let next = answer["next"].as_u64().unwrap_or(after);
    let Value::Array(events) = answer["events"].take() else {
        return Err(NoAnswer::Broken("the answer has no events".to_owned()).into());
    };
    Ok((events, next))
}
