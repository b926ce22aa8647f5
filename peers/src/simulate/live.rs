//! Steps that come while the call runs: spoken by the voice beside the call, whose clock waits for nobody.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::{Line, Rendered, SimulateConfig, SimulateError, Step, speak_as};

/// Where further steps come from. Bounded: who sends them waits while the voice is busy.
pub type LiveSteps = mpsc::Receiver<Step<Line>>;

/// No further steps.
pub(super) fn nothing() -> LiveSteps {
    mpsc::channel(1).1
}

/// Steps on their way to the caller.
pub(super) struct Rendering {
    spoken: mpsc::Receiver<Result<Step<Rendered>, SimulateError>>,
    over: bool,
    /// Ends with us.
    _voice: JoinSet<()>,
}

impl Rendering {
    /// Begins to speak what `steps` will bring, in the voice of `config`.
    pub(super) fn of(config: &SimulateConfig, mut steps: LiveSteps) -> Self {
        let (sender, spoken) = mpsc::channel(1);
        let (renderer, voice, language) = (Arc::clone(&config.renderer), config.voice.clone(), config.language.clone());
        let mut task = JoinSet::new();
        task.spawn(async move {
            while let Some(step) = steps.recv().await {
                let line = match step.line() {
                    Some(Line::Text(text)) => speak_as(renderer.as_ref(), &voice, &language, text).await.map(Some),
                    Some(Line::Audio(audio)) => Ok(Some(audio.clone())),
                    None => Ok(None),
                };
                let rendered = line.map(|mut line| {
                    step.map(|_| line.take().expect("a step has at most one line, which has just been rendered"))
                });
                if sender.send(rendered).await.is_err() {
                    return; // the call is over
                }
            }
        });
        Self { spoken, over: false, _voice: task }
    }

    /// The next step; waits for ever when no more will come.
    pub(super) async fn next(&mut self) -> Result<Step<Rendered>, SimulateError> {
        if !self.over {
            match self.spoken.recv().await {
                Some(step) => return step,
                None => self.over = true,
            }
        }
        std::future::pending().await
    }
}
