//! A message over the packet limit is poison: the broker sends it first after every reconnect, and
//! nothing behind it arrives. Pure: which limit the next connection gets.
//!
//! ```text
//!  normal limit ──over it, up to the cap──▶ one connection with room for it: acknowledged unread
//!       ▲   └─────over the cap, twice────▶ one clean session, which throws the broker's queue away
//!       └──────────── after that ──────────┘
//! ```
//!
//! The last resort loses what waits at the broker. The other way round, one message would keep the
//! gateway blind for ever.
//!
//! A retained message over the cap comes again with every subscription: it keeps the gateway blind
//! to this broker until somebody deletes it. The broker's status point tells.

/// Longest packet in everyday work, bytes.
const NORMAL: usize = 256 * 1024;
/// Longest packet that is ever read, bytes. A buffer that grows to it is for a moment held twice and
/// more, and the service file gives the whole gateway 128 MiB.
const CAP: usize = 16 * 1024 * 1024;
/// The error tells the length without the fixed header and is off by little.
const MARGIN: usize = 64;

/// Remembers what the last connection died of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct PacketLimit {
    giant: Option<usize>,
    plan: Plan,
}

/// What the next connection does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Plan {
    /// Everyday work.
    #[default]
    Normal,
    /// Read packets up to this size, to get past a giant.
    Raised(usize),
    /// Throw the session away.
    Purge,
}

impl PacketLimit {
    /// What the next connection does.
    pub(super) const fn plan(&self) -> Plan {
        self.plan
    }

    /// The limit of the next connection, bytes.
    pub(super) const fn bytes(&self) -> usize {
        match self.plan {
            Plan::Normal | Plan::Purge => NORMAL,
            Plan::Raised(bytes) => bytes,
        }
    }

    /// Is a packet of so many bytes never read?
    pub(super) const fn is_beyond(bytes: usize) -> bool {
        bytes.saturating_add(MARGIN) > CAP
    }

    /// A connection ended; `oversize` when it was for a packet of that many bytes.
    pub(super) fn ended(&mut self, oversize: Option<usize>) {
        self.plan = match oversize {
            None => Plan::Normal,
            Some(bytes) if !Self::is_beyond(bytes) => Plan::Raised(bytes + MARGIN),
            // At the first time it may have been a message that the broker does not repeat.
            Some(bytes) if self.giant == Some(bytes) => Plan::Purge,
            Some(_) => Plan::Normal,
        };
        self.giant = oversize;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_giant_gets_one_connection_and_a_monster_ends_the_session() {
        let mut limit = PacketLimit::default();
        // (what the connection died of, plan for the next)
        let steps = [
            (None, Plan::Normal),
            (Some(300_000), Plan::Raised(300_064)),
            (Some(400_000), Plan::Raised(400_064)),
            (None, Plan::Normal),
            (Some(50_000_000), Plan::Normal),
            (None, Plan::Normal),
            (Some(50_000_000), Plan::Normal),
            (Some(60_000_000), Plan::Normal),
            (Some(60_000_000), Plan::Purge),
            (None, Plan::Normal),
            (Some(usize::MAX), Plan::Normal),
            (Some(CAP - MARGIN), Plan::Raised(CAP)),
        ];
        for (ending, plan) in steps {
            limit.ended(ending);
            assert_eq!(limit.plan(), plan, "after {ending:?}");
            assert!(limit.bytes() <= CAP);
        }
    }
}
