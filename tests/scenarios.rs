//! `tests/scenarios/*.toml`: what the gateway does, one behaviour a file. The names of the files are
//! the specification's table of contents; `forewarn::commands::test` says how they are written.

use std::fs;
use std::path::{Path, PathBuf};

use forewarn::commands::test::Scenario;

#[test]
fn every_scenario_comes_out_as_written() {
    let mut failures = String::new();
    for path in scenarios() {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let text = fs::read_to_string(&path).expect("a readable scenario");
        let findings = match Scenario::parse(&text).and_then(|scenario| scenario.run(&name)) {
            Ok(findings) => findings,
            Err(error) => vec![told(&error)],
        };
        for finding in findings {
            failures.push_str(&format!("\n{name}: {finding}\n"));
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

/// An error with everything behind it.
fn told(error: &dyn std::error::Error) -> String {
    let mut text = format!("could not be run: {error}");
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    text
}

/// The same input gives the same events, byte for byte, ids included.
#[test]
fn every_scenario_comes_out_the_same_twice() {
    for path in scenarios() {
        let text = fs::read_to_string(&path).expect("a readable scenario");
        let scenario = Scenario::parse(&text).expect("a scenario");
        let replay = || scenario.replay("twice").expect("it runs");
        assert_eq!(replay(), replay(), "{}", path.display());
    }
}

fn scenarios() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let entries = fs::read_dir(&folder).expect("the folder is part of the project");
    let paths = entries.map(|entry| entry.expect("a readable folder").path());
    let mut paths: Vec<_> = paths.collect();
    paths.sort();
    assert!(!paths.is_empty(), "no scenario in {}", folder.display());
    paths
}
