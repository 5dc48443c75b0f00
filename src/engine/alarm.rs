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
//! *confirmed* condition: deadband, delays and quality lie before this module. Overlays (shelved,
//! suppressed by design, out of service) are flags beside the state: it is tracked beneath them.
//!
//! Deliberately absent: time, values, names. [`transition`] is a pure function of state, input and
//! two traits of the alarm, and is tested over every combination.

use serde::{Deserialize, Serialize};

use super::command::Denied;

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

/// What lies over an alarm. Independent flags: the state goes on beneath.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overlays {
    /// Taken off the list by a person, for a time.
    pub shelved: bool,
    /// Silenced by plant state.
    pub suppressed: bool,
    /// Out for maintenance.
    pub out_of_service: bool,
}

impl Overlays {
    /// Nothing lies over the alarm, so it annunciates.
    pub const fn is_empty(&self) -> bool {
        !(self.shelved || self.suppressed || self.out_of_service)
    }

    /// The words of the contract, strongest first.
    pub fn names(self) -> Vec<&'static str> {
        [
            (self.out_of_service, "out_of_service"),
            (self.shelved, "shelved"),
            (self.suppressed, "suppressed"),
        ]
        .into_iter()
        .filter_map(|(set, name)| set.then_some(name))
        .collect()
    }
}

/// What can happen to an occurrence.
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
}

/// The whole life cycle: where `input` leads from `state`, or why it is refused.
pub const fn transition(
    state: AlarmState,
    input: Input,
    traits: Traits,
) -> Result<(AlarmState, Step), Denied> {
    use AlarmState as S;
    Ok(match (state, input) {
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
    })
}

#[cfg(test)]
mod tests;
