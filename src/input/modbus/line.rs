//! What a bus runs over, and how long its characters take.

use std::fmt;
use std::time::Duration;

/// What a bus runs over: one TCP connection or one serial line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Line {
    /// Modbus TCP.
    Tcp(Endpoint),
    /// RTU frames in a TCP connection, to a serial server.
    RtuOverTcp(Endpoint),
    /// RTU on a serial device of this machine.
    Serial(SerialLine),
}

/// A TCP endpoint.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Endpoint {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

/// A serial device and how it is set.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SerialLine {
    /// The device's file, absolute.
    pub path: String,
    /// Speed and frame of a character.
    pub mode: SerialMode,
    /// Does the kernel switch the direction of an RS-485 transceiver (RTS high while it sends)? Off for
    /// adapters that do it themselves, as most on USB.
    pub rs485: bool,
}

/// Speed and frame of a character; RTU has eight data bits always.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SerialMode {
    /// Bits per second, above 0.
    pub baud: u32,
    /// The parity bit.
    pub parity: Parity,
    /// Two stop bits instead of one?
    pub two_stop_bits: bool,
}

/// The parity bit of a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Parity {
    /// No such bit.
    None,
    /// An even number of ones.
    Even,
    /// An odd number of ones.
    Odd,
}

/// Above this speed the silent interval is the same for all (Modbus over Serial Line V1.02, 2.5.1.1).
const FAST: u32 = 19_200;
const FAST_GAP: Duration = Duration::from_micros(1_750);

impl SerialMode {
    /// How long `characters` take.
    pub fn time_of(self, characters: u32) -> Duration {
        let bits = 10 + u32::from(self.parity != Parity::None) + u32::from(self.two_stop_bits);
        Duration::from_secs(1)
            .saturating_mul(characters.saturating_mul(bits))
            .checked_div(self.baud)
            .unwrap_or(Duration::MAX)
    }

    /// The silence that parts two frames: 3.5 characters, or 1.75 ms above 19,200 baud (Modbus over
    /// Serial Line V1.02, 2.5.1.1).
    pub fn gap(self) -> Duration {
        if self.baud > FAST {
            FAST_GAP
        } else {
            self.time_of(7) / 2
        }
    }
}

impl Line {
    /// What a unit that answers with anything but a frame may cost beyond its timeout, when the slowest device
    /// of the line may take `worst` for an answer: whose the bytes were nobody knows, and so everybody waits until a
    /// line of RTU frames was silent for that long. Over TCP the connection goes, and with it what was under way.
    pub const fn resync(&self, worst: Duration) -> Duration {
        match self {
            Self::Tcp(_) => Duration::ZERO,
            Self::RtuOverTcp(_) | Self::Serial(_) => worst,
        }
    }

    /// Is it the same connection or device, however it is set? Then one is asked at a time.
    pub fn is_same_wire(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Serial(one), Self::Serial(other)) => one.path == other.path,
            (
                Self::Tcp(one) | Self::RtuOverTcp(one),
                Self::Tcp(other) | Self::RtuOverTcp(other),
            ) => one == other,
            (Self::Serial(_), Self::Tcp(_) | Self::RtuOverTcp(_))
            | (Self::Tcp(_) | Self::RtuOverTcp(_), Self::Serial(_)) => false,
        }
    }
}

impl fmt::Display for Line {
    /// `HOST:PORT` or the path of the device: what is the same for everybody on the line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(Endpoint { host, port }) | Self::RtuOverTcp(Endpoint { host, port }) => {
                write!(f, "{host}:{port}")
            }
            Self::Serial(serial) => f.write_str(&serial.path),
        }
    }
}

impl fmt::Display for SerialMode {
    /// As it is configured: `9600 8E1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parity = match self.parity {
            Parity::None => 'N',
            Parity::Even => 'E',
            Parity::Odd => 'O',
        };
        let stop_bits = if self.two_stop_bits { 2 } else { 1 };
        write!(f, "{} 8{parity}{stop_bits}", self.baud)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_takes_as_long_as_its_bits() {
        for (baud, parity, two_stop_bits, one_thousand, gap) in [
            (9_600, Parity::Even, false, 1_145_833, 4_010),
            (9_600, Parity::None, false, 1_041_666, 3_645),
            (9_600, Parity::None, true, 1_145_833, 4_010),
            (1_200, Parity::Odd, false, 9_166_666, 32_083),
            (19_200, Parity::Even, false, 572_916, 2_005),
            (19_201, Parity::Even, false, 572_886, 1_750),
            (115_200, Parity::Even, true, 104_166, 1_750),
        ] {
            let mode = SerialMode {
                baud,
                parity,
                two_stop_bits,
            };
            assert_eq!(mode.time_of(1_000).as_micros(), one_thousand, "{mode}");
            assert_eq!(mode.gap().as_micros(), gap, "{mode}");
        }
        let stopped = SerialMode {
            baud: 0,
            parity: Parity::None,
            two_stop_bits: false,
        };
        assert_eq!(stopped.time_of(1), Duration::MAX);
    }

    #[test]
    fn the_same_wire_is_the_same_whatever_runs_over_it() {
        let endpoint = |port| Endpoint {
            host: "192.0.2.1".to_owned(),
            port,
        };
        let serial = |path: &str, rs485| {
            Line::Serial(SerialLine {
                path: path.to_owned(),
                mode: SerialMode {
                    baud: 9_600,
                    parity: Parity::Even,
                    two_stop_bits: false,
                },
                rs485,
            })
        };
        let one = Line::Tcp(endpoint(502));
        assert!(one.is_same_wire(&Line::RtuOverTcp(endpoint(502))));
        assert!(!one.is_same_wire(&Line::Tcp(endpoint(503))));
        assert!(!one.is_same_wire(&serial("/dev/ttyS0", false)));
        assert!(serial("/dev/ttyS0", true).is_same_wire(&serial("/dev/ttyS0", false)));
        assert!(!serial("/dev/ttyS0", true).is_same_wire(&serial("/dev/ttyS1", true)));
    }
}
