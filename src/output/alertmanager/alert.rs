//! One alarm as Alertmanager knows alerts: labels that say which one it is, annotations that say how it
//! stands. Pure.
//!
//! Labels are the identity: another value in a label is another alert there, beside the first. So nothing
//! that moves is a label. The priority is one although that of a quality alarm depends on what it hides:
//! routes need it; with a new priority the alert of the old one is taken back (`member`).
//!
//! | label | of `CH4-101/high_high` | of `gateway.device.gd-01/state` | of a drill |
//! |---|---|---|---|
//! | `alertname` | `HazardHighHigh` | `GatewayDevice` | `DrillHighHigh` |
//! | `alarm` | `CH4-101/high_high` | `gateway.device.gd-01/state` | `CH4-101/high_high/drill` |
//! | `site`, `area`, `point` | as configured; `area` absent where there is none | | |
//! | `device` | what the point is read from | `gd-01` | as its alarm |
//! | `priority` | `critical`, `high`, `medium`, `low` | | |
//! | `severity` | `critical` for the upper two, `warning`, `info` | | |
//! | `test` | absent | absent | `true` |

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use crate::engine::drill::drilled;
use crate::engine::settings::{AlarmKind, Priority};
use crate::engine::snapshot::AlarmRecord;
use crate::engine::time::{Wall, show_duration};
use crate::event::rfc3339;
use crate::guidance::{Directory, Guidance};
use crate::wording::{Person, Readers};

use super::news::News;

/// Names of labels that the gateway gives; nobody may configure another meaning.
pub const LABELS: [&str; 9] = [
    "alertname",
    "alarm",
    "site",
    "area",
    "point",
    "device",
    "priority",
    "severity",
    "test",
];

/// One alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Alert {
    /// The labels as one text: two alerts with one key are one alert.
    pub(super) key: Arc<str>,
    /// `POINT/kind`, of a drill with `/drill` behind it.
    pub(super) alarm: Arc<str>,
    pub(super) priority: Priority,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) annotations: BTreeMap<Cow<'static, str>, String>,
    /// When the condition became true, by our clock.
    pub(super) starts_at: Wall,
    /// Where a person sees it.
    pub(super) page: Option<String>,
    /// Counts what was said of this alarm: a higher number is news.
    pub(super) version: u64,
}

impl Alert {
    /// Would a reader see no difference?
    pub(super) fn says_the_same(&self, other: &Self) -> bool {
        let Self {
            key,
            annotations,
            starts_at,
            ..
        } = self;
        (key, annotations, starts_at) == (&other.key, &other.annotations, &other.starts_at)
    }
}

/// What alerts are made of beside the state of their alarms.
#[derive(Debug)]
pub(super) struct Words {
    pub(super) site: Arc<str>,
    pub(super) alarms: Arc<Directory>,
    /// Further labels on every alert.
    pub(super) labels: BTreeMap<String, String>,
    /// What each point is read from, by the point's id.
    pub(super) sources: Arc<BTreeMap<Arc<str>, Arc<str>>>,
    /// Persons, and who of them answers for what.
    pub(super) readers: Readers,
    /// Where the gateway's pages are, without a slash at the end.
    pub(super) page_url: Option<String>,
    /// Are drills sent?
    pub(super) drills: bool,
}

impl Words {
    /// What is fixed about the alarm, if it is one that is sent.
    pub(super) fn guidance(&self, alarm: &str) -> Option<&Guidance> {
        match drilled(alarm) {
            Some(real) => self.alarms.find(real).filter(|_| self.drills),
            None => self.alarms.find(alarm),
        }
    }

    /// How a person is called; logins that are no configured person stay what they are.
    pub(super) fn person(&self, id: &str) -> String {
        let known = self.readers.persons.get(id);
        known.map_or_else(|| id.to_owned(), Person::label)
    }

    /// The alert of an alarm as `record` says, and who is responsible at `at`; `None` for an alarm that is not sent.
    pub(super) fn alert(
        &self,
        record: &AlarmRecord,
        news: &News,
        version: u64,
        at: Wall,
    ) -> Option<Alert> {
        let guidance = self.guidance(&record.alarm)?;
        let labels = self.labels(guidance, record);
        let key = serde_json::to_string(&labels).expect("a map of texts always serializes");
        Some(Alert {
            key: key.into(),
            alarm: Arc::clone(&record.alarm),
            priority: record.priority.unwrap_or(guidance.priority),
            annotations: self.annotations(guidance, record, news, at),
            starts_at: record.raised_at.unwrap_or_default(),
            page: self.page_url.as_deref().map(|url| page(url, guidance)),
            labels,
            version,
        })
    }

    /// The labels of an alarm that is not active, for comparison; `None` for one that is not sent.
    pub(super) fn labels_at_rest(&self, alarm: &str) -> Option<BTreeMap<String, String>> {
        let guidance = self.guidance(alarm)?;
        Some(self.labels(guidance, &AlarmRecord::new(alarm.into())))
    }

    fn labels(&self, guidance: &Guidance, record: &AlarmRecord) -> BTreeMap<String, String> {
        let point = &*guidance.point;
        let priority = record.priority.unwrap_or(guidance.priority);
        let drill = drilled(&record.alarm).is_some();
        let mut labels = self.labels.clone();
        let mut set = |name: &str, value: &str| labels.insert(name.to_owned(), value.to_owned());
        set("alertname", &alertname(&point.id, guidance.kind, drill));
        set("alarm", &record.alarm);
        set("site", &self.site);
        set("point", &point.id);
        set("priority", priority.name());
        set("severity", severity(priority));
        if let Some(area) = &point.area {
            set("area", area);
        }
        let source = self.sources.get(&point.id).map(|source| &**source);
        if let Some(device) = source.or_else(|| lost_device(&point.id)) {
            set("device", device);
        }
        if drill {
            set("test", "true");
        }
        labels
    }

    fn annotations(
        &self,
        guidance: &Guidance,
        record: &AlarmRecord,
        news: &News,
        at: Wall,
    ) -> BTreeMap<Cow<'static, str>, String> {
        let (point, words) = (&*guidance.point, &*guidance.words);
        let quantity = |value: f64| quantity(value, &point.unit);
        let mut said = BTreeMap::new();
        let mut say = |name: &'static str, text: Option<Cow<'_, str>>| {
            if let Some(text) = text.filter(|text| !text.is_empty()) {
                said.insert(Cow::Borrowed(name), text.into_owned());
            }
        };
        let text =
            |text: &Option<Arc<str>>| text.as_deref().map(|text| Cow::Owned(text.to_owned()));
        let time = |at: Option<Wall>| at.map(|at| Cow::Owned(rfc3339::format(at)));
        say("summary", Some(summary(guidance, record).into()));
        say("name", Some(Cow::Borrowed(&point.name)));
        say("area_name", text(&point.area_name));
        say("value", record.value.map(|value| value.to_string().into()));
        say("peak", record.peak.map(|value| value.to_string().into()));
        say(
            "limit",
            guidance.limit.map(|value| value.to_string().into()),
        );
        say("unit", Some(Cow::Borrowed(&point.unit)));
        say("trend", news.trend(&quantity).map(Cow::Owned));
        say("cause", text(&words.cause));
        say("consequence", text(&words.consequence));
        say("action", guidance.action());
        say("plan", text(&words.plan));
        say(
            "time_to_respond",
            words.time_to_respond.map(|time| show_duration(time).into()),
        );
        let responsible = self.readers.responsible(point, at).join("; ");
        say("responsible", Some(responsible.into()));
        say("state", Some(Cow::Borrowed(record.state.name())));
        say(
            "overlays",
            Some(record.overlays().names().join(", ").into()),
        );
        say("occurrence", Some(record.occurrence.to_string().into()));
        say("event_id", news.id.as_deref().map(Cow::Borrowed));
        say("raised_at", time(record.raised_at));
        say(
            "cleared_at",
            time(record.cleared_at.filter(|_| !record.state.is_active())),
        );
        if let Some(acknowledged) = &record.acknowledged {
            say(
                "acknowledged_by",
                Some(self.person(&acknowledged.by).into()),
            );
            say("acknowledged_at", time(Some(acknowledged.at)));
        }
        if let Some(drill) = &record.drill {
            say(
                "drill",
                Some(format!("{}: {}", self.person(&drill.by), drill.reason).into()),
            );
        }
        if record.first_out {
            say("first_out", Some("true".into()));
        }
        said
    }
}

/// The kind in the words of Prometheus; what the gateway says of itself and what is no more than a drill
/// have names of their own, so that one look tells them apart.
fn alertname(point: &str, kind: AlarmKind, drill: bool) -> String {
    let own = point.strip_prefix("gateway.");
    let (family, words) = match (drill, own) {
        (true, _) => ("Drill", kind.name()),
        (false, Some(own)) => ("Gateway", own.split('.').next().unwrap_or_default()),
        (false, None) => ("Hazard", kind.name()),
    };
    words.split('_').fold(family.to_owned(), |mut name, word| {
        let mut letters = word.chars();
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        name.push_str(letters.as_str());
        name
    })
}

/// Of the gateway's own point about a device or broker, which one.
fn lost_device(point: &str) -> Option<&str> {
    point
        .strip_prefix("gateway.device.")
        .or_else(|| point.strip_prefix("gateway.broker."))
}

/// The word that routes of others go by.
const fn severity(priority: Priority) -> &'static str {
    match priority {
        Priority::Critical | Priority::High => "critical",
        Priority::Medium => "warning",
        Priority::Low => "info",
    }
}

/// One line, for lists that show nothing else.
fn summary(guidance: &Guidance, record: &AlarmRecord) -> String {
    let point = &*guidance.point;
    let kind = guidance.kind.name().replace('_', " ");
    let drill = if drilled(&record.alarm).is_some() {
        "DRILL: "
    } else {
        ""
    };
    let mut line = format!("{drill}{}: {kind}", point.name);
    if let Some(value) = record.value {
        let _infallible = write!(line, " {}", quantity(value, &point.unit)).is_err();
    }
    if let Some(limit) = guidance.limit {
        let rate = matches!(guidance.kind, AlarmKind::Rise | AlarmKind::Fall);
        let per = if rate { "/min" } else { "" };
        let limit = quantity(limit, &point.unit);
        let _infallible = write!(line, " (limit {limit}{per})").is_err();
    }
    line
}

fn quantity(value: f64, unit: &str) -> String {
    format!("{value} {unit}").trim_end().to_owned()
}

/// The alarm's resource on the gateway. Ids may be of any script, so they are escaped (RFC 3986, 2.1).
fn page(url: &str, guidance: &Guidance) -> String {
    let mut page = format!("{url}/api/v1/alarms/");
    for byte in guidance.point.id.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_') {
            page.push(char::from(byte));
        } else {
            let _infallible = write!(page, "%{byte:02X}").is_err();
        }
    }
    page.push('/');
    page.push_str(guidance.kind.name());
    page
}

#[cfg(test)]
pub(super) mod tests;
