//! Notices by mail to a real relay (aiosmtpd): over TLS with an authority of the plant, to readers in two
//! languages, with a relay that puts readers off and drops what it has taken.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::process::Command;

use serde_json::Value;
use simulators::modbus::{Device, DeviceConfig};

use super::bench::{DEADLINE, Daemon, Program, Scratch, project, within};
use super::certificates::Certificates;

/// The relay, from `tests/interop/smtp_server.py`.
pub(crate) struct Relay {
    program: Program,
    pub(crate) port: u16,
    _scratch: Scratch,
}

impl Relay {
    pub(crate) async fn start(arguments: &[&str]) -> Self {
        let scratch = Scratch::new("smtp");
        let mut command = Command::new(project("tests/.venv/bin/python"));
        command
            .arg(project("tests/interop/smtp_server.py"))
            .args(arguments);
        let mut program = Program::start(&mut command, scratch.path("relay"));
        let port = program.says("{\"port\": ").await;
        Self {
            program,
            port: port.trim_end_matches('}').parse().expect("a port"),
            _scratch: scratch,
        }
    }

    /// What it took, in order.
    pub(crate) fn mails(&self) -> Vec<Value> {
        let said = self.program.said();
        let lines = said
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok());
        lines
            .filter_map(|line: Value| line.get("mail").cloned())
            .collect()
    }

    /// Numbers in the journal of what each reader got, in order, repetitions included: of live notices, and
    /// of those that came late, which go after them.
    fn got(&self) -> BTreeMap<String, [Vec<u64>; 2]> {
        let mut got: BTreeMap<String, [Vec<u64>; 2]> = BTreeMap::new();
        for mail in self.mails() {
            let head = |name: &str| mail["head"][name].as_str().expect("a head").to_owned();
            let subject = head("Subject");
            let late = subject.starts_with("DELAYED") || subject.starts_with("延迟");
            let id = head("X-Forewarn-Event");
            let seq = id.rsplit('.').next().and_then(|seq| seq.parse().ok());
            let to = mail["to"][0].as_str().expect("a reader").to_owned();
            got.entry(to).or_default()[usize::from(late)].push(seq.expect("a number"));
        }
        got
    }
}

const PLANT: &str = "\
    [escalation.high]\n\
    steps = [{ after = \"0s\", to = [\"responsible\"] }, { after = \"1s\", to = [\"output:mail\"] }]\n\
    remind_every = \"1s\"\nhold_open = \"0s\"\n\
    [person.li-wei]\nname = \"李伟\"\nemail = \"li.wei@plant.test\"\nlanguage = \"zh\"\n\
    [person.anna]\nname = \"Anna Berg\"\nemail = \"anna@plant.test\"\n\
    [person.gone]\nemail = \"refused@plant.test\"\n\
    [area.pit]\nname = \"Pit\"\nresponsible = [\"li-wei\", \"anna\", \"gone\"]\n\
    [point.LT-1]\nname = \"Level of the pit\"\ndevice = \"gd-01\"\nregister = \"input:0\"\ntype = \"float32\"\n\
    order = \"CDAB\"\narea = \"pit\"\naction = \"stop the pump\"\nhigh = 25\ngood_confirm = \"0s\"\n\
    unit = \"m\"\n[point.LT-1.alarm.high]\non_delay = \"0s\"\noff_delay = \"0s\"\n";

/// A plant whose level is beyond its limit, and the gateway that says so by mail.
async fn plant(mail: &str) -> (Device, Daemon) {
    let device = DeviceConfig::new((Ipv4Addr::LOCALHOST, 0).into())
        .point("input:0 float32 CDAB base=30")
        .expect("notation");
    let device = Device::start(device).await.expect("a free port");
    let text = format!(
        "site = \"bench\"\ntimezone = \"+08:00\"\n[device.gd-01]\nmodbus = \"tcp://{}\"\npoll = \"100ms\"\n\
         [output.mail]\nfrom = \"forewarn@plant.test\"\nto = [\"room@plant.test\"]\n{mail}\n{PLANT}",
        device.address()
    );
    let daemon = Daemon::start(&text).await;
    (device, daemon)
}

/// The notices of the journal that a mail must tell of, by number.
async fn notices(daemon: &Daemon) -> Vec<Value> {
    let events = daemon.get("/api/v1/events?after=0").await;
    let events: Value = serde_json::from_str(&events).expect("JSON");
    let events = events["events"].as_array().expect("a list");
    let told = |event: &&Value| {
        event["alarm"] == "LT-1/high"
            && (event["event"] == "notified" || event["event"] == "all_clear")
    };
    events.iter().filter(told).cloned().collect()
}

fn numbers(notices: &[Value], over_output: bool) -> Vec<u64> {
    let mine = notices.iter().filter(|event| {
        (event["output"] == "mail") == over_output || event["event"] == "all_clear"
    });
    mine.map(|event| event["seq"].as_u64().expect("a number"))
        .collect()
}

/// Without repetitions.
fn once(got: &[u64]) -> Vec<u64> {
    let mut seen = Vec::new();
    for seq in got {
        if !seen.contains(seq) {
            seen.push(*seq);
        }
    }
    seen
}

#[tokio::test]
async fn every_notice_reaches_every_reader_of_a_moody_relay_in_order() {
    let certificates = Certificates::make();
    let [certificate, key, ca] =
        ["broker.pem", "broker.key", "ca.pem"].map(|name| certificates.path(name));
    let (certificate, key) = (certificate.display().to_string(), key.display().to_string());
    let relay = Relay::start(&["--moody", "starttls", &certificate, &key]).await;
    let mail = format!(
        "email = \"smtp://127.0.0.1:{}\"\nca_file = \"{}\"",
        relay.port,
        ca.display()
    );
    let (device, daemon) = plant(&mail).await;
    let readers = [
        ("li.wei@plant.test", false),
        ("anna@plant.test", false),
        ("room@plant.test", true),
    ];
    within(
        DEADLINE,
        "each reader has the first eight notices",
        async || {
            let (expected, got) = (notices(&daemon).await, relay.got());
            let mut lacking = Vec::new();
            for (reader, over_output) in readers {
                let first = numbers(&expected, over_output).into_iter().take(8);
                let mine = got
                    .get(reader)
                    .map(|lanes| lanes.concat())
                    .unwrap_or_default();
                lacking.extend(
                    first
                        .filter(|seq| !mine.contains(seq))
                        .map(|seq| (reader, seq)),
                );
            }
            if lacking.is_empty() && numbers(&expected, true).len() >= 8 {
                return Ok(());
            }
            Err(format!("{lacking:?} lacking in {got:?}"))
        },
    )
    .await;
    let got = relay.got();
    assert!(!got.contains_key("refused@plant.test"), "{got:?}");
    // What is late goes stretch by stretch, the newest first; what is live never overtakes.
    for [live, _late] in got.values() {
        assert!(once(live).is_sorted(), "{live:?}");
    }
    for mail in relay.mails() {
        assert_eq!(mail["encrypted"], true);
        assert_eq!(mail["ascii"], true, "it needs no 8BITMIME");
    }
    drop(daemon);
    device.stop().await;
}

#[tokio::test]
async fn a_reader_reads_a_mail_in_their_language_in_one_thread_over_smtps() {
    let certificates = Certificates::make();
    let [certificate, key, ca] =
        ["broker.pem", "broker.key", "ca.pem"].map(|name| certificates.path(name));
    let (certificate, key) = (certificate.display().to_string(), key.display().to_string());
    let secret = Scratch::new("smtp-login");
    let password = secret.write("password", "correct horse\n");
    let mode = Command::new("chmod").arg("600").arg(&password).status();
    assert!(mode.expect("chmod runs").success());
    let login = ["--login", "forewarn", "correct horse", "smtps"];
    let relay = Relay::start(&[&login[..], &[&certificate, &key]].concat()).await;
    let mail = format!(
        "email = \"smtps://127.0.0.1:{}\"\nca_file = \"{}\"\nusername = \"forewarn\"\npassword_file = \"{}\"",
        relay.port,
        ca.display(),
        password.display()
    );
    let (device, daemon) = plant(&mail).await;
    within(DEADLINE, "a page and a reminder for two", async || {
        let mails = relay.mails();
        if mails.len() >= 6 {
            Ok(())
        } else {
            Err(mails.len().to_string())
        }
    })
    .await;
    let mails = relay.mails();
    let to = |reader: &str| {
        let mine = mails.iter().filter(|mail| mail["to"][0] == reader);
        mine.collect::<Vec<_>>()
    };
    let (chinese, english) = (to("li.wei@plant.test"), to("anna@plant.test"));
    assert_eq!(
        chinese[0]["head"]["Subject"],
        "高优先级报警：LT-1 Level of the pit，高限报警，30 m"
    );
    assert_eq!(
        english[0]["head"]["Subject"],
        "High priority alarm: LT-1 Level of the pit, high limit, 30 m"
    );
    let body = chinese[0]["body"].as_str().expect("a text");
    assert!(body.contains("处置措施：stop the pump"), "{body}");
    assert!(body.contains("位置：Pit，bench"), "{body}");
    let head =
        |mail: &Value, name: &str| mail["head"][name].as_str().unwrap_or_default().to_owned();
    let thread = head(english[0], "References");
    assert_eq!(thread, "<bench.LT-1=2Fhigh.1@plant.test>");
    for mail in english.iter().chain(&chinese) {
        assert_eq!(mail["authenticated"], true);
        assert_eq!(head(mail, "References"), thread);
        assert_eq!(head(mail, "In-Reply-To"), thread);
        assert_eq!(head(mail, "Auto-Submitted"), "auto-generated");
    }
    assert!(english.len() > 1, "{mails:?}");
    assert_ne!(
        head(english[0], "Message-ID"),
        head(english[1], "Message-ID")
    );
    drop(daemon);
    device.stop().await;
}

/// Another authority, or none: nothing is sent, and the status point says so.
#[tokio::test]
async fn a_relay_that_cannot_prove_itself_gets_nothing() {
    let certificates = Certificates::make();
    let [certificate, key, other] =
        ["broker.pem", "broker.key", "other.pem"].map(|name| certificates.path(name));
    let (certificate, key) = (certificate.display().to_string(), key.display().to_string());
    let relay = Relay::start(&["starttls", &certificate, &key]).await;
    let mail = format!(
        "email = \"smtp://127.0.0.1:{}\"\nca_file = \"{}\"",
        relay.port,
        other.display()
    );
    let (device, daemon) = plant(&mail).await;
    within(DEADLINE, "a failure is counted", async || {
        let metrics = daemon.get("/metrics").await;
        let failed = metrics.lines().any(|line| {
            line.starts_with("forewarn_output_failures_total")
                && line.contains("output=\"mail\"")
                && line.contains("reason=\"tls\"")
                && !line.ends_with(" 0")
        });
        if failed { Ok(()) } else { Err(metrics) }
    })
    .await;
    assert!(relay.mails().is_empty());
    drop(daemon);
    device.stop().await;
}
