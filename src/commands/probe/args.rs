//! Arguments of `forewarn probe`, and how they are read.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use super::plausible::Expected;
use super::registers::Span;
use crate::config::words;
use crate::input::modbus::{ByteOrder, DataType};
use crate::scalar;

/// Arguments of `forewarn probe`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    forewarn probe gd-01 --config forewarn.toml        the registers of its points, judged by their ranges\n  \
    forewarn probe 'tcp://192.0.2.10?unit=3' input:0-9 holding:100 --range 0..100 --unit %LEL\n  \
    forewarn probe rtu:///dev/ttyUSB0 --serial \"9600 8E1\" --unit-id 7 input:0-3 --json\n  \
    forewarn probe rtu+tcp://192.0.2.11:4001 --scan --units 1-32\n\n\
    * marks what is plausible: finite, inside the range, not suspiciously near to zero, steady between two reads; ~ what \
    jumped.\nIt only reads (functions 1 to 4). A serial line that a running gateway has is refused.\n\n\
    Exit codes: 0 something was read or found, 1 nothing was, 2 usage, 78 mistakes in the configuration")]
pub struct ProbeArgs {
    /// A device of the configuration, or an address: tcp://HOST:PORT, rtu+tcp://HOST:PORT, rtu:///dev/...
    pub(super) device: String,
    /// input:0-9, holding:100, coil:0-15; those of its points when left out for a configured device
    #[arg(value_parser = str::parse::<Span>)]
    pub(super) registers: Vec<Span>,
    /// Configuration that knows the device
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Speed and frame of a serial line, as in "9600 8E1"
    #[arg(long, value_name = "MODE")]
    pub(super) serial: Option<String>,
    /// The kernel switches the direction of the RS-485 transceiver
    #[arg(long)]
    pub(super) rs485: bool,
    /// Modbus unit id of an address; 1 when left out
    #[arg(long, value_name = "N")]
    pub(super) unit_id: Option<u8>,
    /// What the numbers can be, as the device sends them: 0..100
    #[arg(long, value_name = "LOW..HIGH", value_parser = range, allow_hyphen_values = true)]
    pub(super) range: Option<Expected>,
    /// Unit of the values; many tell what the numbers can be
    #[arg(long, value_name = "UNIT", value_parser = unit)]
    pub(super) unit: Option<String>,
    /// Look at one type only
    #[arg(long = "type", value_name = "TYPE", value_parser = data_type)]
    pub(super) data_type: Option<DataType>,
    /// Look at one byte order only
    #[arg(long, value_name = "ORDER", value_parser = words::order)]
    pub(super) order: Option<ByteOrder>,
    /// Find out which units there are on the line
    #[arg(long)]
    pub(super) scan: bool,
    /// Units to look for with --scan
    #[arg(long, value_name = "FIRST-LAST", default_value = "1-247", value_parser = units)]
    pub(super) units: RangeInclusive<u8>,
    /// Wait so long for one answer; as configured, 1s, or 300ms for --scan
    #[arg(long, value_name = "TIME", value_parser = timeout)]
    pub(super) timeout: Option<Duration>,
    /// Wait between two requests
    #[arg(long, value_name = "TIME", default_value = "20ms", value_parser = scalar::duration)]
    pub(super) pause: Duration,
    /// End after so long, with what was read by then
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = scalar::duration)]
    pub(super) within: Duration,
    /// One JSON document with everything
    #[arg(long, conflicts_with = "toml")]
    pub(super) json: bool,
    /// Only the lines for the configuration
    #[arg(long)]
    pub(super) toml: bool,
}

/// `0..100`.
fn range(text: &str) -> Result<Expected, String> {
    let general = || "write the lowest and the highest number: 0..100".to_owned();
    let (low, high) = text.split_once("..").ok_or_else(general)?;
    let number = |text: &str| text.trim().parse::<f64>().ok().filter(|n| n.is_finite());
    match (number(low), number(high)) {
        (Some(low), Some(high)) if low < high => Ok(Expected::between(low, high)),
        _ => Err(general()),
    }
}

/// Any type but the single bits of a register, which are shown anyway.
fn data_type(text: &str) -> Result<DataType, String> {
    let data_type = words::data_type(text)?;
    if data_type == DataType::Bool {
        return Err("the bits of a register are shown whatever the type is".to_owned());
    }
    Ok(data_type)
}

fn unit(text: &str) -> Result<String, String> {
    if text.parse::<u8>().is_ok() {
        return Err(format!(
            "this is the unit of the values (%LEL, bar); the Modbus unit is `--unit-id {text}`"
        ));
    }
    if text.is_empty() || text.chars().any(char::is_control) {
        return Err("a unit is written as in the configuration: %LEL, bar, mm/s".to_owned());
    }
    Ok(text.to_owned())
}

/// `1-247`.
fn units(text: &str) -> Result<RangeInclusive<u8>, String> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    match (first.parse::<u8>(), last.parse::<u8>()) {
        (Ok(first), Ok(last)) if first <= last => Ok(first..=last),
        _ => Err("write the first and the last unit id: 1-247".to_owned()),
    }
}

/// As the configuration has it.
fn timeout(text: &str) -> Result<Duration, String> {
    let time = scalar::duration(text)?;
    let allowed = Duration::from_millis(20)..=Duration::from_secs(60);
    if allowed.contains(&time) {
        Ok(time)
    } else {
        Err("it is from 20ms to 60s".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_read_strictly() {
        let read = range("-10..50.5").map(|range| (range.low, range.high));
        assert_eq!(read, Ok((-10.0, 50.5)));
        for text in [
            "", "0", "0..", "..1", "1..1", "2..1", "0..inf", "nan..1", "a..b",
        ] {
            assert!(range(text).is_err(), "{text}");
        }
        assert_eq!(units("1-32"), Ok(1..=32));
        assert_eq!(units("7"), Ok(7..=7));
        for text in ["", "0-256", "9-1", "a", "-1"] {
            assert!(units(text).is_err(), "{text}");
        }
        assert_eq!(data_type("float32"), Ok(DataType::Float32));
        assert!(data_type("bool").is_err() && data_type("float").is_err());
        assert!(unit("7").expect_err("a number").contains("--unit-id 7"));
        assert_eq!(unit("%LEL"), Ok("%LEL".to_owned()));
        assert!(timeout("10ms").is_err() && timeout("61s").is_err() && timeout("5").is_err());
    }
}
