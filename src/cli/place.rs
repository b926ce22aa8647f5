//! Where the switch is that a command talks to, and what it says of a call afterwards. Shared by `simulate`, `talk` and `doctor`.
//!
//! Without a URL it is the switch that listens where the settings say, or else one started in this process, on a free port and on the same
//! data folder, so that the call can be looked at afterwards.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderValue};
use serde_json::Value;
use tandem_access::secret::Secret;
use tandem_peers::carrier::browser::Token;
use tokio::net::{TcpListener, TcpStream};
use uuid::Uuid;

use super::{CliError, Output};
use crate::config::{Config, MediaCredentials};
use crate::wiring::{self, Extras, Running, Vendors};

/// How long the switch may take to write the end of the call.
const RECORD_LIMIT: Duration = Duration::from_secs(10);
/// Pause between two looks at the record.
const RECORD_PAUSE: Duration = Duration::from_millis(100);
/// How long we look for a running switch.
const LOOK_LIMIT: Duration = Duration::from_secs(1);
/// Stands in the URLs of a switch behind a socket file; nobody connects to it.
const FILE_PORT: u16 = 80;
/// Longest answer of the switch's API.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// Where pages talk.
const TALK_PATH: &str = "/v1/convai/conversation";

/// Where the switch is.
pub(super) struct Place {
    /// Its media socket.
    pub(super) url: String,
    /// The file to reach it by, where there is no loopback interface.
    pub(super) socket: Option<PathBuf>,
    /// What is shown to it, should it ask who we are.
    key: Option<Secret>,
    /// Whether its carriers' sockets open to what we know.
    opens: bool,
    own: Option<Own>,
}

/// A switch for this one call.
struct Own {
    running: Running,
    /// Holds the socket file, if there is one.
    _folder: tempfile::TempDir,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The authority alone: a path may hold a secret, and a terminal is read by others.
        f.write_str(&self.api().unwrap_or_else(|| "the switch".to_owned()))?;
        if self.own.is_some() { f.write_str(", a switch of this command's own") } else { Ok(()) }
    }
}

impl Place {
    /// The switch at `url`, or the one that listens where the settings say, or one of our own that speaks and hears by `vendors`.
    pub(super) async fn find(url: Option<String>, config: Config, vendors: Vendors) -> Result<Self, CliError> {
        if let Some(url) = url {
            let url = media_url(url)?;
            let opens = has_credentials(&url);
            return Ok(Self { url, socket: None, key: config.switch_api_key, opens, own: None });
        }
        match running_switch(&config).await {
            Some(place) => Ok(place),
            None => Self::start(config, vendors).await,
        }
    }

    /// Where its API is; `None` for a URL that is no socket's.
    pub(super) fn api(&self) -> Option<String> {
        api_base(&self.url)
    }

    /// A client for its API; `None` where the machine gives none.
    pub(super) fn client(&self) -> Option<reqwest::Client> {
        client(self.socket.as_deref(), self.shown())
    }

    /// What a page shows of us.
    pub(super) fn token(&self) -> Option<Token> {
        self.shown().map(|key| Token(key.expose().to_owned()))
    }

    /// Whether a page's socket opens to us where no carrier's does.
    pub(super) fn has_a_key_alone(&self) -> bool {
        self.shown().is_some() && !self.opens
    }

    /// The key, if nobody reads it on the way.
    fn shown(&self) -> Option<&Secret> {
        self.key.as_ref().filter(|_| keeps_secrets(&self.url))
    }

    /// Takes the pages' socket in place of the carriers', without their credentials.
    pub(super) fn talk(&mut self) {
        let Some((scheme, rest)) = self.url.split_once("://") else { return };
        let authority = rest.split('/').next().unwrap_or_default();
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        self.url = format!("{scheme}://{host}{TALK_PATH}");
    }

    /// Ends a switch of our own.
    pub(super) async fn leave(self) {
        if let Some(own) = self.own {
            own.running.shutdown().await;
        }
    }

    /// Starts a switch on a free port and the configured data folder.
    async fn start(config: Config, vendors: Vendors) -> Result<Self, CliError> {
        let folder = tempfile::Builder::new().prefix("tandem-call-").tempdir()?;
        // The folder may have an administrator, who has closed it, and the port is open to every user of this machine: what opens it is known here.
        let made = || Uuid::new_v4().simple().to_string();
        let (secret, key) = (made(), Secret::new(made()));
        let media = MediaCredentials { basic: None, secret: Some(secret.clone()) };
        let extras = Extras { own_key: Some(key.clone()), ..Extras::default() };
        let config = Config { host: Ipv4Addr::LOCALHOST.into(), port: 0, media, ..config };
        let (running, socket) = if loopback_is_up().await {
            (wiring::boot_with_extras(config, vendors, extras).await?, None)
        } else {
            let path = folder.path().join("switch.sock");
            let config = Config { port: FILE_PORT, ..config };
            (wiring::boot_behind(&path, config, vendors, extras).await?, Some(path))
        };
        let url = format!("{}/{secret}", running.media_url());
        Ok(Self { url, socket, key: Some(key), opens: true, own: Some(Own { running, _folder: folder }) })
    }
}

/// Whether this machine can call itself: a fresh network namespace has a loopback interface that is down.
async fn loopback_is_up() -> bool {
    let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await else { return false };
    match listener.local_addr() {
        Ok(address) => TcpStream::connect(address).await.is_ok(),
        Err(_) => false,
    }
}

/// The switch that listens where the settings say, if one does.
async fn running_switch(config: &Config) -> Option<Place> {
    let host = if config.host.is_unspecified() { Ipv4Addr::LOCALHOST.into() } else { config.host };
    let address = SocketAddr::new(host, config.port);
    let key = config.switch_api_key.clone();
    let found = tandem_at(address).await;
    let opens = config.media.are_set();
    found.then(|| Place { url: config.media.url(&address.to_string()), socket: None, key, opens, own: None })
}

/// Whether a tandem serves there; another program may well answer.
pub(super) async fn tandem_at(address: SocketAddr) -> bool {
    let url = format!("http://{address}/health");
    let health = tokio::time::timeout(LOOK_LIMIT, get(&url, client(None, None))).await;
    health.is_ok_and(|answer| answer.is_ok_and(|health| health["components"]["speech_to_text"].is_object()))
}

/// The media socket that a `--url` names. An address as the start prints it, or as a browser shows it, is understood: nobody means to
/// speak into a page.
fn media_url(url: String) -> Result<String, CliError> {
    let (scheme, rest) = url.split_once("://").ok_or_else(|| CliError::Url(url.clone()))?;
    let scheme = match scheme.to_ascii_lowercase().as_str() {
        "ws" | "http" => "ws",
        "wss" | "https" => "wss",
        _ => return Err(CliError::Url(url.clone())),
    };
    let bare = rest.trim_end_matches('/');
    match bare.split_once('/') {
        _ if bare.is_empty() => Err(CliError::Url(url.clone())),
        // No path is the front door; the socket beside it is meant.
        None => Ok(format!("{scheme}://{bare}/media")),
        Some(_) => Ok(format!("{scheme}://{rest}")),
    }
}

/// Whether a socket's URL carries what opens it: a user, or a further part of its path, which may be a secret.
fn has_credentials(url: &str) -> bool {
    url.contains('@') || !url.trim_end_matches('/').ends_with("/media")
}

/// What the switch knows of the call: the conversation and its transcript, `null` where it does not say.
pub(super) async fn ask(place: &Place, call_sid: &str, output: Output) -> (Value, Value) {
    let Some(base) = api_base(&place.url) else { return (Value::Null, Value::Null) };
    let asking = || place.client();
    let conversation = format!("{base}/api/conversations/{call_sid}");
    // Its end is written after the socket was closed. Late or never: what there is has to do.
    let _ = tokio::time::timeout(RECORD_LIMIT, ended(&conversation, asking)).await;
    match get(&conversation, asking()).await {
        Ok(found) => (found, get(&format!("{conversation}/transcript"), asking()).await.unwrap_or(Value::Null)),
        Err(Some(401 | 403)) => {
            output.say(
                "note: what the switch understood is not known: it asks who we are; make a key with \
                 `tandem key make cli --scope calls:read` and set SWITCH_API_KEY",
            );
            (Value::Null, Value::Null)
        }
        Err(status) => {
            let why = status.map_or("no answer".to_owned(), |status| format!("status {status}"));
            output.say(format_args!("note: what the switch understood is not known: {why} from {conversation}"));
            (Value::Null, Value::Null)
        }
    }
}

/// Waits until a conversation is there and has ended, or cannot be asked for.
async fn ended(conversation: &str, asking: impl Fn() -> Option<reqwest::Client>) {
    loop {
        match get(conversation, asking()).await {
            Ok(found) if !found["ended_at"].is_null() => return,
            Ok(_) | Err(Some(404)) => tokio::time::sleep(RECORD_PAUSE).await,
            Err(_) => return,
        }
    }
}

/// A JSON answer; the error is the status, or nothing if there was none.
async fn get(url: &str, client: Option<reqwest::Client>) -> Result<Value, Option<u16>> {
    let response = client.ok_or(None)?.get(url).send().await.map_err(|_| None)?;
    match response.status() {
        status if status.is_success() => response.json().await.map_err(|_| None),
        status => Err(Some(status.as_u16())),
    }
}

/// A client for the API of a switch; `None` where the machine gives none. Made anew each time: there are a handful of requests, and none may
/// wait for a dead connection.
fn client(socket: Option<&Path>, key: Option<&Secret>) -> Option<reqwest::Client> {
    let mut client = reqwest::Client::builder().no_proxy().timeout(ANSWER_LIMIT);
    if let Some(key) = key {
        let mut value = HeaderValue::try_from(format!("Bearer {}", key.expose())).ok()?;
        value.set_sensitive(true);
        client = client.default_headers([(AUTHORIZATION, value)].into_iter().collect());
    }
    if let Some(path) = socket {
        client = client.unix_socket(path);
    }
    client.build().ok()
}

/// Whether what is sent there is read by nobody on the way: it is encrypted, or does not leave this machine.
fn keeps_secrets(media_url: &str) -> bool {
    let authority = api_base(media_url).and_then(|base| base.strip_prefix("http://").map(str::to_owned));
    let Some(authority) = authority else { return media_url.starts_with("wss://") };
    let host = authority.rsplit_once(':').map_or(authority.as_str(), |(host, _)| host);
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// `http://host:port` of a media socket's URL.
fn api_base(media_url: &str) -> Option<String> {
    let (scheme, rest) = media_url.split_once("://")?;
    let scheme = match scheme {
        "ws" => "http",
        "wss" => "https",
        _ => return None,
    };
    let authority = rest.split('/').next()?;
    // A media socket's user and password are not the API's.
    Some(format!("{scheme}://{}", authority.rsplit_once('@').map_or(authority, |(_, host)| host)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_front_door_means_the_socket_beside_it() {
        for (url, expected) in [
            ("ws://localhost:8000/media", "ws://localhost:8000/media"),
            ("http://localhost:8000", "ws://localhost:8000/media"),
            ("https://voice.example.test/", "wss://voice.example.test/media"),
            ("HTTP://localhost:8000/ws/twilio/call/1/", "ws://localhost:8000/ws/twilio/call/1/"),
        ] {
            assert_eq!(media_url(url.to_owned()).ok().as_deref(), Some(expected), "{url}");
        }
        for url in ["localhost:8000", "ftp://localhost/media", "ws://", ""] {
            assert!(media_url(url.to_owned()).is_err(), "{url}");
        }
    }

    #[test]
    fn the_api_is_beside_the_socket() {
        assert_eq!(api_base("ws://localhost:8000/media").as_deref(), Some("http://localhost:8000"));
        assert_eq!(
            api_base("wss://voice.example.test/ws/twilio/call/1/").as_deref(),
            Some("https://voice.example.test")
        );
        assert_eq!(api_base("localhost:8000/media"), None);
    }

    #[test]
    fn a_key_goes_to_this_machine_or_is_encrypted() {
        for url in [
            "ws://localhost:8000/media",
            "ws://127.0.0.1:1/media",
            "ws://[::1]:8000/media",
            "wss://voice.example.test/media",
        ] {
            assert!(keeps_secrets(url), "{url}");
        }
        for url in [
            "ws://voice.example.test/media",
            "ws://192.168.1.7:8000/media",
            "ws://localhost.example.test/media",
            "ftp://localhost",
        ] {
            assert!(!keeps_secrets(url), "{url}");
        }
    }

    #[test]
    fn no_secret_is_shown_or_taken_along() {
        for url in ["wss://acme:key@voice.example.test/media", "wss://voice.example.test/media/s3cret-s3cret-s3cret"] {
            let mut place = Place { url: url.to_owned(), socket: None, key: None, opens: true, own: None };
            assert_eq!(place.to_string(), "https://voice.example.test");
            place.talk();
            assert_eq!(place.url, "wss://voice.example.test/v1/convai/conversation");
        }
    }
}
