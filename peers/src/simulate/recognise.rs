//! Recognises one utterance with a streaming recogniser.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use tandem_codecs::Pcm;
use tandem_domain::ids::TurnId;
use tandem_domain::port::stt::{Stt, SttError, SttEvent, SttInput, SttSpec};
use tokio::time::timeout;

/// Silence before and after: recognisers miss words at the very edge.
const MARGIN: Duration = Duration::from_millis(300);
/// Longest wait for a transcript.
const LIMIT: Duration = Duration::from_secs(60);

/// The words of `audio`; empty if nothing was understood.
pub(super) async fn text_of(stt: &dyn Stt, language: &str, audio: &Pcm) -> Result<String, SttError> {
    let silence = vec![0; audio.rate.samples_in(MARGIN)];
    let samples: Arc<[i16]> = [silence.as_slice(), &audio.samples, &silence].concat().into();
    let to = samples.len() as u64;
    let inputs = [
        SttInput::Audio { start: 0, samples },
        SttInput::Finalize { turn: TurnId(1), from: 0, to, hints: Arc::from([]) },
    ];
    let spec = SttSpec { language: language.to_owned(), rate_hz: audio.rate.hz(), ..SttSpec::default() };
    // the stream stays open behind the question: some recognisers give up what they have not yet said when it ends
    let mut events = stt.transcribe(spec, stream::iter(inputs).chain(stream::pending()).boxed());
    let failed = |detail: &str| SttError::Failed { vendor: stt.name(), detail: detail.to_owned() };
    let answer = async {
        while let Some(event) = events.next().await {
            match event? {
                SttEvent::Partial { .. } => {}
                SttEvent::Final { text, .. } => return Ok(text),
            }
        }
        Err(failed("the stream ended without a transcript"))
    };
    timeout(LIMIT, answer).await.unwrap_or_else(|_| Err(failed("no transcript in time")))
}
