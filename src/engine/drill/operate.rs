//! What people ask of drills: begin one, recognise it, end it. Guards stand before the transition: a refused
//! command changes nothing.

use std::time::Duration;

use super::super::agenda::Timer;
use super::super::alarm::{AlarmState, Input, Step};
use super::super::annunciation;
use super::super::command::{Action, Command, Denied, Drilling, Outcome};
use super::super::effect::{Cause, Details, EventKind};
use super::super::operate::{ALREADY, said};
use super::super::overlay::Term;
use super::super::snapshot::{Acknowledgement, AlarmRecord};
use super::super::time::Moment;
use super::super::withdraw::bounded;
use super::super::{Engine, timer_index};
use super::{Drill, Exercise, name};

/// Of whoever does not say how long: the last step of a usual ladder comes within it.
const USUAL: Duration = Duration::from_secs(15 * 60);

/// No drill lasts longer.
const LONGEST: Duration = Duration::from_secs(2 * 3600);

/// Drills that run at one time.
const AT_ONCE: usize = 8;

impl Engine {
    /// A command about a drill.
    pub(in super::super) fn command_drill(
        &mut self,
        index: usize,
        command: &Command,
        now: Moment,
    ) -> Result<Outcome, Denied> {
        match &command.action {
            Action::Drill(asked) => self.begin_drill(index, asked, command, now),
            Action::EndDrill => self.end_drill(index, command, now),
            Action::Acknowledge {
                occurrence,
                span: None,
            } => self.acknowledge_drill(index, *occurrence, command, now),
            Action::AcknowledgeCall(call) => {
                let drill = self.drill_record(index).ok_or(Denied::NoDrill)?;
                let same = drill.occurrence == call.occurrence;
                if same && drill.annunciation != Some(call.annunciation) {
                    return Err(Denied::CalledAgain);
                }
                self.acknowledge_drill(index, Some(call.occurrence), command, now)
            }
            Action::Acknowledge { span: Some(_), .. }
            | Action::Confirm { .. }
            | Action::Reset { .. }
            | Action::Shelve(_)
            | Action::Unshelve
            | Action::TakeOut(_)
            | Action::PutBack
            | Action::ResetFirstOut { .. } => Err(Denied::IsDrill),
        }
    }

    fn begin_drill(
        &mut self,
        index: usize,
        asked: &Drilling,
        command: &Command,
        now: Moment,
    ) -> Result<Outcome, Denied> {
        if asked.reason.trim().is_empty() {
            return Err(Denied::NoReason);
        }
        let span = bounded(asked.span.or(Some(USUAL)), LONGEST)?;
        self.may_be_drilled(index)?;
        let alarm = &self.alarms[index];
        let before = self.drills.newest.get(&index);
        let exercise = Exercise {
            by: command.by.as_str().into(),
            reason: asked.reason.as_str().into(),
            term: Term::new(now, span),
        };
        let until = exercise.term.until;
        let record = AlarmRecord {
            state: self.step_drill(index, Input::Raise)?.0,
            priority: Some(alarm.floor),
            occurrence: before.map_or(0, |before| before.record.occurrence) + 1,
            raised_at: Some(now.wall),
            annunciation: Some(annunciation::next(None, now.wall)),
            drill: Some(Box::new(exercise)),
            ..AlarmRecord::new(name(&alarm.id).into())
        };
        let began = Some(now.mono);
        self.drills.newest.insert(index, Drill { record, began });
        self.drills.running += 1;
        let timer = Timer::Drill(timer_index(index));
        self.agenda.hasten(now.mono + span, timer);
        let details = Details {
            reason: Some(asked.reason.clone()),
            message: Some(format!("held by {}: {}", command.by, asked.reason)),
            until: Some(until),
            ..said(command)
        };
        self.report_drill(index, EventKind::Raised, Cause::Operator, details, now);
        Ok(self.drill_accepted(index, now))
    }

    /// Is nothing in its way, neither real alarms nor other drills?
    fn may_be_drilled(&self, index: usize) -> Result<(), Denied> {
        if let Some(obstacle) = self.obstacle(index) {
            return Err(obstacle);
        }
        if self.drills.runs(index) {
            return Err(Denied::DrillRuns);
        }
        if self.drills.running >= AT_ONCE {
            return Err(Denied::TooManyDrills { most: AT_ONCE });
        }
        Ok(())
    }

    fn end_drill(
        &mut self,
        index: usize,
        command: &Command,
        now: Moment,
    ) -> Result<Outcome, Denied> {
        if !self.drills.runs(index) {
            return Err(Denied::NoDrill);
        }
        let details = Details {
            reason: Some("by_hand".to_owned()),
            ..said(command)
        };
        self.finish_drill(index, Cause::Operator, details, now);
        Ok(self.drill_accepted(index, now))
    }

    fn acknowledge_drill(
        &mut self,
        index: usize,
        asked: Option<u64>,
        command: &Command,
        now: Moment,
    ) -> Result<Outcome, Denied> {
        let Some(drill) = self.drills.newest.get(&index) else {
            return Err(Denied::NoDrill);
        };
        let newest = drill.record.occurrence;
        if let Some(asked) = asked.filter(|asked| *asked != newest) {
            return Err(Denied::UnknownOccurrence { asked, newest });
        }
        let first = drill.record.acknowledged.clone();
        let over = drill.record.state == AlarmState::Normal;
        if let (Some(first), true, Some(_)) = (&first, over, asked) {
            let subject = self.drill_subject(index, now);
            return Ok(self.came_second(subject, ALREADY, first.clone(), command, now));
        }
        let (state, step) = self.step_drill(index, Input::Acknowledge)?;
        if let (Step::AlreadyAcknowledged, Some(first)) = (step, first) {
            let subject = self.drill_subject(index, now);
            return Ok(self.came_second(subject, ALREADY, first, command, now));
        }
        if let Some(drill) = self.drills.newest.get_mut(&index) {
            drill.record.state = state;
            drill.record.acknowledged = Some(Acknowledgement {
                by: command.by.as_str().into(),
                at: now.wall,
            });
        }
        self.report_drill(
            index,
            EventKind::Acknowledged,
            Cause::Operator,
            said(command),
            now,
        );
        Ok(self.drill_accepted(index, now))
    }

    fn drill_accepted(&self, index: usize, now: Moment) -> Outcome {
        let drill = self.drills.newest.get(&index);
        Outcome::Accepted {
            occurrence: drill.map_or(0, |drill| drill.record.occurrence),
            at: now.wall,
        }
    }
}
