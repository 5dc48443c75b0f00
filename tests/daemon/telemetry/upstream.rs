//! What comes back upstream, in the order of its coming: one subscriber for events and telemetry, so that
//! there is one order.

use std::time::Duration;

use forewarn::clock;
use forewarn::engine::time::Mono;
use rumqttc::{AsyncClient, EventLoop, MqttOptions, Packet, Publish, QoS};
use serde_json::Value;

use crate::daemon::gateway::SITE;
use crate::interop::mosquitto::{Mosquitto, incoming};

/// One message.
pub(super) enum Arrival {
    Event {
        event: Value,
        replayed: bool,
        at: Mono,
    },
    Records {
        /// Point and time, milliseconds since 1970.
        records: Vec<(u32, i64)>,
        replayed: bool,
    },
}

pub(super) struct Upstream {
    client: AsyncClient,
    eventloop: EventLoop,
    arrivals: Vec<Arrival>,
    replayed: usize,
}

impl Upstream {
    pub(super) async fn connect(broker: &Mosquitto) -> Self {
        let mut options = MqttOptions::new("control-room", "127.0.0.1", broker.port());
        options.set_max_packet_size(1 << 20, 1 << 20);
        let (client, eventloop) = AsyncClient::new(options, 16);
        let mut upstream = Self {
            client,
            eventloop,
            arrivals: Vec::new(),
            replayed: 0,
        };
        for topic in ["event", "readings"] {
            let filter = format!("forewarn/v1/{SITE}/{topic}");
            let asked = upstream.client.subscribe(filter, QoS::AtLeastOnce).await;
            asked.expect("room for a request");
        }
        let mut granted = 0;
        while granted < 2 {
            granted += usize::from(matches!(upstream.next().await, Some(Packet::SubAck(_))));
        }
        upstream
    }

    pub(super) async fn publish(&mut self, topic: &str, payload: &str) {
        let asked = self
            .client
            .publish(topic, QoS::AtLeastOnce, false, payload.to_owned());
        asked.await.expect("room for a request");
    }

    /// Reads until this holds.
    pub(super) async fn until(&mut self, holds: impl Fn(&Self) -> bool) {
        while !holds(self) {
            self.next().await;
        }
    }

    async fn next(&mut self) -> Option<Packet> {
        let packet = incoming(&mut self.eventloop).await;
        if let Some(Packet::Publish(publish)) = &packet {
            self.take(publish);
        }
        packet
    }

    fn take(&mut self, publish: &Publish) {
        let payload: Value = serde_json::from_slice(&publish.payload).expect("JSON");
        let replayed = payload["replayed"] == true;
        if publish.topic.ends_with("/event") {
            let at = clock::monotonic();
            let event = payload;
            self.arrivals.push(Arrival::Event {
                event,
                replayed,
                at,
            });
            return;
        }
        let records = payload["records"].as_array().expect("a list").iter();
        let records: Vec<_> = records.map(point_and_time).collect();
        self.replayed += if replayed { records.len() } else { 0 };
        self.arrivals.push(Arrival::Records { records, replayed });
    }

    pub(super) fn find(&self, is_it: impl FnMut(&Arrival) -> bool) -> Option<usize> {
        self.arrivals.iter().position(is_it)
    }

    pub(super) fn rfind(&self, is_it: impl FnMut(&Arrival) -> bool) -> Option<usize> {
        self.arrivals.iter().rposition(is_it)
    }

    /// Records of telemetry that came as backlog.
    pub(super) const fn replayed_records(&self) -> usize {
        self.replayed
    }

    /// Those that are not newer than this, in order.
    pub(super) fn replayed(&self, until_ms: i64) -> Vec<(u32, i64)> {
        let records = self.arrivals.iter().filter_map(|arrival| match arrival {
            Arrival::Records {
                records,
                replayed: true,
            } => Some(records.iter().copied()),
            Arrival::Records { .. } | Arrival::Event { .. } => None,
        });
        records
            .flatten()
            .filter(|(_, time)| *time <= until_ms)
            .collect()
    }

    /// Events that came as backlog.
    pub(super) fn backlog(&self) -> impl Iterator<Item = &Value> {
        self.arrivals.iter().filter_map(|arrival| match arrival {
            Arrival::Event {
                event,
                replayed: true,
                ..
            } => Some(event),
            Arrival::Event { .. } | Arrival::Records { .. } => None,
        })
    }

    /// From the first of them to the last.
    pub(super) fn backlog_took(&self) -> Duration {
        let mut times = self.arrivals.iter().filter_map(|arrival| match arrival {
            Arrival::Event {
                replayed: true, at, ..
            } => Some(*at),
            Arrival::Event { .. } | Arrival::Records { .. } => None,
        });
        let first = times.next();
        let last = times.next_back().or(first);
        last.zip(first)
            .map_or(Duration::ZERO, |(last, first)| last.since(first))
    }
}

fn point_and_time(record: &Value) -> (u32, i64) {
    let point = record["point"].as_str().expect("a text");
    // The gateway's own points have no number.
    let point = point
        .strip_prefix("P-")
        .and_then(|number| number.parse().ok());
    let time: jiff::Timestamp = record["time"]
        .as_str()
        .expect("a text")
        .parse()
        .expect("a time");
    (point.unwrap_or(u32::MAX), time.as_millisecond())
}
