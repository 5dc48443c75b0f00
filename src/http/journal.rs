//! The journal from outside: its rows, and the account of one event.
//!
//! `GET /api/v1/journal?after=SEQ&limit=N`: rows as they are on disk, for whoever checks the hash chain or
//! takes a copy ([`Page`](crate::journal::Page)). `{"base":{"seq","hash"},"newest":SEQ,"rows":[{"seq","hash","line"}]}`:
//! the chain begins behind `base`; `line` is the event as text, `null` where the bytes are none. No rows: there
//! are no more.
//!
//! `GET /api/v1/journal/EVENT`, by number or id: `{"event":{..},"seq","durable","committed_at","outputs":[..]}`,
//! an event and what became of it at each output ([`Account`](crate::journal::Account)): `owed_to` and `missed_by`
//! name single readers who wait for it or will never have it.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::App;
use super::question::Question;
use super::reply::Refusal;
use crate::journal::FeedError;

/// Rows after a position.
pub(super) async fn page(State(app): State<App>, question: Question) -> Result<Response, Refusal> {
    let page = app.feed.page(question.after, question.limit).await;
    let page = page.map_err(|error| silent(&error))?;
    Ok(Json(page).into_response())
}

/// One event, and what became of it.
pub(super) async fn account(
    State(app): State<App>,
    name: Result<Path<String>, PathRejection>,
) -> Result<Response, Refusal> {
    let name = name.map_or_else(|_no_text| String::new(), |Path(name)| name);
    let seq = number(&name).ok_or_else(|| {
        Refusal::bad_request("an event is named by its number or as SITE:EPOCH:NUMBER")
    })?;
    let found = app.feed.after(seq - 1, 1).await;
    let found = found.map_err(|error| silent(&error))?;
    let found = found.into_iter().find(|event| event.seq == seq);
    let found = found.filter(|event| !name.contains(':') || has_id(&event.line, &name));
    let event =
        found.ok_or_else(|| Refusal::not_found("there is no event of that name in the journal"))?;
    let account = app.feed.account(seq).await;
    let account = account.map_err(|error| silent(&error))?;
    let account = serde_json::to_string(&account).expect("numbers and strings always serialize");
    // The line is JSON already, and stays as it is.
    let fields = account.strip_prefix('{').unwrap_or_default();
    let body = format!(r#"{{"event":{},{fields}"#, event.line);
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}

/// Of an id, or the number alone.
fn number(name: &str) -> Option<u64> {
    let number = name.rsplit(':').next()?.parse().ok()?;
    (number > 0).then_some(number)
}

fn has_id(line: &str, id: &str) -> bool {
    #[derive(Deserialize)]
    struct Named<'l> {
        #[serde(borrow)]
        id: std::borrow::Cow<'l, str>,
    }
    serde_json::from_str::<Named<'_>>(line).is_ok_and(|named| named.id == id)
}

fn silent(error: &FeedError) -> Refusal {
    let why = std::error::Error::source(error).map(|why| format!(": {why}"));
    Refusal::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "journal_silent",
        format!(
            "the journal cannot be read{}; the same question can be asked again",
            why.unwrap_or_default()
        ),
    )
}
