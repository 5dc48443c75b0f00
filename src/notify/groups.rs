//! Lines that stand for many alarms: the summary of pages held in a flood, and the reminders of those
//! who were told by it. The line is about one alarm; the records of all of them are stored with it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::case::{Case, Ladder};
use super::gate::{GroupKey, LATE};
use super::scene::{Scene, Topic};
use super::{Alarms, Notifier, Present, words};
use crate::engine::effect::Event;
use crate::engine::notice::{Notice, Told};
use crate::engine::settings::Priority;
use crate::engine::time::{Moment, Mono};

/// Alarms of one area and priority that were told of together, to the same people, and are due for the
/// same reminder.
pub(super) type Reminders =
    BTreeMap<(Reverse<Priority>, Option<Arc<str>>, Vec<Told>), Vec<Arc<str>>>;

impl Notifier {
    /// The summary of pages that a flood held back.
    pub(super) fn sum_up_group(
        &mut self,
        key: &GroupKey,
        held: &[Arc<str>],
        at: Moment,
        alarms: &impl Alarms,
        out: &mut Vec<Event>,
    ) {
        let members = distinct(held);
        let waiting = self.release(key, &members, at, alarms, out);
        // Who reads only the beginning reads of what still calls.
        let members = distinct(&[&waiting[..], &members[..]].concat());
        // Beneath an overlay nobody is told: the others speak for the group, if there are any.
        let speaks = |alarm: &&Arc<str>| {
            let case = self.cases.get(*alarm);
            case.is_some_and(|case| !case.standing.covered)
        };
        let representative = waiting.first().or_else(|| members.iter().find(speaks));
        let Some(present) = representative.and_then(|alarm| alarms.present(alarm)) else {
            for alarm in &members {
                let case = self.cases.get_mut(alarm).filter(|_| key.step == LATE);
                case.into_iter().for_each(|case| case.late = None);
                self.schedule(alarm);
            }
            return;
        };
        let area = key.area.as_deref();
        let (topic, step) = if key.step == LATE {
            (self.late_topic(area, &members, &present), 0)
        } else {
            let unheard = waiting
                .iter()
                .any(|alarm| self.is_early(alarm, key, at.mono));
            let mut message = words::flood(area, &members, held.len(), waiting.len());
            if unheard {
                message.push_str(&format!("; {}", words::unheard()));
            }
            let topic = Topic {
                occurrence: present.subject.occurrence,
                notice: Notice::Flood,
                step: (!waiting.is_empty()).then_some(key.step),
                message: Some(message),
                unheard,
            };
            (topic, key.step)
        };
        let told = self
            .office
            .settings
            .reached(key.priority.0, area, step, at.wall);
        for (index, line) in told.iter().enumerate() {
            for alarm in &waiting {
                if let Some(case) = self.cases.get_mut(alarm) {
                    case.step_told(step, index + 1, told.len(), line, at);
                }
            }
            out.push(self.group_line(&present, &topic, line, &members, at, alarms));
        }
        for alarm in &members {
            let case = self.cases.get_mut(alarm);
            if let Some(ladder) = case.and_then(|case| case.ladder.as_mut()) {
                ladder.look = Some(at.mono);
            }
            self.review_members(alarm, at.mono);
            self.schedule(alarm);
        }
    }

    /// Is the page of this group early?
    fn is_early(&self, alarm: &Arc<str>, key: &GroupKey, now: Mono) -> bool {
        let ladder = self.cases.get(alarm).and_then(|case| case.ladder.as_ref());
        let policy = self.office.settings.policy(key.priority.0);
        let both = ladder.zip(policy);
        both.is_some_and(|(ladder, policy)| ladder.is_early(key.step, policy, now))
    }

    /// The pages of the group wait no longer. Gives the alarms of which they are still wanted; if an older
    /// occurrence of one is over, that is told before.
    fn release(
        &mut self,
        key: &GroupKey,
        members: &[Arc<str>],
        at: Moment,
        alarms: &impl Alarms,
        out: &mut Vec<Event>,
    ) -> Vec<Arc<str>> {
        let mut waiting = Vec::new();
        for alarm in members {
            let (Some(case), Some(present)) = (self.cases.get_mut(alarm), alarms.present(alarm))
            else {
                continue;
            };
            if case.waits_for(key) {
                let scene = Scene {
                    present: &present,
                    at,
                };
                case.settle_over(&scene, out);
                waiting.push(Arc::clone(alarm));
            }
        }
        // Only now: what was said above is still the state before the summary.
        for alarm in members {
            if let Some(case) = self.cases.get_mut(alarm) {
                case.release(key);
            }
        }
        waiting
    }

    /// Occurrences found in delayed data wait no longer.
    fn late_topic(&mut self, area: Option<&str>, members: &[Arc<str>], present: &Present) -> Topic {
        let mut count = 0_u32;
        let mut occurrence = present.subject.occurrence;
        for alarm in members {
            let late = self.cases.get_mut(alarm).and_then(|case| case.late.take());
            let Some(late) = late else { continue };
            count = count.saturating_add(late.count);
            if *alarm == present.subject.alarm {
                occurrence = late.occurrence;
            }
        }
        Topic {
            occurrence,
            notice: Notice::Late,
            step: None,
            message: Some(words::late_group(area, members, count)),
            unheard: false,
        }
    }

    /// One reminder for alarms that were told of together.
    pub(super) fn remind_group(
        &self,
        told: &[Told],
        group: &[Arc<str>],
        at: Moment,
        alarms: &impl Alarms,
        out: &mut Vec<Event>,
    ) {
        let Some(present) = group.first().and_then(|alarm| alarms.present(alarm)) else {
            return;
        };
        let ladder = self.cases.get(&present.subject.alarm);
        let ladder = ladder.and_then(|case| case.ladder.as_ref());
        let age = ladder.map_or_else(Default::default, |ladder| ladder.began.age(at.mono));
        let topic = Topic {
            occurrence: present.subject.occurrence,
            notice: Notice::Reminder,
            step: None,
            message: Some(words::unattended_group(group, age)),
            unheard: false,
        };
        for line in told {
            out.push(self.group_line(&present, &topic, line, group, at, alarms));
        }
    }

    fn group_line(
        &self,
        present: &Present,
        topic: &Topic,
        told: &Told,
        members: &[Arc<str>],
        at: Moment,
        alarms: &impl Alarms,
    ) -> Event {
        let notices = |alarm: &Arc<str>| self.cases.get(alarm).and_then(|case| case.record(at));
        let own = &present.subject.alarm;
        let mut event = Scene { present, at }.notified(topic, told, notices(own));
        event.details.alarms = members.to_vec();
        let others = members.iter().filter(|alarm| *alarm != own);
        event.others = others
            .filter_map(|alarm| {
                let mut other = alarms.present(alarm)?.record;
                other.notices = notices(alarm);
                Some(other)
            })
            .collect();
        event
    }
}

impl Case {
    /// Is its page in this group held, and still wanted?
    fn waits_for(&self, key: &GroupKey) -> bool {
        let ladder = self.ladder.as_ref();
        ladder.is_some_and(|ladder| ladder.running && ladder.waits_in(key))
    }

    /// Its page in this group is held no longer.
    fn release(&mut self, key: &GroupKey) {
        let step = key.step;
        let ladder = self.ladder.as_mut();
        let Some(ladder) = ladder.filter(|ladder| ladder.waits_in(key)) else {
            return;
        };
        ladder.grouped |= step == 0 && ladder.held.contains(&0);
        ladder.held.retain(|held| *held != step);
        if !ladder.running && ladder.told.is_empty() && ladder.held.is_empty() {
            self.ladder = None;
        }
    }
}

impl Ladder {
    /// Since its severity changed, a page of the ladder before may wait in another group.
    pub(super) fn waits_in(&self, key: &GroupKey) -> bool {
        self.priority == key.priority.0 && self.held.contains(&key.step)
    }
}

/// Each once, in order.
fn distinct(alarms: &[Arc<str>]) -> Vec<Arc<str>> {
    let mut seen = BTreeSet::new();
    let new = alarms.iter().filter(|alarm| seen.insert(Arc::clone(alarm)));
    new.cloned().collect()
}
