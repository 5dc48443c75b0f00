//! The half of a connection that asks. What is asked waits in the library's channel, which has a bound, and
//! is written by the [`Pump`](super::Pump) in the order in which it was asked.

use bytes::Bytes;
use rumqttc::{AsyncClient, QoS, SubscribeFilter, v5};

/// Asks one connection; cheap to clone.
#[derive(Clone)]
pub(crate) enum Client {
    /// MQTT 3.1.1.
    V3(AsyncClient),
    /// MQTT 5.
    V5(v5::AsyncClient),
}

/// The library takes no request: its channel is full, or the pump has met an error and will tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unasked;

/// How sure a publish has to arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sure {
    /// QoS 0: nobody tells.
    No,
    /// QoS 1: with a PUBACK.
    Acknowledged,
}

impl Client {
    /// Asks for a publish. Its packet id comes as [`Event::Written`](super::Event::Written), in the order of
    /// asking.
    pub(crate) fn publish(
        &self,
        topic: String,
        payload: impl Into<Vec<u8>>,
        retain: bool,
        sure: Sure,
    ) -> Result<(), Unasked> {
        self.answer(topic, payload, retain, sure, None)
    }

    /// The same with the correlation data of the question (version 5 only; else it is left out).
    pub(crate) fn answer(
        &self,
        topic: String,
        payload: impl Into<Vec<u8>>,
        retain: bool,
        sure: Sure,
        correlation: Option<Bytes>,
    ) -> Result<(), Unasked> {
        let payload = payload.into();
        let asked = match self {
            Self::V3(client) => {
                let qos = match sure {
                    Sure::No => QoS::AtMostOnce,
                    Sure::Acknowledged => QoS::AtLeastOnce,
                };
                client.try_publish(topic, qos, retain, payload).is_ok()
            }
            Self::V5(client) => {
                let qos = match sure {
                    Sure::No => v5::mqttbytes::QoS::AtMostOnce,
                    Sure::Acknowledged => v5::mqttbytes::QoS::AtLeastOnce,
                };
                let properties = v5::mqttbytes::v5::PublishProperties {
                    correlation_data: correlation,
                    ..Default::default()
                };
                client
                    .try_publish_with_properties(topic, qos, retain, payload, properties)
                    .is_ok()
            }
        };
        if asked { Ok(()) } else { Err(Unasked) }
    }

    /// Acknowledges the message that came under this packet id.
    pub(crate) fn acknowledge(&self, id: u16) -> Result<(), Unasked> {
        let asked = match self {
            Self::V3(client) => {
                let mut publish = rumqttc::Publish::new("", QoS::AtLeastOnce, Vec::new());
                publish.pkid = id;
                client.try_ack(&publish).is_ok()
            }
            Self::V5(client) => {
                use v5::mqttbytes::{QoS, v5::Publish};
                let mut publish = Publish::new("", QoS::AtLeastOnce, Bytes::new(), None);
                publish.pkid = id;
                client.try_ack(&publish).is_ok()
            }
        };
        if asked { Ok(()) } else { Err(Unasked) }
    }

    /// Subscribes at QoS 1, in one packet.
    pub(crate) fn subscribe<'f>(
        &self,
        filters: impl Iterator<Item = &'f str>,
    ) -> Result<(), Unasked> {
        let asked = match self {
            Self::V3(client) => {
                let one = |filter: &str| SubscribeFilter::new(filter.to_owned(), QoS::AtLeastOnce);
                client.try_subscribe_many(filters.map(one)).is_ok()
            }
            Self::V5(client) => {
                use v5::mqttbytes::{QoS, v5::Filter};
                let one = |filter: &str| Filter::new(filter, QoS::AtLeastOnce);
                client.try_subscribe_many(filters.map(one)).is_ok()
            }
        };
        if asked { Ok(()) } else { Err(Unasked) }
    }

    /// Gives a subscription back.
    pub(crate) fn unsubscribe(&self, filter: &str) -> Result<(), Unasked> {
        let asked = match self {
            Self::V3(client) => client.try_unsubscribe(filter).is_ok(),
            Self::V5(client) => client.try_unsubscribe(filter).is_ok(),
        };
        if asked { Ok(()) } else { Err(Unasked) }
    }

    /// Leaves, after what was asked before.
    pub(super) fn disconnect(&self) -> Result<(), Unasked> {
        let asked = match self {
            Self::V3(client) => client.try_disconnect().is_ok(),
            Self::V5(client) => client.try_disconnect().is_ok(),
        };
        if asked { Ok(()) } else { Err(Unasked) }
    }
}

#[cfg(test)]
impl Client {
    /// One that never connects. What it is asked stays in its channel, as long as the other half lives.
    pub(crate) fn unconnected() -> (Self, impl Sized) {
        let options = rumqttc::MqttOptions::new("a", "127.0.0.1", 1);
        let (client, other) = AsyncClient::new(options, 10);
        (Self::V3(client), other)
    }
}
