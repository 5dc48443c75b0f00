//! Sensors that publish over MQTT.

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use simulators::mqtt::load::{self, LoadConfig};
use simulators::mqtt::{Broker, MalformedOrder, Payload, Sensor, Sensors, SensorsConfig, Trouble};
use simulators::program;
use simulators::waveform::Waveform;

const EXAMPLES: &str = "\
Examples:
  # a bare number every second
  mqtt-sensors --sensor 'sensors/pit/co base=12 noise=0.5'

  # JSON twice a second, one spike
  mqtt-sensors --sensor 'line2/pump7/vibration interval=500ms \\
      json={\"data\":{\"rms\":{value}},\"ts\":{ts_ms}} base=2 noise=0.3 spike=20s:+6'

  # a NaN after 10 s, a megabyte after 20 s
  mqtt-sensors --sensor 'sensors/pit/co base=12' --malformed nan@10s --malformed huge@20s

  # 2,000 messages a second from 1,000 sensors for a minute; ends when all are acknowledged
  mqtt-sensors --load 1000 --rate 2000 --seconds 60
";

const NOTATION: &str = "\
Sensors:    TOPIC [interval=1s] [qos=1] [retain] [json=TEMPLATE] WAVEFORM
  template  without white space; {value} {ts_ms} {ts_s} {ts_rfc3339} {seq} are replaced
Waveforms:  base=3 noise=0.2 drift=0.1/min sine=60s:0.6 ramp=4s..16s:+4/s step=70s:+5 spike=20s:+30
            stuck=30s..40s dropout=50s..60s every=2min
Malformed:  KIND[@TIME] [topic=TOPIC]; also on stdin, one a line, sent at once
            truncated nan null empty comma binary huge duplicate old-time future-time retained
Prints at the end, as one line of JSON, how many messages were published and acknowledged.";

#[derive(Parser)]
#[command(
    name = "mqtt-sensors",
    about = "Sensors that publish waveforms over MQTT 3.1.1, and malformed payloads on request",
    before_help = EXAMPLES,
    after_help = NOTATION,
    help_template = program::HELP
)]
struct Arguments {
    /// Where to publish; it need not be there yet
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:1883")]
    broker: Broker,
    /// Identifies the connection
    #[arg(long, default_value = "mqtt-sensors")]
    client_id: String,
    /// A sensor
    #[arg(long, required_unless_present = "load")]
    sensor: Vec<Sensor>,
    /// A malformed payload and its time
    #[arg(long, value_name = "MALFORMED")]
    malformed: Vec<MalformedOrder>,
    /// Seed of the noise
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// That many sensors on load/0 and up instead
    #[arg(long, value_name = "SENSORS", conflicts_with_all = ["sensor", "malformed"])]
    load: Option<u32>,
    /// Messages a second of the load, all sensors together
    #[arg(long, default_value = "1000", value_parser = rate, requires = "load")]
    rate: f64,
    /// How long the load lasts
    #[arg(long, default_value = "10", value_parser = program::seconds, requires = "load")]
    seconds: Duration,
    /// What each sensor of the load sees
    #[arg(long, default_value = "base=10 noise=0.5", requires = "load")]
    waveform: Waveform,
    /// How many milliseconds later than its neighbour each sensor of the load lives through it
    #[arg(long, value_name = "MS", default_value_t = 0, requires = "load")]
    stagger: u64,
    /// Payload of the load
    #[arg(long, default_value = LoadConfig::PAYLOAD, requires = "load")]
    json: String,
    /// Quality of service of the load, 0 or 1
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(0..=1), requires = "load")]
    qos: u8,
}

fn rate(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|rate| (0.0..=1e6).contains(rate))
        .ok_or_else(|| "should be a number of messages from 0 to 1000000".to_owned())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    program::exit_code(run(Arguments::parse()).await)
}

async fn run(arguments: Arguments) -> io::Result<()> {
    match arguments.load {
        Some(sensors) => run_load(arguments, sensors).await,
        None => run_sensors(arguments).await,
    }
}

async fn run_load(arguments: Arguments, sensors: u32) -> io::Result<()> {
    let config = LoadConfig {
        broker: arguments.broker,
        client_id: arguments.client_id,
        sensors,
        rate: arguments.rate,
        duration: arguments.seconds,
        waveform: arguments.waveform,
        stagger: Duration::from_millis(arguments.stagger),
        payload: Payload::Template(arguments.json),
        at_least_once: arguments.qos == 1,
        limit: None,
    };
    let trouble = Trouble::default();
    let broker = config.broker.clone();
    tokio::select! {
        never = program::tell_trouble(&trouble, &broker) => match never {},
        report = load::run(config, &trouble) => program::say(report.to_json()),
        stopped = program::asked_to_stop() => {
            program::tell("stopped before everything was acknowledged");
            stopped.and(Err(io::ErrorKind::Interrupted.into()))
        }
    }
}

fn obey(sensors: &Sensors, line: &str) {
    match line.parse::<MalformedOrder>() {
        Ok(order) => {
            if sensors.send_malformed(order) {
                program::tell(format_args!("done: {line}"));
            } else {
                program::tell("too many are waiting to be sent");
            }
        }
        Err(error) => program::tell(error),
    }
}

async fn run_sensors(arguments: Arguments) -> io::Result<()> {
    let broker = arguments.broker.clone();
    let sensors = Sensors::start(SensorsConfig {
        broker: arguments.broker,
        client_id: arguments.client_id,
        sensors: (arguments.seed..)
            .zip(arguments.sensor)
            .map(|(seed, sensor)| sensor.with_seed(seed))
            .collect(),
        malformed: arguments.malformed,
    });
    let mut lines = program::stdin_lines();
    let stop = program::asked_to_stop();
    let trouble = sensors.trouble().clone();
    let trouble = program::tell_trouble(&trouble, &broker);
    tokio::pin!(stop, trouble);
    loop {
        tokio::select! {
            stopped = &mut stop => {
                stopped?;
                break;
            }
            never = &mut trouble => match never {},
            line = program::next_line(&mut lines) => obey(&sensors, &line),
        }
    }
    program::say(sensors.summary())?;
    sensors.stop().await;
    Ok(())
}
