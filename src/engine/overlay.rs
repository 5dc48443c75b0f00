//! What may lie over an alarm: shelved by a person, suppressed by plant state, out of service
//! (alarm-standards 1.4). Its state goes on beneath; only nobody is told.
//!
//! An overlay is a [`Term`] and the story behind it: who, why, until when. What a person lays over an
//! alarm always has an end; a suppression ends with the state of the plant that it stands for, and
//! whenever that state is not known for certain. A term is kept twice: on the monotonic clock, by which it ends in this life, and on the wall
//! clock, for people and for the life after a restart. A term that a restart cannot tell the end of,
//! because the clock is not trusted, has ended (contract 8.14): an alarm that shows itself too early is
//! a nuisance, one that stays silent too long is a danger.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::time::{Moment, Mono, Wall};

/// The three kinds, independent of each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Overlay {
    /// Silenced by plant state.
    Suppressed,
    /// Taken off the list by a person, for a time.
    Shelved,
    /// Out for maintenance.
    OutOfService,
}

impl Overlay {
    /// The weakest first: of several the last one is shown to people.
    pub const ALL: [Self; 3] = [Self::Suppressed, Self::Shelved, Self::OutOfService];

    /// The word of the contract.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Suppressed => "suppressed",
            Self::Shelved => "shelved",
            Self::OutOfService => "out_of_service",
        }
    }
}

/// Which overlays lie over an alarm.
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
    pub const fn is_empty(self) -> bool {
        !(self.shelved || self.suppressed || self.out_of_service)
    }

    /// Does this one lie over it?
    pub const fn has(self, overlay: Overlay) -> bool {
        match overlay {
            Overlay::Suppressed => self.suppressed,
            Overlay::Shelved => self.shelved,
            Overlay::OutOfService => self.out_of_service,
        }
    }

    /// With `overlay` laid over it (`true`) or taken off.
    #[must_use]
    pub const fn with(mut self, overlay: Overlay, laid: bool) -> Self {
        match overlay {
            Overlay::Suppressed => self.suppressed = laid,
            Overlay::Shelved => self.shelved = laid,
            Overlay::OutOfService => self.out_of_service = laid,
        }
        self
    }

    /// The words of the contract, strongest first.
    pub fn names(self) -> Vec<&'static str> {
        let strongest = Overlay::ALL.into_iter().rev();
        strongest
            .filter(|overlay| self.has(*overlay))
            .map(Overlay::name)
            .collect()
    }
}

/// A time that ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Term {
    /// When it began.
    pub since: Wall,
    /// When it ends, on the wall clock.
    pub until: Wall,
    /// When it ends in this life of the process; means nothing in another.
    #[serde(skip)]
    pub(super) due: Mono,
}

impl Term {
    /// `span` from now on.
    pub fn new(now: Moment, span: Duration) -> Self {
        Self {
            since: now.wall,
            until: now.wall + span,
            due: now.mono + span,
        }
    }

    /// Takes up a term of the life before. `trusted`: does the wall clock go on from there? Otherwise,
    /// or when it shows a time before the term began, nobody knows how much is left: nothing.
    pub(super) fn resume(&mut self, now: Moment, trusted: bool) -> Resumed {
        self.due = now.mono;
        if !trusted || self.since > now.wall {
            return Resumed::Unknown;
        }
        let left = self
            .until
            .unix_nanos()
            .saturating_sub(now.wall.unix_nanos());
        match u64::try_from(left) {
            Ok(left @ 1..) => {
                self.due = now.mono + Duration::from_nanos(left);
                Resumed::Runs
            }
            Ok(0) | Err(_) => Resumed::RanOut,
        }
    }

    /// The wall clock stepped; the term has as much left as before.
    pub(super) fn shift(&mut self, step: f64) {
        for time in [&mut self.since, &mut self.until] {
            *time = time.stepped(step);
        }
    }
}

/// What a restart finds of a term.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Resumed {
    /// It goes on.
    Runs,
    /// It ended while nobody watched.
    RanOut,
    /// The clock cannot tell.
    Unknown,
}

/// Taken off the list by a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shelf {
    /// Who.
    pub by: Arc<str>,
    /// Why.
    pub reason: Arc<str>,
    /// Who agreed, where nobody may shelve alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<Arc<str>>,
    /// From when until when.
    pub term: Term,
    /// Ends as soon as the alarm is no longer active, the end of the term at the latest.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub one_shot: bool,
}

/// Out for maintenance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outage {
    /// Who asked for it.
    pub by: Arc<str>,
    /// Who approved it: somebody else.
    pub approved_by: Arc<str>,
    /// Who else did: for a second channel of a group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub also_approved_by: Option<Arc<str>>,
    /// Number of the permit or work order.
    pub permit: Arc<str>,
    /// What is done instead meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compensating_measure: Option<Arc<str>>,
    /// From when until when.
    pub term: Term,
    /// When people are to be reminded of its end next, or the end itself.
    #[serde(skip)]
    pub(super) next: Mono,
}

/// So long before its end people are reminded of an outage (alarm-standards 1.4).
const REMINDERS: [Duration; 3] = [
    Duration::from_secs(24 * 3600),
    Duration::from_secs(3600),
    Duration::from_secs(600),
];

impl Outage {
    /// Looks for what comes next after `now`: a reminder, or the end.
    pub(super) fn look_ahead(&mut self, now: Mono) {
        let left = self.term.due.since(now);
        let ahead = REMINDERS.into_iter().find(|reminder| *reminder < left);
        self.next = ahead.map_or(self.term.due, |reminder| now + (left - reminder));
    }

    /// Did a reminder fall into the time from `from` until `now`?
    pub(super) fn missed_reminder(&self, from: Wall, now: Wall) -> bool {
        REMINDERS.into_iter().any(|reminder| {
            let at = self.term.until - reminder;
            self.term.since < at && from < at && at <= now
        })
    }
}

/// Silenced by plant state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppression {
    /// Since when.
    pub since: Wall,
    /// The states of the plant behind it, at least one, in configuration order.
    pub causes: Vec<Suppressing>,
    /// When a start took it over on what the life before had heard; absent when this was seen of the plant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_over: Option<Wall>,
}

/// A state of the plant that silences an alarm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppressing {
    /// In words: `PUMP-7 is 0`.
    pub state: Arc<str>,
    /// How long it may silence; absent when as long as it lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub term: Option<Term>,
}

impl Suppression {
    /// When the last of its causes has silenced for long enough; `None` while one has no such end.
    pub fn until(&self) -> Option<Wall> {
        let ends = self.causes.iter().map(|cause| cause.term);
        let ends: Option<Vec<Term>> = ends.collect();
        ends?.iter().map(|term| term.until).max()
    }

    /// Its causes in words: `PUMP-7 is 0, SPEED-7 is below 300 rpm`.
    pub fn words(&self) -> String {
        let words: Vec<&str> = self.causes.iter().map(|cause| &*cause.state).collect();
        words.join(", ")
    }

    /// When the first of its causes has silenced for long enough, in this life.
    pub(super) fn next(&self) -> Option<Mono> {
        let terms = self.causes.iter().filter_map(|cause| cause.term);
        terms.map(|term| term.due).min()
    }
}

/// Everything that lies over one alarm.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cover {
    /// Suppressed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suppression: Option<Suppression>,
    /// Shelved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shelf: Option<Shelf>,
    /// Out of service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outage: Option<Outage>,
}

impl Cover {
    /// As flags.
    pub const fn overlays(&self) -> Overlays {
        Overlays {
            shelved: self.shelf.is_some(),
            suppressed: self.suppression.is_some(),
            out_of_service: self.outage.is_some(),
        }
    }

    /// The term of an overlay that lies over the alarm. A suppression has one for each of its causes, and
    /// ends otherwise.
    pub(super) fn term(&mut self, overlay: Overlay) -> Option<&mut Term> {
        match overlay {
            Overlay::Suppressed => None,
            Overlay::Shelved => self.shelf.as_mut().map(|shelf| &mut shelf.term),
            Overlay::OutOfService => self.outage.as_mut().map(|outage| &mut outage.term),
        }
    }

    /// Takes an overlay off.
    pub(super) fn remove(&mut self, overlay: Overlay) {
        match overlay {
            Overlay::Suppressed => self.suppression = None,
            Overlay::Shelved => self.shelf = None,
            Overlay::OutOfService => self.outage = None,
        }
    }

    /// When something comes up next in this life: an end, or a reminder of one.
    pub(super) fn next(&self) -> Option<Mono> {
        let shelf = self.shelf.as_ref().map(|shelf| shelf.term.due);
        let outage = self.outage.as_ref().map(|outage| outage.next);
        let suppression = self.suppression.as_ref().and_then(Suppression::next);
        shelf.into_iter().chain(outage).chain(suppression).min()
    }

    /// The wall clock stepped.
    pub(super) fn clock_stepped(&mut self, step: f64) {
        for overlay in Overlay::ALL {
            if let Some(term) = self.term(overlay) {
                term.shift(step);
            }
        }
        let Some(suppression) = &mut self.suppression else {
            return;
        };
        if let Some(at) = &mut suppression.taken_over {
            *at = at.stepped(step);
        }
        let causes = suppression.causes.iter_mut();
        for term in causes.filter_map(|cause| cause.term.as_mut()) {
            term.shift(step);
        }
    }

    /// Who laid an overlay over the alarm, and why, for the person who is told that it is over.
    pub(super) fn story(&self, overlay: Overlay) -> Option<String> {
        match overlay {
            Overlay::Suppressed => {
                let words = self.suppression.as_ref()?.words();
                Some(format!("was suppressed: {words}"))
            }
            Overlay::Shelved => {
                let Shelf { by, reason, .. } = self.shelf.as_ref()?;
                Some(format!("was shelved by {by}: {reason}"))
            }
            Overlay::OutOfService => {
                let Outage { by, permit, .. } = self.outage.as_ref()?;
                Some(format!("was taken out of service by {by}, permit {permit}"))
            }
        }
    }
}

#[cfg(test)]
mod tests;
