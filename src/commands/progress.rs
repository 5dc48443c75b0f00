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
const WIDTH: u64 = 30;

/// A bar that appears after two seconds; a line without one when nobody knows how much there is.
#[derive(Debug)]
pub struct Progress {
    what: &'static str,
    total: Option<u64>,
    done: u64,
    began: Mono,
    drawn: Option<Mono>,
    seen: bool,
}

impl Progress {
    /// `total` steps lie ahead, counted in `what`; `None`: nobody knows how many.
    pub fn new(what: &'static str, total: Option<u64>) -> Self {
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
        self.reach(self.done + 1);
    }

    /// So many steps have begun.
    pub fn reach(&mut self, done: u64) {
        self.done = self.total.map_or(done, |total| done.min(total));
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
        let Self { done, what, .. } = self;
        let Some(total) = self.total else {
            return format!("{done} {what}");
        };
        let is_full = |cell: &u64| *cell * total <= done * WIDTH;
        let cells = (1..=WIDTH).map(|cell| if is_full(&cell) { '#' } else { '.' });
        let bar: String = cells.collect();
        format!("[{bar}] {done} of {total} {what}")
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
        let mut progress = Progress::new("scenarios", Some(4));
        progress.done = 3;
        assert_eq!(
            progress.line(),
            "[######################........] 3 of 4 scenarios"
        );
        progress.reach(9);
        assert_eq!(
            progress.line(),
            "[##############################] 4 of 4 scenarios"
        );
        let nothing = Progress::new("scenarios", Some(0));
        assert!(nothing.line().starts_with('['), "and no division by it");
    }

    #[test]
    fn without_a_total_there_is_a_line_and_no_bar() {
        let mut progress = Progress::new("kB read", None);
        progress.reach(64);
        assert_eq!(progress.line(), "64 kB read");
    }
}
