//! What of an alarm is stored with every event, and what the page shows.

use std::sync::Arc;

use super::super::reading::Quality;
use super::super::snapshot::{AlarmRecord, AlarmView};
use super::super::time::Mono;
use super::Alarm;

impl Alarm {
    /// What is stored with an event at `now`.
    pub(in super::super) fn record(&self, now: Mono) -> AlarmRecord {
        let episode = self.episode.as_deref();
        AlarmRecord {
            alarm: Arc::clone(&self.id),
            state: self.state,
            priority: Some(self.priority),
            occurrence: self.occurrence(),
            raised_at: episode.and_then(|episode| episode.raised_at),
            annunciation: episode.and_then(|episode| episode.annunciation),
            cleared_at: episode.and_then(|episode| episode.cleared_at),
            acknowledged: episode.and_then(|episode| episode.acknowledged.clone()),
            confirmation: episode.and_then(|episode| episode.confirmation.clone()),
            promise: episode.and_then(|episode| episode.promise),
            first_out: episode.is_some_and(|episode| episode.first_out),
            released: self.released().cloned(),
            peak: episode.and_then(|episode| episode.peak),
            value: episode.and_then(|episode| episode.value),
            unacknowledged: episode.map_or_else(Vec::new, |episode| episode.unacknowledged.clone()),
            recognised: episode.map_or_else(Vec::new, |episode| episode.recognised.clone()),
            notices: None,
            cover: self.cover.clone(),
            numbered: (self.numbered > self.occurrence()).then_some(self.numbered),
            chattering: self.is_chattering(now),
            drill: None,
        }
    }

    /// What the page shows at `now`. `value` and `quality` are the point's, `limit` is what it compares
    /// with now.
    pub(in super::super) fn view(
        &self,
        point: &super::super::Point,
        value: Option<f64>,
        limit: Option<f64>,
        quality: Quality,
        now: Mono,
    ) -> AlarmView {
        let episode = self.episode.as_deref();
        AlarmView {
            alarm: Arc::clone(&self.id),
            point: Arc::clone(&point.id),
            kind: self.kind,
            area: point.area.clone(),
            unit: Arc::clone(&point.unit),
            priority: self.priority,
            state: self.state,
            overlays: self.overlays(),
            cover: self.cover.clone(),
            occurrence: self.occurrence(),
            value,
            limit,
            quality,
            raised_at: episode.and_then(|episode| episode.raised_at),
            acknowledged: episode.and_then(|episode| episode.acknowledged.clone()),
            confirmed: self.confirmed().cloned(),
            unconfirmed: self.unconfirmed(),
            acknowledged_until: episode.and_then(|episode| Some(episode.promise?.until)),
            first_out: episode.is_some_and(|episode| episode.first_out),
            peak: episode.and_then(|episode| episode.peak),
            chattering: self.is_chattering(now),
            learning: false,
            older_unacknowledged: episode.map_or(0, |episode| episode.unacknowledged.len()),
            exposure: None,
            notices: None,
        }
    }
}
