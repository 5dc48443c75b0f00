//! TLS towards a real broker: let in by the right authority with the right certificate, and by nothing else.

use std::io::Write;
use std::sync::{Arc, Mutex};

use forewarn::broker::{ClientCertificate, Tls};
use forewarn::commands::check::check;
use forewarn::config::Source;
use tokio::time::timeout;

use super::certificates::Certificates;
use super::mosquitto::{DEADLINE, Mosquitto, free_port};
use super::mqtt_input::{Gateway, settings};

/// What is logged on this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn listen(&self) -> tracing::subscriber::DefaultGuard {
        let log = self.clone();
        let subscriber = tracing_subscriber::fmt().with_ansi(false);
        tracing::subscriber::set_default(subscriber.with_writer(move || log.clone()).finish())
    }

    fn text(&self) -> String {
        let bytes = self.0.lock().expect("no holder panics").clone();
        String::from_utf8(bytes).expect("logs are text")
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no holder panics").extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn tls(certificates: &Certificates, authority: &str, client: Option<(&str, &str)>) -> Tls {
    Tls {
        ca_file: certificates.path(authority),
        client: client.map(|(cert, key)| ClientCertificate {
            cert_file: certificates.path(cert),
            key_file: certificates.path(key),
        }),
    }
}

/// A gateway that knows the broker on `port` so.
fn gateway(port: u16, tls: Tls) -> Gateway {
    let mut settings = settings(port);
    settings.address.tls = Some(tls);
    Gateway::with(settings)
}

#[tokio::test]
async fn only_the_configured_authority_is_trusted() {
    let certificates = Certificates::make();
    let port = free_port();
    let _broker = Mosquitto::start(&certificates.listener(port)).await;
    for (authority, lost) in [("ca.pem", 0.0), ("other.pem", 2.0), ("missing.pem", 2.0)] {
        let mut gateway = gateway(port, tls(&certificates, authority, None));
        gateway.status(lost).await;
        gateway.stop().await;
    }
}

#[tokio::test]
async fn a_broker_that_asks_who_we_are_is_told_in_every_notation_of_keys() {
    let certificates = Certificates::make();
    certificates.client("own", "ca", 60);
    certificates.rsa_client("rsa");
    certificates.openssl("ec -in own.key -out sec1.key", "");
    certificates.openssl("rsa -in rsa.key -traditional -out pkcs1.key", "");
    let port = free_port();
    let listener = format!("{}require_certificate true\n", certificates.listener(port));
    let _broker = Mosquitto::start(&listener).await;
    for client in [
        ("own.pem", "own.key"),
        ("own.pem", "sec1.key"),
        ("rsa.pem", "rsa.key"),
        ("rsa.pem", "pkcs1.key"),
    ] {
        let mut gateway = gateway(port, tls(&certificates, "ca.pem", Some(client)));
        timeout(DEADLINE, gateway.status(0.0))
            .await
            .unwrap_or_else(|_| panic!("{client:?}"));
        gateway.stop().await;
    }
}

#[tokio::test]
async fn a_broker_that_does_not_know_us_is_reported_in_words_and_a_renewed_certificate_is_taken() {
    let certificates = Certificates::make();
    certificates.client("own", "ca", 60);
    certificates.client("stranger", "other", 60);
    certificates.client("old", "ca", -1);
    let port = free_port();
    let listener = format!("{}require_certificate true\n", certificates.listener(port));
    let mut broker = Mosquitto::start(&listener).await;
    let log = Log::default();
    let _listening = log.listen();
    let ours = Some(("ours.pem", "ours.key"));
    for (client, words) in [
        (None, "the broker wants a client certificate"),
        (
            Some("stranger"),
            "does not know the authority that signed our client certificate",
        ),
        (
            Some("old"),
            "our client certificate, `cert_file`, has expired",
        ),
    ] {
        if let Some(name) = client {
            certificates.copy(&format!("{name}.pem"), "ours.pem");
            certificates.copy(&format!("{name}.key"), "ours.key");
        }
        let mut gateway = gateway(
            port,
            tls(&certificates, "ca.pem", ours.filter(|_| client.is_some())),
        );
        gateway.blind().await;
        assert!(log.text().contains(words), "{client:?}: {}", log.text());
        if client == Some("old") {
            certificates.copy("own.pem", "ours.pem");
            certificates.copy("own.key", "ours.key");
            gateway.status(0.0).await;
            // A disk that gives nothing any more is no reason to be blind.
            std::fs::remove_file(certificates.path("ours.key")).expect("removed");
            broker.stop().await;
            gateway.blind().await;
            broker.start_again().await;
            gateway.status(0.0).await;
            assert!(log.text().contains("those from before are used"));
        }
        gateway.stop().await;
    }
    let text = log.text();
    assert!(!text.contains("BEGIN"), "{text}");
}

#[test]
fn check_finds_what_would_be_found_at_night() {
    let certificates = Certificates::make();
    certificates.client("own", "ca", 60);
    certificates.client("old", "ca", -1);
    certificates.client("soon", "ca", 3);
    certificates.old_client("version1");
    certificates.openssl("ec -in own.key -aes128 -passout pass:x -out locked.key", "");
    std::fs::write(certificates.path("none.pem"), "hello").expect("written");
    certificates.copy("own.key", "open.key");
    set_mode(&certificates, "open.key", 0o644);
    let own = ("ca.pem", "own.pem", "own.key");
    let url = "mqtts://127.0.0.1";
    // (address, files, exit code, what is said)
    for (url, (ca, cert, key), code, words) in [
        (url, own, 0, ""),
        (
            url,
            ("ca.pem", "old.pem", "old.key"),
            0,
            "warning[certificate]: the certificate in",
        ),
        (url, ("ca.pem", "old.pem", "old.key"), 0, "has expired on"),
        (url, ("ca.pem", "soon.pem", "soon.key"), 0, "expires on"),
        (
            url,
            ("none.pem", "own.pem", "own.key"),
            78,
            "holds no certificate",
        ),
        (
            url,
            ("ca.pem", "none.pem", "own.key"),
            78,
            "holds no certificate",
        ),
        (
            url,
            ("ca.pem", "version1.pem", "version1.key"),
            78,
            "is version 1",
        ),
        (
            url,
            ("ca.pem", "own.pem", "old.key"),
            78,
            "does not belong to the certificate",
        ),
        (
            url,
            ("ca.pem", "own.pem", "locked.key"),
            78,
            "no password on it",
        ),
        (
            url,
            ("ca.pem", "own.pem", "open.key"),
            78,
            "can be read by others (mode 644)",
        ),
        (url, ("ca.pem", "own.pem", "gone.key"), 78, "cannot read"),
        (url, ("ca.pem", "own.pem", ""), 78, "needs `key_file`"),
        (url, ("ca.pem", "", "own.key"), 78, "needs `cert_file`"),
        (url, ("", "own.pem", "own.key"), 78, "TLS needs `ca_file`"),
        (
            "mqtt://127.0.0.1",
            own,
            78,
            "`cert_file` has no meaning without TLS",
        ),
    ] {
        let keys = [("ca_file", ca), ("cert_file", cert), ("key_file", key)];
        let keys = keys.map(|(key, file)| match file {
            "" => String::new(),
            file => format!("{key} = {:?}\n", certificates.path(file)),
        });
        let text = format!(
            "site = \"a\"\n[broker.b]\nurl = {url:?}\n{}\n[point.P]\ntopic = \"p\"\nhigh = 1\n\
             unit = \"bar\"\naction = \"run\"\n",
            keys.concat()
        );
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let found = check(&Source::text("a.toml", &text), false, &mut out, &mut err);
        let said = String::from_utf8(err).expect("text");
        assert_eq!(found, code, "{words}: {said}");
        assert!(said.contains(words), "{words}: {said}");
    }
}

fn set_mode(certificates: &Certificates, name: &str, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(certificates.path(name), mode).expect("ours");
}
