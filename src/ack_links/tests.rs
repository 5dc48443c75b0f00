//! Links are read as they were made, and anything else is refused.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::engine::alarm::AlarmState;
use crate::engine::snapshot::{Acknowledgement, AlarmRecord, OpenOccurrence, RecognisedOccurrence};

const CALL: u64 = 1_777_853_851_000;

fn links(site: &str, key: &str) -> Links {
    let settings = LinkSettings {
        base_url: "https://gw.example:8443".to_owned(),
        key: Secret::new(key),
        valid_for: Duration::from_secs(8 * 3600),
    };
    Links::new(site, &settings)
}

fn ours() -> Links {
    links("north-plant", "0123456789abcdef0123456789abcdef")
}

fn event(fields: &Value) -> WireEvent {
    let mut event = json!({
        "id": "north-plant:7:1042", "seq": 1042, "time": "2026-05-04T00:19:31.000Z",
        "event": "notified", "alarm": "GD-201/high_high", "occurrence": 4, "point": "GD-201",
        "state": "unacknowledged", "cause": "system", "to": ["li-wei"], "annunciation": CALL,
    });
    let all = event.as_object_mut().expect("an object");
    for (key, value) in fields.as_object().expect("an object") {
        if value.is_null() {
            all.remove(key);
        } else {
            all.insert(key.clone(), value.clone());
        }
    }
    serde_json::from_value(event).expect("an event of the wire")
}

fn at(hour: u32, second: u32) -> Wall {
    let time = format!("\"2026-05-04T{hour:02}:19:{second:02}.000Z\"");
    let event = event(&json!({ "time": serde_json::from_str::<Value>(&time).expect("a text") }));
    event.time
}

fn token(link: &str) -> &str {
    let (_, token) = link.rsplit_once(PATH).expect("a link");
    token
}

fn mine() -> String {
    let link = ours().link(&event(&json!({})), Reader::Person("li-wei"), at(0, 31));
    link.expect("it waits")
}

#[test]
fn a_link_says_what_it_is_for_and_is_short() {
    let link = mine();
    assert!(link.starts_with("https://gw.example:8443/a/"), "{link}");
    assert!(token(&link).len() <= 54, "{link}");
    let claim = ours().read(token(&link), at(1, 0)).expect("ours");
    let expected = Claim {
        alarm: AlarmTag::of("GD-201/high_high"),
        drill: false,
        occurrence: 4,
        annunciation: CALL,
        expires: at(8, 31),
        readers: Readers::One(PersonTag::of("li-wei")),
    };
    assert_eq!(claim, expected);
    // The message that is sent again is the same message.
    assert_eq!(mine(), link);
}

/// A link that is dead when it comes is worse than none: its reader tries it first.
#[test]
fn a_message_that_is_made_after_the_end_of_its_link_has_none() {
    let notice = event(&json!({}));
    let link = |now| ours().link(&notice, Reader::Person("li-wei"), now);
    assert_eq!(link(at(8, 30)), Some(mine()));
    assert_eq!(link(at(8, 31)), None);
}

#[test]
fn only_one_thing_that_waits_has_a_link() {
    for (fields, expected) in [
        (json!({}), true),
        (json!({ "state": "returned_unacknowledged" }), true),
        (json!({ "state": "latched_unacknowledged" }), true),
        (
            json!({ "notice": "reminder", "alarms": ["GD-201/high_high"] }),
            true,
        ),
        (
            json!({ "alarm": "GD-201/high_high/drill", "test": true }),
            true,
        ),
        (json!({ "state": "acknowledged" }), false),
        (json!({ "state": "normal" }), false),
        (json!({ "event": "all_clear" }), false),
        (json!({ "event": "raised" }), false),
        (
            json!({ "alarms": ["GD-201/high_high", "GD-202/high"] }),
            false,
        ),
        (json!({ "occurrence": 0 }), false),
        (json!({ "annunciation": null }), false),
        (json!({ "annunciation": 1_u64 << 48 }), false),
        (json!({ "alarm": null }), false),
    ] {
        let link = ours().link(&event(&fields), Reader::Several, at(0, 31));
        assert_eq!(link.is_some(), expected, "{fields}");
    }
}

#[test]
fn a_shared_link_names_the_persons_of_its_message() {
    let read = |fields: &Value| {
        let link = ours()
            .link(&event(fields), Reader::Several, at(0, 31))
            .expect("it waits");
        ours().read(token(&link), at(1, 0)).expect("ours").readers
    };
    let tags = |ids: &[&str]| ids.iter().map(|id| PersonTag::of(id)).collect();
    let both = read(&json!({ "to": ["li-wei", "anna"] }));
    assert_eq!(both, Readers::Several(tags(&["li-wei", "anna"])));
    assert_eq!(read(&json!({ "to": [] })), Readers::Several(Vec::new()));
    assert_eq!(read(&json!({ "to": null })), Readers::Several(Vec::new()));
    let many: Vec<String> = (0..17).map(|n| format!("p{n}")).collect();
    assert_eq!(read(&json!({ "to": many })), Readers::Several(Vec::new()));
}

#[test]
fn it_ends_in_time() {
    let link = mine();
    for (now, expected) in [
        (at(0, 0), None),
        (at(8, 30), None),
        (at(8, 31), Some(Flaw::Expired(at(8, 31)))),
        (at(23, 0), Some(Flaw::Expired(at(8, 31)))),
    ] {
        assert_eq!(ours().read(token(&link), now).err(), expected, "{now:?}");
    }
}

#[test]
fn other_gateways_are_told_apart() {
    let link = mine();
    let key = "0123456789abcdef0123456789abcdef";
    let elsewhere = links("south-plant", key).read(token(&link), at(1, 0));
    assert_eq!(elsewhere, Err(Flaw::Foreign));
    let other_key = links("north-plant", "0123456789abcdef0123456789abcdeF");
    assert_eq!(other_key.read(token(&link), at(1, 0)), Err(Flaw::Forged));
    let long = "A".repeat(100_000);
    for broken in [
        "",
        "a",
        "!",
        "AAAA",
        "../../etc",
        link.as_str(),
        long.as_str(),
    ] {
        assert_eq!(
            ours().read(broken, at(1, 0)),
            Err(Flaw::Broken),
            "{broken:.20}"
        );
    }
}

/// Nothing secret is in what is printed of it.
#[test]
fn the_key_shows_nowhere() {
    let shown = format!("{:?}", ours());
    assert!(!shown.contains("0123456789"), "{shown}");
}

proptest! {
    /// One other character, wherever: refused.
    #[test]
    fn a_changed_token_is_no_token(place in any::<prop::sample::Index>(), with in "[A-Za-z0-9_-]") {
        let link = mine();
        let mut changed = token(&link).to_owned();
        let place = place.index(changed.len());
        prop_assume!(changed[place..=place] != with);
        changed.replace_range(place..=place, &with);
        prop_assert!(ours().read(&changed, at(1, 0)).is_err(), "{changed}");
    }

    /// So is one that lost its end, or got another.
    #[test]
    fn a_token_is_whole(length in 0_usize..54, more in "[A-Za-z0-9_-]{1,8}") {
        let link = mine();
        let token = token(&link);
        prop_assume!(length < token.len());
        prop_assert!(ours().read(&token[..length], at(1, 0)).is_err());
        let longer = format!("{token}{more}");
        prop_assert!(ours().read(&longer, at(1, 0)).is_err());
    }

    #[test]
    fn whatever_is_sealed_is_read(
        alarm in ".{0,40}",
        drill in any::<bool>(),
        occurrence in any::<u64>(),
        annunciation in 0_u64..1 << 48,
        seconds in any::<u32>(),
        persons in prop::collection::vec("[a-z]{1,8}", 0..=16),
        shared in any::<bool>(),
    ) {
        let seal = Seal::new("north-plant".into(), Secret::new("k"));
        let tags: Vec<PersonTag> = persons.iter().map(|id| PersonTag::of(id)).collect();
        let readers = match tags.first() {
            Some(first) if !shared => Readers::One(*first),
            Some(_) | None => Readers::Several(tags),
        };
        let claim = Claim {
            alarm: AlarmTag::of(&alarm),
            drill,
            occurrence,
            annunciation,
            expires: Wall::from_unix_nanos(i64::from(seconds) * 1_000_000_000),
            readers,
        };
        let token = seal.close(&claim).expect("it fits");
        prop_assert_eq!(seal.open(&token), Ok(claim));
    }

    #[test]
    fn hostile_tokens_are_refused(text in "\\PC{0,220}|[A-Za-z0-9_-]{0,220}") {
        prop_assert!(ours().read(&text, at(1, 0)).is_err());
    }
}

fn acknowledged(by: &str) -> Acknowledgement {
    Acknowledgement {
        by: by.into(),
        at: at(1, 0),
    }
}

/// Occurrence 4 is the newest, 3 open, 2 recognised, 1 forgotten, 5 late.
fn record(state: AlarmState, by: Option<&str>) -> AlarmRecord {
    AlarmRecord {
        state,
        occurrence: 4,
        annunciation: Some(CALL),
        acknowledged: by.map(acknowledged),
        unacknowledged: vec![OpenOccurrence {
            occurrence: 3,
            raised_at: at(0, 0),
            annunciation: Some(CALL),
        }],
        recognised: vec![RecognisedOccurrence {
            occurrence: 2,
            acknowledged: acknowledged("anna"),
        }],
        numbered: Some(5),
        ..AlarmRecord::new("GD-201/high_high".into())
    }
}

#[test]
fn what_is_left_to_do_stands_in_the_record() {
    use AlarmState as S;
    let stands = |record: Option<&AlarmRecord>, occurrence, annunciation| {
        let claim = Claim {
            occurrence,
            annunciation,
            ..ours().read(token(&mine()), at(1, 0)).expect("ours")
        };
        match standing(record, &claim) {
            Standing::Waits => "waits".to_owned(),
            Standing::Answered(first) => first.by.to_string(),
            Standing::CalledAgain => "called again".to_owned(),
            Standing::Over => "over".to_owned(),
            Standing::Unknown => "unknown".to_owned(),
        }
    };
    for (state, by, expected) in [
        (S::Unacknowledged, None, "waits"),
        (S::ReturnedUnacknowledged, None, "waits"),
        (S::LatchedUnacknowledged, None, "waits"),
        (S::Acknowledged, Some("li-wei"), "li-wei"),
        (S::LatchedAcknowledged, Some("li-wei"), "li-wei"),
        (S::Normal, Some("li-wei"), "li-wei"),
        (S::Normal, Some("system"), "over"),
        (S::LatchedAcknowledged, Some("system"), "over"),
        (S::Normal, None, "over"),
    ] {
        let record = record(state, by);
        assert_eq!(stands(Some(&record), 4, CALL), expected, "{state:?}");
        // An older call of it, or one of a life before.
        assert_eq!(stands(Some(&record), 4, CALL - 1), "called again");
    }
    let record = record(S::Unacknowledged, None);
    for (occurrence, annunciation, expected) in [
        (3, CALL, "waits"),
        (3, CALL - 1, "called again"),
        (2, CALL, "anna"),
        (1, CALL, "over"),
        (5, CALL, "over"),
        (6, CALL, "unknown"),
    ] {
        let found = stands(Some(&record), occurrence, annunciation);
        assert_eq!(found, expected, "{occurrence} {annunciation}");
    }
    assert_eq!(stands(None, 4, CALL), "unknown");
}
