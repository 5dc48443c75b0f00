//! Readers over whom the relay falls silent or ends the conversation, and notices with very many readers.

use super::troublesome::{later, notice, stands};
use super::*;
use crate::output::verdict::BUSY;

/// Carries it while the relay is silent; that lasts until the script has come so far, and as many seconds then pass.
async fn carried_over_silence(
    email: &mut Email,
    load: &Load<'_>,
    script: &Script,
    left: usize,
    seconds: u64,
) -> Verdict {
    let time = async {
        while script.lock().expect("no panic").len() > left {
            tokio::task::yield_now().await;
        }
        later(seconds).await;
    };
    tokio::join!(email.carry(load), time).0
}

/// Silence over one costs the others ten seconds, once; then that reader is asked with what they are owed alone.
#[tokio::test]
async fn a_reader_who_hangs_holds_up_the_others_once() {
    let silence = ("RCPT TO:<li", "silence");
    let local = tokio::task::LocalSet::new();
    let during = async {
        let (mut email, taken, script) = relay(&[silence, silence]).await;
        let taken = || taken.lock().expect("no panic").clone();
        let (page, next) = (notice(1, &json!({})), notice(2, &json!({})));
        let load = Load::Event(&page);
        let first = carried_over_silence(&mut email, &load, &script, 1, 10).await;
        assert_eq!(reason(&first), BUSY, "a hiccup is waited for: {first:?}");
        assert_eq!(taken(), ["anna@plant.test"], "who comes after Li");
        let second = carried_over_silence(&mut email, &load, &script, 0, 10).await;
        let Verdict::Parted(parted) = second else {
            unreachable!("{second:?}")
        };
        assert_eq!(stands(&parted, 1), "reached; waits: li");
        assert!(
            parted.why.contains("RCPT TO: no answer within 10 s"),
            "{parted:?}"
        );
        later(600).await;
        // The relay would take it now, and is not asked.
        let third = email.carry(&Load::Event(&next)).await;
        assert_eq!(reason(&third), "some");
        assert_eq!(taken(), ["anna@plant.test"; 2]);
        assert!(email.may_try("li", clock::monotonic()));
        let owed = Load::Owed {
            reader: "li",
            parcels: std::slice::from_ref(&page),
        };
        assert!(email.carry(&owed).await.is_accepted());
        let served = notice(3, &json!({ "to": ["li"] }));
        assert!(email.carry(&Load::Event(&served)).await.is_accepted());
    };
    local.run_until(during).await;
}

/// What gave way to something new counts as silence.
#[tokio::test]
async fn who_took_too_long_with_something_new_waiting_is_left_alone() {
    let local = tokio::task::LocalSet::new();
    let during = async {
        let (mut email, _, _) = relay(&[]).await;
        let begun = clock::monotonic();
        let now = begun + Duration::from_secs(10);
        email.gave_way("li", begun, now);
        let after = |seconds| now + Duration::from_secs(seconds);
        assert!(email.may_try("anna", now) && !email.may_try("li", after(59)));
        assert!(email.may_try("li", after(60)));
    };
    local.run_until(during).await;
}

/// Whoever has the text may deliver it, whatever is heard of that.
#[tokio::test]
async fn a_mail_is_on_its_way_when_its_text_is_sent() {
    let steps = [
        (".", true),
        ("RCPT TO", false),
        (".", true),
        ("DATA", false),
    ];
    let local = tokio::task::LocalSet::new();
    let during = async {
        let (mut email, _, script) = relay(&steps.map(|(step, _)| (step, "silence"))).await;
        let page = [notice(1, &json!({}))];
        let owed = Load::Owed {
            reader: "li",
            parcels: &page,
        };
        let on_its_way = email.on_its_way();
        for (left, (step, expected)) in (0..steps.len()).rev().zip(steps) {
            let verdict = carried_over_silence(&mut email, &owed, &script, left, 60).await;
            assert_eq!(reason(&verdict), "some", "{verdict:?}");
            assert_eq!(on_its_way.load(Ordering::Relaxed), expected, "{step}");
        }
    };
    local.run_until(during).await;
}

/// Who was asked for has an answer, although those behind them have none.
#[tokio::test]
async fn what_was_said_before_the_end_of_a_rehearsal_is_told() {
    let local = tokio::task::LocalSet::new();
    let during = async {
        let (email, taken, _) = relay(&[("RCPT TO:<eve", "drop"), ("RCPT TO:<anna", "drop")]).await;
        let said = email.rehearse().await.expect("one would be served");
        let [(anna, Ok(_)), (eve, Err(why))] = &said[..] else {
            unreachable!("{said:?}")
        };
        assert_eq!((&**anna, &**eve), ("anna@plant.test", "eve@plant.test"));
        assert!(why.ends_with("; 1 more were not asked for"), "{why}");
        assert!(email.rehearse().await.is_err(), "nobody would be served");
        assert_eq!(*taken.lock().expect("no panic"), [""; 0]);
    };
    local.run_until(during).await;
}

/// An end over one reader is theirs, and over three of them, one after the other, the relay's.
#[tokio::test]
async fn who_ends_a_conversation_is_served_after_the_others() {
    for (command, said) in [
        ("DATA", "drop"),
        ("DATA", "421 4.3.2 closing"),
        (".", "drop"),
    ] {
        let (verdicts, taken) = carried(&[(command, said)], 2).await;
        assert_eq!(reason(&verdicts[0]), BUSY, "{command} {said}: {verdicts:?}");
        assert!(verdicts[1].is_accepted(), "{command} {said}");
        assert_eq!(taken, ["anna@plant.test", "li@plant.test"]);
    }
    let local = tokio::task::LocalSet::new();
    let during = async {
        let (mut email, taken, script) = relay(&[("DATA", "drop"); 3]).await;
        email.target.to.push("gate@plant.test".to_owned());
        let all = notice(
            1,
            &json!({ "to": ["wang", "li", "anna", "eve"], "event": "all_clear" }),
        );
        let verdict = email.carry(&Load::Event(&all)).await;
        assert_eq!(reason(&verdict), "protocol", "{verdict:?}");
        assert!(script.lock().expect("no panic").is_empty());
        assert_eq!(*taken.lock().expect("no panic"), [""; 0]);
        assert!(email.carry(&Load::Event(&all)).await.is_accepted());
        // Those whom it had not come to go first.
        let taken = taken.lock().expect("no panic").clone();
        assert_eq!(taken.len(), 5);
        assert_eq!(taken[..2], ["room@plant.test", "gate@plant.test"]);
    };
    local.run_until(during).await;
}

/// More than a thousand are not served, and whoever is not stands in the ledger. No session is longer than a hundred.
#[tokio::test]
async fn a_notice_has_a_thousand_readers_and_the_others_miss_it() {
    let local = tokio::task::LocalSet::new();
    let during = async {
        let (mut email, taken, script) = relay(&[("QUIT", "221 bye"); 10]).await;
        email.target.to = (0..1_002).map(|it| format!("p{it}@plant.test")).collect();
        let page = notice(1, &json!({ "to": [], "output": "mail" }));
        let verdict = email.carry(&Load::Event(&page)).await;
        let Verdict::Parted(parted) = verdict else {
            unreachable!("{verdict:?}")
        };
        let missed = "reached; missed by p1000@plant.test, p1001@plant.test";
        assert_eq!(stands(&parted, 1), missed);
        assert!(parted.answer.contains("too many readers"), "{parted:?}");
        assert_eq!(taken.lock().expect("no panic").len(), 1_000);
        assert!(script.lock().expect("no panic").is_empty(), "ten sessions");
        let complaints = email.complaints();
        assert_eq!(complaints.len(), 2);
        assert!(complaints.iter().all(|(reason, _)| *reason == UNWELCOME));
    };
    local.run_until(during).await;
}
