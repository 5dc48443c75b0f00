//! Lines, good and wrong.

use super::*;

fn parse(text: &str) -> Result<Line, String> {
    super::parse(text, |_named| Ok(PointIndex(0)))
}

#[test]
fn a_name_with_escapes_is_the_same_name() {
    let find = |named: Named<'_>| Err(format!("{named:?}"));
    for id in ["罐区-1", r"\u7f50区-1"] {
        let line = format!(r#"{{"t": 1, "point": "{id}", "value": 2}}"#);
        assert_eq!(
            super::parse(&line, find),
            Err("Point(\"罐区-1\")".to_owned())
        );
    }
}

#[test]
fn the_lines_of_the_contract() {
    let good = [
        r#"{"t": 12.0, "point": "PT-330", "value": 7.91}"#,
        r#"{"t": 12.5, "point": "CO-12", "value": 31.0, "source_time": "2026-05-04T06:10:11Z", "sequence": 311}"#,
        r#"{"t": 13.0, "point": "FT-77", "raw": 11.6}"#,
        r#"{"t": 14.0, "point": "VIB-9B", "quality": "bad", "reason": "device_failure"}"#,
        r#"{"t": 15, "point": "GD-201", "value": 7, "status": "out_of_specification"}"#,
        r#"{"t": 15.5, "point": "LT-40", "value": 2.2, "source_time": "2026-05-04T05:58:00Z", "retained": true}"#,
        r#"{"t": 20, "device": "gd-01", "lost": true}"#,
        r#"{"t": 21, "broker": "plant", "lost": false}"#,
        r#"{"t": 30, "command": "acknowledge", "alarm": "CO-12/high", "occurrence": 3, "by": "li-wei", "comment": "going there"}"#,
        r#"{"t": 40, "command": "shelve", "alarm": "VIB-9B/high", "for": "2h", "by": "li-wei", "reason": "coupling exchange"}"#,
        r#"{"t": 41, "command": "unshelve", "alarm": "VIB-9B/high", "by": "li-wei"}"#,
        r#"{"t": 42, "command": "acknowledge", "alarm": "A/high", "by": "li-wei", "for": "10min"}"#,
        r#"{"t": 45, "command": "out_of_service", "alarm": "PT-330/high", "for": "8h", "by": "li-wei", "approved_by": "wang-fang", "permit": "P-2210"}"#,
        r#"{"t": 46, "command": "in_service", "alarm": "PT-330/high", "by": "li-wei"}"#,
        r#"{"t": 47, "command": "drill", "alarm": "CO-12/high", "for": "10min", "by": "li-wei", "reason": "monthly"}"#,
        r#"{"t": 48, "command": "acknowledge", "alarm": "CO-12/high/drill", "by": "li-wei"}"#,
        r#"{"t": 49, "command": "drill_end", "alarm": "CO-12/high", "by": "li-wei"}"#,
        r#"{"t": 49.2, "command": "confirm", "alarm": "CO-12/high", "occurrence": 3, "by": "li-wei", "comment": "valve closed"}"#,
        r#"{"t": 49.5, "command": "first_out_reset", "group": "TRIP-7", "by": "li-wei", "reason": "known"}"#,
        r#"{"t": 50, "command": "reset", "alarm": "CH4-101/over_range", "by": "li-wei", "verified_independently": true}"#,
        r#"{"t": 120, "wall_step": -90.5}"#,
        r#"{"t": 260, "kill": true}"#,
        r#"{"t": 300, "start": true}"#,
    ];
    for line in good {
        parse(line).unwrap_or_else(|error| unreachable!("{line}: {error}"));
    }
}

#[test]
fn wrong_lines_say_what_is_wrong() {
    for (line, part) in [
        ("12", "a line is an object"),
        (r#"[1, "A", 2]"#, "a line is an object"),
        (r#"{"t": 1, }"#, "trailing comma at column 10"),
        ("{}", "missing field `t`"),
        (r#"{"t": -1, "kill": true}"#, "seconds from 0"),
        (r#"{"t": 1}"#, "exactly one of"),
        (r#"{"t": 1, "kill": true, "start": true}"#, "exactly one of"),
        (r#"{"t": 1, "point": "A"}"#, "`value` or `raw`"),
        (
            r#"{"t": 1, "point": "A", "value": 1, "raw": 2}"#,
            "`value` or `raw`",
        ),
        (
            r#"{"t": 1, "point": "A", "value": "1"}"#,
            "invalid type: string",
        ),
        (r#"{"t": 1, "point": "A", "value": 1e999}"#, "out of range"),
        (
            r#"{"t": 1, "point": "A", "valeu": 1}"#,
            "unknown field `valeu`",
        ),
        (
            r#"{"t": 1, "point": "A", "quality": "bad", "value": 0}"#,
            "no `value`",
        ),
        (
            r#"{"t": 1, "point": "A", "quality": "bad", "reason": "tired"}"#,
            "unknown variant `tired`",
        ),
        (
            r#"{"t": 1, "point": "A", "value": 1, "status": "unknown"}"#,
            "expected one of `good`, `maintenance`, `out_of_specification`, `function_check`, `failure`",
        ),
        (
            r#"{"t": 1, "command": "shelve", "alarm": "A/high", "for": 2}"#,
            "invalid type: integer",
        ),
        (
            r#"{"t": 1, "command": "shelve", "alarm": "A/high", "for": "2 hours"}"#,
            "`for` is not a duration: write \"2h\"",
        ),
        (
            r#"{"t": 1, "command": "dance", "alarm": "A/high"}"#,
            "no such command; it knows",
        ),
        (
            r#"{"t": 1, "command": "acknowledge", "by": "x"}"#,
            "names its `alarm`",
        ),
        (
            r#"{"t": 1, "command": "first_out_reset", "alarm": "G", "by": "x"}"#,
            "`first_out_reset` has no `alarm`; it takes `group`",
        ),
        (
            r#"{"t": 1, "command": "first_out_reset", "by": "x"}"#,
            "names its `group`",
        ),
        (
            r#"{"t": 1, "command": "first_out_reset", "group": "ROW", "alarm": "A/high", "by": "x"}"#,
            "`first_out_reset` has no `alarm`",
        ),
        (
            r#"{"t": 1, "command": "acknowledge", "group": "ROW", "alarm": "A/high", "by": "x"}"#,
            "`acknowledge` has no `group`; it takes `alarm`, `by`, `comment`, `occurrence`, `for`",
        ),
        (
            r#"{"t": 1, "command": "confirm", "alarm": "A/high", "by": "x", "for": "1h"}"#,
            "`confirm` has no `for`",
        ),
        (
            r#"{"t": 1, "command": "unshelve", "alarm": "A/high", "by": "x", "value": 9}"#,
            "`unshelve` has no `value`",
        ),
        (
            r#"{"t": 1, "command": "shelve", "alarm": "A/high", "by": "x", "for": "1h", "reason": "r", "permit": "P"}"#,
            "`shelve` has no `permit`",
        ),
    ] {
        let error = parse(line).expect_err(line);
        assert!(error.contains(part), "{line}: {error}");
    }
}
