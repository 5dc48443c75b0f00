//! Brokers that do what no broker should: the subscriber is blind and says so, in bounded memory, and sees
//! again as soon as the broker is put right.

use std::net::Ipv4Addr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::interop::mqtt_packet::packet;

/// What a broker does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// What it should; and every subscriber gets a reading.
    Good,
    /// Closes what it has accepted.
    Closes,
    /// Says nothing at all.
    Mute,
    /// Says nothing after its CONNACK.
    MuteAfterConnack,
    /// Sends what is no MQTT.
    Garbage,
    /// Refuses the second topic.
    RefusesTopic,
    /// Answers for one topic of two.
    WrongCount,
    /// Grants the second topic at QoS 0; and every subscriber gets a reading.
    Downgrades,
    /// Acknowledges what nobody sent.
    Unasked,
    /// Begins a packet of 256 MB and goes on with it.
    Endless,
    /// Closes as soon as it has granted the topics.
    Drops,
}

/// A broker whose manners can be changed.
struct Hostile {
    manner: Arc<Mutex<Manner>>,
    connections: Arc<AtomicU64>,
    port: u16,
    _task: JoinSet<()>,
}

impl Hostile {
    async fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let manner = Arc::new(Mutex::new(manner));
        let connections = Arc::new(AtomicU64::new(0));
        let (now, count) = (Arc::clone(&manner), Arc::clone(&connections));
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut open = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.expect("accepts");
                count.fetch_add(1, Ordering::Relaxed);
                let manner = *now.lock().expect("no holder panics");
                open.spawn(serve(stream, manner));
            }
        });
        Self {
            manner,
            connections,
            port,
            _task: task,
        }
    }

    fn becomes(&self, manner: Manner) {
        *self.manner.lock().expect("no holder panics") = manner;
    }
}

/// One connection, until either side ends it.
async fn serve(mut stream: TcpStream, manner: Manner) {
    let mut input = Vec::new();
    loop {
        if manner == Manner::Closes || stream.read_buf(&mut input).await.unwrap_or(0) == 0 {
            return;
        }
        while let Some((kind, body)) = packet(&mut input) {
            let (answer, ends) = answer(manner, kind >> 4, &body);
            if stream.write_all(&answer).await.is_err() || ends {
                return;
            }
            if manner == Manner::Endless {
                let part = vec![b'x'; 64 * 1024];
                while stream.write_all(&part).await.is_ok() {}
                return;
            }
        }
    }
}

/// What goes out for a packet, and whether that was the last.
fn answer(manner: Manner, kind: u8, body: &[u8]) -> (Vec<u8>, bool) {
    let connack = vec![0x20, 2, 0, 0];
    let suback = |codes: &[u8]| {
        let length = u8::try_from(2 + codes.len()).expect("short");
        let mut packet = vec![0x90, length, body[0], body[1]];
        packet.extend(codes);
        packet
    };
    match (kind, manner) {
        (_, Manner::Mute) => (Vec::new(), false),
        (1, Manner::Garbage) => (b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), false),
        (1, Manner::Unasked) => ([&connack[..], &[0x40, 2, 0, 9]].concat(), false),
        (1, Manner::Endless) => (
            [&connack[..], &[0x30, 0xff, 0xff, 0xff, 0x7f]].concat(),
            false,
        ),
        (1, _) => (connack, false),
        (8, Manner::MuteAfterConnack) => (Vec::new(), false),
        (8, Manner::RefusesTopic) => (suback(&[1, 0x80]), false),
        (8, Manner::WrongCount) => (suback(&[1]), false),
        (8, Manner::Drops) => (suback(&[1, 1]), true),
        (8, Manner::Good | Manner::Downgrades) => {
            let second = u8::from(manner == Manner::Good);
            let reading = [&[0x30, 13, 0, 10], BARE.as_bytes(), b"7"].concat();
            ([suback(&[1, second]), reading].concat(), false)
        }
        (12, _) => (vec![0xd0, 0], false),
        (_, _) => (Vec::new(), false),
    }
}

/// Blind, and then not.
async fn endure(manner: Manner) {
    let broker = Hostile::start(manner).await;
    let mut gateway = Gateway::start(broker.port);
    let blind = timeout(DEADLINE, gateway.blind()).await;
    assert!(blind.is_ok(), "{manner:?}: blind");
    broker.becomes(Manner::Good);
    let sees = timeout(DEADLINE, gateway.status(0.0)).await;
    assert!(sees.is_ok(), "{manner:?}: sees again");
    assert!(is(&gateway.reading().await, 7.0), "{manner:?}");
    let tried = broker.connections.load(Ordering::Relaxed);
    assert!((2..20).contains(&tried), "{manner:?}: {tried} connections");
    let page = gateway.metrics.render(None);
    let counted = "forewarn_broker_reconnects_total{broker=\"plant\"} 0";
    assert!(!page.contains(counted), "{manner:?}: {page}");
    gateway.stop().await;
}

#[tokio::test]
async fn no_manners_of_a_broker_blind_us_for_longer_than_they_last() {
    let mut all = JoinSet::new();
    for manner in [
        Manner::Closes,
        Manner::Mute,
        Manner::MuteAfterConnack,
        Manner::Garbage,
        Manner::RefusesTopic,
        Manner::WrongCount,
        Manner::Unasked,
        Manner::Endless,
    ] {
        all.spawn(endure(manner));
    }
    while let Some(ended) = all.join_next().await {
        ended.expect("none gives up");
    }
}

/// Waits until the health pages say so.
async fn told(gateway: &Gateway, words: &str) {
    let there = async {
        while !gateway
            .metrics
            .troubles()
            .iter()
            .any(|told| told.contains(words))
        {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let there = timeout(DEADLINE, there).await.is_ok();
    assert!(there, "{words}: {:?}", gateway.metrics.troubles());
}

#[tokio::test]
async fn a_refused_topic_is_named() {
    let broker = Hostile::start(Manner::RefusesTopic).await;
    let mut gateway = Gateway::start(broker.port);
    let words = format!("broker plant: the broker refuses the subscription of `{JSON}`");
    told(&gateway, &words).await;
    gateway.blind().await;
    all_is_well(&gateway, &broker).await;
    gateway.stop().await;
}

/// Readings come, so the broker is not lost; that some may be missed is told.
#[tokio::test]
async fn a_subscription_that_is_less_than_asked_for_is_told_and_kept() {
    let broker = Hostile::start(Manner::Downgrades).await;
    let mut gateway = Gateway::start(broker.port);
    gateway.status(0.0).await;
    assert_eq!(value(&gateway.reading().await), Some(7.0));
    let words = format!(
        "broker plant: the broker granted 1 of 2 subscriptions at QoS 0 instead of 1: `{JSON}`"
    );
    told(&gateway, &words).await;
    assert_eq!(broker.connections.load(Ordering::Relaxed), 1);
    gateway.stop().await;
}

#[tokio::test]
async fn a_stolen_client_id_is_named() {
    let broker = Hostile::start(Manner::Drops).await;
    let mut gateway = Gateway::start(broker.port);
    told(&gateway, "broker plant: another client uses this client id").await;
    gateway.blind().await;
    all_is_well(&gateway, &broker).await;
    gateway.stop().await;
}

/// Puts the broker right and waits until nothing is told any more.
async fn all_is_well(gateway: &Gateway, broker: &Hostile) {
    broker.becomes(Manner::Good);
    let well = async {
        while !gateway.metrics.troubles().is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(DEADLINE, well).await.expect("all is well again");
}
