//! RTU frames over a serial line, or over TCP to a serial server: one question at a time.
//!
//! RTU has no transaction id, and tokio-modbus takes whatever frame of the right unit and function comes
//! next: a late answer becomes the value of another register. So the framing is ours (`frame`), and so
//! is the decision when to ask (`quiet`):
//!
//! ```text
//!          ┌──────────────── listen ◀───────────────┐
//!  call ──▶│ until the line was silent long enough; │ something came
//!          │ late answers are heard and thrown away ├──┘
//!          └───────────────────┬────────────────────┘
//!                       silent │         (never silent: Babble)
//!                              ▼
//!                           ask, read ──▶ the answer, of the right unit, function and length
//!                              │
//!                              └──▶ nothing, noise, a wrong frame: the unit goes on owing its answer
//! ```
//!
//! - The line is listened to *before each question*, for the gap between frames at least. What comes then
//!   was not asked for: the second of two answers, or noise. That also finds a connection that the other
//!   end has closed, before anything was asked over it.
//! - After a timeout the unit is not asked again before as much time again has passed; others are. Their
//!   answers may have a late one before them, which is known by its number.
//! - **The first answer of a unit that owed one is thrown away and the question asked again**: an answer
//!   even later than that would be taken for the first, never for the second. After that the line
//!   must be silent once more, so that the second answer is the last.
//! - An echo of the question is taken away. It is never an answer: to a question for 24 coils it
//!   would look like one.
//! - A serial port is kept after trouble: opening it again loses nothing but time. A TCP connection is closed,
//!   and what is owed is remembered: a serial server gives late answers to whoever is connected now.
//!
//! What cannot be seen: a frame that nobody asked for, of the right unit, function and length, between
//! question and answer. A device that answers later than twice its `timeout`, again and again, is beyond
//! what any master of RTU can tell; the cure is a longer `timeout`.

mod frame;
mod quiet;

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use self::frame::{Question, Seen};
use self::quiet::Quiet;
use super::Transport;
use super::dial::{Connector, Dial};
use crate::clock;
use crate::input::modbus::decode::Answer;
use crate::input::modbus::failure::Failure;
use crate::input::modbus::plan::Request;

/// Bytes that are kept of what came unasked; more is no frame.
const MOST: usize = 2 * frame::LONGEST;

/// How a line is to be treated.
#[derive(Debug, Clone, Copy)]
pub struct Manners {
    /// Silence between two frames.
    pub gap: Duration,
    /// The longest time that any device on the line may take to answer.
    pub worst: Duration,
    /// Close what the line runs over after trouble?
    pub close: bool,
}

/// The line to any number of units, opened when it is needed.
#[derive(Debug)]
pub struct RtuLink<C: Connector> {
    dial: Dial<C>,
    /// Open, and nobody is being asked on it.
    idle: Option<Open<C::Stream>>,
    quiet: Quiet,
    manners: Manners,
}

/// An open line.
#[derive(Debug)]
struct Open<S> {
    stream: S,
    /// Has anything been answered on it?
    proven: bool,
}

impl<C: Connector> RtuLink<C> {
    /// Not open yet.
    pub fn new(connector: C, manners: Manners) -> Self {
        Self {
            dial: Dial::new(connector),
            idle: None,
            quiet: Quiet::new(manners.gap, manners.worst, clock::monotonic()),
            manners,
        }
    }

    async fn open(&mut self, deadline: Duration) -> Result<Open<C::Stream>, Failure> {
        let opened = match timeout(deadline, self.dial.open()).await {
            Ok(opened) => opened,
            Err(_elapsed) => Err(Failure::ConnectFailed(io::ErrorKind::TimedOut.into())),
        };
        if matches!(opened, Err(Failure::ConnectFailed(_))) {
            self.dial.pause();
        }
        let (stream, proven) = (opened?, false);
        Ok(Open { stream, proven })
    }

    /// Opens the line if it must, and waits until `unit` may be asked on it.
    async fn ready(&mut self, unit: u8, deadline: Duration) -> Result<Open<C::Stream>, Failure> {
        if let Some(mut kept) = self.idle.take() {
            match self.listen(&mut kept.stream, unit).await {
                Ok(()) => return Ok(kept),
                // Nothing was asked over it. The next one is no worse.
                Err(Failure::ConnectionLost(_)) => drop(kept),
                Err(failure) => return Err(self.put_back(kept, failure)),
            }
        }
        let mut fresh = self.open(deadline).await?;
        match self.listen(&mut fresh.stream, unit).await {
            Ok(()) => Ok(fresh),
            Err(failure) => Err(self.put_back(fresh, failure)),
        }
    }

    /// Listens until the line was silent for as long as `unit` needs.
    async fn listen(&mut self, stream: &mut C::Stream, unit: u8) -> Result<(), Failure> {
        let begin = clock::monotonic();
        let patience = begin + self.manners.worst.saturating_mul(3);
        let mut unasked = Vec::new();
        loop {
            // A gap at least, so that what has just come is seen.
            let free = self.quiet.free(unit).max(begin + self.manners.gap);
            let wait = free.since(clock::monotonic());
            if let Ok(came) = timeout(wait, hear(stream, &mut unasked)).await {
                came?;
                self.quiet.heard(clock::monotonic());
                self.take_late_answers(&mut unasked);
                if clock::monotonic() > patience {
                    self.quiet.disturbed(self.manners.worst);
                    return Err(Failure::Babble);
                }
                continue;
            }
            self.quiet.fell_silent();
            if unasked.len() < frame::SHORTEST {
                return Ok(());
            }
            unasked.clear();
            self.quiet.disturbed(self.manners.worst);
        }
    }

    /// Takes whole frames of units that owe one off the start of `bytes`.
    fn take_late_answers(&mut self, bytes: &mut Vec<u8>) {
        while let (Some(length), Some(unit)) = (frame::whole(bytes), bytes.first().copied()) {
            if !self.quiet.came_late(unit) {
                break;
            }
            bytes.drain(..length);
        }
        // Its first bytes are as good as all: no frame is that long.
        bytes.truncate(MOST);
    }

    /// Asks once and reads until the answer is whole.
    async fn exchange(
        &mut self,
        stream: &mut C::Stream,
        unit: u8,
        request: &Request,
        deadline: Duration,
    ) -> Result<Answer, Failure> {
        let mut heard = Vec::with_capacity(frame::LONGEST);
        self.quiet.asked(unit, deadline, clock::monotonic());
        let question = Question::new(unit, request);
        let conversation = self.converse(stream, unit, &question, &mut heard);
        let result = match timeout(deadline, conversation).await {
            Ok(result) => result,
            Err(_elapsed) if heard.is_empty() => Err(Failure::Timeout(deadline)),
            Err(_elapsed) => {
                let text = format!("{} bytes, no frame with a right checksum", heard.len());
                Err(Failure::Malformed(io::Error::new(
                    io::ErrorKind::InvalidData,
                    text,
                )))
            }
        };
        match &result {
            Ok(_) | Err(Failure::Exception(_)) => self.quiet.answered(unit),
            // Nothing came that would have to be waited for.
            Err(Failure::Timeout(_)) => {}
            Err(_) => self.quiet.disturbed(self.manners.worst),
        }
        result
    }

    /// The question, and what comes until it is answered.
    async fn converse(
        &mut self,
        stream: &mut C::Stream,
        unit: u8,
        question: &Question,
        heard: &mut Vec<u8>,
    ) -> Result<Answer, Failure> {
        stream
            .write_all(question.bytes())
            .await
            .map_err(Failure::ConnectionLost)?;
        stream.flush().await.map_err(Failure::ConnectionLost)?;
        let mut echoes = 0;
        loop {
            match question.look(heard) {
                Seen::Answer(Ok(answer)) => return Ok(answer),
                Seen::Answer(Err(exception)) => return Err(Failure::Exception(exception)),
                Seen::Wrong(failure) => return Err(failure),
                Seen::Echo { length } if echoes == 0 => {
                    echoes += 1;
                    heard.drain(..length);
                    continue;
                }
                Seen::Echo { .. } => return Err(Failure::Mismatch("an echo".to_owned())),
                Seen::Stranger {
                    unit: stranger,
                    length,
                } if self.quiet.came_late(stranger) => {
                    heard.drain(..length);
                    continue;
                }
                Seen::Stranger { unit: stranger, .. } => {
                    return Err(Failure::Mismatch(format!(
                        "unit {stranger} instead of {unit}"
                    )));
                }
                Seen::Nothing if heard.len() > MOST => {
                    let text = "more bytes than any frame has";
                    let error = io::Error::new(io::ErrorKind::InvalidData, text);
                    return Err(Failure::Malformed(error));
                }
                Seen::Nothing => {}
            }
            hear(stream, heard).await?;
            self.quiet.heard(clock::monotonic());
        }
    }

    /// Asks, a second time if `unit` owed an answer.
    async fn ask(
        &mut self,
        open: &mut Open<C::Stream>,
        unit: u8,
        request: &Request,
        deadline: Duration,
    ) -> Result<Answer, Failure> {
        let began = clock::monotonic();
        let doubted = self.quiet.doubts(unit);
        let first = self
            .exchange(&mut open.stream, unit, request, deadline)
            .await;
        if !doubted || !matches!(first, Ok(_) | Err(Failure::Exception(_))) {
            return first;
        }
        self.listen(&mut open.stream, unit).await?;
        let left = deadline.saturating_sub(clock::monotonic().since(began));
        let second = self.exchange(&mut open.stream, unit, request, left).await;
        self.quiet.disturbed(self.manners.worst);
        second
    }

    /// Keeps what the line runs over, if that is its manner; what went wrong is passed on.
    fn put_back(&mut self, mut open: Open<C::Stream>, failure: Failure) -> Failure {
        let answered = matches!(failure, Failure::Exception(_));
        open.proven |= answered;
        if matches!(failure, Failure::ConnectionLost(_)) {
            if !open.proven {
                self.dial.pause();
            }
        } else if answered || !self.manners.close {
            self.idle = Some(open);
        }
        failure
    }
}

impl<C: Connector> Transport for RtuLink<C> {
    /// `deadline` is for the answer; opening the line may take as long again, and the silence that earlier
    /// trouble made necessary three times the longest reply time at most. A dropped call closes the line.
    async fn call(
        &mut self,
        unit: u8,
        request: &Request,
        deadline: Duration,
    ) -> Result<Answer, Failure> {
        let mut open = self.ready(unit, deadline).await?;
        match self.ask(&mut open, unit, request, deadline).await {
            Ok(answer) => {
                self.dial.worked();
                open.proven = true;
                self.idle = Some(open);
                Ok(answer)
            }
            Err(failure) => {
                if matches!(failure, Failure::Exception(_)) {
                    self.dial.worked();
                }
                Err(self.put_back(open, failure))
            }
        }
    }

    /// What a unit owes may come for as long again.
    fn rest(&self, deadline: Duration) -> Duration {
        deadline
    }
}

/// At least one byte more.
async fn hear(
    stream: &mut (impl tokio::io::AsyncRead + Unpin),
    heard: &mut Vec<u8>,
) -> Result<(), Failure> {
    let mut bytes = [0; frame::LONGEST];
    match stream.read(&mut bytes).await {
        Ok(0) => Err(Failure::ConnectionLost(io::ErrorKind::UnexpectedEof.into())),
        Ok(count) => {
            heard.extend(bytes.iter().take(count));
            Ok(())
        }
        Err(error) => Err(Failure::ConnectionLost(error)),
    }
}

#[cfg(test)]
mod tests;
