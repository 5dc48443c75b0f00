//! The file as SQLite sees it: how it is made, opened, configured, migrated and looked into. What
//! the findings mean is decided in `open.rs`.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, params};
use serde::de::DeserializeOwned;

use super::chain::{GENESIS, Hash, digest};
use super::store::{PAGE, signed};
use crate::engine::effect::EventKind;
use crate::engine::memory::Memory;
use crate::engine::snapshot::AlarmRecord;
use crate::engine::time::Wall;
use crate::event::WireEvent;

/// `PRAGMA application_id`: "fwrn".
pub(super) const APPLICATION: u32 = 0x6677_726e;

/// Steps from an empty file to the present version; `PRAGMA user_version` counts those done.
pub(super) const MIGRATIONS: [&str; 8] = [
    include_str!("schema.sql"),
    include_str!("memory.sql"),
    include_str!("epoch.sql"),
    include_str!("receipt.sql"),
    include_str!("account.sql"),
    include_str!("readers.sql"),
    include_str!("ended.sql"),
    include_str!("clock.sql"),
];

/// The version that brought the table `memory`.
pub(super) const MEMORIES_SINCE: u32 = 2;

/// The version that brought what becomes of an event beside its acceptance.
pub(super) const ACCOUNTS_SINCE: u32 = 5;

/// The version that brought single readers.
pub(super) const READERS_SINCE: u32 = 6;

/// A short word for why SQLite failed (see [`CommitError`](super::CommitError)).
pub(super) fn reason(error: &rusqlite::Error) -> &'static str {
    // An extended code of SQLITE_IOERR: the file ends where a page should be.
    const SHORT_READ: i32 = 522;
    let rusqlite::Error::SqliteFailure(failure, _) = error else {
        // A row that is not as the schema says.
        return "damaged";
    };
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "SQLite's codes are many and grow"
    )]
    match failure.code {
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::Unknown => "damaged",
        ErrorCode::DiskFull => "full",
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied => "read_only",
        ErrorCode::CannotOpen => "missing",
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => "busy",
        ErrorCode::SystemIoFailure if failure.extended_code == SHORT_READ => "damaged",
        ErrorCode::SystemIoFailure => "io",
        _ => "other",
    }
}

/// Damage that SQLite itself did not see, in the form of what it does see.
pub(super) fn damage(what: String) -> rusqlite::Error {
    let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
    rusqlite::Error::SqliteFailure(code, Some(what))
}

/// What the first page says, read without SQLite so that nothing is touched.
pub(super) struct Header {
    pub(super) application: u32,
    pub(super) version: u32,
}

/// `Ok(None)`: no file. `Ok(Err(length))`: not the start of a database.
pub(super) fn header(path: &Path) -> io::Result<Option<Result<Header, usize>>> {
    let file = match fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::with_capacity(100);
    file.take(100).read_to_end(&mut bytes)?;
    if bytes.len() < 100 || !bytes.starts_with(b"SQLite format 3\0") {
        return Ok(Some(Err(bytes.len())));
    }
    let word = |at: usize| {
        let word = bytes[at..at + 4].try_into();
        u32::from_be_bytes(word.expect("four bytes of a hundred"))
    };
    Ok(Some(Ok(Header {
        version: word(60),
        application: word(68),
    })))
}

pub(super) fn open(path: &Path, max_pages: u64) -> Result<Connection, rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    configure(&connection, max_pages)?;
    Ok(connection)
}

/// After a failure in the running gateway. Never moves a file aside: after an input/output error
/// SQLite may call a sound file malformed.
pub(super) fn again(path: &Path, max_pages: u64) -> Result<(Connection, u64), rusqlite::Error> {
    let connection = open(path, max_pages)?;
    let newest = newest(&connection)?;
    Ok((connection, newest))
}

pub(super) fn create(path: &Path, max_pages: u64) -> Result<Connection, rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    // Both must come before the first table. The tables come before WAL, so that a lost log never
    // makes a journal look like an empty database. All of it is one transaction: each syncs four times, and
    // a file that a power cut left with some of it would not be taken for ours.
    connection.pragma_update(None, "page_size", signed(PAGE))?;
    let tx = connection.transaction()?;
    tx.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    tx.pragma_update(None, "application_id", APPLICATION)?;
    for (version, step) in (1_u32..).zip(MIGRATIONS) {
        take_step(&tx, version, step)?;
    }
    tx.execute(
        "INSERT INTO meta VALUES (1, 0, NULL, 0, 0, ?1, NULL)",
        [GENESIS],
    )?;
    tx.commit()?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    configure(&connection, max_pages)?;
    Ok(connection)
}

/// What SQLite does not keep in the file. Reasons: performance and flash wear as measured; FULL is
/// the only setting under WAL that keeps every commit over a power cut.
fn configure(connection: &Connection, max_pages: u64) -> Result<(), rusqlite::Error> {
    connection.busy_timeout(Duration::from_millis(500))?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.execute_batch(
        "PRAGMA synchronous=FULL;
         PRAGMA wal_autocheckpoint=200;
         PRAGMA journal_size_limit=1048576;
         PRAGMA cache_size=-512;
         PRAGMA mmap_size=0;
         PRAGMA temp_store=MEMORY;",
    )?;
    connection.pragma_update(None, "max_page_count", signed(max_pages))
}

pub(super) fn user_version(connection: &Connection) -> Result<u32, rusqlite::Error> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Runs the steps that the file has not seen, each in a transaction of its own.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), rusqlite::Error> {
    let done = user_version(connection)?;
    for (version, step) in (1_u32..).zip(MIGRATIONS) {
        if version > done {
            let tx = connection.transaction()?;
            take_step(&tx, version, step)?;
            tx.commit()?;
        }
    }
    Ok(())
}

fn take_step(tx: &Connection, version: u32, step: &str) -> Result<(), rusqlite::Error> {
    tx.execute_batch(step)?;
    tx.pragma_update(None, "user_version", version)
}

/// What the file says its tables are. A bit that flipped here passes `quick_check` and would make
/// every later statement fail.
pub(super) fn schema(connection: &Connection) -> Result<Vec<String>, rusqlite::Error> {
    let mut select = connection.prepare("SELECT sql FROM sqlite_schema ORDER BY name")?;
    let texts = select.query_map([], |row| row.get(0))?;
    texts.collect()
}

pub(super) fn present_schema() -> Result<Vec<String>, rusqlite::Error> {
    let mut memory = Connection::open_in_memory()?;
    migrate(&mut memory)?;
    schema(&memory)
}

pub(super) fn newest(connection: &Connection) -> Result<u64, rusqlite::Error> {
    let newest: i64 = connection.query_row(
        "SELECT max(last_seq, coalesce((SELECT max(seq) FROM event), 0)) FROM meta",
        [],
        |row| row.get(0),
    )?;
    Ok(newest.unsigned_abs())
}

/// Where the journal's own clock stood last; `None` in a fresh journal.
pub(super) fn clock(connection: &Connection) -> Result<Option<i64>, rusqlite::Error> {
    connection.query_row(
        "SELECT max(coalesce(clock_ms, time_ms), coalesce(time_ms, clock_ms)) FROM meta
         LEFT JOIN (SELECT time_ms FROM event ORDER BY seq DESC LIMIT 1)",
        [],
        |row| row.get(0),
    )
}

pub(super) fn ends_with_stop(connection: &Connection) -> Result<bool, rusqlite::Error> {
    let mut select = connection.prepare("SELECT line FROM event ORDER BY seq DESC LIMIT 1")?;
    let mut lines = select.query_map([], |row| row.get::<_, String>(0))?;
    let newest: Option<WireEvent> = match lines.next() {
        Some(line) => serde_json::from_str(&line?).ok(),
        None => None,
    };
    Ok(newest.is_some_and(|event| event.event == EventKind::Stopped))
}

/// The newest state of every alarm, in order of their ids; each must match its check sum.
pub(super) fn states(connection: &Connection) -> Result<Vec<AlarmRecord>, rusqlite::Error> {
    let select = "SELECT alarm, record, hash FROM alarm ORDER BY alarm";
    let altered = |alarm| damage(format!("the state of {alarm} was altered"));
    checked(connection, select)?
        .into_iter()
        .map(|record| record.map_err(altered))
        .collect()
}

/// What alarms remembered, in order of their ids. A row that does not match its check sum is told in
/// the second list and not used: other than a state, an exposure that is not known begins anew, and
/// its coverage says so.
pub(super) fn memories(
    connection: &Connection,
) -> Result<(Vec<Memory>, Vec<String>), rusqlite::Error> {
    let select = "SELECT alarm, memory, hash FROM memory ORDER BY alarm";
    let (mut sound, mut damaged) = (Vec::new(), Vec::new());
    for memory in checked(connection, select)? {
        match memory {
            Ok(memory) => sound.push(memory),
            Err(alarm) => damaged.push(alarm),
        }
    }
    Ok((sound, damaged))
}

/// Rows of name, JSON and the JSON's check sum; the name of one that was altered.
fn checked<T: DeserializeOwned>(
    connection: &Connection,
    select: &str,
) -> Result<Vec<Result<T, String>>, rusqlite::Error> {
    let mut select = connection.prepare(select)?;
    let rows = select.query_map([], |row| {
        let text: String = row.get(1)?;
        let hash: Hash = row.get(2)?;
        let content = serde_json::from_str(&text).ok();
        match content.filter(|_| hash == digest(&text)) {
            Some(content) => Ok(Ok(content)),
            None => Ok(Err(row.get(0)?)),
        }
    })?;
    rows.collect()
}

/// The last sign of life.
pub(super) fn last_alive(connection: &Connection) -> Result<Option<Wall>, rusqlite::Error> {
    let alive: Option<i64> =
        connection.query_row("SELECT alive_ms FROM meta", [], |row| row.get(0))?;
    Ok(alive.map(|ms| Wall::from_unix_nanos(ms.saturating_mul(1_000_000))))
}

/// Where the configured outputs stand. One that is new begins at the newest event: it wants what
/// happens from now on, not years of history. Rows of outputs that are gone stay, should they return, and
/// say which event was the last that they could have had.
pub(super) fn cursors(
    connection: &Connection,
    outputs: &[Arc<str>],
    last_seq: u64,
) -> Result<BTreeMap<Arc<str>, u64>, rusqlite::Error> {
    let last = signed(last_seq);
    connection.execute(
        "UPDATE cursor SET ended_seq=?1 WHERE ended_seq IS NULL",
        [last],
    )?;
    let mut found = BTreeMap::new();
    for output in outputs {
        let seq: i64 = connection
            .prepare_cached(
                "INSERT INTO cursor VALUES (?1, ?2, NULL)
                 ON CONFLICT (output) DO UPDATE SET ended_seq=NULL RETURNING seq",
            )?
            .query_row(params![output, last], |row| row.get(0))?;
        found.insert(Arc::clone(output), seq.unsigned_abs().min(last_seq));
    }
    Ok(found)
}
