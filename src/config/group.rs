//! `[group]`: points that vote, and are compared with each other. A group is a point that is not
//! measured: what it says of itself is read as a point's, its alarms are decided as a point's.

mod compare;
mod explain;

pub(super) use explain::{
    explain, explain_degraded, explain_discrepancy, explain_group_fault, explain_vote,
};

use std::time::Duration;

use super::alarm::{self, RawAlarm};
use super::defaults::{self, Resolved};
use super::finding::{Kind, Log};
use super::first_out::{self, RawFirstOut};
use super::keys::{Keys, Vocabulary, choice, kind_names, mismatch};
use super::people::{self, People, dangling};
use super::place::At;
use super::point::{self, RawPoint};
use super::priority::Priorities;
use super::texts::Texts;
use super::tree::{Entry, Item, Section, Value};
use crate::engine::reading::PointIndex;
use crate::engine::settings::{
    AlarmKind, BadChannel, GroupSettings, MAX_CHANNELS, OnBad, PendingHold,
};
use compare::RawDiscrepancy;

const GROUP: Vocabulary = Vocabulary {
    what: "a group",
    keys: &[
        "name",
        "area",
        "vote",
        "of",
        "alarm",
        "bad",
        "discrepancy",
        "first_out",
        "on_delay",
        "off_delay",
        "action",
        "plan",
    ],
    later: &[],
};

/// Kinds that may be voted on: what the process does, not what the measuring does.
const VOTED: [(&str, AlarmKind); 12] = [
    ("low_low", AlarmKind::LowLow),
    ("low", AlarmKind::Low),
    ("high", AlarmKind::High),
    ("high_high", AlarmKind::HighHigh),
    ("rise", AlarmKind::Rise),
    ("fall", AlarmKind::Fall),
    ("state", AlarmKind::State),
    ("deviation", AlarmKind::Deviation),
    ("forecast", AlarmKind::Forecast),
    ("stel", AlarmKind::Stel),
    ("twa", AlarmKind::Twa),
    ("over_range", AlarmKind::OverRange),
];

/// The alarms of a group, in life-cycle order.
pub(super) const KINDS: [AlarmKind; 3] =
    [AlarmKind::Vote, AlarmKind::Degraded, AlarmKind::GroupFault];

const ALARMS: Vocabulary = Vocabulary {
    what: "the alarms of a group",
    keys: &kind_names(KINDS),
    later: &[],
};

/// A group as written.
pub(super) struct RawGroup {
    /// What a group has in common with every point.
    pub(super) point: RawPoint,
    votes: usize,
    /// Positions of its channels among the points.
    of: Vec<At<usize>>,
    voted: Option<AlarmKind>,
    bad: BadChannel,
    discrepancy: Option<RawDiscrepancy>,
}

/// `[group]` as written.
pub(super) struct Groups {
    /// Those that vote.
    pub(super) voting: Vec<RawGroup>,
    /// Those that mark which alarm came first; a group may do both.
    pub(super) first_outs: Vec<RawFirstOut>,
}

/// Reads `[group]`. Points whose values are compared get their discrepancy alarm.
pub(super) fn read(
    root: &Section,
    points: &mut [RawPoint],
    people: &People,
    log: &mut Log,
) -> Groups {
    let entries = people::entries(root, "group", log);
    let mut groups = Groups {
        voting: Vec::new(),
        first_outs: Vec::new(),
    };
    for entry in entries {
        let surroundings = Surroundings {
            points,
            groups: entries,
            people,
        };
        if first_out::is_alone(entry) {
            groups.first_outs.extend(first_out::read_alone(entry, log));
        } else if let Some((group, first_out)) = group(entry, &surroundings, log) {
            groups.voting.push(group);
            groups.first_outs.extend(first_out);
        }
    }
    for group in &groups.voting {
        compare::spread(group, points, log);
    }
    compare::with_nothing(points, log);
    trips_nothing(&groups.voting, points, log);
    groups
}

/// A point that is to be a vote when it is bad, and votes nowhere.
fn trips_nothing(groups: &[RawGroup], points: &[RawPoint], log: &mut Log) {
    for (position, point) in points.iter().enumerate() {
        let written = point.on_bad.as_ref();
        let Some(trips) = written.filter(|written| written.value == OnBad::VoteTrip) else {
            continue;
        };
        let votes = |group: &RawGroup| group.of.iter().any(|member| member.value == position);
        if !groups.iter().any(votes) {
            let id = &point.id.value;
            let text =
                format!("`{id}` is in no group that votes, so it cannot vote when it is bad");
            log.error(Kind::Conflict, trips.place, text).hint(
                "name it in `of` of a [group], or leave `on_bad` out: alarms that are active hold then",
            );
        }
    }
}

/// Decides everything about a group.
pub(super) fn resolve(
    raw: &RawGroup,
    priorities: &Priorities,
    people: &People,
    texts: &mut Texts,
) -> Resolved {
    let mut resolved = defaults::resolve(&raw.point, &[], None, priorities, people, texts);
    let settings = &mut resolved.settings;
    settings.stale_after = None;
    settings.good_confirm = Duration::ZERO;
    settings.group = Some(Box::new(GroupSettings {
        votes: raw.votes,
        of: raw.of.iter().map(|member| index(member.value)).collect(),
        alarm: raw.voted.unwrap_or(AlarmKind::High),
        bad: raw.bad,
        compares: raw.discrepancy.is_some(),
    }));
    for alarm in &mut settings.alarms {
        // Where a lost channel counts as a vote, losing one does not restart the vote's delay.
        if (alarm.kind(), raw.bad) == (AlarmKind::Vote, BadChannel::Vote) {
            alarm.pending_hold = PendingHold::Deadband;
        }
    }
    resolved
}

/// Points come before everything else in the engine, in the order in which they are written.
fn index(position: usize) -> PointIndex {
    PointIndex(u32::try_from(position).unwrap_or(u32::MAX))
}

/// What a group refers to.
struct Surroundings<'a> {
    points: &'a [RawPoint],
    groups: &'a [Entry],
    people: &'a People,
}

fn group(
    entry: &Entry,
    around: &Surroundings<'_>,
    log: &mut Log,
) -> Option<(RawGroup, Option<RawFirstOut>)> {
    point::check_point_id("a group", &entry.key, log);
    let same = |point: &&RawPoint| point.id.value == entry.key.value;
    if let Some(point) = around.points.iter().find(same) {
        let text = format!("`{}` is the id of a point, too", entry.key.value);
        log.error(Kind::Duplicate, entry.key.place, text)
            .hint("alarms are named by it: choose another id for the group")
            .also(point.id.place, "the point");
    }
    let keys = Keys::open(entry, &GROUP, log)?;
    let of = members(&keys, around, log);
    let votes = vote(&keys, log);
    let bad = [("vote", BadChannel::Vote), ("exclude", BadChannel::Exclude)];
    let bad = keys.choice("bad", &bad, log);
    let (alarms, voted) = alarms(&keys, log);
    let mut group = RawGroup {
        point: RawPoint::unmeasured(entry.key.clone(), alarms),
        votes: votes.as_ref().map_or(1, |votes| votes.value.0),
        of,
        voted: voted.as_ref().map(|voted| voted.value),
        bad: bad.map_or(BadChannel::Vote, |bad| bad.value),
        discrepancy: compare::read(&keys, log),
    };
    if let Some(votes) = votes {
        enough(&votes, &keys, &group.of, log);
    }
    if let Some(voted) = &voted {
        has_voted_alarm(voted, &group.of, around.points, log);
    }
    describe(&mut group, &keys, around, log);
    let voting = group.of.iter().zip(group.voted.into_iter().cycle());
    let voting = voting.map(|(member, kind)| (member.value, kind)).collect();
    let first_out = first_out::read(&entry.key, &keys, voting, log);
    Some((group, first_out))
}

/// The words about a group; what is not written is what all its channels have in common.
fn describe(group: &mut RawGroup, keys: &Keys<'_>, around: &Surroundings<'_>, log: &mut Log) {
    let channels: Vec<&RawPoint> = group
        .of
        .iter()
        .map(|member| &around.points[member.value])
        .collect();
    let area = point::area(keys, around.people, log);
    let point = &mut group.point;
    point.name = keys.text("name", log).map(|name| name.value);
    point.area_unknown = area.is_none() && keys.has("area");
    point.area = if keys.has("area") {
        area
    } else {
        common(&channels, |channel| channel.area.as_ref())
    };
    let voted = |channel: &'_ RawPoint| {
        let mut alarms = channel.alarms.iter();
        alarms.position(|alarm| Some(alarm.kind) == group.voted)
    };
    point.action = keys.text("action", log).map(|action| action.value);
    if point.action.is_none() {
        point.action = common(&channels, |channel| {
            let alarm = voted(channel).and_then(|at| channel.alarms[at].action.as_ref());
            alarm.or(channel.action.as_ref())
        });
    }
    point.plan = keys.text("plan", log).map(|plan| plan.value);
    if point.plan.is_none() {
        point.plan = common(&channels, |channel| {
            let alarm = voted(channel).and_then(|at| channel.alarms[at].plan.as_ref());
            alarm.or(channel.plan.as_ref())
        });
    }
}

/// What all channels say alike.
fn common(channels: &[&RawPoint], what: impl Fn(&RawPoint) -> Option<&String>) -> Option<String> {
    let first = what(channels.first()?)?;
    let alike = channels.iter().all(|channel| what(channel) == Some(first));
    alike.then(|| first.clone())
}

/// `"2oo3"`.
fn vote(keys: &Keys<'_>, log: &mut Log) -> Option<At<(usize, usize)>> {
    keys.require("vote", "\"2oo3\"", log);
    let text = keys.text("vote", log)?;
    let number = |text: &str| text.parse::<usize>().ok().filter(|n| (1..=999).contains(n));
    let parts = text.value.split_once("oo");
    let parsed = parts.and_then(|(m, n)| Some((number(m)?, number(n)?)));
    let Some((m, n)) = parsed else {
        let shown = &text.value;
        log.error(
            Kind::BadValue,
            text.place,
            format!("`vote` cannot be \"{shown}\""),
        )
        .hint("M out of N, both at least 1: \"2oo3\" is two out of three");
        return None;
    };
    if m > n {
        let text_shown = format!("{m} of {n} channels can never be in alarm");
        log.error(Kind::OutOfRange, text.place, text_shown)
            .hint("the first number is at most the second one");
        return None;
    }
    Some(At {
        value: (m, n),
        place: text.place,
    })
}

/// The channels that are known, each once.
fn members(keys: &Keys<'_>, around: &Surroundings<'_>, log: &mut Log) -> Vec<At<usize>> {
    keys.require("of", "[\"FD-2A\", \"FD-2B\", \"FD-2C\"]", log);
    let mut members: Vec<At<usize>> = Vec::new();
    for item in keys.list("of", log).unwrap_or_default() {
        let Some(value) = member(item, around, log) else {
            continue;
        };
        let place = item.place;
        if let Some(first) = members.iter().find(|known| known.value == value) {
            let id = &around.points[value].id.value;
            let text = format!("`{id}` would vote twice");
            log.error(Kind::Duplicate, place, text)
                .also(first.place, "first here");
            continue;
        }
        members.push(At { value, place });
    }
    members
}

fn member(item: &Item, around: &Surroundings<'_>, log: &mut Log) -> Option<usize> {
    let Value::Text(id) = &item.value else {
        return mismatch("of", "a list of point ids", item, log);
    };
    let found = around.points.iter().position(|point| point.id.value == *id);
    if found.is_some() {
        return found;
    }
    if let Some(group) = around.groups.iter().find(|group| group.key.value == *id) {
        let text = format!("`{id}` is a group, and groups do not vote in groups");
        log.error(Kind::Conflict, item.place, text)
            .hint("name its points instead")
            .also(group.key.place, "the group");
        return None;
    }
    let id = At {
        value: id.clone(),
        place: item.place,
    };
    dangling(
        "point",
        &id,
        around.points.iter().map(|point| &point.id.value),
        log,
    );
    None
}

/// Do the numbers of `vote` fit the list?
fn enough(votes: &At<(usize, usize)>, keys: &Keys<'_>, of: &[At<usize>], log: &mut Log) {
    let Some(items) = keys.entry("of").map(|entry| &entry.item) else {
        return;
    };
    let Value::List(listed) = &items.value else {
        return;
    };
    let count = listed.len();
    if !(2..=MAX_CHANNELS).contains(&count) {
        let text = format!("a group has from 2 to {MAX_CHANNELS} channels, not {count}");
        log.error(Kind::OutOfRange, items.place, text);
    } else if votes.value.1 != count && of.len() == count {
        let channels = votes.value.1;
        let text = format!("`vote` is about {channels} channels, but `of` names {count}");
        log.error(Kind::Conflict, votes.place, text)
            .also(items.place, "the channels");
    }
}

/// A channel without the alarm could never vote.
fn has_voted_alarm(voted: &At<AlarmKind>, of: &[At<usize>], points: &[RawPoint], log: &mut Log) {
    for member in of {
        let point = &points[member.value];
        if !point.alarms.iter().any(|alarm| alarm.kind == voted.value) {
            let (id, kind) = (&point.id.value, voted.value.name());
            let text = format!("`{id}` has no alarm `{kind}`, so it could never vote");
            log.error(Kind::Conflict, member.place, text)
                .hint(format!("give it `{kind}`, or vote on another alarm"))
                .also(voted.place, "the alarm that is voted on");
        }
    }
}

/// The group's own alarms, and which alarm of the channels is voted on: `alarm = "high"`, or
/// `[group.G.alarm.vote]` with `kind = "high"`.
fn alarms(keys: &Keys<'_>, log: &mut Log) -> (Vec<RawAlarm>, Option<At<AlarmKind>>) {
    let mut alarms = KINDS.map(|kind| alarm::empty(kind, keys.owner));
    keys.require("alarm", "\"high\"", log);
    let entry = keys.entry("alarm");
    let mut voted = None;
    match entry.map(|entry| (&entry.item.value, entry)) {
        Some((Value::Table(section), entry)) => {
            let long = Keys::of(section, entry.key.place, &ALARMS, log);
            if let Some(keys) = long_form(&mut alarms[0], "vote", &long, &alarm::VOTE, log) {
                keys.require("kind", "\"high\"", log);
                voted = keys.choice("kind", &VOTED, log);
            } else if !long.has("vote") {
                log.error(
                    Kind::MissingKey,
                    entry.key.place,
                    "it is not said which alarm of the channels is voted on",
                )
                .hint("write [group.ID.alarm.vote] and kind = \"high\" below it");
            }
            long_form(&mut alarms[1], "degraded", &long, &alarm::CHANNELS, log);
            long_form(&mut alarms[2], "group_fault", &long, &alarm::CHANNELS, log);
        }
        Some((_, entry)) => voted = choice("alarm", &entry.item, &VOTED, log),
        None => {}
    }
    short_delays(&mut alarms[0], keys, log);
    (alarms.into(), voted)
}

fn long_form<'a>(
    alarm: &mut RawAlarm,
    name: &str,
    long: &Keys<'a>,
    words: &Vocabulary,
    log: &mut Log,
) -> Option<Keys<'a>> {
    let entry = long.entry(name)?;
    let keys = Keys::open(entry, words, log)?;
    alarm.place = entry.key.place;
    alarm::common(alarm, &keys, log);
    Some(keys)
}

/// `on_delay` and `off_delay` of the group are those of its vote.
fn short_delays(vote: &mut RawAlarm, keys: &Keys<'_>, log: &mut Log) {
    let on = keys.duration("on_delay", alarm::DELAY, log);
    let off = keys.duration("off_delay", alarm::DELAY, log);
    let twice = [
        (on.is_some() && vote.on_delay.is_some(), "on_delay"),
        (off.is_some() && vote.off_delay.is_some(), "off_delay"),
    ];
    for (twice, key) in twice {
        if let (true, Some(place)) = (twice, keys.place_of(key)) {
            let text = format!("`{key}` is said twice");
            log.error(Kind::Duplicate, place, text)
                .hint("keep the short form or the long form of this value")
                .also(vote.place, "the long form");
        }
    }
    vote.on_delay = on.or(vote.on_delay.take());
    vote.off_delay = off.map(|off| off.value).or(vote.off_delay);
}
