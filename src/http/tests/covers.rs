//! How an alarm shows what people laid over it.

use super::*;
use crate::http::view;

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
    let shown = serde_json::to_value(view::Alarm::new(&view, None)).expect("JSON");
    let expected = serde_json::json!({
        "by": "li-wei", "approved_by": "wang-fang", "also_approved_by": null, "permit": "P-2210",
        "compensating_measure": "portable detector",
        "since": "2026-05-04T06:12:31.000Z", "until": "2026-05-04T07:12:31.000Z",
    });
    assert_eq!(shown["out_of_service"], expected);
}
