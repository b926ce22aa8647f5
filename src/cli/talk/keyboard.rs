//! Typed lines as steps of the call.

use std::io::{BufRead, IsTerminal};
use std::time::Duration;

use tandem_peers::caller::{Line, Step};
use tandem_peers::simulate::LiveSteps;
use tokio::sync::mpsc;

use super::Output;

/// Lines that may wait for the voice; the reader waits beyond.
const WAITING: usize = 8;
/// Longest line that is spoken: more than a minute of speech.
const LONGEST: usize = 1_000;

/// Reads stdin to its end. The last step hangs up.
pub(super) fn steps(output: Output) -> LiveSteps {
    let (sender, steps) = mpsc::channel(WAITING);
    let terminal = std::io::stdin().is_terminal();
    if terminal {
        output.say("type what you want to say; ! before it interrupts the agent; Ctrl-D hangs up");
    }
    // A thread of its own, which may be left behind: a read from a terminal cannot be given up, and the runtime would wait for it.
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let Ok(line) = line else { break };
            let Some(step) = step(&line) else { continue };
            if sender.blocking_send(step).is_err() {
                return; // the call is over
            }
        }
        // From a pipe the end comes at once: the last answer is still to be heard.
        let leave = if terminal { vec![Step::HangUp] } else { vec![Step::Wait, Step::HangUp] };
        for step in leave {
            if sender.blocking_send(step).is_err() {
                return;
            }
        }
    });
    steps
}

/// What a typed line means; nothing if it is empty.
fn step(line: &str) -> Option<Step<Line>> {
    let line = line.trim();
    let (interrupt, words) = line.strip_prefix('!').map_or((false, line), |rest| (true, rest.trim()));
    let words: String = words.chars().take(LONGEST).collect();
    match (words.is_empty(), interrupt) {
        (true, _) => None,
        (false, true) => Some(Step::Interrupt { after: Duration::ZERO, say: Line::Text(words) }),
        (false, false) => Some(Step::Say(Line::Text(words))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_said_and_exclamations_interrupt() {
        let line = |text: &str| Line::Text(text.to_owned());
        assert_eq!(step(" sixty lakh \r"), Some(Step::Say(line("sixty lakh"))));
        assert_eq!(step("! no, fifty"), Some(Step::Interrupt { after: Duration::ZERO, say: line("no, fifty") }));
        assert_eq!(step("   "), None);
        assert_eq!(step("!"), None);
        let Some(Step::Say(Line::Text(words))) = step(&"a".repeat(5_000)) else { panic!("not said") };
        assert_eq!(words.len(), LONGEST);
    }
}
