//! Topic and payload to readings. Pure: what cannot be a value is refused with a reason, never
//! guessed, and never becomes a zero.
//!
//! ```text
//!  topic ─┬─ of a point ──────▶ its value ───────────────┐
//!         ├─ of a family ─────▶ points by template ──────┼──▶ readings, refusals
//!         └─ of availability ─▶ gone: its points are bad ┘
//! ```
//!
//! A payload is a bare number, or JSON with pointers (RFC 6901) to what is read (`decode`), or a SenML
//! pack (`senml`), or Sparkplug B (`sparkplug`, which remembers births). Where one value is read, what is not asked for is skipped without being stored, so a
//! deep or wide document costs its bytes and no more; where several are, the document is held while it
//! is read (`json`).
//!
//! A live payload in which there is no value says that the sensor has none: its points turn bad at
//! once and do not go on with their old value. A retained one says nothing about now, and one whose
//! time alone is wrong nothing about the sensor: they are refused only.
//!
//! | bound | | beyond |
//! |---|---|---|
//! | payload | [`MAX_PAYLOAD`] | `too_large` |
//! | depth of JSON | 128 | `not_json` |
//! | readings in a message | [`MAX_ELEMENTS`] | `too_many_readings` |
//! | names in a topic or template | [`topic::MOST_CAPTURES`] | refused by the configuration |
//! | length of an id | [`template::LONGEST_ID`] | `unknown_point` |
//! | sources of a point | 1 of those whose ids are spelt alike (`owners`) | `other_source` |
//! | text kept of a refusal | 64 characters | cut |
//!
//! What a number means is the point's signal, which the engine knows. Deliberately absent: decimal
//! commas (the sender is configured wrongly, and a guess would hide it), and judging whether a time is
//! plausible, which needs the gateway's clock and is the engine's.

mod availability;
mod copies;
mod decode;
mod family;
mod harvest;
mod json;
mod owners;
pub mod pointer;
mod rejection;
mod senml;
mod sparkplug;
pub mod template;
pub mod topic;

use std::collections::BTreeSet;

use self::copies::Copies;
use self::decode::{Document, not_json};
use self::family::{Seen, Shared, elements};
use self::harvest::{Harvest, Message};
use self::json::Json;
pub use self::rejection::{Refused, Rejection};
use self::topic::{Captures, TopicPattern, covers};
use super::{Availability, Concerns, Mappings, TopicMapping};
use crate::engine::reading::Fault;
use crate::engine::time::Moment;
use crate::evaluation::Batch;

/// Longest payload that is looked at, bytes.
pub const MAX_PAYLOAD: usize = 256 * 1024;

/// Readings of one message at most.
pub const MAX_ELEMENTS: usize = 1_000;

/// The mappings of one broker, ready for look-up by topic.
#[derive(Debug)]
pub struct Mapper {
    /// Sorted by topic; several points may read one topic.
    sources: Vec<TopicMapping>,
    families: Vec<Shared>,
    availability: Vec<Availability>,
    /// Sorted by topic.
    exact: Vec<(String, Use)>,
    wild: Vec<(TopicPattern, Use)>,
    /// What the broker is asked for; none covers another.
    filters: Vec<String>,
    /// Those of them that match more than one topic.
    wild_filters: Vec<String>,
    copies: Copies,
}

/// What a topic is good for, beside a point of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    Family(usize),
    Availability(usize),
}

impl Mapper {
    /// Prepares `mappings`, which may be a list of points with topics of their own.
    pub fn new(mappings: impl Into<Mappings>) -> Self {
        let Mappings {
            topics: mut sources,
            families,
            availability,
        } = mappings.into();
        sources.sort_by(|a, b| a.topic.cmp(&b.topic));
        let of_families = families.iter().map(|family| &family.topic);
        let of_families = of_families.zip((0..).map(Use::Family));
        let of_availability = availability.iter().map(|available| &available.topic);
        let of_availability = of_availability.zip((0..).map(Use::Availability));
        let (mut exact, mut wild) = (Vec::new(), Vec::new());
        for (pattern, used) in of_families.chain(of_availability) {
            match pattern.as_exact() {
                Some(topic) => exact.push((topic, used)),
                None => wild.push((pattern.clone(), used)),
            }
        }
        exact.sort_by(|a, b| a.0.cmp(&b.0));
        let wild_filters = widest(wild.iter().map(|(pattern, _)| pattern.filter()).collect());
        let own = sources.iter().map(|source| &source.topic);
        let topics: BTreeSet<&String> = own.chain(exact.iter().map(|(topic, _)| topic)).collect();
        let topics = topics
            .into_iter()
            .filter(|topic| !matches_any(&wild_filters, topic));
        let filters = topics.chain(&wild_filters).cloned().collect();
        let is_asked = |at| {
            let mut availability = availability.iter();
            availability.any(|available| available.concerns == Concerns::Family(at))
        };
        let families = families.into_iter().zip(0..);
        let families = families.map(|(family, at)| Shared::new(family, is_asked(at)));
        Self {
            families: families.collect(),
            sources,
            availability,
            exact,
            wild,
            filters,
            wild_filters,
            copies: Copies::default(),
        }
    }

    /// Every topic filter that the broker is asked for, once; none covers another.
    pub fn topics(&self) -> impl Iterator<Item = &str> {
        self.filters.iter().map(String::as_str)
    }

    /// A connection begins. What the broker sends again then is no copy: whether it was ever safe is not
    /// known.
    pub fn connected(&mut self) {
        self.copies = Copies::default();
    }

    /// Reads one message that reached the gateway at `received`: the readings of all points that it
    /// means, and why some or all of them got no value. A refused point has a bad reading when the
    /// message says that there is no value, else none.
    pub fn read(
        &mut self,
        topic: &str,
        payload: &[u8],
        retained: bool,
        received: Moment,
    ) -> (Option<Batch>, Vec<Refused>) {
        let mut harvest = Harvest::new(retained, received);
        if self.is_copy((topic, payload, retained), received) {
            harvest.count(Rejection::Copy.into());
            return (None, harvest.refused);
        }
        let message = Message {
            topic,
            payload,
            text: text_of(payload),
        };
        let sources = self.sources(topic);
        let mut is_known = !sources.is_empty();
        for source in sources {
            source.read(message.text, &mut harvest);
        }
        for (used, captures) in self.uses(topic) {
            is_known = true;
            match used {
                Use::Family(at) => self.families[at].read(&captures, message, &mut harvest),
                Use::Availability(at) => self.weigh(at, &captures, message.text, &mut harvest),
            }
        }
        if !is_known {
            let is_asked = matches_any(&self.wild_filters, topic);
            let reason = if is_asked {
                Rejection::UnknownPoint
            } else {
                Rejection::UnknownTopic
            };
            harvest.count(reason.into());
        }
        (harvest.batch, harvest.refused)
    }

    /// What reads `topic`; empty when nothing does.
    fn sources(&self, topic: &str) -> &[TopicMapping] {
        let is_before = |source: &TopicMapping| source.topic.as_str() < topic;
        let from = self.sources.partition_point(is_before);
        let rest = self.sources.get(from..).unwrap_or_default();
        let same = rest.iter().take_while(|source| source.topic == topic);
        rest.get(..same.count()).unwrap_or_default()
    }

    /// What else the topic is good for, with its named parts.
    fn uses(&self, topic: &str) -> Vec<(Use, Captures)> {
        let from = self
            .exact
            .partition_point(|(known, _)| known.as_str() < topic);
        let exact = self.exact.iter().skip(from);
        let exact = exact.take_while(|(known, _)| known == topic);
        let exact = exact.map(|(_, used)| (*used, Captures::default()));
        let wild = self.wild.iter();
        let wild = wild.filter_map(|(pattern, used)| Some((*used, pattern.captures(topic)?)));
        exact.chain(wild).collect()
    }

    /// Has this message come already, for another subscription?
    fn is_copy(&mut self, message: (&str, &[u8], bool), received: Moment) -> bool {
        if self.wild_filters.len() < 2 {
            // Exact topics that a filter covers are not asked for.
            return false;
        }
        let filters = self.wild_filters.iter();
        let times = filters.filter(|filter| covers(filter, message.0)).count();
        times > 1 && self.copies.is_one(message, times, received.mono)
    }

    /// Reads what a message says of whether a source is there.
    fn weigh(
        &self,
        at: usize,
        captures: &Captures,
        text: Result<&str, Rejection>,
        harvest: &mut Harvest,
    ) {
        let availability = &self.availability[at];
        match availability.says_gone(text) {
            Err(refused) => harvest.count(refused),
            Ok(false) => {}
            Ok(true) => match &availability.concerns {
                Concerns::Points(points) => {
                    for point in points {
                        harvest.lose(*point, Fault::SourceOffline);
                    }
                }
                Concerns::Family(family) => {
                    for point in self.families[*family].concerned(captures) {
                        harvest.lose(point, Fault::SourceOffline);
                    }
                }
            },
        }
    }
}

impl TopicMapping {
    /// Reads the point's share of a message.
    fn read(&self, text: Result<&str, Rejection>, harvest: &mut Harvest) {
        let (payload, value) = (&self.payload, self.value.as_ref());
        let text = match text {
            Ok(text) => text,
            Err(rejection) => return harvest.take(Err(rejection.into()), &self.target),
        };
        if payload.each.is_none() {
            let reading = harvest.read(payload, value, &self.target, Document::Text(text));
            return harvest.take(reading, &self.target);
        }
        let root = match Json::parse(text) {
            Ok(root) => root,
            Err(error) => return harvest.take(Err(not_json(&error).into()), &self.target),
        };
        let elements = match elements(payload, &root, 1) {
            Ok(elements) => elements,
            Err(refused) => return harvest.take(Err(refused), &self.target),
        };
        let mut seen = Seen::default();
        for here in elements {
            let document = Document::Part { root: &root, here };
            let reading = harvest.read(payload, value, &self.target, document);
            harvest.take(seen.once(reading), &self.target);
        }
    }
}

/// The payload as text, if there is any.
fn text_of(payload: &[u8]) -> Result<&str, Rejection> {
    if payload.len() > MAX_PAYLOAD {
        return Err(Rejection::TooLarge);
    }
    if payload.trim_ascii().is_empty() {
        return Err(Rejection::Empty);
    }
    std::str::from_utf8(payload).map_err(|_| Rejection::NotUtf8)
}

fn matches_any(filters: &[String], topic: &str) -> bool {
    filters.iter().any(|filter| covers(filter, topic))
}

/// Those filters that no other one covers.
fn widest(filters: BTreeSet<String>) -> Vec<String> {
    let covered = |narrow: &String| {
        let mut others = filters.iter().filter(|wide| *wide != narrow);
        others.any(|wide| covers(wide, narrow))
    };
    filters
        .iter()
        .filter(|filter| !covered(filter))
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests;
