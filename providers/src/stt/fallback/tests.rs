#![allow(clippy::unwrap_used)]
use std::sync::atomic::{AtomicU32, Ordering};

use tandem_domain::ids::TurnId;
use tandem_domain::port::stt::Covers;
use tokio::time::timeout;

use super::*;

/// What a recogniser does with each of its streams, in order; the last one for ever.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Life {
    /// Answers with its name and the samples that it heard from `from` to `to`.
    Well,
    Silent,
    /// Fails as soon as it hears anything.
    Fails,
    /// Fails when it is asked.
    FailsAsked,
    /// Ends without a word when it is asked.
    EndsAsked,
    Refuses,
}

struct Scripted {
    name: &'static str,
    lives: &'static [Life],
    streams: Arc<AtomicU32>,
}

impl Stt for Scripted {
    fn name(&self) -> &'static str {
        self.name
    }

    fn transcribe(&self, _: SttSpec, audio: SttInputStream) -> EventStream<SttEvent, SttError> {
        let number = self.streams.fetch_add(1, Ordering::SeqCst) as usize;
        let life = self.lives[number.min(self.lives.len() - 1)];
        let vendor = self.name;
        let failed = move || SttError::Failed { vendor, detail: "as planned".to_owned() };
        if life == Life::Refuses {
            return stream::iter([Err(SttError::Unauthorized { vendor })]).boxed();
        }
        stream::unfold((Some(audio), Vec::<(u64, u64)>::new()), move |(audio, mut heard)| async move {
            let mut audio = audio?;
            loop {
                match (life, audio.next().await?) {
                    (Life::Fails, _) => return Some((Err(failed()), (None, heard))),
                    (_, SttInput::Audio { start, samples }) => heard.push((start, start + samples.len() as u64)),
                    (Life::FailsAsked, SttInput::Finalize { .. }) => return Some((Err(failed()), (None, heard))),
                    (Life::EndsAsked, SttInput::Finalize { .. }) => return None,
                    (Life::Well, SttInput::Finalize { turn, from, to, .. }) => {
                        let within = heard.iter().filter(|(start, end)| *start >= from && *end <= to).count();
                        let text = format!("{vendor} {}", within * 160);
                        let event = SttEvent::Final { turn, to, text, confidence: None, covers: Covers::WholeTurn };
                        return Some((Ok(event), (Some(audio), heard)));
                    }
                    (_, SttInput::Finalize { .. } | SttInput::Speaking { .. }) => {}
                }
            }
        })
        .boxed()
    }
}

/// Two recognisers in an order, and how many streams the first has had.
fn order(first: &'static [Life], second: &'static [Life]) -> (Order, Arc<AtomicU32>) {
    let streams = Arc::new(AtomicU32::new(0));
    let one = Scripted { name: "one", lives: first, streams: Arc::clone(&streams) };
    let two = Scripted { name: "two", lives: second, streams: Arc::default() };
    (Order::new(Arc::new(one), [Arc::new(two) as Arc<dyn Stt>]), streams)
}

/// A call: turns of 800 samples, with as much silence between.
struct Call {
    feed: mpsc::Sender<SttInput>,
    events: EventStream<SttEvent, SttError>,
    at: u64,
    turn: u32,
}

impl Call {
    fn of(order: &Order) -> Self {
        let (feed, inputs) = mpsc::channel(WAITING);
        let inputs = stream::unfold(inputs, |mut inputs| async move { Some((inputs.recv().await?, inputs)) });
        let spec = SttSpec { rate_hz: 8_000, ..SttSpec::default() };
        Self { feed, events: order.transcribe(spec, Box::pin(inputs)), at: 0, turn: 0 }
    }

    fn audio(&mut self) {
        for _ in 0..5 {
            self.feed.try_send(SttInput::Audio { start: self.at, samples: vec![0; 160].into() }).unwrap();
            self.at += 160;
        }
    }

    /// A turn; what is answered.
    async fn turn(&mut self) -> Result<String, SttError> {
        self.audio();
        let from = self.at;
        self.audio();
        self.turn += 1;
        let (turn, to) = (TurnId(self.turn), self.at);
        self.feed.try_send(SttInput::Finalize { turn, from, to, hints: Arc::from([]) }).unwrap();
        match timeout(Duration::from_secs(60), self.events.next()).await.unwrap().unwrap()? {
            SttEvent::Final { turn: answered, text, .. } => {
                assert_eq!(answered, turn);
                Ok(text)
            }
            SttEvent::Partial { .. } => unreachable!("nobody asks for partials"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_next_takes_over_with_the_whole_turn_however_the_first_fails() {
    const LIVES: [&[Life]; 5] =
        [&[Life::Fails], &[Life::FailsAsked], &[Life::EndsAsked], &[Life::Refuses], &[Life::Silent]];
    for life in LIVES {
        let (order, streams) = order(life, &[Life::Well]);
        let mut call = Call::of(&order);
        let began = now();
        assert_eq!(call.turn().await.unwrap(), "two 800", "{life:?}");
        assert!(began.elapsed() <= PATIENCE, "{life:?}");
        assert_eq!(call.turn().await.unwrap(), "two 800", "{life:?}");
        assert_eq!(Call::of(&order).turn().await.unwrap(), "two 800", "another call does not ask it");
        assert_eq!(streams.load(Ordering::SeqCst), 1, "{life:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_is_tried_again_between_turns_after_its_rest() {
    let (order, streams) = order(&[Life::FailsAsked, Life::FailsAsked, Life::Well], &[Life::Well]);
    let mut call = Call::of(&order);
    assert_eq!(call.turn().await.unwrap(), "two 800");
    tokio::time::advance(Duration::from_secs(10)).await;
    assert_eq!(call.turn().await.unwrap(), "two 800", "this answer shows that the rest is over");
    assert_eq!(call.turn().await.unwrap(), "two 800", "it fails again, and costs no word");
    tokio::time::advance(Duration::from_secs(20)).await;
    assert_eq!(call.turn().await.unwrap(), "two 800");
    assert_eq!(call.turn().await.unwrap(), "one 800");
    assert_eq!(streams.load(Ordering::SeqCst), 3);
}

#[tokio::test(start_paused = true)]
async fn where_all_fail_the_last_error_ends_the_stream() {
    let (order, _) = order(&[Life::Fails], &[Life::Refuses]);
    let mut call = Call::of(&order);
    assert_eq!(call.turn().await, Err(SttError::Unauthorized { vendor: "two" }));
    assert!(call.events.next().await.is_none());
    assert!(Call::of(&order).turn().await.is_err(), "the last is asked again: there is nobody else");
}

#[tokio::test(start_paused = true)]
async fn the_last_one_has_all_the_time_that_it_needs() {
    let (order, _) = order(&[Life::Fails], &[Life::Silent]);
    let mut call = Call::of(&order);
    timeout(Duration::from_secs(59), call.turn()).await.expect_err("nobody takes over");
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_call_ends_the_stream() {
    let (order, _) = order(&[Life::Well], &[Life::Well]);
    let mut call = Call::of(&order);
    assert_eq!(call.turn().await.unwrap(), "one 800");
    let Call { feed, mut events, .. } = call;
    drop(feed);
    assert_eq!(events.next().await, None);
}
