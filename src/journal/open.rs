//! Opening the journal, whatever state it was left in.
//!
//! ```text
//!  lock ── held by another process ─────────────────────────────▶ refused: Running
//!   │
//!  file ── none, none before ───────────────────────────────────▶ fresh
//!   │  ├── none, but the epoch file says there was one ──────────▶ fresh, `missing`
//!   │  ├── of a newer version, or another program's database ────▶ refused, file untouched
//!   │  ├── garbage, emptied, truncated, pages damaged ───────────▶ moved aside, fresh, `quarantined`
//!   │  └── cannot be opened at all (rights, input/output error) ─▶ refused: the system's reason; the
//!   │                                                              gateway then watches without it
//!   │                                                              (`temporary.rs`)
//!   ▼
//!  sound ── ends before the head file says ─────────────────────▶ `lost_tail`
//! ```
//!
//! Every start takes a new epoch for its ids: the run before may have shown numbers that the file does
//! not know. The highest epoch taken so far is kept in the database and beside it, and is never below
//! the Unix time in seconds, so that neither a lost file nor a replaced card repeats an id.
//!
//! A damaged file is kept for people. Reading out of it what is still sound is deliberately absent: a
//! state that only looks sound would be worse than none, so alarms begin as normal and raise again.
//! Whoever needs the old events opens the file with the tools of SQLite.
//!
//! `quick_check` reads the whole file, so it is bounded: files over 64 MiB are only checked where
//! they are read. Bits that flipped inside a line pass it; [`verify`](super::chain::verify) finds
//! those, and alarm states carry a check sum of their own.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::sync::Arc;

use rusqlite::Connection;

use super::JournalSettings;
use super::aside;
use super::database::{
    APPLICATION, Header, MIGRATIONS, clock, create, cursors, damage, ends_with_stop, header,
    last_alive, memories, migrate, newest, open, present_schema, reason, schema, states,
    user_version,
};
use super::found::{OpenError, Restored};
use super::place::FileId;
use super::prune::{Age, Losses};
use super::sidecar::{Ballast, EpochFile, HeadFile, Lock, beside, quarantine};
use super::store::{PAGE, Store, signed};
use super::stranded::{self, Keep, Stranded};
use crate::engine::time::{Moment, Wall};
use crate::event::Identity;

/// Versions beyond this are damage, not the future.
const FAR_FUTURE: u32 = 1000;

/// Larger files are not read as a whole at start.
const QUICK_CHECK: u64 = 64 << 20;

impl Store {
    /// Opens the journal for writing, for this process alone. `outputs`: the configured ones.
    ///
    /// # Errors
    /// In use, of a newer version, another program's, or refused by the system. Damage is no error:
    /// the file is moved aside, a fresh one is begun, and [`Restored`] says so.
    pub fn open(
        settings: &JournalSettings,
        site: &str,
        outputs: &[Arc<str>],
        now: Moment,
    ) -> Result<(Self, Restored), OpenError> {
        let opening = Opening { settings, now };
        opening.run(site, outputs)
    }
}

/// A file that was opened and read.
struct Loaded {
    connection: Connection,
    /// Of the run before; 0 in a fresh file.
    epoch: u64,
    restored: Restored,
}

/// Why a file cannot be used as it is.
enum Trouble {
    Damaged(String),
    Refused(OpenError),
}

struct Opening<'a> {
    settings: &'a JournalSettings,
    now: Moment,
}

impl Opening<'_> {
    fn run(&self, site: &str, outputs: &[Arc<str>]) -> Result<(Store, Restored), OpenError> {
        let path = &self.settings.path;
        if let Some(folder) = path.parent() {
            // An empty name is the present folder; creating it does nothing.
            fs::create_dir_all(folder).map_err(self.file("create the folder"))?;
        }
        let lock = Lock::take(path).map_err(|locked| locked.refusal(path))?;
        let epoch_file = EpochFile::new(path);
        let known = epoch_file
            .read()
            .map_err(self.file("read the epoch file"))?;
        let head_file = HeadFile::open(path).map_err(self.file("open the head file"))?;
        let ballast = Ballast::new(path);

        let Loaded {
            connection,
            epoch: before,
            mut restored,
        } = match self.load(known) {
            // The reserve is for this: a full disk must not keep the gateway from starting.
            Err(OpenError::Sqlite { source, .. })
                if reason(&source) == "full" && ballast.release() =>
            {
                self.load(known)?
            }
            other => other?,
        };
        if restored.quarantined.is_none() && !restored.missing {
            restored.lost_tail = head_file.read().saturating_sub(restored.last_seq);
        }
        let highest = before.max(known.unwrap_or(0));
        let epoch = self.epoch(highest, restored.is_history_lost());
        restored.epoch = epoch;
        epoch_file
            .write(site, epoch)
            .or_else(|error| {
                let full = error.kind() == io::ErrorKind::StorageFull;
                if full && ballast.release() {
                    epoch_file.write(site, epoch)
                } else {
                    Err(error)
                }
            })
            .map_err(self.file("write the epoch file"))?;
        restored.cursors = begin_run(&connection, outputs, restored.last_seq, epoch)
            .map_err(|source| self.sqlite(source))?;
        let stood = clock(&connection).map_err(|source| self.sqlite(source))?;
        let age = Age::new(self.now, stood);
        self.take_up(&connection, age, &mut restored)
            .map_err(|source| self.sqlite(source))?;
        // The head file still tells of what is lost; the first commit, which holds the event that
        // says so, replaces it. A kill before that finds the loss again.

        let store = Store {
            path: path.clone(),
            connection: Some(connection),
            identity: Identity {
                site: site.into(),
                epoch,
            },
            last_seq: restored.last_seq,
            on_disk: restored.last_seq,
            max_pages: self.max_pages(),
            cursors: restored.cursors.clone(),
            losses: Losses::default(),
            age,
            file: FileId::at(path).map_err(self.file("look at the database"))?,
            head_file,
            ballast,
            lock,
            #[cfg(test)]
            faults: Arc::default(),
        };
        Ok((store, restored))
    }

    /// What the outputs of the run before had put by, and what those that are gone leave behind.
    fn take_up(
        &self,
        connection: &Connection,
        age: Age,
        restored: &mut Restored,
    ) -> Result<(), rusqlite::Error> {
        let mut left = aside::take_up(connection, &restored.cursors, age, self.now)?;
        left.retain(|output, left| {
            let configured = restored.cursors.contains_key(output);
            let given_up = left.given_up + left.missed;
            if !configured && given_up > 0 {
                tracing::warn!(
                    output = &**output,
                    events = given_up,
                    "events that an output had put by which is not configured any more are given up"
                );
            }
            configured
        });
        restored.aside = left;
        let span = self.settings.keep_events;
        restored.stranded = stranded::read(connection, Keep { age, span }, self.now)?;
        restored.stranded.iter().for_each(Stranded::tell);
        Ok(())
    }

    /// The file as it is, or a fresh one in its place.
    fn load(&self, known: Option<u64>) -> Result<Loaded, OpenError> {
        let path = &self.settings.path;
        match self.existing(known) {
            Ok(Some(loaded)) => Ok(loaded),
            Ok(None) => {
                let mut loaded = self.fresh()?;
                loaded.restored.missing = known.is_some();
                Ok(loaded)
            }
            Err(Trouble::Refused(error)) => Err(error),
            Err(Trouble::Damaged(why)) => {
                let seconds = unix_seconds(self.now.wall);
                let aside = quarantine(path, seconds).map_err(self.file("move a damaged file"))?;
                tracing::error!(%why, kept = %aside.display(), "journal damaged: fresh one begun");
                let mut loaded = self.fresh()?;
                loaded.restored.quarantined = Some(aside);
                Ok(loaded)
            }
        }
    }

    fn existing(&self, known: Option<u64>) -> Result<Option<Loaded>, Trouble> {
        let path = &self.settings.path;
        let damaged = |why: &str| Err(Trouble::Damaged(why.to_owned()));
        let header = match header(path) {
            Ok(Some(header)) => header,
            Ok(None) if beside(path, "-wal").exists() => {
                return damaged("a write-ahead log without its database");
            }
            Ok(None) => return Ok(None),
            Err(source) => {
                return Err(Trouble::Refused(self.file("read the database")(source)));
            }
        };
        let Header {
            application,
            version,
        } = match header {
            Ok(header) => header,
            Err(0) if known.is_none() => return Ok(None),
            Err(_length) => return damaged("no SQLite database"),
        };
        if application != APPLICATION && known.is_none() {
            return Err(Trouble::Refused(OpenError::Foreign { path: path.clone() }));
        }
        self.known_version(version)?;
        let loaded = open(path, self.max_pages())
            .and_then(|connection| {
                let version = user_version(&connection)?;
                Ok((connection, version))
            })
            .map_err(|source| self.trouble(source))?;
        let (mut connection, version) = loaded;
        self.known_version(version)?;
        if version == 0 {
            return damaged("the database is empty");
        }
        self.restore(&mut connection)
            .map(|(epoch, restored)| {
                Some(Loaded {
                    connection,
                    epoch,
                    restored,
                })
            })
            .map_err(|source| self.trouble(source))
    }

    fn known_version(&self, found: u32) -> Result<(), Trouble> {
        if found > FAR_FUTURE {
            return Err(Trouble::Damaged(format!("impossible version {found}")));
        }
        if found as usize > MIGRATIONS.len() {
            let path = self.settings.path.clone();
            return Err(Trouble::Refused(OpenError::Newer { path, found }));
        }
        Ok(())
    }

    fn restore(&self, connection: &mut Connection) -> Result<(u64, Restored), rusqlite::Error> {
        let size = fs::metadata(&self.settings.path).map_or(0, |file| file.len());
        if size <= QUICK_CHECK {
            let verdict: String =
                connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
            if verdict != "ok" {
                return Err(damage(verdict));
            }
        }
        migrate(connection)?;
        if schema(connection)? != present_schema()? {
            return Err(damage("the schema was altered".to_owned()));
        }
        let mut restored = Restored::default();
        let (epoch, last): (i64, i64) =
            connection.query_row("SELECT epoch, last_seq FROM meta", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
        restored.last_alive = last_alive(connection)?;
        restored.last_seq = last.unsigned_abs().max(newest(connection)?);
        restored.clean_stop = ends_with_stop(connection)?;
        restored.records = states(connection)?;
        (restored.memories, restored.forgotten) = memories(connection)?;
        Ok((epoch.unsigned_abs(), restored))
    }

    fn fresh(&self) -> Result<Loaded, OpenError> {
        let connection =
            create(&self.settings.path, self.max_pages()).map_err(|source| self.sqlite(source))?;
        Ok(Loaded {
            connection,
            epoch: 0,
            restored: Restored::default(),
        })
    }

    /// The epoch of this run. `highest`: of all runs before it, 0 when there was none.
    fn epoch(&self, highest: u64, history_lost: bool) -> u64 {
        match self.settings.first_epoch {
            Some(first) if highest == 0 => first,
            Some(_) if !history_lost => highest,
            Some(_) => highest + 1,
            None => (highest + 1).max(unix_seconds(self.now.wall)),
        }
    }

    fn max_pages(&self) -> u64 {
        // SQLite needs some pages to live at all.
        (self.settings.max_size / PAGE).max(64)
    }

    fn file(&self, attempt: &'static str) -> impl Fn(io::Error) -> OpenError + use<> {
        OpenError::file(attempt, &self.settings.path)
    }

    fn sqlite(&self, source: rusqlite::Error) -> OpenError {
        OpenError::sqlite(&self.settings.path)(source)
    }

    fn trouble(&self, source: rusqlite::Error) -> Trouble {
        match reason(&source) {
            "damaged" => Trouble::Damaged(source.to_string()),
            _ => Trouble::Refused(self.sqlite(source)),
        }
    }
}

/// What a run writes before its first event. Gives where the outputs stand.
fn begin_run(
    connection: &Connection,
    outputs: &[Arc<str>],
    last_seq: u64,
    epoch: u64,
) -> Result<BTreeMap<Arc<str>, u64>, rusqlite::Error> {
    let tx = connection.unchecked_transaction()?;
    let cursors = cursors(&tx, outputs, last_seq)?;
    tx.execute("UPDATE meta SET epoch=?1", [signed(epoch)])?;
    tx.commit()?;
    Ok(cursors)
}

pub(super) fn unix_seconds(wall: Wall) -> u64 {
    u64::try_from(wall.unix_nanos().div_euclid(1_000_000_000)).unwrap_or(0)
}

#[cfg(test)]
mod tests;
