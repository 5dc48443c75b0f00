//! A broker that takes the connection and says nothing any more.

use super::*;

#[tokio::test]
async fn a_broker_that_hangs_is_given_up_and_loses_nothing() {
    let broker = Mosquitto::start("").await;
    let mut upstream = Upstream::connect(&broker, "upstream").await;
    let target = MqttTarget {
        ack_timeout: Duration::from_secs(1),
        ..target(broker.port())
    };
    let mut gateway = Gateway::begin(target, 64 << 20);
    gateway.status(0.0).await;
    gateway.commit("A", 1, AlarmState::Unacknowledged);
    gateway.delivered(1).await;
    broker.signal("-STOP");
    for occurrence in 2..=30 {
        gateway.commit("A", occurrence, AlarmState::Unacknowledged);
    }
    // Long after the deadline for PUBACKs.
    gateway.status(2.0).await;
    broker.signal("-CONT");
    gateway.delivered(30).await;
    upstream
        .until("all events", |upstream| {
            upstream.seqs() == (1..=30).collect()
        })
        .await;
    gateway.stop().await;
}
