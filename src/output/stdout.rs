//! Every event as a line on standard output, for looking on. Somebody who does not read holds it up, so it is
//! written on a thread that may block: the output waits, nothing else does.

use std::io::Write;

use super::courier::{Carrier, Load};
use super::verdict::Verdict;
use crate::event::WireEvent;

/// Writes to standard output.
#[derive(Debug)]
pub(super) struct Stdout;

impl Carrier for Stdout {
    fn wants(&self, _event: &WireEvent) -> bool {
        true
    }

    async fn carry(&mut self, load: &Load<'_>) -> Verdict {
        let Load::Event(parcel) = load else {
            return Verdict::accepted();
        };
        let line = format!("{}\n", parcel.line);
        let write = move || {
            let mut out = std::io::stdout().lock();
            out.write_all(line.as_bytes()).and_then(|()| out.flush())
        };
        match tokio::task::spawn_blocking(write).await {
            Ok(Ok(())) => Verdict::accepted(),
            Ok(Err(error)) => Verdict::later("network", format!("standard output: {error}")),
            Err(_cancelled) => Verdict::later("stopped", "the gateway is stopping".to_owned()),
        }
    }
}
