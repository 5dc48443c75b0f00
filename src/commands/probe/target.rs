//! Who is asked: a device of the configuration, or an address.
//!
//! An address is read as the configuration reads it: a small configuration is made of it. So both know the same
//! addresses, and say the same about a wrong one.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use super::ProbeArgs;
use super::plausible::Expected;
use super::registers::Span;
use crate::config::{self, Config, Mistakes, Source};
use crate::engine::settings::PointSettings;
use crate::engine::signal::{Conversion, Scaling, Signal};
use crate::input::modbus::line::Line;
use crate::input::modbus::plan::Gap;
use crate::input::modbus::{BusSettings, DeviceSettings, RegisterPoint, Table, decode};

/// A device, and how it is reached.
#[derive(Debug)]
pub(super) struct Target {
    /// Its id in the configuration.
    pub(super) id: Option<Arc<str>>,
    /// What it is reached over.
    pub(super) line: Line,
    /// Its Modbus unit id.
    pub(super) unit_id: u8,
    /// For one answer.
    pub(super) timeout: Duration,
    /// Registers in one request.
    pub(super) max_registers: u16,
    /// Bits in one request.
    pub(super) max_bits: u16,
    /// What is never to be read of it.
    pub(super) gaps: Vec<Gap>,
    /// Its configured points.
    pub(super) points: Vec<Known>,
    /// The configured devices on the same line: unit id and id.
    pub(super) neighbours: Vec<(u8, Arc<str>)>,
}

/// A configured point.
#[derive(Debug)]
pub(super) struct Known {
    /// Its id.
    pub(super) id: Arc<str>,
    /// Where it is read.
    pub(super) register: RegisterPoint,
    /// Its unit.
    pub(super) unit: Arc<str>,
    /// What its numbers mean.
    pub(super) signal: Arc<Signal>,
    /// What it can measure, in its unit.
    pub(super) range: Option<(f64, f64)>,
}

/// Why nobody is asked.
#[derive(Debug)]
pub(super) enum Unfit {
    /// The command line names nobody.
    Usage(String),
    /// The configuration has mistakes.
    Configuration(Mistakes),
}

/// Finds out who is meant.
pub(super) fn target(args: &ProbeArgs, environment: Source) -> Result<Target, Unfit> {
    if args.device.contains([':', '/']) {
        return by_address(args);
    }
    for (given, name) in [
        (args.serial.is_some(), "--serial"),
        (args.rs485, "--rs485"),
        (args.unit_id.is_some(), "--unit-id"),
    ] {
        if given {
            return Err(Unfit::Usage(format!(
                "{name} goes with an address; of \"{}\" the configuration says it",
                args.device
            )));
        }
    }
    let (config, _warnings) = config::load(&environment).map_err(Unfit::Configuration)?;
    by_id(&config, &args.device)
}

fn by_id(config: &Config, id: &str) -> Result<Target, Unfit> {
    let devices = || config.buses.iter().flat_map(|bus| &bus.devices);
    let found = config.buses.iter().find_map(|bus| {
        let device = bus.devices.iter().find(|device| &*device.id == id)?;
        Some((bus, device))
    });
    let Some((bus, device)) = found else {
        let known: Vec<&str> = devices().map(|device| &*device.id).collect();
        let near = config::nearest(id, known.iter().copied());
        let near = near.map_or_else(String::new, |near| format!("did you mean \"{near}\"? "));
        let known = if known.is_empty() {
            "it has no device".to_owned()
        } else {
            format!("it has {}", known.join(", "))
        };
        return Err(Unfit::Usage(format!(
            "the configuration has no device \"{id}\": {near}{known}; an address is written as tcp://HOST:PORT, \
             rtu+tcp://HOST:PORT or rtu:///dev/ttyUSB0"
        )));
    };
    let points = device.points.iter().filter_map(|register| {
        let position = usize::try_from(register.point.0).ok()?;
        let point = config.engine.points.get(position)?;
        let range = config.ranges.get(position).copied().flatten();
        Some(known(point, *register, range))
    });
    let points = points.collect();
    Ok(Target {
        id: Some(Arc::clone(&device.id)),
        points,
        ..bare(bus, device)
    })
}

fn known(point: &PointSettings, register: RegisterPoint, range: Option<(f64, f64)>) -> Known {
    Known {
        id: Arc::clone(&point.id),
        register,
        unit: Arc::clone(&point.unit),
        signal: Arc::clone(&point.signal),
        range,
    }
}

/// What is known of any device.
fn bare(bus: &BusSettings, device: &DeviceSettings) -> Target {
    let neighbours = bus.devices.iter();
    Target {
        id: None,
        line: bus.line.clone(),
        unit_id: device.unit_id,
        timeout: device.timeout,
        max_registers: device.rules.max_registers,
        max_bits: device.rules.max_bits,
        gaps: device.rules.gaps.clone(),
        points: Vec::new(),
        neighbours: neighbours
            .map(|device| (device.unit_id, Arc::clone(&device.id)))
            .collect(),
    }
}

fn by_address(args: &ProbeArgs) -> Result<Target, Unfit> {
    let (address, asked) = match args.device.split_once('?') {
        Some((address, question)) => (address, Some(unit_of(question)?)),
        None => (args.device.as_str(), None),
    };
    if let (Some(one), Some(other)) = (args.unit_id, asked)
        && one != other
    {
        return Err(Unfit::Usage(format!(
            "--unit-id says {one}, the address says {other}: leave one of them out"
        )));
    }
    let unit = args.unit_id.or(asked).unwrap_or(1);
    let mut text = String::from("site = \"probe\"\n[device.probed]\n");
    let mut key = |key: &str, value: &str| {
        writeln!(text, "{key} = {value}").map_err(|error| Unfit::Usage(error.to_string()))
    };
    key("modbus", &quoted(address))?;
    if let Some(serial) = &args.serial {
        key("serial", &quoted(serial))?;
    }
    if args.rs485 {
        key("rs485", "true")?;
    }
    key("unit_id", &unit.to_string())?;
    let source = Source::text("the command line", &text);
    let (config, _warnings) = config::load(&source).map_err(|mistakes| {
        let mistakes = mistakes.to_string();
        Unfit::Usage(mistakes.trim_end().to_owned())
    })?;
    let bus = config.buses.first();
    let device = bus.and_then(|bus| Some((bus, bus.devices.first()?)));
    let (bus, device) = device.ok_or_else(|| Unfit::Usage("no device".to_owned()))?;
    let mut target = bare(bus, device);
    target.neighbours.clear();
    Ok(target)
}

/// `unit=7`.
fn unit_of(question: &str) -> Result<u8, Unfit> {
    let unit = question
        .strip_prefix("unit=")
        .or_else(|| question.strip_prefix("unit_id="));
    unit.and_then(|unit| unit.parse().ok()).ok_or_else(|| {
        Unfit::Usage(format!(
            "behind an address there is `?unit=N` with N from 0 to 255, not `?{question}`"
        ))
    })
}

/// As TOML writes a text. JSON's escapes are among TOML's.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

impl Target {
    /// The id under which a unit of this line is configured.
    pub(super) fn configured(&self, unit: u8) -> Option<&str> {
        let mut known = self.neighbours.iter();
        known.find(|(known, _)| *known == unit).map(|(_, id)| &**id)
    }

    /// The registers of its points.
    pub(super) fn spans(&self) -> Vec<Span> {
        let spans = self.points.iter().map(|known| {
            let RegisterPoint {
                table,
                address,
                data_type,
                ..
            } = known.register;
            Span::of(table, address, decode::width(table, data_type))
        });
        spans.collect()
    }

    /// What raw numbers the points that begin at an address can have; `None` without such a point, or
    /// without a range.
    pub(super) fn expected(&self, table: Table, address: u16) -> Option<Expected> {
        let here = self
            .points
            .iter()
            .filter(|known| known.register.table == table && known.register.address == address);
        here.filter_map(Known::expected).next()
    }
}

impl Known {
    /// The raw numbers from which values within its range come.
    pub(super) fn expected(&self) -> Option<Expected> {
        let between = |one: f64, other: f64| Expected::between(one.min(other), one.max(other));
        match &self.signal.conversion {
            Conversion::Scale(scaling) => {
                let (low, high) = self.range?;
                let (low, high) = (raw_of(*scaling, low), raw_of(*scaling, high));
                (low.is_finite() && high.is_finite()).then(|| between(low, high))
            }
            Conversion::Ranges { raw, .. } => Some(between(raw.0, raw.1)),
            Conversion::Table(rows) => Some(between(rows.first()?.0, rows.last()?.0)),
            Conversion::CurrentLoop(current) => {
                let (low, high) = CURRENTS;
                let scaling = current.milliamps;
                Some(between(raw_of(scaling, low), raw_of(scaling, high)))
            }
        }
    }
}

/// Currents of a loop, with those that tell of a fault; mA.
const CURRENTS: (f64, f64) = (0.0, 24.0);

/// The raw number that becomes `value`; not finite without a scale.
fn raw_of(scaling: Scaling, value: f64) -> f64 {
    (value - scaling.offset) / scaling.scale
}

#[cfg(test)]
mod tests;
