//! The vendors' wires on one port: what `tandem mock` serves and adapters are tested against.
//!
//! Place: stands beside [`crate::vendor`], which plays the same parts behind the ports; here they are played on real sockets, each from its
//! vendor's own description. No code is shared with the adapters in `providers`, so that the two check each other.
//!
//! | path | vendor | module |
//! |------|--------|--------|
//! | `/v1/listen` | Deepgram, streaming speech to text | [`deepgram`] |
//! | `/v1/chat/completions` | OpenAI, streaming chat completions | [`openai`] |
//! | `/v1/text-to-speech/…` | ElevenLabs, text to speech by HTTP and by socket | [`elevenlabs`] |
//!
//! All that a client sends is written into the [`WireLog`], so that two clients can be compared field by field.

mod behaviour;
pub mod deepgram;
pub mod elevenlabs;
pub mod openai;
mod wire_log;

use std::io;
use std::net::SocketAddr;

use axum::Router;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use behaviour::{Behaviour, Door, Fate};
pub use wire_log::{Exchange, Sent, WireLog};

/// How the vendors behave.
#[derive(Debug, Clone, Default)]
pub struct MockConfig {
    /// Deepgram: from `Finalize` (or the endpointer's silence) to the final.
    pub stt: Behaviour,
    /// OpenAI: from the request to the first token.
    pub llm: Behaviour,
    /// ElevenLabs: from the text to the first audio.
    pub tts: Behaviour,
    /// Deepgram: streams at once; the next is refused with status 429. `None` for as many as come.
    pub stt_streams: Option<usize>,
    /// The only key that is accepted; without one any key that is not empty is.
    pub key: Option<String>,
}

/// What every vendor's routes share.
#[derive(Debug, Clone, Default)]
pub struct Desk {
    /// How they behave.
    pub config: MockConfig,
    /// What clients sent.
    pub log: WireLog,
}

impl Desk {
    /// Whether a client may come in with this key.
    pub fn accepts(&self, key: Option<&str>) -> bool {
        match (&self.config.key, key) {
            (_, None) => false,
            (None, Some(key)) => !key.trim().is_empty(),
            (Some(ours), Some(key)) => ours == key,
        }
    }
}

/// The vendors, serving. Dropping it stops them.
#[derive(Debug)]
pub struct Mock {
    address: SocketAddr,
    log: WireLog,
    serving: JoinHandle<io::Result<()>>,
}

impl Mock {
    /// Serves on a listener.
    ///
    /// # Errors
    /// The listener has no address.
    pub fn serve(listener: TcpListener, config: MockConfig) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let desk = Desk { config, log: WireLog::default() };
        let log = desk.log.clone();
        let router = routes(desk);
        let serving = tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, log, serving })
    }

    /// Serves on a free port of the loopback address.
    ///
    /// # Errors
    /// No port is free.
    pub async fn start(config: MockConfig) -> io::Result<Self> {
        Self::serve(TcpListener::bind(("127.0.0.1", 0)).await?, config)
    }

    /// Where it serves: `http://127.0.0.1:port`, which is every vendor's `<VENDOR>_BASE_URL` (OpenAI's with `/v1` behind it).
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What clients have sent so far.
    pub fn log(&self) -> &WireLog {
        &self.log
    }

    /// Waits until it no longer serves.
    ///
    /// # Errors
    /// The listener failed.
    pub async fn wait(mut self) -> io::Result<()> {
        (&mut self.serving).await.unwrap_or_else(|stopped| Err(io::Error::other(stopped)))
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// All vendors' routes.
pub fn routes(desk: Desk) -> Router {
    Router::new()
        .merge(deepgram::routes(desk.clone()))
        .merge(openai::routes(desk.clone()))
        .merge(elevenlabs::routes(desk))
}
