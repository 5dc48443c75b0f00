//! What was received, and what is wrong with it. Pure.
//!
//! An event is told by its id, `site:epoch:seq`. `seq` has no gaps within an epoch, and of each alarm the
//! events come in its order. Backlog (`"replayed": true`) may follow live events, so that order is judged
//! among live and among replayed events on their own.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::{Value, json};

/// Ids remembered to tell duplicates; events beyond are counted as unchecked.
const IDS: usize = 2_000_000;
/// Missing numbers written out in a summary.
const SHOWN: usize = 100;

/// An event as it came.
#[derive(Debug, Clone)]
pub struct Received {
    /// Understood.
    pub event: Value,
    /// The payload itself, on one line: order of keys and spelling of numbers are the sender's.
    pub line: String,
}

impl Received {
    fn new(event: Value, payload: &[u8]) -> Self {
        // In JSON a line feed is white space; within a string it is written as an escape.
        let line = String::from_utf8_lossy(payload).replace(['\n', '\r'], " ");
        Self { event, line }
    }
}

/// Everything a receiver got, within its bounds.
#[derive(Debug, Default)]
pub struct Record {
    keep: usize,
    events: VecDeque<Received>,
    received: u64,
    ids: BTreeMap<String, BTreeSet<u64>>,
    distinct: usize,
    duplicates: u64,
    unchecked: u64,
    last: BTreeMap<(String, String, bool), u64>,
    out_of_order: u64,
    malformed: u64,
    readings: u64,
    states: BTreeMap<String, Value>,
    status: Option<Value>,
    connections: u64,
    subscriptions: u64,
}

impl Record {
    /// A record that keeps that many of the newest events.
    pub(super) fn new(keep: usize) -> Self {
        Self {
            keep,
            ..Self::default()
        }
    }

    pub(super) fn connected(&mut self) {
        self.connections += 1;
    }

    pub(super) fn subscribed(&mut self) {
        self.subscriptions += 1;
    }

    /// Takes a message; `topic` without the prefix and the site.
    pub(super) fn accept(&mut self, topic: &str, payload: &[u8]) {
        if topic.starts_with("reading/") {
            self.readings += 1;
            return;
        }
        let alarm = topic.strip_prefix("alarm/");
        if let (Some(alarm), true) = (alarm, payload.is_empty()) {
            // An empty retained message deletes the retained state.
            self.states.remove(alarm);
            return;
        }
        let Ok(value) = serde_json::from_slice::<Value>(payload) else {
            self.malformed += 1;
            return;
        };
        match (topic, alarm) {
            ("event", _) => self.event(Received::new(value, payload)),
            ("status", _) => self.status = Some(value),
            (_, Some(alarm)) => {
                self.states.insert(alarm.to_owned(), value);
            }
            // Commands and their replies are between others.
            _ => {}
        }
    }

    fn event(&mut self, received: Received) {
        let event = &received.event;
        let text = |key: &str| event.get(key).and_then(Value::as_str);
        let id = text("id")
            .and_then(|id| id.rsplit_once(':'))
            .and_then(|(epoch, seq)| Some((epoch.to_owned(), seq.parse::<u64>().ok()?)));
        let Some((epoch, seq)) = id.filter(|(_, seq)| event["seq"].as_u64() == Some(*seq)) else {
            self.malformed += 1;
            return;
        };
        if self.is_new(&epoch, seq)
            && let Some(alarm) = text("alarm")
        {
            let replayed = event["replayed"].as_bool() == Some(true);
            let last = self
                .last
                .entry((alarm.to_owned(), epoch, replayed))
                .or_insert(seq);
            if seq < *last {
                self.out_of_order += 1;
            }
            *last = seq.max(*last);
        }
        self.received += 1;
        self.events.push_back(received);
        if self.events.len() > self.keep {
            self.events.pop_front();
        }
    }

    fn is_new(&mut self, epoch: &str, seq: u64) -> bool {
        if self.distinct >= IDS {
            self.unchecked += 1;
            return false;
        }
        let new = self.ids.entry(epoch.to_owned()).or_default().insert(seq);
        if new {
            self.distinct += 1;
        } else {
            self.duplicates += 1;
        }
        new
    }

    /// The newest events in order of arrival, duplicates included.
    pub fn events(&self) -> impl DoubleEndedIterator<Item = &Value> {
        self.events.iter().map(|received| &received.event)
    }

    /// Events received, duplicates included.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Events with an id not seen before.
    pub fn distinct(&self) -> usize {
        self.distinct
    }

    /// Events with an id seen before.
    pub fn duplicates(&self) -> u64 {
        self.duplicates
    }

    /// New events whose `seq` is lower than one the same alarm had already.
    pub fn out_of_order(&self) -> u64 {
        self.out_of_order
    }

    /// Messages that are no JSON, and events without an id that carries their `seq`.
    pub fn malformed(&self) -> u64 {
        self.malformed
    }

    /// Telemetry messages.
    pub fn readings(&self) -> u64 {
        self.readings
    }

    /// The retained state of an alarm, told by `point/kind`.
    pub fn state(&self, alarm: &str) -> Option<&Value> {
        self.states.get(alarm)
    }

    /// The retained states by `point/kind`.
    pub fn states(&self) -> &BTreeMap<String, Value> {
        &self.states
    }

    /// The last message on the status topic, the last will included.
    pub fn status(&self) -> Option<&Value> {
        self.status.as_ref()
    }

    /// Subscriptions the broker granted, one per connection: above 0 the receiver misses nothing more.
    pub fn subscriptions(&self) -> u64 {
        self.subscriptions
    }

    /// Numbers between the first and the last `seq` of each epoch that never came.
    pub fn missing_seq(&self) -> impl Iterator<Item = u64> {
        self.ids.values().flat_map(|seen| {
            let next = seen.iter().skip(1);
            seen.iter().zip(next).flat_map(|(from, to)| from + 1..*to)
        })
    }

    /// All counts; `missing_seq` shows the first 100 of `missing`.
    pub fn summary(&self) -> Value {
        json!({
            "events": self.received,
            "distinct": self.distinct,
            "duplicates": self.duplicates,
            "unchecked": self.unchecked,
            "out_of_order": self.out_of_order,
            "missing": self.missing_seq().count(),
            "missing_seq": self.missing_seq().take(SHOWN).collect::<Vec<_>>(),
            "malformed": self.malformed,
            "readings": self.readings,
            "states": self.states.len(),
            "status": self.status,
            "connections": self.connections,
        })
    }

    /// The events from the `cursor`-th on (counted from 0) that are still kept.
    pub(super) fn after(&self, cursor: u64) -> Vec<Received> {
        let first = self.received - self.events.len() as u64;
        let skip = usize::try_from(cursor.saturating_sub(first)).unwrap_or(usize::MAX);
        self.events.iter().skip(skip).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(epoch: u64, seq: u64, alarm: &str, replayed: bool) -> Vec<u8> {
        json!({"id": format!("s:{epoch}:{seq}"), "seq": seq, "alarm": alarm, "replayed": replayed})
            .to_string()
            .into_bytes()
    }

    #[test]
    fn counts_duplicates_gaps_and_disorder() {
        // (epoch, seq, alarm, replayed) -> distinct, duplicates, out of order, missing
        type Case = (
            &'static str,
            &'static [(u64, u64, &'static str, bool)],
            (usize, u64, u64, &'static [u64]),
        );
        let cases: [Case; 7] = [
            (
                "in order",
                &[(1, 1, "a", false), (1, 2, "a", false)],
                (2, 0, 0, &[]),
            ),
            (
                "again",
                &[(1, 1, "a", false), (1, 2, "a", false), (1, 1, "a", false)],
                (2, 1, 0, &[]),
            ),
            (
                "a gap",
                &[(1, 1, "a", false), (1, 4, "a", false)],
                (2, 0, 0, &[2, 3]),
            ),
            (
                "swapped",
                &[(1, 2, "a", false), (1, 1, "a", false)],
                (2, 0, 1, &[]),
            ),
            (
                "other alarm",
                &[(1, 2, "a", false), (1, 1, "b", false)],
                (2, 0, 0, &[]),
            ),
            (
                "backlog later",
                &[(1, 2, "a", false), (1, 1, "a", true)],
                (2, 0, 0, &[]),
            ),
            (
                "new epoch",
                &[(1, 2, "a", false), (2, 1, "a", false)],
                (2, 0, 0, &[]),
            ),
        ];
        for (name, events, (distinct, duplicates, out_of_order, missing)) in cases {
            let mut record = Record::new(100);
            for (epoch, seq, alarm, replayed) in events {
                record.accept("event", &event(*epoch, *seq, alarm, *replayed));
            }
            assert_eq!(record.distinct(), distinct, "{name}");
            assert_eq!(record.duplicates(), duplicates, "{name}");
            assert_eq!(record.out_of_order(), out_of_order, "{name}");
            assert_eq!(record.missing_seq().collect::<Vec<_>>(), missing, "{name}");
        }
    }

    #[test]
    fn what_cannot_be_an_event_is_malformed() {
        let mut record = Record::new(100);
        for wrong in [
            "",
            "{",
            "{}",
            r#"{"id":"s:1:x","seq":1}"#,
            r#"{"id":"s:1:2","seq":1}"#,
        ] {
            record.accept("event", wrong.as_bytes());
        }
        assert_eq!((record.malformed(), record.received()), (5, 0));
    }

    #[test]
    fn keeps_states_and_status_and_counts_readings() {
        let mut record = Record::new(100);
        record.accept("alarm/P/high", br#"{"state":"acknowledged"}"#);
        record.accept("alarm/P/low", br#"{"state":"normal"}"#);
        record.accept("alarm/P/low", b"");
        record.accept("status", br#"{"online":true}"#);
        record.accept("reading/P", b"anything");
        assert_eq!(
            record.state("P/high"),
            Some(&json!({"state": "acknowledged"}))
        );
        assert_eq!(record.states().len(), 1);
        assert_eq!(record.status(), Some(&json!({"online": true})));
        assert_eq!(record.readings(), 1);
    }

    #[test]
    fn an_event_stays_as_it_was_written() {
        let mut record = Record::new(2);
        record.accept("event", b"{\"seq\":1,\n\"id\":\"s:1:1\",\"a\":1.50}");
        let lines: Vec<_> = record.after(0).into_iter().map(|it| it.line).collect();
        assert_eq!(lines, [r#"{"seq":1, "id":"s:1:1","a":1.50}"#]);
    }

    #[test]
    fn forgets_the_oldest_events_but_counts_them() {
        let mut record = Record::new(2);
        for seq in 1..=5 {
            record.accept("event", &event(1, seq, "a", false));
        }
        let seqs = |events: Vec<Received>| -> Vec<u64> {
            events
                .iter()
                .filter_map(|received| received.event["seq"].as_u64())
                .collect()
        };
        assert_eq!(record.received(), 5);
        assert_eq!(seqs(record.after(0)), [4, 5]);
        assert_eq!(seqs(record.after(4)), [5]);
        assert_eq!(seqs(record.after(5)), Vec::<u64>::new());
    }
}
