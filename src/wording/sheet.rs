//! What stands on the page of an acknowledgement link: what became of it in a sentence, which alarm it is about, and
//! what the reader can do. In the words of the letter that the link came with.

use super::clean::clean;
use super::facts::{local_time, named_alarm};
use super::lexicon::{Field, Lexicon};
use super::{Context, Language};
use crate::engine::snapshot::AlarmRecord;
use crate::engine::time::Wall;

/// What whoever opened a link is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer<'a> {
    /// Nobody has answered the call; the reader can.
    Waits,
    /// The reader did, now.
    Acknowledged {
        /// In whose name.
        by: &'a str,
        /// When, as it stands in the event.
        at: Wall,
        /// Is it on disk?
        durable: bool,
    },
    /// Somebody did, before.
    AlreadyAcknowledged {
        /// Who was first.
        by: &'a str,
        /// When.
        at: Wall,
    },
    /// The occurrence has called again since.
    CalledAgain,
    /// The occurrence is over.
    Over,
    /// Nothing is known of such an occurrence.
    Unknown,
    /// The link has ended.
    Expired(Wall),
    /// The link is of another site.
    Foreign,
    /// The link was not made here.
    Forged,
    /// It is no link, or not whole.
    Broken,
    /// The name is not among those that the message was for.
    NotAReader,
    /// Too many answers at once.
    TooMany,
    /// The engine did not say what it did.
    Unavailable,
}

/// A page in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// What it is in.
    pub language: Language,
    /// What became of the link.
    pub title: String,
    /// What that means, and what to do.
    pub sentence: String,
    /// About which alarm: labels and what they say.
    pub facts: Vec<(String, String)>,
    /// Above the buttons, when the reader has to say who they are.
    pub question: Option<String>,
    /// What a link is, and is not.
    pub footer: String,
}

/// The page for `answer`, about the occurrence `number` of the alarm of `record`; `asks`: several names can be
/// chosen.
pub fn sheet(
    answer: Answer<'_>,
    about: Option<(&AlarmRecord, u64)>,
    asks: bool,
    language: Language,
    context: &Context,
) -> Sheet {
    let words = language.lexicon();
    let (title, sentence) = match language {
        Language::English => english(answer, context),
        Language::Chinese => chinese(answer, context),
    };
    let (question, footer) = match language {
        Language::English => (
            "Who are you? The name goes on record.",
            "This says that somebody has seen the alarm. It changes nothing in the plant, and silences no alarm that \
             comes later. Supplementary early warning: no safety system, and no replacement for one.",
        ),
        Language::Chinese => (
            "您是谁？姓名将记录在案。",
            "确认仅表示有人已看到报警，不会改变现场任何状态，也不会屏蔽之后的报警。本系统为辅助预警，不是安全系统，也不能替代安全系统。",
        ),
    };
    Sheet {
        language,
        title,
        sentence,
        facts: about.map_or_else(Vec::new, |(record, number)| {
            facts(record, number, words, context)
        }),
        question: (asks && answer == Answer::Waits).then(|| question.to_owned()),
        footer: footer.to_owned(),
    }
}

/// The words on the button; `name`: in whose name, when it has to be chosen.
pub fn button(language: Language, name: Option<&str>) -> String {
    match (language, name.map(clean)) {
        (Language::English, None) => "Acknowledge".to_owned(),
        (Language::English, Some(name)) => format!("Acknowledge as {name}"),
        (Language::Chinese, None) => "确认报警".to_owned(),
        (Language::Chinese, Some(name)) => format!("以 {name} 的名义确认"),
    }
}

fn facts(
    record: &AlarmRecord,
    number: u64,
    words: &dyn Lexicon,
    context: &Context,
) -> Vec<(String, String)> {
    let field = |field, said: String| (words.label(field).to_owned(), said);
    let guidance = context.guidance(&record.alarm);
    let area = guidance.and_then(|guidance| guidance.point.area_name.as_deref());
    let place = area.into_iter().chain([&*context.site]).map(clean);
    let place: Vec<String> = place.collect();
    let mut facts = vec![
        field(Field::What, named_alarm(&record.alarm, words, context)),
        field(Field::Where, place.join(words.comma())),
    ];
    // Of an older occurrence only the journal knows more.
    if record.occurrence == number {
        let state = words.state(record.state).to_owned();
        facts.insert(1, field(Field::State, state));
        let since = record.raised_at;
        facts.extend(since.map(|at| field(Field::Since, time(at, context))));
    }
    facts.push(field(Field::Event, words.occurrence(number)));
    facts
}

fn time(at: Wall, context: &Context) -> String {
    local_time(&context.readers.zone, at)
}

/// The plain name of a person, or the id of somebody who is not configured.
fn name(id: &str, context: &Context) -> String {
    let person = context.readers.persons.get(id);
    clean(person.map_or(id, |person| &person.name))
}

fn english(answer: Answer<'_>, context: &Context) -> (String, String) {
    let who = |by, at| format!("{} at {}", name(by, context), time(at, context));
    let (title, sentence) = match answer {
        Answer::Waits => ("Not acknowledged", "Nobody has acknowledged this alarm yet.".to_owned()),
        Answer::Acknowledged { by, at, durable } => {
            let disk = if durable {
                ""
            } else {
                " The disk of the gateway fails: it is on record in memory only."
            };
            ("Acknowledged", format!("Acknowledged by {}.{disk}", who(by, at)))
        }
        Answer::AlreadyAcknowledged { by, at } => (
            "Already acknowledged",
            format!("{} was first; there is nothing left to do with this link.", who(by, at)),
        ),
        Answer::CalledAgain => (
            "The alarm has called again",
            "This link is of an older message. Use the newest message about this alarm.".to_owned(),
        ),
        Answer::Over => (
            "It is over",
            "This occurrence of the alarm is over, and waits for nobody.".to_owned(),
        ),
        Answer::Unknown => (
            "Unknown here",
            "The gateway knows nothing of this occurrence: its journal was lost, or the alarm is not configured any \
             more. Look at the alarm itself."
                .to_owned(),
        ),
        Answer::Expired(at) => (
            "The link has ended",
            format!("It was good until {}. Acknowledge the alarm at the gateway or in the control room.", time(at, context)),
        ),
        Answer::Foreign => (
            "Another gateway",
            format!("This link is not of {}. Open it at the gateway that it came from.", clean(&context.site)),
        ),
        Answer::Forged => (
            "Not our link",
            "This link was not made by this gateway, or its key was changed since.".to_owned(),
        ),
        Answer::Broken => (
            "No whole link",
            "This is not a link of this gateway as it was sent. Was it cut on the way? Copy all of it.".to_owned(),
        ),
        Answer::NotAReader => (
            "Whose name?",
            "The message of this link was not for that name. Open the link again and choose one that it shows.".to_owned(),
        ),
        Answer::TooMany => (
            "Too many at once",
            "Nothing was done. Too many links are being answered; try again in a moment.".to_owned(),
        ),
        Answer::Unavailable => (
            "No answer",
            "The gateway did not say in time what it did. Open the link again: it shows whether the alarm is acknowledged."
                .to_owned(),
        ),
    };
    (title.to_owned(), sentence)
}

fn chinese(answer: Answer<'_>, context: &Context) -> (String, String) {
    let who = |by, at| format!("{} 已于 {} 确认", name(by, context), time(at, context));
    let (title, sentence) = match answer {
        Answer::Waits => ("未确认", "此报警尚无人确认。".to_owned()),
        Answer::Acknowledged { by, at, durable } => {
            let disk = if durable {
                ""
            } else {
                "网关磁盘故障：目前仅记录在内存中。"
            };
            ("已确认", format!("{}。{disk}", who(by, at)))
        }
        Answer::AlreadyAcknowledged { by, at } => {
            ("已被确认", format!("{}，此链接无需再使用。", who(by, at)))
        }
        Answer::CalledAgain => (
            "报警已再次呼叫",
            "此链接来自较早的消息，请使用该报警的最新消息。".to_owned(),
        ),
        Answer::Over => ("已结束", "此次报警已结束，无需确认。".to_owned()),
        Answer::Unknown => (
            "此处无记录",
            "网关没有此次报警的记录：日志已丢失，或该报警已不再配置。请直接查看报警。".to_owned(),
        ),
        Answer::Expired(at) => (
            "链接已过期",
            format!("有效期至 {}。请在网关或控制室确认报警。", time(at, context)),
        ),
        Answer::Foreign => (
            "其他网关的链接",
            format!(
                "此链接不属于 {}，请在发出它的网关上打开。",
                clean(&context.site)
            ),
        ),
        Answer::Forged => (
            "无效链接",
            "此链接不是由本网关生成，或密钥已更换。".to_owned(),
        ),
        Answer::Broken => (
            "链接不完整",
            "这不是本网关发出的完整链接，可能在传送中被截断。请复制全部内容。".to_owned(),
        ),
        Answer::NotAReader => (
            "姓名不符",
            "该消息并非发给此人。请重新打开链接并从列表中选择。".to_owned(),
        ),
        Answer::TooMany => (
            "请求过多",
            "未执行任何操作。同时处理的链接过多，请稍后再试。".to_owned(),
        ),
        Answer::Unavailable => (
            "没有应答",
            "网关未能及时答复。请重新打开链接，查看报警是否已确认。".to_owned(),
        ),
    };
    (title.to_owned(), sentence)
}
