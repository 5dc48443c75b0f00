//! The standing reminder: how many hazard points are inhibited is a reading of the gateway's own point, so that
//! the same rules make an alarm of it (alarm-standards 2.16).
//!
//! Looked at once a second, told when the set of points changes. The alarm is active while the number is not
//! zero, so another point more or less pages nobody. It is looked at here and not by a task that asks for a
//! copy of the present: that copies every point and alarm, and this looks at hazard points only.
//!
//! A restart says nothing before it is certain: that *nobody* is inhibited is told only when every hazard point
//! was heard or found silent. Else the reminder from before would end, and begin with another page.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::{Delivery, Evaluation};
use crate::clock;
use crate::engine::inhibited::Inhibited;
use crate::engine::reading::{Reading, Sample};
use crate::engine::time::Mono;

/// How often the points are looked at.
const EVERY: Duration = Duration::from_secs(1);

/// What was told.
#[derive(Debug, Default)]
pub(super) struct Reminder {
    /// When to look again.
    pub(super) next: Mono,
    /// The points in the last reading; `None` before the first.
    told: Option<Vec<Arc<str>>>,
}

impl Reminder {
    /// How many points to tell of, when that is news.
    fn news(&mut self, inhibited: &Inhibited) -> Option<u32> {
        let points = &inhibited.points;
        let premature = self.told.is_none() && points.is_empty() && !inhibited.is_complete;
        if premature || self.told.as_ref() == Some(points) {
            return None;
        }
        self.told = Some(points.clone());
        Some(u32::try_from(points.len()).unwrap_or(u32::MAX))
    }
}

impl Evaluation {
    /// Looks at the hazard points when it is time to, and tells the engine what is news.
    pub(super) async fn remind(&mut self, deliveries: &mut mpsc::Receiver<Delivery>) {
        let now = clock::monotonic();
        if now < self.reminder.next {
            return;
        }
        self.reminder.next = now + EVERY;
        let Some(inhibited) = self.station.inhibited() else {
            return;
        };
        self.metrics.points_inhibited(inhibited.points.len());
        let Some(count) = self.reminder.news(&inhibited) else {
            return;
        };
        tracing::info!(
            points = inhibited.points.join(","),
            "inhibited hazard points"
        );
        self.awaken().await;
        // What came before is evidence: time must not pass over it.
        self.catch_up(deliveries).await;
        let sample = Sample::measured(f64::from(count));
        self.station
            .read(Reading::live(inhibited.reminder, sample, clock::now()));
        self.flush(None).await;
    }
}
