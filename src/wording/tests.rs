//! Every kind of letter, word by word, in both languages: `tests/NAME.txt`, written anew with
//! `UPDATE_EXPECTED=1`. Read what changed: it is what somebody reads at 03:00.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::{TimeZone, offset};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::engine::settings::AlarmKind;
use crate::guidance::{AlarmWords, Directory, PointWords};

mod digests;
mod plant;
mod sheets;

use self::plant::{duties, guidance, methane, plant, words};

/// As long as one is (`src/ack_links`).
const LINK: &str = "https://gw.example/a/EEn2U3UxE0uRAZ3whT9CafhIQwS2u2IG0mC8fJ3mW1oV0kq1Yb7-3n";

fn event(fields: Value) -> WireEvent {
    let mut event = json!({
        "id": "north-plant:7:1042", "seq": 1042, "time": "2026-05-04T00:19:31.000Z",
        "event": "notified", "alarm": "GD-201/high_high", "occurrence": 4, "point": "GD-201",
        "area": "tank-farm", "state": "unacknowledged", "overlays": [], "priority": "critical",
        "value": 54.2, "limit": 50.0, "unit": "%LEL", "quality": "good", "annunciated": true,
        "cause": "system", "raised_at": "2026-05-04T00:17:31.000Z", "peak": 55.0,
        "slope_per_min": 4.02, "to": ["li-wei"], "output": "mail", "notice": "page", "step": 0,
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

/// The kinds of letter by name.
fn letters() -> Vec<(&'static str, WireEvent, Handing<'static>)> {
    let plain = Handing::default();
    let page = |fields| event(fields);
    let many: Vec<String> = (1..=25).map(|n| format!("GD-{}/high", 200 + n)).collect();
    let linked = Handing {
        link: Some(LINK),
        ..plain
    };
    vec![
        ("page", page(json!({})), linked),
        (
            "escalated",
            page(json!({ "step": 2, "first_out": true, "unheard": true })),
            plain,
        ),
        (
            "reminder",
            page(json!({ "notice": "reminder", "step": null })),
            plain,
        ),
        (
            "early_warning",
            page(json!({
                "alarm": "GD-201/rise", "priority": "medium", "value": 14.0, "limit": 10.0,
                "slope_per_min": 42.0, "peak": null, "forecast_s": { "high": 18.0, "high_high": 55.0 },
            })),
            plain,
        ),
        (
            "stale",
            page(json!({
                "alarm": "GD-201/stale", "priority": "high", "value": null, "limit": null,
                "quality": "bad", "reason": "no_communication", "peak": null, "slope_per_min": null,
            })),
            plain,
        ),
        (
            "low",
            page(json!({
                "alarm": "LT-40/low", "point": "LT-40", "priority": "high", "value": -131.5,
                "limit": -120.0, "unit": "mm", "peak": -133.0, "slope_per_min": -3.0, "to": [],
            })),
            plain,
        ),
        (
            "late",
            page(json!({
                "notice": "late", "step": null, "state": "normal", "late": true,
                "raised_at": "2026-05-03T22:10:00Z", "cleared_at": "2026-05-03T22:41:00Z",
            })),
            plain,
        ),
        (
            "chatter",
            page(json!({
                "notice": "chatter", "alarm": "LT-40/low", "point": "LT-40", "priority": "medium",
                "value": -121, "limit": -120.0, "unit": "mm", "peak": -122, "slope_per_min": null,
                "chattering": true,
            })),
            plain,
        ),
        (
            "flood",
            page(json!({
                "notice": "flood", "alarm": "GD-201/high", "priority": "high", "alarms": many,
                "value": 31.0, "limit": 25.0,
            })),
            plain,
        ),
        (
            "all_clear",
            page(json!({
                "event": "all_clear", "state": "normal", "value": 3.1, "duration_s": 754.0,
                "peak": 61.3, "output": null, "outputs": ["mail"], "notice": null, "step": null,
                "raised_at": null, "slope_per_min": null,
            })),
            plain,
        ),
        (
            "drill",
            page(json!({ "alarm": "GD-201/high_high/drill", "test": true })),
            plain,
        ),
        (
            "test",
            page(json!({ "occurrence": 0, "state": "normal" })),
            Handing {
                test: true,
                ..plain
            },
        ),
        (
            "delayed_and_volatile",
            page(json!({})),
            Handing {
                replayed: true,
                volatile: true,
                ..plain
            },
        ),
        (
            "acknowledged",
            page(json!({
                "event": "acknowledged", "state": "acknowledged", "by": "li-wei",
                "comment": "going there", "notice": null, "step": null, "to": null, "output": null,
            })),
            plain,
        ),
        (
            "gap",
            event(json!({
                "event": "monitoring_gap", "alarm": null, "occurrence": null, "point": null,
                "area": null, "state": null, "overlays": null, "priority": null, "value": null,
                "limit": null, "unit": null, "quality": null, "annunciated": null, "raised_at": null,
                "peak": null, "slope_per_min": null, "output": null, "notice": null, "step": null,
                "from": "2026-05-04T00:00:00Z", "to": "2026-05-04T00:10:00Z",
                "message": "nobody watched for 10 min",
            })),
            plain,
        ),
    ]
}

fn shown(event: &WireEvent, handing: Handing<'_>) -> String {
    let languages = [Language::English, Language::Chinese];
    let shown = languages.map(|language| {
        let handing = Handing {
            language,
            ..handing
        };
        let letter = letter(event, &handing, &plant(language));
        format!(
            "Title: {}\nShort: {}\n\n{}",
            letter.title, letter.short, letter.body
        )
    });
    shown.join("\n----\n\n")
}

#[test]
fn every_kind_of_letter_reads_as_written_down() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/wording/tests");
    let update = std::env::var_os("UPDATE_EXPECTED").is_some();
    for (name, event, handing) in letters() {
        let path = folder.join(format!("{name}.txt"));
        let shown = shown(&event, handing);
        if update {
            std::fs::write(&path, &shown).expect("a writable source tree");
        }
        let expected = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(shown, expected, "{name}");
    }
}

/// No name of the program's own language reaches a person: `low_low`, `returned_unacknowledged`.
#[test]
fn no_letter_speaks_in_identifiers() {
    for (name, event, handing) in letters() {
        for part in shown(&event, handing).split_whitespace() {
            let is_alarm_id = part.contains('/');
            assert!(is_alarm_id || !part.contains('_'), "{name}: {part}");
        }
    }
}

fn fits(short: &str) {
    let (size, room) = short::measured(short);
    assert!(size <= room, "{size} of {room}: {short}");
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[ -~]{0,400}",
        "\\PC{0,200}",
        Just("\r\nSubject: forged\n".to_owned()),
        "[\u{4e00}-\u{4fff}]{0,200}",
    ]
}

proptest! {
    /// Whatever stands in names and texts: the short form fits one message and names kind and tag, titles
    /// are one line, and nothing adds a line to a body.
    #[test]
    fn hostile_words_break_no_letter(
        tag in "[A-Za-z0-9._-]{1,40}|[\u{4e00}-\u{4fff}]{1,30}",
        texts in proptest::collection::vec(any_text(), 7),
        value in proptest::option::of(any::<f64>()),
        drill in any::<bool>(),
        chinese in any::<bool>(),
        kind in 0..letters().len(),
    ) {
        let language = if chinese { Language::Chinese } else { Language::English };
        let lexicon = language.lexicon();
        let [name, unit, area, action, by, comment, link] = &texts[..] else { unreachable!() };
        let point = PointWords {
            id: tag.as_str().into(),
            name: name.as_str().into(),
            unit: unit.as_str().into(),
            area_name: Some(area.as_str().into()),
            ..methane("")
        };
        let said = AlarmWords {
            action: Some(action.as_str().into()),
            ..words(language)
        };
        let known = guidance(point, AlarmKind::HighHigh, 50.0, said);
        let person = Person { name: comment.clone(), ..Person::default() };
        let readers = Readers {
            persons: Arc::new([("li-wei".to_owned(), person)].into()),
            duties: Arc::new(duties()),
            ..Readers::default()
        };
        let context = Context::new(area.as_str(), Directory::new([known]).into(), readers);
        let (_, mut event, _) = letters().swap_remove(kind);
        let end = if drill { "/drill" } else { "" };
        event.alarm = Some(format!("{tag}/high_high{end}").into());
        event.point = Some(tag.as_str().into());
        event.unit = Some(unit.as_str().into());
        event.value = value;
        event.by = Some(by.clone());
        event.comment = Some(comment.clone());
        let handing = Handing { language, test: drill, link: Some(link), ..Handing::default() };
        let letter = letter(&event, &handing, &context);
        fits(&letter.short);
        prop_assert!(letter.short.contains(&tag), "{}", letter.short);
        prop_assert!(letter.short.contains(lexicon.code(AlarmKind::HighHigh)), "{}", letter.short);
        prop_assert!(letter.title.chars().count() <= TITLE);
        for text in [&letter.title, &letter.short] {
            prop_assert!(!text.chars().any(char::is_control), "{text:?}");
        }
        let fields = letter.body.lines().filter(|line| line.starts_with("Subject: "));
        prop_assert_eq!(fields.count(), 0);
        prop_assert!(!letter.body.chars().any(|c| c.is_control() && c != '\n'));
    }
}

#[test]
fn a_tag_that_fills_a_message_is_cut_in_its_middle() {
    let tag = "𠮷".repeat(64);
    let event = event(json!({ "alarm": format!("{tag}/high_high"), "point": tag }));
    for language in [Language::English, Language::Chinese] {
        let handing = Handing {
            language,
            ..Handing::default()
        };
        let letter = letter(&event, &handing, &plant(language));
        fits(&letter.short);
        assert!(letter.short.contains(".."), "{}", letter.short);
    }
}

/// What the reader needs most stays when there is no room for all.
#[test]
fn what_does_not_fit_goes_from_the_least_important() {
    let name = "a very long name of a pump that stands somewhere between two tanks of the farm";
    let known = guidance(
        methane(name),
        AlarmKind::HighHigh,
        50.0,
        words(Language::English),
    );
    let readers = Readers {
        zone: TimeZone::fixed(offset(8)),
        ..Readers::default()
    };
    let context = Context::new("north-plant", Directory::new([known]).into(), readers);
    let (_, event, handing) = letters().swap_remove(0);
    let letter = letter(&event, &handing, &context);
    fits(&letter.short);
    for part in [
        "[HH GAS] GD-201 a very long name",
        "54.2%LEL (lim 50) +4/min since 08:17",
        "EVACUATE PUMP BAY, call 5566",
    ] {
        assert!(letter.short.contains(part), "{}", letter.short);
    }
}

/// Whoever is next must know that the call may be theirs alone: it is said whatever else there is to say, and the
/// tag is whole beside it.
#[test]
fn a_text_message_says_that_nobody_may_have_heard() {
    let many: Vec<String> = (1..=25).map(|n| format!("GD-{n}/high")).collect();
    let far = "a very long name of a pump that stands somewhere between two tanks of the farm";
    for (language, said, not_acked) in [
        (Language::English, "EARLY, UNHEARD? ", "NOT ACKED "),
        (Language::Chinese, "提前,前次或未送达 ", "仍未确认 "),
    ] {
        for tag in ["GD-201".repeat(6), "罐区北侧可燃气体探测器甲乙".to_owned()] {
            for page in [
                json!({ "step": 2 }),
                json!({ "notice": "flood", "step": 2, "alarms": many }),
            ] {
                let mut point = methane(far);
                point.id = tag.as_str().into();
                let known = guidance(point, AlarmKind::HighHigh, 50.0, words(language));
                let context = Context::new(
                    "north-plant",
                    Directory::new([known]).into(),
                    Readers::default(),
                );
                let handing = Handing {
                    language,
                    replayed: true,
                    link: Some(LINK),
                    ..Handing::default()
                };
                let mut page = event(page);
                page.alarm = Some(format!("{tag}/high_high/drill").into());
                page.point = Some(tag.as_str().into());
                let heard = letter(&page, &handing, &context).short;
                assert!(!heard.contains(said), "{heard}");
                page.unheard = true;
                let short = letter(&page, &handing, &context).short;
                fits(&short);
                assert!(short.contains(said) && short.contains(&tag), "{short}");
                assert!(!short.contains(not_acked), "{short}");
            }
        }
    }
}

/// It takes half a message: whole behind all the rest, or not at all.
#[test]
fn a_text_message_has_the_link_only_where_nothing_gives_way_to_it() {
    let known = |action: &str| {
        let said = AlarmWords {
            action: Some(action.into()),
            ..AlarmWords::default()
        };
        let known = guidance(methane("GD-201"), AlarmKind::HighHigh, 50.0, said);
        Context::new(
            "north-plant",
            Directory::new([known]).into(),
            Readers::default(),
        )
    };
    let (_, event, handing) = letters().swap_remove(0);
    for (action, fits) in [("Call 5566", true), ("EVACUATE PUMP BAY, call 5566", false)] {
        let short = letter(&event, &handing, &known(action)).short;
        self::fits(&short);
        assert!(short.contains(action), "{short}");
        assert_eq!(short.ends_with(LINK), fits, "{short}");
        assert_eq!(short.contains("https"), fits, "{short}");
        let chinese = Handing {
            language: Language::Chinese,
            ..handing
        };
        let short = letter(&event, &chinese, &known(action)).short;
        assert!(!short.contains("https"), "{short}");
    }
}

/// A rota is resolved when it happens; what lies in no area has those of the points behind it.
#[test]
fn those_are_named_who_are_on_call_when_it_happens() {
    let context = plant(Language::English);
    let deputy = |fields: Value| {
        let letter = letter(&event(fields), &Handing::default(), &context);
        let line = letter.body.lines().find(|line| line.starts_with("Deputy"));
        line.unwrap_or("none").to_owned()
    };
    let (anna, li) = (
        "Deputy: Anna Berg (+86 10 5567), on call",
        "Deputy: Li Wei, shift lead (+86 10 5566, li.wei@example.invalid), on call",
    );
    let elsewhere = json!({ "area": "quay" });
    let broker = json!({ "alarm": "mqtt.plant/state", "point": "mqtt.plant", "area": null });
    for (fields, expected) in [
        (json!({ "time": "2026-05-04T11:59:59.000Z" }), anna),
        (json!({ "time": "2026-05-04T12:00:00.000Z" }), li),
        (broker, anna),
        (elsewhere, "none"),
    ] {
        assert_eq!(deputy(fields), expected);
    }
}

/// As in letters, for programs.
#[test]
fn programs_are_told_by_name_who_is_responsible() {
    let readers = plant(Language::English).readers;
    let at = event(json!({})).time;
    let li = "Li Wei, shift lead (+86 10 5566, li.wei@example.invalid)";
    let of = |id: &str, area: Option<&str>| {
        let point = PointWords {
            id: id.into(),
            area: area.map(Into::into),
            ..methane("")
        };
        assert!(!readers.is_by_rota(&point), "{id}");
        readers.responsible(&point, at)
    };
    assert_eq!(of("GD-201", Some("tank-farm")), [li]);
    assert_eq!(of("mqtt.plant", None), [li]);
    assert_eq!(of("GD-201", Some("quay")), [""; 0]);
    let shift = |hour: u64| readers.duties.shift(at + Duration::from_secs(hour * 3600));
    assert_eq!(shift(0), shift(11));
    assert_ne!(shift(0), shift(12));
}
