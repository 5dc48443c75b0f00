//! Numbers and words as people read them.

use super::super::time::Mono;
use super::*;
use crate::engine::effect::Run;
use crate::engine::settings::Settings;

#[test]
fn slopes_have_six_digits() {
    for (slope, told) in [
        (3.999_977_771_603_221_7, 3.999_98),
        (-0.000_123_456_789, -0.000_123_457),
        (123_456_789.0, 123_457_000.0),
        (0.0, 0.0),
    ] {
        assert!(
            (six_digits(slope) - told).abs() <= f64::EPSILON * told.abs(),
            "{slope}"
        );
    }
}

#[test]
fn the_start_tells_what_happened_to_the_journal_and_what_holds_from_now_on() {
    let history = History {
        notes: vec!["the journal was gone".to_owned()],
        run: Run {
            config_hash: Some("0f1e".into()),
            boot_id: Some("3d0a".into()),
        },
        ..History::default()
    };
    let now = Moment {
        mono: Mono::ZERO,
        wall: Wall::default(),
    };
    let mut engine = Engine::start(&Settings::default(), &history, now);
    let Some(Effect::Event(event)) = engine.poll_effect() else {
        panic!("the first event is the start");
    };
    assert_eq!(event.kind, EventKind::Started);
    assert_eq!(event.details.run.as_deref(), Some(&history.run));
    let message = event.details.message.expect("it has one");
    assert!(
        message.ends_with("with 0 alarms; the journal was gone"),
        "{message}"
    );
}
