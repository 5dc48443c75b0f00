//! What a running gateway exposes is what `deploy/prometheus/metrics.md` promises, both ways.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::Duration;

use forewarn::clock;
use forewarn::engine::time::Wall;
use simulators::modbus::Fault;

use super::bench::{DEADLINE, project, within};
use super::plant::Demo;
use super::promtool::promtool;

/// Listed and perhaps not exposed; everything else always is.
const MAY_BE_ABSENT: [(&str, &str); 5] = [
    (
        "forewarn_acknowledge_links_total",
        "only with `[acknowledge_links]`",
    ),
    (
        "forewarn_clock_synchronized",
        "only where systemd-timesyncd keeps the time",
    ),
    (
        "forewarn_point_slope_per_second",
        "only while a rate rule has a valid slope",
    ),
    (
        "forewarn_exposure_average",
        "only after the first values of the exposure",
    ),
    (
        "forewarn_exposure_coverage_ratio",
        "only after the first values of the exposure",
    ),
];

/// Words for units that are not the base unit of their quantity, and ways to write a base unit that
/// are not Prometheus'.
const NOT_BASE_UNITS: [&str; 30] = [
    "ms",
    "msec",
    "msecs",
    "millis",
    "milliseconds",
    "us",
    "micros",
    "microseconds",
    "ns",
    "nanos",
    "nanoseconds",
    "sec",
    "secs",
    "s",
    "minute",
    "minutes",
    "min",
    "hour",
    "hours",
    "day",
    "days",
    "kb",
    "mb",
    "kib",
    "mib",
    "kilobytes",
    "megabytes",
    "bits",
    "percent",
    "percentage",
];

/// What the demo has none of: an output that nobody answers (the series of outages must be there, too) and
/// that takes commands, a group and an exposure.
const ADDED: &str = r#"
[output.nowhere]
mqtt = "mqtt://127.0.0.1:1"
commands = ["li-wei"]

[output.pager]
alertmanager = "http://127.0.0.1:1"

[group.CH4-NORTH]
vote = "1oo2"
of = ["CH4-101", "CH4-102"]
alarm = "high"

[point.H2S-202.alarm.stel]
limit = 10
"#;

/// A point counts as silent one scrape after its `stale_after` at the latest.
const SCRAPE: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Family {
    kind: String,
    help: String,
    labels: BTreeSet<String>,
}

/// `| `name` | type | `label` `label` | help |`
fn listed(text: &str) -> BTreeMap<String, Family> {
    let rows = text.lines().filter_map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [name, kind, labels, help] = *cells.as_slice() else {
            return None;
        };
        let name = name.strip_prefix('`')?.strip_suffix('`')?;
        let labels = labels.split_whitespace();
        let family = Family {
            kind: kind.to_owned(),
            help: help.to_owned(),
            labels: labels.map(|label| label.replace('`', "")).collect(),
        };
        Some((name.to_owned(), family))
    });
    rows.collect()
}

/// The text format; every series of a family must have the same labels.
fn exposed(text: &str) -> BTreeMap<String, Family> {
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').expect("a help text");
            families.entry(name.to_owned()).or_default().help = help.to_owned();
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect("a type");
            families.entry(name.to_owned()).or_default().kind = kind.to_owned();
        } else {
            let (name, labels) = series(line);
            let histogram = ["_bucket", "_sum", "_count"]
                .into_iter()
                .filter_map(|part| name.strip_suffix(part))
                .find(|name| families.contains_key(*name));
            let family = families.get_mut(histogram.unwrap_or(name));
            let family = family.unwrap_or_else(|| panic!("no HELP before {line}"));
            let names = labels.keys().filter(|label| **label != "le");
            let names: BTreeSet<String> = names.map(|label| (*label).to_owned()).collect();
            assert!(
                family.labels.is_empty() || family.labels == names,
                "labels differ within a family: {line}"
            );
            family.labels = names;
        }
    }
    families
}

/// Name and labels of a line. The plant's names hold nothing that would be escaped.
fn series(line: &str) -> (&str, BTreeMap<&str, &str>) {
    let (series, _value) = line.rsplit_once(' ').expect("a value");
    let Some((name, labels)) = series.split_once('{') else {
        return (series, BTreeMap::new());
    };
    let labels = labels.trim_end_matches('}').split("\",");
    let pair = |label: &'_ str| -> Option<(usize, usize)> {
        let at = label.find("=\"")?;
        Some((at, at + 2))
    };
    let pairs = labels.filter_map(|label| {
        let (end, begin) = pair(label)?;
        Some((&label[..end], label[begin..].trim_end_matches('"')))
    });
    (name, pairs.collect())
}

/// The values of one family by point, of the points of one device.
fn of_device<'t>(text: &'t str, family: &str, device: &str) -> BTreeMap<&'t str, f64> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let found = lines.filter_map(|line| {
        let (name, labels) = series(line);
        let ours = name == family && labels.get("device") == Some(&device);
        let (_, value) = line.rsplit_once(' ')?;
        ours.then(|| Some((*labels.get("point")?, value.parse().ok()?)))?
    });
    found.collect()
}

#[tokio::test]
async fn the_list_is_what_is_exposed() {
    let demo = Demo::start(ADDED).await;
    let list = fs::read_to_string(project("deploy/prometheus/metrics.md")).expect("ours");
    let mut promised = listed(&list);
    assert!(promised.len() > 40, "only {} rows", promised.len());

    // At once, and with everything at work: what appears later is a promise broken earlier.
    let mut text = demo.daemon.get("/metrics").await;
    for round in 0..2 {
        let (passed, words) = promtool(&text);
        assert!(passed && words.is_empty(), "{words}");
        let found = exposed(&text);
        for (name, family) in &found {
            assert_eq!(promised.get(name), Some(family), "{name}, round {round}");
        }
        for name in promised.keys() {
            let may_be_absent = MAY_BE_ABSENT.iter().any(|(absent, _)| absent == name);
            // Readings and commits have not come in the first round.
            let may_come = round == 0 && name.starts_with("forewarn_point_");
            assert!(
                found.contains_key(name) || may_be_absent || may_come,
                "{name} is listed and not exposed, round {round}"
            );
        }
        text = within(DEADLINE, "an alarm and its delivery", async || {
            let text = demo.daemon.get("/metrics").await;
            let active = "forewarn_alarm_active{alarm=\"CH4-101/high\",area=\"tank-farm\",point=\"CH4-101\",priority=\"high\"} 1";
            let waits = of_output(&text, "forewarn_output_oldest_event_timestamp_seconds", "nowhere") > 0.0
                && of_output(&text, "forewarn_output_queue_events", "nowhere") > 0.0
                && of_output(&text, "forewarn_output_delivered_total", "control-room") > 0.0;
            if text.contains(active) && waits { Ok(text) } else { Err("not yet") }
        })
        .await;
    }
    for name in promised.keys() {
        let words: Vec<&str> = name.split('_').collect();
        for word in NOT_BASE_UNITS {
            assert!(!words.contains(&word), "{name}: `{word}` is no base unit");
        }
    }
    // The comparison can fail.
    promised.remove("forewarn_output_up");
    assert!(
        exposed(&text)
            .keys()
            .any(|name| !promised.contains_key(name))
    );
    demo.plant.stop().await;
}

fn of_output(text: &str, family: &str, output: &str) -> f64 {
    let series = format!("{family}{{output=\"{output}\"}} ");
    let found = text.lines().find_map(|line| line.strip_prefix(&series));
    let value = found.unwrap_or_else(|| panic!("no {series}"));
    value.parse().expect("a number")
}

/// A value that is no longer measured must not look like one.
#[tokio::test]
async fn a_silent_device_has_no_values() {
    let demo = Demo::start("").await;
    let device = "process";
    let (value, good) = ("forewarn_point_value", "forewarn_point_good");
    let measured = within(DEADLINE, "the device is measured", async || {
        let text = demo.daemon.get("/metrics").await;
        let values = of_device(&text, value, device);
        match values.len() {
            3 => Ok(of_device(&text, good, device).into_values().sum::<f64>()),
            some => Err(format!("{some} of 3 points")),
        }
    })
    .await;
    assert!((measured - 3.0).abs() < 0.1, "{measured} points are good");

    demo.plant.second_device().set_fault(None, Fault::Silent);
    // The defaults: three polls of 500 ms, but 5 s at least.
    let stale_after = Duration::from_secs(5);
    within(DEADLINE, "no value is shown", async || {
        let before = clock::now().wall.seconds_since(Wall::from_unix_nanos(0));
        let text = demo.daemon.get("/metrics").await;
        let values = of_device(&text, value, device);
        let good = of_device(&text, good, device);
        let last = of_device(
            &text,
            "forewarn_point_last_reading_timestamp_seconds",
            device,
        );
        assert_eq!(good.len(), 3, "a blind point says so");
        for (point, good) in good {
            let is_good = good > 0.5;
            assert_eq!(values.contains_key(point), is_good, "{point}");
            let age = before - last[point];
            assert!(
                !is_good || age <= (stale_after + SCRAPE).as_secs_f64(),
                "{point} shows a value {age} s old"
            );
        }
        if values.is_empty() {
            Ok(())
        } else {
            Err(format!("{values:?}"))
        }
    })
    .await;
    demo.plant.stop().await;
}
