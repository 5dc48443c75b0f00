//! What happened, in Chinese: whole, and as it stands in a text message.

use crate::engine::effect::EventKind;

pub(super) const fn happened(kind: EventKind) -> &'static str {
    match kind {
        EventKind::Raised => "报警",
        EventKind::Cleared => "报警条件消失",
        EventKind::Acknowledged => "报警已确认",
        EventKind::Confirmed => "已处置",
        EventKind::Reset => "报警已复位",
        EventKind::Realarmed => "再次报警",
        EventKind::Shelved => "报警已搁置",
        EventKind::Unshelved => "取消搁置",
        EventKind::Suppressed => "按工况抑制",
        EventKind::Unsuppressed => "取消抑制",
        EventKind::OutOfService => "报警停用",
        EventKind::InService => "恢复投用",
        EventKind::FirstOutReset => "首出组已复位",
        EventKind::Notified => "已通知",
        EventKind::AllClear => "报警解除",
        EventKind::Changed => "报警变化",
        EventKind::CommandRejected => "操作被拒绝",
        EventKind::CommandIgnored => "操作已有人先行完成",
        EventKind::ClockStepped => "网关时钟跳变",
        EventKind::MonitoringGap => "监测中断",
        EventKind::ConfigChanged => "配置变更",
        EventKind::Started => "网关开始监测",
        EventKind::Stopped => "网关停止监测",
    }
}

pub(super) const fn short_happened(kind: EventKind) -> &'static str {
    match kind {
        EventKind::Raised | EventKind::Notified => "",
        EventKind::Cleared => "已恢复 ",
        EventKind::Acknowledged => "已确认 ",
        EventKind::Confirmed => "已处置 ",
        EventKind::Reset => "已复位 ",
        EventKind::Realarmed => "再次 ",
        EventKind::Shelved => "已搁置 ",
        EventKind::Unshelved => "取消搁置 ",
        EventKind::Suppressed => "已抑制 ",
        EventKind::Unsuppressed => "取消抑制 ",
        EventKind::OutOfService => "停用 ",
        EventKind::InService => "投用 ",
        EventKind::FirstOutReset => "首出复位 ",
        EventKind::AllClear => "解除 ",
        EventKind::Changed => "变化 ",
        EventKind::CommandRejected => "操作被拒 ",
        EventKind::CommandIgnored => "操作重复 ",
        EventKind::ClockStepped => "时钟跳变 ",
        EventKind::MonitoringGap => "监测中断 ",
        EventKind::ConfigChanged => "配置变更 ",
        EventKind::Started => "网关启动 ",
        EventKind::Stopped => "网关停止 ",
    }
}
