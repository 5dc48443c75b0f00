//! Why a connection ended: a stable name for counters and words for people.

use std::io;

use rumqttc::{ConnectionError, StateError, TlsError, mqttbytes, v5};

use super::BrokerError;

/// Names of endings that are not [our own](Ending::ours), except for a broker that cannot be tried.
pub(crate) const ENDINGS: [&str; 9] = [
    "closed",
    "configuration",
    "network",
    "oversize",
    "protocol",
    "refused",
    "stopped",
    "timeout",
    "tls",
];

/// Why a connection ended: a stable name for counters and words for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ending {
    /// Closed set, for labels.
    pub(crate) name: &'static str,
    /// What to look at.
    pub(crate) detail: String,
    /// Size of the packet that was over the limit, bytes.
    pub(crate) oversize: Option<usize>,
    /// Another client came with our client id; only a broker of version 5 says so.
    pub(crate) taken_over: bool,
}

impl Ending {
    /// An end that we chose ourselves.
    pub(crate) fn ours(name: &'static str, detail: &str) -> Self {
        Self {
            name,
            detail: detail.to_owned(),
            oversize: None,
            taken_over: false,
        }
    }

    /// Did the far end close or reset the connection?
    pub(crate) fn is_abort(&self) -> bool {
        self.name == "closed"
    }
}

impl From<BrokerError> for Ending {
    fn from(error: BrokerError) -> Self {
        let cause = std::error::Error::source(&error).map(|source| format!(": {source}"));
        Self::ours(
            "configuration",
            &format!("{error}{}", cause.unwrap_or_default()),
        )
    }
}

impl From<ConnectionError> for Ending {
    fn from(error: ConnectionError) -> Self {
        let oversize = if let ConnectionError::MqttState(StateError::Deserialization(
            mqttbytes::Error::PayloadSizeLimitExceeded(size),
        )) = &error
        {
            Some(*size)
        } else {
            None
        };
        let plain = matches!(&error, ConnectionError::Tls(TlsError::Io(_)));
        Self {
            name: name_of_v3(&error),
            detail: format!("{error}{}", hint(&format!("{error:?}"), plain)),
            oversize,
            taken_over: false,
        }
    }
}

impl From<v5::ConnectionError> for Ending {
    fn from(error: v5::ConnectionError) -> Self {
        use v5::mqttbytes::v5::DisconnectReasonCode;
        let oversize = if let v5::ConnectionError::MqttState(
            v5::StateError::IncomingPacketTooLarge { pkt_size, .. }
            | v5::StateError::Deserialization(v5::mqttbytes::Error::PayloadSizeLimitExceeded {
                pkt_size,
                ..
            }),
        ) = &error
        {
            Some(*pkt_size)
        } else {
            None
        };
        let taken_over = matches!(
            &error,
            v5::ConnectionError::MqttState(v5::StateError::ServerDisconnect {
                reason_code: DisconnectReasonCode::SessionTakenOver,
                ..
            })
        );
        let plain = matches!(&error, v5::ConnectionError::Tls(TlsError::Io(_)));
        Self {
            name: name_of_v5(&error),
            detail: format!("{error}{}", hint(&format!("{error:?}"), plain)),
            oversize,
            taken_over,
        }
    }
}

fn name_of_v3(error: &ConnectionError) -> &'static str {
    match error {
        ConnectionError::NetworkTimeout | ConnectionError::FlushTimeout => "timeout",
        ConnectionError::Tls(_) => "tls",
        ConnectionError::ConnectionRefused(_) => "refused",
        ConnectionError::NotConnAck(_) => "protocol",
        ConnectionError::RequestsDone => "stopped",
        ConnectionError::Io(_) => "network",
        ConnectionError::MqttState(state) => match state {
            StateError::ConnectionAborted => "closed",
            StateError::AwaitPingResp => "timeout",
            StateError::Io(_) => "network",
            StateError::Deserialization(mqttbytes::Error::PayloadSizeLimitExceeded(_)) => {
                "oversize"
            }
            StateError::Deserialization(mqttbytes::Error::Io(io)) => name_of_io(io),
            StateError::InvalidState
            | StateError::Unsolicited(_)
            | StateError::WrongPacket
            | StateError::CollisionTimeout
            | StateError::EmptySubscription
            | StateError::Deserialization(_) => "protocol",
        },
    }
}

fn name_of_v5(error: &v5::ConnectionError) -> &'static str {
    use v5::{ConnectionError, StateError, mqttbytes};
    match error {
        ConnectionError::Timeout(_) => "timeout",
        ConnectionError::Tls(_) => "tls",
        ConnectionError::ConnectionRefused(_) => "refused",
        ConnectionError::NotConnAck(_) => "protocol",
        ConnectionError::RequestsDone => "stopped",
        ConnectionError::Io(_) => "network",
        ConnectionError::MqttState(state) => match state {
            StateError::ConnectionAborted | StateError::ServerDisconnect { .. } => "closed",
            StateError::ConnFail { .. } => "refused",
            StateError::AwaitPingResp => "timeout",
            StateError::Io(_) => "network",
            StateError::IncomingPacketTooLarge { .. }
            | StateError::Deserialization(mqttbytes::Error::PayloadSizeLimitExceeded { .. }) => {
                "oversize"
            }
            // A PUBACK with reason 0x95, which the library cannot read: the broker throws this message out,
            // and will as often as it comes.
            StateError::Deserialization(mqttbytes::Error::InvalidConnectReturnCode(0x95)) => {
                "closed"
            }
            StateError::Deserialization(mqttbytes::Error::Io(io)) => name_of_io(io),
            StateError::InvalidState
            | StateError::Coversion(_)
            | StateError::Unsolicited(_)
            | StateError::WrongPacket
            | StateError::CollisionTimeout
            | StateError::EmptySubscription
            | StateError::InvalidAlias { .. }
            | StateError::OutgoingPacketTooLarge { .. }
            | StateError::Deserialization(_) => "protocol",
        },
    }
}

fn name_of_io(error: &io::Error) -> &'static str {
    use io::ErrorKind;
    let kind = error.kind();
    let closed = [
        ErrorKind::ConnectionReset,
        ErrorKind::BrokenPipe,
        ErrorKind::UnexpectedEof,
        ErrorKind::ConnectionAborted,
    ];
    if closed.contains(&kind) {
        "closed"
    } else if kind == ErrorKind::InvalidData {
        // TLS 1.3 says what it thinks of a client's certificate when the client is through already.
        "tls"
    } else {
        "network"
    }
}

/// What usually is behind an error whose own words do not say.
fn hint(text: &str, plain: bool) -> &'static str {
    let hints = [
        // What the broker said of our certificate, before what we say of its own.
        (
            "AlertReceived(CertificateRequired)",
            " (the broker wants a client certificate: `cert_file` and `key_file`)",
        ),
        (
            "AlertReceived(CertificateExpired)",
            " (our client certificate, `cert_file`, has expired)",
        ),
        (
            "AlertReceived(UnknownCA)",
            " (the broker does not know the authority that signed our client certificate, `cert_file`)",
        ),
        (
            "AlertReceived(",
            " (the broker refuses the TLS connection; if it asks for a client certificate, it does not \
             take ours, `cert_file`)",
        ),
        (
            "UnsupportedCertVersion",
            " (the broker's certificate is version 1; make it with an extension file: version 3)",
        ),
        (
            "UnknownIssuer",
            " (`ca_file` is not the authority that signed the broker's certificate)",
        ),
        (
            "NotValidForName",
            " (the certificate is for another host name)",
        ),
        ("NotValidYet", " (is this board's clock set?)"),
        (
            "Expired",
            " (the broker's certificate has expired, or this board's clock is wrong)",
        ),
        (
            "BadUserNamePassword",
            " (see `username` and `password_file`)",
        ),
        (
            "SessionTakenOver",
            " (another client came with the same client id)",
        ),
        (
            "InvalidConnectReturnCode(149)",
            " (the broker refuses a message as too large: see its limit)",
        ),
        (
            "ProtocolVersion",
            " (the broker does not speak this MQTT: see `version`)",
        ),
        ("NotAuthorized", " (the broker does not let this user in)"),
    ];
    let found = hints.iter().find(|(sign, _)| text.contains(sign));
    match found {
        Some((_, hint)) => hint,
        None if plain => " (is this the broker's TLS port? `mqtts` is usually on 8883)",
        None => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_have_stable_names() {
        let reset = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        let cases: Vec<(ConnectionError, &str, Option<usize>)> = vec![
            (ConnectionError::NetworkTimeout, "timeout", None),
            (StateError::ConnectionAborted.into(), "closed", None),
            (StateError::AwaitPingResp.into(), "timeout", None),
            (
                StateError::Deserialization(mqttbytes::Error::Io(reset)).into(),
                "closed",
                None,
            ),
            (
                StateError::Deserialization(mqttbytes::Error::PayloadSizeLimitExceeded(9)).into(),
                "oversize",
                Some(9),
            ),
            (StateError::Unsolicited(3).into(), "protocol", None),
        ];
        for (error, name, oversize) in cases {
            let ending = Ending::from(error);
            assert_eq!((ending.name, ending.oversize), (name, oversize));
        }
    }
}
