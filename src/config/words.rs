//! The words of the configuration language for what a Modbus device holds, for commands that speak it.

use super::register::{ORDERS, TABLES, TYPES};
pub(crate) use super::register::{modicon, order_name, table_name, type_name};
use crate::input::modbus::{ByteOrder, DataType, Table};

/// The table that a word stands for.
pub(crate) fn table(word: &str) -> Option<Table> {
    let known = TABLES.iter().find(|(known, _)| *known == word);
    known.map(|(_, table)| *table)
}

/// The type that a word stands for; else what there is.
pub(crate) fn data_type(word: &str) -> Result<DataType, String> {
    let known = TYPES.iter().find(|(known, _)| *known == word);
    known
        .map(|(_, data_type)| *data_type)
        .ok_or_else(|| allowed(&TYPES.map(|(word, _)| word)))
}

/// The byte order that a word stands for; else what there is.
pub(crate) fn order(word: &str) -> Result<ByteOrder, String> {
    let known = ORDERS
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(word));
    known
        .map(|(_, order)| *order)
        .ok_or_else(|| allowed(&ORDERS.map(|(word, _)| word)))
}

fn allowed(words: &[&str]) -> String {
    format!("it is one of {}", words.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_the_configuration() {
        assert_eq!(table("input"), Some(Table::Input));
        assert_eq!(table("inputs"), None);
        for (word, known) in TYPES {
            assert_eq!((data_type(word), type_name(known)), (Ok(known), word));
        }
        for (word, known) in ORDERS {
            assert_eq!(
                (order(&word.to_lowercase()), order_name(known)),
                (Ok(known), word)
            );
        }
        assert!(data_type("float").expect_err("unknown").contains("float32"));
        assert!(order("ABDC").expect_err("unknown").contains("CDAB"));
    }
}
