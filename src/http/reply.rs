//! Answers that are no success: a status, one word for programs, a sentence for people.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::engine::command::Denied;
use crate::evaluation::DeskError;

/// Why there is no answer.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    error: &'static str,
    message: String,
}

#[derive(Serialize)]
struct Body<'a> {
    error: &'a str,
    message: &'a str,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, error: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            error,
            message: message.into(),
        }
    }

    /// What was sent cannot be understood; `message` says what was expected.
    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", message)
    }

    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    pub(super) fn wrong_method() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "this page does not know that method; the `Allow` header lists those it knows",
        )
    }

    /// No answer in time. `what` says what that means for the question.
    pub(super) fn silent(what: &str) -> Self {
        let message = format!("the gateway's engine did not answer in time; {what}");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "silent", message)
    }
}

impl From<DeskError> for Refusal {
    fn from(error: DeskError) -> Self {
        let message = error.to_string();
        match error {
            DeskError::Busy => Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", message),
            DeskError::Silent => Self::new(StatusCode::SERVICE_UNAVAILABLE, "silent", message),
            DeskError::Denied(denied) => Self::new(status(&denied), denied.name(), message),
        }
    }
}

/// Denials are conflicts with the present, except where nothing of that name exists or the command
/// is incomplete.
const fn status(denied: &Denied) -> StatusCode {
    match denied {
        Denied::UnknownAlarm(_) | Denied::UnknownGroup(_) => StatusCode::NOT_FOUND,
        Denied::NoName
        | Denied::NoReason
        | Denied::NoEnd
        | Denied::TooLong { .. }
        | Denied::NoPermit
        | Denied::NoCompensatingMeasure
        | Denied::NoApprover
        | Denied::NotApprover(_)
        | Denied::UnknownPerson(_)
        | Denied::OwnApproval => StatusCode::BAD_REQUEST,
        Denied::UnknownOccurrence { .. }
        | Denied::CalledAgain
        | Denied::NothingToAcknowledge
        | Denied::NothingToReset(_)
        | Denied::NotLatched
        | Denied::StillActive
        | Denied::NotAcknowledged
        | Denied::NotConfirmed
        | Denied::NothingToConfirm
        | Denied::QualityNotGood
        | Denied::AlreadyShelved
        | Denied::NotShelved
        | Denied::NotOutOfService
        | Denied::NoSecondApproval { .. }
        | Denied::ValueNotBelow { .. }
        | Denied::NotLongEnough { .. }
        | Denied::NotVerified
        | Denied::Silenced(_)
        | Denied::RealAlarm(_)
        | Denied::DrillRuns
        | Denied::TooManyDrills { .. }
        | Denied::NoDrill
        | Denied::IsDrill => StatusCode::CONFLICT,
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = Body {
            error: self.error,
            message: &self.message,
        };
        let mut response = (self.status, Json(body)).into_response();
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            let headers = response.headers_mut();
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
