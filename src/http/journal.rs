//! `GET /api/v1/journal?after=SEQ&limit=N`: rows of the journal as they are on disk, for whoever checks the
//! hash chain or takes a copy ([`crate::journal::chain`]).
//!
//! `{"base":{"seq","hash"},"newest":SEQ,"rows":[{"seq","hash","line"}]}`: the chain begins behind `base`;
//! `line` is the event as text, `null` where the bytes are none. No rows: there are no more.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::App;
use super::question::Question;
use super::reply::Refusal;
use crate::journal::chain::hex;
use crate::journal::{FeedError, Page, PageRow};

#[derive(Serialize)]
struct Answer {
    base: Base,
    newest: u64,
    rows: Vec<Row>,
}

#[derive(Serialize)]
struct Base {
    seq: u64,
    hash: String,
}

#[derive(Serialize)]
struct Row {
    seq: u64,
    hash: String,
    line: Option<String>,
}

/// Rows after a position.
pub(super) async fn page(State(app): State<App>, question: Question) -> Result<Response, Refusal> {
    let page = app.feed.page(question.after, question.limit).await;
    let page = page.map_err(|error| silent(&error))?;
    Ok(Json(Answer::from(page)).into_response())
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

impl From<Page> for Answer {
    fn from(page: Page) -> Self {
        let row = |row: PageRow| Row {
            seq: row.seq,
            hash: hex(&row.hash),
            line: row.line,
        };
        Self {
            base: Base {
                seq: page.base,
                hash: hex(&page.base_hash),
            },
            newest: page.newest,
            rows: page.rows.into_iter().map(row).collect(),
        }
    }
}
