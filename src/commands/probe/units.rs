//! `--scan`, for people: who is on a line, and the lines to paste.

use std::io::{self, Write};
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use super::registers::Span;
use super::scan::{self, Presence, Scanned};
use super::target::{Target, Unfit};
use super::{ProbeArgs, json, paste, refuse, words};
use crate::commands::run::runtime;
use crate::commands::{FINDINGS, GOOD};
use crate::input::modbus::Table;
use crate::input::modbus::failure::Exception;
use crate::input::modbus::line::Line;
use crate::input::modbus::transport::Link;
use crate::scalar::show_duration;

/// Runs `--scan`; gives the exit code.
pub(super) fn scanned(args: &ProbeArgs, target: &Target, out: &mut impl Write) -> io::Result<u8> {
    let (first, last) = (*args.units.start(), *args.units.end());
    if !matches!(target.line, Line::Tcp(_)) && (first < 1 || last > 247) {
        let text = "on a line of RTU frames units are from 1 to 247";
        return Ok(refuse(&Unfit::Usage(text.to_owned())));
    }
    let question = args.registers.first().copied();
    let question = question.unwrap_or(Span::of(Table::Holding, 0, 1));
    let question = Span::of(question.table, question.first, 1);
    let timeout = scan::timeout(&target.line, args.timeout);
    let silent = scan::silent(&args.units, timeout, args.pause);
    let mut link = Link::new(&target.line, timeout);
    let scanned = runtime()?.block_on(async {
        // Before it is said that it works.
        let mut interrupt = signal(SignalKind::interrupt())?;
        writeln!(
            io::stderr().lock(),
            "asking units {first} to {last} on {} for {question}: about {} if nobody answers, {} each; \
             Ctrl-C ends it",
            target.line,
            show_duration(rounded(silent)),
            show_duration(timeout),
        )?;
        let ends = async {
            interrupt.recv().await;
        };
        let times = (timeout, args.pause);
        let scanned = scan::scan(&mut link, args.units.clone(), question, times, ends).await;
        io::Result::Ok(scanned)
    })?;
    let toml = new_devices(target, &scanned);
    if args.json {
        writeln!(out, "{}", json::scan(target, &scanned, &toml))?;
    } else if args.toml {
        write!(out, "{toml}")?;
    } else {
        units_found(target, &scanned, &toml, out)?;
    }
    let there = scanned
        .units
        .iter()
        .any(|(_, presence)| presence.is_there());
    let mut err = io::stderr().lock();
    if let Some(lost) = &scanned.lost {
        let advice = words::advice(lost, &target.line);
        let what = words::happened(lost);
        writeln!(err, "error: {}: {what}\n  hint: {advice}", target.line)?;
    }
    sum_up(&scanned, &mut err)?;
    Ok(if there { GOOD } else { FINDINGS })
}

/// In whole seconds, up.
fn rounded(time: Duration) -> Duration {
    Duration::from_secs(time.as_secs() + u64::from(time.subsec_nanos() > 0))
}

/// Lines for every unit that is there beyond doubt and is not configured.
fn new_devices(target: &Target, scanned: &Scanned) -> String {
    let there = scanned
        .units
        .iter()
        .filter(|(unit, presence)| presence.is_there() && target.configured(*unit).is_none());
    let devices = there.map(|(unit, _)| {
        let lines = paste::device_lines(&format!("unit-{unit}"), &target.line, *unit);
        lines.join("\n") + "\n"
    });
    devices.collect::<Vec<_>>().join("\n")
}

fn units_found(
    target: &Target,
    scanned: &Scanned,
    toml: &str,
    out: &mut impl Write,
) -> io::Result<()> {
    for (unit, presence) in &scanned.units {
        let id = target.configured(*unit);
        let id = id.map_or_else(String::new, |id| format!(" ({id})"));
        match presence {
            Presence::Answers => writeln!(out, "unit {unit:3}  answers{id}")?,
            Presence::Refuses(code) => {
                let (what, _) = words::exception(*code);
                writeln!(
                    out,
                    "unit {unit:3}  is there{id}, and refuses: exception {}, {what}",
                    code.code()
                )?;
            }
            Presence::NotBehindGateway(code) => {
                let (what, _) = words::exception(*code);
                writeln!(
                    out,
                    "unit {unit:3}  is not there: exception {}, {what}{id}",
                    code.code()
                )?;
            }
            Presence::Garbled(failure) => {
                let (what, advice) = (
                    words::happened(failure),
                    words::advice(failure, &target.line),
                );
                writeln!(
                    out,
                    "unit {unit:3}  gives no clear answer{id}: {what}; {advice}"
                )?;
            }
            Presence::Silent => {
                if !id.is_empty() {
                    writeln!(out, "unit {unit:3}  is silent{id}")?;
                }
            }
        }
    }
    if !toml.is_empty() {
        writeln!(out, "\nTo paste:\n\n{}", toml.trim_end())?;
    }
    Ok(())
}

fn sum_up(scanned: &Scanned, err: &mut impl Write) -> io::Result<()> {
    let count = |is: fn(&Presence) -> bool| {
        scanned
            .units
            .iter()
            .filter(|(_, presence)| is(presence))
            .count()
    };
    let there = count(Presence::is_there);
    let silent = count(|presence| matches!(presence, Presence::Silent));
    let not_there = count(|presence| matches!(presence, Presence::NotBehindGateway(_)));
    let asked = scanned.units.len();
    let early = if scanned.complete {
        ""
    } else {
        " before it ended early"
    };
    writeln!(
        err,
        "{asked} units asked{early}: {there} are there, {not_there} not behind the gateway, {silent} silent"
    )?;
    let failed = count(|presence| matches!(presence, Presence::Refuses(Exception::DeviceFailure)));
    if failed > 1 {
        writeln!(
            err,
            "{failed} say that the device has failed (exception 4): some servers say so for units they do not have"
        )?;
    }
    if there == asked && there > 8 {
        writeln!(
            err,
            "every unit answers: this device hardly looks at unit ids; take 1 or 255"
        )?;
    }
    Ok(())
}
