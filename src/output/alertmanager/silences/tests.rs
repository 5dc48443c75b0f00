//! Which silences there should be, and what becomes of those that there are.

use super::super::alert::tests::words;
use super::super::standing::Standing;
use super::super::wire::SilenceStatus;
use super::*;
use crate::engine::overlay::{Cover, Shelf, Term};
use crate::engine::snapshot::Acknowledgement;
use crate::engine::time::Moment;
use crate::output::message::tests::record;

const HOUR: Duration = Duration::from_secs(3600);

fn at(seconds: u64) -> Moment {
    Moment::default().after(Duration::from_secs(1_000_000 + seconds))
}

fn policy() -> Policy {
    Policy {
        acknowledged: true,
        shelved: true,
        owner: "north-plant".to_owned(),
    }
}

fn alarm(state: AlarmState) -> AlarmRecord {
    AlarmRecord {
        raised_at: Some(at(0).wall),
        acknowledged: Some(Acknowledgement {
            by: "li-wei".into(),
            at: at(60).wall,
        }),
        ..record("CH4-101/high", state)
    }
}

fn shelved(mut record: AlarmRecord) -> AlarmRecord {
    let shelf = Shelf {
        by: "anna".into(),
        reason: "coupling exchange".into(),
        approved_by: None,
        term: Term::new(at(100), HOUR),
        one_shot: false,
    };
    record.cover = Some(Box::new(Cover {
        shelf: Some(shelf),
        suppression: None,
        outage: None,
    }));
    record
}

fn wanted(policy: &Policy, record: &AlarmRecord, now: u64) -> BTreeMap<String, Wanted> {
    let records = std::iter::once(record);
    let standing = Standing::new(words(&["CH4-101/high"]), Duration::ZERO, records, at(200));
    policy.wanted(&standing, at(now).wall)
}

fn found(id: &str, mark: &str, state: &str) -> FoundSilence {
    FoundSilence {
        id: id.to_owned(),
        comment: format!("going there {mark}"),
        status: SilenceStatus {
            state: state.to_owned(),
        },
    }
}

#[test]
fn an_acknowledgement_and_a_shelf_are_silences_with_a_name_and_an_end() {
    let all = wanted(&policy(), &shelved(alarm(AlarmState::Acknowledged)), 200);
    let [ack, shelf] = all.values().collect::<Vec<_>>()[..] else {
        unreachable!("two: {all:?}");
    };
    assert_eq!(
        (&*ack.by, ack.until),
        ("Li Wei, shift lead", at(60).wall + HOUR * 8)
    );
    assert!(
        ack.comment
            .starts_with("acknowledged [forewarn north-plant: acknowledged CH4-101/high 1970")
    );
    assert_eq!((&*shelf.by, shelf.until), ("anna", at(100).wall + HOUR));
    assert!(
        shelf
            .comment
            .starts_with("coupling exchange [forewarn north-plant: shelved ")
    );
}

#[test]
fn there_is_none_without_the_option_nor_over_what_calls_or_does_not_stand() {
    let off = Policy {
        acknowledged: false,
        shelved: false,
        ..policy()
    };
    let covered = shelved(alarm(AlarmState::Acknowledged));
    assert!(wanted(&off, &covered, 200).is_empty() && !off.is_on());
    for state in [
        AlarmState::Unacknowledged,
        AlarmState::LatchedUnacknowledged,
    ] {
        assert!(
            wanted(&policy(), &alarm(state), 200).is_empty(),
            "{state:?}"
        );
    }
    assert!(wanted(&policy(), &shelved(alarm(AlarmState::Normal)), 200).is_empty());
    assert_eq!(
        wanted(&policy(), &covered, 2 * 3600).len(),
        1,
        "the shelf is over"
    );
    assert!(wanted(&policy(), &covered, 9 * 3600).is_empty());
    let mut brief = alarm(AlarmState::Acknowledged);
    brief.promise = Some(Term::new(at(60), HOUR));
    let brief = wanted(&policy(), &brief, 200);
    assert!(
        brief
            .values()
            .all(|silence| silence.until == at(60).wall + HOUR)
    );
}

/// Asks until nothing is left; what was asked.
fn settle(
    silences: &mut Silences,
    wanted: &BTreeMap<String, Wanted>,
    has: &[FoundSilence],
) -> Vec<Ask> {
    let (given, now) = (BTreeMap::new(), at(300).mono);
    let mut asked = Vec::new();
    while let Some(ask) = silences
        .to_end(wanted)
        .or_else(|| silences.next(&policy(), wanted, &given, now))
    {
        match &ask {
            Ask::List => silences.found(&policy(), has, now),
            Ask::Make(mark, _) => silences.made(mark.clone(), Some("new".to_owned())),
            Ask::End(id) => silences.ended(id),
        }
        asked.push(ask);
        assert!(asked.len() < 10, "{asked:?}");
    }
    asked
}

#[test]
fn one_is_made_once_and_found_again_after_a_restart() {
    let wanted = wanted(&policy(), &alarm(AlarmState::Acknowledged), 200);
    let mark = wanted.keys().next().expect("one");
    let mut silences = Silences::default();
    let asked = settle(&mut silences, &wanted, &[]);
    assert!(
        matches!(&asked[..], [Ask::List, Ask::Make(made, _)] if made == mark),
        "{asked:?}"
    );
    let mut restarted = Silences::default();
    let has = [
        found("old", mark, "active"),
        found("x", "by hand", "active"),
    ];
    assert_eq!(settle(&mut restarted, &wanted, &has), [Ask::List]);
    // Somebody ended it there: that stands.
    let has = [found("old", mark, "expired")];
    assert_eq!(settle(&mut Silences::default(), &wanted, &has), [Ask::List]);
    // A second one goes.
    let has = [found("a", mark, "active"), found("b", mark, "active")];
    let asked = settle(&mut Silences::default(), &wanted, &has);
    assert_eq!(asked, [Ask::List, Ask::End("b".to_owned())]);
}

#[test]
fn it_is_ended_when_it_stands_for_nothing_and_only_ours_is() {
    let wanted = wanted(&policy(), &alarm(AlarmState::Acknowledged), 200);
    let mark = wanted.keys().next().expect("one");
    let mut silences = Silences::default();
    let theirs = mark.replace("north-plant:", "north-plant/b:");
    let has = [found("old", mark, "active"), found("b", &theirs, "active")];
    settle(&mut silences, &wanted, &has);
    let nothing = BTreeMap::new();
    assert!(silences.hold("CH4-101/high", &nothing) && !silences.hold("CH4-101/hig", &nothing));
    assert_eq!(
        settle(&mut silences, &nothing, &[]),
        [Ask::End("old".to_owned())]
    );
    assert!(!silences.hold("CH4-101/high", &nothing));
    // Found after a restart.
    let asked = settle(&mut Silences::default(), &nothing, &has);
    assert_eq!(asked, [Ask::List, Ask::End("old".to_owned())]);
}

/// An alert is not told over a shelf that lasts, nor over an acknowledgement that does.
#[test]
fn it_stays_as_long_as_what_it_stands_for() {
    let wanted = wanted(&policy(), &shelved(alarm(AlarmState::Acknowledged)), 200);
    let has: Vec<_> = wanted
        .keys()
        .map(|mark| found(mark, mark, "active"))
        .collect();
    assert_eq!(has.len(), 2);
    let mut silences = Silences::default();
    assert_eq!(settle(&mut silences, &wanted, &has), [Ask::List]);
    assert_eq!(silences.to_end(&wanted), None);
    assert!(!silences.hold("CH4-101/high", &wanted));
}

#[test]
fn members_that_hand_it_on_get_it_once() {
    let wanted = wanted(&policy(), &alarm(AlarmState::Acknowledged), 200);
    let mark = wanted.keys().next().expect("one").clone();
    let given: BTreeMap<_, _> = [(mark.clone(), at(300).mono)].into();
    let next =
        |silences: &Silences, second| silences.next(&policy(), &wanted, &given, at(second).mono);
    let mut second = Silences::default();
    second.found(&policy(), &[], at(299).mono);
    assert_eq!(next(&second, 301), None);
    assert_eq!(next(&second, 311), Some(Ask::List));
    second.found(&policy(), &[], at(311).mono);
    assert!(
        matches!(next(&second, 311), Some(Ask::Make(..))),
        "it is no member of the same cluster"
    );
    second.found(&policy(), &[found("s", &mark, "active")], at(311).mono);
    assert_eq!(next(&second, 312), None);
}
