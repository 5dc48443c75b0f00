//! A Modbus device with waveforms and faults, over TCP or on a serial line.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use serde_json::json;
use simulators::NotationError;
use simulators::modbus::{Device, DeviceConfig, ScheduledFault};
use simulators::program;

const EXAMPLES: &str = "\
Examples:
  # a gas panel whose first sensor sees a leak
  modbus-device --listen 127.0.0.1:5020 \\
      --point 'input:0 float32 CDAB base=3 noise=0.1 ramp=4s..18s:+4/s' \\
      --point 'input:2 uint16 scale=0.1 base=0.6'

  # ten units full of registers (address * 7 + unit), unit 3 silent for a while
  modbus-device --fill 1-10 --fault 'unit=3 silent@10s..20s'

  # the same on a serial line: a pseudo-terminal that the path leads to, unplugged for 5 s
  modbus-device --pty /tmp/ttyPlant --fill 1-10 --fault 'refuse@10s..15s'

  # answers 600 ms late between second 10 and 20 of every minute
  modbus-device --fill 1 --fault 'late:600ms@10s..20s every=1min'
";

const NOTATION: &str = "\
Points:     [UNIT/]TABLE:ADDRESS TYPE [ORDER] [scale=N] [offset=N] WAVEFORM
            [UNIT/]TABLE:ADDRESS words 1 0xFF ...      [UNIT/]TABLE:ADDRESS bits 1 0 ...
  tables    coil discrete holding input (functions 1 to 4)
  types     bool int16 uint16 int32 uint32 int64 uint64 float32 float64
  orders    ABCD (big endian, the default) CDAB (words swapped) BADC (bytes swapped) DCBA (both)
Waveforms:  base=3 noise=0.2 drift=0.1/min sine=60s:0.6 ramp=4s..16s:+4/s step=70s:+5 spike=20s:+30
            stuck=30s..40s dropout=50s..60s every=2min
Faults:     [unit=N] FAULT[@FROM..TO] [every=TIME]
            none silent late:TIME truncated wrong-transaction wrong-unit wrong-function bad-count short
            exception:CODE garbage close refuse duplicate drip huge-length bad-crc echo noise
            on a pseudo-terminal `close` unplugs and plugs in again, `refuse` unplugs
Commands on stdin, one a line, act at once:
            [unit=N] FAULT             'none' takes a fault back
            put POINT                  adds or replaces a point
            asked                      prints what was asked since the last time, as JSON lines:
                                       {\"asked\":[SECONDS,UNIT,FUNCTION,ADDRESS,COUNT]} ... {\"lost\":N}";

#[derive(Parser)]
#[command(
    name = "modbus-device",
    about = "A Modbus device that sees waveforms and misbehaves on request",
    before_help = EXAMPLES,
    after_help = NOTATION,
    help_template = program::HELP
)]
struct Arguments {
    /// Address to listen on; port 0 takes a free one, which is printed
    #[arg(long, default_value = "127.0.0.1:5020")]
    listen: SocketAddr,
    /// RTU frames over TCP, as a serial server has them
    #[arg(long, conflicts_with = "pty")]
    rtu: bool,
    /// In place of listening, RTU on a pseudo-terminal that this path leads to
    #[arg(long, value_name = "PATH", conflicts_with = "listen")]
    pty: Option<PathBuf>,
    /// A point or fixed values
    #[arg(long, value_name = "POINT")]
    point: Vec<String>,
    /// A unit, or units as in 1-10, of which every address holds address * 7 + unit
    #[arg(long, value_name = "UNITS", value_parser = units)]
    fill: Vec<std::ops::RangeInclusive<u8>>,
    /// A fault and its time
    #[arg(long, value_name = "FAULT")]
    fault: Vec<String>,
    /// Seed of the noise
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn units(text: &str) -> Result<std::ops::RangeInclusive<u8>, String> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    match (first.parse(), last.parse()) {
        (Ok(first), Ok(last)) if first <= last => Ok(first..=last),
        _ => Err("should be a unit from 0 to 255, or two as in 1-10".to_owned()),
    }
}

impl Arguments {
    fn device(&self) -> Result<DeviceConfig, NotationError> {
        let device = match &self.pty {
            Some(path) => DeviceConfig::pty(Some(path.clone())),
            None if self.rtu => DeviceConfig::rtu_over_tcp(self.listen),
            None => DeviceConfig::new(self.listen),
        };
        let mut device = device.seed(self.seed);
        for point in &self.point {
            device = device.point(point)?;
        }
        for unit in self.fill.iter().cloned().flatten() {
            device = device.fill(unit);
        }
        for fault in &self.fault {
            device = device.fault(fault)?;
        }
        Ok(device)
    }
}

/// What was asked, for programs.
fn tell_record(device: &Device) -> io::Result<()> {
    let record = device.take_record();
    for asked in record.asked {
        let (at, unit) = (asked.at.as_secs_f64(), asked.unit);
        program::say(json!({"asked": [at, unit, asked.function, asked.address, asked.count]}))?;
    }
    program::say(json!({"lost": record.lost}))
}

fn obey(device: &Device, line: &str) -> Result<(), NotationError> {
    if let Some(point) = line.strip_prefix("put ") {
        return device.put(point);
    }
    let (unit, fault) = line.parse::<ScheduledFault>()?.immediate();
    device.set_fault(unit, fault);
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    program::exit_code(run(Arguments::parse()).await)
}

async fn run(arguments: Arguments) -> io::Result<()> {
    let config = arguments.device().unwrap_or_else(|error| {
        Arguments::command()
            .error(ErrorKind::ValueValidation, error)
            .exit()
    });
    let device = Device::start(config).await.map_err(|error| {
        let what = match &arguments.pty {
            Some(path) => format!("cannot plug in {}: {error}", path.display()),
            None => format!("cannot listen on {}: {error}", arguments.listen),
        };
        io::Error::new(error.kind(), what)
    })?;
    program::say(format_args!("listening on {}", device.place()))?;
    let mut lines = program::stdin_lines();
    let stop = program::asked_to_stop();
    tokio::pin!(stop);
    loop {
        tokio::select! {
            stopped = &mut stop => {
                stopped?;
                break;
            }
            line = program::next_line(&mut lines) => match line.as_str() {
                "asked" => tell_record(&device)?,
                _ => match obey(&device, &line) {
                    Ok(()) => program::tell(format_args!("done: {line}")),
                    Err(error) => program::tell(error),
                },
            },
        }
    }
    program::tell(format_args!("requests: {}", device.requests()));
    device.stop().await;
    Ok(())
}
