//! The adapter over a real socket, without a switch behind it.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use axum::Router;
use axum::routing::any;
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message as ClientMessage;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::*;

type Client = WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>;

/// A client, and the server's side of its socket.
async fn connected() -> (Client, MediaSocket, Remains) {
    let (arrivals, mut arrived) = mpsc::channel(1);
    let accept = move |upgrade: WebSocketUpgrade| async move {
        let upgrade = upgrade.max_message_size(1000).max_frame_size(1000);
        upgrade.on_upgrade(async move |socket| drop(arrivals.send(lend(socket)).await))
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/", any(accept))).await });
    let (client, _) = tokio_tungstenite::connect_async(url).await.unwrap();
    let (media, remains) = arrived.recv().await.unwrap();
    (client, media, remains)
}

async fn next(media: &mut MediaSocket) -> Option<Result<WireMessage, SocketError>> {
    tokio::time::timeout(Duration::from_secs(5), media.incoming.next()).await.unwrap()
}

#[tokio::test]
async fn messages_pass_pings_do_not_and_a_close_is_the_end() {
    let (mut client, mut media, _remains) = connected().await;
    client.send(ClientMessage::text("{}")).await.unwrap();
    client.send(ClientMessage::Ping("x".into())).await.unwrap();
    client.send(ClientMessage::binary(vec![1, 2])).await.unwrap();
    assert_eq!(next(&mut media).await, Some(Ok(WireMessage::Text("{}".to_owned()))));
    assert_eq!(next(&mut media).await, Some(Ok(WireMessage::Binary(vec![1, 2].into()))));
    media.outgoing.send(WireMessage::Text("hello".to_owned())).await.unwrap();
    assert_eq!(client.next().await.unwrap().unwrap(), ClientMessage::Pong("x".into()));
    assert_eq!(client.next().await.unwrap().unwrap(), ClientMessage::text("hello"));
    client.close(None).await.unwrap();
    assert_eq!(next(&mut media).await, None);
    assert_eq!(next(&mut media).await, None, "and stays the end");
}

#[tokio::test]
async fn a_message_above_the_limit_is_told_as_such() {
    let (mut client, mut media, _remains) = connected().await;
    client.send(ClientMessage::text("x".repeat(1000))).await.unwrap();
    assert!(matches!(next(&mut media).await, Some(Ok(WireMessage::Text(_)))));
    client.send(ClientMessage::text("x".repeat(1001))).await.unwrap();
    assert_eq!(next(&mut media).await, Some(Err(SocketError::TooLarge)));
    assert_eq!(next(&mut media).await, None);
}

#[tokio::test]
async fn a_cut_line_is_a_broken_connection_and_garbage_a_broken_protocol() {
    let (client, mut media, _remains) = connected().await;
    drop(client);
    assert!(matches!(next(&mut media).await, Some(Err(SocketError::Io(_)))));

    let (mut client, mut media, _remains) = connected().await;
    // RFC 6455 5.2: reserved bits set, and no mask.
    let MaybeTlsStream::Plain(line) = client.get_mut() else { panic!("loopback is plain") };
    line.write_all(&[0xf1, 0x01, b'x']).await.unwrap();
    assert!(matches!(next(&mut media).await, Some(Err(SocketError::Protocol(_)))));

    let (mut client, mut media, _remains) = connected().await;
    // A masked text frame of one byte that is no UTF-8.
    let MaybeTlsStream::Plain(line) = client.get_mut() else { panic!("loopback is plain") };
    line.write_all(&[0x81, 0x81, 0, 0, 0, 0, 0xff]).await.unwrap();
    assert!(matches!(next(&mut media).await, Some(Err(SocketError::Protocol(_)))));
}

#[tokio::test]
async fn the_far_end_gets_our_last_words_and_a_close_though_it_keeps_talking() {
    let (mut client, mut media, remains) = connected().await;
    for _ in 0..50 {
        client.send(ClientMessage::text("unread")).await.unwrap();
    }
    media.outgoing.send(WireMessage::Text("goodbye".to_owned())).await.unwrap();
    drop(media);
    let lingering = tokio::spawn(remains.linger());
    assert_eq!(client.next().await.unwrap().unwrap(), ClientMessage::text("goodbye"));
    assert!(matches!(client.next().await, Some(Ok(ClientMessage::Close(_)))));
    assert!(client.next().await.is_none(), "closed, not reset");
    tokio::time::timeout(LINGER, lingering).await.unwrap().unwrap();
}
