//! Lists that are written: what is exported is read as the same plant.

use std::fs;

use forewarn::commands::points::write_list;
use forewarn::config::Source;

use super::{Scratch, explained, project, reference_with};

/// What `points export` writes.
fn exported(source: Option<&Source>, chinese: bool) -> (String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = write_list(source, chinese, &mut out, &mut err);
    let text = |bytes| String::from_utf8(bytes).expect("what we write is text");
    let (out, err) = (text(out), text(err));
    assert_eq!(code, 0, "{err}");
    (out, err)
}

/// A configuration without its tables of points and its lists.
fn without_points(text: &str) -> String {
    let mut is_point = false;
    let lines = text.lines().filter(|line| {
        if line.starts_with('[') {
            is_point = line.starts_with("[point.");
        }
        !is_point && !line.starts_with("points_csv")
    });
    lines.fold(String::new(), |text, line| text + line + "\n")
}

#[test]
fn what_is_exported_is_read_as_the_same_plant() {
    let scratch = Scratch::new("export");
    let reference = reference_with("points-zh.csv");
    let plant = fs::read_to_string(project().join("tests/point_lists/plant.toml"));
    for text in [reference, plant.expect("a file of the project")] {
        let source = Source::text("plant.toml", &text);
        let (_, before, _) = explained(&source);
        let list = scratch.0.join("points.csv");
        let rest = format!(
            "points_csv = '{}'\n{}",
            list.display(),
            without_points(&text)
        );
        for chinese in [false, true] {
            let (list, err) = exported(Some(&source), chinese);
            assert_eq!(err, "");
            assert!(list.starts_with('\u{feff}'), "a spreadsheet needs its mark");
            assert_eq!(list.contains("高高报"), chinese);
            scratch.write("points.csv", &list);
            let (code, after, err) = explained(&Source::text("plant.toml", &rest));
            assert_eq!((code, err.as_str()), (0, ""), "{list}");
            assert_eq!(after, before);
            let again = exported(Some(&Source::text("plant.toml", &rest)), chinese).0;
            assert_eq!(again, list);
        }
    }
}

#[test]
fn the_list_to_begin_with_is_read() {
    let scratch = Scratch::new("template");
    for chinese in [false, true] {
        let (list, _) = exported(None, chinese);
        assert_eq!(list.lines().count(), 2);
        let plant = "site = \"a\"\n[device.gd-01]\nmodbus = \"tcp://127.0.0.1\"\n[person.p]\n[area.tank-farm]\nresponsible = [\"p\"]\n";
        let empty = Source::text("a.toml", plant);
        assert_eq!(exported(Some(&empty), chinese).0, list, "of no points");
        let path = scratch.write("points.csv", &list);
        let plant = format!("points_csv = '{}'\n{plant}", path.display());
        let (code, out, err) = explained(&Source::text("a.toml", &plant));
        assert_eq!((code, err.as_str()), (0, ""));
        assert!(out.contains("at or above 25 %LEL"), "{out}");
    }
}

#[test]
fn a_formula_is_told_when_it_is_read_and_when_it_is_written() {
    let scratch = Scratch::new("formula");
    let source = scratch.plant("id,name,register\nP,=1+1,coil:0\n-Q,-,coil:1\n");
    let (code, _, err) = explained(&source);
    assert_eq!(code, 0, "{err}");
    assert_eq!(
        err.matches("takes a text with this beginning for a formula")
            .count(),
        2,
        "{err}"
    );
    assert!(err.contains("points.csv:2:3, column \"name\"\n"), "{err}");
    let (list, err) = exported(Some(&source), false);
    assert!(list.contains("P,=1+1,coil:0"), "{list}");
    assert!(
        err.ends_with("with = + - @: name of P, id of -Q\n"),
        "{err}"
    );
}

#[test]
fn a_configuration_with_mistakes_is_not_exported() {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let source = Source::text("a.toml", "site = \"a\"\n[point.P]\nhihg = 1\n");
    assert_eq!(write_list(Some(&source), false, &mut out, &mut err), 78);
    assert!(out.is_empty());
    let err = String::from_utf8(err).expect("what we write is text");
    assert!(
        err.contains("did you mean `high`?") && err.ends_with("nothing was written\n"),
        "{err}"
    );
}

#[test]
fn half_a_list_is_told() {
    let mut room = [0; 50];
    let mut err = Vec::new();
    assert_eq!(
        write_list(None, false, &mut room.as_mut_slice(), &mut err),
        1
    );
    let err = String::from_utf8(err).expect("what we write is text");
    assert!(
        err.starts_with("error: the list is not written, or not all of it"),
        "{err}"
    );
}

#[test]
fn a_text_that_looks_like_something_else_stays_a_text() {
    let scratch = Scratch::new("texts");
    let plant = "site = \"a\"\n[device.d]\nmodbus = \"tcp://127.0.0.1\"\n[broker.b]\nurl = \"mqtt://127.0.0.1\"\n";
    let points = "[point.101]\nname = \"007\"\nunit = \"1\"\nregister = \"input:0\"\ntype = \"int16\"\n\
        invalid_raw = [\"0x8000\", 0x7FFF]\nenum = { 0 = \"a;b\", 1 = \"say \\\"\\u00e9\\\"\" }\n\
        [point.true]\nname = \"a,\\tb\\nc \\\"d\\\"\"\nunit = \"1\"\nregister = \"input:1\"\ntype = \"float32\"\n\
        table = [[0, 0.0], [1.5e3, -2]]\ndeviation = { from = \"101\", limit = { low = -1, high = 2.5 } }\n\
        frozen = { after = \"1min\", while = { point = \"P\", is = 0 } }\n[point.true.alarm.deviation]\nsuppressed_by = \"P\"\n\
        [point.P]\nregister = \"coil:1\"\nstate = { when = 0 }\n[point.P.alarm.stale]\n\
        [point.Q]\ntopic = \"12\"\nvalue = \"/0\"\nhigh = 3\n[point.Q.alarm.high]\ncause = \"[x]\"\nlatching = false\n";
    let source = Source::text("a.toml", &format!("{plant}{points}"));
    let (code, before, err) = explained(&source);
    assert_eq!(code, 0, "{err}");
    let (list, _) = exported(Some(&source), false);
    let path = scratch.write("points.csv", &list);
    let plant = format!("points_csv = '{}'\n{plant}", path.display());
    let (code, after, err) = explained(&Source::text("a.toml", &plant));
    assert_eq!(code, 0, "{list}{err}");
    assert_eq!(after, before, "{list}");
}
