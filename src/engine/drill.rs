//! Drills: an alarm exercised on purpose, end to end (alarm-standards 1.5.14).
//!
//! A drill is an alarm of its own beside the real one. Its name is the real one's with `/drill` behind
//! it, `CH4-101/high/drill`; the name stands in every event, page, command and record of it, so that
//! nobody who reads one, and no program that knows nothing of drills, takes it for the real alarm, and a
//! receiver that removes duplicates by alarm and occurrence keeps the two apart. Its life cycle is
//! that of every alarm ([`transition`]), its ladder that of the alarm's priority; only what moves it is
//! another: a command begins it, its time or a command ends it. Nothing is measured, so it has no
//! value, never latches, and an acknowledgement of it does not run out.
//!
//! ```text
//!   drill ─▶ raised ─────▶ [acknowledged] ─────▶ cleared ─────▶ [acknowledged]
//!            pages as for                        by its time, by hand,
//!            the real alarm                      by anything real at the point
//! ```
//!
//! Nothing real looks at a drill: no vote, no suppression, no first-out, no count, no metric. A run with
//! drills and the same run without them have the same real events. It is the drill that looks: **what is
//! real comes first**. It runs only where nothing real is in sight at its point, so that people who hear
//! both never take the real alarm for a part of the exercise: it does not begin beside what is active or
//! waits for somebody, and ends behind the event that brings it. What lies beneath an overlay is not in
//! sight; but an alarm with an overlay is not drilled, because the way to people that a drill exercises is
//! closed.
//!
//! A drill survives a restart as an alarm does, with its time running on; one whose end the clock cannot
//! tell any more has ended.

mod operate;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::agenda::Timer;
use super::alarm::{AlarmState, Input, Standing, Step, Traits, transition};
use super::command::Denied;
use super::cover::Ending;
use super::effect::{Cause, Details, Effect, Event, EventKind, Subject};
use super::occurrence::Alarm;
use super::overlay::{Overlay, Overlays, Resumed, Term};
use super::reading::AlarmIndex;
use super::refusals::Refusals;
use super::snapshot::{Acknowledgement, AlarmRecord, DrillView, History};
use super::time::{Moment, Mono};
use super::{Engine, timer_index};

/// Behind the name of an alarm it makes that of its drill; no kind is called so.
const MARK: &str = "/drill";

/// The name of the drill of `alarm`.
pub fn name(alarm: &str) -> String {
    format!("{alarm}{MARK}")
}

/// The alarm of which this is the name of the drill; `None` for every other name.
pub fn drilled(name: &str) -> Option<&str> {
    name.strip_suffix(MARK)
}

/// Who holds a drill, why, and until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exercise {
    /// Who.
    pub by: Arc<str>,
    /// Why.
    pub reason: Arc<str>,
    /// From when until when.
    pub term: Term,
}

/// The newest drill of one alarm.
#[derive(Debug)]
struct Drill {
    /// Its durable form; that of a drill always says what the exercise is.
    record: AlarmRecord,
    /// Absent when it began before this start.
    began: Option<Mono>,
}

impl Drill {
    fn term(&self) -> Option<Term> {
        self.record.drill.as_ref().map(|exercise| exercise.term)
    }
}

/// The drills of all alarms, by index.
#[derive(Debug, Default)]
pub(super) struct Drills {
    newest: BTreeMap<usize, Drill>,
    running: usize,
    /// A purse of its own: refused drills take no real refusal off the record.
    pub(super) refusals: Refusals,
}

impl Drills {
    /// Takes up the life before this one.
    pub(super) fn restore(&mut self, index: usize, record: &AlarmRecord) {
        self.running += usize::from(record.state.is_active());
        let record = record.clone();
        let drill = Drill {
            record,
            began: None,
        };
        self.newest.insert(index, drill);
    }

    fn runs(&self, index: usize) -> bool {
        let drill = self.newest.get(&index);
        drill.is_some_and(|drill| drill.record.state.is_active())
    }

    /// The wall clock stepped; each has as much left as before.
    pub(super) fn clock_stepped(&mut self, step: f64) {
        let records = self.newest.values_mut().map(|drill| &mut drill.record);
        for record in records.filter(|record| record.state.is_active()) {
            record.raised_at = record.raised_at.map(|at| at.stepped(step));
            if let Some(acknowledged) = &mut record.acknowledged {
                acknowledged.at = acknowledged.at.stepped(step);
            }
            if let Some(exercise) = &mut record.drill {
                exercise.term.shift(step);
            }
        }
    }

    /// Those whose end is still ahead.
    pub(super) fn running(&self) -> impl Iterator<Item = &AlarmRecord> {
        let records = self.newest.values().map(|drill| &drill.record);
        records.filter(|record| record.state.is_active())
    }
}

impl Alarm {
    /// Is it active, or does it wait for somebody, and nothing lies over it?
    fn is_in_sight(&self) -> bool {
        self.state != AlarmState::Normal && self.overlays().is_empty()
    }
}

impl Engine {
    /// Where `input` leads the drill of an alarm; one that never was is normal.
    fn step_drill(&self, index: usize, input: Input) -> Result<(AlarmState, Step), Denied> {
        let drill = self.drills.newest.get(&index);
        let standing = Standing {
            state: drill.map_or(AlarmState::Normal, |drill| drill.record.state),
            overlays: Overlays::default(),
        };
        let traits = Traits {
            latching: false,
            ..self.alarms[index].traits
        };
        transition(standing, input, traits).map(|(after, step)| (after.state, step))
    }

    /// A drill that runs is over.
    fn finish_drill(&mut self, index: usize, cause: Cause, details: Details, now: Moment) {
        let Ok((state, step)) = self.step_drill(index, Input::Clear) else {
            debug_assert!(false, "a clear is never refused");
            return;
        };
        let Some(Drill { record, began }) = self.drills.newest.get_mut(&index) else {
            return;
        };
        record.state = state;
        record.cleared_at = Some(now.wall);
        if step == Step::ClearedUnattended {
            record.acknowledged = Some(Acknowledgement {
                by: "system".into(),
                at: now.wall,
            });
        }
        let by_wall = record
            .raised_at
            .map(|at| now.wall.seconds_since(at).max(0.0));
        let seconds = began.map(|began| now.mono.since(began).as_secs_f64());
        self.drills.running -= 1;
        let details = Details {
            duration_s: (seconds.or(by_wall)).map(|seconds| (seconds * 1000.0).round() / 1000.0),
            ..details
        };
        self.report_drill(index, EventKind::Cleared, cause, details, now);
    }

    /// The agenda's entry for the end of a drill comes up; it may have ended before, and another begun.
    pub(super) fn drill_due(&mut self, index: usize, due: Mono, now: Moment) {
        let term = self.drills.newest.get(&index).and_then(Drill::term);
        if self.drills.runs(index) && term.is_some_and(|term| term.due <= due) {
            self.expire_drill(index, Ending::Expired, now);
        }
    }

    fn expire_drill(&mut self, index: usize, ending: Ending, now: Moment) {
        let details = Details {
            reason: Some(ending.name().to_owned()),
            ..Details::default()
        };
        self.finish_drill(index, Cause::System, details, now);
    }

    /// Why an alarm cannot be drilled now, whoever asks: the way to people is closed, or there is something
    /// real at its point.
    fn obstacle(&self, index: usize) -> Option<Denied> {
        let overlays = self.alarms[index].overlays();
        let mut strongest_first = Overlay::ALL.into_iter().rev();
        if let Some(overlay) = strongest_first.find(|overlay| overlays.has(*overlay)) {
            return Some(Denied::Silenced(overlay));
        }
        let point = &self.points[self.point_of(index)];
        let mut alarms = self.alarms[point.alarms.clone()].iter();
        let real = alarms.find(|alarm| alarm.is_in_sight())?;
        Some(Denied::RealAlarm(Arc::clone(&real.id)))
    }

    /// An alarm changed: drills at its point that cannot be any more end. To be called behind the event that
    /// tells of the change.
    pub(super) fn make_way(&mut self, index: usize, now: Moment) {
        if self.drills.running == 0 {
            return;
        }
        for own in self.points[self.point_of(index)].alarms.clone() {
            if self.drills.runs(own)
                && let Some(obstacle) = self.obstacle(own)
            {
                self.give_way(own, &obstacle, now);
            }
        }
    }

    fn give_way(&mut self, index: usize, obstacle: &Denied, now: Moment) {
        let details = Details {
            reason: Some(obstacle.name().to_owned()),
            message: Some(format!("over: {obstacle}")),
            ..Details::default()
        };
        self.finish_drill(index, Cause::System, details, now);
    }

    /// Takes up the drills that ran when the life before ended.
    pub(super) fn resume_drills(&mut self, history: &History) {
        let now = self.now;
        let trusted = self.trusts_clock(history);
        let running =
            |(index, drill): (&usize, &Drill)| drill.record.state.is_active().then_some(*index);
        let running: Vec<usize> = self.drills.newest.iter().filter_map(running).collect();
        for index in running {
            let drill = self.drills.newest.get_mut(&index);
            let exercise = drill.and_then(|drill| drill.record.drill.as_mut());
            let resumed = exercise.map_or(Resumed::Unknown, |exercise| {
                exercise.term.resume(now, trusted)
            });
            match (resumed, self.obstacle(index)) {
                (Resumed::RanOut, _) => self.expire_drill(index, Ending::Expired, now),
                (Resumed::Unknown, _) => self.expire_drill(index, Ending::ClockNotTrusted, now),
                (Resumed::Runs, Some(obstacle)) => self.give_way(index, &obstacle, now),
                (Resumed::Runs, None) => {
                    let term = self.drills.newest.get(&index).and_then(Drill::term);
                    let timer = Timer::Drill(timer_index(index));
                    self.agenda
                        .push(term.map_or(now.mono, |term| term.due), timer);
                }
            }
        }
    }

    fn report_drill(
        &mut self,
        index: usize,
        kind: EventKind,
        cause: Cause,
        details: Details,
        now: Moment,
    ) {
        let subject = self.drill_subject(index, now);
        self.effects.push_back(Effect::Event(Box::new(Event {
            at: now,
            kind,
            subject: Some(subject),
            cause,
            details,
            record: self.drill_record(index).cloned(),
            others: Vec::new(),
        })));
    }

    /// The newest drill of an alarm as it stands now.
    pub(super) fn drill_subject(&self, index: usize, now: Moment) -> Subject {
        let real = self.subject(index, now);
        let record = self.drill_record(index);
        Subject {
            alarm: name(&real.alarm).into(),
            occurrence: record.map_or(0, |record| record.occurrence),
            state: record.map_or(AlarmState::Normal, |record| record.state),
            overlays: Overlays::default(),
            priority: self.alarms[index].floor,
            value: None,
            annunciated: true,
            first_out: false,
            ..real
        }
    }

    /// What is stored of the newest drill of an alarm; `None` when there never was one.
    pub(super) fn drill_record(&self, index: usize) -> Option<&AlarmRecord> {
        self.drills.newest.get(&index).map(|drill| &drill.record)
    }

    /// The drills that run or wait for an acknowledgement.
    pub(super) fn drill_views(&self) -> Vec<DrillView> {
        let newest = self.drills.newest.iter();
        let open = newest.filter(|(_, drill)| drill.record.state != AlarmState::Normal);
        let view = |(index, drill): (&usize, &Drill)| DrillView {
            of: AlarmIndex(timer_index(*index)),
            record: drill.record.clone(),
            notices: None,
        };
        open.map(view).collect()
    }
}
