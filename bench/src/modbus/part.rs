//! The Modbus part by itself, and its floor: who asks what, as often, and nothing else.
//!
//! Each is a process that asks for a while and then prints what it has used. Ours is the gateway's bus
//! task, whose readings fall into a sink. The floor asks the same with bare `tokio-modbus`: no plan, no
//! schedule, no deadline, no check of the length, no decoding. Another floor is a PyMODBUS client
//! (`pymodbus_client.py`), the loop that a technician would write.

use std::cell::Cell;
use std::error::Error;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use forewarn::config::{self, Source};
use forewarn::input::modbus::{BusSettings, bus};
use forewarn::metrics::Metrics;
use rustix::time::{ClockId, clock_gettime};
use serde_json::json;
use tokio::sync::{mpsc, watch};
use tokio::time::{interval, sleep};
use tokio_modbus::Slave;
use tokio_modbus::client::{Reader as _, tcp};
use tokio_modbus::prelude::SlaveContext as _;

/// Registers of a unit, all read in one request.
pub(super) const REGISTERS: u16 = 50;

/// Before it counts: connections are open, memory has its size.
const WARM_UP: Duration = Duration::from_secs(1);

/// Arguments of the programs.
#[derive(Debug, clap::Args)]
pub(crate) struct PartArgs {
    /// The simulated device
    #[arg(long)]
    device: SocketAddr,
    /// Units 1 to N
    #[arg(long)]
    units: u8,
    /// Milliseconds from poll to poll of a unit
    #[arg(long)]
    period: u64,
    /// How long
    #[arg(long)]
    seconds: u64,
}

/// The bus task.
pub(crate) fn ours(args: &PartArgs) -> Result<(), Box<dyn Error>> {
    let settings = settings(args)?;
    runtime()?.block_on(async {
        let polls = Cell::new(0);
        let (readings, mut sink) = mpsc::channel(64);
        let (_keep, stopped) = watch::channel(false);
        let metrics = Arc::new(Metrics::default());
        let counting = async {
            while sink.recv().await.is_some() {
                polls.set(polls.get() + 1);
            }
        };
        tokio::select! {
            () = bus::run(settings, readings, metrics, stopped) => Err("the bus has ended".into()),
            () = counting => Err("the bus has ended".into()),
            told = tell(args, &polls) => told,
        }
    })
}

/// The same with bare `tokio-modbus`.
pub(crate) fn floor(args: &PartArgs) -> Result<(), Box<dyn Error>> {
    runtime()?.block_on(async {
        let polls = Cell::new(0);
        tokio::select! {
            ended = ask(args, &polls) => ended,
            told = tell(args, &polls) => told,
        }
    })
}

async fn ask(args: &PartArgs, polls: &Cell<u64>) -> Result<(), Box<dyn Error>> {
    let mut context = tcp::connect(args.device).await?;
    let mut tick = interval(Duration::from_millis(args.period) / u32::from(args.units));
    loop {
        for unit in 1..=args.units {
            tick.tick().await;
            context.set_slave(Slave(unit));
            let registers = context.read_holding_registers(0, REGISTERS).await??;
            if registers.len() != usize::from(REGISTERS) {
                return Err("a short answer".into());
            }
            polls.set(polls.get() + 1);
        }
    }
}

/// Waits until the time is over and prints what was used.
async fn tell(args: &PartArgs, polls: &Cell<u64>) -> Result<(), Box<dyn Error>> {
    sleep(WARM_UP).await;
    let before = (polls.get(), own_cpu());
    sleep(Duration::from_secs(args.seconds)).await;
    let (polls, cpu) = (polls.get() - before.0, own_cpu() - before.1);
    let used = json!({"polls": polls, "cpu_us": cpu.as_secs_f64() * 1e6});
    writeln!(io::stdout().lock(), "{used}")?;
    Ok(())
}

/// What the configuration would make of it; its shortest period is longer than some of ours.
fn settings(args: &PartArgs) -> Result<BusSettings, Box<dyn Error>> {
    let mut text = "site = \"bench\"\n".to_owned();
    for unit in 1..=args.units {
        write!(
            text,
            "[device.u{unit}]\nmodbus = \"tcp://{}\"\nunit_id = {unit}\npoll = \"10s\"\n",
            args.device
        )?;
        for address in 0..REGISTERS {
            write!(
                text,
                "[point.u{unit}-{address}]\ndevice = \"u{unit}\"\nregister = \"holding:{address}\"\n\
                 type = \"uint16\"\nstale_after = \"1min\"\n"
            )?;
        }
    }
    let loaded = config::load(&Source::text("bench", &text));
    let (config, _warnings) = loaded.map_err(|mistakes| mistakes.to_string())?;
    let mut buses = config.buses.into_iter();
    let mut settings = buses.next().ok_or("a configuration without a bus")?;
    let period = Duration::from_millis(args.period);
    for device in &mut settings.devices {
        device.poll = period;
        for point in &mut device.points {
            point.poll = period;
        }
    }
    Ok(settings)
}

fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
}

/// CPU time of this process, user and system, to the nanosecond.
fn own_cpu() -> Duration {
    let used = clock_gettime(ClockId::ProcessCPUTime);
    let seconds = u64::try_from(used.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(used.tv_nsec).unwrap_or(0))
}
