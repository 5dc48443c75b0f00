//! The disk beneath the journal: it hangs, so that nobody gets an answer, or fails, so that nothing can be
//! written or opened, and recovers.
//!
//! Failing is real: another file lies in the place of the database, which both the writer and a reader
//! that opens it find out. Hanging is the writer's not having a turn. A disk that is full looks to the
//! journal like one that fails; its reserve is tested with a real one (`daemon::disk`).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use fastrand::Rng;

/// What SQLite has beside the database.
const FILES: [&str; 3] = ["", "-wal", "-shm"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mood {
    Works,
    /// No call returns.
    Hangs,
    /// Every call returns an error.
    Fails,
}

#[derive(Debug)]
pub(super) struct Disk {
    journal: PathBuf,
    mood: Mood,
    /// For so many rounds still.
    rounds: u32,
}

impl Disk {
    pub(super) fn new(journal: &Path) -> Self {
        Self {
            journal: journal.to_owned(),
            mood: Mood::Works,
            rounds: 0,
        }
    }

    /// One round passes. Says what the disk does from now on, if that is something else.
    pub(super) fn turn(&mut self, dice: &mut Rng) -> Result<Option<Mood>, String> {
        if self.mood != Mood::Works {
            self.rounds -= 1;
            return if self.rounds > 0 {
                Ok(None)
            } else {
                self.heal().map(Some)
            };
        }
        match dice.u8(..) {
            0..6 => {
                self.rounds = dice.u32(1..8);
                self.mood = Mood::Hangs;
            }
            6..12 => self.fail(dice)?,
            _ => return Ok(None),
        }
        Ok(Some(self.mood))
    }

    /// It fails for some rounds.
    pub(super) fn fail(&mut self, dice: &mut Rng) -> Result<(), String> {
        self.rounds = dice.u32(1..20);
        self.away().map_err(told)?;
        self.mood = Mood::Fails;
        Ok(())
    }

    /// It works from now on.
    pub(super) fn heal(&mut self) -> Result<Mood, String> {
        if self.mood == Mood::Fails {
            self.back().map_err(told)?;
        }
        self.mood = Mood::Works;
        Ok(self.mood)
    }

    /// Does it answer, be it with an error?
    pub(super) fn answers(&self) -> bool {
        self.mood != Mood::Hangs
    }

    fn away(&self) -> io::Result<()> {
        for suffix in FILES {
            let file = self.beside(suffix);
            if file.exists() {
                fs::rename(&file, self.beside(&format!("{suffix}.away")))?;
            }
        }
        fs::write(&self.journal, "no database")
    }

    fn back(&self) -> io::Result<()> {
        for suffix in FILES {
            let (file, kept) = (self.beside(suffix), self.beside(&format!("{suffix}.away")));
            if kept.exists() {
                fs::rename(&kept, &file)?;
            } else if file.exists() {
                fs::remove_file(&file)?;
            }
        }
        Ok(())
    }

    fn beside(&self, suffix: &str) -> PathBuf {
        let mut name = self.journal.clone().into_os_string();
        name.push(suffix);
        name.into()
    }
}

fn told(error: io::Error) -> String {
    format!("the disk of the simulation: {error}")
}
