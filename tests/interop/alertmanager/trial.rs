//! What `forewarn notify test` does over this output.

use std::collections::BTreeMap;
use std::time::Duration;

use forewarn::output::alertmanager::{AlertmanagerTarget, trial};
use forewarn::output::http_client::{ClientSettings, Url};

use super::server::{Alertmanager, Hook};
use crate::interop::mosquitto::{DEADLINE, free_port};

#[tokio::test]
async fn each_member_is_asked_and_its_answer_told() {
    let hook = Hook::start().await;
    let alertmanager = Alertmanager::start(&hook).await;
    let (there, nobody) = (alertmanager.address(), free_port());
    let member = |address: String| ClientSettings {
        url: Url::parse(&address, false).expect("an address"),
        timeout: DEADLINE,
        ..ClientSettings::default()
    };
    let target = AlertmanagerTarget {
        members: vec![
            member(format!("http://{there}")),
            member(format!("http://127.0.0.1:{nobody}")),
            member(format!("http://{there}/wrong-prefix")),
        ],
        authorization: None,
        refresh: Duration::from_secs(30),
        min_notify: Duration::from_secs(60),
        labels: BTreeMap::from([("team".to_owned(), "north".to_owned())]),
        silence_acknowledged: false,
        silence_shelved: false,
        drills: false,
        page_url: None,
        pair: None,
    };
    let trials = trial(&target, "test-plant").await;
    let taken: Vec<bool> = trials.iter().map(|trial| trial.taken).collect();
    assert_eq!(taken, [true, false, false], "{trials:?}");
    assert!(trials[0].words.starts_with("HTTP 200"), "{trials:?}");
    assert!(trials[1].words.contains("refused"), "{trials:?}");
    assert!(trials[2].words.starts_with("HTTP 404"), "{trials:?}");
    hook.is_told("forewarn/test", &[true]).await;
    let told = &hook.all()[0].alert;
    for (label, value) in [
        ("alertname", "ForewarnTest"),
        ("test", "true"),
        ("team", "north"),
        ("site", "test-plant"),
    ] {
        assert_eq!(told["labels"][label], value, "{label}");
    }
}
