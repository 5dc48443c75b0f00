//! Acknowledgement links as telephones, mail scanners and strangers open them.

use serde_json::json;

use super::*;
use crate::ack_links::{LinkSettings, Links, Reader};
use crate::broker::Secret;
use crate::engine::command::Call;
use crate::engine::effect::{Cause, Details, Event, EventKind, Subject, Via};
use crate::engine::snapshot::AlarmRecord;
use crate::event::WireEvent;
use crate::journal::Record;
use crate::wording::{Context, Language, Person, Readers};

const CALL: u64 = 1_777_875_151_000;
const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";

fn maker(site: &str, key: &str) -> Links {
    let settings = LinkSettings {
        base_url: "https://gw.example".to_owned(),
        key: Secret::new(key),
        valid_for: Duration::from_secs(8 * 3600),
    };
    Links::new(site, &settings)
}

fn ours() -> Links {
    maker("test", "0123456789abcdef0123456789abcdef")
}

pub(super) fn pages() -> LinkPages {
    let person = |name: &str, language| Person {
        name: name.to_owned(),
        language,
        ..Person::default()
    };
    let persons = [
        ("li-wei", person("Li Wei", None)),
        ("anna", person("Anna <Berg>", None)),
        ("wang-fang", person("王芳", Some(Language::Chinese))),
    ];
    let persons = persons.map(|(id, person)| (id.to_owned(), person));
    let readers = Readers {
        persons: Arc::new(persons.into()),
        ..Readers::default()
    };
    let rise = Guidance {
        kind: AlarmKind::Rise,
        ..words()
    };
    let context = Context::new("test", Directory::new([words(), rise]).into(), readers);
    LinkPages::new(Arc::new(ours()), context)
}

/// `high` waits for one call and none other; `rise` was answered while the page was open.
pub(super) fn decide(command: &Command, call: &Call) -> Result<Answer, Denied> {
    assert_eq!(call.annunciation, CALL);
    let outcome = match command.alarm.as_str() {
        "CH4-101/high" => Outcome::Accepted {
            occurrence: call.occurrence,
            at: Wall::from_unix_nanos(1_777_875_160_250_000_000),
        },
        "CH4-101/rise" => {
            assert_eq!(call.via, Via::SharedLink);
            Outcome::AlreadyDone {
                occurrence: call.occurrence,
                first: Acknowledgement {
                    by: "wang-fang".into(),
                    at: Wall::from_unix_nanos(1_777_875_151_000_000_000),
                },
            }
        }
        _ => return Err(Denied::CalledAgain),
    };
    Ok(Answer {
        outcome,
        durable: true,
    })
}

impl Port {
    /// What the journal knows of an alarm, once it does.
    async fn knows(&self, alarm: &str, state: AlarmState) {
        self.knows_of(alarm, state, None).await;
    }

    async fn knows_of(&self, alarm: &str, state: AlarmState, first: Option<Acknowledgement>) {
        let alarm: Arc<str> = alarm.into();
        let subject = Subject::unconfigured(&alarm);
        let record = AlarmRecord {
            state,
            occurrence: 4,
            annunciation: Some(CALL),
            acknowledged: first,
            raised_at: Some(Wall::from_unix_nanos(1_777_875_151_000_000_000)),
            ..AlarmRecord::new(alarm)
        };
        let (committed, known) = tokio::sync::oneshot::channel();
        self.journal.inbox().push(Record {
            event: Box::new(Event {
                at: Moment::default(),
                kind: EventKind::Raised,
                subject: Some(subject),
                cause: Cause::Process,
                details: Details::default(),
                record: Some(record),
                others: Vec::new(),
            }),
            committed: Some(Box::new(move |_outcome| {
                committed.send(()).expect("somebody waits");
            })),
        });
        known.await.expect("it is committed");
    }

    async fn waiting() -> Self {
        let port = Self::open().await;
        let waits = AlarmState::Unacknowledged;
        port.knows("CH4-101/high", waits).await;
        port.knows("CH4-101/rise", waits).await;
        port.knows("CH4-101/high/drill", AlarmState::Normal).await;
        port
    }

    fn commands(&self) -> usize {
        self.commands.load(Ordering::Relaxed)
    }

    /// The page is made once a second, so all are looked for at once.
    async fn counted(&self, results: &[&str]) {
        let (_, metrics) = self.get("/metrics").await;
        for result in results {
            let series = format!("forewarn_acknowledge_links_total{{result=\"{result}\"}}");
            assert!(metrics.contains(&series), "{result}: {metrics}");
        }
    }
}

/// The notice of which links are made, a minute ago.
fn notice(fields: &Value) -> WireEvent {
    let ago = crate::clock::now().wall.unix_nanos() - 60_000_000_000;
    let time = crate::event::rfc3339::format(Wall::from_unix_nanos(ago));
    let mut event = json!({
        "id": "test:1:7", "seq": 7, "time": time, "event": "notified", "alarm": "CH4-101/high",
        "occurrence": 4, "point": "CH4-101", "state": "unacknowledged", "cause": "system",
        "to": ["li-wei", "anna"], "annunciation": CALL,
    });
    let all = event.as_object_mut().expect("an object");
    for (key, value) in fields.as_object().expect("an object") {
        all.insert(key.clone(), value.clone());
    }
    serde_json::from_value(event).expect("an event of the wire")
}

fn path(link: Option<String>) -> String {
    let link = link.expect("it waits");
    link.strip_prefix("https://gw.example")
        .expect("ours")
        .to_owned()
}

fn of(person: &str) -> String {
    let notice = notice(&json!({}));
    path(ours().link(&notice, Reader::Person(person), notice.time))
}

#[tokio::test]
async fn opening_a_link_shows_and_never_acknowledges() {
    let port = Port::waiting().await;
    let link = of("li-wei");
    for method in ["GET", "HEAD", "GET"] {
        let request =
            format!("{method} {link} HTTP/1.1\r\nHost: gw.example\r\nConnection: close\r\n\r\n");
        let reply = port.send(request.as_bytes()).await;
        assert_eq!(status_of(&reply), 200, "{reply}");
        let head = reply.to_ascii_lowercase();
        for line in [
            "cache-control: no-store",
            "referrer-policy: no-referrer",
            "x-frame-options: deny",
            "content-type: text/html; charset=utf-8",
            "content-language: en",
            "content-security-policy: default-src 'none'; style-src 'sha256-",
        ] {
            assert!(head.contains(&format!("\r\n{line}")), "{line}: {head}");
        }
    }
    let (_, page) = port.get(&link).await;
    for words in [
        "Nobody has acknowledged this alarm yet.",
        "CH4-101, Methane, tank farm north, high limit",
        "active, not acknowledged",
        "occurrence 4",
        "<form method=\"post\">",
        "<button name=\"by\" value=\"li-wei\">Acknowledge</button>",
    ] {
        assert!(page.contains(words), "{words} not in {page}");
    }
    for outside in ["<script", "http://", "https://", "src="] {
        assert!(!page.contains(outside), "{outside} in {page}");
    }
    assert_eq!(port.commands(), 0, "nobody pressed anything");
}

#[tokio::test]
async fn its_button_acknowledges_in_the_name_of_its_reader() {
    let port = Port::waiting().await;
    // The form of our page names no origin, and a proxy may have named another host.
    let headers = format!("{FORM}Origin: null\r\n");
    let link = of("li-wei");
    let (status, page) = port.ask("POST", &link, &headers, "by=anna").await;
    assert_eq!(status, 200);
    let said = "Acknowledged by Li Wei at 2026-05-04 06:12:40 UTC.";
    assert!(page.contains(said) && !page.contains("<form"), "{page}");
    let (status, page) = port.ask("POST", &of("wang-fang"), "", "").await;
    assert_eq!(status, 200);
    let said = "王芳 已于 2026-05-04 06:12:40 UTC 确认。";
    assert!(
        page.contains(said) && page.contains("lang=\"zh\""),
        "{page}"
    );
    assert_eq!(port.commands(), 2);
}

#[tokio::test]
async fn on_a_shared_link_somebody_of_the_message_says_who_they_are() {
    let port = Port::waiting().await;
    let shared = |fields| {
        let notice = notice(&fields);
        path(ours().link(&notice, Reader::Several, notice.time))
    };
    let link = shared(json!({ "alarm": "CH4-101/rise" }));
    let (_, page) = port.get(&link).await;
    for words in [
        "Who are you? The name goes on record.",
        "value=\"li-wei\">Acknowledge as Li Wei<",
        "value=\"anna\">Acknowledge as Anna &lt;Berg&gt;<",
    ] {
        assert!(page.contains(words), "{words} not in {page}");
    }
    assert!(!page.contains("wang-fang"), "{page}");
    for body in ["", "by=", "by=wang-fang", "by=somebody", "to=li-wei", "%%%"] {
        let (status, _) = port.ask("POST", &link, FORM, body).await;
        assert_eq!(status, 403, "{body}");
    }
    assert_eq!(port.commands(), 0);
    port.counted(&["not_a_reader"]).await;
    let (status, page) = port.ask("POST", &link, FORM, "by=li-wei").await;
    assert_eq!((status, port.commands()), (200, 1));
    let said = "王芳 at 2026-05-04 06:12:31 UTC was first";
    assert!(page.contains(said), "{page}");
    // Where nobody is named, everybody who is configured may have read it.
    let (_, page) = port.get(&shared(json!({ "to": [] }))).await;
    assert!(
        page.contains("wang-fang") && page.contains("anna"),
        "{page}"
    );
}

#[tokio::test]
async fn what_is_no_good_says_why_is_counted_and_reaches_nobody() {
    let port = Port::waiting().await;
    let person = Reader::Person("li-wei");
    let key = "0123456789abcdef0123456789abcdef";
    let made = |links: &Links, fields| {
        let notice = notice(&fields);
        path(links.link(&notice, person, notice.time))
    };
    let good = made(&ours(), json!({}));
    let drill = json!({ "alarm": "CH4-101/high/drill" });
    let mut expected = Vec::new();
    for (link, status, result, words) in [
        (
            good[..good.len() - 3].to_owned(),
            400,
            "malformed",
            "Was it cut on the way?",
        ),
        (
            "/a/x".to_owned(),
            400,
            "malformed",
            "Was it cut on the way?",
        ),
        (
            made(&maker("test", &key.to_uppercase()), json!({})),
            403,
            "wrong_signature",
            "key",
        ),
        (
            made(&maker("south", key), json!({})),
            404,
            "foreign_site",
            "not of test",
        ),
        (
            made(&ours(), json!({ "time": "2020-05-04T00:00:00Z" })),
            410,
            "expired",
            "good until",
        ),
        (
            made(&ours(), json!({ "annunciation": CALL - 1 })),
            410,
            "called_again",
            "newest message",
        ),
        (
            made(&ours(), json!({ "occurrence": 3 })),
            410,
            "over",
            "waits for nobody",
        ),
        (
            made(&ours(), json!({ "occurrence": 5 })),
            410,
            "unknown",
            "journal was lost",
        ),
        (
            made(&ours(), json!({ "alarm": "GONE/high" })),
            410,
            "unknown",
            "not configured",
        ),
        (made(&ours(), drill), 410, "over", "waits for nobody"),
        (of("somebody"), 403, "not_a_reader", "not for that name"),
    ] {
        for method in ["GET", "POST"] {
            let (found, page) = port.ask(method, &link, "", "").await;
            assert_eq!(found, status, "{method} {result} {page}");
            assert!(
                page.contains(words) && !page.contains("<form"),
                "{words}: {page}"
            );
        }
        expected.push(result);
    }
    assert_eq!(port.commands(), 0);
    port.counted(&expected).await;
}

#[tokio::test]
async fn people_reach_links_by_any_name_and_nothing_else() {
    let port = Port::waiting().await;
    let link = of("li-wei");
    for (line, expected) in [
        (format!("GET {link}"), 200),
        (format!("PUT {link}"), 405),
        ("GET /a/".to_owned(), 404),
        ("GET /a/x/../metrics".to_owned(), 404),
        ("GET /a/..%2Fmetrics".to_owned(), 400),
        ("GET /metrics".to_owned(), 421),
        ("GET /api/v1/alarms".to_owned(), 421),
        (format!("POST {ACKNOWLEDGE}"), 421),
    ] {
        let request = format!("{line} HTTP/1.1\r\nHost: gw.example\r\nConnection: close\r\n\r\n");
        let reply = port.send(request.as_bytes()).await;
        assert_eq!(status_of(&reply), expected, "{line}: {reply}");
    }
}

/// Whoever has a link does not fill the journal with it.
#[tokio::test]
async fn many_answers_at_once_are_put_off() {
    let port = Port::waiting().await;
    let link = of("li-wei");
    let mut refused = 0;
    for _ in 0..30 {
        let (status, _) = port.ask("POST", &link, "", "").await;
        refused += usize::from(status == 429);
    }
    assert!(refused > 10, "{refused}");
    assert_eq!(port.commands() + refused, 30);
    port.counted(&["too_many"]).await;
    let (status, _) = port.get(&link).await;
    assert_eq!(status, 200, "looking is free");
}

/// Somebody with an old link shuts out nobody.
#[tokio::test]
async fn a_used_link_is_on_record_once_and_then_answered_from_what_stands() {
    let port = Port::waiting().await;
    let first = Acknowledgement {
        by: "wang-fang".into(),
        at: Wall::from_unix_nanos(1_777_875_151_000_000_000),
    };
    let acknowledged = AlarmState::Acknowledged;
    port.knows_of("CH4-101/rise", acknowledged, Some(first))
        .await;
    let rise = notice(&json!({ "alarm": "CH4-101/rise" }));
    let used = path(ours().link(&rise, Reader::Several, rise.time));
    for _ in 0..200 {
        let (status, page) = port.ask("POST", &used, FORM, "by=li-wei").await;
        assert_eq!(status, 200, "{page}");
        let said = "王芳 at 2026-05-04 06:12:31 UTC was first";
        assert!(page.contains(said) && !page.contains("<form"), "{page}");
    }
    assert_eq!(port.commands(), 1, "on record once");
    let (status, _) = port.ask("POST", &of("anna"), "", "").await;
    assert_eq!((status, port.commands()), (200, 2));
}
