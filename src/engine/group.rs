//! Groups: redundant channels that vote, and are compared with each other.
//!
//! A group is a point that is not measured. Its value is the number of channels in alarm, its quality
//! tells how many of them can be trusted:
//!
//! ```text
//!            every channel good          some channel bad or doubtful        no channel good
//!           ┌───────────────────┐       ┌────────────────────────────┐      ┌────────────────────┐
//!  quality  │       good        │ ◀───▶ │   uncertain (sub_normal)   │ ◀──▶ │        bad         │
//!           └───────────────────┘       └────────────────────────────┘      └────────────────────┘
//!  vote       counted: MooN               counted by the policy               held as it was (1)
//!  alarms     -                           degraded, when one is bad           degraded, group_fault
//! ```
//!
//! A channel that has not been heard since the start is no evidence: with the good ones lost there is no
//! value, whether it may still speak or not. That *nobody* is good is certain, and a `group_fault`, when it
//! is stale or bad.
//!
//! **What a channel without a value is**, the first that applies:
//!
//! 1. out of service: what the group's policy says. People work on it with a permit, and what it shows then,
//!    or does not show, is their doing;
//! 2. of a point with `on_bad = "vote_trip"`, once its `bad` or `stale` alarm is active, and then until it has
//!    a value again: a vote. Unless its device says that it has not failed: that somebody works on it (function
//!    check, out of service, inhibited) or that it warms up. That begins no vote, and takes none back. Nor does a
//!    restart begin one, before the channel says why it is bad or is silent for too long;
//! 3. what the group's policy says.
//!
//! (1) With such votes the group has a value, uncertain, though no channel is good; a `group_fault` it is.
//!
//! A channel whose device had failed before a restart is without a value until its status is heard
//! ([`health`](super::health)), whatever it shows. With another one of which only the status is not heard yet
//! the vote does not clear.
//!
//! It is judged when an alarm or the condition of one of its channels changes, after the call that
//! changed it and at the same instant (`links`). How votes are counted, and what a bad channel is
//! taken for: [`rule::vote`](super::rule::vote). The channels' own alarms stay what they are: a group
//! adds to them and silences none.

mod told;

use std::time::Duration;

use super::command::Denied;
use super::delay::Zone;
use super::links::{Dependent, Source, Wiring};
use super::occurrence::Alarm;
use super::quality::Condition;
use super::reading::{Doubt, Fault, Finite, Sample};
use super::rule::Watch;
use super::rule::discrepancy::{self, Spread};
use super::rule::vote::{Presence, Tally, Voting};
use super::settings::{AlarmKind, GroupSettings, OnBad};
use super::time::Moment;
use super::{Engine, Point, Sight};

/// One group at run time.
#[derive(Debug)]
pub(super) struct Group {
    /// Its own point.
    pub(super) point: usize,
    voting: Voting,
    channels: Box<[Member]>,
    /// As counted last; absent before the first time.
    tally: Option<Tally>,
    /// Room for the values that are compared; empty when none are.
    values: Vec<f64>,
    compares: bool,
}

/// One channel.
#[derive(Debug, Clone, Copy)]
struct Member {
    point: usize,
    /// The alarm that votes.
    alarm: usize,
    /// The alarm that says that it disagrees with the others.
    discrepancy: Option<usize>,
    /// Does it vote by being bad?
    trips: bool,
    /// Does it do so now? Kept while it is bad: another reason for that takes no vote back.
    tripped: bool,
}

impl Group {
    /// The group whose own point is `point`. `points` and `alarms` are all there are.
    pub(super) fn new(
        settings: &GroupSettings,
        point: usize,
        points: &[Point],
        alarms: &[Alarm],
    ) -> Self {
        let channels = settings.of.iter().filter_map(|member| {
            let point = member.0 as usize;
            let Point {
                alarms: own,
                on_bad,
                ..
            } = points.get(point)?;
            let find = |kind| own.clone().find(|alarm| alarms[*alarm].kind == kind);
            Some(Member {
                point,
                alarm: find(settings.alarm)?,
                discrepancy: find(AlarmKind::Discrepancy).filter(|_| settings.compares),
                trips: *on_bad == OnBad::VoteTrip,
                tripped: false,
            })
        });
        let channels: Box<[Member]> = channels.collect();
        debug_assert_eq!(channels.len(), settings.of.len(), "every channel can vote");
        let room = if settings.compares { channels.len() } else { 0 };
        Self {
            point,
            voting: Voting {
                votes: u32::try_from(settings.votes).unwrap_or(u32::MAX),
                bad: settings.bad,
            },
            channels,
            tally: None,
            values: Vec::with_capacity(room),
            compares: settings.compares,
        }
    }

    /// Who touches the group, `index` among the groups, and what it touches. `points` and `alarms` are all
    /// there are.
    pub(super) fn wire(
        &self,
        index: usize,
        points: &[Point],
        alarms: &[Alarm],
        wiring: &mut Wiring,
    ) {
        let group = Dependent::Group(index);
        for channel in &self.channels {
            wiring.input(Source::Condition(channel.point), group);
            wiring.input(Source::Alarm(channel.alarm), group);
            if self.compares {
                wiring.input(Source::Value(channel.point), group);
            }
            if channel.trips {
                let own = points[channel.point].alarms.clone();
                let losses = own.filter(|alarm| alarms[*alarm].watch.is_about_loss());
                losses.for_each(|alarm| wiring.input(Source::Alarm(alarm), group));
            }
            if let Some(alarm) = channel.discrepancy {
                wiring.output(group, Source::Alarm(alarm));
            }
        }
        wiring.output(group, Source::Condition(self.point));
        wiring.output(group, Source::Value(self.point));
        for alarm in points[self.point].alarms.clone() {
            wiring.output(group, Source::Alarm(alarm));
        }
    }

    /// The silence after which every channel is stale; `None` when one never is.
    pub(super) fn longest_silence(&self, points: &[Point]) -> Option<Duration> {
        let channels = self.channels.iter();
        let silences = channels.map(|channel| points[channel.point].stale_after);
        silences.max_by_key(|silence| silence.unwrap_or(Duration::MAX))?
    }

    /// Votes that are enough now.
    fn needed(&self) -> Option<u32> {
        self.tally.map(|tally| tally.needed(self.voting))
    }
}

impl Engine {
    /// Counts the channels of a group anew, judges its alarms by them, and compares their values.
    pub(super) fn judge_group(&mut self, index: usize, now: Moment) {
        self.confirm_trips(index);
        let tally = self.count_channels(index);
        let group = &mut self.groups[index];
        let (point, voting) = (group.point, group.voting);
        let before = group.tally.replace(tally);
        let changed = self.take_tally(index, tally, now);
        let votes = Finite::new(f64::from(tally.votes().count_ones()));
        let mut running = None;
        for alarm in self.points[point].alarms.clone() {
            let Alarm { watch, state, .. } = &self.alarms[alarm];
            let known = state.is_active();
            let degraded = matches!(watch, Watch::Degraded);
            let zone = if matches!(watch, Watch::Vote) {
                tally.vote(voting)
            } else if degraded {
                tally.degraded()
            } else {
                debug_assert!(
                    matches!(watch, Watch::GroupFault),
                    "a group has three alarms"
                );
                tally.fault()
            };
            if known && watch.needs_value() {
                running = Some(alarm);
            }
            if let (true, Some(votes)) = (known, votes) {
                self.alarms[alarm].follow(votes);
            }
            self.advance(alarm, zone, now);
            let goes_on = known && self.alarms[alarm].state.is_active();
            if degraded && goes_on && before.is_some_and(|before| before.bad != tally.bad) {
                self.report_change(alarm, now);
            }
        }
        if let (Some(held), Some(vote)) = (changed, running) {
            self.report_quality(vote, held, now);
        }
        if self.groups[index].compares {
            self.compare(index, now);
        }
    }

    /// Which channels vote by being bad: those whose failure an alarm has confirmed, for as long as they are bad.
    fn confirm_trips(&mut self, index: usize) {
        for position in 0..self.groups[index].channels.len() {
            let member = self.groups[index].channels[position];
            let is_lost = match self.points[member.point].channel.condition {
                Condition::Bad(_) | Condition::Stale => true,
                Condition::Present => self.is_still_lost(member.point),
                Condition::Waiting => false,
            };
            let begins = || self.is_failure(member) && self.is_loss_confirmed(member.point);
            let tripped = member.trips
                && is_lost
                && !self.is_out_of_service(member)
                && (member.tripped || begins());
            self.groups[index].channels[position].tripped = tripped;
        }
    }

    fn count_channels(&self, index: usize) -> Tally {
        let mut tally = Tally::default();
        for member in &self.groups[index].channels {
            let channel = &self.points[member.point].channel;
            let presence = match channel.condition {
                Condition::Bad(_) | Condition::Stale if member.tripped => Presence::Trip,
                Condition::Bad(_) | Condition::Stale => Presence::Bad,
                Condition::Present if member.tripped => Presence::Trip,
                Condition::Present if self.is_still_lost(member.point) => Presence::Bad,
                // The one way in which an overlay feeds back: what is being worked on is no evidence.
                Condition::Present | Condition::Waiting if self.is_out_of_service(*member) => {
                    Presence::Bad
                }
                Condition::Present => Presence::Good,
                Condition::Waiting => Presence::Waiting,
            };
            let in_alarm = self.alarms[member.alarm].state.is_active();
            tally.add(presence, in_alarm, channel.is_doubtful());
            // Not heard since the start, or lost and not confirmed yet.
            let may_trip = member.trips && presence != Presence::Good && !self.is_at_work(*member);
            let unproven =
                presence == Presence::Good && self.points[member.point].check.is_unheard();
            if (may_trip || unproven) && !self.is_out_of_service(*member) {
                tally.may_trip();
            }
        }
        tally
    }

    /// Is a channel without a value lost, as far as is known? What was bad before a restart may have been so on
    /// purpose.
    fn is_failure(&self, member: Member) -> bool {
        let channel = &self.points[member.point].channel;
        match channel.condition {
            Condition::Bad(Fault::WaitingForInitialData) => channel.last_reading.is_some(),
            Condition::Bad(fault) => !fault.is_intended(),
            Condition::Stale => true,
            Condition::Present | Condition::Waiting => false,
        }
    }

    /// Does its device say that it has no value, and has not failed?
    fn is_at_work(&self, member: Member) -> bool {
        let condition = self.points[member.point].channel.condition;
        matches!(condition, Condition::Bad(fault) if fault.is_intended())
    }

    fn is_out_of_service(&self, member: Member) -> bool {
        self.alarms[member.alarm].overlays().out_of_service
    }

    /// What is out of service already of a group that `alarm` votes in, or is an alarm of; as the denial to
    /// take this one out, too. Of a channel that is another channel, or an alarm of the group; of such an
    /// alarm it is a channel.
    pub(super) fn channel_out(&self, alarm: usize) -> Option<Denied> {
        let found = self.groups.iter().find_map(|group| {
            let own = self.points[group.point].alarms.clone();
            let votes = group.channels.iter().any(|channel| channel.alarm == alarm);
            if !votes && !own.contains(&alarm) {
                return None;
            }
            let others = group.channels.iter().map(|channel| channel.alarm);
            let others = others.filter(|other| *other != alarm);
            let mut others = others.chain(own.filter(|_| votes));
            let out = others.find(|other| self.alarms[*other].overlays().out_of_service)?;
            Some((group.point, out))
        });
        found.map(|(group, out)| Denied::NoSecondApproval {
            group: self.points[group].id.clone(),
            out: self.alarms[out].id.clone(),
        })
    }

    /// The tally becomes the value and the quality of the group's own point. Says whether the quality
    /// is another than before, and if so, whether what is active is now held.
    fn take_tally(&mut self, group: usize, tally: Tally, now: Moment) -> Option<bool> {
        let fault = self.fault_of(group, tally);
        let index = self.groups[group].point;
        let point = &mut self.points[index];
        let was = point.channel.condition;
        let changed = if let Some(fault) = fault {
            if matches!(was, Condition::Bad(_)) {
                if was == Condition::Bad(Fault::WaitingForInitialData) {
                    // Held already; why is certain only now.
                    point.channel.condition = Condition::Bad(fault);
                }
                return None;
            }
            // Before anything is judged: what is on its way is dropped by the judging.
            self.points[index].hidden = self.hazards_in_sight(index);
            self.points[index].channel.condition = Condition::Bad(fault);
            true
        } else if !tally.is_heard() {
            // Nothing is known yet.
            return None;
        } else {
            let votes = f64::from(tally.votes().count_ones());
            let sample = match (Finite::new(votes), tally.bad | tally.doubtful) {
                (Some(votes), 0) => Sample::Good(votes),
                (Some(votes), _) => Sample::Uncertain(votes, Doubt::SubNormal),
                (None, _) => return None,
            };
            point.hidden = Sight::default();
            point.channel.condition = Condition::Present;
            point.channel.sample = Some(sample);
            let marked = point.channel.mark(sample, now.mono, Duration::ZERO);
            marked || matches!(was, Condition::Bad(_))
        };
        if changed || was == Condition::Waiting {
            self.links.touch(Source::Condition(index));
        }
        self.links.touch(Source::Value(index));
        changed.then_some(fault.is_some())
    }

    /// Why there is no good channel, by the first of them; `None` while there is one, or one that votes by
    /// being bad, and before there was any as long as one may still be heard.
    fn fault_of(&self, group: usize, tally: Tally) -> Option<Fault> {
        if tally.is_heard() {
            return None;
        }
        let Group {
            channels, point, ..
        } = &self.groups[group];
        if tally.waiting != 0 {
            let had_value = self.points[*point].channel.condition == Condition::Present;
            return had_value.then_some(Fault::WaitingForInitialData);
        }
        let first = channels.first()?;
        match self.points[first.point].channel.condition {
            Condition::Bad(fault) => Some(fault),
            Condition::Stale => Some(Fault::NoCommunication),
            Condition::Present if self.is_still_lost(first.point) => {
                Some(Fault::WaitingForInitialData)
            }
            Condition::Waiting | Condition::Present => Some(Fault::OutOfService),
        }
    }

    /// Holds the values of the good channels against each other.
    fn compare(&mut self, index: usize, now: Moment) {
        let mut values = std::mem::take(&mut self.groups[index].values);
        values.clear();
        let channels = 0..self.groups[index].channels.len();
        for channel in channels.clone() {
            let member = self.groups[index].channels[channel];
            values.extend(self.trusted(member).map(Finite::get));
        }
        let spread = Spread::of(&mut values);
        self.groups[index].values = values;
        for channel in channels {
            let member = self.groups[index].channels[channel];
            let value = self.trusted(member);
            let Some(alarm) = member.discrepancy else {
                continue;
            };
            let Watch::Discrepancy(discrepancy) = &mut self.alarms[alarm].watch else {
                continue;
            };
            discrepancy.1 = spread;
            let zone = match (spread, value) {
                (Some(spread), Some(value)) => {
                    discrepancy::zone(&discrepancy.0, spread.distance(value))
                }
                (None, _) | (_, None) => Zone::Unknown,
            };
            self.advance(alarm, zone, now);
        }
    }

    /// The value of a channel that may be compared with others: none while over-range is held, for what
    /// is read then means nothing, and none that only holds because what came after it is not believed.
    fn trusted(&self, member: Member) -> Option<Finite> {
        let point = &self.points[member.point];
        match point.channel.shown() {
            Some(_) if self.is_out_of_service(member) || point.held_at.is_some() => None,
            Some(_) if !point.channel.can_clear() => None,
            Some(Sample::Good(value)) => Some(value),
            Some(Sample::Uncertain(..) | Sample::Bad(_)) | None => None,
        }
    }

    /// What an alarm compares with now: of a vote, the votes that are enough.
    pub(super) fn limit_of(&self, alarm: usize) -> Option<f64> {
        let watch = &self.alarms[alarm].watch;
        if matches!(watch, Watch::Vote) {
            return self.group_of(alarm)?.needed().map(f64::from);
        }
        watch.limit()
    }

    /// The group that an alarm belongs to.
    fn group_of(&self, alarm: usize) -> Option<&Group> {
        let group = self.points[self.point_of(alarm)].group?;
        self.groups.get(group)
    }
}
