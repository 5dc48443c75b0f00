//! Members against a far end that behaves as Alertmanager 0.25 was seen to: whoever posts last is believed.

mod far;

use self::far::{Far, Gateway};
use super::*;
use crate::engine::alarm::AlarmState;

const A: &str = "A/high";
const B: &str = "B/high";

#[test]
fn an_alarm_is_told_at_once_and_taken_back_at_once() {
    let (mut far, mut gateway) = (Far::default(), Gateway::new("north", None));
    gateway.run(&mut far, 1);
    assert!(far.standing().is_empty());
    gateway.set(A, AlarmState::Unacknowledged, 1);
    gateway.run(&mut far, 1);
    assert_eq!(far.standing(), [A]);
    gateway.set(A, AlarmState::Acknowledged, 1);
    gateway.run(&mut far, 100);
    assert_eq!(far.standing(), [A], "an acknowledgement is no all-clear");
    gateway.set(A, AlarmState::Normal, 1);
    gateway.run(&mut far, 1);
    assert!(far.standing().is_empty());
}

#[test]
fn everything_is_told_anew_and_what_is_over_for_a_quarter_of_an_hour() {
    let (mut far, mut gateway) = (Far::default(), Gateway::new("north", None));
    gateway.set(A, AlarmState::Unacknowledged, 1);
    gateway.set(B, AlarmState::Unacknowledged, 1);
    gateway.run(&mut far, 70);
    gateway.set(B, AlarmState::Normal, 1);
    gateway.run(&mut far, 600);
    // It forgets everything.
    far = Far::default();
    gateway.run(&mut far, 31);
    assert_eq!(far.standing(), [A], "within one refresh");
    assert_eq!(far.told(B), Some(false));
    gateway.run(&mut far, 300);
    far = Far::default();
    gateway.run(&mut far, 31);
    assert_eq!(far.told(B), None, "it was told long enough");
}

#[test]
fn what_happens_during_an_outage_is_never_told_and_what_stands_is() {
    let (mut far, mut gateway) = (Far::default(), Gateway::new("north", None));
    gateway.set(A, AlarmState::Unacknowledged, 1);
    gateway.run(&mut far, 100);
    far.is_up = false;
    gateway.run(&mut far, 100);
    gateway.set(A, AlarmState::ReturnedUnacknowledged, 1);
    gateway.set(B, AlarmState::Unacknowledged, 1);
    gateway.run(&mut far, 200);
    gateway.set(B, AlarmState::ReturnedUnacknowledged, 1);
    gateway.set("C/high", AlarmState::Unacknowledged, 1);
    gateway.run(&mut far, 200);
    let mut forgot = Far::default();
    gateway.run(&mut forgot, 31);
    assert_eq!(forgot.standing(), ["C/high"]);
    assert_eq!(forgot.ever(), ["C/high"], "nothing came back to life");
}

#[test]
fn a_member_that_is_away_is_asked_seldom_and_at_once_when_there_is_news() {
    let (mut far, mut gateway) = (Far::default(), Gateway::new("north", None));
    far.is_up = false;
    gateway.run(&mut far, 600);
    assert!(far.posts < 40, "{} in 600 s", far.posts);
    far.is_up = true;
    gateway.set(A, AlarmState::Unacknowledged, 1);
    gateway.run(&mut far, 1);
    assert_eq!(far.standing(), [A]);
    // Who asks for patience is left in peace.
    far.asks_for = Some(Duration::from_secs(3600));
    gateway.set(A, AlarmState::Acknowledged, 1);
    gateway.run(&mut far, 1);
    gateway.set(B, AlarmState::Unacknowledged, 1);
    far.posts = 0;
    gateway.run(&mut far, 28);
    assert_eq!(far.posts, 0);
    far.asks_for = None;
    gateway.run(&mut far, 10);
    assert_eq!(far.standing(), [A, B], "but not for an hour");
}

#[test]
fn a_refused_alert_is_told_apart_and_holds_up_nobody() {
    let (mut far, mut gateway) = (Far::default(), Gateway::new("north", None));
    far.refuses = Some(B.to_owned());
    for alarm in [A, B, "C/high", "D/high"] {
        gateway.set(alarm, AlarmState::Unacknowledged, 1);
    }
    gateway.run(&mut far, 1);
    assert_eq!(far.standing(), [A, "C/high", "D/high"]);
    assert_eq!(gateway.refused, [B]);
    assert_eq!(gateway.member.refused(), 1);
    let posts = far.posts;
    gateway.run(&mut far, 200);
    assert!(far.posts - posts < 10, "it is not tried at each refresh");
    far.refuses = None;
    gateway.run(&mut far, 120);
    assert_eq!(far.standing(), [A, B, "C/high", "D/high"]);
    assert_eq!(gateway.member.refused(), 0);
}

#[test]
fn a_far_end_that_refuses_all_is_away() {
    let (mut far, mut gateway) = (Far::default(), Gateway::new("north", None));
    far.refuses = Some(String::new());
    for number in 0..200 {
        gateway.set(&format!("P-{number}/high"), AlarmState::Unacknowledged, 1);
    }
    gateway.run(&mut far, 60);
    assert!(far.posts < 200, "{}", far.posts);
    assert_eq!(
        (gateway.member.reached(), gateway.member.refused()),
        (Some(false), 0)
    );
    far.refuses = None;
    gateway.run(&mut far, 31);
    assert_eq!(far.standing().len(), 200);
}

#[test]
fn a_restart_takes_back_what_ended_unseen_and_repeats_what_stands() {
    let (mut far, mut gateway) = (Far::default(), Gateway::new("north", None));
    gateway.set(A, AlarmState::Unacknowledged, 1);
    gateway.set(B, AlarmState::Unacknowledged, 1);
    gateway.run(&mut far, 100);
    // Committed, and killed before it was posted.
    gateway.set(B, AlarmState::Normal, 1);
    gateway.restart();
    gateway.run(&mut far, 1);
    assert_eq!(far.standing(), [A]);
}

#[test]
fn what_stands_under_labels_of_the_past_is_taken_back_unless_somebody_means_it() {
    let (mut far, mut gateway) = (Far::default(), Gateway::new("north", None));
    gateway.set(A, AlarmState::Unacknowledged, 1);
    gateway.run(&mut far, 100);
    let mut other = Gateway::new("north", None);
    other.set(B, AlarmState::Unacknowledged, 1);
    other.run(&mut far, 10);
    // Both are taken out of this one's configuration; it knows the first only.
    gateway.remove(A);
    gateway.restart();
    for _ in 0..20 {
        gateway.run(&mut far, 10);
        other.run(&mut far, 10);
    }
    assert_eq!(far.standing(), [B], "what it never had is another's");
}

#[test]
fn a_pair_gives_one_alert_and_one_all_clear_when_both_are_clear() {
    let mut far = Far::default();
    let mut pair = [
        Gateway::new("north", Some("a")),
        Gateway::new("north", Some("b")),
    ];
    let both = |pair: &mut [Gateway; 2], far: &mut Far, seconds: u64| {
        for _ in 0..seconds {
            pair.iter_mut().for_each(|gateway| gateway.run(far, 1));
        }
    };
    both(&mut pair, &mut far, 7);
    pair[0].set(A, AlarmState::Unacknowledged, 1);
    both(&mut pair, &mut far, 3);
    pair[1].set(A, AlarmState::Unacknowledged, 8);
    both(&mut pair, &mut far, 100);
    assert_eq!((far.begins, far.ends), (1, 0));
    pair[0].set(A, AlarmState::Normal, 1);
    both(&mut pair, &mut far, 1000);
    assert_eq!((far.begins, far.ends), (1, 0), "the other still sees it");
    pair[1].set(A, AlarmState::Normal, 8);
    both(&mut pair, &mut far, 80);
    assert_eq!((far.begins, far.ends), (1, 1));
    // Soon after, one sees it again: nothing the other does takes it back.
    pair[1].set(A, AlarmState::Unacknowledged, 9);
    both(&mut pair, &mut far, 1000);
    assert_eq!((far.begins, far.ends), (2, 1));
}

#[test]
fn without_a_pair_two_gateways_flap() {
    let mut far = Far::default();
    let mut two = [Gateway::new("north", None), Gateway::new("north", None)];
    for gateway in &mut two {
        gateway.set(A, AlarmState::Unacknowledged, 1);
        gateway.run(&mut far, 61);
    }
    two[0].set(A, AlarmState::Normal, 1);
    for _ in 0..200 {
        two.iter_mut().for_each(|gateway| gateway.run(&mut far, 1));
    }
    assert!(
        far.ends > 2,
        "so it has to be said that there are two: {}",
        far.ends
    );
}

#[test]
fn the_partner_of_a_dead_gateway_decides_about_what_it_saw_itself() {
    let mut far = Far::default();
    let [mut living, mut dead] = [
        Gateway::new("north", Some("a")),
        Gateway::new("north", Some("b")),
    ];
    living.set(A, AlarmState::Unacknowledged, 1);
    dead.set(A, AlarmState::Unacknowledged, 1);
    dead.set(B, AlarmState::Unacknowledged, 1);
    living.run(&mut far, 61);
    dead.run(&mut far, 61);
    living.set(A, AlarmState::Normal, 1);
    living.run(&mut far, 80);
    assert_eq!(far.standing(), [B], "the living one never saw it");
    living.run(&mut far, 1000);
    assert_eq!(far.standing(), [B]);
}

#[test]
fn an_all_clear_waits_for_the_end_of_its_silence() {
    let (mut far, mut gateway) = (Far::default(), Gateway::new("north", None));
    gateway.silences(true);
    gateway.set(A, AlarmState::Unacknowledged, 1);
    gateway.run(&mut far, 61);
    gateway.acknowledge(A);
    for _ in 0..400 {
        gateway.run(&mut far, 2);
        assert_eq!(far.silences(gateway.now).len(), 1, "it lasts");
    }
    gateway.set(A, AlarmState::Normal, 1);
    gateway.run(&mut far, 2);
    assert!(far.standing().is_empty() && far.silences(gateway.now).is_empty());
    assert_eq!(far.ended_in_silence, 0);
}

#[test]
fn what_a_dead_partner_silenced_does_not_mute_the_next_alarm() {
    let mut far = Far::default();
    let mut living = one_of_a_pair_is_left(&mut far);
    living.set(A, AlarmState::Normal, 1);
    living.run(&mut far, 5);
    // Before it was taken back.
    living.set(A, AlarmState::Unacknowledged, 2);
    living.run(&mut far, 1);
    assert_eq!(far.heard(living.now), [A]);
}

/// A far end that does not tell of the all-clear does not tell of the next alarm either.
#[test]
fn what_a_dead_partner_silenced_does_not_swallow_the_all_clear() {
    // Whether the living one has seen the silence meanwhile or not.
    for seen in [true, false] {
        let mut far = Far::default();
        let mut living = one_of_a_pair_is_left(&mut far);
        if !seen {
            living.overlook_silences();
        }
        living.set(A, AlarmState::Normal, 1);
        living.run(&mut far, 100);
        assert!(far.standing().is_empty());
        assert_eq!((far.ends, far.ended_in_silence), (1, 0));
    }
}

#[test]
fn what_ended_while_the_gateway_was_away_is_taken_back_after_its_silence() {
    let (mut far, mut gateway) = (Far::default(), Gateway::new("north", None));
    gateway.silences(true);
    gateway.set(A, AlarmState::Unacknowledged, 1);
    gateway.run(&mut far, 61);
    gateway.acknowledge(A);
    gateway.run(&mut far, 61);
    gateway.set(A, AlarmState::Normal, 1);
    gateway.restart();
    gateway.run(&mut far, 2);
    assert!(far.standing().is_empty());
    assert_eq!((far.ends, far.ended_in_silence), (1, 0));
}

/// The one that is left does not know that somebody has acknowledged it.
#[test]
fn what_a_dead_partner_silenced_is_heard_again_soon_while_it_lasts() {
    let mut far = Far::default();
    let mut living = one_of_a_pair_is_left(&mut far);
    living.run(&mut far, silences::LASTS.as_secs());
    assert_eq!(far.heard(living.now), [A]);
}

/// Both saw the alarm, it was acknowledged at one of them, and that one is dead.
fn one_of_a_pair_is_left(far: &mut Far) -> Gateway {
    let [mut living, mut dead] = ["a", "b"].map(|name| Gateway::new("north", Some(name)));
    for gateway in [&mut living, &mut dead] {
        gateway.silences(true);
        gateway.set(A, AlarmState::Unacknowledged, 1);
        gateway.run(far, 61);
    }
    dead.acknowledge(A);
    dead.run(far, 100);
    living.run(far, 140);
    assert!(far.heard(living.now).is_empty(), "it is acknowledged");
    living
}

#[test]
fn an_option_that_is_switched_off_leaves_nothing_behind() {
    let (mut far, mut gateway) = (Far::default(), Gateway::new("north", None));
    gateway.silences(true);
    gateway.set(A, AlarmState::Unacknowledged, 1);
    gateway.run(&mut far, 61);
    gateway.acknowledge(A);
    gateway.run(&mut far, 61);
    assert!(far.heard(gateway.now).is_empty());
    gateway.silences(false);
    gateway.restart();
    gateway.run(&mut far, 2);
    assert_eq!(far.heard(gateway.now), [A]);
}
