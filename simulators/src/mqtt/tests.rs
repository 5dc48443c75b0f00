//! Sensors and load against a real mosquitto, seen by a subscriber of its own.

use std::collections::BTreeSet;

use rumqttc::{Publish, QoS};
use tokio::time::sleep;

use super::load::{self, LoadConfig};
use super::*;
use crate::link::{Event, Link, LinkOptions};
use crate::mosquitto::Mosquitto;
use crate::waveform::Waveform;

const SOON: Duration = Duration::from_secs(20);

/// A plain subscriber.
struct Subscriber(Link);

impl Subscriber {
    async fn to(broker: &Mosquitto, filter: &str) -> Self {
        let mut link = Link::open(&LinkOptions {
            broker: broker.address.into(),
            client_id: "subscriber".to_owned(),
            persistent: false,
            requests: 1_000,
        });
        link.client
            .try_subscribe(filter, QoS::AtLeastOnce)
            .expect("room");
        loop {
            if let Event::Subscribed { granted } = link.next().await {
                assert!(granted);
                return Self(link);
            }
        }
    }

    async fn next(&mut self) -> Publish {
        loop {
            match timeout(SOON, self.0.next()).await.expect("a message") {
                Event::Message(message) => {
                    self.0.client.try_ack(&message).expect("room");
                    return message;
                }
                Event::Down(why) => panic!("{why}"),
                Event::Up | Event::Sent(_) | Event::Acked(_) | Event::Subscribed { .. } => {}
            }
        }
    }

    /// The next message on which a condition holds.
    async fn find(&mut self, wanted: impl Fn(&Publish) -> bool) -> Publish {
        loop {
            let message = self.next().await;
            if wanted(&message) {
                return message;
            }
        }
    }
}

fn sensors(broker: &Mosquitto, lines: &[&str]) -> Sensors {
    Sensors::start(SensorsConfig {
        broker: broker.address.into(),
        client_id: "sensors".to_owned(),
        sensors: lines.iter().map(|line| line.parse().expect(line)).collect(),
        malformed: Vec::new(),
    })
}

async fn until(what: &str, condition: impl Fn() -> bool) {
    timeout(SOON, async {
        while !condition() {
            sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .expect(what);
}

#[tokio::test]
async fn sensors_publish_what_they_see() {
    let broker = Mosquitto::start().await;
    let mut subscriber = Subscriber::to(&broker, "#").await;
    let sensors = sensors(
        &broker,
        &[
            "a/bare interval=20ms base=1.5",
            "a/json interval=20ms qos=0 json={\"v\":{value},\"n\":{seq}} base=2",
        ],
    );
    let bare = subscriber.find(|m| m.topic == "a/bare").await;
    assert_eq!(bare.payload.as_ref(), b"1.5");
    let json = subscriber.find(|m| m.topic == "a/json").await;
    let json: serde_json::Value = serde_json::from_slice(&json.payload).expect("JSON");
    assert_eq!(json["v"], 2);
    until("acknowledgements", || sensors.acknowledged() > 3).await;
    sensors.stop().await;
    subscriber.0.close().await;
}

#[tokio::test]
async fn malformed_payloads_are_sent_on_request() {
    let broker = Mosquitto::start().await;
    let mut subscriber = Subscriber::to(&broker, "#").await;
    let sensors = sensors(
        &broker,
        &["a/json interval=50ms json={\"v\":{value}} base=2"],
    );
    subscriber.next().await;
    assert!(sensors.send_malformed(MalformedOrder::now(Malformed::Nan, None)));
    assert!(sensors.send_malformed(MalformedOrder::now(Malformed::Huge, Some("a/json"))));
    assert!(sensors.send_malformed(MalformedOrder::now(Malformed::Binary, Some("another"))));
    assert!(sensors.send_malformed(MalformedOrder::now(Malformed::Empty, Some("a/json"))));
    subscriber
        .find(|m| m.payload.as_ref() == b"{\"v\":NaN}")
        .await;
    subscriber.find(|m| m.payload.len() == 1_048_576).await;
    subscriber
        .find(|m| {
            assert_ne!(m.payload.first(), Some(&0), "that topic is none of ours");
            m.payload.is_empty()
        })
        .await;
    sensors.stop().await;
    subscriber.0.close().await;
}

#[tokio::test]
async fn malformed_payloads_are_sent_at_their_time() {
    let broker = Mosquitto::start().await;
    let mut subscriber = Subscriber::to(&broker, "#").await;
    let sensors = Sensors::start(SensorsConfig {
        broker: broker.address.into(),
        client_id: "sensors".to_owned(),
        sensors: vec!["a interval=1h base=1.5".parse().expect("good")],
        malformed: vec!["comma@1s".parse().expect("good")],
    });
    let first = subscriber.find(|m| m.payload.as_ref() == b"1,5").await;
    assert_eq!(first.topic, "a");
    sensors.stop().await;
    subscriber.0.close().await;
}

#[tokio::test]
async fn sensors_wait_for_a_broker_and_outlive_it() {
    let mut broker = Mosquitto::prepare();
    let sensors = sensors(&broker, &["a interval=10ms base=1"]);
    until("lost samples", || sensors.lost() > 3).await;
    assert_eq!(sensors.published(), 0);
    let trouble = sensors.trouble().subscribe();
    until("a reason", || trouble.borrow().is_some()).await;
    broker.run().await;
    until("acknowledgements", || sensors.acknowledged() > 3).await;
    broker.kill().expect("our own child");
    let lost = sensors.lost();
    until("lost samples", || sensors.lost() > lost + 3).await;
    broker.run().await;
    let acknowledged = sensors.acknowledged();
    until("acknowledgements", || {
        sensors.acknowledged() > acknowledged + 3
    })
    .await;
    sensors.stop().await;
}

fn load(broker: &Mosquitto, rate: f64, duration: Duration) -> LoadConfig {
    LoadConfig {
        broker: broker.address.into(),
        client_id: "load".to_owned(),
        sensors: 7,
        rate,
        duration,
        waveform: Waveform::constant(1.0),
        stagger: Duration::ZERO,
        payload: Payload::Template(LoadConfig::PAYLOAD.to_owned()),
        at_least_once: true,
        limit: None,
    }
}

#[tokio::test]
async fn a_load_is_acknowledged_to_the_last_message() {
    let broker = Mosquitto::start().await;
    let mut subscriber = Subscriber::to(&broker, "load/#").await;
    let config = load(&broker, 2_000.0, Duration::from_millis(500));
    let trouble = Trouble::default();
    let (report, seen) = tokio::join!(load::run(config, &trouble), async {
        let mut seen = BTreeSet::new();
        for _ in 0..1_000 {
            let message = subscriber.next().await;
            let payload: serde_json::Value =
                serde_json::from_slice(&message.payload).expect("JSON");
            seen.insert((message.topic, payload["seq"].as_u64()));
        }
        seen
    });
    assert_eq!((report.published, report.acknowledged), (1_000, 1_000));
    assert_eq!((report.resent, report.connections), (0, 1));
    assert_eq!(seen.len(), 1_000);
    assert!(seen.contains(&("load/6".to_owned(), Some(142))));
    subscriber.0.close().await;
}

#[tokio::test]
async fn a_load_outlives_its_broker() {
    let mut broker = Mosquitto::start().await;
    let config = load(&broker, 1_000.0, Duration::from_secs(1));
    let trouble = Trouble::default();
    let (report, ()) = tokio::join!(load::run(config, &trouble), async {
        sleep(Duration::from_millis(300)).await;
        broker.kill().expect("our own child");
        broker.run().await;
    });
    assert_eq!((report.published, report.acknowledged), (1_000, 1_000));
    assert_eq!(report.connections, 2);
}

#[tokio::test]
async fn qos_0_ends_when_everything_is_on_the_wire() {
    let broker = Mosquitto::start().await;
    let mut config = load(&broker, 1_000.0, Duration::from_millis(100));
    config.at_least_once = false;
    let trouble = Trouble::default();
    let report = load::run(config, &trouble).await;
    assert_eq!((report.published, report.acknowledged), (100, 0));
}
