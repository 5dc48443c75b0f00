//! What the configuration says of MQTT topics and their payloads.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::mapping::pointer::Pointer;
use super::mapping::template::Template;
use super::mapping::topic::TopicPattern;
use crate::broker::BrokerAddress;
use crate::engine::reading::PointIndex;

/// One broker to read from.
#[derive(Debug, Clone, PartialEq)]
pub struct SubscriberSettings {
    /// The broker's id in the configuration.
    pub id: Arc<str>,
    /// Where it is.
    pub address: BrokerAddress,
    /// What its topics mean.
    pub mappings: Mappings,
    /// The gateway's own point that says whether this broker is lost (1) or fine (0).
    pub status: PointIndex,
}

/// What the topics of one broker mean.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Mappings {
    /// Points with a topic of their own.
    pub topics: Vec<TopicMapping>,
    /// Topics of many points.
    pub families: Vec<Family>,
    /// Topics that say whether a source is there.
    pub availability: Vec<Availability>,
}

impl Mappings {
    /// Every point that is read, in no order that matters.
    pub fn points(&self) -> impl Iterator<Item = PointIndex> {
        let own = self.topics.iter().map(|topic| topic.target.point);
        let families = self.families.iter();
        let shared = families.flat_map(|family| family.points.values().map(|target| target.point));
        own.chain(shared)
    }
}

impl From<Vec<TopicMapping>> for Mappings {
    fn from(topics: Vec<TopicMapping>) -> Self {
        Self {
            topics,
            ..Self::default()
        }
    }
}

/// A point that a payload may give a value.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// Which one.
    pub point: PointIndex,
    /// Has the point two positions? Then `true` and `false` are the numbers 1 and 0.
    pub digital: bool,
    /// The point's unit.
    pub unit: Arc<str>,
}

/// What the payloads of one topic mean to one point.
#[derive(Debug, Clone, PartialEq)]
pub struct TopicMapping {
    /// The exact topic, no wildcards.
    pub topic: String,
    /// The point it feeds.
    pub target: Target,
    /// Where the value stands; `None`: the payload is the bare value.
    pub value: Option<Pointer>,
    /// How the payload is read.
    pub payload: Payload,
}

impl TopicMapping {
    /// A topic whose payloads are bare numbers.
    pub fn bare(topic: &str, point: PointIndex) -> Self {
        Self {
            topic: topic.to_owned(),
            target: Target {
                point,
                digital: false,
                unit: "".into(),
            },
            value: None,
            payload: Payload::default(),
        }
    }
}

/// A `[mapping.ID]`: topics that feed many points.
#[derive(Debug, Clone, PartialEq)]
pub struct Family {
    /// The mapping's id in the configuration.
    pub id: Arc<str>,
    /// Which topics.
    pub topic: TopicPattern,
    /// How the payloads are written.
    pub format: Format,
    /// The point and the value of each reading in a message, or in an element of `each`; at least one.
    pub values: Vec<(Template, Option<Pointer>)>,
    /// How the payload is read.
    pub payload: Payload,
    /// Who may get a value, by id. Nobody else does.
    pub points: BTreeMap<Box<str>, Target>,
}

/// How the payloads of a [`Family`] are written.
#[derive(Debug, Clone, PartialEq)]
pub enum Format {
    /// A bare value or JSON.
    Json,
    /// A SenML pack in JSON (RFC 8428); the pattern takes the records' names apart.
    Senml(TopicPattern),
    /// Sparkplug B; the pattern takes the metrics' names apart.
    Sparkplug(TopicPattern),
}

/// How a payload is read, beside where its value stands.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Payload {
    /// A list with a reading in each element; pointers begin there.
    pub each: Option<Pointer>,
    /// The source's time; `None`: it gives none.
    pub time: Option<Pointer>,
    /// How the source writes time.
    pub time_format: TimeFormat,
    /// The source's own counter.
    pub sequence: Option<Pointer>,
    /// What the source says of its value.
    pub quality: Option<QualityWords>,
    /// The unit of the value, and other spellings of units; the point's unit is compared.
    pub unit: Option<Pointer>,
    /// Spellings of units: the source's, and ours.
    pub units: Vec<(String, String)>,
    /// Words that stand for numbers.
    pub words: Vec<(String, f64)>,
    /// May a number stand in quotes?
    pub text_numbers: bool,
    /// Does a message without the value say nothing, instead of that there is none?
    pub may_be_absent: bool,
}

/// What a source says of its value.
#[derive(Debug, Clone, PartialEq)]
pub struct QualityWords {
    /// Where.
    pub at: Pointer,
    /// Words for good, numbers and `true` and `false` in their spelling.
    pub good: Vec<String>,
    /// Words for doubtful. Everything else is bad.
    pub uncertain: Vec<String>,
}

/// A topic that says whether a source is there.
#[derive(Debug, Clone, PartialEq)]
pub struct Availability {
    /// Which topics.
    pub topic: TopicPattern,
    /// Where the word stands; `None`: the payload is the word.
    pub value: Option<Pointer>,
    /// Words for being there.
    pub online: Vec<String>,
    /// Words for not being there.
    pub offline: Vec<String>,
    /// Whom it concerns.
    pub concerns: Concerns,
}

/// Whom a topic of availability concerns.
#[derive(Debug, Clone, PartialEq)]
pub enum Concerns {
    /// These points.
    Points(Vec<PointIndex>),
    /// The points of a family whose topics had the same named parts; by position in
    /// [`Mappings::families`].
    Family(usize),
}

/// How a source writes time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TimeFormat {
    /// A text is RFC 3339; a number is seconds below 1e11, then milliseconds, from 1e14 on microseconds
    /// and from 1e17 on nanoseconds.
    #[default]
    Auto,
    /// Seconds since 1970, fractions allowed.
    Seconds,
    /// Milliseconds since 1970.
    Milliseconds,
    /// Microseconds since 1970.
    Microseconds,
    /// Nanoseconds since 1970.
    Nanoseconds,
    /// RFC 3339 text.
    Rfc3339,
}
