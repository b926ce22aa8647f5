//! The echo agent: sends every message back as it came, over the very upgrade that carriers use.
//!
//! For conformance tests of the WebSocket layer (`make peers`), which need a far end that says back what it heard. The program that is
//! shipped never opens it: only [`boot_with_echo`](crate::boot_with_echo) does.

use axum::response::Response;
use futures_util::{SinkExt, StreamExt};
use tandem_actors::MediaSocket;

use super::{Upgrade, refuse, serve};

/// The largest message of the conformance cases is 16 MiB; whole, and once more on its way back.
const LIMIT_BYTES: usize = 17 << 20;

/// `/echo`, where it is opened.
pub(crate) async fn echo(upgrade: Upgrade) -> Response {
    match upgrade {
        Ok(upgrade) => serve(upgrade, LIMIT_BYTES, LIMIT_BYTES, say_back),
        Err(rejection) => refuse(rejection),
    }
}

/// Until either side ends: what a broken frame deserves is the WebSocket layer's to say.
async fn say_back(MediaSocket { mut incoming, mut outgoing, .. }: MediaSocket) {
    while let Some(Ok(message)) = incoming.next().await {
        if outgoing.send(message).await.is_err() {
            return;
        }
    }
}
