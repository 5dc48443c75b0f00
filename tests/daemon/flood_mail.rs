//! A plant whose alarms all come within seconds, over the real binary and a real relay: whoever is on call reads a few
//! summaries that tell of every one, what a full box does not take is owed, and nothing grows with the flood.
//!
//! `FOREWARN_FLOOD_ALARMS=10000 cargo test --test integration daemon::flood_mail -- --nocapture` for the long run with its
//! numbers; 500 is the default.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write as _;
use std::time::Duration;

use serde_json::Value;
use simulators::mqtt::Payload;
use simulators::mqtt::load::{self, LoadConfig};
use tokio::time::{Instant, timeout};

use super::gateway::{DEADLINE, Gateway, address, from_environment};
use super::ledger::standing;
use crate::interop::bench::{Scratch, within};
use crate::interop::email::Relay;
use crate::interop::mosquitto::Mosquitto;

const LI: &str = "li.wei@plant.test";
const ANNA: &str = "anna@plant.test";
/// One summary each, and not of another's alarms.
const AREAS: u64 = 4;
/// An area is summed up so often at most, seconds.
const GROUP_EVERY: u64 = 2;
/// Mails that are no summary of an area: the gateway's own alarms.
const OTHERS: u64 = 8;
/// Readings of a point, so that one that is lost on the way is no missing alarm.
const ROUNDS: u64 = 3;
const RATE: f64 = 2000.0;

fn configuration(points: u64, broker: u16, relay: u16) -> String {
    let mut text = format!(
        "[broker.plant]\nurl = \"mqtt://127.0.0.1:{broker}\"\n\
         [person.li-wei]\nname = \"Li Wei\"\nemail = \"{LI}\"\n\
         [person.anna]\nname = \"Anna Berg\"\nemail = \"{ANNA}\"\n\
         [escalation.high]\nsteps = [{{ after = \"0s\", to = [\"responsible\"] }}]\ngroup_every = \"{GROUP_EVERY}s\"\n\
         [output.mail]\nemail = \"smtp://127.0.0.1:{relay}\"\nfrom = \"forewarn@plant.test\"\n"
    );
    for area in 0..AREAS {
        let lines = format!("[area.a{area}]\nresponsible = [\"li-wei\", \"anna\"]\n");
        text.push_str(&lines);
    }
    for point in 0..points {
        write!(
            text,
            "[point.P-{point}]\narea = \"a{}\"\ntopic = \"load/{point}\"\naction = \"look\"\nvalue = \"/value\"\nhigh = 60\n\
             good_confirm = \"0s\"\n[point.P-{point}.alarm.high]\non_delay = \"0s\"\n",
            point % AREAS
        )
        .expect("a string takes all");
    }
    text
}

async fn flood(broker: &Mosquitto, points: u64) {
    let seconds = (points * ROUNDS) as f64 / RATE;
    let load = LoadConfig {
        broker: address(broker).into(),
        client_id: "load".to_owned(),
        sensors: u32::try_from(points).expect("some thousands"),
        rate: RATE,
        duration: Duration::from_secs_f64(seconds),
        waveform: "base=100 noise=1".parse().expect("notation"),
        stagger: Duration::ZERO,
        payload: Payload::Template(LoadConfig::PAYLOAD.to_owned()),
        at_least_once: true,
        limit: None,
    };
    let within = Duration::from_secs_f64(seconds) + DEADLINE;
    let report = timeout(within, load::run(load, &Default::default())).await;
    let report = report.expect("the broker takes it all");
    assert_eq!(report.published, report.acknowledged);
}

/// Ids of the alarms of the plant in these events.
fn alarms<'e>(events: impl Iterator<Item = &'e Value>) -> BTreeSet<&'e str> {
    let named = events.flat_map(|event| {
        let several = event["alarms"].as_array().into_iter().flatten();
        several.chain([&event["alarm"]]).filter_map(Value::as_str)
    });
    named.filter(|alarm| alarm.starts_with("P-")).collect()
}

#[tokio::test]
async fn a_flood_of_alarms_is_few_mails_and_none_is_untold() {
    let points = from_environment("FOREWARN_FLOOD_ALARMS", 500);
    let scratch = Scratch::new("flood");
    let full = scratch.write("full", ANNA);
    let relay = Relay::start(&["--full", full.to_str().expect("a plain path")]).await;
    let broker = Mosquitto::start("max_queued_messages 50000").await;
    let mut gateway = Gateway::start(&configuration(points, broker.port(), relay.port)).await;
    let idle = gateway.resident();
    let began = Instant::now();
    flood(&broker, points).await;

    // Each alarm is told of, and the output is through with whatever tells of one.
    let mut events = Vec::new();
    within(DEADLINE * 2, "every alarm is told of", async || {
        events = gateway.events().await;
        let kind = |kind: &'static str| events.iter().filter(move |it| it["event"] == kind);
        let (raised, told) = (alarms(kind("raised")), alarms(kind("notified")));
        let waiting = gateway
            .metric("forewarn_output_queue_events{output=\"mail\"}")
            .await;
        if raised.len() as u64 == points && told == raised && waiting < 0.5 {
            return Ok(());
        }
        let (raised, told) = (raised.len(), told.len());
        Err(format!(
            "{raised} of {points} raised, {told} told, {waiting} waiting"
        ))
    })
    .await;
    let mails = relay.mails();
    let took = began.elapsed();

    // Li has all of it, in few mails, however slow the machine is; and the ledger says of each notice that Anna is owed it.
    let told = events.iter().filter(|it| it["event"] == "notified");
    let of_plant = |it: &&Value| !alarms(std::iter::once(*it)).is_empty();
    let notices: Vec<&Value> = told.filter(of_plant).collect();
    assert!(mails.iter().all(|mail| mail["to"][0] == LI), "{mails:?}");
    // The first alarm of an area comes at once.
    let summaries = AREAS * (took.as_secs() / GROUP_EVERY + 2);
    assert!(
        mails.len() as u64 <= summaries + OTHERS,
        "{} mails in {took:?}",
        mails.len()
    );
    for notice in &notices {
        let path = format!("/api/v1/journal/{}", notice["seq"]);
        let account = gateway.get(&path).await.json();
        let mail = standing(&account["outputs"], "mail");
        assert_eq!(mail["state"], "aside", "{mail}");
        assert_eq!(mail["owed_to"], serde_json::json!(["anna"]), "{mail}");
        assert!(mail.get("missed_by").is_none(), "{mail}");
    }
    let grown = gateway.resident().saturating_sub(idle) / 1024;
    assert!(grown < 64 * 1024, "{grown} kB more than before");

    let told = writeln!(
        std::io::stderr(),
        "{points} alarms, {} events, {} notices: {} mails to Li; through after {took:?}, {grown} kB grown",
        events.len(),
        notices.len(),
        mails.len()
    );
    assert!(told.is_ok());
    assert_eq!(gateway.stop().await.code(), Some(0));
}
