//! Settings that are one value each, in three layers: defaults < files < environment. The only file
//! that uses the `config` crate; what it cannot say (where a value stands) is kept beside it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use super::finding::{Kind, Log};
use super::keys::{Keys, Vocabulary, check_id};
use super::place::{At, Place, Sources};
use super::scalar;
use super::tree::Section;
use crate::http::HttpSettings;
use crate::journal::JournalSettings;

/// The tables and values of a configuration.
pub(super) const ROOT: Vocabulary = Vocabulary {
    what: "a configuration",
    keys: &[
        "site",
        "language",
        "timezone",
        "data",
        "log",
        "http",
        "journal",
        "priority",
        "device",
        "broker",
        "mapping",
        "area",
        "person",
        "rota",
        "point",
        "points_csv",
        "group",
        "output",
        "shelving",
        "telemetry",
        "escalation",
        "acknowledge_links",
        "out_of_service",
    ],
    later: &[],
};

const HTTP: Vocabulary = Vocabulary {
    what: "`[http]`",
    keys: &["listen", "insecure", "socket"],
    later: &[],
};

const JOURNAL: Vocabulary = Vocabulary {
    what: "`[journal]`",
    keys: &["path", "max_size", "keep_events"],
    later: &[("keep_readings", "keep readings")],
};

/// Less than this does not hold the alarms of a bad day; bytes.
const MIN_JOURNAL: u64 = 16 << 20;

/// More is no file for an SD card; bytes.
const MAX_JOURNAL: u64 = 1 << 40;

/// What an address of a socket holds, less its end (unix(7)); bytes.
const MAX_SOCKET: usize = 107;

const MIN_KEEP: Duration = Duration::from_secs(86_400);
const MAX_KEEP: Duration = Duration::from_secs(100 * 366 * 86_400);

/// How much is logged.
const LOG_LEVELS: [(&str, tracing::Level); 5] = [
    ("error", tracing::Level::ERROR),
    ("warn", tracing::Level::WARN),
    ("info", tracing::Level::INFO),
    ("debug", tracing::Level::DEBUG),
    ("trace", tracing::Level::TRACE),
];

/// The effective single values.
pub(super) struct Scalars {
    pub(super) site: String,
    pub(super) log: tracing::Level,
    pub(super) http: HttpSettings,
    pub(super) journal: JournalSettings,
}

/// What the `config` crate hands back.
#[derive(Debug, Deserialize)]
struct Effective {
    site: Option<String>,
    data: String,
    log: String,
    http: EffectiveHttp,
    journal: EffectiveJournal,
}

#[derive(Debug, Deserialize)]
struct EffectiveHttp {
    listen: String,
    insecure: bool,
    socket: Option<String>,
}

#[derive(Debug, Deserialize)]
struct EffectiveJournal {
    path: Option<String>,
    max_size: String,
    keep_events: String,
}

/// The files' layer: key and value.
#[derive(Debug, Clone, Default)]
struct FileLayer(Vec<(&'static str, config::Value)>);

impl config::Source for FileLayer {
    fn clone_into_box(&self) -> Box<dyn config::Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<config::Map<String, config::Value>, config::ConfigError> {
        let values = self.0.iter().cloned();
        Ok(values.map(|(key, value)| (key.to_owned(), value)).collect())
    }
}

/// Reads the single values of `root` and lays them over the defaults and under `overrides`.
pub(super) fn read(
    root: &Section,
    overrides: &[(&'static str, At<String>)],
    sources: &Sources,
    log: &mut Log,
) -> Option<Scalars> {
    let mut places = BTreeMap::new();
    let files = file_layer(root, &mut places, log);
    for (key, value) in overrides {
        places.insert(*key, value.place);
    }
    let start = Place {
        file: 0,
        start: 0,
        end: 0,
    };
    let layers = Layers { places, start };
    match effective(files, overrides) {
        Ok(effective) => layers.judge(effective, sources, log),
        Err(error) => {
            log.error(
                Kind::BadValue,
                start,
                format!("the settings do not fit together: {error}"),
            );
            None
        }
    }
}

fn effective(
    files: FileLayer,
    overrides: &[(&'static str, At<String>)],
) -> Result<Effective, config::ConfigError> {
    let mut builder = config::Config::builder()
        .set_default("data", "/var/lib/forewarn")?
        .set_default("log", "info")?
        .set_default("http.listen", "127.0.0.1:9469")?
        .set_default("http.insecure", false)?
        .set_default("journal.max_size", "256MiB")?
        .set_default("journal.keep_events", "1095d")?
        .add_source(files);
    for (key, value) in overrides {
        builder = builder.set_override(*key, value.value.as_str())?;
    }
    builder.build()?.try_deserialize()
}

fn file_layer(
    root: &Section,
    places: &mut BTreeMap<&'static str, Place>,
    log: &mut Log,
) -> FileLayer {
    let mut layer = FileLayer::default();
    let start = Place {
        file: 0,
        start: 0,
        end: 0,
    };
    let top = Keys::of(root, start, &ROOT, log);
    let tables = [("http", &HTTP), ("journal", &JOURNAL)].map(|(name, words)| {
        root.get(name)
            .and_then(|entry| Keys::open(entry, words, log))
    });
    let [http, journal] = tables;
    for (path, keys, key) in [
        ("site", Some(&top), "site"),
        ("data", Some(&top), "data"),
        ("log", Some(&top), "log"),
        ("http.listen", http.as_ref(), "listen"),
        ("http.socket", http.as_ref(), "socket"),
        ("journal.path", journal.as_ref(), "path"),
        ("journal.max_size", journal.as_ref(), "max_size"),
        ("journal.keep_events", journal.as_ref(), "keep_events"),
    ] {
        if let Some(text) = keys.and_then(|keys| keys.text(key, log)) {
            places.insert(path, text.place);
            layer.0.push((path, text.value.into()));
        }
    }
    if let Some(flag) = http.and_then(|keys| keys.flag("insecure", log)) {
        places.insert("http.insecure", flag.place);
        layer.0.push(("http.insecure", flag.value.into()));
    }
    if !top.has("site") {
        top.require("site", "\"north-plant\"", log);
    }
    layer
}

/// Where the effective values stand, to judge them.
struct Layers {
    places: BTreeMap<&'static str, Place>,
    start: Place,
}

impl Layers {
    fn judge(&self, found: Effective, sources: &Sources, log: &mut Log) -> Option<Scalars> {
        let site = found.site.as_ref().map(|site| At {
            value: site.clone(),
            place: self.at("site"),
        });
        let site = site.filter(|site| check_id("a site", site, log));
        let http = self.http(&found.http, sources, log);
        let journal = self.journal(&found, sources, log);
        let level = LOG_LEVELS.iter().find(|(word, _)| *word == found.log);
        if level.is_none() {
            let words = LOG_LEVELS.map(|(word, _)| word).join(", ");
            let text = format!("`log` cannot be \"{}\"", found.log);
            log.error(Kind::BadValue, self.at("log"), text)
                .hint(format!("allowed: {words}"));
        }
        // Everything was looked at before anything is given up.
        Some(Scalars {
            site: site?.value,
            log: level?.1,
            http: http?,
            journal: journal?,
        })
    }

    fn journal(
        &self,
        found: &Effective,
        sources: &Sources,
        log: &mut Log,
    ) -> Option<JournalSettings> {
        let path = found.journal.path.as_ref().map_or_else(
            || Path::new(&found.data).join("journal.db"),
            |path| self.folder("journal.path", sources).join(path),
        );
        let max_size = self.size(&found.journal.max_size, log);
        let keep_events = self.keep(&found.journal.keep_events, log);
        Some(JournalSettings {
            path,
            max_size: max_size?,
            keep_events: keep_events?,
            first_epoch: None,
        })
    }

    fn http(
        &self,
        found: &EffectiveHttp,
        sources: &Sources,
        log: &mut Log,
    ) -> Option<HttpSettings> {
        let socket = self.socket(found, sources, log);
        let at = self.at("http.listen");
        let Ok(listen) = found.listen.parse::<SocketAddr>() else {
            let text = format!("`listen` is no address to listen on: \"{}\"", found.listen);
            log.error(Kind::BadValue, at, text)
                .hint("write an IP address and a port, such as \"127.0.0.1:9469\"");
            return None;
        };
        let insecure = found.insecure;
        if !listen.ip().is_loopback() && !insecure {
            let text = format!("{listen} can be reached from the network, without login and TLS");
            log.error(Kind::Exposed, at, text).hint(
                "listen on 127.0.0.1, or write `insecure = true` under `[http]` if everyone in that \
                 network may acknowledge alarms",
            );
        }
        Some(HttpSettings {
            listen,
            insecure,
            socket,
        })
    }

    fn socket(&self, found: &EffectiveHttp, sources: &Sources, log: &mut Log) -> Option<PathBuf> {
        let path = found.socket.as_ref()?;
        let path = self.folder("http.socket", sources).join(path);
        if path.as_os_str().len() > MAX_SOCKET {
            let text = format!("`socket` is too long: {}", path.display());
            log.error(Kind::OutOfRange, self.at("http.socket"), text)
                .hint(format!(
                    "Linux takes {MAX_SOCKET} bytes for the path of a socket, such as \"/run/forewarn/forewarn.sock\""
                ));
        }
        Some(path)
    }

    fn size(&self, text: &str, log: &mut Log) -> Option<u64> {
        let (read, bounds) = (scalar::size(text), MIN_JOURNAL..=MAX_JOURNAL);
        self.within(
            "max_size",
            "a size",
            text,
            read,
            (bounds, "16MiB to 1024GiB"),
            log,
        )
    }

    fn keep(&self, text: &str, log: &mut Log) -> Option<Duration> {
        let (read, bounds) = (scalar::duration(text), MIN_KEEP..=MAX_KEEP);
        self.within(
            "keep_events",
            "a duration",
            text,
            read,
            (bounds, "1d to 100 years"),
            log,
        )
    }

    /// A value of `[journal]` that has a unit and bounds; `spoken` says the bounds to people.
    fn within<T: PartialOrd>(
        &self,
        key: &str,
        what: &str,
        text: &str,
        read: Result<T, String>,
        (bounds, spoken): (RangeInclusive<T>, &str),
        log: &mut Log,
    ) -> Option<T> {
        let at = self.at(&format!("journal.{key}"));
        match read {
            Ok(value) if bounds.contains(&value) => Some(value),
            Ok(_) => {
                let text = format!("`{key}` must be from {spoken}, not {text}");
                log.error(Kind::OutOfRange, at, text);
                None
            }
            Err(hint) => {
                let text = format!("`{key}` is not {what}: \"{text}\"");
                log.error(Kind::BadUnit, at, text).hint(hint);
                None
            }
        }
    }

    fn at(&self, key: &str) -> Place {
        self.places.get(key).copied().unwrap_or(self.start)
    }

    /// The folder of the file that says `key`.
    fn folder<'a>(&self, key: &str, sources: &'a Sources) -> &'a Path {
        let source = sources.0.get(self.at(key).file);
        source.map_or_else(|| Path::new(""), |source| source.folder.as_path())
    }
}
