//! A digital point in its alarm position. The position is 1; a contact that opens in alarm is
//! inverted by its scaling.

use super::super::delay::Zone;
use super::super::reading::Finite;

/// Where `value` lies: anything but zero is the alarm position.
pub(in super::super) fn zone(value: Finite) -> Zone {
    // Halfway between the two positions, so that a scaled contact need not be exact.
    if value.get().abs() >= 0.5 {
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
        for (value, expected) in [
            (0.0, Zone::Inside),
            (-0.0, Zone::Inside),
            (1.0, Zone::Beyond),
            (-1.0, Zone::Beyond),
            (65535.0, Zone::Beyond),
        ] {
            let value = Finite::new(value).expect("the table holds numbers");
            assert_eq!(zone(value), expected, "{value:?}");
        }
    }
}
