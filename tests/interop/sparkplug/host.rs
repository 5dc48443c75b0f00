//! A host application: says whether it is there, hears everything, keeps it as it came.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use forewarn::sparkplug::{Limits, Metric, Payload, REBIRTH, Topic, metric_value};
use rumqttc::{AsyncClient, Event, EventLoop, Packet, QoS};
use serde_json::Value;
use tokio::time::timeout;

use super::{COMMAND, DEADLINE, Mosquitto, STATE};

pub(super) struct Host {
    client: AsyncClient,
    eventloop: EventLoop,
    heard: Vec<(String, Vec<u8>)>,
}

impl Host {
    pub(super) async fn connect(broker: &Mosquitto) -> Self {
        let (client, eventloop) = broker.client("ignition");
        let asked = client.subscribe("spBv1.0/plants/#", QoS::AtLeastOnce).await;
        asked.expect("room for one request");
        let mut host = Self {
            client,
            eventloop,
            heard: Vec::new(),
        };
        let granted = async { while !matches!(host.next().await, Some(Packet::SubAck(_))) {} };
        timeout(DEADLINE, granted).await.expect("subscribed");
        host
    }

    async fn next(&mut self) -> Option<Packet> {
        let Event::Incoming(packet) = self.eventloop.poll().await.expect("the broker is up") else {
            return None;
        };
        if let Packet::Publish(publish) = &packet
            && publish.topic != COMMAND
        {
            assert!(!publish.retain, "{}", publish.topic);
            let payload = publish.payload.to_vec();
            self.heard.push((publish.topic.clone(), payload));
        }
        Some(packet)
    }

    /// Says that it is there or not, as of a time of its clock.
    pub(super) async fn says(&mut self, online: bool, timestamp: u64) {
        let word = format!(r#"{{"online":{online},"timestamp":{timestamp}}}"#);
        self.publish(STATE, true, word.into_bytes()).await;
    }

    pub(super) async fn asks_for_birth(&mut self) {
        let payload = Payload {
            timestamp: Some(1),
            metrics: vec![Metric {
                name: Some(REBIRTH.to_owned()),
                datatype: Some(11),
                value: Some(metric_value::Value::Boolean(true)),
                ..Metric::default()
            }],
            ..Payload::default()
        };
        self.publish(COMMAND, false, payload.to_bytes()).await;
    }

    async fn publish(&mut self, topic: &str, retain: bool, payload: Vec<u8>) {
        let asked = self
            .client
            .publish(topic, QoS::AtLeastOnce, retain, payload)
            .await;
        asked.expect("room for one request");
        let sent = async { while !matches!(self.next().await, Some(Packet::PubAck(_))) {} };
        timeout(DEADLINE, sent).await.expect("the broker has it");
    }

    /// Listens until this holds.
    pub(super) async fn until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        let listened = async {
            while !holds(self) {
                self.next().await;
            }
        };
        let listened = timeout(DEADLINE, listened).await;
        let topics: Vec<_> = self.heard.iter().map(|(topic, _)| topic).collect();
        assert!(listened.is_ok(), "{what}: {topics:?}");
    }

    /// Kinds of messages that came.
    pub(super) fn kinds(&self) -> BTreeSet<&str> {
        let topics = self.heard.iter().map(|(topic, _)| topic);
        topics.filter_map(|topic| topic.split('/').nth(2)).collect()
    }

    /// How many messages of a kind came.
    pub(super) fn count(&self, kind: &str) -> usize {
        let topics = self
            .heard
            .iter()
            .filter_map(|(topic, _)| Topic::parse(topic));
        topics.filter(|topic| topic.kind.name() == kind).count()
    }

    /// Events that came: texts that are JSON.
    pub(super) fn events(&self) -> impl Iterator<Item = Value> {
        let payloads = self.heard.iter().map(|(_, payload)| {
            Payload::from_bytes(payload, Limits::default()).expect("a payload")
        });
        let metrics = payloads.flat_map(|payload| payload.metrics);
        metrics.filter_map(|metric| match metric.value {
            Some(metric_value::Value::Text(text)) if text.starts_with('{') => {
                serde_json::from_str(&text).ok()
            }
            Some(_) | None => None,
        })
    }

    /// Everything that came, a line for each message: topic and payload in hexadecimal.
    pub(super) fn record(&self) -> String {
        let mut record = String::new();
        for (topic, payload) in &self.heard {
            record.push_str(topic);
            record.push(' ');
            for byte in payload {
                write!(record, "{byte:02x}").expect("a string takes all");
            }
            record.push('\n');
        }
        record
    }
}
