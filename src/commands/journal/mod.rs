//! `forewarn journal`: what happened, from the gateway that runs or from a file.

mod export;
mod rows;
mod show;
mod tail;
mod verify;
mod words;

use std::io::Write;

use clap::{Args, Subcommand};

use super::GOOD;
use super::trouble::Trouble;

/// Arguments of `forewarn journal`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  forewarn journal tail -f\n  forewarn journal export --since 2026-05-01T00:00:00Z --out may.jsonl\n  forewarn journal verify --file copy/journal.db\n  forewarn journal show north-plant:7:1042\n\nExit codes: 0 good, 1 damaged, not there, or the gateway says no, 2 usage, 3 no gateway answers"
)]
pub struct JournalArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// The newest events, and those that come
    Tail(tail::TailArgs),
    /// Events as JSON lines, oldest first
    Export(export::ExportArgs),
    /// Walk along the hash chain: is every event as it was written?
    Verify(verify::VerifyArgs),
    /// One event and what became of it: who got it, who was told, who acknowledged
    Show(show::ShowArgs),
}

/// Runs `forewarn journal` and gives the exit code.
pub fn run(args: JournalArgs, mut out: impl Write) -> u8 {
    let done: Result<(), Trouble> = match args.what {
        What::Tail(args) => tail::run(&args, &mut out),
        What::Export(args) => export::run(&args, &mut out),
        What::Verify(args) => verify::run(&args, &mut out),
        What::Show(args) => show::run(&args, &mut out),
    };
    match done {
        Ok(()) => GOOD,
        Err(trouble) => trouble.complain(),
    }
}
