//! What people ask for from afar: on command topics, and by links from messages.

use prometheus::{IntCounterVec, Registry};

use super::Metrics;
use super::families::counters;

/// One field per family.
#[derive(Debug)]
pub(super) struct Commands {
    topics: IntCounterVec,
    links: IntCounterVec,
}

impl Commands {
    pub(super) fn new(registry: &Registry) -> Self {
        Self {
            topics: counters(
                registry,
                "forewarn_output_commands_total",
                "Requests on the command topic, by what became of them.",
                &["output", "result"],
            ),
            links: counters(
                registry,
                "forewarn_acknowledge_links_total",
                "Acknowledgement links that were opened or answered with, by what became of it.",
                &["result"],
            ),
        }
    }

    pub(super) fn begin_at_zero(&self, link_results: &[&str]) {
        for result in link_results {
            self.links.with_label_values(&[result]);
        }
    }
}

impl Metrics {
    /// Requests on the command topic of an output are counted from now on, by one of these results.
    pub fn output_commands(&self, output: &str, results: &[&'static str]) {
        let counters = &self.families.commands.topics;
        for result in results {
            counters.with_label_values(&[output, result]);
        }
    }

    /// A request came on the command topic of an output.
    pub fn output_command(&self, output: &str, result: &'static str) {
        let counter = &self.families.commands.topics;
        counter.with_label_values(&[output, result]).inc();
    }

    /// Somebody opened an acknowledgement link, or answered with it.
    pub fn acknowledge_link(&self, result: &'static str) {
        let counter = &self.families.commands.links;
        counter.with_label_values(&[result]).inc();
    }
}
