//! Shows a conversation while it happens: asks the switch for its transcript again and again, and prints the lines that are new.
//!
//! A line is there when it is over, so what is shown of the agent is what was heard of it. A switch that does not answer (it is closed to
//! us, say) is asked once; then everything is told at the end.

use std::collections::HashSet;
use std::io::{self, Write};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::oneshot;
use tokio::time::{MissedTickBehavior, interval};

use super::Output;
use crate::cli::place::Place;

/// Time between two looks.
const LOOK: Duration = Duration::from_millis(250);

/// Looks at the transcript of one call.
pub(super) struct Follower {
    /// `None` where nothing is shown.
    looks: Option<Looks>,
    shown: Shown,
}

/// Where the transcript is.
struct Looks {
    client: reqwest::Client,
    /// Of the switch's API.
    base: String,
    /// Hears how the call is called.
    begun: oneshot::Receiver<String>,
    call: Option<String>,
}

/// What was printed.
#[derive(Debug, Default)]
pub(super) struct Shown {
    /// Lines by who said them and when.
    lines: HashSet<(String, String)>,
    /// Whether the switch tells.
    live: bool,
}

impl Follower {
    /// Follows the call, unless the result is JSON: then stdout is the object's.
    pub(super) fn of(place: &Place, begun: oneshot::Receiver<String>, output: Output) -> Self {
        let looks = place
            .api()
            .filter(|_| !output.is_json())
            .and_then(|base| Some(Looks { client: place.client()?, base, begun, call: None }));
        Self { looks, shown: Shown::default() }
    }

    /// Follows for as long as `call` takes; returns its result and what was shown.
    pub(super) async fn beside<T, E>(mut self, call: impl Future<Output = Result<T, E>>) -> Result<(T, Shown), E> {
        let mut call = std::pin::pin!(call);
        let mut clock = interval(LOOK);
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let done = loop {
            tokio::select! {
                biased;
                done = &mut call => break done,
                _ = clock.tick(), if self.looks.is_some() => {}
            }
            tokio::select! {
                biased;
                done = &mut call => break done,
                () = self.look() => {}
            }
        };
        done.map(|result| (result, self.shown))
    }

    async fn look(&mut self) {
        let Some(looks) = &mut self.looks else { return };
        if looks.call.is_none() {
            looks.call = looks.begun.try_recv().ok();
        }
        let Some(call) = &looks.call else { return };
        match looks.client.get(format!("{}/api/conversations/{call}/transcript", looks.base)).send().await {
            Ok(answer) if answer.status().is_success() => {
                if let Ok(transcript) = answer.json().await {
                    self.shown.print(&transcript);
                }
            }
            // The call has not begun yet.
            Ok(answer) if answer.status() == 404 => {}
            Ok(_) | Err(_) => self.looks = None,
        }
    }
}

impl Shown {
    /// Prints what came after the last look; tells whether everything has been shown, so that only the sum is left to tell.
    pub(super) fn rest(mut self, transcript: &Value) -> bool {
        if self.live {
            self.print(transcript);
        }
        self.live
    }

    fn print(&mut self, transcript: &Value) {
        for line in self.fresh(transcript) {
            // A reader that went away is no error of ours, and the call goes on.
            let _ = writeln!(io::stdout(), "{line}").and_then(|()| io::stdout().flush());
        }
    }

    /// The lines that were not shown yet.
    fn fresh(&mut self, transcript: &Value) -> Vec<String> {
        self.live = true;
        let text = |line: &Value, name: &str| line[name].as_str().unwrap_or_default().to_owned();
        let lines = transcript.as_array().into_iter().flatten();
        lines.filter(|line| self.lines.insert((text(line, "role"), text(line, "created_at")))).map(told).collect()
    }
}

/// A line of the transcript for people.
fn told(line: &Value) -> String {
    let who = if line["role"] == "user" { "caller" } else { "agent" };
    let latency = line["latency_ms"].as_i64().map_or(String::new(), |ms| format!("  [after {ms} ms]"));
    let cut = if line["interrupted"] == true { "  [interrupted]" } else { "" };
    format!("{who:>10}  {}{latency}{cut}", line["text"].as_str().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_line_is_shown_once_with_what_is_known_of_it() {
        let lines = json!([
            {"role": "agent", "text": "Hello", "created_at": "1", "interrupted": true},
            {"role": "user", "text": "hi", "created_at": "2"},
            {"role": "agent", "text": "Yes", "created_at": "3", "latency_ms": 850},
        ]);
        let mut shown = Shown::default();
        let expected = ["     agent  Hello  [interrupted]", "    caller  hi", "     agent  Yes  [after 850 ms]"];
        assert_eq!(shown.fresh(&lines), expected);
        assert_eq!(shown.fresh(&lines), Vec::<String>::new());
        assert!(shown.rest(&lines));
        assert!(!Shown::default().rest(&Value::Null));
    }
}
