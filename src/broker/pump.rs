//! The half of a connection that owns the socket.

use std::time::Duration;

use rumqttc::{AsyncClient, Outgoing, v5};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::session::{CONNECT_TIMEOUT, Session, network};
use super::{
    BrokerAddress, BrokerError, Client, Ending, Event, Happening, Happenings, Trust, Version,
};

/// Events that wait between the pump and the loop behind it. When full the pump stops reading its
/// socket, and TCP holds the broker back.
const EVENTS: usize = 32;

/// A broker is asked for a sign of life once per keep alive. When so many pass without a word from the library, it
/// is stuck in writing to somebody who does not read.
const SILENT_KEEP_ALIVES: u32 = 3;

/// Works one connection.
pub(crate) struct Pump {
    wire: Wire,
    keep_alive: Duration,
    happenings: mpsc::Sender<Happening>,
}

enum Wire {
    V3(Box<rumqttc::EventLoop>),
    V5(Box<v5::EventLoop>),
}

/// Opens one connection: a client to ask with, a pump to run beside the loop that asks, and what
/// the pump reports. `requests` bounds what may wait to be written.
pub(super) fn open(
    address: &BrokerAddress,
    trust: Option<Trust>,
    session: Session,
    requests: usize,
) -> Result<(Client, Pump, Happenings), BrokerError> {
    let (client, wire) = match address.version {
        Version::V3 => {
            let options = address.v3(session, trust)?;
            let (client, mut eventloop) = AsyncClient::new(options, requests);
            eventloop.set_network_options(network());
            (Client::V3(client), Wire::V3(Box::new(eventloop)))
        }
        Version::V5 => {
            let options = address.v5(session, trust)?;
            let (client, eventloop) = v5::AsyncClient::new(options, requests);
            (Client::V5(client), Wire::V5(Box::new(eventloop)))
        }
    };
    let (happenings, receiver) = mpsc::channel(EVENTS);
    let pump = Pump {
        wire,
        keep_alive: address.version.keep_alive(address.keep_alive),
        happenings,
    };
    Ok((client, pump, Happenings(receiver)))
}

/// What one turn of the library brought.
enum Turn {
    Happened(Option<Event>),
    /// Our DISCONNECT is written.
    Left,
}

impl Pump {
    /// Connects and works beside `conversation`, whose end ends the connection. When the pump itself has
    /// ended, its last word is among the happenings, and the conversation has to end with that.
    pub(crate) async fn beside<T>(self, conversation: impl Future<Output = T>) -> T {
        tokio::select! {
            end = conversation => end,
            never = async { self.run().await; std::future::pending().await } => never,
        }
    }

    /// Until the first error, a DISCONNECT of ours, or nobody listens.
    async fn run(mut self) {
        let silence = CONNECT_TIMEOUT + self.keep_alive * SILENT_KEEP_ALIVES;
        loop {
            let turn = timeout(silence, self.wire.poll(self.keep_alive)).await;
            let turn = turn.unwrap_or_else(|_| {
                Err(Ending::ours("timeout", "the broker takes nothing any more"))
            });
            let (happening, last) = match turn {
                Ok(Turn::Happened(None)) => continue,
                Ok(Turn::Left) => return,
                Ok(Turn::Happened(Some(event))) => (Ok(event), false),
                Err(ending) => (Err(ending), true),
            };
            if self.happenings.send(happening).await.is_err() || last {
                return;
            }
        }
    }
}

impl Wire {
    async fn poll(&mut self, keep_alive: Duration) -> Result<Turn, Ending> {
        match self {
            Self::V3(eventloop) => {
                let event = eventloop.poll().await?;
                if matches!(event, rumqttc::Event::Outgoing(Outgoing::Disconnect)) {
                    return Ok(Turn::Left);
                }
                Ok(Turn::Happened(Event::of_v3(event)))
            }
            Self::V5(eventloop) => {
                let event = eventloop.poll().await?;
                // A broker may ask for a shorter keep alive. A longer one would notice a dead link later,
                // and with none the library would ask without a pause.
                let asked = eventloop.options.keep_alive();
                if asked > keep_alive || asked.is_zero() {
                    eventloop.options.set_keep_alive(keep_alive);
                }
                if matches!(event, v5::Event::Outgoing(Outgoing::Disconnect)) {
                    return Ok(Turn::Left);
                }
                Ok(Turn::Happened(Event::of_v5(event)))
            }
        }
    }
}
