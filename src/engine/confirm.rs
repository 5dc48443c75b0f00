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
//! - an occurrence that began under it waits for it also after its end: the newest one, and of the older
//!   ones the newest that waits. When a further one comes behind, the oldest leaves; its events stay in the
//!   journal.

use serde::{Deserialize, Serialize};

use super::Engine;
use super::command::{Command, Denied, Outcome};
use super::effect::{Cause, Effect, Event, EventKind};
use super::occurrence::Alarm;
use super::operate::said;
use super::snapshot::Acknowledgement;
use super::time::Moment;

/// How far an alarm's occurrences are seen to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    /// Is the newest occurrence to be confirmed, as configured when it began?
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    /// Who confirmed the newest occurrence, and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed: Option<Acknowledgement>,
    /// Of the older ones the newest that waits; else the one that was confirmed last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub older: Option<Older>,
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
    /// What stands behind `occurrence`, of which this is known, when the next one begins. `None`: nothing.
    pub(super) fn follow_on(
        before: Option<Box<Self>>,
        occurrence: u64,
        required: bool,
    ) -> Option<Box<Self>> {
        let before = before.map(|before| *before).unwrap_or_default();
        let waits = before.required && before.confirmed.is_none();
        let older = match (before.confirmed, before.older) {
            (None, _) if waits => Some(Older {
                occurrence,
                confirmed: None,
            }),
            (Some(_), Some(older)) if older.confirmed.is_none() => Some(older),
            (Some(confirmed), _) => Some(Older {
                occurrence,
                confirmed: Some(confirmed),
            }),
            (None, older) => older,
        };
        let after = Self {
            required,
            confirmed: None,
            older,
        };
        (after != Self::default()).then(|| Box::new(after))
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

    /// The occurrences that wait for a confirmation, the older one first. One that nobody has recognised
    /// waits for that while it is active.
    pub(super) fn unconfirmed(&self) -> Vec<u64> {
        let Some(episode) = self.episode.as_ref().filter(|_| self.confirm_required) else {
            return Vec::new();
        };
        let confirmation = episode.confirmation.as_deref();
        let older = confirmation.and_then(|own| own.older.as_ref());
        let older = older.filter(|older| older.confirmed.is_none());
        let waits = confirmation.is_some_and(|own| own.required && own.confirmed.is_none());
        let known = episode.acknowledged.is_some() || !self.state.is_active();
        let newest = (waits && known).then_some(episode.occurrence);
        older
            .map(|older| older.occurrence)
            .into_iter()
            .chain(newest)
            .collect()
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
        if episode.acknowledged.is_none() && ack_required {
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
        let older = confirmation.and_then(|own| own.older.as_mut());
        let Some(older) = older.filter(|older| older.occurrence == asked) else {
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
        let subject = self.older_subject(index, asked, now);
        self.effects.push_back(Effect::Event(Box::new(Event {
            at: now,
            kind: EventKind::Confirmed,
            subject: Some(subject),
            cause: Cause::Operator,
            details: said(command),
            record: Some(self.alarms[index].record(now.mono)),
            others: Vec::new(),
        })));
        Ok(Outcome::Accepted {
            occurrence: asked,
            at: now.wall,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::time::Wall;

    /// Of two that wait the newer stays; one that was seen to pushes out none that waits.
    #[test]
    fn the_newest_that_waits_is_kept() {
        let by = |name: &str| {
            let at = Wall::default();
            let by = name.into();
            Some(Acknowledgement { by, at })
        };
        let older = |occurrence, confirmed| {
            Some(Older {
                occurrence,
                confirmed,
            })
        };
        let waits = |confirmed, older| {
            Some(Box::new(Confirmation {
                required: true,
                confirmed,
                older,
            }))
        };
        for (before, expected) in [
            (None, None),
            (waits(None, None), older(7, None)),
            (waits(None, older(3, None)), older(7, None)),
            (waits(by("a"), older(3, None)), older(3, None)),
            (waits(by("a"), older(3, by("b"))), older(7, by("a"))),
            (waits(by("a"), None), older(7, by("a"))),
        ] {
            let after = Confirmation::follow_on(before, 7, false);
            assert_eq!(after.and_then(|after| after.older), expected);
        }
        let asked = Confirmation::follow_on(None, 7, true);
        assert!(asked.is_some_and(|asked| asked.required && asked.older.is_none()));
    }
}
