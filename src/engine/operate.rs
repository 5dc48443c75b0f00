//! Commands of people: accepted, a no-op that is recorded, or denied with a reason that is recorded.

use std::time::Duration;

use super::Engine;
use super::alarm::{AlarmState, Input, Step, transition};
use super::command::{Action, Call, Command, Denied, Outcome};
use super::delay::Phase;
use super::drill::{drilled, name};
use super::effect::{Cause, Details, Effect, Event, EventKind, Subject};
use super::person::is_blank;
use super::reading::Quality;
use super::rule::Watch;
use super::settings::Average;
use super::snapshot::Acknowledgement;
use super::time::Moment;
use super::withdraw::bounded;

/// Why an acknowledgement is ignored.
pub(super) const ALREADY: &str = "already_acknowledged";

/// Nobody is on it for longer than this without looking again: a day.
const LONGEST_PROMISE: Duration = Duration::from_secs(86_400);

impl Engine {
    /// One command. Whatever becomes of it stands in the journal with the person's name.
    ///
    /// # Errors
    /// [`Denied`]: nothing changed, and why.
    pub fn command(&mut self, command: &Command, now: Moment) -> Result<Outcome, Denied> {
        let now = self.arrive(now, true);
        if let Action::ResetFirstOut { reason } = &command.action {
            let outcome = self.reset_first_out(reason.as_deref(), command, now);
            if let Err(denied) = &outcome {
                self.report_denied(None, command, denied, now);
            }
            return outcome;
        }
        let drilled = drilled(&command.alarm);
        let known = self.find(drilled.unwrap_or(&command.alarm));
        let outcome = match (known, is_blank(&command.by)) {
            (None, _) => Err(Denied::UnknownAlarm(command.alarm.as_str().into())),
            (Some(_), true) => Err(Denied::NoName),
            (Some(alarm), false) if drilled.is_some() => self.command_drill(alarm, command, now),
            (Some(alarm), false) => match &command.action {
                Action::Acknowledge { occurrence, span } => {
                    self.acknowledge(alarm, *occurrence, *span, command, now)
                }
                Action::AcknowledgeCall(call) => self.acknowledge_call(alarm, call, command, now),
                Action::Confirm { occurrence } => {
                    self.confirm_occurrence(alarm, *occurrence, command, now)
                }
                Action::Reset {
                    occurrence,
                    verified_independently,
                } => self.reset(alarm, (*occurrence, *verified_independently), command, now),
                Action::Shelve(shelving) => self.shelve(alarm, shelving, command, now),
                Action::Unshelve => self.unshelve(alarm, command, now),
                Action::TakeOut(permit) => self.take_out(alarm, permit, command, now),
                Action::PutBack => self.put_back(alarm, command, now),
                Action::Drill(_) | Action::EndDrill => self.command_drill(alarm, command, now),
                // Of no alarm; taken above.
                Action::ResetFirstOut { .. } => Err(Denied::UnknownGroup((*command.alarm).into())),
            },
        };
        if let Err(denied) = &outcome {
            self.report_denied(known, command, denied, now);
        }
        self.settle(now);
        outcome
    }

    fn acknowledge(
        &mut self,
        index: usize,
        asked: Option<u64>,
        span: Option<Duration>,
        command: &Command,
        now: Moment,
    ) -> Result<Outcome, Denied> {
        let span = span.map(|span| bounded(Some(span), LONGEST_PROMISE));
        let span = span.transpose()?;
        let alarm = &self.alarms[index];
        let newest = alarm.occurrence();
        let occurrence = asked.unwrap_or(newest);
        if occurrence != newest {
            return self.acknowledge_older(index, occurrence, command, now);
        }
        let first = alarm
            .episode
            .as_ref()
            .and_then(|episode| episode.acknowledged.clone());
        if let (Some(first), AlarmState::Normal, Some(_)) = (&first, alarm.state, asked) {
            // Named an episode that is over, and that someone recognised while it ran.
            let subject = self.subject(index, now);
            return Ok(self.came_second(subject, ALREADY, first.clone(), command, now));
        }
        let (standing, step) = transition(alarm.standing(), Input::Acknowledge, alarm.traits)?;
        if let (Step::AlreadyAcknowledged, Some(first)) = (step, first) {
            let subject = self.subject(index, now);
            return Ok(self.came_second(subject, ALREADY, first, command, now));
        }
        let alarm = &mut self.alarms[index];
        alarm.state = standing.state;
        alarm.acknowledge(&command.by, now);
        let details = Details {
            until: alarm.promise(span, now).map(|term| term.until),
            ..said(command)
        };
        self.arm_attention(index);
        self.report(
            index,
            EventKind::Acknowledged,
            Cause::Operator,
            details,
            now,
        );
        Ok(self.accepted(index, now))
    }

    /// As [`Self::acknowledge`], of one call for attention. Whoever had recognised an occurrence that called
    /// again since recognised it in another situation.
    fn acknowledge_call(
        &mut self,
        index: usize,
        call: &Call,
        command: &Command,
        now: Moment,
    ) -> Result<Outcome, Denied> {
        if !self.alarms[index].is_last_call(call) {
            return Err(Denied::CalledAgain);
        }
        self.acknowledge(index, Some(call.occurrence), None, command, now)
    }

    /// An older occurrence that nobody had recognised: closes it and leaves the newest alone.
    fn acknowledge_older(
        &mut self,
        index: usize,
        asked: u64,
        command: &Command,
        now: Moment,
    ) -> Result<Outcome, Denied> {
        let alarm = &mut self.alarms[index];
        let newest = alarm.occurrence();
        if let Some(first) = alarm.recognised(asked) {
            let first = first.clone();
            let subject = self.older_subject(index, asked, now);
            return Ok(self.came_second(subject, ALREADY, first, command, now));
        }
        if !alarm.recognise(asked, &command.by, now) {
            return Err(Denied::UnknownOccurrence { asked, newest });
        }
        Ok(self.accepted_older(index, asked, EventKind::Acknowledged, command, now))
    }

    /// What somebody did about an older occurrence, on record.
    pub(super) fn accepted_older(
        &mut self,
        index: usize,
        occurrence: u64,
        kind: EventKind,
        command: &Command,
        now: Moment,
    ) -> Outcome {
        let subject = self.older_subject(index, occurrence, now);
        self.effects.push_back(Effect::Event(Box::new(Event {
            at: now,
            kind,
            subject: Some(subject),
            cause: Cause::Operator,
            details: said(command),
            record: Some(self.alarms[index].record(now.mono)),
            others: Vec::new(),
        })));
        Outcome::Accepted {
            occurrence,
            at: now.wall,
        }
    }

    /// An older occurrence that somebody has recognised.
    pub(super) fn older_subject(&self, index: usize, occurrence: u64, now: Moment) -> Subject {
        Subject {
            occurrence,
            first_out: false,
            state: AlarmState::Normal,
            ..self.subject(index, now)
        }
    }

    /// Somebody did it before; on record with `reason`, and with who that was.
    pub(super) fn came_second(
        &mut self,
        subject: Subject,
        reason: &str,
        first: Acknowledgement,
        command: &Command,
        now: Moment,
    ) -> Outcome {
        let details = Details {
            reason: Some(reason.to_owned()),
            message: Some(format!("{} was first", first.by)),
            ..said(command)
        };
        let occurrence = subject.occurrence;
        self.effects.push_back(Effect::Event(Box::new(Event {
            at: now,
            kind: EventKind::CommandIgnored,
            subject: Some(subject),
            cause: Cause::Operator,
            details,
            record: None,
            others: Vec::new(),
        })));
        Outcome::AlreadyDone { occurrence, first }
    }

    fn reset(
        &mut self,
        index: usize,
        (asked, verified): (Option<u64>, bool),
        command: &Command,
        now: Moment,
    ) -> Result<Outcome, Denied> {
        let newest = self.alarms[index].occurrence();
        if let Some(asked) = asked.filter(|asked| *asked != newest) {
            return Err(Denied::UnknownOccurrence { asked, newest });
        }
        let watch = &self.alarms[index].watch;
        if matches!(watch, Watch::OverRange(over_range) if over_range.rule.latching) {
            return self.reset_over_range(index, verified, command, now);
        }
        if matches!(watch, Watch::Exposure(exposure) if exposure.rule().average == Average::Dose) {
            return self.reset_dose(index, command, now);
        }
        let (quality, _) = self.quality_of(self.point_of(index));
        let evidence = quality == Quality::Good;
        let alarm = &mut self.alarms[index];
        let input = Input::Reset { evidence };
        let (standing, _) = transition(alarm.standing(), input, alarm.traits)?;
        alarm.check_confirmed()?;
        if matches!(alarm.phase, Phase::Pending { .. }) {
            // Beyond the limit again, only not for long enough yet.
            return Err(Denied::StillActive);
        }
        alarm.state = standing.state;
        self.report(index, EventKind::Reset, Cause::Operator, said(command), now);
        Ok(self.accepted(index, now))
    }

    /// Done, to the newest occurrence.
    pub(super) fn accepted(&self, index: usize, now: Moment) -> Outcome {
        Outcome::Accepted {
            occurrence: self.alarms[index].occurrence(),
            at: now.wall,
        }
    }

    fn report_denied(
        &mut self,
        known: Option<usize>,
        command: &Command,
        denied: &Denied,
        now: Moment,
    ) {
        let of = drilled(&command.alarm);
        let about_drill =
            of.is_some() || matches!(command.action, Action::Drill(_) | Action::EndDrill);
        let refusals = if about_drill {
            &mut self.drills.refusals
        } else {
            &mut self.refusals
        };
        let Some(untold) = refusals.record(now.mono) else {
            return;
        };
        let message = match untold {
            0 => denied.to_string(),
            _ => format!("{denied}; {untold} refused before it are not on record one by one"),
        };
        let details = Details {
            reason: Some(denied.name().to_owned()),
            message: Some(message),
            ..wanted(command)
        };
        let of_group = matches!(command.action, Action::ResetFirstOut { .. });
        let subject = match (known, about_drill) {
            (_, _) if of_group => None,
            (Some(index), false) => Some(self.subject(index, now)),
            (Some(index), true) => Some(self.drill_subject(index, now)),
            (None, false) => Some(Subject::unconfigured(&command.alarm)),
            (None, true) => Some(Subject::unconfigured(&name(of.unwrap_or(&command.alarm)))),
        };
        self.effects.push_back(Effect::Event(Box::new(Event {
            at: now,
            kind: EventKind::CommandRejected,
            subject,
            cause: Cause::Operator,
            details,
            record: None,
            others: Vec::new(),
        })));
    }
}

/// Who gives a command, how it came, and what they wrote.
pub(super) fn said(command: &Command) -> Details {
    Details {
        by: Some(command.by.clone()),
        via: command.via(),
        comment: command.comment.clone(),
        ..Details::default()
    }
}

/// The same with what else a refused command said, so that the record shows what was asked.
fn wanted(command: &Command) -> Details {
    let said = said(command);
    let given = |text: &str| (!text.trim().is_empty()).then(|| text.to_owned());
    match &command.action {
        Action::Shelve(shelving) => Details {
            comment: said.comment.or_else(|| given(&shelving.reason)),
            one_shot: shelving.one_shot,
            approved_by: shelving.approved_by.clone(),
            ..said
        },
        Action::TakeOut(permit) => Details {
            approved_by: given(&permit.approved_by),
            also_approved_by: permit.also_approved_by.as_deref().and_then(given),
            permit: given(&permit.number),
            compensating_measure: permit.compensating_measure.as_deref().and_then(given),
            ..said
        },
        Action::Drill(drilling) => Details {
            comment: said.comment.or_else(|| given(&drilling.reason)),
            ..said
        },
        Action::ResetFirstOut { reason } => Details {
            group: Some(command.alarm.as_str().into()),
            comment: said.comment.or_else(|| reason.as_deref().and_then(given)),
            ..said
        },
        Action::Acknowledge { .. }
        | Action::AcknowledgeCall(_)
        | Action::Confirm { .. }
        | Action::Reset { .. }
        | Action::Unshelve
        | Action::PutBack
        | Action::EndDrill => said,
    }
}
