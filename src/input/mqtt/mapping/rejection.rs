//! Why a message, or a part of it, became no reading.

use super::pointer::Twice;
use super::{MAX_ELEMENTS, MAX_PAYLOAD};
use crate::engine::reading::Fault;

/// Characters of a detail that are kept at most.
const LONGEST_DETAIL: usize = 64;

/// Why there is no reading. The names are label values and stay what they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Rejection {
    /// Longer than [`MAX_PAYLOAD`].
    #[error("the payload is over {MAX_PAYLOAD} bytes")]
    TooLarge,
    /// No point reads this topic: the broker still holds a subscription of an older configuration.
    #[error("no point reads this topic")]
    UnknownTopic,
    /// Asked for, but none of the configured points is meant.
    #[error("no configured point is meant")]
    UnknownPoint,
    /// The broker passed a message on once for each of several subscriptions.
    #[error("the same message once more, for another subscription that matches it")]
    Copy,
    /// Nothing in it. As a retained message that deletes the last one.
    #[error("the payload is empty")]
    Empty,
    /// Not text.
    #[error("the payload is not UTF-8")]
    NotUtf8,
    /// Text, but not one JSON document.
    #[error("the payload is not JSON")]
    NotJson,
    /// No JSON number where the value should be, or none that a double can hold.
    #[error("the value is not a JSON number")]
    NotANumber,
    /// A text that `words` does not list.
    #[error("the value is none of `words`")]
    UnknownWord,
    /// The pointer leads nowhere.
    #[error("there is nothing at the pointer `value`")]
    NoValueAtPointer,
    /// A key on the way to something that is read stands there twice.
    #[error("a key on the way to the value or the time stands there twice")]
    DuplicateKey,
    /// The pointer to the time leads nowhere.
    #[error("there is nothing at the pointer `time`")]
    NoTimeAtPointer,
    /// No time in the configured format.
    #[error("the time is not in the configured format")]
    BadTime,
    /// A time outside the years 1677 to 2262.
    #[error("the time is outside the years 1677 to 2262")]
    TimeOutOfRange,
    /// No whole number from 0 on where the counter should be.
    #[error("there is no whole number at the pointer `sequence`")]
    BadSequence,
    /// No list where `each` points to.
    #[error("there is no list at the pointer `each`")]
    NotAList,
    /// More than [`MAX_ELEMENTS`] readings in one message.
    #[error("more than {MAX_ELEMENTS} readings in one message")]
    TooManyReadings,
    /// No text or whole number where a template looks for a part of the point's id.
    #[error("there is no text at a pointer of the template")]
    NoNameAtPointer,
    /// Two values of one point at one time: nobody knows which is meant.
    #[error("a second value of the same point and time")]
    SecondValue,
    /// The source says that the value is bad.
    #[error("the source marks the value as bad")]
    SourceBad,
    /// The value is in another unit than the point.
    #[error("the value is in another unit than the point")]
    WrongUnit,
    /// No SenML, or of a version or with a field that this gateway does not know (RFC 8428).
    #[error("the payload is not SenML that can be understood")]
    NotSenml,
    /// A SenML record with a sum, a text or data, and no value.
    #[error("a SenML record without a value of its own")]
    NoSenmlValue,
    /// No Sparkplug B payload, or more metrics than are read.
    #[error("the payload is not Sparkplug B that can be read")]
    NotSparkplug,
    /// Data of an edge node or device whose birth was not heard.
    #[error("the birth of this edge node or device was not heard yet")]
    NoBirth,
    /// Messages of an edge node are missing; this one was read.
    #[error("messages of this edge node are missing before this one")]
    SequenceGap,
    /// The last will of a connection before the present one.
    #[error("a death that belongs to an older birth")]
    OldDeath,
    /// A birth gives one alias to several metrics: data by that alias is not read.
    #[error("the birth gives this metric an alias that another one has, too")]
    SharedAlias,
    /// Another source, whose id is spelt alike, feeds the point.
    #[error("another source makes the same id, and the point is that one's")]
    OtherSource,
}

impl Rejection {
    /// All of them.
    pub const ALL: [Self; 29] = [
        Self::TooLarge,
        Self::UnknownTopic,
        Self::UnknownPoint,
        Self::Copy,
        Self::Empty,
        Self::NotUtf8,
        Self::NotJson,
        Self::NotANumber,
        Self::UnknownWord,
        Self::NoValueAtPointer,
        Self::DuplicateKey,
        Self::NoTimeAtPointer,
        Self::BadTime,
        Self::TimeOutOfRange,
        Self::BadSequence,
        Self::NotAList,
        Self::TooManyReadings,
        Self::NoNameAtPointer,
        Self::SecondValue,
        Self::SourceBad,
        Self::WrongUnit,
        Self::NotSenml,
        Self::NoSenmlValue,
        Self::NotSparkplug,
        Self::NoBirth,
        Self::SequenceGap,
        Self::OldDeath,
        Self::SharedAlias,
        Self::OtherSource,
    ];

    /// What a live message refused for this says of its point: that there is no value. Nothing when only
    /// its time is wrong, or when it holds two of something.
    pub(super) const fn fault(self) -> Option<Fault> {
        match self {
            Self::TooLarge
            | Self::Empty
            | Self::NotUtf8
            | Self::NotJson
            | Self::NotANumber
            | Self::UnknownWord
            | Self::NoValueAtPointer
            | Self::NotAList
            | Self::TooManyReadings => Some(Fault::SensorFailure),
            Self::SourceBad => Some(Fault::SourceBad),
            Self::WrongUnit => Some(Fault::WrongUnit),
            Self::UnknownTopic
            | Self::UnknownPoint
            | Self::Copy
            | Self::DuplicateKey
            | Self::NoTimeAtPointer
            | Self::BadTime
            | Self::TimeOutOfRange
            | Self::BadSequence
            | Self::NoNameAtPointer
            | Self::SecondValue
            | Self::NotSenml
            | Self::NoSenmlValue
            | Self::NotSparkplug
            | Self::NoBirth
            | Self::SequenceGap
            | Self::OldDeath
            | Self::SharedAlias
            | Self::OtherSource => None,
        }
    }

    /// The reason as it stands in metrics and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::UnknownTopic => "unknown_topic",
            Self::UnknownPoint => "unknown_point",
            Self::Copy => "copy",
            Self::Empty => "empty",
            Self::NotUtf8 => "not_utf8",
            Self::NotJson => "not_json",
            Self::NotANumber => "not_a_number",
            Self::UnknownWord => "unknown_word",
            Self::NoValueAtPointer => "no_value_at_pointer",
            Self::DuplicateKey => "duplicate_key",
            Self::NoTimeAtPointer => "no_time_at_pointer",
            Self::BadTime => "bad_time",
            Self::TimeOutOfRange => "time_out_of_range",
            Self::BadSequence => "bad_sequence",
            Self::NotAList => "not_a_list",
            Self::TooManyReadings => "too_many_readings",
            Self::NoNameAtPointer => "no_name_at_pointer",
            Self::SecondValue => "second_value",
            Self::SourceBad => "source_bad",
            Self::WrongUnit => "wrong_unit",
            Self::NotSenml => "not_senml",
            Self::NoSenmlValue => "no_senml_value",
            Self::NotSparkplug => "not_sparkplug",
            Self::NoBirth => "no_birth",
            Self::SequenceGap => "sequence_gap",
            Self::OldDeath => "old_death",
            Self::SharedAlias => "shared_alias",
            Self::OtherSource => "other_source",
        }
    }
}

impl From<Twice> for Refused {
    fn from(_twice: Twice) -> Self {
        Rejection::DuplicateKey.into()
    }
}

/// One refusal, and what it was about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Why.
    pub reason: Rejection,
    /// The id, word or unit that was met; empty when the reason says it all. At most 64 characters,
    /// without control characters.
    pub detail: String,
}

impl Refused {
    /// With what was met.
    pub(super) fn with(reason: Rejection, detail: &str) -> Self {
        let shown = detail.chars().take(LONGEST_DETAIL);
        let shown = shown.map(|c| if c.is_control() { '\u{fffd}' } else { c });
        Self {
            reason,
            detail: shown.collect(),
        }
    }
}

impl From<Rejection> for Refused {
    fn from(reason: Rejection) -> Self {
        Self {
            reason,
            detail: String::new(),
        }
    }
}

impl PartialEq<Rejection> for Refused {
    fn eq(&self, other: &Rejection) -> bool {
        self.reason == *other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_distinct_and_none_is_forgotten() {
        let names = Rejection::ALL.map(Rejection::name);
        let distinct: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(distinct.len(), names.len());
        for (position, reason) in Rejection::ALL.into_iter().enumerate() {
            assert_eq!(position, reason as usize);
        }
    }

    #[test]
    fn a_detail_is_short_and_plain() {
        let refused = Refused::with(Rejection::UnknownWord, &"\u{7}x".repeat(100));
        assert_eq!(refused.detail.chars().count(), LONGEST_DETAIL);
        assert!(refused.detail.starts_with("\u{fffd}x"));
    }
}
