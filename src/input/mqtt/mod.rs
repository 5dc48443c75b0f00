//! Readings over MQTT 3.1.1 or 5.

mod acks;
pub mod client;
pub mod mapping;
mod oversize;
mod settings;

pub use settings::{
    Availability, Concerns, Family, Format, Mappings, Payload, QualityWords, SubscriberSettings,
    Target, TimeFormat, TopicMapping,
};
