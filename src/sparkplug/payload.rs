//! The protobuf messages of `sparkplug_b.proto`, as far as they are used here. The field numbers are
//! the specification's; a field that is not named is passed over by the decoder.

use prost::{Message, Oneof};

use super::bounds::{self, Limits, Refusal};

/// One message body.
#[derive(Clone, PartialEq, Message)]
pub struct Payload {
    /// When it was sent, milliseconds since 1970 in UTC.
    #[prost(uint64, optional, tag = "1")]
    pub timestamp: Option<u64>,
    /// What it tells.
    #[prost(message, repeated, tag = "2")]
    pub metrics: Vec<Metric>,
    /// Position among the messages of one edge node, 0 to 255. A death has none.
    #[prost(uint64, optional, tag = "3")]
    pub seq: Option<u64>,
    /// Schema of the body.
    #[prost(string, optional, tag = "4")]
    pub uuid: Option<String>,
    /// Anything else.
    #[prost(bytes = "vec", optional, tag = "5")]
    pub body: Option<Vec<u8>>,
}

/// One value, or what is to be known about it.
#[derive(Clone, PartialEq, Message)]
pub struct Metric {
    /// Always in births; in data only where the birth gave no alias.
    #[prost(string, optional, tag = "1")]
    pub name: Option<String>,
    /// Stands for the name; unique in an edge node and its devices.
    #[prost(uint64, optional, tag = "2")]
    pub alias: Option<u64>,
    /// When the value was taken, milliseconds since 1970 in UTC.
    #[prost(uint64, optional, tag = "3")]
    pub timestamp: Option<u64>,
    /// A [`DataType`](super::DataType) by its number; only in births.
    #[prost(uint32, optional, tag = "4")]
    pub datatype: Option<u32>,
    /// History, and not the present value.
    #[prost(bool, optional, tag = "5")]
    pub is_historical: Option<bool>,
    /// Not to be stored.
    #[prost(bool, optional, tag = "6")]
    pub is_transient: Option<bool>,
    /// There is no value.
    #[prost(bool, optional, tag = "7")]
    pub is_null: Option<bool>,
    /// Unit, quality and the like.
    #[prost(message, optional, tag = "9")]
    pub properties: Option<PropertySet>,
    /// The value; absent when it is null, or of a kind that is not read here.
    #[prost(oneof = "metric_value::Value", tags = "10, 11, 12, 13, 14, 15, 16")]
    pub value: Option<metric_value::Value>,
}

/// How a metric's value is written.
pub mod metric_value {
    use super::Oneof;

    /// Which of them is meant, the datatype says.
    #[derive(Clone, PartialEq, Oneof)]
    pub enum Value {
        /// Integers of up to 32 bits, negative ones in two's complement.
        #[prost(uint32, tag = "10")]
        Int(u32),
        /// Integers of 64 bits, and times.
        #[prost(uint64, tag = "11")]
        Long(u64),
        /// Floats of 32 bits.
        #[prost(float, tag = "12")]
        Float(f32),
        /// Floats of 64 bits.
        #[prost(double, tag = "13")]
        Double(f64),
        /// Yes or no.
        #[prost(bool, tag = "14")]
        Boolean(bool),
        /// Texts.
        #[prost(string, tag = "15")]
        Text(String),
        /// Bytes and files.
        #[prost(bytes = "vec", tag = "16")]
        Bytes(Vec<u8>),
    }
}

/// Keys and values, position by position.
#[derive(Clone, PartialEq, Message)]
pub struct PropertySet {
    /// Names.
    #[prost(string, repeated, tag = "1")]
    pub keys: Vec<String>,
    /// As many values.
    #[prost(message, repeated, tag = "2")]
    pub values: Vec<PropertyValue>,
}

/// One property.
#[derive(Clone, PartialEq, Message)]
pub struct PropertyValue {
    /// A [`DataType`](super::DataType) by its number.
    #[prost(uint32, optional, tag = "1")]
    pub datatype: Option<u32>,
    /// There is no value.
    #[prost(bool, optional, tag = "2")]
    pub is_null: Option<bool>,
    /// The value; absent when it is null, or of a kind that is not read here.
    #[prost(oneof = "property_value::Value", tags = "3, 4, 5, 6, 7, 8")]
    pub value: Option<property_value::Value>,
}

/// How a property's value is written.
pub mod property_value {
    use super::Oneof;

    /// As of a metric, under other numbers.
    #[derive(Clone, PartialEq, Oneof)]
    pub enum Value {
        /// Integers of up to 32 bits, negative ones in two's complement.
        #[prost(uint32, tag = "3")]
        Int(u32),
        /// Integers of 64 bits, and times.
        #[prost(uint64, tag = "4")]
        Long(u64),
        /// Floats of 32 bits.
        #[prost(float, tag = "5")]
        Float(f32),
        /// Floats of 64 bits.
        #[prost(double, tag = "6")]
        Double(f64),
        /// Yes or no.
        #[prost(bool, tag = "7")]
        Boolean(bool),
        /// Texts.
        #[prost(string, tag = "8")]
        Text(String),
    }
}

impl Payload {
    /// The bytes of an MQTT message.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.encode_to_vec()
    }

    /// Reads what a far end sent, whatever it is; memory and time are in proportion to `limits`.
    ///
    /// # Errors
    /// Larger than `limits`, or no Sparkplug payload.
    pub fn from_bytes(bytes: &[u8], limits: Limits) -> Result<Self, Refusal> {
        bounds::measure(bytes, limits)?;
        Self::decode(bytes).map_err(|error| Refusal::NotAPayload(error.to_string()))
    }
}

impl PropertySet {
    /// The property of this name.
    pub fn get(&self, key: &str) -> Option<&PropertyValue> {
        let at = self.keys.iter().position(|known| known == key)?;
        self.values.get(at)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Written by hand from the specification's field numbers.
    const BIRTH: &[u8] = &[
        0x08, 0x05, // timestamp 5
        0x12, 0x19, // a metric of 25 bytes
        0x0a, 0x01, b'a', // name
        0x10, 0x07, // alias 7
        0x18, 0x06, // timestamp 6
        0x20, 0x0a, // datatype Double
        0x28, 0x01, // historical
        0x4a, 0x03, 0x0a, 0x01, b'k', // properties: one key
        0x69, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f, // 1.5
        0x18, 0x03, // seq 3
    ];

    fn birth() -> Payload {
        Payload {
            timestamp: Some(5),
            metrics: vec![Metric {
                name: Some("a".into()),
                alias: Some(7),
                timestamp: Some(6),
                datatype: Some(10),
                is_historical: Some(true),
                properties: Some(PropertySet {
                    keys: vec!["k".into()],
                    values: Vec::new(),
                }),
                value: Some(metric_value::Value::Double(1.5)),
                ..Metric::default()
            }],
            seq: Some(3),
            ..Payload::default()
        }
    }

    #[test]
    fn field_numbers_are_those_of_the_specification() {
        assert_eq!(birth().to_bytes(), BIRTH);
        let read = Payload::from_bytes(BIRTH, Limits::default());
        assert_eq!(read.expect("it is one"), birth());
    }

    #[test]
    fn values_of_other_kinds_are_passed_over() {
        // A data set in field 17, metadata in field 8.
        let bytes = [0x12, 0x07, 0x42, 0x00, 0x8a, 0x01, 0x02, 0x08, 0x01];
        let read = Payload::from_bytes(&bytes, Limits::default()).expect("a payload");
        assert_eq!(read.metrics, [Metric::default()]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _read = Payload::from_bytes(&bytes, Limits::default()).is_ok();
        }

        #[test]
        fn what_was_cut_is_no_panic(at in 0..BIRTH.len()) {
            let _read = Payload::from_bytes(&BIRTH[..at], Limits::default()).is_ok();
        }
    }
}
