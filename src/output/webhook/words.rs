//! What a message says to people, as templates get it.

use super::{Language, WebhookTarget};
use crate::event::WireEvent;
use crate::output::courier::Parcel;

/// Notices named one by one in a summary.
const NAMED: usize = 20;

/// A message in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Words {
    /// One line.
    pub(super) title: String,
    /// Everything.
    pub(super) body: String,
    /// Everything in a few words.
    pub(super) short: String,
}

impl Words {
    pub(super) fn of(parcel: &Parcel, target: &WebhookTarget) -> Self {
        let title = title(&parcel.event, target);
        let event = &parcel.event;
        let mut body = String::new();
        let mut field = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                body.push_str(&format!("{name}: {value}\n"));
            }
        };
        let chinese = target.language == Language::Chinese;
        let pick = |english, chinese_word| if chinese { chinese_word } else { english };
        field(
            pick("Alarm", "报警"),
            event.alarm.as_deref().map(str::to_owned),
        );
        field(
            pick("Area", "区域"),
            event.area.as_deref().map(str::to_owned),
        );
        field(
            pick("Value", "数值"),
            event.value.map(|value| with_unit(value, event)),
        );
        field(
            pick("Limit", "限值"),
            event.limit.map(|limit| with_unit(limit, event)),
        );
        field(
            pick("Time", "时间"),
            Some(crate::event::rfc3339::format(event.time)),
        );
        field(pick("Message", "说明"), event.message.clone());
        if parcel.replayed {
            field(
                pick("Late", "补发"),
                Some(pick("sent after an outage", "中断后补发").to_owned()),
            );
        }
        Self {
            short: title.chars().take(160).collect(),
            title,
            body,
        }
    }

    /// Of what a receiver missed.
    pub(super) fn summary(parcels: &[Parcel], target: &WebhookTarget) -> Self {
        let count = parcels.len();
        let title = match target.language {
            Language::English => format!("{count} messages while this receiver was not reached"),
            Language::Chinese => format!("接收端中断期间共有 {count} 条消息"),
        };
        let skipped = count.saturating_sub(NAMED);
        let mut body = String::new();
        if skipped > 0 {
            body.push_str("...\n");
        }
        for parcel in parcels.iter().skip(skipped) {
            let time = crate::event::rfc3339::format(parcel.event.time);
            body.push_str(&format!("{time} {}\n", self::title(&parcel.event, target)));
        }
        Self {
            short: title.clone(),
            title,
            body,
        }
    }
}

fn title(event: &WireEvent, target: &WebhookTarget) -> String {
    let mark = match (event.test, target.language) {
        (false, _) => "",
        (true, Language::English) => "TEST ",
        (true, Language::Chinese) => "测试 ",
    };
    let priority = event.priority.map_or("", |priority| priority.name());
    let what = event.alarm.as_deref().unwrap_or_default();
    let value = event
        .value
        .map_or_else(String::new, |value| with_unit(value, event));
    let parts = [priority, event.event.name(), what, &value];
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    format!("{mark}{}", parts.join(" "))
}

fn with_unit(value: f64, event: &WireEvent) -> String {
    let unit = event.unit.as_deref().unwrap_or_default();
    format!("{value} {unit}").trim_end().to_owned()
}
