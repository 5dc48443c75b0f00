//! One conversation with a mail relay. The only file that speaks SMTP.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lettre::Address;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{
    AsyncSmtpConnection, AsyncTokioStream, Certificate, CertificateStore, TlsParameters,
};
use lettre::transport::smtp::commands::{Data, Mail as MailFrom, Rcpt, Rset};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::Response;
use rustls::pki_types::ServerName;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::compose::Mail;
use super::one_line::OneLine;
use super::stream::{self, Bounded};
use super::{EmailTarget, Protection};
use crate::clock;
use crate::engine::time::Mono;
use crate::output::http_client::{Failure, trust};
use crate::output::verdict::{UNAVAILABLE, UNWELCOME, Verdict};

const CONNECT: Duration = Duration::from_secs(10);

/// Mails in one session.
const MAILS: usize = 100;

/// The step that names a reader.
const RCPT: &str = "RCPT TO";
/// The step after which the relay has read the message.
const TEXT: &str = "the message";

/// So much of an answer is shown, characters.
const SHOWN: usize = 200;

/// Why a mail was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// This reader, or this mail to them, is refused for good.
    Reader(String),
    /// This reader, not now: a full box, or a relay that wants to see us twice. The others may be served.
    PutOff(String),
    /// The same, when the relay has read the message: perhaps for its text (`texts.rs`).
    Text(String),
    /// Nobody is served until somebody puts it right.
    Everybody(String),
    /// The conversation ended over the mail to this reader. Perhaps for all, perhaps for this one alone: the reason is
    /// one of the metrics' words.
    Ended(&'static str, String),
    /// Nobody is served now, with the same words.
    Later(&'static str, String),
}

impl Trouble {
    /// In words.
    pub(super) fn why(&self) -> &str {
        match self {
            Self::Reader(why) | Self::PutOff(why) | Self::Text(why) | Self::Everybody(why) => why,
            Self::Ended(_, why) | Self::Later(_, why) => why,
        }
    }

    pub(super) fn verdict(self) -> Verdict {
        match self {
            Self::Reader(why) => Verdict::Refused { why },
            Self::PutOff(why) | Self::Text(why) => Verdict::later(UNAVAILABLE, why),
            Self::Everybody(why) => Verdict::later(UNWELCOME, why),
            Self::Ended(reason, why) | Self::Later(reason, why) => Verdict::later(reason, why),
        }
    }
}

/// How long the relay is waited for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// With everything.
    pub(super) until: Mono,
    /// With what it says of one reader before it has the message. No mail is sent twice because this was too short.
    pub(super) reader: Duration,
}

impl Patience {
    fn left(self) -> Duration {
        self.until.since(clock::monotonic())
    }
}

/// An open conversation.
pub(super) struct Session {
    connection: AsyncSmtpConnection,
    mails: usize,
}

impl Session {
    /// Connects, protects the connection and logs in.
    pub(super) async fn open(target: &EmailTarget) -> Result<Self, Trouble> {
        let hello = hello(target);
        let stream = transport(target).await?;
        let opened = AsyncSmtpConnection::connect_with_transport(stream, &hello).await;
        let mut connection = opened.map_err(|error| of_all("connecting", &error))?;
        if target.protection != Protection::Implicit {
            let offered = connection.can_starttls();
            if !offered && target.protection == Protection::StartTls {
                connection.abort().await;
                return Err(Trouble::Everybody(
                    "the relay offers no STARTTLS, and without it everybody on the way could read and change the \
                     mail"
                        .to_owned(),
                ));
            }
            if offered {
                let upgraded = connection.starttls(tls(target).await?, &hello).await;
                upgraded.map_err(|error| of_all("STARTTLS", &error))?;
            }
        }
        if let Some(login) = &target.login {
            let password = login.password.expose().to_owned();
            let credentials = Credentials::new(login.username.clone(), password);
            let mechanisms = [Mechanism::Plain, Mechanism::Login];
            let entered = connection.auth(&mechanisms, &credentials).await;
            entered.map_err(|error| of_all("login", &error))?;
        }
        Ok(Self {
            connection,
            mails: 0,
        })
    }

    /// Goes on with the next mail, unless it has brought as many as a relay may be asked to take in one.
    pub(super) async fn goes_on(self) -> Option<Self> {
        if self.mails < MAILS {
            return Some(self);
        }
        self.close().await;
        None
    }

    /// One mail to one reader; what the relay says to it. After any trouble the conversation is of no use any
    /// more. `on_its_way` turns true when the relay may have the mail.
    pub(super) async fn send(
        &mut self,
        from: &str,
        mail: &Mail,
        patience: Patience,
        on_its_way: &AtomicBool,
    ) -> Result<String, Trouble> {
        let (all, of_reader) = (patience.left(), patience.reader.min(patience.left()));
        let sender = timeout(all, self.begin(from)).await;
        sender.map_err(|_late| Trouble::Later("timeout", silent("MAIL FROM", all)))??;
        heard(RCPT, of_reader, self.name(mail.to.clone())).await?;
        let data = async {
            let data = self.connection.command(Data).await;
            data.map_err(|error| of_one("DATA", &error))
        };
        heard("DATA", of_reader, data).await?;
        on_its_way.store(true, Ordering::Relaxed);
        let message = async {
            let taken = self.connection.message(&mail.text).await;
            taken.map_err(|error| of_one(TEXT, &error))
        };
        let taken = heard(TEXT, patience.left(), message).await?;
        self.mails += 1;
        Ok(first_line(&taken))
    }

    /// Names the sender.
    pub(super) async fn begin(&mut self, from: &str) -> Result<(), Trouble> {
        let from = from.parse().ok();
        let sender = self.connection.command(MailFrom::new(from, Vec::new()));
        sender.await.map_err(|error| of_all("MAIL FROM", &error))?;
        Ok(())
    }

    /// Names a reader; what the relay says to them.
    pub(super) async fn name(&mut self, reader: Address) -> Result<String, Trouble> {
        let reader = self.connection.command(Rcpt::new(reader, Vec::new()));
        let taken = reader.await.map_err(|error| of_one(RCPT, &error))?;
        Ok(first_line(&taken))
    }

    /// There is no mail after all.
    pub(super) async fn withdraw(&mut self) -> Result<(), Trouble> {
        let withdrawn = self.connection.command(Rset).await;
        withdrawn.map_err(|error| of_all("RSET", &error))?;
        Ok(())
    }

    /// Says good-bye; whether that is heard does not matter any more.
    pub(super) async fn close(self) {
        let mut connection = self.connection;
        connection.abort().await;
    }
}

fn first_line(answer: &Response) -> String {
    let line = answer.first_line().unwrap_or_default();
    shown(&format!("{} {line}", answer.code()))
}

/// What the relay says to a step over one reader.
async fn heard<T>(
    step: &str,
    patience: Duration,
    answer: impl Future<Output = Result<T, Trouble>>,
) -> Result<T, Trouble> {
    let late = |_late| Err(Trouble::Ended("timeout", silent(step, patience)));
    timeout(patience, answer).await.unwrap_or_else(late)
}

fn silent(step: &str, patience: Duration) -> String {
    format!("{step}: no answer within {} s", patience.as_secs())
}

/// A connection that brings no more than it may, encrypted when it is so from its first byte.
async fn transport(target: &EmailTarget) -> Result<Box<dyn AsyncTokioStream>, Trouble> {
    let server = (target.host.as_str(), target.port);
    let connected = stream::connect(server, CONNECT).await;
    let (tcp, peer) = connected.map_err(|error| not_connected(&error))?;
    if target.protection != Protection::Implicit {
        return Ok(Box::new(Bounded::new(OneLine(tcp), peer)));
    }
    let failed = |failure: Failure| Trouble::Later("tls", format!("TLS: {failure}"));
    let trust = trust::load(target.ca_file.clone()).await.map_err(failed)?;
    let name = ServerName::try_from(target.host.clone());
    let name =
        name.map_err(|_| Trouble::Later("tls", "no certificate is for such a host".to_owned()))?;
    let encrypted = TlsConnector::from(trust).connect(name, tcp).await;
    let encrypted = encrypted.map_err(|error| failed(Failure::handshake(&error)))?;
    Ok(Box::new(Bounded::new(encrypted, peer)))
}

fn not_connected(error: &io::Error) -> Trouble {
    let late = error.kind() == io::ErrorKind::TimedOut;
    let reason = if late { "timeout" } else { "network" };
    Trouble::Later(reason, format!("connecting: {error}"))
}

/// An address, where the name of this machine says nothing to anybody.
fn hello(target: &EmailTarget) -> ClientId {
    let domain = target.from.rsplit_once('@').map(|(_, domain)| domain);
    let named = domain.filter(|domain| domain.is_ascii());
    named.map_or(ClientId::Ipv4(Ipv4Addr::LOCALHOST), |domain| {
        ClientId::Domain(domain.to_owned())
    })
}

/// The named authorities, or those of the operating system. A disk that hangs holds up this session alone.
async fn tls(target: &EmailTarget) -> Result<TlsParameters, Trouble> {
    let (host, ca_file) = (target.host.clone(), target.ca_file.clone());
    let load = move || parameters(host, ca_file.as_deref());
    let loaded = tokio::task::spawn_blocking(load).await;
    let loaded = loaded.unwrap_or_else(|_| Err("the gateway is stopping".to_owned()));
    loaded.map_err(|why| Trouble::Later("tls", why))
}

/// Reads from disk.
fn parameters(host: String, ca_file: Option<&Path>) -> Result<TlsParameters, String> {
    let mut builder = TlsParameters::builder(host);
    if let Some(ca_file) = ca_file {
        let path = ca_file.display();
        let pem = std::fs::read(ca_file).map_err(|error| format!("cannot read {path}: {error}"))?;
        let roots = Certificate::from_pem(&pem)
            .map_err(|error| format!("{path} is no PEM file: {error}"))?;
        builder = builder
            .certificate_store(CertificateStore::None)
            .add_root_certificate(roots);
    }
    let built = builder.build();
    built.map_err(|error| format!("TLS cannot be set up: {}", words(&error)))
}

/// An answer that everybody would get.
fn of_all(step: &str, error: &Error) -> Trouble {
    let why = format!("{step}: {}", words(error));
    if error.is_permanent() {
        return Trouble::Everybody(why);
    }
    Trouble::Later(reason(error), why)
}

/// An answer to one reader.
fn of_one(step: &str, error: &Error) -> Trouble {
    let why = format!("{step}: {}", words(error));
    // The relay is about to close on everybody (RFC 5321, 3.8).
    let closes = error.status().is_some_and(|code| u16::from(code) == 421);
    if error.is_permanent() {
        return Trouble::Reader(why);
    }
    if error.is_transient() && !closes {
        let whose = if step == TEXT {
            Trouble::Text
        } else {
            Trouble::PutOff
        };
        return whose(why);
    }
    Trouble::Ended(reason(error), why)
}

/// A word of the metrics.
fn reason(error: &Error) -> &'static str {
    if error.is_transient() {
        UNAVAILABLE
    } else if error.is_timeout() {
        "timeout"
    } else if error.is_tls() || is_about_tls(error) {
        "tls"
    } else if error.is_client() {
        UNWELCOME
    } else if error.is_response() {
        "protocol"
    } else {
        "network"
    }
}

/// Is a certificate behind it? A handshake that fails reads like a connection that does.
fn is_about_tls(error: &Error) -> bool {
    let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    let mut causes = causes.map(|cause| {
        let io = cause.downcast_ref::<std::io::Error>();
        let inside = io.and_then(std::io::Error::get_ref);
        cause.is::<rustls::Error>() || inside.is_some_and(|inside| inside.is::<rustls::Error>())
    });
    causes.any(|tls| tls)
}

/// The error with its causes, in one line of bounded length.
fn words(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        let inner_words = inner.to_string();
        if !text.contains(&inner_words) {
            text.push_str(": ");
            text.push_str(&inner_words);
        }
        cause = inner.source();
    }
    shown(&text)
}

fn shown(text: &str) -> String {
    let printable = |c: char| if c.is_control() { ' ' } else { c };
    text.trim_end().chars().take(SHOWN).map(printable).collect()
}

/// Is it this machine?
pub(crate) fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
