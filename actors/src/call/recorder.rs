//! The recorder: turns the call's reel, so that what both sides said is in its file a moment later.
//!
//! Place:   switchboard > call > **recorder**, where calls are recorded
//! Hears:   nothing; looks at the lanes four times a second.    Tells: `call`, `CallMsg::RecordingFailing` and `RecordingHealed`.
//! Failure: restarted on the same reel, within a second without a gap; beyond its budget the recording ends there and the call goes on.

use std::sync::Arc;
use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval};

use super::CallMsg;
use crate::clock;
use crate::guard::Guard;
use crate::recordings::{News, Reel};

/// Between two looks at the lanes, which hold a second.
const EVERY: Duration = Duration::from_millis(250);

/// The actor.
pub struct Recorder;

/// What it needs.
pub struct Args {
    /// The call.
    pub call: ActorRef<CallMsg>,
    /// What it turns.
    pub(crate) reel: Arc<Reel>,
    /// Who may wait for the disk.
    pub(crate) threads: Arc<Semaphore>,
}

impl Actor for Recorder {
    type Msg = ();
    type State = Guard;
    type Arguments = Args;

    async fn pre_start(&self, me: ActorRef<()>, args: Args) -> Result<Guard, ActorProcessingErr> {
        let dead = me.clone();
        let pump = async move {
            turn(args).await;
            me.kill(); // a turn panicked: as any death of ours, the call judges it
        };
        Ok(Guard::spawn(pump, move || dead.kill()))
    }
}

/// Returns when a turn has panicked.
async fn turn(Args { call, reel, threads }: Args) {
    let mut tick = interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        let Ok(thread) = Arc::clone(&threads).acquire_owned().await else { return };
        let (reel, now) = (Arc::clone(&reel), clock::now());
        let turned = spawn_blocking(move || {
            let _thread = thread;
            reel.turn(now)
        });
        let told = match turned.await {
            Ok(News::None) => continue,
            Ok(News::Failing { reason, detail }) => CallMsg::RecordingFailing { reason, detail },
            Ok(News::Healed) => CallMsg::RecordingHealed,
            Err(_) => return,
        };
        let _ = call.cast(told); // a call that is gone ends us through the guard
    }
}
