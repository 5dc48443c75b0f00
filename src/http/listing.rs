//! Long lists, written while they are read.
//!
//! ```text
//!  snapshot ─▶ row ─▶ row ─▶ [about 16 KiB] ─▶ socket ─▶ next rows when the peer has taken these
//! ```
//!
//! Ten thousand points have forty thousand alarms, some 30 MB of text: it never exists as a whole. What
//! an answer holds is the copy of the present that it reads from, and only [`AT_ONCE`] of those are
//! made at one time; who comes then waits, and is told to ask again after a while. A reader that takes
//! nothing for [`STILL`] loses its turn to whoever waits, and its copy with it.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hyper::body::Frame;
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tracing::warn;

use super::alarms::DEADLINE;
use super::reply::Refusal;
use crate::clock;
use crate::engine::time::{Mono, Wall};
use crate::event::rfc3339;

/// Lists that are answered at one time.
const AT_ONCE: usize = 4;

/// Bytes after which a piece is handed to the socket.
const PIECE: usize = 16 * 1024;

/// A reader that takes nothing for so long while others wait is cut. No longer than [`DEADLINE`], so that
/// who waits behind readers that are gone is served.
const STILL: Duration = DEADLINE;

/// Who may have a list now; cheap to clone.
#[derive(Clone)]
pub(super) struct Turns {
    free: Arc<Semaphore>,
    read: Arc<Mutex<Vec<Weak<Mutex<Read>>>>>,
}

impl Default for Turns {
    fn default() -> Self {
        Self {
            free: Arc::new(Semaphore::new(AT_ONCE)),
            read: Arc::default(),
        }
    }
}

impl std::fmt::Debug for Turns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let free = self.free.available_permits();
        f.debug_struct("Turns").field("free", &free).finish()
    }
}

/// The right to answer with a list; given back when the answer has gone.
#[derive(Debug)]
pub(super) struct Turn {
    turns: Turns,
    permit: OwnedSemaphorePermit,
}

impl Turns {
    /// Waits for a turn.
    pub(super) async fn take(&self) -> Result<Turn, Refusal> {
        let turn = timeout(DEADLINE, Arc::clone(&self.free).acquire_owned()).await;
        let permit = turn.ok().and_then(Result::ok).or_else(|| {
            self.cut(clock::monotonic());
            Arc::clone(&self.free).try_acquire_owned().ok()
        });
        let permit = permit.ok_or_else(|| {
            Refusal::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "busy",
                format!("{AT_ONCE} lists are being read already; ask again"),
            )
        })?;
        Ok(Turn {
            turns: self.clone(),
            permit,
        })
    }

    /// Takes their turns from all who stand still.
    fn cut(&self, now: Mono) {
        for read in self.reading().iter().filter_map(Weak::upgrade) {
            let mut read = lock(&read);
            if now.since(read.taken) >= STILL && read.rest.take().is_some() {
                warn!("a list was cut: its reader took nothing of it while others waited");
            }
        }
    }

    /// The lists that are read, and maybe some that were.
    fn reading(&self) -> MutexGuard<'_, Vec<Weak<Mutex<Read>>>> {
        lock(&self.read)
    }
}

/// What is under these locks is whole between any two lines.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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

/// An answer on its way.
struct Listing(Arc<Mutex<Read>>);

struct Read {
    /// When the peer made room for the last piece.
    taken: Mono,
    /// `None`: it was cut.
    rest: Option<Rest>,
}

/// What is still to be written.
struct Rest {
    lists: VecDeque<List>,
    /// What stands before the next row; `None` once the end is written.
    before: Option<String>,
    _permit: OwnedSemaphorePermit,
}

impl Listing {
    fn new<const N: usize>(turn: Turn, time: Wall, lists: [List; N]) -> Self {
        let lists = VecDeque::from(lists);
        let first = lists.front().map_or("", |(name, _)| name);
        let time = rfc3339::format(time);
        let rest = Rest {
            before: Some(format!(r#"{{"time":"{time}","{first}":["#)),
            lists,
            _permit: turn.permit,
        };
        let read = Arc::new(Mutex::new(Read {
            taken: clock::monotonic(),
            rest: Some(rest),
        }));
        let mut reading = turn.turns.reading();
        reading.retain(|read| read.strong_count() > 0);
        reading.push(Arc::downgrade(&read));
        drop(reading);
        Self(read)
    }

    /// The next piece; `None` behind the end.
    fn piece(&self) -> io::Result<Option<Vec<u8>>> {
        let mut read = lock(&self.0);
        read.taken = clock::monotonic();
        let rest = read.rest.as_mut();
        rest.map(Rest::piece).ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::TimedOut,
                "nobody took it while others waited",
            )
        })
    }
}

impl Rest {
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
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let piece = self.piece().transpose();
        Poll::Ready(piece.map(|piece| piece.map(|piece| Frame::data(piece.into()))))
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
        let listing = Listing::new(turn, Wall::from_unix_nanos(0), lists);
        let mut whole = Vec::new();
        while let Some(piece) = listing.piece().expect("nobody waits") {
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

    #[tokio::test(start_paused = true)]
    async fn who_takes_nothing_loses_the_turn_to_who_waits() {
        let turns = Turns::default();
        let mut reading = Vec::new();
        for _turn in 0..AT_ONCE {
            let turn = turns.take().await.expect("a turn");
            let lists = [list("a", 9, PIECE)];
            reading.push(Listing::new(turn, Wall::from_unix_nanos(0), lists));
        }
        let lively = reading.pop().expect("one of them");
        tokio::time::sleep(STILL).await;
        // With nobody waiting nobody is cut.
        assert!(reading.iter().all(|listing| listing.piece().is_ok()));
        let (turn, read) = tokio::join!(turns.take(), async {
            tokio::time::sleep(STILL / 2).await;
            lively.piece()
        });
        assert!(turn.is_ok());
        assert!(read.is_ok_and(|piece| piece.is_some()));
        assert!(reading.iter().all(|listing| listing.piece().is_err()));
        assert!(lively.piece().is_ok());
    }
}
