//! Addresses as manuals write them: `30001` is the first input register. Whether a manual counts like
//! that nobody can see from a number, so it is read only where the owner of a list says so with
//! `addressing = "modicon"`. Five digits reach 9,999 addresses of a table, six all 65,536.

use super::cell::Wrong;

/// The first digit and its table.
const TABLES: [(char, &str); 4] = [
    ('0', "coil"),
    ('1', "discrete"),
    ('3', "input"),
    ('4', "holding"),
];

/// What `register` is for the cell of an address; `None` when it is written in our own way, with a table.
/// `modicon`: the list says that its addresses are of that kind.
pub(super) fn register(cell: &str, modicon: bool) -> Option<Result<String, Wrong>> {
    if cell.contains(':') {
        return None;
    }
    let meant = meant(cell);
    Some(match (meant, modicon) {
        (Some((table, address)), true) => Ok(format!("{table}:{address}")),
        (Some((table, address)), false) => Err(Wrong {
            what: format!("`register` cannot be \"{cell}\""),
            hint: format!(
                "write \"{table}:{address}\" if the manual counts from 1, as most do that write {cell}; a whole \
                 list of such addresses: points_csv = {{ file = \"FILE\", addressing = \"modicon\" }}"
            ),
        }),
        (None, true) => Err(Wrong {
            what: format!("`register` cannot be \"{cell}\" with addressing = \"modicon\""),
            hint: "five or six digits: 00001 a coil, 10001 a discrete input, 30001 an input register, \
                   40001 a holding register; or table and zero-based address, as in coil:0, which no \
                   spreadsheet takes the zeros from. A bit stands in the column `bit`"
                .to_owned(),
        }),
        (None, false) => return None,
    })
}

/// Table and zero-based address of a number as manuals write it.
fn meant(cell: &str) -> Option<(&'static str, u32)> {
    let first = cell.chars().next()?;
    let (_, table) = TABLES.iter().find(|(digit, _)| *digit == first)?;
    let digits = &cell[1..];
    let most = match digits.len() {
        4 => 9_999,
        5 => 65_536,
        _ => return None,
    };
    let number: u32 = digits.parse().ok()?;
    let is_digits = digits.chars().all(|c| c.is_ascii_digit());
    (is_digits && (1..=most).contains(&number)).then(|| (*table, number - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_manuals_are_tables_and_addresses() {
        for (cell, expected) in [
            ("00001", "coil:0"),
            ("09999", "coil:9998"),
            ("10001", "discrete:0"),
            ("30001", "input:0"),
            ("39999", "input:9998"),
            ("40001", "holding:0"),
            ("400001", "holding:0"),
            ("365536", "input:65535"),
        ] {
            assert_eq!(
                register(cell, true),
                Some(Ok(expected.to_owned())),
                "{cell}"
            );
            let wrong = register(cell, false)
                .expect("no register")
                .expect_err("not told");
            assert!(wrong.hint.contains(&format!("\"{expected}\"")), "{wrong:?}");
            assert!(wrong.hint.contains("addressing = \"modicon\""), "{wrong:?}");
        }
        for cell in [
            "1",
            "40000",
            "400000",
            "465537",
            "20001",
            "4000",
            "40001.3",
            "4+001",
            "400 01",
            "名0001",
            "4１２３４",
            "",
        ] {
            let wrong = register(cell, true).expect("no register").expect_err(cell);
            assert!(wrong.hint.contains("five or six digits"), "{wrong:?}");
            assert_eq!(register(cell, false), None, "{cell}");
        }
        assert_eq!(register("input:0", true), None);
        assert_eq!(register("inptu:0", false), None);
    }
}
