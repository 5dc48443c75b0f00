//! Long lists, written while they are read.
//!
//! ```text
//!  snapshot ─▶ row ─▶ row ─▶ [about 16 KiB] ─▶ socket ─▶ next rows when the peer has taken these
//! ```
//!
//! Ten thousand points have forty thousand alarms, some 30 MB of text: it never exists as a whole. What
//! an answer holds is the copy of the present that it reads from, and only [`AT_ONCE`] of those are
//! made at one time; who comes then waits, and is told to ask again after a while.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hyper::body::Frame;
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::alarms::DEADLINE;
use super::reply::Refusal;
use crate::engine::time::Wall;
use crate::event::rfc3339;

/// Lists that are answered at one time.
const AT_ONCE: usize = 4;

/// Bytes after which a piece is handed to the socket.
const PIECE: usize = 16 * 1024;

/// Who may have a list now; cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Turns(Arc<Semaphore>);

impl Default for Turns {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

/// The right to answer with a list; given back when the answer has gone.
#[derive(Debug)]
pub(super) struct Turn {
    _permit: OwnedSemaphorePermit,
}

impl Turns {
    /// Waits for a turn.
    pub(super) async fn take(&self) -> Result<Turn, Refusal> {
        let turn = timeout(DEADLINE, Arc::clone(&self.0).acquire_owned()).await;
        match turn {
            Ok(Ok(permit)) => Ok(Turn { _permit: permit }),
            Ok(Err(_)) | Err(_) => Err(Refusal::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "busy",
                format!("{AT_ONCE} lists are being read already; ask again"),
            )),
        }
    }
}

/// `{"time":...,"NAME":[row,row,...]}`. `next` appends one row more, or says that there is none.
pub(super) fn answer(
    turn: Turn,
    name: &str,
    time: Wall,
    next: impl FnMut(&mut Vec<u8>) -> bool + Send + Unpin + 'static,
) -> Response {
    let time = rfc3339::format(time);
    let body = Body::new(Listing {
        next,
        before: Some(format!(r#"{{"time":"{time}","{name}":["#)),
        _turn: turn,
    });
    let json = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, json)], body).into_response()
}

/// Appends a row.
pub(super) fn write(text: &mut Vec<u8>, row: &impl Serialize) {
    serde_json::to_writer(text, row).expect("strings, numbers and lists always serialize");
}

struct Listing<F> {
    next: F,
    /// What stands before the next row; `None` once the end is written.
    before: Option<String>,
    _turn: Turn,
}

impl<F: FnMut(&mut Vec<u8>) -> bool> Listing<F> {
    /// The next piece; `None` behind the end.
    fn piece(&mut self) -> Option<Vec<u8>> {
        let mut text = self.before.take()?.into_bytes();
        loop {
            let length = text.len();
            if !(self.next)(&mut text) {
                // Without a row behind it there is no comma.
                let comma = text.last() == Some(&b',');
                text.truncate(length - usize::from(comma));
                text.extend_from_slice(b"]}");
                return Some(text);
            }
            if text.len() >= PIECE {
                self.before = Some(",".to_owned());
                return Some(text);
            }
            text.push(b',');
        }
    }
}

impl<F: FnMut(&mut Vec<u8>) -> bool + Unpin> HttpBody for Listing<F> {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = self.piece();
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece.into()))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn text(rows: usize, width: usize) -> String {
        let mut left = rows;
        let turn = Turns::default().take().await.expect("nobody else");
        let mut listing = Listing {
            next: move |text: &mut Vec<u8>| {
                let more = left > 0;
                if more {
                    left -= 1;
                    write(text, &"x".repeat(width));
                }
                more
            },
            before: Some(r#"{"rows":["#.to_owned()),
            _turn: turn,
        };
        let mut whole = Vec::new();
        while let Some(piece) = listing.piece() {
            assert!(piece.len() < PIECE + width + 4, "{}", piece.len());
            whole.extend(piece);
        }
        String::from_utf8(whole).expect("text")
    }

    #[tokio::test]
    async fn pieces_make_one_document_wherever_they_end() {
        assert_eq!(text(0, 1).await, r#"{"rows":[]}"#);
        assert_eq!(text(2, 1).await, r#"{"rows":["x","x"]}"#);
        for rows in [1, 2, 3, 9, 500] {
            for width in [PIECE / 4, PIECE - 12, PIECE - 11, PIECE, 2 * PIECE] {
                let text = text(rows, width).await;
                let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
                assert_eq!(json["rows"].as_array().map(Vec::len), Some(rows));
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_comes_when_all_turns_are_taken_waits_and_is_told() {
        let turns = Turns::default();
        let mut taken = Vec::new();
        for _turn in 0..AT_ONCE {
            taken.push(turns.take().await.expect("a turn"));
        }
        assert!(turns.take().await.is_err());
        taken.pop();
        assert!(turns.take().await.is_ok());
    }
}
