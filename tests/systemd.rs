//! What the service manager hears. `NOTIFY_SOCKET` is read from the environment, which a test must
//! not change while others run; so the words are spoken by this test binary as a child process.

use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::time::Duration;

use forewarn::systemd;

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
