//! Hashes in JSON: hexadecimal digits.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serializer};

use super::chain::hex;

pub(super) fn serialize<S: Serializer>(hash: &impl AsRef<[u8]>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&hex(hash.as_ref()))
}

/// What are no digits is no hash: as bytes of any number it links nothing, and so shows as damage.
pub(super) fn deserialize<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<Vec<u8>>,
{
    let digits = String::deserialize(from)?;
    let hash = T::try_from(bytes(&digits).unwrap_or_default());
    hash.map_err(|_| D::Error::custom("this is no hash"))
}

/// Hexadecimal digits as bytes.
fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let pair = |pair: &[u8]| match pair {
        [high, low] => u8::try_from(digit(*high)? * 16 + digit(*low)?).ok(),
        _ => None,
    };
    hex.as_bytes().chunks(2).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::page::{Base, PageRow};

    #[test]
    fn a_hash_comes_back_as_it_was_and_what_is_none_does_not() {
        let hash: Vec<u8> = (0..=255).collect();
        assert_eq!(bytes(&hex(&hash)), Some(hash));
        for odd in ["0", "0g", "ä", "000"] {
            assert_eq!(bytes(odd), None, "{odd}");
        }
    }

    #[test]
    fn a_row_of_no_hash_is_read_and_a_base_of_none_is_not() {
        let row = r#"{"seq":7,"hash":"no","line":null}"#;
        let row: PageRow = serde_json::from_str(row).expect("damage is read");
        assert!(row.hash.is_empty());
        for hash in ["no", "00ff"] {
            let base = format!(r#"{{"seq":7,"hash":"{hash}"}}"#);
            assert!(serde_json::from_str::<Base>(&base).is_err(), "{hash}");
        }
    }
}
