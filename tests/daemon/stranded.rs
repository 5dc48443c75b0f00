//! What an output left that is not configured any more, as people see it.

use serde_json::{Value, json};

use super::commands::{good, socket};
use super::gateway::Gateway;

const AWAY: &str =
    "[output.away]\nwebhook = \"http://127.0.0.1:1/x\"\ntemplate = \"json\"\ntimeout = \"1s\"\n";

/// What `forewarn status` says of it, for programs and for people.
async fn stranded(gateway: &Gateway) -> (Value, Vec<String>) {
    let socket = socket(gateway);
    let at = socket.to_str().expect("a plain path");
    let status = super::commands::json(&good(&["status", "--json", "--socket", at]).await);
    let screen = good(&["status", "--socket", at]).await;
    let lines = screen.lines().filter(|line| line.starts_with("stranded"));
    (
        status["stranded"].clone(),
        lines.map(str::to_owned).collect(),
    )
}

#[tokio::test]
async fn status_names_what_an_output_that_is_gone_has_not_delivered() {
    let mut gateway = Gateway::start(AWAY).await;
    assert_eq!(stranded(&gateway).await, (json!([]), vec![]), "it is there");
    gateway.stop().await;
    gateway.configure("");
    gateway.start_again().await;
    let (told, lines) = stranded(&gateway).await;
    let [left] = &**told.as_array().expect("the disk says") else {
        panic!("one: {told}");
    };
    // It could have had what the run before it recorded: that it started and stopped.
    assert_eq!((&left["id"], &left["events"]), (&json!("away"), &json!(2)));
    let text = |key: &str| left[key].as_str().expect("known").to_owned();
    let (since, until) = (text("since"), text("kept_until"));
    assert!(since < until, "{left}");
    let words = format!("stranded   away: 2 events since {since} not delivered, kept until ");
    let [line] = &lines[..] else {
        panic!("one: {lines:?}");
    };
    assert!(
        line.starts_with(&words) && line.contains("[output.away]"),
        "{line}"
    );
    gateway.stop().await;
    gateway.configure(AWAY);
    gateway.start_again().await;
    assert_eq!(stranded(&gateway).await.0, json!([]), "it goes on");
}
