//! TLS towards a real broker: let in by the right authority, and by nothing else.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use forewarn::broker::Tls;

use super::mosquitto::{Mosquitto, free_port};
use super::mqtt_input::{Gateway, settings};

/// An authority, another one, and a certificate for 127.0.0.1 by the first.
struct Certificates(PathBuf);

impl Certificates {
    fn make() -> Self {
        let dir = std::env::temp_dir().join(format!("forewarn-tls-{}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("a writable temporary directory");
        for name in ["ca", "other"] {
            let subject = format!("/CN=forewarn test {name}");
            let files = format!("-keyout {name}.key -out {name}.pem");
            openssl(
                &dir,
                &format!("req -x509 -days 2 {NEW_KEY} {files}"),
                &subject,
            );
        }
        openssl(
            &dir,
            &format!("req {NEW_KEY} -keyout broker.key -out broker.csr"),
            "/CN=broker",
        );
        std::fs::write(dir.join("names"), "subjectAltName=IP:127.0.0.1\n").expect("written");
        let sign = "x509 -req -in broker.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 \
                    -extfile names -out broker.pem";
        openssl(&dir, sign, "");
        Self(dir)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Certificates {
    fn drop(&mut self) {
        let _left_behind = std::fs::remove_dir_all(&self.0).is_err();
    }
}

const NEW_KEY: &str = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";

fn openssl(dir: &Path, arguments: &str, subject: &str) {
    let mut command = Command::new("openssl");
    command.current_dir(dir).args(arguments.split_whitespace());
    if !subject.is_empty() {
        command.args(["-subj", subject]);
    }
    let ended = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("openssl is installed");
    assert!(ended.success(), "openssl {arguments}");
}

#[tokio::test]
async fn only_the_configured_authority_is_trusted() {
    let certificates = Certificates::make();
    let port = free_port();
    let listener = format!(
        "listener {port} 127.0.0.1\ncafile {}\ncertfile {}\nkeyfile {}",
        certificates.path("ca.pem").display(),
        certificates.path("broker.pem").display(),
        certificates.path("broker.key").display(),
    );
    let _broker = Mosquitto::start(&listener).await;
    for (authority, lost) in [("ca.pem", 0.0), ("other.pem", 1.0), ("missing.pem", 1.0)] {
        let mut settings = settings(port);
        settings.address.tls = Some(Tls {
            ca_file: certificates.path(authority),
        });
        let mut gateway = Gateway::with(settings);
        gateway.status(lost).await;
        gateway.stop().await;
    }
}
