//! One load on its way.
//!
//! ```text
//!   given to the carrier ──▶ its verdict
//!        │ what a reader is owed, after 10 s: something new ──▶ dropped, not sent; what is new goes first
//!        │    └ its text is on its way ───────────────────────▶ waited for: the far end may have it
//!        └ the end of the run, after 1.7 s ───────────────────▶ dropped; it stays in the journal
//! ```
//!
//! What is new waits for one load at most, and of what somebody is owed for 10 s of it: a far end that falls silent over a
//! reader must not hold up a page to another. A message that takes longer is sent when nothing new comes meanwhile.
//! One whose text the far end is given is never dropped for that ([`Carrier::on_its_way`]): a relay that filters for longer
//! than 10 s would deliver it and not be heard, and the reader would have the same mail again and again.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::sleep;

use super::lanes::Step;
use super::{Carrier, Courier};
use crate::broker::{Signal, Signals};
use crate::clock;
use crate::output::finishing;
use crate::output::verdict::{Parted, Verdict};

/// What a reader is owed is waited for so long when something new is there.
const GIVES_WAY: Duration = Duration::from_secs(10);

impl<C: Carrier> Courier<C> {
    /// Gives it to the carrier and shows signs of life meanwhile. `seen`: the newest event when there was nothing else to
    /// be done. `None`: the end came first.
    pub(super) async fn carry(
        &mut self,
        step: &Step,
        seen: u64,
        signals: &mut Signals,
    ) -> Option<Verdict> {
        let begun = clock::monotonic();
        let link = self.health.link();
        let load = step.load();
        let aside = self.held();
        let on_its_way = self.carrier.on_its_way();
        let mut may_give_way = matches!(step, Step::Owed(..));
        let mut carrying = Box::pin(self.carrier.carry(&load));
        let owed = loop {
            let left = self.finish_by.map(|end| end.since(clock::monotonic()));
            let waits = (begun + GIVES_WAY).since(clock::monotonic());
            let is_new = async {
                sleep(waits).await;
                self.feed.advanced(seen).await;
            };
            tokio::select! {
                biased;
                verdict = &mut carrying => return Some(verdict),
                signal = signals.next(), if left.is_none() => match signal {
                    Signal::Turn => {
                        let waiting = self.delivery.unconfirmed(self.feed.committed());
                        let now = clock::now();
                        self.report.beat(link, waiting, aside, now);
                    }
                    Signal::Stop => self.finish_by = Some(clock::monotonic() + finishing::WITHIN),
                },
                () = sleep(left.unwrap_or_default()), if left.is_some() => return None,
                () = is_new, if may_give_way => {
                    may_give_way = !on_its_way.load(Ordering::Relaxed);
                    if may_give_way {
                        break step;
                    }
                }
            }
        };
        drop(carrying);
        let Step::Owed(reader, parcels) = owed else {
            return None;
        };
        let now = clock::monotonic();
        self.carrier.gave_way(reader, begun, now);
        let events: Vec<u64> = parcels.iter().map(|parcel| parcel.seq).collect();
        let why = "it took too long, with something new waiting";
        Some(Verdict::Parted(Parted::all_waiting(&events, reader, why)))
    }
}
