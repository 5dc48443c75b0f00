//! Reads registers twice, with care for the device: few requests, pauses in between, an end in sight.
//!
//! ```text
//!  first read   every chunk of what was asked for; a refused one (exception 2, 3) by halves, down to the
//!               single address
//!  a moment
//!  second read  every run of addresses that was not refused, in as few requests as its length allows
//! ```
//!
//! What is shown is the second read, where no value is cut by the search for what is refused; the first tells
//! what moves. A device that never answered is not asked for the rest.

use std::time::Duration;

use super::registers::{Span, merged};
use crate::clock;
use crate::commands::progress::Progress;
use crate::engine::time::Mono;
use crate::input::modbus::Table;
use crate::input::modbus::decode::Answer;
use crate::input::modbus::failure::{Exception, Failure};
use crate::input::modbus::plan::Request;
use crate::input::modbus::transport::Transport;

/// Requests in all at most: enough for thousands of registers, or for hundreds with many holes.
const MOST_REQUESTS: u32 = 600;

/// Between the two reads.
const MOMENT: Duration = Duration::from_millis(500);

/// A question without an answer is asked so often: frames are lost.
const ATTEMPTS: u32 = 2;

/// The bounds of a conversation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// For one answer.
    pub(super) timeout: Duration,
    /// Between two requests.
    pub(super) pause: Duration,
    /// For everything.
    pub(super) within: Duration,
    /// Registers in one request, 1 to 125.
    pub(super) max_registers: u16,
    /// Bits in one request, 1 to 2000.
    pub(super) max_bits: u16,
}

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    /// Its table.
    pub(super) table: Table,
    /// Its first address.
    pub(super) first: u16,
    /// What it holds.
    pub(super) answer: Answer,
}

/// Addresses without an answer.
#[derive(Debug)]
pub(super) struct Refusal {
    /// Which.
    pub(super) span: Span,
    /// Why.
    pub(super) failure: Failure,
}

/// Why not everything was asked for.
#[derive(Debug)]
pub(super) enum Stopped {
    /// There is nobody to ask.
    Unreachable(Failure),
    /// The time is over.
    Late,
    /// So many requests are enough.
    Requests,
}

/// What came of the questions.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// The newest answers; an address may be in two of them.
    pub(super) pieces: Vec<Piece>,
    /// The answers of the first read.
    pub(super) before: Vec<Piece>,
    /// Without an answer, in order.
    pub(super) refused: Vec<Refusal>,
    /// Set when there was more to ask.
    pub(super) stopped: Option<Stopped>,
    /// How many requests it took.
    pub(super) requests: u32,
}

/// Reads `spans` of `unit` twice.
pub(super) async fn read_twice(
    link: &mut impl Transport,
    unit: u8,
    spans: &[Span],
    limits: Limits,
) -> Heard {
    let chunks: usize = spans
        .iter()
        .map(|span| span.chunks(limits.cap(span.table)).len())
        .sum();
    let mut conversation = Conversation {
        link,
        unit,
        limits,
        began: clock::monotonic(),
        heard: Heard::default(),
        progress: Progress::new("requests", u64::try_from(2 * chunks).ok()),
    };
    conversation.first(spans).await;
    let readable = conversation.readable();
    if conversation.heard.stopped.is_none() && !readable.is_empty() {
        tokio::time::sleep(MOMENT).await;
        conversation.second(&readable).await;
    }
    let mut heard = conversation.heard;
    if heard.pieces.is_empty() {
        heard.pieces = std::mem::take(&mut heard.before);
    }
    heard.refused.sort_by_key(|refusal| refusal.span);
    join(&mut heard.refused);
    heard
}

impl Limits {
    const fn cap(&self, table: Table) -> u16 {
        match table {
            Table::Coil | Table::Discrete => self.max_bits,
            Table::Holding | Table::Input => self.max_registers,
        }
    }
}

struct Conversation<'a, T> {
    link: &'a mut T,
    unit: u8,
    limits: Limits,
    began: Mono,
    heard: Heard,
    progress: Progress,
}

impl<T: Transport> Conversation<'_, T> {
    /// Everything once, refused addresses one by one.
    async fn first(&mut self, spans: &[Span]) {
        let mut open: Vec<Span> = Vec::new();
        for span in spans.iter().rev() {
            open.extend(span.chunks(self.limits.cap(span.table)).iter().rev());
        }
        let mut unknown: Vec<Table> = Vec::new();
        while let Some(span) = open.pop() {
            if unknown.contains(&span.table) {
                continue;
            }
            let failure = match self.ask(span).await {
                Ok(Some(piece)) => {
                    self.heard.before.push(piece);
                    continue;
                }
                Ok(None) => return,
                Err(failure) => failure,
            };
            match failure {
                Failure::Exception(Exception::IllegalAddress | Exception::IllegalValue) => {
                    match span.halves() {
                        Some([first, second]) => open.extend([second, first]),
                        None => self.heard.refused.push(Refusal { span, failure }),
                    }
                }
                Failure::Exception(Exception::IllegalFunction) => {
                    unknown.push(span.table);
                    let whole = spans.iter().filter(|whole| whole.table == span.table);
                    self.heard.refused.extend(whole.map(|whole| Refusal {
                        span: *whole,
                        failure: Failure::Exception(Exception::IllegalFunction),
                    }));
                }
                Failure::Exception(_) => self.heard.refused.push(Refusal { span, failure }),
                Failure::NotConnected
                | Failure::ConnectFailed(_)
                | Failure::Timeout(_)
                | Failure::ConnectionLost(_)
                | Failure::Malformed(_)
                | Failure::Mismatch(_)
                | Failure::WrongLength { .. }
                | Failure::Babble => {
                    if self.heard.before.is_empty() && self.heard.refused.is_empty() {
                        self.heard.stopped = Some(Stopped::Unreachable(failure));
                        return;
                    }
                    self.heard.refused.push(Refusal { span, failure });
                }
            }
        }
    }

    /// Runs of addresses that were answered.
    fn readable(&self) -> Vec<Span> {
        let answered = self.heard.before.iter().map(|piece| {
            let count = match &piece.answer {
                Answer::Bits(bits) => bits.len(),
                Answer::Registers(registers) => registers.len(),
            };
            let count = u16::try_from(count).unwrap_or(u16::MAX);
            Span::of(piece.table, piece.first, count)
        });
        merged(answered.collect())
    }

    /// Whole runs; what fails now is shown as it was read first.
    async fn second(&mut self, runs: &[Span]) {
        for run in runs {
            for chunk in run.chunks(self.limits.cap(run.table)) {
                match self.ask(chunk).await {
                    Ok(Some(piece)) => self.heard.pieces.push(piece),
                    Ok(None) => {
                        self.keep_first_read();
                        return;
                    }
                    Err(_) => {
                        let first = self.heard.before.iter();
                        let known = first.filter(|piece| {
                            piece.table == chunk.table
                                && (chunk.first..=chunk.last).contains(&piece.first)
                        });
                        let known: Vec<_> = known.cloned().collect();
                        self.heard.pieces.extend(known);
                    }
                }
            }
        }
    }

    /// What the second read did not come to is shown from the first.
    fn keep_first_read(&mut self) {
        let first = self.heard.before.clone();
        self.heard.pieces.extend(first);
    }

    /// One question, repeated after silence. `Ok(None)`: a bound is reached, and said to be.
    async fn ask(&mut self, span: Span) -> Result<Option<Piece>, Failure> {
        // A span of all 65,536 addresses is never a chunk.
        let count = u16::try_from(span.len()).unwrap_or(u16::MAX);
        let request = Request {
            table: span.table,
            address: span.first,
            count,
            points: 0..0,
        };
        let mut attempt = 1;
        loop {
            let spent = clock::monotonic().since(self.began);
            if spent >= self.limits.within {
                self.heard.stopped = Some(Stopped::Late);
                return Ok(None);
            }
            if self.heard.requests >= MOST_REQUESTS {
                self.heard.stopped = Some(Stopped::Requests);
                return Ok(None);
            }
            if self.heard.requests > 0 {
                tokio::time::sleep(self.limits.pause).await;
            }
            self.heard.requests += 1;
            self.progress.step();
            let failure = match self
                .link
                .call(self.unit, &request, self.limits.timeout)
                .await
            {
                Ok(answer) => {
                    let (table, first) = (span.table, span.first);
                    return Ok(Some(Piece {
                        table,
                        first,
                        answer,
                    }));
                }
                Err(failure) => failure,
            };
            let passing = match &failure {
                Failure::Exception(code) => {
                    matches!(code, Exception::Acknowledge | Exception::Busy)
                }
                // Nothing listens there; that does not change within a moment.
                Failure::NotConnected | Failure::ConnectFailed(_) => false,
                Failure::Timeout(_)
                | Failure::ConnectionLost(_)
                | Failure::Malformed(_)
                | Failure::Mismatch(_)
                | Failure::WrongLength { .. }
                | Failure::Babble => true,
            };
            if !passing || attempt >= ATTEMPTS {
                return Err(failure);
            }
            attempt += 1;
        }
    }
}

/// Neighbours that were refused for the same reason are told together.
fn join(refused: &mut Vec<Refusal>) {
    let mut joined: Vec<Refusal> = Vec::new();
    for refusal in refused.drain(..) {
        match joined.last_mut() {
            Some(before)
                if before.span.table == refusal.span.table
                    && refusal.span.first <= before.span.last.saturating_add(1)
                    && before.failure.to_string() == refusal.failure.to_string() =>
            {
                before.span.last = before.span.last.max(refusal.span.last);
            }
            _ => joined.push(refusal),
        }
    }
    *refused = joined;
}

#[cfg(test)]
mod tests;
