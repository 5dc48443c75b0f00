//! `[escalation]`: who is told of an alarm, and when, by its priority.
//!
//! A priority that is not written has a ladder all the same: with an area that names its persons and
//! an output, people are told. A default ladder passes over roles that an area has not; a written one
//! says what a person wants, so a role that is nobody is a mistake.

mod explain;

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

pub(super) use explain::{rotas_by_name, told};

use super::defaults::Measure;
use super::finding::{Kind, Log, nearest};
use super::keys::{Keys, Vocabulary, mismatch};
use super::output::Output;
use super::people::{People, dangling};
use super::place::{At, Place};
use super::point::RawPoint;
use super::scalar::show_duration;
use super::tree::{Entry, Item, Section, Value};
use crate::engine::settings::{AlarmKind, AlarmSettings, PointSettings, Priority};
use crate::notify::settings::{NotifySettings, Policy, Role, Step, Target};

const ESCALATION: Vocabulary = Vocabulary {
    what: "`[escalation]`",
    keys: &["critical", "high", "medium", "low"],
    later: &[],
};

const POLICY: Vocabulary = Vocabulary {
    what: "an escalation",
    keys: &[
        "steps",
        "remind_every",
        "hold_open",
        "chatter_hold",
        "group_every",
    ],
    later: &[],
};

const STEP: Vocabulary = Vocabulary {
    what: "a step: `{ after = \"60s\", to = [\"deputy\"] }`",
    keys: &["after", "to"],
    later: &[],
};

/// More rungs than anybody climbs.
const MOST_STEPS: usize = 16;

const AFTER: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(7 * 86_400);
const REMIND: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(7 * 86_400);
const OPEN: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(600);
const CHATTER: RangeInclusive<Duration> = Duration::from_secs(60)..=Duration::from_secs(86_400);
const GROUP: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(3_600);

/// Longer than the window of an Alertmanager that groups alerts for 30 s, whose member would else be
/// gone before it was told.
const HOLD_OPEN: Duration = Duration::from_secs(35);

/// alarm-standards 1.5.12.
const CHATTER_HOLD: Duration = Duration::from_secs(600);

/// One ladder as written.
struct RawPolicy {
    steps: Option<Vec<RawStep>>,
    remind_every: Option<Duration>,
    hold_open: Option<Duration>,
    chatter_hold: Option<Duration>,
    group_every: Option<Duration>,
}

struct RawStep {
    after: At<Duration>,
    to: Vec<At<Target>>,
}

/// Every ladder as written.
pub(super) struct Escalation(BTreeMap<Priority, RawPolicy>);

const PRIORITIES: [Priority; 4] = [
    Priority::Critical,
    Priority::High,
    Priority::Medium,
    Priority::Low,
];

/// Reads `[escalation]`.
pub(super) fn read(
    root: &Section,
    people: &People,
    outputs: &[Output],
    log: &mut Log,
) -> Escalation {
    let mut policies = BTreeMap::new();
    let names = Names { people, outputs };
    let keys = root.get("escalation");
    if let Some(keys) = keys.and_then(|entry| Keys::open(entry, &ESCALATION, log)) {
        for priority in PRIORITIES {
            let entry = keys.entry(priority.name());
            if let Some(policy) = entry.and_then(|entry| names.policy(entry, priority, log)) {
                policies.insert(priority, policy);
            }
        }
    }
    Escalation(policies)
}

/// Whom a step may name.
struct Names<'a> {
    people: &'a People,
    outputs: &'a [Output],
}

impl Names<'_> {
    fn policy(&self, entry: &Entry, priority: Priority, log: &mut Log) -> Option<RawPolicy> {
        let keys = Keys::open(entry, &POLICY, log)?;
        if priority >= Priority::High {
            let reason = "pages of high and critical alarms are never held back";
            keys.refuse("chatter_hold", reason, log);
        }
        let mut span = |key, range| keys.duration(key, range, log).map(|span| span.value);
        Some(RawPolicy {
            remind_every: span("remind_every", REMIND),
            hold_open: span("hold_open", OPEN),
            chatter_hold: span("chatter_hold", CHATTER),
            group_every: span("group_every", GROUP),
            steps: self.steps(&keys, priority, log),
        })
    }

    fn steps(&self, keys: &Keys<'_>, priority: Priority, log: &mut Log) -> Option<Vec<RawStep>> {
        let items = keys.list("steps", log)?;
        let place = keys.place_of("steps").unwrap_or(keys.owner);
        if items.is_empty() {
            log.error(
                Kind::BadValue,
                place,
                "`steps` is empty: nobody would be told",
            )
            .hint("write at least one step, or leave the key out and take the default");
        }
        if items.len() > MOST_STEPS {
            let text = format!("an escalation has at most {MOST_STEPS} steps");
            log.error(Kind::OutOfRange, place, text);
        }
        let steps: Vec<RawStep> = items
            .iter()
            .filter_map(|item| self.step(item, log))
            .collect();
        in_order(&steps, log);
        if let (Some(first), true) = (steps.first(), priority >= Priority::High)
            && !first.after.value.is_zero()
        {
            let shown = show_duration(first.after.value);
            let text = format!("nobody is told of a {} alarm for {shown}", priority.name());
            log.warn(Kind::Timing, first.after.place, text)
                .hint("let the first step come at once: `after = \"0s\"`");
        }
        Some(steps)
    }

    fn step(&self, item: &Item, log: &mut Log) -> Option<RawStep> {
        let keys = Keys::open_item(item, item.place, &STEP, log)?;
        keys.require("after", "\"60s\"", log);
        keys.require("to", "[\"responsible\"]", log);
        let after = keys.duration("after", AFTER, log);
        let items = keys.list("to", log)?;
        if items.is_empty() {
            let place = keys.place_of("to").unwrap_or(keys.owner);
            log.error(
                Kind::BadValue,
                place,
                "`to` is empty: this step would tell nobody",
            )
            .hint("name roles of the area (`\"responsible\"`), `\"person:ID\"` or `\"output:ID\"`");
        }
        let mut to: Vec<At<Target>> = Vec::new();
        for item in items {
            let Some(target) = self.target(item, log) else {
                continue;
            };
            if let Some(first) = to.iter().find(|known| known.value == target.value) {
                log.error(Kind::Duplicate, target.place, "this step names it twice")
                    .also(first.place, "first here");
                continue;
            }
            to.push(target);
        }
        Some(RawStep { after: after?, to })
    }

    /// `responsible`, `person:ID` or `output:ID`.
    fn target(&self, item: &Item, log: &mut Log) -> Option<At<Target>> {
        let Value::Text(text) = &item.value else {
            return mismatch("to", "a list of roles, persons and outputs", item, log);
        };
        let place = item.place;
        let value = match text.split_once(':') {
            None => Target::Role(role(text, place, log)?),
            Some(("person", id)) => {
                let persons = self.people.persons.keys();
                Target::Person(known("person", id, place, persons, log)?)
            }
            Some(("on-call", id)) => {
                let rotas = self.people.rotas.keys();
                Target::OnCall(known("rota", id, place, rotas, log)?)
            }
            Some(("output", id)) => {
                let outputs = self.outputs.iter().map(|output| &output.id.value);
                Target::Output(known("output", id, place, outputs, log)?)
            }
            Some((what, _)) => {
                let text = format!("`to` cannot name a \"{what}\"");
                log.error(Kind::BadValue, place, text)
                    .hint("allowed: roles, \"person:ID\", \"on-call:ROTA\", \"output:ID\"");
                return None;
            }
        };
        Some(At { value, place })
    }
}

fn role(text: &str, place: Place, log: &mut Log) -> Option<Role> {
    let found = Role::ALL.into_iter().find(|role| role.name() == text);
    if found.is_none() {
        let words = Role::ALL.map(Role::name);
        let hint = match nearest(text, words) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!(
                "roles: {}; a person is written \"person:ID\", an output \"output:ID\"",
                words.join(", ")
            ),
        };
        let text = format!("there is no role \"{text}\"");
        log.error(Kind::UnknownReference, place, text).hint(hint);
    }
    found
}

fn known<'a>(
    what: &str,
    id: &str,
    place: Place,
    known: impl Iterator<Item = &'a String> + Clone,
    log: &mut Log,
) -> Option<Arc<str>> {
    if known.clone().any(|known| known == id) {
        return Some(id.into());
    }
    let id = At {
        value: id.to_owned(),
        place,
    };
    dangling(what, &id, known, log);
    None
}

fn in_order(steps: &[RawStep], log: &mut Log) {
    for pair in steps.windows(2) {
        let [earlier, later] = pair else { continue };
        if later.after.value <= earlier.after.value {
            let (after, before) = (
                show_duration(later.after.value),
                show_duration(earlier.after.value),
            );
            let text = format!("a step after {after} cannot follow one after {before}");
            log.error(Kind::Timing, later.after.place, text)
                .hint("steps come in order of time; whoever is told at the same time stands in one step")
                .also(earlier.after.place, "the step before");
        }
    }
}

impl Escalation {
    /// A written step that names a role names somebody, wherever such an alarm can be; and every
    /// alarm of a written priority reaches somebody.
    pub(super) fn check(
        &self,
        points: &[(&RawPoint, &PointSettings)],
        people: &People,
        settings: &NotifySettings,
        log: &mut Log,
    ) {
        for (priority, policy) in &self.0 {
            let of_priority = |point: &&(&RawPoint, &PointSettings)| {
                point
                    .1
                    .alarms
                    .iter()
                    .any(|alarm| alarm.priority == *priority)
            };
            let concerned: Vec<_> = points.iter().filter(of_priority).collect();
            for target in policy.steps.iter().flatten().flat_map(|step| &step.to) {
                if let Target::Role(role) = target.value {
                    role_is_somebody(role, target.place, *priority, &concerned, people, log);
                }
            }
            let mut alone = concerned.iter().filter(|(raw, _)| {
                !raw.area_unknown && !settings.reaches_anybody(*priority, raw.area.as_deref())
            });
            let written = policy.steps.as_ref().is_some_and(|steps| !steps.is_empty());
            if let (Some((raw, _)), true) = (alone.next(), written) {
                let name = priority.name();
                let text = format!("nobody would be told of the {name} alarms of this point");
                log.warn(Kind::NoGuidance, raw.place(), text).hint(
                    "give it an `area` whose roles [escalation] names, or let a step name persons or outputs",
                );
            }
        }
    }

    /// Everything, defaults included.
    pub(super) fn settings(&self, people: &People, outputs: &[Output]) -> NotifySettings {
        let outputs = outputs.iter().map(|output| output.id.value.as_str().into());
        let outputs: Vec<Arc<str>> = outputs.collect();
        let policy = |priority| {
            let written = self.0.get(&priority);
            let policy = policy(priority, written, &outputs);
            (priority, policy)
        };
        let (areas, rotas) = (people.areas.iter(), people.rotas.iter());
        NotifySettings {
            policies: PRIORITIES.into_iter().map(policy).collect(),
            areas: areas
                .map(|(id, area)| (id.as_str().into(), area.roles.clone()))
                .collect(),
            rotas: rotas
                .filter_map(|(id, rota)| Some((id.as_str().into(), rota.clone()?)))
                .collect(),
            outputs,
            ..NotifySettings::default()
        }
    }
}

fn role_is_somebody(
    role: Role,
    place: Place,
    priority: Priority,
    concerned: &[&(&RawPoint, &PointSettings)],
    people: &People,
    log: &mut Log,
) {
    let mut lacking: Vec<&str> = concerned
        .iter()
        .filter_map(|(raw, _)| raw.area.as_deref())
        .filter(|id| people.areas.get(*id).is_some_and(|area| !area.has(role)))
        .collect();
    lacking.sort_unstable();
    lacking.dedup();
    let Some(first) = lacking.first() else { return };
    let (role, priority) = (role.name(), priority.name());
    let more = match lacking.len() {
        1 => String::new(),
        count => format!(" (and {} more)", count - 1),
    };
    let text = format!("area \"{first}\"{more} has {priority} alarms and no `{role}`");
    let draft = log.error(Kind::MissingKey, place, text);
    draft.hint(format!("add `{role} = [\"PERSON\"]` to `[area.{first}]`"));
    if let Some(area) = people.areas.get(*first) {
        draft.also(area.place, "the area");
    }
}

fn policy(priority: Priority, written: Option<&RawPolicy>, outputs: &[Arc<str>]) -> Policy {
    let critical = priority == Priority::Critical;
    let seconds = Duration::from_secs;
    let span = |field: fn(&RawPolicy) -> Option<Duration>, default| {
        written.and_then(field).unwrap_or(default)
    };
    let steps = written.and_then(|written| written.steps.as_deref());
    Policy {
        steps: steps.map_or_else(
            || default_steps(priority, outputs),
            |steps| steps.iter().map(RawStep::decided).collect(),
        ),
        remind_every: span(
            |written| written.remind_every,
            seconds(if critical { 300 } else { 1_800 }),
        ),
        hold_open: span(|written| written.hold_open, HOLD_OPEN),
        chatter_hold: span(|written| written.chatter_hold, CHATTER_HOLD),
        group_every: span(
            |written| written.group_every,
            seconds(if critical { 10 } else { 60 }),
        ),
    }
}

impl RawStep {
    fn decided(&self) -> Step {
        Step {
            after: self.after.value,
            to: self.to.iter().map(|target| target.value.clone()).collect(),
        }
    }
}

/// Responsible persons and every output at once, then whoever the area has.
fn default_steps(priority: Priority, outputs: &[Arc<str>]) -> Vec<Step> {
    let later: &[(u64, Role)] = match priority {
        Priority::Critical => &[(60, Role::Deputy), (600, Role::Principal)],
        Priority::High => &[(300, Role::Deputy), (1_800, Role::Principal)],
        Priority::Medium => &[(1_800, Role::Deputy)],
        Priority::Low => &[],
    };
    let mut first = vec![Target::Role(Role::Responsible)];
    first.extend(outputs.iter().cloned().map(Target::Output));
    let first = Step {
        after: Duration::ZERO,
        to: first,
    };
    let later = later.iter().map(|(after, role)| Step {
        after: Duration::from_secs(*after),
        to: vec![Target::Role(*role)],
    });
    std::iter::once(first).chain(later).collect()
}

/// Alarms whose repeated pages may be held back while they chatter, in the order of the engine's: none
/// of gas points and their groups, no outermost limits and no votes (contract 8.8).
pub(super) fn may_be_held<'a>(
    points: &'a [RawPoint],
    settings: &'a [PointSettings],
) -> impl Iterator<Item = bool> + 'a {
    // Points as written come first, in their order.
    let is_gas = |index: usize| {
        let point = points.get(index);
        point.is_some_and(|point| point.measures == Measure::Gas)
    };
    settings.iter().enumerate().flat_map(move |(index, point)| {
        let members = point.group.iter().flat_map(|group| &group.of);
        let mut all = std::iter::once(index).chain(members.map(|member| member.0 as usize));
        let gas = all.any(is_gas);
        let held = move |alarm: &AlarmSettings| {
            let hazard = matches!(
                alarm.kind(),
                AlarmKind::HighHigh | AlarmKind::LowLow | AlarmKind::OverRange | AlarmKind::Vote
            );
            !gas && !hazard
        };
        point.alarms.iter().map(held)
    })
}
