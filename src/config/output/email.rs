//! Notices by mail.

use super::Reading;
use crate::config::endpoint;
use crate::config::finding::{Kind, Log};
use crate::config::keys::{Keys, mismatch};
use crate::config::login;
use crate::config::people::is_address;
use crate::config::place::At;
use crate::config::secret;
use crate::config::tree::Value;
use crate::output::Target;
use crate::output::email::{EmailTarget, Protection, is_loopback};
use crate::wording::Language;

pub(super) const KEYS: &[&str] = &[
    "email",
    "from",
    "to",
    "username",
    "password_file",
    "ca_file",
    "language",
    "insecure",
    "password",
];

/// Submission, with STARTTLS, and the same with TLS from the first byte.
const SCHEMES: [(&str, u16); 2] = [("smtp", 587), ("smtps", 465)];

/// Readers of notices to the output itself.
const MOST_READERS: usize = 50;

pub(super) fn read(reading: &Reading<'_>, log: &mut Log) -> Option<Target> {
    let Reading { keys, sources, .. } = reading;
    let url = keys.text("email", log);
    let place = url.as_ref().map_or(keys.owner, |url| url.place);
    let endpoint = url.and_then(|url| endpoint::parse("email", &url, &SCHEMES, log));
    keys.require("from", "\"forewarn@example.com\"", log);
    let from = keys.text("from", log);
    let from = from.filter(|from| is_address("from", from, log));
    let to = readers(keys, log);
    let language = keys.choice("language", &Language::WORDS, log);
    let insecure = keys.flag("insecure", log).is_some_and(|flag| flag.value);
    let ca_file = keys.text("ca_file", log);
    let ca_file = ca_file.and_then(|file| secret::readable(&file, sources, log));
    let login = login::read(keys, "\"mail-password\"", sources, log);
    let endpoint = endpoint?;
    let protection = match (
        endpoint.scheme.as_str(),
        is_loopback(&endpoint.host) || insecure,
    ) {
        ("smtps", _) => Protection::Implicit,
        (_, false) => Protection::StartTls,
        (_, true) => Protection::Opportunistic,
    };
    if login.is_some() && protection == Protection::Opportunistic && !is_loopback(&endpoint.host) {
        let text = "with `insecure` anybody on the way could read the password";
        log.error(Kind::Secret, place, text)
            .hint("leave `insecure` out, or use a relay that needs no login");
    }
    Some(Target::Email(EmailTarget {
        host: endpoint.host,
        port: endpoint.port,
        protection,
        ca_file,
        login,
        from: from?.value,
        to,
        language: language.map(|language| language.value),
    }))
}

fn readers(keys: &Keys<'_>, log: &mut Log) -> Vec<String> {
    let items = keys.list("to", log).unwrap_or_default();
    if items.len() > MOST_READERS {
        let place = keys.place_of("to").unwrap_or(keys.owner);
        let text = format!("`to` has at most {MOST_READERS} addresses");
        log.error(Kind::OutOfRange, place, text)
            .hint("use a mailing list");
    }
    let readers = items.iter().filter_map(|item| {
        let Value::Text(address) = &item.value else {
            return mismatch("to", "a list of addresses", item, log);
        };
        let address = At {
            value: address.clone(),
            place: item.place,
        };
        is_address("to", &address, log).then_some(address.value)
    });
    readers.collect()
}

pub(super) fn explain(target: &EmailTarget) -> String {
    let (host, port, from) = (&target.host, target.port, &target.from);
    let tls = match target.protection {
        Protection::Implicit | Protection::StartTls => " with TLS",
        Protection::Opportunistic => "",
    };
    let to = match target.to.is_empty() {
        true => String::new(),
        false => format!(" and to {} where they name none", target.to.join(", ")),
    };
    format!("mail by {host}:{port}{tls} from {from} to the persons of notices{to}")
}
