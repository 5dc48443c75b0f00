//! One mapping and many points, over a real broker.

use serde_json::Value;

use super::gateway::{Gateway, find};
use crate::interop::mosquitto::{Message, Mosquitto};

const PLANT: &str = "\
[mapping.plant]
topic = \"plant/{area}/{point}\"
point = \"{area}-{point}\"
value = \"/v\"
words = { open = 1, closed = 0 }
availability = { topic = \"plant/{area}/lwt/state\", online = [\"on\"], offline = [\"off\"] }
[mapping.log]
topic = \"plant/{area}/log/{point}\"
point = \"{area}-{point}-log\"
each = \"/readings\"
value = \"/v\"
time = \"/t\"
[mapping.senml]
topic = \"senml/{area}\"
format = \"senml\"
name = \"urn:dev:{quantity}\"
point = \"{area}-{quantity}\"
[point.hall-p1]
mapping = \"plant\"
good_confirm = \"0s\"
[point.hall-p2]
mapping = \"plant\"
[point.yard-gate]
mapping = \"plant\"
[point.hall-p1-log]
mapping = \"log\"
[point.roof-temp]
mapping = \"senml\"
";

fn value(number: f64) -> impl Fn(&Value) -> bool {
    move |point| point["value"] == number
}

#[tokio::test]
async fn one_mapping_serves_many_points_and_makes_none() {
    let broker = Mosquitto::start("").await;
    // The last word of a source holds; a reading of unknown age does not.
    let old = [
        ("plant/yard/lwt/state", "off"),
        ("plant/hall/p2", "{\"v\":9}"),
    ];
    for (topic, payload) in old {
        let message = Message {
            retain: true,
            ..Message::new(topic, payload.as_bytes())
        };
        broker.publish(&[message]).await;
    }
    let url = format!(
        "[broker.plant]\nurl = \"mqtt://127.0.0.1:{}\"\n",
        broker.port()
    );
    let gateway = Gateway::start(&format!("{url}{PLANT}")).await;
    let gone = |point: &Value| point["quality"] == "bad" && point["reason"] == "source_offline";
    gateway.point_is("yard-gate", "is gone", gone).await;
    let seen = |point: &Value| point["readings"]["retained"] == 1;
    let retained = gateway.point_is("hall-p2", "saw the old value", seen).await;
    assert_eq!(retained["readings"]["accepted"], 0, "{retained}");

    let now = forewarn::clock::now().wall.unix_nanos() / 1_000_000_000;
    let log = format!(
        "{{\"readings\":[{{\"t\":{now},\"v\":2}},{{\"t\":{},\"v\":1}}]}}",
        now - 2
    );
    for (topic, payload) in [
        ("plant/hall/p1", "{\"v\":1.5}"),
        ("plant/yard/gate", "{\"v\":\"open\"}"),
        ("plant/hall/log/p1", &*log),
        (
            "senml/roof",
            "[{\"bn\":\"urn:dev:\",\"bv\":20,\"n\":\"temp\",\"v\":1.5}]",
        ),
        ("plant/hall/p7", "{\"v\":7}"),
        ("plant/hall/log/p9", "{}"),
    ] {
        broker
            .publish(&[Message::new(topic, payload.as_bytes())])
            .await;
    }
    gateway
        .point_is("hall-p1", "has its value", value(1.5))
        .await;
    gateway
        .point_is("yard-gate", "is there again", value(1.0))
        .await;
    let both = |point: &Value| point["value"] == 2.0 && point["readings"]["accepted"] == 2;
    gateway
        .point_is("hall-p1-log", "has the newest of two", both)
        .await;
    gateway
        .point_is("roof-temp", "has its sum", value(21.5))
        .await;

    broker
        .publish(&[Message::new("plant/hall/lwt/state", b"off")])
        .await;
    gateway.point_is("hall-p1", "is gone", gone).await;
    broker
        .publish(&[
            Message::new("plant/hall/lwt/state", b"on"),
            Message::new("plant/hall/p1", b"{\"v\":3}"),
        ])
        .await;
    gateway
        .point_is("hall-p1", "has a new value", value(3.0))
        .await;

    let unknown = "forewarn_readings_rejected_total{reason=\"unknown_point\",source=\"plant\"}";
    gateway
        .metric_is(unknown, |count| (count - 2.0).abs() < 0.1)
        .await;
    let inputs = gateway.get("/api/v1/inputs").await.json();
    let refused = &inputs["inputs"][0]["refused"][0];
    assert_eq!(refused["last"]["topic"], "plant/hall/log/p9", "{inputs}");
    assert_eq!(refused["last"]["detail"], "hall-p9-log", "{inputs}");
    let points = gateway.get("/api/v1/points").await.json();
    assert!(find(&points, "hall-p7").is_none(), "{points}");
}
