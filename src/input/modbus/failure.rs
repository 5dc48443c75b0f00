//! Why a request has no answer, with names for metrics.

use std::io;
use std::time::Duration;

/// Why there is no answer to a request.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// No attempt was made: the last one failed a moment ago.
    #[error("not connected; the next attempt follows shortly")]
    NotConnected,
    /// The connection could not be opened, or not within the request's deadline.
    #[error("could not connect")]
    ConnectFailed(#[source] io::Error),
    /// Connected, but no complete answer within the deadline.
    #[error("no answer within {} ms", .0.as_millis())]
    Timeout(Duration),
    /// The connection ended before the answer.
    #[error("the connection was lost")]
    ConnectionLost(#[source] io::Error),
    /// What came is no Modbus frame: bytes of no frame, or a frame with a wrong checksum.
    #[error("the answer is no Modbus frame")]
    Malformed(#[source] io::Error),
    /// A frame that answers another question (transaction, unit or function differ).
    #[error("the answer belongs to another request: {0}")]
    Mismatch(String),
    /// Another number of registers or bits than asked for.
    #[error("the answer has {got} values instead of {expected}")]
    WrongLength {
        /// As asked; bits come in whole bytes.
        expected: usize,
        /// As answered.
        got: usize,
    },
    /// Nothing was asked: on a line of RTU frames something goes on speaking that nobody asked.
    #[error("the line does not fall silent")]
    Babble,
    /// The device answered, with a refusal.
    #[error("Modbus exception {} ({})", .0.code(), .0.reason())]
    Exception(Exception),
}

impl Failure {
    /// Every name that [`reason`](Self::reason) can give.
    pub const REASONS: [&'static str; 18] = [
        "not_connected",
        "connect_failed",
        "timeout",
        "connection_lost",
        "malformed",
        "mismatch",
        "wrong_length",
        "babble",
        Exception::IllegalFunction.reason(),
        Exception::IllegalAddress.reason(),
        Exception::IllegalValue.reason(),
        Exception::DeviceFailure.reason(),
        Exception::Acknowledge.reason(),
        Exception::Busy.reason(),
        Exception::MemoryParity.reason(),
        Exception::GatewayPath.reason(),
        Exception::GatewayTarget.reason(),
        Exception::Other(0).reason(),
    ];

    /// One of [`REASONS`](Self::REASONS), for metrics.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::NotConnected => "not_connected",
            Self::ConnectFailed(_) => "connect_failed",
            Self::Timeout(_) => "timeout",
            Self::ConnectionLost(_) => "connection_lost",
            Self::Malformed(_) => "malformed",
            Self::Mismatch(_) => "mismatch",
            Self::WrongLength { .. } => "wrong_length",
            Self::Babble => "babble",
            Self::Exception(exception) => exception.reason(),
        }
    }
}

/// Why a device is lost: what stands in the way of its answers. The number is the value of the device's status
/// point; 0 says that it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// It says nothing.
    Silence = 1,
    /// What comes is no answer.
    Garbage = 2,
    /// The gateway before it says that it does not answer.
    Exception = 3,
    /// The line to it cannot be opened, or was closed.
    Line = 4,
}

impl Loss {
    /// What the numbers mean.
    pub const MEANINGS: [(u8, &'static str); 4] = [
        (Self::Silence as u8, "it does not answer"),
        (
            Self::Garbage as u8,
            "what it sends is no answer to the question",
        ),
        (
            Self::Exception as u8,
            "the serial server or gateway says that it does not answer",
        ),
        (
            Self::Line as u8,
            "the connection to it, or the serial device, cannot be opened or was closed",
        ),
    ];
}

impl From<&Failure> for Loss {
    fn from(failure: &Failure) -> Self {
        match failure {
            Failure::NotConnected | Failure::ConnectFailed(_) | Failure::ConnectionLost(_) => {
                Self::Line
            }
            Failure::Timeout(_) => Self::Silence,
            Failure::Malformed(_)
            | Failure::Mismatch(_)
            | Failure::WrongLength { .. }
            | Failure::Babble => Self::Garbage,
            Failure::Exception(_) => Self::Exception,
        }
    }
}

/// Modbus exception codes (Modbus Application Protocol V1.1b3, section 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exception {
    /// 1
    IllegalFunction,
    /// 2
    IllegalAddress,
    /// 3
    IllegalValue,
    /// 4
    DeviceFailure,
    /// 5
    Acknowledge,
    /// 6
    Busy,
    /// 8
    MemoryParity,
    /// 10
    GatewayPath,
    /// 11
    GatewayTarget,
    /// Any other.
    Other(u8),
}

impl Exception {
    /// What a code on the wire means.
    pub const fn from_code(code: u8) -> Self {
        match code {
            1 => Self::IllegalFunction,
            2 => Self::IllegalAddress,
            3 => Self::IllegalValue,
            4 => Self::DeviceFailure,
            5 => Self::Acknowledge,
            6 => Self::Busy,
            8 => Self::MemoryParity,
            10 => Self::GatewayPath,
            11 => Self::GatewayTarget,
            other => Self::Other(other),
        }
    }

    /// The code on the wire.
    pub const fn code(self) -> u8 {
        match self {
            Self::IllegalFunction => 1,
            Self::IllegalAddress => 2,
            Self::IllegalValue => 3,
            Self::DeviceFailure => 4,
            Self::Acknowledge => 5,
            Self::Busy => 6,
            Self::MemoryParity => 8,
            Self::GatewayPath => 10,
            Self::GatewayTarget => 11,
            Self::Other(code) => code,
        }
    }

    /// A name from a closed set, for metrics.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::IllegalFunction => "illegal_function",
            Self::IllegalAddress => "illegal_address",
            Self::IllegalValue => "illegal_value",
            Self::DeviceFailure => "device_failure",
            Self::Acknowledge => "acknowledge",
            Self::Busy => "busy",
            Self::MemoryParity => "memory_parity",
            Self::GatewayPath => "gateway_path",
            Self::GatewayTarget => "gateway_target",
            Self::Other(_) => "other_exception",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_stays_what_it_is() {
        for code in 0..=u8::MAX {
            let exception = Exception::from_code(code);
            assert_eq!(exception.code(), code);
            let named = !matches!(exception, Exception::Other(_));
            assert_eq!(named, matches!(code, 1..=6 | 8 | 10 | 11), "{code}");
        }
    }

    #[test]
    fn every_way_to_be_lost_has_words_and_is_not_zero() {
        for (code, words) in Loss::MEANINGS {
            assert!(code > 0 && !words.is_empty());
        }
        let of = |failure| Loss::from(&failure);
        assert_eq!(of(Failure::Timeout(Duration::ZERO)), Loss::Silence);
        assert_eq!(of(Failure::Babble), Loss::Garbage);
        assert_eq!(of(Failure::NotConnected), Loss::Line);
        let exception = Failure::Exception(Exception::GatewayTarget);
        assert_eq!(of(exception), Loss::Exception);
    }

    #[test]
    fn every_reason_is_listed_once() {
        let io = || io::Error::other("test");
        let mut reasons = vec![
            Failure::NotConnected.reason(),
            Failure::ConnectFailed(io()).reason(),
            Failure::Timeout(Duration::ZERO).reason(),
            Failure::ConnectionLost(io()).reason(),
            Failure::Malformed(io()).reason(),
            Failure::Mismatch(String::new()).reason(),
            Failure::WrongLength {
                expected: 0,
                got: 0,
            }
            .reason(),
            Failure::Babble.reason(),
        ];
        for exception in [
            Exception::IllegalFunction,
            Exception::IllegalAddress,
            Exception::IllegalValue,
            Exception::DeviceFailure,
            Exception::Acknowledge,
            Exception::Busy,
            Exception::MemoryParity,
            Exception::GatewayPath,
            Exception::GatewayTarget,
            Exception::Other(99),
        ] {
            reasons.push(Failure::Exception(exception).reason());
        }
        assert_eq!(reasons, Failure::REASONS);
        let distinct: std::collections::BTreeSet<_> = reasons.iter().collect();
        assert_eq!(distinct.len(), reasons.len());
    }
}
