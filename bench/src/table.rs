//! The figures against the goals.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::rounds::Measured;

/// One line of the table.
#[derive(Debug)]
pub(crate) struct Row {
    goal: &'static str,
    what: String,
    forewarn: f64,
    floor: Option<f64>,
    unit: &'static str,
    /// The figure must not exceed this; none: it is only shown.
    bar: Option<f64>,
    /// What the bar is.
    words: String,
}

impl Row {
    fn met(&self) -> Option<bool> {
        self.bar.map(|bar| self.forewarn <= bar)
    }

    fn ratio(&self) -> Option<f64> {
        self.floor
            .filter(|floor| *floor > 0.0)
            .map(|floor| self.forewarn / floor)
    }
}

/// The median; 0 of nothing.
pub(crate) fn median(values: &[f64]) -> f64 {
    percentile(values, 50)
}

/// The nearest-rank percentile; 0 of nothing.
pub(crate) fn percentile(values: &[f64], percent: usize) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (sorted.len() * percent).div_ceil(100).max(1) - 1;
    sorted.get(rank).copied().unwrap_or(0.0)
}

/// Every goal that this benchmark can judge, in order. `sizes`: the binary as built for release, and
/// for boards.
pub(crate) fn rows([forewarn, floor]: &[Measured; 2], sizes: [Option<f64>; 2]) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut row = |goal, what: &str, ours: f64, floor: Option<f64>, unit, bar, words: &str| {
        rows.push(Row {
            goal,
            what: what.to_owned(),
            forewarn: ours,
            floor,
            unit,
            bar,
            words: words.to_owned(),
        });
    };
    let both = |of: fn(&Measured) -> &Vec<f64>| (median(of(forewarn)), median(of(floor)));
    let (ours, bare) = both(|m| &m.cpu[0]);
    let words = "1.5 x floor";
    row(
        "P1",
        "CPU per reading, 1,000 points, 2,000/s",
        ours,
        Some(bare),
        "us",
        Some(1.5 * bare),
        words,
    );
    let (large, bare_large) = both(|m| &m.cpu[1]);
    row(
        "P2",
        "CPU per reading, 10,000 points, 2,000/s",
        large,
        Some(bare_large),
        "us",
        Some(1.1 * ours),
        "1.1 x of 1,000 points",
    );
    let behind = |m: &Measured| {
        median(
            &m.flood
                .iter()
                .map(|f| f.behind.as_secs_f64() * 1e3)
                .collect::<Vec<_>>(),
        )
    };
    let rates: Vec<f64> = forewarn.flood.iter().map(|flood| flood.rate).collect();
    let what = format!("alarm behind 4 s of {:.0} readings/s", median(&rates));
    row(
        "P3",
        &what,
        behind(forewarn),
        Some(behind(floor)),
        "ms",
        Some(100.0),
        "no backlog",
    );
    let lost: u64 = forewarn.flood.iter().map(|flood| flood.lost).sum();
    row(
        "P3",
        "readings of these floods lost (QoS 0; the broker may drop, too)",
        lost as f64,
        None,
        "",
        Some(0.0),
        "none",
    );
    row(
        "P3",
        "readings lost at QoS 1, 2,000/s, all windows",
        forewarn.lost as f64,
        None,
        "",
        Some(0.0),
        "none",
    );
    for (at, what, bar, words) in [
        (0, "resident, idle (1 point)", Some(10.0), "10 MB"),
        (1, "resident, 1,000 points", None, ""),
        (2, "resident, 10,000 points", Some(20.0), "20 MB"),
    ] {
        let (ours, bare) = (median(&forewarn.memory[at]), median(&floor.memory[at]));
        row("P4", what, ours, Some(bare), "MB", bar, words);
    }
    let (ours, bare) = both(|m| &m.memory_peak);
    row(
        "P4",
        "highest resident ever, 10,000 points",
        ours,
        Some(bare),
        "MB",
        None,
        "",
    );
    for (at, rate) in ["100/s", "2,000/s"].into_iter().enumerate() {
        for percent in [50, 99] {
            let of = |m: &Measured| percentile(&m.latency[at], percent);
            let bare = of(floor);
            let what = format!("alarm latency p{percent}, {rate}");
            row(
                "P5",
                &what,
                of(forewarn),
                Some(bare),
                "ms",
                Some(1.5 * bare),
                "1.5 x floor",
            );
        }
    }
    for (at, rate) in ["100/s", "2,000/s"].into_iter().enumerate() {
        for percent in [50, 99] {
            let of = |m: &Measured| percentile(&m.latency_default[at], percent);
            let bar = 1.5 * percentile(&forewarn.latency[at], percent);
            let what = format!("the same, default broker, p{percent}, {rate}");
            row(
                "P6",
                &what,
                of(forewarn),
                Some(of(floor)),
                "ms",
                Some(bar),
                "1.5 x of P5 measured",
            );
        }
    }
    let (ours, bare) = both(|m| &m.first_alarm[1]);
    row(
        "P13",
        "start to first alarm, 1,000 points",
        ours,
        Some(bare),
        "ms",
        Some(100.0),
        "100 ms",
    );
    for (size, what) in sizes
        .into_iter()
        .zip(["binary, release", "binary, board profile"])
    {
        if let Some(size) = size {
            row("P15", what, size, None, "MB", Some(15.0), "15 MB");
        }
    }
    row(
        "P16",
        "events made by the first readings of 10,000 sensors",
        forewarn.uninvited as f64,
        None,
        "",
        Some(0.0),
        "none",
    );
    for percent in [50, 99] {
        let bare = percentile(&floor.latency[1], percent);
        let ours = percentile(&forewarn.power_up, percent);
        let during = percentile(&floor.power_up, percent);
        let what = format!("alarm latency p{percent} in that moment");
        row(
            "P16",
            &what,
            ours,
            Some(during),
            "ms",
            Some(3.0 * bare),
            "2 x P5 = 3 x floor at 2,000/s",
        );
    }
    rows
}

/// The table as Markdown.
pub(crate) fn markdown(rows: &[Row]) -> String {
    let mut text = String::from(
        "| goal | figure | forewarn | floor | ratio | bar | |\n|---|---|---|---|---|---|---|\n",
    );
    for row in rows {
        let unit = row.unit;
        let number = |value: f64| format!("{value:.prec$} {unit}", prec = digits(value));
        let floor = row.floor.map_or_else(String::new, number);
        let ratio = row.ratio().map_or_else(String::new, |r| format!("{r:.2}"));
        let bar = row.bar.map_or_else(String::new, |bar| {
            format!("{} ({})", number(bar), row.words)
        });
        let met = row
            .met()
            .map_or("", |met| if met { "met" } else { "**not met**" });
        writeln!(
            text,
            "| {} | {} | {} | {floor} | {ratio} | {bar} | {met} |",
            row.goal,
            row.what,
            number(row.forewarn)
        )
        .expect("writing to a string");
    }
    text
}

/// Three significant digits are as many as a shared machine allows.
fn digits(value: f64) -> usize {
    match value.abs() {
        v if v >= 100.0 || v.fract() == 0.0 => 0,
        v if v >= 10.0 => 1,
        v if v >= 1.0 => 2,
        _ => 3,
    }
}

/// The table for programs.
pub(crate) fn json(rows: &[Row]) -> Value {
    rows.iter()
        .map(|row| {
            json!({
                "goal": row.goal,
                "what": row.what,
                "unit": row.unit,
                "forewarn": row.forewarn,
                "floor": row.floor,
                "ratio": row.ratio(),
                "bar": row.bar,
                "met": row.met(),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_measured() {
        assert!(percentile(&[], 50).abs() < f64::EPSILON);
        let values: Vec<f64> = (1..=80).rev().map(f64::from).collect();
        assert!((median(&values) - 40.0).abs() < f64::EPSILON);
        assert!((percentile(&values, 99) - 80.0).abs() < f64::EPSILON);
        assert!((percentile(&[3.0], 99) - 3.0).abs() < f64::EPSILON);
    }

    #[test]
    fn a_row_without_a_bar_is_neither_met_nor_missed() {
        let mut row = Row {
            goal: "P",
            what: String::new(),
            forewarn: 2.0,
            floor: Some(0.0),
            unit: "ms",
            bar: None,
            words: String::new(),
        };
        assert_eq!((row.met(), row.ratio()), (None, None));
        row.bar = Some(2.0);
        assert_eq!(row.met(), Some(true));
        row.bar = Some(1.9);
        assert_eq!(row.met(), Some(false));
    }
}
