//! Relays that serve some and not others, and one that does not stop.

use super::*;
use crate::output::verdict::{BUSY, Parted};

/// Lets time pass. It must not pass by itself while a socket has work: the deadline would come first.
pub(super) async fn later(seconds: u64) {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(seconds)).await;
    tokio::time::resume();
}

/// How an event stands, in words.
pub(super) fn stands(parted: &Parted, seq: u64) -> String {
    let audience = &parted.events[&seq];
    let reached = if audience.reached {
        "reached"
    } else {
        "nobody has it"
    };
    let listed = |what: &str, names: &[Arc<str>]| match names {
        [] => String::new(),
        names => format!("; {what} {}", names.join(", ")),
    };
    let waiting = listed("waits:", &audience.waiting);
    let missed = listed("missed by", &audience.missed);
    format!("{reached}{waiting}{missed}")
}

#[tokio::test]
async fn a_reader_who_is_refused_stops_nobody_else() {
    let script = [("RCPT TO:<li", "550 5.1.1 nobody of that name")];
    let (verdicts, taken) = carried(&script, 1).await;
    let [Verdict::Parted(parted)] = &verdicts[..] else {
        unreachable!("{verdicts:?}")
    };
    assert_eq!(stands(parted, 1042), "reached; missed by li");
    assert!(parted.answer.contains("5.1.1"));
    assert_eq!(taken, ["anna@plant.test"]);
}

#[tokio::test]
async fn a_notice_that_every_reader_is_refused_is_refused() {
    let script = [("RCPT TO:<li", "550 5.1.1 nobody"), (".", "554 5.7.1 spam")];
    let (verdicts, taken) = carried(&script, 1).await;
    assert_eq!(reason(&verdicts[0]), "this one");
    assert_eq!(taken, [""; 0]);
    let Verdict::Refused { why } = &verdicts[0] else {
        unreachable!("just looked")
    };
    assert!(
        why.contains("li@plant.test (RCPT TO: permanent error (550): 5.1.1 nobody")
            && why.contains("anna@plant.test"),
        "{why}"
    );
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
        assert_eq!(stands(&parted, 1042), "reached; waits: li");
        assert_eq!(*taken.lock().expect("no panic"), ["anna@plant.test"]);
        let [(reason, why)] = &email.complaints()[..] else {
            unreachable!("one reader is put off")
        };
        assert_eq!(*reason, UNAVAILABLE);
        assert!(
            why.contains("li@plant.test") && why.contains("box full"),
            "{why}"
        );
        let li = "li";
        let owed = Load::Owed {
            reader: li,
            parcels: std::slice::from_ref(&parcel),
        };
        let may_try = |email: &Email| email.may_try(li, clock::monotonic());
        assert!(!may_try(&email) && email.may_try("anna", clock::monotonic()));
        later(41).await;
        assert!(may_try(&email));
        let third = email.carry(&owed).await;
        let Verdict::Parted(parted) = third else {
            unreachable!("{third:?}")
        };
        assert_eq!(stands(&parted, 1042), "nobody has it; waits: li");
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
            let verdict = email.carry(&owed("li")).await;
            assert_eq!(reason(&verdict), expected, "{command} {said}: {verdict:?}");
            let now = clock::monotonic();
            assert_eq!(email.may_try("li", now), expected != "some");
            assert!(email.may_try("anna", now));
            let verdict = email.carry(&owed("anna")).await;
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
        let (reader, parcels) = ("li", [parcel(json!({}))]);
        let parcels = &parcels;
        let verdict = email.carry(&Load::Owed { reader, parcels }).await;
        assert_eq!(reason(&verdict), "some", "{verdict:?}");
        assert!(!email.may_try(reader, clock::monotonic()));
    };
    local.run_until(during).await;
}

pub(super) fn notice(seq: u64, fields: &serde_json::Value) -> Parcel {
    let mut all = json!({ "id": format!("north-plant:7:{seq}"), "seq": seq });
    let known = all.as_object_mut().expect("an object");
    known.extend(fields.as_object().expect("an object").clone());
    parcel(all)
}

/// A digest that is tried again may have grown, and what it begins or ends with may have been told: each reader gets
/// what they have not got.
#[tokio::test]
async fn nobody_gets_a_notice_twice_when_it_comes_in_another_load() {
    let li_cannot = ("RCPT TO:<li", "452 4.2.2 box full");
    let script = [
        li_cannot,
        li_cannot,
        li_cannot,
        ("RCPT TO:<anna", "451 4.3.0 not now"),
    ];
    let local = tokio::task::LocalSet::new();
    let during = async {
        let (mut email, taken, script) = relay(&script).await;
        let taken = || taken.lock().expect("no panic").clone();
        let both: Vec<Parcel> = (1..5).map(|seq| notice(seq, &json!({}))).collect();
        // One alone, then with more before and after it, then with those that were told.
        assert_eq!(reason(&email.carry(&Load::Event(&both[1])).await), BUSY);
        assert_eq!(taken(), ["anna@plant.test"]);
        assert_eq!(reason(&email.carry(&Load::Summary(&both[..3])).await), BUSY);
        assert_eq!(taken(), ["anna@plant.test"; 2], "what is new to her");
        let verdict = email.carry(&Load::Summary(&both[..3])).await;
        assert_eq!(reason(&verdict), BUSY);
        assert_eq!(taken(), ["anna@plant.test"; 2], "nothing is");
        later(31).await;
        // Li is served at last, and Anna put off with the one that she has not got.
        assert_eq!(reason(&email.carry(&Load::Summary(&both)).await), BUSY);
        assert_eq!(taken().last().map(String::as_str), Some("li@plant.test"));
        assert!(script.lock().expect("no panic").is_empty());
        assert!(email.carry(&Load::Summary(&both)).await.is_accepted());
        let after = taken();
        assert_eq!(after.len(), 4);
        assert_eq!(after[3], "anna@plant.test");
        assert!(email.served.take(&(1..5).collect()).words().is_empty());
    };
    local.run_until(during).await;
}

/// What is owed after some of it arrived is only the rest, and a refusal is for what was refused.
#[tokio::test]
async fn each_event_of_a_digest_stands_for_itself() {
    let script = [
        ("RCPT TO:<li", "550 5.7.1 not this one"),
        ("RCPT TO:<anna", "451 4.3.0 not now"),
        ("RCPT TO:<anna", "451 4.3.0 not now"),
    ];
    let local = tokio::task::LocalSet::new();
    let during = async {
        let (mut email, taken, _) = relay(&script).await;
        let all: Vec<Parcel> = (1..4).map(|seq| notice(seq, &json!({}))).collect();
        assert_eq!(reason(&email.carry(&Load::Event(&all[0])).await), BUSY);
        later(20).await;
        let verdict = email.carry(&Load::Summary(&all)).await;
        let Verdict::Parted(parted) = verdict else {
            unreachable!("{verdict:?}")
        };
        assert_eq!(
            stands(&parted, 1),
            "nobody has it; waits: anna; missed by li"
        );
        assert_eq!(stands(&parted, 3), "reached; waits: anna");
        assert_eq!(*taken.lock().expect("no panic"), ["li@plant.test"]);
    };
    local.run_until(during).await;
}

/// A reader who is owed the page is not sent the all-clear ahead of it, nor asked for it; others are, and what is owed is
/// tried sooner.
#[tokio::test]
async fn who_is_owed_something_of_the_alarm_gets_what_is_new_after_it() {
    let script = [("RCPT TO:<li", "452 4.2.2 box full")];
    let local = tokio::task::LocalSet::new();
    let during = async {
        let (mut email, taken, _) = relay(&script).await;
        let page = notice(1, &json!({}));
        email.carry(&Load::Event(&page)).await;
        later(20).await;
        assert_eq!(reason(&email.carry(&Load::Event(&page)).await), "some");
        later(5).await;
        let mut clear = notice(2, &json!({ "event": "all_clear" }));
        clear.behind = vec!["li".into()];
        let verdict = email.carry(&Load::Event(&clear)).await;
        let Verdict::Parted(parted) = verdict else {
            unreachable!("{verdict:?}")
        };
        assert_eq!(stands(&parted, 2), "reached; waits: li");
        assert!(
            parted.why.contains("an earlier message of this alarm"),
            "{parted:?}"
        );
        assert_eq!(*taken.lock().expect("no panic"), ["anna@plant.test"; 2]);
        assert!(!email.may_try("li", clock::monotonic()));
        later(6).await;
        assert!(
            email.may_try("li", clock::monotonic()),
            "half a minute after"
        );
        // Alone with it, nobody waits for them either.
        clear.event = notice(2, &json!({ "event": "all_clear", "to": ["li"] })).event;
        assert_eq!(reason(&email.carry(&Load::Event(&clear)).await), "some");
    };
    local.run_until(during).await;
}

/// A page that waits for a box goes to the box that its reader has by then.
#[tokio::test]
async fn what_a_person_is_owed_goes_to_their_address_of_now() {
    let local = tokio::task::LocalSet::new();
    let during = async {
        let (mut email, taken, _) = relay(&[]).await;
        let mut persons = (*email.context.readers.persons).clone();
        let li = persons.get_mut("li").expect("a person");
        li.email = Some("li.wei@plant.test".to_owned());
        email.context.readers.persons = Arc::new(persons);
        let page = notice(1, &json!({}));
        let owed = Load::Owed {
            reader: "li",
            parcels: std::slice::from_ref(&page),
        };
        assert!(email.carry(&owed).await.is_accepted());
        assert_eq!(*taken.lock().expect("no panic"), ["li.wei@plant.test"]);
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
            let reader = "li";
            let owed = Load::Owed { reader, parcels };
            assert!(email.carry(&owed).await.is_accepted());
        }
        assert_eq!(
            email.readers(&parcels[0].event),
            ["li", "anna"].map(Arc::from)
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

/// Whoever reads the authorities from a disk that hangs does not make the gateway wait.
#[tokio::test]
async fn a_disk_that_hangs_holds_up_this_session_alone() {
    let scratch = crate::journal::scratch::Scratch::new();
    let pipe = scratch.folder().join("ca.pem");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("mkfifo is part of every system").success());
    let (others_go_on, going_on) = std::sync::mpsc::sync_channel(1);
    let disk = pipe.clone();
    let disk = std::thread::spawn(move || {
        let in_time = going_on.recv_timeout(Duration::from_secs(10));
        let heals = std::fs::OpenOptions::new().write(true).open(disk);
        (in_time.is_ok(), heals.is_ok())
    });
    let session = async {
        let script = [
            ("EHLO", "250-relay.test\r\n250 STARTTLS"),
            ("STARTTLS", "220 go on"),
        ];
        let (mut email, _, script) = relay(&script).await;
        email.target.ca_file = Some(pipe);
        let parcel = parcel(json!({}));
        let load = Load::Event(&parcel);
        let mut carrying = std::pin::pin!(email.carry(&load));
        loop {
            tokio::select! {
                biased;
                verdict = &mut carrying => return verdict,
                () = tokio::time::sleep(Duration::from_millis(1)) => {
                    // Greeted, and about to ask for encryption.
                    if script.lock().expect("no panic").len() == 1 {
                        others_go_on.try_send(()).ok();
                    }
                }
            }
        }
    };
    let verdict = tokio::task::LocalSet::new().run_until(session).await;
    assert!(!verdict.is_accepted(), "there is no authority to trust");
    assert_eq!(disk.join().expect("no panic"), (true, true));
}
