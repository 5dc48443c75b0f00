//! What tests of whole programs need: children that end, a folder that is gone afterwards, HTTP, and
//! waiting with a deadline.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::daemon::gateway::forewarn;
pub(crate) use crate::interop::mosquitto::{DEADLINE, free_port};

/// A folder that is gone when the test is.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new(name: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = format!("forewarn-{name}-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        fs::create_dir_all(&folder).expect("a temporary folder");
        Self(folder)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(crate) fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).expect("a temporary file");
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Left behind, it does no harm.
        let _left_behind = fs::remove_dir_all(&self.0).is_err();
    }
}

/// A running program; killed by its own process id when dropped. Both outputs go into one file.
pub(crate) struct Program {
    child: Child,
    output: PathBuf,
}

impl Program {
    pub(crate) fn start(command: &mut Command, output: PathBuf) -> Self {
        let file = File::create(&output).expect("a file for what it says");
        let errors = file.try_clone().expect("a second handle");
        let child = command
            .stdin(Stdio::null())
            .stdout(file)
            .stderr(errors)
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?} (see tests/setup): {error}"));
        Self { child, output }
    }

    /// All it has said so far.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(&self.output).expect("its file")
    }

    /// As a power cut.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("it was running");
        self.child.wait().expect("it has ended");
    }

    /// Asks it to end, as the service manager does.
    pub(crate) fn terminate(&self) {
        self.signal("-TERM");
    }

    /// Asks it to end, as Ctrl-C does.
    pub(crate) fn interrupt(&self) {
        self.signal("-INT");
    }

    fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        let asked = Command::new("kill").args([signal, &id]).status();
        assert!(asked.expect("kill runs").success());
    }

    /// The exit code, once it has ended.
    pub(crate) async fn ended(&mut self) -> Option<i32> {
        let what = "the program ends";
        let status = within(DEADLINE, what, async || {
            self.child.try_wait().expect("our child").ok_or("running")
        });
        status.await.code()
    }

    /// Waits until a line holds `mark`; what stands behind it on that line. Panics when it ended.
    pub(crate) async fn says(&mut self, mark: &str) -> String {
        within(DEADLINE, mark, async || {
            let said = self.said();
            let found = said.lines().find_map(|line| Some(line.split_once(mark)?.1));
            // A line that is not complete yet has no line feed.
            match found {
                Some(rest) if said.contains(&format!("{mark}{rest}\n")) => Ok(rest.to_owned()),
                Some(_) | None => {
                    let ended = self.child.try_wait().expect("our child");
                    assert_eq!(ended, None, "{said}");
                    Err(said)
                }
            }
        })
        .await
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ended_already = self.child.kill().is_err();
        let _no_child = self.child.wait().is_err();
    }
}

/// The gateway's real binary on its own configuration and data; HTTP on a free port.
pub(crate) struct Daemon {
    pub(crate) program: Program,
    pub(crate) http: SocketAddr,
    _scratch: Scratch,
}

impl Daemon {
    /// Starts it on `config`, which has no `[http]`, and waits until it watches.
    pub(crate) async fn start(config: &str) -> Self {
        Self::with_environment(config, &[]).await
    }

    pub(crate) async fn with_environment(config: &str, environment: &[(&str, &str)]) -> Self {
        let scratch = Scratch::new("gateway");
        let config = format!("{config}\n[http]\nlisten = \"127.0.0.1:0\"\n");
        let config = scratch.write("forewarn.toml", &config);
        let mut command = forewarn();
        command
            .arg("run")
            .arg("--config")
            .arg(config)
            .arg("--data")
            .arg(scratch.path("data"))
            .env_remove("NOTIFY_SOCKET")
            .envs(environment.iter().copied());
        let mut program = Program::start(&mut command, scratch.path("log"));
        let http = program.says("watching http=").await;
        Self {
            http: http.trim().parse().expect("an address"),
            program,
            _scratch: scratch,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> String {
        get(self.http, path).await.expect("the gateway answers")
    }
}

/// Asks again until the answer is `Ok`, or panics with what it was waiting for and the last answer.
pub(crate) async fn within<T, E: std::fmt::Display>(
    limit: Duration,
    what: &str,
    mut ask: impl AsyncFnMut() -> Result<T, E>,
) -> T {
    let deadline = Instant::now() + limit;
    loop {
        match ask().await {
            Ok(answer) => return answer,
            Err(problem) if Instant::now() >= deadline => {
                panic!("waited {limit:?} for: {what}; last: {problem}")
            }
            Err(_) => sleep(Duration::from_millis(50)).await,
        }
    }
}

/// The body of an answer with status 200. HTTP/1.0, so that it comes in one piece.
/// On a thread of its own: a simulated plant may live on the one that asks.
pub(crate) async fn get(from: SocketAddr, path: &str) -> Result<String, String> {
    let path = path.to_owned();
    let exchanged = tokio::task::spawn_blocking(move || exchange(from, &path)).await;
    let reply = exchanged
        .expect("no panic")
        .map_err(|error| error.to_string())?;
    let (head, body) = reply.split_once("\r\n\r\n").ok_or("no answer")?;
    match head.split(' ').nth(1) {
        Some("200") => Ok(body.to_owned()),
        Some(_) | None => Err(reply),
    }
}

fn exchange(from: SocketAddr, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&from, Duration::from_secs(5))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {from}\r\n\r\n")?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply)?;
    Ok(reply)
}

/// A file of the project.
pub(crate) fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}
