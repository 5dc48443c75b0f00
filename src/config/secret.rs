//! Secrets come from files that nobody else can read, and from nowhere else.
//!
//! A plain name (`password_file = "mqtt-password"`) is looked for among the credentials that systemd
//! hands to the service (`LoadCredential=`, `$CREDENTIALS_DIRECTORY`), then beside the file that
//! names it. Whoever runs the gateway by hand needs no other configuration than the service.

use std::io::Read;
use std::path::{Component, Path, PathBuf};

use super::finding::{Kind, Log};
use super::keys::Keys;
use super::place::{At, Sources};
use crate::broker::Secret;

/// A password is shorter than this; bytes.
const MAX_SECRET: u64 = 4_096;

/// Reports a password that stands in the configuration itself.
pub(super) fn refuse_literal(keys: &Keys<'_>, log: &mut Log) {
    if let Some(place) = keys.place_of("password") {
        log.error(
            Kind::Secret,
            place,
            "a password does not belong into the configuration",
        )
        .hint(
            "write it into a file of its own, `chmod 600` the file, and name the file: \
                 `password_file = \"FILE\"`; then change the password, for it was readable here",
        );
    }
}

/// Reads the secret in `file`; a line end at its end does not belong to it.
pub(super) fn read(file: &At<String>, sources: &Sources, log: &mut Log) -> Option<Secret> {
    let path = guarded(file, sources, log)?;
    let mut bytes = Vec::new();
    let read = std::fs::File::open(&path)
        .and_then(|open| open.take(MAX_SECRET + 1).read_to_end(&mut bytes));
    let problem = match (read, String::from_utf8(bytes)) {
        (Err(error), _) => error.to_string(),
        (Ok(_), Err(_)) => "it is not UTF-8 text".to_owned(),
        (Ok(_), Ok(text)) if text.len() as u64 > MAX_SECRET => "it is too long".to_owned(),
        (Ok(_), Ok(text)) => match text.trim_end_matches(['\r', '\n']) {
            "" => "it is empty".to_owned(),
            secret => return Some(Secret::new(secret)),
        },
    };
    let text = format!("no secret in {}: {problem}", path.display());
    log.error(Kind::Secret, file.place, text);
    None
}

/// The path of `file`, if nobody else can read it.
pub(super) fn guarded(file: &At<String>, sources: &Sources, log: &mut Log) -> Option<PathBuf> {
    let path = readable(file, sources, log)?;
    if let Some(mode) = open_to_others(&path).filter(|_| !is_credential(&path)) {
        let text = format!("{} can be read by others (mode {mode:03o})", path.display());
        log.error(Kind::Secret, file.place, text)
            .hint(format!("chmod 600 {}", path.display()));
        return None;
    }
    Some(path)
}

/// The path of `file`, if there is a file: a credential, or from the folder of the file that names it.
pub(super) fn readable(file: &At<String>, sources: &Sources, log: &mut Log) -> Option<PathBuf> {
    let folder = sources.0.get(file.place.file).map(|source| &source.folder);
    let path = credentials()
        .and_then(|credentials| credential(&file.value, &credentials))
        .unwrap_or_else(|| match folder {
            Some(folder) => folder.join(&file.value),
            None => PathBuf::from(&file.value),
        });
    match std::fs::File::open(&path) {
        Ok(_) => Some(path),
        Err(error) => {
            let text = format!("cannot read {}: {error}", path.display());
            log.error(Kind::File, file.place, text)
                .hint("a plain name is a systemd credential or a file beside this one; relative paths start from the folder of this file");
            None
        }
    }
}

/// Where systemd keeps the service's credentials.
fn credentials() -> Option<PathBuf> {
    std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from)
}

/// The credential of this name, if there is one. A path is no name.
fn credential(name: &str, credentials: &Path) -> Option<PathBuf> {
    let mut parts = Path::new(name).components();
    let is_plain = matches!(
        (parts.next(), parts.next()),
        (Some(Component::Normal(_)), None)
    );
    let path = credentials.join(name);
    (is_plain && path.is_file()).then_some(path)
}

/// systemd guards the folder, and gives the service access by an access list, which shows as a
/// permission of the group.
fn is_credential(path: &Path) -> bool {
    credentials().is_some_and(|credentials| path.starts_with(credentials))
}

/// The permission bits, if group or others may do anything with the file.
#[cfg(unix)]
fn open_to_others(path: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(path).ok()?.permissions().mode() & 0o777;
    (mode & 0o077 != 0).then_some(mode)
}

#[cfg(not(unix))]
const fn open_to_others(_path: &Path) -> Option<u32> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_name_is_a_credential() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let found = |name| credential(name, folder).is_some();
        assert!(found("Cargo.toml"));
        for name in ["", ".", "..", "nothing", "src", "src/lib.rs", "/etc/passwd"] {
            assert!(!found(name), "{name:?}");
        }
    }
}
