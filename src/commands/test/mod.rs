//! `forewarn test`: readings over time and the events that must come of them, so that a plant tests
//! its own limits before it relies on them, and again after every change.
//!
//! [`scenario`] says how a file is written. Every file runs by itself, in virtual time, through the
//! engine and a real journal, as in `forewarn replay`.

mod around;
pub mod comparison;
pub mod notation;
pub mod scenario;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::json;

use super::progress::Progress;
use super::{BAD_CONFIGURATION, FINDINGS, GOOD, USAGE, chain, complain};
use scenario::{Scenario, ScenarioError};

/// A file larger than this is no scenario; bytes.
const MAX_FILE: u64 = 16 << 20;

/// Arguments of `forewarn test`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: forewarn test --config forewarn.toml scenarios/\n\nExit codes: 0 everything came as written, 1 something did not, 2 nothing to test, 78 mistakes in a configuration"
)]
pub struct TestArgs {
    /// Configuration to test, in place of what the scenarios name
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A line of JSON for each scenario
    #[arg(long)]
    json: bool,
    /// Scenario files; of a folder, every .toml in it
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// How one scenario came out.
enum Verdict {
    /// Everything as written.
    Passed { about: String },
    /// What was not, in words.
    Failed {
        about: String,
        findings: Vec<String>,
    },
    /// It could not be run.
    Unfit(ScenarioError),
}

/// Runs it: a line for each scenario on `out`, and what did not come as written below it.
pub fn run(args: &TestArgs, mut out: impl Write) -> u8 {
    let files = match gather(&args.files) {
        Ok(files) => files,
        Err(error) => {
            complain(&error);
            return USAGE;
        }
    };
    let mut progress = Progress::new("scenarios", Some(files.len() as u64));
    let mut code = GOOD;
    let mut failed = 0_usize;
    for file in &files {
        progress.step();
        let verdict = judge(file, args.config.as_deref());
        code = code.max(verdict.code());
        failed += usize::from(verdict.code() != GOOD);
        progress.clear();
        if tell(&verdict, file, args.json, &mut out).is_err() {
            return FINDINGS;
        }
    }
    let told = args.json || writeln!(out, "{}", sum(files.len(), failed)).is_ok();
    if told && out.flush().is_ok() {
        code
    } else {
        FINDINGS
    }
}

fn sum(all: usize, failed: usize) -> String {
    let plural = if all == 1 { "" } else { "s" };
    match failed {
        0 => format!("{all} scenario{plural}, all as written"),
        failed => format!("{all} scenario{plural}, {failed} failed"),
    }
}

/// Why there is nothing to test.
#[derive(Debug, thiserror::Error)]
enum GatherError {
    #[error("cannot read {}", .path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("no scenario in {}: there is no .toml file in it", .0.display())]
    Empty(PathBuf),
}

/// The files as named; of folders, the scenarios in them by name.
fn gather(named: &[PathBuf]) -> Result<Vec<PathBuf>, GatherError> {
    let mut files = Vec::new();
    for path in named {
        let unreadable = |source| GatherError::Unreadable {
            path: path.clone(),
            source,
        };
        if !fs::metadata(path).map_err(unreadable)?.is_dir() {
            files.push(path.clone());
            continue;
        }
        let mut inside = Vec::new();
        for entry in fs::read_dir(path).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            if path.extension().is_some_and(|kind| kind == "toml") {
                inside.push(path);
            }
        }
        if inside.is_empty() {
            return Err(GatherError::Empty(path.clone()));
        }
        inside.sort();
        files.append(&mut inside);
    }
    Ok(files)
}

fn judge(file: &Path, config: Option<&Path>) -> Verdict {
    let scenario = match read(file) {
        Ok(scenario) => scenario,
        Err(error) => return Verdict::Unfit(error),
    };
    match scenario.run(config) {
        Ok(findings) if findings.is_empty() => Verdict::Passed {
            about: scenario.about,
        },
        Ok(findings) => Verdict::Failed {
            about: scenario.about,
            findings,
        },
        Err(error) => Verdict::Unfit(error),
    }
}

/// The scenario in `file`.
///
/// # Errors
/// It cannot be read, or is none.
pub fn read(file: &Path) -> Result<Scenario, ScenarioError> {
    let size = fs::metadata(file).map_err(ScenarioError::File)?.len();
    if size > MAX_FILE {
        return Err(ScenarioError::File(io::Error::other(format!(
            "{size} bytes are too many for a scenario; {MAX_FILE} is the most"
        ))));
    }
    let text = fs::read_to_string(file).map_err(ScenarioError::File)?;
    Scenario::parse(file, &text)
}

impl Verdict {
    const fn code(&self) -> u8 {
        match self {
            Self::Passed { .. } => GOOD,
            Self::Failed { .. } => FINDINGS,
            Self::Unfit(ScenarioError::Config(_)) => BAD_CONFIGURATION,
            Self::Unfit(_) => FINDINGS,
        }
    }
}

fn tell(verdict: &Verdict, file: &Path, as_json: bool, out: &mut impl Write) -> io::Result<()> {
    if as_json {
        return writeln!(out, "{}", machine(verdict, file));
    }
    let file = file.display();
    match verdict {
        Verdict::Passed { about } => writeln!(out, "ok      {file}: {}", headline(about)),
        Verdict::Failed { about, findings } => {
            writeln!(out, "FAILED  {file}: {}", headline(about))?;
            findings
                .iter()
                .try_for_each(|finding| writeln!(out, "{}", indented(finding)))
        }
        Verdict::Unfit(error) => {
            writeln!(out, "FAILED  {file}: could not be run")?;
            writeln!(out, "{}", indented(&chain(error)))
        }
    }
}

fn machine(verdict: &Verdict, file: &Path) -> serde_json::Value {
    let file = file.to_string_lossy();
    match verdict {
        Verdict::Passed { about } => json!({"file": file, "ok": true, "about": about}),
        Verdict::Failed { about, findings } => {
            json!({"file": file, "ok": false, "about": about, "findings": findings})
        }
        Verdict::Unfit(error) => json!({"file": file, "ok": false, "error": chain(error)}),
    }
}

/// The first sentence or line of what a scenario is about.
fn headline(about: &str) -> &str {
    let line = about.trim().lines().next().unwrap_or_default();
    line.split_once(". ").map_or(line, |(first, _)| first)
}

fn indented(text: &str) -> String {
    let lines = text.trim_end().lines().map(|line| format!("  {line}"));
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests;
