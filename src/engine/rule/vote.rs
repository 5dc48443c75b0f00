//! The channels of a group, counted (alarm-standards 2.8, contract 8.9).
//!
//! Each channel votes with its own *confirmed* alarm, after its own deadband and delays; values are
//! never mixed. How many votes are needed depends on how many channels are bad, `b` of `n`:
//!
//! | `m` of `n` | a bad channel counts as a vote | a bad channel is left out |
//! |---|---|---|
//! | needed of the `n - b` good ones | `m - b`, at least 1 | `m`, at most all of them |
//! | 2oo3 | 2oo3, 1oo2, 1oo1 | 2oo3, 2oo2, 1oo1 |
//! | 1oo2 | 1oo2, 1oo1 | 1oo2, 1oo1 |
//! | 2oo2 | 2oo2, 1oo1 | 2oo2, 1oo1 |
//!
//! Only a good channel can vote, so bad data alone raises nothing; with no good channel left there is
//! no verdict, and the vote stays as it was. But where a person wrote `on_bad = "vote_trip"` at a point, that
//! it is bad *is* its vote, whatever the policy: it is counted among those that vote and not among the bad ones,
//! `b` are the others. So it may raise the vote alone, and where no channel is good those that vote so decide.
//!
//! **What is lost clears nothing.** A channel that had raised its alarm and then failed holds that
//! alarm. It is no vote for a raise beyond what the policy gives it. But the vote clears only when
//! there would not be enough even if all that hold still voted, and all that may be about to vote by their
//! loss, because nobody has confirmed it yet, did so. A channel that has not spoken since
//! the start is what it was before: it votes for nothing, and holds the alarm it had.

use super::super::delay::Zone;
use super::super::settings::BadChannel;

/// What a channel can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Presence {
    /// It has a value, which may be doubtful.
    Good,
    /// It has not spoken since the start, and the silence is not long enough yet to mean something.
    Waiting,
    /// It has no value, or is out of service.
    Bad,
    /// It has no value, and votes by that.
    Trip,
}

/// How a group votes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Voting {
    /// M of `MooN`.
    pub(in super::super) votes: u32,
    /// The policy.
    pub(in super::super) bad: BadChannel,
}

/// Sets of channels, one bit for each in configuration order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in super::super) struct Tally {
    /// Every channel.
    pub(in super::super) all: u32,
    /// Those without a value.
    pub(in super::super) bad: u32,
    /// Those of them that vote by that.
    pub(in super::super) trip: u32,
    /// Those that vote by that, or may be about to.
    holds: u32,
    /// Those that have not spoken yet.
    pub(in super::super) waiting: u32,
    /// Those whose alarm is active, whether it can be seen or is held.
    pub(in super::super) in_alarm: u32,
    /// Those whose value is doubtful.
    pub(in super::super) doubtful: u32,
}

impl Voting {
    /// How many votes of good channels are enough when `bad` of `channels` are bad; at least 1.
    pub(in super::super) fn needed(self, channels: u32, bad: u32) -> u32 {
        let needed = match self.bad {
            BadChannel::Vote => self.votes.saturating_sub(bad),
            BadChannel::Exclude => self.votes.min(channels.saturating_sub(bad)),
        };
        needed.max(1)
    }
}

impl Tally {
    /// Counts one more channel.
    pub(in super::super) const fn add(
        &mut self,
        presence: Presence,
        in_alarm: bool,
        doubtful: bool,
    ) {
        let bit = self.all + 1;
        self.all |= bit;
        match presence {
            Presence::Good => {}
            Presence::Waiting => self.waiting |= bit,
            Presence::Bad => self.bad |= bit,
            Presence::Trip => {
                self.bad |= bit;
                self.trip |= bit;
            }
        }
        if in_alarm {
            self.in_alarm |= bit;
        }
        if doubtful {
            self.doubtful |= bit;
        }
    }

    /// The channel that was counted last votes by being bad, or it may turn out that it does: it ends no vote.
    pub(in super::super) const fn may_trip(&mut self) {
        self.holds |= self.all & !(self.all >> 1);
    }

    /// The channels with a value.
    pub(in super::super) const fn good(self) -> u32 {
        self.all & !self.bad & !self.waiting
    }

    /// The good channels in alarm, and those that vote by being bad.
    pub(in super::super) const fn votes(self) -> u32 {
        self.in_alarm & self.good() | self.trip
    }

    /// Those without a value that the policy is about.
    pub(in super::super) const fn lost(self) -> u32 {
        self.bad & !self.trip
    }

    /// Is there anybody whose vote counts, for or against?
    pub(in super::super) const fn is_heard(self) -> bool {
        self.good() | self.trip != 0
    }

    /// Votes that are enough now.
    pub(in super::super) fn needed(self, voting: Voting) -> u32 {
        voting.needed(self.all.count_ones(), self.lost().count_ones())
    }

    /// Are enough channels in alarm?
    pub(in super::super) fn vote(self, voting: Voting) -> Zone {
        if self.is_heard() && self.votes().count_ones() >= self.needed(voting) {
            return Zone::Beyond;
        }
        if self.good() == 0 {
            return Zone::Unknown;
        }
        let held = self.in_alarm | self.trip | self.holds;
        let lost = self.bad & !held;
        let needed = voting.needed(self.all.count_ones(), lost.count_ones());
        if held.count_ones() >= needed {
            Zone::Margin
        } else {
            Zone::Inside
        }
    }

    /// Are fewer channels good than configured? Under either policy.
    pub(in super::super) const fn degraded(self) -> Zone {
        if self.bad != 0 {
            Zone::Beyond
        } else if self.waiting != 0 {
            Zone::Unknown
        } else {
            Zone::Inside
        }
    }

    /// Is no channel good?
    pub(in super::super) const fn fault(self) -> Zone {
        if self.good() != 0 {
            Zone::Inside
        } else if self.waiting != 0 {
            Zone::Unknown
        } else {
            Zone::Beyond
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `n` normal, `a` in alarm, `b` bad, `h` bad and its alarm held, `w` waiting, `r` waiting with an
    /// alarm restored, `t` bad and a vote by that,
    /// `p` bad and perhaps one soon.
    fn tally(channels: &str) -> Tally {
        let mut tally = Tally::default();
        for channel in channels.chars() {
            let (presence, in_alarm) = match channel {
                'n' => (Presence::Good, false),
                'a' => (Presence::Good, true),
                'b' => (Presence::Bad, false),
                'h' => (Presence::Bad, true),
                'w' => (Presence::Waiting, false),
                'r' => (Presence::Waiting, true),
                't' => (Presence::Trip, false),
                'p' => (Presence::Bad, false),
                other => unreachable!("no channel is `{other}`"),
            };
            tally.add(presence, in_alarm, false);
            if matches!(channel, 't' | 'p') {
                tally.may_trip();
            }
        }
        tally
    }

    fn voting(votes: u32, bad: BadChannel) -> Voting {
        Voting { votes, bad }
    }

    #[test]
    fn the_table_of_degraded_modes() {
        use BadChannel::{Exclude, Vote};
        // Needed with 0, 1, 2 ... channels bad.
        let cases: [(u32, u32, BadChannel, &[u32]); 10] = [
            (2, 3, Vote, &[2, 1, 1]),
            (2, 3, Exclude, &[2, 2, 1]),
            (1, 2, Vote, &[1, 1]),
            (1, 2, Exclude, &[1, 1]),
            (2, 2, Vote, &[2, 1]),
            (2, 2, Exclude, &[2, 1]),
            (3, 4, Vote, &[3, 2, 1, 1]),
            (3, 4, Exclude, &[3, 3, 2, 1]),
            (2, 5, Vote, &[2, 1, 1, 1, 1]),
            (2, 5, Exclude, &[2, 2, 2, 2, 1]),
        ];
        for (m, n, bad, expected) in cases {
            let needed = (0..n).map(|lost| voting(m, bad).needed(n, lost));
            assert_eq!(needed.collect::<Vec<_>>(), expected, "{m}oo{n} {bad:?}");
        }
    }

    #[test]
    fn where_a_vote_lies() {
        use BadChannel::{Exclude, Vote};
        use Zone::{Beyond, Inside, Margin, Unknown};
        for (m, channels, vote, exclude) in [
            (2, "nnn", Inside, Inside),
            (2, "ann", Inside, Inside),
            (2, "aan", Beyond, Beyond),
            (2, "aaa", Beyond, Beyond),
            // One lost: 1oo2 or 2oo2.
            (2, "bnn", Inside, Inside),
            (2, "ban", Beyond, Inside),
            (2, "baa", Beyond, Beyond),
            // Two lost: 1oo1.
            (2, "bbn", Inside, Inside),
            (2, "bba", Beyond, Beyond),
            // None left: it stays as it was.
            (2, "bbb", Unknown, Unknown),
            (2, "bhh", Unknown, Unknown),
            // What was in alarm when it was lost clears nothing.
            (2, "han", Beyond, Margin),
            (2, "hhn", Margin, Margin),
            (2, "hnn", Inside, Inside),
            (2, "hbn", Margin, Inside),
            // Before a channel has spoken it is no vote, but holds the alarm it had.
            (2, "www", Unknown, Unknown),
            (2, "wwn", Inside, Inside),
            (2, "waw", Inside, Inside),
            (2, "waa", Beyond, Beyond),
            (2, "wba", Beyond, Inside),
            (2, "rrn", Margin, Margin),
            (2, "rnn", Inside, Inside),
            (1, "wn", Inside, Inside),
            (1, "rn", Margin, Margin),
            (1, "bn", Inside, Inside),
            (1, "ba", Beyond, Beyond),
            (1, "hn", Margin, Margin),
            (2, "ab", Beyond, Beyond),
            (2, "nb", Inside, Inside),
            // Being bad is a vote, beside the others and without them.
            (1, "tn", Beyond, Beyond),
            (2, "tnn", Inside, Inside),
            (2, "tan", Beyond, Beyond),
            (2, "ttn", Beyond, Beyond),
            (2, "tbn", Beyond, Inside),
            (2, "thn", Beyond, Margin),
            (2, "tbb", Beyond, Beyond),
            (2, "ttt", Beyond, Beyond),
            (2, "twn", Inside, Inside),
            (2, "trn", Margin, Margin),
            (2, "tw", Unknown, Unknown),
            (2, "tb", Beyond, Beyond),
            // Perhaps it is a vote soon: for a raise it is what the policy says, and it clears nothing.
            (1, "pn", Margin, Margin),
            (2, "pn", Inside, Inside),
            (2, "pan", Beyond, Margin),
            (2, "ptn", Beyond, Margin),
            (2, "pnn", Inside, Inside),
            (2, "pbn", Margin, Inside),
        ] {
            let tally = tally(channels);
            assert_eq!(tally.vote(voting(m, Vote)), vote, "{m} of {channels}, vote");
            assert_eq!(
                tally.vote(voting(m, Exclude)),
                exclude,
                "{m} of {channels}, exclude"
            );
        }
    }

    #[test]
    fn degraded_and_fault() {
        use Zone::{Beyond, Inside, Unknown};
        for (channels, degraded, fault) in [
            ("nan", Inside, Inside),
            ("nbn", Beyond, Inside),
            ("hbn", Beyond, Inside),
            ("bhb", Beyond, Beyond),
            ("www", Unknown, Unknown),
            ("wnn", Unknown, Inside),
            ("wbb", Beyond, Unknown),
            ("ntn", Beyond, Inside),
            ("ttb", Beyond, Beyond),
        ] {
            let tally = tally(channels);
            assert_eq!(
                (tally.degraded(), tally.fault()),
                (degraded, fault),
                "{channels}"
            );
        }
    }

    fn channels() -> impl Strategy<Value = String> {
        prop::collection::vec(
            prop::sample::select(vec!['n', 'a', 'b', 'h', 'w', 'r', 't', 'p']),
            2..12,
        )
        .prop_map(|channels| channels.into_iter().collect())
    }

    proptest! {
        /// P16: losing a channel never takes a vote back, and under the policy that leans to safety never
        /// makes a raise harder. Under neither does it bring the evidence that clears.
        #[test]
        fn losing_a_channel_takes_no_vote_back(
            channels in channels(), which in 0_usize..12, m in 1_u32..12,
        ) {
            let which = which % channels.len();
            let m = 1 + (m - 1) % u32::try_from(channels.len()).expect("few");
            let lost: String = (channels.chars().enumerate())
                .map(|(index, channel)| match channel {
                    'n' | 'w' if index == which => 'b',
                    'a' | 'r' if index == which => 'h',
                    channel => channel,
                })
                .collect();
            let (before, after) = (tally(&channels), tally(&lost));
            for bad in [BadChannel::Vote, BadChannel::Exclude] {
                let (was, is) = (before.vote(voting(m, bad)), after.vote(voting(m, bad)));
                if was != Zone::Inside {
                    prop_assert_ne!(is, Zone::Inside, "{} to {}", channels, lost);
                }
            }
            let safe = voting(m, BadChannel::Vote);
            prop_assert!(after.needed(safe) <= before.needed(safe));
        }

        /// P16: a channel that is lost and votes by that is worth as much as one in alarm, so the vote is never
        /// less likely than before it was lost, under either policy.
        #[test]
        fn a_vote_by_being_bad_is_worth_one(
            channels in channels(), which in 0_usize..12, m in 1_u32..12,
        ) {
            let which = which % channels.len();
            let m = 1 + (m - 1) % u32::try_from(channels.len()).expect("few");
            let with = |what| {
                let of = channels.chars().enumerate();
                let of = of.map(|(index, channel)| if index == which { what } else { channel });
                tally(&of.collect::<String>())
            };
            for bad in [BadChannel::Vote, BadChannel::Exclude] {
                let voting = voting(m, bad);
                prop_assert_eq!(with('t').needed(voting), with('a').needed(voting));
                prop_assert_eq!(with('t').votes(), with('a').votes());
                for less in ['n', 'a', 'w', 'b', 'h'] {
                    prop_assert!(with(less).vote(voting) != Zone::Beyond || with('t').vote(voting) == Zone::Beyond);
                }
            }
        }

        /// With every channel good it is the plain count, under either policy.
        #[test]
        fn with_all_channels_good_votes_are_counted(alarms in prop::collection::vec(any::<bool>(), 2..32), m in 1_u32..32) {
            let n = u32::try_from(alarms.len()).expect("few");
            let m = 1 + (m - 1) % n;
            let channels: String = alarms.iter().map(|alarm| if *alarm { 'a' } else { 'n' }).collect();
            let count = u32::try_from(alarms.iter().filter(|alarm| **alarm).count()).expect("few");
            let expected = if count >= m { Zone::Beyond } else { Zone::Inside };
            for bad in [BadChannel::Vote, BadChannel::Exclude] {
                prop_assert_eq!(tally(&channels).vote(voting(m, bad)), expected);
            }
        }
    }
}
