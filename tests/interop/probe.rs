//! `forewarn probe` on a device by PyMODBUS: what it finds, and that what it prints works when it is pasted.

use std::process::Command;

use serde_json::Value;

use super::bench::{DEADLINE, Daemon, Program, Scratch, within};
use super::pymodbus::{Device, points};
use crate::daemon::gateway::forewarn;

/// What a run of the binary came to.
struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Ran {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("{}{}", self.out, self.err))
    }
}

/// On a thread of its own: the device may live on the one that waits.
async fn ran(mut command: Command) -> Ran {
    let output = tokio::task::spawn_blocking(move || command.output());
    let output = output.await.expect("no panic").expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("what it writes is text");
    Ran {
        code: output.status.code(),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

async fn probe(words: &[&str]) -> Ran {
    let mut command = forewarn();
    command.arg("probe").args(words);
    ran(command).await
}

/// The first address at which the device holds a float32 in swapped words, and what it is.
fn swapped_single(device: &Device) -> (u16, f64) {
    let points = device.points();
    let is_it = |point: &&Value| {
        let register = point["register"].as_str().expect("a text");
        register.starts_with("holding:") && point["type"] == "float32" && point["order"] == "CDAB"
    };
    let point = points.iter().find(is_it).expect("it is there");
    let register = point["register"].as_str().expect("a text");
    let address = register.trim_start_matches("holding:").parse();
    (
        address.expect("an address"),
        point["value"].as_f64().expect("a number"),
    )
}

/// Probes `place` for the single, makes a configuration of what is printed, and reads with it.
async fn found_pasted_and_read(device: &Device, place: &[&str]) {
    let (address, value) = swapped_single(device);
    let registers = format!("holding:{address}-{}", address + 1);
    let words = [
        place,
        &[
            registers.as_str(),
            "--range",
            "-2000..2000",
            "--unit",
            "bar",
        ],
    ]
    .concat();

    let shown = probe(&words).await;
    assert_eq!(shown.code, Some(0), "{}", shown.err);
    let line = format!("holding:{address}");
    let line = shown
        .out
        .lines()
        .find(|shown| shown.starts_with(&line) && shown.contains(" = "));
    let line = line.unwrap_or_else(|| panic!("{}", shown.out));
    assert!(line.ends_with("float32 CDAB = -1234.5679"), "{}", shown.out);

    let all = probe(&[&words[..], &["--json"]].concat()).await.json();
    let best = &all["most_plausible"];
    assert_eq!(best.as_array().map(Vec::len), Some(1), "{best}");
    assert_eq!(
        (&best[0]["type"], &best[0]["order"]),
        (&"float32".into(), &"CDAB".into())
    );
    assert_eq!(best[0]["value"].as_f64(), Some(value));

    let lines = probe(&[&words[..], &["--toml"]].concat()).await;
    assert_eq!(lines.out, all["toml"].as_str().expect("a text"));
    let scratch = Scratch::new("probe");
    let text = format!("site = \"bench\"\n{}", lines.out);
    let config = scratch.write("pasted.toml", &text);
    let mut check = forewarn();
    check.arg("check").arg("--config").arg(&config);
    let checked = ran(check).await;
    assert_eq!(
        (checked.code, checked.err.as_str()),
        (Some(0), ""),
        "{text}"
    );

    let daemon = Daemon::start(&text).await;
    let id = format!("probed-holding-{address}");
    within(DEADLINE, "the value is read", async || {
        let point = points(&daemon).await[&id].clone();
        let right = point["quality"] == "good" && point["value"].as_f64() == Some(value);
        if right { Ok(()) } else { Err(point) }
    })
    .await;
}

#[tokio::test]
async fn a_single_in_swapped_words_is_found_and_pasted_over_tcp() {
    let device = Device::start().await;
    let place = format!("tcp://127.0.0.1:{}", device.port);
    found_pasted_and_read(&device, &[&place]).await;
    let written = device.requests();
    let only_reads = |request: &Value| request[1].as_u64().is_some_and(|function| function <= 4);
    assert!(written.iter().all(only_reads), "{written:?}");
}

#[tokio::test]
async fn a_single_in_swapped_words_is_found_and_pasted_behind_a_serial_server() {
    let device = Device::rtu().await;
    let place = format!("rtu+tcp://127.0.0.1:{}", device.port);
    found_pasted_and_read(&device, &[&place]).await;
}

/// A pseudo-terminal that leads to the device.
async fn cable(scratch: &Scratch, device: &Device) -> (Program, String) {
    let path = scratch.path("ttyPlant");
    let mut socat = Command::new("socat");
    socat
        .arg(format!("pty,raw,echo=0,link={}", path.display()))
        .arg(format!("tcp:127.0.0.1:{}", device.port));
    let program = Program::start(&mut socat, scratch.path("socat"));
    within(DEADLINE, "the line is there", async || {
        if path.exists() {
            Ok(())
        } else {
            Err(program.said())
        }
    })
    .await;
    (program, path.display().to_string())
}

#[tokio::test]
async fn a_single_in_swapped_words_is_found_and_pasted_on_a_serial_line() {
    let device = Device::rtu().await;
    let scratch = Scratch::new("cable");
    let (_socat, path) = cable(&scratch, &device).await;
    let place = format!("rtu://{path}");
    found_pasted_and_read(&device, &[&place, "--serial", "115200 8E1"]).await;
}

#[tokio::test]
async fn a_line_that_a_gateway_holds_is_left_to_it() {
    let device = Device::rtu().await;
    let scratch = Scratch::new("cable");
    let (_socat, path) = cable(&scratch, &device).await;
    let (address, value) = swapped_single(&device);
    let config = format!(
        "site = \"bench\"\n[device.d]\nmodbus = \"rtu://{path}\"\nserial = \"115200 8E1\"\npoll = \"200ms\"\n\
         [point.P]\nregister = \"holding:{address}\"\ntype = \"float32\"\norder = \"CDAB\"\n"
    );
    let daemon = Daemon::start(&config).await;
    let reads = async || {
        let point = points(&daemon).await["P"].clone();
        let right = point["quality"] == "good" && point["value"].as_f64() == Some(value);
        if right { Ok(()) } else { Err(point) }
    };
    within(DEADLINE, "the gateway reads", reads).await;
    let place = format!("rtu://{path}");
    let refused = probe(&[&place, "--serial", "115200 8E1", "holding:0"]).await;
    assert_eq!(
        (refused.code, refused.out.as_str()),
        (Some(1), ""),
        "{}",
        refused.err
    );
    for said in ["another process has it", "a running gateway"] {
        assert!(refused.err.contains(said), "{}", refused.err);
    }
    within(DEADLINE, "the gateway goes on", reads).await;
}

/// Of a configured device its points are judged; a wrong order is found and put right.
#[tokio::test]
async fn a_configured_device_is_read_by_its_points() {
    let device = Device::start().await;
    let (address, value) = swapped_single(&device);
    let scratch = Scratch::new("probe");
    let config = |order: &str| {
        format!(
            "site = \"bench\"\n[device.plc]\nmodbus = \"tcp://127.0.0.1:{}\"\n[point.P]\n\
             register = \"holding:{address}\"\ntype = \"float32\"\norder = \"{order}\"\nscale = 0.1\n\
             range = [-200, 200]\nunit = \"bar\"\n",
            device.port
        )
    };
    let path = scratch.write("forewarn.toml", &config("ABCD"));
    let path = path.to_str().expect("a path in UTF-8");
    let wrong = probe(&["plc", "--config", path, "--json"]).await;
    assert_eq!(wrong.code, Some(0), "{}", wrong.err);
    let point = &wrong.json()["points"][0];
    assert_eq!(
        (&point["point"], &point["plausible"]),
        (&"P".into(), &false.into())
    );
    assert_eq!(point["instead"]["order"], "CDAB", "{point}");
    let toml = probe(&["plc", "--config", path, "--toml"]).await.out;
    assert_eq!(
        toml,
        "# in [point.P], in place of what is there:\ntype = \"float32\"\norder = \"CDAB\"\n"
    );

    scratch.write("forewarn.toml", &config("CDAB"));
    let right = probe(&["plc", "--config", path, "--json"]).await.json();
    let point = &right["points"][0];
    assert_eq!(point["plausible"], true, "{point}");
    assert_eq!(point["raw"].as_f64(), Some(value));
    let tenth = point["value"].as_f64().expect("a number") * 10.0;
    assert!((tenth - value).abs() < 1e-9, "{point}");
    assert_eq!(right["toml"], "");

    let unknown = probe(&["plx", "--config", path]).await;
    assert_eq!(unknown.code, Some(2));
    assert!(
        unknown.err.contains("did you mean \"plc\"?"),
        "{}",
        unknown.err
    );
    scratch.write("forewarn.toml", "sit = 1\n");
    assert_eq!(probe(&["plc", "--config", path]).await.code, Some(78));
}

#[tokio::test]
async fn a_hole_is_named_and_explained_and_spoils_nothing() {
    let device = Device::start().await;
    let place = format!("tcp://127.0.0.1:{}?unit=2", device.port);
    let ran = probe(&[&place, "holding:0-6", "--range", "0..100", "--json"]).await;
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let all = ran.json();
    assert_eq!(all["refused"][0]["registers"], "holding:4");
    assert_eq!(all["refused"][0]["exception"], 2);
    assert!(
        ran.err
            .contains("holding:4: exception 2: the device has nothing"),
        "{}",
        ran.err
    );
    let best = all["most_plausible"].as_array().expect("a list").iter();
    let numbers: Vec<_> = best.map(|found| found["value"].as_f64()).collect();
    assert_eq!(numbers, [10.0, 11.0, 12.0, 13.0, 15.0, 16.0].map(Some));

    // Nobody there at all, and no such table.
    let port = super::bench::free_port();
    let nobody = probe(&[&format!("tcp://127.0.0.1:{port}"), "input:0"]).await;
    assert_eq!((nobody.code, nobody.out.as_str()), (Some(1), ""));
    assert!(nobody.err.contains("one connection only"), "{}", nobody.err);
    let usage = probe(&[&place, "40001"]).await;
    assert_eq!(usage.code, Some(2));
    assert!(usage.err.contains("holding:0"), "{}", usage.err);
}

#[tokio::test]
async fn a_scan_tells_who_is_there_from_who_is_not() {
    let device = Device::start().await;
    let place = format!("tcp://127.0.0.1:{}", device.port);
    let ran = probe(&[&place, "--scan", "--units", "1-10", "--json"]).await;
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.err.contains("asking units 1 to 10"), "{}", ran.err);
    let all = ran.json();
    assert_eq!(all["complete"], true);
    let units = all["units"].as_array().expect("a list");
    let answer = |unit: usize| {
        let unit = &units[unit - 1];
        (
            unit["answer"].clone(),
            unit["exception"].clone(),
            unit["is_there"].clone(),
        )
    };
    assert_eq!(answer(1), ("exception".into(), 2.into(), true.into()));
    assert_eq!(answer(2), ("value".into(), Value::Null, true.into()));
    // What PyMODBUS says for a unit that it has not is what a broken one says.
    assert_eq!(answer(9), ("exception".into(), 4.into(), true.into()));
    assert_eq!(
        answer(10),
        ("not_behind_gateway".into(), 11.into(), false.into())
    );
    let toml = all["toml"].as_str().expect("a text");
    assert!(
        toml.contains("[device.unit-2]") && !toml.contains("[device.unit-10]"),
        "{toml}"
    );
}

#[tokio::test]
async fn an_interrupted_scan_shows_what_it_found() {
    // Takes connections and says nothing.
    let mute = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = mute.local_addr().expect("bound").port();
    let scratch = Scratch::new("probe");
    let mut command = forewarn();
    command.args([
        "probe",
        "--scan",
        "--json",
        &format!("tcp://127.0.0.1:{port}"),
    ]);
    let mut program = Program::start(&mut command, scratch.path("said"));
    program.says("asking units 1 to 247").await;
    program.interrupt();
    assert_eq!(program.ended().await, Some(1), "{}", program.said());
    let said = program.said();
    let document = said
        .lines()
        .find(|line| line.starts_with('{'))
        .expect("a document");
    let document: Value = serde_json::from_str(document).expect("JSON");
    assert_eq!(document["complete"], false);
    assert!(
        said.contains("before it ended early: 0 are there"),
        "{said}"
    );
}

#[tokio::test]
async fn texts_are_shown_in_both_orders_and_gaps_are_left_alone() {
    let listen = "127.0.0.1:0".parse().expect("an address");
    let config = simulators::modbus::DeviceConfig::new(listen).fill(1);
    let config = config.point("holding:100 words 0x4744 0x2D34 0x3220 0x7631 0");
    let device = simulators::modbus::Device::start(config.expect("a point"));
    let device = device.await.expect("it starts");
    let scratch = Scratch::new("probe");
    let config = scratch.write(
        "forewarn.toml",
        &format!(
            "site = \"bench\"\n[device.plc]\nmodbus = \"tcp://{}\"\ngaps = [\"holding:105-110\"]\n",
            device.address()
        ),
    );
    let config = config.to_str().expect("a path in UTF-8");
    let words = ["plc", "holding:100-111", "--config", config];
    let shown = probe(&words).await;
    assert_eq!(shown.code, Some(0), "{}", shown.err);
    let line = "holding:100-104    \"GD-42 v1\", or with swapped bytes \"DG4- 21v\"";
    assert!(
        shown.out.lines().any(|shown| shown == line),
        "{}",
        shown.out
    );
    let left_out = "holding:105-110: not asked for, as the configuration lists it in `gaps`";
    assert!(shown.err.contains(left_out), "{}", shown.err);
    let asked = device.take_record().asked;
    let spans: Vec<_> = asked
        .iter()
        .map(|asked| (asked.address, asked.count))
        .collect();
    assert_eq!(spans, [(100, 5), (111, 1), (100, 5), (111, 1)]);
    let all = probe(&[&words[..], &["--json"]].concat()).await.json();
    assert_eq!(all["texts"][0]["high_byte_first"], "GD-42 v1");
    let nothing = probe(&["plc", "holding:106", "--config", config]).await;
    assert_eq!(nothing.code, Some(2));
    assert!(
        nothing.err.contains("which are never read"),
        "{}",
        nothing.err
    );
    device.stop().await;
}

#[tokio::test]
async fn what_the_readme_shows_is_what_it_says() {
    let listen = "127.0.0.1:0".parse().expect("an address");
    let config = simulators::modbus::DeviceConfig::new(listen);
    let config = config
        .point("input:0 words 0xCCCD 0x404C")
        .expect("a point");
    let device = simulators::modbus::Device::start(config)
        .await
        .expect("it starts");
    let place = format!("tcp://{}", device.address());
    let said = probe(&[&place, "input:0-1", "--range", "0..100", "--unit", "%LEL"]).await;
    let readme = std::fs::read_to_string(super::bench::project("README.md")).expect("ours");
    let shown = readme
        .split("\n```")
        .find(|block| block.contains("Most plausible in 0 to 100"));
    let shown = shown.expect("it is shown").lines().skip(1);
    let mut lines = 0;
    for line in shown.filter(|line| !line.trim().starts_with("...")) {
        assert!(said.out.contains(line), "{line}\nnot in\n{}", said.out);
        lines += 1;
    }
    assert!(lines > 5);
}
