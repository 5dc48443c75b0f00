//! What the programs share: their help, their end, lines in, lines out.

use std::convert::Infallible;
use std::io::{self, BufRead, Write};
use std::thread;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use crate::link::{Broker, Trouble};

/// Help with the examples before everything else.
pub const HELP: &str = "{about}\n\n{before-help}{usage-heading} {usage}\n\n{all-args}{after-help}";

/// Waits for Ctrl-C or SIGTERM.
///
/// # Errors
/// When the process cannot listen for signals.
pub async fn asked_to_stop() -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
    }
}

/// Lines from stdin, one command each. The channel ends with stdin; a reader that falls 16 lines behind
/// makes whoever writes them wait.
pub fn stdin_lines() -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel(16);
    // Reading stdin cannot be interrupted: a thread of its own does not hold up the end of the process.
    thread::spawn(move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            let line = line.trim();
            if !line.is_empty() && sender.blocking_send(line.to_owned()).is_err() {
                return;
            }
        }
    });
    lines
}

/// The next line; waits for ever once stdin has ended.
pub async fn next_line(lines: &mut mpsc::Receiver<String>) -> String {
    match lines.recv().await {
        Some(line) => line,
        None => std::future::pending().await,
    }
}

/// Tells people on stderr why there is no connection, whenever that changes. Never ends.
pub async fn tell_trouble(trouble: &Trouble, broker: &Broker) -> Infallible {
    let mut trouble = trouble.subscribe();
    loop {
        if trouble.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
        match trouble.borrow_and_update().as_deref() {
            Some(why) => tell(format_args!(
                "no connection to {broker}, trying again: {why}"
            )),
            None => tell(format_args!("connected to {broker}")),
        }
    }
}

/// Writes a line of data to stdout at once.
///
/// # Errors
/// When nobody reads it any more.
pub fn say(data: impl std::fmt::Display) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{data}")?;
    out.flush()
}

/// Writes a line for people to stderr.
pub fn tell(words: impl std::fmt::Display) {
    // Words that nobody can read are no reason to end.
    drop(writeln!(io::stderr().lock(), "{words}"));
}
