//! Outputs that do not deliver, and what that means for whoever was told over them: nobody may have heard, so the
//! next step comes at once (alarm-standards 4.2).
//!
//! ```text
//!  may all that was told so far wait ── no ──▶ each step at its time
//!  at outputs that do not deliver?
//!      │ yes
//!      ▼
//!  does a later step lead over one ── no ──▶ each step at its time: all would be woken at the
//!  that delivers?                            return of a single output, and nobody sooner
//!      │ yes
//!      └──▶ the next step at once, and again, until one went over an output that delivers
//! ```
//!
//! - **Whether an output delivers** its own point says ([`Service`]), whatever becomes of the alarm of that point: one
//!   event that is set aside is trouble, and no loss. After a start every output counts as delivering until it says
//!   that it does not, so nothing about it is stored.
//! - **What was heard stays heard.** A step may wait at an output only if it was told after that fell silent, or within
//!   `SLACK` before: an output that dies later has delivered what it was given. Who has one step over one output
//!   has heard. An output that delivers again and is silent within `SLACK` was silent all along; one that says so
//!   within `SLACK` after a time when nobody watched has been since before. After a restart every step counts as told
//!   at the start: an output that is down says so within seconds of it, and what was told before may wait.
//! - **By what people are reached.** A step goes over the outputs that it names, or over all. Of those the ones that
//!   go to people count; others (a broker, a program) only where none of that kind is among them. Mail without a `to`
//!   leads to persons who have an address, and to nobody else. The ladder that comes by default names every output at
//!   once, so it gains nothing here; a written one, with another way in a later step, does.
//! - **What counts as told** are the steps of this annunciation that led to anybody, each from its last line on, not
//!   what an earlier one told: to whom it went, whoever is on call by now. Of a step of the life before that is whoever
//!   was on call when it was due. While a step waits for its summary (a flood, chatter) nothing is brought forward past it.
//! - **What was brought forward is done** (contract 8.7): it does not come again at its time, restarts included; and an
//!   output that is back delivers what it was given. The page says that it is early, and why.
//! - **When it is looked at**: whenever a ladder climbs; and all that run, once, when an output ceases to deliver or
//!   delivers again.
//!
//! Deliberately absent: the siren or relay that 4.2 asks for as well. The gateway switches nothing in the plant; the
//! alarm of the output's own point, told over every other output, stands in for it. Nor is it asked which event an
//! output has delivered: of one that was behind by more than `SLACK` and then dies, a page may be taken for heard
//! that waits; the steps after it come at their times.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::case::Ladder;
use super::settings::NotifySettings;
use super::{Notifier, Office};
use crate::engine::notice::Told;
use crate::engine::reading::{Measured, PointIndex, Reading, Service};
use crate::engine::time::{Moment, Mono, Wall};

/// What was told this long before an output fell silent may be among what waits there: it says that it is down 5 s
/// after its link is lost, or when nothing went through for 60 s; the rest is for its tries until then.
const SLACK: Duration = Duration::from_secs(90);

/// An output as a way to people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// Its id.
    pub output: Arc<str>,
    /// The gateway's own point that says whether it delivers.
    pub status: PointIndex,
    /// Whom it leads to.
    pub audience: Audience,
}

/// Whom an output leads to, as far as the configuration knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audience {
    /// Programs, which may lead to people.
    Programs,
    /// People who read whatever is sent there.
    Readers,
    /// These persons and nobody else, by id.
    Persons(BTreeSet<Arc<str>>),
}

/// A step that was told.
#[derive(Debug)]
pub(super) struct StepTold {
    pub(super) step: u16,
    /// Last; by the life before, when this one began.
    pub(super) at: Mono,
    /// Whom, over what. `None`: the life before told it.
    pub(super) lines: Option<Vec<Told>>,
}

/// Which outputs do not deliver, and since when: at most one entry per output.
#[derive(Debug, Default)]
pub(super) struct Silences {
    of: BTreeMap<Arc<str>, Silence>,
    /// The last time that nobody watched, from and to.
    gap: Option<(Mono, Mono)>,
}

#[derive(Debug, Clone, Copy)]
struct Silence {
    since: Mono,
    /// `None`: it lasts.
    until: Option<Mono>,
}

impl Audience {
    /// Does what is told to `persons` (none: to the output itself) lead to anybody here?
    fn includes(&self, persons: &[Arc<str>]) -> bool {
        match self {
            Self::Programs | Self::Readers => true,
            Self::Persons(known) => persons.iter().any(|person| known.contains(person)),
        }
    }
}

impl Silences {
    /// Nobody watched between `from` and `to`.
    pub(super) const fn paused(&mut self, from: Mono, to: Mono) {
        self.gap = Some((from, to));
    }

    /// Takes the word of an output at `now`. Says whether that is news.
    fn hear(&mut self, output: &Arc<str>, delivers: bool, now: Mono) -> bool {
        let known = self.of.get(output).copied();
        if known.is_some_and(Silence::lasts) != delivers {
            return false;
        }
        let just_now = |at: Mono| now.since(at) < SLACK;
        let silence = match (known, self.gap) {
            (Some(silence), _) if delivers => Silence {
                until: Some(now),
                ..silence
            },
            (Some(silence), _) if silence.until.is_some_and(just_now) => Silence {
                until: None,
                ..silence
            },
            (_, Some((from, to))) if just_now(to) => Silence::since(from),
            (_, _) => Silence::since(now),
        };
        self.of.insert(Arc::clone(output), silence);
        true
    }

    /// Does any output not deliver?
    fn any_lasts(&self) -> bool {
        self.of.values().copied().any(Silence::lasts)
    }

    /// May what `output` was given at `told` still wait there?
    fn may_hold(&self, output: &str, told: Mono) -> bool {
        let silence = self.of.get(output).filter(|silence| silence.lasts());
        silence.is_some_and(|silence| told + SLACK > silence.since)
    }
}

impl Silence {
    const fn since(since: Mono) -> Self {
        Self { since, until: None }
    }

    const fn lasts(self) -> bool {
        self.until.is_none()
    }
}

impl NotifySettings {
    /// The output that the reading is about, and whether that delivers. Of any other point it costs one
    /// comparison.
    pub(super) fn delivery(&self, reading: &Reading) -> Option<(&Arc<str>, bool)> {
        let own = self.channels.first()?.status;
        if reading.point < own {
            return None;
        }
        let status = |channel: &Channel| channel.status;
        let found = self.channels.binary_search_by_key(&reading.point, status);
        let channel = self.channels.get(found.ok()?)?;
        let Measured::Sample(sample) = reading.measured else {
            return None;
        };
        let delivers = Service::of(sample.value()?) < Service::Down;
        Some((&channel.output, delivers))
    }
}

impl Ladder {
    /// The step was told to `lines` just now; `more`: beside those that it was told to before.
    pub(super) fn note_step(&mut self, step: u16, lines: &[Told], more: bool, at: Mono) {
        let known = self.steps_told.iter().position(|told| told.step == step);
        let known = known.map(|index| self.steps_told.remove(index));
        let before = known.filter(|_| more).map(|told| told.lines);
        let lines = match before {
            Some(None) => None,
            Some(Some(before)) => Some([&before, lines].concat()),
            None => Some(lines.to_vec()),
        };
        self.steps_told.push(StepTold { step, at, lines });
    }
}

impl NotifySettings {
    /// When this step of the ladder was to be told.
    fn due_at(&self, ladder: &Ladder, step: u16, now: Moment) -> Wall {
        let policy = self.policy(ladder.priority);
        let step = policy.and_then(|policy| policy.steps.get(usize::from(step)));
        let after = step.map_or(Duration::ZERO, |step| step.after);
        (ladder.began.wall(now) + after).min(now.wall)
    }
}

impl Office {
    /// May nobody have heard of this annunciation, while a step that is left leads to people?
    pub(super) fn is_unheard(&self, ladder: &Ladder, area: Option<&str>, at: Moment) -> bool {
        if !self.silences.any_lasts() || !ladder.climbs() || ladder.waits() {
            return false;
        }
        let steps = self.settings.policy(ladder.priority);
        let steps = steps.map_or(0, |policy| policy.steps.len());
        let steps = u16::try_from(steps).unwrap_or(u16::MAX);
        let reached = |step, when| (self.settings).reached(ladder.priority, area, step, when);
        let done = ladder.steps_told.iter().filter_map(|told| {
            let by_rota = || reached(told.step, self.settings.due_at(ladder, told.step, at));
            let lines = told.lines.clone().unwrap_or_else(by_rota);
            self.arrives(&lines, told.at)
        });
        let done: Vec<bool> = done.collect();
        let left = (ladder.steps..steps).map(|step| reached(step, at.wall));
        let mut left = left.filter_map(|lines| self.arrives(&lines, at.mono));
        !done.is_empty() && !done.contains(&true) && left.any(|arrives| arrives)
    }

    /// Does what is told so at `told` arrive at people, as far as is known? `None`: it leads to nobody.
    fn arrives(&self, lines: &[Told], told: Mono) -> Option<bool> {
        let leads = |channel: &&Channel| {
            let over = |line: &Told| line.output.as_ref().is_none_or(|id| *id == channel.output);
            let mut lines = lines.iter();
            lines.any(|line| over(line) && channel.audience.includes(&line.persons))
        };
        let ways: Vec<&Channel> = self.settings.channels.iter().filter(leads).collect();
        let is_program = |channel: &Channel| channel.audience == Audience::Programs;
        let programs = ways.iter().all(|channel| is_program(channel));
        let mut counted = ways
            .iter()
            .filter(|channel| programs || !is_program(channel));
        let arrives = counted.any(|channel| !self.silences.may_hold(&channel.output, told));
        (!ways.is_empty()).then_some(arrives)
    }
}

impl Notifier {
    /// An output delivers, or does not.
    pub(super) fn hear(&mut self, output: &Arc<str>, delivers: bool, now: Mono) {
        let silences = &mut self.office.silences;
        if !silences.hear(output, delivers, now) || !silences.any_lasts() {
            return;
        }
        let mut running = Vec::new();
        for (alarm, case) in &mut self.cases {
            if let Some(ladder) = case.ladder.as_mut().filter(|ladder| ladder.climbs()) {
                ladder.look = Some(now);
                running.push(Arc::clone(alarm));
            }
        }
        running.iter().for_each(|alarm| self.schedule(alarm));
    }
}
