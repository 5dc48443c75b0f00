//! What a host application says of itself: `{"online": true, "timestamp": 1668114759262}`, retained.
//! The form of version 3.0; the plain words of 2.2 are not understood.

use serde::Deserialize;

/// Is a host application there?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct HostState {
    /// It is.
    pub online: bool,
    /// Since when, milliseconds since 1970 by the host's clock; of two words the later one counts.
    pub timestamp: u64,
}

impl HostState {
    /// `None`: it is something else.
    pub fn parse(payload: &[u8]) -> Option<Self> {
        serde_json::from_slice(payload).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_json_of_version_3_is_understood_and_nothing_else() {
        let word = HostState::parse(br#"{"online":true,"timestamp":1668114759262,"bdSeq":3}"#);
        let (online, timestamp) = (true, 1_668_114_759_262);
        assert_eq!(word, Some(HostState { online, timestamp }));
        for other in [
            "",
            "ONLINE",
            "{}",
            r#"{"online":1,"timestamp":2}"#,
            "\u{fe}",
        ] {
            assert_eq!(HostState::parse(other.as_bytes()), None, "{other}");
        }
    }
}
