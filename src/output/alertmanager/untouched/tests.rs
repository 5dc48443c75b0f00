//! Waits, and what was left behind.

use super::*;
use crate::engine::snapshot::AlarmRecord;
use crate::engine::time::Moment;
use crate::output::alertmanager::alert::tests::{alert, words};

fn at(seconds: u64) -> Mono {
    Mono::ZERO + Duration::from_secs(seconds)
}

fn found(labels: &BTreeMap<String, String>, updated: &str) -> FoundAlert {
    FoundAlert {
        labels: labels.clone(),
        annotations: BTreeMap::new(),
        starts_at: "2026-05-04T06:12:31.000Z".to_owned(),
        updated_at: updated.to_owned(),
    }
}

#[test]
fn what_nobody_posts_for_long_enough_is_ripe() {
    let alert = alert("A/high");
    let mut wait = Untouched::for_at_least(Duration::from_secs(33));
    let mut seen =
        |second, updated| wait.seen(&alert, &[found(&alert.labels, updated)], at(second));
    assert!(!seen(0, "1") && !seen(32, "1"));
    assert!(!seen(33, "2"), "somebody posted it");
    assert!(!seen(65, "2") && seen(66, "2"));
    assert!(!seen(67, "3"), "somebody posted it in the last moment");
    assert!(!wait.seen(&alert, &[], at(68)));
    assert!(wait.is_done() && !wait.is_ripe());
}

#[test]
fn only_what_this_gateway_left_behind_is_an_orphan() {
    let gone = AlarmRecord::new("GONE/high".into());
    let now = Moment::default();
    let records = std::iter::once(&gone);
    let standing = Standing::new(words(&["A/high"]), Duration::ZERO, records, now);
    let own = alert("A/high").labels;
    let with = |changes: &[(&str, &str)]| {
        let changes = changes
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let mut labels = own.clone();
        labels.extend(changes);
        labels
    };
    // (labels, orphan alone, orphan in a pair)
    let cases = [
        (own.clone(), false, false),
        (with(&[("area", "old-area")]), true, true),
        (with(&[("priority", "critical")]), true, false),
        (
            with(&[("alarm", "GONE/high"), ("point", "GONE")]),
            true,
            true,
        ),
        (
            with(&[("alarm", "THEIRS/high"), ("point", "THEIRS")]),
            false,
            false,
        ),
        (with(&[("site", "south")]), false, false),
        (
            [("alertname".to_owned(), "Watchdog".to_owned())].into(),
            false,
            false,
        ),
    ];
    for (labels, alone, paired) in cases {
        for (pair, expected) in [(false, alone), (true, paired)] {
            let orphans = orphans(&[found(&labels, "1")], &standing, pair);
            assert_eq!(
                orphans.len(),
                usize::from(expected),
                "{labels:?} in a pair: {pair}"
            );
            assert!(orphans.iter().all(|orphan| orphan.labels == labels));
        }
    }
}
