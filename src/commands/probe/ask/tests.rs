//! Against a device that is a function, in virtual time.

use super::*;

/// Answers by what the function says, and notes what was asked.
struct Device<F> {
    answer: F,
    asked: Vec<(Table, u16, u16)>,
}

impl<F> Device<F>
where
    F: FnMut(usize, u16) -> Result<u16, Failure> + Send,
{
    fn new(answer: F) -> Self {
        Self {
            answer,
            asked: Vec::new(),
        }
    }
}

impl<F> Transport for Device<F>
where
    F: FnMut(usize, u16) -> Result<u16, Failure> + Send,
{
    async fn call(&mut self, _: u8, request: &Request, _: Duration) -> Result<Answer, Failure> {
        let (first, count) = (request.address, request.count);
        self.asked.push((request.table, first, count));
        let position = self.asked.len();
        let words = (0..count).map(|offset| (self.answer)(position, first + offset));
        words.collect::<Result<_, _>>().map(Answer::Registers)
    }
}

const LIMITS: Limits = Limits {
    timeout: Duration::from_secs(1),
    pause: Duration::from_millis(20),
    within: Duration::from_secs(60),
    max_registers: 125,
    max_bits: 2_000,
};

fn spans(texts: &[&str]) -> Vec<Span> {
    texts.iter().map(|text| text.parse().expect(text)).collect()
}

fn refused(code: u8) -> Failure {
    Failure::Exception(Exception::from_code(code))
}

#[tokio::test(start_paused = true)]
async fn everything_is_read_twice_in_whole_runs() {
    let mut device =
        Device::new(|position, address| Ok(address + if position > 2 { 1_000 } else { 0 }));
    let heard = read_twice(&mut device, 1, &spans(&["input:0-199"]), LIMITS).await;
    let input = Table::Input;
    assert_eq!(
        device.asked,
        [
            (input, 0, 125),
            (input, 122, 78),
            (input, 0, 125),
            (input, 122, 78)
        ]
    );
    assert_eq!(heard.requests, 4);
    assert!(heard.refused.is_empty() && heard.stopped.is_none());
    let newest = heard.pieces.iter().map(|piece| piece.answer.clone());
    let first = Answer::Registers((1_000..1_125).collect());
    assert_eq!(newest.collect::<Vec<_>>()[0], first);
    assert_eq!(
        heard.before[1].answer,
        Answer::Registers((122..200).collect())
    );
}

#[tokio::test(start_paused = true)]
async fn a_hole_is_found_and_what_is_around_it_read_whole() {
    let mut device = Device::new(|_, address| match address {
        4 | 5 | 11 => Err(refused(2)),
        address => Ok(address),
    });
    let heard = read_twice(&mut device, 1, &spans(&["holding:0-12"]), LIMITS).await;
    let shown = heard.refused.iter().map(|refusal| refusal.span.to_string());
    assert_eq!(shown.collect::<Vec<_>>(), ["holding:4-5", "holding:11"]);
    let runs = heard
        .pieces
        .iter()
        .map(|piece| (piece.first, piece.answer.clone()));
    let run = |range: std::ops::Range<u16>| (range.start, Answer::Registers(range.collect()));
    assert_eq!(
        runs.collect::<Vec<_>>(),
        [run(0..4), run(6..11), run(12..13)]
    );
}

#[tokio::test(start_paused = true)]
async fn a_device_that_never_answers_is_asked_twice_and_left_alone() {
    let mut device = Device::new(|_, _| Err(Failure::Timeout(Duration::from_secs(1))));
    let asked = spans(&["input:0-500", "holding:0-500"]);
    let heard = read_twice(&mut device, 1, &asked, LIMITS).await;
    assert_eq!(device.asked.len(), 2);
    assert!(matches!(
        heard.stopped,
        Some(Stopped::Unreachable(Failure::Timeout(_)))
    ));
    assert!(heard.pieces.is_empty() && heard.refused.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_lost_frame_is_asked_for_again_and_a_refusal_is_not() {
    let mut device = Device::new(|position, address| match position {
        1 => Err(refused(6)),
        _ => Ok(address),
    });
    let heard = read_twice(&mut device, 1, &spans(&["input:3"]), LIMITS).await;
    assert_eq!(heard.requests, 3);
    assert_eq!(heard.pieces[0].answer, Answer::Registers(vec![3]));

    let mut device = Device::new(|_, _| Err(refused(1)));
    let heard = read_twice(
        &mut device,
        1,
        &spans(&["input:0-300", "input:400"]),
        LIMITS,
    )
    .await;
    assert_eq!(
        heard.requests, 1,
        "a table that is not there is not asked again"
    );
    assert_eq!(heard.refused.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn time_and_requests_have_an_end() {
    let mut device = Device::new(|_, _| Err(refused(2)));
    let heard = read_twice(&mut device, 1, &spans(&["input:0-3999"]), LIMITS).await;
    assert_eq!(heard.requests, MOST_REQUESTS);
    assert!(matches!(heard.stopped, Some(Stopped::Requests)));

    let hurry = Limits {
        pause: Duration::from_secs(1),
        within: Duration::from_secs(3),
        ..LIMITS
    };
    let mut device = Device::new(|_, address| Ok(address));
    let heard = read_twice(&mut device, 1, &spans(&["input:0-999"]), hurry).await;
    assert_eq!(heard.requests, 4);
    assert!(matches!(heard.stopped, Some(Stopped::Late)));
    assert_eq!(heard.pieces.len(), 4, "what was read is kept");
}
