//! Which silences there should be, and what becomes of those that there are.

use super::super::alert::tests::words;
use super::super::standing::Standing;
use super::super::wire::SilenceStatus;
use super::*;
use crate::engine::overlay::{Cover, Shelf, Term};
use crate::engine::snapshot::Acknowledgement;
use crate::engine::time::Moment;
use crate::output::message::tests::record;

const ALARM: &str = "CH4-101/high";
const HOUR: Duration = Duration::from_secs(3600);

fn at(seconds: u64) -> Moment {
    Moment::default().after(Duration::from_secs(1_000_000 + seconds))
}

fn policy() -> Policy {
    Policy {
        acknowledged: true,
        shelved: true,
        site: "north-plant".into(),
        pair: None,
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

fn wishes(policy: &Policy, record: &AlarmRecord, now: u64) -> Wishes {
    let records = std::iter::once(record);
    let standing = Standing::new(words(&["CH4-101/high"]), Duration::ZERO, records, at(200));
    policy.wishes(&standing, at(now).wall)
}

fn wanted(policy: &Policy, record: &AlarmRecord, now: u64) -> BTreeMap<String, Wanted> {
    wishes(policy, record, now).silences
}

/// The only mark.
fn mark(wishes: &Wishes) -> &str {
    let mut marks = wishes.silences.keys();
    marks.next().expect("one")
}

fn found(id: &str, mark: &str, state: &str) -> FoundSilence {
    FoundSilence {
        id: id.to_owned(),
        comment: format!("going there {mark}"),
        status: SilenceStatus {
            state: state.to_owned(),
        },
        starts_at: format!("start of {id}"),
        ends_at: rfc3339::format(at(200).wall),
        updated_at: rfc3339::format(at(200).wall),
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
    assert!(wanted(&off, &covered, 200).is_empty());
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
    policy: &Policy,
    wishes: &Wishes,
    has: &[FoundSilence],
) -> Vec<Ask> {
    settle_at(silences, (policy, wishes), has, 300)
}

fn settle_at(
    silences: &mut Silences,
    (policy, wishes): (&Policy, &Wishes),
    has: &[FoundSilence],
    second: u64,
) -> Vec<Ask> {
    let (given, now) = (BTreeMap::new(), at(second).mono);
    let mut asked = Vec::new();
    while let Some(ask) = silences
        .to_end(wishes, |_| false)
        .or_else(|| silences.next(policy, wishes, &given, now))
    {
        match &ask {
            Ask::List => silences.found(policy, has.to_vec(), now),
            Ask::Make(mark, _, live) => {
                let id = live.as_ref().map_or("new", |live| &*live.id);
                silences.made(mark.clone(), Some(id.to_owned()), now);
            }
            Ask::End(id) => silences.ended(id),
        }
        asked.push(ask);
        assert!(asked.len() < 10, "{asked:?}");
    }
    asked
}

/// `asked` is one look, and this silence made to last.
fn lasts(asked: &[Ask], id: &str) -> bool {
    matches!(asked, [Ask::List, Ask::Make(_, _, Some(live))] if live.id == id)
}

#[test]
fn one_is_made_once_and_found_again_after_a_restart() {
    let (policy, wishes) = (
        policy(),
        wishes(&policy(), &alarm(AlarmState::Acknowledged), 200),
    );
    let mark = mark(&wishes);
    let settle = |has: &[FoundSilence]| settle(&mut Silences::default(), &policy, &wishes, has);
    let made =
        |asked: &[Ask]| matches!(asked, [Ask::List, Ask::Make(made, _, None)] if made == mark);
    assert!(made(&settle(&[])), "{:?}", settle(&[]));
    let has = [
        found("old", mark, "active"),
        found("x", "by hand", "active"),
    ];
    assert!(lasts(&settle(&has), "old"), "{:?}", settle(&has));
    // Somebody ended it there: that stands.
    let ended = found("old", mark, "expired");
    assert_eq!(settle(std::slice::from_ref(&ended)), [Ask::List]);
    // It ran out while nobody was there to make it last.
    let ran_out = FoundSilence {
        updated_at: rfc3339::format(at(0).wall),
        ..ended
    };
    assert!(made(&settle(&[ran_out])));
    // A second one goes.
    let has = [found("a", mark, "active"), found("b", mark, "active")];
    let asked = settle(&has);
    assert_eq!(asked[..2], [Ask::List, Ask::End("b".to_owned())]);
}

/// Nobody's silence outlives its gateway by more than `LASTS`.
#[test]
fn it_is_asked_for_anew_each_minute_after_a_look() {
    let (policy, wishes) = (
        policy(),
        wishes(&policy(), &alarm(AlarmState::Acknowledged), 200),
    );
    let has = [found("new", mark(&wishes), "active")];
    let mut silences = Silences::default();
    let asked = settle_at(&mut silences, (&policy, &wishes), &[], 300);
    assert_eq!(asked.len(), 2, "{asked:?}");
    let mut renewals = 0;
    for second in 301..=900 {
        let asked = settle_at(&mut silences, (&policy, &wishes), &has, second);
        let renewed = asked.iter().any(|ask| matches!(ask, Ask::Make(..)));
        assert!(!renewed || lasts(&asked, "new"), "{asked:?}");
        renewals += u32::from(renewed);
    }
    assert!((8..=10).contains(&renewals), "{renewals} in ten minutes");
    // A person ended it between two looks: the look before the renewal shows it.
    let has = [found("new", mark(&wishes), "expired")];
    for second in 901..=1800 {
        let asked = settle_at(&mut silences, (&policy, &wishes), &has, second);
        assert!(
            !asked.iter().any(|ask| matches!(ask, Ask::Make(..))),
            "{asked:?}"
        );
    }
}

/// One that takes its time to answer is not made to last at the price of the others.
#[test]
fn the_one_that_ends_first_is_asked_for_first() {
    let both = wishes(&policy(), &shelved(alarm(AlarmState::Acknowledged)), 200);
    let has: Vec<_> = both
        .silences
        .keys()
        .map(|mark| found(mark, mark, "active"))
        .collect();
    let mut silences = Silences::default();
    silences.found(&policy(), has, at(300).mono);
    let next = |silences: &Silences, second| match silences.next(
        &policy(),
        &both,
        &BTreeMap::new(),
        at(second).mono,
    ) {
        Some(Ask::Make(mark, _, Some(_))) => mark,
        other => unreachable!("{other:?}"),
    };
    let first = next(&silences, 300);
    silences.made(first.clone(), None, at(300).mono);
    let second = next(&silences, 303);
    assert_ne!(first, second);
    let later = silences.next(&policy(), &both, &BTreeMap::new(), at(306).mono);
    assert_eq!(later, Some(Ask::List), "what was shown is old");
}

#[test]
fn it_is_ended_when_it_stands_for_nothing_and_only_ours_is() {
    let (policy, wishes) = (
        policy(),
        wishes(&policy(), &alarm(AlarmState::Acknowledged), 200),
    );
    let mark = mark(&wishes);
    let mut silences = Silences::default();
    let theirs = mark.replace("north-plant:", "north-plant/b:");
    let has = [found("old", mark, "active"), found("b", &theirs, "active")];
    settle(&mut silences, &policy, &wishes, &has);
    let nothing = Wishes::default();
    let holds = |silences: &Silences, alarm| silences.hold(alarm, &nothing, false);
    assert!(
        holds(&Silences::default(), "CH4-101/high"),
        "nobody has looked"
    );
    assert!(holds(&silences, "CH4-101/high") && !holds(&silences, "CH4-101/hig"));
    assert_eq!(
        settle(&mut silences, &policy, &nothing, &[]),
        [Ask::End("old".to_owned())]
    );
    assert!(!holds(&silences, "CH4-101/high"));
    // Found after a restart, also after one that switched the options off.
    let off = Policy {
        acknowledged: false,
        shelved: false,
        ..policy.clone()
    };
    for policy in [&policy, &off] {
        let mut restarted = Silences::default();
        let asked = settle(&mut restarted, policy, &nothing, &has);
        assert_eq!(asked, [Ask::List, Ask::End("old".to_owned())]);
        let later = settle_at(&mut restarted, (policy, &nothing), &[], 9000);
        assert!(later.is_empty(), "nobody is asked for nothing: {later:?}");
    }
}

/// An alert is not told over a shelf that lasts, nor over an acknowledgement that does.
#[test]
fn it_stays_as_long_as_what_it_stands_for() {
    let wishes = wishes(&policy(), &shelved(alarm(AlarmState::Acknowledged)), 200);
    let marks = wishes.silences.keys();
    let has: Vec<_> = marks.map(|mark| found(mark, mark, "active")).collect();
    assert_eq!(has.len(), 2);
    let mut silences = Silences::default();
    let asked = settle(&mut silences, &policy(), &wishes, &has);
    assert!(
        !asked.iter().any(|ask| matches!(ask, Ask::End(_))),
        "{asked:?}"
    );
    assert_eq!(silences.to_end(&wishes, |_| false), None);
    assert!(!silences.hold("CH4-101/high", &wishes, false));
}

/// What a partner acknowledged before it died does not mute the next alarm.
#[test]
fn an_acknowledgement_elsewhere_does_not_silence_what_is_raised_after_it() {
    let policy = Policy {
        pair: Some("b".to_owned()),
        ..policy()
    };
    let calls = |state| {
        let record = AlarmRecord {
            acknowledged: None,
            ..alarm(state)
        };
        wishes(&policy, &record, 200)
    };
    let calls_here = calls(AlarmState::Unacknowledged);
    assert!(calls_here.silences.is_empty());
    let before = "acknowledged CH4-101/high 1970-01-12T13:46:39.000Z]";
    for (mark, is_ended) in [
        (format!("[forewarn north-plant/a: {before}"), true),
        // Before there was a partner.
        (format!("[forewarn north-plant: {before}"), true),
        (format!("[forewarn north-plant-2/a: {before}"), false),
        (format!("[forewarn north: {before}"), false),
        (
            format!("[forewarn north-plant/a: {}", before.replace("101", "10")),
            false,
        ),
        (
            format!(
                "[forewarn north-plant/a: {}",
                before.replace("46:39", "46:41")
            ),
            false,
        ),
        (
            format!(
                "[forewarn north-plant/a: {}",
                before.replace("acknowledged", "shelved")
            ),
            false,
        ),
        ("[forewarn north-plant/a: acknowledged".to_owned(), false),
    ] {
        let has = [found("a", &mark, "active")];
        let asked = settle(&mut Silences::default(), &policy, &calls_here, &has);
        let ends = asked.contains(&Ask::End("a".to_owned()));
        assert_eq!(ends, is_ended, "{mark}: {asked:?}");
        let mut silences = Silences::default();
        let acknowledged = calls(AlarmState::Acknowledged);
        let asked = settle(&mut silences, &policy, &acknowledged, &has);
        assert_eq!(asked, [Ask::List], "somebody here knows");
        let leaves = |alarm: &str| alarm == ALARM;
        let nothing = Wishes::default();
        // The clocks do not matter to an all-clear.
        let is_over = is_ended || mark.contains("46:41");
        assert_eq!(
            silences.to_end(&nothing, leaves).is_some(),
            is_over,
            "{mark}"
        );
        assert_eq!(silences.hold(ALARM, &nothing, true), is_over);
        // It is raised again: no look is needed, and one is taken all the time.
        assert_eq!(silences.to_end(&calls_here, |_| false).is_some(), is_ended);
        let later = settle_at(&mut silences, (&policy, &acknowledged), &has, 331);
        assert_eq!(later, [Ask::List]);
    }
}

#[test]
fn members_that_hand_it_on_get_it_once() {
    let wishes = wishes(&policy(), &alarm(AlarmState::Acknowledged), 200);
    let mark = mark(&wishes).to_owned();
    let given: BTreeMap<_, _> = [(mark.clone(), at(300).mono)].into();
    let next =
        |silences: &Silences, second| silences.next(&policy(), &wishes, &given, at(second).mono);
    let mut second = Silences::default();
    second.found(&policy(), Vec::new(), at(299).mono);
    assert_eq!(next(&second, 301), None);
    assert_eq!(next(&second, 311), Some(Ask::List));
    second.found(&policy(), Vec::new(), at(311).mono);
    assert!(
        matches!(next(&second, 311), Some(Ask::Make(_, _, None))),
        "it is no member of the same cluster"
    );
    let handed = found("s", &mark, "active");
    second.found(&policy(), vec![handed], at(311).mono);
    assert!(
        matches!(next(&second, 312), Some(Ask::Make(_, _, Some(_)))),
        "each member is asked to let it last"
    );
}
