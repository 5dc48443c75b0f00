//! The latest state of every alarm, for those who ask.

use super::Ledger;
use crate::engine::snapshot::AlarmRecord;

impl Ledger {
    /// Of every alarm that has one, in the order of their ids.
    pub(in super::super) fn records(&self) -> Vec<AlarmRecord> {
        self.records
            .values()
            .map(|record| (**record).clone())
            .collect()
    }

    /// Of one alarm.
    pub(in super::super) fn record(&self, alarm: &str) -> Option<AlarmRecord> {
        self.records.get(alarm).map(|record| (**record).clone())
    }
}
