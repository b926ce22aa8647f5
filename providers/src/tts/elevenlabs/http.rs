//! One text by HTTP: a request, and the audio as the answer's body comes in.
//!
//! Back-pressure: the body is read when the next chunk is asked for. Interruption: dropping the stream closes the request's connection.
//! Not here: word timings. The plain stream has none; the socket has.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Client, Response};
use tandem_domain::port::tts::TtsError;

use super::wire::{self, KEY_HEADER, Route};
use super::{CONNECT_LIMIT, Key, SILENCE_LIMIT};

/// Connections without a request are kept for so long.
const IDLE: Duration = Duration::from_secs(60);
/// Most bytes of a refusal that are read.
const MOST_REFUSAL: usize = 16 << 10;
/// How files begin that are no bare audio: nothing that speech in mu-law or PCM begins with.
const FILES: [&[u8]; 5] = [b"RIFF", b"ID3", b"OggS", b"fLaC", b"<!DO"];

/// A client for the vendor. Clones share their connections.
///
/// # Errors
/// The TLS library is not set up, or the key is none.
pub(super) fn client() -> Result<Client, TtsError> {
    Client::builder()
        .connect_timeout(CONNECT_LIMIT)
        .read_timeout(SILENCE_LIMIT)
        .pool_idle_timeout(IDLE)
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .map_err(|error| TtsError::Unavailable { vendor: wire::NAME, remedy: told(&error) })
}

/// Opens a connection before the first sentence needs it. Its answer is of no interest, but for a wrong key.
pub(super) async fn warm(client: &Client, base: &str, key: &Key) -> Result<(), TtsError> {
    let url = format!("{}/v1/voices", base.trim_end_matches('/'));
    let answer = client.get(url).header(KEY_HEADER, secret(key)?).send().await.map_err(|error| failed(&error))?;
    accepted(answer).await?.bytes().await.map(drop).map_err(|error| failed(&error))
}

/// The audio of a text, as it comes.
pub(super) async fn speak(
    client: &Client,
    base: &str,
    key: &Key,
    route: &Route,
    text: &str,
) -> Result<impl Stream<Item = Result<Bytes, TtsError>> + use<>, TtsError> {
    let request = client.post(route.stream_url(base)).header(KEY_HEADER, secret(key)?).json(&route.body(text));
    let answer = accepted(request.send().await.map_err(|error| failed(&error))?).await?;
    let kind = answer.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default().to_owned();
    if ["audio/mpeg", "audio/wav", "audio/x-wav", "text/", "application/json"]
        .iter()
        .any(|wrong| kind.starts_with(wrong))
    {
        return Err(wire::failed(format!("sent {kind:?} where {} was asked for", route.format.name)));
    }
    let mut first = true;
    Ok(answer.bytes_stream().map(move |bytes| {
        let bytes = bytes.map_err(|error| failed(&error))?;
        if std::mem::take(&mut first) && FILES.iter().any(|magic| bytes.starts_with(magic)) {
            return Err(wire::failed("sent a file where bare audio was asked for"));
        }
        Ok(bytes)
    }))
}

/// The answer, if it is none of refusal.
async fn accepted(answer: Response) -> Result<Response, TtsError> {
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    let mut body = Vec::new();
    let mut bytes = answer.bytes_stream();
    while let Some(Ok(more)) = bytes.next().await {
        body.extend_from_slice(&more);
        if body.len() > MOST_REFUSAL {
            break;
        }
    }
    Err(wire::refusal(status.as_u16(), &body))
}

fn secret(key: &Key) -> Result<HeaderValue, TtsError> {
    super::socket::header(key)
}

fn failed(error: &reqwest::Error) -> TtsError {
    wire::failed(told(error))
}

/// An error with its causes: reqwest's own words say only which step it was.
fn told(error: &reqwest::Error) -> String {
    let mut words = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        words = format!("{words}: {error}");
        cause = error.source();
    }
    words
}
