//! Who answers for what, by name. A rota stands for whoever was on call when it happened: nobody can call a rota.
//!
//! Programs are told who is responsible in the same words ([`Readers::responsible`]). What they keep, such as a state
//! that stands, has to be said again when the [`Shift`] changes.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Language;
use super::clean::clean;
use super::context::{Person, Readers};
use super::facts::Facts;
use super::lexicon::Lexicon;
use crate::engine::time::Wall;
use crate::guidance::PointWords;
use crate::notify::rota::Rota;
use crate::notify::settings::{Holder, NotifySettings, Role, Roles};

/// Persons of one role that a letter names; more would hide what it is about.
const NAMED: usize = 6;

/// Who has which role where, as configured.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Duties {
    /// By area id.
    areas: BTreeMap<Arc<str>, Roles>,
    /// By point id, the area of what lies in none: a device, a broker.
    areas_of_own: BTreeMap<Arc<str>, Arc<str>>,
    rotas: BTreeMap<Arc<str>, Rota>,
}

impl From<&NotifySettings> for Duties {
    fn from(settings: &NotifySettings) -> Self {
        Self {
            areas: settings.areas.clone(),
            areas_of_own: settings.areas_of_own.clone(),
            rotas: settings.rotas.clone(),
        }
    }
}

/// Who is on call: person ids by rota, in the order of the rotas' ids.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shift(Vec<Vec<Arc<str>>>);

/// Somebody who has a role.
#[derive(Debug, PartialEq, Eq)]
struct Duty<'d> {
    /// The id.
    person: &'d Arc<str>,
    /// By a rota.
    on_call: bool,
}

impl Duties {
    /// Who is on call at `at`. Whoever was named holds as long as this stays the same.
    pub fn shift(&self, at: Wall) -> Shift {
        let turns = self.rotas.values().map(|rota| rota.on_call(at));
        Shift(
            turns
                .map(|turn| turn.into_iter().cloned().collect())
                .collect(),
        )
    }

    /// Who has `role` for `point`, which lies in `area`, at `at`; each once.
    fn of(&self, role: Role, area: Option<&str>, point: Option<&str>, at: Wall) -> Vec<Duty<'_>> {
        let mut found: Vec<Duty<'_>> = Vec::new();
        for holder in self.holders(role, area, point) {
            let (persons, on_call) = match holder {
                Holder::Person(person) => (vec![person], false),
                Holder::OnCall(rota) => {
                    let rota = self.rotas.get(rota);
                    (rota.map(|rota| rota.on_call(at)).unwrap_or_default(), true)
                }
            };
            let duties = persons.into_iter().map(|person| Duty { person, on_call });
            for duty in duties {
                if !found.iter().any(|known| known.person == duty.person) {
                    found.push(duty);
                }
            }
        }
        found
    }

    fn holders(&self, role: Role, area: Option<&str>, point: Option<&str>) -> &[Holder] {
        let own = || Some(&**self.areas_of_own.get(point?)?);
        let roles = area.or_else(own).and_then(|area| self.areas.get(area));
        roles.map_or(&[], |roles| roles.of(role))
    }
}

impl Readers {
    /// Those who are responsible for `point` at `at`, each with what they are reached by; who is on call by a rota is
    /// marked. In English: for programs, which show it to people of any language.
    pub fn responsible(&self, point: &PointWords, at: Wall) -> Vec<String> {
        let (area, id) = (point.area.as_deref(), Some(&*point.id));
        let duties = self.duties.of(Role::Responsible, area, id, at);
        let words = Language::English.lexicon();
        duties.iter().map(|duty| label(duty, self, words)).collect()
    }

    /// Does who is responsible for `point` change with the [`Shift`]?
    pub fn is_by_rota(&self, point: &PointWords) -> bool {
        let (area, id) = (point.area.as_deref(), Some(&*point.id));
        let holders = self.duties.holders(Role::Responsible, area, id);
        holders.iter().any(|holder| match holder {
            Holder::OnCall(_) => true,
            Holder::Person(_) => false,
        })
    }
}

/// Those who have `role`, each with what they are reached by, when the event happened.
pub(super) fn holders(facts: &Facts<'_>, role: Role, words: &dyn Lexicon) -> String {
    let readers = &facts.context.readers;
    let event = facts.event;
    let (area, point) = (event.area.as_deref(), event.point.as_deref());
    let duties = readers.duties.of(role, area, point, event.time);
    let named = duties.iter().take(NAMED);
    let mut labels: Vec<String> = named.map(|duty| label(duty, readers, words)).collect();
    if duties.len() > NAMED {
        labels.push(words.more(duties.len() - NAMED));
    }
    labels.join(words.semicolon())
}

fn label(duty: &Duty<'_>, readers: &Readers, words: &dyn Lexicon) -> String {
    let person = readers.persons.get(&**duty.person);
    let label = person.map_or_else(|| duty.person.to_string(), Person::label);
    let label = clean(&label);
    if duty.on_call {
        words.on_call(&label)
    } else {
        label
    }
}
