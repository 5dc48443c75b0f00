//! What comes over MQTT and is no reading.

use super::gateway::Gateway;
use crate::interop::mosquitto::{Message, Mosquitto};

const TOPIC: &str = "pit/co";

fn rejected(reason: &str) -> String {
    format!("forewarn_readings_rejected_total{{reason=\"{reason}\",source=\"plant\"}}")
}

#[tokio::test]
async fn retained_and_nasty_payloads_are_no_readings() {
    let broker = Mosquitto::start("").await;
    let retained = Message {
        retain: true,
        ..Message::new(TOPIC, b"290")
    };
    broker.publish(&[retained]).await;
    let gateway = Gateway::start(&format!(
        "[broker.plant]\nurl = \"mqtt://127.0.0.1:{}\"\n\
         [point.CO-12]\ntopic = \"{TOPIC}\"\nunit = \"ppm\"\nrange = [0, 300]\nhigh = 240\ngood_confirm = \"0s\"\n",
        broker.port()
    ))
    .await;
    let point = gateway
        .point_is("CO-12", "saw the old value", |p| {
            p["readings"]["retained"] == 1
        })
        .await;
    assert_eq!(point["readings"]["accepted"], 0, "{point}");

    let megabyte = vec![b'7'; 1024 * 1024];
    let nasty: [(&[u8], &str); 8] = [
        (b"NaN", "not_a_number"),
        (b"1,5", "not_a_number"),
        (b"", "empty"),
        (b"null", "not_a_number"),
        (b"\"250\"", "not_a_number"),
        (b"\x00\xff\xfe\x80", "not_utf8"),
        (b"1e999", "not_a_number"),
        (&megabyte, "too_large"),
    ];
    for (good, (payload, reason)) in (1_u32..).zip(nasty) {
        let before = gateway.metric(&rejected(reason)).await;
        let number = good.to_string();
        broker.publish(&[Message::new(TOPIC, payload)]).await;
        let what = format!("is bad after {reason}");
        gateway
            .point_is("CO-12", &what, |p| {
                p["quality"] == "bad" && p["reason"] == "sensor_failure"
            })
            .await;
        broker
            .publish(&[Message::new(TOPIC, number.as_bytes())])
            .await;
        let what = format!("has the value after {reason}");
        gateway
            .point_is("CO-12", &what, |p| p["value"] == f64::from(good))
            .await;
        // A packet that is too long is counted once by each connection that meets it.
        gateway
            .metric_is(&rejected(reason), |count| count > before)
            .await;
        if reason != "too_large" {
            let counted = gateway.metric(&rejected(reason)).await - before;
            assert!((counted - 1.0).abs() < 0.1, "{reason}: {counted}");
        }
    }
    let raised: Vec<_> = gateway
        .events()
        .await
        .into_iter()
        .filter(|event| event["alarm"] == "CO-12/high")
        .collect();
    assert!(raised.is_empty(), "{raised:?}");
}
