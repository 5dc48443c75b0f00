//! What the service manager is told: readiness, progress, the end. Outside systemd (no
//! `NOTIFY_SOCKET`) every call does nothing.
//!
//! The watchdog is fed by the supervisor, and only while every task makes progress: a process that
//! merely exists must be restarted. Deliberately absent: stop time-outs and main process ids; the
//! unit file sets the first, systemd knows the second.

use std::time::Duration;

use sd_notify::NotifyState;
use tracing::warn;

/// The gateway watches: configuration read, journal open, every task started.
pub fn ready() {
    notify(&[NotifyState::Ready]);
}

/// Every task made progress. To be called at least every [`watchdog_period`].
pub fn watchdog() {
    notify(&[NotifyState::Watchdog]);
}

/// The gateway ends in good order.
pub fn stopping() {
    notify(&[NotifyState::Stopping]);
}

/// One line for `systemctl status`; what comes after a line feed is left out, because the protocol
/// would read it as another assignment.
pub fn status(text: &str) {
    let line = text.lines().next().unwrap_or_default();
    notify(&[NotifyState::Status(line)]);
}

/// How often to call [`watchdog`]: half of the unit's `WatchdogSec`, as `sd_watchdog_enabled(3)`
/// recommends. `None` when systemd does not watch.
pub fn watchdog_period() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|limit| limit / 2)
}

fn notify(states: &[NotifyState<'_>]) {
    // A lost word to the service manager must not stop the watching; a lost watchdog word leads to
    // a restart, which is what is wanted.
    if let Err(error) = sd_notify::notify(states) {
        warn!(%error, "service manager not told");
    }
}
