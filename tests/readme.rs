//! What the README shows is what the program does.

use std::fs;

use forewarn::config::{self, Source};

fn ours(path: &str) -> String {
    let project = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    fs::read_to_string(project.join(path)).expect("a file of ours")
}

fn readme() -> String {
    ours("README.md")
}

/// The fenced blocks in `language`.
fn blocks(language: &str) -> Vec<String> {
    let readme = readme();
    let fences = readme.split("\n```").skip(1).step_by(2);
    fences
        .filter_map(|block| block.strip_prefix(language))
        .map(|block| block.trim_start_matches('\n').to_owned())
        .collect()
}

#[test]
fn the_example_configuration_loads_without_a_word() {
    let examples = blocks("toml");
    assert_eq!(examples.len(), 1, "one example");
    let loaded = config::load(&Source::text("README.md", &examples[0]));
    let (config, warnings) = loaded.unwrap_or_else(|mistakes| unreachable!("{mistakes}"));
    assert!(warnings.is_empty(), "{warnings:?}");
    let point = &config.engine.points[0];
    let kinds: Vec<_> = point
        .alarms
        .iter()
        .map(|alarm| alarm.kind().name())
        .collect();
    assert_eq!(kinds, ["high", "high_high", "rise", "bad", "stale"]);
}

/// What a letter really says stands in these files, word by word; the README shows some of them.
#[test]
fn the_messages_it_shows_are_what_people_get() {
    let said = ours("src/wording/tests/page.txt");
    let blocks = blocks("text");
    for beginning in ["Critical alarm.", "紧急报警。"] {
        let shown = blocks.iter().find(|block| block.starts_with(beginning));
        let shown = shown.expect("the message is shown");
        assert!(said.contains(shown.trim()), "{shown}\nnot in\n{said}");
    }
    let short = blocks.iter().find(|block| block.starts_with("[HH GAS]"));
    let short = short.expect("a text message is shown").trim();
    assert!(said.contains(&format!("Short: {short}\n")), "{short}");
}

#[test]
fn the_mistake_it_shows_reads_like_that() {
    let text = "site = \"a\"\n[area.reactor]\n[device]\nd = { modbus = \"tcp://192.0.2.1\" }\n\
                [point.P]\nregister = \"input:0\"\ntype = \"uint16\"\narea = \"reactr\"\nhigh = 1\n";
    let mistakes = config::load(&Source::text("forewarn.toml", text)).expect_err("a mistake");
    let shown = blocks("text");
    let shown = shown
        .iter()
        .find(|block| block.starts_with("error["))
        .expect("a mistake is shown");
    let said = mistakes.to_string();
    for line in shown
        .lines()
        .filter(|line| !line.contains("-->") && !line.contains("16 |"))
    {
        assert!(said.contains(line.trim()), "{line}\nnot in\n{said}");
    }
}

#[test]
fn the_limits_of_the_claim_are_stated() {
    for words in [
        "not a safety instrumented system",
        "must work with this software stopped",
    ] {
        assert!(readme().replace("\n> ", " ").contains(words), "{words}");
    }
}

#[test]
fn what_misses_its_goal_is_named_among_the_facts() {
    let results = ours("bench/RESULTS.md");
    let readme = readme();
    let facts = readme.split("## Facts").nth(1).expect("a section of facts");
    let misses = facts
        .split("Known misses")
        .nth(1)
        .expect("a list of misses");
    let misses = misses.split("\n\n").next().unwrap_or_default();
    let rows = results.lines().filter(|line| line.starts_with("| P"));
    let missed = rows.filter(|row| row.ends_with("| **not met** |"));
    for row in missed {
        let goal = row.split('|').nth(1).unwrap_or_default().trim();
        assert!(
            misses.contains(&format!("({goal})")),
            "{goal} is missed: {row}"
        );
    }
}
