//! Devices that misbehave, each in its own way, beside one that does not: over Modbus TCP, behind serial servers
//! (RTU over TCP) and on serial lines (RTU on pseudo-terminals).
//!
//! Every register holds `address * 7 + unit`, and every point has limits half a unit around that: a
//! single wrong value, seen by nobody but the engine, would stand in the journal as an alarm.

use std::fmt::Write as _;
use std::net::Ipv4Addr;

use serde_json::Value;
use simulators::modbus::{Device, DeviceConfig, Fault};

use super::gateway::{Gateway, find};

/// What the gateway makes of a fault.
#[derive(Clone, Copy, PartialEq)]
enum Seen {
    /// The device is lost; its own alarm says so.
    Lost,
    /// The device is there, but says no.
    Refusal,
    /// Odd, and right all the same.
    Harmless,
    /// Now and then an answer is refused.
    Flickers,
}

/// What a device is reached over.
#[derive(Clone, Copy, PartialEq)]
enum Over {
    Tcp,
    RtuOverTcp,
    Serial,
}

impl Over {
    async fn start(self, fault: &str) -> Device {
        let listen = (Ipv4Addr::LOCALHOST, 0).into();
        let device = match self {
            Self::Tcp => DeviceConfig::new(listen),
            Self::RtuOverTcp => DeviceConfig::rtu_over_tcp(listen),
            Self::Serial => {
                // A name of its own: what is plugged in again may be another pseudo-terminal.
                let link = format!("forewarn-{}-{}", std::process::id(), name(fault));
                DeviceConfig::pty(Some(std::env::temp_dir().join(link)))
            }
        };
        Device::start(device.fill(3)).await.expect("a free place")
    }

    /// As a device is configured that is reached over it.
    fn keys(self, device: &Device) -> String {
        let place = device.place();
        match self {
            Self::Tcp => format!("modbus = \"tcp://{place}\""),
            Self::RtuOverTcp => format!("modbus = \"rtu+tcp://{place}\""),
            Self::Serial => format!("modbus = \"rtu://{place}\"\nserial = \"115200 8E1\""),
        }
    }

    /// What the gateway makes of a fault on it.
    fn sees(self, fault: &str, over_tcp: Seen) -> Seen {
        match (self, fault) {
            // RTU has no such thing, or an answer to it.
            (Self::RtuOverTcp | Self::Serial, "wrong-transaction" | "echo" | "noise") => {
                Seen::Harmless
            }
            _ => over_tcp,
        }
    }
}

/// Later than the timeout of its device, which is 0.8 s, and much sooner than twice as late, however busy the machine:
/// what comes after that no master of RTU can tell from the answer to another question.
const LATE: &str = "late:900ms";

const FAULTS: [(&str, Seen); 20] = [
    ("none", Seen::Harmless),
    ("silent", Seen::Lost),
    (LATE, Seen::Lost),
    ("truncated", Seen::Lost),
    ("wrong-transaction", Seen::Lost),
    ("wrong-unit", Seen::Lost),
    ("wrong-function", Seen::Lost),
    ("bad-count", Seen::Lost),
    ("short", Seen::Lost),
    ("exception:4", Seen::Refusal),
    ("exception:11", Seen::Lost),
    ("garbage", Seen::Lost),
    ("close", Seen::Lost),
    ("refuse", Seen::Lost),
    ("huge-length", Seen::Lost),
    ("drip", Seen::Harmless),
    ("duplicate", Seen::Flickers),
    ("bad-crc", Seen::Lost),
    ("echo", Seen::Harmless),
    ("noise", Seen::Lost),
];

/// Devices that have no alarm of any kind. They are given more time than a busy machine takes for an answer.
const UNDISTURBED: [&str; 2] = ["none", "drip"];

/// Next to each other, and far enough apart for requests of their own.
const ADDRESSES: [u32; 4] = [0, 1, 200, 400];

/// The name of the device that has a fault.
fn name(fault: &str) -> String {
    fault.replace(':', "-")
}

fn configuration(over: Over, devices: &[Device]) -> String {
    let mut text = String::new();
    for ((fault, _), device) in FAULTS.iter().zip(devices) {
        let keys = over.keys(device);
        let name = name(fault);
        let (timeout, stale_after) = match *fault {
            fault if UNDISTURBED.contains(&fault) => ("5s", "30s"),
            LATE => ("800ms", "3s"),
            _ => ("250ms", "3s"),
        };
        write!(
            text,
            "[device.{name}]\n{keys}\nunit_id = 3\npoll = \"100ms\"\ntimeout = \"{timeout}\"\n"
        )
        .expect("a string takes all");
        for address in ADDRESSES {
            let value = address * 7 + 3;
            write!(
                text,
                "[point.{name}-{address}]\ndevice = \"{name}\"\nregister = \"holding:{address}\"\n\
                 type = \"uint16\"\nlow = {value}.0\nhigh = {value}.0\ngood_confirm = \"0s\"\nstale_after = \"{stale_after}\"\n"
            )
            .expect("a string takes all");
        }
    }
    // Half a unit to either side.
    text.lines().map(half_a_unit_away).collect()
}

fn half_a_unit_away(line: &str) -> String {
    let away = |key: &str, by: f64| {
        let value: f64 = line.strip_prefix(key)?.parse().ok()?;
        Some(format!("{key}{}\n", value + by))
    };
    let limit = away("low = ", -0.5).or_else(|| away("high = ", 0.5));
    limit.unwrap_or_else(|| format!("{line}\n"))
}

/// The points of a device by address.
fn points_of<'a>(points: &'a Value, fault: &str) -> impl Iterator<Item = (u32, &'a Value)> {
    let device = name(fault);
    ADDRESSES.into_iter().map(move |address| {
        let point = find(points, &format!("{device}-{address}"));
        (address, point.expect("it is configured"))
    })
}

/// Present and right.
fn is_right((address, point): (u32, &Value)) -> bool {
    point["quality"] == "good" && point["value"] == f64::from(address * 7 + 3)
}

fn all_right(points: &Value) -> bool {
    let mut devices = FAULTS.iter();
    devices.all(|(fault, _)| points_of(points, fault).all(is_right))
}

/// As it has to look while the faults last. Nothing is ever shown that is not right.
fn as_expected(over: Over, points: &Value) -> bool {
    FAULTS.iter().all(|(fault, over_tcp)| {
        let seen = over.sees(fault, *over_tcp);
        points_of(points, fault).all(|(address, point)| {
            let shown = &point["value"];
            assert!(
                shown.is_null()
                    || is_right((address, point))
                    || *shown == f64::from(address * 7 + 3),
                "{fault}: a wrong value is shown: {point}"
            );
            match seen {
                Seen::Harmless => is_right((address, point)),
                Seen::Lost | Seen::Refusal => point["quality"] != "good",
                Seen::Flickers => true,
            }
        })
    })
}

fn readings(points: &Value, point: &str) -> u64 {
    let point = find(points, point).expect("it is configured");
    point["readings"]["accepted"].as_u64().expect("a count")
}

#[tokio::test]
async fn a_modbus_device_that_misbehaves() {
    misbehave(Over::Tcp).await;
}

#[tokio::test]
async fn a_device_behind_a_serial_server_that_misbehaves() {
    misbehave(Over::RtuOverTcp).await;
}

#[tokio::test]
async fn a_device_on_a_serial_line_that_misbehaves() {
    misbehave(Over::Serial).await;
}

async fn misbehave(over: Over) {
    let mut devices = Vec::new();
    for (fault, _) in FAULTS {
        devices.push(over.start(fault).await);
    }
    let gateway = Gateway::start(&configuration(over, &devices)).await;
    let before = gateway
        .wait_for("/api/v1/points", "all are right", all_right)
        .await;

    for ((fault, _), device) in FAULTS.iter().zip(&devices) {
        device.set_fault(None, fault.parse().expect("notation"));
    }
    let lost = || {
        FAULTS
            .iter()
            .filter(|(fault, seen)| over.sees(fault, *seen) == Seen::Lost)
    };
    for (fault, _) in lost() {
        gateway
            .alarm_is(
                &format!("gateway.device.{}/state", name(fault)),
                "unacknowledged",
            )
            .await;
    }
    gateway
        .wait_for("/api/v1/points", "the faults show", |points| {
            as_expected(over, points)
                && readings(points, "none-0") >= readings(&before, "none-0") + 20
        })
        .await;

    for device in &devices {
        device.set_fault(None, Fault::None);
    }
    gateway
        .wait_for("/api/v1/points", "all are right again", all_right)
        .await;
    for (fault, _) in lost() {
        gateway
            .alarm_is(
                &format!("gateway.device.{}/state", name(fault)),
                "returned_unacknowledged",
            )
            .await;
    }

    for event in gateway.events().await {
        let alarm = event["alarm"].as_str().unwrap_or_default();
        let wrong = alarm.ends_with("/high") || alarm.ends_with("/low");
        assert!(!wrong, "a wrong value was judged: {event}");
        let is_of = |device: &&str| {
            alarm.starts_with(&format!("{device}-"))
                || alarm == format!("gateway.device.{device}/state")
        };
        assert!(!UNDISTURBED.iter().any(is_of), "{event}");
    }
    for device in devices {
        device.stop().await;
    }
}
