#![allow(clippy::unwrap_used)]

use std::sync::atomic::{AtomicU32, Ordering};

use tandem_domain::port::llm::Finish;

use super::*;

/// Answers by a script, one line a question; the last line for ever.
struct Scripted(&'static str, Vec<Vec<Act>>, AtomicU32);

#[derive(Clone)]
enum Act {
    Say(&'static str),
    Fail(LlmError),
    Finish,
}

impl Llm for Scripted {
    fn name(&self) -> &'static str {
        self.0
    }

    fn complete(&self, _: LlmSpec) -> EventStream<LlmEvent, LlmError> {
        let asked = self.2.fetch_add(1, Ordering::Relaxed) as usize;
        let acts = self.1[asked.min(self.1.len() - 1)].clone();
        Box::pin(stream::iter(acts).map(|act| match act {
            Act::Say(text) => Ok(LlmEvent::Text(text.to_owned())),
            Act::Fail(error) => Err(error),
            Act::Finish => Ok(LlmEvent::Finished(Finish::Stop)),
        }))
    }
}

fn model(name: &'static str, lines: &[&[Act]]) -> Arc<Scripted> {
    Arc::new(Scripted(name, lines.iter().map(|line| line.to_vec()).collect(), AtomicU32::new(0)))
}

fn asked(model: &Scripted) -> u32 {
    model.2.load(Ordering::Relaxed)
}

fn order(models: &[&Arc<Scripted>]) -> Order {
    let mut models = models.iter().map(|model| Arc::clone(model) as Arc<dyn Llm>);
    Order::new(models.next().unwrap(), models)
}

async fn answer(order: &Order) -> Vec<Result<LlmEvent, LlmError>> {
    order.complete(LlmSpec::default()).collect().await
}

fn failed() -> LlmError {
    LlmError::Failed { vendor: "one", detail: "planned".to_owned() }
}

fn limited(pause_ms: u64) -> LlmError {
    LlmError::RateLimited { vendor: "one", retry_after: Some(Duration::from_millis(pause_ms)) }
}

fn said(text: &str) -> Result<LlmEvent, LlmError> {
    Ok(LlmEvent::Text(text.to_owned()))
}

const END: Result<LlmEvent, LlmError> = Ok(LlmEvent::Finished(Finish::Stop));

#[tokio::test(start_paused = true)]
async fn the_next_one_answers_and_the_first_one_rests() {
    let one = model("one", &[&[Act::Fail(failed())], &[Act::Say("1"), Act::Finish]]);
    let two = model("two", &[&[Act::Say("2"), Act::Finish]]);
    let order = order(&[&one, &two]);
    assert_eq!(order.name(), "one");
    assert_eq!(answer(&order).await, [said("2"), END]);
    assert_eq!(answer(&order).await, [said("2"), END]);
    assert_eq!((asked(&one), asked(&two)), (1, 2), "nobody pays for the first one's failure twice");
    tokio::time::advance(Duration::from_secs(11)).await;
    assert_eq!(answer(&order).await, [said("1"), END]);
}

#[tokio::test(start_paused = true)]
async fn what_was_given_is_void_and_nobody_is_asked_before_somebody_wants_to_know() {
    let one = model("one", &[&[Act::Say("It"), Act::Fail(failed())]]);
    let two = model("two", &[&[Act::Say("2"), Act::Finish]]);
    let order = order(&[&one, &two]);
    let mut events = order.complete(LlmSpec::default());
    assert_eq!(events.next().await, Some(said("It")));
    assert_eq!(events.next().await, Some(Ok(LlmEvent::Restarted)));
    assert_eq!(asked(&two), 0);
    assert_eq!(events.next().await, Some(said("2")));
}

#[tokio::test(start_paused = true)]
async fn the_last_one_is_asked_once_more_after_its_pause() {
    let start = now();
    let one = model("one", &[&[Act::Fail(limited(700))], &[Act::Say("1"), Act::Finish]]);
    assert_eq!(answer(&order(&[&one])).await, [said("1"), END]);
    assert_eq!(now() - start, Duration::from_millis(700));
    for error in [limited(5_000), LlmError::QuotaSpent { vendor: "one" }, LlmError::Refused { vendor: "one" }] {
        let one = model("one", &[&[Act::Fail(error.clone())]]);
        assert_eq!(answer(&order(&[&one])).await, [Err(error)]);
        assert_eq!(asked(&one), 1);
    }
    let stubborn = model("one", &[&[Act::Fail(failed())]]);
    assert_eq!(answer(&order(&[&stubborn])).await, [Err(failed())]);
    assert_eq!(asked(&stubborn), 2);
}

#[tokio::test(start_paused = true)]
async fn an_only_model_is_left_alone_after_several_failures_and_a_spent_quota_at_once() {
    let one = model("one", &[&[Act::Fail(failed())]]);
    let alone = order(&[&one]);
    answer(&alone).await;
    assert_eq!(asked(&one), 2);
    answer(&alone).await;
    let now_asked = asked(&one);
    assert_eq!(answer(&alone).await, [Err(LlmError::AllResting("one".to_owned()))]);
    assert_eq!(asked(&one), now_asked);
    let spent = model("one", &[&[Act::Fail(LlmError::QuotaSpent { vendor: "one" })]]);
    let alone = order(&[&spent]);
    answer(&alone).await;
    assert_eq!(answer(&alone).await, [Err(LlmError::AllResting("one".to_owned()))]);
    assert_eq!(asked(&spent), 1);
}

#[tokio::test(start_paused = true)]
async fn a_question_that_nobody_wants_closes_nobody() {
    let refused = LlmError::Refused { vendor: "one" };
    let one = model("one", &[&[Act::Fail(refused.clone())], &[Act::Say("1"), Act::Finish]]);
    let two = model("two", &[&[Act::Fail(refused.clone())]]);
    let order = order(&[&one, &two]);
    assert_eq!(answer(&order).await, [Err(refused)]);
    assert_eq!(answer(&order).await, [said("1"), END]);
}
