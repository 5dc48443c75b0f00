//! `forewarn notify test` over brokers and mail: every server of a list is asked, the relay for every person, and
//! what each answers is told.

use std::net::{Ipv4Addr, TcpListener};

use super::commands::{json, run};
use super::gateway::Folder;
use crate::interop::certificates::Certificates;
use crate::interop::email::Relay;
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

/// The persons of a plant are told by mail, and nobody is to be woken by a test but who is asked to look.
#[tokio::test]
async fn mail_is_tried_up_to_the_message_or_with_one_person() {
    let relay = Relay::start(&[]).await;
    let folder = Folder::new();
    let plant = |second: &str| {
        folder.configure(&format!(
            "[output.mail]\nemail = \"smtp://127.0.0.1:{}\"\nfrom = \"forewarn@plant.test\"\n\
             [person.li]\nemail = \"li@plant.test\"\n[person.anna]\n{second}\n",
            relay.port
        ));
    };
    let config = folder.config();
    let config = config.to_str().expect("a plain path");
    let test = ["notify", "test", "mail", "--json", "--config", config];
    plant("email = \"refused@plant.test\"");
    let (code, data, _) = run(&test).await;
    let told = json(&data);
    let answer = told["answer"].as_str().expect("text");
    assert_eq!((code, &told["accepted"]), (1, &false.into()), "{told}");
    assert!(answer.contains("li@plant.test: 250 "), "{told}");
    assert!(answer.contains("refused@plant.test: RCPT TO: "), "{told}");

    plant("");
    let (code, data, _) = run(&test).await;
    let sent = json(&data)["sent"].to_string();
    assert!(code == 0 && sent.contains("nothing: "), "{data}");
    assert_eq!(relay.mails(), [serde_json::Value::Null; 0]);

    let (code, data, _) = run(&[&test[..], &["--to", "li"]].concat()).await;
    assert_eq!(code, 0, "{data}");
    let to: Vec<_> = relay
        .mails()
        .iter()
        .map(|mail| mail["to"][0].clone())
        .collect();
    assert_eq!(to, ["li@plant.test"]);
    for (nobody, words) in [("anna", "has no `email`"), ("wang", "there are anna, li")] {
        let (code, _, said) = run(&[&test[..], &["--to", nobody]].concat()).await;
        assert!(code == 2 && said.contains(words), "{said}");
    }
}
