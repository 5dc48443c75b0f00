//! What a broker did, in words that hold for both versions of MQTT. Pure: from the library's packets.

use bytes::Bytes;
use rumqttc::{Outgoing, Packet, SubscribeReasonCode, v5};
use v5::mqttbytes::v5::{
    ConnAckProperties, Packet as Packet5, PubAckReason, SubscribeReasonCode as Reason5,
};

/// What happened on a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    /// The broker accepted us.
    Connected(Connected),
    /// The answer to the oldest subscription that has none: for each filter in turn.
    Subscribed(Vec<Grant>),
    /// The answer to the oldest question to give a subscription back that has none.
    Unsubscribed,
    /// A message came.
    Message(Message),
    /// The next publish that was asked for went out under this packet id; 0 at QoS 0.
    Written(u16),
    /// The PUBACK for this packet id came.
    Acknowledged(u16, Verdict),
    /// This packet id is still taken when its turn comes again: from here on PUBACKs cannot be told apart.
    IdsCameRound(u16),
}

/// The broker's terms.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Connected {
    /// It still has the session of before.
    pub(crate) session_present: bool,
    /// Longest packet it takes, bytes, if it says so.
    pub(crate) longest: Option<usize>,
}

/// A message from the broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) topic: String,
    pub(crate) payload: Bytes,
    /// Kept by the broker: of unknown age.
    pub(crate) retain: bool,
    /// To acknowledge it; `None` at QoS 0.
    pub(crate) id: Option<u16>,
    /// Where an answer is expected; version 5 only.
    pub(crate) answer_to: Option<String>,
    /// What the answer has to repeat; version 5 only.
    pub(crate) correlation: Option<Bytes>,
}

/// What a SUBACK says of one filter. Everything is asked for at QoS 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Grant {
    /// Granted as asked.
    Granted,
    /// Granted at QoS 0: what is lost on the way is not sent again, and what comes while nobody is connected is
    /// not kept.
    AtMostOnce,
    /// Refused; why.
    Refused(&'static str),
}

impl Grant {
    /// Why it is refused, if it is.
    pub(crate) const fn refusal(self) -> Option<&'static str> {
        match self {
            Self::Refused(reason) => Some(reason),
            Self::Granted | Self::AtMostOnce => None,
        }
    }
}

/// What a PUBACK says. Version 3.1.1 has no word but [`Verdict::Taken`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The broker has it.
    Taken,
    /// The same, but nobody is subscribed.
    Unheard,
    /// It does not take this message, and never will as long as nobody changes something.
    Refused(&'static str),
    /// It does not take it now.
    Later(&'static str),
}

impl Event {
    /// `None`: nothing that anybody here waits for.
    pub(super) fn of_v3(event: rumqttc::Event) -> Option<Self> {
        match event {
            rumqttc::Event::Incoming(packet) => Self::of_packet(packet),
            rumqttc::Event::Outgoing(outgoing) => Self::of_outgoing(&outgoing),
        }
    }

    fn of_packet(packet: Packet) -> Option<Self> {
        match packet {
            Packet::ConnAck(connack) => Some(Self::Connected(Connected {
                session_present: connack.session_present,
                longest: None,
            })),
            Packet::SubAck(suback) => {
                let grant = |code: &SubscribeReasonCode| match code {
                    SubscribeReasonCode::Success(rumqttc::QoS::AtMostOnce) => Grant::AtMostOnce,
                    SubscribeReasonCode::Success(_) => Grant::Granted,
                    SubscribeReasonCode::Failure => Grant::Refused("refused"),
                };
                Some(Self::Subscribed(
                    suback.return_codes.iter().map(grant).collect(),
                ))
            }
            Packet::Publish(publish) => Some(Self::Message(Message {
                topic: publish.topic,
                payload: publish.payload,
                retain: publish.retain,
                id: (publish.qos != rumqttc::QoS::AtMostOnce).then_some(publish.pkid),
                answer_to: None,
                correlation: None,
            })),
            Packet::PubAck(ack) => Some(Self::Acknowledged(ack.pkid, Verdict::Taken)),
            Packet::UnsubAck(_) => Some(Self::Unsubscribed),
            Packet::Connect(_)
            | Packet::PubRec(_)
            | Packet::PubRel(_)
            | Packet::PubComp(_)
            | Packet::Subscribe(_)
            | Packet::Unsubscribe(_)
            | Packet::PingReq
            | Packet::PingResp
            | Packet::Disconnect => None,
        }
    }

    /// The same for version 5.
    pub(super) fn of_v5(event: v5::Event) -> Option<Self> {
        let packet = match event {
            v5::Event::Incoming(packet) => packet,
            v5::Event::Outgoing(outgoing) => return Self::of_outgoing(&outgoing),
        };
        match packet {
            Packet5::ConnAck(connack) => {
                let longest =
                    |terms: &ConnAckProperties| usize::try_from(terms.max_packet_size?).ok();
                Some(Self::Connected(Connected {
                    session_present: connack.session_present,
                    longest: connack.properties.as_ref().and_then(longest),
                }))
            }
            Packet5::SubAck(suback) => {
                let grants = suback.return_codes.iter().copied().map(grant_of_filter);
                Some(Self::Subscribed(grants.collect()))
            }
            Packet5::Publish(publish) => {
                let properties = publish.properties.unwrap_or_default();
                Some(Self::Message(Message {
                    topic: String::from_utf8_lossy(&publish.topic).into_owned(),
                    payload: publish.payload,
                    retain: publish.retain,
                    id: (publish.qos != v5::mqttbytes::QoS::AtMostOnce).then_some(publish.pkid),
                    answer_to: properties.response_topic,
                    correlation: properties.correlation_data,
                }))
            }
            Packet5::PubAck(ack) => Some(Self::Acknowledged(ack.pkid, verdict(ack.reason))),
            Packet5::UnsubAck(_) => Some(Self::Unsubscribed),
            Packet5::Auth(_)
            | Packet5::Connect(..)
            | Packet5::PubRec(_)
            | Packet5::PubRel(_)
            | Packet5::PubComp(_)
            | Packet5::Subscribe(_)
            | Packet5::Unsubscribe(_)
            | Packet5::PingReq(_)
            | Packet5::PingResp(_)
            | Packet5::Disconnect(_) => None,
        }
    }

    fn of_outgoing(outgoing: &Outgoing) -> Option<Self> {
        match outgoing {
            Outgoing::Publish(id) => Some(Self::Written(*id)),
            Outgoing::AwaitAck(id) => Some(Self::IdsCameRound(*id)),
            Outgoing::Subscribe(_)
            | Outgoing::Unsubscribe(_)
            | Outgoing::PubAck(_)
            | Outgoing::PubRec(_)
            | Outgoing::PubRel(_)
            | Outgoing::PubComp(_)
            | Outgoing::PingReq
            | Outgoing::PingResp
            | Outgoing::Disconnect => None,
        }
    }
}

/// What is granted (MQTT 5, 3.9.3).
const fn grant_of_filter(reason: Reason5) -> Grant {
    let refused = match reason {
        Reason5::Success(v5::mqttbytes::QoS::AtMostOnce) => return Grant::AtMostOnce,
        Reason5::Success(_) => return Grant::Granted,
        Reason5::Failure | Reason5::Unspecified => "refused",
        Reason5::ImplementationSpecific => "refused by a rule of the broker's own",
        Reason5::NotAuthorized => "not authorized",
        Reason5::TopicFilterInvalid => "topic filter invalid",
        Reason5::PkidInUse => "packet id in use",
        Reason5::QuotaExceeded => "quota exceeded",
        Reason5::SharedSubscriptionsNotSupported => "shared subscriptions not supported",
        Reason5::SubscriptionIdNotSupported => "subscription ids not supported",
        Reason5::WildcardSubscriptionsNotSupported => "wildcards not supported",
    };
    Grant::Refused(refused)
}

/// What a reason means for the message (MQTT 5, 3.4.2.1).
const fn verdict(reason: PubAckReason) -> Verdict {
    match reason {
        PubAckReason::Success => Verdict::Taken,
        PubAckReason::NoMatchingSubscribers => Verdict::Unheard,
        // About us and not about this message: setting it aside would only let the next one be refused.
        PubAckReason::NotAuthorized => Verdict::Later("not authorized"),
        PubAckReason::TopicNameInvalid => Verdict::Refused("topic name invalid"),
        PubAckReason::PayloadFormatInvalid => Verdict::Refused("payload format invalid"),
        PubAckReason::UnspecifiedError => Verdict::Later("unspecified error"),
        PubAckReason::ImplementationSpecificError => Verdict::Later("a rule of the broker's own"),
        PubAckReason::PacketIdentifierInUse => Verdict::Later("packet id in use"),
        PubAckReason::QuotaExceeded => Verdict::Later("quota exceeded"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_wrong_with_the_message_itself_is_refused_for_good() {
        for (reason, expected) in [
            (PubAckReason::Success, "taken"),
            (PubAckReason::NoMatchingSubscribers, "unheard"),
            (PubAckReason::NotAuthorized, "later"),
            (PubAckReason::QuotaExceeded, "later"),
            (PubAckReason::UnspecifiedError, "later"),
            (PubAckReason::TopicNameInvalid, "refused"),
            (PubAckReason::PayloadFormatInvalid, "refused"),
        ] {
            let found = match verdict(reason) {
                Verdict::Taken => "taken",
                Verdict::Unheard => "unheard",
                Verdict::Refused(_) => "refused",
                Verdict::Later(_) => "later",
            };
            assert_eq!(found, expected, "{reason:?}");
        }
    }

    #[test]
    fn a_grant_below_what_was_asked_for_is_none_like_the_others() {
        use rumqttc::{QoS, SubAck};
        let (most_once, granted) = (Grant::AtMostOnce, Grant::Granted);
        let refused = Grant::Refused("refused");
        let codes = [
            SubscribeReasonCode::Success(QoS::AtMostOnce),
            SubscribeReasonCode::Success(QoS::AtLeastOnce),
            SubscribeReasonCode::Failure,
        ];
        let suback = Packet::SubAck(SubAck::new(1, codes.to_vec()));
        let event = Event::of_v3(rumqttc::Event::Incoming(suback));
        let expected = vec![most_once, granted, refused];
        assert_eq!(event, Some(Event::Subscribed(expected)));
        let of_5 = |qos| grant_of_filter(Reason5::Success(qos));
        assert_eq!(of_5(v5::mqttbytes::QoS::AtMostOnce), most_once);
        assert_eq!(of_5(v5::mqttbytes::QoS::AtLeastOnce), granted);
        assert_eq!(grant_of_filter(Reason5::Failure), refused);
    }

    #[test]
    fn a_topic_that_is_no_text_is_a_topic_that_nobody_knows() {
        let mut publish =
            v5::mqttbytes::v5::Publish::new("a", v5::mqttbytes::QoS::AtMostOnce, "7", None);
        publish.topic = Bytes::from_static(b"\xff");
        let event = Event::of_v5(v5::Event::Incoming(Packet5::Publish(publish)));
        let Some(Event::Message(message)) = event else {
            panic!("a message");
        };
        assert_eq!((&*message.topic, message.id), ("\u{fffd}", None));
    }
}
