//! What a log-in does not tell: whether there is somebody of that address.

use std::time::Duration;

use serde_json::json;
use tandem_access::audit::Action;
use tandem_access::port::AccessStore as _;
use tandem_actors::clock;
use tandem_domain::ids::BusinessId;

use crate::office::{ASHA, Office};
use crate::stored::assert_problem;

#[tokio::test]
async fn an_unknown_address_takes_as_long_as_a_known_one() {
    let office = Office::open().await;
    let timed = async |email: &str| {
        let began = clock::now();
        let refused = office.try_log_in(email, "no idea at all").await;
        assert_problem(&refused, 401, "unauthorized");
        clock::now() - began
    };
    timed("first@example.test").await; // the first of all makes what the others are compared with
    let (mut known, mut unknown) = (Duration::MAX, Duration::MAX);
    for _ in 0..5 {
        known = known.min(timed(ASHA).await);
        unknown = unknown.min(timed("nobody@example.test").await);
    }
    println!("the fastest refusal: {known:?} of somebody, {unknown:?} of nobody");
    // Without the hash of nobody it would be a hundredth.
    assert!(unknown > known / 2 && known > unknown / 2, "{known:?} {unknown:?}");
}

#[tokio::test]
async fn a_refusal_does_not_wait_for_its_record_which_is_written_all_the_same() {
    let office = Office::open().await;
    let mut database = office.database().await;
    // Somebody else is writing: a record has to wait, and an answer that waited for it would tell.
    sqlx::query("BEGIN IMMEDIATE").execute(&mut database).await.unwrap();
    let known = office.try_log_in(ASHA, "no idea at all").await;
    let unknown = office.try_log_in("nobody@example.test", "no idea at all").await;
    assert_problem(&known, 401, "unauthorized");
    assert_eq!((known.status, &known.body), (unknown.status, &unknown.body));
    let store = &office.program.running.store;
    let newest = async || store.records(BusinessId::FIRST, None, 1).await.unwrap().remove(0).1;
    assert_eq!(newest().await.action, Action::SetUp, "not yet");
    sqlx::query("ROLLBACK").execute(&mut database).await.unwrap();
    let written = async { while newest().await.action != Action::LogInRefused {} };
    tokio::time::timeout(Duration::from_secs(10), written).await.expect("the guess is on record");
}

#[tokio::test]
async fn a_set_up_link_is_over_after_an_hour_and_says_what_to_do() {
    use tandem_access::secret::SecretKey;
    use tandem_access::token::Tokens;

    let program = crate::support::boot_with_settings(&[("SECRET_KEY", crate::office::KEY)]).await.unwrap();
    let installation = program.running.store.installation(uuid::Uuid::nil()).await.unwrap().id;
    let tokens = Tokens::new(installation, &SecretKey::parse(crate::office::KEY).unwrap(), None);
    let set_up = async |age: i64| {
        let token = tokens.issue_setup(clock::utc() - chrono::TimeDelta::minutes(age));
        let body = json!({ "token": token.expose(), "email": ASHA, "password": crate::office::PASSWORD });
        crate::support::answer(program.request("POST", "/api/setup").json(&body)).await
    };
    let late = set_up(62).await;
    assert_problem(&late, 401, "unauthorized");
    assert!(late.json()["detail"].as_str().unwrap().contains("start the program again"), "names the remedy");
    assert_eq!(set_up(58).await.status, 201);
    assert_problem(&set_up(0).await, 404, "not-found");
}
