//! Each fence is seen to find what it is for, and nothing else.

use super::*;

#[test]
fn each_fence_finds_what_it_is_for() {
    let dependencies = ["serde", "tokio", "tracing"].map(str::to_owned);
    for (path, text, expected) in [
        (
            "src/http/x.rs",
            "use rusqlite::Connection;",
            "only src/journal speaks SQL",
        ),
        ("src/journal/x.rs", "use rusqlite::Connection;", ""),
        (
            "src/x.rs",
            "fn f() -> rusqlite::Result<()>",
            "only src/journal speaks SQL",
        ),
        ("src/x.rs", "// rusqlite::Result is for the journal", ""),
        (
            "src/output/delivery.rs",
            "use rumqttc::QoS;",
            "hold MQTT clients",
        ),
        ("src/output/mqtt.rs", "use rumqttc::QoS;", ""),
        ("src/input/mqtt/client.rs", "use rumqttc::QoS;", ""),
        (
            "src/input/modbus/bus.rs",
            "use tokio_modbus::Slave;",
            "late answers",
        ),
        (
            "src/input/modbus/transport.rs",
            "use tokio_modbus::Slave;",
            "",
        ),
        (
            "src/input/modbus/transport/x.rs",
            "let wire = Wire::WriteSingleRegister(1, 2);",
            "never changes equipment",
        ),
        (
            "src/input/modbus/transport/x.rs",
            "let wire = Wire::ReadCoils(1, 2);",
            "",
        ),
        (
            "src/http/x.rs",
            "pub use prometheus;",
            "call crate::metrics",
        ),
        ("src/metrics/x.rs", "prometheus::gather()", ""),
        (
            "src/gateway.rs",
            "let x = config::File::new();",
            "only one file below src/config",
        ),
        (
            "src/gateway.rs",
            "use crate::config::Config; config::load()",
            "",
        ),
        ("src/config/layers.rs", "use config::File;", ""),
        (
            "src/engine/x.rs",
            "use tokio::time;",
            "`tokio` in a pure module",
        ),
        (
            "src/engine/x.rs",
            "tracing::info!(1)",
            "`tracing` in a pure module",
        ),
        (
            "src/engine/x.rs",
            "use std::fs::File;",
            "`std::fs` in a pure module",
        ),
        (
            "src/notify/x.rs",
            "std::time::Instant::now()",
            "`Instant::now` in a pure module",
        ),
        ("src/engine/x.rs", "use serde::Serialize;", ""),
        ("src/engine/x.rs", "#[cfg(test)]\nuse tokio::time;", ""),
        ("src/engine/x/tests.rs", "use tokio::time;", ""),
        (
            "src/engine/x.rs",
            "use crate::clock;",
            "src/engine may not know crate::clock",
        ),
        (
            "src/engine/x.rs",
            "use crate::notify;",
            "src/engine may not know crate::notify",
        ),
        ("src/notify/x.rs", "use crate::engine::time::Mono;", ""),
        (
            "src/input/x.rs",
            "use crate::output::Target;",
            "src/input may not know crate::output",
        ),
        (
            "src/input/x.rs",
            "use crate::journal::Feed;",
            "src/input may not know crate::journal",
        ),
        ("src/output/x.rs", "use crate::journal::Feed;", ""),
        ("src/http/x.rs", "use crate::journal::Feed;", ""),
        (
            "src/http/x.rs",
            "use crate::config::Config;",
            "src/http may not know crate::config",
        ),
        (
            "src/http/x.rs",
            "use crate::{clock, journal};",
            "one `use` for each module",
        ),
        (
            "src/metrics/x.rs",
            "use crate::http::App;",
            "src/metrics may not know crate::http",
        ),
        ("src/gateway.rs", "use crate::http::App;", ""),
        ("src/x.rs", UNFINISHED[0], "finish it"),
        ("tests/x.rs", UNFINISHED[4], "finish it"),
        ("src/x.rs", MACHINES[0], "on one machine only"),
        ("simulators/src/x.rs", MACHINES[2], "on one machine only"),
    ] {
        let source = Source {
            path: path.to_owned(),
            text: format!("//! A file.\n{text}\n"),
        };
        let findings = all_findings(&[source], &dependencies).join("\n");
        let found = if expected.is_empty() {
            findings.is_empty()
        } else {
            findings.contains(expected)
        };
        assert!(
            found,
            "{path}: {text}\nexpected: {expected}\nfound: {findings}"
        );
    }
}

#[test]
fn fences_about_whole_files_find_something() {
    let source = |path: &str, text: String| Source {
        path: path.to_owned(),
        text,
    };
    let long = source("src/x.rs", format!("//! Long.\n{}", "\n".repeat(LONGEST)));
    assert_eq!(files_are_short(&long).len(), 1);
    let whole = source(
        "src/x.rs",
        format!("//! Long.\n{}", "\n".repeat(LONGEST - 1)),
    );
    assert_eq!(files_are_short(&whole), [""; 0]);
    let mute = source("src/x.rs", "use std::fs;\n".to_owned());
    assert_eq!(files_begin_with_what_they_are_about(&mute).len(), 1);
    let users = ["src/config/a.rs", "src/config/b.rs"]
        .map(|path| source(path, "//! A.\nuse config::File;\n".to_owned()));
    let findings = the_config_crate_stays_in_one_file(&users).join("\n");
    assert!(findings.contains("more than one file"), "{findings}");
}
