//! Outputs that do not deliver, and what that means for whoever was told over them: nobody may have heard, so the
//! next step comes at once (alarm-standards 4.2).
//!
//! ```text
//!  everything so far was told over outputs that fail ── does a later step lead over one that works?
//!                                                          │ no                      │ yes
//!                                                          ▼                         ▼
//!                                             each step at its time       the next step at once, and so on
//!                                                                         until one leads over that output
//! ```
//!
//! An output fails while the alarm of its delivery (`gateway.output.ID`) is active, whatever lies over that: who
//! has shelved it knows of it, and is not the one who waits for pages. A step that names persons alone goes over every
//! output that reaches them; it fails when all outputs do.
//!
//! Steps that were brought forward count as done (contract 8.7): they do not come again at their times, and when the
//! output is back it delivers what it was given. Where no other way is left nothing is brought forward: it would
//! wake the whole ladder at the return of the one output.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::case::Ladder;
use super::settings::NotifySettings;
use super::{Notifier, Office};
use crate::engine::effect::Event;
use crate::engine::notice::Told;
use crate::engine::snapshot::{AlarmRecord, History};
use crate::engine::time::Wall;

/// Ids of the outputs that fail.
#[derive(Debug, Default)]
pub(super) struct Channels(BTreeSet<Arc<str>>);

impl Channels {
    /// As the journal knows it.
    pub(super) fn restore(history: &History, settings: &NotifySettings) -> Self {
        let mut channels = Self::default();
        for record in &history.records {
            channels.hear(record, settings);
        }
        channels
    }

    /// `true`: an output fails that did not, or does not any more.
    fn hear(&mut self, record: &AlarmRecord, settings: &NotifySettings) -> bool {
        let point = record.alarm.rsplit_once('/').map(|(point, _)| point);
        let Some(output) = point.and_then(|point| settings.outputs_of_own.get(point)) else {
            return false;
        };
        match record.state.is_active() {
            true => self.0.insert(Arc::clone(output)),
            false => self.0.remove(output),
        }
    }

    /// Does nobody hear what is told so?
    fn fails(&self, told: &Told, settings: &NotifySettings) -> bool {
        match &told.output {
            Some(output) => self.0.contains(output),
            None => settings
                .outputs
                .iter()
                .all(|output| self.0.contains(output)),
        }
    }
}

impl Office {
    /// Was everything of this annunciation told over outputs that fail, while a step that is left leads over one
    /// that works?
    pub(super) fn is_unheard(&self, ladder: &Ladder, area: Option<&str>, at: Wall) -> bool {
        let Channels(failing) = &self.channels;
        if failing.is_empty() || ladder.steps == 0 || ladder.told.is_empty() {
            return false;
        }
        let fails = |told: &Told| self.channels.fails(told, &self.settings);
        let steps = self.settings.policy(ladder.priority);
        let steps = steps.map_or(0, |policy| policy.steps.len());
        let mut left = (ladder.steps..).take_while(|step| usize::from(*step) < steps);
        let works = |step| {
            let told = self.settings.reached(ladder.priority, area, step, at);
            !told.iter().all(fails)
        };
        ladder.told.iter().all(fails) && left.any(works)
    }
}

impl Notifier {
    /// An event that may be about an output: whoever was told over it may not have heard.
    pub(super) fn hear_of_outputs(&mut self, event: &Event) {
        let real = event.subject.as_ref().is_some_and(|own| !own.is_drill());
        let record = event.record.as_ref().filter(|_| real);
        let Office {
            channels, settings, ..
        } = &mut self.office;
        if record.is_some_and(|record| channels.hear(record, settings)) {
            self.look_again();
        }
    }

    /// Every ladder that runs is looked at as soon as possible, if any output fails.
    pub(super) fn look_again(&mut self) {
        if self.office.channels.0.is_empty() {
            return;
        }
        let mut running = Vec::new();
        for (alarm, case) in &mut self.cases {
            if let Some(ladder) = case.ladder.as_mut().filter(|ladder| ladder.running) {
                ladder.look = true;
                running.push(Arc::clone(alarm));
            }
        }
        running.iter().for_each(|alarm| self.schedule(alarm));
    }
}
