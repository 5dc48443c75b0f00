//! The wire schema of contract section 6: topics and payloads. Pure.
//!
//! As in events, a field that does not apply is absent: never `null`, never zero. Times are RFC
//! 3339 in UTC with milliseconds.

use std::borrow::Cow;

use serde::Serialize;

use crate::engine::alarm::AlarmState;
use crate::engine::snapshot::AlarmRecord;
use crate::engine::time::Wall;
use crate::event::rfc3339;
use crate::guidance::Guidance;
use crate::telemetry::Record;
use crate::wording::Readers;

/// Version of the program, in every state.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Topic names of one site. A point's id may hold anything but `/`, `+` and `#`, which mean
/// something in topics; should one come through all the same, it is written as `_`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topics {
    base: String,
    dots: Dots,
}

/// What becomes of a `.` in a topic, wherever it stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Dots {
    /// It stays.
    #[default]
    Kept,
    /// It is written `%2E`, for a broker that takes none. No id holds a `%`, so no two topics become one.
    Escaped,
}

impl Topics {
    /// Below `prefix`, as in `forewarn/v1`, and `site`.
    pub fn new(prefix: &str, site: &str) -> Self {
        Self {
            base: format!("{}/{}", prefix.trim_end_matches('/'), level(site)),
            dots: Dots::Kept,
        }
    }

    /// The same topics in another spelling.
    pub fn spelt(self, dots: Dots) -> Self {
        Self { dots, ..self }
    }

    /// Is the gateway there? Retained.
    pub fn status(&self) -> String {
        self.below("status")
    }

    /// Every event; not retained.
    pub fn event(&self) -> String {
        self.below("event")
    }

    /// Where commands come in.
    pub fn command(&self) -> String {
        format!("{}/command", self.base)
    }

    /// Where they are answered.
    pub fn command_reply(&self) -> String {
        format!("{}/command/reply", self.base)
    }

    /// Is this one of the topics of this site?
    pub fn is_own(&self, topic: &str) -> bool {
        let rest = topic.strip_prefix(&*self.base);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The present state of one alarm, `POINT/kind`; retained.
    pub fn alarm(&self, alarm: &str) -> String {
        let (point, kind) = alarm.rsplit_once('/').unwrap_or((alarm, ""));
        self.below(&format!("alarm/{}/{kind}", level(point)))
    }

    /// Records of all points, many in a message; not retained.
    pub fn readings(&self) -> String {
        self.below("readings")
    }

    /// Records of one point; not retained.
    pub fn reading(&self, point: &str) -> String {
        self.below(&format!("reading/{}", level(point)))
    }

    fn below(&self, rest: &str) -> String {
        let topic = format!("{}/{rest}", self.base);
        match self.dots {
            Dots::Kept => topic,
            Dots::Escaped => topic.replace('.', "%2E"),
        }
    }
}

/// One level of a topic.
fn level(text: &str) -> String {
    text.replace(['/', '+', '#', '\0'], "_")
}

/// Payload of the status topic.
#[derive(Debug, Serialize)]
struct Status<'s> {
    status: &'s str,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'s str>,
    version: &'s str,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_seq: Option<u64>,
}

/// The gateway is there since this connection; the journal's last event was `last_seq`.
pub fn online(since: Wall, last_seq: u64) -> String {
    json(&Status {
        status: "online",
        since: Some(rfc3339::format(since)),
        reason: None,
        version: VERSION,
        last_seq: Some(last_seq),
    })
}

/// The gateway was stopped in good order.
pub fn stopped(since: Wall, last_seq: u64) -> String {
    json(&Status {
        status: "offline",
        since: Some(rfc3339::format(since)),
        reason: Some("stopped"),
        version: VERSION,
        last_seq: Some(last_seq),
    })
}

/// What the broker says for us when we are gone. It cannot know since when.
pub fn last_will() -> String {
    json(&Status {
        status: "offline",
        since: None,
        reason: Some("connection_lost"),
        version: VERSION,
        last_seq: None,
    })
}

/// Payload of an alarm's topic.
#[derive(Debug, Serialize)]
struct State<'s> {
    alarm: &'s str,
    point: &'s str,
    kind: &'s str,
    #[serde(skip_serializing_if = "Option::is_none")]
    area: Option<&'s str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    area_name: Option<&'s str>,
    name: &'s str,
    unit: &'s str,
    priority: &'s str,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<f64>,
    state: &'s str,
    overlays: Vec<&'s str>,
    occurrence: u64,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    first_out: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    peak: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acknowledged_by: Option<&'s str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acknowledged_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confirmed_by: Option<&'s str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confirmed_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chattering: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<Cow<'s, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<&'s str>,
    responsible: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    durable: Option<bool>,
    time: String,
    version: &'s str,
}

/// The full state of one alarm at `time`; without a record it has never been anything but normal.
/// `since` is when the present state's condition began: raised while it is active or waits for
/// somebody, cleared once it is normal again. `durable`: was it on disk by then? The mark stands only
/// where it was not. An alarm of data quality has the priority of what it hides, so a running one
/// brings its own. Who is responsible is so at `time`.
pub fn state(
    guidance: &Guidance,
    readers: &Readers,
    record: Option<&AlarmRecord>,
    durable: bool,
    time: Wall,
) -> String {
    let state = record.map_or(AlarmState::Normal, |record| record.state);
    let since = record.and_then(|record| match state {
        AlarmState::Normal => record.cleared_at,
        AlarmState::Unacknowledged
        | AlarmState::Acknowledged
        | AlarmState::ReturnedUnacknowledged
        | AlarmState::LatchedUnacknowledged
        | AlarmState::LatchedAcknowledged => record.raised_at,
    });
    let acknowledged = record.and_then(|record| record.acknowledged.as_ref());
    let confirmation = record.and_then(|record| record.confirmation.as_deref());
    let confirmed = confirmation.and_then(|confirmation| confirmation.confirmed.as_ref());
    let running = record.filter(|record| record.state != AlarmState::Normal);
    let running = running.and_then(|record| record.priority);
    let point = &*guidance.point;
    json(&State {
        alarm: &guidance.alarm(),
        point: &point.id,
        kind: guidance.kind.name(),
        area: point.area.as_deref(),
        area_name: point.area_name.as_deref(),
        name: &point.name,
        unit: &point.unit,
        priority: running.unwrap_or(guidance.priority).name(),
        limit: guidance.limit,
        state: state.name(),
        overlays: record.map_or_else(Vec::new, |record| record.overlays().names()),
        occurrence: record.map_or(0, |record| record.occurrence),
        first_out: record.is_some_and(|record| record.first_out),
        value: record.and_then(|record| record.value),
        peak: record.and_then(|record| record.peak),
        since: since.map(rfc3339::format),
        acknowledged_by: acknowledged.map(|acknowledged| &*acknowledged.by),
        acknowledged_at: acknowledged.map(|acknowledged| rfc3339::format(acknowledged.at)),
        confirmed_by: confirmed.map(|confirmed| &*confirmed.by),
        confirmed_at: confirmed.map(|confirmed| rfc3339::format(confirmed.at)),
        chattering: record.map(|record| record.chattering).filter(|set| *set),
        action: guidance.action(),
        plan: guidance.words.plan.as_deref(),
        responsible: readers.responsible(point, time),
        durable: (!durable).then_some(false),
        time: rfc3339::format(time),
        version: VERSION,
    })
}

/// A record of telemetry. `time` is when the newest reading came; a point that is bad has no value. While
/// over-range is held the value is the full scale, and `held` says so in words. An interval with more than one reading
/// has `min`, `max`, their `count`, and begins at `from`.
#[derive(Debug, Serialize)]
pub struct Line<'l> {
    #[serde(skip_serializing_if = "Option::is_none")]
    point: Option<&'l str>,
    time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<f64>,
    unit: &'l str,
    quality: &'l str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'l str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    held: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    replayed: bool,
}

impl<'l> Line<'l> {
    /// A record of a point of this unit.
    pub fn of(record: &Record, unit: &'l str) -> Self {
        let many = record.count > 1;
        let alike = record.value.map(|value| (value, value));
        let (min, max) = record.range.or(alike).filter(|_| many).unzip();
        let gap = if unit.is_empty() { "" } else { " " };
        let held = record.value.filter(|_| record.held);
        Self {
            point: None,
            time: rfc3339::format(record.time),
            value: record.value,
            unit,
            quality: record.quality.name(),
            reason: record.reason,
            held: held.map(|at| format!("at or above {at}{gap}{unit} (held)")),
            min,
            max,
            count: many.then_some(record.count),
            from: many.then(|| rfc3339::format(record.from)),
            replayed: false,
        }
    }

    /// It says of which point it is.
    #[must_use]
    pub fn at(self, point: &'l str) -> Self {
        Self {
            point: Some(point),
            ..self
        }
    }
}

/// Payload of a reading's topic.
pub fn reading(record: &Record, unit: &str, replayed: bool) -> String {
    json(&Line {
        replayed,
        ..Line::of(record, unit)
    })
}

/// Payload of the topic of readings: `{"replayed":true,"dropped":7,"records":[...]}`. `dropped` counts the records
/// that were lost since the gateway started; it is absent while there are none.
#[derive(Debug)]
pub struct Batch {
    text: String,
    is_empty: bool,
}

impl Batch {
    /// Without a record.
    pub fn new(replayed: bool, dropped: u64) -> Self {
        let replayed = if replayed { "\"replayed\":true," } else { "" };
        let dropped = match dropped {
            0 => String::new(),
            dropped => format!("\"dropped\":{dropped},"),
        };
        Self {
            text: format!("{{{replayed}{dropped}\"records\":["),
            is_empty: true,
        }
    }

    /// `false`: the payload would be longer than `longest` bytes, and is as it was. The first record always fits.
    pub fn add(&mut self, line: &Line<'_>, longest: usize) -> bool {
        let line = json(line);
        if !self.is_empty && self.text.len() + line.len() + 3 > longest {
            return false;
        }
        if !self.is_empty {
            self.text.push(',');
        }
        self.is_empty = false;
        self.text.push_str(&line);
        true
    }

    /// The payload.
    pub fn finish(mut self) -> String {
        self.text.push_str("]}");
        self.text
    }
}

/// The journal's line with the marks of this delivery at its end: `replayed` for backlog, `durable`
/// when the event is not on disk. The line's own fields stay as they are.
pub fn event(line: &str, replayed: bool, durable: bool) -> String {
    let Some(fields) = line.trim_end().strip_suffix('}') else {
        debug_assert!(false, "the journal's lines are JSON objects: {line}");
        return line.to_owned();
    };
    let mut marked = String::with_capacity(line.len() + 32);
    marked.push_str(fields);
    for (set, mark) in [
        (replayed, "\"replayed\":true"),
        (!durable, "\"durable\":false"),
    ] {
        if set {
            if !marked.ends_with('{') {
                marked.push(',');
            }
            marked.push_str(mark);
        }
    }
    marked.push('}');
    marked
}

fn json<T: Serialize>(payload: &T) -> String {
    serde_json::to_string(payload).expect("strings, numbers and lists always serialize")
}

#[cfg(test)]
pub(super) mod tests;
