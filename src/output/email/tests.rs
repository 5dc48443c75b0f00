//! Mails word for word, and a relay that is scripted: it answers what it likes, or nothing.

mod hanging;
mod texts;
mod troublesome;

use std::collections::VecDeque;
use std::sync::Mutex;

use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::engine::time::Wall;
use crate::output::verdict::{UNAVAILABLE, UNWELCOME};
use crate::wording::{Language, Person, Readers};

mod links;

fn context() -> Context {
    let person = |name: &str, email: Option<&str>, language| Person {
        name: name.to_owned(),
        email: email.map(str::to_owned),
        language,
        phone: None,
    };
    let persons = [
        (
            "li",
            person("李伟", Some("li@plant.test"), Some(Language::Chinese)),
        ),
        ("anna", person("Anna", Some("anna@plant.test"), None)),
        ("wang", person("Wang", None, None)),
        (
            "eve",
            person("Eve\r\nBcc: all@plant.test", Some("eve@plant.test"), None),
        ),
    ];
    let persons = persons.map(|(id, person)| (id.to_owned(), person));
    let readers = Readers {
        persons: Arc::new(persons.into()),
        ..Readers::default()
    };
    Context::new("north-plant", Arc::default(), readers)
}

fn target(port: u16) -> EmailTarget {
    EmailTarget {
        host: "127.0.0.1".to_owned(),
        port,
        protection: Protection::Opportunistic,
        ca_file: None,
        login: None,
        from: "forewarn@plant.test".to_owned(),
        to: vec!["room@plant.test".to_owned()],
        language: None,
    }
}

fn event(fields: serde_json::Value) -> WireEvent {
    let mut event = json!({
        "id": "north-plant:7:1042", "seq": 1042, "time": "2026-05-04T06:12:31.000Z", "event": "notified",
        "alarm": "PT-330/high", "occurrence": 4, "point": "PT-330", "state": "unacknowledged",
        "priority": "high", "value": 8.04, "limit": 8.0, "unit": "bar", "quality": "good",
        "cause": "system", "notice": "page", "step": 0, "to": ["li", "anna"],
    });
    let all = event.as_object_mut().expect("an object");
    all.extend(fields.as_object().expect("an object").clone());
    serde_json::from_value(event).expect("an event of the wire")
}

fn parcel(fields: serde_json::Value) -> Parcel {
    let event = event(fields);
    Parcel {
        seq: event.seq,
        line: serde_json::to_string(&event).expect("it is written"),
        event,
        replayed: false,
        behind: Vec::new(),
    }
}

fn readers_of(fields: serde_json::Value) -> Vec<String> {
    let readers = compose::readers(&event(fields), "mail", &target(1), &context());
    readers
        .iter()
        .map(|reader| reader.address.to_string())
        .collect()
}

#[test]
fn a_notice_goes_to_its_persons_and_else_to_the_output() {
    let (li, anna, room) = ("li@plant.test", "anna@plant.test", "room@plant.test");
    for (fields, expected) in [
        (json!({}), vec![li, anna]),
        (json!({ "output": "mail" }), vec![li, anna]),
        (json!({ "output": "chat" }), vec![]),
        (json!({ "output": "mail", "to": [] }), vec![room]),
        (json!({ "output": "mail", "to": ["wang"] }), vec![room]),
        // A wrong reader is better than none.
        (json!({ "to": ["wang"] }), vec![room]),
        (json!({ "to": ["wang", "anna"] }), vec![anna]),
        (json!({ "output": "chat", "to": ["wang"] }), vec![]),
        (json!({ "to": [] }), vec![]),
        (
            json!({ "event": "all_clear", "outputs": ["chat"], "to": ["li", "wang"] }),
            vec![li, room],
        ),
        (
            json!({ "event": "all_clear", "outputs": ["chat", "mail"] }),
            vec![li, anna, room],
        ),
        (
            json!({ "event": "all_clear", "outputs": ["chat"] }),
            vec![li, anna],
        ),
    ] {
        assert_eq!(readers_of(fields.clone()), expected, "{fields}");
    }
}

fn mails(parcels: &[Parcel]) -> Vec<String> {
    mails_with(parcels, None)
}

fn mails_with(parcels: &[Parcel], links: Option<&Links>) -> Vec<String> {
    mails_at(parcels, links, parcels[0].event.time)
}

fn mails_at(parcels: &[Parcel], links: Option<&Links>, now: Wall) -> Vec<String> {
    let (target, context, served) = (target(1), context(), Served::default());
    let composer = compose::Composer {
        output: "mail",
        target: &target,
        context: &context,
        links,
        served: &served,
        only: None,
        now,
    };
    let mails = match parcels {
        [one] => composer.notice(one),
        many => composer.digest(many),
    };
    let mails = mails.expect("mails can be made of them");
    let text = |mail: Mail| String::from_utf8(mail.text).expect("seven bits");
    mails.into_iter().map(text).collect()
}

#[test]
fn the_head_of_a_mail_threads_it_and_keeps_machines_from_answering() {
    let mails = mails(&[parcel(json!({ "to": ["anna"] }))]);
    let [mail] = &mails[..] else {
        unreachable!("{mails:?}")
    };
    for line in [
        "From: forewarn <forewarn@plant.test>",
        "To: Anna <anna@plant.test>",
        "Subject: High priority alarm: PT-330, high limit, 8.04 bar",
        "Message-ID: <north-plant.7.1042@plant.test>",
        "In-Reply-To: <north-plant.PT-330=2Fhigh.4@plant.test>",
        "References: <north-plant.PT-330=2Fhigh.4@plant.test>",
        "Date: Mon, 04 May 2026 06:12:31 +0000",
        "Auto-Submitted: auto-generated",
        "Precedence: bulk",
        "Content-Language: en",
        "Importance: high",
        "X-Forewarn-Event: north-plant.7.1042",
    ] {
        assert!(
            mail.contains(&format!("{line}\r\n")),
            "{line}\nnot in\n{mail}"
        );
    }
}

/// A line break in a name would end the head and begin another.
#[test]
fn nothing_hostile_gets_into_a_head() {
    let site = "x\r\nBcc: all@plant.test";
    let fields = json!({
        "id": format!("{site}:1:2"), "alarm": "P\r\nBcc: all@plant.test/high", "to": ["anna", "eve"],
        "unit": "\r\n.\r\nMAIL FROM:<x@y>",
    });
    for mail in mails(&[parcel(fields)]) {
        let (head, body) = mail.split_once("\r\n\r\n").expect("a head and a body");
        assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{head}");
        assert!(!body.contains("\r\n.\r\n"), "{body}");
        assert!(mail.is_ascii() && mail.len() < 20_000);
    }
}

#[test]
fn a_digest_gives_each_reader_their_own() {
    let parcels = [
        parcel(json!({ "to": ["anna"] })),
        parcel(json!({ "to": ["li", "anna"], "id": "north-plant:7:1043", "seq": 1043 })),
    ];
    let mails = mails(&parcels);
    let [anna, li] = &mails[..] else {
        unreachable!("{mails:?}")
    };
    let subject =
        "Subject: DELAYED summary of 2 messages, 1 not over, priority high:\r\n north-plant\r\n";
    assert!(anna.contains(subject), "{anna}");
    assert!(anna.contains("Importance: high\r\n"), "{anna}");
    assert!(
        anna.contains("<digest.north-plant.7.1042.north-plant.7.1043@plant.test>"),
        "{anna}"
    );
    assert!(li.contains("Content-Language: zh\r\n"), "{li}");
    assert!(
        li.contains("<digest.north-plant.7.1043.north-plant.7.1043@plant.test>"),
        "{li}"
    );
}

/// What the relay says to commands that begin so; anything else gets 250. `drop`: it hangs up; `silence`: it
/// says nothing more.
type Script = Arc<Mutex<VecDeque<(&'static str, &'static str)>>>;

/// Mails that were taken, by reader.
type Taken = Arc<Mutex<Vec<String>>>;

/// A relay that answers by `script`, each line of it once and in order.
#[expect(
    clippy::disallowed_methods,
    reason = "the relay is the test's own, and ends with its local set"
)]
async fn relay(script: &[(&'static str, &'static str)]) -> (Email, Taken, Script) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    let script: Script = Arc::new(Mutex::new(script.iter().copied().collect()));
    let taken = Taken::default();
    let (answers, kept) = (Arc::clone(&script), Arc::clone(&taken));
    tokio::task::spawn_local(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::task::spawn_local(converse(stream, Arc::clone(&answers), Arc::clone(&kept)));
        }
    });
    (
        Email::new("mail".into(), target(port), context()),
        taken,
        script,
    )
}

fn answer(script: &Script, line: &str) -> &'static str {
    let mut script = script.lock().expect("no panic");
    match script.front() {
        Some((command, answer)) if line.starts_with(command) => {
            let answer = *answer;
            script.pop_front();
            answer
        }
        _ if line.starts_with("DATA") => "354 go on",
        _ if line.starts_with("QUIT") => "221 bye",
        _ if line.is_empty() => "220 relay.test",
        _ => "250 OK",
    }
}

async fn converse(stream: TcpStream, script: Script, taken: Taken) {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    let (mut line, mut reader, mut in_mail) = (String::new(), String::new(), false);
    loop {
        if let Some(address) = line.strip_prefix("RCPT TO:<") {
            reader = address.trim_end_matches('>').to_owned();
        }
        let said = answer(&script, &line);
        match said {
            "drop" => return,
            "silence" => std::future::pending().await,
            _ => {}
        }
        if line == "." && said.starts_with('2') {
            taken.lock().expect("no panic").push(reader.clone());
        }
        in_mail = said.starts_with("354") || (in_mail && line != ".");
        if write
            .write_all(format!("{said}\r\n").as_bytes())
            .await
            .is_err()
        {
            return;
        }
        loop {
            let Ok(Some(next)) = lines.next_line().await else {
                return;
            };
            line = next;
            if !in_mail || line == "." {
                break;
            }
        }
    }
}

/// Carries one notice to both readers over a relay that answers so, `times` times.
async fn carried(
    script: &[(&'static str, &'static str)],
    times: usize,
) -> (Vec<Verdict>, Vec<String>) {
    let local = tokio::task::LocalSet::new();
    local
        .run_until(async {
            let (mut email, taken, script) = relay(script).await;
            let parcel = parcel(json!({}));
            let mut verdicts = Vec::new();
            for _ in 0..times {
                verdicts.push(email.carry(&Load::Event(&parcel)).await);
            }
            assert!(
                script.lock().expect("no panic").is_empty(),
                "the script was played"
            );
            let taken = taken.lock().expect("no panic").clone();
            (verdicts, taken)
        })
        .await
}

fn reason(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Accepted { .. } => "accepted",
        Verdict::Parted(_) => "some",
        Verdict::Refused { .. } => "this one",
        Verdict::Later { reason, .. } => reason,
    }
}

const BOTH: [&str; 2] = ["li@plant.test", "anna@plant.test"];

#[tokio::test]
async fn one_mail_a_reader() {
    let (verdicts, taken) = carried(&[], 1).await;
    assert!(verdicts.iter().all(Verdict::is_accepted), "{verdicts:?}");
    assert_eq!(verdicts.len(), 1);
    assert_eq!(taken, BOTH);
}

/// What is refused to all is nobody's fault but the configuration's: nothing is given up.
#[tokio::test]
async fn a_relay_that_serves_nobody_is_asked_again() {
    for (command, answer, expected) in [
        ("", "554 5.7.1 you are on a list", UNWELCOME),
        ("EHLO", "421 4.3.2 closing", UNAVAILABLE),
        ("MAIL FROM", "550 5.7.1 no such sender", UNWELCOME),
        ("MAIL FROM", "452 4.3.1 full", UNAVAILABLE),
        ("MAIL FROM", "drop", "protocol"),
    ] {
        let (verdicts, taken) = carried(&[(command, answer)], 2).await;
        assert_eq!(
            reason(&verdicts[0]),
            expected,
            "{command} {answer}: {verdicts:?}"
        );
        assert!(verdicts[1].is_accepted(), "{command} {answer}");
        assert_eq!(taken, BOTH);
    }
}

/// A relay that says nothing is left after the deadline; the words of one that says too much are cut.
#[tokio::test(start_paused = true)]
async fn silence_ends_and_long_words_are_cut() {
    let (verdicts, _) = carried(&[("MAIL FROM", "silence")], 1).await;
    assert_eq!(reason(&verdicts[0]), "timeout");
    let long: &'static str = Box::leak(format!("451 {}", "x".repeat(400)).into_boxed_str());
    let (verdicts, _) = carried(&[("MAIL FROM", long)], 1).await;
    let Verdict::Later { why, .. } = &verdicts[0] else {
        unreachable!("{verdicts:?}")
    };
    assert!(why.len() < 300, "{why}");
}

/// Whoever stands on the way cannot say in the clear what the relay is to have said within the encryption.
#[tokio::test]
async fn words_ahead_of_the_encryption_end_the_conversation() {
    let script = [
        ("EHLO", "250-relay.test\r\n250 STARTTLS"),
        ("STARTTLS", "220 go on\r\n250-relay.test\r\n250 AUTH PLAIN"),
    ];
    let (verdicts, taken) = carried(&script, 1).await;
    let Verdict::Later { reason, why, .. } = &verdicts[0] else {
        unreachable!("{verdicts:?}")
    };
    assert_eq!(*reason, "tls", "{why}");
    // The handshake met them; without them it would have met the end of the connection.
    assert!(why.contains("corrupt message"), "{why}");
    assert_eq!(taken, [""; 0]);
}

/// Without `insecure` nothing is sent where others could read it.
#[tokio::test]
async fn a_relay_without_tls_gets_nothing_that_should_be_protected() {
    let local = tokio::task::LocalSet::new();
    let verdict = local
        .run_until(async {
            let (mut email, taken, _) = relay(&[]).await;
            email.target.protection = Protection::StartTls;
            let verdict = email.carry(&Load::Event(&parcel(json!({})))).await;
            assert!(taken.lock().expect("no panic").is_empty());
            verdict
        })
        .await;
    let Verdict::Later { reason, why, .. } = verdict else {
        unreachable!("{verdict:?}")
    };
    assert_eq!(reason, UNWELCOME);
    assert!(why.contains("STARTTLS"), "{why}");
}
