//! P10: power fails at a hundred instants of one trace with many alarms. What each run says is held
//! against the run in which it did not fail, and against a model of a limit that knows nothing but when
//! its delay began.

use fastrand::Rng;

use super::*;

/// Seconds of the trace; every point has a value each second.
const SECONDS: u32 = 120;

/// Instants at which power fails, one in each run.
const KILLS: usize = 100;

const PLANT: &str = "
site = 'plant'
[broker.b]
url = 'mqtt://127.0.0.1'
[point.PLAIN]
topic = 'plain'
high = 8
low = 2
[point.CONTACT]
topic = 'contact'
state = { when = 1 }
[point.DELAYED]
topic = 'delayed'
[point.DELAYED.alarm.high]
limit = 8
on_delay = '3s'
off_delay = '4s'
[point.SLOW]
topic = 'slow'
[point.SLOW.alarm.low]
limit = 2
on_delay = '6s'
off_delay = '2s'
[point.FAILING]
topic = 'failing'
high = 8
stale_after = '5s'
";

/// An alarm that follows from the values of its point and from nothing else.
struct Followed {
    alarm: &'static str,
    point: &'static str,
    beyond: fn(f64) -> bool,
    on: u32,
    off: u32,
}

const FOLLOWED: [Followed; 5] = [
    Followed {
        alarm: "PLAIN/high",
        point: "PLAIN",
        beyond: |value| value >= 8.0,
        on: 0,
        off: 0,
    },
    Followed {
        alarm: "PLAIN/low",
        point: "PLAIN",
        beyond: |value| value <= 2.0,
        on: 0,
        off: 0,
    },
    Followed {
        alarm: "CONTACT/state",
        point: "CONTACT",
        beyond: |value| value >= 1.0,
        on: 0,
        off: 0,
    },
    Followed {
        alarm: "DELAYED/high",
        point: "DELAYED",
        beyond: |value| value >= 8.0,
        on: 3,
        off: 4,
    },
    Followed {
        alarm: "SLOW/low",
        point: "SLOW",
        beyond: |value| value <= 2.0,
        on: 6,
        off: 2,
    },
];

/// The seconds at which an alarm was raised and cleared; for ever when it was not.
type Spans = Vec<(f64, f64)>;

impl Followed {
    /// By looking at one value after the other. A delay that runs when power fails begins anew.
    fn spans(&self, trace: &Trace, kill: Option<f64>) -> Spans {
        let (mut spans, mut active, mut since) = (Spans::new(), false, None);
        for (second, value) in (0_u32..).zip(&trace[self.point]) {
            let t = f64::from(second);
            if kill.is_some_and(|kill| t - 1.0 < kill && kill < t) {
                since = None;
            }
            let Some(value) = value else { continue };
            since = since.filter(|_| (self.beyond)(*value) != active);
            if (self.beyond)(*value) != active {
                since = since.or(Some(second));
            }
            let delay = if active { self.off } else { self.on };
            if since.is_some_and(|since| second - since >= delay) {
                match spans.last_mut() {
                    Some(last) if active => last.1 = t,
                    _ => spans.push((t, f64::INFINITY)),
                }
                (active, since) = (!active, None);
            }
        }
        spans
    }
}

/// A value of each point every second; none is a reading of bad quality or none at all.
type Trace = BTreeMap<&'static str, Vec<Option<f64>>>;

/// Values that stay for some seconds, on either side of the limits.
fn trace(dice: &mut Rng) -> Trace {
    let mut trace = Trace::new();
    for (point, levels) in [
        ("PLAIN", &[1.0, 5.0, 9.0][..]),
        ("CONTACT", &[0.0, 1.0]),
        ("DELAYED", &[5.0, 9.0]),
        ("SLOW", &[1.0, 5.0]),
        ("FAILING", &[5.0, 9.0, f64::NAN]),
    ] {
        let mut values = Vec::new();
        while values.len() < SECONDS as usize {
            let level = levels[dice.usize(..levels.len())];
            let some = Some(level).filter(|level| level.is_finite());
            values.extend(std::iter::repeat_n(some, dice.usize(1..16)));
        }
        values.truncate(SECONDS as usize);
        trace.insert(point, values);
    }
    trace
}

/// The lines of a replay, with people who acknowledge and, at `kill`, a power cut.
fn input(trace: &Trace, kill: Option<f64>) -> String {
    let mut lines: Vec<(f64, String)> = Vec::new();
    for (point, values) in trace {
        for (second, value) in (0_u32..).zip(values) {
            let t = f64::from(second);
            let reading = value.map_or_else(
                || "\"quality\": \"bad\"".to_owned(),
                |value| format!("\"value\": {value}"),
            );
            // Half of the failures of a point are a failing sensor, the others silence.
            if value.is_some() || second % 60 < 30 {
                lines.push((t, format!(r#"{{"t": {t}, "point": "{point}", {reading}}}"#)));
            }
        }
    }
    for second in (1..SECONDS).step_by(2) {
        let t = f64::from(second) + 0.5;
        let alarm = FOLLOWED[second as usize / 2 % 3].alarm;
        let by = r#""command": "acknowledge", "by": "li-wei""#;
        lines.push((t, format!(r#"{{"t": {t}, {by}, "alarm": "{alarm}"}}"#)));
    }
    if let Some(kill) = kill {
        lines.push((kill, format!(r#"{{"t": {kill}, "kill": true}}"#)));
        lines.push((kill, format!(r#"{{"t": {kill}, "start": true}}"#)));
    }
    lines.sort_by(|a, b| a.0.total_cmp(&b.0));
    let lines: Vec<_> = lines.into_iter().map(|(_, line)| line).collect();
    lines.join("\n")
}

/// What a run said, as it said it and taken apart.
struct Told {
    text: String,
    events: Vec<Value>,
}

fn run(config: &Config, trace: &Trace, kill: Option<f64>) -> Told {
    let folder = ScratchFolder::in_memory("kills").expect("a temporary folder");
    let mut out = Vec::new();
    let mut replay = start(config, folder.path(), &mut out);
    let ran = replay.run(input(trace, kill).as_bytes(), None);
    drop(replay);
    ran.expect("good lines");
    let text = String::from_utf8(out).expect("JSON is UTF-8");
    let lines = text.lines();
    let events = lines.map(|line| serde_json::from_str(line).expect("JSON"));
    Told {
        events: events.collect(),
        text,
    }
}

impl Told {
    /// Occurrences and times.
    fn of(&self, kind: &str, alarm: &str) -> Vec<(u64, f64)> {
        let events = self.events.iter();
        let of_kind = events.filter(|event| event["event"] == kind && event["alarm"] == alarm);
        of_kind
            .map(|event| {
                let occurrence = event["occurrence"].as_u64().expect("a number");
                (occurrence, event["t"].as_f64().expect("a time"))
            })
            .collect()
    }

    /// When an alarm was active; each occurrence was raised once, in order, and cleared once at most.
    fn spans(&self, alarm: &str) -> Spans {
        let (raised, cleared) = (self.of("raised", alarm), self.of("cleared", alarm));
        let ends: BTreeMap<u64, f64> = cleared.iter().copied().collect();
        assert_eq!(ends.len(), cleared.len(), "{alarm}");
        for (expected, (occurrence, _)) in (1..).zip(&raised) {
            assert_eq!(*occurrence, expected, "{alarm}");
        }
        let end = |occurrence| ends.get(&occurrence).copied();
        raised
            .into_iter()
            .map(|(occurrence, t)| (t, end(occurrence).unwrap_or(f64::INFINITY)))
            .collect()
    }
}

fn overlap(a: (f64, f64), b: (f64, f64)) -> bool {
    a.0 <= b.1 && b.0 <= a.1
}

#[test]
fn a_kill_at_any_of_a_hundred_instants_loses_no_occurrence_and_adds_none() {
    let (config, _) = config::load(&Source::text("plant", PLANT)).expect("a good plant");
    let mut dice = Rng::with_seed(10);
    let trace = trace(&mut dice);
    let undisturbed = run(&config, &trace, None);
    let (mut restarted, mut raised) = (0, 0);
    for kill in 0..KILLS {
        let at = f64::from(dice.u32(1..SECONDS - 1)) + f64::from(dice.u32(1..1_000)) / 1_000.0;
        let killed = run(&config, &trace, Some(at));
        for followed in &FOLLOWED {
            let alarm = followed.alarm;
            let found = killed.spans(alarm);
            let whole = followed.spans(&trace, None);
            let expected = followed.spans(&trace, Some(at));
            assert_eq!(found, expected, "{alarm} killed at {at}");
            assert_eq!(undisturbed.spans(alarm), whole, "{alarm}");
            restarted += usize::from(expected != whole);
            raised += found.len();
            if followed.on + followed.off == 0 {
                let of = |told: &Told| told.of("acknowledged", alarm);
                assert_eq!(of(&killed), of(&undisturbed), "{alarm} killed at {at}");
            }
        }
        a_failing_sensor_is_as_blind(&undisturbed, &killed, at);
        if kill % 20 == 0 {
            let again = run(&config, &trace, Some(at));
            assert_eq!(killed.text, again.text, "killed at {at}");
        }
    }
    assert!(
        restarted > 5 && raised > 500,
        "{restarted} of {raised} tell nothing"
    );
}

/// Silence and the time that confirms a good value begin anew, too: 5 s each. Beyond these no occurrence
/// is lost, and none added.
fn a_failing_sensor_is_as_blind(undisturbed: &Told, killed: &Told, at: f64) {
    for alarm in ["FAILING/high", "FAILING/bad", "FAILING/stale"] {
        let (whole, found) = (undisturbed.spans(alarm), killed.spans(alarm));
        for lost in &whole {
            let kept = found.iter().any(|span| overlap(*span, *lost));
            let restarted = lost.0 - 10.0 < at && at < lost.1;
            assert!(
                kept || restarted,
                "{alarm} killed at {at}: {lost:?} is lost"
            );
        }
        for added in &found {
            let known = whole.iter().any(|span| overlap(*span, *added));
            let restarted = at < added.0 && added.0 < at + 10.0;
            assert!(
                known || restarted,
                "{alarm} killed at {at}: {added:?} is added"
            );
        }
    }
}
