//! What the tests of this module share: a folder of their own, settings and events.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rusqlite::Connection;

use super::reader::{events_after, reader};
use super::{Entry, Fate, JournalSettings, Receipt, Restored, Store};
use crate::engine::alarm::AlarmState;
use crate::engine::effect::{Cause, Details, Event, EventKind, Subject};
use crate::engine::memory::{Amount, Content, Counted, Exposure, Memory};
use crate::engine::overlay::Overlays;
use crate::engine::reading::Quality;
use crate::engine::settings::Priority;
use crate::engine::snapshot::AlarmRecord;
use crate::engine::time::{Moment, Mono, Wall};

/// A folder that is removed when it goes out of scope.
#[derive(Debug)]
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("forewarn-journal-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).expect("the temporary folder is writable");
        Self(folder)
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.0
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.0.join("journal.db")
    }

    pub(crate) fn settings(&self) -> JournalSettings {
        JournalSettings {
            path: self.database(),
            max_size: 16 << 20,
            keep_events: Duration::from_secs(86_400),
            first_epoch: Some(1),
        }
    }

    pub(crate) fn open(&self) -> (Store, Restored) {
        self.open_for(&["up"])
    }

    pub(crate) fn open_for(&self, outputs: &[&str]) -> (Store, Restored) {
        let outputs: Vec<Arc<str>> = outputs.iter().map(|id| Arc::from(*id)).collect();
        Store::open(&self.settings(), "north", &outputs, at(1000)).expect("the journal opens")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // After a failed test its thread may still write here; the failure is what matters.
        let removed = std::fs::remove_dir_all(&self.0);
        assert!(removed.is_ok() || std::thread::panicking());
    }
}

/// `seconds` after the epoch on both clocks.
pub(crate) fn at(seconds: u64) -> Moment {
    Moment {
        mono: Mono::ZERO,
        wall: Wall::default(),
    }
    .after(Duration::from_secs(seconds))
}

/// Nothing is known of it but that.
pub(crate) fn receipt(seq: u64, output: &str, fate: Fate, second: u64) -> Receipt {
    Receipt {
        seq,
        output: output.into(),
        at: at(second).wall,
        fate,
        sent: None,
        attempts: None,
        words: None,
        audience: None,
    }
}

pub(crate) fn event(kind: EventKind, alarm: &str, occurrence: u64) -> Event {
    let alarm: Arc<str> = alarm.into();
    let point = alarm.split('/').next().unwrap_or_default().into();
    Event {
        at: at(1000 + occurrence),
        kind,
        subject: Some(Subject {
            index: None,
            alarm: Arc::clone(&alarm),
            point,
            area: None,
            unit: "bar".into(),
            occurrence,
            state: AlarmState::Unacknowledged,
            overlays: Overlays::default(),
            priority: Priority::High,
            value: Some(8.5),
            limit: Some(8.0),
            quality: Quality::Good,
            annunciated: true,
            first_out: false,
        }),
        cause: Cause::Process,
        details: Details::default(),
        record: Some(AlarmRecord {
            state: AlarmState::Unacknowledged,
            occurrence,
            raised_at: Some(at(1000 + occurrence).wall),
            peak: Some(8.5),
            value: Some(8.5),
            ..AlarmRecord::new(alarm)
        }),
        others: Vec::new(),
    }
}

/// `count` raises of one alarm, occurrences from `first`.
pub(crate) fn raises(first: u64, count: u64) -> Vec<Entry> {
    (first..first + count)
        .map(|occurrence| Entry {
            event: Arc::new(event(EventKind::Raised, "PT-330/high", occurrence)),
            t: None,
        })
        .collect()
}

/// Makes a journal of today one of the first version.
pub(crate) const TO_VERSION_1: &str = "DROP TABLE memory;
    DROP TABLE receipt;
    ALTER TABLE cursor DROP COLUMN ended_seq;
    ALTER TABLE event DROP COLUMN commit_ms;
    ALTER TABLE meta DROP COLUMN clock_ms;
    ALTER TABLE meta ADD COLUMN reserved INTEGER NOT NULL DEFAULT 8;
    PRAGMA user_version=1";

/// Makes a journal of today one of the fifth version.
pub(crate) const TO_VERSION_5: &str = "ALTER TABLE receipt DROP COLUMN readers;
    ALTER TABLE receipt DROP COLUMN aside_ms;
    ALTER TABLE cursor DROP COLUMN ended_seq;
    ALTER TABLE meta DROP COLUMN clock_ms;
    PRAGMA user_version=5";

/// What an alarm remembers at `seconds` after the epoch.
pub(crate) fn memory(alarm: &str, seconds: u64) -> Memory {
    Memory {
        alarm: alarm.into(),
        at: at(seconds).wall,
        content: Content::Exposure {
            last: Some(8.5),
            exposure: Exposure::Window {
                width_s: 15.0,
                newest_s: 15.0,
                spans: vec![Amount::from([127.5, 0.0, 15.0]); 60],
            },
        },
    }
}

/// What it counts then.
pub(crate) fn count(alarm: &str, seconds: u64) -> Memory {
    let counted = Counted {
        lasts: true,
        instants: vec![at(seconds).wall],
    };
    Memory {
        content: Content::Count { counted },
        ..memory(alarm, seconds)
    }
}

/// Does something to a database that no gateway would.
pub(crate) fn alter(path: &Path, sql: &str) {
    let connection = Connection::open(path).expect("the file is a database");
    connection
        .execute_batch(sql)
        .expect("the statement is valid");
}

/// The numbers on disk.
pub(crate) fn seqs(store: &Store) -> Vec<u64> {
    let connection = reader(&store.path).expect("the file is a database");
    let rows = events_after(&connection, (0, u64::MAX), usize::MAX, usize::MAX);
    rows.expect("rows are readable")
        .iter()
        .map(|row| row.seq)
        .collect()
}
