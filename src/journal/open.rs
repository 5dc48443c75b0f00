//! Opening the journal, whatever state it was left in.
//!
//! ```text
//!  lock ── held by another process ─────────────────────────────▶ refused: Running
//!   │
//!  file ── none, none before ───────────────────────────────────▶ fresh
//!   │  ├── none, but the epoch file says there was one ──────────▶ fresh, `missing`
//!   │  ├── of a newer version, or another program's database ────▶ refused, file untouched
//!   │  ├── garbage, emptied, truncated, pages damaged ───────────▶ moved aside, fresh, `quarantined`
//!   │  └── cannot be opened at all (rights, input/output error) ─▶ refused: the system's reason
//!   ▼
//!  sound ── ends before the head file says ─────────────────────▶ new epoch, `lost_tail`
//! ```
//!
//! An event id is `site:epoch:seq`. The epoch rises whenever numbers may have been handed out that
//! the file does not know: a fresh file, a lost tail, a stretch without a disk. The highest epoch
//! ever handed out or reserved is kept beside the database and is never below the Unix time in
//! seconds, so that neither a lost file nor a replaced card repeats an id.
//!
//! `quick_check` reads the whole file, so it is bounded: files over 64 MiB are only checked where
//! they are read. Bits that flipped inside a line pass it; [`verify`](super::chain::verify) finds
//! those, and alarm states carry a check sum of their own.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, params};

use super::JournalSettings;
use super::chain::{GENESIS, Hash, digest};
use super::prune::Losses;
use super::sidecar::{Ballast, EpochFile, HeadFile, Lock, Locked, beside, quarantine};
use super::store::{PAGE, Store, signed};
use crate::engine::effect::EventKind;
use crate::engine::snapshot::AlarmRecord;
use crate::engine::time::{Moment, Wall};
use crate::event::{Identity, WireEvent};

/// `PRAGMA application_id`: "fwrn".
const APPLICATION: u32 = 0x6677_726e;

/// Steps from an empty file to the present version; `PRAGMA user_version` counts those done.
const MIGRATIONS: [&str; 1] = [include_str!("schema.sql")];

/// Versions beyond this are damage, not the future.
const FAR_FUTURE: u32 = 1000;

/// Larger files are not read as a whole at start.
const QUICK_CHECK: u64 = 64 << 20;

/// What was found at start.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Restored {
    /// The newest state of every alarm, in order of their ids.
    pub records: Vec<AlarmRecord>,
    /// What each configured output has delivered. An output that is new starts at the newest event.
    pub cursors: BTreeMap<Arc<str>, u64>,
    /// Newest number; 0 in a fresh journal.
    pub last_seq: u64,
    /// Epoch of the ids given from now on.
    pub epoch: u64,
    /// Until when the gateway is known to have watched; `None` in a fresh journal.
    pub last_alive: Option<Wall>,
    /// Is the newest event `stopped`?
    pub clean_stop: bool,
    /// A damaged journal was moved to this place, and a fresh one begun.
    pub quarantined: Option<PathBuf>,
    /// There was a journal before, and now there is no file.
    pub missing: bool,
    /// So many committed events are gone from the end of the file.
    pub lost_tail: u64,
}

/// Why the journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another gateway uses it.
    #[error(
        "the journal {} is in use by the gateway with process id {holder}; stop that one first",
        path.display()
    )]
    Running {
        /// The database.
        path: PathBuf,
        /// The other process.
        holder: String,
    },
    /// Written by a later version.
    #[error(
        "the journal {} has version {found}, this program knows {}; it was left untouched: \
         install the newer program again, or set another [journal] path",
        path.display(), MIGRATIONS.len()
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
    /// A database, but not a journal.
    #[error(
        "{} is the database of another program; it was left untouched: set another [journal] path",
        path.display()
    )]
    Foreign {
        /// The database.
        path: PathBuf,
    },
    /// The system refuses a file or the folder.
    #[error("cannot {attempt} for the journal {}", path.display())]
    File {
        /// What was attempted.
        attempt: &'static str,
        /// The database.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// SQLite refuses, and not because of damage.
    #[error("cannot open the journal {}", path.display())]
    Sqlite {
        /// The database.
        path: PathBuf,
        /// What SQLite says.
        #[source]
        source: rusqlite::Error,
    },
}

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
    epoch: u64,
    reserved: u64,
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
            fs::create_dir_all(folder).map_err(self.file("create the folder"))?;
        }
        let lock = Lock::take(path).map_err(|locked| match locked {
            Locked::By(holder) => OpenError::Running {
                path: path.clone(),
                holder,
            },
            Locked::Unusable(source) => self.file("open the lock file")(source),
        })?;
        let epoch_file = EpochFile::new(path);
        let known = epoch_file
            .read()
            .map_err(self.file("read the epoch file"))?;
        let head_file = HeadFile::open(path).map_err(self.file("open the head file"))?;
        let ballast = Ballast::new(path);

        let Loaded {
            connection,
            mut epoch,
            reserved,
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
        let highest = reserved.max(epoch).max(known.unwrap_or(0));
        let mut reserved = self.next_epoch(highest);
        if restored.quarantined.is_none() && !restored.missing {
            restored.lost_tail = head_file.read().saturating_sub(restored.last_seq);
        }
        if restored.lost_tail > 0 {
            epoch = reserved;
            reserved = self.next_epoch(epoch);
        }
        restored.epoch = epoch;
        epoch_file
            .write(site, reserved)
            .or_else(|error| {
                let full = error.kind() == io::ErrorKind::StorageFull;
                if full && ballast.release() {
                    epoch_file.write(site, reserved)
                } else {
                    Err(error)
                }
            })
            .map_err(self.file("write the epoch file"))?;
        restored.cursors = cursors(&connection, outputs, restored.last_seq)
            .and_then(|cursors| {
                connection.execute(
                    "UPDATE meta SET epoch=?1, reserved=?2",
                    params![signed(epoch), signed(reserved)],
                )?;
                Ok(cursors)
            })
            .map_err(|source| self.sqlite(source))?;
        head_file.note(restored.last_seq);

        let store = Store {
            path: path.clone(),
            connection: Some(connection),
            identity: Identity {
                site: site.into(),
                epoch,
            },
            reserved,
            counted_epochs: self.settings.first_epoch.is_some(),
            last_seq: restored.last_seq,
            max_pages: self.max_pages(),
            cursors: restored.cursors.clone(),
            losses: Losses::default(),
            epoch_file,
            head_file,
            ballast,
            _lock: lock,
            #[cfg(test)]
            faults: Arc::default(),
        };
        Ok((store, restored))
    }

    /// The file as it is, or a fresh one in its place.
    fn load(&self, known: Option<u64>) -> Result<Loaded, OpenError> {
        let path = &self.settings.path;
        match self.existing(known) {
            Ok(Some(loaded)) => Ok(loaded),
            Ok(None) => {
                let mut loaded = self.fresh(known)?;
                loaded.restored.missing = known.is_some();
                Ok(loaded)
            }
            Err(Trouble::Refused(error)) => Err(error),
            Err(Trouble::Damaged(why)) => {
                let seconds = unix_seconds(self.now.wall);
                let aside = quarantine(path, seconds).map_err(self.file("move a damaged file"))?;
                tracing::error!(%why, kept = %aside.display(), "journal damaged: fresh one begun");
                let mut loaded = self.fresh(known)?;
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
            .map(|(epoch, reserved, restored)| {
                Some(Loaded {
                    connection,
                    epoch,
                    reserved,
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

    fn restore(
        &self,
        connection: &mut Connection,
    ) -> Result<(u64, u64, Restored), rusqlite::Error> {
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
        let (epoch, reserved, alive, last): (i64, i64, Option<i64>, i64) = connection.query_row(
            "SELECT epoch, reserved, alive_ms, last_seq FROM meta",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
        )?;
        restored.last_alive = alive.map(|ms| Wall::from_unix_nanos(ms.saturating_mul(1_000_000)));
        restored.last_seq = last.unsigned_abs().max(newest(connection)?);
        restored.clean_stop = ends_with_stop(connection)?;
        let mut select =
            connection.prepare("SELECT alarm, record, hash FROM alarm ORDER BY alarm")?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let text: String = row.get(1)?;
            let hash: Hash = row.get(2)?;
            let record: Option<AlarmRecord> = serde_json::from_str(&text).ok();
            match record.filter(|_| hash == digest(&text)) {
                Some(record) => restored.records.push(record),
                None => {
                    let alarm: String = row.get(0)?;
                    return Err(damage(format!("the state of {alarm} was altered")));
                }
            }
        }
        Ok((epoch.unsigned_abs(), reserved.unsigned_abs(), restored))
    }

    fn fresh(&self, known: Option<u64>) -> Result<Loaded, OpenError> {
        let epoch = match (self.settings.first_epoch, known) {
            (Some(first), None) => first,
            (_, known) => self.next_epoch(known.unwrap_or(0)),
        };
        let connection = create(&self.settings.path, epoch, self.max_pages())
            .map_err(|source| self.sqlite(source))?;
        Ok(Loaded {
            connection,
            epoch,
            reserved: epoch,
            restored: Restored::default(),
        })
    }

    fn next_epoch(&self, above: u64) -> u64 {
        next_epoch(above, self.now.wall, self.settings.first_epoch.is_some())
    }

    fn max_pages(&self) -> u64 {
        // SQLite needs some pages to live at all.
        (self.settings.max_size / PAGE).max(64)
    }

    fn file(&self, attempt: &'static str) -> impl Fn(io::Error) -> OpenError {
        let path = self.settings.path.clone();
        move |source| OpenError::File {
            attempt,
            path: path.clone(),
            source,
        }
    }

    fn sqlite(&self, source: rusqlite::Error) -> OpenError {
        OpenError::Sqlite {
            path: self.settings.path.clone(),
            source,
        }
    }

    fn trouble(&self, source: rusqlite::Error) -> Trouble {
        match reason(&source) {
            "damaged" => Trouble::Damaged(source.to_string()),
            _ => Trouble::Refused(self.sqlite(source)),
        }
    }
}

/// An epoch above `above`. `counted`: the next number, so that a replay repeats itself; else at
/// least the Unix time in seconds.
pub(super) fn next_epoch(above: u64, now: Wall, counted: bool) -> u64 {
    let next = above + 1;
    if counted {
        next
    } else {
        next.max(unix_seconds(now))
    }
}

fn unix_seconds(wall: Wall) -> u64 {
    u64::try_from(wall.unix_nanos().div_euclid(1_000_000_000)).unwrap_or(0)
}

/// A short word for why SQLite failed (see [`CommitError::reason`](super::store::CommitError)).
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
fn damage(what: String) -> rusqlite::Error {
    let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
    rusqlite::Error::SqliteFailure(code, Some(what))
}

/// What the first page says, read without SQLite so that nothing is touched.
struct Header {
    application: u32,
    version: u32,
}

/// `Ok(None)`: no file. `Ok(Err(length))`: not the start of a database.
fn header(path: &Path) -> io::Result<Option<Result<Header, usize>>> {
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

fn open(path: &Path, max_pages: u64) -> Result<Connection, rusqlite::Error> {
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

fn create(path: &Path, epoch: u64, max_pages: u64) -> Result<Connection, rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    // Both must come before the first table. The tables come before WAL, so that a lost log never
    // makes a journal look like an empty database.
    connection.pragma_update(None, "page_size", signed(PAGE))?;
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.pragma_update(None, "application_id", APPLICATION)?;
    migrate(&mut connection)?;
    connection.execute(
        "INSERT INTO meta VALUES (1, ?1, ?1, NULL, 0, 0, ?2)",
        params![signed(epoch), GENESIS],
    )?;
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

fn user_version(connection: &Connection) -> Result<u32, rusqlite::Error> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Runs the steps that the file has not seen, each in a transaction of its own.
fn migrate(connection: &mut Connection) -> Result<(), rusqlite::Error> {
    let done = user_version(connection)?;
    for (version, step) in (1_u32..).zip(MIGRATIONS) {
        if version > done {
            let tx = connection.transaction()?;
            tx.execute_batch(step)?;
            tx.pragma_update(None, "user_version", version)?;
            tx.commit()?;
        }
    }
    Ok(())
}

/// What the file says its tables are. A bit that flipped here passes `quick_check` and would make
/// every later statement fail.
fn schema(connection: &Connection) -> Result<Vec<String>, rusqlite::Error> {
    let mut select = connection.prepare("SELECT sql FROM sqlite_schema ORDER BY name")?;
    let texts = select.query_map([], |row| row.get(0))?;
    texts.collect()
}

fn present_schema() -> Result<Vec<String>, rusqlite::Error> {
    let mut memory = Connection::open_in_memory()?;
    migrate(&mut memory)?;
    schema(&memory)
}

fn newest(connection: &Connection) -> Result<u64, rusqlite::Error> {
    let newest: i64 = connection.query_row(
        "SELECT max(last_seq, coalesce((SELECT max(seq) FROM event), 0)) FROM meta",
        [],
        |row| row.get(0),
    )?;
    Ok(newest.unsigned_abs())
}

fn ends_with_stop(connection: &Connection) -> Result<bool, rusqlite::Error> {
    let mut select = connection.prepare("SELECT line FROM event ORDER BY seq DESC LIMIT 1")?;
    let mut lines = select.query_map([], |row| row.get::<_, String>(0))?;
    let newest: Option<WireEvent> = match lines.next() {
        Some(line) => serde_json::from_str(&line?).ok(),
        None => None,
    };
    Ok(newest.is_some_and(|event| event.event == EventKind::Stopped))
}

/// Where the configured outputs stand. One that is new begins at the newest event: it wants what
/// happens from now on, not years of history. Rows of outputs that are gone stay, should they return.
fn cursors(
    connection: &Connection,
    outputs: &[Arc<str>],
    last_seq: u64,
) -> Result<BTreeMap<Arc<str>, u64>, rusqlite::Error> {
    let tx = connection.unchecked_transaction()?;
    let mut found = BTreeMap::new();
    for output in outputs {
        tx.prepare_cached("INSERT OR IGNORE INTO cursor VALUES (?1, ?2)")?
            .execute(params![output, signed(last_seq)])?;
        let seq: i64 = tx
            .prepare_cached("SELECT seq FROM cursor WHERE output=?1")?
            .query_row([output], |row| row.get(0))?;
        found.insert(Arc::clone(output), seq.unsigned_abs().min(last_seq));
    }
    tx.commit()?;
    Ok(found)
}
