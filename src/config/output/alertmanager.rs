//! Alerts to Alertmanager.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Reading;
use crate::broker::Secret;
use crate::config::finding::{Kind, Log};
use crate::config::keys::{Keys, check_id, mismatch};
use crate::config::place::{At, Sources};
use crate::config::secret;
use crate::config::tree::{Item, Value};
use crate::engine::time::show_duration;
use crate::output::Target;
use crate::output::alertmanager::{AlertmanagerTarget, LABELS};
use crate::output::http_client::{ClientSettings, Url};

pub(super) const KEYS: &[&str] = &[
    "alertmanager",
    "username",
    "password_file",
    "token_file",
    "ca_file",
    "insecure",
    "timeout",
    "refresh",
    "min_notify",
    "labels",
    "silence_acknowledged",
    "silence_shelved",
    "drills",
    "page_url",
    "pair",
    "password",
];

const TIMEOUT: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(30);
/// What is left behind waits for the longest of them (`output::alertmanager`).
const REFRESH: RangeInclusive<Duration> = Duration::from_secs(5)..=Duration::from_secs(30);
const MIN_NOTIFY: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(900);
/// More members than any cluster has.
const MOST_MEMBERS: usize = 8;
const MOST_LABELS: usize = 16;
/// Characters of a label's value.
const LONGEST_LABEL: usize = 256;

pub(super) fn read(reading: &Reading<'_>, log: &mut Log) -> Option<Target> {
    let Reading { keys, sources, .. } = reading;
    let client = client(keys, sources, log);
    let members = members(keys, &client, log);
    let flag = |key, log: &mut Log| keys.flag(key, log).is_some_and(|flag| flag.value);
    let refresh = keys.duration("refresh", REFRESH, log);
    let min_notify = keys.duration("min_notify", MIN_NOTIFY, log);
    let target = AlertmanagerTarget {
        authorization: authorization(keys, sources, log),
        refresh: refresh.map_or(Duration::from_secs(30), |refresh| refresh.value),
        min_notify: min_notify.map_or(Duration::from_secs(60), |span| span.value),
        labels: labels(keys, log),
        silence_acknowledged: flag("silence_acknowledged", log),
        silence_shelved: flag("silence_shelved", log),
        drills: flag("drills", log),
        page_url: page_url(keys, log),
        pair: pair(keys, log),
        members: members?,
    };
    Some(Target::Alertmanager(target))
}

/// What all members have in common.
fn client(keys: &Keys<'_>, sources: &Sources, log: &mut Log) -> ClientSettings {
    let ca_file: Option<PathBuf> = keys
        .text("ca_file", log)
        .and_then(|file| secret::readable(&file, sources, log));
    let timeout = keys.duration("timeout", TIMEOUT, log);
    ClientSettings {
        url: Url::default(),
        ca_file,
        timeout: timeout.map_or(Duration::from_secs(5), |timeout| timeout.value),
        insecure: keys.flag("insecure", log).is_some_and(|flag| flag.value),
    }
}

/// One address, or a list of them.
fn members(keys: &Keys<'_>, client: &ClientSettings, log: &mut Log) -> Option<Vec<ClientSettings>> {
    let entry = keys.entry("alertmanager")?;
    let items = if let Value::List(items) = &entry.item.value {
        items.as_slice()
    } else {
        std::slice::from_ref(&entry.item)
    };
    if items.is_empty() || items.len() > MOST_MEMBERS {
        let text = format!("`alertmanager` has from 1 to {MOST_MEMBERS} addresses");
        log.error(Kind::OutOfRange, entry.item.place, text)
            .hint("one for each member of the cluster, never a load balancer");
        return None;
    }
    let mut members: Vec<(&Item, ClientSettings)> = Vec::new();
    for item in items {
        let Some(url) = address(item, client, log) else {
            continue;
        };
        let shown = format!("{url:?}");
        let first = members
            .iter()
            .find(|(_, other)| format!("{:?}", other.url) == shown);
        if let Some((first, _)) = first {
            let text = "this member is listed twice";
            log.error(Kind::Duplicate, item.place, text)
                .also(first.place, "the first time");
        }
        let settings = ClientSettings {
            url,
            ..client.clone()
        };
        members.push((item, settings));
    }
    let encrypted = members.iter().any(|(_, member)| member.url.is_encrypted());
    if !encrypted && let Some(place) = keys.place_of("ca_file") {
        log.error(
            Kind::Conflict,
            place,
            "`ca_file` has no meaning without TLS",
        )
        .hint("write https:// to use TLS, or leave `ca_file` out");
    }
    let all = members.len() == items.len();
    all.then(|| members.into_iter().map(|(_, member)| member).collect())
}

fn address(item: &Item, client: &ClientSettings, log: &mut Log) -> Option<Url> {
    let Value::Text(text) = &item.value else {
        return mismatch(
            "alertmanager",
            "an address or a list of addresses",
            item,
            log,
        );
    };
    if text.contains('@') {
        log.mask(item.place);
        log.error(
            Kind::Secret,
            item.place,
            "`alertmanager` must not contain a login",
        )
        .hint("use `username` and `password_file`, or `token_file`");
        return None;
    }
    let url = match Url::parse(text, false) {
        Ok(url) if url.path().contains('?') => Err("it has a query"),
        other => other,
    };
    match url {
        Ok(url) if url.is_encrypted() || url.is_local() || client.insecure => Some(url),
        Ok(_) => {
            let text = "alarms would go unencrypted over the internet";
            log.error(Kind::Exposed, item.place, text).hint(
                "write https://, or `insecure = true` if the way there is safe by other means",
            );
            None
        }
        Err(why) => {
            let text = format!("`alertmanager` is not an address: {why}");
            log.error(Kind::BadValue, item.place, text)
                .hint("write \"http://HOST:9093\", with the path prefix behind it if there is one");
            None
        }
    }
}

/// The header that lets us in: a login or a token, from files.
fn authorization(keys: &Keys<'_>, sources: &Sources, log: &mut Log) -> Option<Secret> {
    secret::refuse_literal(keys, log);
    let token = keys.text("token_file", log);
    let username = keys.text("username", log);
    let password = keys.text("password_file", log);
    if let (Some(token), Some(place)) = (&token, keys.place_of("username")) {
        let text = "a login or a token lets the gateway in, not both";
        log.error(Kind::Conflict, token.place, text)
            .also(place, "the login");
        return None;
    }
    match (token, username, password) {
        (Some(token), _, _) => {
            let token = secret::read(&token, sources, log)?;
            Some(Secret::new(&format!("Bearer {}", token.expose())))
        }
        (None, Some(username), Some(file)) => {
            let password = secret::read(&file, sources, log)?;
            let login = format!("{}:{}", username.value, password.expose());
            Some(Secret::new(&format!("Basic {}", STANDARD.encode(login))))
        }
        (None, Some(_), None) if !keys.has("password") => {
            keys.require("password_file", "\"alertmanager-password\"", log);
            None
        }
        (None, None, Some(_)) => {
            keys.require("username", "\"forewarn\"", log);
            None
        }
        (None, Some(_) | None, None) => None,
    }
}

fn labels(keys: &Keys<'_>, log: &mut Log) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::new();
    let Some(entry) = keys.entry("labels") else {
        return labels;
    };
    let Value::Table(section) = &entry.item.value else {
        let _reported: Option<()> = mismatch(
            "labels",
            "a table such as { team = \"tank-farm\" }",
            &entry.item,
            log,
        );
        return labels;
    };
    if section.entries.len() > MOST_LABELS {
        let text = format!("at most {MOST_LABELS} labels");
        log.error(Kind::OutOfRange, entry.item.place, text);
    }
    for label in &section.entries {
        let (name, place) = (&label.key.value, label.key.place);
        if !is_label_name(name) {
            let text = format!("\"{name}\" cannot be the name of a label");
            log.error(Kind::BadValue, place, text)
                .hint("letters a to z, digits and `_`; it begins with no digit and not with `__`");
        } else if LABELS.contains(&name.as_str()) {
            let text = format!("the gateway itself says what `{name}` is");
            log.error(Kind::Conflict, place, text)
                .hint("choose another name; labels tell alerts apart");
        } else if let Value::Text(value) = &label.item.value {
            if value.trim().is_empty() || value.chars().count() > LONGEST_LABEL {
                let text = format!("the value of a label has from 1 to {LONGEST_LABEL} characters");
                log.error(Kind::BadValue, label.item.place, text);
            }
            labels.insert(name.clone(), value.clone());
        } else {
            let _reported: Option<()> = mismatch(name, "a text", &label.item, log);
        }
    }
    labels
}

/// As Prometheus and Alertmanager 0.25 want them.
fn is_label_name(name: &str) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let begins = |c: char| c.is_ascii_alphabetic() || c == '_';
    name.starts_with(begins) && !name.starts_with("__") && name.chars().all(good)
}

fn page_url(keys: &Keys<'_>, log: &mut Log) -> Option<String> {
    let text = keys.text("page_url", log)?;
    let url = match Url::parse(&text.value, false) {
        Ok(url) if url.path().contains('?') => Err("it has a query"),
        other => other,
    };
    if let Err(why) = url {
        let words = format!("`page_url` is not an address: {why}");
        log.error(Kind::BadValue, text.place, words)
            .hint("where people reach this gateway, as \"https://gateway.example.org\"");
        return None;
    }
    Some(text.value.trim_end_matches('/').to_owned())
}

fn pair(keys: &Keys<'_>, log: &mut Log) -> Option<String> {
    let name: At<String> = keys.text("pair", log)?;
    check_id("one of two gateways", &name, log);
    Some(name.value)
}

pub(super) fn explain(target: &AlertmanagerTarget) -> String {
    let members: Vec<String> = target
        .members
        .iter()
        .map(|member| member.url.to_string())
        .collect();
    let refresh = show_duration(target.refresh);
    let pair = match &target.pair {
        Some(name) => format!(", as `{name}` of a pair"),
        None => String::new(),
    };
    format!(
        "Alertmanager at {}, everything every {refresh}{pair}",
        members.join(", ")
    )
}
