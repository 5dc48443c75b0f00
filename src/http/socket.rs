//! The socket on which the commands of this machine reach the gateway: the same pages as over TCP.
//!
//! Who may connect, the file system says: its owner, which is the user of the service, and its group.
//! A file that a gateway left behind which is no more is taken away; one that still answers is not.
//!
//! It lies where systemd makes a folder for the service (`RuntimeDirectory=`), else beside the journal.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use tokio::net::UnixListener;
use tracing::error;

use super::HttpSettings;

/// The name of the file.
pub const NAME: &str = "forewarn.sock";

/// Owner and group may connect.
const MODE: u32 = 0o660;

/// The folder that systemd makes for the service and removes with it, as the service sees it.
const RUNTIME_DIRECTORY: &str = "RUNTIME_DIRECTORY";

/// Open for connections; the file goes when it is dropped.
#[derive(Debug)]
pub struct Socket {
    listener: UnixListener,
    path: PathBuf,
}

/// Why there is no socket. The gateway works without: only the commands of this machine do not.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// The system refuses.
    #[error("cannot listen on {}", path.display())]
    Listen {
        /// Where it was to be.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A program answers there.
    #[error("{} answers already: is another gateway running?", path.display())]
    Taken {
        /// Where it was to be.
        path: PathBuf,
    },
    /// Something that we did not make.
    #[error("{} is there and is no socket", path.display())]
    NoSocket {
        /// Where it was to be.
        path: PathBuf,
    },
}

/// Where the socket of a gateway lies whose journal is at `journal`, if its configuration does not say.
pub fn default_path(journal: &Path) -> PathBuf {
    let runtime = std::env::var_os(RUNTIME_DIRECTORY);
    // systemd may name several, with colons between them.
    let first = runtime.and_then(|folders| std::env::split_paths(&folders).next());
    let folder = first.filter(|folder| folder.is_dir());
    folder
        .unwrap_or_else(|| {
            journal
                .parent()
                .map_or_else(PathBuf::new, Path::to_path_buf)
        })
        .join(NAME)
}

impl Socket {
    /// The socket of a gateway whose journal is at `journal`; `None`, and an error in the log, when there can be
    /// none: the gateway watches without it, too.
    pub fn of(settings: &HttpSettings, journal: &Path) -> Option<Self> {
        let path = settings.socket.clone();
        let path = path.unwrap_or_else(|| default_path(journal));
        match Self::open(&path) {
            Ok(socket) => Some(socket),
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                error!(%error, cause, "commands of this machine find no gateway; see [http] socket");
                None
            }
        }
    }

    /// Listens at `path`. Must be called within a runtime.
    ///
    /// # Errors
    /// Another program answers there, something else lies there, or the system refuses.
    pub fn open(path: &Path) -> Result<Self, SocketError> {
        let refused = |source| SocketError::Listen {
            path: path.to_owned(),
            source,
        };
        match fs::symlink_metadata(path) {
            Ok(found) if !found.file_type().is_socket() => {
                return Err(SocketError::NoSocket {
                    path: path.to_owned(),
                });
            }
            Ok(_socket) if UnixStream::connect(path).is_ok() => {
                return Err(SocketError::Taken {
                    path: path.to_owned(),
                });
            }
            Ok(_left_behind) => fs::remove_file(path).map_err(refused)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(refused(error)),
        }
        let listener = UnixListener::bind(path).map_err(refused)?;
        let socket = Self {
            listener,
            path: path.to_owned(),
        };
        fs::set_permissions(path, Permissions::from_mode(MODE)).map_err(refused)?;
        Ok(socket)
    }

    pub(super) const fn listener(&self) -> &UnixListener {
        &self.listener
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _gone_already = fs::remove_file(&self.path).is_err();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::scratch::ScratchFolder;

    #[tokio::test]
    async fn what_answers_stays_and_what_was_left_behind_goes() {
        let folder = ScratchFolder::new("socket").expect("a folder");
        let path = folder.path().join(NAME);
        let first = Socket::open(&path).expect("nothing is there");
        let mode = fs::metadata(&path).expect("it is there").permissions();
        assert_eq!(mode.mode() & 0o777, MODE);
        let second = Socket::open(&path).expect_err("the first answers");
        assert!(matches!(second, SocketError::Taken { .. }), "{second}");
        drop(first);
        assert!(!path.exists());
        let left_behind = std::os::unix::net::UnixListener::bind(&path).expect("a free place");
        drop(left_behind);
        assert!(path.exists());
        drop(Socket::open(&path).expect("nobody answers"));
        fs::write(&path, "a file").expect("our own folder");
        let refused = Socket::open(&path).expect_err("a file of somebody");
        assert!(matches!(refused, SocketError::NoSocket { .. }), "{refused}");
        assert!(path.exists());
    }
}
