//! A folder of one's own that is gone afterwards, for `replay`, `test` and `demo`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// Where Linux keeps files in memory.
const MEMORY: &str = "/dev/shm";

/// Removed with everything in it when dropped.
#[derive(Debug)]
pub struct ScratchFolder(PathBuf);

impl ScratchFolder {
    /// A new, empty folder for `purpose` under the system's temporary folder.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn new(purpose: &str) -> io::Result<Self> {
        Self::below(&std::env::temp_dir(), purpose)
    }

    /// The same in memory, where the system has such a place: for a small journal that nobody needs
    /// afterwards. Its syncs cost nothing there.
    ///
    /// # Errors
    /// It cannot be made, and no other one either.
    pub fn in_memory(purpose: &str) -> io::Result<Self> {
        Self::below(Path::new(MEMORY), purpose).or_else(|_no_such_place| Self::new(purpose))
    }

    fn below(place: &Path, purpose: &str) -> io::Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let process = std::process::id();
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let path = place.join(format!("forewarn-{purpose}-{process}-{number}"));
            match fs::create_dir(&path) {
                Ok(()) => return Ok(Self(path)),
                // A process of the same number left it behind.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for ScratchFolder {
    fn drop(&mut self) {
        // A folder that cannot be removed is the system's to clean; nothing of value is in it.
        let _left_behind = fs::remove_dir_all(&self.0).is_err();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_apart_and_gone_afterwards() {
        let make = [ScratchFolder::new, ScratchFolder::in_memory];
        let folders = make.map(|make| make("scratch").expect("a folder"));
        let paths = folders.each_ref().map(|folder| folder.path().to_owned());
        assert_ne!(paths[0], paths[1]);
        assert!(paths.iter().all(|path| path.is_dir()));
        drop(folders);
        assert!(paths.iter().all(|path| !path.exists()));
    }
}
