//! A broker of the test's own: it takes what it is told to take.
//!
//! Just enough of MQTT 3.1.1 for one publisher (sections 2.2 and 3.3 of the standard). It lives in the
//! test's runtime, so that time may be paused: nothing of it waits for another process, and nothing polls.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::interop::mqtt_packet::packet;

/// What the broker was told, and what it saw.
#[derive(Debug, Default)]
pub(super) struct Script {
    /// Events on which it drops the connection.
    pub(super) poison: BTreeSet<u64>,
    /// Acknowledge nothing, until told to [`speak`](Scripted::speak).
    pub(super) silent: bool,
    /// Acknowledge what was never sent.
    pub(super) wrong_ids: bool,
    /// Be silent from when this event comes.
    pub(super) silent_from: Option<u64>,
    /// Be silent from when telemetry comes.
    pub(super) silent_from_telemetry: bool,
    /// Acknowledge everything but telemetry.
    pub(super) deaf_to_telemetry: bool,
    /// Acknowledgements that are owed.
    owed: Vec<u16>,
    pub(super) connections: u64,
    /// Events that were acknowledged.
    pub(super) events: Vec<Value>,
    /// Topics and payloads of what is retained, in order of arrival.
    pub(super) retained: Vec<(String, Value)>,
    /// How often a connection was dropped, after what came before was acknowledged.
    pub(super) dropped: u64,
}

/// The broker. Dropping it ends it.
pub(super) struct Scripted {
    script: Arc<Mutex<Script>>,
    wake: Arc<Notify>,
    port: u16,
    _task: JoinSet<()>,
}

impl Scripted {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let script = Arc::new(Mutex::new(Script::default()));
        let wake = Arc::new(Notify::new());
        let (mut task, shared, woken) = (JoinSet::new(), Arc::clone(&script), Arc::clone(&wake));
        task.spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.expect("accepts");
                serve(stream, &shared, &woken).await;
            }
        });
        Self {
            wake,
            script,
            port,
            _task: task,
        }
    }

    pub(super) const fn port(&self) -> u16 {
        self.port
    }

    /// Is silent no longer, and pays at once what it owes.
    pub(super) fn speak(&self) {
        self.script().silent = false;
        self.wake.notify_one();
    }

    pub(super) fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().expect("no holder panics")
    }
}

/// One connection, until either side ends it.
async fn serve(mut stream: TcpStream, script: &Mutex<Script>, wake: &Notify) {
    let script = || script.lock().expect("no holder panics");
    script().owed.clear();
    let mut input = Vec::new();
    loop {
        let read = tokio::select! {
            read = stream.read_buf(&mut input) => read,
            () = wake.notified() => Ok(1),
        };
        if !read.is_ok_and(|read| read > 0) {
            return;
        }
        let (mut output, mut ends) = (Vec::new(), false);
        while let Some((kind, body)) = packet(&mut input).filter(|_| !ends) {
            match kind >> 4 {
                1 => {
                    script().connections += 1;
                    output.extend([0x20, 2, 0, 0]);
                }
                3 => {
                    ends = !script().publish(kind, &body);
                    script().dropped += u64::from(ends);
                }
                12 => output.extend([0xd0, 0]),
                _ => return,
            }
        }
        let skew = if script().wrong_ids { 77 } else { 0 };
        for id in script().pay().into_iter().map(|id| id + skew) {
            output.extend([0x40, 2]);
            output.extend(id.to_be_bytes());
        }
        if stream.write_all(&output).await.is_err() || ends {
            return;
        }
    }
}

impl Script {
    /// Takes a publish; `false`: it is poison.
    fn publish(&mut self, kind: u8, body: &[u8]) -> bool {
        let (length, rest) = body.split_at(2);
        let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
        let (topic, rest) = rest.split_at(length);
        let topic = String::from_utf8(topic.to_vec()).expect("a topic is UTF-8");
        let acknowledged = kind & 0b0110 != 0;
        let (id, payload) = rest.split_at(if acknowledged { 2 } else { 0 });
        let payload: Value = serde_json::from_slice(payload).expect("payloads are JSON");
        let telemetry = topic.contains("/reading");
        self.silent |= telemetry && self.silent_from_telemetry;
        if topic == super::EVENT {
            let seq = payload["seq"].as_u64().expect("a number");
            if self.poison.contains(&seq) {
                return false;
            }
            self.silent |= self.silent_from == Some(seq);
            self.events.push(payload);
        } else if kind & 1 == 1 {
            self.retained.push((topic, payload));
        }
        if acknowledged && !(telemetry && self.deaf_to_telemetry) {
            self.owed.push(u16::from_be_bytes([id[0], id[1]]));
        }
        true
    }

    /// The packet ids to acknowledge now.
    fn pay(&mut self) -> Vec<u16> {
        if self.silent {
            return Vec::new();
        }
        std::mem::take(&mut self.owed)
    }

    /// Which events were taken.
    pub(super) fn seqs(&self) -> Vec<u64> {
        let seqs = self.events.iter().filter_map(|event| event["seq"].as_u64());
        seqs.collect()
    }

    /// The newest retained state of an alarm.
    pub(super) fn state(&self, point: &str) -> Option<&str> {
        let topic = format!("forewarn/v1/plant/alarm/{point}/high");
        let newest = self.retained.iter().rfind(|(found, _)| *found == topic);
        newest?.1["state"].as_str()
    }
}
