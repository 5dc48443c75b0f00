//! Areas and the persons responsible for them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::tz::TimeZone;

use super::finding::{Kind, Log, nearest};
use super::keys::{Keys, Vocabulary, check_id, mismatch};
use super::place::{At, Place};
use super::rota::{self, Rotas};
use super::tree::{Entry, Item, Section, Value};
use crate::notify::settings::{Holder, Role, Roles};
use crate::output::email;
use crate::wording::{Language, Person};

const PERSON: Vocabulary = Vocabulary {
    what: "a person",
    keys: &["name", "language", "email", "phone", "approves"],
    later: &[],
};

const AREA: Vocabulary = Vocabulary {
    what: "an area",
    keys: &["name", "responsible", "deputy", "principal"],
    later: &[],
};

/// Everyone and every place they answer for.
pub(super) struct People {
    /// By person id.
    pub(super) persons: BTreeMap<String, Person>,
    /// Whose turn it is, by rota id.
    pub(super) rotas: Rotas,
    /// Ids of those who may approve what nobody does alone.
    pub(super) approvers: BTreeSet<Arc<str>>,
    /// By area id.
    pub(super) areas: BTreeMap<String, Area>,
}

/// A place in the plant.
pub(super) struct Area {
    pub(super) name: Arc<str>,
    /// Plain names.
    pub(super) responsible: Arc<[String]>,
    /// Ids.
    pub(super) roles: Roles,
    /// Where its id stands.
    pub(super) place: Place,
    /// Roles that name somebody, if only by a mistake.
    written: Vec<Role>,
}

impl People {
    /// The ids of all areas, as they were written.
    pub(super) fn in_order(&self) -> Vec<Arc<str>> {
        let mut areas: Vec<_> = self.areas.iter().collect();
        areas.sort_by_key(|(_, area)| area.place);
        let ids = areas.into_iter().map(|(id, _)| id.as_str().into());
        ids.collect()
    }
}

impl Area {
    /// Does somebody have `role` here?
    pub(super) fn has(&self, role: Role) -> bool {
        self.written.contains(&role)
    }
}

/// The entries of the table `name`, if it is one.
pub(super) fn entries<'a>(root: &'a Section, name: &str, log: &mut Log) -> &'a [Entry] {
    let Some(entry) = root.get(name) else {
        return &[];
    };
    let Value::Table(section) = &entry.item.value else {
        let text = format!("`{name}` is a table of ids, as in `[{name}.example]`");
        log.error(Kind::WrongType, entry.item.place, text);
        return &[];
    };
    &section.entries
}

/// Reads `[person]`, `[rota]` and `[area]`. `zone`: where the plant is, if that is written.
pub(super) fn read(root: &Section, zone: Option<&TimeZone>, log: &mut Log) -> People {
    let (mut persons, mut approvers) = (BTreeMap::new(), BTreeSet::new());
    for entry in entries(root, "person", log) {
        check_id("a person", &entry.key, log);
        let keys = Keys::open(entry, &PERSON, log);
        let approves = keys.as_ref().and_then(|keys| keys.flag("approves", log));
        if approves.is_some_and(|flag| flag.value) {
            approvers.insert(entry.key.value.as_str().into());
        }
        let mut person = Person {
            name: entry.key.value.clone(),
            ..Person::default()
        };
        if let Some(keys) = keys {
            read_person(&mut person, &keys, log);
        }
        persons.insert(entry.key.value.clone(), person);
    }
    let rotas = rota::read(root, &persons, zone, log);
    let mut areas = BTreeMap::new();
    for entry in entries(root, "area", log) {
        check_id("an area", &entry.key, log);
        let mut area = Area {
            name: entry.key.value.as_str().into(),
            responsible: [].into(),
            roles: Roles::default(),
            place: entry.key.place,
            written: Vec::new(),
        };
        if let Some(keys) = Keys::open(entry, &AREA, log) {
            if let Some(name) = keys.text("name", log) {
                area.name = name.value.into();
            }
            area.read_roles(&keys, &persons, &rotas, log);
        }
        areas.insert(entry.key.value.clone(), area);
    }
    People {
        persons,
        rotas,
        approvers,
        areas,
    }
}

fn read_person(person: &mut Person, keys: &Keys<'_>, log: &mut Log) {
    let text = |key, log: &mut Log| keys.text(key, log).filter(|text| is_line(key, text, log));
    if let Some(name) = text("name", log) {
        person.name = name.value;
    }
    let language = keys.choice("language", &Language::WORDS, log);
    person.language = language.map(|language| language.value);
    person.phone = text("phone", log).map(|phone| phone.value);
    let email = text("email", log);
    person.email = email
        .filter(|email| is_address("email", email, log))
        .map(|email| email.value);
}

/// Whoever is reached by it is not reached by two lines.
fn is_line(key: &str, text: &At<String>, log: &mut Log) -> bool {
    let good = !text.value.chars().any(char::is_control);
    if !good {
        let words = format!("`{key}` is more than one line");
        log.error(Kind::BadValue, text.place, words);
    }
    good
}

/// Could mail be sent to it?
pub(super) fn is_address(key: &str, text: &At<String>, log: &mut Log) -> bool {
    let address = &text.value;
    let parts = address.rsplit_once('@');
    let good = parts.is_some_and(|(user, host)| !user.is_empty() && !host.is_empty())
        && !address.contains(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | ',' | ';'))
        && address.len() <= 254
        && email::is_address(address);
    if !good {
        let words = format!("`{key}` is no address: \"{address}\"");
        log.error(Kind::BadValue, text.place, words)
            .hint("one bare address, such as \"li.wei@example.com\"; names go into `name`");
    }
    good
}

/// What stands in messages.
fn label(holder: &Holder, persons: &BTreeMap<String, Person>) -> String {
    match holder {
        Holder::Person(id) => persons
            .get(&**id)
            .map_or_else(|| id.to_string(), Person::label),
        Holder::OnCall(rota) => format!("on call: {rota}"),
    }
}

impl Area {
    fn read_roles(
        &mut self,
        keys: &Keys<'_>,
        persons: &BTreeMap<String, Person>,
        rotas: &Rotas,
        log: &mut Log,
    ) {
        let mut of = |role: Role| {
            let items = keys.list(role.name(), log).unwrap_or_default();
            if !items.is_empty() {
                self.written.push(role);
            }
            let ids = items
                .iter()
                .filter_map(|item| holder(role, item, persons, rotas, log));
            ids.collect::<Vec<Holder>>()
        };
        self.roles = Roles {
            responsible: of(Role::Responsible),
            deputy: of(Role::Deputy),
            principal: of(Role::Principal),
        };
        let holders = self.roles.responsible.iter();
        self.responsible = holders.map(|holder| label(holder, persons)).collect();
    }
}

/// Begins what is on call by a rota, as in `on-call:tank-farm`.
pub(super) const ON_CALL: &str = "on-call:";

/// A person or a rota that has a role.
fn holder(
    role: Role,
    item: &Item,
    persons: &BTreeMap<String, Person>,
    rotas: &Rotas,
    log: &mut Log,
) -> Option<Holder> {
    let Value::Text(text) = &item.value else {
        return mismatch(role.name(), "a list of person ids", item, log);
    };
    let at = |id: &str| At {
        value: id.to_owned(),
        place: item.place,
    };
    if let Some(rota) = text.strip_prefix(ON_CALL) {
        if rotas.contains_key(rota) {
            return Some(Holder::OnCall(rota.into()));
        }
        dangling("rota", &at(rota), rotas.keys(), log);
        return None;
    }
    if persons.contains_key(text) {
        return Some(Holder::Person(text.as_str().into()));
    }
    dangling("person", &at(text), persons.keys(), log);
    None
}

/// Reports an id that stands for nothing.
pub(super) fn dangling<'a>(
    what: &str,
    id: &At<String>,
    known: impl Iterator<Item = &'a String>,
    log: &mut Log,
) {
    let known: Vec<&str> = known.map(String::as_str).collect();
    let hint = match nearest(&id.value, known.iter().copied()) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None if known.is_empty() => format!("there is no {what} yet: add `[{what}.{}]`", id.value),
        None => {
            let few = known.iter().take(8).copied().collect::<Vec<_>>().join(", ");
            let more = if known.len() > 8 { ", ..." } else { "" };
            format!("known: {few}{more}")
        }
    };
    let text = format!("there is no {what} \"{}\"", id.value);
    log.error(Kind::UnknownReference, id.place, text).hint(hint);
}
