//! `kill -9` while a card takes seconds for a sync.
//!
//! Events are then shown from memory while they are on their way to the card, and nobody knows whether
//! the next run finds them there: under the ids they were shown with, or not at all, and then their ids
//! are given to nothing else.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use simulators::upstream::Record;

use super::gateway::{DEADLINE, Gateway, control_room, from_environment, skipped};
use super::kills::{configuration, plant};
use super::spoilt::Spoilt;
use crate::interop::mosquitto::Mosquitto;

/// Microseconds: twice what the journal has patience for.
const SLOW: &str = "delay_exit=4000000";

#[tokio::test]
async fn killed_on_a_slow_card() {
    let kills = from_environment("FOREWARN_SLOW_KILLS", 3);
    let broker = Mosquitto::start("").await;
    let receiver = control_room(&broker).await;
    let device = plant(0).await;
    let mut gateway = Gateway::start(&configuration(broker.port(), device.address(), 0)).await;
    for round in 0..kills {
        let Some(slow) = Spoilt::syncs(gateway.pid(), SLOW) else {
            skipped("killed_on_a_slow_card: strace is not installed or not allowed");
            return;
        };
        // The first time with little on its way to the card, later with more.
        let few = receiver.look(from_memory) + 1 + usize::try_from(round % 3).expect("few") * 40;
        let shown = receiver.wait_for(|record| from_memory(record) >= few, DEADLINE);
        assert!(
            shown.await,
            "nothing is shown from memory: {}",
            gateway.log()
        );
        gateway.kill();
        drop(slow);
        gateway.start_again().await;
    }
    assert_eq!(gateway.stop().await.code(), Some(0));
    gateway.start_again().await;
    let journal = gateway.events().await;
    let last = &journal.last().expect("events")["id"];
    let all = |record: &Record| record.events().any(|event| event["id"] == *last);
    assert!(
        receiver.wait_for(all, DEADLINE).await,
        "{last} did not arrive"
    );
    receiver.look(|record| {
        one_id_each(record.events().chain(&journal));
        let arrived: BTreeSet<&str> = record
            .events()
            .filter_map(|event| event["id"].as_str())
            .collect();
        for event in &journal {
            let id = event["id"].as_str().expect("an id");
            assert!(arrived.contains(id), "written, but not delivered: {event}");
        }
    });
    assert_eq!(gateway.stop().await.code(), Some(0));
}

/// How many events came marked as not on disk.
fn from_memory(record: &Record) -> usize {
    let marked = |event: &&Value| event["durable"] == false;
    record.events().filter(marked).count()
}

/// An event has one id, upstream and in the journal, and an id is of one event.
pub(super) fn one_id_each<'a>(events: impl Iterator<Item = &'a Value>) {
    let (mut ids, mut contents) = (BTreeMap::new(), BTreeMap::new());
    for event in events {
        let mut content = event.clone();
        let fields = content.as_object_mut().expect("an object");
        let id = fields.remove("id").expect("an id");
        for mark in ["seq", "replayed", "durable"] {
            fields.remove(mark);
        }
        let (id, content) = (id.to_string(), content.to_string());
        let other = ids.insert(content.clone(), id.clone());
        assert!(
            other.is_none_or(|other| other == id),
            "a second id: {event}"
        );
        let other = contents.insert(id, content.clone());
        assert!(
            other.is_none_or(|other| other == content),
            "given twice: {event}"
        );
    }
}
