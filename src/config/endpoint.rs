//! Addresses of devices and brokers: `scheme://host:port`, nothing else. Credentials never stand in
//! an address, because addresses end up in logs.

use super::finding::{Kind, Log};
use super::place::At;

/// Scheme, host and port.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Endpoint {
    pub(super) scheme: String,
    pub(super) host: String,
    pub(super) port: u16,
}

/// Parses an address. `schemes` are the allowed ones with their default port (0: none).
pub(super) fn parse(
    key: &str,
    text: &At<String>,
    schemes: &[(&str, u16)],
    log: &mut Log,
) -> Option<Endpoint> {
    let url = text.value.as_str();
    let own = |(scheme, _): &&(&str, u16)| url.split("://").next() == Some(*scheme);
    let example = schemes.iter().find(own).or(schemes.first());
    let example = example.map_or("tcp", |(scheme, _)| scheme);
    if url.contains('@') {
        log.mask(text.place);
        log.error(
            Kind::Secret,
            text.place,
            format!("`{key}` must not contain a login"),
        )
        .hint("use `username` and `password_file`");
        return None;
    }
    match split(url, schemes) {
        Ok(endpoint) => Some(endpoint),
        Err(reason) => {
            log.error(
                Kind::BadValue,
                text.place,
                format!("`{key}` is not an address: {reason}"),
            )
            .hint(format!("write \"{example}://HOST:PORT\""));
            None
        }
    }
}

fn split(url: &str, schemes: &[(&str, u16)]) -> Result<Endpoint, String> {
    let (scheme, rest) = url.split_once("://").ok_or("it has no scheme")?;
    let Some((_, default)) = schemes.iter().find(|(known, _)| *known == scheme) else {
        let known: Vec<_> = schemes.iter().map(|(scheme, _)| *scheme).collect();
        return Err(format!(
            "the scheme is {}, not {scheme}",
            known.join(" or ")
        ));
    };
    // An IPv6 address stands in brackets.
    let (host, port) = match rest.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']').ok_or("the bracket is not closed")?;
            host.parse::<std::net::Ipv6Addr>()
                .map_err(|_| format!("[{host}] is no IPv6 address"))?;
            (host, port)
        }
        None => rest.find(':').map_or((rest, ""), |at| rest.split_at(at)),
    };
    let good = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '%');
    if host.is_empty() || host.len() > 253 || !host.chars().all(good) {
        return Err("the host is missing or has characters no host has".to_owned());
    }
    let port = match port.strip_prefix(':') {
        Some(digits) => digits.parse::<u16>().ok().filter(|port| *port > 0),
        None if port.is_empty() && *default > 0 => Some(*default),
        None => None,
    };
    Ok(Endpoint {
        scheme: scheme.to_owned(),
        host: host.to_owned(),
        port: port.ok_or("the port is from 1 to 65535")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMES: [(&str, u16); 2] = [("mqtt", 1883), ("embedded", 0)];

    #[test]
    fn addresses_are_scheme_host_and_port() {
        for (url, host, port) in [
            ("mqtt://broker.example:8883", "broker.example", 8883),
            ("mqtt://192.0.2.1", "192.0.2.1", 1883),
            ("mqtt://[::1]:1884", "::1", 1884),
            ("mqtt://[::1]", "::1", 1883),
        ] {
            let endpoint = split(url, &SCHEMES).expect(url);
            assert_eq!((endpoint.host.as_str(), endpoint.port), (host, port));
        }
        for url in [
            "",
            "mqtt",
            "mqtt://",
            "tcp://a:1",
            "mqtt://a:0",
            "mqtt://a:70000",
            "mqtt://a:",
            "mqtt://a/b",
            "mqtt://a b",
            "mqtt://[::1",
            "mqtt://[x]:1",
            "mqtt://::1",
            "embedded://a",
        ] {
            assert!(split(url, &SCHEMES).is_err(), "{url}");
        }
    }
}
