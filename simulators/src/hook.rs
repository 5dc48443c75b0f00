//! A receiver of webhooks that takes what it is sent and answers as it is told, well or badly.
//!
//! What it was sent is on record before it answers, whatever the answer: a receiver that takes a message and loses its
//! answer has it all the same.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::sleep;

use crate::clock;

/// Longest request, bytes.
const LONGEST: usize = 1 << 20;
/// Requests on record at most; later ones are counted only.
const KEPT: usize = 100_000;

/// What a request is answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// 200 and a body.
    Good(String),
    /// A status, and how long to stay away, seconds.
    Status(u16, Option<u64>),
    /// 302 to another place.
    Redirect(String),
    /// The connection is closed instead.
    Lost,
    /// Something that is no HTTP.
    Garbage,
    /// Nothing, and the connection stays.
    Silence,
    /// A byte each 100 ms, for ever.
    Drip,
    /// 200 and a body without an end.
    Endless,
}

/// A request as it came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Received {
    /// Request line and headers.
    pub head: String,
    /// The body.
    pub body: String,
    /// Was it answered with 200?
    pub accepted: bool,
}

impl Received {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }
}

type Script = Box<dyn FnMut(usize) -> Reply + Send>;

struct State {
    received: Vec<Received>,
    count: usize,
    script: Script,
}

/// A running receiver; ends when it is dropped.
pub struct Hook {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

impl Hook {
    /// Listens on a free port of the loopback. `script` says how the n-th request (from 0) is answered.
    ///
    /// # Errors
    /// There is no free port.
    pub async fn start(
        script: impl FnMut(usize) -> Reply + Send + 'static,
    ) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let state = Arc::new(Mutex::new(State {
            received: Vec::new(),
            count: 0,
            script: Box::new(script),
        }));
        let task = clock::start(serve(listener, Arc::clone(&state)));
        Ok(Self {
            address,
            state,
            task,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers differently from now on.
    pub fn answer(&self, script: impl FnMut(usize) -> Reply + Send + 'static) {
        lock(&self.state).script = Box::new(script);
    }

    /// What has come, in order.
    pub fn received(&self) -> Vec<Received> {
        lock(&self.state).received.clone()
    }
}

impl Drop for Hook {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock(state: &Mutex<State>) -> std::sync::MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(listener: TcpListener, state: Arc<Mutex<State>>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Some(_ended) = connections.join_next() => {}
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    connections.spawn(converse(stream, Arc::clone(&state)));
                }
            }
        }
    }
}

/// One connection; ends with the first error, which is the peer's affair.
async fn converse(mut stream: TcpStream, state: Arc<Mutex<State>>) {
    let mut rest = Vec::new();
    while let Some(mut received) = request(&mut stream, &mut rest).await {
        let reply = {
            let mut state = lock(&state);
            let count = state.count;
            state.count += 1;
            let reply = (state.script)(count);
            received.accepted = matches!(reply, Reply::Good(_) | Reply::Endless);
            if state.received.len() < KEPT {
                state.received.push(received);
            }
            reply
        };
        if answer(&mut stream, reply).await.is_err() {
            return;
        }
    }
}

/// The next request; `None` when there is none, or none that could be one.
async fn request(stream: &mut TcpStream, rest: &mut Vec<u8>) -> Option<Received> {
    loop {
        let text = String::from_utf8_lossy(rest).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let received = Received {
                head: head.to_owned(),
                ..Received::default()
            };
            let length: usize = received.header("content-length")?.parse().ok()?;
            if body.len() >= length {
                let body = body.get(..length)?.to_owned();
                rest.drain(..head.len() + 4 + length);
                return Some(Received { body, ..received });
            }
        }
        let mut piece = [0; 8192];
        let count = stream.read(&mut piece).await.ok()?;
        if count == 0 || rest.len() > LONGEST {
            return None;
        }
        rest.extend_from_slice(&piece[..count]);
    }
}

async fn answer(stream: &mut TcpStream, reply: Reply) -> std::io::Result<()> {
    let ended = || std::io::ErrorKind::ConnectionAborted.into();
    match reply {
        Reply::Good(body) => {
            let length = body.len();
            let text = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}");
            stream.write_all(text.as_bytes()).await
        }
        Reply::Status(status, after) => {
            let after = after.map_or_else(String::new, |s| format!("Retry-After: {s}\r\n"));
            let text = format!("HTTP/1.1 {status} Told\r\n{after}Content-Length: 4\r\n\r\ntold");
            stream.write_all(text.as_bytes()).await
        }
        Reply::Redirect(place) => {
            let text =
                format!("HTTP/1.1 302 Found\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n");
            stream.write_all(text.as_bytes()).await
        }
        Reply::Lost => Err(ended()),
        Reply::Garbage => {
            stream.write_all(b"\x16\x03\x01 what?\r\n\r\n").await?;
            Err(ended())
        }
        Reply::Silence => {
            // Until the peer gives up.
            let mut ignored = [0; 64];
            let _given_up = stream.read(&mut ignored).await?;
            Err(ended())
        }
        Reply::Drip => loop {
            stream.write_all(b"H").await?;
            sleep(Duration::from_millis(100)).await;
        },
        Reply::Endless => {
            let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
            stream.write_all(head).await?;
            loop {
                stream.write_all(b"4\r\nmore\r\n").await?;
            }
        }
    }
}
