//! What is left to do for whoever holds a link: its claim beside what the journal knows. Pure.

use super::Claim;
use crate::engine::snapshot::{Acknowledgement, AlarmRecord};

/// How it stands with the call that a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing<'r> {
    /// Nobody has answered it.
    Waits,
    /// Somebody has.
    Answered(&'r Acknowledgement),
    /// The occurrence has called again since.
    CalledAgain,
    /// The occurrence is over, and nobody needs to answer.
    Over,
    /// Nothing is known of such an occurrence: the journal was lost, or the alarm never was.
    Unknown,
}

/// What `record`, the newest of the alarm of `claim`, makes of it.
pub fn standing<'r>(record: Option<&'r AlarmRecord>, claim: &Claim) -> Standing<'r> {
    let Some(record) = record else {
        return Standing::Unknown;
    };
    let is_call = |annunciation: Option<u64>| annunciation == Some(claim.annunciation);
    if record.occurrence == claim.occurrence {
        return match &record.acknowledged {
            _ if !is_call(record.annunciation) => Standing::CalledAgain,
            _ if record.state.is_unacknowledged() => Standing::Waits,
            Some(first) if &*first.by != SYSTEM => Standing::Answered(first),
            Some(_) | None => Standing::Over,
        };
    }
    let mut open = record.unacknowledged.iter();
    if let Some(open) = open.find(|open| open.occurrence == claim.occurrence) {
        return match is_call(open.annunciation) {
            true => Standing::Waits,
            false => Standing::CalledAgain,
        };
    }
    let mut recognised = record.recognised.iter();
    if let Some(older) = recognised.find(|older| older.occurrence == claim.occurrence) {
        return Standing::Answered(&older.acknowledged);
    }
    let newest = record.numbered.unwrap_or_default().max(record.occurrence);
    if claim.occurrence > newest {
        return Standing::Unknown;
    }
    Standing::Over
}

/// Who recognises what needs nobody.
const SYSTEM: &str = "system";
