//! How commands reach the gateway that runs: over its socket on this machine, or over HTTP elsewhere.
//!
//! One question at a time, each on a connection of its own with a deadline. Nothing is cached: what a
//! command shows is what the gateway says now.

use std::future::pending;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::{Method, Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::runtime::Runtime;
use tokio::time::timeout;

use super::run;
use crate::config::{self, Source};
use crate::http::SOCKET_NAME;

/// Where the packaged service has its socket.
const SERVICE_SOCKET: &str = "/run/forewarn/forewarn.sock";

/// Where a gateway keeps its data that nobody told otherwise.
const DATA: &str = "/var/lib/forewarn";

/// A gateway that takes longer for an answer gives none.
const DEADLINE: Duration = Duration::from_secs(30);

/// Longest answer that is read, bytes: a list of all alarms of ten thousand points is half as long.
const LONGEST: usize = 64 << 20;

/// Which gateway is asked.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Reach {
    /// Its socket; else that of the configuration, of the service, or in the data folder
    #[arg(long, value_name = "FILE")]
    socket: Option<PathBuf>,
    /// A gateway elsewhere, as http://ADDRESS:PORT
    #[arg(long, value_name = "URL", conflicts_with = "socket")]
    url: Option<String>,
    /// Its configuration, to find the socket
    #[arg(long, value_name = "FILE", conflicts_with = "url")]
    config: Option<PathBuf>,
    /// Its data folder, to find the socket
    #[arg(long, value_name = "FOLDER", conflicts_with = "url")]
    data: Option<PathBuf>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum NoAnswer {
    /// No gateway at any place where it could be.
    #[error(
        "no gateway answers at {places}; is it running? `--socket`, `--config` or `--url` say where"
    )]
    NotThere {
        /// Where it was looked for.
        places: String,
        /// What the system said of the first place.
        #[source]
        source: io::Error,
    },
    /// The configuration that was to say where has mistakes.
    #[error("{0}")]
    Configuration(String),
    /// No address.
    #[error("{0:?} is no address of a gateway: write http://ADDRESS:PORT")]
    Address(String),
    /// It took too long.
    #[error("the gateway gave no answer within {} s", DEADLINE.as_secs())]
    Slow,
    /// The conversation broke off, or what came is no answer of a gateway.
    #[error("the gateway's answer cannot be understood: {0}")]
    Broken(String),
    /// It says no.
    #[error("{message}")]
    Refused {
        /// One word for programs.
        error: String,
        /// What to do.
        message: String,
    },
}

/// A gateway to ask.
#[derive(Debug)]
pub struct Daemon {
    runtime: Runtime,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Socket(PathBuf),
    Http(String),
}

impl Reach {
    /// Finds the gateway.
    ///
    /// # Errors
    /// It is not there, or nobody knows where.
    pub fn find(&self) -> Result<Daemon, NoAnswer> {
        let runtime = run::runtime().map_err(|error| NoAnswer::Broken(error.to_string()))?;
        if let Some(url) = &self.url {
            let address = url
                .strip_prefix("http://")
                .map(|rest| rest.trim_end_matches('/'));
            let address = address.filter(|address| !address.is_empty() && !address.contains('/'));
            let address = address.ok_or_else(|| NoAnswer::Address(url.clone()))?;
            let place = Place::Http(address.to_owned());
            return Ok(Daemon { runtime, place });
        }
        let mut refused = None;
        let places = self.places()?;
        for path in &places {
            match std::os::unix::net::UnixStream::connect(path) {
                Ok(_answers) => {
                    let place = Place::Socket(path.clone());
                    return Ok(Daemon { runtime, place });
                }
                // A socket that is there and refuses says more than one that is not.
                Err(error) => {
                    let absent = error.kind() == io::ErrorKind::NotFound;
                    refused = Some(match refused {
                        Some(first) if absent => first,
                        Some(_) | None => error,
                    });
                }
            }
        }
        let places: Vec<_> = places
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        Err(NoAnswer::NotThere {
            places: places.join(" or "),
            source: refused.unwrap_or_else(|| io::ErrorKind::NotFound.into()),
        })
    }

    /// Where its socket may be, the likeliest first.
    fn places(&self) -> Result<Vec<PathBuf>, NoAnswer> {
        if let Some(socket) = &self.socket {
            return Ok(vec![socket.clone()]);
        }
        if self.config.is_none() {
            let data = self.data.clone();
            let mut places = vec![
                data.clone()
                    .unwrap_or_else(|| DATA.into())
                    .join(SOCKET_NAME),
            ];
            if data.is_none() {
                places.insert(0, SERVICE_SOCKET.into());
            }
            return Ok(places);
        }
        let source = Source::file(self.config.clone())
            .data(self.data.clone())
            .environment(std::env::vars_os());
        let (config, _warnings) = config::load(&source)
            .map_err(|mistakes| NoAnswer::Configuration(mistakes.to_string()))?;
        if let Some(socket) = config.http.socket {
            return Ok(vec![socket]);
        }
        let folder = config.journal.path.parent().unwrap_or(Path::new(""));
        Ok(vec![folder.join(SOCKET_NAME), SERVICE_SOCKET.into()])
    }
}

impl Daemon {
    /// What the gateway says at `path`.
    ///
    /// # Errors
    /// It does not answer, or says no.
    pub fn get(&self, path: &str) -> Result<Value, NoAnswer> {
        self.ask(Method::GET, path, Bytes::new())
    }

    /// Asks it to do something.
    ///
    /// # Errors
    /// It does not answer, or says no.
    pub fn post(&self, path: &str, body: &Value) -> Result<Value, NoAnswer> {
        self.ask(Method::POST, path, body.to_string().into())
    }

    /// Waits before it is asked again.
    pub fn pause(&self, span: Duration) {
        self.runtime.block_on(tokio::time::sleep(span));
    }

    fn ask(&self, method: Method, path: &str, body: Bytes) -> Result<Value, NoAnswer> {
        let host = match &self.place {
            Place::Socket(_) => "localhost",
            Place::Http(address) => address,
        };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, host)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(body))
            .map_err(|error| NoAnswer::Broken(error.to_string()))?;
        let exchange = async {
            match &self.place {
                Place::Socket(path) => {
                    let stream = UnixStream::connect(path).await;
                    exchange(
                        stream.map_err(|source| gone(path.display(), source))?,
                        request,
                    )
                    .await
                }
                Place::Http(address) => {
                    let stream = TcpStream::connect(address).await;
                    exchange(stream.map_err(|source| gone(address, source))?, request).await
                }
            }
        };
        let (status, body) = self
            .runtime
            .block_on(async { timeout(DEADLINE, exchange).await })
            .map_err(|_elapsed| NoAnswer::Slow)??;
        let body: Value = serde_json::from_slice(&body)
            .map_err(|_| NoAnswer::Broken(format!("status {status}, and no JSON")))?;
        if status.is_success() {
            return Ok(body);
        }
        let word = |key: &str| body.get(key).and_then(Value::as_str).map(str::to_owned);
        match (word("error"), word("message")) {
            (Some(error), Some(message)) => Err(NoAnswer::Refused { error, message }),
            _ => Err(NoAnswer::Broken(format!("status {status}"))),
        }
    }
}

fn gone(place: impl ToString, source: io::Error) -> NoAnswer {
    NoAnswer::NotThere {
        places: place.to_string(),
        source,
    }
}

/// One question and its answer on a connection of their own.
async fn exchange<S>(
    stream: S,
    request: Request<Full<Bytes>>,
) -> Result<(StatusCode, Bytes), NoAnswer>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let broken = |error: &dyn std::error::Error| NoAnswer::Broken(super::chain(error));
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| broken(&error))?;
    let answer = async {
        let response = sender.send_request(request).await;
        let response = response.map_err(|error| broken(&error))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), LONGEST).collect().await;
        let body = body.map_err(|error| NoAnswer::Broken(error.to_string()))?;
        Ok((status, body.to_bytes()))
    };
    // What the connection has to say of its end, the answer says, too.
    let driven = async {
        let _ended = connection.await.is_err();
        pending().await
    };
    tokio::select! {
        answer = answer => answer,
        never = driven => never,
    }
}

/// A text as one step of a path.
pub fn segment(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if plain(byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_any_alphabet_fit_into_a_path() {
        for (text, encoded) in [
            ("CH4-101", "CH4-101"),
            ("甲烷", "%E7%94%B2%E7%83%B7"),
            ("a b/c?d#e%", "a%20b%2Fc%3Fd%23e%25"),
            ("", ""),
        ] {
            assert_eq!(segment(text), encoded);
        }
    }

    #[test]
    fn whoever_names_no_gateway_gets_that_of_the_service() {
        let places = Reach::default().places().expect("no configuration to read");
        let expected = [SERVICE_SOCKET, "/var/lib/forewarn/forewarn.sock"];
        assert_eq!(places, expected.map(PathBuf::from));
        let reach = Reach {
            data: Some("elsewhere".into()),
            ..Reach::default()
        };
        let places = reach.places().expect("no configuration to read");
        assert_eq!(places, [PathBuf::from("elsewhere/forewarn.sock")]);
    }

    #[test]
    fn a_gateway_that_is_not_there_is_told_of_with_the_place() {
        let reach = Reach {
            socket: Some("/nowhere/forewarn.sock".into()),
            ..Reach::default()
        };
        let error = reach.find().expect_err("there is none");
        assert!(
            error.to_string().contains("/nowhere/forewarn.sock"),
            "{error}"
        );
        let reach = Reach {
            url: Some("192.0.2.1:9469".into()),
            ..Reach::default()
        };
        assert!(matches!(reach.find(), Err(NoAnswer::Address(_))));
    }
}
