//! `forewarn probe`: what a device holds, live, decoded in every type and order; and who is on a line.
//!
//! ```text
//!  arguments ─▶ target ─▶ ask ─▶ decodings ─▶ plausible ─▶ show, json
//!               (config)   │        (decode)   texts          paste
//!                          └▶ scan ─────────────────────────▶ units
//! ```
//!
//! What talks to the device is the gateway's own transport, with everything that guards it against wrong answers; it
//! knows functions that read, and no other. A device is asked little: few requests, pauses, an end.
//!
//! A serial line has one master. A gateway that runs holds it, and a second one is refused it. On TCP nobody can tell
//! whether a gateway is connected; a device that takes one connection only refuses the second, and is
//! said to.

mod args;
mod ask;
mod decodings;
mod json;
mod paste;
mod plausible;
mod registers;
mod scan;
mod show;
mod target;
mod texts;
mod units;
mod words;

use std::io::{self, IsTerminal, Write};

pub use self::args::ProbeArgs;
use self::ask::{Heard, Limits, Stopped};
use self::decodings::{Decoded, Found as Plausible, Wanted};
use self::paste::Stated;
use self::plausible::Expected;
use self::registers::Span;
use self::show::{Judged, Look};
use self::target::{Known, Target, Unfit};
use self::texts::Text;
use super::run::runtime;
use super::{BAD_CONFIGURATION, FINDINGS, GOOD, USAGE, complain};
use crate::config::Source;
use crate::input::modbus::Table;
use crate::input::modbus::transport::Link;
use crate::scalar::show_number;

/// Everything that is known of what was read.
struct Found<'a> {
    decoded: Decoded,
    /// The configured points whose registers were read.
    points: Vec<(&'a Known, Judged)>,
    /// The most plausible, where no configured point is.
    best: Vec<Plausible>,
    /// What reads as text.
    texts: Vec<Text>,
    toml: String,
}

/// Runs it on the real environment; gives the exit code.
pub fn run(args: &ProbeArgs, mut out: impl Write + IsTerminal) -> u8 {
    let environment = Source::file(args.config.clone()).environment(std::env::vars_os());
    let target = match target::target(args, environment) {
        Ok(target) => target,
        Err(unfit) => return refuse(&unfit),
    };
    let colour = out.is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let asked = if args.scan {
        units::scanned(args, &target, &mut out)
    } else {
        probed(args, &target, Look { colour }, &mut out)
    };
    let written = asked.and_then(|code| out.flush().map(|()| code));
    written.unwrap_or_else(|error| {
        complain(&error);
        FINDINGS
    })
}

fn refuse(unfit: &Unfit) -> u8 {
    let mut err = io::stderr().lock();
    match unfit {
        Unfit::Usage(text) => {
            let text = text
                .strip_prefix("error")
                .map_or_else(|| format!("error: {text}\n"), |_| format!("{text}\n"));
            let _nobody = err.write_all(text.as_bytes()).is_err();
            USAGE
        }
        Unfit::Configuration(mistakes) => {
            let _nobody = write!(err, "{mistakes}").is_err();
            BAD_CONFIGURATION
        }
    }
}

fn probed(args: &ProbeArgs, target: &Target, look: Look, out: &mut impl Write) -> io::Result<u8> {
    let spans = match spans(args, target) {
        Ok(spans) => spans,
        Err(text) => return Ok(refuse(&Unfit::Usage(text))),
    };
    let limits = Limits {
        timeout: args.timeout.unwrap_or(target.timeout),
        pause: args.pause,
        within: args.within,
        max_registers: target.max_registers,
        max_bits: target.max_bits,
    };
    let mut link = Link::new(&target.line, limits.timeout);
    let unit = target.unit_id;
    let heard = runtime()?.block_on(ask::read_twice(&mut link, unit, &spans, limits));
    let found = found(args, target, &heard);
    if args.json {
        writeln!(out, "{}", json::document(target, &heard, &found))?;
    } else if args.toml {
        write!(out, "{}", found.toml)?;
    } else {
        report(args, target, &found, look, out)?;
    }
    show::refusals(&heard, target, &mut io::stderr().lock())?;
    if args.toml && found.toml.is_empty() {
        let text = "nothing to paste: what was read is as configured, or nothing stands out";
        writeln!(io::stderr().lock(), "{text}")?;
    }
    let any = !found.decoded.registers.is_empty() || !found.decoded.bits.is_empty();
    let whole = !matches!(heard.stopped, Some(Stopped::Unreachable(_)));
    Ok(if any && whole { GOOD } else { FINDINGS })
}

/// What to read.
fn spans(args: &ProbeArgs, target: &Target) -> Result<Vec<Span>, String> {
    let spans = if args.registers.is_empty() {
        target.spans()
    } else {
        args.registers.clone()
    };
    if spans.is_empty() {
        return Err(match &target.id {
            Some(id) => format!("no point is read from \"{id}\"; say which registers: input:0-9"),
            None => "say which registers: input:0-9, holding:100, coil:0-15".to_owned(),
        });
    }
    let (spans, left_out) = registers::outside(registers::merged(spans), &target.gaps);
    if spans.is_empty() {
        return Err(
            "the configuration lists all of it in `gaps` of the device, which are never read"
                .to_owned(),
        );
    }
    for span in left_out {
        let text = format!("{span}: not asked for, as the configuration lists it in `gaps`");
        let _nobody = writeln!(io::stderr().lock(), "{text}").is_err();
    }
    let addresses: usize = spans.iter().map(|span| span.len()).sum();
    if addresses > registers::MOST {
        return Err(format!(
            "{addresses} addresses are too many at a time; up to {} are asked for",
            registers::MOST
        ));
    }
    Ok(spans)
}

/// What numbers are expected where no configured point says so.
fn stated(args: &ProbeArgs) -> Option<Expected> {
    let by_unit = || args.unit.as_deref().and_then(plausible::of_unit);
    args.range.or_else(by_unit)
}

fn found<'a>(args: &ProbeArgs, target: &'a Target, heard: &Heard) -> Found<'a> {
    let stated_range = stated(args);
    let wanted = Wanted {
        data_type: args.data_type,
        order: args.order,
    };
    let decoded = decodings::decoded(heard, wanted, |table, address| {
        let configured = target.expected(table, address);
        configured.or(stated_range).unwrap_or(Expected::ANY)
    });
    let points: Vec<_> = target
        .points
        .iter()
        .filter_map(|known| Some((known, Judged::of(known, &heard.pieces, &decoded)?)))
        .collect();
    let is_configured = |table: Table, first: u16, width: u16| {
        let mut taken = target.spans().into_iter();
        taken.any(|span| {
            span.table == table
                && span.first <= first.saturating_add(width - 1)
                && first <= span.last
        })
    };
    let mut best = decoded.most_plausible(args.data_type.is_some());
    best.retain(|found| {
        !is_configured(
            found.table,
            found.address,
            found.decoding.data_type.registers(),
        )
    });
    let few = decoded.bits.len() <= MOST_BITS;
    let bits = decoded
        .bits
        .iter()
        .filter(|bit| few && !is_configured(bit.table, bit.address, 1));
    let bits: Vec<_> = bits.copied().collect();
    let stated = Stated {
        range: args.range.map(|range| (range.low, range.high)),
        unit: args.unit.as_deref(),
    };
    let mut toml = paste::lines(target, &best, &bits, stated);
    for (known, judged) in &points {
        if let Some(instead) = &judged.instead {
            if !toml.is_empty() {
                toml.push('\n');
            }
            toml.push_str(&paste::correction(&known.id, instead));
        }
    }
    Found {
        texts: texts::texts(&decoded),
        decoded,
        points,
        best,
        toml,
    }
}

/// Whoever asks for more bits than this wants to see them, not to configure each.
const MOST_BITS: usize = 16;

fn report(
    args: &ProbeArgs,
    target: &Target,
    found: &Found<'_>,
    look: Look,
    out: &mut impl Write,
) -> io::Result<()> {
    show::table(&found.decoded, look, out)?;
    if !found.texts.is_empty() {
        writeln!(out, "\nTexts:")?;
        texts::show(&found.texts, out)?;
    }
    if !found.points.is_empty() {
        writeln!(out, "\nAs configured:")?;
        show::points(&found.points, out)?;
    }
    if found.decoded.registers.is_empty() && found.decoded.bits.is_empty() {
        return Ok(());
    }
    let of_range = match stated(args) {
        Some(Expected { low, high, .. }) => {
            format!("in {} to {}", show_number(low), show_number(high))
        }
        None => match &args.unit {
            Some(unit) => {
                format!("without a range (none is known for {unit}); `--range 0..100` tells more")
            }
            None => "without a range; `--range 0..100` tells more".to_owned(),
        },
    };
    if !found.best.is_empty() {
        writeln!(out, "\nMost plausible {of_range}:")?;
        show::found(&found.best, out)?;
    } else if target.points.is_empty() && !found.decoded.registers.is_empty() {
        writeln!(out, "\nNothing stands out {of_range}.")?;
    }
    if !found.toml.is_empty() {
        writeln!(
            out,
            "\nTo paste, after a look at the device's display or manual:\n\n{}",
            found.toml.trim_end()
        )?;
    }
    Ok(())
}
