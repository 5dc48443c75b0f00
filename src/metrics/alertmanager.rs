//! What outputs to Alertmanager count.

use std::sync::Arc;

use prometheus::{IntCounterVec, IntGaugeVec, Registry};

use super::families::{counters, gauges};

/// One field per family.
#[derive(Debug)]
pub(super) struct Alertmanager {
    member: IntGaugeVec,
    firing: IntGaugeVec,
    refused: IntGaugeVec,
    posts: IntCounterVec,
}

impl Alertmanager {
    pub(super) fn new(registry: &Registry) -> Self {
        Self {
            member: gauges(
                registry,
                "forewarn_alertmanager_member_up",
                "1 while this member of the Alertmanager takes what it is sent, else 0.",
                &["output", "member"],
            ),
            firing: gauges(
                registry,
                "forewarn_alertmanager_alerts",
                "Alerts that stand at the Alertmanager, as far as it was reached.",
                &["output"],
            ),
            refused: gauges(
                registry,
                "forewarn_alertmanager_refused_alerts",
                "Alerts that a member refuses as they are; each is tried again when it changes, and every five minutes.",
                &["output"],
            ),
            posts: counters(
                registry,
                "forewarn_alertmanager_posts_total",
                "Posts with alerts that a member took.",
                &["output", "member"],
            ),
        }
    }

    pub(super) fn begin_at_zero(&self, members: &[(Arc<str>, String)]) {
        for (output, member) in members {
            self.member(output, member, false);
            self.alerts(output, 0, 0);
            self.posts.with_label_values(&[&**output, member.as_str()]);
        }
    }

    pub(super) fn member(&self, output: &str, member: &str, up: bool) {
        let gauge = self.member.with_label_values(&[output, member]);
        gauge.set(up.into());
    }

    pub(super) fn alerts(&self, output: &str, firing: usize, refused: usize) {
        for (gauge, count) in [(&self.firing, firing), (&self.refused, refused)] {
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            gauge.with_label_values(&[output]).set(count);
        }
    }

    pub(super) fn post(&self, output: &str, member: &str) {
        self.posts.with_label_values(&[output, member]).inc();
    }
}
