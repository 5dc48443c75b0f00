//! Disks that fail or are slow, as seen by one process.

use std::fs;
use std::process::{Child, Command};

use super::gateway::Folder;

/// While this lives, calls of one process to its disk are spoilt.
pub(crate) struct Spoilt {
    strace: Child,
    _scratch: Folder,
}

impl Spoilt {
    /// Every sync. `how` as strace injects it: `error=EIO`, or `delay_exit=60000` for 60 ms more each.
    /// `None` where strace is not installed or one process may not trace another.
    pub(crate) fn syncs(pid: u32, how: &str) -> Option<Self> {
        Self::begin(pid, "fsync,fdatasync", how)
    }

    /// Every read; as [`Spoilt::syncs`].
    pub(crate) fn reads(pid: u32, how: &str) -> Option<Self> {
        Self::begin(pid, "pread64", how)
    }

    fn begin(pid: u32, calls: &str, how: &str) -> Option<Self> {
        let scratch = Folder::new();
        let log = scratch.path().join("strace");
        let errors = fs::File::create(&log).expect("our own folder");
        let mut strace = Command::new("strace")
            .args(["-f", "-e"])
            .arg(format!("trace={calls}"))
            .arg("-e")
            .arg(format!("inject={calls}:{how}"))
            .args(["-p", &pid.to_string(), "-o", "/dev/null"])
            .stderr(errors)
            .spawn()
            .ok()?;
        loop {
            let attached = fs::read_to_string(&log).is_ok_and(|text| text.contains("attached"));
            match strace.try_wait().expect("our child") {
                None if attached => {
                    return Some(Self {
                        strace,
                        _scratch: scratch,
                    });
                }
                None => std::thread::yield_now(),
                Some(_) => return None,
            }
        }
    }
}

impl Drop for Spoilt {
    fn drop(&mut self) {
        // SIGTERM lets go of the process; SIGKILL could leave it stopped.
        let asked = Command::new("kill")
            .args(["-TERM", &self.strace.id().to_string()])
            .status();
        let _no_kill = asked.is_err();
        let _no_child = self.strace.wait().is_err();
    }
}
