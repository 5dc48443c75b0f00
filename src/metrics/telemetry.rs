//! What telemetry counts.

use std::sync::Arc;

use prometheus::{IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Registry};

use super::families::{counter, counters, gauge, gauges};
use super::whole;

/// One field per family.
#[derive(Debug)]
pub struct Telemetry {
    recorded: IntCounter,
    sent: IntCounterVec,
    dropped: IntCounterVec,
    refused: IntCounterVec,
    backlog: IntGaugeVec,
    written: IntCounter,
    store: IntGauge,
}

impl Telemetry {
    pub(super) fn new(registry: &Registry) -> Self {
        Self {
            recorded: counter(
                registry,
                "forewarn_telemetry_records_total",
                "Records made of readings for telemetry.",
            ),
            sent: counters(
                registry,
                "forewarn_telemetry_sent_total",
                "Records of telemetry that the far end has acknowledged.",
                &["output"],
            ),
            dropped: counters(
                registry,
                "forewarn_telemetry_dropped_total",
                "Records of telemetry lost before every output had them, oldest first, by reason.",
                &["reason"],
            ),
            refused: counters(
                registry,
                "forewarn_telemetry_refused_total",
                "Messages of telemetry that the far end did not take; they are repeated later.",
                &["output"],
            ),
            backlog: gauges(
                registry,
                "forewarn_telemetry_backlog_records",
                "Records of telemetry behind the oldest that this output has not delivered.",
                &["output"],
            ),
            written: counter(
                registry,
                "forewarn_telemetry_written_bytes_total",
                "Bytes written to disk for telemetry, as the kernel counts them, its journal included.",
            ),
            store: gauge(
                registry,
                "forewarn_telemetry_store_bytes",
                "Bytes of the file of telemetry with its journal; 0 without one.",
            ),
        }
    }

    pub(super) fn begin_at_zero(&self, outputs: &[Arc<str>], drops: &[&str]) {
        for output in outputs {
            self.sent.with_label_values(&[&**output]);
            self.refused.with_label_values(&[&**output]);
            self.backlog(output, 0);
        }
        for reason in drops {
            self.dropped.with_label_values(&[*reason]);
        }
    }

    /// A record was made.
    pub fn recorded(&self) {
        self.recorded.inc();
    }

    /// Records were acknowledged by the far end.
    pub fn sent(&self, output: &str, records: u64) {
        self.sent.with_label_values(&[output]).inc_by(records);
    }

    /// Records were lost.
    pub fn dropped(&self, reason: &'static str, records: u64) {
        if records > 0 {
            self.dropped.with_label_values(&[reason]).inc_by(records);
        }
    }

    /// The far end did not take a message.
    pub fn refused(&self, output: &str) {
        self.refused.with_label_values(&[output]).inc();
    }

    /// So many records lie behind the oldest that an output has not delivered.
    pub fn backlog(&self, output: &str, records: u64) {
        let gauge = self.backlog.with_label_values(&[output]);
        gauge.set(whole(records));
    }

    /// Bytes were written to disk.
    pub fn written(&self, bytes: u64) {
        self.written.inc_by(bytes);
    }

    /// Size of the file.
    pub fn store_size(&self, bytes: u64) {
        self.store.set(whole(bytes));
    }
}
