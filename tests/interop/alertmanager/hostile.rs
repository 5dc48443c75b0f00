//! A far end that is no good Alertmanager: wrong clock, refusals, nonsense, silence.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::{device, plant, put};
use crate::daemon::gateway::{DEADLINE, Gateway};

/// How the far end behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    /// Takes everything; its clock shows another time.
    InAnotherTime,
    /// Refuses each post with CH4-102 in it.
    Picky,
    /// Says that it is broken.
    Broken,
    /// Answers what is no list.
    Babbling,
    /// Takes the request and never answers.
    Mute,
    /// Takes everything.
    Good,
}

/// A scripted far end.
struct Hostile {
    address: SocketAddr,
    mood: Arc<Mutex<Mood>>,
    taken: Arc<Mutex<Vec<Value>>>,
    _server: JoinSet<()>,
}

type Shared = (Arc<Mutex<Mood>>, Arc<Mutex<Vec<Value>>>);

impl Hostile {
    async fn start(mood: Mood) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .expect("a free port");
        let address = listener.local_addr().expect("bound");
        let shared: Shared = (Arc::new(Mutex::new(mood)), Arc::default());
        let app = Router::new().fallback(answer).with_state(shared.clone());
        let mut server = JoinSet::new();
        server.spawn(async move {
            axum::serve(listener, app).await.expect("it serves");
        });
        let (mood, taken) = shared;
        Self {
            address,
            mood,
            taken,
            _server: server,
        }
    }

    fn becomes(&self, mood: Mood) {
        *self.mood.lock().unwrap_or_else(PoisonError::into_inner) = mood;
    }

    /// The newest that was taken of this alarm.
    fn newest(&self, alarm: &str) -> Option<Value> {
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let mut of = taken
            .iter()
            .rev()
            .filter(|alert| alert["labels"]["alarm"] == alarm);
        of.next().cloned()
    }

    async fn takes(&self, alarm: &str, condition: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let newest = self.newest(alarm);
            if let Some(newest) = newest.as_ref().filter(|newest| condition(newest)) {
                return newest.clone();
            }
            assert!(Instant::now() < deadline, "of {alarm}: {newest:?}");
            sleep(Duration::from_millis(20)).await;
        }
    }

    fn output(&self) -> String {
        format!(
            "alertmanager = \"http://{}\"\nmin_notify = \"0s\"\ntimeout = \"1s\"\n",
            self.address
        )
    }
}

async fn answer(State((mood, taken)): State<Shared>, method: Method, body: Bytes) -> Response {
    let mood = *mood.lock().unwrap_or_else(PoisonError::into_inner);
    match mood {
        Mood::Broken => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Mood::Mute => return std::future::pending().await,
        Mood::Babbling if method == Method::GET => return "<html>".into_response(),
        Mood::Picky if String::from_utf8_lossy(&body).contains("CH4-102/high") => {
            return (StatusCode::BAD_REQUEST, "\"invalid label set\"").into_response();
        }
        Mood::InAnotherTime | Mood::Picky | Mood::Babbling | Mood::Good => {}
    }
    if method == Method::GET {
        return "[]".into_response();
    }
    let alerts: Vec<Value> = serde_json::from_slice(&body).unwrap_or_default();
    taken
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .extend(alerts);
    if mood == Mood::InAnotherTime {
        return ([("date", "Tue, 01 Jan 2030 00:00:00 GMT")], "").into_response();
    }
    "".into_response()
}

#[tokio::test]
async fn times_are_those_of_the_clock_that_compares_them() {
    let hostile = Hostile::start(Mood::InAnotherTime).await;
    let device = device(1).await;
    let gateway = Gateway::start(&plant(&device, &hostile.output(), &[("CH4-101", "")])).await;
    put(&device, 0, 30);
    let there = |alert: &Value, key: &str, time: &str| {
        alert[key].as_str().is_some_and(|at| at.starts_with(time))
    };
    let alert = hostile
        .takes("CH4-101/high", |alert| {
            there(alert, "endsAt", "2030-01-02T00:00:")
        })
        .await;
    assert!(
        alert["startsAt"].as_str() < Some("2030-01-01T00:01"),
        "{alert}"
    );
    assert!(
        !there(&alert["annotations"], "raised_at", "2030"),
        "people read the gateway's time: {alert}"
    );
    put(&device, 0, 3);
    let over = hostile
        .takes("CH4-101/high", |alert| {
            there(alert, "endsAt", "2030-01-01T00:0")
        })
        .await;
    assert!(
        over["startsAt"].as_str() < over["endsAt"].as_str(),
        "{over}"
    );
    drop(gateway);
}

#[tokio::test]
async fn a_refused_alert_is_named_and_counted_and_the_others_arrive() {
    let hostile = Hostile::start(Mood::Picky).await;
    let device = device(3).await;
    let points = [("CH4-101", ""), ("CH4-102", ""), ("CH4-103", "")];
    let gateway = Gateway::start(&plant(&device, &hostile.output(), &points)).await;
    for register in 0..3 {
        put(&device, register, 30);
    }
    hostile.takes("CH4-101/high", |_| true).await;
    hostile.takes("CH4-103/high", |_| true).await;
    let refused = "forewarn_alertmanager_refused_alerts{output=\"pager\"}";
    gateway
        .metric_is(refused, |count| (count - 1.0).abs() < 0.5)
        .await;
    let log = gateway.log();
    let named =
        |line: &str| line.contains("alarm=\"CH4-102/high\"") && line.contains("invalid label set");
    assert!(log.lines().any(named), "{log}");
    gateway
        .alarm_is("gateway.output.pager/state", "unacknowledged")
        .await;
    hostile.takes("gateway.output.pager/state", |_| true).await;
}

#[tokio::test]
async fn whatever_it_answers_the_alarms_arrive_when_it_is_good_again() {
    let hostile = Hostile::start(Mood::Broken).await;
    let device = device(1).await;
    let gateway = Gateway::start(&plant(&device, &hostile.output(), &[("CH4-101", "")])).await;
    put(&device, 0, 30);
    let failures =
        |reason| format!("forewarn_output_failures_total{{output=\"pager\",reason=\"{reason}\"}}");
    gateway
        .metric_is(&failures("unavailable"), |count| count > 0.5)
        .await;
    hostile.becomes(Mood::Mute);
    gateway
        .metric_is(&failures("timeout"), |count| count > 0.5)
        .await;
    gateway
        .alarm_is("gateway.output.pager/state", "unacknowledged")
        .await;
    hostile.becomes(Mood::Babbling);
    hostile.takes("CH4-101/high", |_| true).await;
    gateway
        .metric_is(&failures("protocol"), |count| count > 0.5)
        .await;
    hostile.becomes(Mood::Good);
    gateway
        .alarm_is("gateway.output.pager/state", "returned_unacknowledged")
        .await;
}
