//! Name and password for a far end: `username`, and `password_file` beside it.

use super::finding::Log;
use super::keys::Keys;
use super::place::Sources;
use super::secret;
use crate::broker::Login;

/// Reads the keys. One without the other is a mistake; `example` is a name for the file.
pub(super) fn read(
    keys: &Keys<'_>,
    example: &str,
    sources: &Sources,
    log: &mut Log,
) -> Option<Login> {
    secret::refuse_literal(keys, log);
    let username = keys.text("username", log);
    let file = keys.text("password_file", log);
    match (username, file) {
        (Some(username), Some(file)) => {
            let password = secret::read(&file, sources, log)?;
            Some(Login {
                username: username.value,
                password,
            })
        }
        (Some(_), None) if !keys.has("password") => {
            keys.require("password_file", example, log);
            None
        }
        (None, Some(_)) => {
            keys.require("username", "\"forewarn\"", log);
            None
        }
        (Some(_) | None, None) => None,
    }
}
