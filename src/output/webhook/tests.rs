//! Bodies and signatures of every preset. That foreign programs agree is tested with real receivers.

mod paging;

use std::time::Duration;

use super::presets::{PRESETS, find};
use super::*;
use crate::ack_links::LinkSettings;
use crate::engine::alarm::AlarmState;
use crate::output::courier::Present;
use crate::output::http_client::Url;
use crate::output::message::tests::{guidance, readers, record};
use crate::wording::Readers;

fn north() -> Context {
    Context::new("north", Arc::default(), Readers::default())
}

fn target(preset: &'static Preset) -> WebhookTarget {
    WebhookTarget {
        client: ClientSettings {
            url: Url::parse("https://a.example/hook?access_token=1", true).expect("an address"),
            ..ClientSettings::default()
        },
        preset: Some(preset),
        source: Source {
            name: preset.name.into(),
            text: preset.template.into(),
            is_json: true,
        },
        content_type: preset.content_type.to_owned(),
        headers: Vec::new(),
        signature: None,
        secret: preset.scheme.map(|_| Secret::new("SEC-123")),
        topic: preset.has_topic.then(|| "alarms".to_owned()),
        selection: preset.selection,
        language: None,
    }
}

fn webhook(preset: &str) -> Webhook {
    let preset = find(preset).expect(preset);
    Webhook::new("chat".into(), north(), target(preset)).expect("a good template")
}

/// The state of an alarm as on its topic, with so much to do about it.
fn state(alarm: &str, words: usize) -> String {
    let action = "x".repeat(words);
    format!(
        r#"{{"alarm":"{alarm}","state":"unacknowledged","occurrence":4,"priority":"high","action":"{action}"}}"#
    )
}

fn present(states: Vec<String>) -> Present {
    Present {
        site: "north".into(),
        at: Wall::default(),
        seq: 7,
        states,
    }
}

fn parcel(line: &str) -> Parcel {
    let event: WireEvent = serde_json::from_str(line).expect(line);
    Parcel {
        seq: event.seq,
        line: line.to_owned(),
        replayed: false,
        behind: Vec::new(),
        event,
    }
}

fn sent(webhook: &Webhook, load: &Load<'_>) -> (Request, serde_json::Value) {
    let request = webhook.request(load, Wall::from_unix_nanos(1_700_000_000_123_000_000));
    let request = request.expect("a body");
    let body = serde_json::from_slice(&request.body).expect("JSON");
    (request, body)
}

#[test]
fn every_preset_makes_its_form_of_whatever_it_takes() {
    for preset in &PRESETS {
        let webhook = webhook(preset.name);
        assert_eq!(webhook.rehearse(), Ok(()), "{}", preset.name);
        let raised = parcel(SAMPLES[1]);
        let (_, body) = sent(&webhook, &Load::Event(&raised));
        let pointer = match preset.name {
            "json" => "/alarm",
            "cloudevents" => "/data/alarm",
            "slack" => "/text",
            "teams" => "/attachments/0/content/body/1/text",
            "ntfy" => "/message",
            "wecom" | "dingtalk" => "/text/content",
            "feishu" => "/content/text",
            "pagerduty" => "/payload/custom_details/alarm",
            name => unreachable!("a preset without a test: {name}"),
        };
        let found = body.pointer(pointer).and_then(serde_json::Value::as_str);
        let found = found.unwrap_or_default();
        assert!(found.contains("PT-330"), "{}: {body}", preset.name);
        let summed = [raised.clone(), raised];
        if webhook.sums_up() {
            let (_, body) = sent(&webhook, &Load::Summary(&summed));
            let found = body.pointer(pointer).and_then(serde_json::Value::as_str);
            assert!(found.unwrap_or_default().contains("PT-330"), "{body}");
        }
    }
}

fn links() -> Arc<Links> {
    let settings = LinkSettings {
        base_url: "https://gw.example".to_owned(),
        key: Secret::new("0123456789abcdef0123456789abcdef"),
        valid_for: Duration::from_secs(3600),
    };
    Arc::new(Links::new("north", &settings))
}

/// A room acknowledges by a link on which a name is chosen; a button where the form has one.
#[test]
fn what_people_read_has_a_link_to_acknowledge_with() {
    let links = links();
    let call = SAMPLES[2].replace("\"step\":0", "\"step\":0,\"annunciation\":5");
    let (call, plain) = (parcel(&call), parcel(SAMPLES[2]));
    let link = links.link(&call.event, Reader::Several, call.event.time);
    let link = link.expect("it waits");
    for preset in &PRESETS {
        let webhook = webhook(preset.name).with_links(Some(Arc::clone(&links)));
        let (_, body) = sent(&webhook, &Load::Event(&call));
        let people = preset.selection == Selection::Notices;
        assert_eq!(body.to_string().contains(&link), people, "{body}");
        let pointer = match preset.name {
            "ntfy" => "/actions/0/url",
            "teams" => "/attachments/0/content/actions/0/url",
            _ => continue,
        };
        assert_eq!(body.pointer(pointer), Some(&link.as_str().into()), "{body}");
        let (_, body) = sent(&webhook, &Load::Event(&plain));
        assert_eq!(body.pointer(pointer), None, "{body}");
    }
}

#[test]
fn a_program_gets_the_line_and_the_present() {
    let webhook = webhook("json");
    let raised = parcel(SAMPLES[1]);
    let (request, _) = sent(&webhook, &Load::Event(&raised));
    assert_eq!(request.body, SAMPLES[1]);
    let present = present(vec![state("a", 0), state("b", 0)]);
    let (_, body) = sent(&webhook, &Load::Present(&present));
    assert_eq!(body["snapshot"][1]["alarm"], "b");
    assert_eq!((&body["seq"], &body["site"]), (&7.into(), &"north".into()));
}

#[test]
fn a_snapshot_is_a_cloud_event_of_a_type_of_its_own() {
    let webhook = webhook("cloudevents");
    assert!(webhook.tells_present());
    let (_, body) = sent(&webhook, &Load::Present(&present(vec![state("a", 0)])));
    assert_eq!(body["type"], "io.forewarn.gateway.snapshot.v1");
    assert_eq!(
        (&body["specversion"], &body["source"]),
        (&"1.0".into(), &"/north/gateway".into())
    );
    assert_eq!(body["id"], "north:snapshot:1970-01-01T00:00:00.000Z");
    assert_eq!(body["data"]["snapshot"][0]["alarm"], "a");
    assert_eq!(body["data"]["seq"], 7);
}

/// A body that is too long is refused, and then the receiver knows of no alarm at all.
#[test]
fn of_more_than_a_snapshot_holds_the_least_urgent_are_left_out() {
    let urgent = state("urgent", 0).replace("\"high\"", "\"critical\"");
    let mut states: Vec<String> = (0..1_000).map(|n| state(&n.to_string(), 500)).collect();
    states.push(urgent);
    let present = present(states);
    for (preset, pointer) in [("json", ""), ("cloudevents", "/data")] {
        let (request, body) = sent(&webhook(preset), &Load::Present(&present));
        let body = body.pointer(pointer).expect("a snapshot");
        let shown = body["snapshot"].as_array().expect("a list");
        assert_eq!(shown[0]["alarm"], "urgent");
        let left_out = body["left_out"].as_u64().expect("a number");
        assert_eq!(shown.len() as u64 + left_out, 1_001);
        let room = 250_000..=template::BODY_LIMIT;
        assert!(room.contains(&request.body.len()), "{}", request.body.len());
    }
    let (_, body) = sent(
        &webhook("json"),
        &Load::Present(&Present {
            states: Vec::new(),
            ..present
        }),
    );
    assert_eq!(body.get("left_out"), None);
}

/// A receiver of our own making is written by this.
#[test]
fn the_snapshot_is_what_the_readme_shows() {
    let readme = include_str!("../../../README.md");
    let shown = readme.lines().map(str::trim);
    let shown = shown.filter_map(|line| line.strip_prefix('`')?.strip_suffix("`."));
    let shown: Vec<serde_json::Value> = shown
        .filter_map(|text| serde_json::from_str(text).ok())
        .collect();
    let shown = shown.iter().find(|body| body.get("snapshot").is_some());
    let shown = shown.expect("it is shown").as_object().expect("an object");
    let (_, body) = sent(
        &webhook("json"),
        &Load::Present(&present(vec![state("a", 0)])),
    );
    let names = |body: &serde_json::Map<_, _>| body.keys().cloned().collect::<Vec<String>>();
    assert_eq!(names(body.as_object().expect("an object")), names(shown));
    let record = record("CH4-101/high", AlarmState::Unacknowledged);
    let guidance = guidance("CH4-101/high");
    let told =
        crate::output::message::state(&guidance, &readers(), Some(&record), true, Wall::default());
    let told: serde_json::Value = serde_json::from_str(&told).expect("JSON");
    for (name, _) in shown["snapshot"][0].as_object().expect("a state") {
        assert!(told.get(name).is_some(), "{name} is not in {told}");
    }
}

#[test]
fn a_paging_service_gets_the_life_of_an_occurrence_under_one_key() {
    let webhook = webhook("pagerduty");
    let action = |event: &str| {
        let line = SAMPLES[1].replace("\"raised\"", &format!("\"{event}\""));
        let (_, body) = sent(&webhook, &Load::Event(&parcel(&line)));
        assert_eq!(body["dedup_key"], "north/PT-330/high/4");
        assert_eq!(body["routing_key"], "SEC-123");
        assert_eq!(body["payload"]["severity"], "error");
        body["event_action"].as_str().map(str::to_owned)
    };
    for (event, expected) in [
        ("raised", "trigger"),
        ("realarmed", "trigger"),
        ("unshelved", "trigger"),
        ("acknowledged", "acknowledge"),
        ("cleared", "resolve"),
        ("reset", "resolve"),
    ] {
        assert_eq!(action(event).as_deref(), Some(expected), "{event}");
    }
}

#[test]
fn chat_rooms_are_shown_their_secret_as_they_want_it() {
    // Taken with Python: hmac.new(key, text, sha256), base64, quote.
    let raised = parcel(SAMPLES[1]);
    let (request, _) = sent(&webhook("dingtalk"), &Load::Event(&raised));
    assert_eq!(request.path, format!("/hook?access_token=1&{DINGTALK}"));
    let (request, body) = sent(&webhook("feishu"), &Load::Event(&raised));
    assert_eq!(request.path, "/hook?access_token=1");
    assert_eq!(
        (&body["timestamp"], &body["sign"]),
        (&"1700000000".into(), &FEISHU.into())
    );
    let header = signing::header(
        "SEC-123",
        "{}",
        Wall::from_unix_nanos(1_700_000_000_123_000_000),
    );
    assert_eq!(header, format!("t=1700000000,v1={HEADER}"));
}

/// Whatever a receiver repeats of them goes into the log, the ledger and the answers of the API.
#[test]
fn every_secret_of_a_target_is_hidden() {
    let mut target = target(find("feishu").expect("a preset"));
    target.headers = vec![("X-Key".to_owned(), Secret::new("in-a-header"))];
    target.signature = Some(Signature {
        secret: Secret::new("of-the-signature"),
        header: "X-Sign".to_owned(),
    });
    let said = "SEC-123, in-a-header and of-the-signature";
    assert_eq!(target.hidden().hide(said), "***, *** and ***");
}

/// What is signed is what is sent, to the byte: a receiver can check nothing else.
#[test]
fn the_body_that_is_sent_is_the_one_that_is_signed() {
    let mut target = target(find("json").expect("a preset"));
    target.signature = Some(Signature {
        secret: Secret::new("SEC-123"),
        header: "X-Sign".to_owned(),
    });
    let webhook = Webhook::new("chat".into(), north(), target).expect("a good template");
    let now = Wall::from_unix_nanos(1_700_000_000_123_000_000);
    for line in SAMPLES {
        let request = webhook.request(&Load::Event(&parcel(line)), now);
        let request = request.expect("a body");
        let body = std::str::from_utf8(&request.body).expect("we send text");
        let signed = request.headers.iter().find(|(name, _)| name == "x-sign");
        let signature = signed.and_then(|(_, value)| value.to_str().ok());
        assert_eq!(signature, Some(&*signing::header("SEC-123", body, now)));
    }
}

#[test]
fn long_texts_are_cut_where_a_receiver_refuses_them() {
    let parcels: Vec<Parcel> = (0..100).map(|_| parcel(SAMPLES[2])).collect();
    let (_, body) = sent(&webhook("wecom"), &Load::Summary(&parcels));
    let text = body["text"]["content"].as_str().unwrap_or_default();
    assert!((2000..=2048).contains(&text.len()), "{}", text.len());
}

/// However long the guidance of an alarm is, whoever reads it can acknowledge.
#[test]
fn the_link_stays_where_a_text_is_cut() {
    let links = links();
    let many: Vec<String> = (0..2_000).map(|n| format!(r#""x & 水 {n}""#)).collect();
    let long = format!(r#""annunciation":5,"to":[{}]"#, many.join(","));
    let call = parcel(&SAMPLES[2].replace(r#""to":["li-wei"]"#, &long));
    let link = links.link(&call.event, Reader::Several, call.event.time);
    let link = link.expect("it waits");
    for (preset, pointer, most) in [
        ("wecom", "/text/content", 2_048),
        ("dingtalk", "/text/content", 19_000),
        ("feishu", "/content/text", 18_000),
        ("slack", "/text", 12_000 * 3),
    ] {
        let webhook = webhook(preset).with_links(Some(Arc::clone(&links)));
        let (_, body) = sent(&webhook, &Load::Event(&call));
        let text = body.pointer(pointer).and_then(serde_json::Value::as_str);
        let text = text.expect(preset);
        assert!(text.ends_with(&format!("...\n{link}")), "{preset}: {text}");
        assert!(text.len() <= most, "{preset}: {}", text.len());
    }
}

#[test]
fn mistakes_in_a_template_are_told_with_their_line_and_lose_no_alarm() {
    let custom = |text: &str| {
        let mut target = target(find("slack").expect("a preset"));
        target.preset = None;
        target.source = Source {
            name: "chat.j2".into(),
            text: text.into(),
            is_json: true,
        };
        Webhook::new("chat".into(), north(), target)
    };
    let mistake = custom("{\n {% if %}\n}").err().expect("a mistake");
    assert!(mistake.starts_with("chat.j2:2: "), "{mistake}");
    let unknown = custom("{\"a\":\n {{ event.valeu }}}").expect("it compiles");
    let mistake = unknown.rehearse().expect_err("no such field");
    assert!(mistake.starts_with("chat.j2:2: undefined"), "{mistake}");
    let quoted = custom("{\"a\": \"{{ title }}\"}").expect("it compiles");
    let mistake = quoted.rehearse().expect_err("quoted twice");
    assert!(mistake.contains("without quotes"), "{mistake}");
    let seldom =
        custom("{\"text\": {{ title }}, \"by\": {{ event.by.name }}}").expect("it compiles");
    let (_, body) = {
        let notice = parcel(SAMPLES[2]);
        sent(&seldom, &Load::Event(&notice))
    };
    assert!(body["text"].is_string(), "{body}");
}

const DINGTALK: &str =
    "timestamp=1700000000123&sign=RehSMMVFx8IrddmGq2SRgdWtGS1iK%2BlG4x8A1ZGxEbs%3D";
const FEISHU: &str = "fOLDJLLOXkFCq8QXf0JL3TTDsL4b43pyvTk7yGB/LTA=";
const HEADER: &str = "1e8a096f20a20812a6974b26dae19d7694cc4d74386948c4cb44eea2bb479632";
