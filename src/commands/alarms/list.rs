//! `forewarn alarms list`: what stands, the most urgent first.

use std::cmp::Reverse;
use std::fmt::Write;

use clap::{Args, ValueEnum};
use serde_json::Value;

use super::{measured, text};

/// Which alarms.
#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// Which of them
    #[arg(long, value_enum, default_value_t = Which::Standing)]
    state: Which,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Which {
    /// Whatever is not simply normal
    Standing,
    /// The condition is true
    Active,
    /// Nobody has acknowledged it
    Unacknowledged,
    /// Waits for a confirmation
    Unconfirmed,
    /// Every alarm there is
    All,
}

impl ListArgs {
    pub(super) fn path(&self) -> String {
        let state = match self.state {
            Which::Standing => "standing",
            Which::Active => "active",
            Which::Unacknowledged => "unacknowledged",
            Which::Unconfirmed => "unconfirmed",
            Which::All => "all",
        };
        format!("/api/v1/alarms?state={state}")
    }
}

/// A heading, and what stands below it for an alarm.
type Column = (&'static str, fn(&Value) -> String);

const COLUMNS: [Column; 6] = [
    ("PRIORITY", |alarm| text(alarm, "priority").to_owned()),
    ("ALARM", |alarm| text(alarm, "alarm").to_owned()),
    ("STATE", state),
    ("VALUE", value),
    ("SINCE", since),
    ("NAME", |alarm| text(alarm, "name").to_owned()),
];

/// The answer as a table for people.
pub(super) fn table(answer: &Value) -> String {
    let of = |key: &str| {
        answer
            .get(key)
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    };
    let (mut alarms, drills) = (of("alarms"), of("drills"));
    alarms.sort_by_cached_key(|alarm| {
        let urgency = ["critical", "high", "medium", "low"];
        let urgency = urgency
            .iter()
            .position(|word| *word == text(alarm, "priority"));
        let waits = text(alarm, "state").contains("unacknowledged");
        (
            !waits,
            urgency,
            Reverse(text(alarm, "raised_at").to_owned()),
        )
    });
    if alarms.is_empty() && drills.is_empty() {
        return format!("nothing stands (as of {})\n", text(answer, "time"));
    }
    let rows: Vec<[String; 6]> = (alarms.iter().chain(&drills))
        .map(|alarm| COLUMNS.map(|(_, cell)| cell(alarm)))
        .collect();
    let widths = column_widths(&rows);
    let mut table = String::new();
    let heading = COLUMNS.map(|(heading, _)| heading.to_owned());
    for row in [heading].iter().chain(&rows) {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            write!(line, "{cell:<width$}  ").expect("writing to a String cannot fail");
        }
        table.push_str(line.trim_end());
        table.push('\n');
    }
    table
}

fn column_widths(rows: &[[String; 6]]) -> [usize; 6] {
    let mut widths = COLUMNS.map(|(heading, _)| heading.len());
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    widths
}

/// What lies over it counts more than what is beneath (contract 8.1).
fn state(alarm: &Value) -> String {
    let state = text(alarm, "state").replace('_', " ");
    let overlays = alarm.get("overlays").and_then(Value::as_array);
    let strongest = overlays.and_then(|overlays| overlays.first()?.as_str());
    match strongest {
        Some(overlay) => format!("{} ({state})", overlay.replace('_', " ")),
        None => state,
    }
}

fn value(alarm: &Value) -> String {
    let value = measured(alarm, "value");
    match (text(alarm, "quality"), value.is_empty()) {
        ("bad", _) => "no value".to_owned(),
        (_, true) => String::new(),
        ("uncertain", false) => format!("{value} ?"),
        (_, false) => value,
    }
}

fn since(alarm: &Value) -> String {
    let at = text(alarm, "raised_at");
    at.get(..19).unwrap_or(at).replace('T', " ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_waits_comes_first_then_what_is_urgent_then_what_is_new() {
        let alarm = |alarm, priority, state, raised| {
            json!({"alarm": alarm, "priority": priority, "state": state, "overlays": [],
                "quality": "good", "value": 8.04, "unit": "bar", "raised_at": raised, "name": "甲"})
        };
        let answer = json!({"time": "t", "drills": [], "alarms": [
            alarm("A/high", "critical", "acknowledged", "2026-05-04T06:12:31.000Z"),
            alarm("B/high", "low", "unacknowledged", "2026-05-04T06:12:31.000Z"),
            alarm("C/high", "high", "returned_unacknowledged", "2026-05-04T06:12:31.000Z"),
            alarm("D/high", "high", "unacknowledged", "2026-05-04T06:12:32.000Z"),
        ]});
        let table = table(&answer);
        let names: Vec<_> = table
            .lines()
            .skip(1)
            .filter_map(|line| line.split_whitespace().nth(1))
            .collect();
        assert_eq!(names, ["D/high", "C/high", "B/high", "A/high"]);
        let first = table.lines().nth(1).unwrap_or_default();
        assert_eq!(
            first,
            "high      D/high  unacknowledged           8.04 bar  2026-05-04 06:12:32  甲"
        );
    }

    #[test]
    fn a_value_that_is_none_is_not_shown_as_one() {
        let bad = json!({"value": 8.0, "quality": "bad", "unit": "bar"});
        assert_eq!(value(&bad), "no value");
        let doubtful = json!({"value": 8.0, "quality": "uncertain", "unit": "bar"});
        assert_eq!(value(&doubtful), "8 bar ?");
        let covered = json!({"state": "unacknowledged", "overlays": ["out_of_service", "shelved"]});
        assert_eq!(state(&covered), "out of service (unacknowledged)");
    }

    #[test]
    fn nothing_is_said_as_such_with_its_time() {
        let answer = json!({"time": "2026-05-04T06:12:31.000Z", "alarms": [], "drills": []});
        assert_eq!(
            table(&answer),
            "nothing stands (as of 2026-05-04T06:12:31.000Z)\n"
        );
    }
}
