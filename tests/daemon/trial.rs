//! `forewarn notify test` over brokers: every server of a list is asked, and what each answers is told.

use std::net::{Ipv4Addr, TcpListener};

use super::commands::{json, run};
use super::gateway::Folder;
use crate::interop::certificates::Certificates;
use crate::interop::mosquitto::{Mosquitto, free_port};

/// Runs it for `servers`, a TOML value; exit code, and its JSON.
async fn tried(servers: &str) -> (i32, serde_json::Value) {
    let folder = Folder::new();
    folder.configure(&format!("[output.up]\nmqtt = {servers}\n"));
    let config = folder.config();
    let config = config.to_str().expect("a plain path");
    let (code, data, _) = run(&["notify", "test", "up", "--json", "--config", config]).await;
    (code, json(&data))
}

#[tokio::test]
async fn every_server_of_a_broker_is_asked_and_one_that_takes_it_is_enough() {
    let broker = Mosquitto::start("").await;
    // Takes the connection, and says nothing.
    let mute = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let mute_port = mute.local_addr().expect("it is bound").port();
    let (good, nobody) = (broker.port(), 1);
    let (code, told) = tried(&format!("\"mqtt://127.0.0.1:{good}\"")).await;
    assert_eq!(
        (code, &told["answer"]),
        (0, &"acknowledged (PUBACK)".into()),
        "{told}"
    );

    let list = format!("[\"mqtt://127.0.0.1:{nobody}\", \"mqtt://127.0.0.1:{good}\"]");
    let (code, told) = tried(&list).await;
    let answer = told["answer"].as_str().expect("text");
    assert!(code == 0 && told["accepted"] == true, "{told}");
    assert!(
        answer.contains(&format!("127.0.0.1:{good}: acknowledged (PUBACK)")),
        "{answer}"
    );
    assert!(answer.starts_with("127.0.0.1:1: network: "), "{answer}");
    let sent = format!("at 127.0.0.1:1, 127.0.0.1:{good}");
    assert!(
        told["sent"]
            .as_str()
            .is_some_and(|text| text.ends_with(&sent)),
        "{told}"
    );

    let list = format!("[\"mqtt://127.0.0.1:{mute_port}\", \"mqtt://127.0.0.1:{nobody}\"]");
    let (code, told) = tried(&list).await;
    let answer = told["answer"].as_str().expect("text");
    assert!(code == 1 && told["accepted"] == false, "{told}");
    assert!(
        answer.contains(&format!("127.0.0.1:{mute_port}: ")) && answer.contains("; 127.0.0.1:1: "),
        "{answer}"
    );
}

#[tokio::test]
async fn verified_is_only_what_was() {
    let certificates = Certificates::make();
    let port = free_port();
    let _broker = Mosquitto::start(&certificates.listener(port)).await;
    for (authority, code) in [("ca.pem", 0), ("other.pem", 1)] {
        let path = certificates.path(authority);
        let tls = format!("ca_file = \"{}\"", path.display());
        let (ended, told) = tried(&format!("\"mqtts://127.0.0.1:{port}\"\n{tls}")).await;
        let verified = format!("verified with the authority in {}", path.display());
        let verified = (code == 0).then_some(verified.as_str());
        assert_eq!((ended, told["tls"].as_str()), (code, verified), "{told}");
    }
}
