//! Alarms by id: for commands and restarts. The path of a reading uses indices and looks up nothing.

use super::occurrence::Alarm;

/// Indices of all alarms in the order of their ids, which stay with the alarms.
#[derive(Debug)]
pub(super) struct Names(Box<[u32]>);

impl Names {
    pub(super) fn new(alarms: &[Alarm]) -> Self {
        let mut order: Box<[u32]> = (0..).take(alarms.len()).collect();
        order.sort_unstable_by_key(|index| &*alarms[*index as usize].id);
        Self(order)
    }

    /// The index of an alarm among `alarms`, those that this was made of.
    pub(super) fn find(&self, alarms: &[Alarm], id: &str) -> Option<usize> {
        let found = self
            .0
            .binary_search_by_key(&id, |index| &*alarms[*index as usize].id);
        found.ok().map(|at| self.0[at] as usize)
    }
}
