//! What stands in a cell: a text, or the value that the same key has in TOML.
//!
//! Numbers are strict. `1,234` is one number where the decimal sign is a comma and another where it is a
//! point, so a cell is read only where one reading is left. Everything else has TOML's own notation:
//! `[0, 100]`, `{ point = "PUMP-7", is = 0 }`, and a text in quotes where it would be taken for a number.

use super::super::place::Place;
use super::super::tree::{self, Value};

/// The decimal sign of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decimal {
    Point,
    Comma,
}

impl Decimal {
    pub(super) const WORDS: [(&'static str, Self); 2] =
        [("point", Self::Point), ("comma", Self::Comma)];

    const fn signs(self) -> (char, char, &'static str) {
        match self {
            Self::Point => ('.', ',', "comma"),
            Self::Comma => (',', '.', "point"),
        }
    }
}

/// What is wrong with a cell, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) what: String,
    pub(super) hint: String,
}

/// Keys with two numbers.
const PAIRS: [&str; 4] = ["range", "raw_range", "valid_range", "bits"];

/// Keys with a list of numbers.
const LISTS: [&str; 1] = ["invalid_raw"];

/// Between two numbers.
const TO: [&str; 6] = ["..", "~", "～", "至", " to ", "–"];

/// Flags as spreadsheets and people write them.
const FLAGS: [(&str, bool); 10] = [
    ("true", true),
    ("false", false),
    ("yes", true),
    ("no", false),
    ("wahr", true),
    ("falsch", false),
    ("是", true),
    ("否", false),
    ("真", true),
    ("假", false),
];

/// The value of a cell that is not empty. `key` is the last part of the column's key.
pub(super) fn value(key: &str, cell: &str, decimal: Decimal, place: Place) -> Result<Value, Wrong> {
    if cell.starts_with(['[', '{', '"', '\'']) {
        return tree::literal(cell, place).map_err(|error| Wrong {
            what: format!("`{key}`: this is no value in TOML's notation: {error}"),
            hint: "as in a .toml file: [0, 100] or { median = \"10min\" }".to_owned(),
        });
    }
    let lowered = cell.to_lowercase();
    if let Some((_, flag)) = FLAGS.iter().find(|(word, _)| *word == lowered) {
        return Ok(Value::Flag(*flag));
    }
    let listed = |items: Vec<Value>| {
        let items = items.into_iter();
        Value::List(items.map(|value| tree::Item { place, value }).collect())
    };
    if PAIRS.contains(&key)
        && let Some((low, high)) = pair(cell)
    {
        let (low, high) = (number(key, low, decimal)?, number(key, high, decimal)?);
        return Ok(listed(vec![low, high]));
    }
    if LISTS.contains(&key) {
        let numbers = cell.split_whitespace();
        let numbers = numbers.map(|one| number(key, one, decimal));
        return Ok(listed(numbers.collect::<Result<_, _>>()?));
    }
    if is_like_a_number(cell) {
        return number(key, cell, decimal);
    }
    Ok(Value::Text(cell.to_owned()))
}

/// Two numbers as people write them: `0..100`, `0~100`, `-20-50`.
fn pair(cell: &str) -> Option<(&str, &str)> {
    if let Some(pair) = TO.iter().find_map(|to| cell.split_once(to)) {
        return Some((pair.0.trim(), pair.1.trim()));
    }
    // A minus right behind a digit stands between two numbers; that of an exponent stands behind an e.
    let (at, _) = cell.char_indices().find(|(at, c)| {
        let before = cell[..*at].trim_end();
        *c == '-' && before.ends_with(|c: char| c.is_ascii_digit())
    })?;
    Some((cell[..at].trim(), cell[at + 1..].trim()))
}

/// Whoever writes this means a number, if only a wrong one.
fn is_like_a_number(cell: &str) -> bool {
    let hex = cell.strip_prefix("0x");
    if hex.is_some_and(|digits| digits.chars().all(|c| c.is_ascii_hexdigit())) {
        return true;
    }
    let allowed = |c: char| {
        c.is_ascii_digit()
            || matches!(
                c,
                '+' | '-' | '\u{2212}' | '.' | ',' | '\'' | ' ' | '\u{a0}'
            )
    };
    let mantissa = cell.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-'));
    let mantissa = mantissa.strip_suffix(['e', 'E']).unwrap_or(cell);
    mantissa.chars().all(allowed) && mantissa.contains(|c: char| c.is_ascii_digit())
}

/// A number with this decimal sign, without marks between thousands.
fn number(key: &str, cell: &str, decimal: Decimal) -> Result<Value, Wrong> {
    if let Some(digits) = cell.strip_prefix("0x")
        && let Ok(number) = i64::from_str_radix(digits, 16)
        && !digits.starts_with(['+', '-'])
    {
        return Ok(Value::Integer(number));
    }
    let (sign, other, _) = decimal.signs();
    let is_number = |text: &str, sign: char| {
        let text = text.strip_prefix(['+', '-']).unwrap_or(text);
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        let (whole, part) = mantissa.split_once(sign).unwrap_or((mantissa, "0"));
        let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
        let all = [whole, part, exponent].into_iter().all(digits);
        all && !part.is_empty() && !exponent.is_empty() && !mantissa.is_empty()
    };
    if !is_number(cell, sign) {
        return Err(wrong(key, cell, decimal, is_number(cell, other)));
    }
    let text = cell.replace(sign, ".");
    if text.contains(['.', 'e', 'E']) {
        // What is too large becomes infinite here and is refused where the number is used.
        let number = text.parse::<f64>();
        return number
            .map(Value::Float)
            .map_err(|_| plainly_wrong(key, cell));
    }
    let number = text.parse::<i64>();
    number.map(Value::Integer).map_err(|_| Wrong {
        what: format!("`{key}`: {cell} is too large a number"),
        hint: "what is measured has fewer digits".to_owned(),
    })
}

/// Says what a cell that is no number may mean; `with_other`: it is one with the other decimal sign.
fn wrong(key: &str, cell: &str, decimal: Decimal, with_other: bool) -> Wrong {
    let (sign, other, word) = decimal.signs();
    if !with_other {
        return plainly_wrong(key, cell);
    }
    let decimals = cell.replace(other, &sign.to_string());
    let (whole, part) = cell.split_once(other).unwrap_or((cell, ""));
    let thousands = part.len() == 3 && !whole.trim_start_matches(['+', '-', '0']).is_empty();
    let whole_file = format!(
        "if every number of the list has a {word}, say so: \
         points_csv = {{ file = \"FILE\", decimal = \"{word}\" }}"
    );
    if thousands {
        return Wrong {
            what: format!("`{key}`: {cell} may mean {whole}{part} or {decimals}"),
            hint: format!("write {whole}{part} or {decimals}; {whole_file}"),
        };
    }
    let (here, name) = match decimal {
        Decimal::Point => ("a point", "comma"),
        Decimal::Comma => ("a comma", "point"),
    };
    Wrong {
        what: format!("`{key}`: {cell} has a decimal {name}, and in this file it is {here}"),
        hint: format!("write {decimals}; {whole_file}"),
    }
}

fn plainly_wrong(key: &str, cell: &str) -> Wrong {
    let digits = cell.chars().filter(|c| !matches!(c, ' ' | '\u{a0}' | '\''));
    let digits: String = digits
        .map(|c| if c == '\u{2212}' { '-' } else { c })
        .collect();
    let hint = if digits.parse::<i64>().is_ok() {
        format!("write {digits}: without anything between the digits, and with a plain minus sign")
    } else {
        "write digits only, as in 25 or 0.5; a spreadsheet may have made a date of it".to_owned()
    };
    Wrong {
        what: format!("`{key}`: {cell} is not a number"),
        hint,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Place = Place {
        file: 1,
        start: 5,
        end: 9,
    };

    fn read(key: &str, cell: &str, decimal: Decimal) -> String {
        match value(key, cell, decimal, HERE) {
            Ok(value) => shown(&value),
            Err(wrong) => format!("{} | {}", wrong.what, wrong.hint),
        }
    }

    fn shown(value: &Value) -> String {
        match value {
            Value::Text(text) => format!("text {text}"),
            Value::Integer(number) => format!("whole {number}"),
            Value::Float(number) => format!("float {number}"),
            Value::Flag(flag) => flag.to_string(),
            Value::List(items) => {
                assert!(items.iter().all(|item| item.place == HERE));
                let items: Vec<String> = items.iter().map(|item| shown(&item.value)).collect();
                format!("[{}]", items.join(", "))
            }
            Value::Table(section) => {
                let entries = section.entries.iter();
                let entries = entries.map(|entry| {
                    assert_eq!((entry.key.place, entry.item.place), (HERE, HERE));
                    format!("{} = {}", entry.key.value, shown(&entry.item.value))
                });
                format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
            }
            Value::Date => "?".to_owned(),
        }
    }

    #[test]
    fn a_cell_is_what_the_key_would_be_in_toml() {
        for (key, cell, expected) in [
            ("high", "25", "whole 25"),
            ("high", "-25.5", "float -25.5"),
            ("high", "+.5", "float 0.5"),
            ("high", "1.5E+02", "float 150"),
            ("invalid_raw", "0x8000 -1", "[whole 32768, whole -1]"),
            ("high", "abc", "text abc"),
            ("delay", "3s", "text 3s"),
            ("clamp", "TRUE", "true"),
            ("latching", "否", "false"),
            ("range", "0..100", "[whole 0, whole 100]"),
            ("range", "-20 - 50", "[whole -20, whole 50]"),
            ("range", "0--1e-3", "[whole 0, float -0.001]"),
            ("range", "0～1.5", "[whole 0, float 1.5]"),
            ("range", "[0, 100]", "[whole 0, whole 100]"),
            ("from", "\"101\"", "text 101"),
            ("from", "{ median = \"10min\" }", "{median = text 10min}"),
            (
                "table",
                "[[0, 0], [1, 2]]",
                "[[whole 0, whole 0], [whole 1, whole 2]]",
            ),
            (
                "enum",
                "{ 1 = 'on', 0 = 'off' }",
                "{1 = text on, 0 = text off}",
            ),
        ] {
            assert_eq!(read(key, cell, Decimal::Point), expected, "{cell}");
        }
        assert_eq!(read("high", "1,234", Decimal::Comma), "float 1.234");
        assert_eq!(
            read("range", "0,5..1,5", Decimal::Comma),
            "[float 0.5, float 1.5]"
        );
    }

    #[test]
    fn a_number_with_two_meanings_is_none() {
        for (cell, decimal, what, hint) in [
            (
                "1,234",
                Decimal::Point,
                "may mean 1234 or 1.234",
                "write 1234 or 1.234; if every number",
            ),
            (
                "-1.234",
                Decimal::Comma,
                "may mean -1234 or -1,234",
                "decimal = \"point\"",
            ),
            (
                "0,125",
                Decimal::Point,
                "has a decimal comma",
                "write 0.125; if every number",
            ),
            (
                "7.1",
                Decimal::Comma,
                "has a decimal point",
                "write 7,1; if every number",
            ),
            (
                "1,234.5",
                Decimal::Point,
                "1,234.5 is not a number",
                "write digits only",
            ),
            (
                "1 234",
                Decimal::Point,
                "is not a number",
                "write 1234: without",
            ),
            (
                "\u{2212}5",
                Decimal::Point,
                "is not a number",
                "write -5: without",
            ),
            (
                "1'000",
                Decimal::Point,
                "is not a number",
                "write 1000: without",
            ),
            (
                "2024-01-05",
                Decimal::Point,
                "is not a number",
                "made a date of it",
            ),
            ("-", Decimal::Point, "text -", ""),
            ("5.", Decimal::Point, "is not a number", "write digits"),
            ("1e", Decimal::Point, "is not a number", "write digits"),
            ("99999999999999999999", Decimal::Point, "too large", ""),
            (
                "[0, 1",
                Decimal::Point,
                "no value in TOML's notation",
                "[0, 100]",
            ),
            (
                "[99999999999999999999]",
                Decimal::Point,
                "no value in TOML's notation",
                "",
            ),
        ] {
            let said = read("high", cell, decimal);
            assert!(said.contains(what) && said.contains(hint), "{cell}: {said}");
        }
    }
}
