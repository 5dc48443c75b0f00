//! What the gateway is told to read.

use std::fmt::Write;
use std::time::Duration;

/// Units on a line of which one dies.
pub(super) const UNITS: u8 = 20;

/// Of their answers, and their period.
pub(super) const TIMEOUT: Duration = Duration::from_secs(1);

/// From probe to probe of a dead unit in the end: twenty timeouts.
pub(super) const PROBE: Duration = Duration::from_secs(20);

/// Until that is so: three polls, then pauses of 2, 4, 8 and 16 s.
pub(super) const BACKING_OFF: Duration = Duration::from_secs(45);

/// A device `id` with `more` keys, and a point for each address.
fn unit(text: &mut String, id: &str, unit: u8, keys: &str, addresses: impl Iterator<Item = u16>) {
    write!(text, "[device.{id}]\n{keys}\nunit_id = {unit}\n").expect("writing to a string");
    for address in addresses {
        write!(
            text,
            "[point.{id}-{address}]\ndevice = \"{id}\"\nregister = \"holding:{address}\"\n\
             type = \"uint16\"\nhigh = 65000\nstale_after = \"30s\"\n"
        )
        .expect("writing to a string");
    }
}

/// 50 registers next to each other in each of the units.
pub(super) fn contiguous(device: &str, units: u8, period: u64) -> String {
    let mut text = String::new();
    let keys = format!("modbus = \"tcp://{device}\"\npoll = \"{period}ms\"");
    for number in 1..=units {
        unit(
            &mut text,
            &format!("u{number}"),
            number,
            &keys,
            0..super::REGISTERS,
        );
    }
    text
}

/// The same fifty values twice: read over holes, and never.
pub(super) fn scattered(device: &str) -> String {
    let mut text = String::new();
    let addresses = || (0..=87).step_by(3).chain(120..=139);
    let keys = format!("modbus = \"tcp://{device}\"");
    unit(&mut text, "merged", 1, &keys, addresses());
    let holes = (0..29).map(|hole| format!("\"holding:{}-{}\"", hole * 3 + 1, hole * 3 + 2));
    let holes: Vec<String> = holes.collect();
    let gaps = holes.join(", ");
    let keys = format!("{keys}\ngaps = [{gaps}, \"holding:88-119\"]");
    unit(&mut text, "apart", 2, &keys, addresses());
    text
}

/// Twenty units with ten registers over TCP, and twenty on a serial line.
pub(super) fn twenty_on_each(tcp: &str, serial: &str) -> String {
    let mut text = String::new();
    let times = "poll = \"1s\"\ntimeout = \"1s\"";
    let tcp = format!("modbus = \"tcp://{tcp}\"\n{times}");
    let serial = format!("modbus = \"rtu://{serial}\"\nserial = \"115200 8N1\"\n{times}");
    for number in 1..=UNITS {
        unit(&mut text, &format!("t{number}"), number, &tcp, 0..10);
        unit(&mut text, &format!("s{number}"), number, &serial, 0..10);
    }
    text
}
