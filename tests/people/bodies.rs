//! Bodies that were not meant well: what is not the sender's to set, what is too large and what is too deep. Every route of the description that
//! takes a body is tried, so that none is forgotten.

use std::time::Duration;

use serde_json::{Value, json};
use tandem_actors::clock;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::office::{ASHA, Office};
use crate::rows::{Rows, all_of_the_first};
use crate::support::{Answer, answer};

/// What the server says of a row, and nobody says to it.
const NOT_THEIRS: [&str; 8] =
    ["business_id", "id", "uuid", "version", "revision", "role", "created_at", "password_hash"];

/// Where one of them is the sender's to say.
const THEIRS: [(&str, &str, &str); 2] = [("post", "/api/users", "role"), ("patch", "/api/users/{id}", "role")];

/// Works once: an office is set up. `tests/access.rs` has what it refuses.
const SET_UP: &str = "/api/setup";

/// A refusal takes no longer than this (promises, API4).
const AT_ONCE: Duration = Duration::from_millis(100);

/// Every order that takes a body: its method, its path as it is described, and with a row's id in it.
async fn orders(office: &Office, owner: &str) -> Vec<(String, String, String)> {
    let rows = Rows::make(office, owner).await;
    let description = office.get("/openapi.json", owner).await.json();
    let mut found = Vec::new();
    for (path, item) in description["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if operation["requestBody"].is_object() && path != SET_UP {
                let concrete = if path.contains('{') { rows.concrete(path, 0) } else { path.clone() };
                found.push((method.clone(), path.clone(), concrete));
            }
        }
    }
    assert!(found.len() >= 20, "{found:?}");
    found
}

async fn order(office: &Office, method: &str, path: &str, bearer: &str, body: String) -> Answer {
    let request = office.program.request(&method.to_uppercase(), path).bearer_auth(bearer);
    answer(request.header("if-match", "*").header("content-type", "application/json").body(body)).await
}

#[tokio::test]
async fn nobody_sets_what_is_not_theirs_anywhere() {
    let office = Office::open().await;
    let owner = office.log_in(ASHA).await;
    let orders = orders(&office, &owner).await;
    let mut database = office.database().await;
    let before = all_of_the_first(&mut database).await;
    for (method, path, concrete) in &orders {
        for field in NOT_THEIRS {
            if THEIRS.contains(&(method, path, field)) {
                continue;
            }
            let refused = order(&office, method, concrete, &owner, json!({ (field): 2 }).to_string()).await;
            assert_eq!(refused.status, 400, "{method} {path} with {field}: {}", refused.body);
            let faults = refused.json()["errors"].as_array().unwrap().clone();
            let place = json!(format!("/{field}"));
            assert!(faults.iter().any(|fault| fault["parameter"] == place), "{method} {path}: {}", refused.body);
        }
    }
    assert_eq!(all_of_the_first(&mut database).await, before);
}

#[tokio::test]
async fn what_is_nested_deeply_is_refused_at_once_and_so_is_a_flood_of_faults() {
    let office = Office::open().await;
    let owner = office.log_in(ASHA).await;
    let orders = orders(&office, &owner).await;
    let deep = ["[".repeat(10_000), format!("{}1{}", r#"{"name":"#.repeat(10_000), "}".repeat(10_000))];
    let many = (0..45_000).map(|n| (format!("field{n}"), Value::from(n))).collect::<serde_json::Map<_, _>>();
    let many = Value::Object(many).to_string();
    assert!(many.len() < 1024 * 1024);
    let mut slowest = Duration::ZERO;
    for (method, path, concrete) in &orders {
        for body in deep.iter().chain([&many]) {
            let mut best = Duration::MAX;
            for _ in 0..3 {
                let began = clock::now();
                let refused = order(&office, method, concrete, &owner, body.clone()).await;
                best = best.min(clock::now() - began);
                assert_eq!(refused.status, 400, "{method} {path}: {}", &refused.body[..refused.body.len().min(500)]);
                assert!(refused.body.len() < 64 * 1024, "{method} {path} answers with {} bytes", refused.body.len());
            }
            assert!(body == &many || best < AT_ONCE, "{method} {path}: {best:?} for {} bytes", body.len());
            slowest = slowest.max(best);
        }
    }
    println!("{} routes; the slowest refusal took {slowest:?}", orders.len());
}

/// Sends a head and some body on a connection of its own, and waits for the answer without ever ending the body.
async fn status_before_the_end(office: &Office, head: &str, body: &[u8]) -> u16 {
    let mut stream = TcpStream::connect(("127.0.0.1", office.program.running.addr.port())).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    // Whoever has answered does not read on.
    let _ = stream.write_all(body).await;
    let mut answer = [0; 12];
    let read = tokio::time::timeout(Duration::from_secs(10), stream.read_exact(&mut answer)).await;
    read.expect("answered before the end of the body").unwrap();
    std::str::from_utf8(&answer).unwrap().strip_prefix("HTTP/1.1 ").unwrap().parse().unwrap()
}

#[tokio::test]
async fn ten_megabytes_are_refused_before_they_are_read() {
    let office = Office::open().await;
    let owner = office.log_in(ASHA).await;
    let orders = orders(&office, &owner).await;
    let mut slowest = Duration::ZERO;
    for (method, path, concrete) in &orders {
        let head = |length: &str| {
            format!(
                "{} {concrete} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {owner}\r\nIf-Match: *\r\n\
                 Content-Type: application/json\r\n{length}\r\n\r\n",
                method.to_uppercase()
            )
        };
        let mut best = Duration::MAX;
        for _ in 0..3 {
            let began = clock::now();
            let status = status_before_the_end(&office, &head("Content-Length: 10485760"), b"").await;
            best = best.min(clock::now() - began);
            assert_eq!(status, 413, "{method} {path}: ten megabytes, and none of them sent");
        }
        assert!(best < AT_ONCE, "{method} {path}: {best:?}");
        slowest = slowest.max(best);
    }
    // A length that is not told is found out.
    let chunk =
        [format!("{:x}\r\n[", 1024 * 1024 + 1).into_bytes(), vec![b' '; 1024 * 1024], b"\r\n".to_vec()].concat();
    for (method, path, concrete) in &orders {
        let head = format!(
            "{} {concrete} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {owner}\r\nIf-Match: *\r\n\
             Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
            method.to_uppercase()
        );
        assert_eq!(status_before_the_end(&office, &head, &chunk).await, 413, "{method} {path}: without an end");
    }
    println!("{} routes; the slowest refusal took {slowest:?}", orders.len());
}
