//! The command from its words to what it writes, on files in a folder of its own.

use clap::Parser;

use super::super::scratch::ScratchFolder;
use super::*;

const PLANT: &str =
    "site = 'a'\n[broker.b]\nurl = 'mqtt://127.0.0.1'\n[point.P]\ntopic = 'p'\nhigh = { by = 1 }\n";

const GOOD_PLANT: &str =
    "site = 'a'\n[broker.b]\nurl = 'mqtt://127.0.0.1'\n[point.P]\ntopic = 'p'\nhigh = 8\n";

#[derive(Debug, Parser)]
struct Program {
    #[command(flatten)]
    args: TestArgs,
}

/// Runs `forewarn test WORDS` in a folder with `files`: exit code and what was written.
fn test(files: &[(&str, &str)], words: &[&str]) -> (u8, String) {
    let folder = ScratchFolder::new("test-command").expect("a folder");
    for (name, text) in files {
        fs::write(folder.path().join(name), text).expect("a file");
    }
    let words = words.iter().map(|word| match word.strip_prefix("./") {
        Some(name) => folder.path().join(name).to_string_lossy().into_owned(),
        None => (*word).to_owned(),
    });
    let words = std::iter::once("test".to_owned()).chain(words);
    let program = Program::try_parse_from(words).expect("good words");
    let mut out = Vec::new();
    let code = run(&program.args, &mut out);
    let folder = folder.path().to_string_lossy().into_owned();
    let out = String::from_utf8(out).expect("text");
    (code, out.replace(&format!("{folder}/"), ""))
}

fn scenario(more: &str) -> String {
    format!("about = 'Over the limit. More.'\nreadings = ['P every 1s: 5x3 9x3']\n{more}\n")
}

#[test]
fn the_plants_own_configuration_is_tested() {
    let expect =
        "config_file = 'plant.toml'\nexpect = [{ t = 3, event = 'raised', alarm = 'P/high' }]";
    let files = [("plant.toml", GOOD_PLANT), ("s.toml", &scenario(expect))];
    assert_eq!(
        test(&files, &["./s.toml"]),
        (
            GOOD,
            "ok      s.toml: Over the limit\n1 scenario, all as written\n".to_owned()
        )
    );
    // Another configuration in its place.
    let other = GOOD_PLANT.replace("high = 8", "high = 80");
    let files = [files[0], files[1], ("draft.toml", &other)];
    let (code, out) = test(&files, &["--config", "./draft.toml", "./s.toml"]);
    assert_eq!(code, FINDINGS);
    assert!(
        out.contains("  s.toml:4:11: expected, did not come: t = 3 s {\"alarm\":\"P/high\""),
        "{out}"
    );
    assert!(out.contains("    given  t = 3        P = 9.0\n"), "{out}");
    assert!(
        out.contains("    seen   t = 3        P = 9.0, good\n"),
        "{out}"
    );
    assert!(out.ends_with("1 scenario, 1 failed\n"), "{out}");
}

#[test]
fn a_folder_is_all_its_scenarios_and_json_is_a_line_each() {
    let own = format!("config = '''{GOOD_PLANT}'''\nexpect = []");
    let files = [
        ("b.toml", scenario(&own)),
        ("a.toml", scenario(&format!("{own}\npoints = ['Q']"))),
    ];
    let files: Vec<_> = files
        .iter()
        .map(|(name, text)| (*name, text.as_str()))
        .collect();
    let (code, out) = test(&files, &["--json", "./"]);
    assert_eq!(code, FINDINGS);
    let lines: Vec<serde_json::Value> = out
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(lines[0]["file"], "a.toml");
    assert_eq!(lines[0]["ok"], true);
    assert_eq!(lines[1]["ok"], false);
    assert!(
        lines[1]["findings"][0]
            .as_str()
            .is_some_and(|text| text.contains("not expected"))
    );
}

#[test]
fn what_could_never_fit_is_a_mistake_with_its_place() {
    for (more, part) in [
        (
            "expect = [{ evnet = 'raised' }]",
            "s.toml:4:11: no event has a field `evnet`; did you mean `event`?",
        ),
        (
            "expect = [{ alarm = 'P/hihg' }]",
            "s.toml:4:11: no alarm \"P/hihg\" is configured; did you mean \"P/high\"?",
        ),
        (
            "expect = []\nnever = [{ point = 'PP' }]",
            "s.toml:5:10: no point \"PP\" is configured",
        ),
        (
            "expect = []\nignore = [{ t = 'soon' }]",
            "s.toml:5:11: `t` is a number of seconds",
        ),
        (
            "expect = []\nuntil = -1.0",
            "s.toml:5:9: `until` counts seconds",
        ),
        (
            "expect = []\nactions = [{ command = 'reset' }]",
            "s.toml:5:12: an action needs its time",
        ),
        (
            "expect = []\nactions = [{ t = 1, command = 'dance' }]",
            "no such command",
        ),
        ("expcet = []", "unknown field `expcet`"),
        ("expect = []\nconfig = ''", "exclude each other"),
    ] {
        let text = scenario(&format!("config_file = 'plant.toml'\n{more}"));
        let (code, out) = test(
            &[("plant.toml", GOOD_PLANT), ("s.toml", &text)],
            &["./s.toml"],
        );
        assert_eq!(code, FINDINGS, "{out}");
        assert!(
            out.contains("could not be run") && out.contains(part),
            "{more}: {out}"
        );
    }
    let text = scenario("config_file = 'plant.toml'\nexpect = []").replace("5x3", "5y3");
    let (_, out) = test(
        &[("plant.toml", GOOD_PLANT), ("s.toml", &text)],
        &["./s.toml"],
    );
    assert!(out.contains("s.toml:2:13: `5y3` in the readings"), "{out}");
}

#[test]
fn a_bad_configuration_and_nothing_to_test_have_codes_of_their_own() {
    let text = scenario("config_file = 'plant.toml'\nexpect = []");
    let (code, out) = test(&[("plant.toml", PLANT), ("s.toml", &text)], &["./s.toml"]);
    assert_eq!(code, BAD_CONFIGURATION);
    assert!(out.contains("plant.toml:6:8"), "{out}");
    assert_eq!(test(&[], &["./"]).0, USAGE);
    assert_eq!(test(&[], &["./missing.toml"]).0, USAGE);
}
