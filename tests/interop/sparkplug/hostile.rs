//! Brokers of the test's own that take what they are given and do not keep to the rules.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use forewarn::sparkplug::{Limits, Payload, Topic};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::interop::bench::{DEADLINE, Daemon, within};
use crate::interop::mqtt_packet::packet;

/// What a broker does that it must not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Malice {
    /// It never answers what events wait for.
    Deaf,
    /// It refuses subscriptions.
    Closed,
    /// It grants the second topic at QoS 0: the host's state.
    Grudging,
    /// It sends commands that are none, one behind the other.
    Babbling,
}

impl Malice {
    /// What a SUBACK says of the topics of a SUBSCRIBE.
    fn grants(self, mut topics: &[u8]) -> Vec<u8> {
        let mut codes = Vec::new();
        while let [high, low, rest @ ..] = topics {
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            topics = &rest[length + 1..];
            codes.push(match self {
                Self::Closed => 0x80,
                Self::Grudging if codes.len() == 1 => 0,
                Self::Deaf | Self::Babbling | Self::Grudging => 1,
            });
        }
        codes
    }
}

/// Topic and payload.
type Heard = (String, Vec<u8>);

struct Broker {
    port: u16,
    /// Every message that it was given.
    heard: Arc<Mutex<Vec<Heard>>>,
    _task: JoinSet<()>,
}

impl Broker {
    async fn start(malice: Malice) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (mut task, shared) = (JoinSet::new(), Arc::clone(&heard));
        task.spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.expect("accepts");
                serve(stream, malice, &shared).await;
            }
        });
        Self {
            port,
            heard,
            _task: task,
        }
    }

    /// How many messages of a kind came.
    fn count(&self, kind: &str) -> usize {
        let heard = self.heard.lock().expect("no holder panics");
        let kinds = heard.iter().filter_map(|(topic, payload)| {
            Payload::from_bytes(payload, Limits::default()).expect("a payload");
            Some(Topic::parse(topic)?.kind.name())
        });
        kinds.filter(|known| *known == kind).count()
    }
}

async fn serve(mut stream: TcpStream, malice: Malice, heard: &Mutex<Vec<(String, Vec<u8>)>>) {
    let mut input = Vec::new();
    while stream.read_buf(&mut input).await.is_ok_and(|read| read > 0) {
        let mut output = Vec::new();
        while let Some((kind, body)) = packet(&mut input) {
            match kind >> 4 {
                1 => output.extend([0x20, 2, 0, 0]),
                3 => {
                    let length = usize::from(u16::from_be_bytes([body[0], body[1]]));
                    let (topic, payload) = body[2..].split_at(length);
                    let topic = String::from_utf8(topic.to_vec()).expect("a topic");
                    let mut heard = heard.lock().expect("no holder panics");
                    heard.push((topic, payload.to_vec()));
                }
                8 => {
                    let codes = malice.grants(&body[2..]);
                    let length = u8::try_from(2 + codes.len()).expect("a few topics");
                    output.extend([0x90, length, body[0], body[1]]);
                    output.extend(codes);
                    if malice == Malice::Babbling {
                        output.extend(babble());
                    }
                }
                10 if malice != Malice::Deaf => output.extend([0xb0, 2, body[0], body[1]]),
                10 => {}
                12 => output.extend([0xd0, 0]),
                _ => return,
            }
        }
        if stream.write_all(&output).await.is_err() {
            return;
        }
    }
}

/// Commands that no host would send: nothing, noise, and thousands of empty metrics.
fn babble() -> Vec<u8> {
    let topic = b"spBv1.0/forewarn/NCMD/north-plant";
    let many = [0x12, 0].repeat(8000);
    let noise: [&[u8]; 4] = [b"", b"\xff\xff\xff", &[0x12; 900], &many];
    let mut babble = Vec::new();
    for payload in noise.iter().cycle().take(40) {
        let length = 2 + topic.len() + payload.len();
        let low = u8::try_from(length & 0x7f).expect("seven bits") | 0x80;
        let middle = u8::try_from((length >> 7) & 0x7f).expect("seven bits") | 0x80;
        let high = u8::try_from(length >> 14).expect("they are short");
        babble.extend([0x30, low, middle, high, 0, 33]);
        babble.extend(topic);
        babble.extend(*payload);
    }
    babble
}

async fn gateway(broker: &Broker) -> Daemon {
    gateway_with(broker, "").await
}

/// With more lines for its output.
async fn gateway_with(broker: &Broker, more: &str) -> Daemon {
    let port = broker.port;
    Daemon::start(&format!(
        "site = \"north-plant\"\n\
         [output.scada]\nsparkplug = \"mqtt://127.0.0.1:{port}\"\nack_timeout = \"1s\"\n{more}"
    ))
    .await
}

/// Waits until a series of the output has reached a number.
async fn until_metric(daemon: &Daemon, series: &str, least: f64) {
    within(DEADLINE, series, async || {
        let page = daemon.get("/metrics").await;
        let line = page.lines().find_map(|line| line.strip_prefix(series));
        let value = line.and_then(|value| value.trim().parse::<f64>().ok());
        let reached = value.is_some_and(|value| value >= least);
        if reached { Ok(()) } else { Err(page) }
    })
    .await;
}

#[tokio::test]
async fn events_without_a_receipt_are_not_delivered() {
    let broker = Broker::start(Malice::Deaf).await;
    let daemon = gateway(&broker).await;
    let lost = "forewarn_output_failures_total{output=\"scada\",reason=\"no_receipt\"}";
    until_metric(&daemon, lost, 2.0).await;
    // Without any receipt no event is even sent.
    assert!(broker.count("NBIRTH") >= 2);
    assert_eq!(broker.count("NDATA"), 0);
    let page = daemon.get("/metrics").await;
    assert!(
        page.contains("forewarn_output_delivered_total{output=\"scada\"} 0\n"),
        "{page}"
    );
}

#[tokio::test]
async fn who_may_not_hear_commands_is_not_born() {
    let broker = Broker::start(Malice::Closed).await;
    let daemon = gateway(&broker).await;
    let refused = "forewarn_output_failures_total{output=\"scada\",reason=\"refused\"}";
    until_metric(&daemon, refused, 2.0).await;
    assert_eq!(broker.count("NBIRTH"), 0);
}

/// What the host says may get lost on the way to us, and then it is taken for there, or for gone.
#[tokio::test]
async fn a_subscription_that_is_less_than_asked_for_is_told_and_kept() {
    let broker = Broker::start(Malice::Grudging).await;
    let mut daemon = gateway_with(&broker, "primary_host = \"scada\"\n").await;
    let words =
        "the broker granted 1 of 2 subscriptions at QoS 0 instead of 1: `spBv1.0/STATE/scada`";
    daemon.program.says(words).await;
    let ready = daemon.get("/readyz").await;
    assert!(ready.contains(&format!("output scada: {words}")), "{ready}");
    let failed = "forewarn_output_failures_total{output=\"scada\"";
    let page = daemon.get("/metrics").await;
    let failures = page.lines().filter(|line| line.starts_with(failed));
    assert!(failures.clone().count() > 0, "{page}");
    assert!(failures.clone().all(|line| line.ends_with(" 0")), "{page}");
}

#[tokio::test]
async fn commands_that_are_none_do_nothing() {
    let broker = Broker::start(Malice::Babbling).await;
    let mut daemon = gateway(&broker).await;
    let delivered = "forewarn_output_delivered_total{output=\"scada\"}";
    until_metric(&daemon, delivered, 1.0).await;
    assert_eq!(broker.count("NBIRTH"), 1, "nobody asked for births");
    daemon.program.says("a command is not understood").await;
    daemon.program.terminate();
    assert_eq!(daemon.program.ended().await, Some(0));
    assert_eq!(broker.count("NDEATH"), 1, "who leaves says so");
}
