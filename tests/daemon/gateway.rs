//! The gateway as a process of its own, in a folder of its own.
//!
//! It listens on a port that the system chooses at each start, read from its log. Everything waits
//! with a deadline; dropping kills the process by its id and removes the folder.

use std::fs::{self, File};
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::Value;
use simulators::upstream::{Receiver, ReceiverConfig};
use tokio::time::{sleep, timeout};

use super::http::{self, Answer};
use crate::interop::mosquitto::Mosquitto;
pub(crate) use crate::interop::mosquitto::{BUSY, DEADLINE};

/// The gateway promises to end within this; all of it is used up by an output whose far end is silent, say.
const STOPS_WITHIN: Duration = Duration::from_secs(5);

/// Between two looks.
const LOOK: Duration = Duration::from_millis(20);

/// The site of every test.
pub(crate) const SITE: &str = "test-plant";

/// A folder that is gone afterwards.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("forewarn-daemon-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).expect("a writable temporary folder");
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Writes the configuration: `lines` after site and HTTP.
    pub(crate) fn configure(&self, lines: &str) {
        let text = format!("site = \"{SITE}\"\n\n[http]\nlisten = \"127.0.0.1:0\"\n\n{lines}");
        fs::write(self.config(), text).expect("our own folder");
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.0.join("forewarn.toml")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _left_behind = fs::remove_dir_all(&self.0).is_err();
    }
}

/// The program under test. The environment has no say in its configuration, and the variables of
/// these tests are none that it knows.
pub(crate) fn forewarn() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_forewarn"));
    let ours = |name: &str| name.starts_with("FOREWARN_");
    for (name, _) in std::env::vars().filter(|(name, _)| ours(name)) {
        command.env_remove(name);
    }
    command
}

/// A gateway.
pub(crate) struct Gateway {
    folder: Folder,
    data: PathBuf,
    child: Option<Child>,
    http: SocketAddr,
    starts: u32,
}

impl Gateway {
    /// Starts it on `lines` of configuration and waits until it is ready.
    pub(crate) async fn start(lines: &str) -> Self {
        let folder = Folder::new();
        let data = folder.path().join("data");
        fs::create_dir(&data).expect("our own folder");
        Self::start_in(folder, data, lines).await
    }

    /// The same with a data folder elsewhere.
    pub(crate) async fn start_in(folder: Folder, data: PathBuf, lines: &str) -> Self {
        folder.configure(lines);
        let mut gateway = Self {
            folder,
            data,
            child: None,
            http: (Ipv4Addr::LOCALHOST, 0).into(),
            starts: 0,
        };
        gateway.start_again().await;
        gateway
    }

    /// Another configuration, from the next start on.
    pub(crate) fn configure(&self, lines: &str) {
        self.folder.configure(lines);
    }

    /// Starts it on the same folders and waits until every source has been heard.
    pub(crate) async fn start_again(&mut self) {
        self.launch().await;
        self.ready().await;
    }

    /// Starts it and waits until HTTP is served.
    pub(crate) async fn launch(&mut self) {
        assert!(self.child.is_none(), "it runs already");
        self.starts += 1;
        let log = File::create(self.log_file()).expect("our own folder");
        let mut command = forewarn();
        command.arg("run").arg("--config").arg(self.folder.config());
        command.arg("--data").arg(&self.data).stderr(log);
        // Where a temporary journal would be.
        command.env("RUNTIME_DIRECTORY", self.folder.path());
        self.child = Some(command.spawn().expect("the program is built"));
        self.until("it serves HTTP", async |gateway| {
            let child = gateway.child.as_mut().expect("just started");
            let ended = child.try_wait().expect("our child");
            assert!(ended.is_none(), "it ended: {}", gateway.log());
            let log = gateway.log();
            let line = log.lines().find(|line| line.contains("watching http="));
            let address = line.and_then(|line| line.rsplit_once("http=")?.1.parse().ok());
            address.inspect(|address| gateway.http = *address).is_some()
        })
        .await;
    }

    pub(crate) async fn ready(&mut self) {
        self.until("it is ready", async |gateway| {
            let answer = gateway.try_get("/readyz").await;
            answer.is_some_and(|answer| answer.status == 200)
        })
        .await;
    }

    /// Looks until `condition` holds; fails with the log when it never does or the process is gone.
    async fn until(&mut self, what: &str, mut condition: impl AsyncFnMut(&mut Self) -> bool) {
        let looking = async {
            while !condition(self).await {
                sleep(LOOK).await;
            }
        };
        let done = timeout(DEADLINE, looking).await.is_ok();
        assert!(done, "not in time: {what}\n{}", self.log());
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join(format!("log-{}", self.starts))
    }

    /// What it wrote to standard error since its last start.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.folder.config()
    }

    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.as_ref().expect("it runs").id()
    }

    /// Resident memory, bytes.
    pub(crate) fn resident(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("it runs");
        let line = status.lines().find(|line| line.starts_with("VmRSS:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
        kilobytes.expect("the kernel says so") * 1024
    }

    /// SIGKILL: as a power cut.
    pub(crate) fn kill(&mut self) {
        let mut child = self.child.take().expect("it runs");
        child.kill().expect("our child");
        child.wait().expect("our child");
    }

    /// SIGSTOP, or SIGCONT.
    pub(crate) fn pause(&self, pause: bool) {
        let signal = if pause { "-STOP" } else { "-CONT" };
        let sent = Command::new("kill")
            .args([signal, &self.pid().to_string()])
            .status();
        assert!(sent.expect("kill runs").success());
    }

    /// SIGTERM; fails when it has not ended within the five seconds it promises, [`BUSY`] aside.
    pub(crate) async fn stop(&mut self) -> ExitStatus {
        let pid = self.pid().to_string();
        let asked = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(asked.expect("kill runs").success());
        let mut child = self.child.take().expect("it runs");
        let ended = timeout(STOPS_WITHIN + BUSY, async {
            loop {
                match child.try_wait().expect("our child") {
                    Some(status) => return status,
                    None => sleep(LOOK).await,
                }
            }
        })
        .await;
        if ended.is_err() {
            child.kill().expect("our child");
            child.wait().expect("our child");
        }
        assert!(ended.is_ok(), "still there after SIGTERM\n{}", self.log());
        ended.expect("just looked at")
    }

    pub(crate) async fn try_get(&self, path: &str) -> Option<Answer> {
        http::ask(self.http, "GET", path, "").await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        let answer = self.try_get(path).await;
        assert!(answer.is_some(), "no answer to GET {path}\n{}", self.log());
        answer.expect("just looked at")
    }

    /// Presses the button of a page that has one.
    pub(crate) async fn post(&self, path: &str) -> Answer {
        let answer = http::ask(self.http, "POST", path, "").await;
        assert!(answer.is_some(), "no answer to POST {path}\n{}", self.log());
        answer.expect("just looked at")
    }

    /// Acknowledges the newest occurrence of an alarm.
    pub(crate) async fn acknowledge(&self, alarm: &str, by: &str) -> Option<Answer> {
        let body = format!(r#"{{"by":"{by}"}}"#);
        self.command(&format!("{alarm}/acknowledge"), &body).await
    }

    /// Gives a command: an alarm and what is to be done to it, as in the path.
    pub(crate) async fn command(&self, command: &str, body: &str) -> Option<Answer> {
        let path = format!("/api/v1/alarms/{command}");
        http::ask(self.http, "POST", &path, body).await
    }

    /// Asks until the answer satisfies `condition`, and gives it.
    pub(crate) async fn wait_for(
        &self,
        path: &str,
        what: &str,
        condition: impl Fn(&Value) -> bool,
    ) -> Value {
        let mut last = Value::Null;
        let looking = async {
            loop {
                last = self.get(path).await.json();
                if condition(&last) {
                    return;
                }
                sleep(LOOK).await;
            }
        };
        let done = timeout(DEADLINE, looking).await.is_ok();
        assert!(done, "not in time: {what}; last: {last}\n{}", self.log());
        last
    }

    /// Waits until an alarm is in a state.
    pub(crate) async fn alarm_is(&self, alarm: &str, state: &str) -> Value {
        let path = format!("/api/v1/alarms/{alarm}");
        let what = format!("{alarm} is {state}");
        self.wait_for(&path, &what, |found| found["state"] == state)
            .await
    }

    /// Waits until a point satisfies `condition`.
    pub(crate) async fn point_is(
        &self,
        point: &str,
        what: &str,
        condition: impl Fn(&Value) -> bool,
    ) -> Value {
        let what = format!("{point} {what}");
        let points = self
            .wait_for("/api/v1/points", &what, |points| {
                find(points, point).is_some_and(&condition)
            })
            .await;
        find(&points, point).cloned().expect("it was there")
    }

    /// All events of the journal.
    pub(crate) async fn events(&self) -> Vec<Value> {
        let (mut events, mut after) = (Vec::new(), 0);
        loop {
            let path = format!("/api/v1/events?after={after}&limit=1000");
            let page = self.get(&path).await.json();
            let found = page["events"].as_array().expect("events");
            if found.is_empty() {
                return events;
            }
            events.extend(found.iter().cloned());
            after = page["next"].as_u64().expect("where to go on");
        }
    }

    /// The value of a series of `/metrics`, written as there: `name{label="value"}`; 0 without it.
    pub(crate) async fn metric(&self, series: &str) -> f64 {
        let page = self.get("/metrics").await.body;
        let value = page
            .lines()
            .find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        value.map_or(0.0, |value| value.parse().expect("a number"))
    }

    /// Waits until a series satisfies `condition`.
    pub(crate) async fn metric_is(&self, series: &str, condition: impl Fn(f64) -> bool) {
        let looking = async {
            while !condition(self.metric(series).await) {
                sleep(LOOK).await;
            }
        };
        let done = timeout(DEADLINE, looking).await.is_ok();
        let last = self.metric(series).await;
        assert!(done, "{series} stays at {last}\n{}", self.log());
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            if std::thread::panicking() {
                let _nobody = write!(std::io::stderr(), "{}", self.log()).is_err();
            }
            let _ended_already = child.kill().is_err();
            let _no_child = child.wait().is_err();
        }
    }
}

/// A point in the list of points.
pub(crate) fn find<'a>(points: &'a Value, point: &str) -> Option<&'a Value> {
    let mut points = points["points"].as_array()?.iter();
    points.find(|found| found["point"] == point)
}

/// A control room behind `broker` that misses nothing from now on.
pub(crate) async fn control_room(broker: &Mosquitto) -> Receiver {
    let receiver = Receiver::start(ReceiverConfig::new(address(broker).into(), SITE));
    assert!(
        receiver.subscribed(DEADLINE).await,
        "{:?}",
        receiver.trouble()
    );
    receiver
}

pub(crate) fn address(broker: &Mosquitto) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, broker.port()).into()
}

/// A number from the environment, for the long runs.
pub(crate) fn from_environment(variable: &str, default: u64) -> u64 {
    let set = std::env::var(variable).ok();
    set.map_or(default, |text| text.parse().expect("a whole number"))
}

/// Past the capture of the test's output, so that nobody takes it for a pass, and into the list that
/// `tests/run` shows at its end.
pub(crate) fn skipped(why: &str) {
    let _nobody = writeln!(std::io::stderr(), "SKIPPED {why}").is_err();
    if let Some(list) = std::env::var_os("TESTS_SKIPPED") {
        let list = std::fs::OpenOptions::new().append(true).open(list);
        writeln!(list.expect("a file of tests/run"), "{why}").expect("written");
    }
}
