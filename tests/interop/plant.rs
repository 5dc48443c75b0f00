//! The demo's plant and the real gateway on `config/demo.toml`, on ports of their own.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};

use simulators::plant::{Plant, PlantConfig};

use super::bench::{Daemon, free_port, project};

/// Both, running.
pub(crate) struct Demo {
    pub(crate) plant: Plant,
    pub(crate) daemon: Daemon,
}

impl Demo {
    /// `extra` is added to the configuration.
    pub(crate) async fn start(extra: &str) -> Self {
        let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        // The gateway brings the broker, the sensors come to it.
        let broker = local(free_port());
        let plant = Plant::start(PlantConfig {
            broker,
            modbus: local(0),
            second_modbus: local(0),
            seed: 7,
        });
        let plant = plant.await.expect("free ports");
        let text = fs::read_to_string(project("config/demo.toml")).expect("part of the project");
        let mut config = text.replace("[http]\nlisten = \"127.0.0.1:9469\"\n", "");
        for (usual, ours) in [
            ("127.0.0.1:18830", broker),
            ("127.0.0.1:15020", plant.gas_panel().address()),
            ("127.0.0.1:15021", plant.second_device().address()),
        ] {
            assert!(config.contains(usual), "{usual}");
            config = config.replace(usual, &ours.to_string());
        }
        let daemon = Daemon::start(&format!("{config}\n{extra}")).await;
        Self { plant, daemon }
    }
}
