//! The event as the world sees it: one JSON object a line, in the journal, on the event topic, in
//! `replay`, in exports (contract 5.2). One place writes it, one place reads it.

use std::sync::Arc;

use crate::engine::snapshot::AlarmRecord;

/// A committed event: what an output sends.
#[derive(Debug, Clone, PartialEq)]
pub struct Committed {
    /// Position in the journal; gap-free, never reused.
    pub seq: u64,
    /// The event as one line of JSON, without a line feed.
    pub line: Arc<str>,
    /// `POINT/kind`, when the event is about an alarm.
    pub alarm: Option<Arc<str>>,
    /// The alarm's state right after this event, while the event is still in memory. Events read
    /// back from disk have none: the present state is newer than they are.
    pub record: Option<Arc<AlarmRecord>>,
    /// False while the disk fails and the event is served from memory (contract, promise 3).
    pub durable: bool,
}
