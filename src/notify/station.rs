//! The pair: the engine decides what every reading means, the notifier who is told of it. Whoever
//! watches a plant (`run`, `replay`, `demo`, `test`) holds this and nothing else, so that none of them
//! can differ.
//!
//! # Calling contract
//!
//! That of the [engine](crate::engine): make **one** call, drain [`Station::poll_effect`] until it says
//! `None`, ask [`Station::poll_timeout`] when to call [`Station::tick`] at the latest.
//!
//! # Order
//!
//! Time is one line for both. Before anything later is looked at, the timers of both fire at their due
//! times in order, at one instant the engine's first; so a page tells of the alarm as it stood when
//! the page was due. What the engine says is followed by the lines that it brings about; those of real
//! alarms come before those of drills, which have a notifier of their own. A reading before which nothing is due and
//! that says nothing costs two comparisons more than the engine alone: whether it is the word of an output about its
//! delivery (`channels.rs`) is the other.

use std::collections::VecDeque;
use std::sync::Arc;

use super::settings::NotifySettings;
use super::{Alarms, Notifier, Present};
use crate::engine::Engine;
use crate::engine::command::{Command, Denied, Outcome};
use crate::engine::effect::{Effect, Event, EventKind};
use crate::engine::inhibited::Inhibited;
use crate::engine::reading::{PointIndex, Reading};
use crate::engine::settings::Settings;
use crate::engine::snapshot::{History, Shown, Snapshot};
use crate::engine::time::{Moment, Mono};

/// Engine and notifiers.
#[derive(Debug)]
pub struct Station {
    engine: Engine,
    /// Tells of real alarms.
    notifier: Notifier,
    /// Tells of drills.
    drills: Notifier,
    /// When a notifier wants to be woken; every reading looks at it.
    due: Mono,
    effects: VecDeque<Effect>,
}

impl Alarms for Engine {
    fn present(&self, alarm: &str) -> Option<Present> {
        let (subject, record) = self.alarm(alarm)?;
        Some(Present {
            outlook: self.outlook(alarm),
            subject,
            record,
        })
    }
}

impl Station {
    /// Begins to watch, as [`Engine::start`]; what people should have been told meanwhile they are told
    /// at once.
    pub fn start(
        settings: &Settings,
        notify: NotifySettings,
        history: &History,
        now: Moment,
    ) -> Self {
        let untold = notify.untold(settings);
        let engine = Engine::start(settings, history, now);
        let notifier = Notifier::restore(notify.clone(), history, false, &engine, now);
        let drills = Notifier::restore(notify, history, true, &engine, now);
        let mut station = Self {
            engine,
            notifier,
            drills,
            due: Mono::ZERO,
            effects: VecDeque::with_capacity(64),
        };
        station.relay();
        station.confess(untold);
        for notifier in [&mut station.notifier, &mut station.drills] {
            let over = notifier.forget_removed(history, &station.engine, now);
            extend(&mut station.effects, over);
        }
        station.tell(now);
        station
    }

    /// One reading, at the time it was received.
    pub fn read(&mut self, reading: Reading) {
        let received = reading.received.mono;
        if self.poll_timeout().is_some_and(|due| due < received) {
            self.pass(received, false);
        }
        self.engine.read(reading);
        self.relay();
        self.hear(&reading);
    }

    /// One command, as [`Engine::command`].
    ///
    /// # Errors
    /// [`Denied`]: nothing changed, and why.
    pub fn command(&mut self, command: &Command, now: Moment) -> Result<Outcome, Denied> {
        self.pass(now.mono, true);
        let outcome = self.engine.command(command, now);
        self.relay();
        outcome
    }

    /// Lets time pass.
    pub fn tick(&mut self, now: Moment) {
        self.pass(now.mono, true);
        self.engine.tick(now);
        self.relay();
        self.tell(self.engine.now());
    }

    /// Nobody watched between `from` and `now`, as [`Engine::paused`]. What people should have been
    /// told meanwhile they are told now.
    pub fn paused(&mut self, from: Moment, now: Moment) {
        self.pass(from.mono, true);
        self.engine.paused(from, now);
        for notifier in [&mut self.notifier, &mut self.drills] {
            notifier.office.silences.paused(from.mono, now.mono);
        }
        self.relay();
        self.tell(self.engine.now());
    }

    /// The gateway ends in good order. The last call.
    pub fn stop(&mut self, now: Moment) {
        self.tick(now);
        self.engine.stop(now);
        self.relay();
    }

    /// The next thing to do; `None` when there is nothing left.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// Is there an event to commit?
    pub fn has_events(&self) -> bool {
        let mut effects = self.effects.iter();
        effects.any(|effect| matches!(effect, Effect::Event(_)))
    }

    /// When to call [`Station::tick`] at the latest. May be earlier than anything happens.
    pub fn poll_timeout(&self) -> Option<Mono> {
        let due = self
            .engine
            .poll_timeout()
            .map_or(self.due, |due| due.min(self.due));
        (due < Mono::NEVER).then_some(due)
    }

    /// A copy of the present.
    pub fn snapshot(&self) -> Snapshot {
        let mut snapshot = self.engine.snapshot();
        snapshot.notices = self.notifier.counts();
        for (alarm, view) in self.notifier.views(snapshot.at) {
            if let Some(index) = self.engine.index(alarm)
                && let Some(alarm) = snapshot.alarms.get_mut(index.0 as usize)
            {
                alarm.notices = Some(Box::new(view));
            }
        }
        for (name, view) in self.drills.views(snapshot.at) {
            let mut drills = snapshot.drills.iter_mut();
            if let Some(drill) = drills.find(|drill| *drill.record.alarm == *name) {
                drill.notices = Some(Box::new(view));
            }
        }
        snapshot
    }

    /// What is known of one point now, as [`Engine::show`].
    pub fn show(&self, point: PointIndex) -> Option<Shown> {
        self.engine.show(point)
    }

    /// The hazard points that are inhibited now, as [`Engine::inhibited`].
    pub fn inhibited(&self) -> Option<Inhibited> {
        self.engine.inhibited()
    }

    /// The first event says of how many alarms nobody is told.
    fn confess(&mut self, untold: usize) {
        if let (Some(Effect::Event(event)), 1..) = (self.effects.front_mut(), untold)
            && let Some(message) = &mut event.details.message
        {
            message.push_str(&format!("; nobody is told of {untold} of them"));
        }
    }

    /// An output may say whether it delivers. What that brings about comes with the timers.
    fn hear(&mut self, reading: &Reading) {
        let settings = &self.notifier.office.settings;
        let Some((output, delivers)) = settings.delivery(reading) else {
            return;
        };
        let (output, now) = (Arc::clone(output), self.engine.now().mono);
        for notifier in [&mut self.notifier, &mut self.drills] {
            notifier.hear(&output, delivers, now);
        }
        self.look_ahead();
    }

    /// Fires what is due before `to`, or at it when `inclusive`, in order of time.
    fn pass(&mut self, to: Mono, inclusive: bool) {
        while let Some(due) = self.poll_timeout()
            && (due < to || (inclusive && due == to))
        {
            let last = self.engine.now();
            let at = last.at(due.max(last.mono));
            self.engine.tick(at);
            self.relay();
            self.tell(at);
        }
    }

    /// Passes on what the engine said, each event with the lines that belong to it.
    fn relay(&mut self) {
        while let Some(effect) = self.engine.poll_effect() {
            match effect {
                Effect::Event(mut event) => {
                    let (real, drills) = (&mut self.notifier, &mut self.drills);
                    if event.kind == EventKind::ClockStepped {
                        real.restamp(&mut event, &self.engine);
                        drills.restamp(&mut event, &self.engine);
                    }
                    let (own, other) = match &event.subject {
                        Some(subject) if subject.is_drill() => (drills, real),
                        Some(_) | None => (real, drills),
                    };
                    other.complete_others(&mut event);
                    // Behind what ends a drill the engine says so; not yet.
                    let subject = event.subject.as_ref();
                    let raised = subject.filter(|_| event.kind == EventKind::Raised);
                    let in_drill = raised.is_some_and(|subject| other.is_active_at(&subject.point));
                    let lines = own.observe(&mut event, in_drill);
                    self.effects.push_back(Effect::Event(event));
                    extend(&mut self.effects, lines);
                    self.look_ahead();
                }
                Effect::Remember(_) => self.effects.push_back(effect),
            }
        }
    }

    /// Passes on what is due at `at`.
    fn tell(&mut self, at: Moment) {
        for notifier in [&mut self.notifier, &mut self.drills] {
            let lines = notifier.tick(at, &self.engine);
            extend(&mut self.effects, lines);
        }
        self.look_ahead();
    }

    fn look_ahead(&mut self) {
        let due = self.notifier.due().into_iter().chain(self.drills.due());
        self.due = due.min().unwrap_or(Mono::NEVER);
    }
}

fn extend(effects: &mut VecDeque<Effect>, lines: Vec<Event>) {
    effects.extend(lines.into_iter().map(|line| Effect::Event(Box::new(line))));
}
