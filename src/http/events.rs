//! `GET /api/v1/events?after=SEQ&limit=N`: committed events, oldest first, for programs that follow
//! the journal. `next` goes into the next question's `after`; while it stays the same there was
//! nothing new. Events older than the journal's retention are gone: the first `seq` tells.

use std::borrow::Cow;
use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::App;
use super::question::Question;
use super::reply::Refusal;
use crate::event::Committed;

/// The journal answers within this, or we say that it does not.
const DEADLINE: Duration = Duration::from_secs(5);

/// What was committed after a position.
pub(super) async fn after(State(app): State<App>, question: Question) -> Result<Response, Refusal> {
    let Question { after, limit } = question;
    let events = tokio::time::timeout(DEADLINE, app.feed.after(after, limit)).await;
    let Ok(Ok(events)) = events else {
        return Err(Refusal::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "journal_silent",
            "the journal did not answer; the same question can be asked again",
        ));
    };
    let body = page(after, &events);
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
