//! What belongs together: channels that vote, and alarms of which the first is marked.

use std::sync::Arc;

use super::super::reading::PointIndex;
use super::AlarmKind;

/// Redundant channels that vote (alarm-standards 2.8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupSettings {
    /// M of `MooN`: so many channels in alarm are enough while all are good. At least 1, at most N.
    pub votes: usize,
    /// The points whose alarms vote, in configuration order: 2 to [`MAX_CHANNELS`], none twice, none
    /// of them a group.
    pub of: Vec<PointIndex>,
    /// Which alarm of each of them votes. Every one has it.
    pub alarm: AlarmKind,
    /// What a channel without a value is taken for.
    pub bad: BadChannel,
    /// Are the values of the channels compared? Then each has a discrepancy alarm, which is judged
    /// by this group and by no other.
    pub compares: bool,
}

/// Channels of a group at most. Nobody votes over more; the set of bad ones fits a word.
pub const MAX_CHANNELS: usize = 32;

/// What a bad channel of a group is taken for: the two policies of alarm-standards 2.8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadChannel {
    /// For a vote: with one channel bad, 2oo3 becomes 1oo2. Leans to safety: losing a channel never
    /// makes an alarm less likely.
    Vote,
    /// For nothing: with one channel bad, 2oo3 becomes 2oo2. Leans to availability.
    Exclude,
}

/// What the loss of a point's value means to the groups it votes in (alarm-standards 2.9).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnBad {
    /// What each group's [`BadChannel`] says; what is active holds.
    #[default]
    Hold,
    /// A vote, whatever the group's policy, as of a sensor whose loss is taken for the danger itself. Once the
    /// `bad` or `stale` alarm of the point is active, until the value is good again; not while the alarm that
    /// votes is out of service.
    VoteTrip,
}

/// Alarms of which the first is marked (alarm-standards 2.15).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstOutSettings {
    /// The group's id, for words.
    pub id: Arc<str>,
    /// Its alarms, none twice, none in another such group: point and kind, in configuration order.
    pub members: Vec<(PointIndex, AlarmKind)>,
}
