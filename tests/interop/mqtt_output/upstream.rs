//! What a control room sees: a plain subscriber that remembers.

use super::*;
use crate::interop::mosquitto::incoming;

/// Somebody upstream: everything of the site, and what it has said so far.
pub(super) struct Upstream {
    pub(super) client: AsyncClient,
    pub(super) eventloop: EventLoop,
    pub(super) events: Vec<Value>,
    /// Telemetry, in the order of its coming.
    pub(super) readings: Vec<Value>,
    pub(super) latest: BTreeMap<String, Value>,
}

impl Upstream {
    pub(super) async fn connect(broker: &Mosquitto, id: &str) -> Self {
        let mut options = MqttOptions::new(id, "127.0.0.1", broker.port());
        options.set_clean_session(false);
        let (client, eventloop) = AsyncClient::new(options, 16);
        let mut upstream = Self {
            client,
            eventloop,
            events: Vec::new(),
            readings: Vec::new(),
            latest: BTreeMap::new(),
        };
        upstream.subscribe().await;
        upstream
    }

    pub(super) async fn subscribe(&mut self) {
        let filter = "forewarn/v1/plant/#";
        let asked = self.client.subscribe(filter, QoS::AtLeastOnce).await;
        asked.expect("room for one request");
        let granted = async { while !matches!(self.next().await, Some(Packet::SubAck(_))) {} };
        timeout(DEADLINE, granted).await.expect("subscribed");
    }

    pub(super) async fn next(&mut self) -> Option<Packet> {
        let packet = incoming(&mut self.eventloop).await;
        if let Some(Packet::Publish(publish)) = &packet {
            self.take(publish);
        }
        packet
    }

    pub(super) fn take(&mut self, publish: &Publish) {
        // Nothing: the topic is taken away.
        let payload: Value = match &*publish.payload {
            [] => Value::Null,
            payload => serde_json::from_slice(payload).expect("JSON"),
        };
        if publish.topic == EVENT {
            assert!(!publish.retain);
            self.events.push(payload.clone());
        }
        if publish.topic.contains("/reading") {
            self.readings.push(payload.clone());
        }
        self.latest.insert(publish.topic.clone(), payload);
    }

    /// Reads until this holds.
    pub(super) async fn until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        let found = async {
            while !holds(self) {
                self.next().await;
            }
        };
        let found = timeout(DEADLINE, found).await;
        assert!(found.is_ok(), "{what}: {:?} {:?}", self.latest, self.seqs());
    }

    pub(super) fn text(&self, topic: &str, field: &str) -> Option<&str> {
        self.latest.get(topic)?.get(field)?.as_str()
    }

    pub(super) fn state(&self, point: &str) -> Option<&str> {
        self.text(&format!("forewarn/v1/plant/alarm/{point}/high"), "state")
    }

    pub(super) fn seqs(&self) -> BTreeSet<u64> {
        let seqs = self.events.iter().filter_map(|event| event["seq"].as_u64());
        seqs.collect()
    }
}
