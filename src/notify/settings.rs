//! Who is told of which alarm, and when: what a person configured, defaults resolved.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::engine::effect::Subject;
use crate::engine::notice::Told;
use crate::engine::reading::AlarmIndex;
use crate::engine::settings::{AlarmSettings, PointSettings, Priority, Settings};
use crate::engine::time::Wall;
use crate::notify::channels::Channel;
use crate::notify::rota::Rota;

/// Everything about telling people.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NotifySettings {
    /// `[escalation]`; a priority that is absent tells nobody.
    pub policies: BTreeMap<Priority, Policy>,
    /// Persons by area id; of several areas together by their ids with commas between.
    pub areas: BTreeMap<Arc<str>, Roles>,
    /// By id: who of several persons is on call.
    pub rotas: BTreeMap<Arc<str>, Rota>,
    /// By point id, the area of what lies in none: a device or a broker is answered for by whoever
    /// answers for the points that are read from it.
    pub areas_of_own: BTreeMap<Arc<str>, Arc<str>>,
    /// Every output; they are told when nobody else would be.
    pub outputs: Vec<Arc<str>>,
    /// The same as ways to people; by the indices of their points, rising.
    pub channels: Vec<Channel>,
    /// By [`AlarmIndex`]: may pages be held back, while it chatters and in floods? Never those of gas
    /// points and of the outermost limits (contract 8.8).
    pub may_be_held: Vec<bool>,
    /// By [`AlarmIndex`], for alarms about silence: the alarm of the device or broker that the point is
    /// read from, which tells of the silence of all its points.
    pub lost_with: Vec<Option<Arc<str>>>,
}

/// What happens at one priority.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// In order of their times.
    pub steps: Vec<Step>,
    /// Everyone who was told is told again this often while nobody acknowledges.
    pub remind_every: Duration,
    /// Nobody is told that it is over earlier than this after being told of it: a receiver that looks
    /// from time to time must see both.
    pub hold_open: Duration,
    /// While an alarm chatters it is told of this often. Of medium and low priority only.
    pub chatter_hold: Duration,
    /// In a flood an area is told of this often.
    pub group_every: Duration,
}

/// One step of an escalation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// This long after the alarm was annunciated.
    pub after: Duration,
    /// Who.
    pub to: Vec<Target>,
}

/// Whom a step names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Those who have it in the alarm's area.
    Role(Role),
    /// One person, by id.
    Person(Arc<str>),
    /// Whoever is on call by this rota.
    OnCall(Arc<str>),
    /// An output, by id; the step's persons are told over it.
    Output(Arc<str>),
}

/// The roles of an area.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Answers for the area.
    Responsible,
    /// Stands in.
    Deputy,
    /// Answers for the whole.
    Principal,
}

impl Role {
    /// Every role, nearest to the plant first.
    pub const ALL: [Self; 3] = [Self::Responsible, Self::Deputy, Self::Principal];

    /// The word of the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Responsible => "responsible",
            Self::Deputy => "deputy",
            Self::Principal => "principal",
        }
    }
}

/// Who has a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// One person, by id.
    Person(Arc<str>),
    /// Whoever is on call by this rota.
    OnCall(Arc<str>),
}

impl From<&str> for Holder {
    fn from(person: &str) -> Self {
        Self::Person(person.into())
    }
}

/// Holders by role.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roles {
    /// Answers for the area.
    pub responsible: Vec<Holder>,
    /// Stands in.
    pub deputy: Vec<Holder>,
    /// Answers for the whole.
    pub principal: Vec<Holder>,
}

impl Roles {
    /// Who has `role`.
    pub fn of(&self, role: Role) -> &[Holder] {
        match role {
            Role::Responsible => &self.responsible,
            Role::Deputy => &self.deputy,
            Role::Principal => &self.principal,
        }
    }
}

/// Whether anybody is told does not depend on the time: a rota has no gap.
const ANY_TIME: Wall = Wall::from_unix_nanos(0);

impl NotifySettings {
    /// What happens at `priority`, if anything.
    pub fn policy(&self, priority: Priority) -> Option<&Policy> {
        self.policies.get(&priority)
    }

    /// The area whose persons answer for the alarm, if there is one.
    pub fn area_of<'a>(&'a self, subject: &'a Subject) -> Option<&'a Arc<str>> {
        self.area_or_own(subject.area.as_ref(), &subject.point)
    }

    /// `area`, in which `point` lies, or the area of the gateway's own point.
    pub fn area_or_own<'a>(
        &'a self,
        area: Option<&'a Arc<str>>,
        point: &str,
    ) -> Option<&'a Arc<str>> {
        area.or_else(|| self.areas_of_own.get(point))
    }

    /// Whom a step tells, a line for each output; none when it reaches nobody. An alarm that a whole
    /// ladder would tell nobody of (its point lies in no area) goes to every output with the first
    /// step: a wrong receiver is better than none. Of a rota those are told who are on call at `at`.
    pub fn reached(
        &self,
        priority: Priority,
        area: Option<&str>,
        step: u16,
        at: Wall,
    ) -> Vec<Told> {
        let steps = self
            .policy(priority)
            .map_or(&[][..], |policy| &policy.steps);
        let Some(chosen) = steps.get(usize::from(step)) else {
            return Vec::new();
        };
        let found = self.named(chosen, area, at);
        let nobody = || {
            let mut steps = steps.iter();
            steps.all(|step| self.named(step, area, at).is_empty())
        };
        if step > 0 || !found.is_empty() || !nobody() {
            return found;
        }
        let outputs = self.outputs.iter().cloned();
        let receiver = |output| Told {
            output: Some(output),
            persons: Vec::new(),
        };
        outputs.map(receiver).collect()
    }

    /// Would anybody be told of such an alarm?
    pub fn reaches_anybody(&self, priority: Priority, area: Option<&str>) -> bool {
        let steps = self
            .policy(priority)
            .map_or(&[][..], |policy| &policy.steps);
        !steps.is_empty()
            && (!self.outputs.is_empty()
                || (steps.iter()).any(|step| !self.named(step, area, ANY_TIME).is_empty()))
    }

    /// Does this step tell anybody?
    pub fn tells(&self, priority: Priority, area: Option<&str>, step: u16) -> bool {
        !self.reached(priority, area, step, ANY_TIME).is_empty()
    }

    /// Of how many alarms nobody would be told.
    pub(super) fn untold(&self, settings: &Settings) -> usize {
        let of_point = |point: &PointSettings| {
            let area = self.area_or_own(point.area.as_ref(), &point.id);
            let reaches = |alarm: &AlarmSettings| {
                self.reaches_anybody(alarm.priority, area.map(|area| &**area))
            };
            let alarms = point.alarms.iter();
            let untold = alarms.filter(|alarm| !reaches(alarm));
            untold.count()
        };
        settings.points.iter().map(of_point).sum()
    }

    /// May pages of this alarm be held back while it chatters?
    pub(super) fn may_be_held(&self, alarm: Option<AlarmIndex>, priority: Priority) -> bool {
        let alarm = alarm.and_then(|index| self.may_be_held.get(index.0 as usize));
        priority <= Priority::Medium && alarm.copied().unwrap_or(false)
    }

    /// The lines of the first step that tells anybody.
    pub(super) fn told_first(&self, priority: Priority, area: Option<&str>, at: Wall) -> Vec<Told> {
        let steps = self.policy(priority).map_or(0, |policy| policy.steps.len());
        let lines = (0..u16::try_from(steps).unwrap_or(u16::MAX))
            .map(|step| self.reached(priority, area, step, at));
        let mut lines = lines.into_iter();
        lines.find(|told| !told.is_empty()).unwrap_or_default()
    }

    /// The alarm of the point's device or broker, of an alarm about silence.
    pub(super) fn lost_with(&self, alarm: Option<AlarmIndex>) -> Option<&Arc<str>> {
        self.lost_with.get(alarm?.0 as usize)?.as_ref()
    }

    /// May the first page of a raise of this alarm wait in a flood?
    pub(super) fn may_wait(&self, alarm: Option<AlarmIndex>, priority: Priority) -> bool {
        let alarm = alarm.and_then(|index| self.may_be_held.get(index.0 as usize));
        priority < Priority::Critical && alarm.copied().unwrap_or(false)
    }

    /// The persons and outputs that a step names, each once.
    pub(super) fn named(&self, step: &Step, area: Option<&str>, at: Wall) -> Vec<Told> {
        let roles = area.and_then(|area| self.areas.get(area));
        let (mut persons, mut outputs) = (Vec::new(), Vec::new());
        let add = |list: &mut Vec<Arc<str>>, id: &Arc<str>| {
            if !list.contains(id) {
                list.push(Arc::clone(id));
            }
        };
        let on_call = |rota: &Arc<str>| {
            let rota = self.rotas.get(rota);
            rota.map_or_else(Vec::new, |rota| rota.on_call(at))
        };
        for target in &step.to {
            match target {
                Target::Role(role) => {
                    let holders = roles.map_or(&[][..], |roles| roles.of(*role));
                    for holder in holders {
                        match holder {
                            Holder::Person(id) => add(&mut persons, id),
                            Holder::OnCall(rota) => {
                                on_call(rota).iter().for_each(|id| add(&mut persons, id));
                            }
                        }
                    }
                }
                Target::OnCall(rota) => on_call(rota).iter().for_each(|id| add(&mut persons, id)),
                Target::Person(id) => add(&mut persons, id),
                Target::Output(id) => add(&mut outputs, id),
            }
        }
        match (outputs.is_empty(), persons.is_empty()) {
            (true, true) => Vec::new(),
            (true, false) => vec![Told {
                output: None,
                persons,
            }],
            (false, _) => outputs
                .into_iter()
                .map(|output| Told {
                    output: Some(output),
                    persons: persons.clone(),
                })
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(steps: &[&[Target]]) -> NotifySettings {
        let steps = steps.iter().zip(0..).map(|(to, minute)| Step {
            after: Duration::from_secs(60 * minute),
            to: to.to_vec(),
        });
        let policy = Policy {
            steps: steps.collect(),
            remind_every: Duration::from_secs(300),
            hold_open: Duration::ZERO,
            chatter_hold: Duration::from_secs(600),
            group_every: Duration::from_secs(60),
        };
        let roles = Roles {
            responsible: vec!["li".into(), "anna".into()],
            ..Roles::default()
        };
        NotifySettings {
            policies: [(Priority::High, policy)].into(),
            areas: [("farm".into(), roles)].into(),
            outputs: vec!["room".into(), "chat".into()],
            may_be_held: vec![true],
            ..NotifySettings::default()
        }
    }

    /// `OUTPUT:PERSON,PERSON` a line.
    fn reached(settings: &NotifySettings, area: Option<&str>, step: u16) -> Vec<String> {
        let told = settings.reached(Priority::High, area, step, ANY_TIME);
        let line = |told: &Told| {
            let output = told.output.as_deref().unwrap_or("-");
            format!("{output}:{}", told.persons.join(","))
        };
        told.iter().map(line).collect()
    }

    #[test]
    fn a_step_tells_its_persons_over_its_outputs_each_once() {
        let person = |id: &str| Target::Person(id.into());
        let output = |id: &str| Target::Output(id.into());
        let role = Target::Role;
        for (to, lines) in [
            (vec![role(Role::Responsible)], vec!["-:li,anna"]),
            (
                vec![person("wang"), role(Role::Responsible), person("li")],
                vec!["-:wang,li,anna"],
            ),
            (vec![output("chat")], vec!["chat:"]),
            (
                vec![
                    role(Role::Responsible),
                    output("chat"),
                    output("room"),
                    output("chat"),
                ],
                vec!["chat:li,anna", "room:li,anna"],
            ),
        ] {
            assert_eq!(reached(&settings(&[&to]), Some("farm"), 0), lines, "{to:?}");
        }
    }

    /// The same step tells other persons after the hand-over, and everybody while the time cannot be right.
    #[test]
    fn of_a_rota_those_are_told_who_are_on_call_then() {
        const HOUR: i64 = 3_600;
        let begins = 1_793_599_200;
        let mut settings = settings(&[&[Target::Role(Role::Responsible)]]);
        let rota = Rota {
            begins,
            every: Duration::from_secs(12 * 3_600),
            order: vec![vec!["day".into()], vec!["night".into(), "li".into()]],
            swaps: Vec::new(),
            offsets: Arc::default(),
        };
        settings.rotas.insert("farm".into(), rota);
        let roles = Roles {
            responsible: vec![Holder::OnCall("farm".into()), "li".into()],
            ..Roles::default()
        };
        settings.areas.insert("farm".into(), roles);
        for (second, told) in [
            (begins, "day,li"),
            (begins + 12 * HOUR - 1, "day,li"),
            (begins + 12 * HOUR, "night,li"),
            (0, "day,night,li"),
        ] {
            let at = Wall::from_unix_nanos(second * 1_000_000_000);
            let lines = settings.reached(Priority::High, Some("farm"), 0, at);
            assert_eq!(lines.len(), 1);
            assert_eq!(lines[0].persons.join(","), told, "{second}");
        }
    }

    #[test]
    fn whoever_is_nobody_is_passed_over_and_outputs_take_what_would_reach_no_one() {
        let roles = [Target::Role(Role::Responsible)];
        let deputy = [Target::Role(Role::Deputy)];
        let ladder = settings(&[&deputy, &roles]);
        assert_eq!(reached(&ladder, Some("farm"), 0), [""; 0]);
        assert_eq!(reached(&ladder, Some("farm"), 1), ["-:li,anna"]);
        assert_eq!(reached(&ladder, Some("farm"), 2), [""; 0]);
        for area in [None, Some("unknown")] {
            assert_eq!(reached(&ladder, area, 0), ["room:", "chat:"]);
            assert_eq!(reached(&ladder, area, 1), [""; 0]);
            assert!(ladder.reaches_anybody(Priority::High, area));
        }
        assert!(!ladder.reaches_anybody(Priority::Low, Some("farm")));
        let alone = NotifySettings {
            outputs: Vec::new(),
            ..ladder
        };
        assert!(alone.reaches_anybody(Priority::High, Some("farm")));
        assert!(!alone.reaches_anybody(Priority::High, None));
    }

    #[test]
    fn roles_are_named_as_in_the_configuration() {
        let names = Role::ALL.map(Role::name);
        assert_eq!(names, ["responsible", "deputy", "principal"]);
    }

    #[test]
    fn only_what_is_neither_urgent_nor_a_hazard_may_be_held_back() {
        let settings = NotifySettings {
            may_be_held: vec![true, false],
            ..NotifySettings::default()
        };
        let held = |index, priority| settings.may_be_held(Some(AlarmIndex(index)), priority);
        assert!(held(0, Priority::Low) && held(0, Priority::Medium));
        assert!(!held(0, Priority::High) && !held(0, Priority::Critical));
        assert!(!held(1, Priority::Low), "gas, or an outermost limit");
        assert!(!settings.may_be_held(None, Priority::Low));
        let waits = |index, priority| settings.may_wait(Some(AlarmIndex(index)), priority);
        assert!(waits(0, Priority::Low) && waits(0, Priority::High));
        assert!(!waits(0, Priority::Critical) && !waits(1, Priority::Low));
        assert!(!settings.may_wait(None, Priority::Low));
    }
}
