//! Requests to the API (v2) as texts, and what its answers say. Pure.
//!
//! Checked against Alertmanager 0.25. A field that is not known is passed over; an answer that lacks one
//! that is needed is no answer.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::alert::Alert;
use super::batches::Item;
use super::silences::{LASTS, Live, Wanted};
use super::skew::Skew;
use super::standing::STANDS_FOR;
use crate::engine::time::Wall;
use crate::event::rfc3339;

/// Takes alerts.
pub(super) const ALERTS: &str = "/api/v2/alerts";
/// Lists and takes silences.
pub(super) const SILENCES: &str = "/api/v2/silences";

/// The silence with this id.
pub(super) fn silence(id: &str) -> String {
    let plain = |c: &char| c.is_ascii_alphanumeric() || *c == '-';
    let id: String = id.chars().filter(plain).collect();
    format!("/api/v2/silence/{id}")
}

/// `path` with only what carries this `site`. The value is escaped (RFC 3986, 2.1).
pub(super) fn of_site(path: &str, site: &str) -> String {
    use std::fmt::Write as _;
    let matcher = format!("site={}", serde_json::Value::from(site));
    let mut query = format!("{path}?filter=");
    for byte in matcher.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_') {
            query.push(char::from(byte));
        } else {
            let _infallible = write!(query, "%{byte:02X}").is_err();
        }
    }
    query
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Posted<'a> {
    labels: &'a BTreeMap<String, String>,
    annotations: Cow<'a, BTreeMap<Cow<'static, str>, String>>,
    starts_at: String,
    ends_at: String,
    #[serde(rename = "generatorURL", skip_serializing_if = "Option::is_none")]
    generator_url: Option<&'a str>,
}

/// The body that tells of these alerts at `now`; `durable`: is what they say on disk?
pub(super) fn alerts(items: &[Item], durable: bool, skew: Skew, now: Wall) -> String {
    body(items, durable, (skew, now), STANDS_FOR)
}

/// The same for alerts that end by themselves after so long.
pub(super) fn alerts_until(items: &[Item], skew: Skew, now: Wall, stand_for: Duration) -> String {
    body(items, true, (skew, now), stand_for)
}

fn body(items: &[Item], durable: bool, clock: (Skew, Wall), stand_for: Duration) -> String {
    let posted: Vec<_> = items
        .iter()
        .map(|item| posted(item, durable, clock, stand_for))
        .collect();
    serde_json::to_string(&posted).expect("texts and maps of texts always serialize")
}

fn posted(
    item: &Item,
    durable: bool,
    (skew, now): (Skew, Wall),
    stand_for: Duration,
) -> Posted<'_> {
    let alert: &Alert = &item.alert;
    let mut annotations = Cow::Borrowed(&alert.annotations);
    if !durable {
        let mark = (Cow::Borrowed("durable"), "false".to_owned());
        annotations.to_mut().extend([mark]);
    }
    // Never after its end, whatever the clock was set to since.
    let starts = alert.starts_at.min(now - Duration::from_millis(1));
    let ends = if item.over { now } else { now + stand_for };
    Posted {
        labels: &alert.labels,
        annotations,
        starts_at: rfc3339::format(skew.there(starts)),
        ends_at: rfc3339::format(skew.there(ends)),
        generator_url: alert.page.as_deref(),
    }
}

/// An alert that stands at the far end.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FoundAlert {
    pub(super) labels: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) annotations: BTreeMap<Cow<'static, str>, String>,
    pub(super) starts_at: String,
    /// By the clock there; another one means that somebody posted the alert again.
    pub(super) updated_at: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Silence<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    matchers: [Matcher<'a>; 2],
    starts_at: Cow<'a, str>,
    ends_at: String,
    created_by: &'a str,
    comment: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Matcher<'a> {
    name: &'a str,
    value: &'a str,
    is_regex: bool,
    is_equal: bool,
}

/// The body that asks for a silence over one alarm of `site`, or for `live` to last: with its matchers and its
/// start it keeps its id, and only its end is another.
pub(super) fn silence_of(
    wanted: &Wanted,
    live: Option<&Live>,
    site: &str,
    (skew, now): (Skew, Wall),
) -> String {
    let matcher = |name, value| Matcher {
        name,
        value,
        is_regex: false,
        is_equal: true,
    };
    let starts_at = live.and_then(|live| live.starts_at.as_deref());
    let silence = Silence {
        id: live.map(|live| &*live.id),
        matchers: [matcher("alarm", &*wanted.alarm), matcher("site", site)],
        starts_at: starts_at.map_or_else(
            || Cow::Owned(rfc3339::format(skew.there(now))),
            Cow::Borrowed,
        ),
        ends_at: rfc3339::format(skew.there(wanted.until.min(now + LASTS))),
        created_by: &wanted.by,
        comment: &wanted.comment,
    };
    serde_json::to_string(&silence).expect("texts always serialize")
}

/// A silence at the far end.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FoundSilence {
    pub(super) id: String,
    pub(super) comment: String,
    pub(super) status: SilenceStatus,
    pub(super) starts_at: String,
    pub(super) ends_at: String,
    pub(super) updated_at: String,
}

/// Does it silence?
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct SilenceStatus {
    pub(super) state: String,
}

impl FoundSilence {
    /// `false`: it ran out, or somebody ended it.
    pub(super) fn is_live(&self) -> bool {
        self.status.state != "expired"
    }

    /// Of one that is not live: did somebody end it? Then it was changed last at its end. One whose times cannot be
    /// read counts as ended: no silence is the safe side.
    pub(super) fn was_ended(&self) -> bool {
        let times = (
            rfc3339::parse(&self.ends_at),
            rfc3339::parse(&self.updated_at),
        );
        let (Some(end), Some(change)) = times else {
            return true;
        };
        end.seconds_since(change) < 1.0
    }
}

/// The id of the silence that was made.
#[derive(Debug, Deserialize)]
pub(super) struct Made {
    #[serde(rename = "silenceID")]
    pub(super) id: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::alertmanager::alert::tests::alert;

    #[test]
    fn an_alert_stands_for_a_day_and_ends_now_when_it_is_over() {
        let alert = std::sync::Arc::new(alert("CH4-101/high"));
        let now = alert.starts_at + Duration::from_secs(60);
        let body = |over, durable| {
            let item = Item {
                alert: std::sync::Arc::clone(&alert),
                over,
            };
            let body = alerts(&[item], durable, Skew::default(), now);
            serde_json::from_str::<serde_json::Value>(&body).expect("JSON")[0].clone()
        };
        let stands = body(false, true);
        assert_eq!(stands["startsAt"], "2026-05-04T06:12:31.000Z");
        assert_eq!(stands["endsAt"], "2026-05-05T06:13:31.000Z");
        assert_eq!(stands["annotations"]["durable"], serde_json::Value::Null);
        let over = body(true, false);
        assert_eq!(over["endsAt"], "2026-05-04T06:13:31.000Z");
        assert_eq!(over["annotations"]["durable"], "false");
        assert_eq!(over["labels"], stands["labels"]);
        // The clock was set back: never after its end.
        let early = alert.starts_at - Duration::from_secs(60);
        let item = Item {
            alert: std::sync::Arc::clone(&alert),
            over: true,
        };
        let body = alerts(&[item], true, Skew::default(), early);
        assert!(
            body.contains("\"startsAt\":\"2026-05-04T06:11:30.999Z\""),
            "{body}"
        );
    }

    #[test]
    fn a_silence_ends_soon_and_lasts_longer_under_its_id_from_the_same_start() {
        let now = Wall::from_unix_nanos(1_777_875_151_000_000_000);
        let wanted = |lasts: u64| Wanted {
            alarm: "CH4-101/high".into(),
            by: "Li Wei".to_owned(),
            comment: "going there".to_owned(),
            until: now + Duration::from_secs(lasts),
        };
        let body = |lasts, live: Option<&Live>| {
            let body = silence_of(&wanted(lasts), live, "north", (Skew::default(), now));
            serde_json::from_str::<serde_json::Value>(&body).expect("JSON")
        };
        let made = body(8 * 3600, None);
        assert_eq!(made["id"], serde_json::Value::Null);
        assert_eq!(made["startsAt"], "2026-05-04T06:12:31.000Z");
        assert_eq!(made["endsAt"], "2026-05-04T06:17:31.000Z");
        assert_eq!(body(60, None)["endsAt"], "2026-05-04T06:13:31.000Z");
        let live = Live {
            id: "s-1".to_owned(),
            starts_at: Some("2026-05-04T06:10:00.015Z".to_owned()),
        };
        let renewed = body(8 * 3600, Some(&live));
        assert_eq!(renewed["id"], "s-1");
        assert_eq!(renewed["startsAt"], "2026-05-04T06:10:00.015Z");
        assert_eq!(renewed["endsAt"], made["endsAt"]);
        assert_eq!(renewed["matchers"], made["matchers"]);
    }

    #[test]
    fn what_is_asked_for_is_escaped() {
        assert_eq!(
            of_site(ALERTS, "north"),
            "/api/v2/alerts?filter=site%3D%22north%22"
        );
        assert_eq!(
            of_site(SILENCES, "厂\"&"),
            "/api/v2/silences?filter=site%3D%22%E5%8E%82%5C%22%26%22"
        );
        assert_eq!(silence("../../x?a=1"), "/api/v2/silence/xa1");
    }
}
