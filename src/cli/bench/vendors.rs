//! Vendors in a process of their own: `tandem mock`, on the vendors' real wires.
//!
//! Place: started before the switch, which is told where they are by the settings that point to any vendor. With them no vendor's time has to be
//! taken off the switch's: what its adapters cost is its own.

use std::process::Stdio;
use std::str::FromStr;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use super::BenchError;

/// Longest wait for the line that says where they are.
const START_LIMIT: Duration = Duration::from_secs(10);
/// The mock takes any key.
const KEY: &str = "bench";
/// Vendors that it serves, by the first part of their settings' names.
const SERVED: [&str; 3] = ["DEEPGRAM", "OPENAI", "ELEVENLABS"];

/// Which vendors a measured switch has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Choice {
    /// In the switch's process; their processor time is taken off
    Fake,
    /// Deepgram, OpenAI and ElevenLabs on their real wires, served by `tandem mock` in a third process
    Mock,
}

/// The process of the vendors. Ends with us.
pub(super) struct Mock {
    _child: Child,
    base_url: String,
    waits: Waits,
}

/// How long the vendors take, in ms: recogniser, model, voice.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Waits([u32; 3]);

impl FromStr for Waits {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let waits: Result<Vec<u32>, _> = text.split(',').map(|ms| ms.trim().parse()).collect();
        let wrong =
            || format!("{text:?} is not three times in ms: write recogniser, model and voice, such as 100,200,150");
        waits.ok().and_then(|waits| waits.try_into().ok()).map(Self).ok_or_else(wrong)
    }
}

impl Waits {
    fn flags(self) -> Vec<String> {
        let names = ["--stt-latency", "--llm-latency", "--tts-latency"];
        names.iter().zip(self.0).flat_map(|(name, ms)| [(*name).to_owned(), ms.to_string()]).collect()
    }
}

/// The line that it prints.
#[derive(Debug, Deserialize)]
struct Started {
    #[serde(alias = "url")]
    base_url: String,
}

impl Mock {
    pub(super) async fn start(waits: Waits) -> Result<Self, BenchError> {
        let program = std::env::current_exe().map_err(BenchError::Vendors)?;
        let mut child = Command::new(program)
            .args(["mock", "--port", "0", "--json"])
            .args(waits.flags())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(BenchError::Vendors)?;
        let broken = |why: &'static str| BenchError::Vendors(std::io::Error::other(why));
        let stdout = child.stdout.take().ok_or_else(|| broken("it has no standard output"))?;
        let mut lines = BufReader::new(stdout).lines();
        let line = tokio::time::timeout(START_LIMIT, lines.next_line()).await;
        let line = line.map_err(|_| broken("it does not say where it listens"))?.map_err(BenchError::Vendors)?;
        let line = line.ok_or_else(|| broken("it ended"))?;
        let Started { base_url } = serde_json::from_str(&line).map_err(|error| BenchError::Vendors(error.into()))?;
        // what it says later is nobody's to read, but must not stop it
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Self { _child: child, base_url, waits })
    }

    /// What a turn waits for all three.
    pub(super) fn wait_ms(&self) -> f64 {
        self.waits.0.iter().map(|ms| f64::from(*ms)).sum()
    }

    /// The environment of a switch that has these vendors.
    pub(super) fn environment(&self) -> Vec<(String, String)> {
        let places = SERVED.iter().flat_map(|vendor| {
            [(format!("{vendor}_BASE_URL"), self.base_url.clone()), (format!("{vendor}_API_KEY"), KEY.to_owned())]
        });
        let roles = [
            ("STT_PROVIDER", "deepgram"),
            ("LLM_PROVIDER", "openai"),
            ("TTS_PROVIDER", "elevenlabs"),
            ("DEFAULT_AGENT", "assistant"),
        ];
        places.chain(roles.map(|(name, value)| (name.to_owned(), value.to_owned()))).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn three_times_and_no_others() {
        assert_eq!("100, 200,150".parse(), Ok(Waits([100, 200, 150])));
        for wrong in ["", "100", "1,2", "1,2,3,4", "a,b,c", "-1,2,3"] {
            assert!(wrong.parse::<Waits>().unwrap_err().contains("100,200,150"), "{wrong:?}");
        }
        assert_eq!(Waits([1, 2, 3]).flags(), ["--stt-latency", "1", "--llm-latency", "2", "--tts-latency", "3"]);
    }

    #[test]
    fn either_name_of_the_address_is_read() {
        for line in [r#"{"base_url":"http://127.0.0.1:1"}"#, r#"{"url":"http://127.0.0.1:1","port":1}"#] {
            assert_eq!(serde_json::from_str::<Started>(line).unwrap().base_url, "http://127.0.0.1:1");
        }
    }
}
