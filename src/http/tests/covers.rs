//! How an alarm shows what people laid over it.

use super::*;
use crate::http::view;

/// Who saw to the newest occurrence, and what still waits for somebody to.
#[test]
fn an_alarm_shows_who_saw_to_it_and_what_waits_for_that() {
    let view = AlarmView {
        confirmed: Some(Acknowledgement {
            by: "anna".into(),
            at: Wall::from_unix_nanos(1_777_875_151_000_000_000),
        }),
        unconfirmed: vec![3],
        ..alarm(AlarmKind::High, AlarmState::Normal, 0)
    };
    let shown = serde_json::to_value(view::Alarm::new(&view, None, Vec::new())).expect("JSON");
    let expected = serde_json::json!({ "by": "anna", "at": "2026-05-04T06:12:31.000Z" });
    assert_eq!(shown["confirmed"], expected);
    assert_eq!(shown["unconfirmed"], serde_json::json!([3]));
}

/// As a record has it: who answers for the silence, until when, and what is done instead.
#[test]
fn an_alarm_out_of_service_shows_its_permit_and_what_is_done_instead() {
    let cover = serde_json::json!({
        "outage": {
            "by": "li-wei", "approved_by": "wang-fang", "permit": "P-2210",
            "compensating_measure": "portable detector",
            "term": { "since": 1_777_875_151_000_000_000_i64, "until": 1_777_878_751_000_000_000_i64 },
        },
    });
    let view = AlarmView {
        cover: Some(serde_json::from_value(cover).expect("as it is stored")),
        ..alarm(AlarmKind::High, AlarmState::Normal, 0)
    };
    let shown = serde_json::to_value(view::Alarm::new(&view, None, Vec::new())).expect("JSON");
    let expected = serde_json::json!({
        "by": "li-wei", "approved_by": "wang-fang", "also_approved_by": null, "permit": "P-2210",
        "compensating_measure": "portable detector",
        "since": "2026-05-04T06:12:31.000Z", "until": "2026-05-04T07:12:31.000Z",
    });
    assert_eq!(shown["out_of_service"], expected);
}
