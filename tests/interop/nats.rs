//! A cluster of real NATS servers with JetStream and its MQTT listener, on free loopback ports.
//!
//! Dropping kills every node by its process id and removes its files.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rumqttc::{AsyncClient, ConnectionError, Event, MqttOptions, Packet, QoS};
use tokio::time::timeout;

use super::bench::{DEADLINE, Program, Scratch, within};
use super::mosquitto::free_port;

/// `sbin` is not on everybody's path.
const PROGRAM: &str = "/usr/sbin/nats-server";
/// A node without a leader answers late or never.
const PATIENCE: Duration = Duration::from_secs(10);

/// Three nodes; each stream is kept by all.
pub(crate) struct Cluster {
    nodes: Vec<Node>,
    _scratch: Scratch,
}

struct Node {
    mqtt: u16,
    program: Program,
}

impl Cluster {
    /// Starts it and waits until every node takes a message; `None` when the server is not installed.
    pub(crate) async fn start() -> Option<Self> {
        if !Path::new(PROGRAM).exists() {
            return None;
        }
        let scratch = Scratch::new("nats");
        let ports = [(); 3].map(|()| free_port());
        let mut nodes = Vec::new();
        for (number, port) in ports.into_iter().enumerate() {
            let mqtt = free_port();
            let text = configuration(&scratch, number, port, &ports, mqtt);
            let file = scratch.write(&format!("node-{number}.conf"), &text);
            let mut command = Command::new(PROGRAM);
            command.arg("--config").arg(file);
            let program = Program::start(&mut command, scratch.path(&format!("log-{number}")));
            nodes.push(Node { mqtt, program });
        }
        let cluster = Self {
            nodes,
            _scratch: scratch,
        };
        for number in 0..cluster.nodes.len() {
            cluster.takes_messages(number).await;
        }
        Some(cluster)
    }

    /// Where a node listens for MQTT.
    pub(crate) fn address(&self, node: usize) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.nodes[node].mqtt).into()
    }

    /// As a power cut.
    pub(crate) fn kill(&mut self, node: usize) {
        self.nodes[node].program.kill();
    }

    async fn takes_messages(&self, node: usize) {
        let what = format!("node {node} takes a message");
        within(2 * DEADLINE, &what, async || {
            let sent = timeout(PATIENCE, self.publish(node)).await;
            match sent {
                Ok(Ok(())) => Ok(()),
                Ok(Err(error)) => Err(format!("{error}\n{}", self.nodes[node].program.said())),
                Err(_) => Err("no answer".to_owned()),
            }
        })
        .await;
    }

    /// Until the PUBACK.
    async fn publish(&self, node: usize) -> Result<(), ConnectionError> {
        let options = MqttOptions::new("ready", "127.0.0.1", self.nodes[node].mqtt);
        let (client, mut events) = AsyncClient::new(options, 4);
        let asked = client.try_publish("ready", QoS::AtLeastOnce, false, "");
        asked.expect("room for one request");
        while !matches!(events.poll().await?, Event::Incoming(Packet::PubAck(_))) {}
        Ok(())
    }
}

fn configuration(scratch: &Scratch, number: usize, own: u16, cluster: &[u16], mqtt: u16) -> String {
    let store = scratch.path(&format!("store-{number}"));
    let routes = cluster
        .iter()
        .map(|port| format!("\"nats://127.0.0.1:{port}\""));
    let routes = routes.collect::<Vec<_>>().join(", ");
    format!(
        "server_name: node-{number}\nlisten: \"127.0.0.1:{}\"\n\
         jetstream {{ store_dir: \"{}\", max_mem: 64M, max_file: 256M }}\n\
         cluster {{ name: control-room, listen: \"127.0.0.1:{own}\", routes: [{routes}] }}\n\
         mqtt {{ listen: \"127.0.0.1:{mqtt}\", stream_replicas: 3 }}\n",
        free_port(),
        store.display()
    )
}
