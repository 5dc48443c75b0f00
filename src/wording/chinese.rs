//! Simplified Chinese, in the words of the alarm and safety-production standards that plants there use.

mod happened;

use self::happened::{happened, short_happened};
use super::lexicon::{Field, Headline, Lexicon, Mark, Remark};
use crate::engine::alarm::AlarmState;
use crate::engine::effect::EventKind;
use crate::engine::reading::Quality;
use crate::engine::settings::{AlarmKind, Priority};
use crate::engine::time::spoken_unit;
use crate::guidance::Measure;
use crate::notify::settings::Role;

pub(super) struct Chinese;

impl Lexicon for Chinese {
    fn label(&self, field: Field) -> &'static str {
        match field {
            Field::What => "报警点",
            Field::State => "状态",
            Field::Where => "位置",
            Field::Value => "测量值",
            Field::Trend => "趋势",
            Field::Since => "开始时间",
            Field::Lasted => "持续时间",
            Field::By => "操作人",
            Field::Cause => "可能原因",
            Field::Consequence => "不处置的后果",
            Field::Action => "处置措施",
            Field::TimeToRespond => "响应时限",
            Field::Role(Role::Responsible) => "负责人",
            Field::Role(Role::Deputy) => "代理负责人",
            Field::Role(Role::Principal) => "主要负责人",
            Field::Told => "已通知",
            Field::Plan => "应急预案",
            Field::Acknowledge => "确认报警",
            Field::Other => "其他",
            Field::Alarms => "报警清单",
            Field::Event => "事件编号",
        }
    }

    fn label_end(&self) -> &'static str {
        "："
    }

    fn headline(&self, headline: Headline) -> String {
        let urgent = |priority| match priority {
            Priority::Critical => "紧急报警",
            Priority::High => "高优先级报警",
            Priority::Medium => "中优先级报警",
            Priority::Low => "低优先级报警",
        };
        match headline {
            Headline::Alarm(priority) => urgent(priority).to_owned(),
            Headline::Unattended(priority) => format!("{}，仍未确认", urgent(priority)),
            Headline::Reminder(priority) => format!("提醒，仍未确认的{}", urgent(priority)),
            Headline::ReminderOfMany(many) => format!("提醒，{many} 个报警仍未确认"),
            Headline::Chatter(priority) => format!("反复出现的{}", urgent(priority)),
            Headline::Summary(many) => format!("报警汇总，{many} 个报警"),
            Headline::Late => "补传数据中发现的报警，现已结束".to_owned(),
            Headline::LateSummary(many) => format!("补传数据中发现的报警，现已结束，共 {many} 个"),
            Headline::AllClear => "报警解除".to_owned(),
            Headline::Happened(kind) => happened(kind).to_owned(),
        }
    }

    fn sentence(&self, words: &str) -> String {
        format!("{words}。")
    }

    fn kind(&self, kind: AlarmKind) -> &'static str {
        match kind {
            AlarmKind::LowLow => "低低限报警",
            AlarmKind::Low => "低限报警",
            AlarmKind::High => "高限报警",
            AlarmKind::HighHigh => "高高限报警",
            AlarmKind::Rise => "上升过快",
            AlarmKind::Fall => "下降过快",
            AlarmKind::Deviation => "偏差超限",
            AlarmKind::Discrepancy => "冗余测点不一致",
            AlarmKind::Forecast => "超限预警",
            AlarmKind::Stel => "15 分钟短时间接触限值",
            AlarmKind::Twa => "8 小时时间加权平均接触限值",
            AlarmKind::OverRange => "超量程",
            AlarmKind::Bad => "测量值不可信",
            AlarmKind::Stale => "数据中断",
            AlarmKind::Frozen => "数值长时间不变",
            AlarmKind::Clock => "数据源时钟异常",
            AlarmKind::Maintenance => "设备请求维护",
            AlarmKind::State => "开关量报警",
            AlarmKind::Vote => "表决报警",
            AlarmKind::Degraded => "表决降级",
            AlarmKind::GroupFault => "表决组无有效测点",
        }
    }

    fn code(&self, kind: AlarmKind) -> &'static str {
        match kind {
            AlarmKind::LowLow => "低低限",
            AlarmKind::Low => "低限",
            AlarmKind::High => "高限",
            AlarmKind::HighHigh => "高高限",
            AlarmKind::Rise => "上升过快",
            AlarmKind::Fall => "下降过快",
            AlarmKind::Deviation => "偏差",
            AlarmKind::Discrepancy => "不一致",
            AlarmKind::Forecast => "预警",
            AlarmKind::Stel => "短时接触",
            AlarmKind::Twa => "8小时接触",
            AlarmKind::OverRange => "超量程",
            AlarmKind::Bad => "坏值",
            AlarmKind::Stale => "数据中断",
            AlarmKind::Frozen => "数值不变",
            AlarmKind::Clock => "时钟",
            AlarmKind::Maintenance => "需维护",
            AlarmKind::State => "开关量",
            AlarmKind::Vote => "表决",
            AlarmKind::Degraded => "表决降级",
            AlarmKind::GroupFault => "表决失效",
        }
    }

    fn measure(&self, measure: Measure) -> &'static str {
        match measure {
            Measure::Gas => "气体",
            Measure::Oxygen => "氧气",
            Measure::Flow => "流量",
            Measure::Level => "液位",
            Measure::Pressure => "压力",
            Measure::Temperature => "温度",
            Measure::Vibration => "振动",
            Measure::Other => "",
        }
    }

    fn state(&self, state: AlarmState) -> &'static str {
        match state {
            AlarmState::Normal => "正常",
            AlarmState::Unacknowledged => "报警中，未确认",
            AlarmState::Acknowledged => "报警中，已确认",
            AlarmState::ReturnedUnacknowledged => "已恢复，未确认",
            AlarmState::LatchedUnacknowledged => "已恢复，未确认，自锁待复位",
            AlarmState::LatchedAcknowledged => "已恢复，已确认，自锁待复位",
        }
    }

    fn priority(&self, priority: Priority) -> &'static str {
        match priority {
            Priority::Critical => "优先级：紧急",
            Priority::High => "优先级：高",
            Priority::Medium => "优先级：中",
            Priority::Low => "优先级：低",
        }
    }

    fn shelved(&self) -> &'static str {
        "已搁置"
    }

    fn suppressed(&self) -> &'static str {
        "按工况抑制"
    }

    fn out_of_service(&self) -> &'static str {
        "已停用"
    }

    fn quality(&self, quality: Quality) -> &'static str {
        match quality {
            Quality::Good => "质量良好",
            Quality::Uncertain => "质量存疑",
            Quality::Bad => "质量坏",
        }
    }

    fn reason(&self, reason: &str) -> Option<&'static str> {
        Some(match reason {
            "last_usable_value" => "数据源重复上一个值",
            "sensor_not_accurate" => "传感器不准确",
            "engineering_units_exceeded" => "超出测量范围",
            "clamped" => "按量程端值处理",
            "sub_normal" => "有效数据源不足",
            "status_not_heard" => "尚未收到设备状态",
            "bad_clock" => "数据源时钟异常",
            "unknown_clock" => "数据新旧不明",
            "frozen" => "数值长时间不变",
            "configuration_error" => "配置与设备不符",
            "not_connected" => "从未连接",
            "device_failure" => "设备故障",
            "sensor_failure" => "传感器故障",
            "no_communication" => "通信中断",
            "out_of_service" => "设备维护中",
            "waiting_for_initial_data" => "尚无数据",
            "inhibited" => "设备侧已屏蔽",
            "warming_up" => "设备预热中",
            "beam_blocked" => "光路被遮挡",
            "illegal_address" => "设备无此寄存器",
            "illegal_value" => "设备拒绝读取该寄存器",
            _ => return None,
        })
    }

    fn action(&self, kind: AlarmKind, name: &str) -> Option<String> {
        let (what, check) = match kind {
            AlarmKind::Bad => ("的测量值不可信", "传感器和接线"),
            AlarmKind::Stale => ("无新数据", "电源、传感器和网络"),
            AlarmKind::Frozen => ("的数值不变化", "传感器和引压管"),
            AlarmKind::Discrepancy => ("与冗余测点不一致", "哪一个正确，并校准另一个"),
            AlarmKind::Degraded => ("参与表决的测点减少", "无有效值的传感器"),
            AlarmKind::GroupFault => ("没有任何有效测点", "电源、传感器和网络"),
            AlarmKind::Clock => {
                return Some(format!("{name}上报的时间不正确：检查其时钟和对时服务"));
            }
            AlarmKind::Maintenance => {
                return Some(format!(
                    "{name}的设备可测量但请求维护：安排检修，原因见设备显示"
                ));
            }
            AlarmKind::LowLow
            | AlarmKind::Low
            | AlarmKind::High
            | AlarmKind::HighHigh
            | AlarmKind::Rise
            | AlarmKind::Fall
            | AlarmKind::Deviation
            | AlarmKind::Forecast
            | AlarmKind::Stel
            | AlarmKind::Twa
            | AlarmKind::OverRange
            | AlarmKind::State
            | AlarmKind::Vote => return None,
        };
        Some(format!("{name}{what}：用其他手段监视现场，检查{check}"))
    }

    fn remark(&self, remark: &Remark) -> String {
        match remark {
            Remark::FirstOut => "本组首出报警".to_owned(),
            Remark::Tie => "与本组首出报警同时发生".to_owned(),
            Remark::Chattering => "反复出现".to_owned(),
            Remark::Held => "无法观测现状，报警保持".to_owned(),
            Remark::GroupedUnder(alarm) => format!("由 {alarm} 合并通知"),
            Remark::LeftAlone => "此前随通信中断合并通知，现仍存在".to_owned(),
            Remark::Unheard => "此前的通知可能未送达，故提前通知".to_owned(),
            Remark::ChatterSummed => "重复通知已暂缓，定时汇总".to_owned(),
            Remark::MoreMayBeHeld => "该报警反复出现，后续通知可能暂缓".to_owned(),
            Remark::Coverage(share) => format!("有效观测时间占 {:.0}%", share * 100.0),
            Remark::Bounds(lower, upper) => {
                let lower = lower.as_ref().map(|bound| format!("至少 {bound}"));
                let upper = upper.as_ref().map(|bound| format!("可能达 {bound}"));
                let bounds: Vec<String> = lower.into_iter().chain(upper).collect();
                bounds.join("，")
            }
            Remark::Until(time) => format!("至 {time}"),
            Remark::Permit(permit) => format!("作业票 {permit}"),
            Remark::ApprovedBy(person) => format!("批准人 {person}"),
            Remark::CompensatingMeasure(measure) => format!("替代措施：{measure}"),
            Remark::Message(message) => format!("系统说明：{message}"),
        }
    }

    fn mark(&self, mark: &Mark) -> String {
        match mark {
            Mark::Drill => "演练：本消息为演练，现场未发生异常。".to_owned(),
            Mark::Test => "测试：本消息用于测试通知是否送达，现场未发生异常。".to_owned(),
            Mark::Delayed(time) => {
                format!("延迟消息：产生于 {time}，处置前请先核实当前状态。")
            }
            Mark::Volatile => "网关无法写入磁盘：请保留本消息，它可能是唯一记录。".to_owned(),
        }
    }

    fn stamp(&self, mark: &Mark) -> &'static str {
        match mark {
            Mark::Drill => "演练 ",
            Mark::Test => "测试 ",
            Mark::Delayed(_) => "延迟 ",
            Mark::Volatile => "",
        }
    }

    fn span(&self, seconds: f64) -> String {
        let (unit, name) = spoken_unit(seconds);
        let name = match name {
            "s" => "秒",
            "min" => "分钟",
            "h" => "小时",
            _ => "天",
        };
        format!("{:.0} {name}", seconds / unit)
    }

    fn slope(&self, rising: bool, amount: &str) -> String {
        let way = if rising { "上升" } else { "下降" };
        format!("每分钟{way} {amount}")
    }

    fn per_minute(&self, amount: &str) -> String {
        format!("每分钟 {amount}")
    }

    fn ahead(&self, kind: AlarmKind, span: &str) -> String {
        format!("预计约 {span}后达到{}", self.code(kind))
    }

    fn limit(&self, limit: &str) -> String {
        format!("限值 {limit}")
    }

    fn deadband(&self, amount: &str) -> String {
        format!("回差 {amount}")
    }

    fn peak(&self, highest: bool, value: &str) -> String {
        let which = if highest { "最高" } else { "最低" };
        format!("{which} {value}")
    }

    fn ago(&self, span: &str) -> String {
        format!("已持续 {span}")
    }

    fn step(&self, number: u16) -> String {
        format!("第 {} 级通知", u32::from(number) + 1)
    }

    fn over(&self, output: &str) -> String {
        format!("经由 {output}")
    }

    fn everybody(&self) -> &'static str {
        "本通道的全部接收人"
    }

    fn on_call(&self, person: &str) -> String {
        format!("{person}，值班")
    }

    fn occurrence(&self, number: u64) -> String {
        format!("第 {number} 次")
    }

    fn acknowledge_here(&self, alarm: &str) -> String {
        format!("forewarn alarms ack {alarm}")
    }

    fn more(&self, count: usize) -> String {
        format!("另有 {count} 个")
    }

    fn digest(&self, count: usize) -> String {
        format!("延迟 {count} 条消息汇总")
    }

    fn digest_note(&self, count: usize) -> String {
        format!("延迟消息：以下 {count} 条消息未能及时发出，处置前请先核实当前状态。")
    }

    fn not_over(&self, count: usize) -> String {
        format!("{count} 个报警未解除")
    }

    fn not_over_note(&self, count: usize) -> String {
        format!("按以下消息尚未解除的报警（{count} 个，最紧急的在前）")
    }

    fn earlier(&self, count: usize) -> String {
        format!("更早的 {count} 条见事件日志")
    }

    fn comma(&self) -> &'static str {
        "，"
    }

    fn semicolon(&self) -> &'static str {
        "；"
    }

    fn short_head(&self, headline: Headline) -> &'static str {
        match headline {
            Headline::Alarm(_) | Headline::Happened(EventKind::Raised) => "",
            Headline::Unattended(_) => "仍未确认 ",
            Headline::Reminder(_) | Headline::ReminderOfMany(_) => "提醒 ",
            Headline::Chatter(_) => "反复 ",
            Headline::Summary(_) => "汇总 ",
            Headline::Late | Headline::LateSummary(_) => "补报已结束 ",
            Headline::AllClear => "解除 ",
            Headline::Happened(kind) => short_happened(kind),
        }
    }

    fn short_unheard(&self) -> &'static str {
        "提前,前次或未送达 "
    }

    fn short_limit(&self, limit: &str) -> String {
        format!("(限{limit})")
    }

    fn short_since(&self, time: &str) -> String {
        format!("{time}起")
    }

    fn short_lasted(&self, span: &str) -> String {
        format!("历时{span}")
    }

    fn short_acknowledge(&self, link: &str) -> String {
        format!("确认:{link}")
    }

    fn short_count(&self, count: usize) -> String {
        format!("{count}个报警,首个 ")
    }
}
