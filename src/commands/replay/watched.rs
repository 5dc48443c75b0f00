//! How far a replay has come, for people at a terminal: what was read of the input, on standard error.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, BufRead, Read, Write};
use std::rc::Rc;

use super::super::progress::Progress;

/// Looked at after so many bytes: a line is far shorter than the time is worth.
const STRIDE: u64 = 64 * 1024;

/// Bytes of what is counted.
const KILO: u64 = 1000;

/// Shared by what comes in, which moves it on, and what goes out, which must not be drawn over.
type Shared = Rc<RefCell<Progress>>;

/// An input and an output on which a replay shows how far it has come. `file`: the input, if its length
/// is known.
pub(super) fn watched<R: BufRead, W: Write>(
    input: R,
    file: Option<&File>,
    output: W,
) -> (Watched<R>, Clearing<W>) {
    let length = file.and_then(|file| file.metadata().ok());
    // A pipe has no length.
    let length = length.map(|data| data.len()).filter(|length| *length > 0);
    let progress = Progress::new("kB read", length.map(|length| length / KILO));
    let progress = Rc::new(RefCell::new(progress));
    let input = Watched {
        input,
        read: 0,
        progress: Rc::clone(&progress),
    };
    (input, Clearing { output, progress })
}

/// A reader that tells how far it is.
pub(super) struct Watched<R> {
    input: R,
    read: u64,
    progress: Shared,
}

impl<R> Watched<R> {
    fn count(&mut self, bytes: usize) {
        let before = self.read / STRIDE;
        self.read += bytes as u64;
        if self.read / STRIDE > before {
            self.progress.borrow_mut().reach(self.read / KILO);
        }
    }
}

impl<R: BufRead> Read for Watched<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let bytes = self.input.read(into)?;
        self.count(bytes);
        Ok(bytes)
    }
}

impl<R: BufRead> BufRead for Watched<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.input.fill_buf()
    }

    fn consume(&mut self, bytes: usize) {
        self.input.consume(bytes);
        self.count(bytes);
    }
}

/// A writer that makes room for what it writes on the same terminal. Standard output shows whole lines
/// only, so the bar never stands behind half of one.
pub(super) struct Clearing<W> {
    output: W,
    progress: Shared,
}

impl<W: Write> Write for Clearing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.progress.borrow_mut().clear();
        self.output.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_read_is_counted() {
        let text = "a line\n".repeat(20_000);
        let (mut input, _output) = watched(text.as_bytes(), None, Vec::new());
        let mut line = Vec::new();
        let mut half = [0; 7];
        input.read_exact(&mut half).expect("there is more");
        while input.read_until(b'\n', &mut line).expect("bytes") > 0 {}
        assert_eq!(input.read, text.len() as u64);
        assert_eq!(line.len() + half.len(), text.len());
    }
}
