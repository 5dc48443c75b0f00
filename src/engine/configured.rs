//! What was configured in the run before, and what is configured now (alarm-standards 1.5.6 and 1.5.11).
//!
//! Settings change with a restart only. The journal keeps what every alarm compared with, how long it
//! waited, how urgent it was, and everything else that decides what it does ([`inventory`]); the next
//! start compares. Every difference is a `config_changed` event of its alarm, with the old and the new
//! value; a difference of a point is one of each of its alarms, for they see through it. One more event
//! tells how many there are. What follows for an occurrence that is open:
//!
//! | changed  | so                                                                                      |
//! |----------|-----------------------------------------------------------------------------------------|
//! | limit,   | the first good value is judged by the new rule at once: if only the change ended the    |
//! | deadband,| condition it is `cleared` without a delay, reason `config_change`                       |
//! | position |                                                                                         |
//! | what it  | what the old rule saw is gone: the occurrence goes on until the new one has a verdict.  |
//! | looks at | If that ends it, after its delay, before it has once found the condition true by its    |
//! |          | own data, it is `cleared` with the reason `config_change`                               |
//! | priority | higher: `changed`, and recognised or not, it wants attention as a new call to people    |
//! |          | lower: `changed`, for the record only                                                   |
//! | removed  | `cleared`, reason `rule_removed`                                                        |
//!
//! What is remembered of a point ([`refill`](super::refill), [`exposure`](super::exposure)) is taken up as far
//! as it may stand beside what the point shows now ([`Kinship`]).
//!
//! A journal that does not know (a new one, or one of an older version) is no difference. What the engine
//! is not told is not here either: the addresses of devices and brokers, and who is called.

mod company;
mod former;
mod inventory;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(super) use self::former::Former;
use super::Engine;
use super::alarm::{AlarmState, Input, Step, transition};
use super::effect::{Cause, Details, Effect, EventKind, Was};
use super::memory::{CONFIGURATION, Configured, Content, Keys, Memory};
use super::occurrence::Alarm;
use super::reading::PointIndex;
use super::rule::Watch;
use super::settings::{PointSettings, Priority, Settings};
use super::snapshot::History;
use super::time::{Moment, show_duration};

/// What stands for a setting that is left out.
const OFF: &str = "off";

/// Names of alarms in a message at most; the events of the alarms name all of them.
pub(super) const NAMED: usize = 10;

impl Engine {
    /// Compares with the run before, and keeps what is configured for the next one.
    pub(super) fn compare_configuration(&mut self, settings: &Settings, history: &History) {
        let before = kept(history);
        let mut told = Told::default();
        let is_known = before.is_some_and(|before| self.tell_apart(settings, before, &mut told));
        if let Some(before) = before {
            self.let_go(before, history);
        }
        let removed = before.into_iter().flat_map(|(alarms, _)| alarms.keys());
        let removed = removed.filter(|alarm| self.find(alarm).is_none());
        let removed: Vec<Arc<str>> = removed.cloned().collect();
        let told = [
            ("changed", &told.changed),
            ("added", &told.added),
            ("removed", &removed),
        ];
        let told = told.iter().filter(|(_, alarms)| !alarms.is_empty());
        let told: Vec<String> = told.map(|(what, alarms)| listed(what, alarms)).collect();
        if !told.is_empty() {
            let details = Details {
                message: Some(told.join("; ")),
                ..Details::default()
            };
            self.announce(EventKind::ConfigChanged, Cause::Config, details);
        }
        if !is_known {
            let content = self.inventory(settings);
            self.effects.push_back(Effect::Remember(Box::new(Memory {
                alarm: CONFIGURATION.into(),
                at: self.now.wall,
                content,
            })));
        }
    }

    /// Compares alarm by alarm: with tens of thousands there is not room for two inventories. Says whether
    /// what was kept is what is configured.
    fn tell_apart(&mut self, settings: &Settings, before: Before<'_>, told: &mut Told) -> bool {
        let (alarms_then, points_then) = before;
        let now = self.now;
        let first_outs = company::first_outs(settings);
        let all = (alarms_then.len(), points_then.len());
        let mut is_known = all == (self.alarms.len(), settings.points.len());
        let mut index = 0;
        for (position, point) in (0_u32..).map(PointIndex).zip(&settings.points) {
            let point_is = inventory::of_point(point, settings);
            let point_was = points_then.get(&point.id);
            is_known &= point_was == Some(&point_is);
            let of_point = point_was.map(|was| differences(was, &point_is));
            for alarm in &point.alarms {
                let is = self.configured(index, position, point, alarm, &first_outs);
                let id = &self.alarms[index].id;
                let was = alarms_then.get(id);
                is_known &= was == Some(&is);
                match was {
                    None => told.added.push(Arc::clone(id)),
                    Some(was) => {
                        let difference = Difference::new(was, &is, of_point.as_deref());
                        if !difference.is_empty() {
                            told.changed.push(Arc::clone(id));
                            self.reconfigure(index, &difference, now);
                        }
                    }
                }
                index += 1;
            }
        }
        is_known
    }

    fn reconfigure(&mut self, index: usize, difference: &Difference<'_>, now: Moment) {
        let Difference { was, is, others } = difference;
        let alarm = &mut self.alarms[index];
        if alarm.state.is_active()
            && let Some(episode) = &mut alarm.episode
        {
            let former = difference.former(&alarm.watch);
            let counts = alarm.count.is_some();
            episode.unproven = difference.is_blind(&alarm.watch) || counts && former.is_some();
            episode.former = former.filter(|_| !counts);
        }
        let settings = others.iter();
        let settings = settings.map(|(key, was, _)| ((*key).to_owned(), (*was).to_owned()));
        let details = Details {
            reason: Some("config_change".to_owned()),
            message: Some(self.consequences(index, difference)),
            was: Some(Box::new(Was {
                limit: was.limit.filter(|_| was.limit != is.limit),
                on_delay_s: (was.on_delay != is.on_delay).then_some(was.on_delay.as_secs_f64()),
                off_delay_s: (was.off_delay != is.off_delay).then_some(was.off_delay.as_secs_f64()),
                priority: (was.priority != is.priority).then_some(was.priority),
                settings: settings.collect(),
            })),
            ..Details::default()
        };
        self.report(index, EventKind::ConfigChanged, Cause::Config, details, now);
        if was.priority != is.priority {
            self.change_severity(index, now);
        }
    }

    /// What changed, and what is lost by it that nobody would see otherwise.
    fn consequences(&self, index: usize, difference: &Difference<'_>) -> String {
        let mut words = difference.in_words();
        let mut names = difference.others.iter();
        let is_averaged = matches!(self.alarms[index].watch, Watch::Exposure(_));
        if is_averaged && names.any(|(name, ..)| inventory::SCALE.contains(name)) {
            words.push_str("; the average begins anew");
        }
        words
    }

    /// An open occurrence is as urgent as its alarm is now.
    fn change_severity(&mut self, index: usize, now: Moment) {
        let alarm = &mut self.alarms[index];
        let (before, wanted) = (alarm.priority, alarm.wanted_priority());
        if wanted == before || alarm.state == AlarmState::Normal {
            return;
        }
        alarm.priority = wanted;
        let reason = if wanted > before {
            let realarmed = transition(alarm.standing(), Input::Realarm, alarm.traits);
            if let Ok((standing, Step::Realarmed)) = realarmed {
                alarm.withdraw_acknowledgement(now);
                alarm.state = standing.state;
            }
            "priority_raised"
        } else {
            "priority_lowered"
        };
        let details = Details {
            reason: Some(reason.to_owned()),
            message: Some(format!("priority {} -> {}", before.name(), wanted.name())),
            ..Details::default()
        };
        self.report(index, EventKind::Changed, Cause::Config, details, now);
    }
}

impl Alarm {
    /// The priority of the newest occurrence under the present settings.
    fn wanted_priority(&self) -> Priority {
        if self.inherits {
            self.priority.max(self.floor)
        } else {
            self.floor
        }
    }
}

/// `2 changed: A/high, B/high`.
pub(super) fn listed(what: &str, alarms: &[Arc<str>]) -> String {
    let names: Vec<&str> = alarms.iter().take(NAMED).map(|alarm| &**alarm).collect();
    let more = if alarms.len() > NAMED { ", ..." } else { "" };
    format!("{} {what}: {}{more}", alarms.len(), names.join(", "))
}

/// Alarms that are others than before, and that were not there.
#[derive(Default)]
struct Told {
    changed: Vec<Arc<str>>,
    added: Vec<Arc<str>>,
}

/// What is another than before, of one alarm.
struct Difference<'c> {
    was: &'c Configured,
    is: &'c Configured,
    others: Vec<Changed<'c>>,
}

/// Name, before, now.
type Changed<'c> = (&'c str, &'c str, &'c str);

impl<'c> Difference<'c> {
    /// Of an alarm, and of its point, as far as that is known.
    fn new(was: &'c Configured, is: &'c Configured, of_point: Option<&[Changed<'c>]>) -> Self {
        let own = was.others.iter().zip(&is.others);
        let own = own.flat_map(|(was, is)| differences(was, is));
        let of_point = of_point.into_iter().flatten().copied();
        Self {
            others: own.chain(of_point).collect(),
            was,
            is,
        }
    }

    fn is_empty(&self) -> bool {
        let Self { was, is, others } = self;
        was.limit == is.limit
            && was.on_delay == is.on_delay
            && was.off_delay == is.off_delay
            && was.priority == is.priority
            && others.is_empty()
    }

    /// `limit 25 -> 30, priority high -> critical, stale_after 5s -> 10s`.
    fn in_words(&self) -> String {
        let Self { was, is, others } = self;
        let number =
            |limit: Option<f64>| limit.map_or_else(|| "none".to_owned(), |limit| limit.to_string());
        let named = [
            ("limit", number(was.limit), number(is.limit)),
            (
                "on_delay",
                show_duration(was.on_delay),
                show_duration(is.on_delay),
            ),
            (
                "off_delay",
                show_duration(was.off_delay),
                show_duration(is.off_delay),
            ),
            (
                "priority",
                was.priority.name().to_owned(),
                is.priority.name().to_owned(),
            ),
        ];
        let named = named.iter();
        let named = named.map(|(key, was, is)| (*key, was.as_str(), is.as_str()));
        let named = named.filter(|(_, was, is)| was != is);
        let parts = named.chain(others.iter().copied());
        let parts = parts.map(|(key, was, is)| format!("{key} {was} -> {is}"));
        parts.collect::<Vec<_>>().join(", ")
    }
}

/// How much of what a point showed in the life before may be put beside what it shows now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kinship {
    /// Its numbers mean what they meant.
    Same,
    /// Another instrument shows the same quantity: a step between the two is no slope, and each stands
    /// still and trembles in a way of its own. But what people breathed at the place they breathed.
    Replaced,
    /// Numbers of another size. The sum of both is none of anything.
    Strange,
}

/// Compares a point with the life before. What is not known is no difference.
pub(super) fn kinship(point: &PointSettings, settings: &Settings, history: &History) -> Kinship {
    let was = kept(history).and_then(|(_, before)| before.get(&point.id));
    let Some(was) = was else {
        return Kinship::Same;
    };
    let is = inventory::of_point(point, settings);
    let changed = differences(was, &is);
    let mut names = changed.iter().map(|(name, ..)| *name);
    if names.clone().any(|name| inventory::SCALE.contains(&name)) {
        Kinship::Strange
    } else if names.any(|name| name == inventory::SOURCE) {
        Kinship::Replaced
    } else {
        Kinship::Same
    }
}

/// By the names of alarms, and by those of points.
type Before<'h> = (
    &'h BTreeMap<Arc<str>, Configured>,
    &'h BTreeMap<Arc<str>, Keys>,
);

/// What was configured in the run before.
fn kept(history: &History) -> Option<Before<'_>> {
    let mut memories = history.memories.iter();
    memories.find_map(|memory| match &memory.content {
        Content::Configuration { configured, points } => Some((configured, points)),
        Content::Exposure { .. }
        | Content::Slope { .. }
        | Content::Usual { .. }
        | Content::Count { .. } => None,
    })
}

/// Names, before and now, of settings that are others.
fn differences<'c>(was: &'c Keys, is: &'c Keys) -> Vec<Changed<'c>> {
    if was == is {
        return Vec::new();
    }
    let names: BTreeSet<&str> = was.iter().chain(is.iter()).map(|(name, _)| name).collect();
    let of = |keys: &'c Keys, name: &str| keys.get(name).unwrap_or(OFF);
    let both = names
        .into_iter()
        .map(|name| (name, of(was, name), of(is, name)));
    both.filter(|(_, was, is)| was != is).collect()
}
