//! `[output]`: where events go. Which kind of output it is, one key says: `mqtt`, `webhook`, `alertmanager`, `email`,
//! `sparkplug`, `stdout`.

mod alertmanager;
mod email;
mod mqtt;
mod sparkplug;
mod stdout;
mod webhook;

use std::collections::BTreeMap;

pub(super) use self::sparkplug::tell_nodes;
use super::finding::{Kind, Log};
use super::keys::{Keys, Vocabulary, check_id, joined};
use super::people::entries;
use super::place::{At, Place, Sources};
use super::tree::{Entry, Section};
use crate::output::Target;
use crate::wording::Person;

/// The kinds of output: the key that says so, all keys of the kind, and an example.
const KINDS: [Family; 6] = [
    Family {
        sign: &["mqtt"],
        keys: mqtt::KEYS,
        example: "\"mqtt://192.0.2.20:1883\"",
        read: mqtt::read,
    },
    Family {
        sign: &["webhook", "webhook_file"],
        keys: webhook::KEYS,
        example: "\"https://hooks.example.com/KEY\"",
        read: webhook::read,
    },
    Family {
        sign: &["sparkplug"],
        keys: sparkplug::KEYS,
        example: "\"mqtt://192.0.2.20:1883\"",
        read: sparkplug::read,
    },
    Family {
        sign: &["stdout"],
        keys: stdout::KEYS,
        example: "true",
        read: stdout::read,
    },
    Family {
        sign: &["alertmanager"],
        keys: alertmanager::KEYS,
        example: "\"http://192.0.2.20:9093\"",
        read: alertmanager::read,
    },
    Family {
        sign: &["email"],
        keys: email::KEYS,
        example: "\"smtp://relay.example.com\"",
        read: email::read,
    },
];

const OUTPUT: Vocabulary = Vocabulary {
    what: "an output",
    keys: &joined::<
        {
            mqtt::KEYS.len()
                + webhook::KEYS.len()
                + stdout::KEYS.len()
                + alertmanager::KEYS.len()
                + email::KEYS.len()
                + sparkplug::OWN.len()
        },
    >(&[
        mqtt::KEYS,
        webhook::KEYS,
        stdout::KEYS,
        alertmanager::KEYS,
        email::KEYS,
        sparkplug::OWN,
    ]),
    later: &[],
};

/// One kind of output.
struct Family {
    /// Any of these keys says that it is one.
    sign: &'static [&'static str],
    /// What may stand beside it.
    keys: &'static [&'static str],
    example: &'static str,
    read: fn(&Reading<'_>, &mut Log) -> Option<Target>,
}

/// An output that is being read.
struct Reading<'a> {
    id: &'a str,
    keys: Keys<'a>,
    site: &'a str,
    sources: &'a Sources,
    /// Everyone, by id.
    persons: &'a BTreeMap<String, Person>,
}

/// Where events go.
pub(super) struct Output {
    pub(super) id: At<String>,
    /// Where its address stands.
    pub(super) place: Place,
    /// `None`: it has a mistake. It is kept, so that whoever names it names something.
    pub(super) target: Option<Target>,
}

/// What an output is, in words, for `check --explain`.
pub(super) fn explain(target: &Target) -> String {
    match target {
        Target::Mqtt(target) => mqtt::explain(target),
        Target::Webhook(target) => webhook::explain(target),
        Target::Stdout => stdout::explain(),
        Target::Alertmanager(target) => alertmanager::explain(target),
        Target::Email(target) => email::explain(target),
        Target::Sparkplug(target) => sparkplug::explain(target),
    }
}

/// Reads `[output]`.
pub(super) fn read(
    root: &Section,
    site: &str,
    sources: &Sources,
    persons: &BTreeMap<String, Person>,
    log: &mut Log,
) -> Vec<Output> {
    let entries = entries(root, "output", log);
    let read = |entry| output(entry, site, sources, persons, log);
    entries.iter().map(read).collect()
}

fn output(
    entry: &Entry,
    site: &str,
    sources: &Sources,
    persons: &BTreeMap<String, Person>,
    log: &mut Log,
) -> Output {
    check_id("an output", &entry.key, log);
    let mut output = Output {
        id: entry.key.clone(),
        place: entry.key.place,
        target: None,
    };
    let Some(keys) = Keys::open(entry, &OUTPUT, log) else {
        return output;
    };
    let signs = |family: &&Family| family.sign.iter().any(|key| keys.has(key));
    let mut families = KINDS.iter().filter(signs);
    let Some(family) = families.next() else {
        if !OUTPUT.later.iter().any(|(key, _)| keys.has(key)) {
            let [first, ..] = &KINDS;
            keys.require(first.sign[0], first.example, log);
        }
        return output;
    };
    let place = (family.sign.iter()).find_map(|key| Some(keys.entry(key)?.item.place));
    let place = place.unwrap_or(keys.owner);
    output.place = place;
    if let Some(other) = families.next() {
        let (first, second) = (family.sign[0], other.sign[0]);
        let text = format!("an output is one thing: `{first}` or `{second}`");
        log.error(Kind::Conflict, place, text)
            .hint("write two outputs, each with an id of its own");
        return output;
    }
    let known = |key: &&str| family.keys.contains(key);
    for key in OUTPUT.keys.iter().filter(|key| !known(key)) {
        let reason = format!("it does not belong to an output with `{}`", family.sign[0]);
        keys.refuse(key, &reason, log);
    }
    let reading = Reading {
        id: &entry.key.value,
        keys,
        site,
        sources,
        persons,
    };
    output.target = (family.read)(&reading, log);
    output
}
