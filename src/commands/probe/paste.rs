//! What was found, as lines for the configuration.
//!
//! The lines are good as they stand: put below a `site`, they pass `forewarn check`. What only a person can decide
//! is not made up. Ids are those of the register, marked as such: they are on record from the first day, but a plain
//! one watches as well as a fine one. Limits stand there commented out: a limit that nobody chose
//! would be worse than none, as it looks like one that somebody chose.

use std::fmt::Write as _;

use super::decodings::{Bit, Found, orders};
use super::show;
use super::target::{Target, quoted};
use crate::config::words;
use crate::input::modbus::line::{Endpoint, Line};
use crate::input::modbus::{ByteOrder, Table};
use crate::scalar::show_number;

/// More points than this are better made from the manual, as a list.
pub(super) const MOST: usize = 50;

/// What a person said about the values.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Stated<'a> {
    /// The range.
    pub(super) range: Option<(f64, f64)>,
    /// The unit.
    pub(super) unit: Option<&'a str>,
}

/// The device, if it is not configured yet, and a point for each of `found` and `bits`; nothing without any.
pub(super) fn lines(target: &Target, found: &[Found], bits: &[Bit], stated: Stated<'_>) -> String {
    let mut text = String::new();
    if found.is_empty() && bits.is_empty() {
        return text;
    }
    // Writing into a text cannot fail.
    let mut line = |line: &str| {
        text.push_str(line);
        text.push('\n');
    };
    let device = target.id.as_deref().unwrap_or("probed");
    if target.id.is_none() {
        for written in device_lines(device, &target.line, target.unit_id) {
            line(&written);
        }
        line("");
    }
    let first = MOST.min(found.len());
    for found in &found[..first] {
        for written in register_lines(device, found, stated) {
            line(&written);
        }
    }
    for bit in bits.iter().take(MOST - first) {
        for written in bit_lines(device, bit) {
            line(&written);
        }
    }
    let left_out = (found.len() + bits.len()).saturating_sub(MOST);
    if left_out > 0 {
        line(&format!("# {left_out} more are left out"));
    }
    let length = text.trim_end().len();
    text.truncate(length);
    text.push('\n');
    text
}

/// A device that was reached over `line`.
pub(super) fn device_lines(id: &str, line: &Line, unit: u8) -> Vec<String> {
    let mut lines = vec![format!(
        "[device.{id}]  # choose an id: alarms about the device itself bear it"
    )];
    let address = |scheme: &str, Endpoint { host, port }: &Endpoint| {
        let address = if host.contains(':') {
            format!("{scheme}://[{host}]:{port}")
        } else {
            format!("{scheme}://{host}:{port}")
        };
        format!("modbus = {}", quoted(&address))
    };
    match line {
        Line::Tcp(endpoint) => lines.push(address("tcp", endpoint)),
        Line::RtuOverTcp(endpoint) => lines.push(address("rtu+tcp", endpoint)),
        Line::Serial(serial) => {
            lines.push(format!(
                "modbus = {}",
                quoted(&format!("rtu://{}", serial.path))
            ));
            lines.push(format!("serial = \"{}\"", serial.mode));
            if serial.rs485 {
                lines.push("rs485 = true".to_owned());
            }
        }
    }
    lines.push(format!("unit_id = {unit}"));
    lines
}

fn head(device: &str, table: Table, address: u16, shown: &str) -> Vec<String> {
    let table = words::table_name(table);
    vec![
        format!(
            "[point.{device}-{table}-{address}]  # choose an id: every alarm of the point bears it"
        ),
        format!("device = {}", quoted(device)),
        format!("register = \"{table}:{address}\"  # was read as {shown}"),
    ]
}

fn register_lines(device: &str, found: &Found, stated: Stated<'_>) -> Vec<String> {
    let decoding = found.decoding;
    let number = decoding.number.unwrap_or(f64::NAN);
    let shown = show::number(decoding.data_type, number);
    let mut lines = head(device, found.table, found.address, &shown);
    lines.push(format!(
        "type = \"{}\"",
        words::type_name(decoding.data_type)
    ));
    let plain = decoding.data_type.registers() == 1 && decoding.order == ByteOrder::Abcd;
    if orders(decoding.data_type).len() > 1 && !plain {
        lines.push(order_line(found));
    }
    if let Some(unit) = stated.unit {
        lines.push(format!("unit = {}", quoted(unit)));
        if unit.to_lowercase().contains("lel") {
            lines.push("measures = \"gas\"".to_owned());
        }
    }
    match stated.range {
        Some((low, high)) => {
            let (low, high) = (show_number(low), show_number(high));
            lines.push(format!("range = [{low}, {high}]"));
        }
        None => {
            lines.push("# range = [?, ?]  # what it can measure, from its data sheet".to_owned())
        }
    }
    lines.push("# high = ?  # no limit, no warning: yours to decide".to_owned());
    lines.extend(for_people());
    lines
}

/// The order, and another one if it may be that as well.
fn order_line(found: &Found) -> String {
    let order = words::order_name(found.decoding.order);
    let doubt = found.rival.map_or_else(String::new, |rival| {
        let (other, number) = (words::order_name(rival.order), rival.number);
        let shown = show::number(rival.data_type, number.unwrap_or(f64::NAN));
        format!("  # or \"{other}\", which makes it {shown}: the device's display tells")
    });
    format!("order = \"{order}\"{doubt}")
}

fn bit_lines(device: &str, bit: &Bit) -> Vec<String> {
    let shown = if bit.set { "1" } else { "0" };
    let mut lines = head(device, bit.table, bit.address, shown);
    lines.push("# state = { when = ? }  # its alarm position, 1 or 0: yours to decide".to_owned());
    lines.extend(for_people());
    lines
}

fn for_people() -> [String; 3] {
    [
        "# name = \"?\"  # what and where, for whoever is called at night".to_owned(),
        "# action = \"?\"  # what to do then".to_owned(),
        String::new(),
    ]
}

/// What to change of a configured point, to be read as `found`.
pub(super) fn correction(id: &str, found: &Found) -> String {
    let decoding = found.decoding;
    let mut text = format!(
        "# in [point.{id}], in place of what is there:\ntype = \"{}\"\n",
        words::type_name(decoding.data_type)
    );
    if orders(decoding.data_type).len() > 1 {
        // Writing into a text cannot fail.
        let _never = writeln!(text, "{}", order_line(found)).is_err();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::probe::decodings::Decoding;
    use crate::commands::probe::plausible::Verdict;
    use crate::config::{self, Source};
    use crate::input::modbus::DataType;
    use crate::input::modbus::line::{Parity, SerialLine, SerialMode};

    fn found(address: u16, data_type: DataType, order: ByteOrder) -> Found {
        Found {
            table: Table::Input,
            address,
            decoding: Decoding {
                data_type,
                order,
                number: Some(3.25),
                verdict: Verdict::Plausible,
                evidence: 4.0,
            },
            rival: None,
        }
    }

    fn target(line: Line) -> Target {
        Target {
            id: None,
            line,
            unit_id: 7,
            timeout: std::time::Duration::from_secs(1),
            max_registers: 125,
            max_bits: 2_000,
            gaps: Vec::new(),
            points: Vec::new(),
            neighbours: Vec::new(),
        }
    }

    #[test]
    fn what_is_pasted_is_a_configuration_with_the_same_meaning() {
        let endpoint = |host: &str| Endpoint {
            host: host.to_owned(),
            port: 4_001,
        };
        let serial = Line::Serial(SerialLine {
            path: "/dev/serial/by-id/usb-a".to_owned(),
            mode: SerialMode {
                baud: 19_200,
                parity: Parity::Odd,
                two_stop_bits: false,
            },
            rs485: true,
        });
        for line in [
            Line::Tcp(endpoint("192.0.2.1")),
            Line::RtuOverTcp(endpoint("::1")),
            serial,
        ] {
            let points = [
                found(3, DataType::Float32, ByteOrder::Cdab),
                found(5, DataType::Uint8Lo, ByteOrder::Abcd),
            ];
            let bit = Bit {
                table: Table::Coil,
                address: 9,
                set: true,
                moved: false,
            };
            let stated = Stated {
                range: Some((0.0, 100.0)),
                unit: Some("%LEL"),
            };
            let text = lines(&target(line.clone()), &points, &[bit], stated);
            let whole = format!("site = \"a\"\n{text}");
            let loaded = config::load(&Source::text("pasted.toml", &whole));
            let (config, warnings) =
                loaded.unwrap_or_else(|mistakes| unreachable!("{text}\n{mistakes}"));
            assert!(warnings.is_empty(), "{text}\n{warnings:?}");
            let bus = &config.buses[0];
            assert_eq!((&bus.line, bus.devices[0].unit_id), (&line, 7));
            let read = bus.devices[0]
                .points
                .iter()
                .map(|point| (point.table, point.address, point.data_type, point.order));
            assert_eq!(
                read.collect::<Vec<_>>(),
                [
                    (Table::Input, 3, DataType::Float32, ByteOrder::Cdab),
                    (Table::Input, 5, DataType::Uint8Lo, ByteOrder::Abcd),
                    (Table::Coil, 9, DataType::Bool, ByteOrder::Abcd),
                ]
            );
            assert_eq!(config.ranges[..3], [stated.range, stated.range, None]);
            for decision in ["# high = ?", "# state = { when = ? }", "# choose an id"] {
                assert!(text.contains(decision), "{text}");
            }
        }
    }

    #[test]
    fn a_doubtful_order_says_so() {
        let mut found = found(3, DataType::Float32, ByteOrder::Abcd);
        let other = Decoding {
            order: ByteOrder::Cdab,
            number: Some(25.5),
            ..found.decoding
        };
        found.rival = Some(other);
        let expected =
            "order = \"ABCD\"  # or \"CDAB\", which makes it 25.5: the device's display tells";
        assert_eq!(order_line(&found), expected);
        assert!(correction("P", &found).contains(expected));
    }

    #[test]
    fn nothing_found_is_nothing_to_paste_and_thousands_are_cut() {
        let target = target(Line::Tcp(Endpoint {
            host: "192.0.2.1".to_owned(),
            port: 502,
        }));
        assert_eq!(lines(&target, &[], &[], Stated::default()), "");
        let many: Vec<_> = (0..60)
            .map(|address| found(address, DataType::Uint16, ByteOrder::Abcd))
            .collect();
        let text = lines(&target, &many, &[], Stated::default());
        assert_eq!(text.matches("[point.").count(), MOST);
        assert!(text.ends_with("# 10 more are left out\n"), "{text}");
    }
}
