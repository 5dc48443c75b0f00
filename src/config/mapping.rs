//! `[mapping]`: topics that feed many points.

use super::availability::{self, RawAvailability};
use super::broker::Broker;
use super::finding::{Kind, Log};
use super::keys::{Keys, Vocabulary, check_id, joined, mismatch};
use super::payload::{self, parse_pointer};
use super::people::entries;
use super::place::{At, Place};
use super::point::one_of;
use super::tree::{Entry, Section, Value};
use crate::input::mqtt::mapping::pointer::Pointer;
use crate::input::mqtt::mapping::template::Template;
use crate::input::mqtt::mapping::topic::TopicPattern;
use crate::input::mqtt::{Format, Payload};

const MAPPING: Vocabulary = Vocabulary {
    what: "a mapping",
    keys: &joined::<20>(&[
        &[
            "broker",
            "topic",
            "format",
            "name",
            "point",
            "value",
            "values",
            "availability",
        ],
        &payload::KEYS,
    ]),
    later: &[],
};

/// Values in a message, or in an element of a list, at most.
const MOST_VALUES: usize = 64;

/// Mappings at most.
const MOST_MAPPINGS: usize = 1_000;

/// Formats that say where everything stands.
#[derive(Clone, Copy)]
enum Pack {
    Senml,
    Sparkplug,
}

/// A mapping as written.
pub(super) struct Mapping {
    pub(super) id: At<String>,
    pub(super) broker: Option<usize>,
    /// `None` after a mistake.
    pub(super) topic: Option<TopicPattern>,
    pub(super) format: Format,
    /// Empty after a mistake.
    pub(super) values: Vec<(Template, Option<Pointer>)>,
    /// Where the templates stand.
    pub(super) templates_place: Place,
    pub(super) payload: Payload,
    /// Where it says that the unit of a value is compared with that of its point.
    pub(super) checks_units: Option<Place>,
    pub(super) availability: Option<RawAvailability>,
}

/// Reads `[mapping]`. A mapping with mistakes is kept, so that its points are not called orphans.
pub(super) fn read(root: &Section, brokers: &[Broker], log: &mut Log) -> Vec<Mapping> {
    let entries = entries(root, "mapping", log);
    if let Some(entry) = entries.get(MOST_MAPPINGS) {
        let text = format!("there are {MOST_MAPPINGS} mappings at most");
        log.error(Kind::OutOfRange, entry.key.place, text);
    }
    let mappings = entries.iter().take(MOST_MAPPINGS);
    mappings.map(|entry| mapping(entry, brokers, log)).collect()
}

fn mapping(entry: &Entry, brokers: &[Broker], log: &mut Log) -> Mapping {
    check_id("a mapping", &entry.key, log);
    let mut mapping = Mapping {
        id: entry.key.clone(),
        broker: None,
        topic: None,
        format: Format::Json,
        values: Vec::new(),
        templates_place: entry.key.place,
        payload: Payload::default(),
        checks_units: None,
        availability: None,
    };
    let Some(keys) = Keys::open(entry, &MAPPING, log) else {
        return mapping;
    };
    let ids: Vec<&At<String>> = brokers.iter().map(|broker| &broker.id).collect();
    mapping.broker = one_of("broker", &keys, &ids, log);
    keys.require("topic", "\"plant/{area}/{point}\"", log);
    mapping.topic = pattern(&keys, log);
    mapping.read_format(&keys, log);
    mapping.read_values(&keys, log);
    let has_pointer = keys.has("value") || keys.has("values");
    mapping.payload = payload::read(&keys, has_pointer || mapping.is_pack(), log);
    mapping.check(&keys, log);
    let names = mapping.topic.iter().flat_map(TopicPattern::names);
    let names: Vec<&str> = names.collect();
    mapping.availability = availability::read(&keys, &names, log);
    mapping
}

fn pattern(keys: &Keys<'_>, log: &mut Log) -> Option<TopicPattern> {
    let topic = keys.text("topic", log)?;
    let parsed = TopicPattern::parse(&topic.value);
    if let Err(error) = &parsed {
        log.error(Kind::BadValue, topic.place, format!("`topic` {error}"))
            .hint("for example \"plant/{area}/{point}\", \"tele/dev-{id}/SENSOR\" or \"site/{point}/#\"");
    }
    parsed.ok()
}

impl Mapping {
    /// Does the format itself say where everything stands?
    const fn is_pack(&self) -> bool {
        match self.format {
            Format::Senml(_) | Format::Sparkplug(_) => true,
            Format::Json => false,
        }
    }

    fn read_format(&mut self, keys: &Keys<'_>, log: &mut Log) {
        let formats = [
            ("json", None),
            ("senml", Some(Pack::Senml)),
            ("sparkplug", Some(Pack::Sparkplug)),
        ];
        let format = keys.choice("format", &formats, log);
        let Some(pack) = format.and_then(|format| format.value) else {
            keys.refuse(
                "name",
                "the format is JSON, whose fields have pointers",
                log,
            );
            return;
        };
        for key in payload::KEYS.iter().chain(&["value", "values"]) {
            if *key != "unit_words" && *key != "words" {
                keys.refuse(key, "the format says where everything stands", log);
            }
        }
        let (usual, other) = match pack {
            Pack::Senml => ("{name}", "words"),
            Pack::Sparkplug => ("{metric}", "unit_words"),
        };
        keys.refuse(other, "this format has none", log);
        // `:` ends a part of a name as `/` does.
        let name = keys.text("name", log);
        let parsed = name.as_ref().map_or_else(
            || TopicPattern::parse(usual),
            |name| TopicPattern::parse(&name.value.replace(':', "/")),
        );
        match (parsed, name) {
            (Ok(names), _) => {
                self.format = match pack {
                    Pack::Senml => Format::Senml(names),
                    Pack::Sparkplug => Format::Sparkplug(names),
                };
            }
            (Err(error), Some(name)) => {
                log.error(Kind::BadValue, name.place, format!("`name` {error}"))
                    .hint(
                        format!("for example \"urn:dev:ow:{{device}}:{{quantity}}\"; the default is \"{usual}\""),
                    );
            }
            (Err(_), None) => {}
        }
    }

    /// The template of the one value, or those of several.
    fn read_values(&mut self, keys: &Keys<'_>, log: &mut Log) {
        let both = keys.has("point") && keys.has("values");
        if both {
            for key in ["point", "value"] {
                keys.refuse(key, "`values` says which point has which value", log);
            }
        }
        if let Some(place) = keys.place_of("values").or_else(|| keys.place_of("point")) {
            self.templates_place = place;
        } else {
            log.error(
                Kind::MissingKey,
                keys.owner,
                "a mapping needs `point` or `values`",
            )
            .hint("for example `point = \"{area}-{point}\"`: how the id of a point is made");
        }
        if keys.has("values") {
            self.several(keys, log);
            return;
        }
        let value = payload::pointer("value", keys, log);
        if let Some(text) = keys.text("point", log) {
            let template = self.template("point", &text, log);
            self.values
                .extend(template.map(|template| (template, value)));
        }
    }

    fn several(&mut self, keys: &Keys<'_>, log: &mut Log) {
        const EXAMPLE: &str = "for example `values = { \"{device}-t\" = \"/temperature\" }`: the id of \
                               a point, and where its value stands";
        let Some(entry) = keys.entry("values") else {
            return;
        };
        let Value::Table(section) = &entry.item.value else {
            let text = format!("`values` is a table, not {}", entry.item.value.name());
            log.error(Kind::WrongType, entry.item.place, text)
                .hint(EXAMPLE);
            return;
        };
        if !(1..=MOST_VALUES).contains(&section.entries.len()) {
            let count = section.entries.len();
            let text = format!("`values` has from 1 to {MOST_VALUES} values, not {count}");
            log.error(Kind::BadValue, entry.key.place, text)
                .hint(EXAMPLE);
        }
        for value in &section.entries {
            let Some(template) = self.template("values", &value.key, log) else {
                continue;
            };
            let Value::Text(text) = &value.item.value else {
                mismatch::<()>("values", "a table of JSON pointers", &value.item, log);
                continue;
            };
            let text = At {
                value: text.clone(),
                place: value.item.place,
            };
            let pointer = parse_pointer("values", &text, log);
            self.values
                .extend(pointer.map(|pointer| (template, Some(pointer))));
        }
    }

    /// A template whose names the topic has.
    fn template(&self, key: &str, text: &At<String>, log: &mut Log) -> Option<Template> {
        let template = match Template::parse(&text.value) {
            Ok(template) => template,
            Err(error) => {
                let what = format!("`{key}`: \"{}\" {error}", text.value);
                log.error(Kind::BadValue, text.place, what)
                    .hint("for example \"{area}-{point}\", with names of the topic, or \"{/name}\" from the payload");
                return None;
            }
        };
        let names = self.names();
        if let (Some(unknown), true) = (
            template.names().find(|name| !names.contains(name)),
            self.topic.is_some(),
        ) {
            let what = format!("`{key}`: the topic has no part with the name `{{{unknown}}}`");
            let known = names.iter().map(|name| format!("{{{name}}}"));
            let known: Vec<String> = known.collect();
            log.error(Kind::UnknownReference, text.place, what)
                .hint(if known.is_empty() {
                    "name a part of the topic, as in \"plant/{point}\"".to_owned()
                } else {
                    format!("known: {}", known.join(", "))
                });
            return None;
        }
        if template.has_fields() && self.is_pack() {
            log.error(
                Kind::Conflict,
                text.place,
                "this format has no fields beside its names",
            )
            .hint("take the name apart: `name = \"urn:dev:ow:{device}:{quantity}\"`");
            return None;
        }
        Some(template)
    }

    /// The names that templates may use.
    fn names(&self) -> Vec<&str> {
        let (of_records, of_format): (_, &[&str]) = match &self.format {
            Format::Senml(names) => (Some(names), &[]),
            Format::Sparkplug(names) => (Some(names), &["group", "node", "device"]),
            Format::Json => (None, &[]),
        };
        let patterns = self.topic.iter().chain(of_records);
        let names = patterns.flat_map(TopicPattern::names);
        names.chain(of_format.iter().copied()).collect()
    }

    /// Keys that need one another.
    fn check(&mut self, keys: &Keys<'_>, log: &mut Log) {
        let mut names = self.names();
        names.sort_unstable();
        if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            let place = keys.place_of("name").unwrap_or(keys.owner);
            let text = format!("`{{{}}}` stands in `topic` and in `name`", twice[0]);
            log.error(Kind::Duplicate, place, text)
                .hint("give one of the two another name");
        }
        if !keys.has("unit_at") && !self.is_pack() {
            keys.refuse("unit_words", "there is no `unit_at`", log);
        }
        self.checks_units = if self.is_pack() {
            keys.place_of("unit_words")
        } else {
            keys.place_of("unit_at")
        };
        let has_fields = self
            .values
            .iter()
            .any(|(template, _)| template.has_fields());
        if let (Some(each), false, false) = (keys.place_of("each"), keys.has("time"), has_fields) {
            log.error(
                Kind::MissingKey,
                each,
                "`each` needs `time`: which element is the newest?",
            )
            .hint(
                "for example `time = \"/t\"`, from the element; or a template with a field of the \
                     element, `point = \"{/sensor}\"`",
            );
        }
    }
}
