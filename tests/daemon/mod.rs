//! The real binary with real parts: mosquitto, simulated devices, the control room's receiver.

mod acknowledge_links;
mod commands;
mod disk;
mod drills;
mod faulty_device;
pub(crate) mod gateway;
mod http;
mod kills;
mod ledger;
mod life;
mod load;
mod many_units;
mod mappings;
mod outage;
mod owed_mail;
mod paging;
mod payloads;
mod refusals;
mod reminder;
mod slow_card;
mod spoilt;
mod stranded;
mod telemetry;
mod trial;
mod unheard;
mod unread_backlog;
mod webhook;
