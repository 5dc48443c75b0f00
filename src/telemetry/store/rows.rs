//! The rows of the file, as SQL.

use std::ops::RangeInclusive;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::{APPLICATION, Contents, PAGE, VERSION};
use crate::telemetry::memory::Block;
use crate::telemetry::names::Names;

/// Blocks that are evicted before there is another look at the room.
const EVICTED: usize = 16;

pub(super) fn create(connection: &mut Connection) -> Result<(), rusqlite::Error> {
    let tx = connection.transaction()?;
    tx.execute_batch(include_str!("../schema.sql"))?;
    tx.pragma_update(None, "application_id", APPLICATION)?;
    tx.pragma_update(None, "user_version", VERSION)?;
    tx.commit()
}

/// Takes note of names and outputs; what no block and no output needs any more goes.
pub(super) fn enter(
    connection: &mut Connection,
    names: &Names,
    outputs: &[Arc<str>],
) -> Result<(i64, Contents), rusqlite::Error> {
    let tx = connection.transaction()?;
    let lines = names.to_lines();
    let known = "SELECT key FROM catalogue WHERE points=?1";
    let known: Option<i64> = tx.query_row(known, [&lines], |row| row.get(0)).optional()?;
    let catalogue = match known {
        Some(key) => key,
        None => {
            tx.execute("INSERT INTO catalogue(points) VALUES (?1)", [&lines])?;
            tx.last_insert_rowid()
        }
    };
    tx.execute(
        "DELETE FROM catalogue WHERE key<>?1 AND key NOT IN (SELECT catalogue FROM block)",
        [catalogue],
    )?;
    let last: i64 = tx.query_row(
        "SELECT max(coalesce((SELECT max(last) FROM block), 0),
                    coalesce((SELECT max(number) FROM cursor), 0))",
        [],
        |row| row.get(0),
    )?;
    let mut cursors = Vec::new();
    for output in outputs {
        let select = "SELECT number FROM cursor WHERE output=?1";
        let number: Option<i64> = tx
            .query_row(select, [output], |row| row.get(0))
            .optional()?;
        cursors.push((Arc::clone(output), number.unwrap_or(last).unsigned_abs()));
    }
    tx.execute("DELETE FROM cursor", [])?;
    put_cursors(&tx, &cursors)?;
    let contents = Contents {
        disk: range(&tx)?,
        last: last.unsigned_abs(),
        cursors,
    };
    tx.commit()?;
    Ok((catalogue, contents))
}

pub(super) fn put_cursors(
    tx: &Transaction<'_>,
    cursors: &[(Arc<str>, u64)],
) -> Result<(), rusqlite::Error> {
    let mut put = tx.prepare_cached("INSERT OR REPLACE INTO cursor VALUES (?1, ?2)")?;
    for (output, number) in cursors {
        put.execute(params![output, signed(*number)])?;
    }
    Ok(())
}

pub(super) fn put_block(
    tx: &Transaction<'_>,
    block: &Block,
    catalogue: i64,
) -> Result<(), rusqlite::Error> {
    tx.prepare_cached("INSERT OR REPLACE INTO block VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![
            signed(block.last),
            signed(block.first),
            block.newest_ms,
            catalogue,
            &*block.bytes
        ])?;
    Ok(())
}

/// Blocks whose newest record is older than `oldest_ms`; the oldest block is looked at first.
pub(super) fn expire(
    tx: &Transaction<'_>,
    oldest_ms: i64,
    expired: &mut Vec<RangeInclusive<u64>>,
) -> Result<(), rusqlite::Error> {
    loop {
        let select = "SELECT first, last, newest_ms FROM block ORDER BY last LIMIT 1";
        let oldest = tx
            .prepare_cached(select)?
            .query_row([], |row| Ok((block_range(row)?, row.get::<_, i64>(2)?)));
        let Some((block, newest_ms)) = oldest.optional()? else {
            return Ok(());
        };
        if newest_ms >= oldest_ms {
            return Ok(());
        }
        delete(tx, &block)?;
        expired.push(block);
    }
}

/// The oldest blocks go until `need` bytes have room in a file of `budget` bytes.
pub(super) fn make_room(
    tx: &Transaction<'_>,
    need: u64,
    budget: u64,
    evicted: &mut Vec<RangeInclusive<u64>>,
) -> Result<(), rusqlite::Error> {
    // A blob ends within a page, and tables have inner pages.
    let need = need + need / 8 + 16 * PAGE;
    let pages = |name| -> Result<u64, rusqlite::Error> {
        let pages: i64 = tx.pragma_query_value(None, name, |row| row.get(0))?;
        Ok(pages.unsigned_abs())
    };
    while (pages("page_count")? - pages("freelist_count")?) * PAGE + need > budget {
        let mut select =
            tx.prepare_cached("SELECT first, last FROM block ORDER BY last LIMIT ?1")?;
        let oldest = select.query_map([signed(EVICTED as u64)], block_range)?;
        let oldest = oldest.collect::<Result<Vec<_>, _>>()?;
        if oldest.is_empty() {
            return Ok(());
        }
        for block in oldest {
            delete(tx, &block)?;
            evicted.push(block);
        }
    }
    Ok(())
}

pub(super) fn delete(tx: &Connection, block: &RangeInclusive<u64>) -> Result<(), rusqlite::Error> {
    tx.prepare_cached("DELETE FROM block WHERE last=?1")?
        .execute([signed(*block.end())])?;
    Ok(())
}

/// A row of the table of blocks.
pub(super) struct Row {
    pub(super) range: RangeInclusive<u64>,
    pub(super) catalogue: i64,
    pub(super) records: Vec<u8>,
}

/// The first that has a record behind this number.
pub(super) fn block_after(
    connection: &Connection,
    after: u64,
) -> Result<Option<Row>, rusqlite::Error> {
    let select =
        "SELECT first, last, catalogue, records FROM block WHERE last > ?1 ORDER BY last LIMIT 1";
    let mut select = connection.prepare_cached(select)?;
    let row = select.query_row([signed(after)], |row| {
        Ok(Row {
            range: block_range(row)?,
            catalogue: row.get(2)?,
            records: row.get(3)?,
        })
    });
    row.optional()
}

fn block_range(row: &rusqlite::Row<'_>) -> Result<RangeInclusive<u64>, rusqlite::Error> {
    let (first, last): (i64, i64) = (row.get(0)?, row.get(1)?);
    Ok(first.unsigned_abs()..=last.unsigned_abs())
}

pub(super) fn range(
    connection: &Connection,
) -> Result<Option<RangeInclusive<u64>>, rusqlite::Error> {
    let select = "SELECT (SELECT first FROM block ORDER BY last LIMIT 1), max(last) FROM block";
    let ends = connection.prepare_cached(select)?.query_row([], |row| {
        Ok((row.get::<_, Option<i64>>(0)?, row.get::<_, Option<i64>>(1)?))
    })?;
    Ok(match ends {
        (Some(first), Some(last)) => Some(first.unsigned_abs()..=last.unsigned_abs()),
        _ => None,
    })
}

/// SQLite's whole numbers are signed; ours never come near the end.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
