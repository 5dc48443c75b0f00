//! A digital point in its alarm position: closed, or open for a contact that opens in alarm.

use super::super::delay::Zone;
use super::super::reading::Finite;

/// Where `value` lies. `when`: is anything but zero the alarm position (`true`), or zero?
pub(in super::super) fn zone(when: bool, value: Finite) -> Zone {
    if value.is_set() == when {
        Zone::Beyond
    } else {
        Zone::Inside
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_positions() {
        for (value, set) in [
            (0.0, false),
            (-0.0, false),
            (0.4, false),
            (1.0, true),
            (-1.0, true),
            (65535.0, true),
        ] {
            let value = Finite::new(value).expect("the table holds numbers");
            for when in [true, false] {
                let expected = if set == when {
                    Zone::Beyond
                } else {
                    Zone::Inside
                };
                assert_eq!(zone(when, value), expected, "{value:?}, when {when}");
            }
        }
    }
}
