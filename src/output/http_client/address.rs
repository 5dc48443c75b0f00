//! Where a receiver is: the address as configured, and what of it may be shown. Pure.
//!
//! The address of a webhook is often the key to it: whoever knows it can post to the channel. Such an address comes
//! from a file, shows nowhere, and is taken out of whatever the far end says ([`Url::hide`]).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use hyper::Uri;

use super::hidden::SHORTEST;

/// An address of a receiver, `https://host:port/path?query`.
#[derive(Clone, PartialEq, Eq)]
pub struct Url {
    tls: bool,
    host: String,
    port: u16,
    path: String,
    secret: bool,
}

impl Url {
    /// Reads an address; `secret`: it is never to be shown.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence; nothing of it is repeated.
    pub fn parse(text: &str, secret: bool) -> Result<Self, &'static str> {
        if text.contains('@') {
            return Err("it must not contain a login (use `headers_file`)");
        }
        let uri: Uri = text.parse().map_err(|_| "it is no URL")?;
        let tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            Some(_) | None => return Err("it starts with neither https:// nor http://"),
        };
        if text.contains('#') {
            return Err("it has a fragment (`#...`), which no server sees");
        }
        let host = uri.host().filter(|host| !host.is_empty());
        let host = host.ok_or("it has no host")?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let port = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
        if port == 0 || uri.port().is_some() != has_port(&uri) {
            return Err("its port is not from 1 to 65535");
        }
        let path = uri.path_and_query();
        Ok(Self {
            tls,
            host: host.to_owned(),
            port,
            path: path.map_or_else(|| "/".to_owned(), ToString::to_string),
            secret,
        })
    }

    /// Is the connection encrypted, and the far end verified?
    pub const fn is_encrypted(&self) -> bool {
        self.tls
    }

    /// Host name or address, without brackets.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// TCP port.
    pub(super) const fn port(&self) -> u16 {
        self.port
    }

    /// Path and query; begins with `/`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The path with `further` below it, as an API below a base address.
    pub fn below(&self, further: &str) -> String {
        let base = self.path.split('?').next().unwrap_or_default();
        format!("{}{further}", base.trim_end_matches('/'))
    }

    /// The path with one more parameter.
    pub fn with_query(&self, parameter: &str) -> String {
        let separator = if self.path.contains('?') { '&' } else { '?' };
        format!("{}{separator}{parameter}", self.path)
    }

    /// What goes into the header `Host`.
    pub(super) fn authority(&self) -> String {
        let host = if self.host.contains(':') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        };
        let default = if self.tls { 443 } else { 80 };
        if self.port == default {
            host
        } else {
            format!("{host}:{}", self.port)
        }
    }

    /// May what is sent there go unencrypted? To this machine, to addresses that no router on the internet
    /// forwards, and to names that mean something in a local network only. What a name stands for is
    /// looked at again when it is known (`is_local`).
    pub fn is_local(&self) -> bool {
        if let Ok(address) = self.host.parse() {
            return is_local(address);
        }
        let name = self.host.to_ascii_lowercase();
        let local = [".local", ".internal", ".lan", ".home.arpa", ".localhost"];
        !name.contains('.') || local.iter().any(|ending| name.ends_with(ending))
    }

    /// `text` without anything of a secret address.
    pub fn hide(&self, text: &str) -> String {
        if !self.secret {
            return text.to_owned();
        }
        let mut words: Vec<&str> = vec![&self.path, &self.host];
        words.extend(self.path.split(['/', '?', '&', '=']));
        words.retain(|word| word.len() >= SHORTEST);
        // The longest first, so that no part of it is left over.
        words.sort_by_key(|word| std::cmp::Reverse(word.len()));
        let hidden = |text: String, word: &&str| text.replace(word, "***");
        words.iter().fold(text.to_owned(), hidden)
    }
}

/// Whether digits stand where a port stands.
fn has_port(uri: &Uri) -> bool {
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    let after = authority.rsplit(']').next().unwrap_or_default();
    after.contains(':')
}

/// Is it an address that no router on the internet forwards?
pub(super) fn is_local(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let [first, second, ..] = v4.octets();
            let carrier = first == 100 && (64..128).contains(&second);
            let examples = v4.is_documentation();
            v4.is_loopback() || v4.is_private() || v4.is_link_local() || carrier || examples
        }
        IpAddr::V6(v6) => {
            let example = v6.segments()[..2] == [0x2001, 0xdb8];
            v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local() || example
        }
    }
}

impl fmt::Display for Url {
    /// Never the path of a public address either: keys stand there, too.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.secret {
            return f.write_str("the address in its file");
        }
        let scheme = if self.tls { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.authority())
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.secret {
            return f.write_str("***");
        }
        write!(f, "{self}{}", self.path)
    }
}

impl Default for Url {
    /// A place where nobody listens: of an output whose address has a mistake.
    fn default() -> Self {
        Self {
            tls: false,
            host: Ipv4Addr::LOCALHOST.to_string(),
            port: 9,
            path: "/".to_owned(),
            secret: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text, false).expect(text)
    }

    #[test]
    fn an_address_has_its_parts() {
        for (text, host, port, path, authority) in [
            ("https://a.example", "a.example", 443, "/", "a.example"),
            (
                "http://192.0.2.20:9093",
                "192.0.2.20",
                9093,
                "/",
                "192.0.2.20:9093",
            ),
            (
                "https://a.example:8443/x/y?k=v",
                "a.example",
                8443,
                "/x/y?k=v",
                "a.example:8443",
            ),
            ("http://[::1]:81/z", "::1", 81, "/z", "[::1]:81"),
        ] {
            let url = url(text);
            assert_eq!((url.host(), url.port(), url.path()), (host, port, path));
            assert_eq!(url.authority(), authority);
        }
        for wrong in [
            "",
            "a.example",
            "ftp://a",
            "https://",
            "https://u:p@a",
            "https://a:0/",
            "https://a:",
            "https://a:99999",
            "https://a/#b",
            "https://a b/",
        ] {
            assert!(Url::parse(wrong, false).is_err(), "{wrong}");
        }
        assert_eq!(url("http://a/base/?q=1").below("/api"), "/base/api");
        assert_eq!(url("http://a/b?q=1").with_query("s=2"), "/b?q=1&s=2");
        assert_eq!(url("http://a/b").with_query("s=2"), "/b?s=2");
    }

    #[test]
    fn only_what_stays_in_the_plant_is_local() {
        for local in [
            "127.0.0.1",
            "10.1.2.3",
            "192.168.0.9",
            "172.16.5.5",
            "192.0.2.20",
            "169.254.1.1",
            "100.64.0.1",
            "[::1]",
            "[fd00::1]",
            "[fe80::1]",
            "alertmanager",
            "am.local",
            "a.b.lan",
        ] {
            assert!(url(&format!("http://{local}/")).is_local(), "{local}");
        }
        for public in [
            "8.8.8.8",
            "172.32.0.1",
            "[2606::1]",
            "hooks.example.com",
            "100.128.0.1",
        ] {
            assert!(!url(&format!("http://{public}/")).is_local(), "{public}");
        }
        let mapped: IpAddr = "::ffff:8.8.8.8".parse().expect("an address");
        assert!(!is_local(mapped));
    }

    #[test]
    fn nothing_of_a_secret_address_shows() {
        let text = "https://hooks.example.com/services/T0001/B0002xyz?key=abcdefgh12";
        let url = Url::parse(text, true).expect("an address");
        let shown = format!("{url} {url:?}");
        let told = url.hide(
            "no hook at /services/T0001/B0002xyz?key=abcdefgh12 on hooks.example.com: abcdefgh12",
        );
        for part in ["hooks", "B0002xyz", "abcdefgh12", "services"] {
            assert!(
                !shown.contains(part) && !told.contains(part),
                "{shown} {told}"
            );
        }
        assert_eq!(told, "no hook at *** on ***: ***");
    }
}
