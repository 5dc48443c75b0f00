//! Why a connection ended: a stable name for counters and words for people.

use rumqttc::{ConnectionError, StateError, TlsError, mqttbytes};

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
}

impl Ending {
    /// An end that we chose ourselves.
    pub(crate) fn ours(name: &'static str, detail: &str) -> Self {
        Self {
            name,
            detail: detail.to_owned(),
            oversize: None,
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
        Self {
            name: ending_name(&error),
            detail: format!("{error}{}", hint(&error)),
            oversize,
        }
    }
}

fn ending_name(error: &ConnectionError) -> &'static str {
    use std::io::ErrorKind;
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
            StateError::Deserialization(mqttbytes::Error::Io(io))
                if matches!(
                    io.kind(),
                    ErrorKind::ConnectionReset
                        | ErrorKind::BrokenPipe
                        | ErrorKind::UnexpectedEof
                        | ErrorKind::ConnectionAborted
                ) =>
            {
                "closed"
            }
            // TLS 1.3 says what it thinks of a client's certificate when the client is through already.
            StateError::Deserialization(mqttbytes::Error::Io(io))
                if io.kind() == ErrorKind::InvalidData =>
            {
                "tls"
            }
            StateError::Deserialization(mqttbytes::Error::Io(_)) => "network",
            StateError::InvalidState
            | StateError::Unsolicited(_)
            | StateError::WrongPacket
            | StateError::CollisionTimeout
            | StateError::EmptySubscription
            | StateError::Deserialization(_) => "protocol",
        },
    }
}

/// What usually is behind an error whose own words do not say.
fn hint(error: &ConnectionError) -> &'static str {
    let text = format!("{error:?}");
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
        ("NotAuthorized", " (the broker does not let this user in)"),
    ];
    let found = hints.iter().find(|(sign, _)| text.contains(sign));
    match (found, error) {
        (Some((_, hint)), _) => hint,
        (None, ConnectionError::Tls(TlsError::Io(_))) => {
            " (is this the broker's TLS port? `mqtts` is usually on 8883)"
        }
        (None, _) => "",
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
