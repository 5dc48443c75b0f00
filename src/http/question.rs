//! `?after=SEQ&limit=N`: which part of the journal is asked for.

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use serde::Deserialize;

use super::reply::Refusal;

/// Events in one answer if the question does not say.
const DEFAULT_LIMIT: usize = 100;

/// Events in one answer at most; about half a megabyte.
const MAX_LIMIT: usize = 1000;

/// A question for what comes after a position.
#[derive(Debug)]
pub(super) struct Question {
    /// Events after this number.
    pub(super) after: u64,
    /// So many at most.
    pub(super) limit: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    #[serde(default)]
    after: u64,
    limit: Option<usize>,
}

impl<S: Send + Sync> FromRequestParts<S> for Question {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let asked = Query::<Asked>::from_request_parts(parts, state).await;
        let Ok(Query(Asked { after, limit })) = asked else {
            return Err(Refusal::bad_request(
                "expected `after` (a position, default 0) and `limit` (1 to 1000, default 100)",
            ));
        };
        let limit = limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT);
        Ok(Self { after, limit })
    }
}
