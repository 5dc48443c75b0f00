//! How an event stands with the single readers of an output, where not all of them have it. Pure.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::receipts::Fate;

/// Who has not got what others may have.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Audience {
    /// Are owed it.
    pub waiting: Vec<Arc<str>>,
    /// Will never have it.
    pub missed: Vec<Arc<str>>,
    /// Has anybody got it?
    pub reached: bool,
}

impl Audience {
    /// Has everybody got it?
    pub const fn is_whole(&self) -> bool {
        self.waiting.is_empty() && self.missed.is_empty()
    }

    /// Is the reader owed it?
    pub fn is_waiting(&self, reader: &str) -> bool {
        self.waiting.iter().any(|waiting| **waiting == *reader)
    }

    /// The reader has it.
    pub fn taken(&mut self, reader: &str) {
        self.waiting.retain(|waiting| **waiting != *reader);
        self.reached = true;
    }

    /// The reader will never have it.
    pub fn missed(&mut self, reader: &str) {
        let mine = |waiting: &mut Arc<str>| **waiting == *reader;
        self.missed.extend(self.waiting.extract_if(.., mine));
    }

    /// Nobody waits any longer.
    pub fn give_up(&mut self) {
        self.missed.append(&mut self.waiting);
    }

    /// What became of the event.
    pub const fn fate(&self) -> Fate {
        if !self.waiting.is_empty() {
            Fate::Aside
        } else if self.reached {
            Fate::Accepted
        } else {
            Fate::Lost
        }
    }
}
