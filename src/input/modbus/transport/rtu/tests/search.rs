//! A search for a wrong value: a line whose devices do at random all that lines and devices do.
//!
//! Each device answers when it likes, up to twice the deadline after the question, over whichever connection is
//! open then; frames of several units and connections mix. What the search leaves out is what no master can
//! tell: an unasked frame of the right unit, function and length, sent at a time of its own.

use std::collections::BinaryHeap;

use tokio::time::{sleep_until, timeout_at};

use super::*;

/// Does to each question what a seed says.
struct Rogue {
    random: fastrand::Rng,
    /// What is still to be sent, the earliest first.
    late: BinaryHeap<std::cmp::Reverse<(Instant, Vec<u8>)>>,
    /// One question of so many is spoilt.
    rate: u32,
}

impl Rogue {
    async fn serve(mut self, mut accept: mpsc::Receiver<DuplexStream>) {
        let mut asked = Vec::new();
        while let Some(mut stream) = accept.recv().await {
            asked.clear();
            while self.next(&mut stream, &mut asked).await.is_ok() {}
        }
    }

    /// Sends what is due, or reads and judges.
    async fn next(&mut self, stream: &mut DuplexStream, asked: &mut Vec<u8>) -> io::Result<()> {
        let due = self.late.peek().map(|late| late.0.0);
        let due = due.unwrap_or_else(|| Instant::now() + Duration::from_secs(3_600));
        let mut bytes = [0; 64];
        match timeout_at(due, stream.read(&mut bytes)).await {
            Err(_due) => {
                if let Some(late) = self.late.pop() {
                    stream.write_all(&late.0.1).await?;
                }
            }
            Ok(Ok(0)) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => asked.extend(&bytes[..count?]),
        }
        while let Some((bytes, rest)) = asked.split_first_chunk::<8>() {
            let question = rogue::Question::from_rtu(bytes).expect("a right checksum");
            *asked = rest.to_vec();
            self.answer(&question, stream).await?;
        }
        Ok(())
    }

    fn after(&mut self, millis: std::ops::Range<u64>, bytes: &[u8]) {
        let at = Instant::now() + Duration::from_millis(self.random.u64(millis));
        self.late.push(std::cmp::Reverse((at, bytes.to_vec())));
    }

    /// Up to three wrong bits, which the checksum is made to find.
    fn spoilt(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        for _ in 0..self.random.u8(1..=3) {
            let bit = self.random.usize(0..bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        // The same bit twice is none.
        if rtu_frame(bytes[0], &bytes[1..bytes.len() - 2]) == bytes {
            bytes[0] ^= 1;
        }
        bytes
    }

    async fn answer(&mut self, asked: &rogue::Question, wire: &mut DuplexStream) -> io::Result<()> {
        let right = asked.rtu_answer();
        if self.random.u32(0..self.rate) > 0 {
            return wire.write_all(&right).await;
        }
        let deadline = u64::try_from(DEADLINE.as_millis()).expect("short");
        let (unit, function) = (asked.unit, asked.function);
        let values = right[3..right.len() - 2].to_vec();
        let count = u8::try_from(values.len()).expect("few");
        let framed = |function: u8, values: &[u8]| {
            let count = u8::try_from(values.len()).expect("few");
            rtu_frame(unit, &[&[function, count], values].concat())
        };
        let noise = |random: &mut fastrand::Rng, most| {
            let mut noise = vec![0; random.usize(1..=most)];
            random.fill(&mut noise);
            noise
        };
        let cut = self.random.usize(0..right.len());
        let bytes = match self.random.u8(0..19) {
            0 => Vec::new(),
            1 => right[..cut].to_vec(),
            2 | 3 => {
                self.after(deadline / 2..deadline * 2 - 10, &right);
                Vec::new()
            }
            4 => {
                self.after(0..deadline * 2 - 10, &right[cut..]);
                right[..cut].to_vec()
            }
            5 => rtu_frame(unit % 3 + 1, &right[1..right.len() - 2]),
            6 => framed(function % 4 + 1, &values),
            7 => rtu_frame(
                unit,
                &[&[function, count.wrapping_add(2)], &values[..]].concat(),
            ),
            8 => framed(function, &values[1..]),
            9 => framed(function, &[&values[..], &[7; 2]].concat()),
            10 => right.repeat(2),
            11 => [noise(&mut self.random, 4), right].concat(),
            12 => [noise(&mut self.random, 60), right].concat(),
            13 => [right, noise(&mut self.random, 60)].concat(),
            14 => noise(&mut self.random, 300),
            15 => rtu_frame(unit, &[function | 0x80, self.random.u8(0..=12)]),
            16 => self.spoilt(&right),
            17 => {
                for byte in &right {
                    wire.write_all(&[*byte]).await?;
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                Vec::new()
            }
            _ => {
                // Closed in the middle.
                wire.write_all(&right[..cut]).await?;
                return Err(io::ErrorKind::BrokenPipe.into());
            }
        };
        wire.write_all(&bytes).await
    }
}

/// Questions a rogue for `seed`; says how often it got each outcome. Panics on a wrong value.
async fn interrogate(
    manners: Manners,
    seed: u64,
    requests: usize,
) -> BTreeMap<&'static str, usize> {
    let (wire, accept) = wire();
    let mut device = JoinSet::new();
    let rogue = Rogue {
        random: fastrand::Rng::with_seed(seed),
        late: BinaryHeap::new(),
        rate: 2,
    };
    device.spawn(rogue.serve(accept));
    let mut random = fastrand::Rng::with_seed(!seed);
    let mut link = RtuLink::new(wire, manners);
    let mut outcomes = BTreeMap::new();
    for _ in 0..requests {
        let tables = [Table::Coil, Table::Discrete, Table::Holding, Table::Input];
        // Few shapes, so that an answer often fits another question.
        let table = tables[random.usize(0..8).max(4) - 4];
        let count = [1, 2, 10, 50][random.usize(0..4)];
        let request = request(table, random.u16(0..50) * 10, count);
        let unit = random.u8(1..4);
        // Some callers lose patience.
        let hurry = random.u8(0..50) == 0;
        let patience = if hurry { DEADLINE / 2 } else { DEADLINE * 10 };
        let outcome = match timeout(patience, link.call(unit, &request, DEADLINE)).await {
            Err(_dropped) => "dropped",
            Ok(Ok(answer)) => {
                assert_eq!(answer, expected(unit, &request), "seed {seed}: {request}");
                "right"
            }
            Ok(Err(failure)) => {
                if matches!(failure, Failure::NotConnected) {
                    tokio::time::sleep(DEADLINE).await;
                }
                failure.reason()
            }
        };
        *outcomes.entry(outcome).or_default() += 1;
        if random.u8(0..4) == 0 {
            tokio::time::sleep(Duration::from_millis(random.u64(0..300))).await;
        }
    }
    outcomes
}

async fn search(manners: Manners) {
    let mut total = BTreeMap::<_, usize>::new();
    for seed in 0..8 {
        for (outcome, count) in interrogate(manners, seed, how_many() / 8).await {
            *total.entry(outcome).or_default() += count;
        }
    }
    // The search is only worth something if it went everywhere.
    let outcomes = "right dropped timeout connection_lost malformed mismatch wrong_length busy";
    for outcome in outcomes.split(' ') {
        assert!(
            total.get(outcome).is_some_and(|count| *count > 0),
            "{outcome}: {total:?}"
        );
    }
    assert!(total["right"] > how_many() / 3, "{total:?}");
    println!("{total:?}");
}

#[tokio::test(start_paused = true)]
async fn a_rogue_line_never_gets_a_wrong_value_through() {
    search(SERIAL).await;
}

#[tokio::test(start_paused = true)]
async fn a_rogue_serial_server_never_gets_a_wrong_value_through() {
    search(OVER_TCP).await;
}

/// Of a hundred exchanges five have wrong bits, in the question or in the answer.
#[tokio::test(start_paused = true)]
async fn of_frames_with_five_per_cent_wrong_nine_in_ten_polls_are_good() {
    let (wire, mut accept) = wire();
    let mut device = JoinSet::new();
    device.spawn(async move {
        let mut rogue = Rogue {
            random: fastrand::Rng::with_seed(5),
            late: BinaryHeap::new(),
            rate: 1,
        };
        let mut stream = accept.recv().await.expect("opened");
        let mut bytes = [0; 8];
        while stream.read_exact(&mut bytes).await.is_ok() {
            let question = rogue::Question::from_rtu(&bytes).expect("a right checksum");
            let right = question.rtu_answer();
            let answer = match rogue.random.u32(0..40) {
                // The question was spoilt: nobody answers.
                0 => Vec::new(),
                1 => rogue.spoilt(&right),
                _ => right,
            };
            let took = Instant::now() + Duration::from_millis(30);
            sleep_until(took).await;
            stream.write_all(&answer).await.expect("the line is open");
        }
    });
    let mut link = RtuLink::new(wire, SERIAL);
    let polls = how_many();
    let mut good = 0;
    for poll in 0..polls {
        let unit = u8::try_from(poll % 5).expect("few") + 1;
        match link.call(unit, &holding(10), DEADLINE).await {
            Ok(answer) => {
                assert_eq!(answer, expected(unit, &holding(10)));
                good += 1;
            }
            Err(failure) => assert!(
                matches!(failure.reason(), "timeout" | "malformed"),
                "{failure}"
            ),
        }
    }
    println!("{good} of {polls} polls were good");
    assert!(good * 100 >= polls * 90, "{good} of {polls}");
}
