//! Who opens a socket: carriers by credentials of their own, wherever we listen; this machine by itself while there is no administrator; and
//! pages by a token or a key from then on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tandem_domain::ids::CallId;
use tandem_domain::invitation::Invitation;
use tandem_peers::caller::{Manners, Step};
use tandem_peers::carrier::Carrier;
use tandem_peers::carrier::browser::{Token, Wishes};
use tandem_peers::simulate::{self, EndedBy, SimulateConfig, SimulateError};
use tandem_peers::vendor::FakeTts;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use uuid::Uuid;

use crate::office::{ASHA, KEY, Office};
use crate::support::{Program, boot_with_settings};

const SECRET: &str = "0123456789abcdef";
const CARRIERS: [&str; 4] = ["/media", "/media/", "/ws/twilio/call/CA1", "/ws/exotel/call/1/"];
const TALKS: [&str; 3] = ["/v1/convai/conversation", "/ws/talk/front-desk", "/ws/talk/front-desk/"];

/// The status of a handshake, and the words of a refusal.
async fn open(program: &Program, path: &str, bearer: Option<&str>) -> (u16, String) {
    let mut request = program.socket_url(path).into_client_request().unwrap();
    if let Some(bearer) = bearer {
        request.headers_mut().insert("authorization", format!("Bearer {bearer}").parse().unwrap());
    }
    match tokio_tungstenite::connect_async(request).await {
        Ok((_, response)) => (response.status().as_u16(), String::new()),
        Err(Error::Http(refused)) => {
            let body = refused.body().clone().unwrap_or_default();
            (refused.status().as_u16(), String::from_utf8(body).unwrap())
        }
        Err(error) => panic!("{path}: {error}"),
    }
}

#[tokio::test]
async fn the_first_administrator_closes_the_sockets_of_the_open_machine() {
    let program = boot_with_settings(&[("SECRET_KEY", KEY)]).await.unwrap();
    for path in CARRIERS.into_iter().chain(TALKS) {
        assert_eq!(open(&program, path, None).await.0, 101, "{path}: open while there is none");
    }
    let office = Office::set_up(program).await;
    let owner = office.log_in(ASHA).await;
    let key = office.make_key(&owner, &["talks:start"]).await;
    for path in CARRIERS {
        for bearer in [None, Some(&owner), Some(&key)] {
            let (status, words) = open(&office.program, path, bearer.map(String::as_str)).await;
            assert_eq!(status, 403, "{path}: no token of ours opens a carrier's socket");
            assert!(words.contains("MEDIA_SECRET"), "names the remedy: {words}");
        }
    }
    for path in TALKS {
        assert_eq!(open(&office.program, path, None).await.0, 401, "{path}");
        for bearer in [&owner, &key] {
            assert_eq!(open(&office.program, path, Some(bearer)).await.0, 101, "{path}");
        }
    }
    // Whom we have invited is waited for.
    let call = CallId(Uuid::from_u128(7));
    let invitation = Invitation { call, agent: None, ring_timeout: Duration::from_secs(45) };
    let token = office.program.running.switch.invite(invitation).unwrap();
    assert_eq!(open(&office.program, &format!("/media/{token}"), None).await.0, 101);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_with_a_key_talks_from_the_first_word_to_the_last() {
    let office = Office::open().await;
    let owner = office.log_in(ASHA).await;
    let key = office.make_key(&owner, &["talks:start", "calls:read"]).await;
    let talk = async |token: Option<&String>| {
        let wishes = Wishes { token: token.cloned().map(Token), ..Wishes::default() };
        let config = SimulateConfig {
            url: office.program.socket_url("/v1/convai/conversation"),
            unix_socket: None,
            carrier: Carrier::Browser(wishes),
            custom_parameters: BTreeMap::new(),
            script: vec![Step::Wait, Step::HangUp],
            manners: Manners::default(),
            renderer: Arc::new(FakeTts::default()),
            voice: String::new(),
            language: "en".into(),
            recogniser: None,
            record_to: None,
            limit: Duration::from_secs(20),
        };
        let (begun, hears) = tokio::sync::oneshot::channel();
        let steps = tokio::sync::mpsc::channel(1).1;
        (simulate::run_told(config, steps, begun).await, hears.await)
    };
    let (refused, _) = talk(None).await;
    assert!(matches!(refused, Err(SimulateError::Refused { status: 401, .. })), "{refused:?}");
    let (report, begun) = talk(Some(&key)).await;
    let report = report.unwrap();
    assert_eq!((report.ended_by, Ok(report.call_sid.clone())), (EndedBy::Caller, begun));
    let conversation = office.get(&format!("/api/conversations/{}", report.call_sid), &key).await;
    assert_eq!(conversation.status, 200, "{}", conversation.body);
}

#[tokio::test]
async fn a_carriers_secret_opens_its_sockets_whoever_has_an_account() {
    for host in ["127.0.0.1", "0.0.0.0"] {
        let settings = [("SECRET_KEY", KEY), ("MEDIA_SECRET", SECRET), ("HOST", host)];
        let check = async |program: &Program| {
            for path in ["/media/0123456789abcdef", "/ws/twilio/0123456789abcdef/call/CA1/"] {
                assert_eq!(open(program, path, None).await.0, 101, "{path} on {host}");
            }
            for path in CARRIERS.into_iter().chain(["/media/0123456789abcdeg"]) {
                assert_eq!(open(program, path, None).await.0, 403, "{path} on {host}");
            }
        };
        let program = boot_with_settings(&settings).await.unwrap();
        check(&program).await;
        for path in TALKS {
            // The page is not a carrier: without an administrator it is this machine's alone.
            let expected = if host == "0.0.0.0" { 403 } else { 101 };
            assert_eq!(open(&program, path, None).await.0, expected, "{path} on {host}");
        }
        check(&Office::set_up(program).await.program).await;
    }
}
