//! Who may open a media socket, and whom it may ask for: invitations on a line without a socket, credentials over real ones.

#![allow(clippy::unwrap_used, missing_docs)]

#[path = "support/line.rs"]
mod line;
#[path = "support/memory.rs"]
mod memory;
mod support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use line::{Exchange, Line, Vendors, say};
use tandem_actors::{Arrival, SocketError, SwitchConfig, TOKEN_PARAMETER};
use tandem_domain::agent::Timing;
use tandem_domain::ids::CallId;
use tandem_domain::invitation::{Invitation, Uninvited};
use tandem_domain::reception::{NumberAgents, Standing};
use tandem_peers::caller::{Rendered, Step};
use tandem_peers::carrier::exotel::{ExotelIds, ExotelPeer, Habits};
use tandem_peers::carrier::twilio::{TwilioIds, TwilioPeer};
use tandem_providers::carrier::exotel::ExotelDialect;
use tandem_providers::carrier::twilio::TwilioDialect;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error as SocketFailure, http::HeaderValue};
use uuid::Uuid;

const LIMIT: Duration = Duration::from_secs(240);

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn invitation(call: u128) -> Invitation {
    Invitation {
        call: CallId(Uuid::from_u128(call)),
        agent: Some("front-desk".into()),
        ring_timeout: Duration::from_secs(45),
    }
}

fn guest(token: Option<&str>) -> Arrival {
    Arrival { standing: Standing::Guest, token: token.map(str::to_owned), ..Arrival::default() }
}

/// A Twilio call that arrives so and brings these parameters.
async fn dial(exchange: &Exchange, number: u64, arrival: Arrival, parameters: &[(&str, &str)]) -> Line {
    let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let peer = TwilioPeer::new(TwilioIds::numbered(u128::from(number)), parameters);
    let script: Vec<Step<Rendered>> = vec![say(number, "goodbye")];
    Line::dial_as(exchange, vec![Arc::new(TwilioDialect::new(0))], peer, arrival, number, script).await
}

/// The reason for which the switch closed the line at once.
async fn turned_away(exchange: &Exchange, number: u64, arrival: Arrival, parameters: &[(&str, &str)]) -> String {
    let mut line = dial(exchange, number, arrival, parameters).await;
    line.run_out(Duration::from_secs(2)).await;
    assert!(line.heard.is_empty(), "nobody spoke");
    reason(exchange, number).await
}

/// Why a call ended, once that is on record.
async fn reason(exchange: &Exchange, number: u64) -> String {
    let call_sid = TwilioIds::numbered(u128::from(number)).call_sid;
    loop {
        let records = exchange.log.call(&call_sid);
        if !records.ended.is_empty() {
            return records.reason().to_owned();
        }
        tokio::time::sleep(ms(10)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_opens_one_socket_of_its_call_and_no_second() {
    let exchange = Exchange::new().await;
    let token = exchange.switch.invite(invitation(7)).unwrap();
    assert!(exchange.switch.expects_any());
    let mut first = dial(&exchange, 1, guest(Some(&token)), &[]).await;
    first.until("a word", LIMIT, |line| !line.heard.is_empty()).await;
    assert_eq!(exchange.session(&first).await.call_id, CallId(Uuid::from_u128(7)), "the invited call");
    assert_eq!(exchange.switch.expects(&token), Err(Uninvited::InUse));
    assert_eq!(turned_away(&exchange, 2, guest(Some(&token)), &[]).await, "not_invited", "while the first lives");
    first.run_out(LIMIT).await;
    assert_eq!(reason(&exchange, 1).await, "completed", "the first is unharmed");
    assert_eq!(turned_away(&exchange, 3, guest(Some(&token)), &[]).await, "not_invited", "reuse");
    assert_eq!(exchange.switch.expects(&token), Err(Uninvited::UnknownToken));
}

#[tokio::test(start_paused = true)]
async fn a_token_may_come_as_a_parameter_of_the_stream_and_does_not_reach_the_record() {
    let exchange = Exchange::new().await;
    let token = exchange.switch.invite(invitation(7)).unwrap();
    let mut line = dial(&exchange, 1, guest(None), &[(TOKEN_PARAMETER, &token), ("lead", "L-204")]).await;
    line.run_out(LIMIT).await;
    assert_eq!(reason(&exchange, 1).await, "completed");
    let shown = format!("{:?}", exchange.log);
    assert!(shown.contains("L-204") && !shown.contains(&token), "{shown}");
}

#[tokio::test(start_paused = true)]
async fn a_guest_without_a_token_and_a_bad_token_from_anybody_are_turned_away() {
    let exchange = Exchange::new().await;
    assert_eq!(turned_away(&exchange, 1, guest(None), &[]).await, "not_invited");
    assert_eq!(turned_away(&exchange, 2, guest(Some("guess")), &[]).await, "not_invited");
    let trusted = Arrival { standing: Standing::Trusted, ..Arrival::default() };
    assert_eq!(turned_away(&exchange, 3, trusted, &[(TOKEN_PARAMETER, "guess")]).await, "not_invited");
}

#[tokio::test(start_paused = true)]
async fn an_invitation_expires_half_a_minute_after_the_ringing() {
    let exchange = Exchange::new().await;
    let token = exchange.switch.invite(invitation(7)).unwrap();
    tokio::time::sleep(Duration::from_secs(74)).await;
    assert_eq!(exchange.switch.expects(&token), Ok(()));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!exchange.switch.expects_any());
    assert_eq!(turned_away(&exchange, 1, guest(Some(&token)), &[]).await, "not_invited");
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_connection_broke_may_come_back_for_ten_seconds() {
    let exchange = Exchange::new().await;
    let token = exchange.switch.invite(invitation(7)).unwrap();
    for (number, comes_back_after) in [(1, ms(0)), (2, ms(9_000))] {
        tokio::time::sleep(comes_back_after).await;
        let mut line = dial(&exchange, number, guest(Some(&token)), &[]).await;
        line.until("a word", LIMIT, |line| !line.heard.is_empty()).await;
        line.send_raw(Err(SocketError::Io("reset".into()))).await;
        assert_eq!(reason(&exchange, number).await, "leg_lost");
    }
    tokio::time::sleep(ms(10_500)).await;
    assert_eq!(turned_away(&exchange, 3, guest(Some(&token)), &[]).await, "not_invited", "too late");
}

#[tokio::test(start_paused = true)]
async fn an_invited_call_that_nobody_answers_keeps_its_name_and_does_not_come_back() {
    let exchange = Exchange::new().await;
    let invited = Invitation { agent: Some("nobody".into()), ..invitation(7) };
    let token = exchange.switch.invite(invited).unwrap();
    assert_eq!(turned_away(&exchange, 1, guest(Some(&token)), &[]).await, "no_agent");
    let records = exchange.log.call(&TwilioIds::numbered(1).call_sid);
    assert_eq!(records.ended[0].call, CallId(Uuid::from_u128(7)), "the record is the invited call's");
    assert_eq!(turned_away(&exchange, 2, guest(Some(&token)), &[]).await, "not_invited", "its line did not break");
}

/// An exchange on which the default agent does not exist: whoever is answered was routed.
async fn without_default(numbers: &str) -> Exchange {
    let numbers = NumberAgents::read(numbers, Some("IN".parse().unwrap())).unwrap();
    let config = SwitchConfig { numbers, default_agent: "nobody".into(), ..SwitchConfig::default() };
    Exchange::with(Vendors::default(), Timing::default(), config).await
}

#[tokio::test(start_paused = true)]
async fn a_stranger_does_not_choose_the_agent() {
    let exchange = without_default("").await;
    let asked = [("agent", "front-desk")];
    assert_eq!(turned_away(&exchange, 1, Arrival::default(), &asked).await, "no_agent");
    let trusted = Arrival { standing: Standing::Trusted, ..Arrival::default() };
    dial(&exchange, 2, trusted, &asked).await.run_out(LIMIT).await;
    assert_eq!(reason(&exchange, 2).await, "completed");
}

#[tokio::test(start_paused = true)]
async fn a_call_is_answered_by_the_agent_of_the_number_dialled() {
    // Exotel's model dials 08047112233, Twilio's answer document told the number as a parameter.
    let exchange = without_default("+91 80 4711 2233 = front-desk").await;
    let peer = ExotelPeer::new(ExotelIds::numbered(1), Habits::default(), BTreeMap::new());
    let dialects: Vec<Arc<dyn tandem_domain::port::dialect::Dialect>> = vec![Arc::new(ExotelDialect::default())];
    let mut line = Line::dial_as(&exchange, dialects, peer, Arrival::default(), 1, vec![say(1, "goodbye")]).await;
    line.run_out(LIMIT).await;
    dial(&exchange, 2, Arrival::default(), &[("To", "+918047112233")]).await.run_out(LIMIT).await;
    assert_eq!(reason(&exchange, 2).await, "completed");
    assert_eq!(turned_away(&exchange, 3, Arrival::default(), &[("To", "+918047112234")]).await, "no_agent");
    assert_eq!(exchange.records(&line).await.reason(), "completed");
}

/// The status of a handshake: 101, or why not.
async fn status(program: &support::Program, path: &str, headers: &[(&'static str, &str)]) -> u16 {
    let mut request = program.socket_url(path).into_client_request().unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(*name, HeaderValue::from_str(value).unwrap());
    }
    match tokio_tungstenite::connect_async(request).await {
        Ok((_, response)) => response.status().as_u16(),
        Err(SocketFailure::Http(response)) => {
            let basic =
                response.headers().get("www-authenticate").is_some_and(|value| value == r#"Basic realm="media""#);
            assert_eq!(basic, response.status() == 401);
            response.status().as_u16()
        }
        Err(error) => panic!("{path}: {error}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn beyond_loopback_a_socket_needs_what_was_set_up() {
    let basic = |credentials: &str| {
        use base64::Engine as _;
        format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(credentials))
    };
    let (right, wrong) = (basic("acme:password"), basic("acme:passwort"));

    let closed = support::boot_with_settings(&[("HOST", "0.0.0.0")]).await.unwrap();
    for path in
        ["/media", "/media/", "/ws/twilio/call/1", "/ws/exotel/call/1/", "/media/guess", "/ws/exotel/guess/call/1"]
    {
        assert_eq!(status(&closed, path, &[("authorization", &right)]).await, 403, "{path}");
    }
    let token = closed.running.switch.invite(invitation(7)).unwrap();
    assert_eq!(status(&closed, &format!("/media/{token}"), &[]).await, 101);
    assert_eq!(status(&closed, &format!("/ws/exotel/{token}/call/1/"), &[]).await, 101, "not used up before a start");
    assert_eq!(status(&closed, "/media", &[]).await, 101, "the token may come with the start");
    closed.running.shutdown().await;

    let settings = [
        ("HOST", "0.0.0.0"),
        ("MEDIA_USER", "acme"),
        ("MEDIA_PASSWORD", "password"),
        ("MEDIA_SECRET", "0123456789abcdef"),
    ];
    let guarded = support::boot_with_settings(&settings).await.unwrap();
    for (path, authorization, expected) in [
        ("/media", Some(&right), 101),
        ("/ws/exotel/call/1", Some(&right), 101),
        ("/media", Some(&wrong), 401),
        ("/media", None, 401),
        ("/media/0123456789abcdef", None, 101),
        ("/ws/twilio/0123456789abcdef/call/1/", None, 101),
        ("/media/0123456789abcdeg", None, 403),
        ("/ws/acme/call/1", Some(&right), 404),
    ] {
        let headers: Vec<_> = authorization.iter().map(|value| ("authorization", value.as_str())).collect();
        assert_eq!(status(&guarded, path, &headers).await, expected, "{path} with {authorization:?}");
    }
    guarded.running.shutdown().await;
}

/// A carrier's URL with its user and password, as Exotel's applet has it, and a whole call.
#[tokio::test(flavor = "multi_thread")]
async fn a_carrier_whose_url_has_a_password_is_let_in() {
    use tandem_peers::carrier::Carrier;
    use tandem_peers::simulate::{self, EndedBy, SimulateConfig, SimulateError};

    let settings = [("MEDIA_USER", "acme"), ("MEDIA_PASSWORD", "password")];
    let program = support::boot_with_settings(&settings).await.unwrap();
    let call = |url: String| {
        simulate::run(SimulateConfig {
            url,
            unix_socket: None,
            carrier: Carrier::Exotel(ExotelIds::numbered(1), Habits::default()),
            custom_parameters: BTreeMap::new(),
            script: vec![Step::HangUp],
            manners: tandem_peers::caller::Manners::default(),
            renderer: Arc::new(tandem_peers::vendor::FakeTts::default()),
            voice: String::new(),
            language: "en".into(),
            recogniser: None,
            record_to: None,
            limit: Duration::from_secs(10),
        })
    };
    let url = program.socket_url("/media");
    let refused = call(url.clone()).await.unwrap_err();
    assert!(matches!(refused, SimulateError::Refused { status: 401, .. }), "{refused}");
    let report = call(url.replacen("://", "://acme:password@", 1)).await.unwrap();
    assert_eq!(report.ended_by, EndedBy::Caller);
    program.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_holds_so_many_sockets_that_never_speak() {
    let settings = [("MEDIA_MAX_MUTE_PER_ADDRESS", "3"), ("MEDIA_START_TIMEOUT", "300")];
    let program = support::boot_with_settings(&settings).await.unwrap();
    let mut mute = Vec::new();
    for _ in 0..3 {
        mute.push(tokio_tungstenite::connect_async(program.socket_url("/media")).await.unwrap());
    }
    assert_eq!(status(&program, "/media", &[]).await, 503);
    drop(mute);
    // The switch learns of the closed sockets in its own time.
    let let_in = async { while status(&program, "/media", &[]).await != 101 {} };
    tokio::time::timeout(Duration::from_secs(10), let_in).await.expect("places are given back");
    program.running.shutdown().await;
}
