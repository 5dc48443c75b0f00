//! Arguments in, exit code out; everything else is in the library.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use forewarn::commands;

/// Early-warning gateway for hazard points in plants.
///
/// A supplementary tool: it does not replace certified detection, alarm or shutdown equipment.
#[derive(Parser)]
#[command(
    version,
    after_help = "First steps:\n  forewarn demo                                 a simulated gas leak, no set-up\n  forewarn check --config forewarn.toml --explain\n  forewarn run --config forewarn.toml --data /var/lib/forewarn"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Watch: the daemon
    Run(commands::run::RunArgs),
    /// Show the whole thing on this machine, with a simulated plant
    #[cfg(feature = "demo")]
    Demo(commands::demo::DemoArgs),
    /// Look for mistakes in a configuration
    Check(commands::check::CheckArgs),
    /// Read a device live, in every type and byte order, or find who is on a line
    Probe(commands::probe::ProbeArgs),
    /// Try rules on recorded readings, in virtual time
    Replay(commands::replay::ReplayArgs),
    /// Check that readings over time give the events they must
    Test(commands::test::TestArgs),
    /// Does a message arrive over an output?
    Notify(commands::notify::NotifyArgs),
    /// Points as a list for a spreadsheet
    Points(commands::points::PointsArgs),
    /// What stands, and what people do about it, on the gateway that runs
    Alarms(commands::alarms::AlarmsArgs),
    /// What happened, from the gateway that runs or from a file
    Journal(commands::journal::JournalArgs),
    /// How the gateway that runs is
    Status(commands::status::StatusArgs),
}

fn main() -> ExitCode {
    // Exit codes of the contract: 2 is usage, which is clap's own.
    let arguments = Arguments::parse();
    let out = std::io::stdout();
    ExitCode::from(match arguments.command {
        Command::Run(args) => commands::run::run(args),
        #[cfg(feature = "demo")]
        Command::Demo(args) => commands::demo::run(&args, out),
        Command::Check(args) => commands::check::run(args),
        Command::Probe(args) => commands::probe::run(&args, out),
        Command::Replay(args) => commands::replay::run(&args, out),
        Command::Test(args) => commands::test::run(&args, out),
        Command::Notify(args) => commands::notify::run(args, out),
        Command::Points(args) => commands::points::run(args),
        Command::Alarms(args) => commands::alarms::run(args, out),
        Command::Journal(args) => commands::journal::run(args, out),
        Command::Status(args) => commands::status::run(&args, out),
    })
}
