//! What enters the engine: one reading of one point, with its quality and its times.
//!
//! A bad reading has no value, so that none can be misused: not the last one, not zero. NaN and the
//! infinities become bad at the edge and never reach a comparison.

use serde::{Deserialize, Serialize};

use super::time::{Moment, Wall};

/// Dense index of a point in [`Settings::points`](super::settings::Settings::points), resolved once
/// at the edge so that the hot path neither hashes nor compares strings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PointIndex(pub u32);

/// Dense index of an alarm over all points, in configuration order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AlarmIndex(pub u32);

/// A float that is neither NaN nor infinite.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Finite(f64);

impl Finite {
    /// `None` for NaN and the infinities.
    pub fn new(value: f64) -> Option<Self> {
        value.is_finite().then_some(Self(value))
    }

    /// The number, in the point's unit.
    pub const fn get(self) -> f64 {
        self.0
    }

    /// Of a digital point: does it stand in the position that is not zero? Halfway between the two, so
    /// that a scaled contact need not be exact.
    pub const fn is_set(self) -> bool {
        self.0.abs() >= 0.5
    }
}

/// What one of the gateway's own points about a connection reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// All is well.
    Good,
    /// Something is wrong, and yet what is sent arrives.
    Troubled,
    /// Nothing arrives.
    Down,
}

impl Service {
    /// As the point reads it: 0, 1 or 2.
    pub const fn value(self) -> f64 {
        match self {
            Self::Good => 0.0,
            Self::Troubled => 1.0,
            Self::Down => 2.0,
        }
    }

    /// What `value` stands for.
    pub const fn of(value: Finite) -> Self {
        if value.get() >= 1.5 {
            Self::Down
        } else if value.is_set() {
            Self::Troubled
        } else {
            Self::Good
        }
    }
}

/// What a device says of itself: the categories of NAMUR NE 107, from the least to the worst, and that
/// nobody knows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// Nothing is wrong.
    #[default]
    Good,
    /// M: it measures, and wants to be looked after.
    Maintenance,
    /// S: it measures beyond what it is made for.
    OutOfSpecification,
    /// It is not known what it says.
    #[serde(skip)]
    Unknown,
    /// It has not said anything since the start, and may have failed before.
    #[serde(skip)]
    NotHeard,
    /// C: somebody works on it; what it says is not the process.
    FunctionCheck,
    /// F: it has failed.
    Failure,
}

impl Health {
    /// Why there is no value, if it says that.
    pub const fn fault(self) -> Option<Fault> {
        match self {
            Self::Failure => Some(Fault::DeviceFailure),
            Self::FunctionCheck => Some(Fault::OutOfService),
            Self::NotHeard
            | Self::Unknown
            | Self::OutOfSpecification
            | Self::Maintenance
            | Self::Good => None,
        }
    }

    /// What a sample is worth then. What was doubtful before is so for the same reason, unless the new one
    /// weighs more.
    pub const fn weigh(self, sample: Sample) -> Sample {
        match (self, self.fault(), sample) {
            (_, _, Sample::Bad(_)) => sample,
            (_, Some(fault), _) => Sample::Bad(fault),
            (Self::NotHeard, _, Sample::Good(value) | Sample::Uncertain(value, _)) => {
                Sample::Uncertain(value, Doubt::StatusNotHeard)
            }
            (Self::OutOfSpecification, _, Sample::Good(value)) => {
                Sample::Uncertain(value, Doubt::SensorNotAccurate)
            }
            (Self::Unknown, _, Sample::Good(value)) => Sample::Uncertain(value, Doubt::SubNormal),
            (_, _, Sample::Good(_) | Sample::Uncertain(..)) => sample,
        }
    }
}

/// Why a value is usable but doubtful (OPC UA `Uncertain_*` sub-codes, OPC 10000-8, 7.3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Doubt {
    /// The source repeats its last good value.
    LastUsableValue,
    /// The source says that its sensor is inaccurate.
    SensorNotAccurate,
    /// Outside the measuring range: may raise an alarm, and clears none.
    EngineeringUnitsExceeded,
    /// Measured beyond the ends of the range and set to the nearer one, as configured.
    Clamped,
    /// Fewer sources than wanted took part.
    SubNormal,
    /// Its device has not said since the start how it is: may raise an alarm, and clears none.
    StatusNotHeard,
    /// The source's clock cannot be right; the gateway's time was used.
    BadClock,
    /// After a restart nobody knows yet whether it is old: it may raise an alarm, and clears none.
    UnknownClock,
    /// It has not moved for so long that the sensor may be stuck.
    Frozen,
}

/// Why there is no value (OPC UA `Bad_*` sub-codes, OPC 10000-8, 7.3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The device does not understand the question: the configuration does not fit it.
    ConfigurationError,
    /// The source was never reached.
    NotConnected,
    /// The device says that it has failed.
    DeviceFailure,
    /// The sensor behind the device has failed, or its value cannot be one.
    SensorFailure,
    /// Nothing new arrives.
    NoCommunication,
    /// The source is being maintained.
    OutOfService,
    /// Nothing has arrived yet.
    WaitingForInitialData,
    /// The device says that somebody has inhibited it.
    Inhibited,
    /// The device says that it does not measure yet.
    WarmingUp,
    /// An optical device says that something stands in its beam.
    BeamBlocked,
    /// The device has nothing at the address (Modbus exception 2).
    IllegalAddress,
    /// The device does not want to be asked for this address so (Modbus exception 3).
    IllegalValue,
    /// The device answers, but never when it is asked for this address.
    Unanswered,
    /// The source marks its value as bad.
    SourceBad,
    /// The source, or who watches it, says that it is not there.
    SourceOffline,
    /// The value is in another unit than the point.
    WrongUnit,
}

/// A value with its quality. There is no value to misuse when it is bad.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Sample {
    /// Trusted.
    Good(Finite),
    /// Evaluated, and marked.
    Uncertain(Finite, Doubt),
    /// Never evaluated: active alarms hold, pending ones are cancelled, the `bad` alarm rises.
    Bad(Fault),
}

impl Sample {
    /// A good sample, or [`Fault::SensorFailure`] when the number is NaN or infinite.
    pub fn measured(value: f64) -> Self {
        Finite::new(value).map_or(Self::Bad(Fault::SensorFailure), Self::Good)
    }

    /// The value, unless bad.
    pub const fn value(self) -> Option<Finite> {
        match self {
            Self::Good(value) | Self::Uncertain(value, _) => Some(value),
            Self::Bad(_) => None,
        }
    }

    /// May it end what is active? A value beyond what the sensor can measure, such as the one that
    /// stands for a current below 3.8 mA, tells that something is wrong, and not that anything is over. One
    /// that may be old tells nothing of the present, nor one of a device that had perhaps failed before
    /// the start, until its status is heard.
    pub const fn can_clear(self) -> bool {
        match self {
            Self::Good(_) => true,
            Self::Uncertain(_, doubt) => !matches!(
                doubt,
                Doubt::EngineeringUnitsExceeded | Doubt::StatusNotHeard | Doubt::UnknownClock
            ),
            Self::Bad(_) => false,
        }
    }

    /// Does it prove that there is a value? Not while its device may have said before the start that there is
    /// none.
    pub const fn ends_loss(self) -> bool {
        !matches!(
            self,
            Self::Bad(_) | Self::Uncertain(_, Doubt::StatusNotHeard)
        )
    }

    /// The quality without its reason.
    pub const fn quality(self) -> Quality {
        match self {
            Self::Good(_) => Quality::Good,
            Self::Uncertain(..) => Quality::Uncertain,
            Self::Bad(_) => Quality::Bad,
        }
    }

    /// The reason behind a quality that is not good, as it stands in events.
    pub const fn reason(self) -> Option<&'static str> {
        match self {
            Self::Good(_) => None,
            Self::Uncertain(_, doubt) => Some(doubt.name()),
            Self::Bad(fault) => Some(fault.name()),
        }
    }
}

/// The three qualities, as they stand in events and on the status page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quality {
    /// Trusted.
    Good,
    /// Usable with doubt.
    Uncertain,
    /// No value.
    Bad,
}

impl Quality {
    /// `good`, `uncertain` or `bad`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Uncertain => "uncertain",
            Self::Bad => "bad",
        }
    }
}

impl Doubt {
    /// The reason as it stands in events.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LastUsableValue => "last_usable_value",
            Self::SensorNotAccurate => "sensor_not_accurate",
            Self::EngineeringUnitsExceeded => "engineering_units_exceeded",
            Self::Clamped => "clamped",
            Self::SubNormal => "sub_normal",
            Self::StatusNotHeard => "status_not_heard",
            Self::BadClock => "bad_clock",
            Self::UnknownClock => "unknown_clock",
            Self::Frozen => "frozen",
        }
    }
}

impl Fault {
    /// All of them, in the order of their declaration.
    pub const ALL: [Self; 16] = [
        Self::ConfigurationError,
        Self::NotConnected,
        Self::DeviceFailure,
        Self::SensorFailure,
        Self::NoCommunication,
        Self::OutOfService,
        Self::WaitingForInitialData,
        Self::Inhibited,
        Self::WarmingUp,
        Self::BeamBlocked,
        Self::IllegalAddress,
        Self::IllegalValue,
        Self::Unanswered,
        Self::SourceBad,
        Self::SourceOffline,
        Self::WrongUnit,
    ];

    /// Does it say that nothing has failed: that somebody works on the device, or that it warms up?
    pub const fn is_intended(self) -> bool {
        matches!(self, Self::OutOfService | Self::Inhibited | Self::WarmingUp)
    }

    /// The reason as it stands in events.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ConfigurationError => "configuration_error",
            Self::NotConnected => "not_connected",
            Self::DeviceFailure => "device_failure",
            Self::SensorFailure => "sensor_failure",
            Self::NoCommunication => "no_communication",
            Self::OutOfService => "out_of_service",
            Self::WaitingForInitialData => "waiting_for_initial_data",
            Self::Inhibited => "inhibited",
            Self::WarmingUp => "warming_up",
            Self::BeamBlocked => "beam_blocked",
            Self::IllegalAddress => "illegal_address",
            Self::IllegalValue => "illegal_value",
            Self::Unanswered => "unanswered",
            Self::SourceBad => "source_bad",
            Self::SourceOffline => "source_offline",
            Self::WrongUnit => "wrong_unit",
        }
    }
}

/// What came from the field.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Measured {
    /// The number on the wire; the point's [`Signal`](super::signal::Signal) makes a value of it.
    Raw(f64),
    /// A value in the point's unit, or why there is none.
    Sample(Sample),
}

impl From<Sample> for Measured {
    fn from(sample: Sample) -> Self {
        Self::Sample(sample)
    }
}

/// One value from the field.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// Which point.
    pub point: PointIndex,
    /// As it came off the wire.
    pub measured: Measured,
    /// When it reached the gateway.
    pub received: Moment,
    /// When the source says it was taken.
    pub source_time: Option<Wall>,
    /// The source's own counter; an equal one marks a repetition.
    pub sequence: Option<u64>,
    /// An MQTT retained message: of unknown age, so never fresh: it is counted, and nothing else.
    pub retained: bool,
    /// What the device says of itself with it.
    pub health: Health,
}

impl Reading {
    /// A live reading without source time, as a poll gives it.
    pub fn live(point: PointIndex, measured: impl Into<Measured>, received: Moment) -> Self {
        Self {
            point,
            measured: measured.into(),
            received,
            source_time: None,
            sequence: None,
            retained: false,
            health: Health::Good,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_is_bad_and_has_no_value() {
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let sample = Sample::measured(value);
            assert_eq!(sample, Sample::Bad(Fault::SensorFailure));
            assert_eq!(sample.value(), None);
        }
    }

    #[test]
    fn the_service_of_a_connection_comes_back_from_its_value() {
        for service in [Service::Good, Service::Troubled, Service::Down] {
            let value = Finite::new(service.value()).expect("a number");
            assert_eq!(Service::of(value), service);
            // The alarm of the point is active for whatever is wrong.
            assert_eq!(value.is_set(), service != Service::Good);
        }
    }

    #[test]
    fn names_are_those_of_the_wire() {
        for (position, fault) in Fault::ALL.into_iter().enumerate() {
            assert_eq!(position, fault as usize);
            let wire = serde_json::to_string(&fault).expect("a unit variant serializes");
            assert_eq!(wire, format!("{:?}", fault.name()));
        }
    }
}
