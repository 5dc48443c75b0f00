//! `forewarn journal show`: one event as the ledger has it: raised, committed, sent, accepted by whom and when,
//! who was told of it, who acknowledged.
//!
//! ```text
//!   account of the event ─────────────────────────────┐
//!   what belongs to the same occurrence, before and ──┤
//!   after it ─▶ its notices ─▶ the account of each ───┴─▶ story (`story.rs`)
//! ```
//!
//! | bound | then |
//! |---|---|
//! | 20,000 events are looked through before it, and as many after it | what lies beyond is not found |
//! | 100 notices | what became of those beyond is not asked |

mod story;

use std::io::Write;

use clap::Args;
use serde_json::Value;

use self::story::{Notice, Story};
use super::rows::{From, Rows};
use crate::commands::trouble::Trouble;

/// Events that are looked through in either direction, at most.
const LOOKED: usize = 20_000;

/// Events of one step backwards.
const STEP: u64 = 1000;

/// Notices whose delivery is asked for, at most.
const NOTICES: usize = 100;

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
    let mut account = rows.account(seq)?.ok_or_else(nothing)?;
    let event = account["event"].take();
    if args.event.contains(':') && event["id"] != args.event.as_str() {
        let other = event["id"].as_str().unwrap_or_default();
        return Err(Trouble::Nothing(format!(
            "there is no event {} in this journal; number {seq} is {other}",
            args.event
        )));
    }
    let earlier = earlier(&mut rows, &event, seq)?;
    let followed = followed(&mut rows, &event, seq)?;
    let notices = notices(&mut rows, earlier.iter().chain([&event]).chain(&followed))?;
    let story = Story {
        event,
        account,
        earlier,
        notices,
        followed,
    };
    if args.json {
        writeln!(out, "{}", story.json())?;
    } else {
        out.write_all(story.words().as_bytes())?;
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

/// What happened to the same occurrence before, from its beginning on.
fn earlier(rows: &mut Rows, event: &Value, seq: u64) -> Result<Vec<Value>, Trouble> {
    let mut earlier = Vec::new();
    let (mut upto, mut looked) = (seq - 1, 0);
    let mut began = event["alarm"].is_null() || event["event"] == "raised";
    while !began && upto > 0 && looked < LOOKED {
        let after = upto.saturating_sub(STEP);
        let mut stretch = between(rows, after, upto)?;
        looked += usize::try_from(upto - after).unwrap_or(LOOKED);
        stretch.retain(|other| same_occurrence(event, other));
        began = stretch.iter().any(|other| other["event"] == "raised");
        stretch.append(&mut earlier);
        earlier = stretch;
        upto = after;
    }
    Ok(earlier)
}

/// Events after one number up to another.
fn between(rows: &mut Rows, mut after: u64, upto: u64) -> Result<Vec<Value>, Trouble> {
    let mut events = Vec::new();
    while after < upto {
        let page = rows.page(after)?;
        let Some(last) = page.rows.last().map(|row| row.seq) else {
            break;
        };
        let rows = page.rows.into_iter().filter(|row| row.seq <= upto);
        events.extend(rows.filter_map(|row| serde_json::from_str(&row.line?).ok()));
        after = last;
    }
    Ok(events)
}

/// What happened to the same occurrence afterwards.
fn followed(rows: &mut Rows, event: &Value, seq: u64) -> Result<Vec<Value>, Trouble> {
    let mut followed = Vec::new();
    if event["alarm"].is_null() {
        return Ok(followed);
    }
    let (mut after, mut looked) = (seq, 0);
    while looked < LOOKED {
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

/// Who was told, and what became of that.
fn notices<'e>(
    rows: &mut Rows,
    events: impl Iterator<Item = &'e Value>,
) -> Result<Vec<Notice>, Trouble> {
    let mut notices = Vec::new();
    for event in events.filter(|event| event["event"] == "notified") {
        let seq = event["seq"].as_u64().filter(|_| notices.len() < NOTICES);
        let account = match seq {
            Some(seq) => rows.account(seq)?,
            None => None,
        };
        notices.push(Notice::new(event.clone(), account.as_ref()));
    }
    Ok(notices)
}
