//! The whole program in this process, with vendors that need no model, no key and no network.
#![allow(dead_code, missing_docs, unreachable_pub, clippy::unwrap_used, clippy::mod_module_files)]

use std::sync::{Arc, Once};
use std::time::Duration;

use serde_json::Value;
use tandem::config::{Config, Origins};
use tandem::{BootError, Running, Vendors, boot_with};
use tandem_peers::vendor::{FakeStt, FakeTts};
use tempfile::TempDir;

/// A program with its folder, which goes when this goes.
pub struct Program {
    pub running: Running,
    pub folder: TempDir,
    pub client: reqwest::Client,
}

/// One answer, read to its end.
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {:?}", self.body))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// The program with fake vendors, an empty database in a fresh folder, and a free port.
pub async fn boot_with_fakes() -> Program {
    boot_with_settings(&[]).await.unwrap()
}

/// As [`boot_with_fakes`], with further settings.
pub async fn boot_with_settings(settings: &[(&str, &str)]) -> Result<Program, BootError> {
    boot_in(tempfile::tempdir().unwrap(), settings, fakes()).await
}

/// As [`boot_with_settings`], with these vendors and this folder: a second boot on it finds what the first has left.
pub async fn boot_in(folder: TempDir, settings: &[(&str, &str)], vendors: Vendors) -> Result<Program, BootError> {
    install_tls_provider();
    let running = boot_with(config(&folder, settings), vendors).await?;
    let client = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(10))
        .build()
        .unwrap();
    Ok(Program { running, folder, client })
}

/// The settings of a test: nothing of this machine's environment.
pub fn config(folder: &TempDir, settings: &[(&str, &str)]) -> Config {
    let data = folder.path().join("data").display().to_string();
    let own = [("PORT", "0"), ("DATA_DIR", data.as_str()), ("MAX_CONCURRENT_CALLS", "200")];
    let flags = own.iter().chain(settings).map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    Config::load(&Origins { flags, folder: folder.path().to_owned(), ..Origins::default() }).unwrap()
}

/// Recogniser and voice of the test peers.
pub fn fakes() -> Vendors {
    Vendors { stt: Some(Arc::new(FakeStt::default())), tts: Some(Arc::new(FakeTts::default())) }
}

/// reqwest refuses to make a client while rustls has no provider, plain HTTP or not.
pub fn install_tls_provider() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
}

impl Program {
    /// The address by number: `localhost` would be looked up first.
    pub fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.running.addr.port())
    }

    pub fn socket_url(&self, path: &str) -> String {
        format!("ws://127.0.0.1:{}{path}", self.running.addr.port())
    }

    pub fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method.parse().unwrap(), format!("{}{path}", self.base()))
    }

    pub async fn get(&self, path: &str) -> Answer {
        answer(self.request("GET", path)).await
    }
}

pub async fn answer(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Answer { status, headers, body: response.text().await.unwrap() }
}

/// The transcript of a call, once its end is written.
pub async fn transcript(program: &Program, call_sid: &str) -> Value {
    let look = async {
        loop {
            let conversation = program.get(&format!("/api/conversations/{call_sid}")).await;
            if conversation.status == 200 && !conversation.json()["ended_at"].is_null() {
                return program.get(&format!("/api/conversations/{call_sid}/transcript")).await.json();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), look).await.expect("the end of the call is on record")
}
