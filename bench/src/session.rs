//! One program under measurement, from its start to its end.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::clock;
use crate::plant;
use crate::process::{Process, free_address};
use crate::traffic::{Load, LoadPlan, Witness};

/// Which program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Program {
    Forewarn,
    Floor,
}

impl Program {
    pub(crate) const BOTH: [Self; 2] = [Self::Forewarn, Self::Floor];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Forewarn => "forewarn",
            Self::Floor => "floor",
        }
    }
}

/// Where things are.
#[derive(Debug)]
pub(crate) struct Places {
    /// The gateway's release binary.
    pub(crate) forewarn: PathBuf,
    /// This binary, which is the floor program, too.
    pub(crate) bench: PathBuf,
    /// For databases, configurations and logs.
    pub(crate) folder: PathBuf,
}

/// A running program, with its witness connected.
pub(crate) struct Session {
    program: Program,
    process: Process,
    broker: SocketAddr,
    http: SocketAddr,
    points: usize,
    pub(crate) witness: Witness,
    /// From exec to the first alarm at the witness.
    pub(crate) first_alarm: Duration,
    data: PathBuf,
}

impl Session {
    /// Starts it on an empty folder and waits for its first alarm.
    pub(crate) fn start(
        program: Program,
        places: &Places,
        broker: SocketAddr,
        points: usize,
        number: u32,
    ) -> io::Result<Self> {
        let site = format!("bench-{}-{number}", program.name());
        let data = places.folder.join(&site);
        fs::create_dir_all(&data)?;
        let http = free_address()?;
        let mut command = command(program, places, &site, &data, broker, http, points)?;
        let mut witness = Witness::connect(broker, &site, points)?;
        let began = clock::now();
        let process = Process::start(&mut command, &data.join("log"))?;
        let first_alarm = witness.first_alarm(began).map_err(|error| {
            let log = fs::read_to_string(data.join("log")).unwrap_or_default();
            let tail: Vec<&str> = log.lines().rev().take(5).collect();
            io::Error::other(format!(
                "{}: {error}; its log ends: {tail:#?}",
                program.name()
            ))
        })?;
        Ok(Self {
            program,
            process,
            broker,
            http,
            points,
            witness,
            first_alarm,
            data,
        })
    }

    /// Waits until its start-up work is done.
    pub(crate) fn settle(&self) -> io::Result<()> {
        self.process.settle()
    }

    /// Resident memory now and at its highest, KiB. The gateway is scraped first, as in a plant.
    pub(crate) fn memory(&self) -> io::Result<(u64, u64)> {
        self.readings()?;
        self.process.memory()
    }

    /// CPU time per reading, microseconds, over a window of this length; and readings lost.
    pub(crate) fn cpu_per_reading(
        &mut self,
        rate: u32,
        window: Duration,
    ) -> io::Result<(f64, u64)> {
        // Every sensor has spoken once before it counts.
        let warm = self.points as u64;
        let counted = self.readings()?;
        let load = Load::start(self.broker, self.plan(rate, true, u64::MAX))?;
        while load.sent() < warm {
            clock::sleep(Duration::from_millis(20));
        }
        let (sent, cpu) = (load.sent(), self.process.cpu()?);
        clock::sleep(window);
        let (used, through) = (self.process.cpu()? - cpu, load.sent() - sent);
        let total = load.stop()?;
        // An alarm through the same queue: everything before it has been judged.
        self.witness.alarm()?;
        let lost = self.lost(counted, total)?;
        Ok((used.as_secs_f64() * 1e6 / through as f64, lost))
    }

    /// Latencies of `count` alarms while readings come at `rate`.
    pub(crate) fn latencies(&mut self, rate: u32, count: usize) -> io::Result<Vec<Duration>> {
        let load = Load::start(self.broker, self.plan(rate, true, u64::MAX))?;
        clock::sleep(Duration::from_millis(500));
        let latencies = self.witness.alarms(count);
        load.stop()?;
        latencies
    }

    /// The first reading of every sensor at `rate`, alarms meanwhile; and events nobody asked for.
    pub(crate) fn first_readings(&mut self, rate: u32) -> io::Result<(Vec<Duration>, u64)> {
        let before = self.witness.uninvited;
        let moving = (self.points - plant::PROBES) as u64;
        let load = Load::start(self.broker, self.plan(rate, true, moving))?;
        let mut latencies = Vec::new();
        while !load.is_done() {
            latencies.push(self.witness.alarm()?);
            clock::sleep(Duration::from_millis(5));
        }
        load.stop()?;
        self.witness.alarm()?;
        Ok((latencies, self.witness.uninvited - before))
    }

    /// A flood without acknowledgements: how late is an alarm behind it, how many readings were
    /// lost, and how long did sending it take?
    pub(crate) fn flood(&mut self, rate: u32, seconds: u32) -> io::Result<Flood> {
        let counted = self.readings()?;
        let limit = u64::from(rate) * u64::from(seconds);
        let began = clock::now();
        let load = Load::start(self.broker, self.plan(rate, false, limit))?;
        while load.sent() < limit {
            clock::sleep(Duration::from_millis(1));
        }
        let took = began.elapsed();
        let behind = self.witness.alarm()?;
        let sent = load.stop()?;
        let lost = self.lost(counted, sent)?;
        Ok(Flood {
            rate: sent as f64 / took.as_secs_f64(),
            behind,
            lost,
        })
    }

    const fn plan(&self, rate: u32, at_least_once: bool, limit: u64) -> LoadPlan {
        LoadPlan {
            points: self.points,
            rate,
            at_least_once,
            limit,
        }
    }

    /// Readings that were sent and not counted since; the alarm behind them is two more.
    fn lost(&self, before: Option<u64>, sent: u64) -> io::Result<u64> {
        let counted = before.zip(self.readings()?);
        Ok(counted.map_or(0, |(before, after)| {
            (sent + 2).saturating_sub(after - before)
        }))
    }

    /// How many readings the gateway has counted; the floor does not count.
    fn readings(&self) -> io::Result<Option<u64>> {
        if self.program == Program::Floor {
            return Ok(None);
        }
        let mut stream = TcpStream::connect(self.http)?;
        stream
            .write_all(b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")?;
        let mut page = String::new();
        stream.read_to_string(&mut page)?;
        let line = page
            .lines()
            .find_map(|line| line.strip_prefix("forewarn_readings_total{device=\"plant\"} "));
        let count = line.and_then(|count| count.trim().parse().ok());
        count
            .map(Some)
            .ok_or_else(|| io::Error::other("no forewarn_readings_total in /metrics"))
    }
}

/// What a flood showed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Flood {
    /// Readings a second that were really sent.
    pub(crate) rate: f64,
    /// Latency of the alarm behind it.
    pub(crate) behind: Duration,
    /// Readings the gateway did not count.
    pub(crate) lost: u64,
}

impl Drop for Session {
    fn drop(&mut self) {
        // What stays lies in a temporary folder that goes as a whole.
        let _left = fs::remove_dir_all(&self.data).is_err();
    }
}

fn command(
    program: Program,
    places: &Places,
    site: &str,
    data: &Path,
    broker: SocketAddr,
    http: SocketAddr,
    points: usize,
) -> io::Result<Command> {
    match program {
        Program::Forewarn => {
            let file = data.join("forewarn.toml");
            fs::write(&file, plant::configuration(site, broker, http, points))?;
            let mut command = Command::new(&places.forewarn);
            command.arg("run").arg("--config").arg(file);
            command.arg("--data").arg(data);
            Ok(command)
        }
        Program::Floor => {
            let mut command = Command::new(&places.bench);
            command.arg("floor").arg("--site").arg(site);
            command.arg("--broker").arg(broker.to_string());
            command.arg("--points").arg(points.to_string());
            command.arg("--data").arg(data);
            Ok(command)
        }
    }
}
