//! How a group stands, in words and as a copy for those who look.

use std::fmt::Write;

use super::super::Engine;
use super::super::occurrence::Alarm;
use super::super::quality::Condition;
use super::super::reading::{Fault, Finite, Sample};
use super::super::report::six_digits;
use super::super::rule::Watch;
use super::super::rule::discrepancy::Spread;
use super::super::settings::BadChannel;
use super::super::snapshot::{ChannelView, GroupView};
use super::Group;

impl Engine {
    /// What the channels say, for the person who is told of an alarm that a group judges.
    pub(in super::super) fn told_by_channels(&self, alarm: usize) -> Option<String> {
        let Alarm { watch, .. } = &self.alarms[alarm];
        if let Watch::Discrepancy(discrepancy) = watch {
            let channel = &self.points[self.point_of(alarm)].channel;
            let value = channel.shown().and_then(Sample::value)?;
            return Some(disagreement(discrepancy.1?, value));
        }
        self.tally_in_words(alarm)
    }

    /// How the group of an alarm votes now, and what is with every channel that is not simply good.
    fn tally_in_words(&self, alarm: usize) -> Option<String> {
        let group = self.group_of(alarm)?;
        let tally = group.tally?;
        let mut told = format!("{}oo{}", group.voting.votes, tally.all.count_ones());
        let good = tally.good().count_ones();
        if good == 0 {
            told.push_str(" has no good channel");
        } else if tally.lost() != 0 {
            let voting = tally.all & !tally.lost();
            let needed = tally.needed(group.voting);
            let _infallible = write!(told, " votes as {needed}oo{}", voting.count_ones()).is_err();
        }
        let bad = match group.voting.bad {
            BadChannel::Vote => "bad, taken for a vote",
            BadChannel::Exclude => "bad, left out",
        };
        for (words, set) in [
            ("in alarm", tally.votes() & !tally.trip),
            ("bad, which is a vote", tally.trip),
            ("bad, its alarm held", tally.in_alarm & tally.lost()),
            (bad, tally.lost() & !tally.in_alarm),
            ("not heard yet", tally.waiting),
        ] {
            if set != 0 {
                let names = self.names_of(group, set);
                let _infallible = write!(told, "; {words}: {names}").is_err();
            }
        }
        Some(told)
    }

    fn names_of(&self, group: &Group, set: u32) -> String {
        let mut names = String::new();
        for (bit, member) in group.channels.iter().enumerate() {
            if set & (1 << bit) == 0 {
                continue;
            }
            let point = &self.points[member.point];
            let comma = if names.is_empty() { "" } else { ", " };
            let _infallible = write!(names, "{comma}{}", point.id).is_err();
            let reason = match point.channel.condition {
                Condition::Bad(fault) => Some(fault),
                Condition::Stale => Some(Fault::NoCommunication),
                Condition::Waiting | Condition::Present => self
                    .is_out_of_service(*member)
                    .then_some(Fault::OutOfService),
            };
            if let Some(reason) = reason.map(Fault::name) {
                let _infallible = write!(names, " ({reason})").is_err();
            }
        }
        names
    }

    /// A copy of the present of a group.
    pub(in super::super) fn group_view(&self, group: usize) -> Option<GroupView> {
        let group = self.groups.get(group)?;
        let tally = group.tally.unwrap_or_default();
        let channels = group.channels.iter().map(|member| {
            let (quality, reason) = self.points[member.point].channel.quality();
            ChannelView {
                point: self.points[member.point].id.clone(),
                alarm: self.alarms[member.alarm].id.clone(),
                in_alarm: self.alarms[member.alarm].state.is_active(),
                quality,
                reason,
            }
        });
        Some(GroupView {
            configured: group.voting.votes,
            needed: tally.needed(group.voting),
            votes: tally.votes().count_ones(),
            good: tally.good().count_ones(),
            channels: channels.collect(),
        })
    }
}

fn disagreement(spread: Spread, value: Finite) -> String {
    let distance = six_digits(spread.distance(value));
    let reference = six_digits(spread.reference(value));
    match spread {
        Spread::Two(..) => {
            format!("{distance} away from the other channel, which says {reference}")
        }
        Spread::Median(_, count) => {
            format!("{distance} away from {reference}, the median of {count} channels")
        }
    }
}
