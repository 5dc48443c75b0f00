//! Receivers whose form is known. A preset is a body in `presets/`, and what a receiver of the kind answers.

use super::answers::{Answers, Codes, Words};
use super::signing::Scheme;
use crate::output::selection::Selection;

/// A kind of receiver.
#[derive(Debug, PartialEq, Eq)]
pub struct Preset {
    /// As configured.
    pub name: &'static str,
    /// The body.
    pub template: &'static str,
    /// What the body is.
    pub content_type: &'static str,
    /// Which events are for it.
    pub selection: Selection,
    /// How it wants to be shown a secret; `None`: not at all.
    pub scheme: Option<Scheme>,
    /// How its answers are to be read.
    pub answers: Answers,
    /// It has a form for what is not normal after an outage.
    pub tells_present: bool,
    /// Which channel of it; else there is no such thing.
    pub has_topic: bool,
}

const JSON: &str = "application/json";

/// All of them.
pub static PRESETS: [Preset; 9] = [
    Preset {
        name: "json",
        template: include_str!("presets/json.json.j2"),
        selection: Selection::Events,
        tells_present: true,
        ..PLAIN
    },
    Preset {
        name: "cloudevents",
        template: include_str!("presets/cloudevents.json.j2"),
        content_type: "application/cloudevents+json",
        selection: Selection::Events,
        tells_present: true,
        ..PLAIN
    },
    Preset {
        name: "slack",
        template: include_str!("presets/slack.json.j2"),
        answers: Answers::Words(Words {
            later: &["rollup_error", "rate_limited", "ratelimited"],
            unwelcome: &[
                "invalid_token",
                "no_service",
                "no_active_hooks",
                "no_team",
                "team_disabled",
                "channel_not_found",
                "channel_is_archived",
                "user_not_found",
                "action_prohibited",
                "posting_to_general_channel_denied",
            ],
            refused: &[
                "invalid_payload",
                "no_text",
                "too_many_attachments",
                "missing_text",
            ],
        }),
        ..PLAIN
    },
    Preset {
        name: "teams",
        template: include_str!("presets/teams.json.j2"),
        answers: Answers::Words(Words {
            later: &["Webhook message delivery failed"],
            ..NO_WORDS
        }),
        ..PLAIN
    },
    Preset {
        name: "ntfy",
        template: include_str!("presets/ntfy.json.j2"),
        answers: Answers::Words(NO_WORDS),
        has_topic: true,
        ..PLAIN
    },
    Preset {
        name: "wecom",
        template: include_str!("presets/wecom.json.j2"),
        answers: Answers::Codes(Codes {
            field: "errcode",
            later: &[-1, 45009, 45033],
            unwelcome: &[93000, 40014, 40001],
        }),
        ..PLAIN
    },
    Preset {
        name: "dingtalk",
        template: include_str!("presets/dingtalk.json.j2"),
        scheme: Some(Scheme::DingTalk),
        answers: Answers::Codes(Codes {
            field: "errcode",
            later: &[-1, 130_101, 410_100],
            unwelcome: &[300_001, 300_005, 310_000, 400_101],
        }),
        ..PLAIN
    },
    Preset {
        name: "feishu",
        template: include_str!("presets/feishu.json.j2"),
        scheme: Some(Scheme::Feishu),
        answers: Answers::Codes(Codes {
            field: "code",
            later: &[9499, 11232],
            unwelcome: &[19001, 19021, 19022, 19024],
        }),
        ..PLAIN
    },
    Preset {
        name: "pagerduty",
        template: include_str!("presets/pagerduty.json.j2"),
        selection: Selection::Lifecycle,
        scheme: Some(Scheme::InBody),
        answers: Answers::Words(NO_WORDS),
        ..PLAIN
    },
];

/// Nothing but a page for people speaks against a good status.
const NO_WORDS: Words = Words {
    later: &[],
    unwelcome: &[],
    refused: &[],
};

const PLAIN: Preset = Preset {
    name: "",
    template: "",
    content_type: JSON,
    selection: Selection::Notices,
    scheme: None,
    answers: Answers::Status,
    tells_present: false,
    has_topic: false,
};

impl Preset {
    /// Is nothing possible without a secret?
    pub fn needs_secret(&self) -> bool {
        self.scheme == Some(Scheme::InBody)
    }
}

/// The one of this name.
pub fn find(name: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.name == name)
}
