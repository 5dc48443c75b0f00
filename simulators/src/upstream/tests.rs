//! The receiver against a real mosquitto.

use serde_json::json;

use super::*;
use crate::mosquitto::Mosquitto;

const SOON: Duration = Duration::from_secs(20);

struct Gateway(Link);

impl Gateway {
    async fn connect(broker: &Mosquitto) -> Self {
        let mut link = Link::open(&LinkOptions {
            broker: broker.address.into(),
            client_id: "gateway".to_owned(),
            persistent: false,
            requests: 100,
        });
        assert!(matches!(link.next().await, Event::Up));
        Self(link)
    }

    /// Publishes and waits for the acknowledgement.
    async fn publish(&mut self, topic: &str, retain: bool, payload: Value) {
        self.0
            .client
            .try_publish(
                format!("forewarn/v1/north/{topic}"),
                QoS::AtLeastOnce,
                retain,
                payload.to_string(),
            )
            .expect("room");
        while !matches!(self.0.next().await, Event::Acked(_)) {}
    }

    async fn event(&mut self, seq: u64) {
        let event = json!({"id": format!("north:1:{seq}"), "seq": seq, "alarm": "P/high"});
        self.publish("event", false, event).await;
    }
}

#[tokio::test]
async fn receives_events_states_and_status() {
    let broker = Mosquitto::start().await;
    let mut gateway = Gateway::connect(&broker).await;
    gateway
        .publish("alarm/P/high", true, json!({"state": "normal"}))
        .await;
    let receiver = Receiver::start(ReceiverConfig::new(broker.address.into(), "north"));
    assert!(receiver.subscribed(SOON).await);
    for seq in [1, 2, 2, 4] {
        gateway.event(seq).await;
    }
    gateway
        .publish("status", true, json!({"online": true}))
        .await;
    assert!(
        receiver
            .wait_for(|record| record.status().is_some(), SOON)
            .await
    );
    let never = receiver.wait_for(|record| record.distinct() > 3, Duration::from_millis(50));
    assert!(!never.await);
    assert_eq!(
        receiver.look(|record| record.state("P/high").cloned()),
        Some(json!({"state": "normal"}))
    );
    let (events, cursor) = receiver.events_after(1).await;
    assert_eq!((events.len(), cursor), (3, 4));
    let summary = receiver.stop().await;
    assert_eq!(summary["events"], 4);
    assert_eq!(summary["distinct"], 3);
    assert_eq!(summary["duplicates"], 1);
    assert_eq!(summary["missing_seq"], json!([3]));
    gateway.0.close().await;
}

#[tokio::test]
async fn a_persistent_session_keeps_what_comes_meanwhile() {
    let broker = Mosquitto::start().await;
    let mut gateway = Gateway::connect(&broker).await;
    let config = ReceiverConfig {
        persistent: true,
        ..ReceiverConfig::new(broker.address.into(), "north")
    };
    let receiver = Receiver::start(config.clone());
    assert!(receiver.subscribed(SOON).await);
    gateway.event(1).await;
    assert!(
        receiver
            .wait_for(|record| record.distinct() == 1, SOON)
            .await
    );
    assert_eq!(receiver.stop().await["events"], 1);
    gateway.event(2).await;
    let receiver = Receiver::start(config);
    assert!(
        receiver
            .wait_for(|record| record.distinct() == 1, SOON)
            .await
    );
    // The first one was acknowledged before the stop, so that it does not come again.
    assert_eq!(
        receiver
            .look(|record| record.events().next().cloned())
            .expect("one")["seq"],
        2
    );
    receiver.stop().await;
    gateway.0.close().await;
}

#[tokio::test]
async fn waits_for_a_broker_and_subscribes_anew() {
    let mut broker = Mosquitto::prepare();
    let receiver = Receiver::start(ReceiverConfig::new(broker.address.into(), "north"));
    broker.run().await;
    assert!(receiver.subscribed(SOON).await);
    broker.kill().expect("our own child");
    broker.run().await;
    assert!(
        receiver
            .wait_for(|record| record.subscriptions() == 2, SOON)
            .await
    );
    let mut gateway = Gateway::connect(&broker).await;
    gateway.event(7).await;
    assert!(
        receiver
            .wait_for(|record| record.distinct() == 1, SOON)
            .await
    );
    receiver.stop().await;
    gateway.0.close().await;
}
