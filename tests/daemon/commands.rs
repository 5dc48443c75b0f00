//! The commands of this machine on a gateway that runs, over its socket, and on the file it leaves.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;
use simulators::modbus::{Device, DeviceConfig};

use super::gateway::{Gateway, forewarn};

/// Runs the program and gives its exit code, its data and its words.
pub(super) async fn run(words: &[&str]) -> (i32, String, String) {
    let mut command = forewarn();
    command.args(words);
    let output: Output = tokio::task::spawn_blocking(move || command.output())
        .await
        .expect("no panic")
        .expect("the program is built");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("what we write is text");
    let code = output.status.code().expect("it ended by itself");
    (code, text(output.stdout), text(output.stderr))
}

/// The same for a command that must be good.
pub(super) async fn good(words: &[&str]) -> String {
    let (code, data, said) = run(words).await;
    assert_eq!(code, 0, "{words:?}: {data}{said}");
    data
}

pub(super) fn json(data: &str) -> Value {
    serde_json::from_str(data).expect("JSON")
}

async fn plant() -> (Gateway, Device) {
    let device = DeviceConfig::new((Ipv4Addr::LOCALHOST, 0).into())
        .point("input:0 float32 CDAB base=30")
        .expect("notation");
    let device = Device::start(device).await.expect("a free port");
    let gateway = Gateway::start(&format!(
        "[device.gd-01]\nmodbus = \"tcp://{}\"\npoll = \"100ms\"\n[area.farm]\n[person.li]\n\
         [point.CH4-101]\nname = \"Methane\"\narea = \"farm\"\ndevice = \"gd-01\"\nregister = \"input:0\"\n\
         type = \"float32\"\norder = \"CDAB\"\nunit = \"%LEL\"\nhigh = 25\ngood_confirm = \"0s\"\n\
         action = \"Stop hot work\"\n",
        device.address()
    ))
    .await;
    gateway.alarm_is("CH4-101/high", "unacknowledged").await;
    (gateway, device)
}

pub(super) fn socket(gateway: &Gateway) -> PathBuf {
    // The tests give the gateway the folder of its configuration as RUNTIME_DIRECTORY.
    gateway.config().with_file_name("forewarn.sock")
}

#[tokio::test]
async fn people_see_and_do_everything_over_the_socket() {
    let (gateway, _device) = plant().await;
    let socket = socket(&gateway);
    let at = socket.to_str().expect("a plain path");
    let alarms = |rest: &[&'static str]| {
        let mut words = vec!["alarms".to_owned(), "--socket".to_owned(), at.to_owned()];
        words.extend(rest.iter().map(|word| (*word).to_owned()));
        words
    };
    let run_alarms = async |rest: &[&'static str]| {
        let words = alarms(rest);
        run(&words.iter().map(String::as_str).collect::<Vec<_>>()).await
    };

    let (code, table, _) = run_alarms(&["list"]).await;
    let row = table.lines().find(|line| line.contains("CH4-101/high"));
    let row = row.unwrap_or_else(|| panic!("{table}"));
    assert!(
        code == 0 && row.contains("unacknowledged") && row.contains("30 %LEL"),
        "{row}"
    );

    let ack = [
        "ack",
        "CH4-101/high",
        "--as",
        "li",
        "--comment",
        "going there",
    ];
    let (code, said, _) = run_alarms(&ack).await;
    assert!(code == 0 && said.contains("done by li"), "{said}");
    let (code, said, _) = run_alarms(&["ack", "CH4-101/high", "--as", "wang"]).await;
    assert!(code == 0 && said.contains("li was first"), "{said}");
    let (_, shown, _) = run_alarms(&["show", "CH4-101/high", "--json"]).await;
    assert_eq!(json(&shown)["acknowledged"]["by"], "li");

    let shelve = [
        "shelve",
        "CH4-101/high",
        "--as",
        "li",
        "--for",
        "1h",
        "--reason",
        "exchange",
    ];
    let (code, said, _) = run_alarms(&shelve).await;
    assert_eq!(code, 0, "{said}");
    let (_, table, _) = run_alarms(&["list"]).await;
    assert!(table.contains("shelved (acknowledged)"), "{table}");
    let (code, said, _) = run_alarms(&["unshelve", "CH4-101/high", "--as", "li"]).await;
    assert_eq!(code, 0, "{said}");
    let out = [
        "out-of-service",
        "CH4-101/high",
        "--as",
        "li",
        "--for",
        "1h",
        "--permit",
        "P-1",
        "--approved-by",
        "wang",
    ];
    let (code, said, _) = run_alarms(&out).await;
    assert_eq!(code, 0, "{said}");
    let (code, said, _) = run_alarms(&["in-service", "CH4-101/high", "--as", "li"]).await;
    assert_eq!(code, 0, "{said}");

    let (code, _, said) = run_alarms(&["ack", "CH4-999/high", "--as", "li"]).await;
    assert!(code == 1 && said.contains("CH4-999/high"), "{said}");
    let (code, _, said) = run_alarms(&["reset", "CH4-101/high", "--as", "li"]).await;
    assert!(code == 1 && said.starts_with("error: "), "{said}");
    let (code, _, said) = run_alarms(&["ack", "CH4-101", "--as", "li"]).await;
    assert!(code == 2 && said.contains("POINT/KIND"), "{said}");

    let status = good(&["status", "--socket", at]).await;
    assert!(status.contains("points     1: 1 good"), "{status}");
    let status = json(&good(&["status", "--socket", at, "--json"]).await);
    assert_eq!(status["site"], "test-plant");
}

#[tokio::test]
async fn the_journal_is_read_followed_and_proved_from_outside() {
    let (mut gateway, _device) = plant().await;
    let socket = socket(&gateway);
    let at = socket.to_str().expect("a plain path");
    gateway
        .acknowledge("CH4-101/high", "li")
        .await
        .expect("an answer");
    let events = gateway.events().await;

    let exported = good(&["journal", "export", "--socket", at]).await;
    let exported: Vec<Value> = exported.lines().map(json).collect();
    assert_eq!(exported, events);
    let tail = good(&["journal", "tail", "--socket", at, "-n", "2", "--json"]).await;
    let tail: Vec<Value> = tail.lines().map(json).collect();
    assert_eq!(tail, events[events.len() - 2..]);
    let verified = good(&["journal", "verify", "--socket", at]).await;
    assert!(
        verified.starts_with(&format!("{} events, 1 to", events.len())),
        "{verified}"
    );

    let raised = events
        .iter()
        .find(|event| event["event"] == "raised" && event["alarm"] == "CH4-101/high");
    let id = raised
        .and_then(|event| event["id"].as_str())
        .expect("it was raised");
    let story = good(&["journal", "show", id, "--socket", at]).await;
    assert!(
        story.contains("acknowledged    CH4-101/high #1") && story.contains("by li"),
        "{story}"
    );
    let (code, _, said) = run(&["journal", "show", "test-plant:1:1", "--socket", at]).await;
    assert!(
        code == 1 && said.contains("there is no event test-plant:1:1"),
        "{said}"
    );
    let (code, _, _) = run(&["journal", "show", "nonsense", "--socket", at]).await;
    assert_eq!(code, 2);

    gateway.stop().await;
    assert!(!socket.exists(), "a socket without a gateway behind it");
    let (code, _, said) = run(&["status", "--socket", at]).await;
    assert!(code == 3 && said.contains(at), "{said}");

    let file = gateway.data().join("journal.db");
    let path = file.to_str().expect("a plain path");
    good(&["journal", "verify", "--file", path]).await;
    let raised = raised
        .and_then(|event| event["seq"].as_u64())
        .expect("it was raised");
    for (change, expected) in [
        (
            format!("UPDATE event SET line = replace(line, '30.0', '20.0') WHERE seq = {raised}"),
            format!("event {raised} or the one before it was altered"),
        ),
        (
            format!("DELETE FROM event WHERE seq = {raised}"),
            format!("event {raised} is missing"),
        ),
    ] {
        alter(&file, &change);
        let (code, _, said) = run(&["journal", "verify", "--file", path]).await;
        assert!(code == 1 && said.contains(&expected), "{said}");
    }
}

fn alter(file: &Path, change: &str) {
    let database = rusqlite::Connection::open(file).expect("the gateway is gone");
    let rows = database.execute(change, []).expect("good SQL");
    assert_eq!(rows, 1, "{change}");
}

#[tokio::test]
async fn an_export_that_fails_leaves_no_half_file() {
    let (gateway, _device) = plant().await;
    let socket = socket(&gateway);
    let at = socket.to_str().expect("a plain path");
    let out = gateway.config().with_file_name("events.jsonl");
    let path = out.to_str().expect("a plain path");
    good(&["journal", "export", "--socket", at, "--out", path]).await;
    let written = std::fs::read_to_string(&out).expect("it is there");
    assert!(written.lines().count() > 1);
    std::fs::remove_file(&out).expect("ours");
    let broken = gateway.config().with_file_name("broken.db");
    std::fs::write(&broken, "no database").expect("our own folder");
    let broken = broken.to_str().expect("a plain path");
    let (code, _, said) = run(&["journal", "export", "--file", broken, "--out", path]).await;
    assert!(code == 1 && said.contains(broken), "{said}");
    assert!(!out.exists() && !out.with_extension("jsonl.part").exists());
}
