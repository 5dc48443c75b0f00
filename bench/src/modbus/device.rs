//! The simulated device as a process of its own, which is told on its input and tells on its output.

use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

use super::polls::Asked;

/// A running `modbus-device`; it ends with this value.
pub(super) struct Device {
    child: Child,
    commands: ChildStdin,
    said: BufReader<ChildStdout>,
    /// Address and port, or the path of its pseudo-terminal.
    pub(super) place: String,
}

impl Device {
    /// Starts it and waits until it listens.
    pub(super) fn start(program: &Path, arguments: &[&str]) -> io::Result<Self> {
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| {
                io::Error::new(error.kind(), format!("{}: {error}", program.display()))
            })?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (commands, said) = pipes.ok_or_else(|| io::Error::other("a child without pipes"))?;
        let mut device = Self {
            child,
            commands,
            said: BufReader::new(said),
            place: String::new(),
        };
        let line = device.line()?;
        let place = line.trim().strip_prefix("listening on ");
        device.place = place
            .ok_or_else(|| io::Error::other(line.clone()))?
            .to_owned();
        Ok(device)
    }

    /// Gives it a command, such as `unit=7 silent`.
    pub(super) fn tell(&mut self, command: &str) -> io::Result<()> {
        writeln!(self.commands, "{command}")?;
        self.commands.flush()
    }

    /// What it was asked since the last time.
    pub(super) fn asked(&mut self) -> io::Result<Vec<Asked>> {
        self.tell("asked")?;
        let mut all = Vec::new();
        loop {
            let line: Value = serde_json::from_str(&self.line()?)?;
            let number = |at: usize| line["asked"][at].as_u64().unwrap_or(0);
            match line["lost"].as_u64() {
                Some(0) => return Ok(all),
                Some(lost) => return Err(io::Error::other(format!("{lost} requests are lost"))),
                None => all.push(Asked {
                    at: line["asked"][0].as_f64().unwrap_or(0.0),
                    unit: u8::try_from(number(1)).unwrap_or(0),
                    address: u16::try_from(number(3)).unwrap_or(0),
                    count: u16::try_from(number(4)).unwrap_or(0),
                }),
            }
        }
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.said.read_line(&mut line)? == 0 {
            return Err(io::Error::other("the simulated device has ended"));
        }
        Ok(line)
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        // Ended already or never to be ended: nothing is left to do about either.
        let _ended = self.child.kill().is_err();
        let _reaped = self.child.wait().is_err();
    }
}
