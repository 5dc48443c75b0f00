//! `forewarn journal show`: one event, and what became of it.
//!
//! Of an event of an alarm everything that followed in the same occurrence is gathered: who was told over
//! what, who acknowledged, when it cleared. The gateway says which outputs have accepted it.

use std::io::Write;

use clap::Args;
use serde_json::{Value, json};

use super::rows::{From, Rows};
use super::words;
use crate::commands::trouble::Trouble;

/// Events that are looked through for what followed, at most.
const FOLLOWED: usize = 20_000;

/// What ends an occurrence: nothing follows it.
const LAST: &str = "all_clear";

/// Arguments of `forewarn journal show`.
#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    #[command(flatten)]
    from: From,
    /// SITE:EPOCH:SEQ, or the number alone
    event: String,
    /// Print it as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &ShowArgs, out: &mut impl Write) -> Result<(), Trouble> {
    let seq = number(&args.event)?;
    let mut rows = args.from.open()?;
    let nothing = || Trouble::Nothing(format!("there is no event {} in this journal", args.event));
    let row = rows.row(seq)?.ok_or_else(nothing)?;
    let event: Value = row
        .line
        .and_then(|line| serde_json::from_str(&line).ok())
        .ok_or(crate::journal::chain::Damage::Altered { seq })?;
    if args.event.contains(':') && event["id"] != args.event.as_str() {
        let other = event["id"].as_str().unwrap_or_default();
        return Err(Trouble::Nothing(format!(
            "there is no event {} in this journal; number {seq} is {other}",
            args.event
        )));
    }
    let followed = followed(&mut rows, &event, seq)?;
    let outputs = outputs(&rows, seq)?;
    if args.json {
        let whole = json!({"event": event, "followed": followed, "outputs": outputs});
        writeln!(out, "{whole}")?;
        return Ok(());
    }
    writeln!(out, "{}", words::line(&event))?;
    for (key, value) in event.as_object().into_iter().flatten() {
        writeln!(out, "  {key:<14} {value}")?;
    }
    if !outputs.is_empty() {
        writeln!(out, "outputs")?;
    }
    for output in &outputs {
        let (id, accepted) = (&output["output"], output["accepted"] == true);
        let id = id.as_str().unwrap_or_default();
        let words = if accepted {
            "accepted"
        } else {
            "not accepted yet"
        };
        writeln!(out, "  {id:<14} {words}")?;
    }
    if !followed.is_empty() {
        writeln!(out, "what followed")?;
    }
    for event in &followed {
        writeln!(out, "  {}", words::line(event))?;
    }
    Ok(())
}

fn number(event: &str) -> Result<u64, Trouble> {
    let number = event.rsplit(':').next().and_then(|seq| seq.parse().ok());
    number.filter(|seq| *seq > 0).ok_or_else(|| {
        Trouble::Usage(format!(
            "{event:?} is no event: write SITE:EPOCH:SEQ, such as north-plant:7:1042, or its number"
        ))
    })
}

/// What happened to the same occurrence afterwards.
fn followed(rows: &mut Rows, event: &Value, seq: u64) -> Result<Vec<Value>, Trouble> {
    let mut followed = Vec::new();
    if event["alarm"].is_null() {
        return Ok(followed);
    }
    let (mut after, mut looked) = (seq, 0);
    while looked < FOLLOWED {
        let page = rows.page(after)?;
        let Some(last) = page.rows.last().map(|row| row.seq) else {
            break;
        };
        looked += page.rows.len();
        after = last;
        let lines = page.rows.into_iter().filter_map(|row| row.line);
        let events = lines.filter_map(|line| serde_json::from_str::<Value>(&line).ok());
        for other in events.filter(|other| same_occurrence(event, other)) {
            let over = other["event"] == LAST;
            followed.push(other);
            if over {
                return Ok(followed);
            }
        }
    }
    Ok(followed)
}

fn same_occurrence(event: &Value, other: &Value) -> bool {
    let alarm = &event["alarm"];
    let names = |list: &Value| {
        let alarms = list.as_array().into_iter().flatten();
        alarms.into_iter().any(|named| named == alarm)
    };
    (other["alarm"] == *alarm && other["occurrence"] == event["occurrence"])
        || names(&other["alarms"])
}

/// Which outputs have it; a file does not know.
fn outputs(rows: &Rows, seq: u64) -> Result<Vec<Value>, Trouble> {
    let Rows::Daemon(daemon) = rows else {
        return Ok(Vec::new());
    };
    let status = daemon.get("/api/v1/status")?;
    let outputs = status["outputs"].as_array().into_iter().flatten();
    let output = |output: &Value| {
        let accepted = output["accepted"].as_u64().is_some_and(|upto| seq <= upto);
        json!({"output": output["id"], "accepted": accepted})
    };
    Ok(outputs.map(output).collect())
}
