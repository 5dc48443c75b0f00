//! The lines that come of a case: pages, reminders, summaries, the all-clear. What a line settles is
//! in the record that goes with it, so that a power cut after it repeats nothing and one before it
//! loses nothing. Where a notice takes several lines, one for each output, only steps know how far they
//! had come; of anything else the lines before the cut come again.

use std::sync::Arc;

use super::case::{Case, Ladder, Late};
use super::gate::LATE;
use super::scene::{Scene, Topic};
use super::since::Since;
use super::{Office, words};
use crate::engine::effect::{Details, Event, EventKind};
use crate::engine::notice::{Notice, Partial, Told};
use crate::engine::time::Moment;

impl Case {
    /// Tells every step that is due, unless it is held back.
    pub(super) fn climb(&mut self, office: &mut Office, scene: &Scene<'_>, out: &mut Vec<Event>) {
        loop {
            let Some(ladder) = &mut self.ladder else {
                return;
            };
            ladder.look = None;
            let Some(policy) = office.settings.policy(ladder.priority) else {
                return;
            };
            let unheard = office.is_unheard(ladder, scene.area(&office.settings), scene.at);
            let Some(step) = ladder.take_step(policy, unheard, scene.at.mono) else {
                return;
            };
            let (priority, every) = (ladder.priority, policy.group_every);
            let told = office.settings.reached(
                priority,
                scene.area(&office.settings),
                step,
                scene.at.wall,
            );
            if told.is_empty() || self.mute(office, step) {
                continue;
            }
            let Some(ladder) = &mut self.ladder else {
                return;
            };
            if office.passes(ladder, step, every, scene) {
                self.tell(office, step, &told, scene, out);
            } else {
                ladder.held.push(step);
                office.counts.flood += 1;
            }
        }
    }

    /// Holds a first page back while the alarm chatters.
    pub(super) fn mute(&mut self, office: &mut Office, step: u16) -> bool {
        if !self.is_muted(step) {
            return false;
        }
        if let (Some(chatter), Some(ladder)) = (&mut self.chatter, &mut self.ladder) {
            chatter.held = chatter.held.saturating_add(1);
            ladder.muted = true;
            office.counts.chatter += 1;
        }
        true
    }

    fn tell(
        &mut self,
        office: &Office,
        step: u16,
        told: &[Told],
        scene: &Scene<'_>,
        out: &mut Vec<Event>,
    ) {
        let Some(ladder) = &mut self.ladder else {
            return;
        };
        let partial = ladder.partial.filter(|partial| partial.step == step);
        let partial = partial.unwrap_or(Partial { step, outputs: 0 });
        // Until its first line is on disk the step is not done, whatever else is said before.
        ladder.partial = Some(partial);
        let policy = office.settings.policy(ladder.priority);
        let unheard = policy.is_some_and(|policy| ladder.is_early(step, policy, scene.at.mono));
        let topic = Topic {
            occurrence: ladder.occurrence,
            notice: if step == 0 {
                ladder.first
            } else {
                Notice::Page
            },
            step: Some(step),
            message: why(office, ladder, step, unheard, scene),
            unheard,
        };
        self.settle_over(scene, out);
        let done = usize::from(partial.outputs);
        if let Some(ladder) = self.ladder.as_mut().filter(|_| done >= told.len()) {
            ladder.partial = None;
        }
        for (index, line) in told.iter().enumerate().skip(done) {
            self.step_told(step, index + 1, told.len(), line, scene.at);
            out.push(scene.notified(&topic, line, self.record(scene.at)));
        }
    }

    /// The step was told over the `outputs`th of `all` its outputs.
    pub(super) fn step_told(
        &mut self,
        step: u16,
        outputs: usize,
        all: usize,
        told: &Told,
        at: Moment,
    ) {
        if let Some(ladder) = &mut self.ladder {
            let outputs = u16::try_from(outputs).unwrap_or(u16::MAX);
            let more = usize::from(outputs) < all;
            ladder.partial = more.then_some(Partial { step, outputs });
            let line = std::slice::from_ref(told);
            ladder.note_step(step, line, outputs > 1, at.mono);
            ladder.remember(told, at.mono);
        }
    }

    /// Reminds everybody who was told.
    pub(super) fn remind(&mut self, scene: &Scene<'_>, out: &mut Vec<Event>) {
        let Some(ladder) = &mut self.ladder else {
            return;
        };
        let topic = ladder.reminder(scene.at.mono);
        let told = ladder.told.clone();
        for (index, line) in told.iter().enumerate() {
            if index + 1 == told.len() {
                self.reminded(scene.at);
            }
            out.push(scene.notified(&topic, line, self.record(scene.at)));
        }
    }

    /// Everybody was reminded.
    pub(super) fn reminded(&mut self, at: Moment) {
        if let Some(ladder) = &mut self.ladder {
            let now = Since::now(at.mono);
            (ladder.reminded, ladder.told_at) = (Some(now), Some(now));
        }
    }

    /// The time of a hold is over: what was held back is summed up, or the alarm chatters no more.
    pub(super) fn sum_up(&mut self, office: &Office, scene: &Scene<'_>, out: &mut Vec<Event>) {
        let Some(chatter) = &mut self.chatter else {
            return;
        };
        let now = scene.at.mono;
        let policy = office.settings.policy(chatter.priority);
        if policy.is_some_and(|policy| chatter.ends(policy) > now) {
            return;
        }
        let told = office.settings.reached(
            chatter.priority,
            scene.area(&office.settings),
            0,
            scene.at.wall,
        );
        if chatter.held == 0 || told.is_empty() {
            self.chatter = None;
            return;
        }
        let (pages, age) = (chatter.held, chatter.since.age(now));
        if self.standing.covered {
            // Nobody is told now; nothing is forgotten either.
            chatter.since = Since::now(now);
            return;
        }
        if self.standing.active {
            self.settle_over(scene, out);
        }
        let running = self.ladder.as_ref().filter(|ladder| ladder.running);
        let topic = Topic {
            occurrence: scene.present.subject.occurrence,
            notice: Notice::Chatter,
            step: running.filter(|ladder| ladder.muted).map(|_| 0),
            message: Some(words::chatter_held(pages, age, self.standing.active)),
            unheard: false,
        };
        for (index, line) in told.iter().enumerate() {
            if index + 1 == told.len() {
                self.summed_up(&told, scene.at);
            }
            out.push(scene.notified(&topic, line, self.record(scene.at)));
        }
    }

    fn summed_up(&mut self, told: &[Told], at: Moment) {
        if let Some(chatter) = &mut self.chatter {
            chatter.held = 0;
            chatter.since = Since::now(at.mono);
        }
        if let Some(ladder) = self.ladder.as_mut().filter(|ladder| ladder.running) {
            if std::mem::take(&mut ladder.muted) {
                ladder.note_step(0, told, false, at.mono);
            }
            ladder.look = Some(at.mono);
            told.iter().for_each(|line| ladder.remember(line, at.mono));
        }
    }

    /// Tells everybody who was told that it is over, if it is and has been seen for long enough.
    pub(super) fn clear(&mut self, office: &Office, scene: &Scene<'_>, out: &mut Vec<Event>) {
        let Some(over) = &self.over else { return };
        let due = over.due(office.settings.policy(over.priority));
        // Of an alarm that is configured no more nobody would think later.
        let removed = scene.present.subject.index.is_none();
        if self.is_over() && (removed || due <= scene.at.mono) {
            self.settle_over(scene, out);
        }
    }

    /// Tells now that the older occurrence is over: at its time, or before a newer one is told of.
    pub(super) fn settle_over(&mut self, scene: &Scene<'_>, out: &mut Vec<Event>) {
        let Some(over) = self.over.take() else { return };
        let mut persons: Vec<Arc<str>> = Vec::new();
        for person in over.told.iter().flat_map(|told| &told.persons) {
            if !persons.contains(person) {
                persons.push(Arc::clone(person));
            }
        }
        let details = Details {
            message: match self.chatter {
                Some(_) => Some(words::over_while_chattering()),
                None => (scene.present.subject.is_drill()).then(words::only_the_drill),
            },
            duration_s: over.duration_s,
            peak: over.peak,
            persons: Some(persons),
            outputs: over
                .told
                .iter()
                .filter_map(|told| told.output.clone())
                .collect(),
            ..Details::default()
        };
        let mut event = scene.event(
            EventKind::AllClear,
            over.occurrence,
            details,
            self.record(scene.at),
        );
        if let Some(subject) = &mut event.subject {
            subject.priority = over.priority;
        }
        out.push(event);
    }

    /// Tells of occurrences found in delayed data, unless a flood holds them.
    pub(super) fn tell_late(
        &mut self,
        office: &mut Office,
        scene: &Scene<'_>,
        out: &mut Vec<Event>,
    ) {
        let Some(late) = self.late.filter(|late| !late.waits) else {
            return;
        };
        let told = office.settings.reached(
            late.priority,
            scene.area(&office.settings),
            0,
            scene.at.wall,
        );
        let every = office
            .settings
            .policy(late.priority)
            .map(|policy| policy.group_every);
        let (Some(every), false) = (every, told.is_empty() || self.standing.covered) else {
            self.late = None;
            return;
        };
        let key = scene.group(&office.settings, late.priority, LATE);
        if !office
            .gate
            .pass(&key, scene.alarm(), true, every, scene.at.mono)
        {
            self.late = Some(Late {
                waits: true,
                ..late
            });
            office.counts.flood += 1;
            return;
        }
        let topic = Topic {
            occurrence: late.occurrence,
            notice: Notice::Late,
            step: None,
            message: Some(words::late(late.count)),
            unheard: false,
        };
        for (index, line) in told.iter().enumerate() {
            if index + 1 == told.len() {
                self.late = None;
            }
            out.push(scene.notified(&topic, line, self.record(scene.at)));
        }
    }
}

/// Why a step is told now, beyond the alarm itself.
fn why(
    office: &Office,
    ladder: &Ladder,
    step: u16,
    unheard: bool,
    scene: &Scene<'_>,
) -> Option<String> {
    match (step, ladder.first) {
        (0, Notice::Chatter) => {
            let policy = office.settings.policy(ladder.priority)?;
            Some(words::chatter_begins(policy.chatter_hold))
        }
        (0, _) => ladder.left.as_deref().map(words::left_alone),
        _ if unheard => Some(words::unheard()),
        _ => Some(words::unattended(ladder.began.age(scene.at.mono))),
    }
}
