//! Confirmation: a person says that what an occurrence was about was seen to (alarm-standards 1.1).
//!
//! ```text
//!   raised ──▶ acknowledged ───────▶ confirmed
//!              "I have seen it"      "I have seen to it"
//! ```
//!
//! It stands beside the life cycle and moves nothing of it: neither the state nor who is told. It follows
//! an acknowledgement, and goes with it: an alarm that wants attention again wants both again. Where
//! `confirm_required` asks for it,
//!
//! - a reset is refused before it ("needs acknowledgement/confirmation", alarm-standards 1.3);
//! - an occurrence that began under it waits for it also after its end, one that was found in delayed data
//!   from the beginning: the newest one, and of the older ones `OLDER`. When a further one comes, one that
//!   was seen to leaves first. If all wait, the oldest leaves, and the raise that pushed it out says so
//!   (`left_unconfirmed`).

use serde::{Deserialize, Serialize};

use super::Engine;
use super::command::{Command, Denied, Outcome};
use super::effect::{Cause, EventKind};
use super::occurrence::Alarm;
use super::operate::said;
use super::snapshot::Acknowledgement;
use super::time::Moment;

/// Older occurrences that may wait for a confirmation, per alarm.
const OLDER: usize = 8;

/// How far an alarm's occurrences are seen to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    /// Is the newest occurrence to be confirmed, as configured when it began?
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    /// Who confirmed the newest occurrence, and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed: Option<Acknowledgement>,
    /// Older ones that wait, or of which it is remembered who confirmed them; in the order in which they
    /// ceased to be the newest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub behind: Vec<Older>,
}

/// An older occurrence that is to be confirmed, or was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Older {
    /// Which one.
    pub occurrence: u64,
    /// Who confirmed it; absent while it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed: Option<Acknowledgement>,
}

impl Confirmation {
    /// `occurrence`, of which this is known, is the newest no more: another one begins, which is to be
    /// confirmed if that is `required`. Gives the occurrence that leaves although it waits for that.
    pub(super) fn follow_on(
        known: &mut Option<Box<Self>>,
        occurrence: u64,
        required: bool,
    ) -> Option<u64> {
        let mut own = known.take().map(|own| *own).unwrap_or_default();
        let (waits, confirmed) = (own.required, own.confirmed.take());
        let left = if waits || confirmed.is_some() {
            own.put_behind(occurrence, confirmed)
        } else {
            None
        };
        own.required = required;
        *known = (own != Self::default()).then(|| Box::new(own));
        left.filter(|_| required)
    }

    /// An older occurrence is to be confirmed, or was. Gives the one that leaves although it waits.
    pub(super) fn put_behind(
        &mut self,
        occurrence: u64,
        confirmed: Option<Acknowledgement>,
    ) -> Option<u64> {
        let mut left = None;
        if self.behind.len() >= OLDER {
            let done = self
                .behind
                .iter()
                .position(|older| older.confirmed.is_some());
            let leaves = self.behind.remove(done.unwrap_or_default());
            left = leaves.confirmed.is_none().then_some(leaves.occurrence);
        }
        self.behind.push(Older {
            occurrence,
            confirmed,
        });
        left
    }
}

impl Alarm {
    /// Who confirmed the newest occurrence.
    pub(super) fn confirmed(&self) -> Option<&Acknowledgement> {
        let confirmation = self.episode.as_ref()?.confirmation.as_ref()?;
        confirmation.confirmed.as_ref()
    }

    /// May it be reset, as far as that takes a confirmation?
    ///
    /// # Errors
    /// [`Denied::NotConfirmed`].
    pub(super) fn check_confirmed(&self) -> Result<(), Denied> {
        if self.confirm_required && self.confirmed().is_none() {
            return Err(Denied::NotConfirmed);
        }
        Ok(())
    }

    /// The occurrences that wait for a confirmation, in the order of their numbers. The newest waits for its
    /// acknowledgement first while it is active.
    pub(super) fn unconfirmed(&self) -> Vec<u64> {
        let Some(episode) = self.episode.as_ref().filter(|_| self.confirm_required) else {
            return Vec::new();
        };
        let Some(confirmation) = episode.confirmation.as_deref() else {
            return Vec::new();
        };
        let behind = confirmation.behind.iter();
        let behind = behind.filter(|older| older.confirmed.is_none());
        let waits = confirmation.required && confirmation.confirmed.is_none();
        let known = episode.acknowledged.is_some() || !self.state.is_active();
        let newest = (waits && known).then_some(episode.occurrence);
        let mut all: Vec<u64> = behind.map(|older| older.occurrence).chain(newest).collect();
        all.sort_unstable();
        all
    }
}

impl Engine {
    /// "Corrective action was taken."
    ///
    /// # Errors
    /// There is no such occurrence, or nobody has acknowledged it.
    pub(super) fn confirm_occurrence(
        &mut self,
        index: usize,
        asked: Option<u64>,
        command: &Command,
        now: Moment,
    ) -> Result<Outcome, Denied> {
        let alarm = &mut self.alarms[index];
        let (newest, ack_required) = (alarm.occurrence(), alarm.traits.ack_required);
        let occurrence = asked.unwrap_or(newest);
        let Some(episode) = alarm.episode.as_mut().filter(|_| newest > 0) else {
            return Err(match asked {
                Some(asked) if asked > 0 => Denied::UnknownOccurrence { asked, newest },
                Some(_) | None => Denied::NothingToConfirm,
            });
        };
        if occurrence != newest {
            return self.confirm_older(index, occurrence, command, now);
        }
        // Nobody sees to what they have not seen; what ended by itself may ask for no acknowledgement.
        let to_be_seen = ack_required || alarm.state.is_active();
        if episode.acknowledged.is_none() && to_be_seen {
            return Err(Denied::NotAcknowledged);
        }
        let confirmation = episode.confirmation.get_or_insert_default();
        if let Some(first) = confirmation.confirmed.clone() {
            let subject = self.subject(index, now);
            return Ok(self.came_second(subject, "already_confirmed", first, command, now));
        }
        confirmation.confirmed = Some(Acknowledgement {
            by: command.by.as_str().into(),
            at: now.wall,
        });
        self.report(
            index,
            EventKind::Confirmed,
            Cause::Operator,
            said(command),
            now,
        );
        Ok(self.accepted(index, now))
    }

    /// An older occurrence that waits for it; the newest is left alone.
    fn confirm_older(
        &mut self,
        index: usize,
        asked: u64,
        command: &Command,
        now: Moment,
    ) -> Result<Outcome, Denied> {
        let alarm = &mut self.alarms[index];
        let unknown = Denied::UnknownOccurrence {
            asked,
            newest: alarm.occurrence(),
        };
        let Some(episode) = alarm.episode.as_mut() else {
            return Err(unknown);
        };
        let mut open = episode.unacknowledged.iter();
        if open.any(|open| open.occurrence == asked) {
            return Err(Denied::NotAcknowledged);
        }
        let confirmation = episode.confirmation.as_mut();
        let older = confirmation.map(|own| own.behind.iter_mut());
        let mut older = older.into_iter().flatten();
        let Some(older) = older.find(|older| older.occurrence == asked) else {
            return Err(unknown);
        };
        if let Some(first) = older.confirmed.clone() {
            let subject = self.older_subject(index, asked, now);
            return Ok(self.came_second(subject, "already_confirmed", first, command, now));
        }
        older.confirmed = Some(Acknowledgement {
            by: command.by.as_str().into(),
            at: now.wall,
        });
        Ok(self.accepted_older(index, asked, EventKind::Confirmed, command, now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::time::Wall;

    fn by(name: &str) -> Option<Acknowledgement> {
        let at = Wall::default();
        let by = name.into();
        Some(Acknowledgement { by, at })
    }

    /// One that was seen to makes room; where all wait, the oldest leaves, and it is said which.
    #[test]
    fn nothing_that_waits_leaves_without_a_word() {
        let mut known = None;
        assert_eq!(Confirmation::follow_on(&mut known, 0, true), None);
        let most = u64::try_from(OLDER).expect("a few");
        for occurrence in 1..=most {
            let left = Confirmation::follow_on(&mut known, occurrence, true);
            assert_eq!(left, None, "there is room");
        }
        let own = known.as_mut().expect("some wait");
        own.behind[2].confirmed = by("li-wei");
        own.confirmed = by("anna");
        let behind = |known: &Option<Box<Confirmation>>| -> Vec<u64> {
            let own = known.as_ref().expect("some wait");
            own.behind.iter().map(|older| older.occurrence).collect()
        };
        let left = Confirmation::follow_on(&mut known, most + 1, true);
        assert_eq!(left, None, "one that was seen to made room");
        assert_eq!(behind(&known), [1, 2, 4, 5, 6, 7, 8, 9]);
        let left = Confirmation::follow_on(&mut known, most + 2, true);
        assert_eq!(left, None, "the other one, too");
        assert_eq!(behind(&known), [1, 2, 4, 5, 6, 7, 8, 10]);
        let left = Confirmation::follow_on(&mut known, most + 3, true);
        assert_eq!(left, Some(1), "all of them wait");
        assert_eq!(behind(&known), [2, 4, 5, 6, 7, 8, 10, 11]);
    }

    /// Nobody is told of what nobody asked for.
    #[test]
    fn what_is_not_to_be_confirmed_waits_for_nothing() {
        let mut known = None;
        for occurrence in 1..20 {
            let left = Confirmation::follow_on(&mut known, occurrence, false);
            assert_eq!((left, &known), (None, &None));
        }
    }
}
