//! Sparkplug B 3.0 on the wire: topics, payloads, and what a host says of itself. Pure; no sockets, no
//! state of a session. What an edge node does with it is in [`output::sparkplug`](crate::output::sparkplug).
//!
//! ```text
//!   spBv1.0/GROUP/NBIRTH/NODE           spBv1.0/GROUP/DDATA/NODE/DEVICE        spBv1.0/STATE/HOST
//!   └──────────────── topic ─────────────────────────────────────────┘        └── host: JSON ──┘
//!   payload: protobuf { timestamp, metrics: [{ name, alias, timestamp, datatype, value, ... }], seq }
//! ```
//!
//! Bounds against hostile input (`bounds`): a payload is measured before anything of it is built,
//! because two bytes on the wire can become a metric of some two hundred in memory.
//!
//! | bound | default |
//! |---|---|
//! | length of a payload | 1 MiB |
//! | metrics, property keys and property values in it, together | 50,000 |
//!
//! Deliberately absent: templates, data sets, arrays and property set lists (passed over unread, they take
//! no memory), compression, and the old `spAv1.0`.

mod bounds;
mod host;
mod payload;
mod topic;
mod value;

pub use bounds::{Limits, Refusal};
pub use host::HostState;
pub use payload::{Metric, Payload, PropertySet, PropertyValue, metric_value, property_value};
pub use topic::{MessageKind, NAMESPACE, Topic, state_topic};
pub use value::{DataType, Value};

/// Name of the metric that ties a death to its birth.
pub const BD_SEQ: &str = "bdSeq";
/// Name of the metric by which a host asks for births.
pub const REBIRTH: &str = "Node Control/Rebirth";
