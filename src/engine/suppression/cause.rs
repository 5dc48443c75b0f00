//! One cause of a suppression: what is known of a state of the plant, and whether it silences.
//!
//! | was     | seen: no | seen: yes                                               | not known        |
//! |---------|----------|---------------------------------------------------------|------------------|
//! | Unknown | Absent   | Holds if it has no longest time, or some of it is left, | Unknown          |
//! |         |          | else Spent                                              |                  |
//! | Kept    | Absent   | the same                                                | Kept while       |
//! |         |          |                                                         | nothing was      |
//! |         |          |                                                         | heard and its    |
//! |         |          |                                                         | time is not      |
//! |         |          |                                                         | over; else       |
//! |         |          |                                                         | Unknown          |
//! | Absent  | Absent   | Holds: its time begins                                  | Unknown          |
//! | Holds   | Absent   | Holds, and Spent when its time is over                  | Unknown; time    |
//! |         |          |                                                         | goes on          |
//! | Spent   | Absent   | Spent                                                   | Unknown          |

use std::sync::Arc;
use std::time::Duration;

use super::super::Point;
use super::super::effect::Cause as Origin;
use super::super::gate;
use super::super::occurrence::Alarm;
use super::super::overlay::{Resumed, Suppressing, Term};
use super::super::settings::{PlantState, Suppressor};
use super::super::time::Moment;

/// One cause.
#[derive(Debug)]
pub(super) struct Cause {
    pub(super) sign: Sign,
    max: Option<Duration>,
    /// `PUMP-7 is 0`.
    pub(super) words: Arc<str>,
    pub(super) hold: Hold,
    /// Of one with a longest time, from when it was seen to begin until it is seen to have ended.
    pub(super) term: Option<Term>,
}

/// How the plant shows it: a [`PlantState`] with the engine's own indices.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sign {
    /// The value of a point.
    Value { point: usize, plant: PlantState },
    /// An alarm that is active.
    Active { alarm: usize },
}

/// What is known of a cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hold {
    /// Nothing.
    Unknown,
    /// It silenced the alarm when the life before ended, and nothing was heard of it in this one: the
    /// alarm stays silent.
    Kept,
    /// The plant is not in that state.
    Absent,
    /// It is, and the alarm is silent.
    Holds,
    /// It is, but for too long, or for nobody knows how long.
    Spent,
}

/// Is the plant in that state?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Truth {
    Yes,
    No,
    Unknown(Lapse),
}

/// Why a suppression ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lapse {
    /// The plant is in another state.
    Ended,
    /// It took too long.
    Expired,
    /// Nothing was heard of the input since the start.
    NotHeard,
    /// The input is silent.
    Stale,
    /// The input has no value.
    Bad,
    /// The input's value is doubtful.
    Uncertain,
    /// The alarm that is looked at is out of service.
    OutOfService,
    /// The alarm that is looked at was put aside by somebody.
    Shelved,
    /// Nothing silences the alarm any more.
    Config,
}

impl Lapse {
    /// The reason as it stands in events.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Ended => "ended",
            Self::Expired => "expired",
            Self::NotHeard => "input_unknown",
            Self::Stale => "input_stale",
            Self::Bad => "input_bad",
            Self::Uncertain => "input_uncertain",
            Self::OutOfService => "input_out_of_service",
            Self::Shelved => "input_shelved",
            Self::Config => "config_change",
        }
    }

    pub(super) const fn origin(self) -> Origin {
        match self {
            Self::Ended | Self::Stale | Self::Bad | Self::Uncertain => Origin::Process,
            Self::OutOfService | Self::Shelved => Origin::Operator,
            Self::Expired | Self::NotHeard => Origin::System,
            Self::Config => Origin::Config,
        }
    }
}

impl Sign {
    fn new(plant: PlantState, points: &[Point], alarms: &[Alarm]) -> Option<Self> {
        let point = plant.point().0 as usize;
        let own = points.get(point)?;
        Some(match plant {
            PlantState::Active { kind, .. } => Self::Active {
                alarm: gate::find(own, kind, alarms)?,
            },
            PlantState::Position { .. } | PlantState::Beyond { .. } => Self::Value { point, plant },
        })
    }
}

impl Cause {
    pub(super) fn new(settings: Suppressor, points: &[Point], alarms: &[Alarm]) -> Option<Self> {
        Some(Self {
            sign: Sign::new(settings.plant, points, alarms)?,
            max: settings.max,
            words: gate::words(settings.plant, points).into(),
            hold: Hold::Unknown,
            term: None,
        })
    }

    /// Takes what is known now.
    pub(super) fn take(&mut self, truth: Truth, now: Moment) {
        self.hold = match (truth, self.hold) {
            (Truth::No, _) => {
                self.term = None;
                Hold::Absent
            }
            (Truth::Unknown(Lapse::NotHeard), Hold::Kept) if self.has_time_left(now) => Hold::Kept,
            (Truth::Unknown(_), _) => Hold::Unknown,
            (Truth::Yes, Hold::Spent) => Hold::Spent,
            (Truth::Yes, Hold::Absent) => {
                self.term = self.max.map(|max| Term::new(now, max));
                Hold::Holds
            }
            (Truth::Yes, Hold::Unknown | Hold::Kept | Hold::Holds) => {
                if self.has_time_left(now) {
                    Hold::Holds
                } else {
                    Hold::Spent
                }
            }
        };
    }

    /// Takes up what it was when the life before ended, with the time that is left of `before`. `trusted`:
    /// can the clock tell? `lasts`: does word of that life still count?
    pub(super) fn resume(&mut self, before: &Suppressing, lasts: bool, trusted: bool, now: Moment) {
        if let (Some(max), Some(mut term)) = (self.max, before.term) {
            term.until = term.since + max;
            let known = term.resume(now, trusted) != Resumed::Unknown;
            self.term = known.then_some(term);
        }
        if lasts && self.has_time_left(now) {
            self.hold = Hold::Kept;
        }
    }

    /// May it silence longer? One with a longest time only after it was seen to begin.
    fn has_time_left(&self, now: Moment) -> bool {
        self.max.is_none() || self.term.is_some_and(|term| term.due > now.mono)
    }

    /// Does it silence?
    pub(super) const fn holds(&self) -> bool {
        matches!(self.hold, Hold::Holds | Hold::Kept)
    }

    /// Why it does not hold.
    pub(super) fn lapse(&self, truth: Truth, now: Moment) -> Lapse {
        match truth {
            Truth::Unknown(Lapse::NotHeard) if self.term.is_some() && !self.has_time_left(now) => {
                Lapse::Expired
            }
            Truth::Yes => Lapse::Expired,
            Truth::No => Lapse::Ended,
            Truth::Unknown(lapse) => lapse,
        }
    }

    /// Was it true when it was looked at last?
    pub(super) const fn is_true(&self) -> bool {
        matches!(self.hold, Hold::Holds | Hold::Kept | Hold::Spent)
    }
}
