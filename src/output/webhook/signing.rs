//! How a receiver is shown that a message is ours. Pure.
//!
//! | who | how |
//! |---|---|
//! | `hmac` of any webhook | a header `t=SECONDS,v1=HEX`, HMAC over `SECONDS.BODY` |
//! | DingTalk | parameters `timestamp` (ms) and `sign`: HMAC-SHA256 with the secret over `ms LF secret`, base64 |
//! | Feishu | fields `timestamp` (s) and `sign`: HMAC-SHA256 with `s LF secret` over nothing, base64 |
//! | PagerDuty | the secret itself, a field of the body |

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::engine::time::Wall;

/// How a kind of receiver wants to be shown its secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Signed in the address.
    DingTalk,
    /// Signed in the body.
    Feishu,
    /// Written in the body.
    InBody,
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().to_vec()
}

/// Value of the signature's header.
pub fn header(secret: &str, body: &str, now: Wall) -> String {
    let seconds = seconds(now).to_string();
    let parts = [seconds.as_bytes(), b".", body.as_bytes()];
    let hex = hmac(secret.as_bytes(), &parts)
        .iter()
        .fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").expect("writing to a String cannot fail");
            hex
        });
    format!("t={seconds},v1={hex}")
}

/// Parameters of the address for DingTalk.
pub fn dingtalk(secret: &str, now: Wall) -> String {
    let millis = now.unix_nanos().div_euclid(1_000_000).to_string();
    let parts = [millis.as_bytes(), b"\n", secret.as_bytes()];
    let sign = STANDARD.encode(hmac(secret.as_bytes(), &parts));
    // Of base64's characters these three mean something in an address.
    let sign = sign
        .replace('+', "%2B")
        .replace('/', "%2F")
        .replace('=', "%3D");
    format!("timestamp={millis}&sign={sign}")
}

/// Timestamp and signature for Feishu.
pub fn feishu(secret: &str, now: Wall) -> (String, String) {
    let seconds = seconds(now).to_string();
    let key = format!("{seconds}\n{secret}");
    let sign = STANDARD.encode(hmac(key.as_bytes(), &[]));
    (seconds, sign)
}

const fn seconds(now: Wall) -> i64 {
    now.unix_nanos().div_euclid(1_000_000_000)
}
