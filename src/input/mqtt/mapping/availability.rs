//! Topics that say whether a source is there: last wills, and bridges that watch their devices.
//!
//! ```text
//! zigbee2mqtt/pump-7/availability   offline ──▶ its points are bad at once: source_offline
//!                                   online  ──▶ nothing: a point is good when a value comes
//! ```
//!
//! The broker keeps the last word, and a retained one counts: what was said of the present still holds.
//! Nothing is remembered here, so a value that comes in spite of an old `offline` is believed.

use super::decode::not_json;
use super::pointer::{Found, Number};
use super::rejection::{Refused, Rejection};
use crate::input::mqtt::Availability;

impl Availability {
    /// Is the source gone? `text` is the payload, or why there is none.
    pub(super) fn says_gone(&self, text: Result<&str, Rejection>) -> Result<bool, Refused> {
        let text = text?.trim_ascii();
        let word = match &self.value {
            None => match serde_json::from_str::<String>(text) {
                Ok(quoted) => quoted,
                Err(_bare) => text.to_owned(),
            },
            Some(pointer) => match pointer.find(text).map_err(|error| not_json(&error))? {
                Found::Text(text) => text,
                Found::Flag(flag) => flag.to_string(),
                Found::Number(Number::Integer(number)) => number.to_string(),
                Found::Missing => return Err(Rejection::NoValueAtPointer.into()),
                Found::Duplicate => return Err(Rejection::DuplicateKey.into()),
                Found::Number(Number::Float(_)) | Found::Other => {
                    return Err(Rejection::UnknownWord.into());
                }
            },
        };
        if self.offline.contains(&word) {
            Ok(true)
        } else if self.online.contains(&word) {
            Ok(false)
        } else {
            Err(Refused::with(Rejection::UnknownWord, &word))
        }
    }
}
