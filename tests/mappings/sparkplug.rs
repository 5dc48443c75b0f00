//! Sparkplug B in: births, aliases, deaths.

use forewarn::sparkplug::{DataType, Metric, Payload, PropertySet, PropertyValue};
use forewarn::sparkplug::{metric_value, property_value};

use super::Plant;

const NOW: u64 = 1_800_000_000_000;

fn plant() -> Plant {
    Plant::new(
        "[mapping.s]\ntopic = \"spBv1.0/plants/#\"\nformat = \"sparkplug\"\nname = \"Gas/{metric}\"\n\
         point = \"{node}-{device}-{metric}\"\nwords = { open = 1 }\n\
         [point.n1-d1-ch4]\nmapping = \"s\"\n[point.n1-d1-h2s]\nmapping = \"s\"\n\
         [point.n1-d2-ch4]\nmapping = \"s\"\n[point.n1-d1-gate]\nmapping = \"s\"\nstate = { when = 1 }\n",
    )
}

/// A metric with name and alias, as in a birth.
fn born(name: &str, alias: u64, datatype: DataType, value: metric_value::Value) -> Metric {
    Metric {
        name: Some(name.to_owned()),
        datatype: Some(datatype.number()),
        ..told(alias, value)
    }
}

/// A metric with its alias alone, as in data.
fn told(alias: u64, value: metric_value::Value) -> Metric {
    Metric {
        alias: Some(alias),
        timestamp: Some(NOW),
        value: Some(value),
        ..Metric::default()
    }
}

fn bd_seq(number: u64) -> Metric {
    Metric {
        name: Some("bdSeq".to_owned()),
        datatype: Some(DataType::UInt64.number()),
        value: Some(metric_value::Value::Long(number)),
        ..Metric::default()
    }
}

fn message(seq: impl Into<Option<u64>>, metrics: Vec<Metric>) -> Vec<u8> {
    let payload = Payload {
        timestamp: Some(NOW),
        seq: seq.into(),
        metrics,
        ..Payload::default()
    };
    payload.to_bytes()
}

const NBIRTH: &str = "spBv1.0/plants/NBIRTH/n1";
const DBIRTH: &str = "spBv1.0/plants/DBIRTH/n1/d1";
const DDATA: &str = "spBv1.0/plants/DDATA/n1/d1";

use metric_value::Value::{Boolean, Double, Int, Text};

/// A plant whose node and first device are there.
fn alive() -> Plant {
    let mut plant = plant();
    assert_eq!(plant.hear(NBIRTH, message(0, vec![bd_seq(3)])), "");
    let metrics = vec![
        born("Gas/ch4", 1, DataType::Double, Double(7.5)),
        born("Gas/h2s", 2, DataType::Int16, Int(0xFFFE)),
        born("Gas/gate", 3, DataType::Boolean, Boolean(true)),
        born("Gas/other", 4, DataType::Double, Double(1.0)),
    ];
    assert_eq!(
        plant.hear(DBIRTH, message(1, metrics)),
        "n1-d1-ch4=7.5@0ms n1-d1-h2s=-2@0ms n1-d1-gate=1@0ms [unknown_point Gas/other]"
    );
    plant
}

#[test]
fn births_name_what_data_tells_by_alias() {
    let mut plant = alive();
    let data = vec![told(1, Double(8.0)), told(2, Int(5)), told(4, Double(9.0))];
    assert_eq!(
        plant.hear(DDATA, message(2, data)),
        "n1-d1-ch4=8@0ms n1-d1-h2s=5@0ms"
    );
    let other = "spBv1.0/plants/DDATA/n1/d2";
    assert_eq!(
        plant.hear(other, message(3, vec![told(1, Double(9.0))])),
        "[no_birth d2]"
    );
    // The alias of one device is nothing of another.
    let birth = vec![born("Gas/ch4", 9, DataType::Double, Double(1.0))];
    let topic = "spBv1.0/plants/DBIRTH/n1/d2";
    assert_eq!(plant.hear(topic, message(4, birth)), "n1-d2-ch4=1@0ms");
    assert_eq!(
        plant.hear(other, message(5, vec![told(1, Double(9.0))])),
        ""
    );
    // Anew everything: old aliases mean nothing any more.
    assert_eq!(plant.hear(NBIRTH, message(0, vec![bd_seq(4)])), "");
    assert_eq!(
        plant.hear(DDATA, message(1, vec![told(1, Double(9.0))])),
        "[no_birth d1]"
    );
}

/// Under the aliases of the birth before there may be something else now.
#[test]
fn a_birth_that_cannot_be_read_ends_what_the_one_before_said() {
    const GONE: &str =
        "n1-d1-ch4=bad:source_offline n1-d1-h2s=bad:source_offline n1-d1-gate=bad:source_offline";
    let too_large = vec![b' '; 300 * 1024];
    for (topic, birth, reason) in [
        (
            NBIRTH,
            &b"x"[..],
            "not_sparkplug not a Sparkplug B payload: it ends within a field",
        ),
        (
            DBIRTH,
            b"x",
            "not_sparkplug not a Sparkplug B payload: it ends within a field",
        ),
        (NBIRTH, &too_large, "too_large"),
        (DBIRTH, &too_large, "too_large"),
    ] {
        let mut plant = alive();
        assert_eq!(
            plant.hear(topic, birth),
            format!("{GONE} [{reason}]"),
            "{topic}"
        );
        let data = plant.hear(DDATA, message(2, vec![told(1, Double(8.0))]));
        assert!(data.starts_with("[no_birth"), "{topic}: {data}");
    }
}

/// Two metrics under one alias: of its data nobody knows whose it is, also when only one of them is a point.
#[test]
fn a_shared_alias_stands_for_nothing() {
    let mut plant = plant();
    plant.hear(NBIRTH, message(0, vec![bd_seq(3)]));
    let metrics = vec![
        born("Gas/ch4", 1, DataType::Double, Double(7.5)),
        born("Motor/speed", 1, DataType::Double, Double(1500.0)),
        born("Gas/h2s", 2, DataType::Int16, Int(3)),
    ];
    let birth = plant.hear(DBIRTH, message(1, metrics));
    assert!(
        birth.starts_with("n1-d1-ch4=7.5@0ms n1-d1-h2s=3@0ms"),
        "{birth}"
    );
    assert!(birth.contains("[shared_alias Gas/ch4]"), "{birth}");
    let data = vec![told(1, Double(1480.0)), told(2, Int(4))];
    assert_eq!(plant.hear(DDATA, message(2, data)), "n1-d1-h2s=4@0ms");
}

#[test]
fn nothing_is_understood_before_a_birth() {
    let mut plant = plant();
    let data = message(7, vec![told(1, Double(8.0))]);
    assert_eq!(plant.hear(DDATA, &data), "[no_birth n1]");
    assert_eq!(plant.hear(DBIRTH, message(1, vec![])), "[no_birth n1]");
    assert_eq!(
        plant.hear("spBv1.0/plants/NDEATH/n1", message(None, vec![bd_seq(0)])),
        ""
    );
    assert_eq!(plant.hear("spBv1.0/plants/NCMD/n1", "x"), "");
    assert_eq!(
        plant.hear("spBv1.0/plants/NDATA/n1", "x"),
        "[not_sparkplug not a Sparkplug B payload: it ends within a field]"
    );
}

#[test]
fn the_dead_have_no_values() {
    let mut plant = alive();
    const GONE: &str =
        "n1-d1-ch4=bad:source_offline n1-d1-h2s=bad:source_offline n1-d1-gate=bad:source_offline";
    let death = |number| message(None, vec![bd_seq(number)]);
    assert_eq!(
        plant.hear("spBv1.0/plants/NDEATH/n1", death(2)),
        "[old_death n1]"
    );
    assert_eq!(
        plant.hear("spBv1.0/plants/DDEATH/n1/d1", message(2, vec![])),
        GONE
    );
    let data = message(3, vec![told(1, Double(8.0))]);
    assert_eq!(plant.hear(DDATA, data), "[no_birth d1]");
    let birth = vec![born("Gas/ch4", 1, DataType::Double, Double(7.5))];
    assert_eq!(plant.hear(DBIRTH, message(4, birth)), "n1-d1-ch4=7.5@0ms");
    assert_eq!(
        plant.hear("spBv1.0/plants/NDEATH/n1", death(3)),
        "n1-d1-ch4=bad:source_offline"
    );
    assert_eq!(plant.hear("spBv1.0/plants/NDEATH/n1", death(3)), "", "once");
}

#[test]
fn values_are_what_their_type_and_quality_say() {
    let mut plant = alive();
    let null = Metric {
        is_null: Some(true),
        value: None,
        ..told(1, Double(0.0))
    };
    let of_quality = |number| Metric {
        properties: Some(PropertySet {
            keys: vec!["Quality".to_owned()],
            values: vec![PropertyValue {
                datatype: Some(DataType::Int32.number()),
                value: Some(property_value::Value::Int(number)),
                ..PropertyValue::default()
            }],
        }),
        ..told(1, Double(6.0))
    };
    let old = Metric {
        timestamp: Some(NOW - 60_000),
        is_historical: Some(true),
        ..told(1, Double(5.0))
    };
    const BAD: &str = "n1-d1-ch4=bad:sensor_failure [not_a_number]";
    for (seq, (metric, expected)) in (2..).zip([
        (null, BAD),
        (told(1, Double(f64::NAN)), BAD),
        (told(1, Text("open".into())), BAD),
        (told(1, Int(7)), BAD),
        (of_quality(192), "n1-d1-ch4=6@0ms"),
        (of_quality(500), "n1-d1-ch4=bad:source_bad [source_bad 500]"),
        (old, "n1-d1-ch4=5@-60000ms"),
    ]) {
        assert_eq!(plant.hear(DDATA, message(seq, vec![metric])), expected);
    }
    let twice = vec![told(1, Double(5.0)), told(1, Double(6.0))];
    assert_eq!(
        plant.hear(DDATA, message(9, twice)),
        "n1-d1-ch4=5@0ms [second_value]"
    );
}

#[test]
fn missing_messages_are_told() {
    let mut plant = alive();
    let data = |seq| message(seq, vec![told(1, Double(8.0))]);
    assert_eq!(
        plant.hear(DDATA, data(4)),
        "n1-d1-ch4=8@0ms [sequence_gap 4]"
    );
    for seq in (5..256).chain(0..3) {
        assert_eq!(plant.hear(DDATA, data(seq)), "n1-d1-ch4=8@0ms", "{seq}");
    }
}

/// Strangers on the group's topics.
#[test]
fn many_nodes_leave_the_known_one_alone() {
    let mut plant = alive();
    for number in 0..3_000 {
        let topic = format!("spBv1.0/plants/NBIRTH/x{number}");
        assert_eq!(plant.hear(&topic, message(0, vec![bd_seq(1)])), "");
    }
    let data = message(2, vec![told(1, Double(8.0))]);
    assert_eq!(plant.hear(DDATA, data), "n1-d1-ch4=8@0ms");
    let first = message(1, vec![told(1, Double(8.0))]);
    let first = plant.hear("spBv1.0/plants/NDATA/x0", first);
    assert_eq!(first, "[no_birth x0]", "forgotten");
}
