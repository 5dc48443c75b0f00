//! A test event to a broker, over each of its servers: one that is never asked may be wrong for years, until it is
//! needed. As the output does with whichever server takes it, one that does is enough.

use std::time::Duration;

use tokio::time::timeout;

use super::Trial;
use crate::broker::{Connector, Ending, Event, Session, Sure, Verdict};
use crate::clock;
use crate::output::MqttTarget;
use crate::output::message::Topics;

/// A server takes its time for a connection and a PUBACK.
const SERVER_WITHIN: Duration = Duration::from_secs(15);

/// Publishes `line`. Connects as a client of its own, so that the daemon's connection stays, and without a last
/// will.
pub(super) async fn run(target: &MqttTarget, line: &str, site: &str) -> Trial {
    let topic = Topics::new(&target.prefix, site).spelt(target.dots).event();
    let servers: Vec<String> = target
        .servers()
        .map(|(host, port)| format!("{host}:{port}"))
        .collect();
    let began = clock::monotonic();
    let (mut accepted, mut connected, mut answers) = (false, Vec::new(), Vec::new());
    let mut address = target.address.clone();
    address.client_id.push_str("-test");
    let mut connector = Connector::new(address).among(&target.others);
    for server in &servers {
        let mut is_connected = false;
        let asked = acknowledged(&mut connector, &topic, line, &mut is_connected);
        let asked = timeout(SERVER_WITHIN, asked).await;
        if is_connected {
            connected.push(server.as_str());
        }
        let answer = match asked {
            Ok(Ok(answer)) => {
                accepted = true;
                answer.to_owned()
            }
            Ok(Err(ending)) => format!("{}: {}", ending.name, ending.detail),
            Err(_elapsed) => "no PUBACK in time".to_owned(),
        };
        answers.push(match servers.len() {
            1 => answer,
            _ => format!("{server}: {answer}"),
        });
        connector.turn();
    }
    Trial {
        accepted,
        sent: format!("a test event to {topic} at {}", servers.join(", ")),
        answer: answers.join("; "),
        took: clock::monotonic().since(began),
        tls: encryption(target, &connected, servers.len()),
    }
}

/// What the connections that were made show, if any was. Which authority verifies a broker is always configured.
fn encryption(target: &MqttTarget, connected: &[&str], servers: usize) -> Option<String> {
    let tls = target.address.tls.as_ref()?;
    let place = match (connected, servers) {
        ([], _) => return None,
        (_, 1) => String::new(),
        (several, _) => format!(": {}", several.join(", ")),
    };
    Some(format!(
        "verified with the authority in {}{place}",
        tls.ca_file.display()
    ))
}

/// What the server says to a publish of `line`. `is_connected` becomes true once there is a connection.
async fn acknowledged(
    connector: &mut Connector,
    topic: &str,
    line: &str,
    is_connected: &mut bool,
) -> Result<&'static str, Ending> {
    let session = Session {
        keep: false,
        incoming: 16 * 1024,
        outgoing: 64 * 1024,
        inflight: 10,
        ahead: 1,
        will: None,
    };
    let (client, pump, mut happenings) = connector.open(session, 10).await?;
    let conversation = async {
        loop {
            match happenings.next().await? {
                Event::Connected(_) => {
                    *is_connected = true;
                    let topic = topic.to_owned();
                    let asked = client.publish(topic, line, false, Sure::Acknowledged);
                    if asked.is_err() {
                        return Err(Ending::ours("stopped", "the connection ended"));
                    }
                }
                Event::Acknowledged(_, verdict) => return said(verdict),
                Event::Subscribed(_)
                | Event::Unsubscribed
                | Event::Message(_)
                | Event::Written(_)
                | Event::IdsCameRound(_) => {}
            }
        }
    };
    pump.beside(conversation).await
}

fn said(verdict: Verdict) -> Result<&'static str, Ending> {
    match verdict {
        Verdict::Taken => Ok("acknowledged (PUBACK)"),
        Verdict::Unheard => Ok("acknowledged (PUBACK), but nobody is subscribed"),
        Verdict::Refused(why) | Verdict::Later(why) => Err(Ending::ours("refused", why)),
    }
}
