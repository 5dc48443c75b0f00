//! What the service manager hears. `NOTIFY_SOCKET` is read from the environment, which a test must
//! not change while others run; so the words are spoken by this test binary as a child process.

use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use forewarn::systemd;

use super::daemon::gateway::forewarn;
use super::interop::bench::{Daemon, Scratch};

/// What the child says, in order, and what systemd reads.
const WORDS: [&str; 4] = [
    "READY=1\n",
    "WATCHDOG=1\n",
    "STATUS=watching 3 points\n",
    "STOPPING=1\n",
];

#[test]
fn the_service_manager_hears_every_word() {
    let path = std::env::temp_dir().join(format!("forewarn-notify-{}", std::process::id()));
    let manager = UnixDatagram::bind(&path).expect("a socket in the temporary folder");
    manager
        .set_read_timeout(Some(Duration::from_secs(10)))
        .expect("a deadline");
    let child = Command::new(std::env::current_exe().expect("this binary"))
        .args(["--exact", "systemd::child", "--ignored"])
        .env("NOTIFY_SOCKET", &path)
        .env("WATCHDOG_USEC", "10000000")
        .env_remove("WATCHDOG_PID")
        .stdout(Stdio::null())
        .status();
    std::fs::remove_file(&path).expect("the socket is ours");
    assert!(child.expect("the child runs").success());
    for expected in WORDS {
        let mut heard = [0; 128];
        let length = manager.recv(&mut heard).expect("a word in time");
        assert_eq!(String::from_utf8_lossy(&heard[..length]), expected);
    }
}

#[test]
#[ignore = "speaks to the socket of the test above, as its child process"]
fn child() {
    assert_eq!(systemd::watchdog_period(), Some(Duration::from_secs(5)));
    systemd::ready();
    systemd::watchdog();
    // Only the first line: the second one would be an order of its own.
    systemd::status("watching 3 points\nSTOPPING=1");
    systemd::stopping();
}

#[test]
fn without_a_service_manager_nothing_happens() {
    assert_eq!(std::env::var_os("NOTIFY_SOCKET"), None);
    systemd::ready();
    systemd::status("watching");
}

/// Where the real gateway is told to speak to, and what it has said there.
struct Manager {
    socket: UnixDatagram,
    path: std::path::PathBuf,
}

impl Manager {
    fn listen() -> Self {
        let path = std::env::temp_dir().join(format!("forewarn-manager-{}", std::process::id()));
        let socket = UnixDatagram::bind(&path).expect("a socket in the temporary folder");
        let limit = Some(Duration::from_secs(30));
        socket.set_read_timeout(limit).expect("a deadline");
        Self { socket, path }
    }

    /// Every word up to the `count`th `word`.
    fn hears(&self, word: &str, count: usize) -> Vec<String> {
        let mut heard = Vec::new();
        while heard.iter().filter(|said| *said == word).count() < count {
            let mut said = [0; 256];
            let length = self.socket.recv(&mut said);
            let length = length.unwrap_or_else(|error| panic!("{error} after {heard:?}"));
            heard.push(String::from_utf8_lossy(&said[..length]).into_owned());
        }
        heard
    }
}

impl Drop for Manager {
    fn drop(&mut self) {
        let _left_behind = std::fs::remove_file(&self.path).is_err();
    }
}

/// That the watchdog is not fed while a task is stuck is tested where tasks are watched:
/// `metrics::tests` (a heartbeat that is too old makes its task stuck). `Gateway::beat` feeds the
/// watchdog only when no task is.
#[tokio::test]
async fn the_real_gateway_says_when_it_watches_and_when_it_ends() {
    let manager = Manager::listen();
    // A device that is not there is no reason not to be ready.
    let config = "site = \"bench\"\n\
                  [device.gone]\nmodbus = \"tcp://127.0.0.1:1\"\n\
                  [point.P]\nregister = \"coil:0\"\n";
    let environment = [
        (
            "NOTIFY_SOCKET",
            manager.path.to_str().expect("a plain path"),
        ),
        ("WATCHDOG_USEC", "10000000"),
    ];
    let mut daemon = Daemon::with_environment(config, &environment).await;
    let before = manager.hears("READY=1\n", 1);
    assert_eq!(before, ["READY=1\n"], "nothing comes before it is ready");
    // Repeatedly: progress, not a greeting.
    let words = manager.hears("WATCHDOG=1\n", 3);
    assert!(
        !words.iter().any(|word| word == "STOPPING=1\n"),
        "{words:?}"
    );

    daemon.program.terminate();
    manager.hears("STOPPING=1\n", 1);
    assert_eq!(daemon.program.ended().await, Some(0));
}

/// The folder is in the environment, so this asks the real binary.
#[test]
fn a_password_may_be_a_credential() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = Scratch::new("credentials");
    let config = "site = \"bench\"\n\
                  [broker.b]\nurl = \"mqtt://127.0.0.1:1\"\nusername = \"u\"\npassword_file = \"pw\"\n\
                  [point.P]\ntopic = \"t\"\n";
    let config = scratch.write("forewarn.toml", config);
    let check = |credentials: Option<&Path>| {
        let mut command = forewarn();
        command.arg("check").arg("--config").arg(&config);
        command.env_remove("CREDENTIALS_DIRECTORY");
        if let Some(folder) = credentials {
            command.env("CREDENTIALS_DIRECTORY", folder);
        }
        let checked = command.output().expect("the gateway's binary runs");
        let words = String::from_utf8_lossy(&checked.stderr).into_owned();
        (checked.status.code(), words)
    };
    let (code, words) = check(None);
    assert_eq!(code, Some(78), "{words}");
    assert!(words.contains("cannot read"), "{words}");

    let folder = scratch.path("credentials");
    std::fs::create_dir(&folder).expect("a folder");
    let secret = folder.join("pw");
    std::fs::write(&secret, "hunter2").expect("a credential");
    // As systemd shows it: readable for the service by an access list.
    let mode = std::fs::Permissions::from_mode(0o440);
    std::fs::set_permissions(&secret, mode).expect("our own file");
    let (code, words) = check(Some(&folder));
    assert_eq!(code, Some(0), "{words}");

    // The same bits on a file that systemd does not guard.
    std::fs::copy(&secret, scratch.path("pw")).expect("copied with its mode");
    let (code, words) = check(None);
    assert!(words.contains("can be read by others"), "{code:?} {words}");
}
