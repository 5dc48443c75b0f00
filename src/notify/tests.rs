//! The notifier against a model of the plant: the life cycle is the engine's own transition table, the
//! journal is what the events carried.

mod channels;
mod drills;
mod duties;
mod grouped;
mod held;
mod invariants;
mod ladders;
mod pair;
mod relief;
mod restarts;
mod storms;
mod urgent;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::settings::{NotifySettings, Policy, Role, Roles, Step, Target};
use super::*;
use crate::engine::alarm::{AlarmState, Input, Standing as Position, Traits, transition};
use crate::engine::effect::{Cause, Details, EventKind};
use crate::engine::notice::Notice;
use crate::engine::overlay::{Cover, Overlay, Shelf, Term};
use crate::engine::reading::{AlarmIndex, Quality};
use crate::engine::recurrence::{CHATTER_RAISES, CHATTER_WINDOW};
use crate::engine::settings::Priority;
use crate::engine::snapshot::{History, OpenOccurrence};
use crate::engine::time::Wall;

/// Two areas with an alarm of each kind that matters. `pit/gas` may never be held back, of `lobby/door`
/// nobody is told.
const PLANT: [(&str, &str, Priority, bool); 5] = [
    ("farm/level", "farm", Priority::Medium, true),
    ("farm/high", "farm", Priority::High, true),
    ("pit/gas", "pit", Priority::Medium, false),
    ("pit/hot", "pit", Priority::Critical, true),
    ("yard/door", "", Priority::Low, true),
];

const START: i64 = 1_767_225_600_000_000_000;

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn moment(seconds: f64) -> Moment {
    let span = Duration::from_secs_f64(seconds);
    Moment {
        mono: Mono::ZERO + span,
        wall: Wall::from_unix_nanos(START) + span,
    }
}

fn role(role: Role) -> Target {
    Target::Role(role)
}

/// Responsible at once, deputy after 60 s, principal after 180 s; reminders every 300 s.
fn settings() -> NotifySettings {
    let step = |after, to: Vec<Target>| Step {
        after: secs(after),
        to,
    };
    let policy = |outputs: &[&str]| {
        let mut first = vec![role(Role::Responsible)];
        first.extend(outputs.iter().map(|id| Target::Output((*id).into())));
        Policy {
            steps: vec![
                step(0, first),
                step(60, vec![role(Role::Deputy)]),
                step(180, vec![role(Role::Principal)]),
            ],
            remind_every: secs(300),
            hold_open: secs(20),
            chatter_hold: secs(600),
            group_every: secs(60),
        }
    };
    let roles = |area: &str| Roles {
        responsible: vec![
            format!("{area}-1").as_str().into(),
            format!("{area}-2").as_str().into(),
        ],
        deputy: vec![format!("{area}-d").as_str().into()],
        principal: vec!["boss".into()],
    };
    NotifySettings {
        policies: [
            (Priority::Critical, policy(&["room", "chat"])),
            (Priority::High, policy(&[])),
            (Priority::Medium, policy(&["room"])),
            // Nobody: what would reach no one goes to every output.
            (Priority::Low, policy(&[])),
        ]
        .into(),
        areas: [("farm".into(), roles("farm")), ("pit".into(), roles("pit"))].into(),
        outputs: vec!["room".into(), "chat".into()],
        may_be_held: PLANT.iter().map(|(.., held)| *held).collect(),
        ..NotifySettings::default()
    }
}

/// The engine's side, without points and rules.
#[derive(Debug, Clone, PartialEq)]
struct Plant(BTreeMap<Arc<str>, Present>);

impl Alarms for Plant {
    fn present(&self, alarm: &str) -> Option<Present> {
        self.0.get(alarm).cloned()
    }
}

impl Plant {
    fn new(plant: &[(String, String, Priority)]) -> Self {
        let alarms = plant.iter().zip(0..).map(|((id, area, priority), index)| {
            let alarm: Arc<str> = id.as_str().into();
            let record = AlarmRecord {
                priority: Some(*priority),
                ..AlarmRecord::new(Arc::clone(&alarm))
            };
            let subject = Subject {
                index: Some(AlarmIndex(index)),
                area: (!area.is_empty()).then(|| area.as_str().into()),
                priority: *priority,
                quality: Quality::Good,
                annunciated: true,
                first_out: false,
                ..Subject::unconfigured(id)
            };
            let present = Present {
                subject,
                record,
                outlook: Outlook::default(),
            };
            (alarm, present)
        });
        Self(alarms.collect())
    }
}

/// What happens to an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Raise,
    Clear,
    Acknowledge,
    Reset,
    Realarm,
    Shelve,
    /// By its time, or by a person.
    Unshelve {
        by_time: bool,
    },
    /// One priority up.
    Severity,
    /// An occurrence found in delayed data.
    Late,
}

struct Rig {
    settings: NotifySettings,
    /// As configured.
    blank: Plant,
    plant: Plant,
    notifier: Notifier,
    now: Moment,
    log: Vec<Event>,
    latching: bool,
    /// When each alarm was raised without anything over it.
    raises: BTreeMap<String, Vec<Mono>>,
}

impl Rig {
    fn new() -> Self {
        let plant = PLANT.map(|(id, area, priority, _)| (id.into(), area.into(), priority));
        Self::of(&plant, settings())
    }

    fn of(plant: &[(String, String, Priority)], settings: NotifySettings) -> Self {
        let plant = Plant::new(plant);
        let now = moment(0.0);
        let notifier = Notifier::restore(settings.clone(), &History::default(), false, &plant, now);
        Self {
            settings,
            blank: plant.clone(),
            plant,
            notifier,
            now,
            log: Vec::new(),
            latching: false,
            raises: BTreeMap::new(),
        }
    }

    /// Lets time pass; what is due is told at its time.
    fn pass_to(&mut self, seconds: f64) {
        let to = moment(seconds);
        while let Some(due) = self.notifier.due()
            && due <= to.mono
        {
            self.now = self.now.at(due.max(self.now.mono));
            let lines = self.notifier.tick(self.now, &self.plant);
            self.log.extend(lines);
        }
        self.now = to;
    }

    /// Something happens to an alarm, if it can.
    fn act(&mut self, seconds: f64, alarm: &str, act: Act) {
        self.pass_to(seconds);
        if let Some(mut event) = self.happen(alarm, act) {
            let lines = self.notifier.observe(&mut event, false);
            self.log.push(event);
            self.log.extend(lines);
        }
    }

    /// An output delivers, or does not.
    fn signal(&mut self, seconds: f64, output: &str, delivers: bool) {
        self.pass_to(seconds);
        self.notifier.hear(&output.into(), delivers, self.now.mono);
    }

    fn happen(&mut self, alarm: &str, act: Act) -> Option<Event> {
        let now = self.now;
        let Present {
            subject, record, ..
        } = self.plant.0.get_mut(alarm)?;
        let mut details = Details::default();
        let kind = match act {
            Act::Raise => EventKind::Raised,
            Act::Clear => EventKind::Cleared,
            Act::Acknowledge => EventKind::Acknowledged,
            Act::Reset => EventKind::Reset,
            Act::Realarm => EventKind::Realarmed,
            Act::Shelve => EventKind::Shelved,
            Act::Unshelve { .. } => EventKind::Unshelved,
            Act::Severity => EventKind::Changed,
            Act::Late => EventKind::Raised,
        };
        let input = match act {
            Act::Raise => Some(Input::Raise),
            Act::Clear => Some(Input::Clear),
            Act::Acknowledge => Some(Input::Acknowledge),
            Act::Reset => Some(Input::Reset { evidence: true }),
            Act::Realarm => Some(Input::Realarm),
            Act::Shelve => Some(Input::Lay(Overlay::Shelved)),
            Act::Unshelve { by_time: true } => Some(Input::End(Overlay::Shelved)),
            Act::Unshelve { by_time: false } => Some(Input::TakeOff(Overlay::Shelved)),
            Act::Severity | Act::Late => None,
        };
        let traits = Traits {
            latching: self.latching,
            ack_required: true,
        };
        let before = Position {
            state: record.state,
            overlays: record.overlays(),
        };
        if let Some(input) = input {
            let (after, _) = transition(before, input, traits).ok()?;
            if after == before {
                return None;
            }
            record.state = after.state;
            record.cover = after.overlays.shelved.then(|| {
                Box::new(Cover {
                    shelf: Some(Shelf {
                        by: "li-wei".into(),
                        reason: "work".into(),
                        approved_by: None,
                        term: Term::new(now, secs(3_600)),
                        one_shot: false,
                    }),
                    ..Cover::default()
                })
            });
        }
        match act {
            Act::Raise | Act::Late => {
                if act == Act::Late && before.state.is_active() {
                    return None;
                }
                if before.state.is_unacknowledged() {
                    record.unacknowledged.push(OpenOccurrence {
                        occurrence: record.occurrence,
                        raised_at: now.wall,
                        annunciation: record.annunciation,
                    });
                }
                record.occurrence += 1;
                record.raised_at = Some(now.wall);
                if act == Act::Raise && record.overlays().is_empty() {
                    let raises = self.raises.entry(alarm.to_owned()).or_default();
                    raises.push(now.mono);
                    let within = |at: &&Mono| now.mono.since(**at) < CHATTER_WINDOW;
                    record.chattering = raises.iter().filter(within).count() >= CHATTER_RAISES;
                }
                // What is named so tells of silence.
                if alarm.ends_with("/stale") || alarm.ends_with("/bad") {
                    details.reason = Some("no_communication".to_owned());
                    details.hides_hazard = alarm.starts_with("HIDES");
                }
                if act == Act::Late {
                    details.late = true;
                    record.state = AlarmState::ReturnedUnacknowledged;
                }
            }
            Act::Clear => (details.duration_s, details.peak) = (Some(1.5), Some(9.0)),
            Act::Severity => {
                subject.priority = match subject.priority {
                    Priority::Low => Priority::Medium,
                    Priority::Medium => Priority::High,
                    Priority::High => Priority::Critical,
                    Priority::Critical => return None,
                };
                record.priority = Some(subject.priority);
                if record.state.is_active() {
                    record.state = AlarmState::Unacknowledged;
                }
            }
            Act::Acknowledge | Act::Reset | Act::Realarm | Act::Shelve | Act::Unshelve { .. } => {}
        }
        subject.occurrence = record.occurrence;
        subject.state = record.state;
        subject.overlays = record.overlays();
        subject.annunciated = record.overlays().is_empty() && !details.late;
        let event = Event {
            at: now,
            kind,
            subject: Some(subject.clone()),
            cause: Cause::Process,
            details,
            record: Some(record.clone()),
            others: Vec::new(),
        };
        subject.annunciated = record.overlays().is_empty();
        Some(event)
    }

    /// Power fails after the first `kept` events of the log, and comes back at `seconds`.
    fn power_cut(&mut self, kept: usize, seconds: f64) {
        self.log.truncate(kept);
        let mut stored: BTreeMap<Arc<str>, AlarmRecord> = BTreeMap::new();
        for event in &self.log {
            for record in event.record.iter().chain(&event.others) {
                stored.insert(Arc::clone(&record.alarm), record.clone());
            }
        }
        let alive = self.log.last().map(|event| event.at.wall);
        // What is stored is what there is; JSON is what it goes through.
        let mut history = History {
            last_alive: alive,
            ..History::default()
        };
        for record in stored.values() {
            let text = serde_json::to_string(record).expect("it serializes");
            history
                .records
                .push(serde_json::from_str(&text).expect("and back"));
        }
        self.plant = self.blank.clone();
        for (alarm, stored) in stored {
            let Some(Present {
                subject, record, ..
            }) = self.plant.0.get_mut(&alarm)
            else {
                continue;
            };
            *record = stored;
            record.notices = None;
            subject.occurrence = record.occurrence;
            subject.state = record.state;
            subject.overlays = record.overlays();
            subject.annunciated = record.overlays().is_empty();
            subject.priority = record.priority.unwrap_or(subject.priority);
        }
        self.raises.clear();
        self.now = moment(seconds);
        self.notifier = Notifier::restore(
            self.settings.clone(),
            &history,
            false,
            &self.plant,
            self.now,
        );
        let lines = self.notifier.tick(self.now, &self.plant);
        self.log.extend(lines);
    }

    /// Every line that tells somebody, in words: `60 page 1 farm-d` or `80 all_clear farm-1,farm-2`.
    fn told(&self, alarm: &str) -> Vec<String> {
        let lines = self.log.iter().filter(|event| {
            let own = event.subject.as_ref();
            own.is_some_and(|subject| &*subject.alarm == alarm)
                && matches!(event.kind, EventKind::Notified | EventKind::AllClear)
        });
        lines.map(said).collect()
    }
}

fn said(event: &Event) -> String {
    let details = &event.details;
    let mut words = vec![format!("{}", event.at.mono.since(Mono::ZERO).as_secs_f64())];
    words.push(details.notice.map_or("all_clear", Notice::name).to_owned());
    words.extend(details.step.map(|step| step.to_string()));
    words.push(details.persons.as_ref().expect("always there").join(","));
    words.extend(
        details
            .output
            .as_ref()
            .map(|output| format!("over {output}")),
    );
    words.retain(|word| !word.is_empty());
    words.join(" ")
}
