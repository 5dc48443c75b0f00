//! `tests/scenarios/*.toml`: what the gateway does, one behaviour a file. The names of the files are
//! the specification's table of contents; `forewarn::commands::test::scenario` says how they are written.

use std::fs;
use std::path::{Path, PathBuf};

use forewarn::commands::{chain, test};

#[test]
fn every_scenario_comes_out_as_written() {
    let mut failures = String::new();
    for path in scenarios() {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let findings = match test::read(&path).and_then(|scenario| scenario.run(None)) {
            Ok(findings) => findings,
            Err(error) => vec![format!("could not be run: {}", chain(&error))],
        };
        for finding in findings {
            failures.push_str(&format!("\n{name}: {finding}\n"));
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

/// The same input gives the same events, byte for byte, ids included.
#[test]
fn every_scenario_comes_out_the_same_twice() {
    for path in scenarios() {
        let scenario = test::read(&path).expect("a scenario");
        let replay = || scenario.replay().expect("it runs");
        assert_eq!(replay(), replay(), "{}", path.display());
    }
}

/// Those of the specification, and those that `config/` ships as examples.
fn scenarios() -> Vec<PathBuf> {
    let mut all = Vec::new();
    for folder in ["tests/scenarios", "config/scenarios"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let entries = fs::read_dir(&folder).expect("the folder is part of the project");
        let paths = entries.map(|entry| entry.expect("a readable folder").path());
        let mut paths: Vec<_> = paths.collect();
        paths.sort();
        assert!(!paths.is_empty(), "no scenario in {}", folder.display());
        all.append(&mut paths);
    }
    all
}
