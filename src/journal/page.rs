//! Rows as they are on disk, a page at a time, for whoever checks the hash chain or takes a copy.
//!
//! A page says where the chain begins (rows are pruned from the front while somebody reads) and where it
//! must end. Reading pages instead of one long snapshot holds up nothing: a reader that stays in one
//! transaction would keep the write-ahead log from being cut.

use std::path::Path;

use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

use super::chain::{Damage, Hash};
use super::digits;
use super::reader::reader;
use super::store::signed;

/// Some rows in order; as JSON `{"base":{"seq","hash"},"newest":SEQ,"rows":[{"seq","hash","line"}]}`, with hashes as
/// hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// The row before the oldest one kept.
    pub base: Base,
    /// The newest row there must be.
    pub newest: u64,
    /// Rows after the number that was asked for; none: there are no more.
    pub rows: Vec<PageRow>,
}

/// Where the chain of the rows that are kept begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Base {
    /// The number of the last row that is not kept any more.
    pub seq: u64,
    /// Its hash.
    #[serde(with = "digits")]
    pub hash: Hash,
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageRow {
    /// Its number.
    pub seq: u64,
    /// What is stored as its hash; of another length if it is damaged.
    #[serde(with = "digits")]
    pub hash: Vec<u8>,
    /// The event, as in contract 5.2; `None`: what is stored is no text.
    pub line: Option<String>,
}

/// Rows after `after`: at most `limit`, and no more than about `bytes` of lines (at least one row when
/// there is any).
pub(super) fn page(
    connection: &mut Connection,
    after: u64,
    limit: usize,
    bytes: usize,
) -> Result<Page, rusqlite::Error> {
    // What the page says of the chain and its rows belong together.
    let snapshot = connection.transaction()?;
    let mut page = snapshot.query_row(
        "SELECT base_seq, base_hash, last_seq FROM meta",
        [],
        |row| {
            Ok(Page {
                base: Base {
                    seq: row.get::<_, i64>(0)?.unsigned_abs(),
                    hash: row.get(1)?,
                },
                newest: row.get::<_, i64>(2)?.unsigned_abs(),
                rows: Vec::new(),
            })
        },
    )?;
    let mut select = snapshot
        .prepare_cached("SELECT seq, line, hash FROM event WHERE seq > ?1 ORDER BY seq LIMIT ?2")?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rows = select.query(params![signed(after), limit])?;
    let mut taken = 0;
    while let Some(row) = rows.next()? {
        let line = row.get_ref(1)?.as_bytes().ok();
        let line = line.and_then(|bytes| str::from_utf8(bytes).ok());
        taken += line.map_or(0, str::len);
        if taken > bytes && !page.rows.is_empty() {
            break;
        }
        page.rows.push(PageRow {
            seq: row.get::<_, i64>(0)?.unsigned_abs(),
            hash: row.get_ref(2)?.as_bytes().unwrap_or_default().to_vec(),
            line: line.map(str::to_owned),
        });
    }
    Ok(page)
}

/// The pages of a journal that no gateway need have open; a copy, for instance.
#[derive(Debug)]
pub struct Pages {
    connection: Connection,
}

impl Pages {
    /// Opens the database at `path` for reading.
    ///
    /// # Errors
    /// [`Damage::Unreadable`].
    pub fn open(path: &Path) -> Result<Self, Damage> {
        let connection = reader(path).map_err(|source| unreadable(path, source))?;
        Ok(Self { connection })
    }

    pub(super) const fn connection(&self) -> &Connection {
        &self.connection
    }

    /// As [`Feed::page`](super::Feed::page).
    ///
    /// # Errors
    /// [`Damage::Unreadable`].
    pub fn page(&mut self, after: u64, limit: usize) -> Result<Page, Damage> {
        let path = self.connection.path().unwrap_or_default().to_owned();
        page(&mut self.connection, after, limit, super::feed::BYTES)
            .map_err(|source| unreadable(Path::new(&path), source))
    }
}

pub(super) fn unreadable(path: &Path, source: rusqlite::Error) -> Damage {
    Damage::Unreadable {
        path: path.to_owned(),
        source,
    }
}
