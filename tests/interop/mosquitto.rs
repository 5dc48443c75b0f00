//! A real mosquitto with its own configuration on a free loopback port, and a small client.
//!
//! Starting and stopping wait for what they ask, with a deadline. Dropping kills the broker by its
//! process id and removes its files.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, Packet, QoS};
use tokio::time::{sleep, timeout};

/// Everything happens within this, or never: twice the longest pause between two attempts to connect, which is
/// half a minute. Two cores may be shared by many.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// What a machine that does other things, too, may add where a time is what is promised: to the product's own
/// worst case, which comes first.
pub(crate) const BUSY: Duration = Duration::from_secs(5);

/// A broker.
pub(crate) struct Mosquitto {
    dir: PathBuf,
    port: u16,
    child: Option<Child>,
}

impl Mosquitto {
    /// Starts a broker without persistence. `extra` is added to its configuration.
    pub(crate) async fn start(extra: &str) -> Self {
        Self::with_config(&format!("persistence false\n{extra}")).await
    }

    /// Starts a broker that saves its sessions and messages when it is stopped in good order.
    pub(crate) async fn persistent(extra: &str) -> Self {
        Self::with_config(&format!("persistence true\n{extra}")).await
    }

    async fn with_config(lines: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("forewarn-mosquitto-{}-{number}", std::process::id());
        let dir = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&dir).expect("a writable temporary directory");
        let port = free_port();
        let mut config = format!("listener {port} 127.0.0.1\nallow_anonymous true\n");
        // Started by root it would give up the right to write into our directory.
        let lines = format!(
            "user root\npersistence_location {}/\n{lines}\n",
            dir.display()
        );
        config.write_str(&lines).expect("a string takes all");
        std::fs::write(dir.join("mosquitto.conf"), config).expect("written");
        let mut broker = Self {
            dir,
            port,
            child: None,
        };
        broker.start_again().await;
        broker
    }

    /// Where it listens.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Starts it again on the same port and waits until it accepts connections.
    pub(crate) async fn start_again(&mut self) {
        let log = std::fs::File::create(self.dir.join("log")).expect("created");
        let child = Command::new(program())
            .arg("-c")
            .arg(self.dir.join("mosquitto.conf"))
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("mosquitto is installed (apt-get install mosquitto)");
        self.child = Some(child);
        let up = async {
            while tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))
                .await
                .is_err()
            {
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(DEADLINE, up).await.expect("mosquitto listens");
    }

    /// As a power cut: nothing is saved.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("it was running");
            child.wait().expect("it has ended");
        }
    }

    /// In good order: with persistence, sessions and messages are saved.
    pub(crate) async fn stop(&mut self) {
        self.signal("-TERM");
        let Some(mut child) = self.child.take() else {
            return;
        };
        let ended = async {
            while child.try_wait().expect("our child").is_none() {
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(DEADLINE, ended).await.expect("mosquitto stops");
    }

    /// Sends the running broker a signal, as in `-STOP`.
    pub(crate) fn signal(&self, signal: &str) {
        let child = self.child.as_ref().expect("it is running");
        let asked = Command::new("kill")
            .args([signal, &child.id().to_string()])
            .status()
            .expect("kill runs");
        assert!(asked.success());
    }

    /// Publishes all, in order, and waits until the broker has them.
    pub(crate) async fn publish(&self, messages: &[Message<'_>]) {
        let (client, mut eventloop) = self.client("forewarn-test-publisher");
        for message in messages {
            let (topic, payload) = (message.topic, message.payload);
            client
                .publish(topic, QoS::AtLeastOnce, message.retain, payload)
                .await
                .expect("the channel has room");
        }
        let mut left = messages.len();
        let sent = async {
            while left > 0 {
                match eventloop.poll().await.expect("the broker is up") {
                    Event::Incoming(Packet::PubAck(_)) => left -= 1,
                    Event::Incoming(_) | Event::Outgoing(_) => {}
                }
            }
        };
        timeout(DEADLINE, sent).await.expect("every PUBACK came");
    }

    /// A client of this broker; its event loop has to be polled.
    pub(crate) fn client(&self, id: &str) -> (AsyncClient, EventLoop) {
        let mut options = MqttOptions::new(id, "127.0.0.1", self.port);
        options.set_max_packet_size(64 * 1024 * 1024, 64 * 1024 * 1024);
        AsyncClient::new(options, 4096)
    }
}

/// What comes next, if it is a packet from a broker that may be down now and then.
pub(crate) async fn incoming(eventloop: &mut EventLoop) -> Option<Packet> {
    match eventloop.poll().await {
        Ok(Event::Incoming(packet)) => Some(packet),
        Ok(Event::Outgoing(_)) => None,
        Err(_) => {
            sleep(Duration::from_millis(20)).await;
            None
        }
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ended_already = child.kill().is_err();
            let _no_child = child.wait().is_err();
        }
        let _left_behind = std::fs::remove_dir_all(&self.dir).is_err();
    }
}

/// A message to publish at QoS 1.
#[derive(Clone, Copy)]
pub(crate) struct Message<'m> {
    pub(crate) topic: &'m str,
    pub(crate) payload: &'m [u8],
    pub(crate) retain: bool,
}

impl<'m> Message<'m> {
    /// A message that is not retained.
    pub(crate) fn new(topic: &'m str, payload: &'m [u8]) -> Self {
        Self {
            topic,
            payload,
            retain: false,
        }
    }
}

/// `sbin` is not on everybody's path.
fn program() -> &'static str {
    let full = "/usr/sbin/mosquitto";
    if std::path::Path::new(full).exists() {
        full
    } else {
        "mosquitto"
    }
}

/// A free port below those that outgoing connections are given, and not given before: while the broker is down,
/// nobody else gets it.
pub(crate) fn free_port() -> u16 {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    let is_new = |port: &u16| GIVEN.lock().expect("no holder panics").insert(*port);
    std::iter::repeat_with(|| fastrand::u16(10_000..32_000))
        .find(|port| is_free(port) && is_new(port))
        .expect("there is always a next one")
}
