//! Laying overlays over alarms, and what happens when they end.
//!
//! Whatever silences an alarm for a time has one timer for its next end. A restart takes the ends up
//! again, or lets the overlay go when it ran out meanwhile or the clock cannot tell (alarm-standards
//! 1.7). Guards stand before the transition, so that a refused command changes nothing.

use std::time::Duration;

use super::agenda::Timer;
use super::alarm::{Input, Step, transition};
use super::command::{Command, Denied, Outcome};
use super::effect::{Cause, Details, EventKind};
use super::occurrence::Alarm;
use super::operate::said;
use super::overlay::{Overlay, Resumed, Shelf, Term};
use super::quality::PLAUSIBLE_FROM;
use super::snapshot::History;
use super::time::{Moment, Mono};
use super::{Engine, timer_index};

/// Why an overlay ended, as it stands in events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// Its time is over.
    Expired,
    /// A one-shot shelf: the alarm is no longer active.
    Inactive,
    /// A restart could not tell how much time was left.
    ClockNotTrusted,
}

impl Ending {
    const fn name(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Inactive => "inactive",
            Self::ClockNotTrusted => "clock_not_trusted",
        }
    }
}

/// What a person asks for who shelves an alarm.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shelving<'a> {
    pub(super) span: Option<Duration>,
    pub(super) one_shot: bool,
    pub(super) reason: &'a str,
}

impl Engine {
    pub(super) fn shelve(
        &mut self,
        index: usize,
        asked: Shelving<'_>,
        command: &Command,
        now: Moment,
    ) -> Result<Outcome, Denied> {
        let Shelving {
            span,
            one_shot,
            reason,
        } = asked;
        if reason.trim().is_empty() {
            return Err(Denied::NoReason);
        }
        let most = self.longest.shelf;
        let span = bounded(span.or_else(|| one_shot.then_some(most)), most)?;
        let alarm = &mut self.alarms[index];
        transition(alarm.standing(), Input::Lay(Overlay::Shelved), alarm.traits)?;
        let term = Term::new(now, span);
        alarm.cover.get_or_insert_default().shelf = Some(Shelf {
            by: command.by.as_str().into(),
            reason: reason.into(),
            term,
            one_shot,
        });
        self.arm_attention(index);
        let details = Details {
            reason: Some(reason.to_owned()),
            until: Some(term.until),
            one_shot,
            ..said(command)
        };
        self.report(index, EventKind::Shelved, Cause::Operator, details, now);
        Ok(self.accepted(index, now))
    }

    pub(super) fn unshelve(
        &mut self,
        index: usize,
        command: &Command,
        now: Moment,
    ) -> Result<Outcome, Denied> {
        let details = Details {
            reason: Some("by_hand".to_owned()),
            ..said(command)
        };
        let input = Input::TakeOff(Overlay::Shelved);
        self.lift(index, input, Cause::Operator, details, now)?;
        Ok(self.accepted(index, now))
    }

    /// A one-shot shelf ends with the activity of its alarm.
    pub(super) fn end_one_shot(&mut self, index: usize, now: Moment) {
        let shelf = self.alarms[index].shelf();
        if shelf.is_some_and(|shelf| shelf.one_shot) {
            self.end(index, Overlay::Shelved, Ending::Inactive, now);
        }
    }

    /// The agenda's entry of an alarm's next end comes up.
    pub(super) fn attend(&mut self, index: usize, due: Mono, now: Moment) {
        self.alarms[index].attention = Mono::NEVER;
        let shelf = self.alarms[index].shelf();
        if shelf.is_some_and(|shelf| shelf.term.due <= due) {
            self.end(index, Overlay::Shelved, Ending::Expired, now);
        }
        self.arm_attention(index);
    }

    /// Takes up the overlays of the life before.
    pub(super) fn resume_overlays(&mut self, history: &History) {
        let now = self.now;
        let trusted = now.wall >= PLAUSIBLE_FROM
            && (history.last_alive).is_none_or(|last_alive| last_alive <= now.wall);
        for index in 0..self.alarms.len() {
            let shelf = self.alarms[index].cover.as_mut();
            let shelf = shelf.and_then(|cover| cover.shelf.as_mut());
            let ending = match shelf.map(|shelf| shelf.term.resume(now, trusted)) {
                None | Some(Resumed::Runs) => None,
                Some(Resumed::RanOut) => Some(Ending::Expired),
                Some(Resumed::Unknown) => Some(Ending::ClockNotTrusted),
            };
            if let Some(ending) = ending {
                self.end(index, Overlay::Shelved, ending, now);
            }
            self.arm_attention(index);
        }
    }

    /// Sees to it that the next end of what lies over an alarm comes up.
    fn arm_attention(&mut self, index: usize) {
        let alarm = &mut self.alarms[index];
        let Some(due) = alarm.cover.as_ref().and_then(|cover| cover.next_end()) else {
            return;
        };
        let armed = alarm.attention;
        alarm.attention = due.min(armed);
        let timer = Timer::Attend(timer_index(index));
        if armed == Mono::NEVER {
            self.agenda.push(due, timer);
        } else if due < armed {
            self.agenda.hasten(due, timer);
        }
    }

    /// An overlay ends by itself.
    fn end(&mut self, index: usize, overlay: Overlay, ending: Ending, now: Moment) {
        let details = Details {
            reason: Some(ending.name().to_owned()),
            message: self.alarms[index].shelf().map(story),
            ..Details::default()
        };
        let input = Input::End(overlay);
        let ended = self.lift(index, input, Cause::System, details, now);
        debug_assert!(ended.is_ok(), "the end of an overlay is never refused");
    }

    /// Takes an overlay off and reports it, with the state as it is then.
    fn lift(
        &mut self,
        index: usize,
        input: Input,
        cause: Cause,
        details: Details,
        now: Moment,
    ) -> Result<(), Denied> {
        let alarm = &mut self.alarms[index];
        let (standing, step) = transition(alarm.standing(), input, alarm.traits)?;
        if step == Step::Resurfaced {
            alarm.withdraw_acknowledgement();
        }
        alarm.state = standing.state;
        alarm.cover = None;
        self.report(index, EventKind::Unshelved, cause, details, now);
        Ok(())
    }

    fn accepted(&self, index: usize, now: Moment) -> Outcome {
        Outcome::Accepted {
            occurrence: self.alarms[index].occurrence(),
            at: now.wall,
        }
    }
}

impl Alarm {
    fn shelf(&self) -> Option<&Shelf> {
        self.cover.as_ref().and_then(|cover| cover.shelf.as_ref())
    }
}

/// A span that has an end, and not too late.
fn bounded(asked: Option<Duration>, most: Duration) -> Result<Duration, Denied> {
    match asked {
        None | Some(Duration::ZERO) => Err(Denied::NoEnd),
        Some(asked) if asked > most => Err(Denied::TooLong { asked, most }),
        Some(asked) => Ok(asked),
    }
}

fn story(shelf: &Shelf) -> String {
    format!("was shelved by {}: {}", shelf.by, shelf.reason)
}
