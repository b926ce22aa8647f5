//! The recorded call as a picture: what the caller said above, what he heard below, and where he spoke.
//!
//! SVG with the reader's own fonts, as the ramp's picture. It is drawn from the recording, so what is seen is what can be listened to.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use plotters::coord::Shift;
use plotters::prelude::*;
use tandem_codecs::peaks::Peaks;
use tandem_codecs::{WavError, wav};
use tandem_peers::simulate::{PeerReport, PeerTurn};

/// Stretches across; each is a little more than a pixel.
const POINTS: u32 = 900;
const WIDTH: u32 = 1_000;
const LANE: u32 = 130;
/// Height of one line of what was said.
const LINE: u32 = 20;
const CALLER: RGBColor = RGBColor(31, 119, 180);
const AGENT: RGBColor = RGBColor(44, 140, 60);
const SPOKEN: RGBColor = RGBColor(120, 120, 120);

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// The recording cannot be opened.
    #[error("cannot draw the recording {}", path.display())]
    Open {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The recording cannot be read.
    #[error("cannot draw the recording {}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: WavError,
    },
    /// The picture could not be drawn or written.
    #[error("cannot write the picture {}: {why}", path.display())]
    Write {
        /// Where.
        path: PathBuf,
        /// Why not.
        why: String,
    },
}

/// Draws the stereo file `recording` of the call that `peer` tells of into `path`.
pub(super) fn draw(recording: &Path, peer: &PeerReport, path: &Path) -> Result<(), PictureError> {
    let open = |source| PictureError::Open { path: recording.to_owned(), source };
    let read = |source| PictureError::Read { path: recording.to_owned(), source };
    let file = BufReader::new(File::open(recording).map_err(open)?);
    let (rate, interleaved) = wav::read_stereo(file).map_err(read)?;
    let frames = interleaved.len() as u64 / 2;
    let mut peaks = Peaks::new(frames, POINTS);
    peaks.push(&interleaved);
    let seconds = frames as f64 / f64::from(rate.hz());
    let write = |why: String| PictureError::Write { path: path.to_owned(), why };
    let svg = picture(&peaks.finish(), seconds, &peer.turns).map_err(|error| write(error.to_string()))?;
    std::fs::write(path, svg).map_err(|error| write(error.to_string()))
}

type Drawn<T> = Result<T, Box<dyn std::error::Error>>;

/// The whole picture: two lanes over `seconds`, and a line for each go of the caller.
fn picture(lanes: &[Vec<[i16; 2]>; 2], seconds: f64, turns: &[PeerTurn]) -> Drawn<String> {
    let spoken: Vec<&PeerTurn> = turns.iter().filter(|turn| !turn.said.is_empty()).collect();
    let height = 2 * LANE + 50 + LINE * spoken.len() as u32;
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
        root.fill(&WHITE)?;
        let (above, words) = root.split_vertically(2 * LANE + 40);
        let (caller, agent) = above.split_vertically(LANE);
        lane(&caller, "caller", &lanes[0], seconds, &spoken, CALLER)?;
        lane(&agent, "agent, as the caller hears it", &lanes[1], seconds, &spoken, AGENT)?;
        for (line, turn) in spoken.iter().enumerate() {
            let style = ("sans-serif", 14).into_font().color(&BLACK);
            words.draw(&Text::new(told(line + 1, turn), (52, (line as i32) * LINE as i32), style))?;
        }
        root.present()?;
    }
    Ok(svg)
}

/// One go of the caller in words.
fn told(number: usize, turn: &PeerTurn) -> String {
    let began = turn.began.as_secs_f64();
    let over = if turn.over_agent { ", over the agent" } else { "" };
    let answered =
        turn.latency.map_or(String::new(), |latency| format!(", answered after {:.2} s", latency.as_secs_f64()));
    format!("{number}  at {began:.2} s{over}: “{}”{answered}", turn.said)
}

fn lane(
    area: &DrawingArea<SVGBackend<'_>, Shift>,
    title: &str,
    peaks: &[[i16; 2]],
    seconds: f64,
    spoken: &[&PeerTurn],
    colour: RGBColor,
) -> Drawn<()> {
    let full = f64::from(i16::MAX);
    let loudest = peaks.iter().flatten().map(|peak| f64::from(*peak).abs()).fold(full / 8.0, f64::max);
    let mut chart = ChartBuilder::on(area)
        .caption(title, ("sans-serif", 14))
        .margin_left(52)
        .margin_right(12)
        .x_label_area_size(24)
        .build_cartesian_2d(0.0..seconds.max(0.1), -loudest..loudest)?;
    chart.configure_mesh().disable_y_axis().disable_mesh().x_label_formatter(&|at| format!("{at:.0} s")).draw()?;
    for (number, turn) in spoken.iter().enumerate() {
        let (from, to) = (turn.began.as_secs_f64(), turn.ended.map_or(seconds, |ended| ended.as_secs_f64()));
        chart.draw_series([Rectangle::new([(from, -loudest), (to, loudest)], SPOKEN.mix(0.15).filled())])?;
        let style = ("sans-serif", 13).into_font().color(&SPOKEN);
        chart.draw_series([Text::new((number + 1).to_string(), (from, loudest), style)])?;
    }
    // One outline, not a bar a stretch: an eighth of the file.
    let step = seconds / peaks.len().max(1) as f64;
    let edge = |side: usize| peaks.iter().enumerate().map(move |(at, peak)| (at as f64 * step, f64::from(peak[side])));
    let outline: Vec<_> = edge(1).chain(edge(0).rev()).collect();
    chart.draw_series([Polygon::new(outline.clone(), colour)])?;
    chart.draw_series([PathElement::new(outline, colour)])?; // a silence has no area
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::time::Duration;

    fn turn(said: &str, began: u64, over_agent: bool) -> PeerTurn {
        PeerTurn {
            said: said.into(),
            began: Duration::from_millis(began),
            ended: Some(Duration::from_millis(began + 700)),
            latency: Some(Duration::from_millis(830)),
            over_agent,
            heard: String::new(),
        }
    }

    #[test]
    fn a_picture_has_both_voices_and_what_was_said() {
        let lanes = [vec![[-5, 900]; 40], vec![[-8_000, 9_000]; 40]];
        let turns = [PeerTurn::default(), turn("wait a moment", 1_500, true), turn("in Delhi & Pune", 4_000, false)];
        let svg = picture(&lanes, 6.0, &turns).unwrap();
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
        assert_eq!(svg.matches("<polygon").count(), 2, "an outline a lane");
        for words in ["1  at 1.50 s, over the agent: “wait a moment”, answered after 0.83 s", "in Delhi &amp; Pune"]
        {
            assert!(svg.contains(words), "{words}");
        }
    }

    #[test]
    fn an_empty_recording_can_be_drawn() {
        assert!(picture(&[Vec::new(), Vec::new()], 0.0, &[]).is_ok());
    }
}
