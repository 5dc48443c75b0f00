//! One log line per cause and half a minute, with the number of those left out.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::engine::time::Mono;

const PERIOD: Duration = Duration::from_secs(30);

/// Counts by cause. Causes are names from closed sets, so the map is small and stays so.
#[derive(Debug, Default)]
pub(crate) struct Sampler(BTreeMap<&'static str, Cause>);

#[derive(Debug)]
struct Cause {
    logged: Mono,
    unlogged: u64,
}

impl Sampler {
    /// It happened once more. `Some(n)`: log it now; it happened `n` times since the last line.
    pub(crate) fn hit(&mut self, cause: &'static str, now: Mono) -> Option<u64> {
        let Some(known) = self.0.get_mut(cause) else {
            let first = Cause {
                logged: now,
                unlogged: 0,
            };
            self.0.insert(cause, first);
            return Some(1);
        };
        known.unlogged += 1;
        if now.since(known.logged) < PERIOD {
            return None;
        }
        known.logged = now;
        Some(std::mem::take(&mut known.unlogged))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_are_counted_and_told_every_half_minute() {
        let mut sampler = Sampler::default();
        let at = |seconds| Mono::ZERO + Duration::from_secs(seconds);
        assert_eq!(sampler.hit("a", at(0)), Some(1));
        assert_eq!(sampler.hit("a", at(1)), None);
        assert_eq!(sampler.hit("b", at(1)), Some(1));
        assert_eq!(sampler.hit("a", at(29)), None);
        assert_eq!(sampler.hit("a", at(30)), Some(3));
        assert_eq!(sampler.hit("a", at(59)), None);
        assert_eq!(sampler.hit("a", at(100)), Some(2));
    }
}
