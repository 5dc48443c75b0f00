//! First-out: of the alarms of a group that come in a row, the one that came first is marked, for it
//! leads to the cause (alarm-standards 2.15).
//!
//! ```text
//!            a member is raised: its occurrence is marked
//!   ┌──────┐ ────────────────────────────────────────────▶ ┌───────┐
//!   │ Free │                                               │ Taken │ ── others are raised: no mark
//!   └──────┘ ◀──────────────────────────────────────────── └───────┘
//!            every member is normal, or something lies over it,
//!            or is known: a person reset the group since it was raised
//! ```
//!
//! - The mark belongs to an occurrence and stays with it, over its end and over a restart.
//! - The order is that of the journal. Alarms raised at the same instant are in the order of the
//!   configuration when delays ended then, in that of the readings otherwise; the later one is told as a
//!   tie, for nobody knows which was first.
//! - What is silenced tells nobody anything: an alarm beneath an overlay takes no mark, and does not keep
//!   others from it. Neither does an occurrence found in delayed data take one.
//! - A reset says that what stands now is known. It changes no state and no mark. The occurrences that it
//!   finds are *released*: they keep the group no longer taken, however long they stand, so that behind a
//!   standing alarm the next row has a first one, too. A member that is raised anew is a new occurrence, and
//!   one that wants attention again is not known any more. Who comes second learns who was first.
//! - After a restart a group is taken while a member that nothing lies over is not normal and not released;
//!   that it is, is stored with it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::alarm::AlarmState;
use super::command::{Command, Denied, Outcome};
use super::effect::{Cause, Details, Effect, Event, EventKind};
use super::occurrence::Alarm;
use super::operate::said;
use super::person::is_blank;
use super::settings::FirstOutSettings;
use super::snapshot::Acknowledgement;
use super::time::{Moment, Mono};
use super::{Engine, Point};

/// Every group.
#[derive(Debug, Default)]
pub(super) struct FirstOuts {
    groups: Vec<FirstOut>,
    by_alarm: BTreeMap<usize, usize>,
}

#[derive(Debug)]
struct FirstOut {
    id: Arc<str>,
    members: Box<[usize]>,
    /// Is there a mark, or was there one, since every member was normal?
    taken: bool,
    /// When it was taken in this life.
    at: Option<Mono>,
}

/// What a raise is to its group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// The first of the group of this id.
    First(Arc<str>),
    /// At the same instant as the first.
    Tie(Arc<str>),
    /// Of no group, or not the first.
    None,
}

impl FirstOut {
    /// Members that nothing lies over, which so say something to people, and that nobody has released.
    fn speaking(&self, alarms: &[Alarm]) -> impl Iterator<Item = (usize, AlarmState)> {
        let members = self.members.iter();
        let members = members.map(|member| (*member, &alarms[*member]));
        let speaking =
            members.filter(|(_, alarm)| alarm.overlays().is_empty() && alarm.released().is_none());
        speaking.map(|(member, alarm)| (member, alarm.state))
    }

    /// Everything that keeps it from its mark is known from now on: those alarms. When there is none nothing
    /// changes.
    fn release(&mut self, alarms: &mut [Alarm], by: &Acknowledgement) -> Vec<usize> {
        let speaking = self.speaking(alarms);
        let busy = speaking.filter(|(_, state)| *state != AlarmState::Normal);
        let busy: Vec<usize> = busy.map(|(member, _)| member).collect();
        for member in &busy {
            if let Some(episode) = &mut alarms[*member].episode {
                episode.released = Some(by.clone());
            }
        }
        self.taken &= busy.is_empty();
        busy
    }

    /// Who reset it last, as far as something stands of what was known then.
    fn reset_by(&self, alarms: &[Alarm]) -> Option<Acknowledgement> {
        let members = self.members.iter().map(|member| &alarms[*member]);
        let standing = members
            .filter(|alarm| alarm.overlays().is_empty() && alarm.state != AlarmState::Normal);
        let released = standing.filter_map(Alarm::released);
        released.max_by_key(|first| first.at).cloned()
    }

    /// Is one of them not normal?
    fn is_busy(&self, alarms: &[Alarm]) -> bool {
        let mut speaking = self.speaking(alarms);
        speaking.any(|(_, state)| state != AlarmState::Normal)
    }
}

impl FirstOuts {
    /// Of the settings. `points` and `alarms` are all there are.
    pub(super) fn new(settings: &[FirstOutSettings], points: &[Point], alarms: &[Alarm]) -> Self {
        let mut all = Self::default();
        for group in settings {
            let members = group.members.iter().filter_map(|(point, kind)| {
                let mut own = points.get(point.0 as usize)?.alarms.clone();
                own.find(|alarm| alarms[*alarm].kind == *kind)
            });
            let members: Box<[usize]> = members.collect();
            debug_assert_eq!(members.len(), group.members.len(), "every member exists");
            for member in &members {
                all.by_alarm.insert(*member, all.groups.len());
            }
            all.groups.push(FirstOut {
                id: Arc::clone(&group.id),
                members,
                taken: false,
                at: None,
            });
        }
        all
    }

    /// Takes up the life before.
    pub(super) fn resume(&mut self, alarms: &[Alarm]) {
        for group in &mut self.groups {
            group.taken = group.is_busy(alarms);
        }
    }

    /// `alarm` was raised at `now`, and tells people.
    pub(super) fn raised(&mut self, alarm: usize, alarms: &[Alarm], now: Mono) -> Place {
        let group = self.by_alarm.get(&alarm).copied();
        let Some(group) = group.and_then(|group| self.groups.get_mut(group)) else {
            return Place::None;
        };
        if group.taken {
            let tie = group.at == Some(now);
            return if tie {
                Place::Tie(Arc::clone(&group.id))
            } else {
                Place::None
            };
        }
        // Another one may have surfaced from beneath an overlay, which takes no mark.
        let other =
            (group.speaking(alarms)).any(|(member, state)| member != alarm && state.is_active());
        group.taken = true;
        group.at = (!other).then_some(now);
        if other {
            Place::None
        } else {
            Place::First(Arc::clone(&group.id))
        }
    }

    /// Something happened to `alarm`: its group may be free again.
    pub(super) fn changed(&mut self, alarm: usize, alarms: &[Alarm]) {
        let group = self.by_alarm.get(&alarm).copied();
        if let Some(group) = group.and_then(|group| self.groups.get_mut(group)) {
            group.taken &= group.is_busy(alarms);
        }
    }
}

impl Engine {
    /// Frees a group: what stands of it is known.
    pub(super) fn reset_first_out(
        &mut self,
        reason: Option<&str>,
        command: &Command,
        now: Moment,
    ) -> Result<Outcome, Denied> {
        let mut groups = self.first_outs.groups.iter_mut();
        let Some(group) = groups.find(|group| *group.id == *command.alarm) else {
            return Err(Denied::UnknownGroup(command.alarm.as_str().into()));
        };
        let id = Arc::clone(&group.id);
        if is_blank(&command.by) {
            return Err(Denied::NoName);
        }
        let by = Acknowledgement {
            by: command.by.as_str().into(),
            at: now.wall,
        };
        let released = group.release(&mut self.alarms, &by);
        if released.is_empty() {
            let first = group.reset_by(&self.alarms);
            let first = first.ok_or_else(|| Denied::NothingToReset(Arc::clone(&id)))?;
            return Ok(self.reset_second(id, first, command, now));
        }
        let of = |member: &usize| &self.alarms[*member];
        let marked = |alarm: &&Alarm| alarm.episode.as_ref().is_some_and(|own| own.first_out);
        let first = released.iter().map(of).find(marked);
        let details = Details {
            group: Some(id),
            reason: reason.map(str::to_owned),
            message: first.map(|first| format!("{} came first", first.id)),
            alarms: released
                .iter()
                .map(|member| Arc::clone(&of(member).id))
                .collect(),
            ..said(command)
        };
        let records = released.iter().map(|member| of(member).record(now.mono));
        self.effects.push_back(Effect::Event(Box::new(Event {
            at: now,
            kind: EventKind::FirstOutReset,
            subject: None,
            cause: Cause::Operator,
            details,
            record: None,
            others: records.collect(),
        })));
        Ok(Outcome::Accepted {
            occurrence: 0,
            at: now.wall,
        })
    }

    /// Somebody freed the group before, and nothing new stands in it since.
    fn reset_second(
        &mut self,
        group: Arc<str>,
        first: Acknowledgement,
        command: &Command,
        now: Moment,
    ) -> Outcome {
        let details = Details {
            group: Some(group),
            reason: Some("already_reset".to_owned()),
            message: Some(format!("{} was first", first.by)),
            ..said(command)
        };
        self.effects.push_back(Effect::Event(Box::new(Event {
            at: now,
            kind: EventKind::CommandIgnored,
            subject: None,
            cause: Cause::Operator,
            details,
            record: None,
            others: Vec::new(),
        })));
        Outcome::AlreadyDone {
            occurrence: 0,
            first,
        }
    }

    /// Marks an occurrence that was just raised if it is the first of its group. Says so in words.
    pub(super) fn mark_first_out(
        &mut self,
        alarm: usize,
        details: &mut Details,
        now: Moment,
    ) -> Option<String> {
        match self.first_outs.raised(alarm, &self.alarms, now.mono) {
            Place::First(group) => {
                if let Some(episode) = &mut self.alarms[alarm].episode {
                    episode.first_out = true;
                }
                Some(format!("first of {group}"))
            }
            Place::Tie(group) => {
                details.tie = true;
                Some(format!("at the same instant as the first of {group}"))
            }
            Place::None => None,
        }
    }
}
