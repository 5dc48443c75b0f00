//! A real Alertmanager on a free loopback port, and the receiver behind its webhooks.
//!
//! Everything waits with a deadline. Dropping kills the process by its id and removes its files.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{Json, State};
use axum::http::Uri;
use axum::routing::post;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::daemon::gateway::{DEADLINE, Folder};
use crate::interop::mosquitto::free_port;

/// Between two looks.
const LOOK: Duration = Duration::from_millis(20);

/// Tells at once, and looks for news every second.
pub(super) const AT_ONCE: &str = "group_wait: 0s, group_interval: 1s, repeat_interval: 1h";

/// An Alertmanager.
pub(super) struct Alertmanager {
    folder: Folder,
    port: u16,
    /// Where it talks to other members.
    gossip: u16,
    peers: Vec<u16>,
    child: Option<Child>,
}

impl Alertmanager {
    /// One that tells `hook` of everything, each alarm by itself.
    pub(super) async fn start(hook: &Hook) -> Self {
        let url = hook.url("all");
        let config = format!(
            "route: {{receiver: all, group_by: [site, alarm], {AT_ONCE}}}\n\
             receivers: [{{name: all, webhook_configs: [{{url: \"{url}\"}}]}}]\n"
        );
        Self::with(&config, &[]).await
    }

    /// One with this configuration, in a cluster with the members behind these gossip ports.
    pub(super) async fn with(config: &str, peers: &[u16]) -> Self {
        let folder = Folder::new();
        std::fs::write(folder.path().join("am.yml"), config).expect("our own folder");
        let mut server = Self {
            folder,
            port: free_port(),
            gossip: free_port(),
            peers: peers.to_vec(),
            child: None,
        };
        server.start_again().await;
        server
    }

    /// Starts it again on the same port and waits until it answers.
    pub(super) async fn start_again(&mut self) {
        assert!(self.child.is_none(), "it runs already");
        let log = File::create(self.folder.path().join("log")).expect("our own folder");
        let path = |name| self.folder.path().join(name).display().to_string();
        let mut command = Command::new("prometheus-alertmanager");
        command
            .arg(format!("--config.file={}", path("am.yml")))
            .arg(format!("--storage.path={}", path("data")))
            .arg(format!("--web.listen-address=127.0.0.1:{}", self.port))
            .arg(format!(
                "--cluster.listen-address=127.0.0.1:{}",
                self.gossip
            ))
            .arg("--cluster.settle-timeout=100ms")
            .args(
                self.peers
                    .iter()
                    .map(|port| format!("--cluster.peer=127.0.0.1:{port}")),
            )
            .stdout(Stdio::null())
            .stderr(log);
        let child = command.spawn();
        self.child = Some(
            child.expect("Alertmanager is installed (apt-get install prometheus-alertmanager)"),
        );
        let up = async {
            while self.ask("GET", "/-/ready", "").await.is_none() {
                sleep(LOOK).await;
            }
        };
        let log = || std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        assert!(
            timeout(DEADLINE, up).await.is_ok(),
            "it does not come up: {}",
            log()
        );
    }

    /// As a power cut: it forgets all alerts.
    pub(super) fn kill(&mut self) {
        let mut child = self.child.take().expect("it runs");
        child.kill().expect("our child");
        child.wait().expect("our child");
    }

    pub(super) fn gossip(&self) -> u16 {
        self.gossip
    }

    pub(super) fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// The answer's body; `None` when there is none, or it is no success.
    pub(super) async fn ask(&self, method: &str, path: &str, body: &str) -> Option<String> {
        let request = format!(
            "{method} {path} HTTP/1.0\r\nHost: alertmanager\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut stream = TcpStream::connect(self.address()).await.ok()?;
        stream.write_all(request.as_bytes()).await.ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        head.split(' ')
            .nth(1)?
            .starts_with('2')
            .then(|| body.to_owned())
    }

    async fn list(&self, path: &str) -> Vec<Value> {
        let body = self.ask("GET", path, "").await.unwrap_or_default();
        serde_json::from_str(&body).unwrap_or_default()
    }

    /// The alerts that stand.
    pub(super) async fn alerts(&self) -> Vec<Value> {
        self.list("/api/v2/alerts").await
    }

    /// The alarms whose alerts stand, in order.
    pub(super) async fn standing(&self) -> Vec<String> {
        let alerts = self.alerts().await;
        let name = |alert: &Value| alert["labels"]["alarm"].as_str().map(str::to_owned);
        let mut names: Vec<_> = alerts.iter().filter_map(name).collect();
        names.sort();
        names
    }

    /// The silences that silence.
    pub(super) async fn silences(&self) -> Vec<Value> {
        let mut silences = self.list("/api/v2/silences").await;
        silences.retain(|silence| silence["status"]["state"] == "active");
        silences
    }

    /// How many firing alerts it was sent since its start, each as often as it came.
    pub(super) async fn received(&self) -> f64 {
        let page = self.ask("GET", "/metrics", "").await.unwrap_or_default();
        let series = "alertmanager_alerts_received_total{status=\"firing\"";
        let counts = page.lines().filter(|line| line.starts_with(series));
        let count = |line: &str| line.rsplit(' ').next()?.parse::<f64>().ok();
        counts.filter_map(count).sum()
    }

    /// Waits until exactly these stand.
    pub(super) async fn stands(&self, expected: &[&str]) {
        let mut last = Vec::new();
        let waiting = async {
            loop {
                last = self.standing().await;
                if last == expected {
                    return;
                }
                sleep(LOOK).await;
            }
        };
        let done = timeout(DEADLINE, waiting).await.is_ok();
        assert!(done, "expected {expected:?}, there are {last:?}");
    }

    /// Is nobody told of this alert, for another one that stands?
    pub(super) async fn is_inhibited(&self, alarm: &str) -> bool {
        let alerts = self.alerts().await;
        let mut alerts = alerts.iter();
        let found = alerts.find(|alert| alert["labels"]["alarm"] == alarm);
        found.is_some_and(|alert| alert["status"]["state"] == "suppressed")
    }

    /// Waits until it is.
    pub(super) async fn inhibits(&self, alarm: &str) {
        let waiting = async {
            while !self.is_inhibited(alarm).await {
                sleep(LOOK).await;
            }
        };
        let done = timeout(DEADLINE, waiting).await.is_ok();
        assert!(done, "{alarm} is told: {:?}", self.alerts().await);
    }

    /// Waits until so many silences silence.
    pub(super) async fn has_silences(&self, count: usize) {
        let waiting = async {
            while self.silences().await.len() != count {
                sleep(LOOK).await;
            }
        };
        let done = timeout(DEADLINE, waiting).await.is_ok();
        assert!(
            done,
            "expected {count} silences, there are {:?}",
            self.silences().await
        );
    }
}

impl Drop for Alertmanager {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ended_already = child.kill().is_err();
            let _no_child = child.wait().is_err();
        }
    }
}

/// One alert of one notification.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Told {
    /// Last part of the address it came to.
    pub(super) receiver: String,
    pub(super) alarm: String,
    pub(super) firing: bool,
    pub(super) alert: Value,
}

/// Receives webhooks.
pub(super) struct Hook {
    address: SocketAddr,
    told: Arc<Mutex<Vec<Told>>>,
    _server: JoinSet<()>,
}

impl Hook {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .expect("a free port");
        let address = listener.local_addr().expect("bound");
        let told = Arc::new(Mutex::new(Vec::new()));
        let app = Router::new()
            .fallback(post(take))
            .with_state(Arc::clone(&told));
        let mut server = JoinSet::new();
        server.spawn(async move {
            axum::serve(listener, app).await.expect("it serves");
        });
        Self {
            address,
            told,
            _server: server,
        }
    }

    pub(super) fn url(&self, receiver: &str) -> String {
        format!("http://{}/{receiver}", self.address)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Told>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was told of this alarm: firing or resolved, in order.
    pub(super) fn told_of(&self, alarm: &str) -> Vec<bool> {
        let told = self.lock();
        let of = told.iter().filter(|told| told.alarm == alarm);
        of.map(|told| told.firing).collect()
    }

    pub(super) fn all(&self) -> Vec<Told> {
        self.lock().clone()
    }

    /// Waits until exactly this was told of the alarm.
    pub(super) async fn is_told(&self, alarm: &str, expected: &[bool]) {
        let waiting = async {
            while self.told_of(alarm) != expected {
                sleep(LOOK).await;
            }
        };
        let done = timeout(DEADLINE, waiting).await.is_ok();
        assert!(
            done,
            "of {alarm}, expected {expected:?}, told {:?}",
            self.told_of(alarm)
        );
    }
}

async fn take(State(told): State<Arc<Mutex<Vec<Told>>>>, uri: Uri, Json(body): Json<Value>) {
    let alerts = body["alerts"].as_array().into_iter().flatten();
    let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
    told.extend(alerts.map(|alert| {
        Told {
            receiver: uri.path().rsplit('/').next().unwrap_or_default().to_owned(),
            alarm: alert["labels"]["alarm"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            firing: alert["status"] == "firing",
            alert: alert.clone(),
        }
    }));
}

/// A file of the project.
pub(super) fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}
