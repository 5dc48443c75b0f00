//! `forewarn journal export`: events as they are stored, one JSON object a line, oldest first.
//!
//! A file appears when it is whole (written beside, synced, renamed): who is interrupted leaves none.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use super::rows::{From, Rows};
use crate::commands::progress::Progress;
use crate::commands::trouble::Trouble;
use crate::engine::time::Wall;
use crate::event::rfc3339;
use crate::journal::chain::Damage;

/// Arguments of `forewarn journal export`.
#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    #[command(flatten)]
    from: From,
    /// Only events after this number
    #[arg(long, default_value_t = 0, value_name = "SEQ")]
    after: u64,
    /// Only events from this time on, RFC 3339
    #[arg(long, value_name = "TIME", value_parser = time)]
    since: Option<Wall>,
    /// Only events before this time, RFC 3339
    #[arg(long, value_name = "TIME", value_parser = time)]
    until: Option<Wall>,
    /// Write to this file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

fn time(text: &str) -> Result<Wall, String> {
    rfc3339::parse(text).ok_or_else(|| "a time is written 2026-05-04T06:12:31Z".to_owned())
}

pub(super) fn run(args: &ExportArgs, out: &mut impl Write) -> Result<(), Trouble> {
    let rows = args.from.open()?;
    match &args.out {
        None => args.write(rows, out),
        Some(path) => {
            let beside = beside(path);
            let mut file = BufWriter::new(File::create(&beside)?);
            let written = args
                .write(rows, &mut file)
                .and_then(|()| Ok(finish(file, &beside, path)?));
            if written.is_err() {
                let _left_behind = fs::remove_file(&beside).is_err();
            }
            written
        }
    }
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    name.into()
}

fn finish(file: BufWriter<File>, beside: &Path, path: &Path) -> io::Result<()> {
    file.into_inner()?.sync_all()?;
    fs::rename(beside, path)
}

impl ExportArgs {
    fn write(&self, mut rows: Rows, out: &mut impl Write) -> Result<(), Trouble> {
        let mut after = self.after;
        let mut progress: Option<Progress> = None;
        loop {
            let page = rows.page(after)?;
            let left = page.newest.saturating_sub(after.max(page.base.seq));
            let progress = progress.get_or_insert_with(|| Progress::new("events", Some(left)));
            let Some(last) = page.rows.last().map(|row| row.seq) else {
                break;
            };
            for row in &page.rows {
                // A copy with a hole that nobody sees would be worse than none.
                let line = row
                    .line
                    .as_deref()
                    .ok_or(Damage::Altered { seq: row.seq })?;
                if self.wants(line) {
                    writeln!(out, "{line}")?;
                }
                progress.step();
            }
            after = last;
        }
        Ok(out.flush()?)
    }

    /// A wall clock can go back, so every line is looked at.
    fn wants(&self, line: &str) -> bool {
        if self.since.is_none() && self.until.is_none() {
            return true;
        }
        let time = rfc3339::of_line(line);
        time.is_none_or(|time| {
            self.since.is_none_or(|since| time >= since)
                && self.until.is_none_or(|until| time < until)
        })
    }
}
