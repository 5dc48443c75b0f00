//! Readings over MQTT 3.1.1.

mod acks;
pub mod client;
pub mod mapping;
mod oversize;

use std::sync::Arc;

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
    pub mappings: Vec<TopicMapping>,
    /// The gateway's own point that says whether this broker is lost (1) or fine (0).
    pub status: PointIndex,
}

/// What the payloads of one topic mean.
#[derive(Debug, Clone, PartialEq)]
pub struct TopicMapping {
    /// The exact topic, no wildcards.
    pub topic: String,
    /// The point it feeds.
    pub point: PointIndex,
    /// JSON pointer (RFC 6901) to the value; `None`: the payload is the bare number.
    pub value: Option<String>,
    /// JSON pointer to the source time; `None`: the source gives no time.
    pub time: Option<String>,
    /// How the source writes time.
    pub time_format: TimeFormat,
    /// Has the point two positions? Then `true` and `false` are the numbers 1 and 0.
    pub digital: bool,
}

/// How a source writes time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TimeFormat {
    /// A string is RFC 3339; a number is seconds below 1e11 and milliseconds from there on.
    #[default]
    Auto,
    /// Seconds since 1970, fractions allowed.
    Seconds,
    /// Milliseconds since 1970.
    Milliseconds,
    /// RFC 3339 text.
    Rfc3339,
}
