//! One event's account: when it came to disk, and what became of it at each output.
//!
//! ```text
//!                    ┌─ a receipt ─▶ accepted │ aside │ lost
//!  an output's event ┤
//!                    └─ none ─ the cursor is ─┬─ before it ─▶ waiting
//!                                             └─ beyond it ─▶ passed: not for this output, or older than it
//! ```
//!
//! As [`Account`] is written, `GET /api/v1/journal/SEQ` answers: a field that is not known is absent.

use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension};
use serde::Serialize;

use super::chain::Damage;
use super::database::{ACCOUNTS_SINCE, user_version};
use super::ledger::Ledger;
use super::page::{Pages, unreadable};
use super::receipts::{self, Fate, Receipt};
use super::store::signed;
use crate::engine::time::Wall;
use crate::event::rfc3339;

/// What became of one event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Account {
    /// The event's number.
    pub seq: u64,
    /// Is it on disk, and on the disk that is meant?
    pub durable: bool,
    /// When it came there, RFC 3339; journals of earlier versions do not know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub committed_at: Option<String>,
    /// One for each output, in the order of their ids.
    pub outputs: Vec<Standing>,
}

/// How an event stands with one output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Standing {
    /// The output's id.
    pub output: Arc<str>,
    /// In a word.
    pub state: State,
    /// Since when, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// When the run that brought it there sent it first, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<String>,
    /// How often that run sent it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempts: Option<u32>,
    /// What the far end said when it took it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<Arc<str>>,
    /// Why it is not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Arc<str>>,
    /// Readers who are owed it, by their address.
    #[serde(skip_serializing_if = "<[Arc<str>]>::is_empty")]
    pub owed_to: Vec<Arc<str>>,
    /// Readers who will never have it.
    #[serde(skip_serializing_if = "<[Arc<str>]>::is_empty")]
    pub missed_by: Vec<Arc<str>>,
    /// So many numbers of the journal come before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<u64>,
}

/// What became of an event at an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The far end has it.
    Accepted,
    /// The far end refuses it, or puts off some of its readers; it is tried again from time to time.
    Aside,
    /// Given up.
    Lost,
    /// The output has not come to it yet.
    Waiting,
    /// Not for this output, or from before the output was there.
    Passed,
}

/// What the tables say of one event.
#[derive(Debug, Default)]
pub(super) struct Traces {
    pub(super) committed: Option<Wall>,
    pub(super) receipts: Vec<Receipt>,
}

impl Traces {
    pub(super) fn read(connection: &Connection, seq: u64) -> Result<Self, rusqlite::Error> {
        let committed = connection
            .prepare_cached("SELECT commit_ms FROM event WHERE seq = ?1")?
            .query_row([signed(seq)], |row| row.get::<_, Option<i64>>(0))
            .optional()?;
        Ok(Self {
            committed: committed.flatten().map(receipts::wall),
            receipts: receipts::stored(connection, seq)?,
        })
    }
}

impl Account {
    /// `cursors`: how far each output is.
    pub(super) fn new(
        seq: u64,
        durable: bool,
        traces: Traces,
        cursors: &[(Arc<str>, u64)],
    ) -> Self {
        let has_receipt = |output: &str| {
            let mut receipts = traces.receipts.iter();
            receipts.any(|receipt| &*receipt.output == output)
        };
        let silent = cursors.iter().filter(|(output, _)| !has_receipt(output));
        let mut outputs: Vec<Standing> = silent
            .map(|(output, cursor)| Standing::without(Arc::clone(output), seq, *cursor))
            .collect();
        outputs.extend(traces.receipts.into_iter().map(Standing::from));
        outputs.sort_by(|a, b| a.output.cmp(&b.output));
        Self {
            seq,
            durable,
            committed_at: traces.committed.map(rfc3339::format),
            outputs,
        }
    }
}

/// How far each output is, in the order of their ids.
pub(super) fn cursors(ledger: &Ledger) -> Vec<(Arc<str>, u64)> {
    let cursors = ledger.cursors.iter();
    cursors
        .map(|(output, cursor)| (Arc::clone(output), cursor.delivered))
        .collect()
}

impl Standing {
    /// Of an output that has given no receipt and is at `cursor`.
    fn without(output: Arc<str>, seq: u64, cursor: u64) -> Self {
        let before = seq.checked_sub(cursor + 1);
        let state = match before {
            Some(_) => State::Waiting,
            None => State::Passed,
        };
        Self {
            output,
            state,
            at: None,
            sent_at: None,
            attempts: None,
            answer: None,
            reason: None,
            owed_to: Vec::new(),
            missed_by: Vec::new(),
            before,
        }
    }
}

impl From<Receipt> for Standing {
    fn from(receipt: Receipt) -> Self {
        let (state, answer, reason) = match receipt.fate {
            Fate::Accepted => (State::Accepted, receipt.words, None),
            Fate::Aside => (State::Aside, None, receipt.words),
            Fate::Lost => (State::Lost, None, receipt.words),
        };
        let audience = receipt.audience.unwrap_or_default();
        Self {
            output: receipt.output,
            state,
            at: Some(rfc3339::format(receipt.at)),
            sent_at: receipt.sent.map(rfc3339::format),
            attempts: receipt.attempts,
            answer,
            reason,
            owed_to: audience.waiting,
            missed_by: audience.missed,
            before: None,
        }
    }
}

impl Pages {
    /// The account of a row of this file. A journal of an earlier version knows none.
    ///
    /// # Errors
    /// [`Damage::Unreadable`].
    pub fn account(&self, seq: u64) -> Result<Account, Damage> {
        let connection = self.connection();
        account(connection, seq).map_err(|source| {
            let path = connection.path().unwrap_or_default();
            unreadable(Path::new(path), source)
        })
    }
}

fn account(connection: &Connection, seq: u64) -> Result<Account, rusqlite::Error> {
    if user_version(connection)? < ACCOUNTS_SINCE {
        return Ok(Account::new(seq, true, Traces::default(), &[]));
    }
    let mut select = connection.prepare_cached("SELECT output, seq FROM cursor")?;
    let cursors = select.query_map([], |row| {
        let seq: i64 = row.get(1)?;
        Ok((row.get::<_, String>(0)?.into(), seq.unsigned_abs()))
    })?;
    let cursors: Vec<(Arc<str>, u64)> = cursors.collect::<Result<_, _>>()?;
    let traces = Traces::read(connection, seq)?;
    Ok(Account::new(seq, true, traces, &cursors))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::Audience;
    use crate::journal::scratch::{self, at};

    fn receipt(output: &str, fate: Fate, words: &str) -> Receipt {
        Receipt {
            sent: Some(at(1).wall),
            attempts: Some(3),
            words: Some(words.into()),
            ..scratch::receipt(7, output, fate, 2)
        }
    }

    #[test]
    fn every_output_is_told_of_once_with_what_is_known() {
        let traces = Traces {
            committed: Some(at(1).wall),
            receipts: vec![
                receipt("hook", Fate::Aside, "HTTP 400"),
                receipt("chat", Fate::Accepted, "HTTP 200"),
                receipt("gone", Fate::Lost, "too long"),
                Receipt {
                    audience: Some(Audience {
                        waiting: vec!["li".into()],
                        missed: vec!["anna".into()],
                        reached: true,
                    }),
                    ..receipt("post", Fate::Aside, "box full")
                },
            ],
        };
        let cursor = |output: &str, seq| (Arc::from(output), seq);
        let cursors = [
            cursor("chat", 9),
            cursor("hook", 9),
            cursor("late", 4),
            cursor("mail", 7),
            cursor("next", 6),
        ];
        let account = Account::new(7, true, traces, &cursors);
        let told: Vec<_> = account
            .outputs
            .iter()
            .map(|it| (&*it.output, it.state, it.before))
            .collect();
        assert_eq!(
            told,
            [
                ("chat", State::Accepted, None),
                ("gone", State::Lost, None),
                ("hook", State::Aside, None),
                ("late", State::Waiting, Some(2)),
                ("mail", State::Passed, None),
                ("next", State::Waiting, Some(0)),
                ("post", State::Aside, None),
            ]
        );
        let json = serde_json::to_value(&account).expect("plain data");
        assert_eq!(json["outputs"][0]["answer"], "HTTP 200");
        assert_eq!(json["outputs"][2]["reason"], "HTTP 400");
        assert_eq!(json["outputs"][2]["attempts"], 3);
        assert!(json["outputs"][4].get("at").is_none());
        assert!(json["outputs"][2].get("owed_to").is_none());
        assert_eq!(json["outputs"][6]["owed_to"][0], "li");
        assert_eq!(json["outputs"][6]["missed_by"][0], "anna");
    }
}
