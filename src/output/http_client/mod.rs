//! Requests to receivers: the client behind webhooks and Alertmanager. (`src/http` is the server.)
//!
//! One [`Client`] has one receiver and one request at a time. What is not encrypted goes no further than the
//! plant; whoever answers over TLS has shown a certificate for the configured name; nobody is followed anywhere
//! else: a redirect is an answer like any other, and a refusal.
//!
//! ```text
//!  ask ──▶ connection kept? ──yes──▶ send ──▶ head ──▶ body ──▶ Answer, connection kept
//!              │ no                    │ closed before an answer, and it was a kept one
//!              ▼                       ▼
//!          name ▶ TCP ▶ TLS ◀──────────┘ once
//! ```
//!
//! | bound | value | then |
//! |---|---|---|
//! | a request from name lookup to the last byte | [`ClientSettings::timeout`] | [`Failure::Timeout`] says how far it came |
//! | head of an answer | 16 KiB | no HTTP |
//! | body of an answer | [`ANSWER_LIMIT`], or what [`Client::taking`] says | cut, the connection is closed |
//! | addresses of a name | 4, each 4 s | the last one's failure |
//! | kept connections | 1, rested for 15 s, 5 min old | a new one |
//!
//! There is no task behind a connection: it is moved on by whoever waits for an answer, and what the far end
//! does meanwhile is found when the connection is used again.
//!
//! Deliberately absent: proxies, cookies, compression, HTTP/2, a switch to skip verification.

mod address;
mod connection;
mod failure;
mod hidden;
#[cfg(test)]
mod tests;
pub(super) mod trust;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{
    CONTENT_TYPE, DATE, HOST, HeaderName, HeaderValue, LOCATION, RETRY_AFTER, USER_AGENT,
};
use hyper::{Method, Response};
use tokio::time::timeout;

pub use self::address::Url;
use self::connection::Connection;
pub use self::failure::{Failure, Stage};
pub use self::hidden::Hidden;
use crate::clock;

/// Longest body of an answer, unless another is asked for; bytes.
pub const ANSWER_LIMIT: usize = 64 * 1024;

const AGENT: &str = concat!("forewarn/", env!("CARGO_PKG_VERSION"));

/// Where a receiver is and how it is verified.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ClientSettings {
    /// The address.
    pub url: Url,
    /// Authorities to trust, PEM; `None`: the operating system's.
    pub ca_file: Option<PathBuf>,
    /// A request and its answer take no longer.
    pub timeout: Duration,
    /// Send unencrypted also over the internet.
    pub insecure: bool,
}

/// What to ask.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Usually POST.
    pub method: Method,
    /// Path and query; begins with `/`.
    pub path: String,
    /// What the body is.
    pub content_type: HeaderValue,
    /// Further headers; one of the same name replaces ours.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body.
    pub body: Bytes,
}

/// What the far end answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The header `Retry-After`, as it came.
    pub retry_after: Option<String>,
    /// The header `Location`, as it came.
    pub location: Option<String>,
    /// The header `Date`, as it came.
    pub date: Option<String>,
    /// The body, as far as it is text.
    pub body: String,
    /// The body was longer than is taken.
    pub cut: bool,
    /// From the first look at the name to the last byte.
    pub took: Duration,
    /// How the connection is encrypted, if it is.
    pub tls: Option<TlsFacts>,
}

/// How a connection is encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFacts {
    /// As in `TLSv1_3`.
    pub version: String,
    /// As in `TLS13_AES_256_GCM_SHA384`.
    pub cipher: String,
    /// Certificates that the far end showed.
    pub certificates: usize,
}

impl Answer {
    /// As far as it may be told on.
    #[must_use]
    pub fn without(self, hidden: &Hidden) -> Self {
        Self {
            location: self.location.as_deref().map(|place| hidden.hide(place)),
            body: hidden.hide(&self.body),
            ..self
        }
    }
}

impl TlsFacts {
    fn of(connection: &rustls::ClientConnection) -> Self {
        let version = connection.protocol_version();
        let cipher = connection.negotiated_cipher_suite();
        Self {
            version: version.map_or_else(String::new, |version| format!("{version:?}")),
            cipher: cipher.map_or_else(String::new, |suite| format!("{:?}", suite.suite())),
            certificates: connection.peer_certificates().map_or(0, <[_]>::len),
        }
    }
}

/// Asks one receiver, one request at a time.
pub struct Client {
    settings: ClientSettings,
    trust: Option<Arc<rustls::ClientConfig>>,
    kept: Option<Connection>,
    limit: usize,
    stage: Stage,
}

impl Client {
    /// A client that has not connected yet.
    pub const fn new(settings: ClientSettings) -> Self {
        Self {
            settings,
            trust: None,
            kept: None,
            limit: ANSWER_LIMIT,
            stage: Stage::Lookup,
        }
    }

    /// Takes answers of so many bytes instead.
    #[must_use]
    pub const fn taking(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// Where it asks.
    pub const fn url(&self) -> &Url {
        &self.settings.url
    }

    /// Sends a request and reads the answer. A request that is dropped half-way costs its connection.
    ///
    /// # Errors
    /// No answer, or none in time. The far end may have taken the request all the same.
    pub async fn ask(&mut self, request: &Request) -> Result<Answer, Failure> {
        let began = clock::monotonic();
        let within = self.settings.timeout;
        self.stage = Stage::Lookup;
        let Ok(answer) = timeout(within, self.try_twice(request)).await else {
            let stage = self.stage;
            return Err(Failure::Timeout { within, stage });
        };
        let mut answer = answer?;
        answer.took = clock::monotonic().since(began);
        Ok(answer)
    }

    /// A kept connection may have been closed at the very moment it was used again.
    async fn try_twice(&mut self, request: &Request) -> Result<Answer, Failure> {
        if let Some(mut kept) = self.kept.take()
            && kept.is_fit().await
        {
            match self.exchange(kept, request).await {
                Err(Failure::Closed) => {}
                done => return done,
            }
        }
        let fresh = self.connect().await?;
        self.exchange(fresh, request).await
    }

    async fn connect(&mut self) -> Result<Connection, Failure> {
        let settings = &self.settings;
        let trust = if settings.url.is_encrypted() {
            if self.trust.is_none() {
                self.trust = Some(trust::load(settings.ca_file.clone()).await?);
            }
            self.trust.clone()
        } else {
            None
        };
        Connection::open(&settings.url, trust, settings.insecure, &mut self.stage).await
    }

    async fn exchange(
        &mut self,
        mut connection: Connection,
        request: &Request,
    ) -> Result<Answer, Failure> {
        self.stage = Stage::Answer;
        let sent = self.wire(request)?;
        let answer = connection.send(sent).await;
        let answer = answer.map_err(|error| Failure::exchange(&error))?;
        self.stage = Stage::Body;
        let (head, body) = answer.into_parts();
        let (body, cut) = connection
            .read(body, self.limit)
            .await
            .map_err(|error| Failure::exchange(&error))?;
        let tls = connection.tls.clone();
        if !cut {
            self.kept = Some(connection);
        }
        let head = Response::from_parts(head, ());
        let text = |name: HeaderName| {
            let value = head.headers().get(name)?.as_bytes();
            Some(String::from_utf8_lossy(value).into_owned())
        };
        Ok(Answer {
            status: head.status().as_u16(),
            retry_after: text(RETRY_AFTER),
            location: text(LOCATION),
            date: text(DATE),
            body: String::from_utf8_lossy(&body).into_owned(),
            cut,
            took: Duration::ZERO,
            tls,
        })
    }

    fn wire(&self, request: &Request) -> Result<hyper::Request<Full<Bytes>>, Failure> {
        let built = hyper::Request::builder()
            .method(request.method.clone())
            .uri(&request.path)
            .header(HOST, self.settings.url.authority())
            .header(USER_AGENT, AGENT)
            .header(CONTENT_TYPE, &request.content_type)
            .body(Full::new(request.body.clone()));
        let mut built = built.map_err(|error| Failure::Protocol(error.to_string()))?;
        for (name, value) in &request.headers {
            built.headers_mut().insert(name, value.clone());
        }
        Ok(built)
    }
}
