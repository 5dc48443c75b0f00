//! Is the primary host there? Pure; of one connection.
//!
//! A host says so in a retained message, and the broker says for it when it is lost. Messages can
//! overtake each other on their way through brokers, so each has a time of the host's clock, and one
//! that is older than what was heard before says nothing. What was heard on an earlier connection does
//! not count: a host whose clock was put back would never be heard again.

use crate::sparkplug::HostState;

/// What has been heard of the host.
#[derive(Debug, Default)]
pub(super) struct PrimaryHost {
    latest: Option<HostState>,
}

/// What a message of the host means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    /// It is there now, and was not before.
    Came,
    /// It was there, and is not any more.
    Went,
    /// No news.
    Nothing,
    /// The message is none of version 3.0.
    Unreadable,
}

impl PrimaryHost {
    /// It says something.
    pub(super) fn hear(&mut self, payload: &[u8]) -> Word {
        let Some(state) = HostState::parse(payload) else {
            return Word::Unreadable;
        };
        let older = |known: HostState| state.timestamp < known.timestamp;
        if self.latest.is_some_and(older) {
            return Word::Nothing;
        }
        let was = self.latest.replace(state).is_some_and(|known| known.online);
        match (was, state.online) {
            (false, true) => Word::Came,
            (true, false) => Word::Went,
            (true, true) | (false, false) => Word::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_not_older_counts() {
        let mut host = PrimaryHost::default();
        for (online, timestamp, word) in [
            (false, 100, Word::Nothing),
            (true, 99, Word::Nothing),
            (true, 100, Word::Came),
            (true, 150, Word::Nothing),
            (false, 149, Word::Nothing),
            (false, 150, Word::Went),
            (true, 151, Word::Came),
        ] {
            let payload = format!(r#"{{"online":{online},"timestamp":{timestamp}}}"#);
            assert_eq!(host.hear(payload.as_bytes()), word, "{payload}");
        }
        assert_eq!(host.hear(b"OFFLINE"), Word::Unreadable);
        assert_eq!(host.hear(b""), Word::Unreadable);
        let gone = host.hear(br#"{"online":false,"timestamp":151}"#);
        assert_eq!(gone, Word::Went, "what is unreadable changed nothing");
    }
}
