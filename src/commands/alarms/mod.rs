//! `forewarn alarms`: what stands, and what people do about it, on the gateway that runs.

mod list;
mod order;
mod show;

use std::io::Write;

use clap::{Args, Subcommand};
use serde_json::Value;

use self::order::Order;
use super::GOOD;
use super::daemon::{Reach, segment};
use super::trouble::Trouble;

/// Arguments of `forewarn alarms`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  forewarn alarms list\n  forewarn alarms ack CH4-101/high --as li-wei --comment \"going there\"\n  forewarn alarms shelve VIB-9B/high --for 2h --reason \"coupling exchange\"\n\nExit codes: 0 good, 1 the gateway says no, 2 usage, 3 no gateway answers"
)]
pub struct AlarmsArgs {
    #[command(flatten)]
    reach: Reach,
    /// Print the gateway's answer as JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// What stands: active, not acknowledged, not confirmed, latched, or under an overlay
    List(list::ListArgs),
    /// Everything about one alarm
    Show {
        /// POINT/KIND
        alarm: String,
    },
    #[command(flatten)]
    Order(Order),
}

/// Runs `forewarn alarms` and gives the exit code.
pub fn run(args: AlarmsArgs, mut out: impl Write) -> u8 {
    match answer(args, &mut out) {
        Ok(()) => GOOD,
        Err(trouble) => trouble.complain(),
    }
}

fn answer(args: AlarmsArgs, out: &mut impl Write) -> Result<(), Trouble> {
    let json = args.json;
    match args.what {
        What::List(which) => {
            let answer = args.reach.find()?.get(&which.path())?;
            if json {
                writeln!(out, "{answer}")?;
            } else {
                out.write_all(list::table(&answer).as_bytes())?;
            }
        }
        What::Show { alarm } => {
            let path = path_of(&alarm)?;
            let answer = args.reach.find()?.get(&path)?;
            if json {
                writeln!(out, "{answer}")?;
            } else {
                out.write_all(show::lines(&answer).as_bytes())?;
            }
        }
        What::Order(order) => {
            let path = format!("{}/{}", path_of(order.alarm())?, order.path());
            let body = order.body().map_err(Trouble::Usage)?;
            let answer = args.reach.find()?.post(&path, &body)?;
            if json {
                writeln!(out, "{answer}")?;
            } else {
                writeln!(out, "{}", order::said(order.path(), &answer))?;
            }
        }
    }
    Ok(())
}

/// `/api/v1/alarms/POINT/KIND`.
fn path_of(alarm: &str) -> Result<String, Trouble> {
    match alarm.rsplit_once('/') {
        Some((point, kind)) if !point.is_empty() && !kind.is_empty() => Ok(format!(
            "/api/v1/alarms/{}/{}",
            segment(point),
            segment(kind)
        )),
        Some(_) | None => Err(Trouble::Usage(format!(
            "{alarm:?} is no alarm: write POINT/KIND, such as CH4-101/high"
        ))),
    }
}

/// A text of an answer; empty if it is not there.
fn text<'a>(of: &'a Value, key: &str) -> &'a str {
    of.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// A value with its unit.
fn measured(of: &Value, key: &str) -> String {
    match of.get(key).and_then(Value::as_f64) {
        Some(value) => format!("{value} {}", text(of, "unit"))
            .trim_end()
            .to_owned(),
        None => String::new(),
    }
}
