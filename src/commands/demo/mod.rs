//! `forewarn demo`: the whole thing on one machine. An embedded broker, a simulated plant with a gas
//! leak, the gateway on `config/demo.toml`, and an upstream receiver whose view is what is shown: an
//! alarm on the screen has been judged, committed and delivered.
//!
//! Nothing is left behind: the journal lives in a temporary folder. A port that is in use is
//! replaced by a free one.

mod screen;
mod words;

use std::io::{self, IsTerminal, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::Duration;

use simulators::plant::{Plant, PlantConfig};
use simulators::upstream::{Broker, Receiver, ReceiverConfig};
use tokio::time::{MissedTickBehavior, interval, sleep};
use tracing_subscriber::filter::LevelFilter;

use super::run::{log_to_stderr, runtime, told_to_end};
use super::scratch::ScratchFolder;
use super::{FINDINGS, GOOD, INTERNAL, complain};
use crate::config::{self, Config, Source};
use crate::evaluation::Desk;
use crate::gateway::{Ended, Gateway};
use screen::Screen;

const CONFIG: &str = include_str!("../../../config/demo.toml");

/// The ports of `config/demo.toml`: embedded broker, gas panel, process station, HTTP.
const PORTS: [u16; 4] = [18830, 15020, 15021, 9469];

/// How long the receiver may take to be there before the leak begins.
const READY: Duration = Duration::from_secs(10);

/// Arguments of `forewarn demo`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A simulated leak begins after four seconds. Ctrl-C ends everything; nothing is left behind."
)]
pub struct DemoArgs {
    /// Print events as JSON, one a line, as receivers get them
    #[arg(long)]
    json: bool,
    /// End after this many seconds
    #[arg(long = "for", value_name = "SECONDS")]
    seconds: Option<u64>,
    /// Seed of the simulated noise
    #[arg(long, default_value_t = 7)]
    seed: u64,
}

/// Shows it until Ctrl-C or the time is up.
pub fn run(args: &DemoArgs, out: impl Write + IsTerminal) -> u8 {
    log_to_stderr(LevelFilter::ERROR);
    let shown = runtime().and_then(|runtime| runtime.block_on(show(args, out)));
    match shown {
        Ok(Ended::Asked { .. }) => GOOD,
        Ok(Ended::TaskDied(_)) => INTERNAL,
        Err(error) => {
            complain(&error);
            FINDINGS
        }
    }
}

async fn show(args: &DemoArgs, out: impl Write + IsTerminal) -> io::Result<Ended> {
    let folder = ScratchFolder::new("demo")?;
    let (text, ports) = with_free_ports(CONFIG)?;
    let source = Source::text("config/demo.toml", &text).data(Some(folder.path().to_owned()));
    let (mut config, _warnings) = config::load(&source).map_err(io::Error::other)?;
    let [broker, gas_panel, process, _http] = ports.map(loopback);

    let mut screen = Screen::new(out, args.json, &config);
    let site = config.site.clone();
    // The broker first, so that the receiver is there when the gateway says its first word.
    config.embedded_brokers.clear();
    crate::embedded::start(broker)?;
    let receiver = Receiver::start(ReceiverConfig::new(Broker::from(broker), &site));
    if !receiver.subscribed(READY).await {
        return Err(io::Error::other("the embedded broker does not answer"));
    }
    let plant = Plant::start(PlantConfig {
        broker,
        modbus: gas_panel,
        second_modbus: process,
        seed: args.seed,
    })
    .await?;
    let gateway = Gateway::start(config).await.map_err(io::Error::other)?;
    screen.greet(gateway.http_address())?;

    let desk = gateway.desk().clone();
    let (tell, told) = tokio::sync::oneshot::channel::<()>();
    let supervised = gateway.supervise(async {
        // Also when the screen is gone: nobody looks, so it ends.
        let _gone = told.await.is_err();
    });
    let shown = async {
        let shown = watch(&mut screen, &receiver, &desk, args.seconds).await;
        drop(tell);
        shown
    };
    let (ended, shown) = tokio::join!(supervised, shown);
    plant.stop().await;
    receiver.stop().await;
    screen.farewell(&ended)?;
    shown.map(|()| ended)
}

/// Shows what comes in upstream, and the present between.
async fn watch(
    screen: &mut Screen<impl Write>,
    receiver: &Receiver,
    desk: &Desk,
    seconds: Option<u64>,
) -> io::Result<()> {
    let mut cursor = 0;
    let mut beat = interval(Duration::from_millis(500));
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut end = std::pin::pin!(async {
        match seconds {
            Some(seconds) => sleep(Duration::from_secs(seconds)).await,
            None => std::future::pending().await,
        }
    });
    let mut signal = std::pin::pin!(told_to_end());
    loop {
        tokio::select! {
            () = &mut signal => return Ok(()),
            () = &mut end => return Ok(()),
            (events, next) = receiver.events_after(cursor) => {
                cursor = next;
                events.iter().try_for_each(|event| screen.event(event))?;
            }
            _instant = beat.tick() => {
                // Silent only while everything ends.
                if let Ok(present) = desk.snapshot().await {
                    screen.present(&present)?;
                }
            }
        }
    }
}

/// The configuration with each port that is in use replaced by a free one.
fn with_free_ports(config: &str) -> io::Result<(String, [u16; 4])> {
    let mut text = config.to_owned();
    let mut ports = PORTS;
    for port in &mut ports {
        if TcpListener::bind(loopback(*port)).is_err() {
            let free = TcpListener::bind(loopback(0))?.local_addr()?.port();
            text = text.replace(&format!("127.0.0.1:{port}"), &format!("127.0.0.1:{free}"));
            *port = free;
        }
    }
    Ok((text, ports))
}

fn loopback(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

/// Points of the plant, in the order of the status line: those with a limit first.
fn own_points(config: &Config) -> impl Iterator<Item = &str> {
    let points = config.engine.points.iter().map(|point| &*point.id);
    points.filter(|id| !id.starts_with("gateway."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ports_stand_in_the_configuration() {
        for port in PORTS {
            assert!(CONFIG.contains(&format!("127.0.0.1:{port}")), "{port}");
        }
    }

    #[test]
    fn a_port_in_use_is_replaced_everywhere() {
        let taken = TcpListener::bind(loopback(0)).expect("a free port");
        let port = taken.local_addr().expect("an address").port();
        // Whether the usual ports are free here is not ours to say; look at the outcome only.
        let config = CONFIG.replace("127.0.0.1:18830", &format!("127.0.0.1:{port}"));
        let (_, ports) = with_free_ports(&config).expect("free ports exist");
        let distinct: std::collections::BTreeSet<_> = ports.into_iter().collect();
        assert_eq!(distinct.len(), PORTS.len());
    }
}
