//! What a configuration makes of MQTT messages: a text, topics and payloads in, readings and refusals
//! out. Nothing here is connected to anything.

mod families;
mod hostile;
mod payloads;
mod sparkplug;

use std::time::Duration;

use forewarn::config::{self, Config, Source};
use forewarn::engine::reading::{Health, Measured, Reading, Sample};
use forewarn::engine::time::{Moment, Wall};
use forewarn::evaluation::Batch;
use forewarn::input::mqtt::mapping::Mapper;

/// What one message did, in words: `P=1.5 Q=bad:source_offline`, refusals in brackets.
pub(super) struct Plant {
    config: Config,
    mapper: Mapper,
    now: Moment,
}

impl Plant {
    /// A plant with one broker and these tables.
    pub(super) fn new(tables: &str) -> Self {
        let text = format!("site = \"a\"\n[broker.b]\nurl = \"mqtt://127.0.0.1\"\n{tables}");
        let (config, _warnings) = match config::load(&Source::text("a.toml", &text)) {
            Ok(loaded) => loaded,
            Err(mistakes) => panic!("{mistakes}"),
        };
        let mappings = config.subscribers[0].mappings.clone();
        let now = Moment {
            wall: Wall::from_unix_nanos(1_800_000_000 * 1_000_000_000),
            ..Moment::default()
        };
        Self {
            mapper: Mapper::new(mappings),
            config,
            now,
        }
    }

    pub(super) fn filters(&self) -> Vec<&str> {
        self.mapper.topics().collect()
    }

    pub(super) fn wait(&mut self, seconds: u64) {
        self.now = self.now.after(Duration::from_secs(seconds));
    }

    pub(super) fn reconnect(&mut self) {
        self.mapper.connected();
    }

    /// A live message.
    pub(super) fn hear(&mut self, topic: &str, payload: impl AsRef<[u8]>) -> String {
        self.told(topic, payload.as_ref(), false)
    }

    /// A retained message.
    pub(super) fn find(&mut self, topic: &str, payload: impl AsRef<[u8]>) -> String {
        self.told(topic, payload.as_ref(), true)
    }

    fn told(&mut self, topic: &str, payload: &[u8], retained: bool) -> String {
        let (readings, refused) = self.read(topic, payload, retained);
        let readings = readings.iter().map(|reading| self.words(reading));
        let refused = refused.iter().map(|(reason, detail)| {
            if detail.is_empty() {
                format!("[{reason}]")
            } else {
                format!("[{reason} {detail}]")
            }
        });
        let words: Vec<String> = readings.chain(refused).collect();
        words.join(" ")
    }

    /// Readings, and reasons with their details.
    pub(super) fn read(
        &mut self,
        topic: &str,
        payload: &[u8],
        retained: bool,
    ) -> (Vec<Reading>, Vec<(&'static str, String)>) {
        let (batch, refused) = self.mapper.read(topic, payload, retained, self.now);
        let readings = match batch {
            None => Vec::new(),
            Some(Batch::One(reading)) => vec![reading],
            Some(Batch::Many(many)) => many,
        };
        let refused = refused.into_iter();
        let refused = refused.map(|refused| (refused.reason.name(), refused.detail));
        (readings, refused.collect())
    }

    /// The id of a reading's point.
    pub(super) fn id(&self, reading: &Reading) -> &str {
        &self.config.engine.points[reading.point.0 as usize].id
    }

    fn words(&self, reading: &Reading) -> String {
        let value = match reading.measured {
            Measured::Raw(number) => number.to_string(),
            Measured::Sample(Sample::Bad(fault)) => format!("bad:{}", fault.name()),
            Measured::Sample(sample) => format!("{sample:?}"),
        };
        let mut words = format!("{}={value}", self.id(reading));
        if reading.health != Health::Good {
            words += "?";
        }
        if let Some(time) = reading.source_time {
            let since = (time.unix_nanos() - self.now.wall.unix_nanos()) / 1_000_000;
            words += &format!("@{since}ms");
        }
        if let Some(sequence) = reading.sequence {
            words += &format!("#{sequence}");
        }
        if reading.retained {
            words += " (retained)";
        }
        words
    }
}
