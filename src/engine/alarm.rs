//! The life cycle of one alarm (ISA-18.2 / IEC 62682, table of alarm-standards 1.3).
//!
//! To the right: a person has recognised it. Downwards: the condition begins and ends.
//!
//! ```text
//!                  not recognised                        recognised
//!
//!                                                   ┌─────────────────────┐
//!  condition              ┌───────── raise ──────── │       Normal        │
//!  false                  ▼                         └─────────────────────┘
//!
//!            ┌────────────────────────┐     ack     ┌─────────────────────┐
//!  true      │     Unacknowledged     │ ──────────▶ │    Acknowledged     │
//!            └────────────────────────┘ ◀────────── └─────────────────────┘
//!                         │ clear         realarm              │ clear
//!                         ▼                                    ▼
//!            ┌────────────────────────┐     ack     ┌─────────────────────┐
//!  gone      │ ReturnedUnacknowledged │ ──────────▶ │       Normal        │
//!            └────────────────────────┘             └─────────────────────┘
//!  gone, and
//!  latching: ┌────────────────────────┐     ack     ┌─────────────────────┐  reset
//!  instead   │ LatchedUnacknowledged  │ ──────────▶ │ LatchedAcknowledged │ ───────▶ Normal
//!            └────────────────────────┘             └─────────────────────┘
//! ```
//!
//! Not drawn: `raise` leads from every state at the bottom to `Unacknowledged`; an alarm that needs no
//! acknowledgement goes down on the right side, as if the system had recognised it.
//!
//! A raise from any state in which the condition is gone starts a new occurrence; one that was never
//! acknowledged stays open beside it, so nothing is merged or lost. `raise` and `clear` mean the
//! *confirmed* condition: deadband, delays and quality lie before this module.
//!
//! Overlays ([`super::overlay`]) are flags beside the state, which goes its way beneath them. When one
//! ends, `Acknowledged` becomes `Unacknowledged` as by `realarm`: whoever recognised the alarm before or
//! beneath the overlay did so in another situation. Only a person who unshelves an alarm looks at it,
//! so its state stays.
//!
//! Deliberately absent: time, values, names. [`transition`] is a pure function of standing, input and
//! two traits of the alarm, and is tested over every combination.

use serde::{Deserialize, Serialize};

use super::command::Denied;
use super::overlay::{Overlay, Overlays};

/// Where an occurrence stands. Order: the way through a life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlarmState {
    /// Condition gone, nothing to do.
    Normal,
    /// Condition true, nobody has recognised it.
    Unacknowledged,
    /// Condition true, recognised.
    Acknowledged,
    /// Condition gone before anybody recognised it.
    ReturnedUnacknowledged,
    /// Latching alarm: condition gone, neither recognised nor reset.
    LatchedUnacknowledged,
    /// Latching alarm: condition gone, recognised, waits for its reset.
    LatchedAcknowledged,
}

impl AlarmState {
    /// Every state, in the order of the wire table (0 is normal).
    pub const ALL: [Self; 6] = [
        Self::Normal,
        Self::Unacknowledged,
        Self::Acknowledged,
        Self::ReturnedUnacknowledged,
        Self::LatchedUnacknowledged,
        Self::LatchedAcknowledged,
    ];

    /// The word of the contract.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Unacknowledged => "unacknowledged",
            Self::Acknowledged => "acknowledged",
            Self::ReturnedUnacknowledged => "returned_unacknowledged",
            Self::LatchedUnacknowledged => "latched_unacknowledged",
            Self::LatchedAcknowledged => "latched_acknowledged",
        }
    }

    /// Is the condition true?
    pub const fn is_active(self) -> bool {
        matches!(self, Self::Unacknowledged | Self::Acknowledged)
    }

    /// Does it wait for an acknowledgement?
    pub const fn is_unacknowledged(self) -> bool {
        matches!(
            self,
            Self::Unacknowledged | Self::ReturnedUnacknowledged | Self::LatchedUnacknowledged
        )
    }
}

/// An alarm as a person sees it: where its newest occurrence stands, and what lies over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Beneath the overlays.
    pub state: AlarmState,
    /// Over it.
    pub overlays: Overlays,
}

/// What can happen to an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// The condition is confirmed true.
    Raise,
    /// The condition is confirmed gone.
    Clear,
    /// A person recognises the newest occurrence.
    Acknowledge,
    /// A person releases the latch.
    Reset {
        /// Is the point's quality good, so that "gone" is known and not merely assumed?
        evidence: bool,
    },
    /// The acknowledgement has run out.
    Realarm,
    /// An overlay is laid over it.
    Lay(Overlay),
    /// An overlay is taken off by a person. Who unshelves an alarm looks at it: its state stays.
    TakeOff(Overlay),
    /// An overlay ends: what is true beneath it wants attention as if it had just begun.
    End(Overlay),
}

/// The two traits of an alarm that its life cycle depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traits {
    /// Stays until it is reset.
    pub latching: bool,
    /// Waits for a person.
    pub ack_required: bool,
}

/// What a transition means for the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Nothing happened; nothing is recorded.
    Nothing,
    /// A new occurrence begins.
    Raised,
    /// The condition ended.
    Cleared,
    /// The condition ended and no person has to look: acknowledged by the system.
    ClearedUnattended,
    /// Recognised.
    Acknowledged,
    /// It was already recognised; recorded, changes nothing.
    AlreadyAcknowledged,
    /// The latch is released.
    Reset,
    /// Wants attention again, same occurrence.
    Realarmed,
    /// An overlay lies over it now.
    Covered,
    /// An overlay is gone; the acknowledgement before it, if any, still stands.
    Uncovered,
    /// An overlay is gone, and with it the acknowledgement: wants attention again, same occurrence.
    Resurfaced,
}

/// The whole life cycle: where `input` leads, or why it is refused. The state goes its way whatever lies
/// over it; overlays come and go whatever the state.
pub const fn transition(
    standing: Standing,
    input: Input,
    traits: Traits,
) -> Result<(Standing, Step), Denied> {
    use AlarmState as S;
    let (state, step) = match (standing.state, input) {
        (_, Input::Lay(overlay)) => return lay(standing, overlay),
        (_, Input::TakeOff(overlay)) => return lift(standing, overlay, false),
        (_, Input::End(overlay)) => return lift(standing, overlay, true),

        (S::Normal, Input::Raise) => (S::Unacknowledged, Step::Raised),
        (S::Normal, Input::Clear | Input::Realarm) => (S::Normal, Step::Nothing),
        (S::Normal, Input::Acknowledge) => return Err(Denied::NothingToAcknowledge),
        (S::Normal, Input::Reset { .. }) => return Err(Denied::NotLatched),

        (S::Unacknowledged, Input::Raise | Input::Realarm) => (S::Unacknowledged, Step::Nothing),
        (S::Unacknowledged, Input::Clear) => match (traits.latching, traits.ack_required) {
            (false, true) => (S::ReturnedUnacknowledged, Step::Cleared),
            (true, true) => (S::LatchedUnacknowledged, Step::Cleared),
            (false, false) => (S::Normal, Step::ClearedUnattended),
            (true, false) => (S::LatchedAcknowledged, Step::ClearedUnattended),
        },
        (S::Unacknowledged, Input::Acknowledge) => (S::Acknowledged, Step::Acknowledged),
        (S::Unacknowledged, Input::Reset { .. }) => return Err(Denied::StillActive),

        (S::Acknowledged, Input::Raise) => (S::Acknowledged, Step::Nothing),
        (S::Acknowledged, Input::Clear) if traits.latching => {
            (S::LatchedAcknowledged, Step::Cleared)
        }
        (S::Acknowledged, Input::Clear) => (S::Normal, Step::Cleared),
        (S::Acknowledged, Input::Acknowledge) => (S::Acknowledged, Step::AlreadyAcknowledged),
        (S::Acknowledged, Input::Reset { .. }) => return Err(Denied::StillActive),
        (S::Acknowledged, Input::Realarm) => (S::Unacknowledged, Step::Realarmed),

        (S::ReturnedUnacknowledged, Input::Raise) => (S::Unacknowledged, Step::Raised),
        (S::ReturnedUnacknowledged, Input::Clear | Input::Realarm) => {
            (S::ReturnedUnacknowledged, Step::Nothing)
        }
        (S::ReturnedUnacknowledged, Input::Acknowledge) => (S::Normal, Step::Acknowledged),
        (S::ReturnedUnacknowledged, Input::Reset { .. }) => return Err(Denied::NotLatched),

        (S::LatchedUnacknowledged, Input::Raise) => (S::Unacknowledged, Step::Raised),
        (S::LatchedUnacknowledged, Input::Clear | Input::Realarm) => {
            (S::LatchedUnacknowledged, Step::Nothing)
        }
        (S::LatchedUnacknowledged, Input::Acknowledge) => {
            (S::LatchedAcknowledged, Step::Acknowledged)
        }
        (S::LatchedUnacknowledged, Input::Reset { .. }) => return Err(Denied::NotAcknowledged),

        (S::LatchedAcknowledged, Input::Raise) => (S::Unacknowledged, Step::Raised),
        (S::LatchedAcknowledged, Input::Clear | Input::Realarm) => {
            (S::LatchedAcknowledged, Step::Nothing)
        }
        (S::LatchedAcknowledged, Input::Acknowledge) => {
            (S::LatchedAcknowledged, Step::AlreadyAcknowledged)
        }
        (S::LatchedAcknowledged, Input::Reset { evidence: true }) => (S::Normal, Step::Reset),
        (S::LatchedAcknowledged, Input::Reset { evidence: false }) => {
            return Err(Denied::QualityNotGood);
        }
    };
    Ok((Standing { state, ..standing }, step))
}

/// Shelving again would push the end away for ever. Maintenance may take longer than its permit said,
/// with a new permit and approval; and plant state may have one more reason.
const fn lay(standing: Standing, overlay: Overlay) -> Result<(Standing, Step), Denied> {
    match overlay {
        Overlay::Shelved if standing.overlays.shelved => return Err(Denied::AlreadyShelved),
        Overlay::Shelved | Overlay::Suppressed | Overlay::OutOfService => {}
    }
    let covered = Standing {
        overlays: standing.overlays.with(overlay, true),
        ..standing
    };
    Ok((covered, Step::Covered))
}

const fn lift(
    standing: Standing,
    overlay: Overlay,
    by_itself: bool,
) -> Result<(Standing, Step), Denied> {
    if !standing.overlays.has(overlay) {
        return match (overlay, by_itself) {
            (Overlay::Shelved, false) => Err(Denied::NotShelved),
            (Overlay::OutOfService, false) => Err(Denied::NotOutOfService),
            (Overlay::Shelved | Overlay::OutOfService, true) | (Overlay::Suppressed, _) => {
                Ok((standing, Step::Nothing))
            }
        };
    }
    let overlays = standing.overlays.with(overlay, false);
    let looked_at = matches!(overlay, Overlay::Shelved) && !by_itself;
    let (state, step) = match (standing.state, looked_at) {
        (AlarmState::Acknowledged, false) => (AlarmState::Unacknowledged, Step::Resurfaced),
        (state, _) => (state, Step::Uncovered),
    };
    Ok((Standing { state, overlays }, step))
}

#[cfg(test)]
mod tests;
