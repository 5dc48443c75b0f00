//! Where an MQTT point's readings come from: a topic of its own, or a `[mapping]`.

use super::alarm;
use super::availability::{self, RawAvailability};
use super::broker::{Broker, is_topic};
use super::finding::{Kind, Log};
use super::keys::{Keys, joined};
use super::mapping::Mapping;
use super::payload;
use super::people::dangling;
use super::place::{At, Place};
use super::point::one_of;
use crate::input::mqtt::Payload;
use crate::input::mqtt::mapping::pointer::Pointer;
use crate::input::mqtt::mapping::topic::is_shared;

/// The keys that say so.
pub(super) const KEYS: [&str; 17] = joined(&[
    &["mapping", "broker", "topic", "value", "availability"],
    &payload::KEYS,
]);

/// One value of a topic.
pub(super) struct Topic {
    /// Which broker.
    pub(super) broker: usize,
    pub(super) topic: At<String>,
    pub(super) value: Option<Pointer>,
    pub(super) payload: Payload,
    pub(super) availability: Option<RawAvailability>,
    /// Are the numbers 0 and 1 the two positions of a contact? A payload does not say; a person who
    /// writes `state` does.
    pub(super) digital: bool,
}

/// A value that a `[mapping]` finds.
pub(super) struct Mapped {
    /// Which mapping.
    pub(super) mapping: usize,
    pub(super) broker: usize,
    /// As of a [`Topic`].
    pub(super) digital: bool,
}

/// Reads the topic of a point.
pub(super) fn read(keys: &Keys<'_>, brokers: &[Broker], log: &mut Log) -> Option<Topic> {
    keys.refuse("poll", "nobody asks a topic: it speaks by itself", log);
    keys.require("topic", "\"line2/pump7/vibration\"", log);
    let ids: Vec<&At<String>> = brokers.iter().map(|broker| &broker.id).collect();
    let broker = one_of("broker", keys, &ids, log);
    let topic = keys.text("topic", log).filter(|topic| {
        let good = is_topic(&topic.value) && !is_shared(&topic.value);
        if !good {
            log.error(Kind::BadValue, topic.place, "`topic` is one exact topic")
                .hint("without `+`, `#`, `$share` and control characters; many points share a [mapping]");
        }
        good
    });
    let payload = payload::read(keys, keys.has("value"), log);
    let value = payload::pointer("value", keys, log);
    units(keys, log);
    let availability = availability::read(keys, &[], log);
    if let (Some(each), false) = (keys.place_of("each"), keys.has("time")) {
        log.error(
            Kind::MissingKey,
            each,
            "`each` needs `time`: which element is the newest?",
        )
        .hint("for example `time = \"/t\"`, from the element; `\"$/t\"` is from the root");
    }
    Some(Topic {
        broker: broker?,
        topic: topic?,
        value,
        payload,
        availability,
        digital: alarm::has_state(keys),
    })
}

/// Keys about units that need each other.
fn units(keys: &Keys<'_>, log: &mut Log) {
    if !keys.has("unit_at") {
        keys.refuse("unit_words", "there is no `unit_at`", log);
    } else if let (Some(place), false) = (keys.place_of("unit_at"), keys.has("unit")) {
        let text = "`unit_at` needs `unit`: what the source's unit is compared with";
        log.error(Kind::MissingKey, place, text)
            .hint("for example `unit = \"degC\"`");
    }
}

/// Reads which mapping finds the values of the point `id`.
pub(super) fn mapped(
    keys: &Keys<'_>,
    id: &At<String>,
    mappings: &[Mapping],
    log: &mut Log,
) -> Option<Mapped> {
    for key in KEYS.iter().filter(|key| **key != "mapping") {
        keys.refuse(key, "the mapping says it", log);
    }
    keys.refuse("poll", "nobody asks a topic: it speaks by itself", log);
    let name = keys.text("mapping", log)?;
    let found = mappings
        .iter()
        .position(|known| known.id.value == name.value);
    let Some(position) = found else {
        dangling(
            "mapping",
            &name,
            mappings.iter().map(|known| &known.id.value),
            log,
        );
        return None;
    };
    let mapping = &mappings[position];
    check_id(mapping, id, name.place, log);
    if let (Some(place), false) = (mapping.checks_units, keys.has("unit")) {
        let text = "this point needs `unit`: its mapping compares the units";
        log.error(Kind::MissingKey, keys.owner, text)
            .hint("for example `unit = \"degC\"`")
            .also(place, "asked for here");
    }
    Some(Mapped {
        mapping: position,
        broker: mapping.broker?,
        digital: alarm::has_state(keys),
    })
}

/// A point whose id no template can give would wait for ever.
fn check_id(mapping: &Mapping, id: &At<String>, place: Place, log: &mut Log) {
    let mut templates = mapping.values.iter().map(|(template, _)| template);
    if mapping.values.is_empty() || templates.any(|template| template.fits(&id.value)) {
        return;
    }
    let text = format!(
        "mapping \"{}\" gives no point the id \"{}\"",
        mapping.id.value, id.value
    );
    log.error(Kind::UnknownReference, place, text)
        .hint("the id has the form of a template of the mapping, its names replaced")
        .also(mapping.templates_place, "what it gives");
}
