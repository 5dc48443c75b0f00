//! Links to acknowledge with, in mails.

use super::*;
use crate::ack_links::{LinkSettings, PersonTag, Readers};
use crate::broker::Secret;

/// Each reader acknowledges in their own name; who shares an address shares a link, and a test has none.
#[test]
fn every_reader_has_a_link_of_their_own() {
    let settings = LinkSettings {
        base_url: "https://gw.example".to_owned(),
        key: Secret::new("0123456789abcdef0123456789abcdef"),
        valid_for: Duration::from_secs(3600),
    };
    let links = Links::new("north-plant", &settings);
    let at = |fields: serde_json::Value, late: Duration| {
        let notice = parcel(fields);
        let now = notice.event.time + late;
        let mails = mails_at(std::slice::from_ref(&notice), Some(&links), now);
        let [mail] = &mails[..] else {
            unreachable!("{mails:?}")
        };
        // The end of a long line is not that of the link.
        let mail = mail.replace("=\r\n", "");
        let (_, rest) = mail.split_once("Acknowledge: https://gw.example/a/")?;
        let token = rest.split_whitespace().next().unwrap_or_default();
        let claim = links.read(token, notice.event.time);
        Some(claim.expect("our own").readers)
    };
    let of = |fields| at(fields, Duration::ZERO);
    let call = |to: &[&str]| json!({ "to": to, "annunciation": 5, "output": "mail" });
    let anna = Some(Readers::One(PersonTag::of("anna")));
    assert_eq!(of(call(&["anna"])), anna);
    assert_eq!(of(call(&[])), Some(Readers::Several(Vec::new())));
    let wang = Some(Readers::Several(vec![PersonTag::of("wang")]));
    assert_eq!(
        of(call(&["wang"])),
        wang,
        "who has no address reads along in the room"
    );
    // What is owed for longer than a link is valid comes without: who opened it would be told that it has ended.
    assert_eq!(at(call(&["anna"]), Duration::from_secs(3599)), anna);
    assert_eq!(at(call(&["anna"]), Duration::from_secs(3600)), None);
    let mut test = call(&["anna"]);
    test["seq"] = 0.into();
    assert_eq!(of(test), None);
}
