//! How far a long command has come, on standard error: only for people (a terminal), and only when
//! it takes longer than a moment.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use crate::clock;
use crate::engine::time::Mono;

/// What takes no longer than this needs no bar.
const PATIENCE: Duration = Duration::from_secs(2);

/// Redrawn no more often than this.
const FRAME: Duration = Duration::from_millis(100);

/// Characters of the bar.
const WIDTH: usize = 30;

/// A bar that appears after two seconds.
#[derive(Debug)]
pub struct Progress {
    what: &'static str,
    total: usize,
    done: usize,
    began: Mono,
    drawn: Option<Mono>,
    seen: bool,
}

impl Progress {
    /// `total` steps lie ahead, counted in `what`.
    pub fn new(what: &'static str, total: usize) -> Self {
        Self {
            what,
            total,
            done: 0,
            began: clock::monotonic(),
            drawn: None,
            seen: io::stderr().is_terminal(),
        }
    }

    /// One more step begins.
    pub fn step(&mut self) {
        self.done = (self.done + 1).min(self.total);
        if self.seen {
            self.draw(clock::monotonic());
        }
    }

    /// Makes room for other output on the same terminal.
    pub fn clear(&mut self) {
        if self.drawn.take().is_some() {
            write("\r\x1b[K");
        }
    }

    fn draw(&mut self, now: Mono) {
        let fresh = self.drawn.is_some_and(|last| now.since(last) < FRAME);
        if now.since(self.began) < PATIENCE || fresh {
            return;
        }
        self.drawn = Some(now);
        write(&format!("\r\x1b[K{}", self.line()));
    }

    fn line(&self) -> String {
        let filled = (self.done * WIDTH).checked_div(self.total).unwrap_or(WIDTH);
        let (full, empty) = ("#".repeat(filled), ".".repeat(WIDTH - filled));
        format!(
            "[{full}{empty}] {} of {} {}",
            self.done, self.total, self.what
        )
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

/// A bar that cannot be drawn is no failure of the command.
fn write(text: &str) {
    let mut err = io::stderr().lock();
    let _unseen = err
        .write_all(text.as_bytes())
        .and_then(|()| err.flush())
        .is_err();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_full_as_the_work_is_done() {
        let mut progress = Progress::new("scenarios", 4);
        progress.done = 3;
        assert_eq!(
            progress.line(),
            "[######################........] 3 of 4 scenarios"
        );
        let nothing = Progress::new("scenarios", 0);
        assert!(
            nothing
                .line()
                .starts_with("[##############################]")
        );
    }
}
