//! Outputs that do not deliver, and what that means for whoever was told over them: nobody may have heard, so the
//! next step comes at once (alarm-standards 4.2).
//!
//! ```text
//!  everything so far was told over ── no ──▶ each step at its time
//!  outputs that do not deliver?
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
//! - **By what people are reached.** A step goes over the outputs that it names, or over all. Of those the ones that
//!   go to people count; others (a broker, a program) only where none of that kind is among them. The ladder that comes
//!   by default names every output at once, so it gains nothing here; a written one, with another way in a later step,
//!   does.
//! - **What counts as told** are the steps of this annunciation, not what an earlier one told. While a step waits for
//!   its summary (a flood, chatter) nothing is brought forward past it.
//! - **What was brought forward is done** (contract 8.7): it does not come again at its time, restarts included; and an
//!   output that is back delivers what it was given. The page says that it is early, and why.
//! - **When it is looked at**: whenever a ladder climbs; and all that run, once, when an output ceases to deliver or
//!   delivers again.
//!
//! Deliberately absent: the siren or relay that 4.2 asks for as well. The gateway switches nothing in the plant; the
//! alarm of the output's own point, told over every other output, stands in for it.

use std::sync::Arc;

use super::case::Ladder;
use super::settings::NotifySettings;
use super::{Notifier, Office};
use crate::engine::notice::Told;
use crate::engine::reading::{Measured, PointIndex, Reading, Service};
use crate::engine::time::{Mono, Wall};

/// An output as a way to people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// Its id.
    pub output: Arc<str>,
    /// The gateway's own point that says whether it delivers.
    pub status: PointIndex,
    /// Does it go to people, and not to programs?
    pub people: bool,
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

impl Office {
    /// May nobody have heard of this annunciation, while a step that is left leads to people?
    pub(super) fn is_unheard(&self, ladder: &Ladder, area: Option<&str>, at: Wall) -> bool {
        if self.silent.is_empty() || !ladder.climbs() || ladder.waits() {
            return false;
        }
        let steps = self.settings.policy(ladder.priority);
        let steps = steps.map_or(0, |policy| policy.steps.len());
        let reached = |step| self.settings.reached(ladder.priority, area, step, at);
        let mut steps = (0..u16::try_from(steps).unwrap_or(u16::MAX)).map(reached);
        let done = steps.by_ref().take(usize::from(ladder.steps));
        let told: Vec<_> = done.filter(|lines| !lines.is_empty()).collect();
        let heard = told.iter().any(|lines| self.is_heard(lines));
        !told.is_empty() && !heard && steps.any(|lines| self.is_heard(&lines))
    }

    /// Does what is told so arrive at people, as far as is known?
    fn is_heard(&self, lines: &[Told]) -> bool {
        let leads = |channel: &&Channel| {
            let over = |line: &Told| line.output.as_ref().is_none_or(|id| *id == channel.output);
            lines.iter().any(over)
        };
        let ways = || self.settings.channels.iter().filter(leads);
        let people = ways().any(|channel| channel.people);
        let mut counted = ways().filter(|channel| channel.people || !people);
        counted.any(|channel| !self.silent.contains(&channel.output))
    }
}

impl Notifier {
    /// An output delivers, or does not.
    pub(super) fn hear(&mut self, output: &Arc<str>, delivers: bool, now: Mono) {
        let silent = &mut self.office.silent;
        let news = if delivers {
            silent.remove(output)
        } else {
            silent.insert(Arc::clone(output))
        };
        if !news || silent.is_empty() {
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
