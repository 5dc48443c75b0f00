//! Back-off, credentials, trust: what a connection is made of.

use std::io::Write as _;

use super::*;

fn address() -> BrokerAddress {
    BrokerAddress {
        host: "127.0.0.1".to_owned(),
        port: 1883,
        tls: None,
        login: Some(Login {
            username: "forewarn".to_owned(),
            password: Secret::new("open sesame"),
        }),
        client_id: "forewarn-test".to_owned(),
        version: Version::V3,
        keep_alive: Duration::from_secs(15),
    }
}

#[test]
fn what_would_panic_in_the_library_is_refused_or_clamped_before() {
    let mut short = address();
    short.keep_alive = Duration::from_millis(10);
    let options = short.v3(session(), None).expect("clamped");
    assert_eq!(options.keep_alive(), Duration::from_secs(1));
    let options = short.v5(session(), None).expect("clamped");
    assert_eq!(options.keep_alive(), Duration::from_secs(5));

    let mut anonymous = address();
    anonymous.client_id.clear();
    for version in [Version::V3, Version::V5] {
        anonymous.version = version;
        let opened = pump::open(&anonymous, None, session(), 1);
        assert!(matches!(opened, Err(BrokerError::NoClientId)));
    }
}

#[test]
fn a_broker_of_version_5_is_told_our_limits_and_the_library_sets_no_more_aside() {
    let options = address().v5(session(), None).expect("good");
    assert_eq!(options.max_packet_size(), Some(1024));
    assert_eq!(options.receive_maximum(), Some(7));
    assert_eq!(options.session_expiry_interval(), Some(u32::MAX));
    assert_eq!(options.get_outgoing_inflight_upper_limit(), Some(9));
    let forgotten = Session {
        keep: false,
        ..session()
    };
    let options = address().v5(forgotten, None).expect("good");
    assert_eq!(options.session_expiry_interval(), None);
    assert!(options.clean_start());
}

fn session() -> Session {
    Session {
        keep: true,
        incoming: 1024,
        outgoing: 1024,
        inflight: 9,
        ahead: 7,
        will: None,
    }
}

#[test]
fn the_password_shows_nowhere() {
    assert!(!format!("{:?}", address()).contains("sesame"));
}

#[tokio::test]
async fn an_authority_that_is_none_is_refused_with_its_path() {
    let mut file = tempfile("not-a-certificate.pem");
    file.1.write_all(b"hello").expect("written");
    for path in [file.0.clone(), PathBuf::from("/nonexistent/ca.pem")] {
        let mut address = address();
        address.tls = Some(Tls {
            ca_file: path.clone(),
            client: None,
        });
        let opened = Connector::new(address).open(session(), 1).await;
        let error = opened.err().expect("no authority");
        let ending = Ending::from(error);
        assert_eq!(ending.name, "configuration");
        assert!(ending.detail.contains(&*path.to_string_lossy()));
    }
    std::fs::remove_file(&file.0).expect("removed");
}

fn tempfile(name: &str) -> (PathBuf, std::fs::File) {
    let path = std::env::temp_dir().join(format!("forewarn-{}-{name}", std::process::id()));
    let file = std::fs::File::create(&path).expect("a writable temporary directory");
    (path, file)
}

#[test]
fn the_servers_of_one_broker_are_tried_in_turn() {
    let other = |port| Server {
        host: "127.0.0.1".to_owned(),
        port,
    };
    let mut connector = Connector::new(address()).among(&[other(1884), other(1885)]);
    let mut tried = Vec::new();
    for _ in 0..4 {
        tried.push(connector.server());
        connector.turn();
    }
    assert_eq!(
        tried,
        [
            "127.0.0.1:1883",
            "127.0.0.1:1884",
            "127.0.0.1:1885",
            "127.0.0.1:1883"
        ]
    );
    let mut alone = Connector::new(address());
    alone.turn();
    assert_eq!(alone.server(), "127.0.0.1:1883");
}
