//! Failures on request, for tests only: a full or read-only folder does not fail for root, and a
//! disk that hangs cannot be had from a file system. (litestream tests its own store this way.)

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Condvar, Mutex};

/// What the next commits meet.
#[derive(Debug, Default)]
pub(super) struct Faults {
    before: AtomicU32,
    after: AtomicU32,
    hung: Mutex<bool>,
    moved: Condvar,
}

impl Faults {
    /// The next `count` commits fail with an input/output error; nothing reaches the disk.
    pub(super) fn fail(&self, count: u32) {
        self.before.store(count, Ordering::SeqCst);
    }

    /// The next `count` commits reach the disk and report an error all the same.
    pub(super) fn fail_after(&self, count: u32) {
        self.after.store(count, Ordering::SeqCst);
    }

    /// Commits do not return until this is called with `false`.
    pub(super) fn hang(&self, hang: bool) {
        *self.hung.lock().expect("no holder panics") = hang;
        self.moved.notify_all();
    }

    pub(super) fn before_commit(&self) -> Result<(), rusqlite::Error> {
        let hung = self.hung.lock().expect("no holder panics");
        drop(
            self.moved
                .wait_while(hung, |hung| *hung)
                .expect("no holder panics"),
        );
        take(&self.before)
    }

    pub(super) fn after_commit(&self) -> Result<(), rusqlite::Error> {
        take(&self.after)
    }
}

fn take(left: &AtomicU32) -> Result<(), rusqlite::Error> {
    let taken = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
        left.checked_sub(1)
    });
    match taken {
        Ok(_) => Err(rusqlite::Error::SqliteFailure(
            rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_IOERR_FSYNC),
            Some("on request of a test".to_owned()),
        )),
        Err(_) => Ok(()),
    }
}
