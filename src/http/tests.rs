//! The whole port over real sockets: a client that writes bytes, an engine that answers by script.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::*;
use crate::commands::scratch::ScratchFolder;
use crate::engine::alarm::AlarmState;
use crate::engine::command::{Action, Command, Denied, Outcome, Permit, Shelving};
use crate::engine::notice::{NoticeView, Told};
use crate::engine::overlay::Overlays;
use crate::engine::reading::Quality;
use crate::engine::settings::{AlarmKind, Priority};
use crate::engine::snapshot::{
    Acknowledgement, AlarmView, ChannelView, GroupView, PointView, ReadingCounts, Snapshot,
};
use crate::engine::time::{Moment, Wall};
use crate::evaluation::{Answer, REQUESTS, Request};
use crate::guidance::{AlarmWords, Directory, Guidance, Measure, PointWords};
use crate::journal::{self, Journal, JournalSettings};
use crate::metrics::{Names, Refusal};
use crate::notify::rota::Rota;
use crate::notify::settings::{Holder, NotifySettings, Roles};
use crate::wording::{Duties, Person, Readers};

mod attacks;
mod commands;
mod covers;
mod drills;
mod health;
mod links;

const JSON: &str = "application/json";
const ACKNOWLEDGE: &str = "/api/v1/alarms/CH4-101/high/acknowledge";

/// A served port. Everything ends when it is dropped.
struct Port {
    address: SocketAddr,
    metrics: Arc<Metrics>,
    /// How many commands the engine was asked for.
    commands: Arc<AtomicUsize>,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
    journal: Journal,
    _folder: ScratchFolder,
}

impl Port {
    async fn open() -> Self {
        Self::with_engine(true).await
    }

    /// `answering`: false is an engine that is stuck.
    async fn with_engine(answering: bool) -> Self {
        let names = Names {
            devices: vec!["gd-01".into()],
            brokers: vec!["plant".into()],
            outputs: vec!["control-room".into()],
            tasks: vec!["engine".to_owned()],
            ..Names::default()
        };
        let metrics = Arc::new(Metrics::new(&names));
        let (requests, mut asked) = mpsc::channel(REQUESTS);
        let folder = ScratchFolder::new("http-test").expect("a folder");
        let settings = JournalSettings {
            path: folder.path().join("journal.db"),
            max_size: 16 << 20,
            keep_events: Duration::from_secs(3600),
            first_epoch: Some(1),
        };
        let (journal, _) =
            journal::start(&settings, "test", &[], Arc::clone(&metrics)).expect("a journal");
        let app = App::new(
            Desk::new(requests),
            journal.feed(),
            Arc::clone(&metrics),
            Context::new("test", Directory::new([words()]).into(), readers()),
        );
        let app = app.with_links(Some(links::pages()));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let (stop, stopping) = watch::channel(false);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            serve(listener, app, stopping).await.expect("served");
        });
        let commands = Arc::new(AtomicUsize::new(0));
        let given = Arc::clone(&commands);
        tasks.spawn(async move {
            let mut held = Vec::new();
            while let Some(request) = asked.recv().await {
                let command = matches!(request, Request::Command { .. });
                given.fetch_add(usize::from(command), Ordering::Relaxed);
                if answering {
                    answer(request);
                } else {
                    held.push(request);
                }
            }
        });
        Self {
            address,
            metrics,
            commands,
            stop,
            tasks,
            journal,
            _folder: folder,
        }
    }

    /// Status and body of one request on its own connection.
    async fn ask(&self, method: &str, path: &str, headers: &str, body: &str) -> (u16, String) {
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.0\r\nHost: {}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}",
            self.address
        );
        let reply = self.send(request.as_bytes()).await;
        let status = status_of(&reply);
        let (_, body) = reply.split_once("\r\n\r\n").unwrap_or_default();
        (status, body.to_owned())
    }

    async fn get(&self, path: &str) -> (u16, String) {
        self.ask("GET", path, "", "").await
    }

    async fn post(&self, path: &str, body: &str) -> (u16, Value) {
        let headers = format!("Content-Type: {JSON}\r\n");
        let (status, body) = self.ask("POST", path, &headers, body).await;
        (status, json(&body))
    }

    /// Sends bytes as they are and reads until the far end closes.
    async fn send(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).await.expect("connected");
        // The far end may refuse before everything is written.
        let _refused = stream.write_all(bytes).await.is_err();
        read_to_end(&mut stream).await
    }
}

async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut reply = Vec::new();
    let read = timeout(Duration::from_secs(30), stream.read_to_end(&mut reply)).await;
    // A reset after the reply is an end, too.
    let _reset = read.expect("the far end closes").is_err();
    String::from_utf8(reply).expect("text")
}

fn status_of(reply: &str) -> u16 {
    let status = reply.split(' ').nth(1).unwrap_or("0");
    status.parse().expect("a status line")
}

fn json(body: &str) -> Value {
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body}"))
}

fn answer(request: Request) {
    let gone = match request {
        Request::Snapshot { reply } => reply.send(snapshot()).is_err(),
        Request::Command { command, reply } => reply.send(commands::decide(&command)).is_err(),
    };
    assert!(!gone, "nobody waits for the answer");
}

fn snapshot() -> Snapshot {
    Snapshot {
        at: Moment::default(),
        points: vec![PointView {
            id: "CH4-101".into(),
            area: Some("tank-farm".into()),
            unit: "%LEL".into(),
            value: Some(31.5),
            quality: Quality::Good,
            reason: None,
            last_reading: Some(Wall::from_unix_nanos(1_777_875_151_000_000_000)),
            slope_per_min: Some(4.0),
            forecast: vec![(AlarmKind::HighHigh, 277.5)],
            group: Some(Box::new(GroupView {
                configured: 2,
                needed: 1,
                votes: 1,
                good: 2,
                channels: vec![ChannelView {
                    point: "GD-1".into(),
                    alarm: "GD-1/high".into(),
                    in_alarm: true,
                    quality: Quality::Bad,
                    reason: Some("sensor_failure"),
                }],
            })),
            held: None,
            stel: None,
            twa: None,
            counts: ReadingCounts::default(),
        }],
        alarms: vec![
            alarm(AlarmKind::High, AlarmState::Unacknowledged, 0),
            alarm(AlarmKind::Rise, AlarmState::Acknowledged, 0),
            alarm(AlarmKind::Low, AlarmState::Normal, 1),
            alarm(AlarmKind::Bad, AlarmState::Normal, 0),
        ],
        drills: vec![drills::view()],
        notices: Default::default(),
    }
}

fn alarm(kind: AlarmKind, state: AlarmState, older_unacknowledged: usize) -> AlarmView {
    AlarmView {
        alarm: format!("CH4-101/{}", kind.name()).into(),
        point: "CH4-101".into(),
        kind,
        area: Some("tank-farm".into()),
        unit: "%LEL".into(),
        priority: Priority::High,
        state,
        overlays: Overlays::default(),
        cover: None,
        occurrence: 4,
        value: Some(31.5),
        limit: Some(25.0),
        quality: Quality::Good,
        raised_at: Some(Wall::from_unix_nanos(1_777_875_151_000_000_000)),
        acknowledged: None,
        confirmed: None,
        unconfirmed: if kind == AlarmKind::Bad {
            vec![3, 4]
        } else {
            Vec::new()
        },
        acknowledged_until: None,
        first_out: false,
        peak: Some(33.0),
        chattering: false,
        learning: false,
        older_unacknowledged,
        exposure: None,
        notices: (kind == AlarmKind::High).then(|| {
            Box::new(NoticeView {
                told: vec![Told {
                    output: Some("chat".into()),
                    persons: vec!["li-wei".into()],
                }],
                steps: 1,
                next_step_at: Some(Wall::from_unix_nanos(1_777_875_211_000_000_000)),
                held: false,
                under: None,
            })
        }),
    }
}

fn words() -> Guidance {
    Guidance {
        kind: AlarmKind::High,
        priority: Priority::High,
        limit: Some(25.0),
        deadband: None,
        point: Arc::new(PointWords {
            id: "CH4-101".into(),
            name: "Methane, tank farm north".into(),
            area: Some("tank-farm".into()),
            area_name: Some("Tank farm north".into()),
            unit: "%LEL".into(),
            responsible: [].into(),
            measures: Measure::Other,
        }),
        words: Arc::new(AlarmWords {
            action: Some("Stop hot work, start fans".into()),
            plan: Some("plans/gas-release.md".into()),
            time_to_respond: Some(Duration::from_secs(300)),
            ..AlarmWords::default()
        }),
    }
}

/// Whoever is on call is responsible: Li Wei, always.
fn readers() -> Readers {
    let rota = Rota {
        begins: 0,
        every: Duration::from_secs(60),
        order: vec![vec!["li-wei".into()]],
        swaps: Vec::new(),
        offsets: Arc::default(),
    };
    let roles = Roles {
        responsible: vec![Holder::OnCall("farm".into())],
        ..Roles::default()
    };
    let settings = NotifySettings {
        areas: [("tank-farm".into(), roles)].into(),
        rotas: [("farm".into(), rota)].into(),
        ..NotifySettings::default()
    };
    let li_wei = Person {
        name: "Li Wei, shift lead".to_owned(),
        ..Person::default()
    };
    Readers {
        persons: Arc::new([("li-wei".to_owned(), li_wei)].into()),
        duties: Arc::new(Duties::from(&settings)),
        ..Readers::default()
    }
}

#[tokio::test]
async fn an_alarm_says_everything_the_person_at_night_needs() {
    let port = Port::open().await;
    let (status, body) = port.get("/api/v1/alarms/CH4-101/high").await;
    assert_eq!(status, 200);
    let expected = serde_json::json!({
        "alarm": "CH4-101/high", "point": "CH4-101", "kind": "high",
        "name": "Methane, tank farm north", "area": "tank-farm", "area_name": "Tank farm north",
        "unit": "%LEL", "priority": "high", "state": "unacknowledged", "overlays": [],
        "suppressed": null, "shelved": null, "out_of_service": null, "first_out": false,
        "occurrence": 4, "value": 31.5, "limit": 25.0, "quality": "good",
        "raised_at": "2026-05-04T06:12:31.000Z", "acknowledged": null, "confirmed": null, "unconfirmed": [], "peak": 33.0,
        "chattering": false, "learning": false, "older_unacknowledged": 0, "exposure": null, "action": "Stop hot work, start fans",
        "plan": "plans/gas-release.md", "cause": null, "consequence": null,
        "time_to_respond_s": 300.0, "responsible": ["Li Wei, shift lead, on call"],
        "notices": {
            "told": [{ "output": "chat", "persons": ["li-wei"] }],
            "steps": 1, "next_step_at": "2026-05-04T06:13:31.000Z", "held": false, "grouped_under": null,
        },
    });
    assert_eq!(json(&body), expected);
}

#[tokio::test]
async fn lists_and_their_filters() {
    let port = Port::open().await;
    for (query, expected) in [
        ("", 4),
        ("?state=all", 4),
        ("?state=active", 2),
        // The newest occurrence of `low` is over, an older one still waits for a person.
        ("?state=unacknowledged", 2),
        ("?state=unconfirmed", 1),
    ] {
        let (status, body) = port.get(&format!("/api/v1/alarms{query}")).await;
        assert_eq!(status, 200, "{query}");
        let listed = json(&body)["alarms"].as_array().map(Vec::len);
        assert_eq!(listed, Some(expected), "{query}");
    }
    let (status, body) = port.get("/api/v1/points").await;
    assert_eq!(status, 200);
    let point = &json(&body)["points"][0];
    assert_eq!(point["name"], "Methane, tank farm north");
    assert_eq!(point["forecast_s"]["high_high"], 277.5);
    let group = serde_json::json!({
        "vote": "2oo1", "votes": 1, "needed": 1, "good": 2,
        "channels": [{ "point": "GD-1", "alarm": "GD-1/high", "in_alarm": true,
            "quality": "bad", "reason": "sensor_failure" }],
    });
    assert_eq!(point["group"], group);
    let (status, body) = port.get("/api/v1/events?after=41").await;
    assert_eq!((status, body.as_str()), (200, r#"{"events":[],"next":41}"#));
    let (status, body) = port.get("/").await;
    assert!(status == 200 && body.contains("/api/v1/alarms"), "{body}");
}

#[tokio::test]
async fn inputs_name_the_last_message_that_was_refused() {
    let port = Port::open().await;
    let refusal = Refusal::new("plant/x", "yard-p1", Wall::from_unix_nanos(0));
    for _twice in 0..2 {
        port.metrics
            .last_refusal("plant", "unknown_point", refusal.clone());
    }
    let (status, body) = port.get("/api/v1/inputs").await;
    let expected = serde_json::json!([{
        "broker": "plant", "connected": null,
        "refused": [{ "reason": "unknown_point", "count": 2, "last": {
            "time": "1970-01-01T00:00:00.000Z", "topic": "plant/x", "detail": "yard-p1",
        } }],
    }]);
    assert_eq!((status, &json(&body)["inputs"]), (200, &expected));
}

#[tokio::test(start_paused = true)]
async fn a_stuck_engine_leaves_metrics_and_is_told() {
    let port = Port::with_engine(false).await;
    let (status, body) = port.get("/metrics").await;
    assert_eq!(status, 200);
    assert!(body.contains("forewarn_build_info") && !body.contains("forewarn_point_value"));
    let (status, refusal) = port.post(ACKNOWLEDGE, r#"{"by":"li-wei"}"#).await;
    assert_eq!((status, &refusal["error"]), (503, &"silent".into()));
    let (status, _) = port.get("/api/v1/alarms").await;
    assert_eq!(status, 503);
}

#[tokio::test]
async fn metrics_show_points() {
    let port = Port::open().await;
    let (status, body) = port.get("/metrics").await;
    assert_eq!(status, 200);
    assert!(
        body.contains(r#"point="CH4-101",unit="%LEL"} 31.5"#),
        "{body}"
    );
}

#[tokio::test]
async fn a_stop_ends_everything() {
    let mut port = Port::open().await;
    let mut idle = TcpStream::connect(port.address).await.expect("connected");
    let (status, _) = port.get("/healthz").await;
    assert_eq!(status, 200);
    port.stop.send(true).expect("the server listens");
    assert_eq!(read_to_end(&mut idle).await, "");
    let ended = timeout(Duration::from_secs(10), port.tasks.join_next()).await;
    ended.expect("in time").expect("a task").expect("no panic");
}
