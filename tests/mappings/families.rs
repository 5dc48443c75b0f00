//! One mapping, many points.

use super::Plant;

const HALL: &str = "[mapping.m]\ntopic = \"plant/{area}/{point}\"\npoint = \"{area}-{point}\"\n\
                    value = \"/v\"\n[point.hall-p1]\nmapping = \"m\"\n[point.hall-p2]\nmapping = \"m\"\n";

#[test]
fn a_topic_gives_its_value_to_the_point_of_its_name_and_to_nobody_else() {
    let mut plant = Plant::new(HALL);
    assert_eq!(plant.filters(), ["plant/+/+"]);
    for (topic, payload, expected) in [
        ("plant/hall/p1", r#"{"v":1.5}"#, "hall-p1=1.5"),
        ("plant/hall/p2", r#"{"v":-2}"#, "hall-p2=-2"),
        ("plant/hall/p3", r#"{"v":3}"#, "[unknown_point hall-p3]"),
        ("plant/hall/p3", "nonsense", "[unknown_point hall-p3]"),
        ("plant/yard/p1", r#"{"v":3}"#, "[unknown_point yard-p1]"),
        ("plant/hall", r#"{"v":3}"#, "[unknown_topic]"),
        ("plant/hall/p1/x", r#"{"v":3}"#, "[unknown_topic]"),
        (
            "plant/hall/p1",
            "{}",
            "hall-p1=bad:sensor_failure [no_value_at_pointer]",
        ),
        ("plant/hall/p1", "", "hall-p1=bad:sensor_failure [empty]"),
    ] {
        assert_eq!(plant.hear(topic, payload), expected, "{topic} {payload}");
    }
    assert_eq!(
        plant.find("plant/hall/p1", r#"{"v":1.5}"#),
        "hall-p1=1.5 (retained)"
    );
    assert_eq!(plant.find("plant/hall/p1", "{}"), "[no_value_at_pointer]");
}

#[test]
fn two_sources_whose_ids_are_spelt_alike_do_not_feed_one_point() {
    let mut plant = Plant::new(
        "[mapping.m]\ntopic = \"plant/{area}/{point}\"\npoint = \"{area}-{point}\"\nvalue = \"/v\"\n\
         [point.a-b-c]\nmapping = \"m\"\n",
    );
    let (first, second) = ("plant/a-b/c", "plant/a/b-c");
    // What a broker has kept claims nothing.
    assert_eq!(plant.find(second, r#"{"v":9}"#), "a-b-c=9 (retained)");
    // Nor does what cannot be read: what strays onto the topic of a twin does not shut out the sensor.
    for payload in ["{}", "", "?", r#"{"v":null}"#] {
        let said = plant.hear(second, payload);
        assert!(said.starts_with("a-b-c=bad:sensor_failure"), "{said}");
    }
    assert_eq!(plant.hear(first, r#"{"v":1}"#), "a-b-c=1");
    for payload in [r#"{"v":2}"#, "{}", ""] {
        assert_eq!(plant.hear(second, payload), "[other_source a-b-c]");
        assert_eq!(plant.find(second, payload), "[other_source a-b-c]");
    }
    assert_eq!(plant.hear(first, r#"{"v":3}"#), "a-b-c=3");

    let mut plant = Plant::new(
        "[mapping.g]\ntopic = \"gas\"\npoint = \"{/panel}.{/channel}\"\nvalue = \"/v\"\n\
         [point.\"a.b.c\"]\nmapping = \"g\"\n",
    );
    let of = |panel: &str, channel: &str| {
        format!(r#"{{"panel":"{panel}","channel":"{channel}","v":4}}"#)
    };
    assert_eq!(plant.hear("gas", of("a.b", "c")), "a.b.c=4");
    assert_eq!(plant.hear("gas", of("a", "b.c")), "[other_source a.b.c]");
}

#[test]
fn a_part_of_a_level_may_have_a_name_and_the_end_may_be_open() {
    let mut plant = Plant::new(
        "[mapping.m]\ntopic = \"site/dev-{id}/#\"\npoint = \"D{id}\"\n[point.D7]\nmapping = \"m\"\n",
    );
    assert_eq!(plant.filters(), ["site/+/#"]);
    assert_eq!(plant.hear("site/dev-7/any/thing", "5"), "D7=5");
    assert_eq!(plant.hear("site/dev-8/any", "5"), "[unknown_point D8]");
    // The broker passes on more than is meant.
    assert_eq!(plant.hear("site/gate/any", "5"), "[unknown_point]");
    assert_eq!(plant.hear("elsewhere", "5"), "[unknown_topic]");
}

#[test]
fn several_values_of_one_message_go_to_several_points() {
    let mut plant = Plant::new(
        "[mapping.z]\ntopic = \"z/{device}\"\nvalues = { \"{device}-t\" = \"/temperature\", \
         \"{device}-open\" = \"/contact\" }\n\
         [point.tank-t]\nmapping = \"z\"\nunit = \"degC\"\n\
         [point.gate-t]\nmapping = \"z\"\n[point.gate-open]\nmapping = \"z\"\nstate = { when = 1 }\n",
    );
    for (topic, payload, expected) in [
        (
            "z/tank",
            r#"{"temperature":21.5,"contact":true}"#,
            "tank-t=21.5",
        ),
        (
            "z/gate",
            r#"{"temperature":4,"contact":true}"#,
            "gate-t=4 gate-open=1",
        ),
        (
            "z/gate",
            r#"{"temperature":4}"#,
            "gate-t=4 gate-open=bad:sensor_failure [no_value_at_pointer]",
        ),
        (
            "z/gate",
            "offline",
            "gate-t=bad:sensor_failure gate-open=bad:sensor_failure [not_json] [not_json]",
        ),
        ("z/lamp", r#"{"temperature":4}"#, "[unknown_point lamp-t]"),
    ] {
        assert_eq!(plant.hear(topic, payload), expected, "{topic} {payload}");
    }
}

#[test]
fn what_a_message_leaves_out_may_mean_nothing() {
    let mut plant = Plant::new(
        "[mapping.s]\ntopic = \"{device}/events/rpc\"\nabsent = \"ignore\"\n\
         values = { \"{device}-t\" = \"/params/temperature:100/tC\", \"{device}-h\" = \"/params/humidity:100/rh\" }\n\
         [point.pit-t]\nmapping = \"s\"\n[point.pit-h]\nmapping = \"s\"\n",
    );
    let payload = r#"{"method":"NotifyStatus","params":{"ts":1,"temperature:100":{"tC":23.5}}}"#;
    assert_eq!(plant.hear("pit/events/rpc", payload), "pit-t=23.5");
    assert_eq!(plant.hear("pit/events/rpc", r#"{"params":{}}"#), "");
    let payload = r#"{"params":{"temperature:100":{"tC":null}}}"#;
    assert_eq!(
        plant.hear("pit/events/rpc", payload),
        "pit-t=bad:sensor_failure [not_a_number]"
    );
}

#[test]
fn fields_of_the_payload_name_the_point() {
    let mut plant = Plant::new(
        "[mapping.g]\ntopic = \"gas\"\npoint = \"{/panel}.{/channel}\"\nvalue = \"/ppm\"\n\
         [point.\"A.1\"]\nmapping = \"g\"\n[point.\"A.2\"]\nmapping = \"g\"\n",
    );
    for (payload, expected) in [
        (r#"{"panel":"A","channel":1,"ppm":7}"#, "A.1=7"),
        (r#"{"panel":"A","channel":"2","ppm":8}"#, "A.2=8"),
        (
            r#"{"panel":"A","channel":3,"ppm":8}"#,
            "[unknown_point A.3]",
        ),
        (r#"{"panel":"A","ppm":8}"#, "[no_name_at_pointer]"),
        (
            r#"{"panel":"A","panel":"B","channel":1,"ppm":8}"#,
            "[no_name_at_pointer]",
        ),
        (
            r#"{"panel":"A","channel":1.0,"ppm":8}"#,
            "[no_name_at_pointer]",
        ),
        (
            r#"{"panel":"A","channel":1,"ppm":7,"ppm":8}"#,
            "[duplicate_key]",
        ),
        ("7", "[no_name_at_pointer]"),
        ("x", "[not_json]"),
    ] {
        assert_eq!(plant.hear("gas", payload), expected, "{payload}");
    }
}

#[test]
fn elements_of_a_list_are_readings_the_oldest_first() {
    let mut plant = Plant::new(
        "[mapping.l]\ntopic = \"log/{point}\"\npoint = \"{point}\"\neach = \"/readings\"\nvalue = \"/v\"\n\
         time = \"/t\"\nsequence = \"/n\"\n[point.P]\nmapping = \"l\"\n",
    );
    for (readings, expected) in [
        (
            r#"{"t":1800000000,"v":2,"n":8},{"t":1799999999.5,"v":1,"n":7}"#,
            "P=1@-500ms#7 P=2@0ms#8",
        ),
        ("", ""),
        (
            r#"{"t":1800000000,"v":2,"n":8},{"t":1800000000,"v":3,"n":8}"#,
            "P=2@0ms#8 [second_value]",
        ),
        (r#"{"v":2,"n":8}"#, "[no_time_at_pointer]"),
        (r#"{"t":1800000000,"v":2,"n":-1}"#, "[bad_sequence]"),
        (r#"{"t":1800000000,"v":2,"n":1.5}"#, "[bad_sequence]"),
        (r#"7"#, "P=bad:sensor_failure [no_value_at_pointer]"),
    ] {
        let payload = format!("{{\"readings\":[{readings}]}}");
        assert_eq!(plant.hear("log/P", &payload), expected, "{payload}");
    }
    let many = vec![r#"{"t":1,"v":2,"n":3}"#; 1_001].join(",");
    for (payload, expected) in [
        ("{}", "P=bad:sensor_failure [not_a_list]"),
        (r#"{"readings":7}"#, "P=bad:sensor_failure [not_a_list]"),
        (
            &*format!("{{\"readings\":[{many}]}}"),
            "P=bad:sensor_failure [too_many_readings]",
        ),
    ] {
        assert_eq!(plant.hear("log/P", payload), expected);
    }
}

#[test]
fn elements_may_name_their_points_and_take_the_rest_from_the_root() {
    let mut plant = Plant::new(
        "[mapping.l]\ntopic = \"panel\"\npoint = \"{$/panel}-{/name}\"\neach = \"/values\"\nvalue = \"/v\"\n\
         time = \"$/ts\"\ntime_format = \"milliseconds\"\n\
         [point.A-p]\nmapping = \"l\"\n[point.A-t]\nmapping = \"l\"\n",
    );
    let payload = r#"{"panel":"A","ts":1800000000250,"values":[
        {"name":"p","v":1},{"name":"t","v":2},{"name":"x","v":3},{"name":"p","v":4}]}"#;
    assert_eq!(
        plant.hear("panel", payload),
        "A-p=1@250ms A-t=2@250ms [unknown_point A-x] [second_value]"
    );
}

#[test]
fn a_message_counts_once_for_each_point_however_many_filters_match() {
    let mut plant = Plant::new(
        "[mapping.a]\ntopic = \"p/{area}/t\"\npoint = \"{area}-t\"\n\
         [mapping.b]\ntopic = \"p/hall/{kind}\"\npoint = \"hall-{kind}-b\"\n\
         [mapping.c]\ntopic = \"p/hall/h\"\npoint = \"h\"\n\
         [point.hall-t]\nmapping = \"a\"\n[point.hall-t-b]\nmapping = \"b\"\n[point.h]\nmapping = \"c\"\n\
         [point.own]\ntopic = \"p/hall/t\"\n",
    );
    // Exact topics that a filter covers are not asked for.
    assert_eq!(plant.filters(), ["p/+/t", "p/hall/+"]);
    let once = "own=5 hall-t=5 hall-t-b=5";
    assert_eq!(plant.hear("p/hall/t", "5"), once);
    assert_eq!(plant.hear("p/hall/t", "5"), "[copy]", "the other filter's");
    assert_eq!(plant.hear("p/hall/t", "5"), once, "another one");
    plant.wait(1);
    assert_eq!(plant.hear("p/hall/t", "5"), once, "nor a second later");
    plant.reconnect();
    assert_eq!(plant.hear("p/hall/t", "5"), once, "nor what comes again");
    assert_eq!(plant.hear("p/hall/h", "6"), "h=6 [unknown_point hall-h-b]");
    assert_eq!(plant.hear("p/hall/h", "6"), "h=6 [unknown_point hall-h-b]");
}

#[test]
fn a_source_that_is_gone_has_no_values() {
    let mut plant = Plant::new(
        "[mapping.z]\ntopic = \"z/{device}\"\npoint = \"{device}-t\"\n\
         availability = { topic = \"z/{device}/availability\", value = \"/state\", online = [\"online\"], offline = [\"offline\"] }\n\
         [point.tank-t]\nmapping = \"z\"\n[point.gate-t]\nmapping = \"z\"\n\
         [point.own]\ntopic = \"own/v\"\n\
         availability = { topic = \"own/lwt\", online = [\"up\", 1], offline = [\"down\", 0] }\n",
    );
    assert_eq!(
        plant.filters(),
        ["own/lwt", "own/v", "z/+", "z/+/availability"]
    );
    for (topic, payload, expected) in [
        (
            "z/tank/availability",
            r#"{"state":"offline"}"#,
            "tank-t=bad:source_offline",
        ),
        ("z/tank/availability", r#"{"state":"online"}"#, ""),
        ("z/lamp/availability", r#"{"state":"offline"}"#, ""),
        (
            "z/tank/availability",
            r#"{"state":"asleep"}"#,
            "[unknown_word asleep]",
        ),
        ("z/tank/availability", "offline", "[not_json]"),
        ("z/tank/availability", "{}", "[no_value_at_pointer]"),
        ("z/tank", "21", "tank-t=21"),
        ("own/lwt", "down", "own=bad:source_offline"),
        ("own/lwt", "\"down\"", "own=bad:source_offline"),
        ("own/lwt", "0", "own=bad:source_offline"),
        ("own/lwt", "up", ""),
        ("own/lwt", "", "[empty]"),
    ] {
        assert_eq!(plant.hear(topic, payload), expected, "{topic} {payload}");
        // What is retained holds: it is the present state.
        if expected.contains("offline") {
            assert_eq!(plant.find(topic, payload), expected, "{topic} {payload}");
        }
    }
}

#[test]
fn whose_source_is_gone_is_learnt_where_the_id_does_not_tell() {
    let mut plant = Plant::new(
        "[mapping.z]\ntopic = \"z/{area}/{device}\"\npoint = \"{area}-{device}\"\n\
         availability = { topic = \"z/{area}/lwt/x\", online = [\"1\"], offline = [\"0\"] }\n\
         [point.a-b]\nmapping = \"z\"\n[point.a-b-c]\nmapping = \"z\"\n[broker.c]\nurl = \"mqtt://127.0.0.2\"\n"
            .replace("topic = \"z/{area}/{device}\"", "broker = \"b\"\ntopic = \"z/{area}/{device}\"")
            .as_str(),
    );
    // a-b is area a; a-b-c may be area a or a-b.
    assert_eq!(plant.hear("z/a/lwt/x", "0"), "a-b=bad:source_offline");
    assert_eq!(plant.hear("z/a-b/lwt/x", "0"), "");
    assert_eq!(plant.hear("z/a-b/c", "7"), "a-b-c=7");
    assert_eq!(plant.hear("z/a/lwt/x", "0"), "a-b=bad:source_offline");
    assert_eq!(plant.hear("z/a-b/lwt/x", "0"), "a-b-c=bad:source_offline");
}

#[test]
fn a_broker_may_say_that_all_behind_it_is_gone() {
    let text = "availability = { topic = \"bridge/state\", online = [\"online\"], offline = [\"offline\"] }\n\
         [mapping.z]\ntopic = \"z/{device}\"\npoint = \"{device}-t\"\n\
         [point.tank-t]\nmapping = \"z\"\n[point.own]\ntopic = \"own\"\n";
    let mut plant = Plant::new(text);
    assert_eq!(
        plant.hear("bridge/state", "offline"),
        "own=bad:source_offline tank-t=bad:source_offline"
    );
}
