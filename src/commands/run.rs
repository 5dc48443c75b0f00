//! `forewarn run`: the daemon.

use std::io::Write;
use std::path::PathBuf;

use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::filter::{LevelFilter, Targets};

use super::{BAD_CONFIGURATION, FINDINGS, GOOD, INTERNAL, complain};
use crate::config::{self, Config, Source};
use crate::gateway::{Ended, Gateway};

/// Arguments of `forewarn run`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: forewarn run --config /etc/forewarn/forewarn.toml --data /var/lib/forewarn\n\nExit codes: 0 stopped in order, 1 could not start, 70 internal fault, 78 mistakes in the configuration"
)]
pub struct RunArgs {
    /// Configuration; `conf.d/*.toml` beside it is read, too
    #[arg(long)]
    config: Option<PathBuf>,
    /// Folder for the journal
    #[arg(long)]
    data: Option<PathBuf>,
}

/// Runs it until SIGTERM or Ctrl-C.
pub fn run(args: RunArgs) -> u8 {
    let source = Source::file(args.config)
        .data(args.data)
        .environment(std::env::vars_os());
    let config = match config::load(&source) {
        Ok((config, warnings)) => {
            let words = config::warnings_in_words(&warnings);
            let _nobody = std::io::stderr().write_all(words.as_bytes()).is_err();
            config
        }
        Err(mistakes) => {
            let _nobody = write!(std::io::stderr(), "{mistakes}").is_err();
            return BAD_CONFIGURATION;
        }
    };
    log_to_stderr(LevelFilter::from_level(config.log));
    match runtime() {
        Ok(runtime) => {
            let code = runtime.block_on(watch(config));
            // Reads from a disk that hangs may still hold threads; waiting for them has no end.
            runtime.shutdown_background();
            code
        }
        Err(error) => {
            complain(&error);
            FINDINGS
        }
    }
}

async fn watch(config: Config) -> u8 {
    let gateway = match Gateway::start(config).await {
        Ok(gateway) => gateway,
        Err(error) => {
            complain(&error);
            return FINDINGS;
        }
    };
    tracing::info!(http = %gateway.http_address(), "watching");
    match gateway.supervise(told_to_end()).await {
        Ended::Asked { .. } => GOOD,
        Ended::TaskDied(_) => INTERNAL,
    }
}

/// One thread: the work is small, and order is worth more than a second core.
pub(super) fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
}

/// Resolves at SIGTERM or Ctrl-C. SIGHUP, which would end the process, is only noted: a new
/// configuration takes effect with a restart.
pub(super) async fn told_to_end() {
    let mut terminate = signal(SignalKind::terminate()).ok();
    let mut hangup = signal(SignalKind::hangup()).ok();
    loop {
        tokio::select! {
            _stopped = tokio::signal::ctrl_c() => return,
            () = received(&mut terminate) => return,
            () = received(&mut hangup) => {
                tracing::warn!("SIGHUP: a changed configuration takes effect with a restart");
            }
        }
    }
}

async fn received(signal: &mut Option<tokio::signal::unix::Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}

/// Log lines on standard error, for the journal of systemd or a terminal.
///
/// The embedded broker's own log is left out: it calls every client that leaves an error.
pub(super) fn log_to_stderr(level: LevelFilter) {
    use tracing_subscriber::prelude::*;
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_target(false);
    // A second subscriber in one process (tests) is refused; the first goes on.
    let _second = tracing_subscriber::registry()
        .with(
            Targets::new()
                .with_default(level)
                .with_target("rumqttd", LevelFilter::OFF),
        )
        .with(lines)
        .try_init()
        .is_err();
}
