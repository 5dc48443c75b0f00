//! What the program refuses to do, and how it says so.

use std::process::{Command, Output};

use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::gateway::{DEADLINE, Folder, Gateway, forewarn};

/// Runs it to its end, which has to come by itself.
async fn run(mut command: Command) -> (Option<i32>, String) {
    let ended = spawn_blocking(move || command.output());
    let ended = timeout(DEADLINE, ended).await;
    let Output { status, stderr, .. } =
        ended.expect("in time").expect("joined").expect("it starts");
    (status.code(), String::from_utf8_lossy(&stderr).into_owned())
}

#[tokio::test]
async fn wrong_configuration_exits_78() {
    let folder = Folder::new();
    folder.configure("[device.gd-01]\nmodbus = \"udp://127.0.0.1\"\n\n[point.A]\nregister = \"input:0\"\nhihg = 5\n");
    let mut command = forewarn();
    command.arg("run").arg("--config").arg(folder.config());
    command.arg("--data").arg(folder.path());
    let (code, stderr) = run(command).await;
    assert_eq!(code, Some(78), "{stderr}");
    let file = folder.config();
    for place in [":7:10", ":11:1"] {
        assert!(
            stderr.contains(&format!("{}{place}", file.display())),
            "{place} in {stderr}"
        );
    }
    assert!(stderr.contains("did you mean `high`?"), "{stderr}");
    assert!(
        !folder.path().join("journal.db").exists(),
        "nothing is begun"
    );
}

#[tokio::test]
async fn two_gateways_on_one_journal_are_refused() {
    let mut first = Gateway::start("").await;
    let mut command = forewarn();
    command.arg("run").arg("--config").arg(first.config());
    command.arg("--data").arg(first.data());
    let (code, stderr) = run(command).await;
    assert_eq!(code, Some(1), "{stderr}");
    let message = stderr.lines().find(|line| line.starts_with("error: "));
    let message = message.unwrap_or_else(|| panic!("no error in {stderr}"));
    assert!(message.contains("journal.db"), "which one: {message}");
    let by = format!("in use by the gateway with process id {}", first.pid());
    assert!(message.contains(&by), "by whom: {message}");
    first.ready().await;
    assert_eq!(first.stop().await.code(), Some(0));
}

#[tokio::test]
async fn an_unknown_flag_exits_2() {
    let mut command = forewarn();
    command.args(["run", "--confg", "x"]);
    let (code, stderr) = run(command).await;
    assert_eq!(code, Some(2));
    assert!(stderr.contains("--config"), "{stderr}");
}
