//! What is wrong with a broker or an output, in a sentence, for the health pages. The newest replaces the
//! one before; names come from the configuration, so their count is bounded.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use super::Metrics;

/// Longest sentence, characters.
const LONGEST: usize = 400;

/// Sentences by kind and name.
#[derive(Debug, Default)]
pub(super) struct Troubles(RwLock<BTreeMap<(&'static str, Box<str>), String>>);

impl Metrics {
    /// Something is wrong with the broker or output `id`, or nothing is any more.
    pub fn trouble(&self, kind: &'static str, id: &str, words: Option<String>) {
        let mut troubles = self
            .troubles
            .0
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        match words {
            Some(words) => {
                let words = words.chars().take(LONGEST).collect();
                troubles.insert((kind, id.into()), words);
            }
            None => {
                troubles.remove(&(kind, id.into()));
            }
        }
    }

    /// Is something wrong with it?
    pub fn is_troubled(&self, kind: &'static str, id: &str) -> bool {
        let troubles = self
            .troubles
            .0
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        troubles.contains_key(&(kind, id.into()))
    }

    /// All of it, as `kind id: words`, in the order of kinds and ids.
    pub fn troubles(&self) -> Vec<String> {
        let troubles = self
            .troubles
            .0
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let one =
            |((kind, id), words): (&(&str, Box<str>), &String)| format!("{kind} {id}: {words}");
        troubles.iter().map(one).collect()
    }
}
