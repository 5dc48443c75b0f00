//! `forewarn journal verify`: is every event as it was written?
//!
//! The chain is walked here, whoever gives the rows: a gateway hands out what is on its disk and is not
//! asked for its opinion. What is pruned while we walk is missed by nobody: the walk goes on from the new
//! beginning.

use std::io::Write;

use clap::Args;
use serde_json::json;

use super::rows::From;
use crate::commands::progress::Progress;
use crate::commands::trouble::Trouble;
use crate::journal::chain::{Verified, Walk, hex};

/// Arguments of `forewarn journal verify`.
#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    #[command(flatten)]
    from: From,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &VerifyArgs, out: &mut impl Write) -> Result<(), Trouble> {
    let mut rows = args.from.open()?;
    let first = rows.page(0)?;
    let mut progress = Progress::new("events", Some(first.newest.saturating_sub(first.base.seq)));
    let mut walk = Walk::new(first.base.seq, first.base.hash);
    let (mut page, mut seen) = (first, 0);
    while !page.rows.is_empty() {
        if page.base.seq > walk.last() {
            walk = Walk::new(page.base.seq, page.base.hash);
        }
        for row in &page.rows {
            walk.row(row.seq, row.line.as_deref(), &row.hash)?;
            seen += 1;
        }
        progress.reach(seen);
        page = rows.page(walk.last())?;
    }
    let verified = walk.end(page.newest)?;
    drop(progress);
    write(&verified, args.json, out)?;
    Ok(())
}

fn write(verified: &Verified, json: bool, out: &mut impl Write) -> std::io::Result<()> {
    let head = hex(&verified.head);
    let Verified {
        rows,
        first,
        last,
        dropped,
        ..
    } = verified;
    if json {
        let whole = json!({"good": true, "rows": rows, "first": first, "last": last, "dropped": dropped, "head": head});
        return writeln!(out, "{whole}");
    }
    match first {
        Some(first) => writeln!(
            out,
            "{rows} events, {first} to {last}: each is as it was written"
        )?,
        None => writeln!(out, "no events: nothing was altered")?,
    }
    if *dropped > 0 {
        writeln!(
            out,
            "{dropped} numbers were given to events that the disk never got (memory was full while it failed)"
        )?;
    }
    writeln!(
        out,
        "head {head}\nkeep a copy of the head elsewhere: with it a file that was rewritten as a whole is found"
    )
}
