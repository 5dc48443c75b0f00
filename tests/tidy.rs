//! The fences that the compiler cannot hold: who may use which crate, who may know whom, how long a
//! file may be. Text checks over the sources; each says which line, what is wrong and why.
//!
//! A check is a function from one source to its findings, so the table in `tidy/tests.rs` shows each
//! of them finding something. Code below `#[cfg(test)]` and in `tests.rs` may use more than the code it
//! tests; the fences about imports end there.

use std::fs;
use std::path::{Path, PathBuf};

/// One file.
struct Source {
    /// Relative to the package, with `/`.
    path: String,
    text: String,
}

impl Source {
    /// Lines of code with their numbers, comments cut off.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| {
            let code = line.split("//").next().unwrap_or_default();
            (index + 1, code)
        })
    }

    /// [`Self::code`] without tests.
    fn product(&self) -> impl Iterator<Item = (usize, &str)> {
        let tests = self.path.ends_with("/tests.rs") || self.path.contains("/tests/");
        self.code()
            .take_while(move |(_, line)| !tests && !line.trim_start().starts_with("#[cfg(test)]"))
    }

    /// Is this `src/PLACE.rs`, or below `src/PLACE/`?
    fn is_in(&self, place: &str) -> bool {
        let Some(rest) = self.path.strip_prefix("src/") else {
            return false;
        };
        rest.strip_prefix(place)
            .is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
    }

    fn finding(&self, line: usize, words: &str) -> String {
        format!("{}:{line}: {words}", self.path)
    }
}

/// A third-party crate and the only places that may name it.
const CRATES: [(&str, &[&str], &str); 7] = [
    (
        "rusqlite",
        &["journal", "telemetry/store"],
        "only src/journal speaks SQL; ask its Feed (and src/telemetry/store.rs of its own file)",
    ),
    (
        "rumqttc",
        &["broker", "input/mqtt/client", "output/mqtt"],
        "only src/broker.rs, src/input/mqtt/client.rs and src/output/mqtt.rs hold MQTT clients",
    ),
    (
        "tokio_modbus",
        &["input/modbus/transport"],
        "only src/input/modbus/transport may, because it guards against late answers",
    ),
    (
        "serial2",
        &["input/modbus/transport/serial"],
        "only src/input/modbus/transport/serial.rs opens serial devices",
    ),
    (
        "lettre",
        &["output/email"],
        "only src/output/email makes and sends mails",
    ),
    (
        "prometheus",
        &["metrics"],
        "only src/metrics makes metrics; call crate::metrics::Metrics",
    ),
    (
        "prost",
        &["sparkplug"],
        "only src/sparkplug speaks protobuf; use its Payload",
    ),
];

fn third_party_crates_stay_in_their_place(source: &Source) -> Vec<String> {
    let mut findings = Vec::new();
    for (name, places, reason) in CRATES {
        if !source.path.starts_with("src/") || places.iter().any(|place| source.is_in(place)) {
            continue;
        }
        let uses = source.code().filter(|(_, line)| names_crate(line, name));
        findings.extend(uses.map(|(line, _)| source.finding(line, &format!("{name}: {reason}"))));
    }
    findings
}

/// Does this line name a crate (`name::` or `use name`), and not one of our modules of that name?
fn names_crate(line: &str, name: &str) -> bool {
    let imported = line.trim_start().trim_start_matches("pub ");
    if imported
        .strip_prefix("use ")
        .is_some_and(|rest| rest.trim_end_matches(';') == name)
    {
        return true;
    }
    line.match_indices(name).any(|(at, _)| {
        let (before, after) = (&line[..at], &line[at + name.len()..]);
        let part_of_word = before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let ours = before.ends_with("crate::")
            || before.ends_with("super::")
            || before.ends_with("self::");
        after.starts_with("::") && !part_of_word && !ours
    })
}

/// Names of the `config` crate; our own module has none of them.
const CONFIG_CRATE: [&str; 8] = [
    "config::Config::builder",
    "config::ConfigBuilder",
    "config::ConfigError",
    "config::Environment",
    "config::File",
    "config::Map",
    "config::Source",
    "config::Value",
];

/// Does this line use the `config` crate?
fn names_config_crate(line: &str) -> bool {
    line.trim_start().starts_with("use config::")
        || CONFIG_CRATE.iter().any(|item| {
            line.match_indices(item)
                .any(|(at, _)| !line[..at].ends_with(|c: char| c == ':' || c.is_alphanumeric()))
        })
}

/// Layering is done in one file, so that the crate can be replaced.
fn the_config_crate_stays_in_one_file(sources: &[Source]) -> Vec<String> {
    let uses = sources
        .iter()
        .filter(|source| source.path.starts_with("src/"));
    let users: Vec<&Source> = uses
        .filter(|source| source.code().any(|(_, line)| names_config_crate(line)))
        .collect();
    let outside = users.iter().filter(|source| !source.is_in("config"));
    let mut findings: Vec<String> = outside
        .map(|source| source.finding(1, "the `config` crate: only one file below src/config may"))
        .collect();
    if users.len() > 1 {
        let paths: Vec<&str> = users.iter().map(|source| source.path.as_str()).collect();
        findings.push(format!(
            "the `config` crate is used in more than one file: {}",
            paths.join(", ")
        ));
    }
    findings
}

/// Who may know which of our modules. Shells meet in the gateway, through the engine's types.
const MAY_KNOW: [(&str, &[&str]); 11] = [
    ("ack_links", &["ack_links", "broker", "engine", "event"]),
    ("engine", &["engine"]),
    ("sparkplug", &["sparkplug"]),
    ("notify", &["engine", "notify"]),
    ("metrics", &["clock", "engine", "metrics"]),
    (
        "wording",
        &["engine", "event", "guidance", "notify", "wording"],
    ),
    ("input", SHELL),
    ("journal", SHELL),
    ("http", SHELL),
    ("output", SHELL),
    ("telemetry", SHELL),
];

/// What every shell may know beside itself.
const SHELL: &[&str] = &[
    "ack_links",
    "allowance",
    "broker",
    "clock",
    "engine",
    "evaluation",
    "event",
    "guidance",
    "metrics",
    "scalar",
    "sparkplug",
    "wording",
];

/// Committed events are read from the journal's feed, telemetry from its own.
const READERS: [(&str, &str); 3] = [
    ("http", "journal"),
    ("output", "journal"),
    ("output", "telemetry"),
];

fn modules_know_only_whom_they_may(source: &Source) -> Vec<String> {
    let Some((home, known)) = MAY_KNOW.iter().find(|(home, _)| source.is_in(home)) else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    for (number, line) in source.product() {
        for (at, _) in line.match_indices("crate::") {
            let rest = &line[at + "crate::".len()..];
            if rest.starts_with('{') {
                let words = "one `use` for each module, so that this check can read it";
                findings.push(source.finding(number, words));
                continue;
            }
            let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_'));
            let module = &rest[..end.unwrap_or(rest.len())];
            let feed = READERS.contains(&(*home, module));
            if module != *home && !known.contains(&module) && !feed {
                let words = format!(
                    "src/{home} may not know crate::{module}; it knows {}. Let them meet in src/gateway.rs",
                    known.join(", ")
                );
                findings.push(source.finding(number, &words));
            }
        }
    }
    findings
}

/// The standard library's ways out of a pure function.
const IMPURE: [&str; 8] = [
    "std::env",
    "std::fs",
    "std::io",
    "std::net",
    "std::process",
    "std::thread",
    "Instant::now",
    "SystemTime",
];

/// Engine and notify decide; they do no input or output and read no clock.
fn pure_modules_use_only_std_serde_and_thiserror(
    source: &Source,
    dependencies: &[String],
) -> Vec<String> {
    if !(source.is_in("engine") || source.is_in("notify")) {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for (number, line) in source.product() {
        let impure = IMPURE.iter().filter(|item| line.contains(*item));
        findings.extend(impure.map(|item| {
            source.finding(
                number,
                &format!("`{item}` in a pure module; pass the value in"),
            )
        }));
        let banned = dependencies.iter().filter(|name| {
            !matches!(name.as_str(), "serde" | "thiserror") && names_crate(line, name)
        });
        findings.extend(banned.map(|name| {
            let words = format!("`{name}` in a pure module, which uses std, serde and thiserror");
            source.finding(number, &words)
        }));
    }
    findings
}

/// Past this a file has more than one subject, or its tests want a file of their own.
const LONGEST: usize = 450;

fn files_are_short(source: &Source) -> Vec<String> {
    let length = source.text.lines().count();
    if length <= LONGEST {
        return Vec::new();
    }
    let words = format!(
        "{length} lines, more than {LONGEST}: move the tests to <name>/tests.rs, or split by subject"
    );
    vec![source.finding(length, &words)]
}

/// Split, so that this file does not find itself.
const UNFINISHED: [&str; 5] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("to", "do!("),
    concat!("unimple", "mented!("),
];

fn nothing_is_left_for_later(source: &Source) -> Vec<String> {
    let mut findings = Vec::new();
    for (index, line) in source.text.lines().enumerate() {
        let found = UNFINISHED.iter().filter(|word| line.contains(*word));
        findings.extend(found.map(|word| {
            source.finding(index + 1, &format!("`{word}`: finish it, or file an issue"))
        }));
    }
    findings
}

/// Folders of a developer's machine.
const MACHINES: [&str; 4] = [
    concat!("/ho", "me/"),
    concat!("/ro", "ot/"),
    concat!("/wo", "rk/"),
    concat!("/tmp/", "wt"),
];

/// Requests of tokio-modbus that change something in a device.
const WRITES: [&str; 4] = [
    "::WriteSingle",
    "::WriteMultiple",
    "::MaskWrite",
    "::ReadWrite",
];

/// The gateway only reads; RTU questions name a table, and no table writes.
fn nothing_writes_to_a_device(source: &Source) -> Vec<String> {
    if !source.is_in("input/modbus") {
        return Vec::new();
    }
    let writes = source
        .product()
        .filter(|(_, line)| WRITES.iter().any(|word| line.contains(word)));
    let words = "writing to a device: the gateway never changes equipment";
    writes
        .map(|(line, _)| source.finding(line, words))
        .collect()
}

fn no_path_of_a_developers_machine(source: &Source) -> Vec<String> {
    let mut findings = Vec::new();
    for (index, line) in source.text.lines().enumerate() {
        let found = MACHINES.iter().filter(|path| line.contains(*path));
        findings.extend(found.map(|path| {
            let words =
                format!("`{path}` exists on one machine only; use a path relative to the package");
            source.finding(index + 1, &words)
        }));
    }
    findings
}

fn files_begin_with_what_they_are_about(source: &Source) -> Vec<String> {
    if source.text.starts_with("//! ") {
        return Vec::new();
    }
    vec![source.finding(
        1,
        "begin with a module doc (`//! ...`): what is this, how does it work?",
    )]
}

type Check = fn(&Source) -> Vec<String>;

/// Everything that is checked file by file.
fn checks() -> [Check; 7] {
    [
        third_party_crates_stay_in_their_place,
        modules_know_only_whom_they_may,
        files_are_short,
        nothing_is_left_for_later,
        nothing_writes_to_a_device,
        no_path_of_a_developers_machine,
        files_begin_with_what_they_are_about,
    ]
}

/// Findings in `sources`, in the order of files.
fn all_findings(sources: &[Source], dependencies: &[String]) -> Vec<String> {
    let mut findings = Vec::new();
    for source in sources {
        findings.extend(checks().iter().flat_map(|check| check(source)));
        findings.extend(pure_modules_use_only_std_serde_and_thiserror(
            source,
            dependencies,
        ));
    }
    findings.extend(the_config_crate_stays_in_one_file(sources));
    findings
}

#[test]
fn the_sources_keep_their_fences() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = Vec::new();
    for folder in ["simulators", "src", "tests"] {
        read(root, &root.join(folder), &mut sources);
    }
    assert!(sources.len() > 10, "the sources were not found");
    let findings = all_findings(&sources, &dependencies(root));
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
}

/// Every `.rs` file below `folder`, by name.
fn read(root: &Path, folder: &Path, into: &mut Vec<Source>) {
    let entries = fs::read_dir(folder).expect("a folder of the package");
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            read(root, &path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let relative = path.strip_prefix(root).expect("below the root");
            into.push(Source {
                path: relative.to_string_lossy().replace('\\', "/"),
                text: fs::read_to_string(&path).expect("UTF-8"),
            });
        }
    }
}

/// Names of the package's dependencies as code writes them.
fn dependencies(root: &Path) -> Vec<String> {
    let manifest = fs::read_to_string(root.join("Cargo.toml")).expect("the manifest");
    let manifest: toml::Table = manifest.parse().expect("TOML");
    let tables = ["dependencies", "dev-dependencies"];
    let tables = tables
        .iter()
        .filter_map(|table| manifest.get(*table)?.as_table());
    tables
        .flat_map(|table| table.keys().map(|name| name.replace('-', "_")))
        .collect()
}

mod tests;
