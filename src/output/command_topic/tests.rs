//! What is given, where answers go, and brokers on which nothing can be heard.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::*;
use crate::broker::{BrokerAddress, STOLEN, Version};

/// A broker gives it at each connection: an acknowledgement of long ago would be one of today.
#[tokio::test]
async fn a_retained_command_is_counted_and_not_given() {
    let given = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&given);
    let give: Give = Arc::new(move |_path, _body| {
        counter.fetch_add(1, Ordering::Relaxed);
        Box::pin(async { b"{}".to_vec() })
    });
    let mut commander = commander(give);
    let (client, _unread) = Client::unconnected();
    for (retain, expected) in [(true, 0), (false, 1)] {
        let message = Message {
            topic: "forewarn/v1/plant/command".to_owned(),
            payload: COMMAND.into(),
            retain,
            id: Some(1),
            answer_to: None,
            correlation: None,
        };
        commander.take(&client, message).await;
        let given = given.load(Ordering::Relaxed);
        assert_eq!(given, expected, "retained: {retain}");
    }
}

/// We write on behalf of whoever may send a command only where answers are expected.
#[test]
fn an_answer_goes_nowhere_but_at_or_below_the_topic_for_answers() {
    let mut commander = commander(Arc::new(|_path, _body| Box::pin(async { Vec::new() })));
    let ours = "forewarn/v1/plant/command/reply";
    let answer = r#"{"id":"7","result":"accepted"}"#;
    for good in [ours, "forewarn/v1/plant/command/reply/room/7"] {
        let found = commander.reply(Some(good.to_owned()), answer.to_owned());
        assert_eq!(found, (good.to_owned(), answer.to_owned()));
    }
    assert_eq!(
        commander.reply(None, answer.to_owned()),
        (ours.to_owned(), answer.to_owned())
    );
    for bad in [
        "",
        "room/7",
        "$SYS/a",
        "$share/a/forewarn/v1/plant/command/reply",
        "forewarn/v1/plant/status",
        "forewarn/v1/plant/alarm/P/high",
        "forewarn/v1/plant/command",
        "forewarn/v1/plant/command/replying",
        "forewarn/v1/other/command",
        "forewarn/v1/plant/command/reply/+",
        "forewarn/v1/plant/command/reply/#",
        "forewarn/v1/plant/command/reply/\0",
    ] {
        let (topic, answer) = commander.reply(Some(bad.to_owned()), answer.to_owned());
        assert_eq!(topic, ours, "{bad:?}");
        let said = answer.starts_with('{') && answer.contains(r#""note":"the response topic"#);
        assert!(
            said && answer.contains(r#""result":"accepted""#),
            "{answer}"
        );
    }
}

const COMMAND: &str =
    r#"{"id":"1","command":"acknowledge","alarm":"P/high","by":"li","occurrence":1}"#;

fn commander(give: Give) -> Commander {
    Commander {
        output: "up".into(),
        task: "t".to_owned(),
        persons: [Arc::from("li")].into(),
        topics: Topics::new("forewarn/v1", "plant"),
        connector: Connector::new(address()),
        give,
        metrics: Arc::default(),
        answered: Answered::default(),
        allowance: Allowance::new(BURST, REFILL),
        backoff: Backoff::default(),
        sampler: Sampler::default(),
        client_id: "a".to_owned(),
        theft: Theft::default(),
        told: None,
    }
}

fn address() -> BrokerAddress {
    BrokerAddress {
        host: "127.0.0.1".to_owned(),
        port: 1,
        tls: None,
        login: None,
        client_id: "a".to_owned(),
        version: Version::V3,
        keep_alive: Duration::from_secs(30),
    }
}

/// What a broker answers to a SUBSCRIBE; `None`: it closes.
type Manner = Option<&'static [u8]>;

/// A broker that accepts everybody, and answers each SUBSCRIBE so (MQTT 3.1.1, 3.9).
async fn deaf(manner: Manner) -> (u16, JoinSet<()>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
    let listener = listener.expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    let mut task = JoinSet::new();
    task.spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.expect("accepts");
            let mut packet = [0; 256];
            let _connect = stream.read(&mut packet).await;
            let _gone = stream.write_all(&[0x20, 2, 0, 0]).await;
            let read = stream.read(&mut packet).await.unwrap_or_default();
            let Some(code) = manner.filter(|_| read > 4) else {
                continue;
            };
            if !code.is_empty() {
                let answer = [&[0x90, 3, packet[2], packet[3]], code].concat();
                let _gone = stream.write_all(&answer).await;
            }
            while stream.read(&mut packet).await.is_ok_and(|read| read > 0) {}
        }
    });
    (port, task)
}

/// Connected and deaf: the health pages say so, and with them the point of the output.
#[tokio::test(start_paused = true)]
async fn a_broker_on_which_nothing_can_be_heard_is_trouble() {
    let cases: [(Manner, &str); 3] = [
        (Some(&[]), "did not answer the subscription of commands"),
        (
            Some(&[0x80]),
            "refuses the subscription of `forewarn/v1/plant/command`",
        ),
        (None, STOLEN),
    ];
    for (manner, words) in cases {
        let (port, _broker) = deaf(manner).await;
        let mut commander = commander(Arc::new(|_path, _body| Box::pin(async { Vec::new() })));
        let mut address = address();
        address.port = port;
        commander.connector = Connector::new(address);
        let metrics = Arc::clone(&commander.metrics);
        let (_stop, shutdown) = watch::channel(false);
        let told = async {
            while !metrics.troubles().iter().any(|told| told.contains(words)) {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        tokio::select! {
            () = commander.serve(Signals::new(shutdown)) => unreachable!("nobody stops it"),
            told = tokio::time::timeout(Duration::from_secs(600), told) => {
                assert!(told.is_ok(), "{words}: {:?}", metrics.troubles());
            }
        }
        assert!(metrics.is_troubled(COMMANDS, &commander.output));
    }
}

/// A command, or its acknowledgement, may be lost on the way: that is said while the connection stands, and is no
/// reason for an alarm.
#[tokio::test]
async fn a_subscription_at_qos_0_is_named_while_it_stands() {
    let mut commander = commander(Arc::new(|_path, _body| Box::pin(async { Vec::new() })));
    let granted = commander.subscribed(&[Grant::AtMostOnce]);
    granted.expect("commands come all the same");
    let talk = Talk {
        asked: Some(Mono::ZERO),
        subscribed: Some(Mono::ZERO),
    };
    let later = Mono::ZERO + Duration::from_secs(60);
    commander.turn(&talk, later).expect("it stands");
    let troubles = commander.metrics.troubles();
    let [told] = &troubles[..] else {
        panic!("one thing: {troubles:?}");
    };
    let words = "at QoS 0 instead of 1: `forewarn/v1/plant/command`";
    assert!(told.contains(words), "{told}");
    assert!(!commander.metrics.is_troubled(COMMANDS, &commander.output));
    let closed = Ending::ours("closed", "by the broker");
    commander.lost(&closed, Some(Duration::from_secs(60)), later);
    assert_eq!(commander.metrics.troubles(), [""; 0]);
}

/// What was deaf and is not any more is no trouble.
#[tokio::test]
async fn a_subscription_that_stands_is_the_end_of_it() {
    let mut commander = commander(Arc::new(|_path, _body| Box::pin(async { Vec::new() })));
    let refused = Ending::ours(SUBSCRIPTION_REFUSED, "see its ACL");
    commander.lost(&refused, Some(Duration::ZERO), Mono::ZERO);
    assert_eq!(commander.metrics.troubles().len(), 1);
    let talk = Talk {
        asked: Some(Mono::ZERO),
        subscribed: Some(Mono::ZERO),
    };
    assert!(
        commander
            .turn(&talk, Mono::ZERO + Duration::from_secs(60))
            .is_ok()
    );
    assert_eq!(commander.metrics.troubles(), [""; 0]);
}
