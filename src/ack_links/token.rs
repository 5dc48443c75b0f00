//! Tokens as bytes, and the seal on them. Pure.
//!
//! ```text
//!  byte   0        1..3   3..9    9..15          15..19    19..        ..        last 16
//!        kind │   site │ alarm │ annunciation │ expires │ occurrence │ readers │ HMAC-SHA256
//!        4 bits version, drill?, shared?         seconds    LEB128      4 each     cut to 128 bits
//! ```
//!
//! Numbers are big-endian. `site`, `alarm` and `readers` are the first bytes of SHA-256 over their names: long enough
//! to find one among those that are configured, which `check` keeps apart; the HMAC goes over the name of the site
//! itself, so that nothing hangs on two of those bytes but the words of a refusal. A token has one spelling: what
//! decodes and is written anew otherwise than it came is none.

use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use super::Flaw;
use crate::broker::Secret;
use crate::engine::time::Wall;

/// Characters of the longest token that is looked at.
const LONGEST: usize = 200;

/// In the upper half of the first byte.
const VERSION: u8 = 0x10;
const DRILL: u8 = 0x02;
const SHARED: u8 = 0x01;

const SITE: usize = 2;
const ALARM: usize = 6;
const ANNUNCIATION: usize = 6;
const EXPIRES: usize = 4;
const PERSON: usize = 4;
const MAC: usize = 16;

/// What no other HMAC with the same key is about.
const PURPOSE: &[u8] = b"forewarn acknowledgement link\0";

/// Stands for the name of an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct AlarmTag([u8; ALARM]);

impl AlarmTag {
    /// `name` is `POINT/kind`.
    pub fn of(name: &str) -> Self {
        Self(tag("alarm", name))
    }
}

/// Stands for the id of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PersonTag([u8; PERSON]);

impl PersonTag {
    /// As configured.
    pub fn of(id: &str) -> Self {
        Self(tag("person", id))
    }
}

/// Who may acknowledge with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readers {
    /// This person.
    One(PersonTag),
    /// One of these; of everybody who is configured when it is none.
    Several(Vec<PersonTag>),
}

/// What a token stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Which alarm.
    pub alarm: AlarmTag,
    /// Its drill, and not the alarm itself.
    pub drill: bool,
    /// Which episode.
    pub occurrence: u64,
    /// Which of its calls for attention; below 2⁴⁸.
    pub annunciation: u64,
    /// Until when, in whole seconds.
    pub expires: Wall,
    /// Who may.
    pub readers: Readers,
}

/// Signs, and knows what it signed.
pub(super) struct Seal {
    site: Arc<str>,
    key: Secret,
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seal").field("site", &self.site).finish()
    }
}

impl Seal {
    pub(super) fn new(site: Arc<str>, key: Secret) -> Self {
        Self { site, key }
    }

    /// `claim` as a token; `None` for numbers that no token holds.
    pub(super) fn close(&self, claim: &Claim) -> Option<String> {
        let mut bytes = self.plain(claim)?;
        let mac = self.hmac(&bytes).finalize().into_bytes();
        bytes.extend_from_slice(&mac[..MAC]);
        Some(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// What `token` stands for, if we made it.
    pub(super) fn open(&self, token: &str) -> Result<Claim, Flaw> {
        if token.len() > LONGEST {
            return Err(Flaw::Broken);
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| Flaw::Broken)?;
        let plain = bytes.len().checked_sub(MAC).ok_or(Flaw::Broken)?;
        let (plain, mac) = bytes.split_at(plain);
        let (site, claim) = parse(plain).ok_or(Flaw::Broken)?;
        if site != tag::<SITE>("site", &self.site) {
            return Err(Flaw::Foreign);
        }
        // Takes the same time wherever the first difference is.
        let verified = self.hmac(plain).verify_truncated_left(mac);
        verified.map_err(|_| Flaw::Forged)?;
        Ok(claim)
    }

    fn hmac(&self, plain: &[u8]) -> Hmac<Sha256> {
        let key = self.key.expose().as_bytes();
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
        for part in [PURPOSE, self.site.as_bytes(), b"\0", plain] {
            mac.update(part);
        }
        mac
    }

    fn plain(&self, claim: &Claim) -> Option<Vec<u8>> {
        let (shared, persons) = match &claim.readers {
            Readers::One(person) => (0, std::slice::from_ref(person)),
            Readers::Several(persons) => (SHARED, persons.as_slice()),
        };
        let drill = if claim.drill { DRILL } else { 0 };
        let expires = claim.expires.unix_nanos().div_euclid(1_000_000_000);
        let expires = u32::try_from(expires).ok()?;
        let annunciation = claim.annunciation.to_be_bytes();
        let (unused, annunciation) = annunciation.split_at(8 - ANNUNCIATION);
        if unused.iter().any(|byte| *byte != 0) {
            return None;
        }
        let mut bytes = vec![VERSION | drill | shared];
        bytes.extend_from_slice(&tag::<SITE>("site", &self.site));
        bytes.extend_from_slice(&claim.alarm.0);
        bytes.extend_from_slice(annunciation);
        bytes.extend_from_slice(&expires.to_be_bytes());
        put_number(&mut bytes, claim.occurrence);
        for person in persons {
            bytes.extend_from_slice(&person.0);
        }
        Some(bytes)
    }
}

/// The site's tag and the claim; `None`: it is none.
fn parse(plain: &[u8]) -> Option<([u8; SITE], Claim)> {
    let (kind, rest) = plain.split_first()?;
    if kind & !(DRILL | SHARED) != VERSION {
        return None;
    }
    let (site, rest) = rest.split_first_chunk::<SITE>()?;
    let (alarm, rest) = rest.split_first_chunk::<ALARM>()?;
    let (annunciation, rest) = rest.split_first_chunk::<ANNUNCIATION>()?;
    let (expires, rest) = rest.split_first_chunk::<EXPIRES>()?;
    let (occurrence, rest) = take_number(rest)?;
    let (persons, left) = rest.as_chunks::<PERSON>();
    let persons: Vec<PersonTag> = persons.iter().copied().map(PersonTag).collect();
    let readers = match (kind & SHARED, persons.as_slice()) {
        (0, [person]) => Readers::One(*person),
        (0, _) => return None,
        (_, _) => Readers::Several(persons),
    };
    let annunciation = annunciation
        .iter()
        .fold(0, |number, byte| number << 8 | u64::from(*byte));
    let seconds = i64::from(u32::from_be_bytes(*expires));
    let claim = Claim {
        alarm: AlarmTag(*alarm),
        drill: kind & DRILL != 0,
        occurrence,
        annunciation,
        expires: Wall::from_unix_nanos(seconds * 1_000_000_000),
        readers,
    };
    left.is_empty().then_some((*site, claim))
}

/// The first bytes of a digest; names of different things never have the same one by being spelt alike.
fn tag<const N: usize>(of: &str, name: &str) -> [u8; N] {
    let digest = Sha256::new()
        .chain_update(of)
        .chain_update([0])
        .chain_update(name)
        .finalize();
    let mut tag = [0; N];
    tag.copy_from_slice(&digest[..N]);
    tag
}

/// LEB128: seven bits a byte, the lowest first.
fn put_number(bytes: &mut Vec<u8>, mut number: u64) {
    loop {
        let low = number.to_le_bytes()[0] & 0x7f;
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return;
        }
        bytes.push(low | 0x80);
    }
}

/// The number in front, in its shortest form, and what is behind it.
fn take_number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut number = 0_u64;
    for (index, byte) in bytes.iter().enumerate().take(10) {
        let low = u64::from(byte & 0x7f);
        let shifted = low << (7 * index);
        if shifted >> (7 * index) != low {
            return None;
        }
        number |= shifted;
        if byte & 0x80 == 0 {
            let shortest = *byte != 0 || index == 0;
            return shortest.then(|| (number, &bytes[index + 1..]));
        }
    }
    None
}
