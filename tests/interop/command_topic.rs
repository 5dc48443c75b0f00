//! The control room commands over a real broker, and is answered as over HTTP.

use std::time::Duration;

use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Packet, PublishProperties};
use rumqttc::v5::{AsyncClient, Event, EventLoop, MqttOptions};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::bench::{DEADLINE, Daemon};
use super::mosquitto::{Message, Mosquitto};

const COMMAND: &str = "forewarn/v1/plant/command";
const REPLY: &str = "forewarn/v1/plant/command/reply";
const EVENT: &str = "forewarn/v1/plant/event";

/// A message: topic, payload, correlation.
type Heard = (String, Value, Option<Vec<u8>>);

/// Somebody upstream who hears everything and may say anything.
struct Room {
    client: AsyncClient,
    eventloop: EventLoop,
}

impl Room {
    async fn enter(broker: &Mosquitto) -> Self {
        let mut options = MqttOptions::new("room", "127.0.0.1", broker.port());
        options.set_outgoing_inflight_upper_limit(100);
        let (client, eventloop) = AsyncClient::new(options, 100);
        let mut room = Self { client, eventloop };
        let asked = room.client.subscribe("#", QoS::AtLeastOnce).await;
        asked.expect("room for one request");
        let granted = async { while !matches!(room.next().await, Packet::SubAck(_)) {} };
        timeout(DEADLINE, granted).await.expect("subscribed");
        room
    }

    async fn next(&mut self) -> Packet {
        loop {
            if let Event::Incoming(packet) = self.eventloop.poll().await.expect("the broker is up")
            {
                return packet;
            }
        }
    }

    async fn say(&self, topic: &str, payload: &str) {
        let said = self
            .client
            .publish(topic, QoS::AtLeastOnce, false, payload.to_owned());
        said.await.expect("room for one request");
    }

    /// The next message of this topic that is so.
    async fn hear(&mut self, topic: &str, is: impl Fn(&Value) -> bool) -> Heard {
        let found = async {
            loop {
                let Packet::Publish(publish) = self.next().await else {
                    continue;
                };
                let payload = serde_json::from_slice(&publish.payload).unwrap_or(Value::Null);
                if publish.topic == topic && is(&payload) {
                    let properties = publish.properties.unwrap_or_default();
                    let correlation = properties.correlation_data.map(Into::into);
                    return (topic.to_owned(), payload, correlation);
                }
            }
        };
        timeout(DEADLINE, found)
            .await
            .unwrap_or_else(|_| panic!("nothing on {topic}"))
    }

    /// Says a command and hears the answer to it.
    async fn ask(&mut self, command: &Value) -> Value {
        self.say(COMMAND, &command.to_string()).await;
        let id = command["id"].clone();
        self.hear(REPLY, |answer| answer["id"] == id).await.1
    }
}

/// A gateway with one alarm that is active.
async fn alarmed(broker: &Mosquitto, version: u8) -> (Daemon, Room) {
    let port = broker.port();
    // A command that was left lying is no command.
    let left = json!({"id": "0", "command": "acknowledge", "alarm": "P/high", "by": "li-wei"});
    let left = left.to_string();
    let left = Message {
        retain: true,
        ..Message::new(COMMAND, left.as_bytes())
    };
    broker.publish(&[left]).await;
    let mut room = Room::enter(broker).await;
    let daemon = Daemon::start(&format!(
        "site = \"plant\"\n[broker.b]\nurl = \"mqtt://127.0.0.1:{port}\"\n[person.li-wei]\nname = \"Li Wei\"\n\
         [person.anna]\nname = \"Anna\"\n[area.a]\nresponsible = [\"li-wei\"]\n[point.P]\narea = \"a\"\n\
         topic = \"plant/p\"\nunit = \"bar\"\nhigh = 1\naction = \"run\"\n[output.room]\n\
         mqtt = \"mqtt://127.0.0.1:{port}\"\nversion = {version}\ncommands = [\"li-wei\"]\n"
    ))
    .await;
    let raised = async {
        loop {
            room.say("plant/p", "5").await;
            let raised = room.hear(EVENT, |event| {
                event["event"] == "raised" && event["alarm"] == "P/high"
            });
            if timeout(Duration::from_millis(500), raised).await.is_ok() {
                return;
            }
        }
    };
    timeout(DEADLINE, raised).await.expect("raised");
    (daemon, room)
}

async fn commanded(version: u8) {
    let broker = Mosquitto::start("").await;
    let (daemon, mut room) = alarmed(&broker, version).await;
    let ask = |id: &str, by: &str| json!({"id": id, "command": "acknowledge", "alarm": "P/high", "by": by, "comment": "going"});

    // Nobody but the named person, whoever is known otherwise.
    let answer = room.ask(&ask("1", "anna")).await;
    assert_eq!(answer["error"], "not_allowed", "{answer}");
    let first = room.ask(&ask("2", "li-wei")).await;
    assert_eq!(
        (&first["result"], &first["by"]),
        (&json!("accepted"), &json!("li-wei")),
        "{first}"
    );
    assert_eq!(first["durable"], true);
    // Once more: the same answer, and nothing is done twice.
    assert_eq!(room.ask(&ask("2", "li-wei")).await, first);
    let again = room.ask(&ask("3", "li-wei")).await;
    assert_eq!(again["result"], "already_done", "{again}");
    // As over HTTP, word for word.
    let unknown = json!({"id": "4", "command": "reset", "alarm": "Q/high", "by": "li-wei"});
    let answer = room.ask(&unknown).await;
    assert_eq!(answer["error"], "unknown_alarm", "{answer}");
    let misspelt = json!({"id": "5", "command": "acknowledge", "alarm": "P/high", "by": "li-wei", "ocurrence": 1});
    assert_eq!(room.ask(&misspelt).await["error"], "bad_request");
    room.say(COMMAND, "{").await;
    let (_, answer, _) = room.hear(REPLY, |answer| answer["id"] == "").await;
    assert_eq!(answer["error"], "bad_request");

    let acknowledged = daemon.get("/api/v1/events?after=0&limit=1000").await;
    assert_eq!(
        acknowledged.matches("\"event\":\"acknowledged\"").count(),
        1,
        "{acknowledged}"
    );
    let page = daemon.get("/metrics").await;
    for (result, count) in [
        ("given", 4),
        ("refused", 2),
        ("repeated", 1),
        ("retained", 1),
        ("too_many", 0),
    ] {
        let line = format!(
            "forewarn_output_commands_total{{output=\"room\",result=\"{result}\"}} {count}"
        );
        assert!(page.contains(&line), "{line}: {page}");
    }
    if version == 5 {
        the_answer_goes_where_it_is_asked_for(&mut room).await;
    }
}

/// With the correlation data, and at or below the topic for answers, whatever was asked for.
async fn the_answer_goes_where_it_is_asked_for(room: &mut Room) {
    let below = "forewarn/v1/plant/command/reply/room/7";
    for (asked, found) in [
        (below, below),
        ("room/7", REPLY),
        ("forewarn/v1/plant/status", REPLY),
    ] {
        let properties = PublishProperties {
            response_topic: Some(asked.to_owned()),
            correlation_data: Some(b"c".to_vec().into()),
            ..PublishProperties::default()
        };
        let command =
            json!({"id": asked, "command": "acknowledge", "alarm": "P/high", "by": "li-wei"});
        let payload = command.to_string();
        let client = room.client.clone();
        let said =
            client.publish_with_properties(COMMAND, QoS::AtLeastOnce, false, payload, properties);
        said.await.expect("room for one request");
        let (_, answer, correlation) = room.hear(found, |answer| answer["id"] == asked).await;
        assert_eq!(correlation.as_deref(), Some(&b"c"[..]));
        assert_eq!(answer["note"].is_string(), found != asked, "{answer}");
    }
}

#[tokio::test]
async fn a_named_person_commands_and_is_answered() {
    commanded(3).await;
}

#[tokio::test]
async fn a_named_person_commands_over_version_5_and_says_where_the_answer_goes() {
    commanded(5).await;
}
