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
//! `config` is a configuration of the scenario's own; `config_file = "../forewarn.toml"` names that of
//! the plant instead, from the scenario's folder. `config_after` is another one, in force from the first
//! `start` after a `kill` on. `readings` are in the notation of [`notation`].
//! `actions` have the words of a replay's input lines (a reading with a time of its own, a command,
//! `wall_step`, `kill`, `start`). `until` lets time pass after the last of them, to this second.
//!
//! **Every** event must be expected, so that nothing unexpected passes. Free are only `started` and
//! `monitoring_gap`, what a pattern of `ignore` fits and, when `points = ["CH4-101"]` names some, what
//! happens to other points. `notified` and `all_clear` follow from the others, so they are free as long
//! as no pattern of `expect` or `never` names either: then the scenario is about telling people, and
//! every line of it must be expected. `never` names events that must not come, where a reader should see that
//! they do not. How a pattern fits an event: [`comparison`]. A pattern that could fit nothing (a field
//! that no event has, an alarm that is not configured) is a mistake, not a failure.
//!
//! The whole way is that of the gateway: the configuration is loaded, and the readings go through the
//! engine and a real journal, as in `forewarn replay`.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use toml::Spanned;

use super::around::Around;
use super::comparison::{self, Happened, Pattern};
use super::notation::{self, NotationError};
use crate::commands::replay::driver::{Replay, ReplayError};
use crate::commands::scratch::ScratchFolder;
use crate::config::{self, Config, Mistakes, Source};
use crate::engine::time::Wall;

/// Wall time at t = 0: 2026-01-01T00:00:00Z, as in a replay that is told no other.
const START: Wall = Wall::from_unix_nanos(1_767_225_600_000_000_000);

/// A scenario, understood.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// What it shows.
    pub about: String,
    config: Source,
    config_after: Option<Source>,
    /// Time in seconds and input line, in order of time.
    pub(super) lines: Vec<(f64, String)>,
    until: Option<Duration>,
    /// Points whose events must be expected; all when empty.
    points: Vec<String>,
    pub(super) expect: Vec<Pattern>,
    pub(super) never: Vec<Pattern>,
    pub(super) ignore: Vec<Pattern>,
}

/// Why a scenario could not be run. What it found is no error: see [`Scenario::run`].
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// The file cannot be read.
    #[error("cannot read it")]
    File(#[source] io::Error),
    /// The file is no scenario.
    #[error("not a scenario: {0}")]
    Format(toml::de::Error),
    /// A line of `readings`.
    #[error("{place}: {source}")]
    Readings {
        /// File, line and column.
        place: String,
        /// What is wrong in it.
        source: NotationError,
    },
    /// An entry lacks what it needs, or could never fit.
    #[error("{place}: {text}")]
    Entry {
        /// File, line and column.
        place: String,
        /// What is wrong, and what was expected.
        text: String,
    },
    /// The configuration has mistakes.
    #[error(transparent)]
    Config(#[from] Mistakes),
    /// The replay stopped.
    #[error("the input stopped: {0}")]
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
    config: Option<Spanned<String>>,
    config_file: Option<Spanned<PathBuf>>,
    config_after: Option<String>,
    #[serde(default)]
    points: Vec<Spanned<String>>,
    #[serde(default)]
    readings: Vec<Spanned<String>>,
    #[serde(default)]
    actions: Vec<Spanned<toml::Table>>,
    until: Option<Spanned<f64>>,
    expect: Vec<Spanned<toml::Table>>,
    #[serde(default)]
    never: Vec<Spanned<toml::Table>>,
    #[serde(default)]
    ignore: Vec<Spanned<toml::Table>>,
}

/// Where things stand in the text of a scenario.
#[derive(Clone, Copy)]
struct Text<'a> {
    file: &'a Path,
    text: &'a str,
}

impl Text<'_> {
    /// File, line and column of `spanned`, each counted from 1.
    fn place<T>(self, spanned: &Spanned<T>) -> String {
        let before = self.text.get(..spanned.span().start).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
        format!("{}:{line}:{column}", self.file.display())
    }

    fn entry<T>(self, spanned: &Spanned<T>, text: impl Into<String>) -> ScenarioError {
        ScenarioError::Entry {
            place: self.place(spanned),
            text: text.into(),
        }
    }

    fn patterns(self, tables: &[Spanned<toml::Table>]) -> Result<Vec<Pattern>, ScenarioError> {
        let pattern = |table: &Spanned<toml::Table>| {
            let entry = serde_json::to_value(table.get_ref())?;
            Pattern::new(entry, self.place(table)).map_err(|text| self.entry(table, text))
        };
        tables.iter().map(pattern).collect()
    }

    /// The configuration that `file` brings along or names.
    fn config(self, file: &File) -> Result<Source, ScenarioError> {
        match (&file.config, &file.config_file) {
            (Some(own), None) => {
                let name = self.file.to_string_lossy();
                Ok(Source::text(&name, own.get_ref()))
            }
            (None, Some(path)) => {
                let folder = self.file.parent().unwrap_or(Path::new(""));
                Ok(Source::file(Some(folder.join(path.get_ref()))))
            }
            (Some(_), Some(path)) => Err(self.entry(
                path,
                "`config` and `config_file` exclude each other; keep one of them",
            )),
            (None, None) => Ok(Source::file(None)),
        }
    }

    /// The input lines, in order of time.
    fn lines(self, file: &File) -> Result<Vec<(f64, String)>, ScenarioError> {
        let mut lines = Vec::new();
        for series in &file.readings {
            lines.extend(notation::lines(series.get_ref()).map_err(|source| {
                ScenarioError::Readings {
                    place: self.place(series),
                    source,
                }
            })?);
        }
        for action in &file.actions {
            let line = serde_json::to_value(action.get_ref())?;
            let t = line.get("t").and_then(Value::as_f64);
            let t = t.ok_or_else(|| {
                self.entry(action, format!("an action needs its time `t`: {line}"))
            })?;
            lines.push((t, line.to_string()));
        }
        // Stable: at one instant the readings stand first, then the actions in their order.
        lines.sort_by(|a, b| a.0.total_cmp(&b.0));
        Ok(lines)
    }
}

impl Scenario {
    /// Understands the text of the scenario in `file`.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn parse(file: &Path, text: &str) -> Result<Self, ScenarioError> {
        let read: File = toml::from_str(text).map_err(ScenarioError::Format)?;
        let text = Text { file, text };
        let until = read.until.as_ref().map(|until| {
            Duration::try_from_secs_f64(*until.get_ref())
                .map_err(|_negative| text.entry(until, "`until` counts seconds from 0"))
        });
        Ok(Self {
            config: text.config(&read)?,
            config_after: (read.config_after.as_ref())
                .map(|after| Source::text(&file.to_string_lossy(), after)),
            lines: text.lines(&read)?,
            until: until.transpose()?,
            points: read
                .points
                .iter()
                .map(|point| point.get_ref().clone())
                .collect(),
            expect: text.patterns(&read.expect)?,
            never: text.patterns(&read.never)?,
            ignore: text.patterns(&read.ignore)?,
            about: read.about,
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

    /// Runs it in a folder of its own, on the configuration in `instead` if there is one. Gives what
    /// did not come as expected, in words; empty when everything did.
    ///
    /// # Errors
    /// It could not be run to its end.
    pub fn run(&self, instead: Option<&Path>) -> Result<Vec<String>, ScenarioError> {
        let config = self.load(instead)?;
        self.could_fit(&config)?;
        let happened = objects(&self.play(&config, None)?)?;
        let differences = comparison::compare(self, &happened);
        if differences.is_empty() {
            return Ok(Vec::new());
        }
        // The same again, this time watching: a replay is the same twice.
        let traced = objects(&self.play(&config, Some(self.trace_step()))?)?;
        let around = Around::new(&self.lines, &traced);
        let told = differences.into_iter().map(|difference| {
            let around = around.tell(difference.t, difference.point.as_deref());
            format!("{}{around}", difference.words)
        });
        Ok(told.collect())
    }

    /// The event lines that come of it.
    ///
    /// # Errors
    /// It could not be run to its end.
    pub fn replay(&self) -> Result<String, ScenarioError> {
        self.play(&self.load(None)?, None)
    }

    /// Must an event of `point` be expected?
    pub(super) fn watches(&self, point: Option<&str>) -> bool {
        self.points.is_empty()
            || point.is_some_and(|point| self.points.iter().any(|own| own == point))
    }

    fn load(&self, instead: Option<&Path>) -> Result<Config, ScenarioError> {
        let instead = instead.map(|path| Source::file(Some(path.to_owned())));
        let (config, _warnings) = config::load(instead.as_ref().unwrap_or(&self.config))?;
        Ok(config)
    }

    /// Patterns and `points` that name what is not configured would pass or fail for the wrong reason.
    fn could_fit(&self, config: &Config) -> Result<(), ScenarioError> {
        let patterns = self.expect.iter().chain(&self.never).chain(&self.ignore);
        for pattern in patterns {
            pattern
                .could_fit(config)
                .map_err(|text| ScenarioError::Entry {
                    place: pattern.place.clone(),
                    text,
                })?;
        }
        Ok(())
    }

    /// Short enough to show what happens between two events, long enough for a day.
    fn trace_step(&self) -> Duration {
        let last = self.lines.last().map_or(0.0, |(t, _)| *t);
        let end = self
            .until
            .map_or(last, |until| until.as_secs_f64().max(last));
        Duration::from_secs_f64((end / 3600.0).clamp(1.0, 3600.0))
    }

    fn play(&self, config: &Config, trace: Option<Duration>) -> Result<String, ScenarioError> {
        let folder = ScratchFolder::in_memory("test")?;
        let mut out = Vec::new();
        let after = self.config_after.as_ref().map(config::load).transpose()?;
        let mut replay = Replay::new(config, START, folder.path(), trace, &mut out)?;
        if let Some((after, _warnings)) = &after {
            replay.change_after_kill(after);
        }
        replay.run(self.input().as_bytes(), self.until)?;
        drop(replay);
        Ok(String::from_utf8_lossy(&out).into_owned())
    }
}

fn objects(lines: &str) -> Result<Vec<Happened>, serde_json::Error> {
    lines.lines().map(serde_json::from_str).collect()
}
