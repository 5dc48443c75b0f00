//! A device or a broker that is lost is one alarm to people (alarm-standards 2.10): what its points say
//! of their silence is grouped under it. The record never is; every alarm is raised, listed and acknowledged
//! by itself.
//!
//! ```text
//!   silence is raised ── does the alarm of the device speak for it? ── no ──▶ its own ladder
//!                             │ yes: `grouped_under`, no page
//!                             ▼
//!                        ┌─────────┐ the device's alarm is over   ┌───────┐ 20 s
//!                        │ grouped │ or covered ────────────────▶ │ alone │ ─────▶ its own ladder, from
//!                        └─────────┘ ◀──────────── speaks again   └───────┘        step 0
//! ```
//!
//! **Who speaks.** The alarm of a device or broker speaks for another while it is active, acknowledged or
//! not, nothing lies over it, it is at least as urgent, and everybody whom the first step of the other would
//! tell has been told of it. So nobody hears less than without grouping, but for the name of the point.
//!
//! **What is grouped.** Raises of `stale`, and of `bad` because nothing comes from the source. Not one that
//! hides a hazard, active or on its way (2.9): that somebody must hear by its name. Nor what comes back:
//! the end of an overlay, a re-alarm, a higher severity. Nor what ends a drill at its point: people who are in
//! an exercise must hear that it is none (1.5.14). What was paged before the device was known to be
//! lost goes its own way.
//!
//! **P5** with this: an alarm about silence that nobody has acknowledged is silent only beneath a recorded
//! overlay, or recorded as grouped under an alarm that speaks for it, and for [`SETTLE`] longer. Then the
//! points of a device that is back have delivered good values for long enough to be believed.
//!
//! Whoever was told of the device is told that it is over; of its points nobody was.

use std::sync::Arc;
use std::time::Duration;

use super::case::{Case, Ladder};
use super::since::Since;
use super::{Alarms, Notifier, Present};
use crate::engine::effect::{Cause, Event, EventKind};
use crate::engine::notice::Told;
use crate::engine::reading::Fault;
use crate::engine::settings::Priority;
use crate::engine::time::{Moment, Mono};

/// An alarm about silence goes its own way so long after nobody speaks for it any more: longer than good
/// values take to be believed (5 s) and a sensor to report by itself.
pub(super) const SETTLE: Duration = Duration::from_secs(20);

/// Another alarm tells of this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Under {
    /// That of the device or broker.
    pub(super) alarm: Arc<str>,
    /// Since when it does not speak any more.
    pub(super) alone: Option<Since>,
}

impl Under {
    pub(super) fn ends(&self) -> Option<Mono> {
        self.alone.map(|since| since.plus(SETTLE))
    }
}

impl Notifier {
    /// The alarm under which this event is grouped, if it is a raise that another alarm speaks for.
    pub(super) fn speaker(&self, event: &Event, present: &Present) -> Option<Arc<str>> {
        let details = &event.details;
        let raised = event.kind == EventKind::Raised && !details.late && !details.hides_hazard;
        if !raised || present.subject.is_drill() || !is_silence(event) {
            return None;
        }
        let lost = self.office.settings.lost_with(present.subject.index)?;
        self.speaks(lost, present).then(|| Arc::clone(lost))
    }

    /// Does the alarm `lost` speak for the other?
    fn speaks(&self, lost: &str, other: &Present) -> bool {
        let settings = &self.office.settings;
        let priority = other.subject.priority;
        let area = settings.area_of(&other.subject).map(|area| &**area);
        let told = self.cases.get(lost).and_then(|case| case.told(priority));
        told.is_some_and(|told| {
            let lines = settings.told_first(priority, area);
            lines.iter().all(|line| is_among(line, told))
        })
    }

    /// It is grouped from now on.
    pub(super) fn join(&mut self, lost: &str, alarm: &Arc<str>) {
        if let Some(case) = self.cases.get_mut(lost) {
            case.members.insert(Arc::clone(alarm));
        }
    }

    /// An alarm changed: those that are grouped under it may be alone from now on, or no longer.
    pub(super) fn review_members(&mut self, lost: &Arc<str>, now: Mono) {
        let Some(case) = self.cases.get_mut(lost) else {
            return;
        };
        let members = std::mem::take(&mut case.members);
        for alarm in &members {
            let speaker = self.cases.get(lost);
            let speaks =
                |ladder: &Ladder| speaker.is_some_and(|case| case.told(ladder.priority).is_some());
            let grouped = self.cases.get(alarm).and_then(|case| case.ladder.as_ref());
            let grouped = grouped.filter(|ladder| ladder.is_under(lost));
            let Some(speaks) = grouped.map(speaks) else {
                continue;
            };
            if let Some(under) = self.cases.get_mut(alarm).and_then(Case::under_mut) {
                let alone = under.alone.unwrap_or(Since::now(now));
                under.alone = (!speaks).then_some(alone);
            }
            self.join(lost, alarm);
            self.schedule(alarm);
        }
    }

    /// What was grouped before this start still is, if the alarm above it still speaks; else it is alone.
    pub(super) fn regroup(&mut self, alarms: &impl Alarms, now: Mono) {
        let ladders = self.cases.iter().filter_map(|(alarm, case)| {
            let under = case.ladder.as_ref()?.under.as_ref()?;
            Some((Arc::clone(alarm), Arc::clone(&under.alarm)))
        });
        for (alarm, lost) in ladders.collect::<Vec<_>>() {
            let alone = !self.still_speaks(&lost, &alarm, alarms);
            if let Some(under) = self.cases.get_mut(&alarm).and_then(Case::under_mut) {
                under.alone = alone.then_some(Since::now(now));
            }
            self.join(&lost, &alarm);
        }
    }

    /// If the alarm has been alone for long enough, its own ladder begins.
    pub(super) fn ungroup(&mut self, alarm: &Arc<str>, alarms: &impl Alarms, at: Moment) {
        let case = self.cases.get_mut(alarm);
        let under = case.and_then(Case::under_mut).map(|under| under.clone());
        let Some(under) = under.filter(|under| under.ends().is_some_and(|end| end <= at.mono))
        else {
            return;
        };
        let speaks = self.still_speaks(&under.alarm, alarm, alarms);
        let Some(case) = self.cases.get_mut(alarm) else {
            return;
        };
        match case.under_mut() {
            Some(under) if speaks => under.alone = None,
            Some(_) | None => case.go_alone(at.mono),
        }
    }

    fn still_speaks(&self, lost: &Arc<str>, alarm: &str, alarms: &impl Alarms) -> bool {
        let Some(present) = alarms.present(alarm) else {
            return false;
        };
        // The point may be read from another device since the last start.
        let configured = self.office.settings.lost_with(present.subject.index);
        configured == Some(lost) && self.speaks(lost, &present)
    }
}

impl Case {
    /// Who has been told of the alarm, while it can speak for others of `priority`.
    fn told(&self, priority: Priority) -> Option<&[Told]> {
        let ladder = self.ladder.as_ref()?;
        let speaks = self.standing.active
            && !self.standing.covered
            && ladder.priority >= priority
            && !ladder.told.is_empty();
        speaks.then_some(&*ladder.told)
    }

    fn under_mut(&mut self) -> Option<&mut Under> {
        let ladder = self.ladder.as_mut().filter(|ladder| ladder.running);
        ladder.and_then(|ladder| ladder.under.as_mut())
    }

    /// Its reason may have become one that the device's alarm says nothing of.
    pub(super) fn change_of_reason(&mut self, event: &Event) {
        let changed = event.kind == EventKind::Changed && event.cause != Cause::Config;
        if changed && !is_silence(event) && self.under_mut().is_some() {
            self.go_alone(event.at.mono);
        }
    }

    /// Its own ladder begins.
    fn go_alone(&mut self, now: Mono) {
        if let Some(ladder) = &mut self.ladder {
            ladder.left = ladder.under.take().map(|under| under.alarm);
            ladder.began = Since::now(now);
        }
    }
}

impl Ladder {
    fn is_under(&self, alarm: &str) -> bool {
        let under = self.under.as_ref();
        under.is_some_and(|under| &*under.alarm == alarm)
    }
}

/// Is it about a source from which nothing comes?
fn is_silence(event: &Event) -> bool {
    let silence = [Fault::NoCommunication, Fault::NotConnected].map(Fault::name);
    let reason = event.details.reason.as_deref();
    reason.is_some_and(|reason| silence.contains(&reason))
}

/// Are all persons of `line`, and its output, among those who were told?
fn is_among(line: &Told, told: &[Told]) -> bool {
    let person = |id: &Arc<str>| told.iter().any(|told| told.persons.contains(id));
    let output = |id: &Arc<str>| told.iter().any(|told| told.output.as_ref() == Some(id));
    line.persons.iter().all(person) && line.output.iter().all(output)
}
