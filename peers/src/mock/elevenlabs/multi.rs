//! A socket with up to five contexts: each has its text, its generation and its 20 s.
//!
//! Text of a context is made when it is flushed, when it comes with `auto_mode=true`, or when it reaches the schedule's next length. A context
//! that was closed still makes what it was told to make; then comes its last frame, and only then it no longer counts.
//! Errors that name a context end that one; a sixth context closes the socket.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket};
use axum::extract::{Path, Request, State};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use super::speech::{Ending, Format, Piece, speech};
use super::{Asked, BROKEN, Refusal, admitted, asked, next_message, query, refuse};
use crate::clock;
use crate::mock::{Desk, Fate};

/// Contexts that one socket may have open.
const MOST_CONTEXTS: usize = 5;
/// Texts that a context may have waiting.
const MOST_TEXTS: usize = 64;
/// Lengths at which text is made, where the client sends no other.
pub(super) const SCHEDULE: [usize; 4] = [120, 160, 250, 290];
/// How long a context may be without text.
pub(super) const INACTIVITY: Duration = Duration::from_secs(20);
/// The most that a client may ask for instead.
const MOST_INACTIVITY: Duration = Duration::from_secs(180);
/// Between two pieces of speech without end.
pub(super) const ENDLESS_INTERVAL: Duration = Duration::from_millis(1);

pub(super) const SIXTH: Refusal = Refusal {
    status: axum::http::StatusCode::TOO_MANY_REQUESTS,
    code: "max_active_conversations",
    message: "Maximum number of simultaneous contexts reached (5).",
};
pub(super) const TIMED_OUT: Refusal = Refusal {
    status: axum::http::StatusCode::REQUEST_TIMEOUT,
    code: "input_timeout_exceeded",
    message: "Have not received a new text input within the timeout of 20.0 seconds. Streaming input terminated. Please make sure to \
              send new text input, or a single space character (\" \"), to keep the connection open.",
};

/// Text on its way to be made.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    text: String,
    schedule: Vec<usize>,
    made: usize,
}

impl Buffer {
    /// With the schedule of a first message, or the default.
    pub(super) fn of(first: &Value) -> Self {
        let wanted = first["generation_config"]["chunk_length_schedule"].as_array();
        let lengths =
            wanted.map(|lengths| lengths.iter().filter_map(Value::as_u64).map(|length| length as usize).collect());
        Self { schedule: lengths.unwrap_or_else(|| SCHEDULE.to_vec()), ..Self::default() }
    }

    /// Adds text; what is to be made now, if anything.
    pub(super) fn push(&mut self, text: &str, now: bool) -> Option<String> {
        self.text.push_str(text);
        let due =
            self.schedule.get(self.made).or(self.schedule.last()).is_some_and(|length| self.text.len() >= *length);
        if !(now || due) || self.text.trim().is_empty() {
            return None;
        }
        self.made += 1;
        Some(std::mem::take(&mut self.text))
    }
}

/// How long a client may be silent.
pub(super) fn inactivity(parts: &axum::http::request::Parts) -> Duration {
    let wanted = query(parts, "inactivity_timeout").and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs);
    wanted.unwrap_or(INACTIVITY).min(MOST_INACTIVITY)
}

pub(super) async fn serve(State(desk): State<Desk>, Path(voice): Path<String>, request: Request) -> Response {
    let asked = match asked(&desk, &voice, request.into_parts().0).await {
        Ok(asked) => asked,
        Err(refused) => return refused,
    };
    let Asked { upgrade, parts, format, key, exchange } = asked;
    let settings = Settings {
        format,
        auto: query(&parts, "auto_mode").as_deref() == Some("true"),
        inactivity: inactivity(&parts),
        key,
        exchange,
    };
    upgrade.on_upgrade(move |socket| Session { desk, settings }.run(socket))
}

struct Settings {
    format: Format,
    auto: bool,
    inactivity: Duration,
    key: Option<String>,
    exchange: usize,
}

/// What a context's task is told.
enum Job {
    Make(String, Fate),
    Close,
}

/// What a context's task tells.
enum News {
    Frame(Value),
    Over(String),
    Failed(String),
    /// The whole connection breaks.
    Broken,
}

struct Context {
    jobs: mpsc::Sender<Job>,
    buffer: Buffer,
    /// When it will have been silent for too long; `None` once it is closed.
    deadline: Option<Instant>,
}

struct Session {
    desk: Desk,
    settings: Settings,
}

impl Session {
    async fn run(self, mut socket: WebSocket) {
        let (tell, mut news) = mpsc::channel(16);
        let mut tasks = JoinSet::new(); // gone with us
        let mut contexts: BTreeMap<String, Context> = BTreeMap::new();
        let mut admitted_already = false;
        loop {
            let due = contexts.iter().filter_map(|(id, context)| Some((context.deadline?, id.clone()))).min();
            tokio::select! {
                message = next_message(&mut socket, &self.desk, self.settings.exchange) => {
                    let Some(message) = message else { return };
                    if !admitted_already && let Err(refusal) = admitted(&self.desk, self.settings.key.as_deref(), &message) {
                        return refuse(&mut socket, &refusal, message["context_id"].as_str()).await;
                    }
                    admitted_already = true;
                    if message["close_socket"] == true {
                        let _ = socket.send(Message::Close(None)).await; // gone already: as well
                        return self.desk.log.closed(self.settings.exchange);
                    }
                    let id = message["context_id"].as_str().unwrap_or("default").to_owned();
                    if !contexts.contains_key(&id) && message["text"].is_string() {
                        if contexts.len() == MOST_CONTEXTS {
                            return refuse(&mut socket, &SIXTH, Some(&id)).await;
                        }
                        let (jobs, to_do) = mpsc::channel(MOST_TEXTS);
                        tasks.spawn(context(id.clone(), to_do, tell.clone(), self.settings.format));
                        contexts.insert(id.clone(), Context { jobs, buffer: Buffer::of(&message), deadline: None });
                    }
                    if let Some(context) = contexts.get_mut(&id) {
                        self.message(context, &message);
                    }
                }
                Some(news) = news.recv() => {
                    let frame = match news {
                        News::Frame(frame) => frame,
                        News::Over(id) => {
                            contexts.remove(&id);
                            json!({"isFinal": true, "contextId": id})
                        }
                        News::Failed(id) => {
                            contexts.remove(&id);
                            BROKEN.frame(Some(&id))
                        }
                        News::Broken => return, // dropped without a close frame
                    };
                    if socket.send(Message::text(frame.to_string())).await.is_err() {
                        return self.desk.log.closed(self.settings.exchange);
                    }
                }
                id = silent(due) => {
                    contexts.remove(&id);
                    let frame = TIMED_OUT.frame(Some(&id)).to_string();
                    if socket.send(Message::text(frame)).await.is_err() {
                        return;
                    }
                }
            }
        }
    }

    /// What a message asks of its context.
    fn message(&self, context: &mut Context, message: &Value) {
        if context.deadline.is_none() && context.jobs.is_closed() {
            return; // closed before
        }
        let text = message["text"].as_str().unwrap_or_default();
        let flush = message["flush"] == true;
        let now = flush || self.settings.auto && !text.trim().is_empty();
        if message["text"].is_string() || flush {
            context.deadline = Some(clock::now() + self.settings.inactivity);
        }
        if let Some(text) = context.buffer.push(text, now) {
            // Beyond what may wait it is not made: nobody sends that much.
            let _ = context.jobs.try_send(Job::Make(text, self.desk.config.tts.next()));
        }
        if message["close_context"] == true {
            context.deadline = None;
            let _ = context.jobs.try_send(Job::Close);
        }
    }
}

/// Resolves with the context that has been silent for too long.
async fn silent(due: Option<(Instant, String)>) -> String {
    let Some((deadline, id)) = due else { return std::future::pending().await };
    sleep_until(deadline).await;
    id
}

/// Makes what a context is told to, in order.
async fn context(id: String, mut jobs: mpsc::Receiver<Job>, tell: mpsc::Sender<News>, format: Format) {
    while let Some(job) = jobs.recv().await {
        let news = match job {
            Job::Close => {
                let _ = tell.send(News::Over(id)).await; // the session is gone: nobody to tell
                return;
            }
            Job::Make(text, fate) => {
                let (pieces, ending) = speech(&text, format, fate);
                sleep(fate.delay).await;
                for piece in &pieces {
                    let _ = tell.send(News::Frame(frame(piece, &id))).await;
                }
                match ending {
                    Ending::Well => continue,
                    Ending::Error => News::Failed(id.clone()),
                    Ending::Broken => News::Broken,
                    Ending::Silence => std::future::pending().await,
                    Ending::Never => {
                        for piece in pieces.iter().cycle() {
                            sleep(ENDLESS_INTERVAL).await;
                            if tell.send(News::Frame(frame(piece, &id))).await.is_err() {
                                return;
                            }
                        }
                        return; // there was not even a piece
                    }
                }
            }
        };
        let _ = tell.send(news).await;
        return;
    }
}

fn frame(piece: &Piece, id: &str) -> Value {
    json!({
        "audio": STANDARD.encode(&piece.audio),
        "isFinal": null,
        "normalizedAlignment": piece.alignment(),
        "alignment": piece.alignment(),
        "contextId": id,
    })
}
