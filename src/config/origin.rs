//! Where points are read from, in words: for whoever asks what a configuration means, and for the record of
//! what was changed in it.

use std::collections::BTreeMap;

use super::Config;
use super::register::{bits_in_words, order_name, table_name, type_name};
use super::scalar::show_duration;
use crate::engine::reading::PointIndex;
use crate::engine::settings::Origin;
use crate::input::modbus::{ByteOrder, DeviceSettings, RegisterPoint};

/// Of every point, by index; nothing for groups and the gateway's own.
pub(super) fn all(config: &Config) -> BTreeMap<PointIndex, Origin> {
    let devices = config.buses.iter().flat_map(|bus| &bus.devices);
    let registers = devices.flat_map(|device| {
        let points = device.points.iter();
        points.map(move |register| (register.point, from_device(device, register)))
    });
    let topics = config.subscribers.iter().flat_map(|broker| {
        broker.mappings.topics.iter().map(|mapping| {
            let value = mapping.value.as_ref();
            let part = value.map_or_else(String::new, |pointer| format!(", {pointer}"));
            let (id, topic) = (&broker.id, &mapping.topic);
            let words = format!("broker {id}, topic {topic}{part}");
            (mapping.target.point, over_mqtt(words))
        })
    });
    let shared = config.subscribers.iter().flat_map(|broker| {
        broker.mappings.families.iter().flat_map(|family| {
            let (id, name, topic) = (&broker.id, &family.id, &family.topic);
            let words = format!("broker {id}, mapping {name}, topic {topic}");
            let points = family.points.values();
            points.map(move |target| (target.point, over_mqtt(words.clone())))
        })
    });
    registers.chain(topics).chain(shared).collect()
}

fn over_mqtt(words: String) -> Origin {
    Origin {
        words: words.into(),
        poll: None,
    }
}

/// `device plc-2, input:9 uint16, every 1s`.
pub(super) fn sentence(origin: &Origin) -> String {
    let every = origin.poll.map_or_else(String::new, |poll| {
        format!(", every {}", show_duration(poll))
    });
    format!("{}{every}", origin.words)
}

fn from_device(device: &DeviceSettings, register: &RegisterPoint) -> Origin {
    let table = table_name(register.table);
    let kind = type_name(register.data_type);
    // One register has one order of words; only its bytes may be swapped.
    let plain = register.order == ByteOrder::Abcd && register.data_type.registers() == 1;
    let order = if plain {
        String::new()
    } else {
        format!(" {}", order_name(register.order))
    };
    let (id, address) = (&device.id, register.address);
    let bits = bits_in_words(register.bits);
    Origin {
        words: format!("device {id}, {table}:{address} {kind}{order}{bits}").into(),
        poll: Some(register.poll),
    }
}
