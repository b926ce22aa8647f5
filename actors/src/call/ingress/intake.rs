//! The caller's audio as it comes: how much of it may come, in which order it is given, and how much silence of the carrier's is to be filled.
//!
//! Place:   switchboard > call > ingress, between the dialect's reader and the switch's rate.
//! ```text
//! message ──► order (twice: left out; overtaken: waits) ──► budget ──► given
//!                    └─► missing ─── less what a stall was filled with ──► frames to fill
//! ```
//! A copy is not audio and costs none: a carrier that doubles every sixth message would be a flood else. Copies alone are bounded by the budget
//! of messages, and by the order, which takes a few in a row only.
//!
//! Not here: when a stall is filled, and with what.

use std::time::{Duration, Instant};

use tandem_codecs::SampleRate;
use tandem_codecs::in_order::{InOrder, Piece, Place};
use tandem_domain::port::dialect::Breach;

use super::FRAME;
use crate::flood::AudioBudget;

/// What is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Due {
    /// Audio that had waited.
    Audio(Vec<i16>),
    /// So many frames are to be filled.
    Fill(u32),
}

/// The audio of one caller.
pub(super) struct Intake {
    rate: SampleRate,
    began: Instant,
    order: InOrder,
    budget: AudioBudget,
    /// What was filled since audio was given last.
    filled: Duration,
    /// What is missing and was not filled: less than a frame, between calls.
    unfilled: Duration,
}

impl Intake {
    pub(super) fn new(now: Instant, rate: SampleRate) -> Self {
        Self {
            rate,
            began: now,
            order: InOrder::new(rate),
            budget: AudioBudget::new(now),
            filled: Duration::ZERO,
            unfilled: Duration::ZERO,
        }
    }

    /// A message came, with its media time where it has one. What is [`due`](Self::due) comes after it.
    pub(super) fn came(&mut self, now: Instant, at: Option<Duration>, pcm: &[i16]) -> Result<Place, Breach> {
        let place = self.order.came(self.since(now), at, pcm);
        if place != Place::Past && !self.budget.spend(now, self.rate.duration_of(pcm.len() as u64)) {
            return Err(Breach::Flood);
        }
        if place == Place::Next {
            self.filled = Duration::ZERO;
        }
        Ok(place)
    }

    /// What is due, until there is no more.
    pub(super) fn due(&mut self, now: Instant) -> Option<Due> {
        Some(match self.order.ready(self.since(now))? {
            Piece::Audio(pcm) => {
                self.filled = Duration::ZERO;
                Due::Audio(pcm)
            }
            Piece::Missing(length) => {
                self.unfilled += length.saturating_sub(self.filled);
                self.filled = self.filled.saturating_sub(length);
                let frames = self.unfilled.as_micros() / FRAME.as_micros();
                let frames = u32::try_from(frames).unwrap_or(u32::MAX); // half a second, by the order's own bound
                self.unfilled = self.unfilled.saturating_sub(FRAME * frames);
                Due::Fill(frames)
            }
        })
    }

    /// When to ask for what is due, if nothing comes.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.order.poll_timeout().map(|due| self.began + due)
    }

    /// A frame was filled because nothing came. Should its audio turn out to be missing, it is there already.
    pub(super) fn filled(&mut self) {
        self.filled += FRAME;
    }

    fn since(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.began)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    /// Message `number` of 20 ms, unlike any other.
    fn pcm(number: u64) -> [i16; 160] {
        [(number % 30_000) as i16; 160]
    }

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// One that has taken so many messages in order, and when the last came.
    fn after(messages: u64) -> (Intake, Instant) {
        let began = clock::now();
        let mut intake = Intake::new(began, SampleRate::HZ_8000);
        for number in 0..messages {
            let at = ms(number * 20);
            assert_eq!(intake.came(began + at, Some(at), &pcm(number)), Ok(Place::Next));
        }
        (intake, began)
    }

    /// Frames to fill, and messages given, after message `number` came at `now`.
    fn given(intake: &mut Intake, began: Instant, number: u64, now: u64) -> (u32, usize) {
        let place = intake.came(began + ms(now), Some(ms(number * 20)), &pcm(number));
        let (mut frames, mut messages) = (0, usize::from(place == Ok(Place::Next)));
        while let Some(due) = intake.due(began + ms(now + 40)) {
            match due {
                Due::Audio(_) => messages += 1,
                Due::Fill(more) => frames += more,
            }
        }
        (frames, messages)
    }

    #[test]
    fn a_carrier_that_doubles_every_sixth_message_is_no_flood_in_an_hour() {
        let (mut intake, began) = after(10);
        for number in 10..180_000 {
            let (at, samples) = (ms(number * 20), pcm(number));
            assert_eq!(intake.came(began + at, Some(at), &samples), Ok(Place::Next), "message {number}");
            if number % 6 == 0 {
                assert_eq!(intake.came(began + at, Some(at), &samples), Ok(Place::Past), "message {number}");
            }
        }
    }

    #[test]
    fn copies_alone_are_a_flood() {
        let (mut intake, began) = after(10);
        let taken = (0..100_000_u64).take_while(|number| {
            let now = began + ms(200) + ms(number * 5);
            intake.came(now, Some(ms(180)), &pcm(9)).is_ok()
        });
        assert!((1_500..2_500).contains(&taken.count()), "four times real time");
    }

    #[test]
    fn what_is_missing_is_filled_but_for_what_a_stall_was_filled_with() {
        for (filled, frames) in [(0, 15), (10, 5), (12, 3), (20, 0)] {
            let (mut intake, began) = after(50);
            (0..filled).for_each(|_| intake.filled());
            assert_eq!(given(&mut intake, began, 65, 1_300), (frames, 1), "300 ms, {filled} frames filled");
        }
    }

    #[test]
    fn what_was_filled_before_audio_came_again_is_of_another_stall() {
        let (mut intake, began) = after(50);
        (0..10).for_each(|_| intake.filled());
        assert_eq!(given(&mut intake, began, 50, 1_250), (0, 1), "late, and not lost");
        assert_eq!(given(&mut intake, began, 61, 1_300), (10, 1), "200 ms lost, with hardly a gap of the wall's");
    }

    #[test]
    fn halves_of_frames_that_are_missing_add_up() {
        let began = clock::now();
        let mut intake = Intake::new(began, SampleRate::HZ_8000);
        let mut frames = 0;
        for number in (0..100_u64).filter(|number| *number < 10 || number % 10 != 0) {
            let at = ms(number * 30);
            intake.came(began + at, Some(at), &[number as i16; 240]).unwrap();
            while let Some(due) = intake.due(began + at + ms(60)) {
                frames += if let Due::Fill(more) = due { more } else { 0 };
            }
        }
        assert_eq!(frames, 9 * 30 / 20);
    }
}
