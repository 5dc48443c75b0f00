//! What a device is reached over: `modbus`, `serial` and `rs485` of a device.
//!
//! | `modbus` | what runs over it |
//! |---|---|
//! | `tcp://HOST:PORT` | Modbus TCP; the port is 502 when left out |
//! | `rtu+tcp://HOST:PORT` | RTU frames, to a serial server |
//! | `rtu:///dev/...` | RTU on a serial device of this machine, as `serial` says |

use std::collections::BTreeMap;

use super::device::Device;
use super::endpoint;
use super::finding::{Kind, Log};
use super::keys::Keys;
use super::place::{At, Place};
use crate::input::modbus::line::{Endpoint, Line, Parity, SerialLine, SerialMode};

/// The keys of a device that are read here.
pub(super) const KEYS: [&str; 3] = ["modbus", "serial", "rs485"];

/// Where its keys are written, for mistakes that need two devices to see.
#[derive(Clone, Copy)]
pub(super) struct Places {
    /// The address.
    pub(super) address: Place,
    /// `serial`, else the address.
    pub(super) serial: Place,
}

/// Speeds that some chip can do.
const SPEEDS: std::ops::RangeInclusive<u32> = 50..=4_000_000;

/// Speeds that devices have.
const USUAL: [u32; 9] = [
    1_200, 2_400, 4_800, 9_600, 19_200, 38_400, 57_600, 115_200, 230_400,
];

/// Reads what a device is reached over; `None` after a mistake.
pub(super) fn read(keys: &Keys, log: &mut Log) -> Option<(Line, Places)> {
    keys.require("modbus", "\"tcp://192.0.2.10:502\"", log);
    let address = keys.text("modbus", log)?;
    let line = match address.value.split_once(':') {
        Some(("rtu", path)) => serial(keys, &address, path, log),
        _ => {
            for key in ["serial", "rs485"] {
                keys.refuse(
                    key,
                    "only an address `rtu:///dev/...` is a serial line",
                    log,
                );
            }
            tcp(&address, log)
        }
    };
    let places = Places {
        address: address.place,
        serial: keys.place_of("serial").unwrap_or(address.place),
    };
    line.map(|line| (line, places))
}

fn tcp(address: &At<String>, log: &mut Log) -> Option<Line> {
    let schemes = [("tcp", 502), ("rtu+tcp", 0), ("rtu", 0)];
    let found = endpoint::parse("modbus", address, &schemes, log)?;
    let endpoint = Endpoint {
        host: found.host,
        port: found.port,
    };
    Some(if found.scheme == "tcp" {
        Line::Tcp(endpoint)
    } else {
        Line::RtuOverTcp(endpoint)
    })
}

/// `path` is what follows `rtu:`.
fn serial(keys: &Keys, address: &At<String>, path: &str, log: &mut Log) -> Option<Line> {
    keys.require("serial", "\"9600 8E1\"", log);
    let mode = keys.text("serial", log).and_then(|text| mode(&text, log));
    let rs485 = keys.flag("rs485", log).is_some_and(|flag| flag.value);
    let path = path.strip_prefix("//").unwrap_or_default();
    let odd = |c: char| c.is_whitespace() || c.is_control() || c == '"';
    if !path.starts_with('/') || path.ends_with('/') || path.contains(odd) {
        let text = "`modbus` does not name a serial device by its whole path";
        let hint = if path.contains(':') && !path.contains('/') {
            format!("write \"rtu+tcp://{path}\" for RTU frames to a serial server")
        } else {
            let name = path.trim_start_matches('/').trim_start_matches("dev/");
            let odd = name.is_empty() || name.ends_with('/') || name.contains(odd);
            let name = if odd { "ttyUSB0" } else { name };
            format!("write \"rtu:///dev/{name}\"; `ls /dev/serial/by-id` shows what is plugged in")
        };
        log.error(Kind::BadValue, address.place, text).hint(hint);
        return None;
    }
    Some(Line::Serial(SerialLine {
        path: path.to_owned(),
        mode: mode?,
        rs485,
    }))
}

/// `9600 8E1`: speed, then data bits, parity and stop bits.
fn mode(text: &At<String>, log: &mut Log) -> Option<SerialMode> {
    match parse_mode(&text.value) {
        Ok(mode) => {
            if !USUAL.contains(&mode.baud) {
                let words = format!("hardly any device speaks at {} Bd", mode.baud);
                let usual = USUAL.map(|baud| baud.to_string()).join(", ");
                log.warn(Kind::BadValue, text.place, words)
                    .hint(format!("usual are {usual}"));
            }
            Some(mode)
        }
        Err(reason) => {
            log.error(Kind::BadValue, text.place, format!("`serial`: {reason}"))
                .hint("write speed, data bits, parity and stop bits: \"9600 8E1\"");
            None
        }
    }
}

fn parse_mode(text: &str) -> Result<SerialMode, String> {
    let mut words = text.split_whitespace();
    let (Some(speed), Some(frame), None) = (words.next(), words.next(), words.next()) else {
        return Err("it is two words, speed and frame".to_owned());
    };
    let baud = speed.parse().ok().filter(|baud| SPEEDS.contains(baud));
    let baud = baud.ok_or_else(|| {
        let (least, most) = (SPEEDS.start(), SPEEDS.end());
        format!("{speed} is no speed from {least} to {most} Bd")
    })?;
    let &[data, parity, stop] = frame.as_bytes() else {
        return Err(format!("{frame} is not data bits, parity and stop bits"));
    };
    if data != b'8' {
        return Err("RTU has 8 data bits".to_owned());
    }
    let parity = match parity.to_ascii_uppercase() {
        b'N' => Parity::None,
        b'E' => Parity::Even,
        b'O' => Parity::Odd,
        _ => return Err("the parity is N (none), E (even) or O (odd)".to_owned()),
    };
    let two_stop_bits = match stop {
        b'1' => false,
        b'2' => true,
        _ => return Err("there are 1 or 2 stop bits".to_owned()),
    };
    Ok(SerialMode {
        baud,
        parity,
        two_stop_bits,
    })
}

/// Devices on one line that see it differently, and adapters that may change places.
pub(super) fn check(devices: &[Device], log: &mut Log) {
    let lines = || devices.iter().filter_map(|device| device.line.as_ref());
    for (position, (line, places)) in lines().enumerate() {
        let mut before = lines().take(position);
        let Some((first, first_places)) = before.find(|(first, _)| first.is_same_wire(line)) else {
            continue;
        };
        if first == line {
            continue;
        }
        let (place, text) = match (first, line) {
            (Line::Serial(_), Line::Serial(serial)) => (
                places.serial,
                format!("{} is set differently by two devices", serial.path),
            ),
            _ => (
                places.address,
                format!("{line} cannot speak Modbus TCP and RTU at once"),
            ),
        };
        log.error(Kind::Conflict, place, text)
            .hint("all devices on a line have the same `serial`, `rs485` and scheme")
            .also(first_places.serial, "the other device");
    }
    let mut numbered = BTreeMap::new();
    for (line, places) in lines() {
        if let Line::Serial(SerialLine { path, .. }) = line
            && (path.starts_with("/dev/ttyUSB") || path.starts_with("/dev/ttyACM"))
        {
            numbered.entry(path).or_insert(places.address);
        }
    }
    if let [(_, first), .., (path, place)] = *numbered.iter().collect::<Vec<_>>() {
        let text = format!("{path} may be another adapter after the next start");
        log.warn(Kind::Conflict, *place, text)
            .hint("with several adapters use the paths in /dev/serial/by-id")
            .also(*first, "another adapter");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_is_speed_and_frame() {
        for (text, shown) in [
            ("9600 8E1", "9600 8E1"),
            ("  19200   8n2 ", "19200 8N2"),
            ("115200 8O1", "115200 8O1"),
        ] {
            assert_eq!(parse_mode(text).expect(text).to_string(), shown);
        }
        for text in [
            "",
            "9600",
            "8E1",
            "9600 8E1 x",
            "0 8E1",
            "49 8E1",
            "4000001 8E1",
            "-9600 8E1",
            "9600 7E1",
            "9600 8X1",
            "9600 8E3",
            "9600 8E",
            "9600 8E11",
            "9600,8,E,1",
            "9600 8É",
        ] {
            assert!(parse_mode(text).is_err(), "{text}");
        }
    }
}
