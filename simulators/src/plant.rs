//! The plant of the demo.
//!
//! | point | where | what it lives through |
//! |---|---|---|
//! | CH4-101 | gas panel (first device), unit 1, `input:0` float32 CDAB, %LEL | 3, a leak from 4 s: +4/s up to 59 at 18 s, held until 45 s, back to 3 at 60 s |
//! | CH4-102 | gas panel, `input:2` float32 CDAB, %LEL | calm at 2 |
//! | H2S-202 | gas panel, `input:4` uint16, scale 0.1, ppm | calm at 0.6 |
//! | PT-330 | second device, unit 1, `holding:100` uint16, scale 0.01, bar | a slow swing between 6 and 7.2 |
//! | LT-40 | second device, `holding:102` int16, scale 0.1, % | between 54 and 70 within half an hour |
//! | FD-2A | second device, `coil:0`, flame detector | dark |
//! | VIB-201 | `line2/pump7/vibration`, `{"data":{"rms":..},"ts":ms}` every 500 ms, mm/s | calm at 2.2 with three lone spikes |
//! | CO-12 | `sensors/pit/co`, bare number every second, ppm | calm at 8 |
//!
//! The story lasts two minutes and begins anew. From 70 s to 85 s of each the second device is silent, so
//! that people see what a gateway says when it sees nothing.

use std::io;
use std::net::SocketAddr;

use crate::modbus::{Device, DeviceConfig};
use crate::mqtt::{Sensors, SensorsConfig};
use crate::notation::NotationError;

const GAS_PANEL: [&str; 3] = [
    "input:0 float32 CDAB base=3 noise=0.1 ramp=4s..18s:+4/s ramp=45s..60s:-56 every=120s",
    "input:2 float32 CDAB base=2 noise=0.1",
    "input:4 uint16 scale=0.1 base=0.6 noise=0.05",
];
const SECOND_DEVICE: [&str; 3] = [
    "holding:100 uint16 scale=0.01 base=6.6 sine=90s:0.6",
    "holding:102 int16 scale=0.1 base=62 sine=30min:8",
    "coil:0 bool base=0",
];
const SILENCE: &str = "silent@70s..85s every=120s";
const SENSORS: [&str; 2] = [
    "line2/pump7/vibration interval=500ms json={\"data\":{\"rms\":{value}},\"ts\":{ts_ms}} \
     base=2.2 noise=0.2 spike=25s:+7 spike=66s:+6 spike=100s:+7 every=120s",
    "sensors/pit/co interval=1s base=8 noise=0.5",
];

/// Where the plant is reached. Modbus ports may be 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlantConfig {
    /// The broker the sensors publish to; it may come later.
    pub broker: SocketAddr,
    /// Where the gas panel listens.
    pub modbus: SocketAddr,
    /// Where the second Modbus device listens.
    pub second_modbus: SocketAddr,
    /// The same seed gives the same noise.
    pub seed: u64,
}

/// The running plant.
#[derive(Debug)]
pub struct Plant {
    gas_panel: Device,
    second_device: Device,
    sensors: Sensors,
}

impl Plant {
    /// Starts all of it; the story begins now.
    ///
    /// # Errors
    /// When one of the Modbus addresses cannot be listened on.
    pub async fn start(config: PlantConfig) -> io::Result<Self> {
        let wrong = |error: NotationError| io::Error::new(io::ErrorKind::InvalidInput, error);
        let gas_panel = device(config.modbus, config.seed, &GAS_PANEL).map_err(wrong)?;
        let second_device = device(config.second_modbus, config.seed, &SECOND_DEVICE)
            .and_then(|device| device.fault(SILENCE))
            .map_err(wrong)?;
        let sensors = sensors(config).map_err(wrong)?;
        Ok(Self {
            gas_panel: Device::start(gas_panel).await?,
            second_device: Device::start(second_device).await?,
            sensors: Sensors::start(sensors),
        })
    }

    /// The gas panel with CH4-101, CH4-102 and H2S-202.
    pub fn gas_panel(&self) -> &Device {
        &self.gas_panel
    }

    /// The device with PT-330, LT-40 and FD-2A.
    pub fn second_device(&self) -> &Device {
        &self.second_device
    }

    /// The sensors VIB-201 and CO-12.
    pub fn sensors(&self) -> &Sensors {
        &self.sensors
    }

    /// Ends all of it.
    pub async fn stop(self) {
        self.sensors.stop().await;
        self.gas_panel.stop().await;
        self.second_device.stop().await;
    }
}

fn device(listen: SocketAddr, seed: u64, points: &[&str]) -> Result<DeviceConfig, NotationError> {
    points
        .iter()
        .try_fold(DeviceConfig::new(listen).seed(seed), |device, point| {
            device.point(point)
        })
}

fn sensors(config: PlantConfig) -> Result<SensorsConfig, NotationError> {
    let sensors = (config.seed..)
        .zip(SENSORS)
        .map(|(seed, line)| Ok(line.parse::<crate::mqtt::Sensor>()?.with_seed(seed)))
        .collect::<Result<Vec<_>, NotationError>>()?;
    Ok(SensorsConfig {
        broker: config.broker.into(),
        client_id: "demo-plant".to_owned(),
        sensors,
        malformed: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::time::Duration;

    use tokio::time::{sleep, timeout};
    use tokio_modbus::client::{Context, Reader, tcp};
    use tokio_modbus::slave::{Slave, SlaveContext};

    use super::*;
    use crate::mosquitto::Mosquitto;
    use crate::waveform::Waveform;

    async fn unit_1(device: &Device) -> Context {
        let mut client = tcp::connect(device.address()).await.expect("listening");
        client.set_slave(Slave(1));
        client
    }

    #[tokio::test]
    async fn every_point_is_where_the_table_says_before_any_broker_is() {
        let mut broker = Mosquitto::prepare();
        let any = (Ipv4Addr::LOCALHOST, 0).into();
        let plant = Plant::start(PlantConfig {
            broker: broker.address,
            modbus: any,
            second_modbus: any,
            seed: 1,
        })
        .await
        .expect("free ports");

        let mut panel = unit_1(plant.gas_panel()).await;
        let words = panel
            .read_input_registers(0, 5)
            .await
            .expect("wire")
            .expect("answer");
        let float =
            |at: usize| f32::from_bits((u32::from(words[at + 1]) << 16) | u32::from(words[at]));
        assert!((2.6..3.4).contains(&float(0)), "CH4-101 {}", float(0));
        assert!((1.6..2.4).contains(&float(2)), "CH4-102 {}", float(2));
        assert!((4..=8).contains(&words[4]), "H2S-202 {}", words[4]);

        let mut second = unit_1(plant.second_device()).await;
        let words = second
            .read_holding_registers(100, 1)
            .await
            .expect("wire")
            .expect("answer");
        assert!((600..=720).contains(&words[0]), "PT-330 {}", words[0]);
        let words = second
            .read_holding_registers(102, 1)
            .await
            .expect("wire")
            .expect("answer");
        assert!((540..=700).contains(&words[0]), "LT-40 {}", words[0]);
        let coils = second
            .read_coils(0, 1)
            .await
            .expect("wire")
            .expect("answer");
        assert_eq!(coils, [false]);

        broker.run().await;
        timeout(Duration::from_secs(20), async {
            while plant.sensors().acknowledged() < 2 {
                sleep(Duration::from_millis(10)).await;
            }
        })
        .await
        .expect("sensors found their broker");
        plant.stop().await;
    }

    #[test]
    fn the_leak_has_its_times() {
        let (_, story) = GAS_PANEL[0].split_once("CDAB ").expect("a waveform");
        let mut leak: Waveform = story.parse().expect("good");
        for (second, expected) in [
            (0, 3.0),
            (4, 3.0),
            (10, 27.0),
            (18, 59.0),
            (44, 59.0),
            (60, 3.0),
            (130, 27.0),
        ] {
            let value = leak.at(Duration::from_secs(second)).expect("no dropout");
            assert!((value - expected).abs() < 0.5, "{value} at {second} s");
        }
    }
}
