//! Events to anything that takes a POST.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use super::Reading;
use crate::broker::Secret;
use crate::config::finding::{Kind, Log, nearest};
use crate::config::keys::{Keys, Vocabulary, mismatch};
use crate::config::place::{At, Place, Sources};
use crate::config::secret;
use crate::config::tree::Value;
use crate::output::Target;
use crate::output::http_client::{ClientSettings, Url};
use crate::output::selection::Selection;
use crate::output::webhook::presets::{PRESETS, Preset, find};
use crate::output::webhook::template::Source;
use crate::output::webhook::{Signature, Webhook, WebhookTarget};
use crate::wording::{Context, Language, Readers};

pub(super) const KEYS: &[&str] = &[
    "webhook",
    "webhook_file",
    "template",
    "template_file",
    "content_type",
    "headers",
    "headers_file",
    "hmac",
    "secret_file",
    "topic",
    "send",
    "language",
    "timeout",
    "ca_file",
    "insecure",
];

const HMAC: Vocabulary = Vocabulary {
    what: "`hmac`",
    keys: &["secret_file", "header", "algorithm"],
    later: &[],
};

const TIMEOUT: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(60);
const SEND: [(&str, Selection); 2] = [
    ("events", Selection::Events),
    ("notices", Selection::Notices),
];
/// A template is no longer, bytes.
const TEMPLATE_LIMIT: u64 = 64 * 1024;

pub(super) fn read(reading: &Reading<'_>, log: &mut Log) -> Option<Target> {
    let Reading { keys, sources, .. } = reading;
    let timeout = keys.duration("timeout", TIMEOUT, log);
    let insecure = keys.flag("insecure", log).is_some_and(|flag| flag.value);
    let ca_file = keys.text("ca_file", log);
    let ca_file = ca_file.and_then(|file| secret::readable(&file, sources, log));
    let url = address(keys, insecure, sources, log);
    let body = body(keys, sources, log);
    let headers = headers(keys, sources, log);
    let signature = signature(keys, sources, log);
    let language = keys.choice("language", &Language::WORDS, log);
    let send = keys.choice("send", &SEND, log);
    let (preset, source, content_type) = body?;
    let selection = preset.map_or(Selection::Notices, |preset| preset.selection);
    if selection == Selection::Lifecycle {
        keys.refuse("send", "such a receiver gets the life of each alarm", log);
    }
    let secret = secret_of(preset, keys, sources, log);
    let topic = topic_of(preset, keys, log);
    let lacks_secret = secret.is_none() && preset.is_some_and(Preset::needs_secret);
    if lacks_secret || topic.is_none() && preset.is_some_and(|preset| preset.has_topic) {
        return None;
    }
    let target = WebhookTarget {
        client: ClientSettings {
            url: url?,
            ca_file,
            timeout: timeout.map_or(Duration::from_secs(10), |timeout| timeout.value),
            insecure,
        },
        preset,
        source,
        content_type: content_type.value,
        headers,
        signature,
        secret,
        topic,
        selection: match (selection, send) {
            (Selection::Events | Selection::Notices, Some(send)) => send.value,
            (selection, _) => selection,
        },
        language: language.map(|language| language.value),
    };
    let nobody = Context::new(reading.site, Arc::default(), Readers::default());
    let rehearsed = Webhook::new(reading.id.into(), nobody, target.clone());
    if let Err(mistake) = rehearsed.and_then(|webhook| webhook.rehearse()) {
        log.error(Kind::BadValue, content_type.place, format!("the template has a mistake: {mistake}"))
            .hint("tried with a sample event; what need not be there is asked for: `{% if event.value is defined %}`");
        return None;
    }
    Some(Target::Webhook(Box::new(target)))
}

/// The address, which is not repeated when it has a mistake: keys stand in addresses.
fn address(keys: &Keys<'_>, insecure: bool, sources: &Sources, log: &mut Log) -> Option<Url> {
    let written = keys.text("webhook", log);
    let file = keys.text("webhook_file", log);
    let (place, url) = match (written, file) {
        (Some(text), None) => (text.place, Url::parse(&text.value, false)),
        (None, Some(file)) => {
            let text = secret::read(&file, sources, log)?;
            (file.place, Url::parse(text.expose(), true))
        }
        (Some(text), Some(file)) => {
            log.error(
                Kind::Conflict,
                text.place,
                "the address stands here or in a file, not in both",
            )
            .also(file.place, "the file");
            return None;
        }
        (None, None) => return None,
    };
    let url = match url {
        Ok(url) => url,
        Err(problem) => {
            log.mask(place);
            log.error(
                Kind::BadValue,
                place,
                format!("not the address of a webhook: {problem}"),
            )
            .hint("for example https://hooks.example.com/services/KEY");
            return None;
        }
    };
    if !url.is_encrypted() && !url.is_local() && !insecure {
        log.error(Kind::Exposed, place, "what is sent there, and the address itself, could be read on the way")
            .hint("use https://; plain http:// goes to this machine, to private addresses and to local names, or with `insecure = true`");
        return None;
    }
    Some(url)
}

type Body = (Option<&'static Preset>, Source, At<String>);

fn body(keys: &Keys<'_>, sources: &Sources, log: &mut Log) -> Option<Body> {
    let template = keys.text("template", log);
    let file = keys.text("template_file", log);
    let content_type = keys.text("content_type", log);
    match (template, file) {
        (Some(name), None) => {
            keys.refuse("content_type", "the preset knows what it makes", log);
            let preset = known(&name, log)?;
            let source = Source {
                name: preset.name.into(),
                text: preset.template.into(),
                is_json: true,
            };
            let content_type = At {
                value: preset.content_type.to_owned(),
                place: name.place,
            };
            Some((Some(preset), source, content_type))
        }
        (None, Some(file)) => {
            let content_type = content_type.map_or("application/json".to_owned(), |it| it.value);
            let text = template_text(&file, sources, log)?;
            let source = Source {
                name: file.value.as_str().into(),
                text: text.into(),
                is_json: content_type.contains("json"),
            };
            let content_type = At {
                value: content_type,
                place: file.place,
            };
            Some((None, source, content_type))
        }
        (Some(name), Some(file)) => {
            let text = "a body is made from a preset or from a file, not from both";
            log.error(Kind::Conflict, name.place, text)
                .also(file.place, "the file");
            None
        }
        (None, None) => {
            if !keys.has("template") && !keys.has("template_file") {
                let text = "a webhook needs `template` or `template_file`";
                log.error(Kind::MissingKey, keys.owner, text).hint(format!(
                    "for example `template = \"json\"`; there are {}",
                    names()
                ));
            }
            None
        }
    }
}

fn known(name: &At<String>, log: &mut Log) -> Option<&'static Preset> {
    let preset = find(&name.value);
    if preset.is_none() {
        let text = format!("there is no template \"{}\"", name.value);
        let near = nearest(&name.value, PRESETS.iter().map(|preset| preset.name));
        let hint = near.map_or_else(
            || {
                format!(
                    "there are {}; a file of your own goes into `template_file`",
                    names()
                )
            },
            |near| format!("did you mean \"{near}\"?"),
        );
        log.error(Kind::BadValue, name.place, text).hint(hint);
    }
    preset
}

fn names() -> String {
    let names: Vec<&str> = PRESETS.iter().map(|preset| preset.name).collect();
    names.join(", ")
}

fn template_text(file: &At<String>, sources: &Sources, log: &mut Log) -> Option<String> {
    use std::io::Read;
    let path = secret::readable(file, sources, log)?;
    let mut text = String::new();
    let read = std::fs::File::open(&path)
        .and_then(|open| open.take(TEMPLATE_LIMIT + 1).read_to_string(&mut text));
    let problem = match read {
        Ok(length) if length as u64 <= TEMPLATE_LIMIT => return Some(text),
        Ok(_) => format!("it is longer than {TEMPLATE_LIMIT} bytes"),
        Err(error) => error.to_string(),
    };
    let text = format!("no template in {}: {problem}", path.display());
    log.error(Kind::File, file.place, text);
    None
}

/// Headers as written, then those of the file, a line each.
fn headers(keys: &Keys<'_>, sources: &Sources, log: &mut Log) -> Vec<(String, Secret)> {
    let mut headers = Vec::new();
    if let Some(entry) = keys.entry("headers") {
        let Value::Table(section) = &entry.item.value else {
            let nothing: Option<()> =
                mismatch("headers", "a table of names and texts", &entry.item, log);
            debug_assert_eq!(nothing, None);
            return headers;
        };
        for entry in &section.entries {
            let Value::Text(value) = &entry.item.value else {
                let nothing: Option<()> = mismatch(&entry.key.value, "a text", &entry.item, log);
                debug_assert_eq!(nothing, None);
                continue;
            };
            let secret = ["authorization", "cookie", "x-api-key"];
            if secret.contains(&entry.key.value.to_ascii_lowercase().as_str()) {
                log.mask(entry.item.place);
                let text = format!(
                    "`{}` is a secret and does not belong into the configuration",
                    entry.key.value
                );
                log.error(Kind::Secret, entry.key.place, text).hint(
                    "write `NAME: VALUE` into a file of its own, and name that in `headers_file`",
                );
                continue;
            }
            header(&entry.key.value, value, entry.key.place, &mut headers, log);
        }
    }
    let file = keys.text("headers_file", log);
    if let Some(file) = file
        && let Some(text) = secret::read(&file, sources, log)
    {
        for line in text.expose().lines().filter(|line| !line.trim().is_empty()) {
            match line.split_once(':') {
                Some((name, value)) => {
                    header(name.trim(), value.trim(), file.place, &mut headers, log);
                }
                None => {
                    log.error(
                        Kind::Secret,
                        file.place,
                        "a line of the file is not `NAME: VALUE`",
                    );
                }
            }
        }
    }
    headers
}

fn header(name: &str, value: &str, place: Place, into: &mut Vec<(String, Secret)>, log: &mut Log) {
    let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    let ours = [
        "host",
        "content-length",
        "content-type",
        "transfer-encoding",
        "connection",
    ];
    if name.is_empty() || !name.chars().all(token) {
        log.error(
            Kind::BadValue,
            place,
            "a header has a name that none can have",
        );
    } else if ours.contains(&name.to_ascii_lowercase().as_str()) {
        let text = format!("the header `{name}` is not yours to set");
        log.error(Kind::Conflict, place, text)
            .hint("what the body is goes into `content_type`");
    } else if !value.chars().all(|c| matches!(c, ' '..='~')) {
        let text = format!("the header `{name}` has a character that cannot stand in one");
        log.error(Kind::BadValue, place, text)
            .hint("letters, digits and signs of ASCII on one line");
    } else {
        into.push((name.to_owned(), Secret::new(value)));
    }
}

fn signature(keys: &Keys<'_>, sources: &Sources, log: &mut Log) -> Option<Signature> {
    let entry = keys.entry("hmac")?;
    let keys = Keys::open(entry, &HMAC, log)?;
    keys.require("secret_file", "\"hook-secret\"", log);
    let header = keys.text("header", log);
    keys.choice("algorithm", &[("sha256", ())], log);
    let file = keys.text("secret_file", log)?;
    let mut checked = Vec::new();
    let header = header.map_or("X-Forewarn-Signature".to_owned(), |header| {
        self::header(&header.value, "", header.place, &mut checked, log);
        header.value
    });
    let secret = secret::read(&file, sources, log)?;
    Some(Signature { secret, header })
}

/// The secret that a kind of receiver knows us by.
fn secret_of(
    preset: Option<&Preset>,
    keys: &Keys<'_>,
    sources: &Sources,
    log: &mut Log,
) -> Option<Secret> {
    if preset.is_none_or(|preset| preset.scheme.is_none()) {
        keys.refuse(
            "secret_file",
            "the template has no use for it (see `hmac`)",
            log,
        );
        return None;
    }
    if preset.is_some_and(Preset::needs_secret) {
        keys.require("secret_file", "\"routing-key\"", log);
    }
    let file = keys.text("secret_file", log)?;
    secret::read(&file, sources, log)
}

fn topic_of(preset: Option<&Preset>, keys: &Keys<'_>, log: &mut Log) -> Option<String> {
    if !preset.is_some_and(|preset| preset.has_topic) {
        keys.refuse("topic", "the template has no use for it", log);
        return None;
    }
    keys.require("topic", "\"plant-alarms\"", log);
    keys.text("topic", log).map(|topic| topic.value)
}

pub(super) fn explain(target: &WebhookTarget) -> String {
    let what = match target.selection {
        Selection::Events => "every event",
        Selection::Notices => "what people are told",
        Selection::Lifecycle => "alarms that call, from raise or notice to clear or reset,",
    };
    let form = &target.source.name;
    format!("webhook to {}, {what} as {form}", target.client.url)
}
