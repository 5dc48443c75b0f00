//! Receives events as a control room does.

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use simulators::program;
use simulators::upstream::{Broker, Receiver, ReceiverConfig};

const EXAMPLES: &str = "\
Examples:
  # every event of a site as a line of JSON, a summary at Ctrl-C
  upstream-receiver --site north-plant

  # have the broker keep events while the receiver is away
  upstream-receiver --site north-plant --persistent --client-id control-room

  # the summary alone, after a minute
  upstream-receiver --site north-plant --quiet --seconds 60
";

const SUMMARY: &str = "\
The last line is the summary: events received, distinct ids, duplicates, out_of_order (a lower seq after a
higher one of the same alarm; live and replayed events are judged on their own), missing (numbers that never
came between the first and the last seq; missing_seq shows the first 100), malformed, readings, retained states.";

#[derive(Parser)]
#[command(
    name = "upstream-receiver",
    about = "Receives the events of a gateway over MQTT and checks order, loss and duplicates",
    before_help = EXAMPLES,
    after_help = SUMMARY,
    help_template = program::HELP
)]
struct Arguments {
    /// Where to subscribe; it need not be there yet
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:1883")]
    broker: Broker,
    /// The site of the gateway
    #[arg(long)]
    site: String,
    /// First part of all topics
    #[arg(long, default_value = "forewarn/v1")]
    prefix: String,
    /// Identifies the connection [default: upstream-receiver-SITE]
    #[arg(long)]
    client_id: Option<String>,
    /// Have the broker keep undelivered events while the receiver is away
    #[arg(long)]
    persistent: bool,
    /// Print the summary only
    #[arg(long)]
    quiet: bool,
    /// End after that time instead of at Ctrl-C
    #[arg(long, value_parser = program::seconds)]
    seconds: Option<Duration>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    program::exit_code(run(Arguments::parse()).await)
}

async fn run(arguments: Arguments) -> io::Result<()> {
    let mut config = ReceiverConfig::new(arguments.broker, &arguments.site);
    config.prefix = arguments.prefix;
    config.persistent = arguments.persistent;
    if let Some(client_id) = arguments.client_id {
        config.client_id = client_id;
    }

    let broker = config.broker.clone();
    let receiver = Receiver::start(config);
    tokio::select! {
        never = program::tell_trouble(receiver.trouble(), &broker) => match never {},
        printed = print_events(&receiver), if !arguments.quiet => printed?,
        stopped = program::asked_to_stop() => stopped?,
        () = tokio::time::sleep(arguments.seconds.unwrap_or(Duration::MAX)) => {}
    }
    let summary = receiver.stop().await;
    program::say(summary)
}

async fn print_events(receiver: &Receiver) -> io::Result<()> {
    let mut cursor = 0;
    loop {
        let (events, next) = receiver.events_after(cursor).await;
        for event in events {
            program::say(event.line)?;
        }
        cursor = next;
    }
}
