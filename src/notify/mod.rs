//! Who is told when. Decides and sends nothing: it reads the engine's events and answers with events
//! of its own, `notified` and `all_clear`, which are committed like all others. Outputs deliver them.
//!
//! It does no input or output, reads no clock and spawns nothing. [`station::Station`] drives engine
//! and notifier as a pair.
//!
//! # The way of an alarm
//!
//! ```text
//!   annunciated, unacknowledged                     acknowledged, cleared,
//!   (raise, re-alarm, end of an overlay)            an overlay begins
//!        │                                               │
//!        ▼                                               ▼
//!   ┌─────────┐  step 0   step 1   step 2 ...      ┌───────────┐ cleared  ┌──────┐ hold_open
//!   │ ladder  │ ──page────page─────page──────────▶ │  stopped  │ ───────▶ │ over │ ─────────▶ all_clear
//!   └─────────┘     └─ reminder ── reminder ─▶     └───────────┘ (reset,  └──────┘
//!        ▲                                                        if latching)
//!        └── the next annunciation begins again at step 0
//! ```
//!
//! - **Steps** count from 0 and are told once for each annunciation (contract 8.7), restarts included.
//!   Those that became due while nobody watched are told once, at once. A changed ladder takes effect
//!   with the restart that loads it: a ladder that runs goes on with the number after the last one
//!   done, as the new ladder has it, so no number comes twice.
//! - **Where nobody may have heard**, for its outputs do not deliver, the next step comes at once: `channels.rs`.
//! - **Reminders** go to everybody who was told, while the alarm is active and nobody acknowledges; and to whoever
//!   comes on duty meanwhile: `relief.rs`.
//! - **The all-clear** goes to everybody who was told of an occurrence, once for each, acknowledged or
//!   not. Not before `hold_open` after the last notice: an alarm shorter than a receiver's window must
//!   be seen. Not while a newer occurrence is active, unless the next line says so: nobody is told that
//!   it is over while it is not. Of a latching alarm only after its reset.
//! - **Beneath an overlay** nobody is told, save that what they were told of is over.
//!
//! # What is held back, and never silently
//!
//! - **Chatter**: the engine marks an alarm that is raised three times within a minute. The raise
//!   with the mark is told as `chatter`; after it the first pages of raises are held and summed up every
//!   `chatter_hold`, until a hold passes without any.
//!   Only of medium and low priority, never of gas points, the outermost limits, re-alarms or ends of
//!   overlays. Later steps of an alarm that stays are not held.
//! - **Floods**: `gate.rs`.
//! - **Lost devices and brokers**: `connection.rs`.
//! - **Delayed data**: one `late` notice, no ladder.
//!
//! # Drills
//!
//! A drill goes the same way, in a notifier of its own ([`station`]): its pages neither make a flood of
//! real ones nor wait behind them. Only what ends a drill is never grouped under a lost device.
//!
//! # Bounds
//!
//! | what | bound |
//! |---|---|
//! | cases | one per alarm |
//! | agenda | one entry per case |
//! | lines of one step | one per output that it names, or one |
//! | pages held in a group | 500, then they are summed up early |
//! | alarms that one line names | 500 |
//! | pages held while an alarm chatters | a number |
//! | alarms grouped under one of a device | as many as its points have about silence |
//! | outputs that do not deliver | as many as there are |

mod case;
pub mod channels;
mod connection;
mod gate;
mod groups;
mod news;
mod relief;
mod restart;
pub mod rota;
mod scene;
pub mod settings;
mod since;
pub mod station;
mod telling;
mod view;
mod words;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use self::case::{Case, Standing};
use self::channels::Silences;
use self::gate::{GROUP_FULL, Gate};
use self::groups::Reminders;
use self::news::News;
use self::scene::Scene;
use self::settings::NotifySettings;
use crate::engine::drill::drilled;
use crate::engine::effect::{Event, Outlook, Subject};
use crate::engine::notice::NoticeCounts;
use crate::engine::snapshot::AlarmRecord;
use crate::engine::time::{Moment, Mono};

/// An alarm as it stands.
#[derive(Debug, Clone, PartialEq)]
struct Present {
    /// For events about it.
    subject: Subject,
    /// Its durable state.
    record: AlarmRecord,
    /// Which way its value goes.
    outlook: Outlook,
}

/// Every alarm as it stands: the engine, or a model of it.
trait Alarms {
    /// `None`: no such alarm is configured.
    fn present(&self, alarm: &str) -> Option<Present>;
}

/// Decides who is told when. The calling contract is that of the pair: [`station::Station`].
#[derive(Debug)]
struct Notifier {
    cases: BTreeMap<Arc<str>, Case>,
    agenda: BTreeSet<(Mono, Arc<str>)>,
    office: Office,
}

/// What all cases share.
#[derive(Debug)]
struct Office {
    settings: NotifySettings,
    gate: Gate,
    counts: NoticeCounts,
    /// Outputs that do not deliver (`channels.rs`).
    silences: Silences,
}

impl Notifier {
    /// Takes an event of the engine: completes its record, and gives the lines that belong right
    /// behind it. `in_drill`: people exercise with an alarm of the same point.
    fn observe(&mut self, event: &mut Event, in_drill: bool) -> Vec<Event> {
        let mut out = Vec::new();
        self.complete_others(event);
        let Some(present) = present(event) else {
            return out;
        };
        let alarm = Arc::clone(&present.subject.alarm);
        let known = self.cases.get(&alarm);
        let news = News::of(event, &present, known, &self.office.settings);
        if matches!(news, News::Annunciated { .. } | News::Late) {
            self.cases.entry(Arc::clone(&alarm)).or_default();
        }
        let speaker = self.speaker(event, &present).filter(|_| !in_drill);
        let Some(case) = self.cases.get_mut(&alarm) else {
            return out;
        };
        let at = event.at;
        case.standing = Standing::of(&present.record);
        let held_back = case.take(news, event, &present, speaker, &mut self.office);
        if let (true, Some(subject)) = (held_back, &mut event.subject) {
            subject.annunciated = false;
        }
        // What is told below has lines of its own, with records of their own.
        if let Some(record) = &mut event.record {
            record.notices = case.record(at);
        }
        let scene = Scene {
            present: &present,
            at,
        };
        case.tell_late(&mut self.office, &scene, &mut out);
        // An event about an older occurrence does not show how the newest one stands.
        if present.subject.occurrence == present.record.occurrence {
            case.climb(&mut self.office, &scene, &mut out);
            case.clear(&self.office, &scene, &mut out);
        }
        if let Some(lost) = event.details.grouped_under.as_ref() {
            self.join(lost, &alarm);
        }
        self.review_members(&alarm, at.mono);
        self.schedule(&alarm);
        out
    }

    /// Is an alarm of this point active that somebody would be told of?
    fn is_active_at(&self, point: &str) -> bool {
        let active = |(alarm, case): (&Arc<str>, &Case)| {
            let own = drilled(alarm).unwrap_or(alarm);
            case.standing.active && own.rsplit_once('/').is_some_and(|(of, _)| of == point)
        };
        self.cases.iter().any(active)
    }

    /// The wall clock stepped: everything that is remembered by its time goes with the event that says so.
    fn restamp(&self, event: &mut Event, alarms: &impl Alarms) {
        let others = event.others.iter().map(|record| Arc::clone(&record.alarm));
        let others: BTreeSet<Arc<str>> = others.collect();
        let cases = self.cases.iter();
        let cases = cases.filter(|(alarm, _)| !others.contains(*alarm));
        let stamped = cases.filter(|(_, case)| case.record(event.at).is_some());
        let records = stamped.filter_map(|(alarm, _)| Some(alarms.present(alarm)?.record));
        event.others.extend(records);
    }

    /// Completes the records of other alarms that go with an event, as far as they have cases here.
    fn complete_others(&self, event: &mut Event) {
        for record in &mut event.others {
            if let Some(case) = self.cases.get(&record.alarm) {
                record.notices = case.record(event.at);
            }
        }
    }

    /// Tells everything that is due at `at`.
    fn tick(&mut self, at: Moment, alarms: &impl Alarms) -> Vec<Event> {
        let mut out = Vec::new();
        let mut reminders = Reminders::new();
        // A page may join a group that is summed up at this instant.
        while self.due().is_some_and(|due| due <= at.mono) {
            while let Some((key, held)) = self.office.gate.take_due(at.mono) {
                self.sum_up_group(&key, &held, at, alarms, &mut out);
            }
            while let Some(alarm) = self.take_due(at.mono) {
                self.attend(&alarm, at, alarms, &mut reminders, &mut out);
            }
        }
        self.office.gate.caught_up();
        for ((_, _, told), group) in reminders {
            for group in group.chunks(GROUP_FULL) {
                self.remind_group(&told, group, at, alarms, &mut out);
            }
        }
        out
    }

    /// When to call [`Notifier::tick`] at the latest.
    fn due(&self) -> Option<Mono> {
        let case = self.agenda.first().map(|(due, _)| *due);
        case.into_iter().chain(self.office.gate.due()).min()
    }

    fn take_due(&mut self, now: Mono) -> Option<Arc<str>> {
        let (due, _) = self.agenda.first()?;
        if *due > now {
            return None;
        }
        let (_, alarm) = self.agenda.pop_first()?;
        if let Some(case) = self.cases.get_mut(&alarm) {
            case.scheduled = None;
        }
        Some(alarm)
    }

    fn attend(
        &mut self,
        alarm: &Arc<str>,
        at: Moment,
        alarms: &impl Alarms,
        reminders: &mut Reminders,
        out: &mut Vec<Event>,
    ) {
        self.ungroup(alarm, alarms, at);
        let (Some(present), Some(case)) = (alarms.present(alarm), self.cases.get_mut(alarm)) else {
            self.cases.remove(alarm);
            return;
        };
        let scene = Scene {
            present: &present,
            at,
        };
        case.tell_late(&mut self.office, &scene, out);
        let together = case.call_again(&self.office, &scene, out);
        if let (Some(told), Some(ladder)) = (together, &case.ladder) {
            let area = self.office.settings.area_of(&present.subject).cloned();
            let key = (Reverse(ladder.priority), area, told);
            reminders.entry(key).or_default().push(Arc::clone(alarm));
        }
        case.climb(&mut self.office, &scene, out);
        case.sum_up(&self.office, &scene, out);
        case.clear(&self.office, &scene, out);
        self.review_members(alarm, at.mono);
        self.schedule(alarm);
    }

    fn schedule(&mut self, alarm: &Arc<str>) {
        let Some(case) = self.cases.get_mut(alarm) else {
            return;
        };
        let due = case.due(&self.office.settings);
        if due == case.scheduled {
            return;
        }
        if let Some(before) = case.scheduled {
            self.agenda.remove(&(before, Arc::clone(alarm)));
        }
        case.scheduled = due;
        self.agenda.extend(due.map(|due| (due, Arc::clone(alarm))));
    }
}

/// The alarm as it stands after an event of its life.
fn present(event: &Event) -> Option<Present> {
    Some(Present {
        subject: event.subject.clone()?,
        record: event.record.clone()?,
        outlook: Outlook {
            slope_per_min: event.details.slope_per_min,
            forecast_s: event.details.forecast_s.clone(),
        },
    })
}

#[cfg(test)]
mod tests;
