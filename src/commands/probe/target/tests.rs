//! Who is meant by a command line.

use clap::Parser;

use super::*;
use crate::input::modbus::line::Endpoint;

#[derive(Parser)]
struct Line_ {
    #[command(flatten)]
    args: ProbeArgs,
}

fn meant(words: &[&str]) -> Result<Target, Unfit> {
    let config = "site = \"a\"\n[device]\ngd-01 = { modbus = \"tcp://192.0.2.10\", unit_id = 3, max_registers = 20 }\n\
                  gd-02 = { modbus = \"tcp://192.0.2.10\", unit_id = 4 }\n[point.P]\ndevice = \"gd-01\"\n\
                  register = \"input:7\"\ntype = \"int16\"\nscale = 0.1\noffset = -10\nrange = [0, 100]\n\
                  [point.Q]\ndevice = \"gd-01\"\nregister = \"holding:9\"\ntype = \"float32\"\n\
                  [point.I]\ndevice = \"gd-02\"\nregister = \"input:1\"\ntype = \"uint16\"\n\
                  range = [0, 16]\nraw_range = [4000, 20000]\n";
    let words = ["probe"].into_iter().chain(words.iter().copied());
    let line = Line_::try_parse_from(words).expect("arguments");
    target(&line.args, Source::text("forewarn.toml", config))
}

fn refused(words: &[&str]) -> String {
    match meant(words) {
        Err(Unfit::Usage(text)) => text,
        other => unreachable!("{words:?}: {other:?}"),
    }
}

#[test]
fn a_device_is_known_by_its_id_with_its_points() {
    let target = meant(&["gd-01"]).expect("known");
    assert_eq!((target.unit_id, target.max_registers), (3, 20));
    let spans: Vec<String> = target.spans().iter().map(Span::to_string).collect();
    assert_eq!(spans, ["input:7", "holding:9-10"]);
    // 0 to 100 at a tenth a step, ten below.
    let expected = target.expected(Table::Input, 7).expect("a range");
    assert!((expected.low - 100.0).abs() < 1e-9 && (expected.high - 1_100.0).abs() < 1e-9);
    assert_eq!(target.expected(Table::Holding, 9), None);
    let neighbours: Vec<_> = target.neighbours.iter().map(|(unit, _)| *unit).collect();
    assert_eq!(neighbours, [3, 4]);
    let other = meant(&["gd-02"]).expect("known");
    let raw = other
        .expected(Table::Input, 1)
        .map(|raw| (raw.low, raw.high));
    assert_eq!(raw, Some((4_000.0, 20_000.0)));
}

#[test]
fn an_address_is_read_as_the_configuration_reads_it() {
    for (words, unit) in [
        (vec!["tcp://192.0.2.10"], 1),
        (vec!["tcp://192.0.2.10:502?unit=255"], 255),
        (vec!["tcp://192.0.2.10", "--unit-id", "0"], 0),
        (vec!["tcp://192.0.2.10?unit_id=7", "--unit-id", "7"], 7),
    ] {
        let target = meant(&words).expect("an address");
        let line = Line::Tcp(Endpoint {
            host: "192.0.2.10".to_owned(),
            port: 502,
        });
        assert_eq!((target.line, target.unit_id, target.id), (line, unit, None));
    }
    let serial = [
        "rtu:///dev/ttyUSB0",
        "--serial",
        "9600 8E1",
        "--unit-id",
        "7",
    ];
    let target = meant(&serial).expect("a serial line");
    assert!(matches!(target.line, Line::Serial(line) if line.mode.baud == 9_600));
    let target = meant(&["rtu+tcp://192.0.2.10:4001"]).expect("a serial server");
    assert!(matches!(target.line, Line::RtuOverTcp(_)));
}

#[test]
fn whoever_is_not_there_is_told_with_what_is() {
    for (words, hint) in [
        (vec!["gd-03"], "did you mean \"gd-0"),
        (vec!["gd-01", "--unit-id", "7"], "the configuration says it"),
        (vec!["rtu:///dev/ttyUSB0"], "`serial`"),
        (vec!["tcp://192.0.2.10", "--serial", "9600 8E1"], "serial"),
        (vec!["rtu+tcp://192.0.2.10:4001?unit=248"], "unit_id"),
        (vec!["rtu+tcp://192.0.2.10"], "port"),
        (vec!["tcp://192.0.2.10?slave=3"], "?unit=N"),
        (
            vec!["tcp://192.0.2.10?unit=3", "--unit-id", "4"],
            "leave one",
        ),
        (vec!["http://192.0.2.10"], "scheme"),
        (vec!["tcp://a\"b\u{7f}"], "error["),
    ] {
        let said = refused(&words);
        assert!(said.contains(hint), "{words:?}: {said}");
    }
}
