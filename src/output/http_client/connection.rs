//! One connection: how it comes about, and one request over it.

use std::future::poll_fn;
use std::net::{IpAddr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::TlsFacts;
use super::address::{Url, is_local};
use super::failure::{Failure, Stage};
use crate::clock;
use crate::engine::time::Mono;

/// A name may stand for several addresses; so many are tried ...
const ADDRESSES: usize = 4;
/// ... each for so long.
const EACH: Duration = Duration::from_secs(4);
/// The head of an answer is no longer, bytes.
const HEAD_LIMIT: usize = 16 * 1024;
/// A connection that has rested longer is not used again: the far end may be about to close it.
const REST: Duration = Duration::from_secs(15);
/// A connection that is older is not used again: a name may stand for another address by now.
const LIFE: Duration = Duration::from_secs(300);

/// What HTTP goes over.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// An open connection. It is moved on only while a request is on it: there is no task behind it.
pub(super) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    driver: Driver,
    pub(super) tls: Option<TlsFacts>,
    opened: Mono,
    rested: Mono,
}

/// Moves the bytes.
struct Driver(Option<Pin<Box<dyn Future<Output = ()> + Send>>>);

impl Driver {
    /// Works until `work` is done. Its end is seen by `work`, too.
    async fn while_working<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        poll_fn(|context| {
            if let Some(driver) = &mut self.0
                && driver.as_mut().poll(context).is_ready()
            {
                self.0 = None;
            }
            work.as_mut().poll(context)
        })
        .await
    }

    /// Takes note of what has come meanwhile.
    async fn look(&mut self) {
        self.while_working(poll_fn(|_context| Poll::Ready(())))
            .await;
    }
}

impl Connection {
    /// Opens one. `trust` where it is encrypted; `plain_anywhere`: unencrypted also over the internet.
    pub(super) async fn open(
        url: &Url,
        trust: Option<Arc<ClientConfig>>,
        plain_anywhere: bool,
        stage: &mut Stage,
    ) -> Result<Self, Failure> {
        *stage = Stage::Lookup;
        let addresses = look_up(url).await?;
        if trust.is_none() && !plain_anywhere && !addresses.iter().all(|it| is_local(it.ip())) {
            return Err(Failure::PublicAddress);
        }
        *stage = Stage::Connect;
        let stream = connect(&addresses).await?;
        let (stream, tls): (Box<dyn Stream>, _) = match trust {
            None => (Box::new(stream), None),
            Some(trust) => {
                *stage = Stage::Handshake;
                let name = ServerName::try_from(url.host().to_owned());
                let name =
                    name.map_err(|_| Failure::Tls("no certificate is for such a host".to_owned()))?;
                let stream = TlsConnector::from(trust).connect(name, stream).await;
                let stream = stream.map_err(|error| Failure::handshake(&error))?;
                let facts = TlsFacts::of(stream.get_ref().1);
                (Box::new(stream), Some(facts))
            }
        };
        *stage = Stage::Answer;
        let opened = http1::Builder::new()
            .max_buf_size(HEAD_LIMIT)
            .handshake(TokioIo::new(stream))
            .await;
        let (sender, connection) = opened.map_err(|error| Failure::exchange(&error))?;
        let driver = async move {
            // Whoever waits for an answer is told the same.
            let _told = connection.await.is_err();
        };
        let now = clock::monotonic();
        Ok(Self {
            sender,
            driver: Driver(Some(Box::pin(driver))),
            tls,
            opened: now,
            rested: now,
        })
    }

    /// Can another request go over it?
    pub(super) async fn is_fit(&mut self) -> bool {
        let now = clock::monotonic();
        if now.since(self.rested) > REST || now.since(self.opened) > LIFE {
            return false;
        }
        self.driver.look().await;
        !self.sender.is_closed() && self.driver.0.is_some()
    }

    /// Sends a request; the head of its answer.
    pub(super) async fn send(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, hyper::Error> {
        self.driver.while_working(self.sender.ready()).await?;
        let answer = self.sender.send_request(request);
        self.driver.while_working(answer).await
    }

    /// Reads a body to its end or to the limit; `true`: it was longer than that, and the connection is
    /// of no more use.
    pub(super) async fn read(
        &mut self,
        mut body: Incoming,
        limit: usize,
    ) -> Result<(Vec<u8>, bool), hyper::Error> {
        let mut taken = Vec::new();
        while let Some(frame) = self.driver.while_working(body.frame()).await {
            let Ok(data) = frame?.into_data() else {
                continue;
            };
            let room = limit - taken.len();
            taken.extend_from_slice(data.get(..room).unwrap_or(&data));
            if data.len() > room {
                return Ok((taken, true));
            }
        }
        self.rested = clock::monotonic();
        Ok((taken, false))
    }
}

async fn look_up(url: &Url) -> Result<Vec<SocketAddr>, Failure> {
    if let Ok(address) = url.host().parse::<IpAddr>() {
        return Ok(vec![(address, url.port()).into()]);
    }
    let found = lookup_host((url.host(), url.port())).await;
    let found = found.map_err(|error| Failure::NameNotFound(error.to_string()))?;
    let found: Vec<_> = found.take(ADDRESSES).collect();
    if found.is_empty() {
        return Err(Failure::NameNotFound("no address".to_owned()));
    }
    Ok(found)
}

async fn connect(addresses: &[SocketAddr]) -> Result<TcpStream, Failure> {
    let mut failure = Failure::Unreachable("no address".to_owned());
    for address in addresses {
        // The only address has all the time there is.
        let patience = if addresses.len() == 1 {
            Duration::MAX
        } else {
            EACH
        };
        failure = match timeout(patience, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                let ready = stream.set_nodelay(true).map(|()| stream);
                return ready.map_err(|error| Failure::connecting(&error));
            }
            Ok(Err(error)) => Failure::connecting(&error),
            Err(_elapsed) => Failure::Unreachable("no answer from the address".to_owned()),
        };
    }
    Err(failure)
}
