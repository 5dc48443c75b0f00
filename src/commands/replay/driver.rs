//! Virtual time: feeds lines to the real engine, commits what it says to a real journal, and writes
//! the committed lines. The same input gives the same output, byte for byte.
//!
//! Between two lines time passes as far as timers need it. Lines of one instant are taken in the
//! engine's order: readings first, then timers, then commands. `kill` is a power cut: it drops the engine
//! and everything that was not committed, and what was remembered since the journal's writer wrote last;
//! `start` opens the same journal and begins again. In between nobody watches, so readings and commands
//! reach no one.

mod remembered;
mod trace;

use std::collections::HashMap;
use std::io::{BufRead, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use self::remembered::Remembered;
use super::connection::Named;
use super::input::{self, Line, Step};
use super::summary::{NOT_RUNNING, Summary};
use crate::config::Config;
use crate::engine::command::{Command, Denied, Outcome};
use crate::engine::effect::{Effect, Run};
use crate::engine::reading::{PointIndex, Reading};
use crate::engine::snapshot::History;
use crate::engine::time::{Moment, Mono, Wall};
use crate::journal::{CommitError, Entry, JournalSettings, OpenError, Store};
use crate::notify::station::Station;

/// A line longer than this is none; bytes.
const LONGEST_LINE: u64 = 1 << 20;

/// Why a replay ended early. Nothing after the line that is named was run.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The input is wrong.
    #[error("line {line}: {text}")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What is wrong, and what was expected.
        text: String,
    },
    /// The file with the input could not be opened.
    #[error("cannot open {}", .path.display())]
    Input {
        /// As asked.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The input could not be read or the output not written.
    #[error("cannot read the input or write the events")]
    Stream(#[from] std::io::Error),
    /// The journal in the temporary folder could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The journal in the temporary folder could not be written.
    #[error(transparent)]
    Commit(#[from] CommitError),
}

/// A replay under way.
pub struct Replay<'a, W> {
    config: &'a Config,
    /// In force from the next start on.
    next: Option<&'a Config>,
    /// Every measured point by id: looked up for every line.
    points: HashMap<&'a str, PointIndex>,
    journal: JournalSettings,
    clock: Moment,
    life: Option<Life>,
    trace: Option<(Duration, Mono)>,
    summary: Summary,
    out: W,
}

/// From one start to the next kill.
struct Life {
    station: Station,
    store: Store,
    pending: Vec<Entry>,
    remembered: Remembered,
}

impl Life {
    /// The power fails at `now`: only what was on disk by then is there at the next start.
    fn end(mut self, now: Moment) -> Result<(), CommitError> {
        let (memories, alive) = self.remembered.on_disk(now);
        self.store.remember(&memories, alive)
    }
}

impl<'a, W: Write> Replay<'a, W> {
    /// Begins to watch at `start`, with a fresh journal in `folder`.
    ///
    /// # Errors
    /// The journal cannot be opened or written, or `out` not written.
    pub fn new(
        config: &'a Config,
        start: Wall,
        folder: &Path,
        trace: Option<Duration>,
        out: W,
    ) -> Result<Self, ReplayError> {
        let journal = JournalSettings {
            path: PathBuf::from(folder).join("journal.db"),
            first_epoch: Some(1),
            ..config.journal.clone()
        };
        let clock = Moment {
            mono: Mono::ZERO,
            wall: start,
        };
        let mut replay = Self {
            config,
            next: None,
            points: points(config),
            journal,
            clock,
            life: None,
            trace: trace.map(|every| (every, Mono::ZERO)),
            summary: Summary::new(
                config
                    .engine
                    .points
                    .iter()
                    .map(|point| Arc::clone(&point.id)),
            ),
            out,
        };
        replay.begin()?;
        Ok(replay)
    }

    /// Starts with other settings after the next `kill`. Lines behind that start name points of these.
    pub fn change_after_kill(&mut self, config: &'a Config) {
        self.next = Some(config);
    }

    /// Runs all lines, then lets time pass to `until`.
    ///
    /// # Errors
    /// At the first wrong line: what stands before it was run, nothing after it.
    pub fn run(&mut self, lines: impl BufRead, until: Option<Duration>) -> Result<(), ReplayError> {
        let mut instant = Vec::new();
        let wrong = match self.take(lines, &mut instant) {
            Ok(()) => None,
            Err(error @ ReplayError::Line { .. }) => Some(error),
            Err(error) => return Err(error),
        };
        self.play(&mut instant)?;
        // The last instant, too, is seen to its end.
        let until = until.filter(|_| wrong.is_none());
        self.pass(until.map_or(self.clock.mono, |until| Mono::ZERO + until))?;
        wrong.map_or(Ok(()), Err)
    }

    /// Plays line after line; those of the last instant are left in `instant`.
    fn take(
        &mut self,
        mut lines: impl BufRead,
        instant: &mut Vec<Line>,
    ) -> Result<(), ReplayError> {
        let mut bytes = Vec::new();
        for number in 1.. {
            let wrong = |text| ReplayError::Line { line: number, text };
            bytes.clear();
            let mut line = lines.by_ref().take(LONGEST_LINE);
            if line.read_until(b'\n', &mut bytes)? == 0 {
                break;
            }
            if bytes.len() as u64 == LONGEST_LINE {
                return Err(wrong(format!("longer than {LONGEST_LINE} bytes")));
            }
            let text = std::str::from_utf8(&bytes)
                .map_err(|error| wrong(format!("not UTF-8: {error}")))?;
            // Some editors begin a file with a byte order mark.
            let text = text.strip_prefix('\u{feff}').unwrap_or(text).trim_end();
            if text.is_empty() {
                continue;
            }
            if self.may_rename(instant) {
                self.play(instant)?;
            }
            let line = input::parse(text, |named| self.find(named)).map_err(wrong)?;
            let earlier = instant.last().map_or(Duration::ZERO, |last| last.t);
            let passed = self.clock.mono.since(Mono::ZERO).max(earlier);
            if line.t < passed {
                return Err(wrong(format!(
                    "`t` is {} s, but {} s have passed; lines come in order of time",
                    line.t.as_secs_f64(),
                    passed.as_secs_f64()
                )));
            }
            if instant.last().is_some_and(|last| last.t < line.t) {
                self.play(instant)?;
            }
            instant.push(line);
        }
        Ok(())
    }

    /// May points be others behind these lines? They can be played then: nothing crosses a start.
    fn may_rename(&self, instant: &[Line]) -> bool {
        self.next.is_some() && instant.iter().any(|line| matches!(line.step, Step::Start))
    }

    /// Counts per point and per command outcome, one JSON line each (contract 8.15).
    ///
    /// # Errors
    /// `out` cannot be written.
    pub fn summarize(&mut self) -> Result<(), ReplayError> {
        let mut summary = self.summary.clone();
        if let Some(life) = &self.life {
            summary.add(&life.station.snapshot());
        }
        Ok(summary.write(&mut self.out)?)
    }

    /// The measured point of this id, or a connection's own; or why it cannot be read.
    fn find(&self, named: Named<'_>) -> Result<PointIndex, String> {
        let point = match named {
            Named::Point(point) => point,
            Named::Device(id) => return self.own("device", id),
            Named::Broker(id) => return self.own("broker", id),
        };
        if let Some(index) = self.points.get(point) {
            return Ok(*index);
        }
        let mut points = self.config.engine.points.iter();
        Err(if point.starts_with("gateway.") {
            format!("`{point}` is the gateway's own; it is not read")
        } else if points.any(|known| *known.id == *point) {
            format!("`{point}` is a group; its channels are read")
        } else {
            format!("no point `{point}` is configured")
        })
    }

    /// The gateway's own point that says whether it is lost.
    fn own(&self, what: &str, id: &str) -> Result<PointIndex, String> {
        let own = format!("gateway.{what}.{id}");
        let mut points = self.config.engine.points.iter().zip(0..);
        let found = points.find(|(point, _)| *point.id == own);
        let found = found.map(|(_, index)| PointIndex(index));
        found.ok_or_else(|| format!("no {what} `{id}` is configured"))
    }

    /// Everything of one instant: readings, then what is due, then the rest in order. A `kill`,
    /// `start` or `wall_step` is a border that nothing crosses.
    fn play(&mut self, instant: &mut Vec<Line>) -> Result<(), ReplayError> {
        let is_border = |step: &Step| matches!(step, Step::Kill | Step::Start | Step::WallStep(_));
        let mut lines = std::mem::take(instant);
        for part in lines.chunk_by_mut(|a, b| !is_border(&a.step) && !is_border(&b.step)) {
            part.sort_by_key(|line| matches!(line.step, Step::Command(_)));
            for line in part {
                let step = std::mem::replace(&mut line.step, Step::Start);
                self.step(Mono::ZERO + line.t, step)?;
            }
        }
        // Room for the next instant.
        lines.clear();
        *instant = lines;
        Ok(())
    }

    fn step(&mut self, t: Mono, step: Step) -> Result<(), ReplayError> {
        self.trace_until(t)?;
        self.clock = self.clock.at(t);
        match step {
            Step::Reading {
                point,
                measured,
                source_time,
                sequence,
                retained,
                health,
            } => {
                let reading = Reading {
                    point,
                    measured,
                    received: self.clock,
                    source_time,
                    sequence,
                    retained,
                    health,
                };
                if let Some(life) = &mut self.life {
                    life.station.read(reading);
                }
            }
            Step::Command(command) => self.command(&command),
            Step::WallStep(seconds) => {
                // What was due before is stamped by the old time.
                self.tick();
                self.commit()?;
                self.clock.wall = self.clock.wall.stepped(seconds);
                self.tick();
            }
            Step::Kill => {
                // What was due until now has happened, and was committed.
                self.tick();
                self.commit()?;
                if let Some(life) = self.life.take() {
                    self.summary.add(&life.station.snapshot());
                    life.end(self.clock)?;
                }
            }
            Step::Start if self.life.is_none() => {
                if let Some(next) = self.next.take() {
                    self.config = next;
                    self.points = points(next);
                }
                self.begin()?;
            }
            Step::Start => {}
        }
        self.commit()
    }

    fn command(&mut self, command: &Command) {
        let outcome = match &mut self.life {
            None => NOT_RUNNING,
            Some(life) => match life.station.command(command, self.clock) {
                Ok(Outcome::Accepted { .. }) => "accepted",
                Ok(Outcome::AlreadyDone { .. }) => "already_done",
                Err(denied) => Denied::name(&denied),
            },
        };
        self.summary.command(outcome);
    }

    fn pass(&mut self, to: Mono) -> Result<(), ReplayError> {
        self.trace_until(Mono::from_nanos(to.as_nanos().saturating_add(1)))?;
        if to > self.clock.mono {
            self.clock = self.clock.at(to);
        }
        self.tick();
        self.commit()
    }

    fn tick(&mut self) {
        if let Some(life) = &mut self.life {
            life.station.tick(self.clock);
        }
    }

    fn begin(&mut self) -> Result<(), ReplayError> {
        let outputs: Vec<_> = self
            .config
            .outputs
            .iter()
            .map(|output| Arc::clone(&output.id))
            .collect();
        let (store, restored) =
            Store::open(&self.journal, &self.config.site, &outputs, self.clock)?;
        let history = History {
            records: restored.records,
            memories: restored.memories,
            last_alive: restored.last_alive,
            notes: Vec::new(),
            run: Run {
                config_hash: Some(self.config.hash.as_str().into()),
                boot_id: None,
            },
        };
        self.life = Some(Life {
            station: Station::start(
                &self.config.engine,
                self.config.notify.clone(),
                &history,
                self.clock,
            ),
            store,
            pending: Vec::new(),
            remembered: Remembered::new(self.clock),
        });
        self.commit()
    }

    /// Commits what the engine said since the last commit, then shows it.
    fn commit(&mut self) -> Result<(), ReplayError> {
        let Some(life) = &mut self.life else {
            return Ok(());
        };
        while let Some(effect) = life.station.poll_effect() {
            match effect {
                Effect::Event(event) => {
                    life.remembered.committed(event.at);
                    life.pending.push(Entry {
                        t: Some(event.at.mono.as_secs_f64()),
                        event: Arc::from(event),
                    });
                }
                Effect::Remember(memory) => life.remembered.remember(*memory, self.clock),
            }
        }
        if life.pending.is_empty() {
            return Ok(());
        }
        for committed in life.store.commit(&life.pending, self.clock.wall)? {
            writeln!(self.out, "{}", committed.line)?;
        }
        life.pending.clear();
        Ok(())
    }
}

/// Every point that lines may name: neither groups, which are counted, nor the gateway's own.
fn points(config: &Config) -> HashMap<&str, PointIndex> {
    let points = config.engine.points.iter().zip((0..).map(PointIndex));
    points
        .filter(|(point, _)| point.group.is_none() && !point.id.starts_with("gateway."))
        .map(|(point, index)| (&*point.id, index))
        .collect()
}

#[cfg(test)]
mod tests;
