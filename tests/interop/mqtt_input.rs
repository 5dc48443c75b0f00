//! The subscriber against a real broker that dies, forgets, repeats and passes on nonsense.

use std::sync::Arc;
use std::time::Duration;

use forewarn::broker::{BrokerAddress, Version};
use forewarn::engine::reading::{Fault, Measured, PointIndex, Reading, Sample};
use forewarn::evaluation::{Batch, Delivery, Receipt};
use forewarn::input::mqtt::mapping::pointer::Pointer;
use forewarn::input::mqtt::{SubscriberSettings, TopicMapping, client};
use forewarn::metrics::Metrics;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::mosquitto::{BUSY, DEADLINE, Message, Mosquitto};

mod hostile;
mod version5;

/// The last receipts and the goodbye may take half a second each.
const STOPS_WITHIN: Duration = Duration::from_secs(1);

const BARE: &str = "plant/bare";
const JSON: &str = "plant/json";
const STATUS: PointIndex = PointIndex(9);

/// A running subscriber, and what it delivers.
pub(super) struct Gateway {
    inbox: mpsc::Receiver<Delivery>,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
    metrics: Arc<Metrics>,
}

impl Gateway {
    fn start(port: u16) -> Self {
        Self::with(settings(port))
    }

    pub(super) fn with(settings: SubscriberSettings) -> Self {
        let (readings, inbox) = mpsc::channel(64);
        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        let metrics = Arc::new(Metrics::default());
        tasks.spawn(client::run(
            settings,
            readings,
            Arc::clone(&metrics),
            stopped,
        ));
        Self {
            inbox,
            stop,
            tasks,
            metrics,
        }
    }

    async fn delivery(&mut self) -> (Reading, Option<Receipt>) {
        let delivery = timeout(DEADLINE, self.inbox.recv()).await;
        let delivery = delivery.expect("in time").expect("the subscriber runs");
        let Batch::One(reading) = delivery.readings else {
            unreachable!("one point reads each topic: {delivery:?}");
        };
        (reading, delivery.receipt)
    }

    /// The next reading from the plant, with its receipt.
    async fn held(&mut self) -> (Reading, Option<Receipt>) {
        loop {
            let (reading, receipt) = self.delivery().await;
            if reading.point != STATUS {
                return (reading, receipt);
            }
        }
    }

    /// The next reading from the plant; it is safe.
    async fn reading(&mut self) -> Reading {
        let (reading, receipt) = self.held().await;
        if let Some(receipt) = receipt {
            receipt.give();
        }
        reading
    }

    /// Waits until the status point says this.
    pub(super) async fn status(&mut self, expected: f64) {
        loop {
            let (reading, _) = self.delivery().await;
            if reading.point == STATUS && is(&reading, expected) {
                return;
            }
        }
    }

    /// Waits until the status point says that something is wrong, or everything.
    pub(super) async fn blind(&mut self) {
        loop {
            let (reading, _) = self.delivery().await;
            if reading.point == STATUS && !is(&reading, 0.0) {
                return;
            }
        }
    }

    pub(super) async fn stop(mut self) {
        self.stop.send(true).expect("the subscriber runs");
        timeout(STOPS_WITHIN + BUSY, self.tasks.join_next())
            .await
            .expect("ends in time")
            .expect("ran")
            .expect("without a panic");
    }
}

fn value(reading: &Reading) -> Option<f64> {
    match reading.measured {
        Measured::Raw(number) => Some(number),
        Measured::Sample(sample) => sample.value().map(|found| found.get()),
    }
}

fn is(reading: &Reading, expected: f64) -> bool {
    value(reading).is_some_and(|found| (found - expected).abs() < f64::EPSILON)
}

pub(super) fn settings(port: u16) -> SubscriberSettings {
    let mapping = |topic: &str, point, value: Option<&str>| TopicMapping {
        value: value.map(|value| Pointer::parse(value).expect("a pointer")),
        ..TopicMapping::bare(topic, PointIndex(point))
    };
    SubscriberSettings {
        id: "plant".into(),
        address: BrokerAddress {
            host: "127.0.0.1".to_owned(),
            port,
            tls: None,
            login: None,
            version: Version::V3,
            client_id: "forewarn-gateway".to_owned(),
            keep_alive: Duration::from_secs(5),
        },
        mappings: vec![mapping(BARE, 0, None), mapping(JSON, 1, Some("/data/rms"))].into(),
        status: STATUS,
    }
}

#[tokio::test]
async fn a_broker_that_died_and_forgot_us_is_subscribed_again() {
    let mut broker = Mosquitto::start("").await;
    let mut gateway = Gateway::start(broker.port());
    gateway.status(0.0).await;
    broker.publish(&[Message::new(BARE, b"1")]).await;
    assert_eq!(value(&gateway.reading().await), Some(1.0));

    broker.kill();
    gateway.blind().await;
    broker.start_again().await;
    gateway.status(0.0).await;
    broker.publish(&[Message::new(BARE, b"2")]).await;
    assert_eq!(value(&gateway.reading().await), Some(2.0));
    gateway.stop().await;
}

#[tokio::test]
async fn what_is_not_safe_comes_again_in_order() {
    not_safe_comes_again(Version::V3).await;
}

/// Over either version of MQTT.
async fn not_safe_comes_again(version: Version) {
    let mut broker = Mosquitto::persistent("").await;
    let mut settings = settings(broker.port());
    settings.address.version = version;
    let mut gateway = Gateway::with(settings.clone());
    gateway.status(0.0).await;
    let messages = [b"1", b"2", b"3"].map(|payload| Message::new(BARE, payload));
    broker.publish(&messages).await;
    assert_eq!(value(&gateway.reading().await), Some(1.0));
    let (second, lost) = gateway.held().await;
    assert_eq!(value(&second), Some(2.0));
    drop(lost);
    // Safe, but behind one that is not.
    assert_eq!(value(&gateway.reading().await), Some(3.0));

    broker.stop().await;
    broker.start_again().await;
    let mut first = gateway.reading().await;
    if is(&first, 1.0) {
        // Its acknowledgement was on the way when the broker ended.
        first = gateway.reading().await;
    }
    assert_eq!(value(&first), Some(2.0));
    assert_eq!(value(&gateway.reading().await), Some(3.0));
    gateway.stop().await;

    // All safe now: after another start nothing is left over.
    let mut gateway = Gateway::with(settings);
    gateway.status(0.0).await;
    broker.publish(&[Message::new(BARE, b"4")]).await;
    assert_eq!(value(&gateway.reading().await), Some(4.0));
    gateway.stop().await;
}

#[tokio::test]
async fn what_was_sent_while_we_were_away_arrives() {
    let broker = Mosquitto::start("").await;
    let mut gateway = Gateway::start(broker.port());
    gateway.status(0.0).await;
    gateway.stop().await;
    broker.publish(&[Message::new(BARE, b"1")]).await;
    let mut gateway = Gateway::start(broker.port());
    let reading = gateway.reading().await;
    assert!(is(&reading, 1.0) && !reading.retained);
    gateway.stop().await;
}

#[tokio::test]
async fn nonsense_becomes_no_value_and_blocks_nothing() {
    let broker = Mosquitto::start("").await;
    let mut gateway = Gateway::start(broker.port());
    gateway.status(0.0).await;
    let deep = "[".repeat(100_000);
    let nonsense: [(&str, &[u8]); 16] = [
        (BARE, b""),
        (BARE, b"NaN"),
        (BARE, b"1,5"),
        (BARE, b"null"),
        (BARE, b"1e999"),
        (BARE, b"\xff\xfe"),
        (BARE, b"{\"data\":{\"rms\":1}}"),
        (JSON, b"{\"data\":{\"rms\":\"1\"}}"),
        (JSON, b"{\"data\":{\"rms\":null}}"),
        (JSON, b"{\"data\":{\"rms\":1,\"rms\":2}}"),
        (JSON, b"{\"data\":{}}"),
        (JSON, b"{\"data\":{\"rms\":1}"),
        (JSON, b"{\"data\":{\"rms\":1}}}"),
        (JSON, b"1"),
        (JSON, deep.as_bytes()),
        (JSON, b"{\"data\":{\"rms\":NaN}}"),
    ];
    let mut good = Vec::new();
    for number in 0..nonsense.len() {
        good.push(format!("{number}").into_bytes());
    }
    let mut messages = Vec::new();
    for ((topic, bad), good) in nonsense.iter().zip(&good) {
        messages.push(Message::new(topic, bad));
        messages.push(Message::new(BARE, good));
    }
    broker.publish(&messages).await;
    for (number, (topic, bad)) in (0_u8..).zip(nonsense) {
        // Two equal keys say nothing about the sensor: no reading at all.
        if !bad.ends_with(b"\"rms\":2}}") {
            let reading = gateway.reading().await;
            let point = PointIndex(u32::from(topic == JSON));
            let no_value = Sample::Bad(Fault::SensorFailure);
            assert_eq!(
                (reading.point, reading.measured),
                (point, no_value.into()),
                "{number}"
            );
        }
        let reading = gateway.reading().await;
        assert!(is(&reading, f64::from(number)), "{number}: {reading:?}");
    }
    gateway.stop().await;
}

#[tokio::test]
async fn a_retained_message_is_marked() {
    let broker = Mosquitto::start("").await;
    let retained = Message {
        retain: true,
        ..Message::new(BARE, b"5")
    };
    broker.publish(&[retained]).await;
    let mut gateway = Gateway::start(broker.port());
    assert!(gateway.reading().await.retained);
    broker.publish(&[Message::new(BARE, b"6")]).await;
    assert!(!gateway.reading().await.retained);
    gateway.stop().await;
}

#[tokio::test]
async fn a_giant_is_passed_and_what_waits_behind_it_arrives() {
    let broker = Mosquitto::start("").await;
    let mut gateway = Gateway::start(broker.port());
    gateway.status(0.0).await;
    let giant = vec![b'7'; 1_000_000];
    let messages = [&b"1"[..], &giant, b"2"].map(|payload| Message::new(BARE, payload));
    broker.publish(&messages).await;
    // The first may come twice: it was acknowledged on a connection that died.
    while !is(&gateway.reading().await, 2.0) {}
    gateway.stop().await;
}

#[tokio::test]
async fn thousands_of_long_topics_and_a_retained_giant_are_no_obstacle() {
    let broker = Mosquitto::start("").await;
    let giant = vec![b'7'; 8_000_000];
    let retained = Message {
        retain: true,
        ..Message::new(BARE, &giant)
    };
    broker.publish(&[retained]).await;
    let mut settings = settings(broker.port());
    let long = "x".repeat(150);
    settings.mappings.topics.extend(
        (10..10_010)
            .map(|point| TopicMapping::bare(&format!("plant/{long}/{point}"), PointIndex(point))),
    );
    let mut gateway = Gateway::with(settings);
    gateway.status(0.0).await;
    for point in [10, 5000, 10_009] {
        let topic = format!("plant/{long}/{point}");
        let heard = async {
            loop {
                broker.publish(&[Message::new(&topic, b"2")]).await;
                let next = timeout(Duration::from_millis(500), gateway.reading()).await;
                if next.is_ok_and(|reading| reading.point == PointIndex(point)) {
                    return;
                }
            }
        };
        timeout(DEADLINE, heard)
            .await
            .expect("every topic is heard");
    }
    gateway.stop().await;
}

#[tokio::test]
async fn a_monster_costs_the_queue_but_not_the_sight() {
    let broker = Mosquitto::start("").await;
    let mut gateway = Gateway::start(broker.port());
    gateway.status(0.0).await;
    let monster = vec![b'7'; 20_000_000];
    broker.publish(&[Message::new(BARE, &monster)]).await;
    let seen = async {
        loop {
            broker.publish(&[Message::new(BARE, b"2")]).await;
            let next = timeout(Duration::from_millis(200), gateway.reading()).await;
            if next.is_ok_and(|reading| is(&reading, 2.0)) {
                return;
            }
        }
    };
    timeout(DEADLINE, seen).await.expect("sees again");
    gateway.stop().await;
}

#[tokio::test]
async fn it_stops_in_time_when_there_is_no_broker() {
    let mut broker = Mosquitto::start("").await;
    broker.kill();
    let mut gateway = Gateway::start(broker.port());
    gateway.blind().await;
    gateway.stop().await;
}
