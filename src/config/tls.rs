//! TLS towards a broker: whom we trust (`ca_file`), and who we are (`cert_file`, `key_file`).
//!
//! The files are read here as they will be read for a connection, so that `check` finds what would else be
//! found at night. What time alone makes wrong is a warning: a certificate that has run out must not keep
//! a gateway from starting, whose other brokers and devices are as good as ever.

use std::path::Path;
use std::time::Duration;

use super::finding::{Kind, Log};
use super::keys::Keys;
use super::place::{At, Place, Sources};
use super::secret;
use crate::broker::{BrokerError, ClientCertificate, Facts, Tls, facts_of};
use crate::clock;
use crate::engine::time::Wall;
use crate::event::rfc3339;

/// Keys of this subject.
pub(super) const KEYS: &[&str] = &["ca_file", "cert_file", "key_file"];

/// So long before the end of a certificate it is time to renew it.
const SOON: Duration = Duration::from_secs(14 * 86_400);

/// Where the files are named.
struct Places {
    ca: Place,
    cert: Option<Place>,
    key: Option<Place>,
}

/// Reads the keys. `encrypted`: the address is one of TLS.
pub(super) fn read(
    keys: &Keys<'_>,
    encrypted: bool,
    sources: &Sources,
    log: &mut Log,
) -> Option<Tls> {
    let [ca, cert, key] = ["ca_file", "cert_file", "key_file"].map(|key| keys.text(key, log));
    if !encrypted {
        for (key, file) in KEYS.iter().zip([&ca, &cert, &key]) {
            if let Some(file) = file {
                let text = format!("`{key}` has no meaning without TLS");
                log.error(Kind::Conflict, file.place, text)
                    .hint(format!("write mqtts:// to use TLS, or leave `{key}` out"));
            }
        }
        return None;
    }
    if ca.is_none() && !keys.has("ca_file") {
        let text = "TLS needs `ca_file`, the certificate that the broker's own is checked against";
        log.error(Kind::MissingKey, keys.owner, text).hint(
            "name the file with the CA certificate: `ca_file = \"plant-ca.pem\"`; the CAs of the \
             operating system are not used",
        );
    }
    match (&cert, &key) {
        (Some(_), None) if !keys.has("key_file") => {
            keys.require("key_file", "\"forewarn-key.pem\"", log);
        }
        (None, Some(_)) if !keys.has("cert_file") => {
            keys.require("cert_file", "\"forewarn.pem\"", log);
        }
        (Some(_) | None, Some(_) | None) => {}
    }
    let places = Places {
        ca: ca.as_ref().map_or(keys.owner, |file| file.place),
        cert: cert.as_ref().map(|file| file.place),
        key: key.as_ref().map(|file| file.place),
    };
    let client = client(cert, key, sources, log);
    let tls = Tls {
        ca_file: secret::readable(&ca?, sources, log)?,
        client: client?,
    };
    examine(&tls, &places, log);
    Some(tls)
}

/// Our own certificate; `Some(None)`: there is none. `None`: there is a mistake.
#[expect(clippy::option_option, reason = "a mistake is not the same as nothing")]
fn client(
    cert: Option<At<String>>,
    key: Option<At<String>>,
    sources: &Sources,
    log: &mut Log,
) -> Option<Option<ClientCertificate>> {
    let (cert, key) = match (cert, key) {
        (Some(cert), Some(key)) => (cert, key),
        (None, None) => return Some(None),
        (Some(_), None) | (None, Some(_)) => return None,
    };
    let cert_file = secret::readable(&cert, sources, log);
    let key_file = secret::guarded(&key, sources, log);
    Some(Some(ClientCertificate {
        cert_file: cert_file?,
        key_file: key_file?,
    }))
}

/// Can all of it be used, and for how long?
fn examine(tls: &Tls, places: &Places, log: &mut Log) {
    if let Err(error) = tls.load() {
        let cause = std::error::Error::source(&error).map(|source| format!(": {source}"));
        let text = format!("{error}{}", cause.unwrap_or_default());
        log.error(Kind::Certificate, places.of(&error, tls), text);
        return;
    }
    let now = clock::now().wall;
    // Of several authorities one that is good is enough; of a chain each has to be.
    let authority = facts_of(&tls.ca_file);
    let authority = authority.iter().max_by_key(|facts| facts.until);
    date(authority, &tls.ca_file, places.ca, now, log);
    if let (Some(client), Some(place)) = (&tls.client, places.cert) {
        let chain = facts_of(&client.cert_file);
        let first_to_end = chain.iter().min_by_key(|facts| facts.until);
        date(first_to_end, &client.cert_file, place, now, log);
    }
}

impl Places {
    fn of(&self, error: &BrokerError, tls: &Tls) -> Place {
        let own = tls.client.as_ref().map(|client| &client.cert_file);
        let place = if error.is_of_key() {
            self.key
        } else if own.is_some_and(|own| error.is_of(own)) {
            self.cert
        } else {
            None
        };
        place.unwrap_or(self.ca)
    }
}

/// Warns of a certificate that is not good today, or not for long.
fn date(facts: Option<&Facts>, path: &Path, place: Place, now: Wall, log: &mut Log) {
    let Some(facts) = facts else { return };
    let name = path.display();
    let left = facts.until.seconds_since(now);
    let (text, hint) = if left < 0.0 {
        let until = rfc3339::format(facts.until);
        (
            format!("the certificate in {name} has expired on {until}"),
            "renew it; a file that is replaced is taken with the next connection",
        )
    } else if facts.from.seconds_since(now) > 0.0 {
        let from = rfc3339::format(facts.from);
        (
            format!("the certificate in {name} is not good before {from}"),
            "is the clock of this machine set?",
        )
    } else if left < SOON.as_secs_f64() {
        let until = rfc3339::format(facts.until);
        (
            format!("the certificate in {name} expires on {until}"),
            "renew it; a file that is replaced is taken with the next connection",
        )
    } else {
        return;
    };
    log.warn(Kind::Certificate, place, text).hint(hint);
}
