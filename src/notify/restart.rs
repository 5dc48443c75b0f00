//! What a start takes up: ladders that ran, pages that were held, a flood that is not over, and alarms that are no
//! longer configured.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::case::{Case, Ladder};
use super::channels::Silences;
use super::gate::{Gate, GroupKey, WINDOW};
use super::scene::Scene;
use super::settings::NotifySettings;
use super::since::Since;
use super::{Alarms, Notifier, Office, Present};
use crate::engine::alarm::AlarmState;
use crate::engine::drill::drilled;
use crate::engine::effect::{Event, Outlook, Subject};
use crate::engine::notice::NoticeCounts;
use crate::engine::snapshot::{AlarmRecord, History};
use crate::engine::time::{Moment, Wall};

impl Notifier {
    /// Takes up what the journal knows of real alarms, or of drills. Nothing is told before the first
    /// [`Notifier::tick`].
    pub(super) fn restore(
        settings: NotifySettings,
        history: &History,
        drills: bool,
        alarms: &impl Alarms,
        now: Moment,
    ) -> Self {
        let mut notifier = Self {
            cases: BTreeMap::new(),
            agenda: BTreeSet::new(),
            office: Office {
                settings,
                gate: if history.records.is_empty() {
                    Gate::default()
                } else {
                    Gate::catching_up()
                },
                counts: NoticeCounts::default(),
                silences: Silences::default(),
            },
        };
        let since = |began: Wall| Since::restored(began, history.last_alive, now);
        let records = history.records.iter();
        for record in records.filter(|record| drilled(&record.alarm).is_some() == drills) {
            let mut case = Case::restore(record, since);
            if let Some(present) = alarms.present(&record.alarm) {
                notifier.resume(&mut case, &present, since, now);
                notifier.recall_held(&mut case, &present);
            }
            let alarm = Arc::clone(&record.alarm);
            notifier.cases.insert(alarm, case);
        }
        notifier.recall_flood(now);
        notifier.regroup(alarms, now);
        let alarms: Vec<_> = notifier.cases.keys().cloned().collect();
        alarms.iter().for_each(|alarm| notifier.schedule(alarm));
        notifier
    }

    /// An active alarm that nobody has acknowledged has a ladder, also when the power failed right
    /// after its raise, or when nobody was there to be told of it.
    fn resume(
        &self,
        case: &mut Case,
        present: &Present,
        since: impl Fn(Wall) -> Since,
        now: Moment,
    ) {
        let Present {
            subject, record, ..
        } = present;
        let area = self.office.settings.area_of(subject);
        let area = area.map(|area| &**area);
        let wants = record.state == AlarmState::Unacknowledged && !case.standing.covered;
        let running = case.ladder.as_ref().is_some_and(|ladder| ladder.running);
        if wants && !running && self.office.settings.reaches_anybody(subject.priority, area) {
            let mut ladder = Ladder::begin(present, None, now.mono);
            if let Some(raised_at) = record.raised_at {
                ladder.began = since(raised_at);
            }
            case.ladder = Some(ladder);
        }
    }

    /// A page that was held and is no longer wanted is counted by the summary that it waited for.
    fn recall_held(&mut self, case: &mut Case, present: &Present) {
        let Some(ladder) = case.ladder.as_mut().filter(|ladder| !ladder.running) else {
            return;
        };
        let every = self.office.settings.policy(ladder.priority);
        let every = every.map(|policy| policy.group_every).unwrap_or_default();
        ladder.held = std::mem::take(&mut ladder.owed);
        for step in &ladder.held {
            let key = GroupKey {
                priority: Reverse(ladder.priority),
                area: self.office.settings.area_of(&present.subject).cloned(),
                step: *step,
            };
            self.office
                .gate
                .recall_held(&key, &present.subject.alarm, every);
        }
    }

    /// A flood is not over because the gateway was away.
    fn recall_flood(&mut self, now: Moment) {
        let ladders = self.cases.values().filter_map(|case| case.ladder.as_ref());
        let counted = ladders.filter(|ladder| ladder.reminded.is_some());
        let mut began: Vec<Since> = counted.map(|ladder| ladder.began).collect();
        began.retain(|since| since.age(now.mono) < WINDOW);
        began.sort_by_key(|since| Reverse(since.age(now.mono)));
        for since in began {
            self.office.gate.count(since, now.mono);
        }
    }

    /// Forgets alarms that are no longer configured, after telling what is over; at start.
    pub(super) fn forget_removed(
        &mut self,
        history: &History,
        alarms: &impl Alarms,
        at: Moment,
    ) -> Vec<Event> {
        let mut out = Vec::new();
        for record in &history.records {
            if alarms.present(&record.alarm).is_some() {
                continue;
            }
            let Some(mut case) = self.cases.remove(&record.alarm) else {
                continue;
            };
            if let Some(due) = case.scheduled {
                self.agenda.remove(&(due, Arc::clone(&record.alarm)));
            }
            let present = Present {
                subject: Subject::unconfigured(&record.alarm),
                record: AlarmRecord {
                    state: AlarmState::Normal,
                    ..record.clone()
                },
                outlook: Outlook::default(),
            };
            case.settle_over(
                &Scene {
                    present: &present,
                    at,
                },
                &mut out,
            );
        }
        out
    }
}
