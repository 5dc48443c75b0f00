//! What the programs share: their help, their end, lines in, lines out.

use std::convert::Infallible;
use std::io::{self, BufRead, Write};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use crate::link::{Broker, Trouble};

/// Help with the examples before everything else.
pub const HELP: &str = "{about}\n\n{before-help}{usage-heading} {usage}\n\n{all-args}{after-help}";

/// The exit code of a program: 0, or 1 after its error was told. A reader of stdout that went away
/// (`| head`) is no error.
pub fn exit_code(result: io::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            tell(format_args!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// A length of time from seconds on a command line.
///
/// # Errors
/// When it is no positive number of seconds.
pub fn seconds(text: &str) -> Result<Duration, String> {
    text.parse::<f64>()
        .ok()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .filter(|length| !length.is_zero())
        .ok_or_else(|| "should be a number of seconds above 0".to_owned())
}

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
