//! The demo as a newcomer starts it: no arguments that matter, no terminal, nothing installed.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::daemon::gateway::forewarn;

/// The story is promised within 20 s of its start; the rest is for a busy machine.
const PATIENCE: Duration = Duration::from_secs(40);

/// Two demos that start in one instant may choose the same ports; people start one.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

struct Demo {
    process: Child,
    lines: Receiver<String>,
    _turn: MutexGuard<'static, ()>,
}

impl Demo {
    fn start(arguments: &[&str]) -> Self {
        let turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let mut process = forewarn()
            .arg("demo")
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the demo starts");
        let output = process.stdout.take().expect("a pipe");
        let (sender, lines) = mpsc::sync_channel(1000);
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Self {
            process,
            lines,
            _turn: turn,
        }
    }

    /// The next line that `wanted` takes something from.
    fn find<T>(&self, wanted: impl Fn(&str) -> Option<T>) -> T {
        loop {
            let line = self.lines.recv_timeout(PATIENCE).expect("the demo goes on");
            if let Some(found) = wanted(&line) {
                return found;
            }
        }
    }

    fn interrupt(mut self) {
        let pid = self.process.id().to_string();
        let sent = Command::new("kill").args(["-INT", &pid]).status();
        assert!(sent.expect("kill runs").success());
        let ended = self.process.wait().expect("it ends");
        assert_eq!(ended.code(), Some(0), "{ended:?}");
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // Ended already, where the test got that far.
        let _ended = self.process.kill().is_err();
        let _ended = self.process.wait().is_err();
    }
}

/// Milliseconds of the day in an event's time.
fn clock(event: &Value) -> i64 {
    let time: jiff::Timestamp = event["time"]
        .as_str()
        .expect("a time")
        .parse()
        .expect("RFC 3339");
    time.as_millisecond()
}

#[test]
fn a_leak_is_warned_of_then_alarmed_then_alarmed_high_within_twenty_seconds() {
    let demo = Demo::start(&["--json"]);
    let event = |kind: &'static str, alarm: &'static str| {
        demo.find(|line| {
            let event: Value = serde_json::from_str(line).expect("one event a line");
            (event["event"] == kind && (alarm.is_empty() || event["alarm"] == alarm))
                .then_some(event)
        })
    };
    let started = event("started", "");
    let rise = event("raised", "CH4-101/rise");
    let high = event("raised", "CH4-101/high");
    let high_high = event("raised", "CH4-101/high_high");
    assert!(clock(&rise) < clock(&high) && clock(&high) < clock(&high_high));
    let took = clock(&high_high) - clock(&started);
    assert!(took < 20_000, "{took} ms");
    assert!(rise["slope_per_min"].as_f64() > Some(10.0), "{rise}");
    demo.interrupt();
}

#[test]
fn without_a_terminal_it_speaks_in_plain_lines() {
    let demo = Demo::start(&[]);
    demo.find(|line| line.contains("/metrics").then_some(()));
    let warning = demo.find(|line| line.contains("EARLY WARNING").then(|| line.to_owned()));
    assert!(warning.contains("%LEL/min"), "{warning}");
    assert!(!warning.contains('\u{1b}'), "no colours: {warning}");
    demo.find(|line| line.contains("acknowledge it with: curl").then_some(()));
    demo.interrupt();
}
