//! What people do to alarms that they do not want to hear for a time: shelve them, take them out of
//! service, and bring them back. Guards stand before the transition: a refused command changes nothing.

use std::time::Duration;

use super::Engine;
use super::alarm::{Input, transition};
use super::command::{Command, Denied, Outcome, Permit, Shelving};
use super::effect::{Cause, Details, EventKind};
use super::links::Source;
use super::operate::said;
use super::overlay::{Outage, Overlay, Shelf, Term};
use super::person::{self, is_blank, is_same};
use super::settings::Guards;
use super::time::Moment;

impl Engine {
    pub(super) fn shelve(
        &mut self,
        index: usize,
        asked: &Shelving,
        command: &Command,
        now: Moment,
    ) -> Result<Outcome, Denied> {
        let Shelving {
            span,
            one_shot,
            reason,
            approved_by,
        } = asked;
        if reason.trim().is_empty() {
            return Err(Denied::NoReason);
        }
        let approver = approved_by.as_deref().unwrap_or_default();
        let approved = if self.alarms[index].highly_managed || !is_blank(approver) {
            Some(self.guards.check_approval(approver, &command.by)?)
        } else {
            None
        };
        let (by, approver) = match approved {
            Some(Approved { by, approver }) => (by, Some(approver)),
            None => (command.by.clone(), None),
        };
        let most = self.longest.shelf;
        let span = bounded(span.or_else(|| one_shot.then_some(most)), most)?;
        let alarm = &mut self.alarms[index];
        transition(alarm.standing(), Input::Lay(Overlay::Shelved), alarm.traits)?;
        let term = Term::new(now, span);
        alarm.cover.get_or_insert_default().shelf = Some(Shelf {
            by: by.as_str().into(),
            reason: reason.as_str().into(),
            approved_by: approver.as_deref().map(Into::into),
            term,
            one_shot: *one_shot,
        });
        self.links.touch(Source::Alarm(index));
        let details = Details {
            reason: Some(reason.clone()),
            until: Some(term.until),
            one_shot: *one_shot,
            by: Some(by),
            approved_by: approver,
            ..said(command)
        };
        self.covered(index, EventKind::Shelved, Cause::Operator, details, now);
        Ok(self.accepted(index, now))
    }

    pub(super) fn unshelve(
        &mut self,
        index: usize,
        command: &Command,
        now: Moment,
    ) -> Result<Outcome, Denied> {
        self.take_off(index, Overlay::Shelved, command, now)
    }

    /// Takes an alarm out for maintenance, or prolongs that: with a permit and approval as at first.
    pub(super) fn take_out(
        &mut self,
        index: usize,
        asked: &Permit,
        command: &Command,
        now: Moment,
    ) -> Result<Outcome, Denied> {
        if asked.number.trim().is_empty() {
            return Err(Denied::NoPermit);
        }
        let Approved { by, approver } = self
            .guards
            .check_approval(&asked.approved_by, &command.by)?;
        let second = self.second_approval(index, asked, command)?;
        let measure = asked.compensating_measure.as_deref();
        let measure = measure.filter(|measure| !measure.trim().is_empty());
        if measure.is_none() && self.guards.measure_required {
            return Err(Denied::NoCompensatingMeasure);
        }
        let span = bounded(asked.span, self.longest.outage)?;
        let alarm = &mut self.alarms[index];
        let input = Input::Lay(Overlay::OutOfService);
        transition(alarm.standing(), input, alarm.traits)?;
        let term = Term::new(now, span);
        let mut outage = Outage {
            by: by.as_str().into(),
            approved_by: approver.as_str().into(),
            also_approved_by: second.as_deref().map(Into::into),
            permit: asked.number.as_str().into(),
            compensating_measure: measure.map(Into::into),
            term,
            next: term.due,
        };
        outage.look_ahead(now.mono);
        alarm.cover.get_or_insert_default().outage = Some(outage);
        self.links.touch(Source::Alarm(index));
        let details = Details {
            reason: Some(
                asked
                    .reason
                    .clone()
                    .unwrap_or_else(|| "maintenance".to_owned()),
            ),
            until: Some(term.until),
            by: Some(by),
            approved_by: Some(approver),
            also_approved_by: second,
            permit: Some(asked.number.clone()),
            compensating_measure: measure.map(str::to_owned),
            ..said(command)
        };
        self.covered(
            index,
            EventKind::OutOfService,
            Cause::Operator,
            details,
            now,
        );
        Ok(self.accepted(index, now))
    }

    /// Who else approved it. While one channel of a group is out, taking out another one, or what the group
    /// itself says, is a decision of its own, and not of one person (alarm-standards 2.8).
    fn second_approval(
        &self,
        index: usize,
        asked: &Permit,
        command: &Command,
    ) -> Result<Option<String>, Denied> {
        let second = asked.also_approved_by.as_deref();
        let second = second.filter(|second| !is_blank(second));
        let is_another = |second| {
            let approved = self.guards.check_approval(second, &command.by)?;
            check_another(second, &asked.approved_by)?;
            Ok(approved.approver)
        };
        match (self.channel_out(index), second) {
            (None, None) => Ok(None),
            (Some(denied), None) => Err(denied),
            (None, Some(second)) => is_another(second).map(Some),
            (Some(denied), Some(second)) => match is_another(second) {
                Ok(second) => Ok(Some(second)),
                Err(Denied::NotApprover(name)) => Err(Denied::NotApprover(name)),
                Err(_nobody_else) => Err(denied),
            },
        }
    }

    pub(super) fn put_back(
        &mut self,
        index: usize,
        command: &Command,
        now: Moment,
    ) -> Result<Outcome, Denied> {
        self.take_off(index, Overlay::OutOfService, command, now)
    }

    fn take_off(
        &mut self,
        index: usize,
        overlay: Overlay,
        command: &Command,
        now: Moment,
    ) -> Result<Outcome, Denied> {
        let details = Details {
            reason: Some("by_hand".to_owned()),
            ..said(command)
        };
        let input = Input::TakeOff(overlay);
        self.lift(index, (overlay, input), Cause::Operator, details, now)?;
        Ok(self.accepted(index, now))
    }
}

/// A span that has an end, and not too late.
pub(super) fn bounded(asked: Option<Duration>, most: Duration) -> Result<Duration, Denied> {
    match asked {
        None | Some(Duration::ZERO) => Err(Denied::NoEnd),
        Some(asked) if asked > most => Err(Denied::TooLong { asked, most }),
        Some(asked) => Ok(asked),
    }
}

/// Who asks and who approved it, as the record names them: by their ids where the configuration says who
/// approves.
struct Approved {
    by: String,
    approver: String,
}

impl Guards {
    /// Somebody else approved it, and may. A name that is checked is one that means one person; so is then
    /// the name of whoever asks, or nobody could tell that the two are not the same.
    fn check_approval(&self, approver: &str, by: &str) -> Result<Approved, Denied> {
        check_another(approver, by)?;
        let (by, approver) = if self.approvers.is_empty() {
            (by, approver)
        } else {
            let asks = person::find(&self.persons, by);
            let approves = person::find(&self.approvers, approver);
            (
                &**asks.ok_or_else(|| Denied::UnknownPerson(by.into()))?,
                &**approves.ok_or_else(|| Denied::NotApprover(approver.into()))?,
            )
        };
        Ok(Approved {
            by: by.to_owned(),
            approver: approver.to_owned(),
        })
    }
}

/// It is somebody, and somebody else.
fn check_another(approver: &str, by: &str) -> Result<(), Denied> {
    if is_blank(approver) {
        Err(Denied::NoApprover)
    } else if is_same(approver, by) {
        Err(Denied::OwnApproval)
    } else {
        Ok(())
    }
}
