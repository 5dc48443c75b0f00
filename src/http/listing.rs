//! Long lists, written while they are read.
//!
//! ```text
//!  snapshot ─▶ row ─▶ row ─▶ [about 16 KiB] ─▶ socket ─▶ next rows when the peer has taken these
//! ```
//!
//! Ten thousand points have forty thousand alarms, some 30 MB of text: it never exists as a whole. What
//! an answer holds is the copy of the present that it reads from, and only [`AT_ONCE`] of those are
//! made at one time; who comes then waits, and is told to ask again after a while.

use std::collections::VecDeque;
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

/// A list within an answer: its name, and what appends one row more, or says that there is none.
pub(super) type List = (
    &'static str,
    Box<dyn FnMut(&mut Vec<u8>) -> bool + Send + 'static>,
);

/// `{"time":...,"NAME":[row,row,...],"NAME":[...]}`.
pub(super) fn answer<const N: usize>(turn: Turn, time: Wall, lists: [List; N]) -> Response {
    let body = Body::new(Listing::new(turn, time, lists));
    let json = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, json)], body).into_response()
}

/// Appends a row.
pub(super) fn write(text: &mut Vec<u8>, row: &impl Serialize) {
    serde_json::to_writer(text, row).expect("strings, numbers and lists always serialize");
}

struct Listing {
    lists: VecDeque<List>,
    /// What stands before the next row; `None` once the end is written.
    before: Option<String>,
    _turn: Turn,
}

impl Listing {
    fn new<const N: usize>(turn: Turn, time: Wall, lists: [List; N]) -> Self {
        let lists = VecDeque::from(lists);
        let first = lists.front().map_or("", |(name, _)| name);
        let time = rfc3339::format(time);
        Self {
            before: Some(format!(r#"{{"time":"{time}","{first}":["#)),
            lists,
            _turn: turn,
        }
    }

    /// The next piece; `None` behind the end.
    fn piece(&mut self) -> Option<Vec<u8>> {
        let mut text = self.before.take()?.into_bytes();
        while let Some((_, next)) = self.lists.front_mut() {
            let length = text.len();
            if next(&mut text) {
                if text.len() >= PIECE {
                    self.before = Some(",".to_owned());
                    return Some(text);
                }
                text.push(b',');
                continue;
            }
            // Without a row behind it there is no comma.
            let comma = text.last() == Some(&b',');
            text.truncate(length - usize::from(comma));
            text.push(b']');
            self.lists.pop_front();
            if let Some((name, _)) = self.lists.front() {
                text.extend_from_slice(format!(r#","{name}":["#).as_bytes());
            }
        }
        text.push(b'}');
        Some(text)
    }
}

impl HttpBody for Listing {
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

    /// A list of `rows` rows.
    fn list(name: &'static str, rows: usize, width: usize) -> List {
        let mut left = rows;
        let next = move |text: &mut Vec<u8>| {
            let more = left > 0;
            if more {
                left -= 1;
                write(text, &"x".repeat(width));
            }
            more
        };
        (name, Box::new(next))
    }

    async fn text<const N: usize>(lists: [List; N], width: usize) -> String {
        let turn = Turns::default().take().await.expect("nobody else");
        let mut listing = Listing::new(turn, Wall::from_unix_nanos(0), lists);
        let mut whole = Vec::new();
        while let Some(piece) = listing.piece() {
            assert!(piece.len() < PIECE + width + 80, "{}", piece.len());
            whole.extend(piece);
        }
        String::from_utf8(whole).expect("text")
    }

    #[tokio::test]
    async fn pieces_make_one_document_wherever_they_end() {
        let head = r#"{"time":"1970-01-01T00:00:00.000Z","a":"#;
        let none = text([list("a", 0, 1)], 1).await;
        assert_eq!(none, format!("{head}[]}}"));
        let two = text([list("a", 2, 1), list("b", 0, 1)], 1).await;
        assert_eq!(two, format!(r#"{head}["x","x"],"b":[]}}"#));
        for rows in [0, 1, 2, 3, 9, 500] {
            for width in [
                PIECE / 4,
                PIECE - 44,
                PIECE - 12,
                PIECE - 11,
                PIECE,
                2 * PIECE,
            ] {
                let lists = [list("a", rows, width), list("b", 500 - rows, width)];
                let text = text(lists, width).await;
                let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
                let length = |name: &str| json[name].as_array().map(Vec::len);
                assert_eq!((length("a"), length("b")), (Some(rows), Some(500 - rows)));
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
