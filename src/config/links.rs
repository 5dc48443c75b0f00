//! `[acknowledge_links]`: links in messages with which people acknowledge. Without the table there are none.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::finding::{Kind, Log};
use super::keys::{Keys, Vocabulary};
use super::place::{At, Sources};
use super::secret;
use super::tree::Section;
use crate::ack_links::LinkSettings;
use crate::broker::Secret;
use crate::output::http_client::Url;
use crate::wording::Person;

const LINKS: Vocabulary = Vocabulary {
    what: "`[acknowledge_links]`",
    keys: &["base_url", "key_file", "valid_for", "insecure"],
    later: &[],
};

/// A shift, about: whoever comes to it later acknowledges at the gateway.
const VALID_FOR: Duration = Duration::from_secs(8 * 3600);

/// Shorter ones end before somebody is awake, longer ones lie in mailboxes.
const VALID: RangeInclusive<Duration> =
    Duration::from_secs(5 * 60)..=Duration::from_secs(7 * 86_400);

/// So that a link fits into a message; bytes.
const LONGEST_BASE: usize = 100;

/// As long as what it makes is unguessable (RFC 2104: as long as the digest); bytes.
const SHORTEST_KEY: usize = 32;

/// Reads the table.
pub(super) fn read(
    root: &Section,
    persons: &BTreeMap<String, Person>,
    sources: &Sources,
    log: &mut Log,
) -> Option<LinkSettings> {
    let keys = Keys::open(root.get("acknowledge_links")?, &LINKS, log)?;
    if persons.is_empty() {
        let text = "links acknowledge in the name of a person, and none is configured";
        log.error(Kind::Conflict, keys.owner, text)
            .hint("write `[person.ID]` for everybody who may, with `name` and `email`");
    }
    keys.require("base_url", "\"https://gw.example.com\"", log);
    keys.require("key_file", "\"links-key\"", log);
    let insecure = keys.flag("insecure", log).is_some_and(|flag| flag.value);
    let base_url = keys.text("base_url", log);
    let base_url = base_url.and_then(|url| self::base_url(&url, insecure, log));
    let key = keys.text("key_file", log);
    let key = key.and_then(|file| self::key(&file, sources, log));
    let valid_for = keys.duration("valid_for", VALID, log);
    Some(LinkSettings {
        base_url: base_url?,
        key: key?,
        valid_for: valid_for.map_or(VALID_FOR, |span| span.value),
    })
}

fn base_url(url: &At<String>, insecure: bool, log: &mut Log) -> Option<String> {
    let text = url.value.trim_end_matches('/');
    let problem = match Url::parse(text, false) {
        Err(problem) => Some((Kind::BadValue, problem)),
        Ok(_) if text.contains('?') => Some((Kind::BadValue, "it has a query (`?...`)")),
        Ok(_) if text.len() > LONGEST_BASE => Some((
            Kind::OutOfRange,
            "it is longer than 100 bytes, and links are to be short",
        )),
        Ok(parsed) if !parsed.is_encrypted() && !insecure => {
            let text = "without TLS anybody on the way could read a link and acknowledge with it";
            Some((Kind::Exposed, text))
        }
        Ok(_) => None,
    };
    let Some((kind, problem)) = problem else {
        return Some(text.to_owned());
    };
    let text = format!("`base_url` cannot be where people reach the gateway: {problem}");
    log.error(kind, url.place, text).hint(
        "for example \"https://gw.example.com:8443\", where a proxy takes care of TLS and passes on what is below /a/; \
         `insecure = true` allows http://",
    );
    None
}

fn key(file: &At<String>, sources: &Sources, log: &mut Log) -> Option<Secret> {
    let key = secret::read(file, sources, log)?;
    if key.expose().len() >= SHORTEST_KEY {
        return Some(key);
    }
    let text = format!(
        "the key in \"{}\" is too short to sign with: it takes {SHORTEST_KEY} bytes",
        file.value
    );
    log.error(Kind::Secret, file.place, text)
        .hint("make one with `openssl rand -base64 48 > FILE` and `chmod 600 FILE`; links that are out then end");
    None
}

/// For `check --explain`.
pub(super) fn explain(links: &LinkSettings) -> String {
    format!(
        "Messages to people have a link to acknowledge with, {}/a/..., good for {} and for one call of one occurrence.",
        links.base_url,
        super::scalar::show_duration(links.valid_for)
    )
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use crate::commands::scratch::ScratchFolder;
    use crate::config::{Source, load};

    /// A configuration with this table, and this key beside it.
    fn loaded(table: &str, key: &str) -> Result<String, String> {
        let folder = ScratchFolder::new("links").expect("a folder");
        let file = folder.path().join("key");
        std::fs::write(&file, key).expect("our own folder");
        let mode = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(&file, mode).expect("our own file");
        let config = folder.path().join("forewarn.toml");
        let text = format!(
            "site = \"a\"\n[device.d]\nmodbus = \"tcp://127.0.0.1\"\n[point.P]\nregister = \"input:0\"\n\
             type = \"int16\"\nhigh = 1\n[person.li]\n[acknowledge_links]\nkey_file = \"key\"\n{table}\n"
        );
        std::fs::write(&config, text).expect("our own folder");
        match load(&Source::file(Some(config))) {
            Ok((config, _warnings)) => {
                let told = crate::config::explain::explain(&config);
                Ok(format!("{:?}\n{told}", config.links))
            }
            Err(mistakes) => Err(mistakes.to_string()),
        }
    }

    const KEY: &str = "0123456789abcdef0123456789abcdef\n";

    #[test]
    fn a_key_is_long_enough_and_shows_nowhere() {
        let table = "base_url = \"https://gw.example:8443/\"";
        let links = loaded(table, KEY).expect("good");
        assert!(links.contains("\"https://gw.example:8443\""), "{links}");
        assert!(
            links.contains("28800s") && !links.contains("0123"),
            "{links}"
        );
        let told = "a link to acknowledge with, https://gw.example:8443/a/..., good for 8h and for one call";
        assert!(links.contains(told), "{links}");
        let mistake = loaded(table, "0123456789abcdef0123456789abcde\n").expect_err("31 bytes");
        assert!(mistake.contains("takes 32 bytes"), "{mistake}");
        assert!(!mistake.contains("0123"), "{mistake}");
    }

    #[test]
    fn links_go_over_tls_unless_somebody_says_otherwise() {
        let insecure = "base_url = \"http://192.0.2.7:9469\"\ninsecure = true";
        assert!(loaded(insecure, KEY).is_ok());
        let mistake = loaded("base_url = \"http://127.0.0.1:9469\"", KEY).expect_err("no TLS");
        assert!(mistake.contains("exposed"), "{mistake}");
    }
}
