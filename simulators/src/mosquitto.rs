//! A real mosquitto for tests.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::time::{sleep, timeout};

/// A broker on a free port of the loopback; ended when dropped.
pub(crate) struct Mosquitto {
    pub(crate) address: SocketAddr,
    configuration: PathBuf,
    child: Option<Child>,
}

impl Mosquitto {
    /// Reserves an address and writes the configuration; nothing listens yet.
    pub(crate) fn prepare() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .and_then(|listener| listener.local_addr())
            .expect("a free port");
        let name = format!(
            "simulators-mosquitto-{}-{}.conf",
            std::process::id(),
            NUMBER.fetch_add(1, Ordering::Relaxed)
        );
        let configuration = std::env::temp_dir().join(name);
        let text = format!(
            "listener {} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\npersistence false\n",
            address.port()
        );
        fs::write(&configuration, text).expect("a writable temporary folder");
        Self {
            address,
            configuration,
            child: None,
        }
    }

    pub(crate) async fn start() -> Self {
        let mut broker = Self::prepare();
        broker.run().await;
        broker
    }

    /// Starts the process and waits until it listens.
    pub(crate) async fn run(&mut self) {
        let child = Command::new("mosquitto")
            .arg("-c")
            .arg(&self.configuration)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("mosquitto is installed");
        self.child = Some(child);
        timeout(Duration::from_secs(10), async {
            while TcpStream::connect(self.address).is_err() {
                sleep(Duration::from_millis(10)).await;
            }
        })
        .await
        .expect("mosquitto listens");
    }

    /// Kills the process, sessions and all.
    pub(crate) fn kill(&mut self) -> io::Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        self.kill().expect("our own child");
        fs::remove_file(&self.configuration).expect("our own file");
    }
}
