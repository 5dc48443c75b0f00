//! What one connection asks of the broker, in the words of either version of MQTT.

use std::time::Duration;

use rumqttc::{MqttOptions, NetworkOptions, QoS, TlsConfiguration, Transport, v5};

use super::{BrokerAddress, BrokerError, Trust, Version};

/// A connection attempt takes at most this long: name lookup, TCP, TLS and CONNACK together.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Keep alive: less than this panics in the library, by version ...
const SHORTEST: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(5)];
/// ... and more wraps on the wire.
const LONGEST: Duration = Duration::from_secs(u16::MAX as u64);

/// The terms of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Session {
    /// Does the broker keep what comes while we are away? Else it forgets us when we go.
    pub(crate) keep: bool,
    /// Longest packet that is taken, bytes. A broker of version 5 is told, and passes over longer ones.
    pub(crate) incoming: usize,
    /// Longest packet that is sent, bytes.
    pub(crate) outgoing: usize,
    /// Publishes without their PUBACK at most. Packet ids come round after so many.
    pub(crate) inflight: u16,
    /// Messages that the broker may send ahead of our PUBACKs; version 5 only.
    pub(crate) ahead: u16,
    /// What the broker says for us when we are gone without a word.
    pub(crate) will: Option<Will>,
}

/// A message at QoS 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Will {
    pub(crate) topic: String,
    pub(crate) payload: Vec<u8>,
    pub(crate) retain: bool,
}

impl Version {
    /// The keep alive that the library takes.
    pub(super) fn keep_alive(self, wanted: Duration) -> Duration {
        let shortest = match self {
            Self::V3 => SHORTEST[0],
            Self::V5 => SHORTEST[1],
        };
        wanted.clamp(shortest, LONGEST)
    }
}

impl BrokerAddress {
    /// # Errors
    /// [`BrokerError::NoClientId`], on which the library would panic.
    fn check(&self) -> Result<(), BrokerError> {
        if self.client_id.is_empty() {
            return Err(BrokerError::NoClientId);
        }
        Ok(())
    }

    pub(super) fn v3(
        &self,
        session: Session,
        trust: Option<Trust>,
    ) -> Result<MqttOptions, BrokerError> {
        self.check()?;
        let mut options = MqttOptions::new(&self.client_id, &self.host, self.port);
        options
            .set_keep_alive(Version::V3.keep_alive(self.keep_alive))
            .set_clean_session(!session.keep)
            .set_manual_acks(true)
            .set_inflight(session.inflight.max(1))
            .set_max_packet_size(session.incoming, session.outgoing);
        if let Some(login) = &self.login {
            options.set_credentials(&login.username, login.password.expose());
        }
        if let Some(will) = session.will {
            options.set_last_will(rumqttc::LastWill::new(
                will.topic,
                will.payload,
                QoS::AtLeastOnce,
                will.retain,
            ));
        }
        if let Some(trust) = trust {
            options.set_transport(encrypted(trust));
        }
        Ok(options)
    }

    pub(super) fn v5(
        &self,
        session: Session,
        trust: Option<Trust>,
    ) -> Result<v5::MqttOptions, BrokerError> {
        use v5::mqttbytes::{QoS, v5::LastWill};
        self.check()?;
        let mut options = v5::MqttOptions::new(&self.client_id, &self.host, self.port);
        options
            .set_keep_alive(Version::V5.keep_alive(self.keep_alive))
            .set_clean_start(!session.keep)
            // For ever, as with 3.1.1; brokers have a limit of their own.
            .set_session_expiry_interval(session.keep.then_some(u32::MAX))
            .set_manual_acks(true)
            // Without a limit the library sets 14 MB aside.
            .set_outgoing_inflight_upper_limit(session.inflight.max(1))
            .set_receive_maximum(Some(session.ahead.max(1)))
            .set_max_packet_size(u32::try_from(session.incoming).ok())
            .set_connection_timeout(CONNECT_TIMEOUT.as_secs())
            .set_network_options(network());
        if let Some(login) = &self.login {
            options.set_credentials(&login.username, login.password.expose());
        }
        if let Some(will) = session.will {
            options.set_last_will(LastWill::new(
                will.topic,
                will.payload,
                QoS::AtLeastOnce,
                will.retain,
                None,
            ));
        }
        if let Some(trust) = trust {
            options.set_transport(encrypted(trust));
        }
        Ok(options)
    }
}

fn encrypted(trust: Trust) -> Transport {
    Transport::tls_with_config(TlsConfiguration::Rustls(trust.into_config()))
}

pub(super) fn network() -> NetworkOptions {
    let mut network = NetworkOptions::new();
    network.set_connection_timeout(CONNECT_TIMEOUT.as_secs());
    // Without it an alarm waits for the ACK of the segment before: 8 ms instead of 0.2 ms.
    network.set_tcp_nodelay(true);
    network
}
