//! What a lost device or broker has to do with the points that are read from it: how urgent it is, who is
//! told of it, and which alarms are grouped under its own (`notify/connection.rs`). And which way to people a lost
//! output is (`notify/channels.rs`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::engine::reading::PointIndex;
use crate::engine::settings::{AlarmKind, PointSettings, Priority};
use crate::notify::channels::{Audience, Channel};
use crate::notify::settings::{Holder, NotifySettings, Role, Roles};
use crate::output::{OutputSettings, Target};
use crate::wording::Person;

/// A device or a broker.
pub(super) struct Connection {
    /// Its own point, which says whether it is lost.
    pub(super) status: PointIndex,
    /// Those that are read from it.
    pub(super) points: Vec<PointIndex>,
}

/// At least `least`, and as urgent as the silence of any of the points is at rest: else it could not speak
/// for all of them.
pub(super) fn priority(
    least: Priority,
    points: impl Iterator<Item = PointIndex>,
    all: &[PointSettings],
) -> Priority {
    let points = points.filter_map(|point| all.get(point.0 as usize));
    let alarms = points.flat_map(|point| &point.alarms);
    let silence = alarms.filter(|alarm| alarm.kind() == AlarmKind::Stale);
    silence.map(|alarm| alarm.priority).fold(least, Ord::max)
}

/// Every output as a way to people. Their points are numbered in their order.
pub(super) fn channels(
    outputs: &[OutputSettings],
    persons: &BTreeMap<String, Person>,
) -> Vec<Channel> {
    let channel = |output: &OutputSettings| Channel {
        output: Arc::clone(&output.id),
        status: output.status,
        audience: audience(&output.target, persons),
    };
    outputs.iter().map(channel).collect()
}

/// Mail goes to persons by their addresses; what would reach none of them goes to its `to`.
fn audience(target: &Target, persons: &BTreeMap<String, Person>) -> Audience {
    if let Target::Email(mail) = target
        && mail.to.is_empty()
    {
        let addressed = persons.iter().filter(|(_, person)| person.email.is_some());
        return Audience::Persons(addressed.map(|(id, _)| id.as_str().into()).collect());
    }
    if target.is_for_people() {
        Audience::Readers
    } else {
        Audience::Programs
    }
}

/// Gives each connection its place among those who are told. `areas`: every area, in the order of the
/// configuration, which is that of the persons.
pub(super) fn connect(
    connections: &[Connection],
    all: &[PointSettings],
    areas: &[Arc<str>],
    notify: &mut NotifySettings,
) {
    let order: BTreeMap<&str, usize> = (areas.iter().map(|area| &**area)).zip(0..).collect();
    let mut lost: Vec<Option<Arc<str>>> = vec![None; all.len()];
    for connection in connections {
        let Some(own) = all.get(connection.status.0 as usize) else {
            continue;
        };
        let points = connection.points.iter();
        let touched = points.filter_map(|point| {
            let area = all.get(point.0 as usize)?.area.as_deref()?;
            order.get(area).copied()
        });
        let touched: BTreeSet<usize> = touched.collect();
        let touched: Vec<&Arc<str>> = touched.iter().filter_map(|at| areas.get(*at)).collect();
        if !touched.is_empty() {
            let area = together(&touched, notify);
            notify.areas_of_own.insert(Arc::clone(&own.id), area);
        }
        let alarm = own.alarms.first();
        let alarm = alarm.map(|alarm| format!("{}/{}", own.id, alarm.kind().name()).into());
        for point in &connection.points {
            if let Some(lost) = lost.get_mut(point.0 as usize) {
                lost.clone_from(&alarm);
            }
        }
    }
    let of_point = |(point, lost): (&PointSettings, Option<Arc<str>>)| {
        let silence = [AlarmKind::Stale, AlarmKind::Bad];
        let alarms = point.alarms.iter();
        let kinds: Vec<AlarmKind> = alarms.map(|alarm| alarm.kind()).collect();
        (kinds.into_iter()).map(move |kind| lost.clone().filter(|_| silence.contains(&kind)))
    };
    notify.lost_with = all.iter().zip(lost).flat_map(of_point).collect();
}

/// The area that stands for `areas`: whoever has a role in one of them has it there, each person once.
/// Connections with points in the same areas have the same one, so that in a flood they are one group.
fn together(areas: &[&Arc<str>], notify: &mut NotifySettings) -> Arc<str> {
    if let [only] = areas {
        return Arc::clone(only);
    }
    let ids: Vec<&str> = areas.iter().map(|area| &***area).collect();
    let name: Arc<str> = ids.join(", ").into();
    let of = |role| {
        let holders = (areas.iter()).filter_map(|area| Some(notify.areas.get(*area)?.of(role)));
        let mut persons: Vec<Holder> = Vec::new();
        for person in holders.flatten() {
            if !persons.contains(person) {
                persons.push(person.clone());
            }
        }
        persons
    };
    let roles = Roles {
        responsible: of(Role::Responsible),
        deputy: of(Role::Deputy),
        principal: of(Role::Principal),
    };
    notify.areas.insert(Arc::clone(&name), roles);
    name
}

#[cfg(test)]
mod tests {
    use super::super::{Config, Source, load};
    use super::*;

    const PLANT: &str = "site = \"a\"\n[device.d]\nmodbus = \"tcp://127.0.0.1\"\n[device.e]\n\
        modbus = \"tcp://127.0.0.2\"\n[broker.b]\nurl = \"mqtt://127.0.0.1\"\n\
        [person.anna]\n[person.li]\n[person.wang]\n\
        [area.pit]\nresponsible = [\"li\"]\nprincipal = [\"wang\"]\n\
        [area.farm]\nresponsible = [\"anna\", \"li\"]\ndeputy = [\"wang\"]\n";

    /// `(name, source, area, more)` of each point.
    fn loaded(points: &[(&str, &str, &str, &str)]) -> Config {
        let mut text = PLANT.to_owned();
        for (number, (id, source, area, more)) in points.iter().enumerate() {
            let from = match *source {
                "b" => format!("topic = \"t{number}\"\n"),
                device => format!(
                    "device = \"{device}\"\nregister = \"input:{number}\"\ntype = \"int16\"\n"
                ),
            };
            let area = if area.is_empty() {
                String::new()
            } else {
                format!("area = \"{area}\"\n")
            };
            text.push_str(&format!(
                "[point.{id}]\n{from}{area}action = \"look\"\nhigh = 8\n{more}\n"
            ));
        }
        match load(&Source::text("a.toml", &text)) {
            Ok((config, _)) => config,
            Err(mistakes) => panic!("{mistakes}"),
        }
    }

    fn priority_of(config: &Config, own: &str) -> Priority {
        let mut points = config.engine.points.iter();
        let point = points.find(|point| *point.id == *own);
        point.expect("it is there").alarms[0].priority
    }

    #[test]
    fn whoever_answers_for_the_points_answers_for_their_device() {
        let config = loaded(&[
            ("A", "d", "farm", ""),
            ("B", "d", "pit", ""),
            ("C", "e", "farm", ""),
            ("D", "b", "", ""),
        ]);
        let notify = &config.notify;
        let area = |own: &str| notify.area_or_own(None, own).map(|area| &**area);
        assert_eq!(area("gateway.device.d"), Some("pit, farm"), "as written");
        assert_eq!(area("gateway.device.e"), Some("farm"));
        assert_eq!(area("gateway.broker.b"), None);
        assert_eq!(area("gateway.journal"), None);
        let roles = &notify.areas["pit, farm"];
        let of = |role| roles.of(role);
        assert_eq!(of(Role::Responsible), ["li", "anna"].map(Holder::from));
        assert_eq!(of(Role::Deputy), ["wang"].map(Holder::from));
        assert_eq!(of(Role::Principal), ["wang"].map(Holder::from));
    }

    #[test]
    fn only_what_is_said_of_silence_is_lost_with_its_source() {
        let config = loaded(&[("A", "d", "farm", ""), ("B", "b", "farm", "")]);
        let mut lost = config.notify.lost_with.iter();
        let mut of_points = Vec::new();
        for point in &config.engine.points {
            for alarm in &point.alarms {
                let lost = lost.next().expect("one for each alarm").as_deref();
                if let Some(lost) = lost {
                    of_points.push(format!("{}/{} {lost}", point.id, alarm.kind().name()));
                }
            }
        }
        assert_eq!(lost.next(), None);
        of_points.sort();
        assert_eq!(
            of_points,
            [
                "A/bad gateway.device.d/state",
                "A/stale gateway.device.d/state",
                "B/bad gateway.broker.b/state",
                "B/stale gateway.broker.b/state"
            ]
        );
    }

    #[test]
    fn a_source_is_as_urgent_as_the_silence_of_its_points() {
        let critical = "[point.A.alarm.stale]\npriority = \"critical\"";
        let other = "[point.B.alarm.high]\npriority = \"critical\"";
        let config = loaded(&[("A", "d", "farm", critical), ("B", "b", "farm", other)]);
        assert_eq!(priority_of(&config, "gateway.device.d"), Priority::Critical);
        assert_eq!(priority_of(&config, "gateway.broker.b"), Priority::High);
        assert_eq!(priority_of(&config, "gateway.device.e"), Priority::High);
    }

    #[test]
    fn mails_chats_and_an_alertmanager_go_to_people_and_the_rest_may_be_anything() {
        let hook = |id: &str, more: &str| {
            format!("[output.{id}]\nwebhook = \"http://127.0.0.1:9/x\"\n{more}\n")
        };
        let chats = ["slack", "teams", "wecom", "feishu"];
        let programs = ["json", "cloudevents"];
        let preset = |id: &&str| hook(id, &format!("template = \"{id}\""));
        let mut text = String::from("site = \"s\"\n[broker.b]\nurl = \"mqtt://127.0.0.1\"\n");
        text.extend(chats.iter().chain(&programs).map(preset));
        text.push_str(&hook("ntfy", "template = \"ntfy\"\ntopic = \"plant\""));
        text.push_str("[output.am]\nalertmanager = \"http://127.0.0.1:9093\"\n");
        text.push_str(
            "[output.mail]\nemail = \"smtp://127.0.0.1\"\nfrom = \"gw@example.com\"\nto = [\"a@example.com\"]\n",
        );
        text.push_str("[output.room]\nmqtt = \"mqtt://127.0.0.1\"\n[output.out]\nstdout = true\n");
        text.push_str("[point.P]\ntopic = \"p\"\n");
        let (config, _) = load(&Source::text("a.toml", &text)).expect("it is right");
        assert_eq!(config.notify.channels.len(), config.notify.outputs.len());
        assert!(
            config
                .notify
                .channels
                .is_sorted_by_key(|channel| channel.status)
        );
        for channel in &config.notify.channels {
            let own = &config.engine.points[channel.status.0 as usize];
            assert_eq!(*own.id, format!("gateway.output.{}", channel.output));
            let program = ["json", "cloudevents", "room", "out"].contains(&&*channel.output);
            assert_eq!(
                channel.audience == Audience::Programs,
                program,
                "{}",
                channel.output
            );
        }
    }

    #[test]
    fn mail_without_a_room_of_its_own_leads_to_whoever_has_an_address() {
        let audience = |to: &str| {
            let text = format!(
                "site = \"s\"\n[broker.b]\nurl = \"mqtt://127.0.0.1\"\n[point.P]\ntopic = \"p\"\n\
                 [person.anna]\nemail = \"anna@example.com\"\n[person.li]\n[output.mail]\n\
                 email = \"smtp://127.0.0.1\"\nfrom = \"gw@example.com\"\n{to}"
            );
            let (config, _) = load(&Source::text("a.toml", &text)).expect("it is right");
            config.notify.channels[0].audience.clone()
        };
        let anna = Audience::Persons(["anna".into()].into());
        assert_eq!(audience(""), anna);
        assert_eq!(audience("to = [\"room@example.com\"]\n"), Audience::Readers);
    }
}
