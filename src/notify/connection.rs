//! A device or a broker that is lost is one alarm to people (alarm-standards 2.10): what its points say
//! of their silence is grouped under it. The record never is; every alarm is raised, listed and acknowledged
//! by itself.
//!
//! ```text
//!   silence is raised ── does the alarm of the device speak for it? ── no ──▶ its own ladder
//!                             │ yes: `grouped_under`, no page
//!                             ▼
//!                        ┌─────────┐ the device's alarm is over   ┌───────┐ 20 s in all
//!                        │ grouped │ or covered ────────────────▶ │ alone │ ─────▶ its own ladder, from
//!                        └─────────┘ ◀──────────── speaks again   └───────┘        step 0
//! ```
//!
//! **Who speaks.** The alarm of a device or broker speaks for another while it is active, acknowledged or
//! not, nothing lies over it, it is at least as urgent, and everybody whom the first step of the other would
//! tell has been told of it. And its ladder reaches every person and output of every step of the other's, by
//! the same time or sooner. So while nobody acknowledges, nobody hears less than without grouping, but for the
//! name of the point, and for reminders, which come as often as its own ladder has them. Its acknowledgement
//! ends the steps for all.
//!
//! **What is grouped.** Raises of `stale`, and of `bad` because nothing comes from the source. Not one that
//! hides a hazard, active or on its way (2.9): that somebody must hear by its name. Nor what comes back:
//! the end of an overlay, a re-alarm, a higher severity. Nor what ends a drill at its point: people who are in
//! an exercise must hear that it is none (1.5.14). What was paged before the device was known to be
//! lost goes its own way.
//!
//! **P5** with this: an alarm about silence that nobody has acknowledged is silent only beneath a recorded
//! overlay, or recorded as grouped under an alarm that speaks for it, and for [`SETTLE`] longer: in all, over
//! returns and losses of the device and restarts of the gateway. By then the points of a device that is back
//! have delivered good values for long enough to be believed. The time is kept as that of the device's alarm,
//! [`Quiet`], against which each of the others remembers where it joined: so every change of it is stored
//! with the event that makes it.
//!
//! Whoever was told of the device is told that it is over; of its points nobody was.

use std::sync::Arc;
use std::time::Duration;

use super::case::{Case, Ladder};
use super::settings::NotifySettings;
use super::since::Since;
use super::{Alarms, Notifier, Present};
use crate::engine::effect::{Cause, Event, EventKind};
use crate::engine::notice::{LadderRecord, QuietRecord, Told};
use crate::engine::reading::Fault;
use crate::engine::settings::Priority;
use crate::engine::time::{Moment, Mono, Wall};

/// An alarm about silence goes its own way so long after nobody speaks for it any more: longer than good
/// values take to be believed (5 s) and a sensor to report by itself.
pub(super) const SETTLE: Duration = Duration::from_secs(20);

/// Another alarm tells of this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Under {
    /// That of the device or broker.
    pub(super) alarm: Arc<str>,
    /// How long that had not spoken in all when this one was grouped.
    pub(super) joined: Duration,
    /// When its own ladder begins; `None` while the other speaks.
    pub(super) ends: Option<Mono>,
}

impl Under {
    pub(super) fn restore(record: &LadderRecord) -> Option<Self> {
        Some(Self {
            alarm: record.under.clone()?,
            joined: seconds(record.quiet_s),
            ends: None,
        })
    }

    /// The other speaks, or does not; `quiet` is how long it has not.
    fn hear(&mut self, speaks: bool, quiet: Quiet, now: Mono) {
        let alone = quiet.time(now).saturating_sub(self.joined);
        let ends = self.ends.unwrap_or(now + SETTLE.saturating_sub(alone));
        self.ends = (!speaks).then_some(ends);
    }
}

/// A clock of an alarm that runs while the alarm does not speak for those that are grouped under it. It
/// is in the records of the alarm's own events, which are what stops it and lets it go on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Quiet {
    total: Duration,
    since: Option<Since>,
}

impl Quiet {
    pub(super) fn restore(record: QuietRecord, since: impl Fn(Wall) -> Since) -> Self {
        Self {
            total: seconds(record.total_s),
            since: record.since.map(since),
        }
    }

    fn time(self, now: Mono) -> Duration {
        let running = self.since.map_or(Duration::ZERO, |since| since.age(now));
        self.total.saturating_add(running)
    }

    /// As it goes on from now.
    fn hear(self, speaks: bool, now: Mono) -> Self {
        match (speaks, self.since) {
            (true, Some(_)) => Self {
                total: self.time(now),
                since: None,
            },
            (false, None) => Self {
                since: Some(Since::now(now)),
                ..self
            },
            (true, None) | (false, Some(_)) => self,
        }
    }
}

/// A span as it is stored; what cannot be one is none.
fn seconds(stored: f64) -> Duration {
    Duration::try_from_secs_f64(stored).unwrap_or_default()
}

impl Notifier {
    /// The alarm under which this event is grouped, if it is a raise that another alarm speaks for.
    pub(super) fn speaker(&self, event: &Event, present: &Present) -> Option<Under> {
        let details = &event.details;
        let raised = event.kind == EventKind::Raised && !details.late && !details.hides_hazard;
        if !raised || present.subject.is_drill() || !is_silence(event) {
            return None;
        }
        let lost = self.office.settings.lost_with(present.subject.index)?;
        let quiet = self.cases.get(lost).map(|case| case.quiet);
        let speaks = self.speaks(lost, present, event.at.wall);
        speaks.then(|| Under {
            alarm: Arc::clone(lost),
            joined: quiet.unwrap_or_default().time(event.at.mono),
            ends: None,
        })
    }

    /// Does the alarm `lost` speak for the other?
    fn speaks(&self, lost: &str, other: &Present, at: Wall) -> bool {
        let settings = &self.office.settings;
        let priority = other.subject.priority;
        let area = settings.area_of(&other.subject).map(|area| &**area);
        let told = self.cases.get(lost).and_then(|case| case.told(priority));
        let ladder = self.cases.get(lost).and_then(|case| case.ladder.as_ref());
        told.zip(ladder).is_some_and(|(told, ladder)| {
            let point = lost.rsplit_once('/').map_or(lost, |(point, _)| point);
            let own = settings.area_or_own(None, point).map(|area| &**area);
            let first = settings.told_first(priority, area, at);
            first.iter().all(|line| is_among(line, told))
                && settings.reaches_all((ladder.priority, own), (priority, area), at)
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
        if case.members.is_empty() {
            return;
        }
        case.quiet = case.quiet.hear(case.speaks(), now);
        let quiet = case.quiet;
        let members = std::mem::take(&mut case.members);
        for alarm in &members {
            let speaker = self.cases.get(lost);
            let speaks =
                |ladder: &Ladder| speaker.is_some_and(|case| case.told(ladder.priority).is_some());
            let grouped = self.cases.get(alarm).and_then(|case| case.ladder.as_ref());
            let grouped = grouped.filter(|ladder| ladder.running && ladder.is_under(lost));
            let Some(speaks) = grouped.map(speaks) else {
                continue;
            };
            if let Some(under) = self.cases.get_mut(alarm).and_then(Case::under_mut) {
                under.hear(speaks, quiet, now);
            }
            self.join(lost, alarm);
            self.schedule(alarm);
        }
        if let Some(case) = self
            .cases
            .get_mut(lost)
            .filter(|case| case.members.is_empty())
        {
            case.quiet = Quiet::default();
        }
    }

    /// What was grouped before this start still is, if the alarm above it still speaks; else it is alone.
    pub(super) fn regroup(&mut self, alarms: &impl Alarms, at: Moment) {
        let now = at.mono;
        let ladders = self.cases.iter().filter_map(|(alarm, case)| {
            let under = case.ladder.as_ref()?.under.as_ref()?;
            Some((Arc::clone(alarm), Arc::clone(&under.alarm)))
        });
        for (alarm, lost) in ladders.collect::<Vec<_>>() {
            let speaks = self.still_speaks(&lost, &alarm, alarms, at.wall);
            let quiet = self.cases.get_mut(&lost).map(|case| {
                case.quiet = case.quiet.hear(case.speaks(), now);
                case.quiet
            });
            if let Some(under) = self.cases.get_mut(&alarm).and_then(Case::under_mut) {
                under.hear(speaks, quiet.unwrap_or_default(), now);
            }
            self.join(&lost, &alarm);
        }
    }

    /// If the alarm has been alone for long enough, its own ladder begins.
    pub(super) fn ungroup(&mut self, alarm: &Arc<str>, alarms: &impl Alarms, at: Moment) {
        let case = self.cases.get_mut(alarm);
        let under = case.and_then(Case::under_mut).map(|under| under.clone());
        let Some(under) = under.filter(|under| under.ends.is_some_and(|end| end <= at.mono)) else {
            return;
        };
        let speaks = self.still_speaks(&under.alarm, alarm, alarms, at.wall);
        let Some(case) = self.cases.get_mut(alarm) else {
            return;
        };
        match case.under_mut() {
            Some(under) if speaks => under.ends = None,
            Some(_) | None => case.go_alone(at.mono),
        }
    }

    fn still_speaks(&self, lost: &Arc<str>, alarm: &str, alarms: &impl Alarms, at: Wall) -> bool {
        let Some(present) = alarms.present(alarm) else {
            return false;
        };
        // The point may be read from another device since the last start.
        let configured = self.office.settings.lost_with(present.subject.index);
        configured == Some(lost) && self.speaks(lost, &present, at)
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

    /// Does it speak for any other?
    fn speaks(&self) -> bool {
        self.told(Priority::Low).is_some()
    }

    /// How long it has not spoken, for its record at `at`.
    pub(super) fn quiet_record(&self, at: Moment) -> Option<QuietRecord> {
        let quiet = self.quiet.hear(self.speaks(), at.mono);
        (!self.members.is_empty()).then(|| QuietRecord {
            total_s: quiet.total.as_secs_f64(),
            since: quiet.since.map(|since| since.wall(at)),
        })
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

impl NotifySettings {
    /// Does the ladder of `speaker`, of a priority and an area, reach everybody whom that of `other` would,
    /// and nobody later?
    fn reaches_all(
        &self,
        speaker: (Priority, Option<&str>),
        other: (Priority, Option<&str>),
        at: Wall,
    ) -> bool {
        let steps = |priority| {
            self.policy(priority)
                .map_or(&[][..], |policy| &policy.steps)
        };
        let mut theirs = (0..).zip(steps(other.0));
        theirs.all(|(number, step)| {
            let sooner = (0..).zip(steps(speaker.0));
            let sooner = sooner.filter(|(_, own)| own.after <= step.after);
            let told = sooner.flat_map(|(own, _)| self.reached(speaker.0, speaker.1, own, at));
            let told: Vec<Told> = told.collect();
            let lines = self.reached(other.0, other.1, number, at);
            lines.iter().all(|line| is_among(line, &told))
        })
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
