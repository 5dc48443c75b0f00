//! `GET /api/v1/events?after=SEQ&limit=N`: committed events, oldest first, for programs that follow
//! the journal. `next` goes into the next question's `after`; while it stays the same there was
//! nothing new. Events older than the journal's retention are gone: the first `seq` tells.

use std::borrow::Cow;
use std::time::Duration;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::App;
use super::reply::Refusal;
use crate::event::Committed;

/// Events in one answer if the question does not say.
pub(super) const DEFAULT_LIMIT: usize = 100;

/// Events in one answer at most; about half a megabyte.
pub(super) const MAX_LIMIT: usize = 1000;

/// The journal answers within this, or we say that it does not.
const DEADLINE: Duration = Duration::from_secs(5);

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Question {
    #[serde(default)]
    pub(super) after: u64,
    pub(super) limit: Option<usize>,
}

/// What was committed after a position.
pub(super) async fn after(
    State(app): State<App>,
    question: Result<Query<Question>, QueryRejection>,
) -> Result<Response, Refusal> {
    let Ok(Query(question)) = question else {
        return Err(Refusal::bad_request(
            "expected `after` (a position, default 0) and `limit` (1 to 1000, default 100)",
        ));
    };
    let limit = question.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT);
    let events = tokio::time::timeout(DEADLINE, app.feed.after(question.after, limit)).await;
    let Ok(Ok(events)) = events else {
        return Err(Refusal::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "journal_silent",
            "the journal did not answer; the same question can be asked again",
        ));
    };
    let body = page(question.after, &events);
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}

/// The lines are JSON already, so they are joined and not parsed.
fn page(after: u64, events: &[Committed]) -> String {
    let lines: Vec<Cow<'_, str>> = events.iter().map(marked).collect();
    let next = events.last().map_or(after, |event| event.seq);
    format!(r#"{{"events":[{}],"next":{next}}}"#, lines.join(","))
}

/// The stored line; while the disk fails, marked as not on it.
fn marked(event: &Committed) -> Cow<'_, str> {
    match event.line.strip_suffix('}') {
        Some(open) if !event.durable => format!(r#"{open},"durable":false}}"#).into(),
        _ => Cow::Borrowed(&event.line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_json_and_says_where_to_go_on() {
        let event = |seq: u64| Committed {
            seq,
            line: format!(r#"{{"seq":{seq}}}"#).into(),
            alarm: None,
            record: None,
            durable: seq != 43,
            at: None,
        };
        assert_eq!(page(41, &[]), r#"{"events":[],"next":41}"#);
        let text = page(41, &[event(42), event(43)]);
        assert_eq!(
            text,
            r#"{"events":[{"seq":42},{"seq":43,"durable":false}],"next":43}"#
        );
    }
}
