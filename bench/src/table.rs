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
    words: &'static str,
}

impl Row {
    pub(crate) fn new(
        goal: &'static str,
        what: &str,
        forewarn: f64,
        floor: Option<f64>,
        unit: &'static str,
        bar: Option<f64>,
        words: &'static str,
    ) -> Self {
        Self {
            goal,
            what: what.to_owned(),
            forewarn,
            floor,
            unit,
            bar,
            words,
        }
    }

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
pub(crate) fn rows(both: &[Measured; 2], sizes: [Option<f64>; 2]) -> Vec<Row> {
    let mut rows = cpu(both);
    rows.extend(flood(both));
    rows.extend(memory(both));
    rows.extend(latency(both));
    rows.extend(first(both));
    let words = ["binary, release", "binary, board profile"];
    for (size, what) in sizes.into_iter().zip(words) {
        let row = |size| Row::new("P15", what, size, None, "MB", Some(15.0), "15 MB");
        rows.extend(size.map(row));
    }
    rows.extend(power_up(both));
    rows
}

/// What a reading costs, and whether that grows with the plant.
fn cpu([forewarn, floor]: &[Measured; 2]) -> Vec<Row> {
    let at = |size: usize| (median(&forewarn.cpu[size]), median(&floor.cpu[size]));
    let ((ours, bare), (large, bare_large)) = (at(0), at(1));
    let what = "CPU per reading, 1,000 points, 2,000/s";
    let bar = Some(1.5 * bare);
    let small = Row::new("P1", what, ours, Some(bare), "us", bar, "1.5 x floor");
    let what = "CPU per reading, 10,000 points, 2,000/s";
    let (bar, words) = (Some(1.1 * ours), "1.1 x of 1,000 points");
    let large = Row::new("P2", what, large, Some(bare_large), "us", bar, words);
    vec![small, large]
}

/// What becomes of more readings than any plant sends.
fn flood([forewarn, floor]: &[Measured; 2]) -> Vec<Row> {
    let behind = |measured: &Measured| {
        let floods = measured.flood.iter();
        median(
            &floods
                .map(|f| f.behind.as_secs_f64() * 1e3)
                .collect::<Vec<_>>(),
        )
    };
    let rates: Vec<f64> = forewarn.flood.iter().map(|flood| flood.rate).collect();
    let what = format!("alarm behind 4 s of {:.0} readings/s", median(&rates));
    let (ours, bare) = (behind(forewarn), Some(behind(floor)));
    let late = Row::new("P3", &what, ours, bare, "ms", Some(100.0), "no backlog");
    let lost: u64 = forewarn.flood.iter().map(|flood| flood.lost).sum();
    let mut rows = vec![late];
    for (what, lost) in [
        (
            "readings of these floods lost (QoS 0; the broker may drop, too)",
            lost,
        ),
        (
            "readings lost at QoS 1, 2,000/s, all windows",
            forewarn.lost,
        ),
    ] {
        rows.push(Row::new(
            "P3",
            what,
            lost as f64,
            None,
            "",
            Some(0.0),
            "none",
        ));
    }
    rows
}

/// What it takes of the machine's memory.
pub(crate) fn memory([forewarn, floor]: &[Measured; 2]) -> Vec<Row> {
    let mut rows = Vec::new();
    for (at, what, bar, words) in [
        (0, "resident, idle (1 point)", Some(10.0), "10 MB"),
        (1, "resident, 1,000 points", None, ""),
        (2, "resident, 10,000 points", Some(20.0), "20 MB"),
    ] {
        let (ours, bare) = (median(&forewarn.memory[at]), median(&floor.memory[at]));
        rows.push(Row::new("P4", what, ours, Some(bare), "MB", bar, words));
    }
    let (ours, bare) = (median(&forewarn.memory_peak), median(&floor.memory_peak));
    let what = "highest resident ever, 10,000 points";
    rows.push(Row::new("P4", what, ours, Some(bare), "MB", None, ""));
    rows
}

/// How long an alarm takes.
fn latency([forewarn, floor]: &[Measured; 2]) -> Vec<Row> {
    let cells = [(0, "100/s"), (1, "2,000/s")];
    let cells = cells.into_iter().flat_map(|cell| [(cell, 50), (cell, 99)]);
    let mut rows = Vec::new();
    for ((at, rate), percent) in cells.clone() {
        let of = |measured: &Measured| percentile(&measured.latency[at], percent);
        let (ours, bare) = (of(forewarn), of(floor));
        let what = format!("alarm latency p{percent}, {rate}");
        let bar = Some(1.5 * bare);
        rows.push(Row::new(
            "P5",
            &what,
            ours,
            Some(bare),
            "ms",
            bar,
            "1.5 x floor",
        ));
    }
    for ((at, rate), percent) in cells {
        let of = |measured: &Measured| percentile(&measured.latency_default[at], percent);
        let (ours, bare) = (of(forewarn), Some(of(floor)));
        let what = format!("the same, default broker, p{percent}, {rate}");
        let bar = Some(1.5 * percentile(&forewarn.latency[at], percent));
        rows.push(Row::new(
            "P6",
            &what,
            ours,
            bare,
            "ms",
            bar,
            "1.5 x of P5 measured",
        ));
    }
    rows
}

/// How long it takes to be of use.
fn first([forewarn, floor]: &[Measured; 2]) -> Vec<Row> {
    let of = |measured: &Measured| median(&measured.first_alarm[1]);
    let what = "start to first alarm, 1,000 points";
    let (ours, bare) = (of(forewarn), Some(of(floor)));
    vec![Row::new(
        "P13",
        what,
        ours,
        bare,
        "ms",
        Some(100.0),
        "100 ms",
    )]
}

/// A whole plant speaks for the first time.
fn power_up([forewarn, floor]: &[Measured; 2]) -> Vec<Row> {
    let what = "events made by the first readings of 10,000 sensors";
    let uninvited = forewarn.uninvited as f64;
    let mut rows = vec![Row::new(
        "P16",
        what,
        uninvited,
        None,
        "",
        Some(0.0),
        "none",
    )];
    for percent in [50, 99] {
        let of = |measured: &Measured| percentile(&measured.power_up, percent);
        let (ours, bare) = (of(forewarn), Some(of(floor)));
        let what = format!("alarm latency p{percent} in that moment");
        let bar = Some(3.0 * percentile(&floor.latency[1], percent));
        let words = "2 x P5 = 3 x floor at 2,000/s";
        rows.push(Row::new("P16", &what, ours, bare, "ms", bar, words));
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
        let mut row = Row::new("P", "", 2.0, Some(0.0), "ms", None, "");
        assert_eq!((row.met(), row.ratio()), (None, None));
        row.bar = Some(2.0);
        assert_eq!(row.met(), Some(true));
        row.bar = Some(1.9);
        assert_eq!(row.met(), Some(false));
    }
}
