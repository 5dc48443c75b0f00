//! Relays that serve some and not others, and one that does not stop.

use super::*;
use crate::output::verdict::BUSY;

/// Lets time pass. It must not pass by itself while a socket has work: the deadline would come first.
async fn later(seconds: u64) {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(seconds)).await;
    tokio::time::resume();
}

/// A full box keeps nobody else waiting; its owner is owed the mail, and gets it once.
#[tokio::test]
async fn a_reader_who_is_put_off_stops_nobody_else_and_gets_theirs_later() {
    let script = [("RCPT TO:<li", "452 4.2.2 box full"); 2];
    let local = tokio::task::LocalSet::new();
    let during = async {
        let (mut email, taken, _) = relay(&script).await;
        let parcel = parcel(json!({}));
        let first = email.carry(&Load::Event(&parcel)).await;
        assert_eq!(reason(&first), BUSY, "a hiccup is waited for");
        later(20).await;
        let second = email.carry(&Load::Event(&parcel)).await;
        let Verdict::Parted(parted) = second else {
            unreachable!("{second:?}")
        };
        assert_eq!(parted.served, ["anna@plant.test".into()]);
        assert_eq!(parted.put_off, ["li@plant.test".into()]);
        assert_eq!(*taken.lock().expect("no panic"), ["anna@plant.test"]);
        let [(reason, why)] = &email.complaints()[..] else {
            unreachable!("one reader is put off")
        };
        assert_eq!(*reason, UNAVAILABLE);
        assert!(
            why.contains("li@plant.test") && why.contains("box full"),
            "{why}"
        );
        let li = "li@plant.test";
        let owed = Load::Owed {
            reader: li,
            parcels: std::slice::from_ref(&parcel),
        };
        let may_try = |email: &Email| email.may_try(li, clock::monotonic());
        assert!(!may_try(&email) && email.may_try("anna@plant.test", clock::monotonic()));
        later(41).await;
        assert!(may_try(&email));
        let third = email.carry(&owed).await;
        let Verdict::Parted(parted) = third else {
            unreachable!("{third:?}")
        };
        assert_eq!((parted.put_off.len(), parted.served.len()), (1, 0));
        assert!(!may_try(&email));
        later(121).await;
        assert!(email.carry(&owed).await.is_accepted());
        assert!(may_try(&email), "nobody rests any more");
        let taken = taken.lock().expect("no panic").clone();
        assert_eq!(taken, ["anna@plant.test", "li@plant.test"]);
    };
    local.run_until(during).await;
}

/// A hiccup changes no order, and whoever has it is not served again.
#[tokio::test]
async fn a_reader_who_is_put_off_once_comes_a_little_later_alone() {
    let script = [
        ("RCPT TO:<li", "250 OK"),
        ("RCPT TO:<anna", "451 4.3.0 not now"),
    ];
    let (verdicts, taken) = carried(&script, 2).await;
    assert_eq!(
        [reason(&verdicts[0]), reason(&verdicts[1])],
        [BUSY, "accepted"]
    );
    assert_eq!(taken, BOTH);
}

/// A box may be full; with several of them, and nobody served, it is the relay.
#[tokio::test]
async fn a_relay_that_puts_off_everybody_is_of_no_use() {
    let not_now = "451 4.3.0 not now";
    let script = [("RCPT TO:<li", not_now), ("RCPT TO:<anna", not_now)];
    let (verdicts, taken) = carried(&script, 2).await;
    assert_eq!(
        [reason(&verdicts[0]), reason(&verdicts[1])],
        [UNAVAILABLE, "accepted"]
    );
    assert_eq!(taken, BOTH);
}

/// Whatever is wrong with what one reader is owed, they rest, and others get theirs; nothing is said of the relay.
/// What meets everybody is the relay's.
#[tokio::test]
async fn what_one_reader_is_owed_fails_for_them_alone() {
    for (command, said, expected) in [
        ("RCPT TO:<li", "421 4.3.2 closing", "some"),
        ("RCPT TO:<li", "drop", "some"),
        ("DATA", "drop", "some"),
        (".", "drop", "some"),
        ("", "421 4.3.2 closing", UNAVAILABLE),
        ("MAIL FROM", "drop", "protocol"),
    ] {
        let local = tokio::task::LocalSet::new();
        let during = async {
            let (mut email, taken, _) = relay(&[(command, said)]).await;
            let parcels = [parcel(json!({}))];
            let owed = |reader| Load::Owed {
                reader,
                parcels: &parcels,
            };
            let verdict = email.carry(&owed("li@plant.test")).await;
            assert_eq!(reason(&verdict), expected, "{command} {said}: {verdict:?}");
            let now = clock::monotonic();
            assert_eq!(email.may_try("li@plant.test", now), expected != "some");
            assert!(email.may_try("anna@plant.test", now));
            let verdict = email.carry(&owed("anna@plant.test")).await;
            assert!(verdict.is_accepted(), "{verdict:?}");
            assert_eq!(*taken.lock().expect("no panic"), ["anna@plant.test"]);
        };
        local.run_until(during).await;
    }
}

/// A mail over which the relay falls silent takes a minute, and after that rests as any other.
#[tokio::test(start_paused = true)]
async fn what_one_reader_is_owed_may_hang() {
    let local = tokio::task::LocalSet::new();
    let during = async {
        let (mut email, _, _) = relay(&[("RCPT TO:<li", "silence")]).await;
        let (reader, parcels) = ("li@plant.test", [parcel(json!({}))]);
        let parcels = &parcels;
        let verdict = email.carry(&Load::Owed { reader, parcels }).await;
        assert_eq!(reason(&verdict), "some", "{verdict:?}");
        assert!(!email.may_try(reader, clock::monotonic()));
    };
    local.run_until(during).await;
}

/// Who has the last notice of a digest has not got the digest.
#[tokio::test]
async fn a_digest_that_ends_with_a_notice_that_half_arrived_goes_to_everybody() {
    let script = [
        ("RCPT TO:<li", "250 OK"),
        ("RCPT TO:<anna", "421 4.3.2 closing"),
    ];
    let local = tokio::task::LocalSet::new();
    let during = async {
        let (mut email, taken, _) = relay(&script).await;
        let last = parcel(json!({ "id": "north-plant:7:1043", "seq": 1043 }));
        let half = email.carry(&Load::Event(&last)).await;
        assert_eq!(reason(&half), UNAVAILABLE);
        let both = [parcel(json!({})), last];
        assert!(email.carry(&Load::Summary(&both)).await.is_accepted());
        let taken = taken.lock().expect("no panic").clone();
        assert_eq!(taken, ["li@plant.test", "anna@plant.test", "li@plant.test"]);
    };
    local.run_until(during).await;
}

/// With one reader nobody else waits for long: then the notice is owed, too. A new one within half a minute is
/// owed without asking, and tried after that, however long what is owed rests.
#[tokio::test]
async fn a_notice_whose_only_reader_is_put_off_is_owed_and_a_new_one_is_tried() {
    let script = [("RCPT TO:<anna", "450 4.2.1 not now"); 3];
    let local = tokio::task::LocalSet::new();
    let during = async {
        let (mut email, taken, script) = relay(&script).await;
        let parcel = parcel(json!({ "to": ["anna"] }));
        let mut met = Vec::new();
        for seconds in [0, 10, 11, 1, 30] {
            later(seconds).await;
            let verdict = email.carry(&Load::Event(&parcel)).await;
            let asked = 3 - script.lock().expect("no panic").len();
            met.push((reason(&verdict), asked));
        }
        let expected = [(BUSY, 1), (BUSY, 2), ("some", 2), ("some", 2), ("some", 3)];
        assert_eq!(met, expected);
        assert_eq!(taken.lock().expect("no panic").len(), 0);
        later(30).await;
        assert!(email.carry(&Load::Event(&parcel)).await.is_accepted());
    };
    local.run_until(during).await;
}

/// One who is owed several gets a summary of theirs, and nobody else gets anything.
#[tokio::test]
async fn what_one_reader_is_owed_goes_to_nobody_else() {
    let local = tokio::task::LocalSet::new();
    let during = async {
        let (mut email, taken, _) = relay(&[]).await;
        let parcels = [
            parcel(json!({})),
            parcel(json!({ "id": "north-plant:7:1043", "seq": 1043 })),
        ];
        for parcels in [&parcels[..1], &parcels] {
            let reader = "li@plant.test";
            let owed = Load::Owed { reader, parcels };
            assert!(email.carry(&owed).await.is_accepted());
        }
        assert_eq!(
            email.readers(&parcels[0].event),
            BOTH.map(std::sync::Arc::from)
        );
        let taken = taken.lock().expect("no panic").clone();
        assert_eq!(taken, ["li@plant.test"; 2]);
    };
    local.run_until(during).await;
}

/// A relay whose line never ends does not fill the memory.
#[tokio::test]
async fn a_line_without_an_end_is_cut() {
    let local = tokio::task::LocalSet::new();
    let during = async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let mut email = Email::new("mail".into(), target(port), context());
        let far_end = async {
            let (mut stream, _) = listener.accept().await.expect("the output connects");
            let mut said = 0_usize;
            while let Ok(bytes) = stream.write(&[b'2'; 8192]).await {
                said += bytes;
            }
            said
        };
        let parcel = parcel(json!({}));
        let load = Load::Event(&parcel);
        let carrying = async {
            let verdict = email.carry(&load).await;
            drop(email);
            verdict
        };
        tokio::join!(carrying, far_end)
    };
    let (verdict, said) = local.run_until(during).await;
    let Verdict::Later { why, .. } = &verdict else {
        unreachable!("{verdict:?}")
    };
    assert!(why.contains("more than 262144 bytes"), "{why}");
    assert!(
        said < 64 << 20,
        "what the system buffers, and no more: {said}"
    );
}
