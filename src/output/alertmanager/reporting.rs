//! What the output says of itself: heartbeat, status point, metrics, log.

use std::sync::Arc;

use tracing::{error, info, warn};

use super::alert::Alert;
use super::exchange::REFUSED;
use super::member::{Member, Posted};
use super::skew::Skew;
use crate::broker::{Flow, Link, Sampler, StatusPoint};
use crate::engine::reading::PointIndex;
use crate::engine::time::{Moment, Mono};
use crate::metrics::Metrics;
use crate::output::{FAILURE_REASONS, Wiring};

/// The voice of one output.
pub(super) struct Reporting {
    pub(super) id: Arc<str>,
    task: String,
    metrics: Arc<Metrics>,
    status: StatusPoint,
    sampler: Sampler,
    /// Was any member reached?
    reached: Option<bool>,
}

impl Reporting {
    pub(super) fn new(id: Arc<str>, status: PointIndex, wiring: &Wiring) -> Self {
        Self {
            task: format!("output.{id}"),
            metrics: Arc::clone(&wiring.metrics),
            status: StatusPoint::new(status, wiring.readings.clone()),
            sampler: Sampler::default(),
            reached: None,
            id,
        }
    }

    /// About twice a second. A member that is away is trouble although others take the alerts: each sends
    /// what it has and does not pass it on.
    pub(super) fn beat<'m>(
        &mut self,
        members: impl Iterator<Item = (&'m str, &'m Member)>,
        firing: usize,
        now: Moment,
    ) {
        self.metrics.heartbeat(&self.task);
        let (mut any, mut link, mut refused) = (false, Link::Proven, 0);
        for (name, member) in members {
            let reached = member.reached();
            self.metrics
                .alertmanager_member(&self.id, name, reached == Some(true));
            any |= reached == Some(true);
            refused = refused.max(member.refused());
            link = match (link, reached) {
                (Link::Lost, _) | (_, Some(false)) => Link::Lost,
                (_, None) => Link::Unproven,
                (_, Some(true)) => link,
            };
        }
        self.metrics.alertmanager_alerts(&self.id, firing, refused);
        if self.reached != Some(any) && link != Link::Unproven {
            self.reached = Some(any);
            self.metrics.output_connected(&self.id, any);
        }
        if any && link == Link::Lost {
            link = Link::Partial;
        }
        self.status.update(link, Flow::troubled(refused > 0), now);
    }

    /// What became of a post; `posted`: it had alerts in it.
    pub(super) fn posted(&mut self, member: &str, outcome: Posted, posted: bool) {
        if outcome == Posted::Taken && posted {
            self.metrics.alertmanager_post(&self.id, member);
        }
    }

    /// Something was not taken or not answered.
    pub(super) fn trouble(
        &mut self,
        member: &str,
        why: Option<(&'static str, String)>,
        refused: Option<&Alert>,
        now: Mono,
    ) {
        let Some((reason, detail)) = why else {
            return;
        };
        debug_assert!(FAILURE_REASONS.contains(&reason), "{reason}");
        self.metrics.output_failure(&self.id, reason);
        if let Some(alert) = refused {
            let (output, alarm) = (&*self.id, &*alert.alarm);
            error!(
                output,
                member, alarm, detail, "an alert is refused as it is; the others go on"
            );
        } else if reason == REFUSED {
            self.sampled("refuses what it is sent", member, reason, &detail, now);
        } else {
            self.sampled("member not reached", member, reason, &detail, now);
        }
    }

    fn sampled(
        &mut self,
        what: &'static str,
        member: &str,
        reason: &'static str,
        detail: &str,
        now: Mono,
    ) {
        if let Some(count) = self.sampler.hit(reason, now) {
            warn!(output = &*self.id, member, reason, detail, count, "{what}");
        }
    }

    pub(super) fn clocks_differ(&self, member: &str, skew: Skew) {
        let seconds = skew.seconds();
        info!(
            output = &*self.id,
            member,
            seconds,
            "its clock is so far ahead of ours; times are written as it counts them"
        );
    }
}
