//! A serial line without a wire: what is written at one end of a pseudo-terminal is read at the other.
//!
//! A device opens one, and whoever opens [`Pty::path`] is connected to it. Dropping it is pulling the adapter's
//! plug: the other end gets an end of file, and the path is gone.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The device's end of a line.
#[derive(Debug)]
pub struct Pty {
    master: AsyncFd<OwnedFd>,
    /// Held open, so that nobody at the other end is not the end.
    _slave: OwnedFd,
    path: PathBuf,
    link: Option<PathBuf>,
}

impl Pty {
    /// Plugs in. With `link` that path leads to it, in place of an older link there.
    ///
    /// # Errors
    /// When the system has no pseudo-terminal left, or the link cannot be made.
    pub fn open(link: Option<&Path>) -> io::Result<Self> {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let path = ptsname(&master, Vec::new())?.into_bytes();
        let path = PathBuf::from(std::ffi::OsString::from_vec(path));
        let slave = rustix::fs::open(
            &path,
            OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC,
            Mode::empty(),
        )?;
        // Bytes as they are: no lines, no echo.
        let mut settings = tcgetattr(&slave)?;
        settings.make_raw();
        tcsetattr(&slave, OptionalActions::Now, &settings)?;
        rustix::io::ioctl_fionbio(&master, true)?;
        let mut pty = Self {
            master: register(master)?,
            _slave: slave,
            path,
            link: None,
        };
        if let Some(link) = link {
            if link.is_symlink() {
                fs::remove_file(link)?;
            }
            std::os::unix::fs::symlink(&pty.path, link)?;
            pty.link = Some(link.to_owned());
        }
        Ok(pty)
    }

    /// What the other end opens.
    pub fn path(&self) -> &Path {
        self.link.as_deref().unwrap_or(&self.path)
    }
}

#[expect(
    deprecated,
    reason = "its successor is unsafe: it trusts that the descriptor lives as long as its owner, which this does"
)]
fn register(master: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::new(master)
}

impl Drop for Pty {
    fn drop(&mut self) {
        // Only if it is still ours: another may have been plugged in under the name.
        if let Some(link) = &self.link
            && fs::read_link(link).is_ok_and(|target| target == self.path)
        {
            // A link that cannot be removed leads nowhere.
            drop(fs::remove_file(link));
        }
    }
}

impl AsyncRead for Pty {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            let mut ready = ready!(self.master.poll_read_ready(context))?;
            let free = bytes.initialize_unfilled();
            let read = |master: &AsyncFd<OwnedFd>| Ok(rustix::io::read(master, free)?);
            if let Ok(read) = ready.try_io(read) {
                bytes.advance(read?);
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl AsyncWrite for Pty {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            let mut ready = ready!(self.master.poll_write_ready(context))?;
            let write = |master: &AsyncFd<OwnedFd>| Ok(rustix::io::write(master, bytes)?);
            if let Ok(written) = ready.try_io(write) {
                return Poll::Ready(written);
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
