//! The real gateway reads a device by PyMODBUS: every type, every order, every table; an address that
//! is not there; a unit that is not there; a device that goes and comes back. Over Modbus TCP, through a serial
//! server, and on a serial line whose adapter is unplugged.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::Command;

use serde_json::{Value, json};

use super::bench::{DEADLINE, Daemon, Program, Scratch, project, within};

/// The device, from `tests/interop/pymodbus_server.py`.
pub(crate) struct Device {
    program: Program,
    pub(crate) port: u16,
    scratch: Scratch,
}

impl Device {
    /// Over Modbus TCP.
    pub(crate) async fn start() -> Self {
        Self::speaking(&["0"]).await
    }

    /// RTU frames over TCP.
    pub(crate) async fn rtu() -> Self {
        Self::speaking(&["--rtu", "0"]).await
    }

    async fn speaking(arguments: &[&str]) -> Self {
        let scratch = Scratch::new("pymodbus");
        let (program, port) = Self::run(&scratch, arguments).await;
        Self {
            program,
            port,
            scratch,
        }
    }

    async fn run(scratch: &Scratch, arguments: &[&str]) -> (Program, u16) {
        let mut command = Command::new(project("tests/.venv/bin/python"));
        command
            .arg(project("tests/interop/pymodbus_server.py"))
            .args(arguments);
        let mut program = Program::start(&mut command, scratch.path("device"));
        let port = program.says("{\"port\": ").await;
        let port = port.trim_end_matches('}').parse().expect("a port");
        (program, port)
    }

    /// On the same port.
    async fn start_again(&mut self) {
        (self.program, _) = Self::run(&self.scratch, &[&self.port.to_string()]).await;
    }

    fn lines(&self, key: &str) -> Vec<Value> {
        let said = self.program.said();
        let lines = said
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok());
        lines
            .filter_map(|line: Value| line.get(key).cloned())
            .collect()
    }

    /// What it encoded, as `register`, `type`, `order`, `bit`, `bits`, `value`.
    pub(crate) fn points(&self) -> Vec<Value> {
        self.lines("points")[0].as_array().expect("a list").clone()
    }

    /// Unit, function, address, count of every request so far.
    pub(crate) fn requests(&self) -> Vec<Value> {
        self.lines("request")
    }
}

/// What `/api/v1/points` says, by point.
pub(crate) async fn points(daemon: &Daemon) -> BTreeMap<String, Value> {
    let text = daemon.get("/api/v1/points").await;
    let answer: Value = serde_json::from_str(&text).expect("JSON");
    let points = answer["points"].as_array().expect("a list").iter();
    let id = |point: &Value| point["point"].as_str().expect("an id").to_owned();
    points.map(|point| (id(point), point.clone())).collect()
}

/// One bus over TCP: the values, the block with a hole, and two units that do not exist.
fn config(device: &Device) -> String {
    let address = format!("modbus = \"tcp://127.0.0.1:{}\"", device.port);
    config_over(device, &address, "300ms")
}

/// As [`config`], over whatever these keys of a device say.
fn config_over(device: &Device, line: &str, poll: &str) -> String {
    let mut text = String::from("site = \"bench\"\n");
    for (id, unit) in [("all", 1), ("hole", 2), ("stranger", 9), ("absent", 10)] {
        writeln!(
            text,
            "[device.{id}]\n{line}\nunit_id = {unit}\npoll = \"{poll}\""
        )
        .expect("a string takes all");
    }
    let mut point = |id: &str, device: &str, keys: &str| {
        writeln!(
            text,
            "[point.{id}]\ndevice = \"{device}\"\nstale_after = \"2s\"\n{keys}"
        )
        .expect("a string takes all");
    };
    for (number, value) in device.points().iter().enumerate() {
        let mut keys = String::new();
        for key in ["register", "type", "order", "bit", "bits"] {
            if !value[key].is_null() {
                // A text, a number and a list of numbers are written alike in JSON and TOML.
                writeln!(keys, "{key} = {}", value[key]).expect("a string takes all");
            }
        }
        point(&format!("P{number}"), "all", &keys);
    }
    for address in 0..7 {
        let keys = format!("register = \"holding:{address}\"\ntype = \"uint16\"");
        point(&format!("H{address}"), "hole", &keys);
    }
    for device in ["stranger", "absent"] {
        let keys = "register = \"input:0\"\ntype = \"uint16\"";
        point(&format!("{device}-0"), device, keys);
    }
    text
}

/// How many points have the value the device encoded; `Err` with the first that does not.
async fn all_right(daemon: &Daemon, expected: &[Value]) -> Result<usize, String> {
    let found = points(daemon).await;
    for (number, point) in expected.iter().enumerate() {
        let found = &found[&format!("P{number}")];
        let value = found["value"].as_f64();
        let expected = point["value"].as_f64().expect("a number");
        // Both came through JSON: the last bit may differ.
        let is_right = |value: f64| (value - expected).abs() <= expected.abs() * 1e-15;
        if found["quality"] != "good" || !value.is_some_and(is_right) {
            return Err(format!("{point} is read as {found}"));
        }
    }
    Ok(expected.len())
}

/// The addresses around the hole are read, the one in it is not.
async fn the_hole_is_found(daemon: &Daemon) {
    within(DEADLINE, "the hole is found", async || {
        let found = points(daemon).await;
        for address in 0..7 {
            let point = &found[&format!("H{address}")];
            let right = match address {
                4 => point["value"].is_null() && point["reason"] == "illegal_address",
                _ => point["value"] == f64::from(10 + address) && point["quality"] == "good",
            };
            if !right {
                return Err(format!("H{address} is {point}"));
            }
        }
        Ok(())
    })
    .await;
}

/// None of the device's points has a value.
async fn blind(daemon: &Daemon) {
    within(DEADLINE, "its points are blind", async || {
        let found = points(daemon).await;
        let seeing = found
            .iter()
            .find(|(id, point)| !id.starts_with("gateway.") && !point["value"].is_null());
        match seeing {
            Some((id, _)) => Err(format!("{id} has a value")),
            None => Ok(()),
        }
    })
    .await;
}

async fn every_value_is_right(daemon: &Daemon, expected: &[Value]) {
    within(DEADLINE, "every value is right", async || {
        all_right(daemon, expected).await
    })
    .await;
}

#[tokio::test]
async fn a_serial_server_is_read_like_a_device() {
    let mut device = Device::rtu().await;
    let port = device.port;
    let line = format!("modbus = \"rtu+tcp://127.0.0.1:{port}\"");
    let daemon = Daemon::start(&config_over(&device, &line, "300ms")).await;
    let expected = device.points();
    every_value_is_right(&daemon, &expected).await;
    the_hole_is_found(&daemon).await;
    device.program.kill();
    blind(&daemon).await;
    let arguments = ["--rtu", &port.to_string()];
    (device.program, _) = Device::run(&device.scratch, &arguments).await;
    every_value_is_right(&daemon, &expected).await;
}

/// Two serial devices and a cable between them.
async fn cable(scratch: &Scratch) -> Program {
    let end = |name| format!("pty,raw,echo=0,link={}", scratch.path(name).display());
    let mut command = Command::new("socat");
    command.args(["-d", "-d", &end("ours"), &end("theirs")]);
    let mut socat = Program::start(&mut command, scratch.path("socat"));
    socat.says("starting data transfer loop").await;
    socat
}

#[tokio::test]
async fn a_serial_line_is_read_and_an_adapter_comes_back_under_its_path() {
    let scratch = Scratch::new("pymodbus-serial");
    let mut socat = cable(&scratch).await;
    let theirs = scratch.path("theirs");
    let arguments = ["--serial", theirs.to_str().expect("ASCII")];
    let (program, port) = Device::run(&scratch, &arguments).await;
    let mut device = Device {
        program,
        port,
        scratch,
    };
    let ours = device.scratch.path("ours");
    let line = format!(
        "modbus = \"rtu://{}\"\nserial = \"57600 8N1\"",
        ours.display()
    );
    // Nobody answers for two of the units, a second each.
    let daemon = Daemon::start(&config_over(&device, &line, "1s")).await;
    let expected = device.points();
    every_value_is_right(&daemon, &expected).await;
    the_hole_is_found(&daemon).await;

    // Both ends are gone, and with them their paths.
    socat.kill();
    device.program.kill();
    blind(&daemon).await;
    let _socat = cable(&device.scratch).await;
    (device.program, _) = Device::run(&device.scratch, &arguments).await;
    every_value_is_right(&daemon, &expected).await;
}

/// An independent master on the simulator, which stands in for serial devices elsewhere.
#[tokio::test]
async fn mbpoll_reads_the_simulated_serial_line() {
    let line = simulators::modbus::DeviceConfig::pty(None).fill(7);
    let line = simulators::modbus::Device::start(line)
        .await
        .expect("a pseudo-terminal");
    let place = line.place();
    let scratch = Scratch::new("mbpoll");
    let mut command = Command::new("mbpoll");
    command.args([
        "-m", "rtu", "-o", "10", "-a", "7", "-b", "9600", "-P", "none", "-t", "4", "-0",
    ]);
    command.args(["-r", "100", "-c", "3", "-1", &place]);
    let mut mbpoll = Program::start(&mut command, scratch.path("mbpoll"));
    assert_eq!(mbpoll.ended().await, Some(0), "{}", mbpoll.said());
    let said = mbpoll.said();
    for address in 100..103 {
        let value = address * 7 + 7;
        let right = |line: &str| {
            line.starts_with(&format!("[{address}]")) && line.ends_with(&value.to_string())
        };
        assert!(said.lines().map(str::trim).any(right), "{address}: {said}");
    }
    line.stop().await;
}

#[tokio::test]
async fn every_type_in_every_order_is_read_as_planned() {
    let mut device = Device::start().await;
    let daemon = Daemon::start(&config(&device)).await;
    let expected = device.points();
    let count = within(DEADLINE, "every value is right", async || {
        all_right(&daemon, &expected).await
    });
    assert_eq!(count.await, 13 * 4 * 2 + 10 + 5 + (4 + 16 + 3));

    // One request for each run of addresses, in order, and nothing else in any poll.
    let plan = [
        json!([1, 1, 5, 10]),
        json!([1, 2, 0, 3]),
        json!([1, 2, 3000, 2]),
        json!([1, 3, 1000, 29]),
        json!([1, 3, 1200, 29]),
        json!([1, 3, 1400, 29]),
        json!([1, 3, 1600, 29]),
        json!([1, 3, 2200, 6]),
        json!([1, 4, 0, 116]),
    ];
    let requests = within(DEADLINE, "three polls", async || {
        let mut requests = device.requests();
        requests.retain(|request| request[0] == 1);
        match requests.len() {
            enough if enough >= 3 * plan.len() => Ok(requests),
            few => Err(format!("{few} requests")),
        }
    })
    .await;
    for poll in requests.chunks_exact(plan.len()) {
        assert_eq!(poll, plan);
    }

    device.program.kill();
    blind(&daemon).await;
    device.start_again().await;
    every_value_is_right(&daemon, &expected).await;
}

#[tokio::test]
async fn an_address_or_unit_that_is_not_there_spoils_nothing_else() {
    let device = Device::start().await;
    let daemon = Daemon::start(&config(&device)).await;
    the_hole_is_found(&daemon).await;
    within(DEADLINE, "unknown units are found out", async || {
        let metrics = daemon.get("/metrics").await;
        let shows = |line: &str| metrics.lines().any(|shown| shown == line);
        for (device, up, failure) in [
            ("all", 1, "timeout"),
            ("hole", 1, "illegal_address"),
            // It answers, and says that it cannot.
            ("stranger", 1, "device_failure"),
            // Nobody answers; the gateway in between says so.
            ("absent", 0, "gateway_target"),
        ] {
            let failures = format!(
                "forewarn_modbus_request_failures_total{{device=\"{device}\",reason=\"{failure}\"}}"
            );
            let failed = !shows(&format!("{failures} 0"));
            if !shows(&format!("forewarn_device_up{{device=\"{device}\"}} {up}"))
                || failed != (device != "all")
            {
                return Err(format!("{device} should be {up}, {failures}:\n{metrics}"));
            }
        }
        let found = points(&daemon).await;
        for (point, reason) in [
            ("stranger-0", "device_failure"),
            ("absent-0", "no_communication"),
        ] {
            let found = &found[point];
            if found["quality"] != "bad" || found["reason"] != reason {
                return Err(format!("{found}, expected {reason}"));
            }
        }
        Ok(())
    })
    .await;
}
