//! Topic names: `spBv1.0/GROUP/TYPE/NODE`, with `/DEVICE` behind it for a device's.

use std::fmt;

/// First level of every topic.
pub const NAMESPACE: &str = "spBv1.0";

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MessageKind {
    /// An edge node is there; with every metric it will ever tell of.
    NodeBirth,
    /// Its metrics that changed.
    NodeData,
    /// It is gone.
    NodeDeath,
    /// Somebody wants something of it.
    NodeCommand,
    /// A device behind an edge node is there; with every metric.
    DeviceBirth,
    /// Its metrics that changed.
    DeviceData,
    /// It is gone.
    DeviceDeath,
    /// Somebody wants something of it.
    DeviceCommand,
}

impl MessageKind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::NodeBirth,
        Self::NodeData,
        Self::NodeDeath,
        Self::NodeCommand,
        Self::DeviceBirth,
        Self::DeviceData,
        Self::DeviceDeath,
        Self::DeviceCommand,
    ];

    /// As it stands in topics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NodeBirth => "NBIRTH",
            Self::NodeData => "NDATA",
            Self::NodeDeath => "NDEATH",
            Self::NodeCommand => "NCMD",
            Self::DeviceBirth => "DBIRTH",
            Self::DeviceData => "DDATA",
            Self::DeviceDeath => "DDEATH",
            Self::DeviceCommand => "DCMD",
        }
    }

    /// Is it about a device?
    pub const fn is_of_device(self) -> bool {
        match self {
            Self::DeviceBirth | Self::DeviceData | Self::DeviceDeath | Self::DeviceCommand => true,
            Self::NodeBirth | Self::NodeData | Self::NodeDeath | Self::NodeCommand => false,
        }
    }
}

/// A topic, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Topic<'t> {
    /// Group id.
    pub group: &'t str,
    /// What the message is.
    pub kind: MessageKind,
    /// Edge node id.
    pub node: &'t str,
    /// Device id, for what is about a device and for nothing else.
    pub device: Option<&'t str>,
}

impl<'t> Topic<'t> {
    /// Takes a topic apart; `None`: it is not of this form.
    pub fn parse(topic: &'t str) -> Option<Self> {
        let mut levels = topic.split('/');
        if levels.next() != Some(NAMESPACE) {
            return None;
        }
        let (group, kind, node) = (levels.next()?, levels.next()?, levels.next()?);
        let device = levels.next();
        let kind = MessageKind::ALL
            .into_iter()
            .find(|known| known.name() == kind)?;
        let ids = [Some(group), Some(node), device];
        let empty = ids.into_iter().flatten().any(str::is_empty);
        let fits = kind.is_of_device() == device.is_some();
        (fits && !empty && levels.next().is_none()).then_some(Self {
            group,
            kind,
            node,
            device,
        })
    }
}

impl fmt::Display for Topic<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, node) = (self.kind.name(), self.node);
        write!(f, "{NAMESPACE}/{}/{kind}/{node}", self.group)?;
        match self.device {
            Some(device) => write!(f, "/{device}"),
            None => Ok(()),
        }
    }
}

/// Where the host application `host` says whether it is there; retained.
pub fn state_topic(host: &str) -> String {
    format!("{NAMESPACE}/STATE/{host}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_taken_apart_and_put_together() {
        for kind in MessageKind::ALL {
            let device = kind.is_of_device().then_some("gd-01");
            let topic = Topic {
                group: "plants",
                kind,
                node: "north-plant",
                device,
            };
            let text = topic.to_string();
            assert!(text.starts_with("spBv1.0/plants/"), "{text}");
            assert_eq!(Topic::parse(&text), Some(topic), "{text}");
        }
        assert_eq!(state_topic("ignition"), "spBv1.0/STATE/ignition");
    }

    #[test]
    fn other_topics_are_none() {
        for text in [
            "",
            "spBv1.0",
            "spBv1.0/STATE/ignition",
            "spAv1.0/g/NDATA/n",
            "spBv1.0/g/NDATA",
            "spBv1.0/g/NDATA/",
            "spBv1.0//NDATA/n",
            "spBv1.0/g/NDATA/n/d",
            "spBv1.0/g/DDATA/n",
            "spBv1.0/g/DDATA/n/",
            "spBv1.0/g/DDATA/n/d/e",
            "spBv1.0/g/ndata/n",
        ] {
            assert_eq!(Topic::parse(text), None, "{text}");
        }
    }
}
