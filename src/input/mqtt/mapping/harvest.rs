//! What one message yields: readings, and refusals.

use super::decode::Document;
use super::pointer::Pointer;
use super::rejection::{Refused, Rejection};
use crate::engine::reading::{Fault, PointIndex, Reading, Sample};
use crate::engine::time::Moment;
use crate::evaluation::Batch;
use crate::input::mqtt::{Payload, Target};

/// One message as it arrived.
#[derive(Debug, Clone, Copy)]
pub(super) struct Message<'m> {
    pub(super) topic: &'m str,
    pub(super) payload: &'m [u8],
    /// The payload as text, or why it is none.
    pub(super) text: Result<&'m str, Rejection>,
}

/// Collects readings and refusals of one message.
#[derive(Debug)]
pub(super) struct Harvest {
    pub(super) retained: bool,
    pub(super) received: Moment,
    pub(super) batch: Option<Batch>,
    pub(super) refused: Vec<Refused>,
}

impl Harvest {
    /// Nothing yet, of a message that arrived at `received`.
    pub(super) const fn new(retained: bool, received: Moment) -> Self {
        Self {
            retained,
            received,
            batch: None,
            refused: Vec::new(),
        }
    }

    /// The reading of `target` whose value stands at `value`.
    pub(super) fn read(
        &self,
        payload: &Payload,
        value: Option<&Pointer>,
        target: &Target,
        document: Document<'_>,
    ) -> Result<Option<Reading>, Refused> {
        payload.read(value, target, document, self.retained, self.received)
    }

    /// Takes what came of reading `target`. A live message in which there is no value says that the
    /// source has none: the point turns bad and does not go on with its old value.
    pub(super) fn take(&mut self, reading: Result<Option<Reading>, Refused>, target: &Target) {
        match reading {
            Ok(Some(reading)) => self.add(reading),
            Ok(None) => {}
            Err(refused) => {
                let fault = refused.reason.fault().filter(|_| !self.retained);
                if let Some(fault) = fault {
                    self.add(Reading::live(
                        target.point,
                        Sample::Bad(fault),
                        self.received,
                    ));
                }
                self.count(refused);
            }
        }
    }

    /// There is no value of `point`, for this reason, whatever the age of the message.
    pub(super) fn lose(&mut self, point: PointIndex, fault: Fault) {
        self.add(Reading::live(point, Sample::Bad(fault), self.received));
    }

    /// Takes note of a refusal that says nothing of any point.
    pub(super) fn count(&mut self, refused: Refused) {
        self.refused.push(refused);
    }

    /// The everyday case, one point per topic, allocates nothing.
    fn add(&mut self, reading: Reading) {
        self.batch = Some(match self.batch.take() {
            None => Batch::One(reading),
            Some(Batch::One(first)) => Batch::Many(vec![first, reading]),
            Some(Batch::Many(mut many)) => {
                many.push(reading);
                Batch::Many(many)
            }
        });
    }
}
