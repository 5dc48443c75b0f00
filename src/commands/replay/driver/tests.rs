//! Whole replays: time between the lines, kills, and what a trace may not change.

mod kills;
mod steps;

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::Value;

use super::super::super::scratch::ScratchFolder;
use super::*;
use crate::config::{self, Source};

const PLANT: &str = "
site = 'plant'
[broker.b]
url = 'mqtt://127.0.0.1'
[point.P]
topic = 'p'
high = 8
delay = '2s'
stale_after = '5s'
";

fn replay(input: &str, until: u64, trace: Option<Duration>) -> Vec<String> {
    replay_of(PLANT, input, until, trace)
}

fn replay_of(plant: &str, input: &str, until: u64, trace: Option<Duration>) -> Vec<String> {
    let (config, _) = config::load(&Source::text("plant", plant)).expect("a good plant");
    let folder = ScratchFolder::in_memory("driver").expect("a temporary folder");
    let mut out = Vec::new();
    let start = Wall::from_unix_nanos(1_767_225_600_000_000_000);
    let mut replay =
        Replay::new(&config, start, folder.path(), trace, &mut out).expect("it starts");
    let ran = replay.run(input.as_bytes(), Some(Duration::from_secs(until)));
    drop(replay);
    ran.expect("good lines");
    let text = String::from_utf8(out).expect("JSON is UTF-8");
    text.lines().map(str::to_owned).collect()
}

/// Readings at the very instants at which the on-delay and the silence end.
#[test]
fn a_trace_changes_no_event() {
    let input = r#"
{"t": 0, "point": "P", "value": 9}
{"t": 2, "point": "P", "value": 5}
{"t": 7, "point": "P", "value": 9}
{"t": 9.5, "point": "P", "value": 5}
"#;
    let plain = replay(input, 30, None);
    for millis in [250, 1000, 7000] {
        let traced = replay(input, 30, Some(Duration::from_millis(millis)));
        let events: Vec<_> = traced
            .iter()
            .filter(|line| !line.contains("\"trace\""))
            .collect();
        assert!(events.len() < traced.len());
        assert_eq!(
            events,
            plain.iter().collect::<Vec<_>>(),
            "every {millis} ms"
        );
    }
}

#[test]
fn nothing_after_a_wrong_line_runs() {
    let (config, _) = config::load(&Source::text("plant", PLANT)).expect("a good plant");
    let folder = ScratchFolder::new("driver").expect("a temporary folder");
    let start = Wall::from_unix_nanos(0);
    for (input, part) in [
        ("{\"t\": 1, \"point\": \"Q\", \"value\": 1}", "no point `Q`"),
        (
            "{\"t\": 5, \"kill\": true}\n{\"t\": 4, \"start\": true}",
            "in order of time",
        ),
        ("{\"t\": 1, \"wall_step\": 1e300}", "`wall_step`"),
        (
            "{\"t\": 1, \"point\": \"gateway.journal\", \"value\": 1}",
            "the gateway's own",
        ),
    ] {
        let mut out = Vec::new();
        let mut replay =
            Replay::new(&config, start, folder.path(), None, &mut out).expect("it starts");
        let error = replay.run(input.as_bytes(), None).expect_err(input);
        assert!(error.to_string().contains(part), "{error}");
    }
}

/// The same on every machine, so it names the settings and not the boot.
#[test]
fn every_start_names_the_settings_in_force() {
    let (config, _) = config::load(&Source::text("plant", PLANT)).expect("a good plant");
    let lines = replay(
        "{\"t\": 1, \"kill\": true}\n{\"t\": 2, \"start\": true}",
        3,
        None,
    );
    let events = lines.iter().map(|line| serde_json::from_str::<Value>(line));
    let events = events.map(|event| event.expect("a line is JSON"));
    let starts: Vec<Value> = events.filter(|event| event["event"] == "started").collect();
    assert_eq!(starts.len(), 2);
    for start in &starts {
        assert_eq!(start["config_hash"], *config.hash);
        assert_eq!(start["boot_id"], Value::Null);
    }
}

fn start<'a>(
    config: &'a Config,
    folder: &Path,
    out: &'a mut Vec<u8>,
) -> Replay<'a, &'a mut Vec<u8>> {
    Replay::new(config, Wall::from_unix_nanos(0), folder, None, out).expect("it starts")
}

#[test]
fn what_stands_before_a_wrong_line_runs() {
    let (config, _) = config::load(&Source::text("plant", PLANT)).expect("a good plant");
    for (wrong, part) in [
        (&b"{\"t\": 3, oops"[..], "line 4: key must be"),
        (&b"{\"t\": 3, \xff}"[..], "line 4: not UTF-8"),
    ] {
        let folder = ScratchFolder::new("driver").expect("a temporary folder");
        let mut out = Vec::new();
        let mut replay = start(&config, folder.path(), &mut out);
        let mut input = b"\xef\xbb\xbf{\"t\": 0, \"point\": \"P\", \"value\": 9}
{\"t\": 2, \"point\": \"P\", \"value\": 9}
{\"t\": 2, \"command\": \"acknowledge\", \"alarm\": \"P/high\", \"by\": \"li-wei\"}
"
        .to_vec();
        input.extend(wrong);
        let error = replay.run(&*input, None).expect_err("a wrong line");
        drop(replay);
        assert!(error.to_string().starts_with(part), "{error}");
        let text = String::from_utf8(out).expect("JSON is UTF-8");
        assert!(
            text.contains("\"raised\"") && text.contains("\"acknowledged\""),
            "{text}"
        );
    }
}

#[test]
fn a_summary_counts_over_kills() {
    let (config, _) = config::load(&Source::text("plant", PLANT)).expect("a good plant");
    let folder = ScratchFolder::new("driver").expect("a temporary folder");
    let mut out = Vec::new();
    let mut replay = start(&config, folder.path(), &mut out);
    let input = r#"
{"t": 0, "point": "P", "value": 9}
{"t": 1, "point": "P", "quality": "bad"}
{"t": 2, "kill": true}
{"t": 3, "command": "acknowledge", "alarm": "P/high", "by": "li-wei"}
{"t": 4, "start": true}
{"t": 5, "point": "P", "value": 9}
{"t": 6, "kill": true}
"#;
    replay.run(input.as_bytes(), None).expect("good lines");
    replay.summarize().expect("written");
    drop(replay);
    let text = String::from_utf8(out).expect("JSON is UTF-8");
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .filter(|line: &Value| line.get("seq").is_none())
        .collect();
    assert_eq!(
        lines,
        [
            serde_json::json!({
                "summary": "P", "accepted": 3, "bad": 1, "duplicate": 0, "late": 0, "reordered": 0,
                "refused": { "retained": 0, "fault_current": 0, "step": 0 },
            }),
            serde_json::json!({ "command": "not_running", "count": 1 }),
        ]
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// P2, P10: power cut at any instants. Numbers have no gap, occurrences follow one another, and
    /// each begins and ends once.
    #[test]
    fn kills_lose_and_invent_nothing(
        values in prop::collection::vec(prop_oneof![3 => Just(9), 2 => Just(5), 1 => Just(0)], 1..60),
        kills in prop::collection::btree_map(0_u32..60, 0_u32..6, 0..4),
    ) {
        let mut input = String::new();
        let mut lines: Vec<(f64, String)> = Vec::new();
        for (second, value) in (0_u32..).zip(&values) {
            let reading = match value {
                0 => r#""quality": "bad""#.to_owned(),
                value => format!("\"value\": {value}"),
            };
            let t = f64::from(second);
            lines.push((t, format!("{{\"t\": {t}, \"point\": \"P\", {reading}}}\n")));
        }
        for (at, down) in kills {
            let (kill, start) = (f64::from(at) + 0.5, f64::from(at + down) + 0.5);
            lines.push((kill, format!("{{\"t\": {kill}, \"kill\": true}}\n")));
            lines.push((start, format!("{{\"t\": {start}, \"start\": true}}\n")));
        }
        lines.sort_by(|a, b| a.0.total_cmp(&b.0));
        input.extend(lines.into_iter().map(|(_, line)| line));
        let mut open: BTreeMap<String, (u64, bool)> = BTreeMap::new();
        for (seq, line) in (1_u64..).zip(replay(&input, 100, None)) {
            let event: Value = serde_json::from_str(&line).expect("an event is JSON");
            prop_assert_eq!(event["seq"].as_u64(), Some(seq));
            let (Some(alarm), Some(occurrence)) = (event["alarm"].as_str(), event["occurrence"].as_u64())
            else { continue };
            let known = open.entry(alarm.to_owned()).or_default();
            match event["event"].as_str() {
                Some("raised") => {
                    prop_assert_eq!(*known, (occurrence - 1, false), "{}", line);
                    *known = (occurrence, true);
                }
                Some("cleared") => {
                    prop_assert_eq!(*known, (occurrence, true), "{}", line);
                    known.1 = false;
                }
                _ => prop_assert_eq!(*known, (occurrence, true), "{}", line),
            }
        }
    }
}
