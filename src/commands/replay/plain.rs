//! The everyday line, `{"t": 12, "point": "PT-330", "value": 7.9}`, understood in one look. Recordings
//! are made of millions of them, and a parser that is ready for everything costs more than the engine.
//!
//! What does not look exactly so (another order, more fields, an escape, an exponent) is left to that
//! parser, and so is everything that is wrong: it has the words for it.

/// A reading of good quality without a time of its source.
#[derive(Debug, PartialEq)]
pub(super) struct Plain<'a> {
    pub(super) t: f64,
    pub(super) point: &'a str,
    pub(super) value: f64,
}

/// `None`: the line may be good, but it is not plain.
pub(super) fn read(line: &str) -> Option<Plain<'_>> {
    let (t, rest) = number(behind(behind(behind(line, "{")?, "\"t\"")?, ":")?)?;
    let rest = behind(behind(behind(rest, ",")?, "\"point\"")?, ":")?;
    let (point, rest) = text(behind(rest, "\"")?)?;
    let (value, rest) = number(behind(behind(behind(rest, ",")?, "\"value\"")?, ":")?)?;
    let end = behind(rest, "}")?;
    (end.trim_ascii().is_empty()).then_some(Plain { t, point, value })
}

/// What stands behind `mark`, which may stand behind spaces.
fn behind<'a>(text: &'a str, mark: &str) -> Option<&'a str> {
    text.trim_ascii_start().strip_prefix(mark)
}

/// A text without escapes up to its closing quote, and what stands behind it.
fn text(text: &str) -> Option<(&str, &str)> {
    let special = |byte: &u8| matches!(byte, b'"' | b'\\' | ..=0x1f);
    let end = text.as_bytes().iter().position(special)?;
    let rest = text.get(end..)?.strip_prefix('"')?;
    Some((text.get(..end)?, rest))
}

/// A number of digits with or without a fraction, as JSON writes it, and what stands behind it.
fn number(text: &str) -> Option<(f64, &str)> {
    let text = text.trim_ascii_start();
    let digits = |from: usize| {
        let rest = text.as_bytes().get(from..).unwrap_or_default();
        rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
    };
    let begin = usize::from(text.starts_with('-'));
    let whole = digits(begin);
    let mut end = begin + whole;
    if whole == 0 || (whole > 1 && text.as_bytes().get(begin) == Some(&b'0')) {
        return None;
    }
    if text.as_bytes().get(end) == Some(&b'.') {
        let fraction = digits(end + 1);
        if fraction == 0 {
            return None;
        }
        end += 1 + fraction;
    }
    let (number, rest) = text.split_at_checked(end)?;
    // An exponent may follow, or the number may be too large: the parser knows.
    let number: f64 = number
        .parse()
        .ok()
        .filter(|number: &f64| number.is_finite())?;
    Some((number, rest)).filter(|_| !rest.starts_with(['e', 'E']))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::connection::Named;
    use super::super::input;
    use super::*;
    use crate::engine::reading::PointIndex;

    #[test]
    fn what_is_not_plain_is_left_to_the_parser() {
        let plain = read(r#" { "t":12 ,"point": "PT-330" , "value":-7.90}"#);
        let expected = Plain {
            t: 12.0,
            point: "PT-330",
            value: -7.9,
        };
        assert_eq!(plain, Some(expected));
        for line in [
            r#"{"t": 1, "point": "A", "value": 1e3}"#,
            r#"{"t": 1, "point": "A", "value": 01}"#,
            r#"{"t": 1, "point": "A", "value": 1.}"#,
            r#"{"t": 1, "point": "A", "value": .5}"#,
            r#"{"t": 1, "point": "A", "value": +1}"#,
            r#"{"t": 1, "point": "A", "value": -}"#,
            r#"{"t": 1, "point": "A", "value": NaN}"#,
            r#"{"t": 1, "point": "\u0041", "value": 1}"#,
            "{\"t\": 1, \"point\": \"A\tB\", \"value\": 1}",
            r#"{"t": 1, "point": "A", "value": 1, "retained": true}"#,
            r#"{"t": 1, "point": "A", "value": 1} {}"#,
            r#"{"t": 1, "point": "A", "value": 1"#,
            r#"{"point": "A", "t": 1, "value": 1}"#,
            r#"{"t": 1, "kill": true}"#,
            "",
        ] {
            assert_eq!(read(line), None, "{line}");
        }
        let huge = format!(r#"{{"t": 1, "point": "A", "value": 1{}}}"#, "0".repeat(400));
        assert_eq!(read(&huge), None);
    }

    proptest! {
        /// Whatever is understood here, the parser understands alike.
        #[test]
        fn agrees_with_the_parser(
            t in "(0|[1-9][0-9]{0,7})(\\.[0-9]{1,12})?|-?[0-9.eE+-]{0,9}",
            point in "[a-zA-Z0-9 _./\\\\\"é温\t-]{0,9}",
            value in "-?(0|[1-9][0-9]{0,17})(\\.[0-9]{1,20})?|[0-9.eE+-]{0,9}",
            space in "[ \t]{0,2}",
        ) {
            let line = format!(
                r#"{{{space}"t":{t}{space},"point":{space}"{point}", "value":{space}{value}}}"#
            );
            let seen = std::cell::RefCell::new(Vec::new());
            let find = |named: Named<'_>| {
                let Named::Point(point) = named else {
                    return Err("a plain line names a point".to_owned());
                };
                seen.borrow_mut().push(point.to_owned());
                Ok(PointIndex(0))
            };
            let parsed = input::parse_any(&line, find);
            if let Some(plain) = read(&line) {
                let found = |_named: Named<'_>| Ok(PointIndex(0));
                prop_assert_eq!(&parsed, &input::parse(&line, found));
                if parsed.is_ok() {
                    prop_assert_eq!(&*seen.borrow(), &[plain.point.to_owned()]);
                }
            }
        }
    }
}
