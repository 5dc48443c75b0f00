//! Reading events back, beside the writer and never in its way.

use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, OpenFlags, params};

use super::store::signed;
use crate::event::Committed;

/// Rows after number `after` up to `upto`, oldest first: at most `limit`, and no more than about
/// `bytes` of lines (at least one row when there is any).
pub(super) fn events_after(
    connection: &Connection,
    (after, upto): (u64, u64),
    limit: usize,
    bytes: usize,
) -> Result<Vec<Committed>, rusqlite::Error> {
    let mut select = connection.prepare_cached(
        "SELECT seq, line FROM event WHERE seq > ?1 AND seq <= ?2 ORDER BY seq LIMIT ?3",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rows = select.query(params![signed(after), signed(upto), limit])?;
    let mut found = Vec::new();
    let mut taken = 0;
    while let Some(row) = rows.next()? {
        let line: Arc<str> = row.get::<_, String>(1)?.into();
        taken += line.len();
        if taken > bytes && !found.is_empty() {
            break;
        }
        found.push(Committed {
            seq: row.get::<_, i64>(0)?.unsigned_abs(),
            alarm: alarm_of(&line),
            line,
            record: None,
            durable: true,
            at: None,
        });
    }
    Ok(found)
}

fn alarm_of(line: &str) -> Option<Arc<str>> {
    #[derive(serde::Deserialize)]
    struct Named {
        alarm: Option<Arc<str>>,
    }
    let named: Named = serde_json::from_str(line).ok()?;
    named.alarm
}

/// A second connection that only reads; the writer is never held up by it.
pub(super) fn reader(path: &Path) -> Result<Connection, rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.execute_batch("PRAGMA cache_size=-128; PRAGMA mmap_size=0; PRAGMA query_only=1")?;
    Ok(connection)
}
