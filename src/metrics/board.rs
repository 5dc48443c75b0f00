//! A number per name that many tasks write and the health pages read: signs of life and contacts.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

/// Numbers by name. Names come from the configuration, so their count is bounded; one that was not
/// announced is added at its first use.
#[derive(Debug, Default)]
pub(super) struct Board {
    cells: RwLock<BTreeMap<Box<str>, AtomicU64>>,
}

impl Board {
    /// A board with these names on it.
    pub(super) fn new<'a>(names: impl Iterator<Item = (&'a str, u64)>) -> Self {
        let cells = names.map(|(name, value)| (name.into(), AtomicU64::new(value)));
        Self {
            cells: RwLock::new(cells.collect()),
        }
    }

    /// Writes a number. No order between names is promised, so `Relaxed` is enough.
    pub(super) fn set(&self, name: &str, value: u64) {
        {
            let cells = self.cells.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(cell) = cells.get(name) {
                cell.store(value, Ordering::Relaxed);
                return;
            }
        }
        let mut cells = self.cells.write().unwrap_or_else(PoisonError::into_inner);
        cells.insert(name.into(), AtomicU64::new(value));
    }

    /// Everything, by name.
    pub(super) fn read(&self) -> Vec<(String, u64)> {
        let cells = self.cells.read().unwrap_or_else(PoisonError::into_inner);
        cells
            .iter()
            .map(|(name, cell)| (name.to_string(), cell.load(Ordering::Relaxed)))
            .collect()
    }
}
