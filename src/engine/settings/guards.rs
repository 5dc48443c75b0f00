//! What commands must say.

use std::collections::BTreeSet;
use std::sync::Arc;

/// What commands must say, as configured.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Guards {
    /// Nothing goes out of service without a compensating measure.
    pub measure_required: bool,
    /// Ids of those who may approve; empty: anybody but whoever asks.
    pub approvers: BTreeSet<Arc<str>>,
    /// Ids of all persons; where there are approvers, whoever asks is one of them.
    pub persons: BTreeSet<Arc<str>>,
}
