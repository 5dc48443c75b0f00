//! What every request passes first.
//!
//! - **`Host`** must be a loopback name or the address we listen on. A stranger's page can point its
//!   own name at our address (DNS rebinding); the browser then sends that name.
//! - **`Origin`** of a request that changes something must be ourselves, if there is one. Browsers
//!   always send it with a cross-site POST; programs do not.
//! - **Links to acknowledge with** need neither: they come in by the name that people reach the gateway by, their
//!   pages tell no origin (`Referrer-Policy: no-referrer`), and whoever has the token needs no browser of others.
//! - Every request ends within [`REQUEST_LIMIT`], a slow body included.
//! - Every answer forbids sniffing, framing and caching.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::reply::Refusal;

/// A request takes this long at most, from its header to the beginning of its answer.
const REQUEST_LIMIT: Duration = Duration::from_secs(10);

/// Names under which we may be addressed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hosts {
    /// The address we listen on; `None`: on all of them, so any literal address will do (rebinding
    /// needs a name).
    address: Option<IpAddr>,
}

impl Hosts {
    pub(super) fn of(listen: SocketAddr) -> Self {
        let address = listen.ip().to_canonical();
        Self {
            address: (!address.is_unspecified()).then_some(address),
        }
    }

    /// Is `host`, with or without a port, one of ours?
    fn contain(self, host: &str) -> bool {
        let Ok(authority) = host.parse::<Authority>() else {
            return false;
        };
        if host.contains('@') {
            return false;
        }
        let name = authority.host();
        if name.eq_ignore_ascii_case("localhost") {
            return true;
        }
        let literal = name.trim_start_matches('[').trim_end_matches(']');
        let Ok(address) = literal.parse::<IpAddr>() else {
            return false;
        };
        let address = address.to_canonical();
        address.is_loopback() || self.address.is_none_or(|ours| ours == address)
    }
}

/// The middleware around all routes.
pub(super) async fn check(State(hosts): State<Hosts>, request: Request, next: Next) -> Response {
    let mut response = match refusal(hosts, &request) {
        Some(refusal) => refusal.into_response(),
        None => match tokio::time::timeout(REQUEST_LIMIT, next.run(request)).await {
            Ok(response) => response,
            Err(_elapsed) => too_slow().into_response(),
        },
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // A page that has a style says so itself.
    let policy = headers.entry(header::CONTENT_SECURITY_POLICY);
    policy.or_insert(HeaderValue::from_static("default-src 'none'"));
    response
}

fn refusal(hosts: Hosts, request: &Request) -> Option<Refusal> {
    if request.uri().path().starts_with(crate::ack_links::PATH) {
        return None;
    }
    let host = single(request.headers(), &header::HOST);
    let named = request.uri().authority().map(Authority::as_str);
    let known = host.is_some_and(|host| hosts.contain(host))
        && named.is_none_or(|named| hosts.contain(named));
    let Some(host) = host.filter(|_| known) else {
        return Some(Refusal::new(
            StatusCode::MISDIRECTED_REQUEST,
            "wrong_host",
            "the `Host` of the request is not this gateway; use the address it listens on, or localhost",
        ));
    };
    let reading = matches!(*request.method(), Method::GET | Method::HEAD);
    if reading || !request.headers().contains_key(header::ORIGIN) {
        return None;
    }
    let ours = format!("http://{host}");
    let own = single(request.headers(), &header::ORIGIN)
        .is_some_and(|origin| origin.eq_ignore_ascii_case(&ours));
    (!own).then(|| {
        Refusal::new(
            StatusCode::FORBIDDEN,
            "foreign_origin",
            "a page of another site may not change alarms here",
        )
    })
}

/// The value of a header that must be there once.
fn single<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

fn too_slow() -> Refusal {
    Refusal::new(
        StatusCode::REQUEST_TIMEOUT,
        "too_slow",
        "the request was not complete in time; send it again",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_names_are_ours() {
        let plant = "192.0.2.7:9469";
        for (listen, host, expected) in [
            ("127.0.0.1:9469", "127.0.0.1:9469", true),
            ("127.0.0.1:9469", "localhost:9469", true),
            ("127.0.0.1:9469", "LocalHost", true),
            ("127.0.0.1:9469", "[::1]:9469", true),
            ("127.0.0.1:9469", "127.0.0.2", true),
            ("127.0.0.1:9469", "192.0.2.7:9469", false),
            ("127.0.0.1:9469", "evil.example", false),
            ("127.0.0.1:9469", "localhost.evil.example", false),
            ("127.0.0.1:9469", "127.0.0.1.evil.example", false),
            ("127.0.0.1:9469", "evil@127.0.0.1", false),
            ("127.0.0.1:9469", "", false),
            ("127.0.0.1:9469", "a b", false),
            (plant, "192.0.2.7", true),
            (plant, "localhost", true),
            (plant, "[::ffff:192.0.2.7]:9469", true),
            (plant, "192.0.2.8", false),
            (plant, "evil.example", false),
            ("0.0.0.0:9469", "192.0.2.8", true),
            ("[::]:9469", "[2001:db8::1]", true),
            ("0.0.0.0:9469", "evil.example", false),
        ] {
            let listen: SocketAddr = listen.parse().expect("an address");
            assert_eq!(Hosts::of(listen).contain(host), expected, "{listen} {host}");
        }
    }
}
