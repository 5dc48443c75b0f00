//! Connections with bounds: how many, how long, how large.
//!
//! `axum::serve` has none of them; a few hundred idle or slow connections would take every file
//! descriptor of the process, the journal's included.
//!
//! | bound | when reached |
//! |---|---|
//! | [`MAX_CONNECTIONS`] | the oldest one without a request in hand is dropped; when all are at work, the next one waits, and those after it in the kernel's queue |
//! | [`HEADER_LIMIT`] for a whole header, also between two requests | dropped |
//! | [`HEADER_BYTES`] | 431, dropped |
//! | `guard`: a request | 408 |
//! | [`CONNECTION_LIFE`] | finishes the request in hand, then dropped: a peer that does not read its answer holds nothing for ever |

use std::collections::VecDeque;
use std::io;
use std::net::Ipv4Addr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::{Notify, watch};
use tokio::task::{AbortHandle, JoinSet};
use tracing::{debug, warn};

use super::socket::Socket;
use super::{App, router};

/// Connections at one time.
pub(super) const MAX_CONNECTIONS: usize = 64;

/// A header is whole within this; so a connection is idle between two requests no longer.
pub(super) const HEADER_LIMIT: Duration = Duration::from_secs(5);

/// A header has this many bytes at most. Browsers send one or two thousand.
const HEADER_BYTES: usize = 16 * 1024;

/// A connection is asked to end after this.
const CONNECTION_LIFE: Duration = Duration::from_secs(60);

/// A connection that was asked to end may finish its request for this long.
const GRACE: Duration = Duration::from_secs(3);

/// Accepting pauses this long when the system refuses (no descriptors left).
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Where connections come in.
trait Door {
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// The next one. Losing the future loses no connection.
    fn next(&self) -> impl Future<Output = io::Result<Self::Stream>> + Send;
}

impl Door for TcpListener {
    type Stream = TcpStream;

    async fn next(&self) -> io::Result<TcpStream> {
        let (stream, _peer) = self.accept().await?;
        if let Err(error) = stream.set_nodelay(true) {
            debug!(%error, "connection gone before it began");
        }
        Ok(stream)
    }
}

impl Door for Socket {
    type Stream = UnixStream;

    async fn next(&self) -> io::Result<UnixStream> {
        let (stream, _peer) = self.listener().accept().await?;
        Ok(stream)
    }
}

/// Answers on `listener` until `shutdown` turns true or its sender is gone; returns within three
/// seconds of that, when every request in hand is answered or given up.
///
/// # Errors
/// The listener's own address cannot be read.
pub async fn serve(
    listener: TcpListener,
    app: App,
    shutdown: watch::Receiver<bool>,
) -> io::Result<()> {
    let router = router(app, listener.local_addr()?);
    answer(listener, router, shutdown).await;
    Ok(())
}

/// The same on a socket of this machine, which the file system guards.
pub async fn serve_locally(socket: Socket, app: App, shutdown: watch::Receiver<bool>) {
    let this_machine = (Ipv4Addr::LOCALHOST, 0).into();
    answer(socket, router(app, this_machine), shutdown).await;
}

async fn answer<D: Door>(door: D, router: Router, shutdown: watch::Receiver<bool>) {
    let mut floor = Floor::default();
    let mut stop = pin!(stopped(shutdown.clone()));
    let mut refused = false;
    'serving: loop {
        let accepted = tokio::select! {
            () = &mut stop => break,
            Some(_ended) = floor.tasks.join_next() => continue,
            accepted = door.next() => accepted,
        };
        let stream = match accepted {
            Ok(stream) => stream,
            Err(error) => {
                if !refused {
                    warn!(%error, "cannot accept connections; trying on");
                }
                refused = true;
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        refused = false;
        while !floor.has_room() {
            tokio::select! {
                () = &mut stop => break 'serving,
                _ended = floor.tasks.join_next() => {}
                () = floor.rested.notified() => {}
            }
        }
        floor.admit(stream, router.clone(), shutdown.clone());
    }
    drop(door);
    // Each connection saw the same signal and bounds itself.
    while floor.tasks.join_next().await.is_some() {}
}

/// Ends when `shutdown` says so, or can no longer say anything.
async fn stopped(mut shutdown: watch::Receiver<bool>) {
    let _gone = shutdown.wait_for(|stop| *stop).await.is_err();
}

/// The open connections, oldest first.
#[derive(Default)]
struct Floor {
    tasks: JoinSet<()>,
    open: VecDeque<Open>,
    /// A request was answered, so its connection may make room.
    rested: Arc<Notify>,
}

struct Open {
    task: AbortHandle,
    /// A request is in hand.
    busy: Arc<AtomicBool>,
}

impl Floor {
    /// Makes room for the newcomer in hand if need be; false while every connection is at work.
    fn has_room(&mut self) -> bool {
        self.open.retain(|open| !open.task.is_finished());
        if self.open.len() < MAX_CONNECTIONS {
            return true;
        }
        let idle = |open: &Open| !open.busy.load(Ordering::Relaxed);
        let Some(oldest) = self.open.iter().position(idle) else {
            return false;
        };
        if let Some(open) = self.open.remove(oldest) {
            open.task.abort();
        }
        true
    }

    fn admit<S>(&mut self, stream: S, router: Router, shutdown: watch::Receiver<bool>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let busy = Arc::new(AtomicBool::new(false));
        let work = Work {
            busy: Arc::clone(&busy),
            rested: Arc::clone(&self.rested),
        };
        let conversation = converse(stream, router, work, shutdown);
        let task = self.tasks.spawn(conversation);
        self.open.push_back(Open { task, busy });
    }
}

/// What a connection tells the floor.
struct Work {
    busy: Arc<AtomicBool>,
    rested: Arc<Notify>,
}

impl Work {
    fn begin(&self) {
        self.busy.store(true, Ordering::Relaxed);
    }

    fn end(&self) {
        self.busy.store(false, Ordering::Relaxed);
        self.rested.notify_one();
    }
}

/// One connection from beginning to end.
async fn converse<S>(stream: S, router: Router, work: Work, shutdown: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let routes = TowerToHyperService::new(router);
    let service = service_fn(|request| {
        work.begin();
        let answer = routes.call(request);
        let work = &work;
        async move {
            let answer = answer.await;
            work.end();
            answer
        }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_LIMIT)
        .max_buf_size(HEADER_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    tokio::select! {
        ended = connection.as_mut() => {
            if let Err(error) = ended {
                debug!(%error, "connection ended early");
            }
            return;
        }
        () = stopped(shutdown) => {}
        () = tokio::time::sleep(CONNECTION_LIFE) => {}
    }
    connection.as_mut().graceful_shutdown();
    if tokio::time::timeout(GRACE, connection).await.is_err() {
        debug!("connection cut");
    }
}
