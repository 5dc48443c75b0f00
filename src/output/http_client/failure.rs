//! Why there is no answer, in words.

use std::fmt;
use std::io;
use std::time::Duration;

use rustls::CertificateError;

/// Why a request was not answered. None of the words repeat the address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Whom to trust is not known: the file with the authorities.
    #[error("{0}")]
    Trust(String),
    /// Name lookup gave nothing.
    #[error("its name was not found ({0})")]
    NameNotFound(String),
    /// A plain `http` address whose name stands for one on the internet.
    #[error(
        "its name stands for an address on the internet, where nothing is sent unencrypted: use https, or \
         allow it with `insecure = true`"
    )]
    PublicAddress,
    /// Nobody listens there.
    #[error("connection refused: nobody listens there")]
    Refused,
    /// No way there, or the connection broke.
    #[error("not reachable ({0})")]
    Unreachable(String),
    /// The far end shows a certificate that is not to be trusted.
    #[error("certificate not accepted: {0}")]
    Certificate(&'static str),
    /// No TLS, or none that both speak.
    #[error("no TLS connection: {0}")]
    Tls(String),
    /// The far end closed the connection instead of answering.
    #[error("the connection was closed without an answer")]
    Closed,
    /// What came back is no HTTP, or not within its bounds.
    #[error("the answer is no HTTP ({0})")]
    Protocol(String),
    /// The total time is over.
    #[error("no answer within {}: it ended {stage}", seconds(*.within))]
    Timeout {
        /// As configured.
        within: Duration,
        /// What was waited for.
        stage: Stage,
    },
}

/// How far a request has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Stage {
    /// Whom to trust, and which address the name stands for.
    #[default]
    Lookup,
    /// TCP.
    Connect,
    /// TLS.
    Handshake,
    /// Request sent, nothing back.
    Answer,
    /// The head of the answer is there.
    Body,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lookup => "while the name was looked up",
            Self::Connect => "while connecting",
            Self::Handshake => "during the TLS handshake",
            Self::Answer => "waiting for the answer",
            Self::Body => "in the middle of the answer",
        })
    }
}

impl Failure {
    /// A word of a closed set, for metrics.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Trust(_) | Self::PublicAddress => "configuration",
            Self::NameNotFound(_) => "name",
            Self::Refused | Self::Unreachable(_) => "network",
            Self::Certificate(_) | Self::Tls(_) => "tls",
            Self::Closed => "closed",
            Self::Protocol(_) => "protocol",
            Self::Timeout { .. } => "timeout",
        }
    }

    pub(super) fn connecting(error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::ConnectionRefused {
            return Self::Refused;
        }
        Self::Unreachable(error.kind().to_string())
    }

    /// A handshake ends with an error of the network or of TLS, which the library wraps alike.
    pub(in crate::output) fn handshake(error: &io::Error) -> Self {
        let tls = error.get_ref().and_then(|inner| inner.downcast_ref());
        match tls {
            Some(rustls::Error::InvalidCertificate(why)) => Self::Certificate(certificate(why)),
            Some(rustls::Error::InvalidMessage(_)) => Self::Tls(
                "the far end does not speak TLS; is this a port for plain HTTP?".to_owned(),
            ),
            Some(other) => Self::Tls(other.to_string()),
            None => Self::Tls(format!("{}; is this a port for TLS?", error.kind())),
        }
    }

    pub(super) fn exchange(error: &hyper::Error) -> Self {
        if error.is_parse() || error.is_parse_too_large() {
            return Self::Protocol(error.to_string());
        }
        let broken = std::error::Error::source(error).and_then(|source| source.downcast_ref());
        match broken.map(io::Error::kind) {
            Some(io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset) | None => {
                Self::Closed
            }
            Some(kind) => Self::Unreachable(kind.to_string()),
        }
    }
}

/// In our own words: the library's repeat the name.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the library's list is long and grows; what is not told apart is refused all the same"
)]
fn certificate(why: &CertificateError) -> &'static str {
    match why {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "it has expired (or this board's clock is wrong)"
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not valid yet: is this board's clock set?"
        }
        CertificateError::UnknownIssuer => {
            "none of the trusted authorities has signed it; a private authority goes into `ca_file`"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "it is for another host name"
        }
        CertificateError::Revoked => "it was revoked",
        CertificateError::BadSignature => "its signature is wrong",
        CertificateError::BadEncoding => "it cannot be read",
        _ => "it is not one for a server, or uses what is not supported",
    }
}

fn seconds(span: Duration) -> String {
    format!("{} s", span.as_secs_f64())
}
