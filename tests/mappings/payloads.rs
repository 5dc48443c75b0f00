//! Words, numbers in quotes, quality, units, SenML.

use super::Plant;

/// A point of its own topic, with `keys`.
fn point(keys: &str) -> Plant {
    Plant::new(&format!(
        "[point.P]\ntopic = \"t\"\nunit = \"degC\"\n{keys}\n"
    ))
}

#[track_caller]
fn check(keys: &str, cases: &[(&str, &str)]) {
    let mut plant = point(keys);
    for (payload, expected) in cases {
        assert_eq!(plant.hear("t", payload), *expected, "{keys}: {payload}");
    }
}

#[test]
fn words_stand_for_numbers() {
    const BAD: &str = "P=bad:sensor_failure [unknown_word";
    check(
        "words = { ON = 1, OFF = 0, true = 5, \"half open\" = 0.5 }",
        &[
            ("ON", "P=1"),
            (" OFF\n", "P=0"),
            ("\"ON\"", "P=1"),
            ("half open", "P=0.5"),
            ("true", "P=5"),
            ("7", "P=7"),
            ("on", &format!("{BAD} on]")),
            ("ONE", &format!("{BAD} ONE]")),
            ("null", &format!("{BAD} null]")),
            ("{}", &format!("{BAD} {{}}]")),
            ("\"7\"", &format!("{BAD} 7]")),
        ],
    );
    check(
        "value = \"/s\"\nwords = { open = 1, closed = 0, true = 2 }",
        &[
            (r#"{"s":"open"}"#, "P=1"),
            (r#"{"s":true}"#, "P=2"),
            (r#"{"s":7.5}"#, "P=7.5"),
            (r#"{"s":"Open"}"#, &format!("{BAD} Open]")),
            (r#"{"s":false}"#, "P=bad:sensor_failure [not_a_number]"),
            (r#"{"s":null}"#, "P=bad:sensor_failure [not_a_number]"),
        ],
    );
}

#[test]
fn numbers_in_quotes_are_numbers_when_that_is_asked_for() {
    const BAD: &str = "P=bad:sensor_failure [not_a_number]";
    check(
        "value = \"/v\"\ntext_numbers = true",
        &[
            (r#"{"v":"7.5"}"#, "P=7.5"),
            (r#"{"v":"-1e3"}"#, "P=-1000"),
            (r#"{"v":7}"#, "P=7"),
            (r#"{"v":"7,5"}"#, BAD),
            (r#"{"v":"7.5 mm"}"#, BAD),
            (r#"{"v":"NaN"}"#, BAD),
            (r#"{"v":"1e999"}"#, BAD),
            (r#"{"v":""}"#, BAD),
            (r#"{"v":"+7"}"#, BAD),
        ],
    );
    check(
        "text_numbers = true",
        &[("\"7.5\"", "P=7.5"), ("\"x\"", BAD)],
    );
    check("value = \"/v\"", &[(r#"{"v":"7.5"}"#, BAD)]);
}

#[test]
fn a_source_may_say_what_its_value_is_worth() {
    const BAD: &str = "P=bad:source_bad [source_bad";
    check(
        "value = \"/v\"\nquality = \"/q\"\ngood = [\"ok\", 192, true]\nuncertain = [\"old\"]",
        &[
            (r#"{"v":7,"q":"ok"}"#, "P=7"),
            (r#"{"v":7,"q":192}"#, "P=7"),
            (r#"{"v":7,"q":true}"#, "P=7"),
            (r#"{"v":7,"q":"old"}"#, "P=7?"),
            (
                r#"{"v":7,"q":"broken wire"}"#,
                &format!("{BAD} broken wire]"),
            ),
            (r#"{"v":null,"q":"lost"}"#, &format!("{BAD} lost]")),
            (r#"{"v":7,"q":"OK"}"#, &format!("{BAD} OK]")),
            (r#"{"v":7,"q":0}"#, &format!("{BAD} 0]")),
            (r#"{"v":7}"#, &format!("{BAD}]")),
            (r#"{"v":7,"q":null}"#, &format!("{BAD}]")),
            (r#"{"v":7,"q":"ok","q":"ok"}"#, "[duplicate_key]"),
        ],
    );
    let mut plant = point("value = \"/v\"\nquality = \"/q\"\ngood = [\"ok\"]");
    let retained = plant.find("t", r#"{"v":7,"q":"lost"}"#);
    assert_eq!(retained, "[source_bad lost]", "of unknown age");
}

#[test]
fn a_value_in_another_unit_is_none() {
    const BAD: &str = "P=bad:wrong_unit [wrong_unit";
    check(
        "value = \"/v\"\nunit_at = \"/u\"\nunit_words = { Cel = \"degC\" }",
        &[
            (r#"{"v":7,"u":"degC"}"#, "P=7"),
            (r#"{"v":7,"u":"Cel"}"#, "P=7"),
            (r#"{"v":7,"u":"degF"}"#, &format!("{BAD} degF]")),
            (r#"{"v":7}"#, &format!("{BAD}]")),
            (r#"{"v":7,"u":5}"#, &format!("{BAD}]")),
        ],
    );
}

const SENML: &str = "[mapping.s]\ntopic = \"senml/#\"\nformat = \"senml\"\nname = \"urn:dev:ow:{device}:{quantity}\"\n\
    point = \"{device}-{quantity}\"\nunit_words = { Cel = \"degC\", A = \"A\" }\n\
    [point.d1-temp]\nmapping = \"s\"\nunit = \"degC\"\n[point.d1-cur]\nmapping = \"s\"\nunit = \"A\"\n\
    [point.d1-open]\nmapping = \"s\"\nunit = \"-\"\nstate = { when = 1 }\n";

#[test]
fn senml_records_are_resolved_and_come_oldest_first() {
    let mut plant = Plant::new(SENML);
    let base = r#""bn":"urn:dev:ow:d1:""#;
    for (records, expected) in [
        // The list of the RFC's section 5.1.3, shortened: one base, several times.
        (
            r#"{BASE,"bt":1.8e9,"bu":"A","bver":5,"n":"cur","v":1.2},{"n":"cur","t":-5,"v":1.3},{"n":"temp","u":"Cel","t":-4,"v":20}"#,
            "d1-cur=1.3@-5000ms d1-temp=20@-4000ms d1-cur=1.2@0ms",
        ),
        // Times below 2^28 are relative to now, and none is now.
        (
            r#"{BASE,"n":"cur","t":-1.5,"v":1},{"n":"cur","v":2}"#,
            "d1-cur=1@-1500ms d1-cur=2",
        ),
        (
            r#"{BASE,"bt":-10,"n":"cur","t":4,"v":1}"#,
            "d1-cur=1@-6000ms",
        ),
        // A base value is added; alone it is none.
        (r#"{BASE,"bv":20,"n":"temp","v":1.5}"#, "d1-temp=21.5"),
        (r#"{BASE,"bv":20},{"n":"temp","v":0}"#, "d1-temp=20"),
        (r#"{BASE,"n":"open","vb":true}"#, "d1-open=1"),
        (
            r#"{BASE,"n":"temp","vb":true}"#,
            "d1-temp=bad:sensor_failure [not_a_number]",
        ),
        (
            r#"{BASE,"n":"temp","u":"K","v":300}"#,
            "d1-temp=bad:wrong_unit [wrong_unit K]",
        ),
        (r#"{BASE,"n":"temp","s":5}"#, "[no_senml_value]"),
        (r#"{BASE,"n":"temp","vs":"x"}"#, "[no_senml_value]"),
        (
            r#"{BASE,"n":"temp","v":"5"}"#,
            "d1-temp=bad:sensor_failure [not_a_number]",
        ),
        (r#"{BASE,"n":"temp","v":5,"v":6}"#, "[duplicate_key]"),
        (r#"{BASE,"n":"temp","v":1,"x_":1}"#, "[not_senml]"),
        (r#"{BASE,"bver":11,"n":"temp","v":1}"#, "[not_senml]"),
        (
            r#"{BASE,"n":"hum","v":1}"#,
            "[unknown_point urn:dev:ow:d1:hum]",
        ),
        (r#"{"n":"temp","v":1}"#, "[unknown_point temp]"),
        (r#"{"v":1}"#, "[not_senml]"),
        (r#"{BASE,"n":"temp","t":"now","v":1}"#, "[bad_time]"),
        (
            r#"{BASE,"n":"temp","t":1e300,"v":1}"#,
            "[time_out_of_range]",
        ),
        (
            r#"{BASE,"n":"temp","v":1},{"n":"temp","v":2}"#,
            "d1-temp=1 [second_value]",
        ),
        ("7", "[not_senml]"),
        ("", ""),
    ] {
        let pack = format!("[{}]", records.replace("BASE", base));
        assert_eq!(plant.hear("senml/a", &pack), expected, "{records}");
    }
    assert_eq!(plant.hear("senml/a", "{}"), "[not_senml]");
    assert_eq!(plant.hear("senml/a", "[{\"v\":1e999}]"), "[not_a_number]");
    assert_eq!(plant.hear("senml/a", "x"), "[not_json]");
}
