//! What the demo writes: lines that stay, and on a terminal one line below them that moves.

use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;

use simulators::upstream::Received;

use super::own_points;
use super::words::{self, Words};
use crate::config::Config;
use crate::engine::snapshot::Snapshot;
use crate::gateway::Ended;

/// Where the demo writes.
#[derive(Debug)]
pub(super) struct Screen<W> {
    out: W,
    words: Words,
    /// Points of the plant.
    points: Vec<String>,
    json: bool,
    /// A terminal has a line that moves.
    live: bool,
    colour: bool,
    /// The line to acknowledge with is shown once, at the first alarm.
    hint: Option<String>,
}

impl<W: Write> Screen<W> {
    pub(super) fn new(out: W, json: bool, config: &Config) -> Self
    where
        W: IsTerminal,
    {
        let live = out.is_terminal() && !json;
        Self {
            live,
            colour: live && std::env::var_os("NO_COLOR").is_none(),
            out,
            words: Words::new(&config.guidance),
            points: own_points(config).map(str::to_owned).collect(),
            json,
            hint: None,
        }
    }

    pub(super) fn greet(&mut self, http: SocketAddr) -> io::Result<()> {
        self.hint = Some(format!(
            "curl -s -X POST http://{http}/api/v1/alarms/CH4-101/high/acknowledge \
             -H 'content-type: application/json' -d '{{\"by\":\"you\",\"comment\":\"on my way\"}}'"
        ));
        self.say(&format!(
            "forewarn demo: a simulated plant; a gas leak begins in four seconds. Ctrl-C ends it.\n\
             \x20 alarms   http://{http}/api/v1/alarms?state=active\n\
             \x20 metrics  http://{http}/metrics\n"
        ))
    }

    /// One event as the receiver upstream got it.
    pub(super) fn event(&mut self, received: &Received) -> io::Result<()> {
        if self.json {
            writeln!(self.out, "{}", received.line)?;
            return self.out.flush();
        }
        let event = &received.event;
        let raised = event["event"] == "raised";
        let colour = match event["priority"].as_str() {
            Some("critical") if raised => "\x1b[1;31m",
            Some("high") if raised => "\x1b[1;33m",
            Some(_) if raised => "\x1b[1m",
            _ => "",
        };
        for line in self.words.event(event) {
            self.line(&line, colour)?;
        }
        if event["alarm"] == "CH4-101/high"
            && raised
            && let Some(hint) = self.hint.take()
        {
            self.line(&format!("          acknowledge it with: {hint}"), "")?;
        }
        self.out.flush()
    }

    /// The present, on the line that moves.
    pub(super) fn present(&mut self, present: &Snapshot) -> io::Result<()> {
        if !self.live {
            return Ok(());
        }
        let shown = present
            .points
            .iter()
            .filter(|point| self.points.contains(&point.id.to_string()));
        let line: Vec<_> = shown.map(words::point).collect();
        // Cut to the usual width: a line that wraps cannot be written over.
        let line: String = line.join(" | ").chars().take(118).collect();
        write!(self.out, "\r\x1b[2K{line}")?;
        self.out.flush()
    }

    pub(super) fn farewell(&mut self, ended: &Ended) -> io::Result<()> {
        match ended {
            // The folder with the journal goes, too.
            Ended::Asked { .. } => self.say("stopped; nothing is left behind"),
            Ended::TaskDied(_) => self.say(&ended.to_string()),
        }
    }

    /// Words of the demo itself: with `--json` they are no data.
    fn say(&mut self, text: &str) -> io::Result<()> {
        if self.json {
            writeln!(io::stderr(), "{text}")
        } else {
            self.line(text, "")
        }
    }

    fn line(&mut self, text: &str, colour: &str) -> io::Result<()> {
        let clear = if self.live { "\r\x1b[2K" } else { "" };
        if self.colour && !colour.is_empty() {
            writeln!(self.out, "{clear}{colour}{text}\x1b[0m")
        } else {
            writeln!(self.out, "{clear}{text}")
        }
    }
}
