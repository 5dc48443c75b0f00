//! Whoever is on call stands in the retained states, and whoever comes next after them.

use std::sync::Arc;
use std::time::Duration;

use forewarn::engine::alarm::AlarmState;
use forewarn::notify::rota::Rota;
use forewarn::notify::settings::{Holder, NotifySettings, Roles};
use forewarn::wording::{Duties, Readers};
use tokio::time::{sleep, timeout};

use super::scripted::Scripted;
use super::{DEADLINE, Gateway, folder, target};

/// In turn, a second each.
const PERSONS: [&str; 2] = ["li-wei", "anna-berg"];

fn readers() -> Readers {
    let rota = Rota {
        begins: 0,
        every: Duration::from_secs(1),
        order: PERSONS.map(|person| vec![person.into()]).into(),
        swaps: Vec::new(),
        offsets: Arc::default(),
    };
    let roles = Roles {
        responsible: vec![Holder::OnCall("farm".into())],
        ..Roles::default()
    };
    let duties = Duties::from(&NotifySettings {
        areas: [("farm".into(), roles)].into(),
        rotas: [("farm".into(), rota)].into(),
        ..NotifySettings::default()
    });
    Readers {
        duties: Arc::new(duties),
        ..Readers::default()
    }
}

#[tokio::test]
async fn the_next_shift_is_named_although_nothing_happens() {
    let broker = Scripted::start().await;
    let gateway = Gateway::begin_for(readers(), folder(), target(broker.port()), 64 << 20);
    gateway.commit("A", 1, AlarmState::Unacknowledged);
    gateway.delivered(1).await;
    for alarm in ["A", "B"] {
        let topic = format!("forewarn/v1/plant/alarm/{alarm}/high");
        let named = |person: &str| {
            let on_call = format!("{person}, on call");
            let script = broker.script();
            let mut states = script.retained.iter().filter(|(found, _)| *found == topic);
            states.any(|(_, state)| state["responsible"] == serde_json::json!([on_call]))
        };
        let both = async {
            while !PERSONS.into_iter().all(named) {
                sleep(Duration::from_millis(20)).await;
            }
        };
        let both = timeout(DEADLINE, both).await.is_ok();
        assert!(both, "{alarm}: {:?}", broker.script().retained);
    }
    assert_eq!(broker.script().state("A"), Some("unacknowledged"));
    assert_eq!(broker.script().seqs(), [1]);
    gateway.stop().await;
}
