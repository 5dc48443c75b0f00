//! A rota turns while an alarm calls that nobody has acknowledged: whoever comes on duty is told of it.
//!
//! Each step that is done is looked at anew, by the clock on the wall of now, at least every [`LOOK`]: who is on call
//! by a rota that it names, and was not told of this occurrence over any output, is reminded at once, and with
//! everybody else from then on. So nobody waits for the next reminder or the next step to hear of what the shift
//! before has left.
//!
//! **A rota that has not begun hands nothing over.** Everybody of it is on call then, which is meant for the first
//! telling: to a board whose clock was never set a start would look like the hand-over to all of them, and they would
//! be reminded until somebody acknowledges.
//!
//! **Whoever went home goes on to be reminded**, until somebody acknowledges: they were told first, nobody has said
//! that the alarm is taken over, and a gateway whose clock or rota is wrong must not drop the only one who knows.
//!
//! Of what was summed up in a flood, one line tells those who come. Persons that a step names, or that have a role
//! without a rota, do not change: a ladder that runs is not told anew because the configuration is another.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::case::{Case, Ladder};
use super::rota::Rota;
use super::scene::{Scene, Topic};
use super::settings::{Holder, NotifySettings, Roles, Step, Target};
use super::{Office, words};
use crate::engine::effect::Event;
use crate::engine::notice::{Notice, Told};
use crate::engine::settings::Priority;
use crate::engine::time::{Mono, Wall};

/// Between two looks at who is on call.
const LOOK: Duration = Duration::from_secs(60);

impl NotifySettings {
    /// Does it depend on the time who is told?
    pub(super) fn has_rotas(&self) -> bool {
        !self.rotas.is_empty()
    }

    /// Of those whom a step tells at `at`, the ones that are on call by a rota that has begun; a line for each
    /// output, none without persons.
    pub(super) fn on_duty(
        &self,
        priority: Priority,
        area: Option<&str>,
        step: u16,
        at: Wall,
    ) -> Vec<Told> {
        let steps = self
            .policy(priority)
            .map_or(&[][..], |policy| &policy.steps);
        let Some(step) = steps.get(usize::from(step)) else {
            return Vec::new();
        };
        let mut lines = self.named(step, area, at);
        let rotas = self.rotas_of(step, area);
        let rotas = rotas.filter(|rota| rota.has_begun(at));
        let on_call: BTreeSet<&Arc<str>> = rotas.flat_map(|rota| rota.on_call(at)).collect();
        for line in &mut lines {
            line.persons.retain(|person| on_call.contains(person));
        }
        lines.retain(|line| !line.persons.is_empty());
        lines
    }

    /// The rotas that a step names, itself or by a role.
    fn rotas_of<'a>(
        &'a self,
        step: &'a Step,
        area: Option<&str>,
    ) -> impl Iterator<Item = &'a Rota> {
        let roles = area.and_then(|area| self.areas.get(area));
        let held = move |role| {
            let holders = roles.map_or(&[][..], |roles: &Roles| roles.of(role));
            holders.iter().filter_map(|holder| match holder {
                Holder::OnCall(rota) => Some(rota),
                Holder::Person(_) => None,
            })
        };
        let rotas = step.to.iter().flat_map(move |target| match target {
            Target::OnCall(rota) => vec![rota],
            Target::Role(role) => held(*role).collect(),
            Target::Person(_) | Target::Output(_) => Vec::new(),
        });
        rotas.filter_map(|rota| self.rotas.get(rota))
    }
}

impl Ladder {
    /// That nobody has acknowledged it.
    pub(super) fn reminder(&self, now: Mono) -> Topic {
        Topic {
            occurrence: self.occurrence,
            notice: Notice::Reminder,
            step: None,
            message: Some(words::unattended(self.began.age(now))),
            unheard: false,
        }
    }

    /// When it is to be seen who is on call, if that can change. Without a policy nobody looks, so it is never due.
    pub(super) fn relief_due(&self, settings: &NotifySettings) -> Option<Mono> {
        settings.policy(self.priority)?;
        let told = self.climbs() && !self.steps_told.is_empty();
        (told && settings.has_rotas()).then(|| self.relief_seen + LOOK)
    }

    /// Who is on call and was not told over any output, a line for each output.
    fn relief(&self, settings: &NotifySettings, area: Option<&str>, at: Wall) -> Vec<Told> {
        let half_told = self.partial.map(|partial| partial.step);
        let waits = |step: u16| {
            self.held.contains(&step) || self.owed.contains(&step) || half_told == Some(step)
        };
        let steps = self.steps_told.iter().map(|told| told.step);
        let steps = steps.filter(|step| !waits(*step));
        let known = self.told.iter().flat_map(|told| &told.persons);
        let known: BTreeSet<&Arc<str>> = known.collect();
        let mut relief: Vec<Told> = Vec::new();
        for mut line in steps.flat_map(|step| settings.on_duty(self.priority, area, step, at)) {
            line.persons.retain(|person| !known.contains(person));
            let mut others = relief.iter_mut();
            match others.find(|other| other.output == line.output) {
                Some(other) => {
                    (line.persons).retain(|person| !other.persons.contains(person));
                    other.persons.extend(line.persons);
                }
                None if line.persons.is_empty() => {}
                None => relief.push(line),
            }
        }
        relief
    }
}

impl Case {
    /// Reminds everybody who was told, if it is time, and tells whoever has come on duty. Gives whom one line is to
    /// tell of all that was summed up with this alarm.
    pub(super) fn call_again(
        &mut self,
        office: &Office,
        scene: &Scene<'_>,
        out: &mut Vec<Event>,
    ) -> Option<Vec<Told>> {
        let ladder = self.ladder.as_ref()?;
        let policy = office.settings.policy(ladder.priority)?;
        let remind = ladder.needs_reminder(policy, scene.at.mono);
        let relief = self.relieve(office, scene, remind, out);
        if !remind {
            return relief;
        }
        let grouped = self.ladder.as_ref().filter(|ladder| ladder.grouped);
        let Some(told) = grouped.map(|ladder| ladder.told.clone()) else {
            self.remind(scene, out);
            return None;
        };
        self.reminded(scene.at);
        Some(told)
    }

    /// Takes note of who has come on duty since they were told, and gives those whom nothing else tells now;
    /// `reminder`: everybody is about to be reminded.
    fn relieve(
        &mut self,
        office: &Office,
        scene: &Scene<'_>,
        reminder: bool,
        out: &mut Vec<Event>,
    ) -> Option<Vec<Told>> {
        let settings = &office.settings;
        let ladder = self.ladder.as_mut()?;
        ladder.relief_due(settings)?;
        ladder.relief_seen = scene.at.mono;
        let lines = ladder.relief(settings, scene.area(settings), scene.at.wall);
        if lines.is_empty() {
            return None;
        }
        if reminder || ladder.grouped {
            let remembered = lines.iter();
            remembered.for_each(|line| ladder.remember(line, scene.at.mono));
            return (!reminder).then_some(lines);
        }
        let topic = ladder.reminder(scene.at.mono);
        for (index, line) in lines.iter().enumerate() {
            // With the last line: whoever was told over one output only would not be known to lack the others.
            let last = index + 1 == lines.len();
            if let Some(ladder) = self.ladder.as_mut().filter(|_| last) {
                let all = lines.iter();
                all.for_each(|line| ladder.remember(line, scene.at.mono));
            }
            out.push(scene.notified(&topic, line, self.record(scene.at)));
        }
        None
    }
}
