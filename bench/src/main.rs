//! The whole-process benchmark: `cargo run --release -p bench`.
//!
//! A real mosquitto, the release binary of the gateway with everything on, and beside it, in the same
//! minutes, a [floor] program that does the least that could be called the same job. Figures of
//! a shared machine mean little by themselves; their ratios do.
//!
//! ```text
//!  load ────┐                     ┌────▶ forewarn run  (or: floor) ───┐
//!           ├──▶ mosquitto ───────┘          SQLite, FULL             │
//!  witness ─┘        │    ◀──────────────── event ────────────────────┘
//!     ▲──────────────┘    the witness times crossing value → event
//! ```
//!
//! | module | is |
//! |---|---|
//! | [`plant`] | points, topics, payloads, the gateway's configuration |
//! | [`traffic`] | the load and the witness, on raw sockets ([`frame`]) |
//! | [`process`] | children, their CPU time and memory, mosquitto |
//! | [`modbus`] | devices that are polled; needs no broker |
//! | [`replay`] | recorded readings through `forewarn replay`; needs no broker |
//! | [`session`] | one program from start to end, and what can be measured of it |
//! | [`rounds`] | which figures, in which order |
//! | [`table`] | the figures against the goals |

mod clock;
mod floor;
mod frame;
mod modbus;
mod plant;
mod process;
mod replay;
mod rounds;
mod session;
mod table;
mod traffic;

use std::error::Error;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use clap::{Parser, Subcommand};

use crate::rounds::{Effort, say};
use crate::session::Places;

/// Measures forewarn and a bare floor program side by side; needs mosquitto and a quiet machine.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    role: Option<Role>,
    /// One short round: shows that it works, not how fast it is
    #[arg(long, global = true)]
    quick: bool,
    /// Rounds; the table shows medians
    #[arg(long, default_value_t = 3, global = true)]
    rounds: u32,
    /// Also builds the binary for boards, for its size
    #[arg(long, global = true)]
    board: bool,
    /// The table as JSON
    #[arg(long, global = true)]
    json: bool,
    /// Uses the binary as it is
    #[arg(long, global = true)]
    no_build: bool,
}

#[derive(Subcommand)]
enum Role {
    /// The floor program; started by the benchmark itself
    #[command(hide = true)]
    Floor(floor::FloorArgs),
    /// The Modbus part by itself; started by the benchmark itself
    #[command(hide = true)]
    ModbusPart(modbus::part::PartArgs),
    /// The floor of the Modbus part; started by the benchmark itself
    #[command(hide = true)]
    ModbusFloor(modbus::part::PartArgs),
    /// Only Modbus: requests, jitter, CPU, and what a dead unit costs; needs tests/setup for PyMODBUS
    Modbus,
    /// Only how fast recorded readings are replayed
    Replay,
    /// Only resident memory
    Memory,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match &arguments.role {
        Some(Role::Floor(args)) => floor::run(args),
        Some(Role::ModbusPart(args)) => modbus::part::ours(args),
        Some(Role::ModbusFloor(args)) => modbus::part::floor(args),
        Some(Role::Modbus | Role::Replay | Role::Memory) | None => measure(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

fn measure(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let bench = std::env::current_exe()?;
    let beside = bench.parent().ok_or("the benchmark lies in no folder")?;
    if cfg!(debug_assertions) {
        return Err("unoptimized figures mean nothing; use: cargo run --release -p bench".into());
    }
    if !arguments.no_build {
        build("forewarn", &["--release"])?;
        if arguments.board {
            build("forewarn", &["--profile", "board", "--no-default-features"])?;
        }
        if matches!(arguments.role, Some(Role::Modbus)) {
            build("modbus-device", &["--release"])?;
        }
    }
    let board = beside.with_file_name("board").join("forewarn");
    let folder = Scratch::new()?;
    let places = Places {
        forewarn: beside.join("forewarn"),
        bench,
        folder: folder.0.clone(),
    };
    let effort = Effort {
        rounds: if arguments.quick {
            1
        } else {
            arguments.rounds.max(1)
        },
        window: Duration::from_secs(if arguments.quick { 4 } else { 10 }),
        alarms: 80,
        recorded: if arguments.quick { 2_000 } else { 30_000 },
    };
    let rows = match &arguments.role {
        Some(Role::Replay) => vec![replay::row(&places, effort)?],
        Some(Role::Memory) => table::memory(&rounds::memory(&places, effort)?),
        Some(Role::Modbus) => modbus::rows(&places, effort)?,
        Some(Role::Floor(_) | Role::ModbusPart(_) | Role::ModbusFloor(_)) | None => {
            let board = arguments.board.then(|| rounds::file_size(&board));
            let sizes = [
                Some(rounds::file_size(&places.forewarn)?),
                board.transpose()?,
            ];
            let mut rows = table::rows(&rounds::run(&places, effort)?, sizes);
            rows.push(replay::row(&places, effort)?);
            rows
        }
    };
    let text = if arguments.json {
        format!("{:#}\n", table::json(&rows))
    } else {
        table::markdown(&rows)
    };
    io::stdout().lock().write_all(text.as_bytes())?;
    Ok(())
}

/// A program alone: built together with this package it would get this package's features.
fn build(program: &str, profile: &[&str]) -> Result<(), Box<dyn Error>> {
    say(&format!("building {program} {}", profile.join(" ")));
    let package = if program == "forewarn" {
        "forewarn"
    } else {
        "simulators"
    };
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args([
            "build",
            "--quiet",
            "--locked",
            "--package",
            package,
            "--bin",
            program,
        ])
        .args(profile)
        .current_dir(workspace())
        .stdout(Stdio::null())
        .status()?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("{program} does not build").into())
    }
}

/// Where the gateway's package lies. Without `..`, which cargo would take for another place and build
/// everything of ours again.
fn workspace() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}

/// A folder that goes with this value. Not in memory: a commit has to cost what it costs.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> io::Result<Self> {
        let name = format!("forewarn-bench-{}", std::process::id());
        let folder = workspace().join("target").join(name);
        std::fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _left = std::fs::remove_dir_all(&self.0).is_err();
    }
}
