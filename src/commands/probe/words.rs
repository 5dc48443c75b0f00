//! What a refusal or a silence means, and what to do about it.

use crate::commands::chain;
use crate::input::modbus::failure::{Exception, Failure};
use crate::input::modbus::line::Line;

/// What an exception means, and what to do (Modbus Application Protocol V1.1b3, section 7).
pub(super) const fn exception(exception: Exception) -> (&'static str, &'static str) {
    match exception {
        Exception::IllegalFunction => (
            "the device does not know this table",
            "try the others: input, holding, coil, discrete; many devices have only one of them",
        ),
        Exception::IllegalAddress => (
            "the device has nothing at these addresses",
            "manuals often count from 1 or write 30001 and 40001: the first register is input:0 or holding:0. Some \
             devices refuse to be read from the middle of a value",
        ),
        Exception::IllegalValue => (
            "the device does not give so many addresses at once",
            "ask for fewer; in the configuration, `max_registers` and `max_bits` of the device",
        ),
        Exception::DeviceFailure => (
            "the device has failed while it answered",
            "look at its display and its own error register; some servers say this for a unit id they do not have",
        ),
        Exception::Acknowledge => (
            "the device needs longer for this",
            "ask again, with a longer `--timeout`",
        ),
        Exception::Busy => (
            "the device is busy",
            "ask again; somebody else may be asking it, too",
        ),
        Exception::MemoryParity => (
            "the device's memory is damaged",
            "look at its display; have it repaired",
        ),
        Exception::GatewayPath => (
            "the gateway in between has no way to this unit",
            "check the unit id, and the ports and routes in the gateway's own settings",
        ),
        Exception::GatewayTarget => (
            "the gateway in between gets no answer from this unit",
            "check the unit id, the wiring behind the gateway, and its speed and parity",
        ),
        Exception::Other(_) => (
            "the manufacturer's own reason",
            "its manual has a table of them",
        ),
    }
}

/// What happened, in one sentence.
pub(super) fn happened(failure: &Failure) -> String {
    if let Failure::Exception(code) = failure {
        return format!("exception {}: {}", code.code(), exception(*code).0);
    }
    chain(failure)
}

/// What to do about it.
pub(super) fn advice(failure: &Failure, line: &Line) -> &'static str {
    match (failure, line) {
        (Failure::Exception(code), _) => exception(*code).1,
        (Failure::NotConnected | Failure::ConnectFailed(_), Line::Serial(_)) => {
            "only one may ask on a serial line: if a running gateway has it (systemctl stop forewarn) or another program, stop that first"
        }
        (Failure::NotConnected | Failure::ConnectFailed(_), Line::Tcp(_) | Line::RtuOverTcp(_)) => {
            "check address and port; many devices take one connection only, and a running gateway may hold it"
        }
        (Failure::ConnectionLost(_), Line::Serial(_)) => "is the adapter still plugged in?",
        (Failure::ConnectionLost(_), Line::Tcp(_) | Line::RtuOverTcp(_)) => {
            "many devices take one connection only, and a running gateway may hold it"
        }
        (Failure::Timeout(_), Line::Tcp(_)) => {
            "check the unit id (`--scan` finds it); a longer `--timeout`; many devices serve one connection only, and \
             a running gateway may hold it"
        }
        (Failure::Timeout(_), Line::RtuOverTcp(_)) => {
            "check the unit id (`--scan` finds it), and speed and parity in the serial server; does it speak RTU, or \
             Modbus TCP (tcp://)?"
        }
        (Failure::Timeout(_), Line::Serial(_)) => {
            "check the unit id (`--scan` finds it), speed and parity, and whether the two wires are swapped"
        }
        (Failure::Malformed(_) | Failure::WrongLength { .. }, Line::Serial(_)) => {
            "check speed and parity, termination, and that nobody else asks on this line"
        }
        (
            Failure::Malformed(_) | Failure::WrongLength { .. },
            Line::Tcp(_) | Line::RtuOverTcp(_),
        ) => "is it a Modbus device? RTU frames over TCP are rtu+tcp://, Modbus TCP is tcp://",
        (Failure::Mismatch(_) | Failure::Babble, _) => {
            "somebody else asks on this line, or the device answers later than `--timeout`"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_exception_has_a_meaning_and_an_advice_of_its_own() {
        let all: Vec<_> = (0..=u8::MAX)
            .map(|code| exception(Exception::from_code(code)))
            .collect();
        let named = [1_usize, 2, 3, 4, 5, 6, 8, 10, 11, 200];
        for (position, code) in named.iter().enumerate() {
            for other in &named[..position] {
                assert_ne!(all[*code].0, all[*other].0, "{code} {other}");
                assert_ne!(all[*code].1, all[*other].1, "{code} {other}");
            }
        }
        let said = happened(&Failure::Exception(Exception::from_code(2)));
        assert_eq!(
            said,
            "exception 2: the device has nothing at these addresses"
        );
    }
}
