//! Where a relay is, and how it is spoken to.

use std::path::PathBuf;

use crate::broker::Login;
use crate::wording::Language;

/// How the connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// `smtps://`: TLS before the first word.
    Implicit,
    /// `smtp://`: TLS by STARTTLS, and nothing without it.
    StartTls,
    /// `smtp://` to this machine, or `insecure = true`: STARTTLS when it is offered.
    Opportunistic,
}

/// A mail relay.
#[derive(Debug, Clone, PartialEq)]
pub struct EmailTarget {
    /// Name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// How it is protected.
    pub protection: Protection,
    /// Authorities to trust, in PEM; `None`: those of the operating system.
    pub ca_file: Option<PathBuf>,
    /// User and password.
    pub login: Option<Login>,
    /// Sender, a bare address.
    pub from: String,
    /// Readers of notices to the output itself.
    pub to: Vec<String>,
    /// What those in `to` read; left out: as the site does.
    pub language: Option<Language>,
}
