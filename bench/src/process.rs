//! Children of the benchmark and what the kernel says about them.

use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use crate::clock;

/// A child that ends with this value.
pub(crate) struct Process {
    child: Child,
}

impl Process {
    /// Starts a program; what it says on standard error goes into `log`.
    pub(crate) fn start(command: &mut Command, log: &Path) -> io::Result<Self> {
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(log)?)
            .spawn()
            .map_err(|error| io::Error::new(error.kind(), format!("{command:?}: {error}")))?;
        Ok(Self { child })
    }

    /// CPU time of all its threads so far, user and system.
    pub(crate) fn cpu(&self) -> io::Result<Duration> {
        cpu(&self.child.id().to_string(), 14)
    }

    /// Resident memory now and at its highest, in KiB.
    pub(crate) fn memory(&self) -> io::Result<(u64, u64)> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let number = line.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
            number.ok_or_else(|| io::Error::other(format!("no {name} in /proc; has it ended?")))
        };
        Ok((field("VmRSS:")?, field("VmHWM:")?))
    }

    /// Waits until the process does next to nothing: its own start-up work is not a reading's cost.
    pub(crate) fn settle(&self) -> io::Result<()> {
        let mut before = self.cpu()?;
        for _turn in 0..60 {
            clock::sleep(Duration::from_millis(500));
            let now = self.cpu()?;
            if now.saturating_sub(before) <= Duration::from_millis(10) {
                return Ok(());
            }
            before = now;
        }
        Err(io::Error::other("the process does not come to rest"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Ended already or never to be ended: nothing is left to do about either.
        let _ended = self.child.kill().is_err();
        let _reaped = self.child.wait().is_err();
    }
}

/// CPU time of this process so far, user and system.
pub(crate) fn own_cpu() -> io::Result<Duration> {
    cpu("self", 14)
}

/// CPU time of all children that have ended and were waited for, user and system.
pub(crate) fn cpu_of_children() -> io::Result<Duration> {
    cpu("self", 16)
}

/// Fields `first` and the next one of a process' `stat`, which count ticks.
fn cpu(process: &str, first: usize) -> io::Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name, field 2, may hold spaces and ends with the last parenthesis.
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks: u64 = after_name
        .split_whitespace()
        .skip(first - 3)
        .take(2)
        .filter_map(|field| field.parse::<u64>().ok())
        .sum();
    Ok(Duration::from_secs(ticks) / ticks_per_second())
}

fn ticks_per_second() -> u32 {
    static TICKS: OnceLock<u32> = OnceLock::new();
    *TICKS.get_or_init(|| {
        let said = Command::new("getconf").arg("CLK_TCK").output().ok();
        let ticks = said.and_then(|out| String::from_utf8_lossy(&out.stdout).trim().parse().ok());
        // What every Linux of today has.
        ticks.unwrap_or(100)
    })
}

/// A real mosquitto on a free port of the loopback.
pub(crate) struct Mosquitto {
    pub(crate) address: SocketAddr,
    _process: Process,
}

/// What is said to the broker beside where to listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BrokerSettings {
    /// TCP_NODELAY on, and room for a burst. Its default queue of 1,000 messages drops silently.
    Tuned,
    /// As installed.
    Default,
}

impl Mosquitto {
    pub(crate) fn start(folder: &Path, settings: BrokerSettings) -> io::Result<Self> {
        let address = free_address()?;
        let more = match settings {
            BrokerSettings::Tuned => "set_tcp_nodelay true\nmax_queued_messages 100000\n",
            BrokerSettings::Default => "",
        };
        let file = folder.join(format!("mosquitto-{settings:?}.conf"));
        let text = format!(
            "listener {} 127.0.0.1\nallow_anonymous true\npersistence false\n{more}",
            address.port()
        );
        fs::write(&file, text)?;
        let mut command = Command::new(find("mosquitto"));
        command.arg("-c").arg(&file);
        let log = folder.join(format!("mosquitto-{settings:?}.log"));
        let process = Process::start(&mut command, &log)?;
        for _try in 0..500 {
            if TcpStream::connect(address).is_ok() {
                return Ok(Self {
                    address,
                    _process: process,
                });
            }
            clock::sleep(Duration::from_millis(10));
        }
        Err(io::Error::other("mosquitto does not listen"))
    }
}

/// Debian keeps daemons where not every user's PATH looks.
fn find(program: &str) -> PathBuf {
    let debian = Path::new("/usr/sbin").join(program);
    if debian.exists() {
        debian
    } else {
        program.into()
    }
}

/// A port that was free a moment ago.
pub(crate) fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}
