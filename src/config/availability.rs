//! `availability`: a topic that says whether a source is there. Of a point, a `[mapping]` or a broker.

use super::finding::{Kind, Log};
use super::keys::{Keys, Vocabulary};
use super::payload::{clash, list_of_words, pointer};
use crate::input::mqtt::mapping::pointer::Pointer;
use crate::input::mqtt::mapping::topic::TopicPattern;
use crate::input::mqtt::{Availability, Concerns};

const AVAILABILITY: Vocabulary = Vocabulary {
    what: "`availability`",
    keys: &["topic", "value", "online", "offline"],
    later: &[],
};

const EXAMPLE: &str = "for example `availability = { topic = \"plant/pump-7/status\", online = \
                       [\"online\"], offline = [\"offline\"] }`";

/// As written: whom it concerns depends on where it stands.
#[derive(Debug, Clone)]
pub(super) struct RawAvailability {
    pub(super) topic: TopicPattern,
    value: Option<Pointer>,
    online: Vec<String>,
    offline: Vec<String>,
}

impl RawAvailability {
    /// For these.
    pub(super) fn of(&self, concerns: Concerns) -> Availability {
        Availability {
            topic: self.topic.clone(),
            value: self.value.clone(),
            online: self.online.clone(),
            offline: self.offline.clone(),
            concerns,
        }
    }
}

/// Reads the key of `keys`, if it is there. The topic may have the names in `names`, and no others.
pub(super) fn read(keys: &Keys<'_>, names: &[&str], log: &mut Log) -> Option<RawAvailability> {
    let entry = keys.entry("availability")?;
    let inner = Keys::open(entry, &AVAILABILITY, log)?;
    inner.require("topic", "\"plant/pump-7/status\"", log);
    let topic = inner.text("topic", log);
    let parsed = topic.as_ref().and_then(|topic| {
        let parsed = TopicPattern::parse(&topic.value);
        let error = parsed.as_ref().err().cloned().or_else(|| {
            let pattern = parsed.as_ref().ok()?;
            let unknown = pattern.names().find(|name| !names.contains(name))?;
            Some(format!(
                "has the name `{{{unknown}}}`, which the topic of the readings has not"
            ))
        });
        if let Some(error) = error {
            let text = format!("`topic` {error}");
            log.error(Kind::BadValue, topic.place, text).hint(EXAMPLE);
            return None;
        }
        parsed.ok()
    });
    let value = pointer("value", &inner, log);
    for key in ["online", "offline"] {
        if !inner.has(key) {
            let text = format!("`availability` needs `{key}`: the words for it");
            log.error(Kind::MissingKey, entry.key.place, text)
                .hint(EXAMPLE);
        }
    }
    let online = list_of_words("online", &inner, log);
    let offline = list_of_words("offline", &inner, log);
    if let Some(word) = clash(&online, &offline) {
        let text = format!("`availability`: \"{word}\" is there twice");
        log.error(Kind::Duplicate, entry.item.place, text)
            .hint("a word says either that a source is there or that it is gone");
    }
    Some(RawAvailability {
        topic: parsed?,
        value,
        online,
        offline,
    })
}
