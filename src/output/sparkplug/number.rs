//! The number that ties a death to its birth, `bdSeq`: one up with every connection, 255 is followed
//! by 0, over restarts, too. Else the will of a connection before the restart, delivered late, could
//! be taken for the death of the one after it.
//!
//! It is kept in a small file beside the journal, written before the number is used and replaced as a
//! whole. A number whose connection was never accepted is used again, so a broker that is away costs
//! no writes. A disk that fails or hangs delays a connection by a second at most, once: from then on
//! the number is counted in memory, and a restart may repeat one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tracing::warn;

/// A disk that takes longer is not asked again.
const PATIENCE: Duration = Duration::from_secs(1);

/// The numbers of one output's connections.
#[derive(Debug)]
pub(super) struct Numbers {
    /// `None`: the disk is not asked any more.
    file: Option<PathBuf>,
    number: Option<u8>,
    /// A connection was accepted under it.
    used: bool,
}

impl Numbers {
    pub(super) const fn new(file: PathBuf) -> Self {
        Self {
            file: Some(file),
            number: None,
            used: true,
        }
    }

    /// A connection was accepted under the newest number.
    pub(super) const fn used(&mut self) {
        self.used = true;
    }

    /// The number of the next connection.
    pub(super) async fn next(&mut self) -> u8 {
        if let (Some(number), false) = (self.number, self.used) {
            return number;
        }
        let before = match self.number {
            Some(number) => Some(number),
            None => self.ask(|file| read(&file)).await.flatten(),
        };
        let number = before.map_or(0, |number| number.wrapping_add(1));
        self.number = Some(number);
        self.used = false;
        self.ask(move |file| write(&file, number)).await;
        number
    }

    /// Does something with the file, on a thread that may block.
    async fn ask<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(PathBuf) -> io::Result<T> + Send + 'static,
    ) -> Option<T> {
        let file = self.file.clone()?;
        let shown = file.display().to_string();
        let problem = match timeout(PATIENCE, spawn_blocking(move || work(file))).await {
            Ok(Ok(Ok(done))) => return Some(done),
            Ok(Ok(Err(error))) => error.to_string(),
            Ok(Err(error)) => error.to_string(),
            Err(_elapsed) => "the disk does not answer".to_owned(),
        };
        warn!(
            file = shown,
            problem, "bdSeq is counted in memory only: after a restart a number may come again"
        );
        self.file = None;
        None
    }
}

/// `None`: there is no number yet, or none that can be read.
fn read(file: &Path) -> io::Result<Option<u8>> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(text.trim().parse().ok()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(None),
        Err(error) => Err(error),
    }
}

fn write(file: &Path, number: u8) -> io::Result<()> {
    let mut fresh = file.as_os_str().to_owned();
    fresh.push(".new");
    fs::write(&fresh, format!("{number}\n"))?;
    fs::File::open(&fresh)?.sync_all()?;
    fs::rename(&fresh, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch(name: &str) -> PathBuf {
        let file = format!("forewarn-bdseq-{name}-{}", std::process::id());
        std::env::temp_dir().join(file)
    }

    #[tokio::test]
    async fn it_counts_on_over_restarts_and_round_the_end() {
        let file = scratch("counts");
        let _left_behind = fs::remove_file(&file).is_ok();
        let mut numbers = Numbers::new(file.clone());
        assert_eq!(numbers.next().await, 0);
        assert_eq!(numbers.next().await, 0, "it was not used");
        numbers.used();
        assert_eq!(numbers.next().await, 1);
        // A kill before the connection was accepted: the number was written before.
        let mut numbers = Numbers::new(file.clone());
        assert_eq!(numbers.next().await, 2);
        fs::write(&file, "255\n").expect("a temporary file");
        assert_eq!(Numbers::new(file.clone()).next().await, 0);
        fs::write(&file, [0xff, 0xfe]).expect("a temporary file");
        assert_eq!(Numbers::new(file.clone()).next().await, 0, "damage");
        fs::remove_file(&file).expect("it is there");
    }

    #[tokio::test]
    async fn without_a_disk_it_counts_in_memory() {
        let mut numbers = Numbers::new("/proc/no/such/folder/bdseq".into());
        for expected in 0..3 {
            assert_eq!(numbers.next().await, expected);
            numbers.used();
        }
    }
}
