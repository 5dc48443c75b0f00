//! Rows of a journal, page by page: from the gateway that runs, or from a file.

use std::path::PathBuf;

use clap::Args;
use serde_json::Value;

use crate::commands::daemon::{Daemon, NoAnswer, Reach};
use crate::commands::trouble::Trouble;
use crate::journal::chain::Damage;
use crate::journal::{Page, Pages};

/// Rows of one page at most.
const PAGE: usize = 1000;

/// Where they come from.
#[derive(Debug, Args)]
pub(super) struct From {
    #[command(flatten)]
    reach: Reach,
    /// Read this database, a copy for instance, and ask no gateway
    #[arg(long, value_name = "FILE", conflicts_with_all = ["socket", "url", "config", "data"])]
    file: Option<PathBuf>,
}

impl From {
    pub(super) fn open(&self) -> Result<Rows, Trouble> {
        match &self.file {
            Some(file) => Ok(Rows::File(Pages::open(file)?)),
            None => Ok(Rows::Daemon(self.reach.find()?)),
        }
    }
}

/// An open journal.
pub(super) enum Rows {
    Daemon(Daemon),
    File(Pages),
}

impl Rows {
    /// Rows after `after`; none: there are no more.
    pub(super) fn page(&mut self, after: u64) -> Result<Page, Trouble> {
        self.some(after, PAGE)
    }

    /// The event `seq` and what became of it, as `GET /api/v1/journal/SEQ` answers; `None`: it is not kept.
    pub(super) fn account(&mut self, seq: u64) -> Result<Option<Value>, Trouble> {
        match self {
            Self::Daemon(daemon) => match daemon.get(&format!("/api/v1/journal/{seq}")) {
                Ok(answer) => Ok(Some(answer)),
                Err(NoAnswer::Refused { error, .. }) if error == "not_found" => Ok(None),
                Err(error) => Err(error.into()),
            },
            Self::File(pages) => {
                let page = pages.page(seq - 1, 1)?;
                let Some(row) = page.rows.into_iter().find(|row| row.seq == seq) else {
                    return Ok(None);
                };
                let event = row.line.and_then(|line| serde_json::from_str(&line).ok());
                let event: Value = event.ok_or(Damage::Altered { seq })?;
                let account = serde_json::to_value(pages.account(seq)?);
                let mut account = account.expect("numbers and strings always serialize");
                account["event"] = event;
                Ok(Some(account))
            }
        }
    }

    fn some(&mut self, after: u64, limit: usize) -> Result<Page, Trouble> {
        match self {
            Self::File(pages) => Ok(pages.page(after, limit)?),
            Self::Daemon(daemon) => {
                let answer = daemon.get(&format!("/api/v1/journal?after={after}&limit={limit}"))?;
                let page = serde_json::from_value(answer);
                Ok(page.map_err(|error| NoAnswer::Broken(error.to_string()))?)
            }
        }
    }
}
