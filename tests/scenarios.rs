//! `tests/scenarios/*.toml`: what the gateway does, one behaviour a file. The names of the files are
//! the specification's table of contents; `forewarn::commands::test` says how they are written.

use std::fs;
use std::path::Path;

use forewarn::commands::test::Scenario;

#[test]
fn every_scenario_comes_out_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let entries = fs::read_dir(&folder).expect("the folder is part of the project");
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("a readable folder").path())
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "no scenario in {}", folder.display());
    let mut failures = String::new();
    for path in paths {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let text = fs::read_to_string(&path).expect("a readable scenario");
        let findings = match Scenario::parse(&text).and_then(|scenario| scenario.run(&name)) {
            Ok(findings) => findings,
            Err(error) => vec![format!("could not be run: {error:?}")],
        };
        for finding in findings {
            failures.push_str(&format!("\n{name}: {finding}\n"));
        }
    }
    assert!(failures.is_empty(), "{failures}");
}
