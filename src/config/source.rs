//! What a configuration is read from: a file and its `conf.d`, or a text in the program, and the
//! few environment variables that may override it.

use std::ffi::OsString;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::finding::{Kind, Log, nearest};
use super::place::{At, Format, Place, SourceText, Sources};

/// A file larger than this is not a configuration; bytes.
const MAX_FILE: u64 = 16 << 20;

/// Files read from `conf.d` at most.
const MAX_FILES: usize = 1_000;

/// Where to look when nobody says.
const DEFAULT_FILE: &str = "/etc/forewarn/forewarn.toml";

/// The environment variables that are read, and the key each overrides. `FOREWARN_CONFIG` has none:
/// it names the file. No limit can be changed from the environment.
pub(super) const VARIABLES: [(&str, &str); 4] = [
    ("FOREWARN_CONFIG", ""),
    ("FOREWARN_DATA", "data"),
    ("FOREWARN_LISTEN", "http.listen"),
    ("FOREWARN_LOG", "log"),
];

/// What to read a configuration from.
#[derive(Debug, Clone)]
pub struct Source {
    main: Main,
    environment: Vec<(String, String)>,
    data: Option<PathBuf>,
}

#[derive(Debug, Clone)]
enum Main {
    File(Option<PathBuf>),
    Text { name: String, text: String },
}

impl Source {
    /// A file and the `conf.d/*.toml` beside it. `None`: what `FOREWARN_CONFIG` names, else
    /// `/etc/forewarn/forewarn.toml`.
    pub const fn file(path: Option<PathBuf>) -> Self {
        Self::new(Main::File(path))
    }

    /// A text that is not in a file; `name` stands in messages. Relative paths in it start from the
    /// working directory.
    pub fn text(name: &str, text: &str) -> Self {
        Self::new(Main::Text {
            name: name.to_owned(),
            text: text.to_owned(),
        })
    }

    /// Takes the environment: `std::env::vars_os()`, or what a test wants. Only names that start
    /// with `FOREWARN_` are looked at.
    #[must_use]
    pub fn environment(
        mut self,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Self {
        let ours = variables.into_iter().filter_map(|(name, value)| {
            let name = name.to_string_lossy().into_owned();
            let value = value.to_string_lossy().into_owned();
            name.starts_with("FOREWARN_").then_some((name, value))
        });
        self.environment.extend(ours);
        self.environment.sort();
        self
    }

    /// Overrides the data directory (`run --data DIR`); stronger than the environment.
    #[must_use]
    pub fn data(mut self, folder: Option<PathBuf>) -> Self {
        self.data = folder;
        self
    }

    const fn new(main: Main) -> Self {
        Self {
            main,
            environment: Vec::new(),
            data: None,
        }
    }

    /// Reads everything. Also gives the overrides: key and value, weakest first.
    pub(super) fn read(&self, log: &mut Log) -> (Sources, Vec<(&'static str, At<String>)>) {
        let mut sources = Sources::default();
        match &self.main {
            Main::Text { name, text } => sources.0.push(SourceText {
                name: name.clone(),
                text: text.clone(),
                format: Format::Toml,
                folder: PathBuf::new(),
            }),
            Main::File(path) => {
                let named = || {
                    let mut variables = self.environment.iter();
                    let named = variables
                        .find(|(name, value)| name == "FOREWARN_CONFIG" && !value.is_empty());
                    named.map(|(_, value)| PathBuf::from(value))
                };
                let path = path.clone().or_else(named);
                let path = path.unwrap_or_else(|| PathBuf::from(DEFAULT_FILE));
                add_file(&path, &mut sources, log);
                add_folder(&beside(&path, "conf.d"), &mut sources, log);
            }
        }
        let overrides = self.overrides(&mut sources, log);
        (sources, overrides)
    }

    fn overrides(&self, sources: &mut Sources, log: &mut Log) -> Vec<(&'static str, At<String>)> {
        let file = sources.0.len();
        let mut text = String::new();
        let mut overrides = Vec::new();
        let argument = (self.data.iter()).map(|data| ("--data", data.to_string_lossy()));
        let variables = self.environment.iter();
        let variables = variables.map(|(name, value)| (name.as_str(), value.as_str().into()));
        for (name, value) in variables.chain(argument) {
            let start = text.len();
            // A line each, whatever the value contains.
            let value: String = value.chars().filter(|c| !c.is_control()).collect();
            let line = format!("{name}={value}");
            text.push_str(&line);
            let place = Place {
                file,
                start,
                end: start + name.len(),
            };
            text.push('\n');
            let known = VARIABLES.iter().find(|(known, _)| *known == name);
            let key = match (name, known) {
                ("--data", _) => "data",
                (_, Some((_, ""))) if !value.is_empty() => continue,
                (_, Some((_, key))) => key,
                (_, None) => {
                    unknown_variable(name, place, log);
                    continue;
                }
            };
            if value.is_empty() {
                let text = format!("{name} is empty");
                log.error(Kind::Environment, place, text)
                    .hint("give it a value, or do not set it");
                continue;
            }
            overrides.push((key, At { value, place }));
        }
        sources.0.push(SourceText {
            name: "environment".to_owned(),
            text,
            format: Format::Environment,
            folder: PathBuf::new(),
        });
        overrides
    }
}

fn unknown_variable(name: &str, place: Place, log: &mut Log) {
    let names = VARIABLES.map(|(name, _)| name);
    let hint = nearest(name, names).map_or_else(
        || {
            format!(
                "known: {}; everything else belongs into the file",
                names.join(", ")
            )
        },
        |known| format!("did you mean {known}?"),
    );
    let text = format!("{name} is not an environment variable of forewarn");
    log.error(Kind::Environment, place, text).hint(hint);
}

/// `name` in the folder of `path`.
fn beside(path: &Path, name: &str) -> PathBuf {
    path.parent()
        .map_or_else(|| PathBuf::from(name), |folder| folder.join(name))
}

fn add_folder(folder: &Path, sources: &mut Sources, log: &mut Log) {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return,
        Err(error) => return unreadable(folder, &error, sources, log),
    };
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in entries {
        match entry {
            Ok(entry) => paths.push(entry.path()),
            Err(error) => return unreadable(folder, &error, sources, log),
        }
    }
    paths.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "toml")
    });
    paths.sort();
    if paths.len() > MAX_FILES {
        let error = io::Error::other(format!("more than {MAX_FILES} files"));
        return unreadable(folder, &error, sources, log);
    }
    for path in paths {
        add_file(&path, sources, log);
    }
}

fn add_file(path: &Path, sources: &mut Sources, log: &mut Log) {
    let bytes = match bytes(path) {
        Ok(bytes) => bytes,
        Err(error) => return unreadable(path, &error, sources, log),
    };
    let file = sources.0.len();
    if is_utf16(&bytes) {
        let place = Place {
            file,
            start: 0,
            end: 0,
        };
        let text = format!("{} is saved as UTF-16: save it as UTF-8", path.display());
        log.error(Kind::Syntax, place, text);
        return push(path, String::new(), sources);
    }
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let start = error.utf8_error().valid_up_to();
            let place = Place {
                file,
                start,
                end: start,
            };
            log.error(Kind::Syntax, place, "this is not UTF-8 text")
                .hint("save the file with the encoding UTF-8");
            String::from_utf8_lossy(error.as_bytes()).into_owned()
        }
    };
    push(path, text, sources);
}

/// The content of a regular file, if it is no larger than 16 MiB. Nothing else is opened: a pipe would
/// wait for ever for whoever writes into it, and to open a device may do something.
pub(super) fn bytes(path: &Path) -> io::Result<Vec<u8>> {
    let found = std::fs::metadata(path)?;
    let kind = found.file_type();
    if kind.is_dir() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory));
    }
    if !kind.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let expected = usize::try_from(found.len().min(MAX_FILE)).unwrap_or_default();
    // One more: its end is seen without more room.
    let mut bytes = Vec::with_capacity(expected + 1);
    let file = std::fs::File::open(path)?;
    file.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE {
        let text = format!("larger than {} MiB", MAX_FILE >> 20);
        return Err(io::Error::other(text));
    }
    Ok(bytes)
}

/// Some editors save text so. Read as UTF-8 every character would be a mistake of its own.
fn is_utf16(bytes: &[u8]) -> bool {
    match bytes {
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => true,
        // Without a byte order mark: of every letter of ASCII one byte is zero.
        [first, second, ..] => (*first == 0) != (*second == 0),
        _ => false,
    }
}

/// The file stands among the sources without text, so that the message can name it.
fn unreadable(path: &Path, error: &io::Error, sources: &mut Sources, log: &mut Log) {
    let place = Place {
        file: sources.0.len(),
        start: 0,
        end: 0,
    };
    push(path, String::new(), sources);
    log.unread();
    log.error(
        Kind::File,
        place,
        format!("cannot read {}: {error}", path.display()),
    )
    .hint("the file and its folder must be readable for the user that runs forewarn");
}

fn push(path: &Path, text: String, sources: &mut Sources) {
    sources.0.push(SourceText {
        name: path.display().to_string(),
        text,
        format: Format::Toml,
        folder: beside(path, ""),
    });
}
