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
        keep_alive: Duration::from_secs(15),
    }
}

#[test]
fn what_would_panic_in_the_library_is_refused_or_clamped_before() {
    let mut short = address();
    short.keep_alive = Duration::from_millis(10);
    let options = short.options(None).expect("clamped");
    assert_eq!(options.keep_alive(), Duration::from_secs(1));

    let mut anonymous = address();
    anonymous.client_id.clear();
    assert!(matches!(
        anonymous.options(None),
        Err(BrokerError::NoClientId)
    ));
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
        let options = Connector::new(address).options().await;
        let error = options.expect_err("no authority");
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
