//! Certificates of a plant, made with openssl: an authority, a stranger, a broker on 127.0.0.1, clients.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::bench::Scratch;

const EC: &str = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
const RSA: &str = "-newkey rsa:2048 -nodes";

/// Version 3 with what a client needs. A `-req` without extensions makes version 1, which TLS refuses.
const CLIENT: &str = "extendedKeyUsage=clientAuth\n";

/// A folder of them, gone when the test is.
pub(crate) struct Certificates(Scratch);

impl Certificates {
    /// The authorities `ca` and `other`, and `broker` by the first; each `NAME.pem` with `NAME.key`.
    pub(crate) fn make() -> Self {
        let made = Self(Scratch::new("certificates"));
        for name in ["ca", "other"] {
            let files = format!("-keyout {name}.key -out {name}.pem");
            made.openssl(
                &format!("req -x509 -days 60 {EC} {files}"),
                &format!("/CN=forewarn test {name}"),
            );
        }
        made.sign("broker", EC, "ca", 60, "subjectAltName=IP:127.0.0.1\n");
        made
    }

    /// A client's certificate by one of the authorities.
    pub(crate) fn client(&self, name: &str, authority: &str, days: i32) {
        self.sign(name, EC, authority, days, CLIENT);
    }

    /// The same with a key of RSA, in PKCS#8.
    pub(crate) fn rsa_client(&self, name: &str) {
        self.sign(name, RSA, "ca", 60, CLIENT);
    }

    /// A client's certificate as openssl makes it when nobody thinks of the version.
    pub(crate) fn old_client(&self, name: &str) {
        self.sign(name, EC, "ca", 60, "");
    }

    fn sign(&self, name: &str, key: &str, authority: &str, days: i32, extensions: &str) {
        let request = format!("req {key} -keyout {name}.key -out {name}.csr");
        self.openssl(&request, &format!("/CN={name}"));
        let mut sign = format!(
            "x509 -req -in {name}.csr -CA {authority}.pem -CAkey {authority}.key -CAcreateserial \
             -days {days} -out {name}.pem"
        );
        if !extensions.is_empty() {
            self.0.write("extensions", extensions);
            sign.push_str(" -extfile extensions");
        }
        self.openssl(&sign, "");
    }

    /// Runs openssl in the folder.
    pub(crate) fn openssl(&self, arguments: &str, subject: &str) {
        let mut command = Command::new("openssl");
        command
            .current_dir(self.path(""))
            .args(arguments.split_whitespace());
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

    /// Copies a file over another one, as whoever renews a certificate does.
    pub(crate) fn copy(&self, from: &str, to: &str) {
        std::fs::copy(self.path(from), self.path(to)).expect("copied");
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path(name)
    }

    /// Lines of mosquitto's configuration for a listener with TLS.
    pub(crate) fn listener(&self, port: u16) -> String {
        let file = |name| Path::display(&self.path(name)).to_string();
        format!(
            "listener {port} 127.0.0.1\ncafile {}\ncertfile {}\nkeyfile {}\n",
            file("ca.pem"),
            file("broker.pem"),
            file("broker.key"),
        )
    }
}
