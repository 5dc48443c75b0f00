//! On-delay and off-delay (alarm-standards 2.3): from "the value is beyond the limit" to "the
//! condition is confirmed".
//!
//! ```text
//!            beyond, on-delay > 0                 on-delay over
//!   ┌──────┐ ───────────────────▶ ┌─────────┐ ─────────────────────▶ ┌────────┐
//!   │ Idle │ ◀─────────────────── │ Pending │        (raise)         │ Active │
//!   └──────┘   inside, unknown,   └─────────┘                        └────────┘
//!     ▲        margin if held at the limit                 inside,     │    ▲ beyond, margin,
//!     │                                              off-delay > 0     ▼    │ unknown
//!     │                        off-delay over (clear)              ┌──────────┐
//!     └─────────────────────────────────────────────────────────── │ Clearing │
//!                                                                  └──────────┘
//! ```
//!
//! With a delay of zero the middle state is skipped. *Unknown* (bad quality, no verdict) cancels a
//! pending raise, stops a pending clear and otherwise holds: it never clears anything.

use std::time::Duration;

use super::agenda::Timer;
use super::settings::PendingHold;
use super::time::Mono;

/// Where a value lies with respect to a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Zone {
    /// At the limit or beyond it.
    Beyond,
    /// Back inside the limit, but not by more than the deadband.
    Margin,
    /// Inside by more than the deadband.
    Inside,
    /// No verdict.
    Unknown,
}

/// The delays of one alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Delays {
    pub(super) on: Duration,
    pub(super) off: Duration,
    pub(super) hold: PendingHold,
}

impl Delays {
    /// Certain at once.
    pub(super) const NONE: Self = Self {
        on: Duration::ZERO,
        off: Duration::ZERO,
        hold: PendingHold::Limit,
    };
}

/// How far the confirmation of a condition has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Phase {
    /// Not in alarm.
    #[default]
    Idle,
    /// Beyond the limit without a break; in alarm at `due`.
    Pending {
        /// End of the on-delay.
        due: Mono,
    },
    /// In alarm.
    Active,
    /// Inside without a break; out of alarm at `due`.
    Clearing {
        /// End of the off-delay.
        due: Mono,
    },
}

/// A condition that has become certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Confirmed {
    /// It is true.
    Raise,
    /// It is gone.
    Clear,
}

impl Phase {
    /// Takes a new verdict.
    pub(super) fn judge(&mut self, zone: Zone, delays: Delays, now: Mono) -> Option<Confirmed> {
        match (*self, zone) {
            (Self::Idle, Zone::Beyond) if delays.on.is_zero() => self.raise(),
            (Self::Idle, Zone::Beyond) => {
                *self = Self::Pending {
                    due: now + delays.on,
                };
                None
            }
            (Self::Pending { .. }, Zone::Margin) if delays.hold == PendingHold::Deadband => None,
            (Self::Pending { .. }, Zone::Margin | Zone::Inside | Zone::Unknown) => {
                *self = Self::Idle;
                None
            }
            (Self::Active, Zone::Inside) if delays.off.is_zero() => self.clear(),
            (Self::Active, Zone::Inside) => {
                *self = Self::Clearing {
                    due: now + delays.off,
                };
                None
            }
            (Self::Clearing { .. }, Zone::Beyond | Zone::Margin | Zone::Unknown) => {
                *self = Self::Active;
                None
            }
            (Self::Idle, Zone::Margin | Zone::Inside | Zone::Unknown)
            | (Self::Pending { .. }, Zone::Beyond)
            | (Self::Active, Zone::Beyond | Zone::Margin | Zone::Unknown)
            | (Self::Clearing { .. }, Zone::Inside) => None,
        }
    }

    /// The condition may be true again: what was about to clear does not.
    pub(super) fn hold(&mut self) {
        if matches!(self, Self::Clearing { .. }) {
            *self = Self::Active;
        }
    }

    /// A running delay begins anew at `now`.
    pub(super) fn restart(&mut self, delays: Delays, now: Mono) {
        match self {
            Self::Pending { due } => *due = now + delays.on,
            Self::Clearing { due } => *due = now + delays.off,
            Self::Idle | Self::Active => {}
        }
    }

    /// The delay that was to end at `due` ends, unless it was stopped or begun anew meanwhile.
    pub(super) fn expire(&mut self, due: Mono) -> Option<Confirmed> {
        match *self {
            Self::Pending { due: present } if present == due => self.raise(),
            Self::Clearing { due: present } if present == due => self.clear(),
            Self::Idle | Self::Pending { .. } | Self::Active | Self::Clearing { .. } => None,
        }
    }

    /// The timer that a running delay of alarm `alarm` needs.
    pub(super) const fn timer(self, alarm: u32) -> Option<(Mono, Timer)> {
        match self {
            Self::Pending { due } => Some((due, Timer::Raise(alarm))),
            Self::Clearing { due } => Some((due, Timer::Clear(alarm))),
            Self::Idle | Self::Active => None,
        }
    }

    /// Is the condition confirmed true and not yet confirmed gone?
    pub(super) const fn in_alarm(self) -> bool {
        matches!(self, Self::Active | Self::Clearing { .. })
    }

    /// True without a delay, for a reason beyond the value.
    pub(super) fn force(&mut self) -> Option<Confirmed> {
        match self {
            Self::Idle | Self::Pending { .. } => self.raise(),
            Self::Active => None,
            Self::Clearing { .. } => {
                *self = Self::Active;
                None
            }
        }
    }

    fn raise(&mut self) -> Option<Confirmed> {
        *self = Self::Active;
        Some(Confirmed::Raise)
    }

    fn clear(&mut self) -> Option<Confirmed> {
        *self = Self::Idle;
        Some(Confirmed::Clear)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn delays(on: u64, off: u64, hold: PendingHold) -> Delays {
        Delays {
            on: Duration::from_nanos(on),
            off: Duration::from_nanos(off),
            hold,
        }
    }

    /// Runs verdicts one nanosecond apart, timers between them, and lists what was confirmed when.
    fn run(zones: &[Zone], delays: Delays) -> Vec<(u64, Confirmed)> {
        let mut phase = Phase::default();
        let mut confirmed = Vec::new();
        for (time, zone) in (0_u64..).zip(zones) {
            let now = Mono::from_nanos(time);
            confirmed.extend(phase.judge(*zone, delays, now).map(|what| (time, what)));
            // Samples first, then timers.
            confirmed.extend(phase.expire(now).map(|what| (time, what)));
        }
        confirmed
    }

    #[test]
    fn the_table_of_phases() {
        use Confirmed::{Clear, Raise};
        use PendingHold::{Deadband, Limit};
        use Zone::{Beyond as B, Inside as I, Margin as M, Unknown as U};
        type Case = (
            &'static str,
            &'static [Zone],
            Delays,
            &'static [(u64, Confirmed)],
        );
        let cases: [Case; 10] = [
            (
                "no delays",
                &[I, B, M, I],
                delays(0, 0, Limit),
                &[(1, Raise), (3, Clear)],
            ),
            (
                "on-delay must be unbroken",
                &[B, B, I, B, B, B],
                delays(2, 0, Limit),
                &[(5, Raise)],
            ),
            (
                "a spike is nothing",
                &[I, B, I, I, I],
                delays(2, 0, Limit),
                &[],
            ),
            (
                "a dip into the margin restarts",
                &[B, M, B, B, B],
                delays(2, 0, Limit),
                &[(4, Raise)],
            ),
            (
                "unless held by the deadband",
                &[B, M, B, B],
                delays(2, 0, Deadband),
                &[(2, Raise)],
            ),
            (
                "bad cancels a pending raise",
                &[B, U, B, B, B],
                delays(2, 0, Deadband),
                &[(4, Raise)],
            ),
            (
                "bad holds an alarm",
                &[B, U, U, U],
                delays(0, 1, Limit),
                &[(0, Raise)],
            ),
            (
                "bad stops a clear",
                &[B, I, U, I, I, I],
                delays(0, 2, Limit),
                &[(0, Raise), (5, Clear)],
            ),
            (
                "the margin stops a clear",
                &[B, I, M, I, I, I],
                delays(0, 2, Limit),
                &[(0, Raise), (5, Clear)],
            ),
            (
                "a sample at the due time comes first",
                &[B, B, I],
                delays(2, 0, Limit),
                &[],
            ),
        ];
        for (name, zones, delays, expected) in cases {
            assert_eq!(run(zones, delays), expected, "{name}");
        }
    }

    fn zone() -> impl Strategy<Value = Zone> {
        prop_oneof![
            Just(Zone::Beyond),
            Just(Zone::Margin),
            Just(Zone::Inside),
            Just(Zone::Unknown)
        ]
    }

    proptest! {
        /// Ten lines that say what the delays mean, by looking back over the whole history.
        #[test]
        fn agrees_with_looking_back(
            zones in prop::collection::vec(zone(), 1..60),
            on in 0_usize..5,
            off in 0_usize..5,
        ) {
            let mut alarm = false;
            let mut since = 0;
            let mut expected = Vec::new();
            for (now, zone) in zones.iter().enumerate() {
                let wanted = if alarm { Zone::Inside } else { Zone::Beyond };
                if *zone != wanted {
                    since = now + 1;
                } else if now - since >= if alarm { off } else { on } {
                    expected.push((now as u64, if alarm { Confirmed::Clear } else { Confirmed::Raise }));
                    alarm = !alarm;
                    since = now + 1;
                }
            }
            prop_assert_eq!(run(&zones, delays(on as u64, off as u64, PendingHold::Limit)), expected);
        }
    }
}
