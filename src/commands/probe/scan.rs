//! Which units there are on a line: each is asked for one register, and what comes tells.
//!
//! | what comes | there is |
//! |---|---|
//! | a value | a unit |
//! | an exception | a unit, which has something against the question |
//! | exception 10 or 11 | a gateway that says that there is no such unit behind it |
//! | nothing | no unit, or one that is slower than the timeout |
//! | a frame with mistakes | somebody: two units with one id, noise, another speed |

use std::ops::RangeInclusive;
use std::time::Duration;

use super::registers::Span;
use crate::clock;
use crate::commands::progress::Progress;
use crate::input::modbus::failure::{Exception, Failure};
use crate::input::modbus::line::Line;
use crate::input::modbus::plan::Request;
use crate::input::modbus::transport::Transport;

/// For one answer unless told otherwise: a unit on a fast line answers within this, or is slow.
pub(super) const TIMEOUT: Duration = Duration::from_millis(300);

/// Characters of the question and of the answer.
const CHARACTERS: u32 = 8 + 7;

/// A line that was lost during a scan may come back; so often it is tried, with pauses.
const RECONNECTS: u32 = 8;
const RECONNECT_PAUSE: Duration = Duration::from_millis(500);

/// What a unit said.
#[derive(Debug)]
pub(super) enum Presence {
    /// It answers.
    Answers,
    /// It refuses.
    Refuses(Exception),
    /// A gateway says that it is not there.
    NotBehindGateway(Exception),
    /// Something came that is no answer.
    Garbled(Failure),
    /// Nothing came.
    Silent,
}

impl Presence {
    /// Is there somebody for sure?
    pub(super) const fn is_there(&self) -> bool {
        matches!(self, Self::Answers | Self::Refuses(_))
    }
}

/// What came of a scan.
#[derive(Debug, Default)]
pub(super) struct Scanned {
    /// Each unit that was asked, in order.
    pub(super) units: Vec<(u8, Presence)>,
    /// Was every unit asked?
    pub(super) complete: bool,
    /// The line could not be had, or was lost.
    pub(super) lost: Option<Failure>,
}

/// How long one answer may take on `line`.
pub(super) fn timeout(line: &Line, asked: Option<Duration>) -> Duration {
    asked.unwrap_or_else(|| match line {
        Line::Serial(serial) => TIMEOUT + serial.mode.time_of(CHARACTERS),
        Line::Tcp(_) | Line::RtuOverTcp(_) => TIMEOUT,
    })
}

/// About how long a scan takes where nobody answers.
pub(super) fn silent(units: &RangeInclusive<u8>, timeout: Duration, pause: Duration) -> Duration {
    let count = u32::from(units.end() - units.start()) + 1;
    (timeout + pause).saturating_mul(count) + timeout
}

/// Asks every unit. `ends` ends it early.
pub(super) async fn scan(
    link: &mut impl Transport,
    units: RangeInclusive<u8>,
    question: Span,
    (timeout, pause): (Duration, Duration),
    ends: impl Future<Output = ()>,
) -> Scanned {
    let count = u64::from(units.end() - units.start()) + 1;
    let mut progress = Progress::new("units asked", Some(count));
    let mut scanned = Scanned::default();
    let request = Request {
        table: question.table,
        address: question.first,
        count: 1,
        points: 0..0,
    };
    let all = async {
        for unit in units {
            progress.step();
            match ask(link, unit, &request, timeout).await {
                Ok(presence) => scanned.units.push((unit, presence)),
                Err(failure) => {
                    scanned.lost = Some(failure);
                    return;
                }
            }
            tokio::time::sleep(pause).await;
        }
        scanned.complete = true;
    };
    tokio::select! {
        () = all => {}
        () = ends => {}
    }
    scanned
}

/// Asks one unit; `Err` when there is no line to ask over.
async fn ask(
    link: &mut impl Transport,
    unit: u8,
    request: &Request,
    timeout: Duration,
) -> Result<Presence, Failure> {
    let began = clock::monotonic();
    let mut attempts = 0;
    loop {
        let failure = match link.call(unit, request, timeout).await {
            Ok(_) => return Ok(Presence::Answers),
            Err(failure) => failure,
        };
        match failure {
            Failure::Exception(code @ (Exception::GatewayPath | Exception::GatewayTarget)) => {
                return Ok(Presence::NotBehindGateway(code));
            }
            Failure::Exception(code) => return Ok(Presence::Refuses(code)),
            Failure::Timeout(_) => return Ok(Presence::Silent),
            // Some gateways close instead of answering for a unit that they do not have.
            Failure::ConnectionLost(_) if clock::monotonic().since(began) >= timeout => {
                return Ok(Presence::Silent);
            }
            Failure::NotConnected | Failure::ConnectFailed(_) | Failure::ConnectionLost(_) => {
                attempts += 1;
                if attempts >= RECONNECTS {
                    return Err(failure);
                }
                tokio::time::sleep(RECONNECT_PAUSE).await;
            }
            garbled @ (Failure::Malformed(_)
            | Failure::Mismatch(_)
            | Failure::WrongLength { .. }
            | Failure::Babble) => return Ok(Presence::Garbled(garbled)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::modbus::Table;
    use crate::input::modbus::decode::Answer;

    /// Units 3 (answers), 5 (refuses), 10 (a gateway says no), 12 (noise); a line that is away for a
    /// while when unit 7 is asked, and for ever from 20 on.
    #[derive(Default)]
    struct Plant {
        away: u32,
        asked: Vec<u8>,
    }

    impl Transport for Plant {
        async fn call(
            &mut self,
            unit: u8,
            _: &Request,
            limit: Duration,
        ) -> Result<Answer, Failure> {
            self.asked.push(unit);
            match unit {
                3 => return Ok(Answer::Registers(vec![0])),
                5 => return Err(Failure::Exception(Exception::IllegalFunction)),
                10 => return Err(Failure::Exception(Exception::GatewayTarget)),
                12 => return Err(Failure::Babble),
                7 if self.away < 3 => {
                    self.away += 1;
                    return Err(Failure::NotConnected);
                }
                20.. => return Err(Failure::NotConnected),
                _ => {}
            }
            tokio::time::sleep(limit).await;
            Err(Failure::Timeout(limit))
        }
    }

    const TIMES: (Duration, Duration) = (TIMEOUT, Duration::from_millis(20));

    async fn scanned(
        units: RangeInclusive<u8>,
        ends: impl Future<Output = ()>,
    ) -> (Scanned, Plant) {
        let mut plant = Plant::default();
        let question = Span::of(Table::Holding, 0, 1);
        let scanned = scan(&mut plant, units, question, TIMES, ends).await;
        (scanned, plant)
    }

    #[tokio::test(start_paused = true)]
    async fn what_comes_tells_who_is_there() {
        let began = clock::monotonic();
        let (scanned, plant) = scanned(1..=15, std::future::pending()).await;
        assert!(scanned.complete && scanned.lost.is_none());
        let there = scanned.units.iter().filter(|(_, p)| p.is_there());
        assert_eq!(there.map(|(unit, _)| *unit).collect::<Vec<_>>(), [3, 5]);
        let of = |unit: u8| &scanned.units[usize::from(unit) - 1].1;
        assert!(matches!(
            of(5),
            Presence::Refuses(Exception::IllegalFunction)
        ));
        assert!(matches!(of(10), Presence::NotBehindGateway(_)));
        assert!(matches!(of(12), Presence::Garbled(Failure::Babble)));
        assert!(
            matches!(of(7), Presence::Silent),
            "asked again when the line is back"
        );
        assert_eq!(plant.asked.iter().filter(|unit| **unit == 7).count(), 4);
        let longest = silent(&(1..=15), TIMES.0, TIMES.1) + 3 * RECONNECT_PAUSE;
        assert!(clock::monotonic().since(began) <= longest);
    }

    #[tokio::test(start_paused = true)]
    async fn a_scan_ends_when_told_and_when_the_line_is_gone() {
        let a_second = tokio::time::sleep(Duration::from_secs(1));
        let (early, _) = scanned(1..=15, a_second).await;
        assert!(!early.complete && early.lost.is_none());
        assert!((2..6).contains(&early.units.len()), "{}", early.units.len());
        let (lost, _) = scanned(18..=30, std::future::pending()).await;
        assert!(matches!(lost.lost, Some(Failure::NotConnected)));
        assert_eq!(lost.units.len(), 2);
    }
}
