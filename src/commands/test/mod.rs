//! Scenarios: readings over time and the events that must come of them, in one file that an engineer
//! of the plant can write and read.
//!
//! ```toml
//! about = "The limit must be passed without a break for the whole on-delay."
//! config = '''
//! site = "plant"
//! [broker.b]
//! url = "mqtt://127.0.0.1"
//! [point.P]
//! topic = "p"
//! high = 8
//! delay = "2s"
//! '''
//! readings = ["P every 1s: 5x10 9x10"]
//! actions = [{ t = 15, command = "acknowledge", alarm = "P/high", by = "li-wei" }]
//! expect = [
//!   { t = 12, event = "raised", alarm = "P/high", value = 9 },
//!   { t = 15, event = "acknowledged", alarm = "P/high", by = "li-wei" },
//! ]
//! ```
//!
//! `readings` are in the notation of [`notation`]. `actions` have the words of a replay's input lines
//! (a reading with a time of its own, a command, `wall_step`, `kill`, `start`). `until` lets time pass
//! after the last of them, to this second.
//!
//! **Every** event must be expected, so that nothing unexpected passes. Free are only `started` and
//! `monitoring_gap`, and what a pattern of `ignore` fits. `never` names events that must not come,
//! where a reader should see that they do not. How a pattern fits an event: [`comparison`].
//!
//! The whole way is that of the gateway: the configuration is loaded, and the readings go through the
//! engine and a journal on disk, as in `forewarn replay`.

pub mod comparison;
pub mod notation;

use std::io;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::replay::driver::{Replay, ReplayError};
use super::scratch::ScratchFolder;
use crate::config::{self, Mistakes, Source};
use crate::engine::time::Wall;
use comparison::{Happened, Pattern};
use notation::NotationError;

/// Wall time at t = 0: 2026-01-01T00:00:00Z, as in a replay that is told no other.
const START: Wall = Wall::from_unix_nanos(1_767_225_600_000_000_000);

/// A scenario, understood.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// What it shows.
    pub about: String,
    config: String,
    /// Time in seconds and input line, in order of time.
    lines: Vec<(f64, String)>,
    until: Option<Duration>,
    expect: Vec<Pattern>,
    never: Vec<Pattern>,
    ignore: Vec<Pattern>,
}

/// Why a scenario could not be run. What it found is no error: see [`Scenario::run`].
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// The file is no scenario.
    #[error("not a scenario")]
    Format(#[from] toml::de::Error),
    /// A line of `readings`.
    #[error(transparent)]
    Readings(#[from] NotationError),
    /// An entry of `actions`, `expect`, `never` or `ignore` lacks what it needs.
    #[error("{0}")]
    Entry(String),
    /// The configuration in it has mistakes.
    #[error(transparent)]
    Config(#[from] Mistakes),
    /// The replay stopped.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// No temporary folder.
    #[error("cannot make a temporary folder")]
    Scratch(#[from] io::Error),
    /// An event is not JSON: a fault of ours.
    #[error("an event line is not JSON")]
    Event(#[from] serde_json::Error),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    about: String,
    config: String,
    #[serde(default)]
    readings: Vec<String>,
    #[serde(default)]
    actions: Vec<toml::Table>,
    until: Option<f64>,
    expect: Vec<toml::Table>,
    #[serde(default)]
    never: Vec<toml::Table>,
    #[serde(default)]
    ignore: Vec<toml::Table>,
}

impl Scenario {
    /// Understands the text of a scenario.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        let file: File = toml::from_str(text)?;
        let mut lines = Vec::new();
        for series in &file.readings {
            lines.extend(notation::lines(series)?);
        }
        for action in &file.actions {
            let action = serde_json::to_value(action)?;
            let t = action.get("t").and_then(Value::as_f64).ok_or_else(|| {
                ScenarioError::Entry(format!("an action needs its time `t`: {action}"))
            })?;
            lines.push((t, action.to_string()));
        }
        // Stable: at one instant the readings stand first, then the actions in their order.
        lines.sort_by(|a, b| a.0.total_cmp(&b.0));
        let until = file.until.map(Duration::try_from_secs_f64);
        let until = until
            .transpose()
            .map_err(|_negative| ScenarioError::Entry("`until` counts seconds from 0".into()))?;
        Ok(Self {
            about: file.about,
            config: file.config,
            lines,
            until,
            expect: patterns(&file.expect)?,
            never: patterns(&file.never)?,
            ignore: patterns(&file.ignore)?,
        })
    }

    /// The input lines of the replay, a line each.
    pub fn input(&self) -> String {
        self.lines
            .iter()
            .fold(String::new(), |mut text, (_, line)| {
                text.push_str(line);
                text.push('\n');
                text
            })
    }

    /// Runs it in a folder of its own; `name` stands in messages. Gives what did not come as
    /// expected, in words; empty when everything did.
    ///
    /// # Errors
    /// It could not be run to its end.
    pub fn run(&self, name: &str) -> Result<Vec<String>, ScenarioError> {
        let events = self.replay(name)?;
        let happened = events
            .lines()
            .map(serde_json::from_str)
            .collect::<Result<Vec<Happened>, _>>()?;
        Ok(comparison::compare(self, &happened))
    }

    /// The event lines that come of it.
    ///
    /// # Errors
    /// It could not be run to its end.
    pub fn replay(&self, name: &str) -> Result<String, ScenarioError> {
        let (config, _warnings) = config::load(&Source::text(name, &self.config))?;
        let folder = ScratchFolder::new("test")?;
        let mut out = Vec::new();
        let mut replay = Replay::new(&config, START, folder.path(), None, &mut out)?;
        replay.run(self.input().as_bytes(), self.until)?;
        drop(replay);
        Ok(String::from_utf8_lossy(&out).into_owned())
    }
}

fn patterns(tables: &[toml::Table]) -> Result<Vec<Pattern>, ScenarioError> {
    let pattern = |table| Pattern::new(serde_json::to_value(table)?);
    tables.iter().map(pattern).collect()
}
