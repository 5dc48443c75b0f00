//! Whether a device is lost, by what its polls came to.

use std::time::Duration;

use tracing::{info, warn};

use crate::engine::time::Mono;
use crate::input::modbus::DeviceSettings;
use crate::input::modbus::failure::Loss;
use crate::input::modbus::schedule::SILENT_AFTER;

/// A device is known to be lost so long before the first of its points is stale, if it can be.
const MARGIN: Duration = Duration::from_millis(500);

/// A device on its bus.
pub(super) struct Device {
    pub(super) settings: DeviceSettings,
    /// Polls of its unit in a row without any answer.
    failures: u32,
    /// When it answered last, or was asked first.
    heard: Option<Mono>,
    /// What the status point said last.
    lost: Option<bool>,
}

/// What a poll says about its device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Presence {
    /// It could not be asked: the line could not be opened.
    Unreachable,
    /// It was asked and did not answer.
    Silent,
    /// It answered something, be it an exception.
    Answered,
}

impl Device {
    pub(super) const fn new(settings: DeviceSettings) -> Self {
        Self {
            settings,
            failures: 0,
            heard: None,
            lost: None,
        }
    }

    /// Is the device lost? `Some` when that changes or is known for the first time.
    pub(super) fn judge(&mut self, presence: Presence, loss: Loss, now: Mono) -> Option<bool> {
        let heard = *self.heard.get_or_insert(now);
        let lost = match presence {
            Presence::Answered => {
                self.failures = 0;
                self.heard = Some(now);
                false
            }
            Presence::Silent | Presence::Unreachable => {
                self.failures = self.failures.saturating_add(1);
                let next = now + self.settings.poll + self.settings.timeout + MARGIN;
                let stale = self.settings.stale_after.map(|after| heard + after);
                let too_late = self.failures > 1 && stale.is_some_and(|stale| next > stale);
                if self.failures < SILENT_AFTER && !too_late {
                    return None;
                }
                true
            }
        };
        if self.lost.replace(lost) == Some(lost) {
            return None;
        }
        let device = &*self.settings.id;
        if lost {
            warn!(device, polls = self.failures, reason = ?loss, "modbus device lost");
        } else {
            info!(device, "modbus device answers");
        }
        Some(lost)
    }
}
