//! Values that carry their unit: durations and sizes. Nothing is rounded and nothing is guessed.

use std::time::Duration;

use crate::engine::time::SPANS;
pub(crate) use crate::engine::time::show_duration;

/// Units of a size and their length in bytes.
const SIZES: [(&str, u64); 3] = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];

/// A duration as people write it: `500ms`, `3s`, `10min`, `2h`, `7d`. `Err` is the hint.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let units = "`ms`, `s`, `min`, `h` or `d`";
    measure(text, &SPANS, "10s", units).map(Duration::from_millis)
}

/// A size as people write it: `64MiB`. `Err` is the hint.
pub(crate) fn size(text: &str) -> Result<u64, String> {
    measure(text, &SIZES, "64MiB", "`KiB`, `MiB` or `GiB`")
}

fn measure(text: &str, units: &[(&str, u64)], example: &str, names: &str) -> Result<u64, String> {
    let trimmed = text.trim();
    let digits = trimmed
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(trimmed.len());
    let (number, rest) = trimmed.split_at(digits);
    let unit = rest.trim();
    let general = || format!("a whole number and its unit ({names}), such as \"{example}\"");
    if number.is_empty() || unit.starts_with(['.', ',']) {
        return Err(general());
    }
    if unit.is_empty() {
        let (unit, _) = units[1];
        return Err(format!(
            "the unit is missing: write \"{number}{unit}\" if that is what you mean"
        ));
    }
    let Some((unit, factor)) = units.iter().find(|(name, _)| *name == unit) else {
        return Err(match meant(unit) {
            Some(unit) if units.iter().any(|(name, _)| *name == unit) => {
                format!("write \"{number}{unit}\"")
            }
            _ => general(),
        });
    };
    if text != format!("{number}{unit}") {
        return Err(format!("write \"{number}{unit}\""));
    }
    number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(*factor))
        .ok_or_else(|| "the number is too large".to_owned())
}

/// Spellings people try, and the one we read. `m` stands for metre, month and minute elsewhere.
fn meant(unit: &str) -> Option<&'static str> {
    Some(match unit.to_ascii_lowercase().as_str() {
        "msec" | "millis" | "milliseconds" => "ms",
        "sec" | "secs" | "second" | "seconds" => "s",
        "m" | "mins" | "minute" | "minutes" => "min",
        "hr" | "hrs" | "hour" | "hours" => "h",
        "day" | "days" => "d",
        "k" | "kb" | "kib" => "KiB",
        "mb" | "mib" => "MiB",
        "g" | "gb" | "gib" => "GiB",
        _ => return None,
    })
}

/// A number without the noise of binary fractions: at most six decimals, no trailing zeros.
pub(crate) fn show_number(value: f64) -> String {
    let text = format!("{value:.6}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" || (text == "0" && value.abs() > 0.0) {
        return value.to_string();
    }
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_whole_numbers_with_a_unit() {
        for (text, millis) in [
            ("500ms", 500),
            ("0s", 0),
            ("3s", 3_000),
            ("10min", 600_000),
            ("2h", 7_200_000),
            ("7d", 604_800_000),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
            assert_eq!(show_duration(Duration::from_millis(millis)), text);
        }
        for (text, hint) in [
            ("10", "write \"10s\""),
            ("10 s", "write \"10s\""),
            ("1m", "write \"1min\""),
            ("5 minutes", "write \"5min\""),
            ("1.5s", "a whole number"),
            ("-1s", "a whole number"),
            ("", "a whole number"),
            ("s", "a whole number"),
            ("3parsec", "a whole number"),
            ("99999999999999999999s", "too large"),
            ("18446744073709551615d", "too large"),
        ] {
            let refused = duration(text).expect_err(text);
            assert!(refused.contains(hint), "{text}: {refused}");
        }
    }

    #[test]
    fn sizes_are_powers_of_two_with_a_unit() {
        assert_eq!(size("64MiB"), Ok(64 << 20));
        assert!(size("64MB").expect_err("decimal").contains("64MiB"));
        assert!(size("64").expect_err("no unit").contains("64MiB"));
        assert!(
            size("10s")
                .expect_err("not a size")
                .contains("whole number")
        );
    }

    #[test]
    fn numbers_are_shown_as_people_write_them() {
        for (value, text) in [
            (25.0, "25"),
            (7.1, "7.1"),
            (23.0 - 0.1 - 0.2, "22.7"),
            (-0.5, "-0.5"),
            (100.0, "100"),
            (0.0, "0"),
            (1e-9, "0.000000001"),
        ] {
            assert_eq!(show_number(value), text);
        }
    }
}
