//! Areas and the persons responsible for them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::finding::{Kind, Log, nearest};
use super::keys::{Keys, Vocabulary, check_id, mismatch};
use super::place::{At, Place};
use super::tree::{Entry, Item, Section, Value};
use crate::notify::settings::{Role, Roles};

const PERSON: Vocabulary = Vocabulary {
    what: "a person",
    keys: &["name", "email", "phone", "approves"],
    later: &[],
};

const AREA: Vocabulary = Vocabulary {
    what: "an area",
    keys: &["name", "responsible", "deputy", "principal"],
    later: &[],
};

/// Everyone and every place they answer for.
pub(super) struct People {
    /// Name and how to reach them, by person id.
    pub(super) persons: BTreeMap<String, String>,
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

/// Reads `[person]` and `[area]`.
pub(super) fn read(root: &Section, log: &mut Log) -> People {
    let (mut persons, mut approvers) = (BTreeMap::new(), BTreeSet::new());
    for entry in entries(root, "person", log) {
        check_id("a person", &entry.key, log);
        let keys = Keys::open(entry, &PERSON, log);
        let approves = keys.as_ref().and_then(|keys| keys.flag("approves", log));
        if approves.is_some_and(|flag| flag.value) {
            approvers.insert(entry.key.value.as_str().into());
        }
        let label = keys.map(|keys| label(&entry.key.value, &keys, log));
        let label = label.unwrap_or_else(|| entry.key.value.clone());
        persons.insert(entry.key.value.clone(), label);
    }
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
            area.read_roles(&keys, &persons, log);
        }
        areas.insert(entry.key.value.clone(), area);
    }
    People {
        persons,
        approvers,
        areas,
    }
}

/// What stands in messages: the name, and how to reach the person at 03:00.
fn label(id: &str, keys: &Keys<'_>, log: &mut Log) -> String {
    let name = keys
        .text("name", log)
        .map_or_else(|| id.to_owned(), |name| name.value);
    let reach = ["phone", "email"].map(|key| keys.text(key, log).map(|text| text.value));
    let reach: Vec<String> = reach.into_iter().flatten().collect();
    if reach.is_empty() {
        return name;
    }
    format!("{name} ({})", reach.join(", "))
}

impl Area {
    fn read_roles(&mut self, keys: &Keys<'_>, persons: &BTreeMap<String, String>, log: &mut Log) {
        let mut of = |role: Role| {
            let items = keys.list(role.name(), log).unwrap_or_default();
            if !items.is_empty() {
                self.written.push(role);
            }
            let ids = items
                .iter()
                .filter_map(|item| holder(role, item, persons, log));
            ids.collect::<Vec<Arc<str>>>()
        };
        self.roles = Roles {
            responsible: of(Role::Responsible),
            deputy: of(Role::Deputy),
            principal: of(Role::Principal),
        };
        let ids = self.roles.responsible.iter();
        self.responsible = ids.filter_map(|id| persons.get(&**id)).cloned().collect();
    }
}

/// The id of a person who has a role.
fn holder(
    role: Role,
    item: &Item,
    persons: &BTreeMap<String, String>,
    log: &mut Log,
) -> Option<Arc<str>> {
    let Value::Text(id) = &item.value else {
        return mismatch(role.name(), "a list of person ids", item, log);
    };
    if persons.contains_key(id) {
        return Some(id.as_str().into());
    }
    let id = At {
        value: id.clone(),
        place: item.place,
    };
    dangling("person", &id, persons.keys(), log);
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
