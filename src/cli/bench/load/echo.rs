//! The floor: sockets on which the same frames go out as in a call and come back unread.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::time::{sleep, sleep_until};
use tokio_tungstenite::tungstenite::Message;

use super::seat::{Manner, open, phase};
use super::wire::Stream;
use super::workers::{Group, Shared, lock};
use super::{FRAME, now};

impl Manner {
    /// Seats a far end that speaks to an echo, at [`Manner::url`], until all leave.
    pub(in crate::cli::bench) fn seat_before_echo(&self, group: &mut Group<'_>, number: u32, wait: Duration) {
        let manner = self.clone();
        group.spawn(move |tally| manner.face_echo(number, wait, tally));
    }

    async fn face_echo(self, number: u32, wait: Duration, tally: Shared) {
        let leave = self.leave.clone();
        let speaking = async {
            sleep(wait + phase(number)).await;
            if let Err(why) = self.speak(number, &tally).await {
                lock(&tally).failed(why);
            }
        };
        leave.run_until_cancelled(speaking).await;
    }

    async fn speak(&self, number: u32, tally: &Shared) -> Result<(), String> {
        let mut socket = open(&self.url).await?;
        let mut stream = Stream::numbered(u128::from(number));
        let line = Arc::clone(self.lines.of(u128::from(number)).first().ok_or("there are no lines")?);
        let (began, mut on_their_way) = (now(), VecDeque::new());
        let mut alarm = std::pin::pin!(sleep_until(began.into()));
        for tick in 0_u64.. {
            let due = began + FRAME * tick as u32;
            alarm.as_mut().reset(due.into());
            loop {
                tokio::select! {
                    biased;
                    () = &mut alarm => break,
                    message = socket.next() => match message {
                        Some(Ok(_)) => {
                            let sent = on_their_way.pop_front().ok_or("the echo speaks unasked")?;
                            lock(tally).came_back(now().saturating_duration_since(sent));
                        }
                        Some(Err(error)) => return Err(format!("the echo's connection broke: {error}")),
                        None => return Err("the echo closed its socket".to_owned()),
                    },
                }
            }
            let sent = now();
            lock(tally).tick(sent.saturating_duration_since(due));
            on_their_way.push_back(sent);
            let media = stream.media(&line.payloads[tick as usize % line.payloads.len()]);
            socket.send(Message::text(media)).await.map_err(|error| format!("the echo is gone: {error}"))?;
        }
        Ok(())
    }
}
