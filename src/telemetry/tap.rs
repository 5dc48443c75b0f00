//! Where the engine's task hands over what it has judged: O(1), no allocation, no waiting.

use std::sync::Arc;
use std::time::Duration;

use super::recorder::Recorder;
use super::shared::Shared;
use crate::engine::reading::PointIndex;
use crate::engine::snapshot::Shown;
use crate::engine::time::{Moment, Mono};

/// What is due is looked for this often, and so are points that change without a reading: they fall
/// silent, or are counted from others.
const TURN: Duration = Duration::from_secs(1);
/// The present of every point is recorded this often at most, however often outputs come back.
const PRESENT: Duration = Duration::from_secs(60);

/// The recorder, and the way to whoever keeps its records.
#[derive(Debug)]
pub struct Tap {
    recorder: Recorder,
    shared: Arc<Shared>,
    turned: Option<Mono>,
    refreshed: Option<Mono>,
    wanted: bool,
}

impl Tap {
    pub(super) const fn new(recorder: Recorder, shared: Arc<Shared>) -> Self {
        Self {
            recorder,
            shared,
            turned: None,
            refreshed: None,
            wanted: false,
        }
    }

    /// A reading of a point was judged; `shown` is what the engine shows of it now.
    pub fn judged(&mut self, point: PointIndex, shown: Option<Shown>, now: Moment) {
        let Self {
            recorder, shared, ..
        } = self;
        if let Some(shown) = shown {
            recorder.see(point, &shown, now, &mut |record| shared.push(record));
        }
    }

    /// Nothing more is judged: what is open is recorded, so that a stop loses no peak.
    pub fn close(&mut self, now: Moment) {
        let shared = &self.shared;
        self.recorder.close(now, &mut |record| shared.push(record));
    }

    /// Time passes. `show` says what the engine shows of a point.
    pub fn turn(&mut self, now: Moment, show: impl Fn(PointIndex) -> Option<Shown>) {
        if !is_due(self.turned, TURN, now.mono) {
            return;
        }
        self.turned = Some(now.mono);
        self.wanted |= self.shared.take_wish();
        if self.wanted && is_due(self.refreshed, PRESENT, now.mono) {
            self.wanted = false;
            self.refreshed = Some(now.mono);
            self.recorder.refresh();
        }
        let shared = &self.shared;
        let mut tell = |record| shared.push(record);
        for point in (0..shared.names.count()).map(PointIndex) {
            if let Some(shown) = show(point) {
                self.recorder.see(point, &shown, now, &mut tell);
            }
            self.recorder.turn(point, now, &mut tell);
        }
    }
}

fn is_due(last: Option<Mono>, period: Duration, now: Mono) -> bool {
    last.is_none_or(|last| now.since(last) >= period)
}
