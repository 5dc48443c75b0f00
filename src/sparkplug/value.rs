//! What a metric's value means: the wire has few forms, the datatype says which number is in them.

use super::payload::{Metric, metric_value};

/// The datatypes that are read or written here, with the specification's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum DataType {
    /// Signed, 8 bits.
    Int8 = 1,
    /// Signed, 16 bits.
    Int16 = 2,
    /// Signed, 32 bits.
    Int32 = 3,
    /// Signed, 64 bits.
    Int64 = 4,
    /// Unsigned, 8 bits.
    UInt8 = 5,
    /// Unsigned, 16 bits.
    UInt16 = 6,
    /// Unsigned, 32 bits.
    UInt32 = 7,
    /// Unsigned, 64 bits.
    UInt64 = 8,
    /// Float of 32 bits.
    Float = 9,
    /// Float of 64 bits.
    Double = 10,
    /// Yes or no.
    Boolean = 11,
    /// Text.
    String = 12,
    /// Milliseconds since 1970 in UTC.
    DateTime = 13,
    /// Text.
    Text = 14,
    /// Text of 36 characters.
    Uuid = 15,
}

impl DataType {
    /// Every one of them.
    pub const ALL: [Self; 15] = [
        Self::Int8,
        Self::Int16,
        Self::Int32,
        Self::Int64,
        Self::UInt8,
        Self::UInt16,
        Self::UInt32,
        Self::UInt64,
        Self::Float,
        Self::Double,
        Self::Boolean,
        Self::String,
        Self::DateTime,
        Self::Text,
        Self::Uuid,
    ];

    /// As it stands in a birth.
    pub const fn number(self) -> u32 {
        self as u32
    }

    /// `None`: one that is not read here.
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.number() == number)
    }
}

/// A value as it is meant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'m> {
    /// A number; integers of 64 bits may lose their last digits.
    Number(f64),
    /// Yes or no.
    Flag(bool),
    /// A text.
    Text(&'m str),
    /// The far end says that there is none.
    Null,
}

impl Metric {
    /// The value by the datatype that the birth gave it. `None`: it is of another form than that, or
    /// there is none although it is not said to be null.
    pub fn value_as(&self, datatype: DataType) -> Option<Value<'_>> {
        if self.is_null == Some(true) {
            return Some(Value::Null);
        }
        use metric_value::Value as Wire;
        let value = match (self.value.as_ref()?, datatype) {
            (Wire::Int(bits), _) => Value::Number(small_integer(*bits, datatype)?),
            (Wire::Long(bits), _) => Value::Number(large_integer(*bits, datatype)?),
            (Wire::Float(number), DataType::Float | DataType::Double) => {
                Value::Number((*number).into())
            }
            (Wire::Double(number), DataType::Float | DataType::Double) => Value::Number(*number),
            (Wire::Boolean(flag), DataType::Boolean) => Value::Flag(*flag),
            (Wire::Text(text), DataType::String | DataType::Text | DataType::Uuid) => {
                Value::Text(text)
            }
            (
                Wire::Float(_)
                | Wire::Double(_)
                | Wire::Boolean(_)
                | Wire::Text(_)
                | Wire::Bytes(_),
                _,
            ) => {
                return None;
            }
        };
        Some(value)
    }
}

/// 32 bits on the wire. Far ends write small negative numbers with or without the sign in the upper
/// bits; the lower ones are the same.
fn small_integer(bits: u32, datatype: DataType) -> Option<f64> {
    let [a, b, ..] = bits.to_le_bytes();
    let number = match datatype {
        DataType::Int8 => i8::from_le_bytes([a]).into(),
        DataType::Int16 => i16::from_le_bytes([a, b]).into(),
        DataType::Int32 => bits.cast_signed().into(),
        DataType::UInt8 | DataType::UInt16 | DataType::UInt32 => bits.into(),
        // Some write them so while the number is small; a negative one would be ambiguous.
        DataType::Int64 | DataType::UInt64 => bits.into(),
        DataType::Float
        | DataType::Double
        | DataType::Boolean
        | DataType::String
        | DataType::DateTime
        | DataType::Text
        | DataType::Uuid => return None,
    };
    Some(number)
}

/// 64 bits on the wire.
#[expect(
    clippy::cast_precision_loss,
    reason = "the engine's values are floats; what is beyond 2^53 loses its last digits"
)]
fn large_integer(bits: u64, datatype: DataType) -> Option<f64> {
    match datatype {
        DataType::Int64 => Some(bits.cast_signed() as f64),
        DataType::UInt32 | DataType::UInt64 | DataType::DateTime => Some(bits as f64),
        DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::UInt8
        | DataType::UInt16
        | DataType::Float
        | DataType::Double
        | DataType::Boolean
        | DataType::String
        | DataType::Text
        | DataType::Uuid => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metric(value: metric_value::Value) -> Metric {
        Metric {
            value: Some(value),
            ..Metric::default()
        }
    }

    #[test]
    fn the_datatype_says_which_number_is_meant() {
        use metric_value::Value::{Boolean, Double, Int, Long, Text};
        let table = [
            (Int(0xff), DataType::Int8, Some(Value::Number(-1.0))),
            (Int(0xffff_fffe), DataType::Int8, Some(Value::Number(-2.0))),
            (Int(0x8000), DataType::Int16, Some(Value::Number(-32_768.0))),
            (Int(u32::MAX), DataType::Int32, Some(Value::Number(-1.0))),
            (
                Int(u32::MAX),
                DataType::UInt32,
                Some(Value::Number(4_294_967_295.0)),
            ),
            (Int(7), DataType::Double, None),
            (Long(u64::MAX), DataType::Int64, Some(Value::Number(-1.0))),
            (
                Long(1 << 63),
                DataType::UInt64,
                Some(Value::Number(9.223_372_036_854_776e18)),
            ),
            (Long(1), DataType::Boolean, None),
            (Double(2.5), DataType::Double, Some(Value::Number(2.5))),
            (Boolean(true), DataType::Boolean, Some(Value::Flag(true))),
            (Boolean(true), DataType::Double, None),
            (Text("on".into()), DataType::String, Some(Value::Text("on"))),
            (Text("1".into()), DataType::Int32, None),
        ];
        for (wire, datatype, expected) in table {
            let metric = metric(wire);
            assert_eq!(
                metric.value_as(datatype),
                expected,
                "{metric:?} {datatype:?}"
            );
        }
    }

    #[test]
    fn null_is_no_zero_and_nothing_is_no_null() {
        let null = Metric {
            is_null: Some(true),
            value: Some(metric_value::Value::Double(0.0)),
            ..Metric::default()
        };
        assert_eq!(null.value_as(DataType::Double), Some(Value::Null));
        assert_eq!(Metric::default().value_as(DataType::Double), None);
    }

    #[test]
    fn numbers_of_datatypes_are_those_of_the_specification() {
        for (position, datatype) in DataType::ALL.into_iter().enumerate() {
            assert_eq!(datatype.number() as usize, position + 1);
            assert_eq!(DataType::from_number(datatype.number()), Some(datatype));
        }
        assert_eq!(DataType::from_number(0), None);
        assert_eq!(DataType::from_number(16), None);
    }
}
