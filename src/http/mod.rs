//! HTTP: metrics, health, the API.

use std::net::SocketAddr;

/// Where to listen.
#[derive(Debug, Clone, PartialEq)]
pub struct HttpSettings {
    /// Address and port; port 0 takes a free one.
    pub listen: SocketAddr,
    /// A person wrote that an address beyond loopback may be served without login and TLS.
    pub insecure: bool,
}
