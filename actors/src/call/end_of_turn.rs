//! Asks a model whether the caller's turn sounds finished.
//!
//! Place:   switchboard > call > **end of turn**; a driver without an actor: there is nothing in it to restart.
//! Hears:   `call`, what the core wants judged.    Tells: whoever asked, the answer, if there is one in time.
//! Failure: no answer. The pause decides alone, as it does where no model is set up.
//!
//! One question of a call is with the model at a time. A newer one waits for its answer and takes the place of one that waits already, so
//! that a caller who pauses often costs no more than one who does not. The sound is taken when the question is put: the ear lane forgets.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tandem_domain::port::end_of_turn::{EndOfTurn, EndOfTurnError, TurnAudio, WINDOW};
use tokio::time::timeout;
use tracing::debug;

use super::RATE;
use crate::guard::Guard;
use crate::lane::EarLane;
use crate::metrics::PROVIDER_REQUESTS;

/// What is heard before the turn, in samples: the detector is late by a consonant.
const LEAD_IN: u64 = 4_000;
/// What is heard of the pause, in samples: the models learned from turns that end in as much.
const PAUSE: u64 = 1_600;
/// An answer that comes later than this is of no use: the pause has decided.
const LIMIT: Duration = Duration::from_secs(1);

/// The model that judges turns, if there is one; none by default. Cheap to clone.
#[derive(Clone, Default)]
pub struct TurnJudge(Option<Arc<dyn EndOfTurn>>);

impl TurnJudge {
    /// This model.
    pub fn new(model: Arc<dyn EndOfTurn>) -> Self {
        Self(Some(model))
    }

    /// Its name; `None` where there is none.
    pub fn name(&self) -> Option<&'static str> {
        self.0.as_ref().map(|model| model.name())
    }
}

impl fmt::Debug for TurnJudge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TurnJudge").field(&self.name()).finish()
    }
}

/// Models are told apart by their names.
impl PartialEq for TurnJudge {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

type Tell = Box<dyn FnOnce(f32) + Send>;

struct Question {
    audio: TurnAudio,
    tell: Tell,
}

#[derive(Default)]
struct Desk {
    waiting: Option<Question>,
    busy: bool,
}

/// One call's questions. Dropping it gives up what is open.
pub struct Questions {
    judge: TurnJudge,
    desk: Arc<Mutex<Desk>>,
    at_work: Option<Guard>,
}

impl Questions {
    /// Nothing asked yet.
    pub fn new(judge: TurnJudge) -> Self {
        Self { judge, desk: Arc::default(), at_work: None }
    }

    /// Asks whether the turn that began at `from` and paused at `to`, positions on the ingress clock, is complete. `tell` hears the
    /// probability; it is dropped unheard where there is no model, no answer in time, or a newer question.
    pub fn ask(&mut self, ear: &EarLane, from: u64, to: u64, tell: impl FnOnce(f32) + Send + 'static) {
        let Some(model) = &self.judge.0 else { return };
        let first = from.saturating_sub(LEAD_IN).max(to.saturating_sub(RATE.samples_in(WINDOW) as u64));
        let audio = TurnAudio { rate_hz: RATE.hz(), samples: ear.window(first, to + PAUSE) };
        let mut desk = lock(&self.desk);
        desk.waiting = Some(Question { audio, tell: Box::new(tell) });
        if !std::mem::replace(&mut desk.busy, true) {
            let (model, ours, theirs) = (Arc::clone(model), Arc::clone(&self.desk), Arc::clone(&self.desk));
            self.at_work = Some(Guard::spawn(answer(model, ours), move || lock(&theirs).busy = false));
        }
    }
}

fn lock(desk: &Mutex<Desk>) -> MutexGuard<'_, Desk> {
    desk.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Answers until nothing waits.
async fn answer(model: Arc<dyn EndOfTurn>, desk: Arc<Mutex<Desk>>) {
    loop {
        let next = {
            let mut desk = lock(&desk);
            let next = desk.waiting.take();
            desk.busy = next.is_some();
            next
        };
        let Some(Question { audio, tell }) = next else { return };
        let late = EndOfTurnError::Failed { engine: model.name(), detail: "no answer in time".to_owned() };
        let answer = timeout(LIMIT, model.judge(audio)).await.unwrap_or(Err(late));
        let outcome = if answer.is_ok() { "ok" } else { "error" };
        metrics::counter!(PROVIDER_REQUESTS, "stage" => "end_of_turn", "provider" => model.name(), "outcome" => outcome)
            .increment(1);
        match answer {
            Ok(probability) => tell(probability),
            Err(error) => debug!(%error, "no opinion about the turn"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tandem_domain::port::end_of_turn::Judgement;
    use tokio::sync::{Semaphore, mpsc};

    use super::*;

    /// Answers with a hundredth of its question's length in frames of 20 ms, when it may; counts those at work.
    struct Model {
        may: Semaphore,
        at_work: AtomicUsize,
        most: AtomicUsize,
    }

    impl Model {
        fn new(answers: usize) -> Arc<Self> {
            Arc::new(Self { may: Semaphore::new(answers), at_work: AtomicUsize::new(0), most: AtomicUsize::new(0) })
        }
    }

    impl EndOfTurn for Model {
        fn name(&self) -> &'static str {
            "model"
        }

        fn judge(&self, audio: TurnAudio) -> Judgement<'_> {
            Box::pin(async move {
                let now = self.at_work.fetch_add(1, Ordering::SeqCst) + 1;
                self.most.fetch_max(now, Ordering::SeqCst);
                assert_ne!(audio.samples.first(), Some(&-1), "on purpose");
                self.may.acquire().await.unwrap().forget();
                self.at_work.fetch_sub(1, Ordering::SeqCst);
                Ok(audio.samples.len() as f32 / 16_000.0)
            })
        }
    }

    /// A lane of so many frames of 20 ms.
    fn lane(frames: usize) -> EarLane {
        let lane = EarLane::default();
        (0..frames).for_each(|_| lane.push(&[1; 160]));
        lane
    }

    fn asking(model: &Arc<Model>) -> (Questions, mpsc::Sender<f32>, mpsc::Receiver<f32>) {
        let (told, answers) = mpsc::channel(8);
        let model: Arc<dyn EndOfTurn> = Arc::clone(model) as Arc<dyn EndOfTurn>;
        (Questions::new(TurnJudge::new(model)), told, answers)
    }

    fn tell(told: &mpsc::Sender<f32>) -> impl FnOnce(f32) + Send + 'static {
        let told = told.clone();
        move |probability| told.try_send(probability).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn the_turn_is_heard_with_what_surrounds_it_and_no_more_than_the_window() {
        let (model, ear) = (Model::new(3), lane(450));
        let (mut questions, told, mut answers) = asking(&model);
        questions.ask(&ear, 24_000, 40_000, tell(&told));
        assert_eq!(answers.recv().await, Some((4_000.0 + 16_000.0 + 1_600.0) / 16_000.0));
        questions.ask(&ear, 0, 71_000, tell(&told));
        assert_eq!(answers.recv().await, Some((64_000.0 + 1_000.0) / 16_000.0), "as much of the pause as there is");
        questions.ask(&ear, 100, 1_600, tell(&told));
        assert_eq!(answers.recv().await, Some(3_200.0 / 16_000.0), "nothing is heard before the call");
    }

    #[tokio::test(start_paused = true)]
    async fn one_question_is_with_the_model_and_the_newest_waits() {
        let (model, ear) = (Model::new(0), lane(300));
        let (mut questions, told, mut answers) = asking(&model);
        questions.ask(&ear, 10_000, 20_000, tell(&told));
        tokio::task::yield_now().await;
        questions.ask(&ear, 10_000, 25_000, tell(&told));
        questions.ask(&ear, 10_000, 30_000, tell(&told));
        model.may.add_permits(8);
        let length = |to: f32| (to + 1_600.0 - 6_000.0) / 16_000.0;
        assert_eq!(answers.recv().await, Some(length(20_000.0)));
        assert_eq!(answers.recv().await, Some(length(30_000.0)), "the second was overtaken");
        assert_eq!(model.most.load(Ordering::SeqCst), 1);
        drop((questions, told));
        assert_eq!(answers.recv().await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_model_that_is_late_or_panics_gives_no_answer_and_is_asked_again() {
        let (model, ear) = (Model::new(0), lane(100));
        let (mut questions, told, mut answers) = asking(&model);
        questions.ask(&ear, 0, 8_000, tell(&told));
        tokio::time::sleep(LIMIT * 2).await;
        model.may.add_permits(8);
        let broken = EarLane::default();
        broken.push(&[-1; 160]);
        questions.ask(&broken, 0, 160, tell(&told));
        tokio::time::sleep(LIMIT).await;
        questions.ask(&ear, 0, 8_000, tell(&told));
        assert_eq!(answers.recv().await, Some(9_600.0 / 16_000.0));
        drop((questions, told));
        assert_eq!(answers.recv().await, None, "the first two were not told");
    }

    #[tokio::test]
    async fn without_a_model_nothing_is_asked() {
        let (told, mut answers) = mpsc::channel(1);
        Questions::new(TurnJudge::default()).ask(&lane(10), 0, 1_600, tell(&told));
        drop(told);
        assert_eq!(answers.recv().await, None);
    }
}
